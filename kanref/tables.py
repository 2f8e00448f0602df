"""The public door for data: arrays, lists and data frames become checked NumPy arrays.

A data frame (pandas, polars, an Arrow table, or anything with ``columns`` and ``to_numpy``) is read
by name: the columns that the model knows are taken in the model's order, and others may stand
beside them. None of these libraries is imported here: who brings a frame has its library.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arrays import Array


def is_frame(X: Any) -> bool:
    """Tell whether `X` is a data frame."""
    return _is_arrow(X) or (hasattr(X, "to_numpy") and hasattr(X, "columns"))


def _is_arrow(X: Any) -> bool:
    """Tell whether `X` is an Arrow table or record batch."""
    return hasattr(X, "column_names") and hasattr(X, "to_pandas")


def frame_names(X: Any) -> list[str]:
    """Return the column names of a data frame as text."""
    return [str(name) for name in (X.column_names if _is_arrow(X) else X.columns)]


def target_names(y: Any, names: Sequence[str]) -> list[str]:
    """Return what a series or frame of targets calls them; `names` where it does not say.

    Examples
    --------
    >>> import pandas as pd
    >>> target_names(pd.Series([1, 2], name="drag"), ["y"]), target_names([1, 2], ["y"])
    (['drag'], ['y'])
    """
    found = frame_names(y) if is_frame(y) else [getattr(y, "name", None)]
    texts = [name for name in found if isinstance(name, str) and name]
    return texts if len(texts) == len(set(texts)) == len(names) else list(names)


def input_table(X: Any, names: Sequence[str], what: str = "X") -> np.ndarray:
    """Return the inputs as a float array (N, n_in).

    Raises
    ------
    ValueError
        If the shape is not (N, n_in), or a data frame lacks a column or has it twice.
    TypeError
        If there is something that is not a number.
    """
    array = numbers(_chosen(X, names, what) if is_frame(X) else X, what)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ValueError(f"`{what}` must have shape (N, {len(names)}), got {array.shape}")
    return array


def _chosen(X: Any, names: Sequence[str], what: str) -> Any:
    """Return the named columns of a data frame, in this order, as a data frame."""
    have = frame_names(X)
    missing = [name for name in names if name not in have]
    if missing:
        raise ValueError(
            f"`{what}` must have the columns {list(names)}, got {have}: {missing} are missing"
        )
    twice = [name for name in names if have.count(name) > 1]
    if twice:
        raise ValueError(f"`{what}` must have each column once, got {twice} more than once")
    if _is_arrow(X):
        return X.select(list(names)).to_pandas()
    # pandas takes columns by place, since their names need not be text
    return X.iloc[:, [have.index(n) for n in names]] if hasattr(X, "iloc") else X[list(names)]


def target_table(y: Any, n_samples: int, n_out: int, *, labels: bool = False) -> np.ndarray:
    """Return the targets as a float array (N, n_out), or as labels (N,) of any kind.

    Raises
    ------
    ValueError
        If there are not `n_samples` rows of `n_out` finite numbers.
    """
    if _is_arrow(y):
        y = y.to_pandas()
    if labels and hasattr(y, "to_numpy"):
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
    """Return real numbers as a float64 (or float32) NumPy array; what is missing is NaN."""
    if hasattr(values, "collect"):  # a lazy frame of polars
        raise TypeError(f"`{what}` must hold numbers, got a {type(values).__name__}: collect() it")
    try:
        array = _as_array(values)
        if array.dtype == object:
            if any(isinstance(value, (str, bytes)) for value in array.flat):
                raise TypeError("text")
            array = array.astype(float)
    except (TypeError, ValueError) as error:
        if "inhomogeneous" in str(error):
            raise ValueError(f"`{what}` must be a table, its rows have different lengths") from None
        kinds = getattr(values, "dtypes", None)
        got = np.dtype(object) if kinds is None else sorted({str(kind) for kind in kinds})
        raise TypeError(f"`{what}` must hold real numbers, got {got}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"`{what}` must hold real numbers, got {array.dtype}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _as_array(values: Any) -> Array:
    """Return what is given as an array, of objects where it is not of one kind."""
    if not hasattr(values, "to_numpy"):
        return np.asarray(values)
    array = values.to_numpy()
    if array.dtype == object and hasattr(values, "isna"):  # of pandas: <NA> is no float
        array = values.to_numpy(dtype=object, na_value=np.nan)
    return array
