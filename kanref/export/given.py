"""Data that some targets take beside the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tables import input_table
from .program import Program


def given_rows(program: Program, X: Any) -> np.ndarray:
    """Return the finite rows of a table X or data frame, (N, n_in) in data units.

    Raises
    ------
    ValueError, TypeError
        If X is no table of numbers with the inputs as its columns, or has no finite row.
    """
    table = input_table(X, list(program.input_names))
    table = table[np.isfinite(table).all(axis=1)]
    if not len(table):
        raise ValueError("`X` must have a row of finite numbers, got none")
    return table
