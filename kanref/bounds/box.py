"""The box of inputs that is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def check_box(box: Any, names: Sequence[str]) -> np.ndarray:
    """Return the box as an array (n_in, 2) of finite numbers, each low ≤ high.

    Parameters
    ----------
    box : sequence of (low, high)
        One pair for each input, in data units.
    names : sequence of str
        Of the inputs, for the messages.

    Raises
    ------
    ValueError
        If the shape is wrong, or a pair is reversed, NaN or infinite.
    TypeError
        If it does not hold numbers.

    Examples
    --------
    >>> check_box([(0, 1), (2, 2)], ["a", "b"])
    array([[0., 1.],
           [2., 2.]])
    >>> check_box([(0, 1), (3, 2)], ["a", "b"])
    Traceback (most recent call last):
    ...
    ValueError: `box` must have low <= high for input 1 ('b'), got (3.0, 2.0)
    """
    n_in = len(names)
    try:
        pairs = np.asarray(box)
    except ValueError as error:  # pairs of different lengths
        raise ValueError(f"`box` must be {n_in} pairs (low, high), got {box!r}") from error
    if pairs.shape != (n_in, 2):
        raise ValueError(
            f"`box` must be {n_in} pairs (low, high), one for each input, got shape {pairs.shape}"
        )
    if pairs.dtype.kind not in "fiub":
        raise TypeError(f"`box` must hold real numbers, got {pairs.dtype}")
    pairs = pairs.astype(float)
    for i, (low, high) in enumerate(pairs.tolist()):
        if not np.isfinite(low) or not np.isfinite(high):
            raise ValueError(f"`box` must be finite for input {i} ({names[i]!r}), got {low, high}")
        if low > high:
            raise ValueError(
                f"`box` must have low <= high for input {i} ({names[i]!r}), got {low, high}"
            )
    return pairs
