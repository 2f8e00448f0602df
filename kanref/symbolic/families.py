"""What the parameters of c·f(a·x + b) + d do to a function: which are redundant, where to look.

Of the four constants some say the same thing twice. exp(a·x + b) is e^b·exp(a·x), so b can go; in
(a·x + b)², a can; sin(a·x + b) needs b in half a turn only. A search that knows this is faster by
far, and its formulas are simpler. The redundancies are found by trying, not looked up by name, so
that they hold for a user's own function too.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from ..functions import Domain, Function

TOLERANCE = 1e-9
"""Relative error up to which an invariance counts as one."""

_STEP = 0.43  # of no rational relation to the periods of the library
_FACTOR = 1.37


@dataclass(frozen=True)
class Family:
    """The invariances of a function f, each up to an affine map of its value.

    Attributes
    ----------
    constant : bool
        f(u) is the same everywhere: neither a nor b nor c matters.
    scaling : bool
        f(s·u) ~ f(u) for s > 0: only the sign of a matters (powers, log, abs).
    shifting : bool
        f(u + s) ~ f(u): b does not matter (exp).
    mirrored : bool
        f(-u) ~ f(u): the sign of a does not matter.
    spanning : bool
        f(u + s) is a combination of 1, f(u) and f'(u): for each a, the best b, c and d follow from
        linear least squares (sin, cos, sinh, cosh).
    turning : bool
        f(u + π) ~ f(u): b matters modulo π (sin, cos, tan).
    oscillating : bool
        f' changes its sign again and again: the grid of a must be fine.
    flat : bool
        f' is 0 almost everywhere: a derivative does not help to find b (sgn).
    """

    constant: bool = False
    scaling: bool = False
    shifting: bool = False
    mirrored: bool = False
    spanning: bool = False
    turning: bool = False
    oscillating: bool = False
    flat: bool = False

    @property
    def linear(self) -> bool:
        """Whether f is affine itself."""
        return self.scaling and self.shifting and not self.constant

    @property
    def free(self) -> tuple[bool, bool]:
        """Whether a and b are to be searched for."""
        if self.constant or self.linear:
            return False, False
        return not self.scaling, not self.shifting

    @property
    def parameters(self) -> tuple[bool, bool, bool, bool]:
        """Whether each of a, b, c, d is free in a joint fit."""
        return (*self.free, not self.constant, True)


@functools.lru_cache(maxsize=512)
def family(function: Function) -> Family:
    """Return the invariances of a function."""
    u = _points(function.domain)
    f = _value(function, u)
    with np.errstate(all="ignore"):
        slope = function.df(u)
    constant = bool(np.all(f == f[0]))
    flat = not constant and bool(np.all(slope == 0))
    if constant:
        return Family(constant=True)

    def alike(v: np.ndarray, *, with_slope: bool = False) -> bool:
        return _combination(_value(function, v), [f, slope] if with_slope else [f])

    return Family(
        scaling=alike(u * _FACTOR),
        shifting=alike(u + _STEP),
        mirrored=alike(-u),
        spanning=not flat and alike(u + _STEP, with_slope=True),
        turning=alike(u + math.pi),
        oscillating=_oscillates(function),
        flat=flat,
    )


def price(function: Function) -> float:
    """Return what a function costs in a choice: complexity, and half a unit for each of a and b.

    A constant that is redundant (a in x^2, b in exp) can fit nothing, so it costs nothing: between
    x^2 and cos, of equal complexity, the one with fewer constants is the simpler.
    """
    return function.complexity + 0.5 * sum(family(function).free)


def covers(domain: Domain, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell for which intervals [low, high] (arrays) all of the interval is in the domain."""
    inside = np.isfinite(low) & np.isfinite(high) & ~domain.below(low) & ~domain.above(high)
    for pole in domain.poles:
        nearest = np.full_like(low, pole)
        if domain.period is not None:
            nearest = pole + np.ceil((low - pole) / domain.period) * domain.period
        inside &= ~((low <= nearest) & (nearest <= high))
    return inside


def branch(domain: Domain) -> tuple[float, float]:
    """Return the ends of the piece of the domain, between edges and poles, that is nearest to 0."""
    if domain.period is not None and len(domain.poles) == 1:
        pole = domain.poles[0] - math.ceil(domain.poles[0] / domain.period) * domain.period
        return pole, pole + domain.period
    return domain.low, domain.high


def _points(domain: Domain) -> np.ndarray:
    """Points of no symmetry, on both sides of 0 where the domain has both."""
    low, high = max(domain.low, -2.0), min(domain.high, 2.0)
    if not low < high:  # a domain far from 0
        low = domain.low if math.isfinite(domain.low) else domain.high - 4.0
        high = min(domain.high, low + 4.0)
    fractions = (np.arange(1, 24) * 0.6180339887498949) % 1.0
    u = low + (high - low) * fractions
    return u[domain.contains(u)]


def _value(function: Function, u: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function.f(u)


def _combination(g: np.ndarray, of: list[np.ndarray]) -> bool:
    """Tell whether g is a combination of 1 and the arrays in `of`, where all are finite."""
    columns = np.stack([np.ones_like(g), *of], axis=1)
    usable = np.isfinite(g) & np.isfinite(columns).all(axis=1)
    if usable.sum() < 6:  # nothing is proven by fewer
        return False
    A, g = columns[usable], g[usable]
    solution = np.linalg.lstsq(A / np.abs(A).max(axis=0), g, rcond=None)[0]
    residual = g - (A / np.abs(A).max(axis=0)) @ solution
    spread = np.ptp(g)  # a piece where f is flat tells nothing
    return bool(np.abs(residual).max() <= TOLERANCE * np.abs(g).max() < spread * 1e3)


def _oscillates(function: Function) -> bool:
    u = np.linspace(-15.0, 15.0, 301)
    with np.errstate(all="ignore"):
        slope = function.df(u)
    signs = np.sign(slope[np.isfinite(slope) & (slope != 0)])
    return int(np.sum(signs[1:] != signs[:-1])) >= 4
