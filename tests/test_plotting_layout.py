from __future__ import annotations

from itertools import pairwise
from typing import Any

import drawings
import numpy as np
import pytest
from drawings import (
    AIRFOIL,
    axes,
    plain,
)
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kanref.plotting import figure_size, plot_network
from kanref.plotting.page import set_page

nothing_left = drawings.nothing_left


LAYOUTS = [
    ((2, 5, 1), None),
    ((10, 10, 3), None),
    ((5, 5, 1), (3.3, 2.7)),
    ((17, 1, 14), None),
    ((2, (3, (2, 3)), 3), (4.0, 3.0)),
    ((1, 1), None),
    ((2, 2, 2, 1), (2.0, 6.0)),
]


@pytest.mark.parametrize(("width", "size"), LAYOUTS)
def test_boxes_and_wires_keep_clear_of_each_other(width: tuple, size: Any) -> None:
    layout = set_page(plain(width), None, None, size).layout
    corners = np.array([[edge.x, edge.y] for edge in layout.edges])
    apart = np.abs(corners[:, None] - corners[None, :]).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > layout.box
    steps = np.linspace(0, 1, 60)[:, None]
    for edge in layout.edges:
        for wire in (edge.into, edge.out):
            points = np.concatenate([a + steps * (b - a) for a, b in pairwise(wire)])
            for corner in corners:
                own = (corner == [edge.x, edge.y]).all()
                clear = -1e-6 if own else 0.02 * layout.box  # around the box, on all sides
                within = (points > corner - clear) & (points < corner + layout.box + clear)
                assert not within.all(axis=1).any()


def test_boxes_stay_legible_up_to_10_10_3() -> None:
    for width in ((2, 5, 1), (5, 5, 1), (10, 10, 3)):
        page = set_page(plain(width), None, None)
        assert page.layout.box > 0.28 and page.width < 14


@pytest.mark.parametrize(
    ("width", "inputs", "outputs"),
    [
        ((5, 5, 1), AIRFOIL, ["Sound pressure level (dB)"]),
        ((10, 10, 3), [f"x_{i + 1}" for i in range(10)], ["a", "b", "c"]),
        ((12, 2, 6), [f"displacement_thickness_{i}" for i in range(12)], ["W" * 30] * 6),
        ((40, 1, 1), [f"a rather_long_name {i}" for i in range(40)], ["two\nlines"]),
        ((2, 1), [r"$\alpha$", r"$\nonsense{$"], ["US$"]),
    ],
)
@pytest.mark.parametrize("size", [None, (7.0, 6.0)])
def test_names_lie_on_the_page_and_apart(
    width: tuple, inputs: list, outputs: list, size: Any
) -> None:
    network = plain(width)
    names = {"input_names": inputs, "output_names": outputs}
    ax = plot_network(network, axes(size or figure_size(network, **names)), **names)
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.apply_aspect()
    page = ax.figure.bbox
    shown = [text.get_window_extent(renderer) for text in ax.texts]
    for box in shown:
        assert box.x0 > -2 and box.y0 > -2 and box.x1 < page.x1 + 2 and box.y1 < page.y1 + 2
    upright = [n for n, text in enumerate(ax.texts) if text.get_rotation() in (0, 90)]
    for a, b in pairwise(upright):
        assert not shown[a].overlaps(shown[b])
