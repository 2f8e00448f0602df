"""Intervals: pairs of arrays lo ≤ hi, and the arithmetic that never loses a value.

Bounds are formed in double precision and then widened by more than all rounding errors can be, the
model's own included, so every method here may itself round to nearest.

A bound that cannot be given is infinite on both sides: the value may then be anything, NaN too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Interval:
    """All numbers from `lo` to `hi`, elementwise.

    Examples
    --------
    >>> x = Interval(np.array([-1.0]), np.array([2.0]))
    >>> (x * x).lo, (x + x).hi, x.magnitude
    (array([-2.]), array([4.]), array([2.]))
    """

    lo: np.ndarray
    hi: np.ndarray

    @classmethod
    def everything(cls, shape: tuple[int, ...]) -> Interval:
        """Return (-inf, inf), which guarantees nothing.

        Parameters
        ----------
        shape : tuple of int
            Of the arrays.
        """
        return cls(np.full(shape, -np.inf), np.full(shape, np.inf))

    @classmethod
    def sorted(cls, a: np.ndarray, b: np.ndarray) -> Interval:
        """Return the interval between a and b, in whichever order they come."""
        return cls(np.minimum(a, b), np.maximum(a, b))

    @property
    def magnitude(self) -> np.ndarray:
        """The largest absolute value."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    @property
    def known(self) -> np.ndarray:
        """Whether both bounds are finite."""
        return np.isfinite(self.lo) & np.isfinite(self.hi)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.lo, self.hi))

    def __getitem__(self, index: Any) -> Interval:
        return Interval(self.lo[index], self.hi[index])

    def __add__(self, other: Interval | np.ndarray | float) -> Interval:
        lo, hi = other if isinstance(other, Interval) else (other, other)
        return Interval(self.lo + lo, self.hi + hi)

    def __mul__(self, other: Interval | np.ndarray | float) -> Interval:
        """Return all products, with 0 · inf = 0: a bound of 0 is exact, an infinite one a limit."""
        lo, hi = other if isinstance(other, Interval) else (other, other)
        pairs = ((self.lo, lo), (self.lo, hi), (self.hi, lo), (self.hi, hi))
        products = [_product(a, b) for a, b in (pairs if lo is not hi else pairs[::2])]
        return Interval(np.minimum.reduce(products), np.maximum.reduce(products))

    def hull(self, other: Interval) -> Interval:
        """Return the smallest interval that holds both.

        Parameters
        ----------
        other : Interval
            Of the same shape.
        """
        return Interval(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))

    def meet(self, other: Interval) -> Interval:
        """Return what both have in common; they enclose the same, so it is not empty.

        Parameters
        ----------
        other : Interval
            Of the same shape.
        """
        return Interval(np.fmax(self.lo, other.lo), np.fmin(self.hi, other.hi))

    def widened(self, margin: np.ndarray | float) -> Interval:
        """Return the interval with `margin` more on each side."""
        return Interval(self.lo - margin, self.hi + margin)

    def rounded(self, share: float, tiny: float) -> Interval:
        """Return what rounding by a `share` may make of it; rounding never changes a sign.

        Parameters
        ----------
        share : float
            Relative error, of the larger of the two ends.
        tiny : float
            Absolute error.
        """
        lo = self.lo - (share * np.abs(self.lo) + tiny)
        hi = self.hi + (share * np.abs(self.hi) + tiny)
        lo = np.where(self.lo >= 0, np.maximum(lo, 0.0), lo)
        return Interval(lo, np.where(self.hi <= 0, np.minimum(hi, 0.0), hi))

    def where(self, condition: np.ndarray, other: Interval) -> Interval:
        """Return this interval where the condition holds, else the other."""
        return Interval(
            np.where(condition, self.lo, other.lo), np.where(condition, self.hi, other.hi)
        )

    def honest(self, largest: float = np.finfo(float).max) -> Interval:
        """Return the interval, or (-inf, inf) where a bound is NaN, infinite or above `largest`."""
        fine = self.magnitude <= largest  # False for NaN
        return self.where(fine, Interval.everything(self.lo.shape))

    def sum(self, axis: int) -> Interval:
        """Return the sum along an axis, widened by its rounding errors; infinite bounds stay."""
        n = self.lo.shape[axis]
        total = Interval(self.lo.sum(axis), self.hi.sum(axis))
        sums = total.widened(2 * n * EPS * self.magnitude.sum(axis))
        return sums.where(~np.isnan(sums.lo + sums.hi), Interval.everything(sums.lo.shape))


def _product(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:
    product = a * b
    return np.where(np.isnan(product) & ((a == 0) | (b == 0)), 0.0, product)


def between(left: np.ndarray, right: np.ndarray, slope: Interval, width: np.ndarray) -> Interval:
    """Return the range of functions with these end values and slopes; NaN where it is unknown."""
    d, D = slope
    turning = (d < 0) & (D > 0)
    across = np.where(turning, D - d, 1.0)
    fall = d * D * width
    lowest = np.where(turning, (D * left - d * right + fall) / across, np.minimum(left, right))
    highest = np.where(turning, (D * right - d * left - fall) / across, np.maximum(left, right))
    slack = 16 * EPS * (np.abs(left) + np.abs(right) + slope.magnitude * width)
    found = Interval(
        np.minimum(lowest, np.minimum(left, right)) - slack,
        np.maximum(highest, np.maximum(left, right)) + slack,
    )
    return found.where(
        slope.known, Interval(np.full(left.shape, np.nan), np.full(left.shape, np.nan))
    )
