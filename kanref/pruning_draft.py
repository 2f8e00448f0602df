"""A pruning in progress: what is left of the network, and what was decided so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real

import numpy as np

from ._arrays import Array, namespace, to_numpy
from .attribution import Attribution, attribute
from .network import Network, network_statistics
from .objective import MAX_MEMORY, split
from .pruning_graph import (
    Masks,
    fold_constants,
    keep_edges,
    keep_nodes,
    live_edges,
    n_edges,
    needed_edges,
    severed_outputs,
    subnodes,
    useful_nodes,
    width,
)
from .pruning_plan import PruneItem, PrunePlan

LOW = "its score is not above the threshold"
NEEDED = "needed: without it an output or a product would depend on no input"
LAST = "needed: its layer would be empty"
IDLE = "no live edge leads on from it to an output"
CONSTANT = "it is constant; what it gave went to the next biases"


class Draft:
    """What is left of a network while it is being pruned.

    Attributes
    ----------
    network : Network
        What is left.
    origin : list of list of int
        Per level, the numbers that the remaining nodes had in the network as it was.
    items : list of PruneItem
        What was decided, in the numbers of the network as it was.
    """

    def __init__(self, network: Network, x: Array | None = None) -> None:
        self.before = network
        self.x = None if x is None else _batch(network, x)
        self.network = network
        self.origin = [list(range(network.n_in))]
        self.origin += [list(range(nodes.n_nodes)) for nodes in network.nodes]
        self.items: list[PruneItem] = []
        self._node_scores: dict[tuple[int, int], float] = {}  # the latest, by original place

    # --- decisions by score --------------------------------------------------------------------

    def drop_nodes(self, threshold: float) -> None:
        """Take out the hidden nodes that do not score above `threshold`."""
        _check_threshold(threshold)
        self.tidy()
        levels = [to_numpy(level) for level in self._scores().node_scores]
        levels[0] = np.full(len(levels[0]), np.inf)
        levels[-1] = np.full(len(levels[-1]), np.inf)
        self._drop("node", levels, threshold)

    def drop_inputs(self, threshold: float) -> None:
        """Take out the inputs that do not score above `threshold`."""
        _check_threshold(threshold)
        self.tidy()
        first, *others = self._scores().node_scores
        levels = [to_numpy(first), *(np.full(len(level), np.inf) for level in others)]
        self._drop("input", levels, threshold)

    def drop_edges(self, threshold: float) -> None:
        """Kill the numeric edges that do not score above `threshold`."""
        _check_threshold(threshold)
        self.tidy()
        scores = [to_numpy(score) for score in self._scores().edge_scores]
        live = live_edges(self.network)
        masks = [
            mask & ((score > threshold) | ~to_numpy(layer.numeric))
            for mask, score, layer in zip(live, scores, self.network.layers, strict=True)
        ]
        needed = needed_edges(self.network, masks, scores)
        for l, (before, after) in enumerate(zip(live, masks, strict=True)):
            for i, j in np.argwhere(before & ~after).tolist():
                keep = (l, i, j) in needed
                place = (l, self.origin[l][i], self._subnodes(l)[j])
                self._note(keep, "edge", place, float(scores[l][i, j]), threshold)
        for l, i, j in needed:
            masks[l][i, j] = True
        self.network = keep_edges(self.network, masks)
        self.tidy()

    def _drop(self, kind: str, levels: list[np.ndarray], threshold: float) -> None:
        """Take out what does not score above the threshold, but for what is needed."""
        keep = [scores > threshold for scores in levels]
        masks = self._between(keep)
        scores = [
            np.broadcast_to(level[:, None], mask.shape)
            for level, mask in zip(levels, masks, strict=False)
        ]
        needed = {(l, i) for l, i, _ in needed_edges(self.network, masks, scores)}
        for l, (level, kept) in enumerate(zip(levels, keep, strict=True)):
            low = np.flatnonzero(~kept).tolist()
            kept[[i for i in low if (l, i) in needed]] = True
            last = None if kept.any() else int(np.argmax(level))
            if last is not None:
                kept[last] = True
            for i in low:
                place = (l, self.origin[l][i]) if kind == "node" else (self.origin[l][i],)
                why = LAST if i == last else NEEDED
                self._note(bool(kept[i]), kind, place, float(level[i]), threshold, why)
        self.select([np.flatnonzero(kept).tolist() for kept in keep])
        self.tidy()

    def _note(
        self,
        keep: bool,
        kind: str,
        place: tuple[int, ...],
        score: float,
        threshold: float,
        why: str = NEEDED,
    ) -> None:
        action, why = ("keep", why) if keep else ("remove", LOW)
        self.items.append(PruneItem(action, kind, place, score, threshold, why))

    # --- cuts ----------------------------------------------------------------------------------

    def select(self, kept: Sequence[Sequence[int]]) -> None:
        """Take the nodes `kept` of each level, in the numbers they have now, and no others."""
        self.network = keep_nodes(self.network, kept)
        pairs = zip(self.origin, kept, strict=True)
        self.origin = [[origin[i] for i in level] for origin, level in pairs]

    def select_or_refuse(self, kept: Sequence[Sequence[int]]) -> None:
        """Do the same, unless that cuts an output off from every input."""
        keep = [
            np.isin(np.arange(len(origin)), list(level))
            for origin, level in zip(self.origin, kept, strict=True)
        ]
        refuse_if_severed(self.network, self._between(keep))
        self.select(kept)

    def tidy(self) -> None:
        """Take out the hidden nodes that are constant or lead nowhere; the function stays."""
        network, folded = fold_constants(self.network)
        kept = useful_nodes(network)
        for l in range(1, network.depth):
            for i in sorted(set(range(len(self.origin[l]))) - set(kept[l])):
                place = (l, self.origin[l][i])
                why = CONSTANT if i in folded[l] else IDLE
                score = self._node_scores.get(place, math.nan)
                self.items.append(PruneItem("remove", "node", place, score, None, why))
        self.network = network
        self.select(kept)

    # --- results -------------------------------------------------------------------------------

    def plan(self, input_th: float) -> PrunePlan:
        """Return what was decided, and what pruning the inputs next would do."""
        inputs = Draft(self.network, self.x)
        inputs.drop_inputs(input_th)
        items = list(self.items)
        for item in inputs.items:
            if item.kind == "input":
                action = "keep" if item.action == "keep" else "prune_input"
                items.append(replace(item, action=action))
        return PrunePlan(
            tuple(items),
            width(self.before),
            width(self.network),
            n_edges(self.before),
            n_edges(self.network),
        )

    # --- bookkeeping ---------------------------------------------------------------------------

    def _subnodes(self, l: int) -> list[int]:
        """Return the numbers that the subnodes of layer l had in the network as it was."""
        return subnodes(self.before.nodes[l], self.origin[l + 1])

    def _between(self, keep: Sequence[np.ndarray]) -> Masks:
        """Return the live edges between the nodes marked in `keep`, per level."""
        masks = []
        for l, mask in enumerate(live_edges(self.network)):
            ends = np.zeros(mask.shape[1], dtype=bool)
            ends[subnodes(self.network.nodes[l], np.flatnonzero(keep[l + 1]).tolist())] = True
            masks.append(mask & keep[l][:, None] & ends)
        return masks

    def _scores(self) -> Attribution:
        """Score what is left on the batch."""
        if self.x is None:
            raise ValueError("`x` must be given: the scores are taken on a batch")
        statistics = network_statistics(self.network, split(self.network, self.x, MAX_MEMORY))
        for l, layer in enumerate(statistics):
            if not np.all(np.isfinite(to_numpy(layer.u.mean))):
                raise ValueError(
                    f"the network must be finite on `x`, got NaN or infinity in layer {l}"
                )
        scores = attribute(self.network, statistics)
        for l, level in enumerate(scores.node_scores):
            for i, score in zip(self.origin[l], to_numpy(level).tolist(), strict=True):
                self._node_scores[l, i] = score
        return scores


def _check_threshold(threshold: float) -> None:
    """Raise unless the threshold is a number (infinity keeps only what must stay)."""
    if not isinstance(threshold, Real) or math.isnan(threshold):
        raise ValueError(f"thresholds of scores must be numbers, got {threshold!r}")


def refuse_if_severed(network: Network, masks: Masks) -> None:
    """Raise if an output depends on an input now, but not through the edges in `masks`."""
    severed = severed_outputs(network, masks)
    if severed:
        raise ValueError(
            "every output must still depend on an input, but nothing would be left between any "
            f"input and outputs {severed}"
        )


def _batch(network: Network, x: Array) -> Array:
    """Check the batch and give it the network's dtype."""
    xp = namespace(x)
    if x.ndim != 2 or x.shape[1] != network.n_in or x.shape[0] < 2:
        raise ValueError(f"`x` must have shape (N, {network.n_in}) with N >= 2, got {x.shape}")
    if not bool(xp.all(xp.isfinite(x))):
        raise ValueError("`x` must be finite, got NaN or infinite values")
    return xp.astype(x, network.layers[0].knots.dtype, copy=False)
