"""Model files: one ``.npz`` with a JSON header; no pickle, nothing executed, nothing half-written.

The archive holds the member ``header.npy`` (JSON text as bytes) and one member for each array, all
stored without compression. The header alone says what must be there: reading checks every name,
dtype and shape against it before an array is made, so a damaged or hostile file can neither run
code nor ask for more memory than its own length.
"""

from .format import Header
from .read import load
from .write import save

__all__ = ["Header", "load", "save"]
