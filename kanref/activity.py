r"""Activities: how much every edge of a network does on a batch, with their exact derivatives.

An activity is made of the statistics of a forward pass. Each function here returns one matrix V per
layer and, as JAX calls it, a pullback: a function from cotangents of the V to cotangents of the
statistics, which :func:`layer_cotangent` turns into the affine cotangents that the backward pass
takes at the edges and nodes. The table of :mod:`kanref.regularization` says what the V are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ._arrays import Array, namespace, where
from .attribution import scores_backward, scores_from
from .layer import EdgeCotangent, Layer
from .network import Network, NodeCotangent
from .statistics import LayerStatistics

INPUT_OFFSET = 0.1
"""Added to the spread of an input, so that one that never moves divides by no zero."""


@dataclass(frozen=True)
class StatisticsCotangent:
    r"""Cotangents of one layer's statistics; None stands for 0.

    Attributes
    ----------
    mean_abs, edge_std : (n_in, n_out) or None
        Of the batch mean of \|φ\| and of the standard deviation of φ.
    input_std : (n_in,) or None
        Of the standard deviation of the inputs.
    sum_std : (n_out,) or None
        Of the standard deviation of the sums.
    """

    mean_abs: Array | None = None
    edge_std: Array | None = None
    input_std: Array | None = None
    sum_std: Array | None = None


Pullback = Callable[[Sequence[Array]], list[StatisticsCotangent]]
Measured = tuple[list[Array], Pullback]
Statistics = Sequence[LayerStatistics]
Cotangent = tuple[EdgeCotangent | None, NodeCotangent | None]


def mean_absolute(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """Batch mean of |φ|; nothing to detach."""

    def pullback(dv: Sequence[Array]) -> list[StatisticsCotangent]:
        return [StatisticsCotangent(mean_abs=d) for d in dv]

    return [layer.mean_abs for layer in statistics], pullback


def spread(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """σ(φ); nothing to detach."""

    def pullback(dv: Sequence[Array]) -> list[StatisticsCotangent]:
        return [StatisticsCotangent(edge_std=d) for d in dv]

    return [layer.edges.std() for layer in statistics], pullback


def relative_spread(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """σ(φ) / (σ(x) + 0.1); with `detach`, a constant."""
    chosen = [namespace(layer.mask).ones_like(layer.mask) for layer in network.layers]
    v, pullback = _relative_spread(statistics, chosen)
    return v, (lambda dv: [StatisticsCotangent()] * len(dv)) if detach else pullback


def numeric_relative_spread(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """σ(φ) / (σ(x) + 0.1) of numeric edges, 0 for symbolic ones; nothing to detach."""
    return _relative_spread(statistics, [layer.numeric for layer in network.layers])


def _relative_spread(statistics: Statistics, chosen: Sequence[Array]) -> Measured:
    """σ(φ) / (σ(x) + 0.1) where `chosen`, else 0."""
    divisors = [layer.x.std()[:, None] + INPUT_OFFSET for layer in statistics]  # (n_in, 1)
    v = [
        where(at, layer.edges.std(), 0.0) / divisor
        for at, layer, divisor in zip(chosen, statistics, divisors, strict=True)
    ]

    def pullback(dv: Sequence[Array]) -> list[StatisticsCotangent]:
        found = []
        for d, activity, divisor, at in zip(dv, v, divisors, chosen, strict=True):
            dinput = -namespace(d).sum(d * activity / divisor, axis=1)
            found.append(
                StatisticsCotangent(edge_std=where(at, d / divisor, 0.0), input_std=dinput)
            )
        return found

    return v, pullback


def edge_scores(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """Edge scores, averaged over the outputs; with `detach`, the spread of sums is constant."""
    scores = scores_from(network, statistics, _mean_of_outputs(network, statistics))

    def pullback(dv: Sequence[Array]) -> list[StatisticsCotangent]:
        _, dedge_std, dsum_std = scores_backward(scores, dedges=dv)
        return _collect(dedge_std, dsum_std, detach)

    return list(scores.edge_scores), pullback


def node_scores(network: Network, statistics: Statistics, detach: bool) -> Measured:
    """Scores (node of level l, input) for l = 1, …, L: what the nodes owe to the inputs.

    The recursion to the inputs starts at the diagonal of the level's own node scores, which depend
    on the layers above: so the derivatives come from all layers. `detach` is as for `edge_scores`.
    """
    whole = scores_from(network, statistics, _mean_of_outputs(network, statistics))
    parts = []
    for l, at_level in enumerate(whole.node_scores[1:], start=1):
        eye = namespace(at_level).eye(at_level.shape[0], dtype=at_level.dtype)
        parts.append((eye, scores_from(network, statistics[:l], eye * at_level[:, None])))

    def pullback(dv: Sequence[Array]) -> list[StatisticsCotangent]:
        dlevels: list[Array | None] = [None]
        found = []
        for d, (eye, part) in zip(dv, parts, strict=True):
            dstart, *dstds = scores_backward(part, dnodes=[d] + [None] * len(part.ratios))
            dlevels.append(namespace(d).sum(dstart * eye, axis=0)[None, :])
            found.append(dstds)
        found.append(list(scores_backward(whole, dnodes=dlevels)[1:]))
        layers = range(network.depth)
        dedge_std = [sum(e[l] for e, _ in found if l < len(e)) for l in layers]
        dsum_std = [sum(u[l] for _, u in found if l < len(u)) for l in layers]
        return _collect(dedge_std, dsum_std, detach)

    return [part.node_scores_all[0] for _, part in parts], pullback


ACTIVITIES: Mapping[str, Callable[[Network, Statistics, bool], Measured]] = MappingProxyType(
    {
        "l1": mean_absolute,
        "edge_forward_spline_n": numeric_relative_spread,
        "edge_forward_sum": relative_spread,
        "edge_forward_spline_u": spread,
        "edge_backward": edge_scores,
        "node_backward": node_scores,
    }
)
"""The activities by the names of the metrics."""


def _mean_of_outputs(network: Network, statistics: Statistics) -> Array:
    """Start a recursion whose only row is the mean over the outputs, (1, n_out)."""
    m2 = statistics[0].edges.m2
    return namespace(m2).full((1, network.n_out), 1 / network.n_out, dtype=m2.dtype)


def _collect(
    dedge_std: Sequence[Array], dsum_std: Sequence[Array], detach: bool
) -> list[StatisticsCotangent]:
    pairs = zip(dedge_std, dsum_std, strict=True)
    return [StatisticsCotangent(edge_std=e, sum_std=None if detach else u) for e, u in pairs]


def layer_cotangent(layer: Layer, statistics: LayerStatistics, d: StatisticsCotangent) -> Cotangent:
    """Turn cotangents of a layer's statistics into affine cotangents of its φ, x and u.

    They come in the dtype of the layer, though statistics are kept in double precision.
    """
    xp, dtype = namespace(layer.coef), layer.coef.dtype

    def pair(constant: Array, slope: Array) -> tuple[Array, Array]:
        return xp.astype(constant, dtype), xp.astype(slope, dtype)

    zeros = xp.zeros((layer.n_in, layer.n_out), dtype=dtype)
    edge, node = None, None
    if d.mean_abs is not None or d.edge_std is not None:
        r0, r1, r2 = zeros, zeros, zeros
        if d.mean_abs is not None:
            r2 = xp.astype(d.mean_abs / statistics.edges.count, dtype)
        if d.edge_std is not None:
            r0, r1 = pair(*statistics.edges.std_cotangent(d.edge_std))
        edge = EdgeCotangent(r0, r1, r2)
    if d.input_std is not None or d.sum_std is not None:
        s0 = s1 = zeros[:, 0]
        t0 = t1 = zeros[0, :]
        if d.input_std is not None:
            s0, s1 = pair(*statistics.x.std_cotangent(d.input_std))
        if d.sum_std is not None:
            t0, t1 = pair(*statistics.u.std_cotangent(d.sum_std))
        node = NodeCotangent(s0, s1, t0, t1)
    return edge, node
