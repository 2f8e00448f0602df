"""Pruning: the network without the nodes, edges and inputs that do not matter.

What matters is told by the attribution scores of :mod:`kanref.attribution` on a batch, compared
with thresholds as in the library of the KAN papers (Liu et al. 2024, arXiv 2404.19756, section
2.5.1, and arXiv 2408.10205, section 4.1): a hidden node or an input stays if its score is greater
than 1e-2, a numeric edge if its score is greater than 3e-2. Symbolic edges were chosen one by one,
and what they add may be a constant, which no score sees: they go with their nodes or by
:func:`remove_edge`, not by score.

Pruned nodes are gone: the network shrinks. Pruned edges are dead for good. What is dropped by
score is dropped with all that it gave, a constant included; fit again afterwards.

Three rules keep a network whole:

* **Nothing essential is cut off.** An output that depends on an input still does, and so does
  each product node that stays, through every factor that it needs (without one, the product would
  be 0 however much its other factors matter). Where the thresholds would cut all paths, the
  strongest stays, the one whose lowest score is highest. So no layer is ever empty; outputs are
  never removed.
* **Dead ends go, and nothing changes by that.** A hidden node from which no live edge leads on is
  removed. So is one that no live edge enters: it is constant, and what it gave to the next sums is
  added to their `subnode_bias`. A product node with a factor that is always 0 (no edge, no bias)
  is constant too; a factor that is another constant stays.
* **What is asked for by name is done exactly.** ``active=``, :func:`remove_edge` and
  :func:`remove_node` take away what they are told and no more, or raise an error if that would cut
  an output off from every input.

Every function returns a network that shares no array with the one it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._arrays import Array
from .bspline_knots import check_integer
from .network import Network
from .pruning_draft import Draft, refuse_if_severed
from .pruning_graph import keep_edges, live_edges
from .pruning_plan import PruneItem, PrunePlan

__all__ = [
    "PruneItem",
    "PrunePlan",
    "prune",
    "prune_edge",
    "prune_input",
    "prune_node",
    "prune_plan",
    "remove_edge",
    "remove_node",
]

NODE_TH = 1e-2
EDGE_TH = 3e-2


def prune(
    network: Network, x: Array, node_th: float = NODE_TH, edge_th: float = EDGE_TH
) -> Network:
    """Return the network without the hidden nodes and the edges of low score.

    Nodes first; then the smaller network is scored anew, and edges are judged by these scores.

    Parameters
    ----------
    network : Network
        Stays as it is.
    x : (N, n_in)
        The batch that the scores are taken on, in network units; finite, N ≥ 2.
    node_th, edge_th : float
        What does not score above its threshold goes.

    Returns
    -------
    network : Network

    Raises
    ------
    ValueError
        If `x` has the wrong shape or is not finite, or the network is not finite on it.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> network = KAN([3, 4, 1], seed=0).network
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    >>> prune(network, x, node_th=10.0).layers[0].n_out  # the best stays, whatever the threshold
    1
    """
    return _prune(network, x, node_th, edge_th).network


def prune_plan(
    network: Network,
    x: Array,
    node_th: float = NODE_TH,
    edge_th: float = EDGE_TH,
    input_th: float = NODE_TH,
) -> PrunePlan:
    """Return what :func:`prune` with the same arguments would do, and why.

    Inputs, which `prune` leaves in place, are listed as :func:`prune_input` with threshold
    `input_th` would judge them afterwards.

    Raises
    ------
    ValueError
        As :func:`prune`.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> network = KAN([2, 2, 1], seed=0).network
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> prune_plan(network, x, node_th=0.0, edge_th=0.0)
    Pruning [2, 2, 1] to [2, 2, 1]: 6 edges to 6
    Nothing scores below its threshold.
    """
    return _prune(network, x, node_th, edge_th).plan(input_th)


def _prune(network: Network, x: Array, node_th: float, edge_th: float) -> Draft:
    draft = Draft(network, x)
    draft.drop_nodes(node_th)
    draft.drop_edges(edge_th)
    return draft


def prune_node(
    network: Network,
    x: Array | None = None,
    threshold: float = NODE_TH,
    active: Sequence[Iterable[int]] | None = None,
) -> Network:
    """Return the network without the hidden nodes of low score, or with the listed ones alone.

    Parameters
    ----------
    network : Network
        Stays as it is.
    x : (N, n_in), optional
        The batch that the scores are taken on; needed without `active`.
    threshold : float
        A node that does not score above it goes.
    active : sequence of iterables of int, optional
        For each hidden layer, the nodes to keep; `x` and `threshold` do not matter then.

    Raises
    ------
    ValueError
        If `active` does not fit the network, or would leave a layer empty or an output without
        any input; and as :func:`prune`.
    """
    draft = Draft(network, x if active is None else None)
    if active is None:
        draft.drop_nodes(threshold)
        return draft.network
    if len(active) != network.depth - 1:
        raise ValueError(
            f"`active` must list the nodes of each of {network.depth - 1} hidden layers, "
            f"got {len(active)} lists"
        )
    kept = [list(level) for level in draft.origin]
    for l, nodes in enumerate(active, start=1):
        kept[l] = _numbers(f"active[{l - 1}]", nodes, len(kept[l]))
    draft.select_or_refuse(kept)
    return draft.network


def prune_edge(network: Network, x: Array, threshold: float = EDGE_TH) -> Network:
    """Return the network without the numeric edges of low score on x (N, n_in).

    Parameters
    ----------
    network : Network
        Any.
    x : (N, n_in)
        Inputs, in network units.
    threshold : float
        An edge stays if its score is greater.

    Raises
    ------
    ValueError
        As :func:`prune`.
    """
    draft = Draft(network, x)
    draft.drop_edges(threshold)
    return draft.network


def prune_input(
    network: Network,
    x: Array | None = None,
    threshold: float = NODE_TH,
    active: Iterable[int] | None = None,
) -> tuple[Network, list[int]]:
    """Return the network without the inputs of low score, or with the listed ones alone.

    Parameters
    ----------
    network : Network
        Stays as it is.
    x : (N, n_in), optional
        The batch that the scores are taken on; needed without `active`.
    threshold : float
        An input that does not score above it goes.
    active : iterable of int, optional
        The inputs to keep; `x` and `threshold` do not matter then.

    Returns
    -------
    network : Network
        It takes the columns `kept` alone.
    kept : list of int
        The inputs that stay, in rising order: names and scaling follow them.

    Raises
    ------
    ValueError
        As :func:`prune_node`.

    Examples
    --------
    >>> from kanref import KAN
    >>> network, kept = prune_input(KAN([3, 1], seed=0).network, active=[2, 0])
    >>> network.n_in, kept
    (2, [0, 2])
    """
    draft = Draft(network, x if active is None else None)
    if active is None:
        draft.drop_inputs(threshold)
    else:
        draft.select_or_refuse([_numbers("active", active, network.n_in), *draft.origin[1:]])
    return draft.network, draft.origin[0]


def remove_edge(network: Network, l: int, i: int, j: int) -> Network:
    """Return the network with edge (l, i, j) dead; nothing else changes.

    Parameters
    ----------
    network : Network
        Stays as it is.
    l, i, j : int
        Layer, input node, subnode.

    Raises
    ------
    ValueError
        If there is no such edge, or an output would no longer depend on any input.
    """
    l = _index("l", l, network.depth)
    layer = network.layers[l]
    masks = live_edges(network)
    masks[l][_index("i", i, layer.n_in), _index("j", j, layer.n_out)] = False
    refuse_if_severed(network, masks)
    return keep_edges(network, masks).copy()


def remove_node(network: Network, l: int, i: int) -> Network:
    """Return the network without node i of hidden level l, 1 ≤ l < depth; nothing else changes.

    Raises
    ------
    ValueError
        If there is no such node, it is the last of its layer, or an output would no longer depend
        on any input.
    """
    l = check_integer("l", l, 0)
    if not 1 <= l < network.depth:
        raise ValueError(
            f"`l` must be a hidden level, 1 to {network.depth - 1}, got {l}: inputs are removed "
            "by `prune_input`, outputs never"
        )
    n_nodes = network.nodes[l - 1].n_nodes
    i = _index("i", i, n_nodes)
    active = [range(nodes.n_nodes) for nodes in network.nodes[:-1]]
    others: list[Iterable[int]] = [*active]
    others[l - 1] = [node for node in active[l - 1] if node != i]
    return prune_node(network, active=others)


def _numbers(name: str, values: Iterable[int], n: int) -> list[int]:
    """Check a list of node numbers; return it sorted."""
    numbers = [_index(name, value, n) for value in values]
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"`{name}` must list one or more nodes, each once, got {numbers}")
    return sorted(numbers)


def _index(name: str, value: int, n: int) -> int:
    number = check_integer(name, value, 0)
    if number >= n:
        raise ValueError(f"`{name}` must be less than {n}, got {number}")
    return number
