from __future__ import annotations

from xml.etree import ElementTree

import drawings
import numpy as np
import pytest
from builders import random_network, samples
from drawings import (
    artist,
    axes,
    live_edges,
    paths,
    plain,
    textbook_edge,
    texts,
    unit,
    with_functions,
    with_masks,
)
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from kanref.layer import layer_edges
from kanref.network import Network, layer_inputs
from kanref.plotting import figure_size, network_svg, plot_network
from kanref.plotting.pen import SYMBOLIC
from kanref.scaling import Scaling

nothing_left = drawings.nothing_left


def test_every_live_edge_has_a_curve_a_box_and_two_wires() -> None:
    network = random_network()
    ax = plot_network(network, axes())
    n = len(live_edges(network))
    assert n < sum(layer.mask.size for layer in network.layers)
    assert len(paths(ax, "_curves")) == len(paths(ax, "_boxes")) == n
    assert len(paths(ax, "_wires")) == 2 * n


def test_curves_follow_phi_over_the_range_of_the_data() -> None:
    network = plain((2, 3, 1))
    x = np.random.default_rng(0).uniform(-0.6, 0.5, (50, 2))
    ax = plot_network(network, axes(), x=x, scores=[np.ones((2, 3)), np.ones((3, 1))])
    inputs = layer_inputs(network, x)
    checked = 0
    for (l, i, j), curve in zip(live_edges(network), paths(ax, "_curves"), strict=True):
        z = inputs[l][:, i]
        grid = np.linspace(z.min(), z.max(), len(curve))
        np.testing.assert_allclose(np.diff(curve[:, 0]), np.ptp(curve[:, 0]) / (len(curve) - 1))
        if abs(grid).max() < 0.9:  # SciPy extrapolates otherwise than we do
            phi = textbook_edge(network, l, i, j, grid)
            np.testing.assert_allclose(unit(curve[:, 1]), unit(phi), atol=1e-9)
            checked += 1
        phi = layer_edges(network.layers[l], np.repeat(grid[:, None], len(inputs[l][0]), 1))
        np.testing.assert_allclose(unit(curve[:, 1]), unit(phi[:, i, j]), atol=1e-9)
    assert checked >= 6


def test_curves_span_the_grid_without_data() -> None:
    network = plain((2, 3))
    ax = plot_network(network, axes())
    layer = network.layers[0]
    for (l, i, j), curve in zip(live_edges(network), paths(ax, "_curves"), strict=True):
        x = np.linspace(layer.knots[i, 3], layer.knots[i, -4], len(curve))[:-1]
        phi = textbook_edge(network, l, i, j, x)
        drawn = curve[:-1, 1]
        scale = np.ptp(drawn) / np.ptp(phi)
        np.testing.assert_allclose(drawn - drawn[0], scale * (phi - phi[0]), atol=1e-9)


def test_curves_lie_in_their_boxes_and_wires_end_there() -> None:
    network = random_network()
    ax = plot_network(network, axes(), x=samples(30, 2))
    wires = paths(ax, "_wires")
    boxes, curves = paths(ax, "_boxes"), paths(ax, "_curves")
    n = len(boxes)
    for box, curve, into, out in zip(boxes, curves, wires[:n], wires[n:], strict=True):
        low, high = box.min(axis=0), box.max(axis=0)
        np.testing.assert_allclose(*(high - low), rtol=1e-12)  # square
        assert (curve > low).all() and (curve < high).all()
        np.testing.assert_allclose(into[-1], [(low[0] + high[0]) / 2, low[1]])
        np.testing.assert_allclose(out[0], [(low[0] + high[0]) / 2, high[1]])


def test_wires_join_the_right_nodes() -> None:
    network = random_network((2, (1, (2,)), 3), masked=False)  # 2 nodes, 3 subnodes
    ax = plot_network(network, axes())
    n = len(live_edges(network))
    wires = paths(ax, "_wires")
    sums, products = (artist(ax, name).get_offsets() for name in ("_sums", "_products"))
    factors = artist(ax, "_factors").get_offsets()
    below = [sums[:2], [sums[2], products[0]]]
    above = [[sums[2], *factors], sums[3:]]
    for (l, i, j), into, out in zip(live_edges(network), wires[:n], wires[n:], strict=True):
        np.testing.assert_allclose(into[0], below[l][i])
        np.testing.assert_allclose(out[-1], above[l][j])


def test_product_nodes_are_circles_with_a_cross_above_their_factors() -> None:
    ax = plot_network(random_network(), axes())
    products = artist(ax, "_products").get_offsets()
    assert len(products) == 2
    np.testing.assert_array_equal(artist(ax, "_crosses").get_offsets(), products)
    factors = artist(ax, "_factors").get_offsets()
    assert len(factors) == 5 and len(paths(ax, "_stems")) == 5
    for product, own in zip(products, (factors[:2], factors[2:]), strict=True):
        np.testing.assert_allclose(product[0], own[:, 0].mean())
        assert (own[:, 1] < product[1]).all()
    assert len(artist(ax, "_sums").get_offsets()) == 2 + 3 + 3
    assert not [
        c for c in plot_network(plain((2, 1)), axes()).collections if "prod" in c.get_label()
    ]


def test_opacity_is_tanh_of_beta_times_score_and_faint_edges_are_left_out() -> None:
    network = plain((2, 3))
    scores = np.array([[0.5, 0.004, 0.0], [0.01, 5.0, np.nan]])
    ax = plot_network(network, axes(), scores=[scores], beta=2)
    drawn = np.tanh(2 * np.array([0.5, 0.01, 5.0, np.inf]))
    for label in ("_curves", "_boxes"):
        np.testing.assert_allclose(artist(ax, label).get_edgecolors()[:, 3], drawn)
    np.testing.assert_allclose(artist(ax, "_wires").get_colors()[:, 3], np.tile(drawn, 2))


def loop_scores(network: Network, x: np.ndarray, metric: str) -> list[np.ndarray]:
    """The scores of a network of sum nodes, in plain loops."""
    inputs = layer_inputs(network, x)
    edges = [layer_edges(layer, z) for layer, z in zip(network.layers, inputs, strict=True)]
    spread = [phi.std(axis=0, ddof=1) for phi in edges]
    if metric == "forward_u":
        return spread
    if metric == "forward_n":
        sigma = [z.std(axis=0, ddof=1) for z in inputs]
        return [e / (s[:, None] + 0.1) for e, s in zip(spread, sigma, strict=True)]
    found, node = [], np.eye(network.n_out)
    for e, phi in zip(spread[::-1], edges[::-1], strict=True):
        shares = e / (phi.sum(axis=1).std(axis=0, ddof=1) + 1e-4)
        per_output = node[:, None, :] * shares  # (q, i, j)
        found.append(per_output.mean(axis=0))
        node = per_output.sum(axis=2)
    return found[::-1]


@pytest.mark.parametrize(
    ("metric", "beta"), [("backward", 1.0), ("forward_n", 0.3), ("forward_u", 0.3)]
)
def test_scores_come_from_the_data(metric: str, beta: float) -> None:
    network = plain((2, 3, 2))
    x = samples(40, 2)
    ax = plot_network(network, axes(), x=x, metric=metric, beta=beta)
    expected = np.concatenate([s.ravel() for s in loop_scores(network, x, metric)])
    alpha = np.tanh(beta * expected)
    assert alpha.min() > 0.01 and alpha.max() < 0.99
    np.testing.assert_allclose(artist(ax, "_curves").get_colors()[:, 3], alpha, rtol=1e-9)


def test_rows_that_are_not_finite_are_left_out() -> None:
    network, x = plain((2, 3, 2)), samples(20, 2)
    broken = np.vstack([x, [[np.nan, 0.0]], [[9.0, np.inf]]])
    kept, ax = plot_network(network, axes(), x=x), plot_network(network, axes(), x=broken)
    for a, b in zip(paths(kept, "_curves"), paths(ax, "_curves"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_symbolic_edges_have_their_colour_and_the_function_as_caption() -> None:
    network = with_functions(plain((2, 1, 1)), (0, 1, 0, "sin"), (1, 0, 0, "1/sqrt(x)"))
    ax = plot_network(network, axes(), scores=[np.full((2, 1), 0.2), np.ones((1, 1))])
    colors = artist(ax, "_curves").get_colors()
    weak, strong = np.tanh(0.6), np.tanh(3)
    expected = [to_rgba("black", weak), to_rgba(SYMBOLIC, weak), to_rgba(SYMBOLIC, strong)]
    np.testing.assert_allclose(colors, expected)
    assert texts(ax)[:2] == ["sin", "1/√x"]
    own = plot_network(network, axes(), colors=("navy", "green"))
    np.testing.assert_allclose(
        artist(own, "_curves").get_colors()[:, :3],
        [to_rgba(c)[:3] for c in ("navy", "green", "green")],
    )


def test_a_symbolic_curve_stops_at_the_edge_of_its_domain() -> None:
    network = with_functions(plain((1, 1)), (0, 0, 0, "log"))
    x = np.linspace(-1.0, 3.0, 9)[:, None]
    (curve,) = paths(plot_network(network, axes(), x=x), "_curves")
    grid = np.linspace(-1.0, 3.0, len(curve))
    assert np.isnan(curve[grid <= 0, 1]).all()
    inside = curve[grid > 0, 1]
    np.testing.assert_allclose(unit(inside), unit(np.log(grid[grid > 0])), atol=1e-12)
    assert "nan" not in network_svg(network, x=x)


def test_names_and_title() -> None:
    network = plain((2, 1, 2))
    ax = plot_network(network, axes(), input_names=["p", "q"], title="a title")
    assert texts(ax) == ["p", "q", "y₁", "y₂"]
    assert ax.get_title() == "a title"
    ax = plot_network(plain((2, 1)), axes(), input_names=["x_1", "T_2m"])
    assert texts(ax) == ["x₁", "T_2m", "y"]
    positions = [text.get_position() for text in ax.texts]
    assert positions[0][0] < positions[1][0] and positions[0][1] < 0 < positions[2][1]


def test_dead_nodes_and_their_names_are_pale() -> None:
    masks = [[[1, 1], [0, 0]], [[1], [0]]]  # the second hidden node is reached, but not left
    ax = plot_network(with_masks(plain((2, 2, 1)), masks), axes())
    dark = [color[:3].max() < 0.1 for color in artist(ax, "_sums").get_facecolors()]
    assert dark == [True, False, True, False, True]
    assert [to_rgba(text.get_color())[0] < 0.1 for text in ax.texts] == [True, False, True]


def test_a_network_without_live_edges() -> None:
    network = with_masks(plain((2, 3)), [np.zeros((2, 3))])
    ax = plot_network(network, axes(), x=samples(7, 2))
    assert not paths(ax, "_curves")
    FigureCanvasAgg(ax.figure).draw()
    assert ElementTree.fromstring(network_svg(network)).tag.endswith("svg")


def test_nan_on_a_dead_edge_does_not_show() -> None:
    network = with_masks(plain((2, 2)), [[[1, 0], [1, 1]]])
    before = paths(plot_network(network, axes(), x=samples(9, 2)), "_curves")
    network.layers[0].coef[0, 1] = np.nan
    network.layers[0].scale_base[0, 1] = np.inf
    after = paths(plot_network(network, axes(), x=samples(9, 2)), "_curves")
    np.testing.assert_array_equal(before, after)


def test_a_network_that_diverged_is_drawn_in_full() -> None:
    network = plain((2, 2, 1))
    network.layers[0].coef[0, 1] = np.nan
    ax = plot_network(network, axes(), x=samples(9, 2))
    curves = paths(ax, "_curves")
    assert len(curves) == 6 and np.isnan(curves[1][:, 1]).all()
    assert (artist(ax, "_curves").get_colors()[:, 3] == 1).all()
    FigureCanvasAgg(ax.figure).draw()


def test_constant_curves_are_level_lines_amid_the_box() -> None:
    network = plain((1, 2))
    network.layers[0].coef[...] = 0.7  # a partition of unity: constant but for rounding
    network.layers[0].scale_base[...] = 0.0
    ax = plot_network(network, axes(), x=np.full((5, 1), 0.2), scores=[np.ones((1, 2))])
    for box, curve in zip(paths(ax, "_boxes"), paths(ax, "_curves"), strict=True):
        np.testing.assert_allclose(curve[:, 1], (box[:, 1].min() + box[:, 1].max()) / 2)


def test_an_input_that_is_constant_is_drawn_over_its_grid() -> None:
    network = plain((2, 2))
    whole = paths(plot_network(network, axes()), "_curves")
    x = np.column_stack([np.full(9, 0.3), np.linspace(-0.5, 0.5, 9)])
    curves = paths(plot_network(network, axes(), x=x, scores=[np.ones((2, 2))]), "_curves")
    np.testing.assert_allclose(curves[:2], whole[:2])
    assert not np.allclose(curves[2:], whole[2:])


def test_float32_draws_the_same() -> None:
    pair = [plain((2, 3, 1), dtype=dtype) for dtype in ("float64", "float32")]
    x = samples(20, 2)
    wide, narrow = (paths(plot_network(network, axes(), x=x), "_curves") for network in pair)
    np.testing.assert_allclose(wide, narrow, atol=1e-4)


def test_arrays_of_another_namespace() -> None:
    xp = pytest.importorskip("array_api_strict")
    network = random_network()
    other = random_network(xp=xp)
    expected = paths(plot_network(network, axes()), "_curves")
    np.testing.assert_allclose(paths(plot_network(other, axes()), "_curves"), expected)


def test_given_axes_are_all_that_is_touched() -> None:
    figure = Figure(figsize=(8, 4))
    ax, other = figure.subplots(1, 2)
    before = dict(plt.rcParams)
    assert plot_network(random_network(), ax) is ax
    assert plt.get_fignums() == [] and dict(plt.rcParams) == before
    assert figure.axes == [ax, other] and not other.collections
    assert not ax.axison and ax.get_aspect() == 1


def test_without_axes_there_is_one_new_figure_of_the_right_size() -> None:
    network = plain((2, 5, 1))
    ax = plot_network(network)
    assert len(plt.get_fignums()) == 1 and ax.figure is plt.gcf()
    np.testing.assert_allclose(ax.figure.get_size_inches(), figure_size(network))
    plt.close(ax.figure)


def test_ticks_write_the_ranges_in_data_units() -> None:
    network = with_functions(plain((1, 1)), (0, 0, 0, "exp"))
    x = np.array([[-1.0], [0.5], [2.0]])
    scaling = Scaling([100.0], [50.0], [0.0], [1.0])
    ax = plot_network(network, axes(), x=x, ticks=True, scaling=scaling)
    assert texts(ax) == ["exp", "50", "200", "0.37", "7.4", "x₁", "y"]
    assert texts(plot_network(network, axes(), x=x, ticks=True))[1:3] == ["−1", "2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": np.zeros((4, 3))}, r"`x` must have shape \(N, 2\), got \(4, 3\)"),
        ({"x": np.full((4, 2), np.nan)}, "`x` must have a row of finite numbers"),
        ({"scores": [np.ones((2, 3))]}, "for each of 2 layers, got 1"),
        (
            {"scores": [np.ones((3, 2)), np.ones((3, 1))]},
            r"`scores\[0\]` must have shape \(2, 3\), got \(3, 2\)",
        ),
        ({"x": np.zeros((4, 2)), "metric": "other"}, "`metric` must be one of .*, got 'other'"),
        ({"input_names": ["a"]}, r"`input_names` must be a list of 2 names, got \['a'\]"),
        ({"input_names": "ab"}, "`input_names` must be a list of 2 names, got 'ab'"),
        ({"output_names": ["a", "b"]}, "`output_names` must be a list of 1 names"),
        ({"beta": -1.0}, "`beta` must be a positive number, got -1.0"),
    ],
)
def test_wrong_arguments(options: dict, message: str) -> None:
    for draw in (plot_network, network_svg):
        with pytest.raises(ValueError, match=message):
            draw(plain((2, 3, 1)), **options)
