"""Kolmogorov–Arnold networks without an autograd framework.

One readable NumPy program is the definition; what is faster must agree with it.

>>> import kanref
>>> kanref.KAN([2, 5, 1])
KAN(width=[2, 5, 1], grid=5, k=3): 15 of 15 edges live, 0 symbolic, 150 parameters, float64
"""

from __future__ import annotations

from . import datasets
from ._version import __version__
from .datasets import Dataset, create_dataset, create_dataset_from_data
from .functions import BaseFunction, Function, make_function
from .gradcheck import check_gradients
from .interop import from_efficient_kan, from_pykan
from .model import KAN
from .scaling import Scaling
from .training import History

__all__ = [
    "KAN",
    "BaseFunction",
    "Dataset",
    "Function",
    "History",
    "Scaling",
    "__version__",
    "check_gradients",
    "create_dataset",
    "create_dataset_from_data",
    "datasets",
    "from_efficient_kan",
    "from_pykan",
    "make_function",
]
