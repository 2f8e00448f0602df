"""The loops over the inputs of a layer, compiled by Numba.

For each input the samples of a block are sorted by cell, so that the rows of coefficients are read
once and in their order, however many cells there are (:mod:`kanref.kernels.edges`).

Shapes, with the knots already prepared by :mod:`kanref.kernels.cpu` (G cells):

=========  ===================  ================================================================
x          (N, n_in)
knots      (n_in, G + 2k + 1)   not decreasing
places     (n_in, 2, N)         the samples in order of their cells, block by block; their cells
features   (n_in, 2K + 2, N)    in the same order: B_m(x) of the K splines that start at the cell,
                                b(x), B'_m(x), b'(x); the slopes may be left out, (n_in, K + 1, N)
coef       (n_in, G + k, n_out)
y, dy      (N, n_out)
=========  ===================  ================================================================

The arrays travel in tuples, which Numba takes faster than named ones: grid (knots, G, linear, kind
of base function), work (places, features), weights and gradients (coef, scale, scale_base). K = k +
1 is the length of the tuple `splines`, a constant to the compiler.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from .basis import (
    INLINE,
    OPTIONS,
    base_function,
    find_cells,
    is_uniform,
    sort_by_cell,
    spline_basis,
)
from .edges import Samples, Weights, add_edges, edge_gradients, prefetch_rows
from .vector import REGISTER

# --- one input -----------------------------------------------------------------------------------


RUN = 256
"""Places in order of their cells that pass some outputs before the next outputs take their turn.

So the rows of coefficients are read in order, and the rows of y stay near.
"""


@njit(**INLINE)
def blocks(n_out, lanes):
    """Return where the outputs that fill pairs of vectors end, and those that go into vectors.

    One or two outputs that are left over are computed as numbers.
    """
    full = n_out - n_out % (2 * lanes)
    rest = n_out - full
    vectors = full + min(rest, (rest + lanes - 3) // lanes * lanes) if rest > 2 else full
    return full, vectors


@njit(**INLINE)
def of_input(i, work, weights):
    """Return what belongs to input i."""
    places, features = work
    coef, scale, scale_base = weights
    return (
        Samples(places[i, 0], places[i, 1], features[i]),
        Weights(coef[i], scale[i], scale_base[i]),
    )


@njit(**OPTIONS)
def add_input(splines, i, first, last, work, weights, rows, y):
    """Add the edges of input i to rows[p] of y, for p = first … last - 1."""
    n_out, lanes = y.shape[1], REGISTER // y.itemsize
    full, vectors = blocks(n_out, lanes)
    samples, edges = of_input(i, work, weights)
    for p in range(first, last, RUN):
        end = min(p + RUN, last)
        prefetch_rows(samples.cells[p], samples.cells[end - 1] + len(splines), edges.coef)
        for j in range(0, full, 2 * lanes):
            add_edges(splines, p, end, samples, edges, rows, y, j, None)
        for j in range(full, vectors, lanes):
            add_edges(splines, p, end, samples, edges, rows, y, j, n_out - j)
        for j in range(vectors, n_out):
            add_edges(splines, p, end, samples, edges, rows, y, j, True)


@njit(**OPTIONS)
def backward_input(splines, block, i, work, weights, dy, cotangent, dx, gradients):
    """Write the gradients of the parameters of input i and, unless dx is empty, dx of that input.

    `cotangent` is (3, n_in, n_out), or None.
    """
    n_samples, n_out = dy.shape
    lanes = REGISTER // dy.itemsize
    full, vectors = blocks(n_out, lanes)
    samples, edges = of_input(i, work, weights)
    gradient = of_input(i, work, gradients)[1]
    gradient.scale[:] = 0
    gradient.scale_base[:] = 0
    r = None if cotangent is None else cotangent[:, i]
    sums = np.zeros(n_samples if dx.size else 0, dy.dtype)
    fresh = 0  # the first row of dcoef that nothing was written to
    for b in range(0, n_samples, block):  # the samples are sorted block by block
        stop = min(b + block, n_samples)
        for p in range(b, stop, RUN):
            end = min(p + RUN, stop)
            row, after = samples.cells[p], samples.cells[end - 1] + len(splines)
            prefetch_rows(row, after, edges.coef)
            prefetch_rows(row, after, gradient.coef)
            if fresh < row:
                gradient.coef[fresh:row] = 0
                fresh = row
            this = (splines, p, end, samples, edges, dy, r, sums, gradient, fresh)
            for j in range(0, full, 2 * lanes):
                edge_gradients(*this, j, None)
            for j in range(full, vectors, lanes):
                edge_gradients(*this, j, n_out - j)
            for j in range(vectors, n_out):
                edge_gradients(*this, j, True)
            fresh = max(fresh, after)
    gradient.coef[fresh:] = 0
    for p in range(sums.size):
        dx[samples.order[p], i] = sums[p]


@njit(**OPTIONS)
def prepare_input(splines, i, first, last, grid, x, given, work):
    """Sort the samples first … last - 1 of input i by cell, and write their features.

    `given` (2, N, n_in) holds b and b' where the loops do not know them. Slopes that nobody asked
    for are written too, to where they are forgotten: on the line of extrapolation the values need
    them. Returns how many inputs are not finite; these are as good as t_0.
    """
    knots, G, linear, kind = grid
    t, features, K, size = knots[i], work[1][i], len(splines), last - first
    order, sorted_cells = work[0][i, 0, first:last], work[0][i, 1, first:last]
    column, u = np.empty(size, t.dtype), np.empty(size, t.dtype)
    cells = np.empty(size, np.int32)
    bad = 0
    for n in range(size):
        v = x[first + n, i]
        if not math.isfinite(v):
            v = t[K - 1]
            bad += 1
        column[n] = v
    uniform = is_uniform(t, K - 1, G)
    find_cells(column, t, G, splines, uniform, cells)
    sort_by_cell(cells, np.empty(G + 1, np.int32), order)
    inputs = np.empty(size, t.dtype)
    for p in range(size):
        n = order[p]
        sorted_cells[p] = cells[n]
        inputs[p] = column[n]
        order[p] = first + n
    kept = features.shape[0] > K + 1
    slopes, begin = (features[K + 1 :], first) if kept else (np.empty((K + 1, size), t.dtype), 0)
    spline_basis(
        inputs, sorted_cells, t, G, linear, splines, uniform, u, features, first, slopes, begin
    )
    base, dbase = features[K, first:last], slopes[K, begin : begin + size]
    if kind >= 0:
        base_function(kind, inputs, base, dbase)
    else:
        for p in range(size):
            base[p] = given[0, order[p], i]
            dbase[p] = given[1, order[p], i]
    return bad


# --- a layer -------------------------------------------------------------------------------------


@njit(**OPTIONS)
def forward_block(splines, first, last, grid, x, given, work, weights, y):
    """Compute the features of a block of samples and the sums of their edges."""
    y[first:last] = 0
    bad = 0
    for i in range(x.shape[1]):
        bad += prepare_input(splines, i, first, last, grid, x, given, work)
        add_input(splines, i, first, last, work, weights, work[0][i, 0], y)
    return bad


@njit(**OPTIONS)
def forward_one_thread(splines, block, grid, x, given, work, weights, y):
    """Compute the features and the sums of a layer; return how many inputs are not finite."""
    bad = 0
    for first in range(0, y.shape[0], block):
        last = min(first + block, y.shape[0])
        bad += forward_block(splines, first, last, grid, x, given, work, weights, y)
    return bad


@njit(parallel=True, **OPTIONS)
def forward_threads(splines, block, grid, x, given, work, weights, y):
    """Do the same, blocks spread over the threads: the same bits."""
    bad = 0
    for b in prange((y.shape[0] + block - 1) // block):
        last = min((b + 1) * block, y.shape[0])
        bad += forward_block(splines, b * block, last, grid, x, given, work, weights, y)
    return bad


@njit(**OPTIONS)
def backward_one_thread(splines, block, work, weights, dy, cotangent, dx, gradients):
    """Compute the gradients of a layer, input by input."""
    for i in range(weights[0].shape[0]):
        backward_input(splines, block, i, work, weights, dy, cotangent, dx, gradients)


@njit(parallel=True, **OPTIONS)
def backward_threads(splines, block, work, weights, dy, cotangent, dx, gradients):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(weights[0].shape[0]):
        backward_input(splines, block, i, work, weights, dy, cotangent, dx, gradients)
