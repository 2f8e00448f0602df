"""A function of the symbolic library, with its domain and its finite continuation.

A trained affine map may carry a sample out of the domain of a symbolic function, and one NaN ends
the training. So each function has, besides its exact value, a continuation: finite for every finite
x, and the function itself wherever that is defined and fits in the numbers of the dtype.

1. Beyond an edge of the domain it is mirrored in the point (e, f(e)): 2 f(e) - f(2e - x), with the
   slope f'(2e - x), so the sense of the slope is kept and leads back: √x becomes -√-x. The
   anchor e is the edge where that is closed. Where it is open (log at 0), e lies 1e-3 inside, and
   the continuation jumps at the edge, from values that f takes only very near to it.
   With two edges the mirror image is used as far as the middle of the domain.
2. Where f or f' would overflow, or the mirror image ends, the tangent at the nearest point p that
   will do takes over, and flattens: f(p) + f'(p) arsinh(x - p).
3. Where f' is infinite (√x at 0), the slope √eps further inside stands for it.
4. On a pole (1/x at 0) value and slope are 0: such a sample pulls in no direction.

NaN and infinite x give NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._arrays import Array, absolute, namespace, real, where
from .domain import REALS, Domain

Elementwise = Callable[[Array], Array]


class Limits(NamedTuple):
    """Where f and f' stay below a bound: low ≤ x ≤ high, and `hole` or more away from the poles."""

    low: float = -math.inf
    high: float = math.inf
    hole: float = 0.0


@dataclass(frozen=True, repr=False, eq=False)
class Function:
    """One function f of the symbolic library: an edge is c·f(a·x + b) + d.

    All methods are elementwise, on arrays of any namespace, keep the dtype, take complex arrays
    (deciding by their real part) and raise no floating-point warning.

    Attributes
    ----------
    name : str
        The name in tables, files and calls.
    formula, dformula : callables
        Value and derivative, unmasked. Call `f` and `df` instead.
    complexity : int
        What the function costs in the ranking of symbolic fits.
    sympy : callable
        SymPy expression → SymPy expression.
    domain : Domain
        Where f is defined.
    limits : callable, optional
        bound → `Limits` within which abs(f) and abs(f') do not exceed the bound. None: they never
        come near the largest number of a dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref.functions import FUNCTIONS
    >>> root = FUNCTIONS["sqrt"]
    >>> root
    Function('sqrt', x >= 0, complexity 2)
    >>> x = np.array([-4.0, 4.0])
    >>> root.f(x), root.continued(x), root.dcontinued(x)
    (array([nan,  2.]), array([-2.,  2.]), array([0.25, 0.25]))
    """

    name: str
    formula: Elementwise
    dformula: Elementwise
    complexity: int
    sympy: Callable[[Any], Any]
    domain: Domain = REALS
    limits: Callable[[float], Limits] | None = None

    def inside(self, x: Array) -> Array:
        """Tell which `x` are in the domain; ±inf and NaN are not."""
        return self.domain.contains(_floating(x))

    def f(self, x: Array) -> Array:
        """Return f(x), NaN outside the domain (on a pole, at ±inf and NaN too), inf on overflow."""
        return self._masked(self.formula, x)

    def df(self, x: Array) -> Array:
        """Return f'(x), NaN outside the domain, infinite where the slope is (√x at 0)."""
        return self._masked(self.dformula, x)

    def pair(self, x: Array) -> tuple[Array, Array]:
        """Return (f(x), f'(x))."""
        return self.f(x), self.df(x)

    def continued(self, x: Array) -> Array:
        """Return the continuation of f: finite for every finite `x`, else NaN."""
        return self.continued_pair(x)[0]

    def dcontinued(self, x: Array) -> Array:
        """Return the derivative of `continued`: finite for every finite `x`, else NaN."""
        return self.continued_pair(x)[1]

    def continued_pair(self, x: Array) -> tuple[Array, Array]:
        """Return (continued(x), dcontinued(x)), which share nearly all their work."""
        x = _floating(x)
        xp = namespace(x)
        with np.errstate(all="ignore"):
            m, p = self._nearest(x)
            value, slope = self.formula(p), self._slope(p)
            if p is not x and bool(xp.any(p != x)):  # seldom; and the rest costs more than f
                u = m - p
                value = self._unmirror(x, value + slope * xp.asinh(u))
                slope = slope * _dasinh(u)
        # a function of the user's own may still fail at some point of its domain
        bad = ~(xp.isfinite(value) & xp.isfinite(slope)) | self.domain.on_pole(real(x))
        finite = xp.isfinite(x)
        value, slope = where(bad, 0.0, value), where(bad, 0.0, slope)
        return where(finite, value, math.nan), where(finite, slope, math.nan)

    def __repr__(self) -> str:
        """Name the function, its domain and its complexity."""
        return f"Function({self.name!r}, {self.domain}, complexity {self.complexity})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        """Return itself: nothing of it can change."""
        return self

    def _masked(self, formula: Elementwise, x: Array) -> Array:
        x = _floating(x)
        with np.errstate(all="ignore"):
            return where(self.domain.contains(x), formula(x), math.nan)

    def _nearest(self, x: Array) -> tuple[Array, Array]:
        """Return `x`, mirrored into the domain, and the point nearest to it where f is usable."""
        d = self.domain
        m = p = x  # as they stay for sin, of which there is nothing to continue
        if d.bounded:  # rule 1
            low, high = d.anchors
            below, above = d.below(real(x)), d.above(real(x))
            m = where(below, 2 * low - x, where(above, 2 * high - x, x))
            past = (below & (real(m) > d.middle)) | (above & (real(m) < d.middle))
            p = where(past, d.middle, m)
        if self.limits is not None:  # rule 2
            low, high, hole = self.limits(_bound(x))
            p = where(real(p) < low, low, where(real(p) > high, high, p))
            for pole in d.poles if hole > 0 else ():
                p = where(namespace(x).abs(real(p) - pole) < hole, _step(p, pole, hole), p)
        return m, p

    def _slope(self, p: Array) -> Array:
        """Return f'(p), by rule 3 where it is infinite at an edge of the domain."""
        d = self.domain
        slope = self.dformula(p)
        if not (d.bounded and d.closed):
            return slope
        xp = namespace(p)
        inset = math.sqrt(float(xp.finfo(p.dtype).eps)) * min(1.0, d.high - d.low)
        infinite = ~xp.isfinite(slope)
        for edge, point in ((d.low, d.low + inset), (d.high, d.high - inset)):
            if math.isfinite(edge):
                there = _at(self.dformula, point, p)
                slope = where(infinite & (real(p) == edge), there, slope)
        return slope

    def _unmirror(self, x: Array, value: Array) -> Array:
        """Return 2 f(e) - value beyond the edges."""
        d = self.domain
        edges = zip(d.anchors, (d.below, d.above), strict=True)
        for anchor, beyond in edges if d.bounded else ():
            if math.isfinite(anchor):
                value = where(beyond(real(x)), 2 * _at(self.formula, anchor, x) - value, value)
        return value


def _bound(x: Array) -> float:
    """Return the bound on f and f' below which f + f' arsinh(u) cannot overflow."""
    largest = float(namespace(x).finfo(x.dtype).max)
    return largest / (2 * math.log(largest))


def _dasinh(u: Array) -> Array:
    """Return 1/√(1 + u²) without forming u², which may overflow."""
    distance = absolute(u)
    s = 1 / (1 + distance)
    return s / namespace(u).sqrt(s * s + (distance * s) ** 2)


def _step(p: Array, pole: float, hole: float) -> Array:
    """Return pole ± hole, on the side of `p`."""
    return where(real(p) < pole, namespace(p).full_like(p, pole - hole), pole + hole)


def _at(formula: Elementwise, point: float, like: Array) -> Array:
    """Return the formula at one point, as a 0-d array of the dtype of `like`."""
    return formula(namespace(like).asarray([point], dtype=like.dtype))[0]


def _floating(x: Array) -> Array:
    """Return `x` as a floating-point array; numbers and lists become NumPy arrays."""
    xp = namespace(x)
    if isinstance(x, (int, float, complex, list, tuple)) and not isinstance(x, np.generic):
        x = np.asarray(x)
    floating = xp.isdtype(x.dtype, ("real floating", "complex floating"))
    return x if floating else xp.astype(x, xp.float64)
