"""The basis at all samples of one input, compiled by Numba; shapes as in ``loops.py``.

On a cell each spline is a polynomial of u = (x - t_c) / (t_{c+1} - t_c). A uniform grid has one
table of their coefficients for all cells; an adaptive one a table for each cell, or, where there
are too few samples for the tables to pay, the recursion at each sample. K = k + 1 is the length of
the tuple `splines`, so that Numba compiles a version for each degree and unrolls the loops over m.

``fastmath`` allows to reorder and to fuse, never to assume that NaN or infinity do not occur.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}
OPTIONS: Any = {"fastmath": FAST, "error_model": "numpy", "cache": True, "nogil": True}
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
        table[:] = work


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


@njit(**OPTIONS)
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


@njit(**OPTIONS)
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


@njit(**OPTIONS)
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
