"""The edges of one input towards some outputs, compiled by Numba.

The samples come in the order of their cells. On a cell the K = k + 1 splines that are not zero have
the same coefficients for all samples, so these stand in vector registers
(:mod:`kanref.kernels.vector`) while the samples pass, w0 for the first of the splines. From a cell
to the next they move up by one. K is the length of the tuple `splines`, a constant to the compiler;
loops over m are written out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from .basis import INLINE
from .vector import load, prefetch, sign, store, total, zeros


class Samples(NamedTuple):
    """The samples of one input in the order of their cells."""

    order: Any  # (N,), which sample
    cells: Any  # (N,), not decreasing within a block
    features: Any  # (2K + 2, N): B_m(x), b(x), B'_m(x), b'(x)


class Weights(NamedTuple):
    """The parameters of the edges of one input, or their gradients."""

    coef: Any  # (G + k, n_out)
    scale: Any  # (n_out,)
    scale_base: Any  # (n_out,)


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
def added(splines, a, features, m, p, w0, w1, w2, w3, w4, w5):
    """Return a + Σ features[m + …, p] w: from m = 0 on the splines, from K + 1 on their slopes."""
    K = len(splines)
    a = a + features[m, p] * w0
    if K > 1:
        a = a + features[m + 1, p] * w1
    if K > 2:
        a = a + features[m + 2, p] * w2
    if K > 3:
        a = a + features[m + 3, p] * w3
    if K > 4:
        a = a + features[m + 4, p] * w4
    if K > 5:
        a = a + features[m + 5, p] * w5
    return a


@njit(**INLINE)
def add_edges(splines, first, last, samples, weights, rows, y, j, left):
    """Add φ_ij of the samples at first … last - 1 to their rows of y.

    φ_ij = scale_j Σ_m B_m coef_mj + b scale_base_j.
    """
    cells, features, coef, K = samples.cells, samples.features, weights.coef, len(splines)
    s, base = load(weights.scale, j, left), load(weights.scale_base, j, left)
    w0 = w1 = w2 = w3 = w4 = w5 = zeros(weights.scale, left)
    c = cells[first] - K  # the cell whose coefficients the w are; none yet
    p = first
    while p < last:
        while c < cells[p]:  # on to the next cell: the coefficients move up by one
            c = max(c + 1, cells[p] - K + 1)
            new = s * load(coef[c + K - 1], j, left)
            w0, w1, w2, w3, w4, w5 = moved_up(splines, w0, w1, w2, w3, w4, w5, new)
        while p < last and cells[p] == c:
            row = y[rows[p]]
            a = load(row, j, left) + features[K, p] * base
            store(row, j, left, added(splines, a, features, 0, p, w0, w1, w2, w3, w4, w5))
            p += 1


@njit(**INLINE)
def edge_gradients(
    splines, first, last, samples, weights, dy, cotangent, sums, gradients, fresh, j, left
):
    """Add the gradients of these edges to those of their parameters and, if wanted, to dx.

    With g = dφ_ij: dcoef_mj += scale_j Σ B_m g, dscale_j += Σ_m coef_mj Σ B_m g,
    dscale_base_j += Σ b g, and sums += Σ_j g (scale_j Σ_m B'_m coef_mj + b' scale_base_j) unless
    it is empty. Rows of dcoef from `fresh` on hold nothing yet: they are written.
    """
    order, cells, features = samples.order, samples.cells, samples.features
    coef, K = weights.coef, len(splines)
    s, base = load(weights.scale, j, left), load(weights.scale_base, j, left)
    ds, dbase = load(gradients.scale, j, left), load(gradients.scale_base, j, left)
    nothing = zeros(weights.scale, left)
    w0 = w1 = w2 = w3 = w4 = w5 = nothing  # scale · coef of the cell, row by row
    d0 = d1 = d2 = d3 = d4 = d5 = nothing  # Σ B_m g of these rows
    c = cells[first] - K
    p = first
    while p < last:
        while c < cells[p]:
            if c >= cells[first]:  # row c is complete for these samples
                ds = add_gradient(coef, gradients.coef, c, s, d0, ds, fresh, j, left)
                c += 1
            else:
                c = max(c + 1, cells[p] - K + 1)
            new = s * load(coef[c + K - 1], j, left)
            w0, w1, w2, w3, w4, w5 = moved_up(splines, w0, w1, w2, w3, w4, w5, new)
            d0, d1, d2, d3, d4, d5 = moved_up(splines, d0, d1, d2, d3, d4, d5, nothing)
        while p < last and cells[p] == c:
            g = load(dy[order[p]], j, left)
            if cotangent is not None:
                phi = features[K, p] * base
                phi = added(splines, phi, features, 0, p, w0, w1, w2, w3, w4, w5)
                g = g + load(cotangent[0], j, left) + load(cotangent[1], j, left) * phi
                g = g + load(cotangent[2], j, left) * sign(phi)
            dbase = dbase + features[K, p] * g
            d0 = d0 + features[0, p] * g
            if K > 1:
                d1 = d1 + features[1, p] * g
            if K > 2:
                d2 = d2 + features[2, p] * g
            if K > 3:
                d3 = d3 + features[3, p] * g
            if K > 4:
                d4 = d4 + features[4, p] * g
            if K > 5:
                d5 = d5 + features[5, p] * g
            if sums.size:
                slope = features[2 * K + 1, p] * base
                slope = added(splines, slope, features, K + 1, p, w0, w1, w2, w3, w4, w5)
                sums[p] += total(slope * g)
            p += 1
    for _ in range(K):  # the rows of the last cell
        ds = add_gradient(coef, gradients.coef, c, s, d0, ds, fresh, j, left)
        d0, d1, d2, d3, d4, d5 = moved_up(splines, d0, d1, d2, d3, d4, d5, nothing)
        c += 1
    store(gradients.scale_base, j, left, dbase)
    store(gradients.scale, j, left, ds)


@njit(**INLINE)
def add_gradient(coef, dcoef, c, s, d, ds, fresh, j, left):
    """Add s · d to row c of dcoef, or write it where the row is fresh; return ds + coef · d."""
    row = dcoef[c]
    store(row, j, left, s * d if c >= fresh else load(row, j, left) + s * d)
    return ds + load(coef[c], j, left) * d


CACHE_LINE = 64
"""Bytes that come from memory together."""


@njit(**INLINE)
def prefetch_rows(first, last, table):
    """Ask for some rows in the order of the memory; they are then read in columns."""
    for c in range(first, last):
        row = table[c]
        for j in range(0, row.size, CACHE_LINE // row.itemsize):
            prefetch(row, j)
