"""The loops over the edges of a layer, compiled by Numba.

Shapes, with the knots already prepared by :mod:`kanref.kernels.cpu` (G cells, K = k + 1 splines
that are not zero on a cell):

=========  ==================  =================================================================
x          (n_in, N)           inputs, finite
knots      (n_in, G + 2k + 1)  not decreasing
cells      (n_in, N)           the cell of each input, 0 … G - 1
values     (n_in, K, N)        B_m(x) of the K splines that start at the cell; slopes: B'_m(x)
base       (n_in, N)           b(x); dbase: b'(x)
coef       (n_in, G + k, n_out)
y, dy      (N, n_out)
=========  ==================  =================================================================

The arrays travel in tuples: grid (knots, G, linear, kind of base function), features (cells,
values, slopes, base, dbase), weights (coef, scale, scale_base), gradients (dcoef, dscale,
dscale_base). K is the length of the tuple `splines`, a constant to the compiler.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from .basis import INLINE, OPTIONS, base_function, spline_basis

# --- the edges ---------------------------------------------------------------------------------
# The j loops are written out over at most six splines; K is a constant, so Numba keeps K of them.


@njit(**INLINE)
def add_edges(splines, v, n, w, coef, c, scale, scale_base, row):
    """Add φ_j of one input at one sample to row_j: scale_j Σ_m v_m coef_mj + w scale_base_j."""
    K = len(splines)
    m1, m2, m3, m4, m5 = min(1, K - 1), min(2, K - 1), min(3, K - 1), min(4, K - 1), min(5, K - 1)
    v0, v1, v2, v3, v4, v5 = v[0, n], v[m1, n], v[m2, n], v[m3, n], v[m4, n], v[m5, n]
    r0, r1, r2 = coef[c], coef[c + m1], coef[c + m2]
    r3, r4, r5 = coef[c + m3], coef[c + m4], coef[c + m5]
    for j in range(row.size):
        a = v0 * r0[j]
        if K > 1:
            a += v1 * r1[j]
        if K > 2:
            a += v2 * r2[j]
        if K > 3:
            a += v3 * r3[j]
        if K > 4:
            a += v4 * r4[j]
        if K > 5:
            a += v5 * r5[j]
        row[j] += scale[j] * a + w * scale_base[j]


@njit(**INLINE)
def edge_gradients(splines, v, s, n, w, dw, coef, c, scale, scale_base, row, dcoef, dbase):
    """Add Σ over j of one input at one sample: v_m row_j to dcoef_mj, w row_j to dbase_j.

    Returns dx = Σ_j row_j (scale_j Σ_m s_m coef_mj + dw scale_base_j). `dcoef` is that of
    scale · coef; the scale is split off once all samples are in.
    """
    K = len(splines)
    m1, m2, m3, m4, m5 = min(1, K - 1), min(2, K - 1), min(3, K - 1), min(4, K - 1), min(5, K - 1)
    v0, v1, v2, v3, v4, v5 = v[0, n], v[m1, n], v[m2, n], v[m3, n], v[m4, n], v[m5, n]
    s0, s1, s2, s3, s4, s5 = s[0, n], s[m1, n], s[m2, n], s[m3, n], s[m4, n], s[m5, n]
    r0, r1, r2 = coef[c], coef[c + m1], coef[c + m2]
    r3, r4, r5 = coef[c + m3], coef[c + m4], coef[c + m5]
    d0, d1, d2 = dcoef[c], dcoef[c + m1], dcoef[c + m2]
    d3, d4, d5 = dcoef[c + m3], dcoef[c + m4], dcoef[c + m5]
    dx = w * 0
    for j in range(row.size):
        g = row[j]
        a = s0 * r0[j]
        d0[j] += v0 * g
        if K > 1:
            a += s1 * r1[j]
            d1[j] += v1 * g
        if K > 2:
            a += s2 * r2[j]
            d2[j] += v2 * g
        if K > 3:
            a += s3 * r3[j]
            d3[j] += v3 * g
        if K > 4:
            a += s4 * r4[j]
            d4[j] += v4 * g
        if K > 5:
            a += s5 * r5[j]
            d5[j] += v5 * g
        dbase[j] += w * g
        dx += g * (scale[j] * a + dw * scale_base[j])
    return dx


@njit(**OPTIONS)
def split_scale(coef, scale, dcoef, dscale):
    """Turn d(scale · coef) into dcoef and dscale, for one input."""
    dscale[:] = 0
    for m in range(dcoef.shape[0]):
        for j in range(scale.size):
            dscale[j] += coef[m, j] * dcoef[m, j]
            dcoef[m, j] *= scale[j]


# --- a layer -----------------------------------------------------------------------------------


@njit(**OPTIONS)
def columns_of(x, knots, k, columns):
    """Write x (N, n_in) as columns (n_in, N), t_0 for what is not finite; count the latter."""
    bad = 0
    for i in range(columns.shape[0]):
        for n in range(columns.shape[1]):
            v = x[n, i]
            if math.isfinite(v):
                columns[i, n] = v
            else:
                columns[i, n] = knots[i, k]
                bad += 1
    return bad


@njit(**OPTIONS)
def prepare_input(i, grid, splines, x, features):
    """Write the basis and the base function of input i at all samples."""
    knots, G, linear, kind = grid
    cells, values, slopes, base, dbase = features
    spline_basis(x[i], knots[i], G, linear, splines, cells[i], values[i], slopes[i])
    if kind >= 0:
        base_function(kind, x[i], base[i], dbase[i])


@njit(**INLINE)
def add_input(i, n, splines, features, weights, row):
    """Add the edges of input i at sample n to row (n_out,)."""
    cells, values, _, base, _ = features
    coef, scale, scale_base = weights
    c = cells[i, n]
    add_edges(splines, values[i], n, base[i, n], coef[i], c, scale[i], scale_base[i], row)


@njit(**OPTIONS)
def forward_samples(first, last, splines, features, weights, y):
    """Write the rows first … last - 1 of y: the sums of the edges of all inputs."""
    y[first:last] = 0
    for i in range(weights[0].shape[0]):
        for n in range(first, last):
            add_input(i, n, splines, features, weights, y[n])


@njit(**INLINE)
def cotangent_row(i, dy, cotangent, phi, row):
    """Write row_j = dy_j + r0_j + r1_j φ_j + r2_j sign φ_j, with sign 0 = 0."""
    for j in range(row.size):
        affine = cotangent[0, i, j] + cotangent[1, i, j] * phi[j]
        row[j] = dy[j] + affine + cotangent[2, i, j] * np.sign(phi[j])


@njit(**OPTIONS)
def backward_input(i, splines, features, weights, dy, cotangent, dx, gradients):
    """Write the gradients of the parameters of input i, and dx of that input."""
    cells, values, slopes, base, dbase = features
    coef, scale, scale_base = weights
    dcoef, dscale, dscale_base = gradients
    dcoef[i] = 0
    dscale_base[i] = 0
    affine = cotangent.shape[0] > 0
    phi = np.zeros(dy.shape[1] * affine, dy.dtype)
    row = np.zeros(dy.shape[1] * affine, dy.dtype)
    for n in range(dy.shape[0]):
        g = dy[n]
        if affine:
            phi[:] = 0
            add_input(i, n, splines, features, weights, phi)
            cotangent_row(i, g, cotangent, phi, row)
            g = row
        dx[n, i] = edge_gradients(
            splines, values[i], slopes[i], n, base[i, n], dbase[i, n],
            coef[i], cells[i, n], scale[i], scale_base[i], g, dcoef[i], dscale_base[i]
        )  # fmt: skip
    split_scale(coef[i], scale[i], dcoef[i], dscale[i])


STATISTICS_BLOCK = 64
"""Samples whose edge values are held at a time; their moments are merged in double precision."""


@njit(**OPTIONS)
def statistics_input(i, splines, features, weights, mean_abs, mean, m2):
    """Write the mean of |φ|, and the mean and M2 of φ, of the edges of input i."""
    n_samples, n_out = features[0].shape[1], mean.shape[1]
    phi = np.zeros((STATISTICS_BLOCK, n_out), weights[0].dtype)
    block_mean, block_m2 = np.zeros(n_out), np.zeros(n_out)
    mean_abs[i] = 0
    mean[i] = 0
    m2[i] = 0
    for first in range(0, n_samples, STATISTICS_BLOCK):
        size = min(STATISTICS_BLOCK, n_samples - first)
        phi[:] = 0
        for n in range(size):
            add_input(i, first + n, splines, features, weights, phi[n])
        merge_moments(phi, size, first, mean_abs[i], mean[i], m2[i], block_mean, block_m2)
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
def forward_one_thread(grid, splines, x, features, weights, y):
    """Compute the basis and the sums of a layer."""
    for i in range(x.shape[0]):
        prepare_input(i, grid, splines, x, features)
    forward_samples(0, y.shape[0], splines, features, weights, y)


@njit(parallel=True, **OPTIONS)
def forward_threads(grid, splines, x, features, weights, y):
    """Do the same, inputs and then samples spread over the threads: the same bits."""
    for i in prange(x.shape[0]):
        prepare_input(i, grid, splines, x, features)
    for block in prange((y.shape[0] + 63) // 64):
        last = min(64 * block + 64, y.shape[0])
        forward_samples(64 * block, last, splines, features, weights, y)


@njit(**OPTIONS)
def backward_one_thread(splines, features, weights, dy, cotangent, dx, gradients):
    """Compute the gradients of a layer, input by input.

    `cotangent` is (3, n_in, n_out), or has no rows where there is none.
    """
    for i in range(dx.shape[1]):
        backward_input(i, splines, features, weights, dy, cotangent, dx, gradients)


@njit(parallel=True, **OPTIONS)
def backward_threads(splines, features, weights, dy, cotangent, dx, gradients):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(dx.shape[1]):
        backward_input(i, splines, features, weights, dy, cotangent, dx, gradients)


@njit(**OPTIONS)
def statistics_one_thread(splines, features, weights, mean_abs, mean, m2):
    """Compute the statistics of all edges of a layer."""
    for i in range(mean.shape[0]):
        statistics_input(i, splines, features, weights, mean_abs, mean, m2)


@njit(parallel=True, **OPTIONS)
def statistics_threads(splines, features, weights, mean_abs, mean, m2):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(mean.shape[0]):
        statistics_input(i, splines, features, weights, mean_abs, mean, m2)
