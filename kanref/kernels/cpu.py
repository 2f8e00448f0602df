"""layer_forward and layer_backward on the CPU, by Numba: cost independent of G.

What the reference computes for all G + k splines, the loops of :mod:`kanref.kernels.loops` compute
for the k + 1 that are not zero at a point. Symbolic edges, and base functions that the loops do not
know, go through the functions of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions import BASE_FUNCTIONS
from ..layer import (
    EdgeCotangent,
    Layer,
    add_symbolic,
    symbolic_backward,
    symbolic_functions,
    symbolic_statistics,
)
from ..parameters import changed
from ..statistics import LayerStatistics, Moments
from . import basis, loops

MAX_DEGREE = 5
"""The loops are written out for up to six splines on a cell."""

THREADS_FROM = 200_000
"""Layers with fewer edge evaluations (N · n_in · n_out) than this stay on one thread."""

_KINDS = {"zero": basis.ZERO, "identity": basis.IDENTITY, "silu": basis.SILU, "tanh": basis.TANH}


@dataclass(frozen=True)
class CpuCache:
    """What a forward pass leaves for the backward pass."""

    x: np.ndarray  # (N, n_in), with t_0 in place of what is not finite
    finite: np.ndarray | None  # (N, n_in), bool; None where all inputs are finite
    features: tuple[np.ndarray, ...]  # cells, values, slopes, base, dbase, see loops
    parameters: Parameters
    f: np.ndarray | None  # (N, n_symbolic)
    df: np.ndarray | None  # (N, n_symbolic)
    statistics: LayerStatistics | None


@dataclass(frozen=True)
class Parameters:
    """The parameters as the loops take them; a copy is made only where something is masked."""

    knots: np.ndarray  # (n_in, G + 2k + 1), padded in "zero" mode
    coef: np.ndarray  # (n_in, G+k, n_out), padded likewise; 0 where not numeric
    scale: np.ndarray  # (n_in, n_out), 0 where not numeric
    scale_base: np.ndarray  # (n_in, n_out), 0 where not numeric
    numeric: np.ndarray | None  # (n_in, n_out), None where all edges are
    pad: int
    splines: tuple  # k + 1 zeros, whose number is a constant to the compiler

    @property
    def weights(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the edges are made of."""
        return self.coef, self.scale, self.scale_base

    @property
    def G(self) -> int:
        """Number of cells."""
        return self.knots.shape[1] - 2 * len(self.splines) + 1


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
    layer: Layer, x: np.ndarray, *, sums: bool = False, continued: bool = False
) -> tuple[np.ndarray, CpuCache]:
    """Evaluate a layer; see :func:`kanref.layer.layer_forward`."""
    n_samples, K = x.shape[0], layer.k + 1
    p = _parameters(layer)
    columns = np.empty((layer.n_in, n_samples), x.dtype)
    finite = None
    if loops.columns_of(x, layer.knots, layer.k, columns):
        finite = np.isfinite(x)
        x = np.ascontiguousarray(columns.T)
    cells = np.empty((layer.n_in, n_samples), np.int32)
    values, slopes = np.empty((2, layer.n_in, K, n_samples), x.dtype)
    base, dbase = np.empty((2, layer.n_in, n_samples), x.dtype)
    kind = _KINDS[layer.base_fun.name] if _is_known(layer) else -1
    if kind < 0:
        base[...], dbase[...] = layer.base_fun.pair(columns)
    y = np.empty((n_samples, layer.n_out), x.dtype)
    run = loops.forward_threads if _is_large(layer, n_samples) else loops.forward_one_thread
    linear = layer.extrapolate == "linear"
    features = (cells, values, slopes, base, dbase)
    run((p.knots, p.G, linear, kind), p.splines, columns, features, p.weights, y)
    f, df = symbolic_functions(layer, x, continued)
    cache = CpuCache(x, finite, features, p, f, df, None)
    y = add_symbolic(layer, cache, y)
    if finite is not None:
        y[(~finite).astype(x.dtype) @ layer.mask.astype(x.dtype) > 0] = np.nan
    if sums:
        cache = changed(cache, statistics=_statistics(layer, cache, y))
    return y, cache


def layer_backward(
    layer: Layer, cache: CpuCache, dy: np.ndarray, edge_cotangent: EdgeCotangent | None = None
) -> tuple[np.ndarray, Layer]:
    """Propagate a cotangent; see :func:`kanref.layer.layer_backward`."""
    p, n_samples = cache.parameters, dy.shape[0]
    dy = np.ascontiguousarray(dy)
    cotangent = np.empty((0, 0, 0), dy.dtype)
    if edge_cotangent is not None:
        r = (edge_cotangent.r0, edge_cotangent.r1, edge_cotangent.r2)
        cotangent = np.stack(r).astype(dy.dtype, copy=False)
    dx = np.empty((n_samples, layer.n_in), dy.dtype)
    dcoef = np.empty_like(p.coef)
    dscale, dscale_base = np.empty((2, layer.n_in, layer.n_out), dy.dtype)
    run = loops.backward_threads if _is_large(layer, n_samples) else loops.backward_one_thread
    gradients = (dcoef, dscale, dscale_base)
    run(p.splines, cache.features, p.weights, dy, cotangent, dx, gradients)
    daffine, dx = symbolic_backward(layer, cache, dy, edge_cotangent, dx)
    if cache.finite is not None:
        dx = np.where(cache.finite | ~layer.mask.any(axis=1), dx, np.nan)
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
    return dx, gradient


def _parameters(layer: Layer) -> Parameters:
    """Select what is numeric, and pad the knots and coefficients of "zero" mode.

    Padded by k cells on each side, the extended knots of "zero" mode are a grid like any other,
    whose outermost splines have the coefficient 0.
    """
    numeric = layer.numeric
    alive = None if numeric.all() else numeric
    coef = layer.coef.transpose(0, 2, 1)  # (n_in, G+k, n_out)
    scale = layer.scale_spline
    if scale is None:
        scale = np.ones(numeric.shape, coef.dtype)
    scale_base, knots, pad = layer.scale_base, layer.knots, 0
    if alive is not None:
        coef = np.where(alive[:, None, :], coef, 0)
        scale, scale_base = np.where(alive, scale, 0), np.where(alive, scale_base, 0)
    if layer.extrapolate == "zero" and layer.k:
        pad = layer.k
        coef = np.pad(coef, ((0, 0), (pad, pad), (0, 0)))
        step = (knots[:, -1:] - knots[:, :1]) / (knots.shape[1] - 1)
        steps = step * np.arange(1, pad + 1, dtype=knots.dtype)
        knots = np.concatenate([knots[:, :1] - steps[:, ::-1], knots, knots[:, -1:] + steps], 1)
    splines = (coef.dtype.type(0),) * (layer.k + 1)
    return Parameters(
        np.ascontiguousarray(knots),
        np.ascontiguousarray(coef),
        np.ascontiguousarray(scale),
        np.ascontiguousarray(scale_base),
        alive,
        pad,
        splines,
    )


def _statistics(layer: Layer, cache: CpuCache, y: np.ndarray) -> LayerStatistics:
    """Accumulate the statistics of x, of every edge and of the sums, in double precision."""
    p = cache.parameters
    mean_abs, mean, m2 = np.empty((3, layer.n_in, layer.n_out))
    large = _is_large(layer, y.shape[0])
    run = loops.statistics_threads if large else loops.statistics_one_thread
    run(p.splines, cache.features, p.weights, mean_abs, mean, m2)
    edges = Moments(y.shape[0], mean, m2)
    mean_abs, edges = symbolic_statistics(layer, cache, mean_abs, edges)
    return LayerStatistics(Moments.of(cache.x), mean_abs, edges, Moments.of(y))


def _is_known(layer: Layer) -> bool:
    """Tell whether the loops have the layer's base function."""
    name = layer.base_fun.name
    return name in _KINDS and BASE_FUNCTIONS.get(name) is layer.base_fun


def _is_large(layer: Layer, n_samples: int) -> bool:
    return n_samples * layer.n_in * layer.n_out >= THREADS_FROM
