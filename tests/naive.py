"""The textbook, literally: plain Python loops over one number at a time.

Slow and obvious, and the oracle for everything fast. Nothing here imports kanref. One section per
subject, each on the ones above it.
"""

from __future__ import annotations

import math

import numpy as np

# ---------------------------------------------------------------------------------------------
# B-splines. t is the list of knots of one input (G+2k+1 numbers), m counts from 0.
# ---------------------------------------------------------------------------------------------


def bspline(x, t, m, p, end=None):
    """B_{m,p}(x) by the recursion of Cox and de Boor, 0/0 := 0.

    Cells are half-open. With `end`, the cell that is not empty and stops at `end` is closed, and
    the cells to the right of `end` are not looked at.
    """
    if math.isnan(x) or math.isinf(x):
        return math.nan
    if p == 0:
        if end is not None and x == end:
            return 1.0 if t[m] < t[m + 1] == end else 0.0
        return 1.0 if t[m] <= x < t[m + 1] else 0.0
    value = 0.0
    if t[m + p] != t[m]:
        value += (x - t[m]) / (t[m + p] - t[m]) * bspline(x, t, m, p - 1, end)
    if t[m + p + 1] != t[m + 1]:
        value += (t[m + p + 1] - x) / (t[m + p + 1] - t[m + 1]) * bspline(x, t, m + 1, p - 1, end)
    return value


def bspline_derivative(x, t, m, p, nu, end=None):
    """The derivative of order nu of B_{m,p} at x."""
    if nu == 0:
        return bspline(x, t, m, p, end)
    if math.isnan(x) or math.isinf(x):
        return math.nan
    value = 0.0
    if t[m + p] != t[m]:
        value += p / (t[m + p] - t[m]) * bspline_derivative(x, t, m, p - 1, nu - 1, end)
    if t[m + p + 1] != t[m + 1]:
        slope = bspline_derivative(x, t, m + 1, p - 1, nu - 1, end)
        value -= p / (t[m + p + 1] - t[m + 1]) * slope
    return value


def extrapolated_bspline(x, t, m, k, nu, extrapolate):
    """The derivative of order nu of B_{m,k} at x, continued beyond the domain [t_0, t_G]."""
    if extrapolate == "zero":
        return bspline_derivative(x, t, m, k, nu)
    first, last = t[k], t[len(t) - 1 - k]
    if math.isnan(x) or math.isinf(x) or first <= x <= last:
        return bspline_derivative(x, t, m, k, nu, last)
    nearest = first if x < first else last
    value = bspline(nearest, t, m, k, last)
    slope = bspline_derivative(nearest, t, m, k, 1, last) if k > 0 else 0.0
    if nu == 0:
        return value + (x - nearest) * slope
    return slope if nu == 1 else 0.0


def basis(x, knots, k, nu=0, extrapolate="linear"):
    """All B-splines at all samples: (N, n_in, G+k)."""
    (N, n_in), n_basis = x.shape, knots.shape[1] - 1 - k
    result = np.empty((N, n_in, n_basis))
    for n in range(N):
        for i in range(n_in):
            t = [float(knot) for knot in knots[i]]
            for m in range(n_basis):
                result[n, i, m] = extrapolated_bspline(float(x[n, i]), t, m, k, nu, extrapolate)
    return result


def curve(x, knots, coef, k, nu=0, extrapolate="linear"):
    """Σ_m coef_ijm B_m(x_ni): (N, n_in, n_out)."""
    values = basis(x, knots, k, nu, extrapolate)
    (N, n_in, n_basis), n_out = values.shape, coef.shape[1]
    result = np.zeros((N, n_in, n_out))
    for n in range(N):
        for i in range(n_in):
            for j in range(n_out):
                for m in range(n_basis):
                    result[n, i, j] += coef[i, j, m] * values[n, i, m]
    return result


# ---------------------------------------------------------------------------------------------
# Layers and networks. A layer is anything with the fields of kanref.layer.Layer.
# ---------------------------------------------------------------------------------------------


def edge(layer, i, j, x):
    """phi_ij(x) of one edge at one number; 0 where the edge is dead."""
    if not layer.mask[i, j]:
        return 0.0
    for s, symbolic in enumerate(layer.symbolic):
        if (symbolic.i, symbolic.j) == (i, j):
            a, b, c, d = (float(v) for v in layer.affine[s])
            return c * float(symbolic.function.f(np.array(a * x + b))) + d
    t = [float(knot) for knot in layer.knots[i]]
    spline = 0.0
    for m in range(len(t) - 1 - layer.k):
        value = extrapolated_bspline(x, t, m, layer.k, 0, layer.extrapolate)
        spline += float(layer.coef[i, j, m]) * value
    scale = 1.0 if layer.scale_spline is None else float(layer.scale_spline[i, j])
    base = float(layer.base_fun.f(np.array(x)))
    return float(layer.scale_base[i, j]) * base + scale * spline


def edges(layer, x):
    """Every phi_ij(x_i): (N, n_in, n_out)."""
    N, (n_in, n_out) = len(x), layer.mask.shape
    phi = np.empty((N, n_in, n_out))
    for n in range(N):
        for i in range(n_in):
            for j in range(n_out):
                phi[n, i, j] = edge(layer, i, j, float(x[n, i]))
    return phi


def network(net, x):
    """The outputs of a network, (N, n_out)."""
    z = [[float(v) for v in row] for row in x]
    for layer, nodes in zip(net.layers, net.nodes, strict=True):
        above = []
        for row in z:
            u = [
                sum(edge(layer, i, j, row[i]) for i in range(len(row)))
                for j in range(layer.mask.shape[1])
            ]
            v = [u[j] * nodes.subnode_scale[j] + nodes.subnode_bias[j] for j in range(len(u))]
            p = list(v[: nodes.n_sum])
            start = nodes.n_sum
            for size in nodes.arity:
                product = 1.0
                for j in range(start, start + size):
                    product *= v[j]
                p.append(product)
                start += size
            above.append([p[o] * nodes.node_scale[o] + nodes.node_bias[o] for o in range(len(p))])
        z = above
    return np.array(z)
