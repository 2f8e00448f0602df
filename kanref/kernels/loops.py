"""The loops of the CPU kernels, compiled by Numba. This file imports nothing of kanref.

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

On a cell each spline is a polynomial of u = (x - t_c) / (t_{c+1} - t_c). A uniform grid has one
table of their coefficients for all cells; an adaptive one a table for each cell, or, where there
are too few samples for the tables to pay, the recursion at each sample. K is the length of the
tuple `splines`, so that Numba compiles a version for each degree and unrolls the loops over m.

``fastmath`` allows to reorder and to fuse, never to assume that NaN or infinity do not occur.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

_FAST = {"contract", "reassoc", "nsz", "arcp"}
_OPTIONS = {"fastmath": _FAST, "error_model": "numpy", "cache": True, "nogil": True}
_INLINE = {**_OPTIONS, "forceinline": True}

ZERO, IDENTITY, SILU, TANH = 0, 1, 2, 3
"""The base functions that the loops know."""


# --- the basis ---------------------------------------------------------------------------------


@njit(**_OPTIONS)
def is_uniform(t, k, G):
    """Tell whether the knots are equally spaced, to rounding."""
    h = (t[k + G] - t[k]) / G
    largest = max(abs(t[0]), abs(t[-1]))
    tolerance = 8 * np.finfo(t.dtype).eps * largest
    for m in range(t.size):
        if not abs(t[m] - (t[k] + (m - k) * h)) <= tolerance:
            return False
    return h > 0


@njit(**_OPTIONS)
def cell_polynomials(t, work, table):
    """Write the polynomials in u of the K splines on the cell [t[k-1], t[k]] of 2k knots.

    ``table[p, m]`` is the coefficient of u^p of spline m: the recursion of Cox and de Boor, on
    polynomials, with 0/0 := 0.
    """
    K = table.shape[0]
    k = K - 1
    table[:] = 0
    table[0, 0] = 1
    for p in range(1, K):
        work[:] = 0
        for m in range(p):
            left, right = t[k - p + m], t[k + m]
            scale = 1 / (right - left) if right > left else 0.0
            start, width = t[k - 1], t[k] - t[k - 1]
            for q in range(p):
                v = table[q, m] * scale
                work[q, m] += v * (right - start)
                work[q + 1, m] -= v * width
                work[q, m + 1] += v * (start - left)
                work[q + 1, m + 1] += v * width
        table[:] = work


@njit(**_INLINE)
def find_cell(v, t, k, G, inverse):
    """Return the cell with t_c ≤ v < t_{c+1}, in steps on a uniform grid, else by bisection."""
    if inverse > 0:
        c = min(max(int((v - t[k]) * inverse), 0), G - 1)
        if c > 0 and v < t[k + c]:
            c -= 1
        if c < G - 1 and v >= t[k + c + 1]:
            c += 1
    else:
        c, above = 0, G
        while above - c > 1:
            middle = (c + above) // 2
            if v >= t[k + middle]:
                c = middle
            else:
                above = middle
    while c > 0 and not t[k + c] < t[k + c + 1]:
        c -= 1  # v = t_G: the last cell that is not empty
    return c


@njit(**_INLINE)
def by_recursion(v, t, c, n, work, values, slopes):
    """Write the K splines and their slopes at v in cell c (The NURBS Book, algorithm A2.2)."""
    K = values.shape[0]
    k = K - 1
    values[0, n] = 1
    for p in range(1, K):
        saved = values[0, n] * 0
        for m in range(p):
            left, right = t[k + c + 1 - p + m], t[k + c + 1 + m]
            q = values[m, n] / (right - left) if right > left else values[m, n] * 0
            if p == k:
                work[m] = q
            values[m, n] = saved + (right - v) * q
            saved = (v - left) * q
        values[p, n] = saved
    for m in range(K):
        slope = values[0, n] * 0
        if m > 0:
            slope += k * work[m - 1]
        if m < k:
            slope -= k * work[m]
        slopes[m, n] = slope


@njit(**_OPTIONS)
def uniform_basis(x, t, G, splines, cells, values, slopes):
    """Write cells, values and slopes on a uniform grid: one table, loops over the samples.

    Where a spline and its slope have no step, k ≥ 2, a point on a breakpoint may count to either
    cell; for k ≤ 1 the cell is the one that comparing with the knots gives.
    """
    K = len(splines)
    k = K - 1
    first, last = t[k], t[k + G]
    step = G / (last - first)
    u = np.empty(x.size, t.dtype)
    if k > 1:
        for n in range(x.size):
            position = (min(max(x[n], first), last) - first) * step
            cell = min(math.floor(position), t.dtype.type(G - 1))
            cells[n] = np.int32(cell)
            u[n] = position - cell
    else:
        for n in range(x.size):
            inside = min(max(x[n], first), last)
            cells[n] = find_cell(inside, t, k, G, step)
            u[n] = (inside - t[k + cells[n]]) * step
    table = np.zeros((K, K), np.float64)
    cell_polynomials(t[1 : 2 * k + 1], np.zeros((K, K), np.float64), table)
    for m in range(K):
        for n in range(x.size):
            value, slope = t.dtype.type(table[k, m]), t.dtype.type(0)
            for p in range(k - 1, -1, -1):
                slope = slope * u[n] + value
                value = value * u[n] + t.dtype.type(table[p, m])
            values[m, n] = value
            slopes[m, n] = slope * step


@njit(**_OPTIONS)
def adaptive_basis(x, t, G, splines, cells, values, slopes):
    """Write cells, values and slopes on any grid: a table for each cell where that pays."""
    K = len(splines)
    k = K - 1
    tabulated = k > 0 and G * 8 <= x.size
    table = np.zeros((G * tabulated, K, K), t.dtype)
    inverse = np.zeros(G * tabulated, t.dtype)
    work, exact = np.zeros((K, K), np.float64), np.zeros((K, K), np.float64)
    for c in range(G * tabulated):
        cell_polynomials(t[c + 1 : c + 2 * k + 1], work, exact)
        table[c] = exact
        width = t[k + c + 1] - t[k + c]
        inverse[c] = 1 / width if width > 0 else 0
    quotients = np.zeros(K, t.dtype)
    for n in range(x.size):
        inside = min(max(x[n], t[k]), t[k + G])
        c = find_cell(inside, t, k, G, t.dtype.type(0))
        cells[n] = c
        if not tabulated:
            by_recursion(inside, t, c, n, quotients, values, slopes)
            continue
        u = (inside - t[k + c]) * inverse[c]
        for m in range(K):
            value, slope = table[c, k, m], table[c, k, m] * 0
            for p in range(k - 1, -1, -1):
                slope = slope * u + value
                value = value * u + table[c, p, m]
            values[m, n] = value
            slopes[m, n] = slope * inverse[c]


@njit(**_OPTIONS)
def spline_basis(x, t, G, linear, splines, cells, values, slopes):
    """Write cells, values and slopes of the splines of one input at all samples."""
    K = len(splines)
    first, last = t[K - 1], t[K - 1 + G]
    if is_uniform(t, K - 1, G):
        uniform_basis(x, t, G, splines, cells, values, slopes)
    else:
        adaptive_basis(x, t, G, splines, cells, values, slopes)
    for m in range(K):
        for n in range(x.size):
            if linear:
                beyond = x[n] - min(max(x[n], first), last)
                values[m, n] += beyond * slopes[m, n]
            elif not (x[n] >= first and x[n] < last):
                values[m, n] = 0
                slopes[m, n] = 0


@njit(**_INLINE)
def exponential(x):
    """Return exp(x), x clipped to ±708: 2^j times a polynomial of the rest (Cody & Waite 1980).

    The library's exp is one call for each number; this one runs in vector registers.
    """
    x = min(max(x, -708.0), 708.0)
    j = math.floor(x * 1.4426950408889634 + 0.5)
    r = (x - j * 6.93145751953125e-1) - j * 1.42860682030941723212e-6
    p = 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.388888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.int64(j) + 1023) << 52).view(np.float64)


@njit(**_OPTIONS)
def base_function(kind, x, base, dbase):
    """Write b and b' of a known base function."""
    if kind == SILU:
        for n in range(x.size):
            v = max(x[n], -708.0)  # where exp ends; silu is 0 there to 1e-305
            s = 1 / (1 + exponential(-v))
            base[n] = v * s
            dbase[n] = s * (1 + v * (1 - s))
    elif kind == TANH:
        for n in range(x.size):
            # 1 - 2 / (e^2x + 1) cancels near 0, where the odd series is exact.
            v = min(max(np.float64(x[n]), -30.0), 30.0)  # beyond, tanh is ±1 to rounding
            w = v * v
            e = 1 - 2 / (exponential(2 * v) + 1)
            if w < 1e-2:
                e = v * (
                    1
                    + w
                    * (
                        -1 / 3
                        + w
                        * (
                            2 / 15
                            + w
                            * (
                                -17 / 315
                                + w * (62 / 2835 + w * (-1382 / 155925 + w * 21844 / 6081075))
                            )
                        )
                    )
                )
            base[n] = e
            dbase[n] = 1 - e * e
    elif kind == IDENTITY:
        for n in range(x.size):
            base[n] = x[n]
            dbase[n] = 1
    else:
        base[:] = 0
        dbase[:] = 0


# --- the edges ---------------------------------------------------------------------------------
# The j loops are written out over at most six splines; K is a constant, so Numba keeps K of them.


@njit(**_INLINE)
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


@njit(**_INLINE)
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


@njit(**_OPTIONS)
def split_scale(coef, scale, dcoef, dscale):
    """Turn d(scale · coef) into dcoef and dscale, for one input."""
    dscale[:] = 0
    for m in range(dcoef.shape[0]):
        for j in range(scale.size):
            dscale[j] += coef[m, j] * dcoef[m, j]
            dcoef[m, j] *= scale[j]


@njit(**_INLINE)
def cotangent_row(splines, v, n, w, coef, c, scale, scale_base, dy, r0, r1, r2, phi, row):
    """Write row_j = dy_j + r0_j + r1_j φ_j + r2_j sign φ_j, with sign 0 = 0."""
    phi[:] = 0
    add_edges(splines, v, n, w, coef, c, scale, scale_base, phi)
    for j in range(row.size):
        sign = np.sign(phi[j])
        row[j] = dy[j] + r0[j] + r1[j] * phi[j] + r2[j] * sign


# --- a layer -----------------------------------------------------------------------------------


@njit(**_OPTIONS)
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


@njit(**_OPTIONS)
def prepare_input(i, knots, G, linear, kind, splines, x, cells, values, slopes, base, dbase):
    """Write the basis and the base function of one input at all samples."""
    spline_basis(x[i], knots[i], G, linear, splines, cells[i], values[i], slopes[i])
    if kind >= 0:
        base_function(kind, x[i], base[i], dbase[i])


@njit(**_OPTIONS)
def forward_samples(first, last, splines, cells, values, base, coef, scale, scale_base, y):
    """Add the edges of all inputs to the rows first … last - 1 of y."""
    y[first:last] = 0
    for i in range(coef.shape[0]):
        for n in range(first, last):
            add_edges(
                splines,
                values[i],
                n,
                base[i, n],
                coef[i],
                cells[i, n],
                scale[i],
                scale_base[i],
                y[n],
            )


@njit(**_OPTIONS)
def backward_input(
    i,
    splines,
    cells,
    values,
    slopes,
    base,
    dbase,
    coef,
    scale,
    scale_base,
    dy,
    cotangent,
    dx,
    dcoef,
    dscale,
    dscale_base,
):
    """Write the gradients of one input's parameters, and dx of that input.

    `cotangent` is (3, n_in, n_out), or has no rows where there is none.
    """
    n_out = dy.shape[1]
    dcoef[i] = 0
    dscale_base[i] = 0
    affine = cotangent.shape[0] > 0
    phi, row = np.zeros(n_out * affine, dy.dtype), np.zeros(n_out * affine, dy.dtype)
    for n in range(dy.shape[0]):
        c = cells[i, n]
        w = base[i, n]
        g = dy[n]
        if affine:
            cotangent_row(
                splines,
                values[i],
                n,
                w,
                coef[i],
                c,
                scale[i],
                scale_base[i],
                g,
                cotangent[0, i],
                cotangent[1, i],
                cotangent[2, i],
                phi,
                row,
            )
            g = row
        dx[n, i] = edge_gradients(
            splines,
            values[i],
            slopes[i],
            n,
            w,
            dbase[i, n],
            coef[i],
            c,
            scale[i],
            scale_base[i],
            g,
            dcoef[i],
            dscale_base[i],
        )
    split_scale(coef[i], scale[i], dcoef[i], dscale[i])


STATISTICS_BLOCK = 64
"""Samples whose edge values are held at a time; their moments are merged in double precision."""


@njit(**_OPTIONS)
def statistics_input(i, splines, cells, values, base, coef, scale, scale_base, mean_abs, mean, m2):
    """Write the mean of |φ|, and the mean and M2 of φ, of one input's edges."""
    n_samples, n_out = cells.shape[1], scale.shape[1]
    phi = np.zeros((STATISTICS_BLOCK, n_out), coef.dtype)
    block_mean, block_m2 = np.zeros(n_out), np.zeros(n_out)
    mean_abs[i] = 0
    mean[i] = 0
    m2[i] = 0
    for first in range(0, n_samples, STATISTICS_BLOCK):
        size = min(STATISTICS_BLOCK, n_samples - first)
        phi[:] = 0
        for n in range(size):
            add_edges(
                splines,
                values[i],
                first + n,
                base[i, first + n],
                coef[i],
                cells[i, first + n],
                scale[i],
                scale_base[i],
                phi[n],
            )
        merge_moments(phi, size, first, mean_abs[i], mean[i], m2[i], block_mean, block_m2)
    for j in range(n_out):
        mean_abs[i, j] /= n_samples


@njit(**_OPTIONS)
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


@njit(**_OPTIONS)
def forward_one_thread(
    knots,
    G,
    linear,
    kind,
    splines,
    x,
    cells,
    values,
    slopes,
    base,
    dbase,
    coef,
    scale,
    scale_base,
    y,
):
    """Basis and sums of a layer."""
    for i in range(knots.shape[0]):
        prepare_input(i, knots, G, linear, kind, splines, x, cells, values, slopes, base, dbase)
    forward_samples(0, y.shape[0], splines, cells, values, base, coef, scale, scale_base, y)


@njit(parallel=True, **_OPTIONS)
def forward_threads(
    knots,
    G,
    linear,
    kind,
    splines,
    x,
    cells,
    values,
    slopes,
    base,
    dbase,
    coef,
    scale,
    scale_base,
    y,
):
    """Do the same, inputs and then samples spread over the threads: the same bits."""
    for i in prange(knots.shape[0]):
        prepare_input(i, knots, G, linear, kind, splines, x, cells, values, slopes, base, dbase)
    blocks = (y.shape[0] + 63) // 64
    for block in prange(blocks):
        forward_samples(
            64 * block,
            min(64 * block + 64, y.shape[0]),
            splines,
            cells,
            values,
            base,
            coef,
            scale,
            scale_base,
            y,
        )


@njit(**_OPTIONS)
def backward_one_thread(
    splines,
    cells,
    values,
    slopes,
    base,
    dbase,
    coef,
    scale,
    scale_base,
    dy,
    cotangent,
    dx,
    dcoef,
    dscale,
    dscale_base,
):
    """Gradients of a layer, input by input."""
    for i in range(coef.shape[0]):
        backward_input(
            i,
            splines,
            cells,
            values,
            slopes,
            base,
            dbase,
            coef,
            scale,
            scale_base,
            dy,
            cotangent,
            dx,
            dcoef,
            dscale,
            dscale_base,
        )


@njit(parallel=True, **_OPTIONS)
def backward_threads(
    splines,
    cells,
    values,
    slopes,
    base,
    dbase,
    coef,
    scale,
    scale_base,
    dy,
    cotangent,
    dx,
    dcoef,
    dscale,
    dscale_base,
):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(coef.shape[0]):
        backward_input(
            i,
            splines,
            cells,
            values,
            slopes,
            base,
            dbase,
            coef,
            scale,
            scale_base,
            dy,
            cotangent,
            dx,
            dcoef,
            dscale,
            dscale_base,
        )


@njit(**_OPTIONS)
def statistics_one_thread(
    splines, cells, values, base, coef, scale, scale_base, mean_abs, mean, m2
):
    """Statistics of all edges of a layer."""
    for i in range(coef.shape[0]):
        statistics_input(
            i, splines, cells, values, base, coef, scale, scale_base, mean_abs, mean, m2
        )


@njit(parallel=True, **_OPTIONS)
def statistics_threads(splines, cells, values, base, coef, scale, scale_base, mean_abs, mean, m2):
    """Do the same, inputs spread over the threads: the same bits."""
    for i in prange(coef.shape[0]):
        statistics_input(
            i, splines, cells, values, base, coef, scale, scale_base, mean_abs, mean, m2
        )
