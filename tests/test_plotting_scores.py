from __future__ import annotations

from typing import Any

import drawings
import numpy as np
import pytest
from drawings import (
    AIRFOIL,
    artist,
    axes,
)
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kanref.plotting import plot_scores

nothing_left = drawings.nothing_left


def test_scores_are_bars_in_order_and_weak_ones_are_grey() -> None:
    ax = plot_scores(AIRFOIL, [0.9, 0.3, 0.01, 0.2, 0.0], axes(), threshold=0.01, title="Scores")
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == [0.9, 0.3, 0.01, 0.2, 0.0]
    colors = [bar.get_facecolor() for bar in ax.patches]
    assert colors[0] == colors[1] == colors[3] != colors[2] == colors[4]
    assert [label.get_text() for label in ax.get_yticklabels()] == AIRFOIL
    bottom, top = ax.get_ylim()
    assert top < 0 < 4 < bottom  # the first is on top
    assert [text.get_text() for text in ax.texts] == ["0.9", "0.3", "0.01", "0.2", "0"]
    np.testing.assert_allclose(artist(ax, "_threshold").get_xdata(), 0.01)
    assert ax.get_title() == "Scores"


def test_scores_on_a_new_figure_leave_room_for_the_names() -> None:
    ax = plot_scores(AIRFOIL, np.arange(5.0))
    FigureCanvasAgg(ax.figure).draw()
    assert min(label.get_window_extent().x0 for label in ax.get_yticklabels()) > 0
    assert len({bar.get_facecolor() for bar in ax.patches}) == 1
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("names", "scores", "message"),
    [
        (["a", "b"], [1.0], r"one score for each name, got \(1,\), 2 names"),
        ("ab", [1.0, 2.0], "one score for each name"),
        (["a", "b"], [[1.0, 2.0]], r"got \(1, 2\)"),
        (["a", "b"], [1.0, np.nan], "`scores` must be finite"),
    ],
)
def test_wrong_scores(names: Any, scores: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_scores(names, scores)
