"""Units: from the columns of a table to the numbers a network works with, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._arrays import Array

LARGEST = 1e300
"""Numbers beyond this overflow when a column is shifted and scaled."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Shift and scale between data units (capitals) and network units.

    x = (X - x_shift) / x_scale and Y = y · y_scale + y_shift.

    Attributes
    ----------
    x_shift, x_scale : (n_in,)
        In the units of each input.
    y_shift, y_scale : (n_out,)
        In the units of each output.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import Scaling
    >>> X = np.array([[0.0, 10.0], [2.0, 30.0]])
    >>> scaling = Scaling.standard(X, np.array([[1.0], [3.0]]))
    >>> scaling.x_to_network(X)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> scaling.y_to_data(np.array([[0.0]]))
    array([[2.]])
    """

    x_shift: np.ndarray
    x_scale: np.ndarray
    y_shift: np.ndarray
    y_scale: np.ndarray

    def __post_init__(self) -> None:
        for name in ("x_shift", "x_scale", "y_shift", "y_scale"):
            value = np.array(getattr(self, name), dtype=float, ndmin=1)
            if value.ndim != 1 or not np.all(np.isfinite(value)):
                raise ValueError(f"`{name}` must be a vector of finite numbers, got {value}")
            if name.endswith("scale") and not np.all(value > 0):
                raise ValueError(f"`{name}` must be positive, got {value}")
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        for shift, scale in ((self.x_shift, self.x_scale), (self.y_shift, self.y_scale)):
            if shift.shape != scale.shape:
                raise ValueError(
                    f"shift and scale must have the same length, got {shift.size} and {scale.size}"
                )

    @classmethod
    def identity(cls, n_in: int, n_out: int) -> Scaling:
        """Return the scaling that changes nothing.

        Parameters
        ----------
        n_in, n_out : int
            Numbers of inputs and outputs.
        """
        return cls(np.zeros(n_in), np.ones(n_in), np.zeros(n_out), np.ones(n_out))

    @classmethod
    def standard(cls, X: np.ndarray, y: np.ndarray | None = None, n_out: int = 1) -> Scaling:
        """Return the scaling to mean 0 and standard deviation 1 of each column.

        A constant column is shifted only. Without `y`, the `n_out` outputs keep their units.

        Parameters
        ----------
        X : (N, n_in)
            Inputs.
        y : (N, n_out) or (N,), optional
            Targets.
        n_out : int
            How many outputs there are, where `y` is not given.

        Raises
        ------
        ValueError
            If a number is NaN, infinite or larger than 1e300; the message names its column.
        """
        x_shift, x_scale = _moments(X, "X")
        y_shift, y_scale = (np.zeros(n_out), np.ones(n_out)) if y is None else _moments(y, "y")
        return cls(x_shift, x_scale, y_shift, y_scale)

    @property
    def is_identity(self) -> bool:
        """Whether data units are network units."""
        shifts = np.concatenate([self.x_shift, self.y_shift])
        scales = np.concatenate([self.x_scale, self.y_scale])
        return bool(np.all(shifts == 0) and np.all(scales == 1))

    def x_to_network(self, X: Array) -> Array:
        """Convert inputs (N, n_in) to network units.

        Parameters
        ----------
        X : (N, n_in)
            In data units.

        Returns
        -------
        (N, n_in)
            In network units.
        """
        if self.is_identity:
            return X
        with np.errstate(over="ignore"):  # infinite, and NaN in the end: the rule for such inputs
            return (X - self.x_shift) / self.x_scale

    def y_to_network(self, Y: Array) -> Array:
        """Convert targets (N, n_out) to network units.

        Parameters
        ----------
        Y : (N, n_out)
            In data units.

        Returns
        -------
        (N, n_out)
            In network units.
        """
        if self.is_identity:
            return Y
        with np.errstate(over="ignore"):
            return (Y - self.y_shift) / self.y_scale

    def y_to_data(self, y: Array) -> Array:
        """Convert outputs (N, n_out) to data units.

        Parameters
        ----------
        y : (N, n_out)
            In network units.

        Returns
        -------
        (N, n_out)
            In data units.
        """
        if self.is_identity:
            return y
        with np.errstate(over="ignore"):
            return y * self.y_scale + self.y_shift

    def select(self, inputs: list[int]) -> Scaling:
        """Return the scaling of some of the inputs."""
        return Scaling(self.x_shift[inputs], self.x_scale[inputs], self.y_shift, self.y_scale)


def check_sizes(columns: np.ndarray, what: str, names: Sequence[Any] = ()) -> None:
    """Raise a ValueError that names the first column with a number that overflows when scaled.

    Parameters
    ----------
    columns : (N, n)
        A table; NaN is as wrong as what is too large.
    what : str
        The argument.
    names : sequence, optional
        What the columns are called; by default their numbers.

    Examples
    --------
    >>> check_sizes(np.array([[1.0, -1.7e308]]), "X", ["speed", "drag"])
    Traceback (most recent call last):
        ...
    ValueError: `X` must hold numbers of at most 1e+300 in size, got -1.7e+308 in column 'drag'
    """
    wrong = ~(np.abs(columns) <= LARGEST)
    if wrong.any():
        row, column = (int(n) for n in np.argwhere(wrong)[0])
        name = repr(str(names[column])) if len(names) == columns.shape[1] else column
        raise ValueError(
            f"`{what}` must hold numbers of at most {LARGEST:g} in size, "
            f"got {columns[row, column]:g} in column {name}"
        )


def _moments(table: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    columns = np.asarray(table, dtype=float)
    columns = columns.reshape(len(columns), -1)
    check_sizes(columns, what, list(getattr(table, "columns", ())))
    # Squares overflow long before the numbers do; powers of two change no digit.
    power = np.frexp(np.abs(columns).max(axis=0))[1]
    columns = np.ldexp(columns, -power)
    mean, std = np.ldexp(columns.mean(axis=0), power), np.ldexp(columns.std(axis=0), power)
    # Rounding leaves a constant column a tiny spread, which must not become its unit.
    constant = std <= 1e-12 * np.maximum(np.abs(mean), np.finfo(float).tiny)
    return mean, np.where(constant, 1.0, std)
