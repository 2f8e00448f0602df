r"""Attribution: how much every node, edge and input matters to the outputs.

Scores flow from the outputs back to the inputs (Liu et al. 2024, *KAN 2.0*, arXiv 2408.10205,
section 4.1). With :math:`E_{ij}` the standard deviation of the edge :math:`\phi_{ij}` over the
batch and :math:`U_j` that of the sum :math:`u_j` it enters (before the subnode affine), each layer
hands the score of a sum to its edges in proportion to what they move, and a node collects the
scores of its outgoing edges:

.. math:: S_{qj} = A^{(l+1)}_{q,\,\mathrm{node}(j)}, \qquad
          B_{qij} = S_{qj}\, \frac{E_{ij}}{U_j + \epsilon}, \qquad
          A^{(l)}_{qi} = \sum_j B_{qij}

from :math:`A^{(L)} = 1`, the identity: row q holds the scores with respect to output q. All factors
of a product node get the score of that node. Dead edges have E = 0 and score 0. These are the
definitions of the paper's own library, :math:`\epsilon = 10^{-4}` included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ._arrays import Array, namespace, to_numpy
from .network import Network
from .nodes import Nodes
from .statistics import LayerStatistics

EPSILON = 1e-4
"""Added to the standard deviation of a sum, so that one that never moves divides by no zero."""


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """Scores of a network's nodes, sums and edges on a batch.

    What ends in ``_all`` holds a row per output q (or per node of the layer where the recursion
    started); the plain names hold the means over q. All are float64.

    Attributes
    ----------
    node_scores_all : tuple of (n_q, n_nodes)
        Per level l = 0, …, L: the inputs, every layer of nodes, the outputs.
    subnode_scores_all : tuple of (n_q, n_subnodes)
        Per layer l = 0, …, L - 1: the sums of its edges.
    ratios : tuple of (n_in, n_subnodes)
        Per layer: E_ij / (U_j + 1e-4), the share of a sum's score that an edge gets.
    sum_std : tuple of (n_subnodes,)
        Per layer: U_j.
    nodes : tuple of Nodes
        Which sums belong to which node.
    input_names : tuple of str or None
        Names of the inputs.
    """

    node_scores_all: tuple[Array, ...]
    subnode_scores_all: tuple[Array, ...]
    ratios: tuple[Array, ...]
    sum_std: tuple[Array, ...]
    nodes: tuple[Nodes, ...]
    input_names: tuple[str, ...] | None = None

    @property
    def node_scores(self) -> tuple[Array, ...]:
        """Scores of the nodes, (n_nodes,) per level 0, …, L."""
        return tuple(_mean(scores) for scores in self.node_scores_all)

    @property
    def subnode_scores(self) -> tuple[Array, ...]:
        """Scores of the sums, (n_subnodes,) per layer."""
        return tuple(_mean(scores) for scores in self.subnode_scores_all)

    @property
    def edge_scores(self) -> tuple[Array, ...]:
        """Scores of the edges, (n_in, n_subnodes) per layer, indexed [i, j]."""
        pairs = zip(self.subnode_scores, self.ratios, strict=True)
        return tuple(ratio * scores[None, :] for scores, ratio in pairs)

    @property
    def edge_scores_all(self) -> tuple[Array, ...]:
        """Scores of the edges per output, (n_q, n_in, n_subnodes) per layer; formed on demand."""
        pairs = zip(self.subnode_scores_all, self.ratios, strict=True)
        return tuple(ratio[None, :, :] * scores[:, None, :] for scores, ratio in pairs)

    @property
    def feature_scores(self) -> Array:
        """Scores of the inputs, (n_in,)."""
        return self.node_scores[0]

    def __repr__(self) -> str:
        """Name the inputs and their scores, the most important first."""
        scores = to_numpy(self.feature_scores).tolist()
        names = self.input_names or [f"x{i + 1}" for i in range(len(scores))]
        ranked = sorted(zip(names, scores, strict=True), key=lambda pair: -pair[1])
        return f"Attribution({', '.join(f'{name}: {score:.4g}' for name, score in ranked)})"


def attribute(
    network: Network,
    statistics: Sequence[LayerStatistics],
    *,
    l: int | None = None,
    out_score: Array | None = None,
    input_names: Sequence[str] | None = None,
) -> Attribution:
    """Score every node, edge and input.

    Parameters
    ----------
    network : Network
        The network; only its structure is looked at.
    statistics : sequence of LayerStatistics
        Of every layer on the batch, from a forward pass with ``sums=True``.
    l : int, optional
        Start at the nodes of level l, from 1 to the depth of the network, instead of the outputs:
        row q then says what node q owes to everything before it, times the node's own score
        (A = the diagonal of the level's ``node_scores``).
    out_score : (n_out,), optional
        How much each output matters; 1 by default.
    input_names : sequence of str, optional
        Names of the inputs, for those who read or draw the scores.

    Returns
    -------
    Attribution
        The scores.

    Raises
    ------
    ValueError
        If there is not one entry of statistics per layer, level l does not exist, or `out_score`
        or `input_names` has the wrong length.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> scores = KAN([2, 3, 1], seed=0).attribute(np.array([[0.0, 0.1], [1.0, 0.5], [-1.0, 0.3]]))
    >>> [edges.shape for edges in scores.edge_scores]
    [(2, 3), (3, 1)]
    """
    if len(statistics) != network.depth:
        raise ValueError(
            f"statistics of every layer ({network.depth}) are needed, got {len(statistics)}"
        )
    if input_names is not None and len(input_names) != network.n_in:
        raise ValueError(f"`input_names` must name {network.n_in} inputs, got {list(input_names)}")
    start = _diagonal(network.n_out, out_score, statistics[0].edges.m2)
    if l is not None:
        if not 1 <= l <= network.depth:
            raise ValueError(f"`l` must be between 1 and {network.depth}, got {l}")
        at_level = scores_from(network, statistics, start).node_scores[l]
        start = _diagonal(at_level.shape[0], at_level, at_level)
        statistics = statistics[:l]
    names = None if input_names is None else tuple(input_names)
    return replace(scores_from(network, statistics, start), input_names=names)


def _diagonal(n: int, values: Array | None, like: Array) -> Array:
    """Return a square matrix with `values`, or 1, on its diagonal."""
    xp = namespace(like)
    eye = xp.eye(n, dtype=like.dtype)
    if values is None:
        return eye
    values = xp.asarray(values, dtype=like.dtype)
    if values.shape != (n,):
        raise ValueError(f"`out_score` must have shape ({n},), got {values.shape}")
    return eye * values[:, None]


def scores_from(
    network: Network, statistics: Sequence[LayerStatistics], start: Array
) -> Attribution:
    """Propagate the scores `start` (n_q, n_nodes) back through the layers of `statistics`.

    They belong to the nodes of level ``len(statistics)``.

    Parameters
    ----------
    network : Network
        The whole network.
    statistics : sequence of LayerStatistics
        Of the first of its layers.
    start : (n_q, n_nodes)
        Scores of the nodes above these layers.

    Returns
    -------
    Attribution
        Of the nodes and edges below.
    """
    depth = len(statistics)
    sum_std = [layer.u.std() for layer in statistics]
    ratios = [
        layer.edges.std() / (spread[None, :] + EPSILON)
        for layer, spread in zip(statistics, sum_std, strict=True)
    ]
    node_scores, subnode_scores = [start], []
    for l in reversed(range(depth)):
        subnode_scores.append(_to_subnodes(network.nodes[l], node_scores[-1]))
        node_scores.append(subnode_scores[-1] @ ratios[l].T)
    return Attribution(
        tuple(reversed(node_scores)),
        tuple(reversed(subnode_scores)),
        tuple(ratios),
        tuple(sum_std),
        network.nodes[:depth],
    )


def scores_backward(
    scores: Attribution,
    dnodes: Sequence[Array | None] | None = None,
    dedges: Sequence[Array | None] | None = None,
) -> tuple[Array, list[Array], list[Array]]:
    """Propagate cotangents of scores to the standard deviations they are made of.

    Parameters
    ----------
    scores : Attribution
        From :func:`scores_from`.
    dnodes : sequence of (n_q, n_nodes) or None
        Cotangents of ``node_scores_all``, per level.
    dedges : sequence of (n_in, n_subnodes) or None
        Cotangents of ``edge_scores``, the means over q, per layer.

    Returns
    -------
    dstart : (n_q, n_nodes)
        Cotangent of the scores that the recursion started from.
    dedge_std : list of (n_in, n_subnodes)
        Cotangents of E, per layer.
    dsum_std : list of (n_subnodes,)
        Cotangents of U, per layer.
    """
    depth = len(scores.ratios)
    dnodes = [None] * (depth + 1) if dnodes is None else dnodes
    dedges = [None] * depth if dedges is None else dedges
    dscore = _add(namespace(scores.ratios[0]).zeros_like(scores.node_scores_all[0]), dnodes[0])
    dedge_std, dsum_std = [], []
    for l, ratio in enumerate(scores.ratios):
        subnode = scores.subnode_scores_all[l]  # (n_q, n_subnodes)
        dsubnode = dscore @ ratio  # (n_q, n_subnodes)
        dratio = dscore.T @ subnode  # (n_in, n_subnodes)
        dedge = dedges[l]
        if dedge is not None:
            dsubnode = dsubnode + _sum(dedge * ratio)[None, :] / subnode.shape[0]
            dratio = dratio + dedge * _mean(subnode)[None, :]
        divisor = scores.sum_std[l] + EPSILON
        dedge_std.append(dratio / divisor[None, :])
        dsum_std.append(-_sum(dratio * ratio) / divisor)
        dscore = _add(_to_nodes(scores.nodes[l], dsubnode), dnodes[l + 1])
    return dscore, dedge_std, dsum_std


def feature_interaction(
    network: Network,
    statistics: Sequence[LayerStatistics],
    l: int,
    *,
    neuron_th: float = 1e-2,
    feature_th: float = 1e-2,
) -> dict[tuple[int, ...], int]:
    """Count the nodes of level l that look at the same inputs.

    Parameters
    ----------
    network, statistics, l
        As in :func:`attribute`.
    neuron_th : float
        A node counts where its largest input score exceeds this.
    feature_th : float
        An input is active where its score exceeds this fraction of the node's largest.

    Returns
    -------
    dict
        Number of nodes by tuple of active inputs, the most frequent first.
    """
    rows = to_numpy(attribute(network, statistics, l=l).node_scores_all[0])  # (n_nodes, n_in)
    found: dict[tuple[int, ...], int] = {}
    for row in rows:
        if row.max() > neuron_th:
            active = tuple((row > row.max() * feature_th).nonzero()[0].tolist())
            found[active] = found.get(active, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


# --- between nodes and their factors -------------------------------------------------------------


def _to_subnodes(nodes: Nodes, scores: Array) -> Array:
    """Give every factor the score of its node: (n_q, n_nodes) -> (n_q, n_subnodes)."""
    if not nodes.arity:
        return scores
    owners = [node for node, factors in enumerate(nodes.factors()) for _ in factors]
    xp = namespace(scores)
    return xp.take(scores, xp.asarray(owners), axis=1)


def _to_nodes(nodes: Nodes, dscores: Array) -> Array:
    """Sum over the factors of each node: the transpose of :func:`_to_subnodes`."""
    if not nodes.arity:
        return dscores
    xp = namespace(dscores)
    columns = [xp.sum(dscores[:, f.start : f.stop], axis=1) for f in nodes.factors()]
    return xp.stack(columns, axis=1)


def _sum(a: Array) -> Array:
    return namespace(a).sum(a, axis=0)


def _mean(a: Array) -> Array:
    return _sum(a) / a.shape[0]


def _add(a: Array, b: Array | None) -> Array:
    return a if b is None else a + b
