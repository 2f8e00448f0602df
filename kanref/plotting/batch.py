"""What a batch does in a network: the range of every node, and how much every edge matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._arrays import Array, to_numpy
from ..activity import ACTIVITIES
from ..layer import BLOCK_ELEMENTS
from ..network import Network, network_forward
from ..statistics import LayerStatistics, merge_statistics

METRICS = {
    "backward": "edge_backward",
    "forward_n": "edge_forward_sum",
    "forward_u": "edge_forward_spline_u",
}
"""Names of the scores in pictures, and of the activities that they are."""


@dataclass(frozen=True)
class Activity:
    """The ranges of the layers' inputs and the statistics of a batch, layer by layer.

    Attributes
    ----------
    low, high : list of (n_in,)
        Between which values the inputs of each layer lie.
    statistics : list of LayerStatistics
    """

    low: list[np.ndarray]
    high: list[np.ndarray]
    statistics: list[LayerStatistics]


def observe(network: Network, x: np.ndarray) -> Activity:
    """Run the batch x (N, n_in) through the network, in chunks; rows that are not finite are left.

    Raises
    ------
    ValueError
        If the shape of `x` is wrong or no row is finite.
    """
    x = check_inputs(network, x)
    parts, low, high = [], [], []
    for chunk in chunks(network, x):
        with np.errstate(all="ignore"):  # a network that diverged is drawn as it is
            cache = network_forward(network, chunk, sums=True, continued=True)[1]
        parts.append(cache.statistics)
        low.append([z.min(axis=0) for z in cache.x])
        high.append([z.max(axis=0) for z in cache.x])
    return Activity(
        [np.min(part, axis=0) for part in zip(*low, strict=True)],
        [np.max(part, axis=0) for part in zip(*high, strict=True)],
        merge_statistics(parts),
    )


def check_inputs(network: Network, x: Array) -> np.ndarray:
    """Return the finite rows of x (N, n_in) in the network's dtype."""
    x = to_numpy(x)
    if x.ndim != 2 or x.shape[1] != network.n_in:
        raise ValueError(f"`x` must have shape (N, {network.n_in}), got {x.shape}")
    x = x.astype(network.layers[0].coef.dtype, copy=False)
    x = x[np.isfinite(x).all(axis=1)]
    if not len(x):
        raise ValueError("`x` must have a row of finite numbers, got none")
    return x


def chunks(network: Network, x: np.ndarray) -> list[np.ndarray]:
    """Cut the samples so that the basis of the widest layer stays small."""
    widest = max(layer.n_in * (layer.G + layer.k + layer.n_out) for layer in network.layers)
    size = max(1, BLOCK_ELEMENTS // widest)
    return [x[start : start + size] for start in range(0, len(x), size)]


def edge_scores(network: Network, activity: Activity, metric: str) -> list[np.ndarray]:
    """Return the scores of all edges, (n_in, n_out) for each layer.

    ``"backward"``: the attribution score. ``"forward_n"``: std φ_ij / (std x_i + 0.1).
    ``"forward_u"``: std φ_ij. (As in the plots of the KAN paper's library.) What is not a
    number gives NaN.
    """
    if metric not in METRICS:
        raise ValueError(f"`metric` must be one of {tuple(METRICS)}, got {metric!r}")
    scores, _ = ACTIVITIES[METRICS[metric]](network, activity.statistics, False)
    return list(scores)


def check_scores(network: Network, scores: Sequence[Array]) -> list[np.ndarray]:
    """Return given scores as arrays; raise unless they fit the layers."""
    if len(scores) != network.depth:
        raise ValueError(
            f"`scores` must hold an array for each of {network.depth} layers, got {len(scores)}"
        )
    arrays = [np.asarray(to_numpy(s), dtype=float) for s in scores]
    for l, (layer, score) in enumerate(zip(network.layers, arrays, strict=True)):
        if score.shape != (layer.n_in, layer.n_out):
            raise ValueError(
                f"`scores[{l}]` must have shape {(layer.n_in, layer.n_out)}, got {score.shape}"
            )
    return arrays
