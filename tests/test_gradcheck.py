"""`check_gradients`: it passes what is right, and sees a bug in any array."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import random_network, samples

from kanref import gradcheck
from kanref.functions import base_function
from kanref.gradcheck import check_gradients
from kanref.gradient_report import GradientReport, GradientRow
from kanref.losses import loss_function
from kanref.network import PARAMETERS, Network
from kanref.objective import Objective
from kanref.regularization import REG_METRICS, Regularizer

N = 7
SMALL = (2, (1, (2,)), 3)


def objective(**options: Any) -> Objective:
    return Objective(loss_function("huber"), Regularizer(**options))


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("spline_scale", [True, False])
def test_everything_a_network_can_have(extrapolate: str, spline_scale: bool) -> None:
    network = random_network(extrapolate=extrapolate, spline_scale=spline_scale)
    report = check_gradients(network, samples(N, 2), sample=8)
    assert report.ok, report
    for row in report.rows:
        assert row.difference <= 1e-7, report
        assert row.complex_step <= 1e-12, report
    groups = [g for g in PARAMETERS if spline_scale or g != "scale_spline"]
    expected = [("inputs", "x")] + [(f"layer {l}", g) for l in range(2) for g in groups]
    assert [(row.where, row.group) for row in report.rows] == expected
    sizes = {(row.where, row.group): (row.size, row.checked) for row in report.rows}
    assert sizes["inputs", "x"] == (14, 8)
    assert sizes["layer 0", "coef"] == (2 * 8 * 7, 8)
    assert sizes["layer 1", "node_bias"] == (3, 3)


@pytest.mark.parametrize("metric", REG_METRICS)
def test_whole_objectives(metric: str) -> None:
    goal = objective(lamb=0.3, reg_metric=metric, lamb_coef=0.2, lamb_coefdiff=0.1)
    report = check_gradients(
        random_network(),
        samples(N, 2),
        objective=goal,
        target=np.ones((N, 3)),
        weight=np.arange(1.0, N + 1),
        sample=2,
    )
    assert report.ok, report
    assert report.worst.complex_step <= 1e-12
    assert max(row.difference for row in report.rows) <= 1e-7, report


def test_a_detached_penalty_does_not_agree() -> None:
    goal = objective(lamb=0.3, reg_metric="edge_backward", detach=True)
    report = check_gradients(
        random_network(SMALL), samples(N, 2), objective=goal, target=np.ones((N, 3)), sample=6
    )
    assert not report.ok


PLACES = [(None, "x"), (0, "coef"), (1, "scale_base"), (0, "affine"), (1, "subnode_scale")]


@pytest.mark.parametrize(
    ("layer", "group", "whole_objective"),
    [*((*place, False) for place in PLACES), (None, "x", True), (0, "coef", True)],
)
def test_a_bug_in_one_array_is_seen(
    layer: int | None, group: str, whole_objective: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*args: Any, **options: Any) -> tuple[np.ndarray, Network]:
        dx, grads = right(*args, **options)
        return (dx * (1 + 1e-6), grads) if layer is None else (dx, damaged(grads))

    def damaged(grads: Network) -> Network:
        parts = list(grads.nodes if "node" in group else grads.layers)
        parts[layer] = replace(parts[layer], **{group: getattr(parts[layer], group) * (1 + 1e-6)})
        name = "nodes" if "node" in group else "layers"
        wrong_grads = replace(grads, **{name: tuple(parts)})
        return Network.assemble(wrong_grads.layers, wrong_grads.nodes, grads.groups)

    import kanref.objective as module

    right, right_theta = gradcheck.network_backward, module.theta_gradient
    monkeypatch.setattr(gradcheck, "network_backward", wrong)

    def wrong_theta(*args: Any) -> Network:
        gradient = right_theta(*args)
        return gradient if layer is None else damaged(gradient)

    monkeypatch.setattr(module, "theta_gradient", wrong_theta)
    options: dict[str, Any] = {}
    if whole_objective:
        options = {"objective": objective(lamb=0.1), "target": np.ones((N, 3))}
    report = check_gradients(random_network(SMALL), samples(N, 2), sample=4, **options)
    failed = [row for row in report.rows if not row.ok]
    where = "inputs" if layer is None else f"layer {layer}"
    assert [(row.where, row.group) for row in failed] == [(where, group)]
    assert report.worst is failed[0]
    assert failed[0].complex_step == pytest.approx(1e-6, rel=0.01)
    assert failed[0].difference == pytest.approx(1e-6, rel=0.3)
    assert f"worst: {where} {group}" in str(report)


def test_the_complex_step_sees_what_differences_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: Any) -> tuple[np.ndarray, Network]:
        dx, grads = right(*args)
        return dx, grads.with_theta(grads.theta * (1 + 1e-10))

    right = gradcheck.network_backward
    monkeypatch.setattr(gradcheck, "network_backward", wrong)
    report = check_gradients(random_network(SMALL), samples(N, 2), sample=4)
    assert not report.ok
    failed = [row for row in report.rows if not row.ok]
    assert len(failed) > 10
    assert [row.complex_step for row in failed] == pytest.approx([1e-10] * len(failed), rel=1e-3)
    assert max(row.difference for row in report.rows) <= 1e-7


def test_a_gradient_that_is_not_finite_is_seen() -> None:
    network = random_network(symbolic=False, masked=False)
    network.layers[0].coef[0, 0, 0] = np.nan
    report = check_gradients(network, samples(N, 2), sample=3)
    assert not report.ok
    assert not any(row.ok for row in report.rows if row.where == "layer 0")


def test_dead_edges_that_are_not_finite_do_not_matter() -> None:
    network = random_network(SMALL)
    network.layers[0].coef[~network.layers[0].mask] = np.nan
    report = check_gradients(network, samples(N, 2), sample=4)
    assert report.ok, report


def test_nothing_depends_on_the_inputs() -> None:
    network = random_network((2, 3), symbolic=False)
    network.layers[0].mask[...] = False
    report = check_gradients(network, samples(N, 2))
    rows = {row.group: row for row in report.rows}
    assert report.ok, report
    assert rows["x"].difference == rows["coef"].complex_step == 0.0


@pytest.mark.parametrize("how", ["refuses", "drops"])
def test_functions_that_take_no_complex_numbers(how: str) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        if how == "refuses" and np.iscomplexobj(x):
            raise TypeError("real numbers only")
        return np.sin(x.astype(np.float64))

    def df(x: np.ndarray) -> np.ndarray:
        return np.cos(x.astype(np.float64))

    network = random_network((2, 3), symbolic=False)
    layers = [replace(layer, base_fun=base_function((f, df))) for layer in network.layers]
    report = check_gradients(replace(network, layers=tuple(layers)), samples(N, 2), sample=9)
    assert report.ok, report
    assert all(np.isnan(row.complex_step) for row in report.rows)
    assert list(report.curves) == ["forward difference", "central difference"]
    assert str(report).splitlines()[2].split()[-2:] == ["-", "yes"]


def test_float32_models_are_checked_in_double_precision() -> None:
    network = random_network(SMALL, dtype="float32")
    before = network.theta.copy()
    report = check_gradients(network, samples(N, 2, dtype="float32"), sample=5)
    assert report.ok, report
    assert report.worst.complex_step <= 1e-12
    assert network.theta.dtype == np.float32
    assert np.array_equal(network.theta, before)


def test_dy_and_seed() -> None:
    network, x = random_network((2, 3)), samples(N, 2)
    dy = np.zeros((N, 3))
    dy[:, 1] = 1.0
    rows = {row.group: row for row in check_gradients(network, x, dy).rows}
    assert rows["node_bias"].size == 3
    zero = check_gradients(network, x, 0 * dy)
    assert zero.ok
    assert all(row.difference == row.complex_step == 0 for row in zero.rows)
    first, again, other = (check_gradients(network, x, sample=3, seed=s) for s in (0, 0, 1))
    assert first.rows == again.rows != other.rows


def test_a_model_is_its_network() -> None:
    class Model:
        network = random_network((2, 3))

    report = check_gradients(Model(), samples(N, 2), sample=3)
    assert report.rows == check_gradients(Model.network, samples(N, 2), sample=3).rows


def test_curves_are_those_of_the_textbook() -> None:
    report = check_gradients(random_network(), samples(N, 2), sample=1)
    steps, curves = report.steps, report.curves
    forward, central = curves["forward difference"], curves["central difference"]
    large = (steps < 2e-3) & (steps > 2e-5)
    order = [np.polyfit(np.log(steps[large]), np.log(c[large]), 1)[0] for c in (forward, central)]
    assert order == pytest.approx([1.0, 2.0], abs=0.1)
    small = steps < 1e-13
    assert np.median(forward[small]) > 1e-4  # cancellation
    assert np.median(central[small]) > 1e-4
    assert curves["complex step"][steps < 1e-9].max() < 1e-14


def test_report_prints_and_plots() -> None:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    rows = [
        GradientRow("inputs", "x", 14, 14, 1e-9, 2e-16, True),
        GradientRow("layer 0", "coef", 200, 100, 3e-4, 0.5, False),
        GradientRow("layer 0", "affine", 4, 4, 5e-10, float("nan"), True),
    ]
    steps = np.array([1e-1, 1e-2])
    report = GradientReport(rows, steps, {"forward difference": np.array([0.0, 1e-3])})
    assert str(report) == repr(report)
    assert str(report).splitlines() == [
        "Manual gradients against two oracles: worst: layer 0 coef",
        "where    group   size  checked  difference  complex step   ok",
        "inputs   x         14       14     1.0e-09       2.0e-16  yes",
        "layer 0  coef     200      100     3.0e-04       5.0e-01   NO",
        "layer 0  affine     4        4     5.0e-10             -  yes",
    ]
    assert not report.ok
    assert report.worst is rows[1]
    frame = report.to_pandas()
    assert list(frame.columns[:4]) == ["where", "group", "size", "checked"]
    assert frame["difference"].tolist() == [1e-9, 3e-4, 5e-10]
    html = report._repr_html_()
    assert html.count("<tr>") == 4
    assert "<td>5.0e-01</td><td>NO</td>" in html
    ax = Figure().subplots()
    assert report.plot(ax) is ax
    assert ax.get_lines()[0].get_ydata().tolist() == [1.1e-16, 1e-3]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    own = report.plot()
    assert own.figure is not ax.figure
    plt.close(own.figure)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((N, 3))}, r"`x` must have shape \(N, 2\) with N >= 1, got \(7, 3\)"),
        ({"dy": np.zeros((N, 2))}, r"`dy` must have shape \(7, 3\), got \(7, 2\)"),
        (
            {"dy": np.zeros((N, 3)), "objective": objective(), "target": np.zeros((N, 3))},
            "`dy` must not be given beside `objective`, got both",
        ),
        ({"objective": objective()}, "`target` must be given with `objective`, got None"),
    ],
)
def test_errors(change: dict, message: str) -> None:
    arguments = {"x": samples(N, 2), **change}
    with pytest.raises(ValueError, match=message):
        check_gradients(random_network((2, 3)), **arguments)
