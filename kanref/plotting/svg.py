"""A network as a small SVG text, for notebooks: the same scene, written by hand.

The text is the same for the same network, holds no ids or styles that could meet others on a page,
and needs no Matplotlib.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import numpy as np

from .._arrays import Array
from ..network import Network
from .page import NAME_GAP, NAME_SIZE, Page, set_page
from .pen import FAINT, SYMBOLIC
from .scene import (
    CAPTION,
    EdgeDrawing,
    NodeDrawing,
    Scene,
    Strength,
    build_scene,
    caption_size,
    on_host,
)
from .text import LINE, Labels

INCH = 84.0  # user units
POINT = INCH / 72
SAMPLES = 33  # points of a curve
MOST_EDGES = 300
"""A network with more live edges gets a line of text in place of a drawing."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def network_svg(
    network: Network,
    *,
    x: Array | None = None,
    scores: Sequence[Array] | None = None,
    beta: float = 3.0,
    metric: str = "backward",
    input_names: Sequence[object] | None = None,
    output_names: Sequence[object] | None = None,
) -> str:
    """Return the drawing of :func:`plot_network` as an ``<svg>`` element.

    Parameters
    ----------
    network : Network
        What to draw. With more than 300 live edges, the result says so and shows no edge.
    x, scores, beta, metric, input_names, output_names
        As for :func:`plot_network`.

    Returns
    -------
    str
        Well-formed XML; names are escaped.

    Raises
    ------
    ValueError
        If the shape of `x` or of `scores`, the number of names, or the metric is wrong.
    """
    network = on_host(network)
    live = sum(int(np.sum(layer.mask)) for layer in network.layers)
    if live > MOST_EDGES:
        return _note(f"{live} live edges: too many to draw here")
    strength = Strength.of(network, x, scores, beta, metric)
    page = set_page(network, input_names, output_names)
    return _write(build_scene(network, page, strength, SAMPLES))


def _note(text: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="28">'
        f'<text x="8" y="19" font-family="sans-serif" font-size="13" fill="#777">'
        f"{text}</text></svg>"
    )


def _write(scene: Scene) -> str:
    sheet = _Sheet(scene.page)
    parts = [sheet.head()]
    parts += [sheet.wires(edge) for edge in scene.edges]
    parts += [sheet.box(edge) for edge in scene.edges]
    parts += [sheet.line(stem, ' stroke="#000"') for stem in scene.stems]
    parts += [sheet.node(node) for node in scene.nodes]
    levels, gap = scene.page.layout.nodes, scene.page.output_gap
    parts += sheet.names(scene.page.inputs, levels[0] - (0, NAME_GAP), scene.input_alive)
    parts += sheet.names(scene.page.outputs, levels[-1] + (0, gap), scene.output_alive)
    return "".join([*parts, "</g></svg>"])


class _Sheet:
    """Writes what stands on a page, in units that grow downwards."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def head(self) -> str:
        width, height = _n(self.page.width * INCH), _n(self.page.height * INCH)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="Kolmogorov-Arnold network">'
            f'<rect width="{width}" height="{height}" fill="#fff"/>'
            '<g fill="none" stroke-width=".9" stroke-linejoin="round" font-family="sans-serif">'
        )

    def at(self, points: np.ndarray) -> np.ndarray:
        """Convert inches of the layout to units of the sheet."""
        left, _, _, top = self.page.margins
        x, y = np.asarray(points, dtype=float).T
        return np.column_stack([(left + x) * INCH, (top + self.page.layout.height - y) * INCH])

    def line(self, points: np.ndarray, style: str) -> str:
        return f'<path d="{_path(self.at(points))}"{style}/>'

    def wires(self, edge: EdgeDrawing) -> str:
        d = _path(self.at(edge.place.into)) + _path(self.at(edge.place.out))
        return f'<path d="{d}"{_stroke(edge)}/>'

    def box(self, edge: EdgeDrawing) -> str:
        """Write the box with its curve and caption."""
        side = self.page.layout.box
        corner = np.array([[edge.place.x, edge.place.y + side]])
        x, y = self.at(corner)[0]
        size = _n(side * INCH)
        square = f'<rect x="{_n(x)}" y="{_n(y)}" width="{size}" height="{size}"'
        stroke = _stroke(edge)
        thick = _n(max(2.6 * side, 0.7) * POINT)
        parts = [
            f'{square} fill="#fff"/>{square}{stroke}/>',
            self.line(edge.curve, f'{stroke} stroke-width="{thick}"'),
        ]
        if edge.caption:
            parts.append(self.caption(edge))
        return "".join(parts)

    def caption(self, edge: EdgeDrawing) -> str:
        side = self.page.layout.box
        size = caption_size(edge.caption, side)
        middle = np.array([[edge.place.x + side / 2, edge.place.y + (1 - CAPTION / 2) * side]])
        x, y = self.at(middle)[0]
        fill = f' fill="{SYMBOLIC}"{_opacity(edge, "fill")} text-anchor="middle"'
        return _text(x, y + 0.33 * size * POINT, size, edge.caption, fill)

    def node(self, node: NodeDrawing) -> str:
        x, y = self.at(np.array([[node.x, node.y]]))[0]
        ink = _ink(node.alive)
        if node.kind != "product":
            radius = _n((2.5 if node.kind == "sum" else 1.6) * POINT)
            return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius}" fill="{ink}"/>'
        arm = 3.2 * POINT
        cross = f"M{_n(x - arm)} {_n(y - arm)}l{_n(2 * arm)} {_n(2 * arm)}"
        cross += f"m0 {_n(-2 * arm)}l{_n(-2 * arm)} {_n(2 * arm)}"
        circle = f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(5.5 * POINT)}" fill="#fff"'
        return f'{circle} stroke="{ink}"/><path d="{cross}" stroke="{ink}"/>'

    def names(self, labels: Labels, at: np.ndarray, alive: np.ndarray) -> list[str]:
        """Write names below or above their nodes, line by line."""
        below = bool(at[0, 1] < 0)
        middle = labels.rotation == 0
        anchor = "middle" if middle else ("end" if below else "start")
        line = LINE * NAME_SIZE * POINT
        parts = []
        for text, (x, y), lit in zip(labels.texts, self.at(at), alive, strict=True):
            lines = text.split("\n")
            first = 0.8 * line if below else -0.25 * line - (len(lines) - 1) * line
            turn = "" if middle else f' transform="rotate({-labels.rotation:g} {_n(x)} {_n(y)})"'
            style = f' fill="{_ink(lit)}" text-anchor="{anchor}"{turn}'
            if not middle:
                first = 0.3 * line - (len(lines) - 1) * line / 2
            parts += [
                _text(x, y + first + row * line, NAME_SIZE, part, style)
                for row, part in enumerate(lines)
            ]
        return parts


def _text(x: float, y: float, points: float, text: str, style: str) -> str:
    size = _n(points * POINT)
    body = escape(_CONTROL.sub("\ufffd", text))
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}"{style}>{body}</text>'


def _stroke(edge: EdgeDrawing) -> str:
    color = SYMBOLIC if edge.caption else "#000"
    return f' stroke="{color}"{_opacity(edge, "stroke")}'


def _opacity(edge: EdgeDrawing, what: str) -> str:
    return "" if edge.opacity > 0.995 else f' {what}-opacity="{edge.opacity:.2f}"'


def _ink(alive: bool) -> str:
    level = 0 if alive else round(255 * (1 - FAINT))
    return f"#{level:02x}{level:02x}{level:02x}"


def _path(points: np.ndarray) -> str:
    """Write a polyline in steps of a tenth; it breaks where a point is missing."""
    parts, last = [], None
    for point in np.round(points * 10):
        if not np.isfinite(point).all():
            last = None
        elif last is None:
            parts.append(f"M{_n(point[0] / 10)} {_n(point[1] / 10)}")
            last = point
        else:
            step = (point - last) / 10
            parts.append(f"l{_n(step[0])} {_n(step[1])}")
            last = point
    return "".join(parts)


def _n(value: float) -> str:
    """Write a number to one decimal, as short as can be."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
