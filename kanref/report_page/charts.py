"""Small charts as SVG text: axes, curves, dots and bars, coloured by the style of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..export.web import text
from ..plotting.text import number

Span = tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """A rectangle with axes.

    Attributes
    ----------
    x, y : (float, float)
        What its sides stand for.
    width, height : float
        In units of the SVG, about a pixel each.
    margins : (left, bottom, right, top)
        Around the rectangle of the data.
    logarithmic : bool
        Whether y is.
    """

    x: Span
    y: Span
    width: float = 360.0
    height: float = 260.0
    margins: tuple[float, float, float, float] = (52.0, 44.0, 10.0, 10.0)
    logarithmic: bool = False

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return points (N, 2) of the SVG; NaN stays."""
        left, bottom, right, top = self.margins
        y = np.asarray(y, dtype=float)
        low, high = self.y
        if self.logarithmic:
            with np.errstate(all="ignore"):
                y, low, high = np.log10(y), math.log10(low), math.log10(high)
        across = left + (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0]) * (
            self.width - left - right
        )
        up = self.height - bottom - (y - low) / (high - low) * (self.height - top - bottom)
        return np.column_stack([across, up])

    def axes(self, x_name: str, y_name: str) -> str:
        """Draw ticks with numbers, lines of the grid, and the names of the axes."""
        left, bottom, right, top = self.margins
        floor, end = self.height - bottom, self.width - right
        parts = []
        for y in _log_ticks(*self.y) if self.logarithmic else ticks(*self.y):
            up = self.at(np.array([self.x[0]]), np.array([y]))[0, 1]
            parts.append(f'<path class="grid" d="M{_n(left)} {_n(up)}H{_n(end)}"/>')
            parts.append(_label(left - 7, up + 4, "end", number(y, 3)))
        for x in ticks(*self.x):
            across = self.at(np.array([x]), np.array([self.y[0]]))[0, 0]
            parts.append(f'<path class="axis" d="M{_n(across)} {_n(floor)}v4"/>')
            parts.append(_label(across, floor + 17, "middle", number(x, 3)))
        parts.append(f'<path class="axis" d="M{_n(left)} {_n(floor)}H{_n(end)}"/>')
        parts.append(_label((left + end) / 2, self.height - 7, "middle", x_name))
        if y_name:
            middle = (top + floor) / 2
            turn = f' transform="rotate(-90 11 {_n(middle)})"'
            parts.append(_label(11, middle, "middle", y_name, turn))
        return "".join(parts)

    def line(self, x: np.ndarray, y: np.ndarray, kind: str) -> str:
        """Draw a curve; it breaks where it is not finite."""
        return f'<path class="{kind}" d="{_path(self.at(x, y))}"/>'

    def dots(self, x: np.ndarray, y: np.ndarray) -> str:
        """Draw dots, all in one path."""
        points = self.at(x, y)
        steps = "".join(f"M{_n(u)} {_n(v)}h0" for u, v in points[np.isfinite(points).all(axis=1)])
        return f'<path class="dots" d="{steps}"/>'

    def bars(self, edges: np.ndarray, heights: np.ndarray, kind: str = "bars") -> str:
        """Draw the bars of a histogram that stand on y = y[0]."""
        low = self.at(edges[:-1], np.full(len(heights), self.y[0]))
        high = self.at(edges[1:], heights)
        steps = "".join(
            f"M{_n(a)} {_n(b)}V{_n(d)}H{_n(c)}V{_n(b)}z"
            for (a, b), (c, d) in zip(low, high, strict=True)
            if d < b
        )
        return f'<path class="{kind}" d="{steps}"/>'

    def svg(self, about: str, *parts: str) -> str:
        """Return the whole chart; `about` is what it is to those who do not see it."""
        return (
            f'<svg class="chart" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-label="{text(about)}">{"".join(parts)}</svg>'
        )


def span_of(*columns: np.ndarray, room: float = 0.04) -> Span:
    """Return a range that holds all finite values, with some room on either side.

    Examples
    --------
    >>> span_of(np.array([0.0, np.nan, 1.0]), room=0.5), span_of(np.array([2.0]))
    ((-0.5, 1.5), (1.0, 3.0))
    """
    values = np.concatenate([np.asarray(column, dtype=float).reshape(-1) for column in columns])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        extent = 0.5 * abs(low) or 1.0
        return low - extent, high + extent
    return low - room * (high - low), high + room * (high - low)


def ticks(low: float, high: float) -> list[float]:
    """Return up to six round numbers in [low, high].

    Examples
    --------
    >>> ticks(-1.04, 1.04)
    [-1.0, -0.5, 0.0, 0.5, 1.0]
    """
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in found if low <= value <= high]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    step = max(1, math.ceil((last - first + 1) / 6))
    found = [10.0**n for n in range(first, last + 1, step)]
    return found if len(found) > 1 else ticks(low, high)


def _label(x: float, y: float, anchor: str, value: str, more: str = "") -> str:
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{more}>{text(value)}</text>'


def _path(points: np.ndarray) -> str:
    parts, pen = [], "M"
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            parts.append(f"{pen}{_n(x)} {_n(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def _n(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def shares(values: Sequence[float]) -> list[float]:
    """Return values as shares of the largest, between 0 and 1."""
    largest = max((v for v in values if math.isfinite(v)), default=0.0)
    return [min(max(v / largest, 0.0), 1.0) if largest > 0 and v == v else 0.0 for v in values]
