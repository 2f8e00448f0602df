"""Simplest constants of a symbolic network: the same function, written with fewer of them.

Within one edge, :mod:`~kanref.symbolic.constants` has removed what is redundant. Between the layers
more is: the scale and the offset of a hidden node can move from the edges that enter it to the edge
that leaves it. Here they move so that the leaving edge is plain c·f(z) + d, that what enters a
power or a logarithm begins with 1·…, and so do all factors of a product but the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..functions import Function
from ..layer import Layer
from ..network import Network
from ..nodes import Nodes
from .families import family


def tidy(network: Network) -> Network:
    """Return a network with the same values, to rounding, and simpler constants."""
    layers = [replace(layer, affine=layer.affine.copy()) for layer in network.layers]
    for layer in layers:
        _gather_offsets(layer)
    for l, nodes in enumerate(network.nodes[:-1]):
        for node in range(nodes.n_sum):
            if _is_plain(nodes, node) and not np.any(layers[l].numeric[:, node]):
                _move_outer_to_inner(layers[l], layers[l + 1], node)
    for layer, leaving, nodes in zip(layers, [*layers[1:], None], network.nodes, strict=True):
        _balance_products(layer, leaving, nodes)
    for layer in layers:
        layer.affine[...] += 0.0  # -0 becomes 0
    return network.with_parts(layers).copy()


def _rows(layer: Layer, *, i: int | None = None, j: int | None = None) -> list[int]:
    """Return the rows of ``layer.affine`` of the live edges from node i, or to subnode j."""
    return [
        s
        for s, e in enumerate(layer.symbolic)
        if layer.mask[e.i, e.j] and i in (None, e.i) and j in (None, e.j)
    ]


def _gather_offsets(layer: Layer) -> None:
    """Put all constants d that add up in a subnode into the first."""
    for j in range(layer.n_out):
        rows = _rows(layer, j=j)
        if rows:
            total = layer.affine[rows, 3].sum()
            layer.affine[rows, 3] = 0.0
            layer.affine[rows[0], 3] = total


def _is_plain(nodes: Nodes, node: int) -> bool:
    """Tell whether the affines of a sum node are the identity."""
    scales = nodes.subnode_scale[node], nodes.node_scale[node]
    return scales == (1, 1) and (nodes.subnode_bias[node], nodes.node_bias[node]) == (0, 0)


def _move_outer_to_inner(entering: Layer, leaving: Layer, node: int) -> None:
    """Move a and b of the one edge that leaves a node into those that enter; scales out of them."""
    rows, leaving_rows = _rows(entering, j=node), _rows(leaving, i=node)
    if not rows or len(leaving_rows) != 1 or int(leaving.mask[node].sum()) != 1:
        return
    row = leaving_rows[0]
    function, (a, b, c, d) = leaving.symbolic[row].function, leaving.affine[row]
    kind = family(function)
    if a == 0 or kind.constant:
        return
    inner = entering.affine[rows, 2:] * a  # c and d of what enters
    inner[0, 1] += b
    first = next((float(v) for v in inner[:, 0] if v != 0), 1.0)
    offset = float(inner[0, 1])
    outer = (float(c), float(d))
    if kind.linear:
        inner, outer = inner * c, (1.0, outer[1])
    elif kind.scaling:
        first = first if kind.mirrored else abs(first)
        inner, outer = inner / first, _absorbed(function, lambda u: first * u, outer)
    elif kind.mirrored and first < 0:
        inner, outer = -inner, _absorbed(function, lambda u: -u, outer)
    elif kind.shifting and abs(offset) < 50:
        inner[0, 1], outer = 0.0, _absorbed(function, lambda u: u + offset, outer)
    if kind.turning and not (kind.linear or kind.shifting):
        turns = math.pi * round(float(inner[0, 1]) / math.pi)
        inner[0, 1], outer = inner[0, 1] - turns, _absorbed(function, lambda u: u + turns, outer)
    entering.affine[rows, 2:] = inner
    leaving.affine[row] = 1.0, 0.0, *outer


def _absorbed(
    function: Function, change: Callable[[np.ndarray], np.ndarray], outer: tuple[float, float]
) -> tuple[float, float]:
    """Return c and d for which c·f(u) + d is what they were for f(change(u))."""
    u = np.array([0.5, 2.0])
    if not np.all(function.inside(u)):
        u = -u
    f, g = function.f(u), function.f(change(u))
    alpha = float((g[1] - g[0]) / (f[1] - f[0])) if f[0] != f[1] else 1.0
    beta = float(g[0] - alpha * f[0])
    if abs(alpha - 1) < 1e-13:
        alpha = 1.0
    if abs(beta) < 1e-13 * max(abs(g)):
        beta = 0.0
    return outer[0] * alpha, outer[1] + outer[0] * beta


def _balance_products(layer: Layer, leaving: Layer | None, nodes: Nodes) -> None:
    """Move the scales of the factors of each product into its last factor, or beyond."""
    for node, factors in enumerate(nodes.factors()):
        rows = [_rows(layer, j=j) for j in factors]
        plain = all(nodes.subnode_bias[j] == 0 and not np.any(layer.numeric[:, j]) for j in factors)
        if node < nodes.n_sum or not plain or not all(rows):
            continue
        for factor in rows[:-1]:
            scale = _first_scale(layer, factor)
            layer.affine[factor, 2:] /= scale
            layer.affine[rows[-1], 2:] *= scale
        if leaving is not None and nodes.node_bias[node] == 0:
            _move_scale_out(layer, leaving, rows[-1], node)


def _move_scale_out(layer: Layer, leaving: Layer, last: list[int], node: int) -> None:
    """Leave the scale of a product to the edge beyond if that is linear, else take its a in."""
    rows = _rows(leaving, i=node)
    if len(rows) != 1 or int(leaving.mask[node].sum()) != 1:
        return
    a, b, c, d = leaving.affine[rows[0]]
    if family(leaving.symbolic[rows[0]].function).linear:
        scale = _first_scale(layer, last)
        layer.affine[last, 2:] /= scale
        leaving.affine[rows[0]] = 1.0, 0.0, c * a * scale, d + c * b
    elif a != 0:
        layer.affine[last, 2:] *= a
        leaving.affine[rows[0], 0] = 1.0


def _first_scale(layer: Layer, rows: list[int]) -> float:
    """Return the first c that is not 0, or 1."""
    return next((float(v) for v in layer.affine[rows, 2] if v != 0), 1.0)
