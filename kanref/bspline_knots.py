"""Grids and knots: where the pieces of a spline meet.

A *grid* holds the G+1 breakpoints t_0 ≤ … ≤ t_G on the domain of every input; the *knots* are the
grid continued by k more on each side, because k+1 B-splines of degree k overlap on every cell.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from ._arrays import Array, namespace, real, where

EXTRAPOLATIONS = ("linear", "zero")
"""How a spline continues outside its domain; see :mod:`kanref.bspline`."""

NARROWEST_CELL = 0.01
"""No cell of an adaptive grid is narrower than this share of the uniform cell, range / G."""


def uniform_grid(
    low: Array | float, high: Array | float, G: int, n_in: int | None = None, dtype: Any = "float64"
) -> Array:
    """Return equally spaced breakpoints t_m = low + m (high - low) / G.

    Parameters
    ----------
    low, high : float or (n_in,)
        The ends of the domain, for all inputs or one by one.
    G : int
        The number of grid intervals, at least 1.
    n_in : int, optional
        The number of inputs; needed only where `low` and `high` are both scalars (default 1).
    dtype : str or dtype
        The dtype of the grid.

    Returns
    -------
    grid : (n_in, G+1)
        The ends are exactly `low` and `high`.

    Raises
    ------
    ValueError
        If `low` < `high` fails or one is not finite, G < 1, or the lengths disagree.

    Examples
    --------
    >>> uniform_grid(-1, 1, 4)
    array([[-1. , -0.5,  0. ,  0.5,  1. ]])
    >>> uniform_grid([0, -2], [1, 2], 2)
    array([[ 0. ,  0.5,  1. ],
           [-2. ,  0. ,  2. ]])
    """
    xp = namespace(low, high)
    G = check_integer("G", G, 1)
    dtype = getattr(xp, dtype) if isinstance(dtype, str) else dtype
    ends = [xp.reshape(xp.asarray(end, dtype=dtype), (-1, 1)) for end in (low, high)]
    if n_in is None:
        n_in = max(ends[0].shape[0], ends[1].shape[0])
    for name, end in zip(("low", "high"), ends, strict=True):
        if end.shape[0] not in (1, n_in):
            raise ValueError(f"`{name}` must be a number or have shape ({n_in},), got {end.shape}")
    left, right = (xp.broadcast_to(end, (n_in, 1)) for end in ends)
    if not bool(xp.all((left < right) & xp.isfinite(left) & xp.isfinite(right))):
        raise ValueError(
            f"`low` and `high` must be finite with low < high, got low={low} and high={high}"
        )
    return _between(left, right, G)


def adaptive_grid(x: Array, G: int, grid_eps: float = 0.02) -> Array:
    r"""Return breakpoints that follow the samples: quantiles mixed with a uniform grid.

    With the sorted samples x_(0) ≤ … ≤ x_(N-1) of an input, quantiles q_m = x_(⌊N m / G⌋) and
    q_G = x_(N-1), and the uniform grid u from x_(0) to x_(N-1),

        t = grid_eps · u + (1 - grid_eps) · q

    as in pykan. Made robust by two rules:

    * No cell is narrower than 1 % of the uniform cell, (x_(N-1) - x_(0)) / G, nor than 16 rounding
      errors of the largest \|x\|. An input whose grid would have such a cell (repeated values,
      N < G, grid_eps near 0) takes the smallest larger grid_eps that rules it out.
    * An input with no range to resolve (a constant c) gets the uniform grid on c ± max(1, \|c\|).

    Parameters
    ----------
    x : (N, n_in)
        Samples, finite, N ≥ 1.
    G : int
        The number of grid intervals, at least 1.
    grid_eps : float
        1 gives the uniform grid, 0 the quantiles.

    Returns
    -------
    grid : (n_in, G+1)
        Strictly increasing, in the dtype of `x`.

    Raises
    ------
    ValueError
        If `x` is not a finite (N, n_in) array with N ≥ 1, or grid_eps not within [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0], [0.1], [0.2], [0.3], [4.0]])
    >>> adaptive_grid(x, 2, grid_eps=0.0)
    array([[0. , 0.2, 4. ]])
    >>> adaptive_grid(x, 2, grid_eps=0.5)
    array([[0. , 1.1, 4. ]])
    >>> adaptive_grid(np.full((3, 1), 5.0), 2)
    array([[ 0.,  5., 10.]])
    """
    xp = namespace(x)
    G = check_integer("G", G, 1)
    check_samples(x)
    if not 0 <= grid_eps <= 1:
        raise ValueError(f"`grid_eps` must be within [0, 1], got {grid_eps}")
    N = x.shape[0]
    ranks = xp.asarray([N * m // G for m in range(G)] + [N - 1])
    quantiles = xp.permute_dims(xp.take(xp.sort(x, axis=0), ranks, axis=0), (1, 0))  # (n_in, G+1)

    low, high = quantiles[:, :1], quantiles[:, -1:]  # (n_in, 1)
    limits = xp.finfo(x.dtype)
    resolution = 16 * limits.eps * xp.maximum(xp.abs(low), xp.abs(high))
    resolution = resolution + math.sqrt(limits.smallest_normal)  # so that 1 / cell² is finite
    constant = high - low <= G * resolution
    half = xp.maximum(xp.abs(low), xp.ones_like(low))
    low, high = where(constant, low - half, low), where(constant, high + half, high)

    uniform = _between(low, high, G)
    quantiles = xp.where(constant, uniform, quantiles)
    grid = quantiles + grid_eps * (uniform - quantiles)
    floor = xp.maximum(NARROWEST_CELL * (high - low) / G, resolution)
    narrow = xp.any(grid[:, 1:] - grid[:, :-1] < floor, axis=1, keepdims=True)
    # The uniform part alone makes every cell at least share · (high - low) / G = floor wide.
    share = xp.clip(floor * G / (high - low), grid_eps, 1.0)
    return xp.where(narrow, quantiles + share * (uniform - quantiles), grid)


def extend_grid(grid: Array, k: int) -> Array:
    """Continue a grid by k knots on each side, one mean cell h = (t_G - t_0) / G apart.

    Parameters
    ----------
    grid : (n_in, G+1)
        Breakpoints that do not decrease; they may repeat, but t_0 < t_G.
    k : int
        The degree of the splines, at least 0.

    Returns
    -------
    knots : (n_in, G+2k+1)
        t_0 - k h, …, t_0 - h, t_0, …, t_G, t_G + h, …, t_G + k h.

    Raises
    ------
    ValueError
        If the grid decreases, is empty, or has the wrong shape.

    Examples
    --------
    >>> extend_grid(uniform_grid(0, 1, 2), 2)
    array([[-1. , -0.5,  0. ,  0.5,  1. ,  1.5,  2. ]])
    """
    xp = namespace(grid)
    k = check_integer("k", k, 0)
    check_grid(grid)
    first, last = grid[:, :1], grid[:, -1:]
    h = (last - first) / (grid.shape[1] - 1)  # (n_in, 1)
    steps = xp.reshape(xp.asarray([float(q) for q in range(1, k + 1)], dtype=grid.dtype), (1, k))
    return xp.concat([first - xp.flip(steps, axis=1) * h, grid, last + steps * h], axis=1)


def knots_grid(knots: Array, k: int) -> Array:
    """Return the grid (n_in, G+1) inside the knots: the inverse of :func:`extend_grid`.

    Parameters
    ----------
    knots : (n_in, G+2k+1)
        Increasing.
    k : int
        Degree of the splines.

    Examples
    --------
    >>> knots_grid(extend_grid(uniform_grid(0, 1, 2), 2), 2)
    array([[0. , 0.5, 1. ]])
    """
    k = check_integer("k", k, 0)
    check_knots_shape(knots, k)
    return knots[:, k : knots.shape[1] - k]


def _between(low: Array, high: Array, G: int) -> Array:
    """Return G+1 equally spaced points from `low` to `high` (n_in, 1), both ends exact."""
    xp = namespace(low)
    share = xp.asarray([[m / G for m in range(G + 1)]], dtype=low.dtype)  # (1, G+1)
    return (1 - share) * low + share * high


def check_integer(name: str, value: Any, least: int) -> int:
    """Return `value` as an int, or say that it must be an integer not below `least`."""
    rule = f"`{name}` must be an integer >= {least}, got {value!r}"
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(rule) from None
    if isinstance(value, bool):
        raise TypeError(rule)
    if number < least:
        raise ValueError(rule)
    return number


def check_array(name: str, value: Array, ndim: int, rule: str) -> None:
    """Raise unless `value` is an array of `ndim` axes; `rule` says of which shape."""
    if not hasattr(value, "ndim"):
        raise TypeError(f"`{name}` must be an array {rule}, got {type(value).__name__}")
    if value.ndim != ndim:
        raise ValueError(f"`{name}` must have shape {rule}, got {value.shape}")


def check_finite(name: str, values: Array) -> None:
    """Raise unless `values` are real floating-point numbers without NaN or infinity."""
    xp = namespace(values)
    if not xp.isdtype(values.dtype, "real floating"):
        raise TypeError(f"`{name}` must be a real floating-point array, got {values.dtype}")
    if not bool(xp.all(xp.isfinite(values))):
        raise ValueError(f"`{name}` must be finite, got NaN or infinite values")


def check_samples(x: Array) -> None:
    """Raise unless `x` is a finite real array of shape (N, n_in) with N ≥ 1."""
    check_array("x", x, 2, "(N, n_in)")
    if x.shape[0] < 1:
        raise ValueError(f"`x` must have shape (N, n_in) with N >= 1, got {x.shape}")
    check_finite("x", x)


def check_grid(grid: Array, name: str = "grid") -> None:
    """Raise unless `grid` is (n_in, G+1), finite, does not decrease, and spans a domain."""
    check_array(name, grid, 2, "(n_in, G+1)")
    if grid.shape[1] < 2:
        raise ValueError(f"`{name}` must have shape (n_in, G+1) with G >= 1, got {grid.shape}")
    check_finite(name, grid)
    check_increasing(grid, name)
    xp = namespace(grid)
    if not bool(xp.all(grid[:, 0] < grid[:, -1])):
        raise ValueError(f"`{name}` must span a domain, t_0 < t_G, for every input; got t_0 = t_G")


def check_increasing(values: Array, name: str) -> None:
    """Raise unless every row of `values` is free of NaN and does not decrease."""
    xp, values = namespace(values), real(values)
    if not bool(xp.all(values[:, 1:] >= values[:, :-1])):
        raise ValueError(f"`{name}` must not decrease along its rows, got {values}")


def check_knots_shape(knots: Array, k: int) -> None:
    """Raise unless `knots` is (n_in, G+2k+1) with at least one interval."""
    check_array("knots", knots, 2, "(n_in, G+2k+1)")
    if knots.shape[1] < 2 * k + 2:
        raise ValueError(
            f"`knots` must have shape (n_in, G+2k+1) with G >= 1, at least {2 * k + 2} knots "
            f"for k = {k}, got {knots.shape}"
        )


def check_coef(coef: Array, knots: Array, k: int) -> None:
    """Raise unless `coef` (n_in, n_out, G+k) fits the knots."""
    n_in, n_basis = knots.shape[0], knots.shape[1] - 1 - k
    rule = f"({n_in}, n_out, {n_basis})"
    check_array("coef", coef, 3, rule)
    if coef.shape[0] != n_in or coef.shape[2] != n_basis:
        raise ValueError(f"`coef` must have shape {rule}, got {coef.shape}")


def check_arguments(x: Array, knots: Array, k: int, extrapolate: str) -> int:
    """Raise unless the arguments of a B-spline basis fit together; return k as an int."""
    xp = namespace(x, knots)
    k = check_integer("k", k, 0)
    check_knots_shape(knots, k)
    check_array("x", x, 2, f"(N, {knots.shape[0]})")
    if x.shape[1] != knots.shape[0]:
        raise ValueError(f"`x` must have shape (N, {knots.shape[0]}), got {x.shape}")
    if not xp.isdtype(x.dtype, ("real floating", "complex floating")):
        raise TypeError(f"`x` must be a floating-point array, got {x.dtype}")
    if extrapolate not in EXTRAPOLATIONS:
        raise ValueError(f"`extrapolate` must be one of {EXTRAPOLATIONS}, got {extrapolate!r}")
    return k
