"""Nodes and names on Matplotlib axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .page import NAME_GAP, NAME_SIZE
from .pen import Pen
from .scene import Scene
from .text import Labels, is_math

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AREAS = {"sum": 24.0, "product": 120.0, "factor": 9.0}  # points², as scatter takes them


def draw_nodes(ax: Axes, pen: Pen, scene: Scene) -> None:
    """Draw dots for sums and factors, circles with a cross for products, and their stems."""
    from matplotlib.collections import LineCollection

    for kind, area in _AREAS.items():
        nodes = [node for node in scene.nodes if node.kind == kind]
        if not nodes:
            continue
        x, y = [node.x for node in nodes], [node.y for node in nodes]
        inks = [pen.node(node.alive) for node in nodes]
        ax.scatter(
            x,
            y,
            s=area * pen.scale**2,
            facecolors=[pen.paper] if kind == "product" else inks,
            edgecolors=inks,
            linewidths=pen.scale,
            label=f"_{kind}s",
            zorder=5,
        )
        if kind == "product":
            size, width = 42 * pen.scale**2, pen.scale
            ax.scatter(
                x, y, s=size, c=inks, marker="x", linewidths=width, label="_crosses", zorder=6
            )
    if scene.stems:
        inks = [pen.node(node.alive) for node in scene.nodes if node.kind == "factor"]
        stems = LineCollection(scene.stems, colors=inks, linewidths=0.9 * pen.scale, zorder=1)
        stems.set_label("_stems")
        ax.add_collection(stems, autolim=False)


def draw_names(ax: Axes, pen: Pen, scene: Scene) -> None:
    """Write the names below the inputs and above the outputs."""
    page, levels = scene.page, scene.page.layout.nodes
    _draw_row(ax, pen, page.inputs, levels[0] - (0, NAME_GAP), scene.input_alive)
    _draw_row(ax, pen, page.outputs, levels[-1] + (0, page.output_gap), scene.output_alive)


def _draw_row(ax: Axes, pen: Pen, labels: Labels, at: np.ndarray, alive: np.ndarray) -> None:
    below = bool(at[0, 1] < 0)
    for text, (x, y), lit in zip(labels.texts, at, alive, strict=True):
        ax.text(
            x,
            y,
            text,
            size=NAME_SIZE * pen.scale,
            color=pen.node(lit),
            parse_math=is_math(text),
            **_align(labels.rotation, below),
        )


def _align(rotation: float, below: bool) -> dict[str, Any]:
    """Let names hang below their nodes, or stand above them."""
    va = "top" if below else "bottom"
    ha = "center" if rotation in (0, 90) else ("right" if below else "left")
    mode = "default" if ha == "center" else "anchor"
    return {"rotation": rotation, "ha": ha, "va": va, "rotation_mode": mode}
