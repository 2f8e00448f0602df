"""Kolmogorov-Arnold networks without an autograd framework.

One readable NumPy program is the definition; what is faster must agree with it.
"""

from __future__ import annotations

from ._version import __version__

__all__ = ["__version__"]
