"""layer_forward and layer_backward on the CPU, by Numba: cost independent of G.

What the reference computes for all G + k splines, the loops of :mod:`kanref.kernels.edges` compute
for the k + 1 that are not zero at a point, with vectors that run over the outputs. One scheme
serves all sizes: a row of 16 outputs is two or four vectors, a row of five is part of one, one or
two outputs are computed as numbers. There is no path by BLAS for wide layers at small G:
``benchmarks/limit.py`` measures beside the loops what BLAS needs for its three products with a
dense basis that it is given for free. For [100, 100] at G = 5 that is 1.2 times as long as the
loops in float64 and 0.95 times in float32, basis not written yet; at G = 20 over 2 times as long
(``benchmarks/results/limit.json``). What is chosen by size is the number of threads, and the block
of samples that are sorted together.

Symbolic edges, and base functions that the loops do not know, go through the functions of the
reference. The arrays of a pass can be used again by the next one: pass its cache as `reuse`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions import BASE_FUNCTIONS
from ..layer import (
    PARAMETERS,
    EdgeCotangent,
    Layer,
    add_symbolic,
    symbolic_backward,
    symbolic_functions,
    symbolic_statistics,
)
from ..parameters import assign, changed
from ..statistics import LayerStatistics, Moments
from . import basis, loops, moments

MAX_DEGREE = 5
"""The loops are written out for up to six splines on a cell."""

THREADS_FROM = 1_000_000
"""Layers with fewer edge evaluations (N · n_in · n_out) than this stay on one thread."""

BLOCK = 1024
"""Samples that are sorted by cell together."""

_KINDS = {"zero": basis.ZERO, "identity": basis.IDENTITY, "silu": basis.SILU, "tanh": basis.TANH}
_NOT_GIVEN = {t: np.empty((2, 0, 0), t) for t in (np.dtype("f4"), np.dtype("f8"))}


@dataclass
class CpuCache:
    """What a forward pass leaves for the backward pass, and for the next pass to use again."""

    x: np.ndarray  # (N, n_in), with t_0 in place of what is not finite
    finite: np.ndarray | None  # (N, n_in), bool; None where all inputs are finite
    work: tuple[np.ndarray, np.ndarray]  # places, features; see loops
    y: np.ndarray  # (N, n_out), what the numeric edges sum up to
    parameters: Parameters
    f: np.ndarray | None = None  # (N, n_symbolic)
    df: np.ndarray | None = None  # (N, n_symbolic)
    statistics: LayerStatistics | None = None

    @property
    def has_slopes(self) -> bool:
        """Whether the forward pass left what dx needs."""
        return self.work[1].shape[1] > len(self.parameters.splines) + 1


@dataclass(frozen=True)
class Parameters:
    """The parameters as the loops take them; a copy is made only where something is masked."""

    grid: tuple[np.ndarray, int, bool, int]  # knots, padded in "zero" mode; G, linear, kind
    weights: tuple[np.ndarray, np.ndarray, np.ndarray]
    # coef (n_in, G+k, n_out), padded likewise; scale, scale_base (n_in, n_out); 0 where not numeric
    numeric: np.ndarray | None  # (n_in, n_out), None where all edges are
    pad: int
    splines: tuple  # k + 1 zeros, whose number is a constant to the compiler


def supports(layer: Layer, x: Any) -> bool:
    """Tell whether the kernels can take this layer and input."""
    return (
        type(x) is np.ndarray
        and x.dtype in (np.float32, np.float64)
        and layer.coef.dtype == x.dtype
        and layer.knots.dtype == x.dtype
        and layer.k <= MAX_DEGREE
    )


def layer_forward(
    layer: Layer,
    x: np.ndarray,
    *,
    sums: bool = False,
    continued: bool = False,
    slopes: bool = True,
    reuse: CpuCache | None = None,
) -> tuple[np.ndarray, CpuCache]:
    """Evaluate a layer; see :func:`kanref.layer.layer_forward`.

    Without `slopes` the cache is half the size, and a backward pass has no dx. The arrays of
    `reuse`, a cache of an earlier pass, are overwritten where their shapes fit.
    """
    p = _parameters(layer)
    cache = _cache(layer, x, p, slopes, reuse)
    if not _run_forward(layer, cache):
        cache.finite = np.isfinite(x)
        cache.x = np.where(cache.finite, x, layer.knots[:, layer.k])
        _run_forward(layer, cache)
    y = cache.y
    if layer.symbolic:
        cache.f, cache.df = symbolic_functions(layer, cache.x, continued)
        y = add_symbolic(layer, cache, y)
    if cache.finite is not None:
        reached = (~cache.finite).astype(x.dtype) @ layer.mask.astype(x.dtype) > 0
        y = np.where(reached, x.dtype.type(np.nan), y)
    if sums:
        cache.statistics = _statistics(layer, cache, y)
    return y, cache


def layer_backward(
    layer: Layer,
    cache: CpuCache,
    dy: np.ndarray,
    edge_cotangent: EdgeCotangent | None = None,
    *,
    out: Layer | None = None,
    inputs: bool = True,
) -> tuple[np.ndarray | None, Layer]:
    """Propagate a cotangent; see :func:`kanref.layer.layer_backward`.

    The gradients are written into the arrays of `out` where it is given. Without `inputs` there is
    no dx.
    """
    p = cache.parameters
    if inputs and not cache.has_slopes:
        raise ValueError("`cache` holds no slopes: dx needs a forward pass with slopes=True")
    dy = np.ascontiguousarray(dy)
    cotangent = None
    if edge_cotangent is not None:
        r = (edge_cotangent.r0, edge_cotangent.r1, edge_cotangent.r2)
        cotangent = np.stack(r).astype(dy.dtype, copy=False)
    dx = np.empty((dy.shape[0], layer.n_in) if inputs else (0, 0), dy.dtype)
    gradients = _gradient_arrays(layer, p, out)
    run = loops.backward_threads if _is_large(layer, dy.shape[0]) else loops.backward_one_thread
    block = _block(dy.shape[0], _is_large(layer, dy.shape[0]))
    run(p.splines, block, cache.work, p.weights, dy, cotangent, dx, gradients)
    if layer.symbolic:
        numeric = dx if inputs else np.zeros((dy.shape[0], layer.n_in), dy.dtype)
        daffine, dx = symbolic_backward(layer, cache, dy, edge_cotangent, numeric)
    else:
        daffine = layer.affine
    if cache.finite is not None and inputs:
        dx = np.where(cache.finite | ~layer.mask.any(axis=1), dx, dx.dtype.type(np.nan))
    return dx if inputs else None, _gradient_layer(layer, p, gradients, daffine, out)


def _cache(
    layer: Layer, x: np.ndarray, p: Parameters, slopes: bool, reuse: CpuCache | None
) -> CpuCache:
    """Return a cache for this pass, with the arrays of an earlier one where they fit."""
    n_samples, n_features = x.shape[0], (layer.k + 2) * (2 if slopes else 1)
    if (
        reuse is not None
        and reuse.work[1].shape == (layer.n_in, n_features, n_samples)
        and reuse.y.shape == (n_samples, layer.n_out)
        and reuse.y.dtype == x.dtype
    ):
        return CpuCache(x, None, reuse.work, reuse.y, p)
    places = np.empty((layer.n_in, 2, n_samples), np.int32)
    features = np.empty((layer.n_in, n_features, n_samples), x.dtype)
    y = np.empty((n_samples, layer.n_out), x.dtype)
    return CpuCache(x, None, (places, features), y, p)


def _run_forward(layer: Layer, cache: CpuCache) -> bool:
    """Compute features and sums; return whether all inputs were finite."""
    p, x = cache.parameters, cache.x
    given = _NOT_GIVEN[x.dtype]
    if p.grid[3] < 0:
        if not np.isfinite(x).all():
            return False
        given = np.stack(layer.base_fun.pair(x))
    large = _is_large(layer, x.shape[0])
    run = loops.forward_threads if large else loops.forward_one_thread
    block = _block(x.shape[0], large)
    return run(p.splines, block, p.grid, x, given, cache.work, p.weights, cache.y) == 0


def _block(n_samples: int, large: bool) -> int:
    """Return how many samples are sorted together; the number of threads has no part in it.

    The more samples share a cell, the fewer times its coefficients are read; but the sums of a
    block should stay in the processor's cache, and the threads need a block each.
    """
    return min(BLOCK // 2 if large else BLOCK, max(n_samples, 1))


def _gradient_arrays(layer: Layer, p: Parameters, out: Layer | None) -> tuple[np.ndarray, ...]:
    """Return where the loops write: the arrays of `out`, unless something must be cut away."""
    if out is not None and p.numeric is None and not p.pad and out.scale_spline is not None:
        return out.coef.transpose(0, 2, 1), out.scale_spline, out.scale_base
    coef, scale, _ = p.weights
    return np.empty_like(coef), np.empty_like(scale), np.empty_like(scale)


def _gradient_layer(
    layer: Layer,
    p: Parameters,
    gradients: tuple[np.ndarray, ...],
    daffine: np.ndarray,
    out: Layer | None,
) -> Layer:
    """Return the gradients as a layer, without what is not numeric."""
    dcoef, dscale, dscale_base = gradients
    if out is not None and dscale_base is out.scale_base:
        if layer.symbolic:
            out.affine[...] = daffine
        return out
    if p.pad:
        dcoef = dcoef[:, p.pad : -p.pad, :]
    if p.numeric is not None:
        dcoef = np.where(p.numeric[:, None, :], dcoef, 0)
        dscale = np.where(p.numeric, dscale, 0)
        dscale_base = np.where(p.numeric, dscale_base, 0)
    gradient = changed(
        layer,
        coef=dcoef.transpose(0, 2, 1),
        scale_base=dscale_base,
        scale_spline=None if layer.scale_spline is None else dscale,
        affine=daffine,
    )
    return gradient if out is None else assign(out, gradient, PARAMETERS)


def _parameters(layer: Layer) -> Parameters:
    """Select what is numeric, and pad the knots and coefficients of "zero" mode.

    Padded by k cells on each side, the extended knots of "zero" mode are a grid like any other,
    whose outermost splines have the coefficient 0.
    """
    alive = None
    if layer.symbolic or not layer.mask.all():
        alive = layer.numeric
    coef = layer.coef.transpose(0, 2, 1)  # (n_in, G+k, n_out)
    scale, scale_base, knots, pad = layer.scale_spline, layer.scale_base, layer.knots, 0
    if scale is None:
        scale = np.ones(layer.mask.shape, coef.dtype)
    if alive is not None:
        coef = np.where(alive[:, None, :], coef, 0)
        scale, scale_base = np.where(alive, scale, 0), np.where(alive, scale_base, 0)
    if layer.extrapolate == "zero" and layer.k:
        pad = layer.k
        coef = np.pad(coef, ((0, 0), (pad, pad), (0, 0)))
        step = (knots[:, -1:] - knots[:, :1]) / (knots.shape[1] - 1)
        steps = step * np.arange(1, pad + 1, dtype=knots.dtype)
        knots = np.concatenate([knots[:, :1] - steps[:, ::-1], knots, knots[:, -1:] + steps], 1)
    G = knots.shape[1] - 2 * layer.k - 1
    kind = _KINDS[layer.base_fun.name] if _is_known(layer) else -1
    contiguous = np.ascontiguousarray
    return Parameters(
        (contiguous(knots), G, layer.extrapolate == "linear", kind),
        (contiguous(coef), contiguous(scale), contiguous(scale_base)),
        alive,
        pad,
        (coef.dtype.type(0),) * (layer.k + 1),
    )


def _statistics(layer: Layer, cache: CpuCache, y: np.ndarray) -> LayerStatistics:
    """Accumulate the statistics of x, of every edge and of the sums, in double precision."""
    p = cache.parameters
    mean_abs, mean, m2 = np.empty((3, layer.n_in, layer.n_out))
    large = _is_large(layer, y.shape[0])
    run = moments.statistics_threads if large else moments.statistics_one_thread
    run(p.splines, cache.work, p.weights, mean_abs, mean, m2)
    edges = Moments(y.shape[0], mean, m2)
    mean_abs, edges = symbolic_statistics(layer, cache, mean_abs, edges)
    columns = [Moments(len(a), *moments.column_moments(a)) for a in (cache.x, y)]
    return LayerStatistics(columns[0], mean_abs, edges, columns[1])


def _is_known(layer: Layer) -> bool:
    """Tell whether the loops have the layer's base function."""
    name = layer.base_fun.name
    return name in _KINDS and BASE_FUNCTIONS.get(name) is layer.base_fun


def _is_large(layer: Layer, n_samples: int) -> bool:
    return n_samples * layer.n_in * layer.n_out >= THREADS_FROM
