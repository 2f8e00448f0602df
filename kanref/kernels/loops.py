"""The loops over the edges of a layer, compiled by Numba.

For each input the samples of a block are sorted by cell. On a cell the K = k + 1 splines that are
not zero have the same coefficients for all samples, so these stand in vector registers
(:mod:`kanref.kernels.vector`) while the samples pass, and the rows of coefficients are read once
and in their order, however many cells there are.

Shapes, with the knots already prepared by :mod:`kanref.kernels.cpu` (G cells):

=========  ===================  ================================================================
x          (N, n_in)
knots      (n_in, G + 2k + 1)   not decreasing
places     (n_in, 2, N)         the samples in order of their cells, block by block; their cells
features   (n_in, 2K + 2, N)    in the same order: B_m(x) of the K splines that start at the cell,
                                B'_m(x), b(x), b'(x)
coef       (n_in, G + k, n_out)
y, dy      (N, n_out)
=========  ===================  ================================================================

The arrays travel in tuples: grid (knots, G, linear, kind of base function), work (places,
features), weights (coef, scale, scale_base), gradients (dcoef, dscale, dscale_base). K is the
length of the tuple `splines`, a constant to the compiler; loops over m are written out.
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
from .vector import REGISTER, load, sign, store, total, zeros

# --- the edges of one input on one cell, some outputs --------------------------------------------


@njit(**INLINE)
def add_edges(splines, first, last, i, work, weights, rows, y, j, left):
    """Add φ_ij to the rows of y: scale_j Σ_m B_m coef_mj + b scale_base_j."""
    coef, scale, scale_base = weights[0][i], weights[1][i], weights[2][i]
    cells, f, K = work[0][i, 1], work[1][i], len(splines)
    s, base = load(scale, j, left), load(scale_base, j, left)
    w0 = w1 = w2 = w3 = w4 = w5 = zeros(scale, left)
    c = cells[first] - K  # the cell whose coefficients the w are; none yet
    p = first
    while p < last:
        while c < cells[p]:  # on to the next cell: the coefficients move up by one
            c = max(c + 1, cells[p] - K + 1)
            new = s * load(coef[c + K - 1], j, left)
            w0, w1, w2, w3, w4, w5 = moved_up(splines, w0, w1, w2, w3, w4, w5, new)
        while p < last and cells[p] == c:
            row = y[rows[p]]
            a = load(row, j, left) + f[2 * K, p] * base + f[0, p] * w0
            if K > 1:
                a = a + f[1, p] * w1
            if K > 2:
                a = a + f[2, p] * w2
            if K > 3:
                a = a + f[3, p] * w3
            if K > 4:
                a = a + f[4, p] * w4
            if K > 5:
                a = a + f[5, p] * w5
            store(row, j, left, a)
            p += 1


@njit(**INLINE)
def moved_up(splines, w0, w1, w2, w3, w4, w5, new):
    """Return w1 … and, as the last of the K vectors, the new one."""
    K = len(splines)
    return (
        w1 if K > 1 else new,
        w2 if K > 2 else new,
        w3 if K > 3 else new,
        w4 if K > 4 else new,
        w5 if K > 5 else new,
        new,
    )


@njit(**INLINE)
def edge_gradients(splines, first, last, i, work, weights, dy, cotangent, dx, gradients, j, left):
    """Add the gradients of these edges to those of their parameters and, if wanted, to dx.

    With g = dφ_ij: dcoef_mj += scale_j Σ B_m g, dscale_j += Σ_m coef_mj Σ B_m g,
    dscale_base_j += Σ b g, and dx += Σ_j g (scale_j Σ_m B'_m coef_mj + b' scale_base_j).
    """
    coef, scale, scale_base = weights[0][i], weights[1][i], weights[2][i]
    dcoef, dscale, dscale_base = gradients[0][i], gradients[1][i], gradients[2][i]
    order, cells, f, K = work[0][i, 0], work[0][i, 1], work[1][i], len(splines)
    s, base = load(scale, j, left), load(scale_base, j, left)
    ds, dbase = load(dscale, j, left), load(dscale_base, j, left)
    nothing = zeros(scale, left)
    w0 = w1 = w2 = w3 = w4 = w5 = nothing  # scale · coef of the cell, row by row
    d0 = d1 = d2 = d3 = d4 = d5 = nothing  # Σ B_m g of these rows
    c = cells[first] - K
    p = first
    while p < last:
        while c < cells[p]:
            if c >= cells[first]:  # row c is complete for these samples
                ds = add_gradient(coef, dcoef, c, s, d0, ds, j, left)
                c += 1
            else:
                c = max(c + 1, cells[p] - K + 1)
            new = s * load(coef[c + K - 1], j, left)
            w0, w1, w2, w3, w4, w5 = moved_up(splines, w0, w1, w2, w3, w4, w5, new)
            d0, d1, d2, d3, d4, d5 = moved_up(splines, d0, d1, d2, d3, d4, d5, nothing)
        while p < last and cells[p] == c:
            g = load(dy[order[p]], j, left)
            if cotangent is not None:
                phi = f[2 * K, p] * base + f[0, p] * w0
                if K > 1:
                    phi = phi + f[1, p] * w1
                if K > 2:
                    phi = phi + f[2, p] * w2
                if K > 3:
                    phi = phi + f[3, p] * w3
                if K > 4:
                    phi = phi + f[4, p] * w4
                if K > 5:
                    phi = phi + f[5, p] * w5
                g = g + load(cotangent[0, i], j, left) + load(cotangent[1, i], j, left) * phi
                g = g + load(cotangent[2, i], j, left) * sign(phi)
            slope = f[2 * K + 1, p] * base + f[K, p] * w0
            dbase = dbase + f[2 * K, p] * g
            d0 = d0 + f[0, p] * g
            if K > 1:
                slope = slope + f[K + 1, p] * w1
                d1 = d1 + f[1, p] * g
            if K > 2:
                slope = slope + f[K + 2, p] * w2
                d2 = d2 + f[2, p] * g
            if K > 3:
                slope = slope + f[K + 3, p] * w3
                d3 = d3 + f[3, p] * g
            if K > 4:
                slope = slope + f[K + 4, p] * w4
                d4 = d4 + f[4, p] * g
            if K > 5:
                slope = slope + f[K + 5, p] * w5
                d5 = d5 + f[5, p] * g
            if dx.size:
                dx[p] += total(slope * g)
            p += 1
    for _ in range(K):  # the rows of the last cell
        ds = add_gradient(coef, dcoef, c, s, d0, ds, j, left)
        d0, d1, d2, d3, d4, d5 = moved_up(splines, d0, d1, d2, d3, d4, d5, nothing)
        c += 1
    store(dscale_base, j, left, dbase)
    store(dscale, j, left, ds)


@njit(**INLINE)
def add_gradient(coef, dcoef, c, s, d, ds, j, left):
    """Add s · d to row c of dcoef, and return ds + coef · d."""
    store(dcoef[c], j, left, load(dcoef[c], j, left) + s * d)
    return ds + load(coef[c], j, left) * d


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


@njit(**OPTIONS)
def add_input(splines, i, first, last, work, weights, rows, y):
    """Add the edges of input i to rows[p] of y, for p = first … last - 1."""
    n_out, lanes = y.shape[1], REGISTER // y.itemsize
    full, vectors = blocks(n_out, lanes)
    for p in range(first, last, RUN):
        end = min(p + RUN, last)
        for j in range(0, full, 2 * lanes):
            add_edges(splines, p, end, i, work, weights, rows, y, j, None)
        for j in range(full, vectors, lanes):
            add_edges(splines, p, end, i, work, weights, rows, y, j, n_out - j)
        for j in range(vectors, n_out):
            add_edges(splines, p, end, i, work, weights, rows, y, j, True)


@njit(**OPTIONS)
def backward_input(splines, block, i, work, weights, dy, cotangent, dx, gradients):
    """Write the gradients of the parameters of input i and, unless dx is empty, dx of that input.

    `cotangent` is (3, n_in, n_out), or None.
    """
    n_samples, n_out = dy.shape
    lanes = REGISTER // dy.itemsize
    full, vectors = blocks(n_out, lanes)
    gradients[0][i] = 0
    gradients[1][i] = 0
    gradients[2][i] = 0
    sums = np.zeros(n_samples if dx.size else 0, dy.dtype)
    for b in range(0, n_samples, block):  # the samples are sorted block by block
        stop = min(b + block, n_samples)
        for p in range(b, stop, RUN):
            end = min(p + RUN, stop)
            for j in range(0, full, 2 * lanes):
                edge_gradients(
                    splines, p, end, i, work, weights, dy, cotangent, sums, gradients, j, None
                )
            for j in range(full, vectors, lanes):
                edge_gradients(
                    splines, p, end, i, work, weights, dy, cotangent, sums, gradients, j, n_out - j
                )
            for j in range(vectors, n_out):
                edge_gradients(
                    splines, p, end, i, work, weights, dy, cotangent, sums, gradients, j, True
                )
    order = work[0][i, 0]
    for p in range(sums.size):
        dx[order[p], i] = sums[p]


@njit(**OPTIONS)
def prepare_input(splines, i, first, last, grid, x, given, work):
    """Sort the samples first … last - 1 of input i by cell, and write their features.

    `given` (2, N, n_in) holds b and b' where the loops do not know them. Returns how many inputs
    are not finite; these are as good as t_0.
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
    spline_basis(inputs, sorted_cells, t, G, linear, splines, uniform, u, first, features)
    base, dbase = features[2 * K, first:last], features[2 * K + 1, first:last]
    if kind >= 0:
        base_function(kind, inputs, base, dbase)
    else:
        for p in range(size):
            base[p] = given[0, order[p], i]
            dbase[p] = given[1, order[p], i]
    return bad


STATISTICS_BLOCK = 64
"""Samples whose edge values are held at a time; their moments are merged in double precision.

Blocks of sorted samples are whole multiples of it.
"""


@njit(**OPTIONS)
def statistics_input(splines, i, work, weights, mean_abs, mean, m2):
    """Write the mean of |φ|, and the mean and M2 of φ, of the edges of input i."""
    n_samples, n_out = work[0].shape[2], mean.shape[1]
    phi = np.zeros((STATISTICS_BLOCK, n_out), weights[0].dtype)
    rows = np.empty(n_samples, np.int32)
    for p in range(n_samples):
        rows[p] = p % STATISTICS_BLOCK
    block_mean, block_m2 = np.zeros(n_out), np.zeros(n_out)
    mean_abs[i] = 0
    mean[i] = 0
    m2[i] = 0
    for first in range(0, n_samples, STATISTICS_BLOCK):
        last = min(first + STATISTICS_BLOCK, n_samples)
        phi[:] = 0
        add_input(splines, i, first, last, work, weights, rows, phi)
        merge_moments(phi, last - first, first, mean_abs[i], mean[i], m2[i], block_mean, block_m2)
    for j in range(n_out):
        mean_abs[i, j] /= n_samples


@njit(**OPTIONS)
def merge_moments(phi, size, before, total_abs, mean, m2, block_mean, block_m2):
    """Merge `size` rows of phi into Σ |φ|, mean and M2 of the `before` rows seen so far."""
    block_mean[:] = 0
    block_m2[:] = 0
    for n in range(size):
        for j in range(mean.size):
            block_mean[j] += phi[n, j]
            total_abs[j] += abs(phi[n, j])
    for j in range(mean.size):
        block_mean[j] /= size
    for n in range(size):
        for j in range(mean.size):
            delta = phi[n, j] - block_mean[j]
            block_m2[j] += delta * delta
    total = before + size
    for j in range(mean.size):
        delta = block_mean[j] - mean[j]
        mean[j] += delta * (size / total)
        m2[j] += block_m2[j] + delta * delta * (before * size / total)


@njit(**OPTIONS)
def column_moments(values):
    """Return mean and M2 of the columns of values (N, n), in double precision."""
    mean, m2 = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for n in range(values.shape[0]):
        for i in range(mean.size):
            mean[i] += values[n, i]
    for i in range(mean.size):
        mean[i] /= values.shape[0]
    for n in range(values.shape[0]):
        for i in range(mean.size):
            m2[i] += (values[n, i] - mean[i]) ** 2
    return mean, m2


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


@njit(**OPTIONS)
def statistics_one_thread(splines, work, weights, mean_abs, mean, m2):
    """Compute the statistics of all edges of a layer."""
    for i in range(mean.shape[0]):
        statistics_input(splines, i, work, weights, mean_abs, mean, m2)


@njit(parallel=True, **OPTIONS)
def statistics_threads(splines, work, weights, mean_abs, mean, m2):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(mean.shape[0]):
        statistics_input(splines, i, work, weights, mean_abs, mean, m2)
