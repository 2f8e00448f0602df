"""Networks on Matplotlib axes: lines and patches in data coordinates, which are inches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Array
from ..network import Network
from ..scaling import Scaling
from .nodes import draw_names, draw_nodes
from .page import Page, set_page
from .pen import Pen, inches
from .scene import CAPTION, EdgeDrawing, Scene, Strength, build_scene, caption_size, on_host
from .text import bounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMALLEST = 3.5  # points; a caption that would be smaller is left out


def figure_size(
    network: Network,
    *,
    input_names: Sequence[object] | None = None,
    output_names: Sequence[object] | None = None,
) -> tuple[float, float]:
    """Return the width and height, in inches, of the axes that a network fills well.

    For a figure that pyplot does not know of::

        figure = matplotlib.figure.Figure(figsize=figure_size(network))
        plot_network(network, figure.add_axes((0, 0, 1, 1)))

    Parameters
    ----------
    network : Network
        Any.
    input_names, output_names : sequence, optional
        Names that stand below and above it.
    """
    page = set_page(network, input_names, output_names)
    return page.width, page.height


def plot_network(
    network: Network,
    ax: Axes | None = None,
    *,
    x: Array | None = None,
    scores: Sequence[Array] | None = None,
    beta: float = 3.0,
    metric: str = "backward",
    input_names: Sequence[object] | None = None,
    output_names: Sequence[object] | None = None,
    title: str | None = None,
    scaling: Scaling | None = None,
    ticks: bool = False,
    colors: tuple[Any, Any] | None = None,
) -> Axes:
    r"""Draw a network as the KAN paper does: inputs at the bottom, a curve on every edge.

    Each live edge carries its activation φ in a small box, scaled to fill it. An edge is drawn with
    the opacity :math:`\tanh(\beta \cdot \text{score})`; below 0.01 it is left out. Symbolic edges
    have another colour and the name of their function in the box. A product node is a circle with a
    cross above its factors. Nodes that no live edge reaches, or leaves, are pale.

    Parameters
    ----------
    network : Network
        What to draw.
    ax : Axes, optional
        Where. By default a new pyplot figure of suitable size, which notebooks show.
    x : (N, n_in), optional
        Inputs in network units. The curves span the values that each node takes on them, and the
        scores are computed from them. Without, the curves span the grid and all edges score 1.
    scores : sequence of (n_in, n_out), optional
        Your own scores of the edges of each layer.
    beta : float
        How fast an edge gains opacity with its score.
    metric : {"backward", "forward_n", "forward_u"}
        The score: attribution; std φ / (std x + 0.1); std φ.
    input_names, output_names : sequence of str, optional
        Names of the variables, by default x_1, x_2, … and y. Long ones are wrapped or slanted.
    title : str, optional
        Set as the title of the axes.
    scaling : Scaling, optional
        With `ticks`, shows the ranges of the inputs in data units.
    ticks : bool
        Write the range of x and of φ beside each box.
    colors : (numeric, symbolic), optional
        Colours of the edges, by default that of the text, and vermilion.

    Returns
    -------
    Axes
        With its frame switched off and, as data coordinates, inches.

    Raises
    ------
    ValueError
        If the shape of `x` or of `scores`, the number of names, or the metric is wrong.
    """
    network = on_host(network)
    strength = Strength.of(network, x, scores, beta, metric)
    page = set_page(network, input_names, output_names, None if ax is None else inches(ax))
    scene = build_scene(network, page, strength)
    if ax is None:
        ax = new_axes(page.width, page.height, title is not None)
    _set_view(ax, page)
    pen = Pen.of(ax, page, colors)
    _draw_edges(ax, pen, scene)
    if ticks:
        _draw_ticks(ax, pen, scene, scaling)
    draw_nodes(ax, pen, scene)
    draw_names(ax, pen, scene)
    if title is not None:
        ax.set_title(title)
    return ax


def new_axes(width: float, height: float, titled: bool = False) -> Axes:
    """Return axes that fill a new pyplot figure, but for a title."""
    from matplotlib import pyplot as plt

    room = 0.4 if titled else 0.0
    # No layout engine, whatever rcParams say: it would warn that these axes are not its own.
    figure = plt.figure(figsize=(width, height + room), layout="none")
    return figure.add_axes((0.0, 0.0, 1.0, height / (height + room)))


def _set_view(ax: Axes, page: Page) -> None:
    left, bottom, right, top = page.margins
    ax.set(
        xlim=(-left, page.layout.width + right),
        ylim=(-bottom, page.layout.height + top),
        aspect="equal",
    )
    ax.set_axis_off()


def _draw_edges(ax: Axes, pen: Pen, scene: Scene) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    edges, box = scene.edges, scene.page.layout.box
    colors = [pen.edge(edge) for edge in edges]
    thin, thick = 0.75 * pen.scale, max(2.6 * box, 0.7) * pen.scale
    wires = [edge.place.into for edge in edges] + [edge.place.out for edge in edges]
    curves = [edge.curve for edge in edges]
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * box
    corners = [square + np.array([edge.place.x, edge.place.y]) for edge in edges]
    paper = [pen.paper]
    for collection, label in (
        (LineCollection(wires, colors=colors * 2, linewidths=thin, zorder=1), "_wires"),
        (
            PolyCollection(corners, facecolors=paper, edgecolors=colors, linewidths=thin, zorder=2),
            "_boxes",
        ),
        (LineCollection(curves, colors=colors, linewidths=thick, zorder=3), "_curves"),
    ):
        collection.set(label=label, capstyle="round", joinstyle="round")
        ax.add_collection(collection, autolim=False)
    for edge in edges:
        if edge.caption:
            _draw_caption(ax, pen, edge, box)


def _draw_caption(ax: Axes, pen: Pen, edge: EdgeDrawing, box: float) -> None:
    """Write the function's name into the upper part of the box, as large as it fits."""
    size = caption_size(edge.caption, box) * pen.scale
    if size < _SMALLEST:
        return
    x, y = edge.place.x + box / 2, edge.place.y + (1 - CAPTION / 2) * box
    ax.text(
        x,
        y,
        edge.caption,
        size=size,
        color=pen.edge(edge),
        ha="center",
        va="center_baseline",
        parse_math=False,
        zorder=4,
    )


def _draw_ticks(ax: Axes, pen: Pen, scene: Scene, scaling: Scaling | None) -> None:
    """Write the ends of x below, and of φ to the left of each box."""
    box = scene.page.layout.box
    for edge in scene.edges:
        (low, high), place = edge.x_span, edge.place
        if place.l == 0 and scaling is not None:
            scale, shift = scaling.x_scale[place.i], scaling.x_shift[place.i]
            low, high = low * scale + shift, high * scale + shift
        left, right = bounds((low, high))
        written = [
            (place.x, place.y - 0.025, left, "left", "top"),
            (place.x + box, place.y - 0.025, right, "right", "top"),
        ]
        y = edge.curve[:, 1][np.isfinite(edge.curve[:, 1])]
        if y.size:
            ends = dict(zip((y.min(), y.max()), bounds(edge.y_span), strict=True))
            written += [(place.x - 0.03, at, end, "right", "center") for at, end in ends.items()]
        for at_x, at_y, value, ha, va in written:
            size, color = 5 * pen.scale, pen.edge(edge)
            ax.text(at_x, at_y, value, ha=ha, va=va, size=size, color=color, zorder=4)
