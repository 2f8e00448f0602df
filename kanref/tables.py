"""The public door for data: arrays, lists and data frames become checked NumPy arrays.

A data frame (pandas, or anything with ``columns`` and ``to_numpy``) is read by name: the columns
that the model knows are taken in the model's order, and others may stand beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arrays import Array


def is_frame(X: Any) -> bool:
    """Tell whether `X` is a data frame."""
    return hasattr(X, "columns") and hasattr(X, "to_numpy")


def frame_names(X: Any) -> list[str]:
    """Return the column names of a data frame as text."""
    return [str(name) for name in X.columns]


def input_table(X: Any, names: Sequence[str], what: str = "X") -> np.ndarray:
    """Return the inputs as a float array (N, n_in).

    Raises
    ------
    ValueError
        If the shape is not (N, n_in), or a data frame lacks a column.
    TypeError
        If there is something that is not a number.
    """
    if is_frame(X):
        have = frame_names(X)
        missing = [name for name in names if name not in have]
        if missing:
            raise ValueError(
                f"`{what}` must have the columns {list(names)}, got {have}: {missing} are missing"
            )
        X = X.iloc[:, [have.index(n) for n in names]] if hasattr(X, "iloc") else X[list(names)]
        X = X.to_numpy()
    array = numbers(X, what)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ValueError(f"`{what}` must have shape (N, {len(names)}), got {array.shape}")
    return array


def target_table(y: Any, n_samples: int, n_out: int, *, labels: bool = False) -> np.ndarray:
    """Return the targets as a float array (N, n_out), or as labels (N,) of any kind.

    Raises
    ------
    ValueError
        If there are not `n_samples` rows of `n_out` finite numbers.
    """
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    array = np.asarray(y) if labels else numbers(y, "y")
    if labels and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if not labels and array.ndim == 1:
        array = array[:, None]
    rule = f"({n_samples},)" if labels else f"({n_samples}, {n_out})"
    if array.shape != ((n_samples,) if labels else (n_samples, n_out)):
        raise ValueError(f"`y` must have shape {rule}, got {np.shape(y)}")
    if array.dtype.kind == "f":
        finite_rows(array, "y")
    return array


def weight_vector(weight: Any, n_samples: int) -> np.ndarray | None:
    """Return sample weights (N,), finite, not negative and not all 0."""
    if weight is None:
        return None
    array = numbers(weight, "sample_weight")
    if array.shape != (n_samples,):
        raise ValueError(f"`sample_weight` must have shape ({n_samples},), got {array.shape}")
    if not np.all(np.isfinite(array)) or np.any(array < 0) or not np.any(array > 0):
        raise ValueError("`sample_weight` must be finite, at least 0, and not all 0")
    return array


def finite_rows(array: np.ndarray, what: str) -> None:
    """Raise a ValueError that names the first row with NaN or infinity."""
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if bad.any():
        raise ValueError(
            f"`{what}` must be finite, got {int(bad.sum())} rows with NaN or infinity, "
            f"the first is row {int(bad.argmax())}"
        )


def numbers(values: Any, what: str) -> np.ndarray:
    """Return real numbers as a float64 (or float32) NumPy array."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array: Array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        try:
            array = array.astype(float) if array.dtype.kind == "O" else None
        except (TypeError, ValueError):
            array = None
        if array is None:
            raise TypeError(f"`{what}` must hold real numbers, got {np.asarray(values).dtype}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
