"""Grids that follow the data, and grids that grow finer: network → network.

Two operations of the KAN paper (Liu et al. 2024, arXiv 2404.19756, section 2.5 and figure 2.4):

* :func:`update_grid` moves the breakpoints to where the activations are;
* :func:`refine`, the paper's grid extension, puts more breakpoints where they already are.

Both replace the spline of an edge by the nearest one on the new knots, Σ_m coef_m B_m(x) alone:
`scale_spline`, `scale_base`, masks, symbolic edges and node affines stay as they are. The result
shares no array with the network it came from.

Every spline is carried over, that of a dead or a symbolic edge too, so that the edge still has it
if it comes back. One whose coefficients are not finite has none to carry: it gets NaN, and no
other edge notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ._arrays import Array, namespace, where
from .bspline import (
    adaptive_grid,
    curve,
    extend_grid,
    fit_coef,
    insert_knots,
    knots_grid,
)
from .bspline_knots import check_finite, check_integer
from .functions import base_function
from .kernels import layer_forward, numba_kernels
from .layer import BLOCK_ELEMENTS, Layer
from .least_squares import minimum_norm
from .network import Network
from .nodes import Nodes, nodes_forward
from .objective import MAX_MEMORY, split


def update_grid(network: Network, x: Array, grid_eps: float = 0.02) -> Network:
    """Return the network on grids that follow its activations on a batch.

    Layer by layer, the breakpoints become :func:`kanref.bspline.adaptive_grid` of the layer's
    inputs, quantiles mixed with a uniform grid, and the coefficients are fitted to the old splines
    at these inputs by least squares, with the minimum norm where the batch leaves them free. The
    next layer's inputs come from the layer as updated.

    Parameters
    ----------
    network : Network
        Stays as it is.
    x : (N, n_in)
        The batch, in network units.
    grid_eps : float
        Share of the uniform grid: 1 gives uniform grids, 0 quantiles.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError
        If `x` has the wrong shape, or an activation that a live edge takes is not finite.

    Notes
    -----
    The new splines equal the old ones where these lie in the new spline spaces, else they are near.
    As in pykan the curve is fitted that the edge scales next. efficient-kan's ``update_grid`` fits
    scaler · spline and leaves the scaler in place, so that with its standalone scale (its default)
    the function changes by that factor; kanref keeps the function.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> x = np.random.default_rng(0).normal(2.0, 1.0, (50, 2))
    >>> network = update_grid(KAN([2, 1], grid=4, seed=0).network, x, grid_eps=1.0)
    >>> bool(np.allclose(network.layers[0].knots[:, 3], x.min(axis=0)))
    True
    """
    chunks = split(network, _batch(network, x), MAX_MEMORY)
    xp = namespace(x)
    layers = []
    for number, (layer, nodes) in enumerate(zip(network.layers, network.nodes, strict=True)):
        inputs = _samples(layer, xp.concat(chunks, axis=0), number)
        knots = extend_grid(adaptive_grid(inputs, layer.G, grid_eps), layer.k)
        layers.append(_refit(layer, inputs, knots, network.backend))
        if number + 1 < network.depth:
            chunks = [_through(layers[-1], nodes, chunk, network.backend) for chunk in chunks]
    return network.with_parts(layers).copy()


def refine(network: Network, G: int | Sequence[int], x: Array | None = None) -> Network:
    """Return the network on grids of `G` intervals: grid extension.

    The new breakpoints are the old ones, interpolated linearly at the indices m·G_old/G. If they
    contain the old ones (G a multiple of G_old), knots are inserted: the function is unchanged on
    [t_0, t_G], and everywhere with ``extrapolate="linear"``, to rounding. Else the coefficients
    are fitted by least squares to the old splines at the old network's activations on `x`, with
    the minimum norm where the batch leaves them free.

    Parameters
    ----------
    network : Network
        Stays as it is.
    G : int or sequence of int
        Grid intervals, for all layers or for each.
    x : (N, n_in), optional
        A batch, in network units; needed where G is not a multiple of the old one.

    Returns
    -------
    network : Network
        A layer that already has G intervals is copied.

    Raises
    ------
    ValueError
        If G is not one number or one for each layer, or if `x` is needed and missing, of the wrong
        shape, or leads to an activation that is not finite.

    Notes
    -----
    With ``extrapolate="zero"`` the function does change beyond [t_0, t_G]: the k knots beyond each
    end stand one mean cell apart, and that cell is now smaller, so the spline fades out sooner.
    pykan fits the coefficients on samples in every case. It arrives at the same ones where the
    samples determine them, and at others, far off between the samples, where they do not.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> from kanref.network import network_forward
    >>> old, x = KAN([2, 3, 1], grid=4, seed=0).network, np.linspace(-3, 3, 14).reshape(7, 2)
    >>> new = refine(old, [8, 12])
    >>> [layer.G for layer in new.layers]
    [8, 12]
    >>> bool(np.allclose(network_forward(new, x)[0], network_forward(old, x)[0], atol=1e-12))
    True
    """
    inputs = None if x is None else _inputs(network, x)
    layers: list[Layer] = []
    for number, (layer, size) in enumerate(zip(network.layers, _sizes(network, G), strict=True)):
        if size == layer.G:
            layers.append(layer)
            continue
        grid = knots_grid(layer.knots, layer.k)
        new_grid = _resample(grid, size)
        if size % layer.G == 0:
            layers.append(_insert(layer, new_grid))
        elif inputs is None:
            raise ValueError(
                f"`x` must be given to refine layer {number}: {size} grid intervals are not a "
                f"multiple of its {layer.G}, so the splines have to be fitted"
            )
        else:
            samples = _samples(layer, inputs[number], number)
            knots = extend_grid(new_grid, layer.k)
            layers.append(_refit(layer, samples, knots, network.backend))
    return network.with_parts(layers).copy()


def _insert(layer: Layer, grid: Array) -> Layer:
    """Return the layer with the same splines on a grid that contains the old breakpoints."""
    finite, old = _splines(layer)
    knots, coef = insert_knots(layer.knots, old, layer.k, grid)
    return replace(layer, knots=knots, coef=where(finite, coef, float("nan")))


def _refit(layer: Layer, x: Array, knots: Array, backend: str) -> Layer:
    """Return the layer on other knots, with its splines fitted at the samples x (N, n_in)."""
    finite, old = _splines(layer)
    fitted = _fitted_by_kernels if _has_kernels(layer, x, backend) else _fitted
    rows = []
    for i in range(layer.n_in):  # one input at a time: never (N, n_in, n_out) at once
        one = slice(i, i + 1)
        moved = replace(layer, knots=layer.knots[one, :], coef=old[one, ...])
        rows.append(fitted(moved, x[:, one], knots[one, :]))
    coef = namespace(old).concat(rows, axis=0)
    return replace(layer, knots=knots, coef=where(finite, coef, float("nan")))


def _fitted(one: Layer, x: Array, knots: Array) -> Array:
    """Fit the splines of the one input of a layer on other knots: (1, n_out, G+k)."""
    y = curve(x, one.knots, one.coef, one.k, extrapolate=one.extrapolate)
    return fit_coef(x, y, knots, one.k, extrapolate=one.extrapolate)


def _fitted_by_kernels(one: Layer, x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Fit as `_fitted` does, several times as fast: the basis is a layer of unit coefficients."""
    size = knots.shape[1] - 1 - one.k
    unit = np.eye(size)[None]  # (1, G+k, G+k)

    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        rows = max(BLOCK_ELEMENTS // size, size)
        for start in range(0, len(x), rows):
            some = np.ascontiguousarray(x[start : start + rows])
            y = _splines_alone(one, some, one.knots, one.coef)
            check_finite("y", y)
            yield _splines_alone(one, some, knots, unit)[None], y[None]

    rcond = float(np.finfo(float).eps) * max(len(x), size)
    return np.ascontiguousarray(np.swapaxes(minimum_norm(blocks(), rcond), 1, 2))


def _splines_alone(layer: Layer, x: np.ndarray, knots: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """Return the splines with these coefficients (1, n, G+k) at x (N, 1): (N, n)."""
    shape = coef.shape[:2]
    splines = Layer(
        knots=knots,
        coef=coef,
        scale_base=np.zeros(shape),
        scale_spline=None,
        mask=np.ones(shape, dtype=bool),
        affine=np.zeros((0, 4)),
        symbolic=(),
        k=layer.k,
        extrapolate=layer.extrapolate,
        base_fun=base_function("zero"),
    )
    return np.asarray(layer_forward("auto", splines, x, slopes=False)[0])


def _has_kernels(layer: Layer, x: Array, backend: str) -> bool:
    """Tell whether the kernels compute this layer, in the precision of the fit."""
    kernels = None if backend == "numpy" else numba_kernels()
    return kernels is not None and kernels.supports(layer, x) and x.dtype == np.float64


def _splines(layer: Layer) -> tuple[Array, Array]:
    """Which edges have a spline, (n_in, n_out, 1), and the coefficients, 0 where there is none."""
    xp = namespace(layer.coef)
    finite = xp.all(xp.isfinite(layer.coef), axis=2)[:, :, None]
    return finite, where(finite, layer.coef, 0.0)


def _through(layer: Layer, nodes: Nodes, x: Array, backend: str) -> Array:
    """Return the next layer's inputs, symbolic functions continued finitely as in training."""
    return nodes_forward(nodes, layer_forward(backend, layer, x, continued=True, slopes=False)[0])


def _inputs(network: Network, x: Array) -> list[Array]:
    """Return the inputs of every layer, (N, n_in) each."""
    network = replace(network, backend="numpy")  # who computes, and for whom it is split
    chunks, found = split(network, _batch(network, x), MAX_MEMORY), []
    for layer, nodes in zip(network.layers, network.nodes, strict=True):
        found.append(namespace(x).concat(chunks, axis=0))
        chunks = [_through(layer, nodes, chunk, network.backend) for chunk in chunks]
    return found


def _batch(network: Network, x: Array) -> Array:
    """Check the shape of the batch and give it the network's dtype."""
    if x.ndim != 2 or x.shape[1] != network.n_in or x.shape[0] < 1:
        raise ValueError(f"`x` must have shape (N, {network.n_in}) with N >= 1, got {x.shape}")
    return namespace(x).astype(x, network.layers[0].knots.dtype, copy=False)


def _samples(layer: Layer, x: Array, number: int) -> Array:
    """Check that the samples x (N, n_in) which a live edge takes are finite; repair the others."""
    xp = namespace(x)
    finite = xp.isfinite(x)
    alive = xp.any(layer.mask, axis=1)
    bad = [i for i in range(layer.n_in) if bool(alive[i]) and not bool(xp.all(finite[:, i]))]
    if bad:
        what = "`x`" if number == 0 else f"the activations that enter layer {number}"
        raise ValueError(f"{what} must be finite, got NaN or infinity in columns {bad}")
    return xp.where(finite, x, layer.knots[:, layer.k])


def _sizes(network: Network, G: int | Sequence[int]) -> list[int]:
    """Return the number of intervals of each layer."""
    if not isinstance(G, Sequence):
        return [check_integer("G", G, 1)] * network.depth
    if len(G) != network.depth:
        raise ValueError(
            f"`G` must be an integer, or one for each of {network.depth} layers, got {G!r}"
        )
    return [check_integer("G", size, 1) for size in G]


def _resample(grid: Array, size: int) -> Array:
    """Interpolate breakpoints (n_in, G+1) at the indices m·G/size, m = 0 … size, linearly."""
    xp = namespace(grid)
    G = grid.shape[1] - 1
    left = [min(m * G // size, G - 1) for m in range(size + 1)]
    share = [(m * G - at * size) / size for m, at in enumerate(left)]  # exactly 0 or 1 at old ones
    low = xp.take(grid, xp.asarray(left), axis=1)
    high = xp.take(grid, xp.asarray([at + 1 for at in left]), axis=1)
    part = xp.asarray(share, dtype=grid.dtype)
    between = xp.minimum(low + part * (high - low), high)  # repeated breakpoints stay equal
    return xp.where(part == 1, high, between)
