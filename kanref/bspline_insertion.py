"""Knot insertion: the same spline on a finer grid, exactly.

The coefficient of a B-spline is the *blossom* of the spline at the k knots inside its support
(L. Ramshaw, *Blossoms are polar forms*, 1989): the one function F(u_1, …, u_k) that is symmetric,
affine in each argument, and equals the spline's polynomial on a cell where all arguments agree. So
the coefficients on the new knots are the old spline's blossom at the new knots, and de Boor's
algorithm evaluates it when each of its k rounds is given another argument.

This holds for the knots beyond the domain too. The new ones (one new mean cell apart) need not be
among the old: on [t_0, t_G], the only place where the splines must agree, the outer knots choose
the coordinates, not the curve. Outside, ``extrapolate="linear"`` agrees as well.
"""

from __future__ import annotations

import numpy as np

from ._arrays import Array, namespace, to_numpy
from .bspline_knots import (
    check_coef,
    check_grid,
    check_integer,
    check_knots_shape,
    extend_grid,
    knots_grid,
)


def insert_knots(knots: Array, coef: Array, k: int, new_grid: Array) -> tuple[Array, Array]:
    """Return knots and coefficients of the same splines on a grid with more breakpoints.

    Parameters
    ----------
    knots : (n_in, G+2k+1)
        The old knots.
    coef : (n_in, n_out, G+k)
        The old coefficients.
    k : int
        The degree.
    new_grid : (n_in, G'+1)
        The new breakpoints: all the old ones, as often as they repeat, and any others between
        them. Differences of a few rounding errors are overlooked.

    Returns
    -------
    new_knots : (n_in, G'+2k+1)
        ``extend_grid(new_grid, k)``, in the dtype of `knots`.
    new_coef : (n_in, n_out, G'+k)
        The curve is unchanged on [t_0, t_G] to rounding; with ``extrapolate="linear"`` everywhere.
        Computed in float64 on the host, in the dtype of `coef`.

    Raises
    ------
    ValueError
        If a shape does not fit, a grid decreases, or an old breakpoint is not in `new_grid`.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref.bspline import extend_grid, uniform_grid
    >>> knots, coef = extend_grid(uniform_grid(0, 1, 1), 2), np.array([[[0.0, 2.0, 0.0]]])
    >>> new_knots, new_coef = insert_knots(knots, coef, 2, uniform_grid(0, 1, 2))
    >>> new_knots
    array([[-1. , -0.5,  0. ,  0.5,  1. ,  1.5,  2. ]])
    >>> new_coef
    array([[[0.5, 1.5, 1.5, 0.5]]])
    """
    xp = namespace(knots, coef, new_grid)
    k = check_integer("k", k, 0)
    check_knots_shape(knots, k)
    check_coef(coef, knots, k)
    check_grid(new_grid, "new_grid")
    if new_grid.shape[0] != knots.shape[0]:
        raise ValueError(
            f"`new_grid` must have shape ({knots.shape[0]}, G'+1), got {new_grid.shape}"
        )
    check_grid(knots_grid(knots, k), "knots")
    new_knots = xp.astype(extend_grid(new_grid, k), knots.dtype)
    t, c, new_t = (np.asarray(to_numpy(a), dtype=np.float64) for a in (knots, coef, new_knots))
    eps = float(xp.finfo(new_knots.dtype).eps)
    _check_contains(knots_grid(t, k), knots_grid(new_t, k), eps)
    new_c = blossom(t, c, k, _source_cells(t, new_t, k), _windows(new_t, k))
    return new_knots, xp.asarray(new_c, dtype=coef.dtype)


def _check_contains(grid: np.ndarray, new_grid: np.ndarray, eps: float) -> None:
    """Raise unless every breakpoint of `grid` is in `new_grid`, and the domain is the same."""
    near = 32 * eps * np.max(np.abs(grid), axis=1)  # (n_in,)

    def count(points: np.ndarray) -> np.ndarray:  # of `points` at each breakpoint: (n_in, G+1)
        return np.sum(np.abs(points[:, None] - grid[:, :, None]) <= near[:, None, None], axis=2)

    i, m = np.nonzero(count(new_grid) < count(grid))
    if i.size:
        raise ValueError(
            f"`new_grid` must contain every old breakpoint as often as it repeats; for input {i[0]}"
            f" it lacks {grid[i[0], m[0]]}"
        )
    ends = [0, -1]
    if np.any(np.abs(new_grid[:, ends] - grid[:, ends]) > near[:, None]):
        raise ValueError("`new_grid` must begin and end where the old grid does")


def _windows(t: np.ndarray, k: int) -> np.ndarray:
    """Return t_{m+1}, …, t_{m+k}, the knots inside the support of B_m: (n_in, G+k, k)."""
    inner = t[:, 1:-1]
    index = np.arange(inner.shape[1] - k + 1)[:, None] + np.arange(k)
    return inner[:, index]


def _source_cells(t: np.ndarray, new_t: np.ndarray, k: int) -> np.ndarray:
    """Return J (n_in, G'+k): the old cell [t_J, t_{J+1}] whose polynomial gives new coefficient m.

    Every cell of the domain within the support of the new B_m gives the same; the best conditioned
    one is that whose middle is nearest to the middle of the support, measured in its width.
    """
    grid, new_grid = knots_grid(t, k), knots_grid(new_t, k)
    middle = (new_grid[:, :-1] + new_grid[:, 1:]) / 2  # (n_in, G')
    J = np.sum(grid[:, :, None] <= middle[:, None], axis=1) - 1
    last = np.sum(grid < grid[:, -1:], axis=1) - 1  # the last cell that is not empty
    J = k + np.minimum(J, last[:, None])  # (n_in, G')

    n_cells = new_grid.shape[1] - 1
    rows = np.arange(t.shape[0])[:, None, None]
    near = np.arange(n_cells + k)[:, None] + np.arange(-k, 1)  # (G'+k, k+1) cells in the support
    near = np.clip(near, 0, n_cells - 1)
    left, right = t[rows, J[:, near]], t[rows, J[:, near] + 1]  # (n_in, G'+k, k+1)
    support = (new_t[:, : -k - 1] + new_t[:, k + 1 :]) / 2  # (n_in, G'+k)
    distance = np.abs((left + right) / 2 - support[:, :, None]) / (right - left)
    empty = new_grid[:, 1:] <= new_grid[:, :-1]
    best = np.argmin(np.where(empty[:, near], np.inf, distance), axis=2)
    return np.take_along_axis(J[:, near], best[:, :, None], axis=2)[:, :, 0]


def blossom(
    t: np.ndarray, coef: np.ndarray, k: int, J: np.ndarray, arguments: np.ndarray
) -> np.ndarray:
    """Return the blossom of every spline's polynomial on some cells, by de Boor's algorithm.

    Round r joins neighbours over t_{i+k+1-r} - t_i, ever narrower: the arguments farthest from the
    cell come first, where the division by a width amplifies rounding the least.

    Parameters
    ----------
    t : (n_in, G+2k+1)
        The knots.
    coef : (n_in, n_out, G+k)
        The coefficients.
    k : int
        The degree.
    J : (n_in, M)
        Knot numbers: the cells [t_J, t_{J+1}], none of them empty.
    arguments : (n_in, M, k)
        The k arguments on each cell; their order does not matter.

    Returns
    -------
    (n_in, n_out, M)
        At k equal arguments, the value of the polynomial; at the k knots inside the support of
        B_m, ``coef[:, :, m]``; at ends of the cell, its Bernstein coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]])
    >>> coef, cell = np.array([[[0.0, 2.0, 0.0]]]), np.array([[2]])
    >>> [blossom(t, coef, 2, cell, np.array([[u]])).item() for u in ([0, 0], [0, 1], [1, 1])]
    [1.0, 2.0, 1.0]
    """
    rows = np.arange(t.shape[0])[:, None, None]
    middle = (t[rows[:, :, 0], J] + t[rows[:, :, 0], J + 1]) / 2
    order = np.argsort(-np.abs(arguments - middle[:, :, None]), axis=2, kind="stable")
    arguments = np.take_along_axis(arguments, order, axis=2)
    i = J[:, :, None] + np.arange(-k, 1)  # (n_in, M, k+1): the B-splines alive on cell J
    d = np.swapaxes(coef, 1, 2)[rows, i]  # (n_in, M, k+1, n_out)
    for r in range(1, k + 1):
        left, right = t[rows, i[:, :, r:]], t[rows, i[:, :, r:] + k + 1 - r]
        a = ((arguments[:, :, r - 1 : r] - left) / (right - left))[..., None]
        d = (1 - a) * d[:, :, :-1] + a * d[:, :, 1:]
    return np.ascontiguousarray(np.swapaxes(d[:, :, 0], 1, 2))
