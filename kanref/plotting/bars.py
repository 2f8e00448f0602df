"""Scores as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._arrays import Array, to_numpy
from .draw import new_axes
from .text import is_math, letters, number, pretty, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRONG, WEAK = "#0072b2", "#b8c4cc"  # blue, and grey of the same family
_LONGEST = 44  # letters of a name
_ROW = 0.3  # inches
_HIGHEST = 12.0


def plot_scores(
    names: Sequence[object],
    scores: Array,
    ax: Axes | None = None,
    *,
    threshold: float | None = None,
    title: str | None = None,
) -> Axes:
    """Draw scores as horizontal bars, the first at the top.

    Parameters
    ----------
    names : sequence of str, length n
        What was scored: the inputs, say.
    scores : (n,)
        Finite numbers.
    ax : Axes, optional
        Where. By default a new pyplot figure of suitable size.
    threshold : float, optional
        Marked by a line; bars that do not exceed it are grey.
    title : str, optional
        Set as the title of the axes.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If names and scores differ in number, or a score is not finite.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = plot_scores(["x_1", "x_2"], [0.9, 0.004], Figure().subplots(), threshold=0.01)
    >>> [float(bar.get_width()) for bar in ax.patches]
    [0.9, 0.004]
    """
    values = np.asarray(to_numpy(scores), dtype=float)
    if isinstance(names, str) or values.shape != (len(names),):
        count = repr(names) if isinstance(names, str) else f"{len(names)} names"
        raise ValueError(f"`scores` must have one score for each name, got {values.shape}, {count}")
    if not np.isfinite(values).all():
        raise ValueError(f"`scores` must be finite, got {values}")
    labels = [shorten(pretty(str(name)), _LONGEST) for name in names]
    if ax is None:
        ax = _own_axes(labels, title is not None)
    weak = values <= (-np.inf if threshold is None else threshold)
    rows = np.arange(len(values))
    bars = ax.barh(rows, values, height=0.68, color=np.where(weak, WEAK, STRONG))
    size = float(np.clip(72 * _HIGHEST / max(len(values), 1) * 0.55, 3.0, 10.0))
    paper = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.6}  # over the line
    written = [number(value) for value in values]
    ax.bar_label(bars, written, padding=4, fontsize=0.85 * size, bbox=paper, zorder=5)
    _dress(ax, labels, size)
    if threshold is not None:
        ax.axvline(
            threshold, color="0.35", linewidth=0.9, linestyle=(0, (4, 3)), label="_threshold"
        )
    if title is not None:
        ax.set_title(title)
    return ax


def _own_axes(labels: Sequence[str], titled: bool) -> Axes:
    """Leave room for the names on the left, and for the numbers on the right."""
    height = float(np.clip(_ROW * len(labels), 0.6, _HIGHEST))
    left = 0.25 + 0.085 * max((letters(line) for line in labels), default=0)
    bottom, right, top, width = 0.35, 0.25, (0.4 if titled else 0.12), 3.6
    total = (left + width + right, bottom + height + top)
    ax = new_axes(*total)
    ax.set_position((left / total[0], bottom / total[1], width / total[0], height / total[1]))
    return ax


def _dress(ax: Axes, labels: Sequence[str], size: float) -> None:
    """Name the rows, first on top; leave out what is no information."""
    ax.set_yticks(range(len(labels)), labels, fontsize=size)
    for tick, label in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_parse_math(is_math(label))
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.margins(x=0.14)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8, colors="0.35")
    ax.spines[["top", "right", "bottom"]].set_visible(False)
