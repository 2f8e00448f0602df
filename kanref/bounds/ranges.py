"""The range of a function and of its slope on intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..functions import BaseFunction, Domain, Function
from .interval import EPS, Interval
from .turns import Turns, turns_of

Elementwise = Callable[[np.ndarray], np.ndarray]

PIECES = 16
"""An interval is cut into so many where only a bound of the slope is known."""

MANY_PERIODS = 2.0**40
"""An argument beyond so many periods is not reduced: its phase counts as unknown."""


def value_range(function: Function | BaseFunction, x: Interval) -> Interval:
    """Return the range of f on x; (-inf, inf) where x leaves the domain.

    Rounding errors of f itself are not in it, see :func:`value_margin`.

    Examples
    --------
    >>> from kanref.functions import FUNCTIONS
    >>> x = Interval(np.array([-1.0, 1.0]), np.array([2.0, 2.0]))
    >>> list(value_range(FUNCTIONS["x^2"], x))
    [array([0., 1.]), array([4., 4.])]
    >>> list(value_range(FUNCTIONS["log"], x))
    [array([-inf,   0.]), array([      inf, 0.69314718])]
    """
    turns, inside = turns_of(function), _covered(function, x)
    x = x.where(inside, Interval(np.ones(x.lo.shape) / 2, np.ones(x.lo.shape) / 2))
    if turns.slopes is not None:
        found = _by_slope(function.f, turns.slopes[0], x)
    else:
        found = _by_turns(function.f, turns.turns, turns.period, x)
    low, high = turns.limits
    found = Interval(np.clip(found.lo, low, high), np.clip(found.hi, low, high))
    return found.where(inside, Interval.everything(x.lo.shape))


def slope_range(function: Function | BaseFunction, x: Interval) -> Interval:
    """Return the range of f' on x, widened by rounding; (-inf, inf) where x leaves the domain.

    A jump within x makes it infinite on the side to which the function jumps.
    """
    turns, inside = turns_of(function), _covered(function, x)
    x = x.where(inside, Interval(np.ones(x.lo.shape) / 2, np.ones(x.lo.shape) / 2))
    if turns.slopes is not None:
        largest, bend = turns.slopes
        found = _by_slope(function.df, bend, x)
        found = Interval(np.clip(found.lo, -largest, largest), np.clip(found.hi, -largest, largest))
    else:
        found = _by_turns(function.df, turns.slope_turns, turns.period, x)
    found = _kinks(function, x, found)
    share = 0.0 if turns.exact else 64 * EPS
    found = found.widened(share * (1.0 + np.where(found.known, found.magnitude, 0.0)))
    return found.where(inside, Interval.everything(x.lo.shape))


def value_margin(
    function: Function | BaseFunction, f: Interval, x: Interval, eps: float
) -> Interval:
    """Return the range `f` on x widened by the rounding error of evaluating the function."""
    turns = turns_of(function)
    if turns.exact:
        return f
    if turns.relative:
        return f.rounded(32 * eps, 0.0)
    # the argument of an oscillation is rounded too
    phase = x.magnitude if turns.slopes is not None else 0.0
    wide = f.widened(32 * eps * (1.0 + np.where(f.known, f.magnitude, 0.0) + phase))
    low = 0.0 if turns.limits[0] >= 0 else -np.inf  # rounding never changes a sign
    return Interval(np.maximum(wide.lo, low), wide.hi)


def _kinks(function: Function | BaseFunction, x: Interval, slope: Interval) -> Interval:
    """Put in the one-sided slopes at the kinks of abs and relu, and the jump of sgn."""
    crossed = (x.lo <= 0) & (x.hi >= 0)
    if function.name == "sgn":
        return Interval(slope.lo, np.where(crossed & (x.lo < x.hi), np.inf, slope.hi))
    if function.name in ("abs", "relu"):
        low = np.where(crossed & (x.lo < 0), -1.0 if function.name == "abs" else 0.0, slope.lo)
        return Interval(np.minimum(low, slope.lo), np.where(crossed, 1.0, slope.hi))
    return slope


def _by_turns(
    f: Elementwise, turns: tuple[float, ...], period: float | None, x: Interval
) -> Interval:
    """Return the range from the ends and the turns that lie on x, or so near that it is unclear."""
    found = Interval.sorted(f(x.lo), f(x.hi))
    slack = 8 * EPS * (1.0 + x.magnitude)
    for turn in turns:
        at = np.full(x.lo.shape, turn)
        if period is not None:  # the first copy that is not left of x
            at = turn + period * np.ceil((x.lo - slack - turn) / period)
        on = (x.lo - slack <= at) & (at <= x.hi + slack)
        if period is not None:
            on |= x.magnitude > MANY_PERIODS
        value = f(np.asarray([turn]))[0]
        found = Interval(
            np.where(on, np.minimum(found.lo, value), found.lo),
            np.where(on, np.maximum(found.hi, value), found.hi),
        )
    return found


def _by_slope(f: Elementwise, slope: float, x: Interval) -> Interval:
    """Return the range from values at the middles of pieces of x and a bound of the slope."""
    share = (np.arange(PIECES) + 0.5) / PIECES
    width = x.hi - x.lo
    values = f(x.lo[..., None] + width[..., None] * share)  # (..., PIECES)
    reach = slope * width / (2 * PIECES) + 8 * EPS * slope * x.magnitude
    return Interval(values.min(axis=-1) - reach, values.max(axis=-1) + reach)


def _covered(function: Function | BaseFunction, x: Interval) -> np.ndarray:
    """Tell where all of x, finite, belongs to the domain."""
    fine = x.known
    if isinstance(function, BaseFunction):
        return fine
    domain: Domain = function.domain
    fine = fine & ~domain.below(x.lo) & ~domain.above(x.hi)
    for pole in domain.poles:
        at = np.full(x.lo.shape, pole)
        slack = np.zeros(x.lo.shape)
        if domain.period is not None:
            slack = 8 * EPS * (1.0 + np.where(fine, x.magnitude, 0.0))
            at = pole + domain.period * np.ceil(
                (np.where(fine, x.lo, 0.0) - slack - pole) / domain.period
            )
            fine &= x.magnitude < MANY_PERIODS
        fine &= ~((x.lo - slack <= at) & (at <= x.hi + slack))
    return fine


__all__ = ["Turns", "slope_range", "value_margin", "value_range"]
