"""Colours and scale of a drawing on given axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .page import Page
from .scene import EdgeDrawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SYMBOLIC = "#d55e00"
"""Colour of symbolic edges: vermilion, told from black by every kind of colour vision."""

FAINT = 0.35
"""Share of ink in dead nodes."""


@dataclass(frozen=True)
class Pen:
    """Colours, and the scale of lines and text where the page had to shrink."""

    numeric: Any
    symbolic: Any
    paper: Any
    scale: float

    @classmethod
    def of(cls, ax: Axes, page: Page, colors: tuple[Any, Any] | None) -> Pen:
        """Take the colours of numeric and symbolic edges, or the figure's."""
        import matplotlib as mpl
        from matplotlib.colors import to_rgba

        numeric, symbolic = colors or (mpl.rcParams["text.color"], SYMBOLIC)
        paper = to_rgba(ax.get_figure().get_facecolor())  # type: ignore[union-attr]
        paper = paper if paper[3] > 0 else to_rgba("white")
        width, height = inches(ax)
        scale = min(width / page.width, height / page.height, 1.0)
        return cls(numeric, symbolic, paper, scale)

    def edge(self, edge: EdgeDrawing) -> tuple[float, float, float, float]:
        """Return the colour of an edge, with its opacity."""
        from matplotlib.colors import to_rgba

        return to_rgba(self.symbolic if edge.caption else self.numeric, edge.opacity)

    def node(self, alive: bool) -> tuple[float, float, float]:
        """Return full ink for a live node; a dead one is pale, but opaque."""
        from matplotlib.colors import to_rgb

        ink, paper = np.array(to_rgb(self.numeric)), np.array(to_rgb(self.paper))
        r, g, b = ink if alive else paper + FAINT * (ink - paper)
        return float(r), float(g), float(b)


def inches(ax: Axes) -> tuple[float, float]:
    """Return the width and height of axes."""
    box = ax.get_window_extent()
    dpi = ax.get_figure().dpi  # type: ignore[union-attr]
    return box.width / dpi, box.height / dpi
