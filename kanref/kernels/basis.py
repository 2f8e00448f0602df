"""The basis at all samples of one input, compiled by Numba; shapes as in ``loops.py``.

The samples are sorted by cell first. On a cell each spline is a polynomial of
u = (x - t_c) / (t_{c+1} - t_c). A uniform grid has one table of their coefficients for all cells;
an adaptive one a table for each cell, or, where a cell has too few samples for a table to pay, the
recursion at each sample. K = k + 1 is the length of
the tuple `splines`, so that Numba compiles a version for each degree and unrolls the loops over m.

``fastmath`` allows to reorder and to fuse, never to assume that NaN or infinity do not occur.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from .cache import cache_directory

FAST = {"contract", "reassoc", "nsz", "arcp"}
CACHE = cache_directory() is not None  # else in memory: Numba would refuse to compile
OPTIONS: Any = {"fastmath": FAST, "error_model": "numpy", "cache": CACHE, "nogil": True}
INLINE: Any = {**OPTIONS, "forceinline": True}

ZERO, IDENTITY, SILU, TANH = 0, 1, 2, 3
"""The base functions that the loops know."""


@njit(**OPTIONS)
def is_uniform(t, k, G):
    """Tell whether the knots are equally spaced, to rounding."""
    h = (t[k + G] - t[k]) / G
    largest = max(abs(t[0]), abs(t[-1]))
    tolerance = 8 * np.finfo(t.dtype).eps * largest
    for m in range(t.size):
        if not abs(t[m] - (t[k] + (m - k) * h)) <= tolerance:
            return False
    return h > 0


@njit(**OPTIONS)
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
        for q in range(K):  # table[:] = work, which takes the compiler seconds
            for m in range(K):
                table[q, m] = work[q, m]


@njit(**INLINE)
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


@njit(**INLINE)
def by_recursion(v, t, c, work, values, p, slopes, s):
    """Write the K splines at v in cell c, and their slopes (The NURBS Book, algorithm A2.2)."""
    K = work.size
    k = K - 1
    values[0, p] = 1
    for q in range(1, K):
        saved = values[0, p] * 0
        for m in range(q):
            left, right = t[k + c + 1 - q + m], t[k + c + 1 + m]
            share = values[m, p] / (right - left) if right > left else values[m, p] * 0
            if q == k:
                work[m] = share
            values[m, p] = saved + (right - v) * share
            saved = (v - left) * share
        values[q, p] = saved
    for m in range(K):
        slope = values[0, p] * 0
        if m > 0:
            slope += k * work[m - 1]
        if m < k:
            slope -= k * work[m]
        slopes[m, s] = slope


@njit(**OPTIONS)
def find_cells(x, t, G, splines, uniform, cells):
    """Write the cell of each x.

    Where a spline and its slope have no step, k ≥ 2, a point on a breakpoint of a uniform grid may
    count to either cell; otherwise the cell is the one that comparing with the knots gives.
    """
    k = len(splines) - 1
    first, last = t[k], t[k + G]
    step = G / (last - first) if uniform else last * 0
    if uniform and k > 1:
        for n in range(x.size):
            position = (min(max(x[n], first), last) - first) * step
            cells[n] = np.int32(min(math.floor(position), t.dtype.type(G - 1)))
    else:
        for n in range(x.size):
            cells[n] = find_cell(min(max(x[n], first), last), t, k, G, step)


@njit(**OPTIONS)
def sort_by_cell(cells, starts, order):
    """Write in `order` the samples of cell 0, then those of cell 1, …, each in their order."""
    starts[:] = 0
    for n in range(cells.size):
        starts[cells[n] + 1] += 1
    for c in range(1, starts.size):
        starts[c] += starts[c - 1]
    for n in range(cells.size):
        order[starts[cells[n]]] = n
        starts[cells[n]] += 1


@njit(**OPTIONS)
def evaluate(u, inverse, table, splines, values, start, slopes, begin):
    """Write the polynomials of the table from place `start` on, their slopes from `begin` on.

    `inverse` is du/dx.
    """
    K = len(splines)
    for m in range(K):
        value_row = values[m, start : start + u.size]
        slope_row = slopes[m, begin : begin + u.size]
        for p in range(u.size):
            value, slope = u.dtype.type(table[K - 1, m]), u.dtype.type(0)
            for q in range(K - 2, -1, -1):
                slope = slope * u[p] + value
                value = value * u[p] + u.dtype.type(table[q, m])
            value_row[p] = value
            slope_row[p] = slope * inverse


@njit(**OPTIONS)
def uniform_basis(x, cells, t, G, splines, u, values, start, slopes, begin):
    """Write values and slopes on a uniform grid: one table, loops over the samples."""
    K = len(splines)
    k = K - 1
    first, last = t[k], t[k + G]
    step = t.dtype.type(G / (last - first))
    for p in range(x.size):
        inside = min(max(x[p], first), last)
        if k > 1:
            u[p] = (inside - first) * step - t.dtype.type(cells[p])
        else:
            u[p] = (inside - t[k + cells[p]]) * step
    table, work = np.zeros((K, K), np.float64), np.zeros((K, K), np.float64)
    cell_polynomials(t[1 : 2 * k + 1], work, table)
    evaluate(u, step, table, splines, values, start, slopes, begin)


TABLE_FROM = 8
"""A cell of fewer samples than this is not worth a table of its polynomials."""


@njit(**OPTIONS)
def adaptive_basis(x, cells, t, G, splines, u, values, start, slopes, begin):
    """Write values and slopes on any grid: a table for each cell that has enough samples."""
    K = len(splines)
    k = K - 1
    table, work = np.zeros((K, K), np.float64), np.zeros((K, K), np.float64)
    quotients = np.zeros(K, t.dtype)
    a = x.size - x.size  # not the constant 0, for which Numba would compile all again
    while a < x.size:
        c, end = cells[a], a + 1
        while end < x.size and cells[end] == c:
            end += 1
        left, right = t[k + c], t[k + c + 1]
        for p in range(a, end):
            u[p] = min(max(x[p], t[k]), t[k + G])
        if k > 0 and end - a >= TABLE_FROM and right > left:
            inverse = t.dtype.type(1 / (right - left))
            for p in range(a, end):
                u[p] = (u[p] - left) * inverse
            cell_polynomials(t[c + 1 : c + 2 * k + 1], work, table)
            evaluate(u[a:end], inverse, table, splines, values, start + a, slopes, begin + a)
        else:
            for p in range(a, end):
                by_recursion(u[p], t, c, quotients, values, start + p, slopes, begin + p)
        a = end


@njit(**OPTIONS)
def spline_basis(x, cells, t, G, linear, splines, uniform, u, values, start, slopes, begin):
    """Write the splines of one input from place `start` of values on, slopes from `begin` on.

    The samples are sorted by cell.
    """
    K = len(splines)
    first, last = t[K - 1], t[K - 1 + G]
    if uniform:
        uniform_basis(x, cells, t, G, splines, u, values, start, slopes, begin)
    else:
        adaptive_basis(x, cells, t, G, splines, u, values, start, slopes, begin)
    outside = 0
    for p in range(x.size):
        outside += x[p] < first or x[p] >= last
    for p in range(x.size if outside else 0):
        if x[p] < first or x[p] >= last:
            for m in range(K):
                if linear:
                    beyond = x[p] - min(max(x[p], first), last)
                    values[m, start + p] += beyond * slopes[m, begin + p]
                else:
                    values[m, start + p] = 0
                    slopes[m, begin + p] = 0


@njit(**INLINE)
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


@njit(**OPTIONS)
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
