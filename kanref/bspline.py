"""B-splines: the basis functions of an edge, their derivatives, and curves made of them.

On knots t_{-k} ≤ … ≤ t_{G+k} there are G+k B-splines of degree k. Each is a bump over k+1 cells;
on the domain [t_0, t_G] they sum to 1. They come from the recursion of Cox and de Boor (C. de Boor,
*A Practical Guide to Splines*, 2001, chapters IX and X), with 0/0 := 0::

    B_{m,0}(x) = 1 if t_m ≤ x < t_{m+1}, else 0
    B_{m,p}(x) = (x - t_m) / (t_{m+p} - t_m) · B_{m,p-1}(x)
               + (t_{m+p+1} - x) / (t_{m+p+1} - t_{m+1}) · B_{m+1,p-1}(x)
    B'_{m,p}(x) = p · [B_{m,p-1}(x) / (t_{m+p} - t_m) - B_{m+1,p-1}(x) / (t_{m+p+1} - t_{m+1})]

Both lines need the same quotients Q_m = B_{m,p-1} / (t_{m+p} - t_m), which is how the code below
computes them: for all samples, inputs and m at once, one degree p after the other.

Outside the domain a spline continues in one of two ways, `extrapolate`:

``"linear"``
    Value and slope at the end of the domain continue (for k = 0 the value alone), so that nothing
    dies outside. The last cell of the domain is closed, [t_{G-1}, t_G]: at t_G the left derivative
    counts. Second and higher derivatives are 0 outside.
``"zero"``
    The recursion on all knots, half-open throughout, as in pykan: the curve fades to 0 over the
    k outer cells. The derivative at t_G is the right one.

A NaN or infinite x gives NaN.

Arrays are laid out (n_in, G+k, N) inside the recursion, so that the long axis, the samples, is
contiguous; results are the (N, n_in, G+k) view of that.
"""

from __future__ import annotations

import numpy as np

from ._arrays import Array, namespace, real, to_numpy, where
from .bspline_insertion import insert_knots
from .bspline_knots import (
    EXTRAPOLATIONS,
    adaptive_grid,
    check_arguments,
    check_array,
    check_coef,
    check_finite,
    check_increasing,
    check_integer,
    check_samples,
    extend_grid,
    knots_grid,
    uniform_grid,
)
from .least_squares import minimum_norm

__all__ = [
    "EXTRAPOLATIONS",
    "adaptive_grid",
    "basis",
    "basis_pair",
    "curve",
    "extend_grid",
    "fit_coef",
    "insert_knots",
    "knots_grid",
    "uniform_grid",
]

_FIT_BYTES = 2**26  # what `fit_coef` may take for the basis of one chunk of samples


def basis(x: Array, knots: Array, k: int, *, nu: int = 0, extrapolate: str = "linear") -> Array:
    """Return the B-splines B_m(x), or their derivatives of order `nu`.

    Parameters
    ----------
    x : (N, n_in)
        The points.
    knots : (n_in, G+2k+1)
        The knots of each input, not decreasing; see :func:`extend_grid`.
    k : int
        The degree.
    nu : int
        The order of the derivative, 0 ≤ nu ≤ k.
    extrapolate : {"linear", "zero"}
        How the basis continues outside the domain.

    Returns
    -------
    basis : (N, n_in, G+k)

    Raises
    ------
    ValueError
        If a shape, `nu` or `extrapolate` is out of range, or the knots decrease.
    TypeError
        If `x` is not a floating-point array, or `k` or `nu` not an integer.

    Examples
    --------
    The two hats over a single cell; outside, they continue as straight lines:

    >>> import numpy as np
    >>> knots = extend_grid(uniform_grid(0, 1, 1), 1)
    >>> basis(np.array([[0.25], [1.0], [1.5]]), knots, 1)[:, 0]
    array([[ 0.75,  0.25],
           [ 0.  ,  1.  ],
           [-0.5 ,  1.5 ]])
    >>> basis(np.array([[0.25], [1.0], [1.5]]), knots, 1, extrapolate="zero")[:, 0]
    array([[0.75, 0.25],
           [0.  , 1.  ],
           [0.  , 0.5 ]])
    """
    k = check_arguments(x, knots, k, extrapolate)
    nu = check_integer("nu", nu, 0)
    if nu > k:
        raise ValueError(f"`nu` must be at most k = {k}, got {nu}")
    check_increasing(knots, "knots")
    linear = extrapolate == "linear"
    if linear and nu == 0 < k:
        return basis_pair(x, knots, k, extrapolate)[0]  # the slope continues the value
    x, t = _columns(x, knots)
    inside, beyond = _split(x, t, k) if linear else (x, None)
    values = _cox_de_boor(_degree_zero(inside, t, k, closed=linear), inside - t, t, k, nu)
    if linear and nu >= 2:
        values = where(namespace(x).abs(real(beyond)) > 0, 0.0, values)  # not where NaN
    return _rows(values)


def basis_pair(x: Array, knots: Array, k: int, extrapolate: str = "linear") -> tuple[Array, Array]:
    """Return the B-splines and their first derivatives, from one pass of the recursion.

    Parameters
    ----------
    x, knots, k, extrapolate
        As for :func:`basis`. The knots are not searched for a decrease here: this is the inner
        loop of a layer, and on a GPU the answer would have to be waited for.

    Returns
    -------
    basis, dbasis : (N, n_in, G+k)
        For k = 0 the derivative is 0.

    Examples
    --------
    >>> import numpy as np
    >>> values, slopes = basis_pair(np.array([[1.5]]), extend_grid(uniform_grid(0, 1, 1), 1), 1)
    >>> values, slopes
    (array([[[-0.5,  1.5]]]), array([[[-1.,  1.]]]))
    """
    k = check_arguments(x, knots, k, extrapolate)
    linear = extrapolate == "linear"
    x, t = _columns(x, knots)
    inside, beyond = _split(x, t, k) if linear else (x, None)
    values = _degree_zero(inside, t, k, closed=linear)
    if k == 0:
        return _rows(values), _rows(values - values)  # NaN stays NaN
    offsets = inside - t
    quotients = _quotients(_cox_de_boor(values, offsets, t, k - 1), t, k)
    values = _raise_degree(quotients, offsets, k)
    slopes = _differentiate(quotients, k)
    if linear:
        values = values + beyond * slopes
    return _rows(values), _rows(slopes)


def _degree_zero(x: Array, t: Array, k: int, closed: bool) -> Array:
    """Return B_{m,0} (n_in, K-1, N): 1 where t_m ≤ x < t_{m+1}, NaN where x is NaN, else 0.

    With `closed`, t_G belongs to the last cell that is not empty: as if t_G and all knots to its
    right were at infinity.
    """
    t = real(t)
    if closed:
        t = where(t >= _end(t, k), float("inf"), t)
    reached = real(x) >= t  # (n_in, K, N)
    return where(reached[:, :-1, :] & ~reached[:, 1:, :], 1.0, x - x)


def _cox_de_boor(values: Array, offsets: Array, t: Array, k: int, nu: int = 0) -> Array:
    """Return the derivatives of order `nu` of all B-splines of degree `k`; see the module's text.

    Shapes: values B_{m,0} (n_in, K-1, N); offsets x - t (n_in, K, N); t (n_in, K, 1); result
    (n_in, K-1-k, N).
    """
    for p in range(1, k + 1):
        quotients = _quotients(values, t, p)
        if p <= k - nu:
            values = _raise_degree(quotients, offsets, p)
        else:
            values = _differentiate(quotients, p)
    return values


def _quotients(values: Array, t: Array, p: int) -> Array:
    """Return Q_m = B_{m,p-1} / (t_{m+p} - t_m), with 0/0 := 0; values (n_in, K-p, N)."""
    width = t[:, p:, :] - t[:, :-p, :]  # (n_in, K-p, 1)
    # B_{m,p-1} is 0 where its support is empty: with any divisor but 0 the quotient is 0 as well.
    return values * (1 / where(real(width) > 0, width, 1.0))


def _raise_degree(quotients: Array, offsets: Array, p: int) -> Array:
    """Return B_{m,p} = (x - t_m) Q_m + (t_{m+p+1} - x) Q_{m+1}; offsets = x - t."""
    return (
        offsets[:, : -p - 1, :] * quotients[:, :-1, :]
        - offsets[:, p + 1 :, :] * quotients[:, 1:, :]
    )


def _differentiate(quotients: Array, p: int) -> Array:
    """Return B'_{m,p} = p (Q_m - Q_{m+1})."""
    return p * (quotients[:, :-1, :] - quotients[:, 1:, :])


def _split(x: Array, t: Array, k: int) -> tuple[Array, Array]:
    """Split x into the nearest point of the domain and the rest, 0 inside: (n_in, 1, N) each."""
    first, last = t[:, k : k + 1, :], _end(t, k)
    xp = namespace(x)
    inside = xp.where(real(x) < real(first), first, xp.where(real(x) > real(last), last, x))
    return inside, x - inside


def _end(t: Array, k: int) -> Array:
    """Return t_G (n_in, 1, 1) of the knots t (n_in, K, 1)."""
    return t[:, t.shape[1] - 1 - k : t.shape[1] - k, :]


def _columns(x: Array, knots: Array) -> tuple[Array, Array]:
    """Lay x out as (n_in, 1, N), contiguous and with NaN for infinity; knots as (n_in, K, 1)."""
    xp = namespace(x)
    x = where(xp.isfinite(x), x, float("nan"))
    flat = xp.reshape(xp.permute_dims(x, (1, 0)), (-1,))  # flattening copies to row-major order
    return xp.reshape(flat, (x.shape[1], 1, x.shape[0])), xp.expand_dims(knots, axis=2)


def _rows(values: Array) -> Array:
    """Return (n_in, G+k, N) as (N, n_in, G+k)."""
    return namespace(values).permute_dims(values, (2, 0, 1))


def curve(
    x: Array, knots: Array, coef: Array, k: int, *, nu: int = 0, extrapolate: str = "linear"
) -> Array:
    """Return the splines s_ij(x_i) = Σ_m coef_ijm B_m(x_i), or their derivatives of order `nu`.

    Parameters
    ----------
    x, knots, k, nu, extrapolate
        As for :func:`basis`.
    coef : (n_in, n_out, G+k)
        The coefficients.

    Returns
    -------
    curve : (N, n_in, n_out)

    Raises
    ------
    ValueError, TypeError
        As :func:`basis`, and if `coef` does not fit the knots.

    Examples
    --------
    >>> import numpy as np
    >>> knots = extend_grid(uniform_grid(0, 1, 1), 1)
    >>> curve(np.array([[0.25], [1.5]]), knots, np.array([[[10.0, 20.0]]]), 1)[:, 0, 0]
    array([12.5, 25. ])
    """
    xp = namespace(x, knots, coef)
    values = basis(x, knots, k, nu=nu, extrapolate=extrapolate)  # (N, n_in, G+k)
    check_coef(coef, knots, k)
    splines = xp.matmul(coef, xp.permute_dims(values, (1, 2, 0)))  # (n_in, n_out, N)
    return _rows(splines)


def fit_coef(x: Array, y: Array, knots: Array, k: int, *, extrapolate: str = "linear") -> Array:
    """Fit coefficients to samples by least squares, with the minimum norm where they are free.

    For every input i and output j,

        coef_ij = argmin Σ_n (Σ_m coef_ijm B_m(x_ni) - y_nij)²

    and among all minimisers the one of smallest norm (Moore–Penrose), so that fewer samples than
    coefficients, repeated samples and cells without any are no trouble. The basis of an input is
    factorised once for all outputs, by SVD, over chunks of samples in bounded memory. Singular
    values up to ε max(N, G+k) of the largest count as 0; ε is the rounding error of the samples'
    dtype. The work is done in float64 on the host.

    Parameters
    ----------
    x : (N, n_in)
        Points, finite, N ≥ 1.
    y : (N, n_in, n_out)
        The value of every spline at its points, finite.
    knots, k, extrapolate
        As for :func:`basis`.

    Returns
    -------
    coef : (n_in, n_out, G+k)
        In the dtype and namespace of `knots`.

    Raises
    ------
    ValueError, TypeError
        As :func:`basis`, and if `y` does not fit `x` or a sample is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> knots = extend_grid(uniform_grid(0, 1, 2), 1)
    >>> x = np.array([[0.0], [0.5]])  # two samples for three coefficients
    >>> fit_coef(x, 2 * x[:, :, None], knots, 1).round(12)
    array([[[0., 1., 0.]]])
    """
    xp = namespace(x, y, knots)
    k = check_arguments(x, knots, k, extrapolate)
    check_samples(x)
    check_array("y", y, 3, "(N, n_in, n_out)")
    if y.shape[:2] != x.shape:
        raise ValueError(f"`y` must have shape ({x.shape[0]}, {x.shape[1]}, n_out), got {y.shape}")
    check_finite("y", y)
    hx, hy, t = (np.asarray(to_numpy(a), dtype=np.float64) for a in (x, y, knots))
    chunk = max(_FIT_BYTES // (8 * t.size), t.shape[1])
    blocks = (
        (
            np.swapaxes(basis(hx[n : n + chunk], t, k, extrapolate=extrapolate), 0, 1),
            np.swapaxes(hy[n : n + chunk], 0, 1),
        )
        for n in range(0, x.shape[0], chunk)
    )
    eps = max(float(xp.finfo(a.dtype).eps) for a in (x, y))
    coef = minimum_norm(blocks, eps * max(x.shape[0], t.shape[1] - 1 - k))  # (n_in, G+k, n_out)
    return xp.asarray(np.ascontiguousarray(np.swapaxes(coef, 1, 2)), dtype=knots.dtype)
