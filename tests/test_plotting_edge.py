from __future__ import annotations

import drawings
import numpy as np
import pytest
from builders import samples
from drawings import (
    axes,
    paths,
    plain,
    textbook_edge,
    with_functions,
    with_masks,
)
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from kanref.network import layer_inputs
from kanref.plotting import plot_edge
from kanref.plotting.text import number
from kanref.scaling import Scaling

nothing_left = drawings.nothing_left


def lines(ax: Axes, start: str) -> list[np.ndarray]:
    found = [line for line in ax.lines if str(line.get_label()).startswith(start)]
    return [np.asarray(line.get_xydata()) for line in found]


def test_an_edge_is_the_sum_of_what_is_drawn_beneath_it() -> None:
    network = plain((2, 3, 1))
    ax = plot_edge(network, 0, 1, 2, axes())
    (phi,) = lines(ax, "φ")
    layer = network.layers[0]
    terms = [*lines(ax, "scale_spline"), *lines(ax, "_basis")]
    (base,) = lines(ax, number(layer.scale_base[1, 2], 3) + "·silu")
    assert len(terms) == layer.G + layer.k
    total = base[:, 1] + sum(term[:, 1] for term in terms)
    np.testing.assert_allclose(phi[:, 1], total, atol=1e-12)
    inside = (phi[:, 0] > layer.knots[1, 3]) & (phi[:, 0] < layer.knots[1, -4])
    expected = textbook_edge(network, 0, 1, 2, phi[inside, 0])
    np.testing.assert_allclose(phi[inside, 1], expected, atol=1e-12)


def test_the_grid_is_marked_and_the_ground_beyond_it_is_grey() -> None:
    network = plain((2, 3, 1))
    ax = plot_edge(network, -1, 2, 0, axes())
    grid = network.layers[1].knots[2, 3:-3]
    np.testing.assert_allclose([tick[0, 0] for tick in paths(ax, "_grid")], grid)
    left, right = (p.get_x() + np.array([0, p.get_width()]) for p in ax.patches)
    low, high = ax.get_xlim()
    np.testing.assert_allclose([*left, *right], [low, grid[0], grid[-1], high])
    assert low < grid[0] and grid[-1] < high
    assert ax.get_xlabel() == "node 2 of layer 1" and ax.get_title() == "edge (1, 2, 0)"


def test_the_strip_is_the_histogram_of_the_node() -> None:
    network = plain((2, 3, 1))
    x = samples(500, 2)
    ax = plot_edge(network, 1, 2, 0, axes(), x=x)
    values = layer_inputs(network, x)[1][:, 2]
    (bars,) = ax.containers
    heights = np.array([bar.get_height() for bar in bars])
    counts, edges = np.histogram(values, bins=len(heights))
    np.testing.assert_allclose(heights / heights.max(), counts / counts.max())
    np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1])
    low, high = ax.get_xlim()
    assert low < values.min() and values.max() < high
    assert len(lines(ax, "_strip")) == 1
    bottom, top = ax.get_ylim()  # the strip is free of curves
    floor = bottom + lines(ax, "_strip")[0][0, 1] * (top - bottom)
    assert min(curve[:, 1].min() for curve in lines(ax, "φ") + lines(ax, "_basis")) > floor
    assert ax.get_yticks().min() >= floor


def test_an_input_is_shown_in_data_units() -> None:
    network = with_functions(plain((2, 1)), (0, 1, 0, "sin"))
    scaling = Scaling([0.0, 100.0], [1.0, 50.0], [0.0], [1.0])
    ax = plot_edge(network, 0, 1, 0, axes(), input_names=["a", "b_1"], scaling=scaling)
    (phi,) = lines(ax, "φ")
    np.testing.assert_allclose(phi[:, 1], np.sin((phi[:, 0] - 100) / 50), atol=1e-12)
    assert phi[0, 0] < 60 and phi[-1, 0] > 140
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["φ = sin(0.02·x − 2)", "spline before"]
    assert ax.get_xlabel() == "b₁"
    (before,) = lines(ax, "spline before")
    inside = abs(before[:, 0] - 100) < 40
    numeric = textbook_edge(plain((2, 1)), 0, 1, 0, (before[inside, 0] - 100) / 50)
    np.testing.assert_allclose(before[inside, 1], numeric, atol=1e-12)


def test_edges_with_nothing_to_show() -> None:
    network = with_masks(plain((2, 2)), [[[0, 1], [1, 1]]])
    ax = plot_edge(network, 0, 0, 0, axes(), x=np.zeros((3, 2)))
    (phi,) = lines(ax, "φ = 0 (dead edge)")
    assert not phi[:, 1].any() and not lines(ax, "scale_spline")
    bottom, top = ax.get_ylim()
    assert bottom < 0 < top
    FigureCanvasAgg(ax.figure).draw()
    fresh = with_functions(plain((1, 1), k=0), (0, 0, 0, "log"))
    fresh.layers[0].coef[...] = np.nan  # no spline before
    ax = plot_edge(fresh, 0, 0, 0, axes())
    assert not lines(ax, "spline before")
    FigureCanvasAgg(ax.figure).draw()


def test_an_edge_on_a_new_figure() -> None:
    ax = plot_edge(plain((1, 1), spline_scale=False, k=0), 0, 0, 0, title="mine")
    assert ax.figure is plt.gcf() and ax.get_title() == "mine"
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        ((2, 0, 0), "`l` must be one of 2 layers, 0 to 1, got 2"),
        ((0, 2, 0), "`i` must be one of 2 nodes, 0 to 1, got 2"),
        ((0, 0, -4), "`j` must be one of 3 subnodes, 0 to 2, got -4"),
    ],
)
def test_no_such_edge(edge: tuple[int, int, int], message: str) -> None:
    with pytest.raises(IndexError, match=message):
        plot_edge(plain((2, 3, 1)), *edge)


def test_an_edge_whose_node_is_never_finite() -> None:
    network = plain((1, 1, 1))
    network.layers[0].coef[...] = np.nan
    with pytest.raises(ValueError, match="node 0 of layer 1 must be finite"):
        plot_edge(network, 1, 0, 0, x=np.zeros((3, 1)))


def test_the_style_of_the_page_leaves_lines_solid_and_its_layout_engine_out() -> None:
    style = {
        "figure.constrained_layout.use": True,
        "axes.prop_cycle": plt.cycler(color=["k", "r"], linestyle=[":", "--"]),
    }
    with plt.rc_context(style):
        ax = plot_edge(plain((2, 3, 1)), 0, 0, 0)
        ax.figure.canvas.draw()  # warns, where the engine finds no axes of its own
        solid = [line for line in ax.lines if str(line.get_label()).startswith(("φ", "scale_spl"))]
        assert len(solid) == 2 and all(line.get_linestyle() == "-" for line in solid)
        plt.close(ax.figure)
