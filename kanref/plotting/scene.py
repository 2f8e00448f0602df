"""The drawing of a network as plain data: what to draw where, before any format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._arrays import Array, to_numpy
from ..network import Network
from .batch import check_scores, edge_scores, observe
from .curves import SAMPLES, LayerCurves, grid_range, sample_layer
from .layout import EdgePlace
from .page import Page
from .text import LETTER, function_label, letters

INVISIBLE = 0.01
"""An edge of less opacity is not drawn."""

MARGIN = 0.1
"""Empty share of a box around its curve, on each side."""

CAPTION = 0.27
"""Share of a box that the name of a symbolic function takes, at the top."""


@dataclass(frozen=True)
class EdgeDrawing:
    """A visible edge.

    Attributes
    ----------
    place : EdgePlace
        Box and wires.
    curve : (S, 2)
        φ in the box.
    opacity : float
        tanh(beta · score).
    caption : str
        The function of a symbolic edge; empty for a spline.
    x_span, y_span : (float, float)
        What the sides of the curve's rectangle stand for.
    """

    place: EdgePlace
    curve: np.ndarray
    opacity: float
    caption: str
    x_span: tuple[float, float]
    y_span: tuple[float, float]


@dataclass(frozen=True)
class NodeDrawing:
    """A node, or a factor below a product node.

    Attributes
    ----------
    kind : {"sum", "product", "factor"}
        Inputs count as sums.
    x, y : float
        Where.
    alive : bool
        Whether a live edge reaches it and one leaves it, where there can be.
    """

    kind: str
    x: float
    y: float
    alive: bool


@dataclass(frozen=True)
class Scene:
    """All of a network's drawing.

    Attributes
    ----------
    page : Page
        Size, margins and names.
    edges : list of EdgeDrawing
        The visible ones, in the order (l, i, j).
    nodes : list of NodeDrawing
    stems : list of (2, 2)
        From the factors to their products.
    input_alive, output_alive : (n_in,), (n_out,)
        Which names are of live nodes.
    """

    page: Page
    edges: list[EdgeDrawing]
    nodes: list[NodeDrawing]
    stems: list[np.ndarray]
    input_alive: np.ndarray
    output_alive: np.ndarray


@dataclass(frozen=True)
class Strength:
    """How strongly edges are drawn, and over which ranges.

    Attributes
    ----------
    opacity : list of (n_in, n_out)
        tanh(beta · score) of each edge, in [0, 1].
    low, high : list of (n_in,)
        The range of each layer's inputs.
    """

    opacity: list[np.ndarray]
    low: list[np.ndarray]
    high: list[np.ndarray]

    @classmethod
    def of(
        cls,
        network: Network,
        x: Array | None,
        scores: Sequence[Array] | None,
        beta: float,
        metric: str,
    ) -> Strength:
        """Take ranges and scores from the inputs x (N, n_in); without, the grid's range and 1.

        A score that is NaN counts as infinite, so that the edges of a broken network show.
        """
        if not 0 < beta < np.inf:
            raise ValueError(f"`beta` must be a positive number, got {beta!r}")
        activity = None if x is None else observe(network, x)
        if scores is not None:
            scores = check_scores(network, scores)
        elif activity is not None:
            scores = edge_scores(network, activity, metric)
        else:
            scores = [np.ones((layer.n_in, layer.n_out)) for layer in network.layers]
        scores = [np.where(np.isnan(s), np.inf, np.maximum(s, 0.0)) for s in scores]
        opacity = [np.tanh(beta * s) for s in scores]
        if activity is not None:
            return cls(opacity, activity.low, activity.high)
        low, high = zip(*(grid_range(layer) for layer in network.layers), strict=True)
        return cls(opacity, list(low), list(high))


def caption_size(caption: str, box: float) -> float:
    """Return the size, in points, at which a caption fits into a box of so many inches."""
    return min(9.0, 0.22 * box * 72, 0.92 * box * 72 / (LETTER * letters(caption)))


def on_host(network: Network) -> Network:
    """Return the network with NumPy arrays."""
    return network if isinstance(network.theta, np.ndarray) else network.map(to_numpy)


def build_scene(network: Network, page: Page, strength: Strength, samples: int = SAMPLES) -> Scene:
    """Draw a network on a page, with curves of so many points."""
    alive = _connected(network)
    edges = _edge_drawings(network, page, strength, samples)
    nodes, stems = _node_drawings(network, page, alive)
    return Scene(page, edges, nodes, stems, alive[0], alive[-1])


def _node_drawings(
    network: Network, page: Page, alive: Sequence[np.ndarray]
) -> tuple[list[NodeDrawing], list[np.ndarray]]:
    levels = page.layout.nodes
    found = [_node("sum", xy, a) for xy, a in zip(levels[0], alive[0], strict=True)]
    stems = []
    for nodes, above, lit, below in zip(
        network.nodes, levels[1:], alive[1:], page.layout.subnodes, strict=True
    ):
        for node, factors in enumerate(nodes.factors()):
            kind = "sum" if node < nodes.n_sum else "product"
            found.append(_node(kind, above[node], lit[node]))
            if kind == "product":
                found += [_node("factor", below[j], lit[node]) for j in factors]
                stems += [np.array([below[j], above[node]]) for j in factors]
    return found, stems


def _node(kind: str, xy: np.ndarray, alive: bool) -> NodeDrawing:
    return NodeDrawing(kind, float(xy[0]), float(xy[1]), bool(alive))


def _edge_drawings(
    network: Network, page: Page, strength: Strength, samples: int
) -> list[EdgeDrawing]:
    curves = [
        sample_layer(layer, low, high, samples)
        for layer, low, high in zip(network.layers, strength.low, strength.high, strict=True)
    ]
    captions = {
        (l, e.i, e.j): function_label(e.function.name)
        for l, layer in enumerate(network.layers)
        for e in layer.symbolic
    }
    found = []
    for place in page.layout.edges:
        opacity = float(strength.opacity[place.l][place.i, place.j])
        if opacity >= INVISIBLE:
            caption = captions.get((place.l, place.i, place.j), "")
            found.append(_drawing(place, page.layout.box, curves[place.l], opacity, caption))
    return found


def _drawing(
    place: EdgePlace, box: float, curves: LayerCurves, opacity: float, caption: str
) -> EdgeDrawing:
    i, j = place.i, place.j
    top = CAPTION if caption else MARGIN
    corner = np.array([place.x, place.y]) + MARGIN * box
    size = np.array([1 - 2 * MARGIN, 1 - MARGIN - top]) * box
    x_span = (float(curves.x[0, i]), float(curves.x[-1, i]))
    curve = corner + size * curves.in_box(i, j)
    return EdgeDrawing(place, curve, opacity, caption, x_span, curves.span(i, j))


def _connected(network: Network) -> list[np.ndarray]:
    """Tell which nodes of each level, inputs first, have a live edge on every side they can."""
    found = [np.any(np.asarray(network.layers[0].mask), axis=1)]
    for l, (layer, nodes) in enumerate(zip(network.layers, network.nodes, strict=True)):
        fed = np.any(np.asarray(layer.mask), axis=0)
        alive = np.array([fed[list(factors)].all() for factors in nodes.factors()])
        if l + 1 < network.depth:
            alive &= np.any(np.asarray(network.layers[l + 1].mask), axis=1)
        found.append(alive)
    return found
