"""The graph of a network: what can be cut away unnoticed, and what must stay.

Nodes are counted by levels: level 0 are the inputs, level l the nodes that combine the sums of
``layers[l-1]``. Decisions are taken on the host, whatever the namespace of the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ._arrays import namespace, to_numpy, where
from .layer import Layer, layer_edges, select
from .network import Network
from .nodes import Nodes, nodes_forward

Masks = list[np.ndarray]
"""Per layer, True on the edges that are meant: (n_in, n_subnodes)."""

Edge = tuple[int, int, int]
"""(l, i, j)"""


def live_edges(network: Network) -> Masks:
    """Return the masks of the layers."""
    return [to_numpy(layer.mask).astype(bool) for layer in network.layers]


def subnodes(nodes: Nodes, kept: Sequence[int]) -> list[int]:
    """Return the subnodes of some of the nodes."""
    factors = nodes.factors()
    return [j for node in kept for j in factors[node]]


def keep_nodes(network: Network, kept: Sequence[Sequence[int]]) -> Network:
    """Return the network between some of the nodes of each level, in rising order."""
    layers, nodes = [], []
    for l, (layer, node) in enumerate(zip(network.layers, network.nodes, strict=True)):
        layers.append(select(layer, list(kept[l]), subnodes(node, kept[l + 1])))
        nodes.append(_select_nodes(node, kept[l + 1]))
    return network.with_parts(layers, nodes)


def _select_nodes(nodes: Nodes, kept: Sequence[int]) -> Nodes:
    xp = namespace(nodes.node_scale)
    node, sub = xp.asarray(list(kept)), xp.asarray(subnodes(nodes, kept))
    return Nodes(
        n_sum=sum(n < nodes.n_sum for n in kept),
        arity=tuple(nodes.arity[n - nodes.n_sum] for n in kept if n >= nodes.n_sum),
        subnode_scale=xp.take(nodes.subnode_scale, sub),
        subnode_bias=xp.take(nodes.subnode_bias, sub),
        node_scale=xp.take(nodes.node_scale, node),
        node_bias=xp.take(nodes.node_bias, node),
    )


def keep_edges(network: Network, masks: Masks) -> Network:
    """Return the network in which only the edges in `masks` live, of those that do.

    Symbolic edges that die lose their function and their row of `affine`.
    """
    layers = [_keep(layer, mask) for layer, mask in zip(network.layers, masks, strict=True)]
    return network.with_parts(layers)


def _keep(layer: Layer, mask: np.ndarray) -> Layer:
    xp = namespace(layer.mask)
    mask = mask & to_numpy(layer.mask).astype(bool)
    rows = [s for s, edge in enumerate(layer.symbolic) if mask[edge.i, edge.j]]
    return replace(
        layer,
        mask=xp.asarray(mask),
        affine=xp.take(layer.affine, xp.asarray(rows, dtype=xp.int64), axis=0),
        symbolic=tuple(layer.symbolic[s] for s in rows),
    )


# --- what can be cut away unnoticed ------------------------------------------------------------


def fold_constants(network: Network) -> tuple[Network, list[list[int]]]:
    """Kill the edges that leave constant nodes, and add what they gave to the next subnode biases.

    A hidden node is constant where no live edge enters it: it passes on what its biases make of 0.
    So is a product node with a factor that is always 0: one that no live edge enters and that has
    no bias. (A factor that is another constant stays: there is nothing to gain.) The constants are
    followed through the levels. The function does not change, wherever it is finite.

    Returns
    -------
    network : Network
    folded : list of list of int
        Per level, the constant nodes. One whose edges give something that is not finite stays.
    """
    layers, nodes = list(network.layers), list(network.nodes)
    folded: list[list[int]] = [[] for _ in range(network.depth + 1)]
    for l in range(1, network.depth):
        constant = _constant_nodes(layers[l - 1], nodes[l - 1])
        if not constant:
            continue
        xp = namespace(layers[l].coef)
        zeros = xp.zeros((1, nodes[l - 1].n_subnodes), dtype=layers[l].coef.dtype)
        z = nodes_forward(nodes[l - 1], zeros)  # (1, n_nodes)
        leaving = select(layers[l], constant, range(layers[l].n_out))
        gifts = layer_edges(leaving, xp.take(z, xp.asarray(constant), axis=1))[0, ...]
        finite = to_numpy(xp.all(xp.isfinite(gifts), axis=1))  # (n_constant,)
        folded[l] = [node for node, ok in zip(constant, finite, strict=True) if ok]
        gift = xp.sum(where(xp.asarray(finite)[:, None], gifts, 0.0), axis=0)  # (n_subnodes,)
        bias = nodes[l].subnode_bias + nodes[l].subnode_scale * gift
        nodes[l] = replace(nodes[l], subnode_bias=bias)
        others = np.ones((layers[l].n_in, layers[l].n_out), dtype=bool)
        others[folded[l]] = False
        layers[l] = _keep(layers[l], others)
    return network.with_parts(layers, nodes), folded


def _constant_nodes(layer: Layer, nodes: Nodes) -> list[int]:
    entered = np.any(to_numpy(layer.mask), axis=0, keepdims=True)[0]  # (n_subnodes,)
    zero = ~entered & (to_numpy(nodes.subnode_bias) == 0)
    return [
        node
        for node, factors in enumerate(nodes.factors())
        if not entered[factors].any() or zero[factors].any()
    ]


def useful_nodes(network: Network) -> list[list[int]]:
    """Return the nodes of each level from which live edges lead on to an output.

    All inputs and outputs count, and a hidden level has at least one.
    """
    masks = live_edges(network)
    kept = [list(range(network.n_in))] * network.depth + [list(range(network.n_out))]
    for l in reversed(range(1, network.depth)):
        leads_on = masks[l][:, subnodes(network.nodes[l], kept[l + 1])].any(axis=1)
        kept[l] = np.flatnonzero(leads_on).tolist() or [0]
    return kept


# --- what must stay ----------------------------------------------------------------------------


class Paths:
    """Which nodes depend on an input, through some of a network's live edges, and how firmly.

    A sum depends on an input where an edge of weight w comes from a node of strength v that does:
    its strength is the largest min(v, w). A node is as strong as the weakest of its factors, but
    for those that are a constant other than 0. -inf says: depends on no input.

    Parameters
    ----------
    network : Network
    weights : list of (n_in, n_subnodes)
        Weights of the edges, -inf for those which do not count.
    """

    def __init__(self, network: Network, weights: list[np.ndarray]) -> None:
        self.levels = [np.full(network.n_in, np.inf)]  # strength of the nodes, per level
        self.sums: list[np.ndarray] = []  # strength of the sums, per layer
        self.through: list[np.ndarray] = []  # min(v, w) of every edge, per layer
        for nodes, weight in zip(network.nodes, weights, strict=True):
            self.through.append(np.minimum(self.levels[-1][:, None], weight))
            strength = self.through[-1].max(axis=0)
            # A factor without edges may be another constant than 0; then the others decide.
            decides = (weight > -np.inf).any(axis=0) | (to_numpy(nodes.subnode_bias) == 0)
            self.sums.append(strength)
            moving = [[j for j in factors if decides[j]] for factors in nodes.factors()]
            self.levels.append(np.array([strength[j].min() if j else -np.inf for j in moving]))

    def reaches(self, level: int, node: int) -> bool:
        """Tell whether the node depends on an input."""
        return bool(self.levels[level][node] > -np.inf)


def severed_outputs(network: Network, masks: Masks) -> list[int]:
    """Return the outputs that depend on an input now, but not through the edges in `masks`."""
    before, after = _moving_outputs(network), _moving_outputs(keep_edges(network, masks))
    return [o for o in range(network.n_out) if before[o] and not after[o]]


def _moving_outputs(network: Network) -> np.ndarray:
    """Tell which outputs depend on an input: (n_out,)."""
    folded, _ = fold_constants(network)  # so that a factor which is 0 is told from other constants
    return Paths(folded, _weights(live_edges(folded))).levels[-1] > -np.inf


def needed_edges(network: Network, masks: Masks, scores: Sequence[np.ndarray]) -> list[Edge]:
    """Return the edges to keep beside those in `masks` so that nothing essential is cut off.

    Essential are the outputs, and the product nodes that still lead to one: without one of its
    factors a product is 0, however much its other factors matter. Each that depends on an input
    now keeps its strongest path, or paths: the one whose least score is largest.

    Parameters
    ----------
    network : Network
    masks : list of (n_in, n_subnodes)
        The edges that stay.
    scores : sequence of (n_in, n_subnodes)
        Scores of all edges.
    """
    live = live_edges(network)
    pairs = zip(live, scores, strict=True)
    before = Paths(network, [np.where(mask, score, -np.inf) for mask, score in pairs])
    after = Paths(network, _weights(masks))
    found: set[Edge] = set()

    def restore(level: int, node: int) -> None:
        if after.reaches(level, node) or not before.reaches(level, node):
            return
        l = level - 1
        for j in network.nodes[l].factors()[node]:
            if after.sums[l][j] > -np.inf or not live[l][:, j].any():
                continue  # has an edge, or never had one
            through = before.through[l][:, j]
            best = np.where(through == through.max(), scores[l][:, j], -np.inf)
            i = int(np.argmax(best))
            found.add((l, i, j))
            restore(l, i)

    for output in range(network.n_out):
        restore(network.depth, output)
    leading = useful_nodes(keep_edges(network, _with_edges(masks, found)))
    for level in range(1, network.depth):
        for node in leading[level]:
            if node >= network.nodes[level - 1].n_sum and masks[level][node].any():
                restore(level, node)
    return sorted(found)


def _with_edges(masks: Masks, edges: Iterable[Edge]) -> Masks:
    masks = [mask.copy() for mask in masks]
    for l, i, j in edges:
        masks[l][i, j] = True
    return masks


def _weights(masks: Masks) -> list[np.ndarray]:
    return [np.where(mask, np.inf, -np.inf) for mask in masks]


def width(network: Network) -> list[int | list[int]]:
    """Return the nodes per level as ``KAN(width)`` takes them: n_sum, or [n_sum, n_product]."""
    levels: list[int | list[int]] = [network.n_in]
    for nodes in network.nodes:
        levels.append([nodes.n_sum, len(nodes.arity)] if nodes.arity else nodes.n_sum)
    return levels


def n_edges(network: Network) -> int:
    """Return the number of live edges."""
    return sum(int(mask.sum()) for mask in live_edges(network))
