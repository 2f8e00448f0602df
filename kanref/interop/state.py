"""Arrays by name: what a state has, checked as it is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class StateReader:
    """Takes arrays out of a state by name and shape, and knows which were never taken.

    Raises
    ------
    TypeError
        If the state is not a mapping, or something in it not an array of real numbers.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        if not isinstance(state, Mapping):
            raise TypeError(f"`state` must map names to arrays, got {type(state).__name__}")
        self.state = state
        self.taken: dict[str, np.ndarray] = {}

    def __call__(self, name: str, shape: Sequence[int | None]) -> np.ndarray:
        """Return an array; None in `shape` stands for any size."""
        if name not in self.state:
            raise ValueError(f"`state` must have {name!r}, got {sorted(self.state)}")
        array = np.asarray(self.state[name])
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name!r} must be an array of real numbers, got {array.dtype}")
        fits = array.ndim == len(shape) and all(
            size in (None, n) for size, n in zip(shape, array.shape, strict=True)
        )
        if not fits:
            rule = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"{name!r} must have shape ({rule}), got {array.shape}")
        self.taken[name] = array
        return array

    def mask(self, name: str, shape: tuple[int, int]) -> np.ndarray:
        """Return an array of 0 and 1 as bool."""
        mask = self(name, shape)
        if not np.all((mask == 0) | (mask == 1)):
            raise ValueError(f"{name!r} must hold 0 and 1, got {np.unique(mask)}")
        return mask == 1

    def knots(self, name: str, n_in: int, n_basis: int) -> tuple[np.ndarray, int]:
        """Return knots and the degree k: G+2k+1 knots of each input go with G+k = n_basis."""
        knots = self(name, (n_in, None))
        k = knots.shape[1] - n_basis - 1
        if k < 0 or n_basis - k < 1:
            raise ValueError(
                f"{name!r} must have G+2k+1 knots where there are G+k coefficients, with G >= 1 "
                f"and k >= 0, got {knots.shape[1]} and {n_basis}"
            )
        return knots, k

    def dtype(self) -> np.dtype:
        """Return the dtype of the network: float32 if no array is wider, else float64."""
        floats = [a.dtype for a in self.taken.values() if a.dtype.kind == "f"]
        return np.result_type(np.float32, *floats)

    def finish(self) -> None:
        """Raise if the state has more than was taken."""
        unknown = sorted(set(self.state) - set(self.taken))
        if unknown:
            raise ValueError(f"`state` must not have other names than a model's, got {unknown}")
