"""Data to learn from: samples of a function, your own tables, and measurements shipped with kanref.

All of them come as a :class:`Dataset`, a table split into training and test rows, in data units:
scaling belongs to the model.
"""

from __future__ import annotations

from .create import create_dataset, create_dataset_from_data
from .dataset import Dataset
from .shipped import airfoil, digits, yacht

__all__ = ["Dataset", "airfoil", "create_dataset", "create_dataset_from_data", "digits", "yacht"]
