"""layer_forward and layer_backward on a CUDA device, by CuPy: cost independent of G.

The kernels stand in ``cuda_source.cu``, which says how they work; :mod:`kanref.kernels.launch`
says on how many threads. No array of (N, n_in, G + k) exists: what the splines are at a point is
computed anew by each block that needs it, in shared memory. All sums have a fixed order, so results
repeat to the bit.

Nothing here waits for the device or copies to the host. Symbolic edges, and base functions that the
kernels do not know, go through the functions of the reference, on the device too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import Array, namespace
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
from .device import launch
from .launch import FAN, ForwardPlan, LayerSize, WalkPlan, per_element, plan_inputs

MAX_DEGREE = 5
"""As on the CPU; higher degrees are for the reference."""

_KINDS = {"zero": 0, "identity": 1, "silu": 2, "tanh": 3}


@dataclass
class CudaCache:
    """What a forward pass leaves for the backward pass."""

    given: Given
    size: LayerSize
    x: Array  # (N, n_in); where edges are symbolic, with t_0 in place of what is not finite
    f: Array | None = None  # (N, n_symbolic)
    df: Array | None = None  # (N, n_symbolic)
    statistics: LayerStatistics | None = None


@dataclass(frozen=True)
class Given:
    """The arguments that most kernels begin with, and the sizes that follow their arrays."""

    x: Array  # (N, n_in)
    base: Array | None  # (2, N, n_in), b and b' where the kernels do not know them
    knots: Array  # (n_in, G+2k+1)
    coef: Array  # (n_in, G+k, n_out)
    scale: Array | None  # (n_in, n_out)
    scale_base: Array  # (n_in, n_out)
    code: Array  # (n_in, n_out), uint8: 0 dead, 1 numeric, 2 symbolic
    kind: int  # of base function

    @property
    def arrays(self) -> tuple[Array | None, ...]:
        """The arrays in the order of the kernels."""
        edges = (self.coef, self.scale, self.scale_base, self.code)
        return (self.x, self.base, self.knots, *edges)


def is_device_array(x: Any) -> bool:
    """Tell whether `x` is an array of CuPy; it need not be installed."""
    return type(x).__module__.partition(".")[0] == "cupy"


def supports(layer: Layer, x: Any) -> bool:
    """Tell whether the kernels can take this layer and this array of a device."""
    dtypes = {str(a.dtype) for a in (x, layer.coef, layer.knots)}
    return (
        dtypes in ({"float32"}, {"float64"})
        and layer.k <= MAX_DEGREE
        and 0 < x.shape[0] < 2**31
        and layer.n_in * layer.n_out > 0
    )


def layer_forward(
    layer: Layer, x: Array, *, sums: bool = False, continued: bool = False
) -> tuple[Array, CudaCache]:
    """Evaluate a layer; see :func:`kanref.layer.layer_forward`.

    Raises
    ------
    MemoryError
        If the device has too little memory; the message names a number of rows to try.
    """
    with _memory(layer, x.shape[0]):
        xp = namespace(x)
        finite = x
        if layer.symbolic or sums or _kind(layer) < 0:
            finite = xp.where(xp.isfinite(x), x, layer.knots[:, layer.k])
        given = _given(layer, x, finite)
        size = _size(layer, x)
        cache = CudaCache(given, size, finite)
        y = _forward(given, size)
        if layer.symbolic:
            cache.f, cache.df = symbolic_functions(layer, finite, continued)
            y = add_symbolic(layer, cache, y)
        if sums:
            cache.statistics = _statistics(layer, cache, y)
        return y, cache


def layer_backward(
    layer: Layer,
    cache: CudaCache,
    dy: Array,
    edge_cotangent: EdgeCotangent | None = None,
    *,
    out: Layer | None = None,
    inputs: bool = True,
) -> tuple[Array | None, Layer]:
    """Propagate a cotangent; see :func:`kanref.layer.layer_backward`.

    The gradients are written into the arrays of `out` where it is given. Without `inputs` there is
    no dx.

    Raises
    ------
    MemoryError
        If the device has too little memory; the message names a number of rows to try.
    """
    with _memory(layer, dy.shape[0]):
        xp, given, size = namespace(dy), cache.given, cache.size
        dy, r = xp.ascontiguousarray(dy), None
        if edge_cotangent is not None:
            r = xp.stack((edge_cotangent.r0, edge_cotangent.r1, edge_cotangent.r2))
            r = xp.ascontiguousarray(r.astype(dy.dtype, copy=False))
        plan = WalkPlan.of(size)
        order = _sort(given, size, plan)
        gradient = _edge_gradients(layer, cache, plan, (order, dy, r), out)
        dx = None
        if inputs or layer.symbolic:
            dx = _input_cotangents(layer, cache, (order, dy, r))
        if layer.symbolic:
            daffine, dx = symbolic_backward(layer, cache, dy, edge_cotangent, dx)
            gradient = changed(gradient, affine=daffine)
        return dx if inputs else None, _into(out, gradient)


# --- arguments ----------------------------------------------------------------------------------


def _size(layer: Layer, x: Array) -> LayerSize:
    linear = layer.extrapolate == "linear"
    itemsize = np.dtype(str(x.dtype)).itemsize
    return LayerSize(x.shape[0], layer.n_in, layer.n_out, layer.G, layer.k, linear, itemsize)


def _given(layer: Layer, x: Array, finite: Array) -> Given:
    """Lay out the arguments of the kernels; nothing is copied that lies as they want it."""
    xp, kind = namespace(x), _kind(layer)
    contiguous = xp.ascontiguousarray
    code = layer.mask.astype(xp.uint8)  # a copy
    for edge in layer.symbolic:
        code[edge.i, edge.j] *= 2
    return Given(
        x=contiguous(x),
        base=contiguous(xp.stack(layer.base_fun.pair(finite))) if kind < 0 else None,
        knots=contiguous(layer.knots),
        coef=contiguous(layer.coef.transpose(0, 2, 1)),
        scale=None if layer.scale_spline is None else contiguous(layer.scale_spline),
        scale_base=contiguous(layer.scale_base),
        code=contiguous(code),
        kind=kind,
    )


def _kind(layer: Layer) -> int:
    """Return the number of a base function that the kernels know, else -1."""
    name = layer.base_fun.name
    known = name in _KINDS and BASE_FUNCTIONS.get(name) is layer.base_fun
    return _KINDS[name] if known else -1


def _sizes(given: Given, size: LayerSize) -> tuple[int, ...]:
    """Return the integers that follow the arrays of most kernels."""
    return size.N, size.n_in, size.n_out, size.G, int(size.linear), given.kind


def _into(out: Layer | None, gradient: Layer) -> Layer:
    """Write a gradient into `out` unless it stands there already."""
    if out is None:
        return gradient
    names = [n for n in PARAMETERS if getattr(gradient, n) is not getattr(out, n)]
    return assign(out, gradient, names)


@contextmanager
def _memory(layer: Layer, n_samples: int) -> Iterator[None]:
    """Say what to do when the device has no memory; CuPy's error is a MemoryError."""
    try:
        yield
    except MemoryError as error:
        raise MemoryError(
            f"the device has no memory for {n_samples} rows in a layer of {layer.n_in} inputs, "
            f"{layer.n_out} outputs and G = {layer.G}: try chunks of {max(1, n_samples // 4)} "
            f"rows, by a smaller `max_memory` or `batch_size` ({error})"
        ) from error


# --- kernels ------------------------------------------------------------------------------------


def _forward(given: Given, size: LayerSize) -> Array:
    """Return y (N, n_out), without the symbolic edges."""
    xp, plan = namespace(given.x), ForwardPlan.of(size)
    y = xp.empty((plan.slabs, size.N, size.n_out), dtype=given.x.dtype)
    sizes = (*_sizes(given, size), plan.lanes, plan.chunk, plan.inputs)
    launch("forward", given.x.dtype, size.k, plan.launch, *given.arrays, y, *sizes)
    return _sum_slabs(y, size.k)


def _sum_slabs(slabs: Array, k: int) -> Array:
    """Add up slabs along their first axis, FAN at a time, always in the same order."""
    xp = namespace(slabs)
    while slabs.shape[0] > 1:
        n_slabs, shape = slabs.shape[0], slabs.shape[1:]
        total = xp.empty((-(-n_slabs // FAN), *shape), dtype=slabs.dtype)
        count = math.prod(shape)
        how = per_element(count * total.shape[0])
        launch("sum_slabs", slabs.dtype, k, how, slabs, total, np.int64(count), n_slabs, FAN)
        slabs = total
    return slabs[0]


def _sort(given: Given, size: LayerSize, plan: WalkPlan) -> Array:
    """Return the samples of each input in the order of their cells, split by split, (n_in, N)."""
    xp = namespace(given.x)
    order = xp.empty((size.n_in, size.N), dtype=xp.int32)
    scratch = None
    if not plan.sort_in_shared:
        scratch = xp.empty((size.n_in * plan.splits, size.cells), dtype=xp.int32)
    sizes = (size.N, size.n_in, size.G, int(size.linear), plan.length, plan.sort_in_shared)
    arrays = (given.x, given.knots, order, scratch)
    launch("sort_by_cell", given.x.dtype, size.k, plan.sort, *arrays, *sizes)
    return order


def _edge_gradients(
    layer: Layer, cache: CudaCache, plan: WalkPlan, along: tuple, out: Layer | None
) -> Layer:
    """Return the gradients of the numeric edges, in the arrays of `out` where they fit."""
    given, size = cache.given, cache.size
    xp, dtype, k = namespace(given.x), given.x.dtype, size.k
    partial = xp.empty((plan.slabs, *given.coef.shape), dtype=dtype)
    partial_base = xp.empty((plan.slabs, size.n_in, size.n_out), dtype=dtype)
    sizes = (*_sizes(given, size), plan.lanes, plan.length)
    arrays = (*given.arrays, *along, partial, partial_base)
    launch("edge_gradients", dtype, k, plan.walk, *arrays, *sizes)
    total, total_base = _sum_slabs(partial, k), _sum_slabs(partial_base, k)

    coef = None if out is None else out.coef.transpose(0, 2, 1)
    dcoef = total if coef is None or not _fits(coef, total) else coef
    dbase = total_base if out is None or not _fits(out.scale_base, total_base) else out.scale_base
    dscale = None
    if given.scale is not None:
        fits = out is not None and _fits(out.scale_spline, given.scale)
        dscale = out.scale_spline if fits else xp.empty_like(given.scale)  # type: ignore[union-attr]
    arrays = (given.coef, given.scale, given.code, total, total_base, dcoef, dscale, dbase)
    how = per_element(size.n_in * size.n_out)
    launch("finish", dtype, k, how, *arrays, size.n_in, size.n_out, size.rows)
    return changed(
        layer,
        coef=out.coef if out is not None and dcoef is coef else dcoef.transpose(0, 2, 1),
        scale_base=dbase,
        scale_spline=dscale,
        affine=layer.affine if out is None or layer.symbolic else out.affine,
    )


def _fits(target: Array | None, source: Array) -> bool:
    """Tell whether a kernel may write into `target` what has the shape of `source`."""
    return (
        target is not None
        and target.flags.c_contiguous
        and target.shape == source.shape
        and target.dtype == source.dtype
    )


def _input_cotangents(layer: Layer, cache: CudaCache, along: tuple) -> Array:
    """Return dx (N, n_in), without the symbolic edges."""
    given, size = cache.given, cache.size
    xp = namespace(given.x)
    how, lanes = plan_inputs(size)
    reach = xp.any(layer.mask, axis=1).astype(xp.uint8)
    dx = xp.empty((size.N, size.n_in), dtype=given.x.dtype)
    arrays = (*given.arrays, reach, *along, dx)
    sizes = (*_sizes(given, size), lanes)
    launch("input_cotangents", given.x.dtype, size.k, how, *arrays, *sizes)
    return dx


def _statistics(layer: Layer, cache: CudaCache, y: Array) -> LayerStatistics:
    """Accumulate the statistics of x, of every edge and of the sums, in double precision."""
    given, size = cache.given, cache.size
    xp, plan, dtype = namespace(y), WalkPlan.of(size), given.x.dtype
    partial = xp.empty((3, plan.slabs, size.n_in, size.n_out), dtype=xp.float64)
    sizes = (*_sizes(given, size), plan.lanes, plan.length, plan.slabs)
    launch("edge_statistics", dtype, size.k, plan.walk, *given.arrays, partial, *sizes)
    result = xp.empty((3, size.n_in, size.n_out), dtype=xp.float64)
    n_edges = size.n_in * size.n_out
    merge = (size.N, np.int64(n_edges), plan.length, plan.slices, plan.slabs)
    launch("merge_statistics", dtype, size.k, per_element(n_edges), partial, result, *merge)
    edges = Moments(size.N, result[1], result[2])
    mean_abs, edges = symbolic_statistics(layer, cache, result[0], edges)
    return LayerStatistics(Moments.of(cache.x), mean_abs, edges, Moments.of(y))
