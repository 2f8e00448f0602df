"""From a point (a, b) of the search to the four constants of an edge, in the units of x."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..functions import Function
from .families import Family, branch, family

ROUNDING = 1e-14
"""Relative size below which b or d is what rounding has left of 0."""


@dataclass(frozen=True, eq=False)
class EdgeFit:
    """The best c·f(a·x + b) + d.

    Attributes
    ----------
    function : Function
        f.
    affine : (4,)
        a, b, c, d.
    unexplained : float
        Share of the variance of y that the fit leaves unexplained, 1 - r². Kept beside r² because
        this distinguishes fits that are good to 1e-8 from fits good to rounding.
    """

    function: Function
    affine: np.ndarray
    unexplained: float

    @property
    def r2(self) -> float:
        """Coefficient of determination."""
        return 1.0 - self.unexplained

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate the fit."""
        a, b, c, d = self.affine
        return c * self.function.f(a * np.asarray(x, dtype=float) + b) + d


@dataclass(frozen=True)
class EdgeData:
    """All samples of an edge, in the units of x, whose range is centre ± half."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    centre: float
    half: float

    def fit(self, function: Function, a: float, b: float) -> EdgeFit:
        """Turn a and b of the standardised input into an affine of x, simplest constants."""
        a = a / self.half
        a, b = canonical(family(function), a, b - a * self.centre, float(np.abs(self.x).max()))
        inside = self._inside(function, a, b)
        if inside is None:
            return self.without_slope(function)
        with np.errstate(all="ignore"):
            f = function.formula(a * self.x + inside)
        c, d, unexplained = _outer(f, self.y, self.weight)
        if c == 0:
            return self.without_slope(function)
        return EdgeFit(function, np.array([a, inside, c, d]), unexplained)

    def without_slope(self, function: Function) -> EdgeFit:
        """Return the fit by a constant: c = 0, and b some point of the domain."""
        mean = float(np.average(self.y, weights=self.weight))
        exact = family(function).constant and is_constant(self.y)
        affine = np.array([0.0, point_inside(function), 0.0, mean])
        return EdgeFit(function, affine, 0.0 if exact else 1.0)

    def _inside(self, function: Function, a: float, b: float) -> float | None:
        """Return b, moved by a few roundings if this keeps every a·x + b in the domain."""
        unit = np.spacing(np.abs(a * self.x).max() + abs(b))
        for shift in (0.0, 1.0, -1.0, 4.0, -4.0, 16.0, -16.0):
            if bool(np.all(function.inside(a * self.x + (b + shift * unit)))):
                return b + shift * unit
        return None


def canonical(kind: Family, a: float, b: float, x_most: float) -> tuple[float, float]:
    """Return a and b of the same curve with the simplest constants; c and d must follow."""
    if kind.linear:
        return 1.0, 0.0
    if kind.scaling and a != 0:
        a, b = math.copysign(1.0, a), b / abs(a)
    if kind.shifting and abs(a) * x_most < 50:  # else e^b would be beyond all bounds
        b = 0.0
    if kind.mirrored and a < 0:
        a, b = -a, -b
    if kind.turning and not (kind.scaling or kind.shifting):
        b -= math.pi * round(b / math.pi)
    return a, b if abs(b) > ROUNDING * abs(a) * x_most else 0.0


def _outer(f: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> tuple[float, float, float]:
    """Return c, d and the unexplained share of the least squares c·f + d ≈ y."""
    w = np.full(y.size, 1 / y.size) if weight is None else weight / weight.sum()
    f_mean, y_mean = np.sum(w * f), np.sum(w * y)
    g, target = f - f_mean, y - y_mean
    c = float(np.sum(w * g * target) / np.sum(w * g * g)) if np.any(g != 0) else 0.0
    d = float(y_mean - c * f_mean)
    if not (math.isfinite(c) and math.isfinite(d)):
        return 0.0, float(y_mean), 1.0
    if abs(d) <= ROUNDING * abs(c) * np.abs(f).max():
        d = 0.0
    residual = y - (c * f + d)  # as the network will compute it
    return c, d, float(np.sum(w * residual**2) / np.sum(w * target**2))


def point_inside(function: Function) -> float:
    """Return a number in the domain of the function, a simple one if there is."""
    low, high = branch(function.domain)
    middle = (
        (low + high) / 2 if math.isfinite(high - low) else low + 1 if low > -math.inf else high - 1
    )
    points = [v for v in (0.0, 1.0, middle, -1.37, 2.0) if bool(function.inside(np.array(v)))]
    return points[0] if points else math.nan


def is_constant(v: np.ndarray) -> bool:
    """Tell whether v varies by rounding errors at most."""
    return bool(np.ptp(v) <= 64 * np.finfo(v.dtype).eps * np.abs(v).max())
