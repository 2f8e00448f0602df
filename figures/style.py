"""The look of all figures of README and docs, and where they go."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

FIGURES = Path(__file__).resolve().parent

BLACK, BLUE, ORANGE, GREEN, GREY = "#000000", "#0072b2", "#d55e00", "#009e73", "#777777"
"""Okabe and Ito's colours: apart for colour-blind readers; markers and dashes differ in grey."""


def panels(n: int, width: float = 9.0, height: float = 3.0, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure with n axes in a row, with thin frames."""
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    axes = list(figure.subplots(1, n, squeeze=False, **options)[0])
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.title.set_fontsize(10)
    return figure, axes


def save(figure: Figure, name: str) -> None:
    """Write figures/<name>.png, the same bytes in every run."""
    figure.savefig(FIGURES / f"{name}.png", dpi=130, metadata={"Software": None})
    print("written:", f"{name}.png")
