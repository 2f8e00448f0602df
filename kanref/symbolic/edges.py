"""One edge of a network: whether it is there, and what it does to data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._arrays import Array, namespace, to_numpy
from ..functions import Function
from ..layer import Layer, SymbolicEdge, layer_edges, select
from ..network import Network, layer_inputs

Edge = tuple[int, int, int]
"""(l, i, j): from node i of layer l to subnode j of the next."""


def check_edge(network: Network, l: int, i: int, j: int) -> None:
    """Raise a ValueError unless (l, i, j) is a live edge."""
    if not 0 <= l < network.depth:
        raise ValueError(f"`l` must be a layer of edges, 0 to {network.depth - 1}, got {l}")
    layer = network.layers[l]
    if not (0 <= i < layer.n_in and 0 <= j < layer.n_out):
        raise ValueError(
            f"`i` and `j` must be below {layer.n_in} and {layer.n_out} in layer {l}, "
            f"got i={i}, j={j}"
        )
    if not bool(layer.mask[i, j]):
        raise ValueError(f"the edge must be alive, got ({l}, {i}, {j}), which is dead")


def row_of(layer: Layer, i: int, j: int) -> int | None:
    """Return the row of an edge in ``layer.affine``, None where it is not symbolic."""
    return next((s for s, e in enumerate(layer.symbolic) if (e.i, e.j) == (i, j)), None)


def live_edges(network: Network, *, symbolic: bool | None = None) -> list[Edge]:
    """Return the live edges, in order: all, or those that are symbolic, or those that are not."""
    found = []
    for l, layer in enumerate(network.layers):
        for i, j in np.argwhere(to_numpy(layer.mask)).tolist():
            if symbolic in (None, row_of(layer, i, j) is not None):
                found.append((l, i, j))
    return found


def edge_samples(network: Network, edge: Edge, x: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of an edge and its values, (N,) each, on the network inputs x (N, n_in)."""
    return edge_values(network, edge, layer_inputs(network, x)[edge[0]])


def edge_values(network: Network, edge: Edge, x: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of an edge and its values, (N,) each, on the inputs of its layer."""
    l, i, j = edge
    column = x[:, i : i + 1]
    phi = layer_edges(select(network.layers[l], [i], [j]), column)
    return to_numpy(column)[:, 0].astype(float), to_numpy(phi)[:, 0, 0].astype(float)


def with_symbolic(network: Network, snaps: dict[Edge, tuple[Function, np.ndarray]]) -> Network:
    """Return a network in which edges follow functions; it shares no array with the old one."""
    layers = list(network.layers)
    for (l, i, j), (function, affine) in snaps.items():
        layer = _without(layers[l], i, j)
        xp = namespace(layer.affine)
        row = xp.asarray(np.asarray(affine, dtype=float)[None, :], dtype=layer.affine.dtype)
        layers[l] = replace(
            layer,
            symbolic=(*layer.symbolic, SymbolicEdge(i, j, function)),
            affine=xp.concat([layer.affine, row], axis=0),
        )
    return network.with_parts(layers).copy()


def without_symbolic(network: Network, edges: list[Edge]) -> Network:
    """Return a network in which edges follow their splines; it shares no array with the old."""
    layers = list(network.layers)
    for l, i, j in edges:
        layers[l] = _without(layers[l], i, j)
    return network.with_parts(layers).copy()


def without(network: Network, edges: list[Edge]) -> Network:
    """Return a copy of the network in which some edges are dead, and all that lead nowhere."""
    masks = [np.array(layer.mask) for layer in network.layers]
    for l, i, j in edges:
        masks[l][i, j] = False
    for l in reversed(range(network.depth - 1)):
        for node, factors in enumerate(network.nodes[l].factors()):
            if not masks[l + 1][node].any():
                masks[l][:, list(factors)] = False
    layers = [replace(layer, mask=m) for layer, m in zip(network.layers, masks, strict=True)]
    return network.with_parts(layers).copy()


def used_inputs(network: Network) -> set[int]:
    """Return the inputs from which a live edge leads on."""
    return {i for l, i, _ in live_edges(network) if l == 0}


def _without(layer: Layer, i: int, j: int) -> Layer:
    """Drop the function of an edge, and its row of affine, if it has one."""
    xp = namespace(layer.affine)
    rows = [s for s, e in enumerate(layer.symbolic) if (e.i, e.j) != (i, j)]
    kept = xp.asarray(rows, dtype=xp.int64)
    return replace(
        layer,
        symbolic=tuple(layer.symbolic[s] for s in rows),
        affine=xp.take(layer.affine, kept, axis=0),
    )
