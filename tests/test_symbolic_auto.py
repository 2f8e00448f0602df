"""Snapping a whole network: joint fits against closed forms, and the true formulas recovered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from builders import random_network
from symbolic_networks import points, predict, shares_memory, spline_network

from kanref import KAN
from kanref.functions import FUNCTIONS, make_function
from kanref.network import network_forward
from kanref.symbolic import (
    auto_symbolic,
    fix_symbolic,
    suggest,
    symbolic_formula,
    symbolic_plan,
    unfix_symbolic,
)
from kanref.symbolic import refit as refit_module
from kanref.symbolic.edges import without
from kanref.symbolic.gauge import tidy
from kanref.symbolic.jacobian import (
    free_parameters,
    output_jacobian,
    stripped,
    with_parameters_of,
)
from kanref.symbolic.offsets import drop_offsets
from kanref.symbolic.refit import Task, refit
from kanref.symbolic.release import released
from kanref.symbolic.sharpen import edge_shares

X, Y = sympy.symbols("x y")


def formula(network, digits: int = 6):  # type: ignore[no-untyped-def]
    return symbolic_formula(network, input_names=["x", "y"], round_to=digits)[0]


def rms(a: np.ndarray) -> float:
    return float(np.sqrt(np.mean(a**2)))


# --- the Jacobian and the joint fit ------------------------------------------------------------


def test_jacobian_is_that_of_differences() -> None:
    network = random_network(seed=3)  # products, affines, dead and symbolic edges
    x = 0.7 * points(7, 2)
    work = stripped(network)
    free = free_parameters(work)
    y, cache = network_forward(work, x)
    np.testing.assert_allclose(y, predict(network, x), rtol=1e-12)
    exact = output_jacobian(work, cache, free)
    columns = []
    for p in np.nonzero(free)[0]:
        h = 1e-5 * (np.arange(work.theta.size) == p)
        high, low = (predict(work.with_theta(work.theta + s * h), x) for s in (1, -1))
        columns.append((high - low) / 2e-5)
    differences = np.stack(columns, axis=2)
    assert exact.shape == (7, 3, free.sum())
    assert np.abs(exact - differences).max() < 1e-8 * np.abs(differences).max()


def test_stripping_changes_no_value_and_gives_the_parameters_back() -> None:
    network = random_network((2, 3, 2), masked=False, symbolic=False)
    for i in range(2):
        for j in range(3):
            network = fix_symbolic(network, 0, i, j, "sin", affine=[1, 0.1 * i, 0.3, j])
    x = points(7, 2)
    work = stripped(network)
    assert work.layers[0].G == 1  # no splines there any more
    assert work.layers[1].G == network.layers[1].G
    np.testing.assert_allclose(predict(work, x), predict(network, x), rtol=1e-13)
    moved = work.with_theta(work.theta + 0.01)
    back = with_parameters_of(network, moved)
    np.testing.assert_allclose(predict(back, x), predict(moved, x), rtol=1e-13)
    np.testing.assert_array_equal(back.layers[0].coef, network.layers[0].coef)
    assert back.groups == network.groups
    assert not shares_memory(back, network)


def test_redundant_constants_are_not_free() -> None:
    network = KAN([3, 2]).network
    for i, name in enumerate(("exp", "x^2", "sin")):
        network = fix_symbolic(network, 0, i, 0, name, affine=[1, 0.5, 2, 0])
    work = stripped(network)
    free = work.with_theta(free_parameters(work).astype(float)).layers[0]
    assert free.affine.tolist() == [[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 1, 0]]
    np.testing.assert_array_equal(free.coef[:, 0], 0)
    np.testing.assert_array_equal(free.coef[:, 1], 1)
    np.testing.assert_array_equal(free.scale_base, [[0, 1], [0, 1], [0, 1]])


def sine_and_square() -> tuple:
    network = fix_symbolic(KAN([2, 1]).network, 0, 0, 0, "sin", affine=[2.5, 0.3, 1.5, 0])
    network = fix_symbolic(network, 0, 1, 0, "x^2", affine=[1, 0.3, 0.4, 0.2])
    x = points(90, 2)
    return network, x, (2 * np.sin(3 * x[:, 0]) + (x[:, 1] + 0.5) ** 2 - 1)[:, None]


def test_refit_converges_to_rounding() -> None:
    network, x, y = sine_and_square()
    fitted = refit(network, Task(x, y))
    assert rms(predict(fitted, x) - y) < 1e-14
    np.testing.assert_allclose(fitted.layers[0].affine[0, :3], [3, 0, 2], atol=1e-12)
    np.testing.assert_allclose(fitted.layers[0].affine[1, :3], [1, 0.5, 1], atol=1e-12)
    np.testing.assert_array_equal(refit(network, Task(x, y), steps=0).theta, network.theta)


def test_refit_is_the_weighted_least_squares_solution() -> None:
    network, x, y = sine_and_square()
    rng = np.random.default_rng(0)
    y = y + 0.3 * rng.normal(size=y.shape)
    weight = rng.uniform(0, 2, len(x))

    def gradient(theta: np.ndarray) -> np.ndarray:
        moved = network.with_theta(theta)
        values = []
        for p in range(moved.layers[0].affine.size):
            h = np.zeros(theta.size)
            h[np.nonzero(theta == moved.layers[0].affine.ravel()[p])[0]] = 1e-6
            high, low = (
                np.sum(weight * (predict(network.with_theta(theta + s * h), x) - y)[:, 0] ** 2)
                for s in (1, -1)
            )
            values.append((high - low) / 2e-6)
        return np.array(values)

    fitted = refit(network, Task(x, y, weight), tolerance=1e-14, steps=200)
    assert np.abs(gradient(fitted.theta)).max() < 1e-6 * np.abs(gradient(network.theta)).max()
    plain = refit(network, Task(x, y), tolerance=1e-14, steps=200)
    assert np.abs(plain.layers[0].affine - fitted.layers[0].affine).max() > 1e-4


def test_refit_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, y = sine_and_square()
    y = y + 0.1 * np.random.default_rng(0).normal(size=y.shape)
    weight = np.linspace(0.5, 1.5, len(x))
    whole = refit(network, Task(x, y, weight))
    monkeypatch.setattr(refit_module, "BLOCK", 60)
    parts = refit(network, Task(x, y, weight))
    np.testing.assert_allclose(parts.layers[0].affine, whole.layers[0].affine, rtol=1e-6, atol=1e-8)


def test_refit_moves_the_splines_that_are_left() -> None:
    x = points(300, 2)
    curves = {(0, 0, 0): np.sin, (0, 1, 0): np.square, (1, 0, 0): np.exp}
    network = spline_network([2, 1, 1], curves, x)
    network = fix_symbolic(network, 0, 0, 0, "sin", affine=[1.2, 0, 0.8, 0.1])
    y = np.exp(np.sin(x[:, :1]) + x[:, 1:] ** 2)
    before, after = (rms(predict(net, x) - y) for net in (network, refit(network, Task(x, y))))
    assert before > 0.1
    assert after < 5e-3


def test_refit_of_other_losses_descends() -> None:
    network, x, y = sine_and_square()
    y[::9] += 30.0  # which the absolute error does not mind
    fitted = refit(network, Task(x, y, loss="mae"), steps=300)
    clean = np.arange(len(x)) % 9 != 0
    assert rms((predict(fitted, x) - y)[clean]) < 1e-2 < rms((predict(network, x) - y)[clean])
    own = Task(x, y, loss=lambda p, t: (np.sum((p - t) ** 2), 2 * (p - t)))
    same = refit(network, own, steps=500)
    assert own.value(same) == pytest.approx(own.value(refit(network, Task(x, y))), rel=1e-5)


def test_misfit_is_twice_the_negative_log_likelihood() -> None:
    x, y = points(20, 1), points(20, 3)
    assert Task(x, y).misfit(0.5) == pytest.approx(60 * np.log(0.5))
    assert Task(x, y).misfit(0.0, 1e-5) == pytest.approx(60 * np.log(1e-5))
    assert Task(x, y[:, 0], loss="cross_entropy").misfit(0.5) == pytest.approx(20)
    assert Task(x, y).misfit(np.inf) == np.inf


# --- true formulas -----------------------------------------------------------------------------

CASES = {
    "exp(sin(pi x) + y^2)": (
        [2, 1, 1],
        {(0, 0, 0): lambda t: np.sin(np.pi * t), (0, 1, 0): np.square, (1, 0, 0): np.exp},
        (-1, 1),
        sympy.exp(sympy.sin(3.14159 * X) + Y**2),
    ),
    "x y": (
        [2, [0, 1], 1],
        {(0, 0, 0): lambda t: 2 * t, (0, 1, 1): lambda t: t / 2, (1, 0, 0): lambda t: t},
        (-1, 1),
        X * Y,
    ),
    "sqrt(x^2 + y^2)": (
        [2, 1, 1],
        {(0, 0, 0): np.square, (0, 1, 0): np.square, (1, 0, 0): np.sqrt},
        (-1, 1),
        sympy.sqrt(X**2 + Y**2),
    ),
    "x log(2 y)": (
        [2, [0, 1], 1],
        {(0, 0, 0): lambda t: t, (0, 1, 1): lambda t: np.log(2 * t), (1, 0, 0): lambda t: t},
        (0.5, 3),
        X * (sympy.log(Y) + 0.693147),
    ),
    "x / y": (
        [2, [0, 1], 1],
        {(0, 0, 0): lambda t: t, (0, 1, 1): lambda t: 1 / t, (1, 0, 0): lambda t: t},
        (0.5, 3),
        X / Y,
    ),
    "exp(-(x - y)^2)": (
        [2, 1, 1],
        {(0, 0, 0): lambda t: t, (0, 1, 0): lambda t: -t, (1, 0, 0): lambda t: np.exp(-(t**2))},
        (-1, 1),
        sympy.exp(-((X - Y) ** 2)),
    ),
    "tanh(2 x + 2 y^3)": (
        [2, 1, 1],
        {(0, 0, 0): lambda t: t, (0, 1, 0): lambda t: t**3, (1, 0, 0): lambda t: np.tanh(2 * t)},
        (-1, 1),
        sympy.tanh(2 * X + 2 * Y**3),
    ),
    "cos(3 x) + |y|": (
        [2, 1],
        {(0, 0, 0): lambda t: np.cos(3 * t), (0, 1, 0): np.abs},
        (-1, 1),
        sympy.cos(3 * X) + sympy.Abs(Y),
    ),
}


def case(name: str, N: int = 500):  # type: ignore[no-untyped-def]
    width, curves, (low, high), expected = CASES[name]
    x = points(N, 2, low, high)
    exact = sympy.sympify(expected).xreplace({sympy.Float(3.14159): sympy.pi})
    exact = exact.xreplace({sympy.Float(0.693147): sympy.log(2)})
    y = sympy.lambdify([X, Y], exact)(*x.T)[:, None]
    return spline_network(width, curves, x), x, y, expected


@pytest.mark.parametrize("name", list(CASES))
def test_true_formula_is_recovered(name: str) -> None:
    network, x, y, expected = case(name)
    found = auto_symbolic(network, x, y)
    assert rms(predict(found, x) - y) < 1e-13
    assert formula(found) == expected


@pytest.mark.parametrize("name", ["exp(sin(pi x) + y^2)", "x / y", "exp(-(x - y)^2)"])
def test_true_formula_is_recovered_under_noise(name: str) -> None:
    network, x, y, _ = case(name, N=1000)
    noise = 1e-2 * y.std() * np.random.default_rng(1).normal(size=y.shape)
    plan = symbolic_plan(network, x, y + noise)
    assert rms(predict(plan.network, x) - y) < 0.15 * rms(noise)
    exact = {c.name for c in symbolic_plan(network, x, y).choices}
    assert {c.name for c in plan.choices} == exact


def test_the_whole_network_decides_where_a_single_edge_misleads() -> None:
    network, x, y, expected = case("exp(-(x - y)^2)")
    assert suggest(network, 1, 0, 0, x).best.function != "gaussian"
    assert formula(auto_symbolic(network, x, y)) == expected


def test_nodes_that_a_formula_does_not_need_become_nothing() -> None:
    x = points(600, 2)
    curves = {
        (0, 0, 0): lambda t: np.sin(3 * t),
        (0, 1, 0): np.square,
        (0, 0, 1): lambda t: 0.8 * np.sin(3 * t) + 0.1 * t,
        (0, 1, 1): lambda t: 0.7 * t**2,
        (1, 0, 0): lambda t: 0.6 * np.exp(t),
        (1, 1, 0): lambda t: 0.5 * np.exp(t),
    }
    network = spline_network([2, 2, 1], curves, x)
    y = np.exp(np.sin(3 * x[:, :1]) + x[:, 1:] ** 2)
    plan = symbolic_plan(network, x, y)
    assert rms(predict(plan.network, x) - y) < 1e-13 * y.max()
    assert formula(plan.network) == sympy.exp(sympy.sin(3 * X) + Y**2)
    assert sorted(c.name for c in plan.choices) == ["0", "0", "0", "exp", "sin", "x^2"]


def test_negligible_edges_become_nothing() -> None:
    x = points(300, 3)
    wave = {(0, 2, 0): lambda t: 1e-5 * np.sin(40 * t)}
    curves = {(0, 0, 0): lambda t: np.exp(2 * t), (0, 1, 0): lambda t: 3 * t, **wave}
    network = spline_network([3, 1], curves, x, G=20)
    y = np.exp(2 * x[:, :1]) + 3 * x[:, 1:2]
    plan = symbolic_plan(network, x, y)
    assert [c.name for c in plan.choices] == ["exp", "x", "0"]
    narrow = symbolic_plan(network, x, y, lib=["exp", "x", "sin"])  # c = 0 is always allowed
    assert [c.name for c in narrow.choices] == ["exp", "x", "0"]
    assert str(symbolic_formula(plan.network, round_to=6)[0]) == "3*x_2 + exp(2*x_1)"


def test_several_outputs() -> None:
    x = points(400, 2)
    curves = {
        (0, 0, 0): lambda t: np.sin(3 * t),
        (0, 1, 0): lambda t: t,
        (0, 0, 1): np.square,
        (0, 1, 1): lambda t: -np.exp(t),
    }
    y = np.stack([np.sin(3 * x[:, 0]) + x[:, 1], x[:, 0] ** 2 - np.exp(x[:, 1])], axis=1)
    found = auto_symbolic(spline_network([2, 2], curves, x), x, y)
    outputs = symbolic_formula(found, input_names=["x", "y"], round_to=6)
    assert outputs == [Y + sympy.sin(3 * X), X**2 - sympy.exp(Y)]


def test_own_functions_are_tried() -> None:
    own = make_function("s", lambda t: t / (1 + t**2), sympy=lambda t: t / (1 + t**2))
    x = points(300, 1)
    y = 4 * x / (1 + 4 * x**2)
    network = spline_network([1, 1], {(0, 0, 0): lambda t: 4 * t / (1 + 4 * t**2)}, x, G=10)
    plan = symbolic_plan(network, x, y, functions={"s": own})
    assert plan.choices[0].function is own
    np.testing.assert_allclose(plan.choices[0].affine, [2, 0, 2, 0], atol=1e-9)
    assert symbolic_plan(network, x, y, lib=["x", own]).choices[0].name == "s"


# --- what stays as it is -----------------------------------------------------------------------


def ragged(t: np.ndarray) -> np.ndarray:
    return np.abs(np.abs(np.abs(t) - 0.5) - 0.2)


def test_an_edge_that_nothing_fits_stays_a_spline() -> None:
    x = points(500, 2)
    y = np.exp(2 * x[:, :1]) + 3 * ragged(x[:, 1:])
    curves = {(0, 0, 0): lambda t: np.exp(2 * t), (0, 1, 0): lambda t: 3 * ragged(t)}
    network = spline_network([2, 1], curves, x, G=20)
    plan = symbolic_plan(network, x, y, r2_threshold=0.99)
    assert [c.name for c in plan.choices] == ["exp", "spline"]
    assert plan.choices[1].r2 < 0.99
    assert plan.choices[1].affine is None
    assert plan.loss_after <= plan.loss_before * 1.01
    with pytest.raises(ValueError, match=r"\(0, 1, 0\)"):
        symbolic_formula(plan.network)
    np.testing.assert_allclose(plan.choices[0].affine[0], 2, atol=0.05)
    snapped = symbolic_plan(network, x, y, r2_threshold=0.0, lib=["x", "sin", "exp"], max_refits=9)
    assert "spline" not in [c.name for c in snapped.choices]
    nothing = symbolic_plan(network, x, y, r2_threshold=1.0, lib=["sgn"])
    assert [c.name for c in nothing.choices] == ["spline", "spline"]
    np.testing.assert_array_equal(nothing.network.theta, network.theta)


def test_functions_that_are_there_stay() -> None:
    network, x, y, expected = case("exp(sin(pi x) + y^2)")
    network = fix_symbolic(network, 1, 0, 0, "exp", affine=[0.9, 0, 1, 0.1])
    plan = symbolic_plan(network, x, y)
    assert [c.edge for c in plan.choices] == [(0, 0, 0), (0, 1, 0)]
    assert formula(plan.network) == expected
    again = symbolic_plan(plan.network, x, 2 * y)  # all is symbolic: the joint fit alone
    assert again.choices == ()
    assert formula(again.network) == 2 * expected
    assert again.loss_after < 1e-25 < again.loss_before


def test_the_network_that_came_is_not_touched() -> None:
    network, x, y, _ = case("cos(3 x) + |y|")
    theta = network.theta.copy()
    found = auto_symbolic(network, x, y)
    np.testing.assert_array_equal(network.theta, theta)
    assert network.layers[0].symbolic == ()
    assert found.groups == network.groups
    assert not shares_memory(network, found)


def test_an_edge_can_go_back_to_a_spline_without_a_jump() -> None:
    network, x, y, _ = case("exp(sin(pi x) + y^2)")
    found = auto_symbolic(network, x, y)
    for edge in ((0, 0, 0), (0, 1, 0), (1, 0, 0)):
        back = unfix_symbolic(found, *edge)
        assert rms(predict(back, x) - y) < 0.03 * y.std()
        assert back.layers[edge[0]].G == network.layers[edge[0]].G


def test_float32_comes_back_as_float32() -> None:
    network, x, y, expected = case("cos(3 x) + |y|")
    single = network.map(lambda a: a.astype(np.float32) if a.dtype.kind == "f" else a.copy())
    found = auto_symbolic(single, x.astype(np.float32), y.astype(np.float32))
    assert found.theta.dtype == np.float32
    assert formula(found, 4) == expected


def test_weights_of_zero_take_samples_out() -> None:
    network, x, y, expected = case("cos(3 x) + |y|")
    weight = np.ones(len(x))
    weight[::7] = 0
    spoilt = np.where(weight[:, None] > 0, y, 50.0)
    assert formula(auto_symbolic(network, x, spoilt, weight=weight)) == expected


def test_classification() -> None:
    x = points(800, 2)
    logit = 6 * x[:, 0] ** 2 - 4 * x[:, 1] - 2
    labels = (np.random.default_rng(3).random(800) < 1 / (1 + np.exp(-logit))).astype(int)
    curves = {(0, 0, 0): lambda t: 5 * t**2 - 1.5, (0, 1, 0): lambda t: -3.5 * t}
    network = spline_network([2, 1], curves, x)
    lib = ["0", "x", "x^2", "exp", "sin", "tanh"]
    plan = symbolic_plan(network, x, labels, loss="binary_cross_entropy", lib=lib)
    assert [c.name for c in plan.choices] == ["x^2", "x"]
    assert plan.loss_after < plan.loss_before
    assert rms(predict(plan.network, x)[:, 0] - logit) < 0.15 * logit.std()


# --- moves of the search -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_tidy_changes_no_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    positive = ["sqrt", "log", "1/x", "x^1.5"]  # 3 + d - 1 > 0 on the inputs
    anywhere = ["x^2", "exp", "x", "sin", "tanh", "x^3", "cosh", "sigmoid", "0", "gaussian"]
    network = KAN([2, [2, 1], [1, 1], 1]).network
    for l, layer in enumerate(network.layers):
        for i in range(layer.n_in):
            for j in range(layer.n_out):
                name = str(rng.choice(positive + anywhere if l == 0 else anywhere))
                a, b, c, d = rng.uniform(0.1, 0.4, 4) * rng.choice([-1, 1], 4)
                b += 3 if l == 0 else 0
                network = fix_symbolic(network, l, i, j, name, affine=[a, b, c, d])
    x = points(40, 2)
    before = predict(network, x)
    assert np.all(np.isfinite(before))
    assert np.ptp(before) > 0
    after = tidy(network)
    np.testing.assert_allclose(predict(after, x), before, rtol=1e-10, atol=1e-10)
    for layer in after.layers:
        for j in range(layer.n_out):  # one offset per sum, but for what a later move adds
            rows = [s for s, e in enumerate(layer.symbolic) if e.j == j]
            assert np.count_nonzero(layer.affine[rows, 3]) <= 2


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (("exp", 0.5, 0.3, 2.0, 0.0), (4.0, 0.6), "3.64424*exp(2*x)"),
        (("sqrt", 1.0, 0.5, 3.0, 0.0), (-4.0, 7.5), "6*sqrt(2 - x)"),
        (("x^2", 1.0, 0.0, 1.0, 0.0), (-3.0, 6.0), "9*(x - 2)**2"),
        (("log", -1.0, 9.0, 2.0, 1.0), (-5.0, 2.0), "2*log(x + 1.4) + 4.21888"),
        (("1/x", 1.0, 1.0, 3.0, 0.5), (2.0, 4.0), "0.5 + 1.5/(x + 2.5)"),
        (("x", 2.0, 1.0, 3.0, 4.0), (0.5, 0.0), "3*x + 7"),
        (("sin", -2.0, 0.0, 1.0, 0.0), (1.0, 0.0), "-sin(2*x)"),
        (("sin", 1.0, 4.0, 1.0, 0.0), (1.0, -0.5), "-sin(x + 0.358407)"),
        (("sigmoid", 1.0, 0.0, 2.0, 0.0), (-1.0, 0.5), "2 - 2/(1 + 1.64872*exp(-x))"),
    ],
)
def test_tidy_moves_scales_and_offsets_to_where_they_are_plain(
    outer: tuple, inner: tuple, expected: str
) -> None:
    name, *affine = outer
    network = fix_symbolic(KAN([1, 1, 1]).network, 0, 0, 0, "x", affine=[1, 0, *inner])
    network = fix_symbolic(network, 1, 0, 0, name, affine=affine)
    x = points(30, 1)
    plain = tidy(network)
    np.testing.assert_allclose(predict(plain, x), predict(network, x), rtol=1e-12)
    assert plain.layers[1].affine[0, :2].tolist() == [1, 0]
    (found,) = symbolic_formula(plain, input_names=["x"], round_to=6)
    assert str(found) == expected


def test_offsets_that_are_noise_go_and_others_stay() -> None:
    x = points(900, 2)
    noise = 0.05 * np.random.default_rng(2).normal(size=(900, 1))
    y = np.exp(x[:, :1]) + (x[:, 1:] - 0.2) ** 2 + noise
    network = fix_symbolic(KAN([2, 1]).network, 0, 0, 0, "exp", affine=[1, 0, 1, 0.01])
    network = fix_symbolic(network, 0, 1, 0, "x^2", affine=[1, -0.1, 1.1, 0.01])
    task = Task(x, y)
    fitted = refit(network, task)
    (e, square) = fitted.layers[0].affine
    assert e[3] != 0
    dropped = drop_offsets(fitted, task).layers[0].affine
    assert dropped[0, 3] == 0  # its standard error is about 0.01
    assert dropped[1, 1] == pytest.approx(square[1], abs=0.01)
    assert dropped[1, 1] == pytest.approx(-0.2, abs=0.02)
    shifted = drop_offsets(refit(network, Task(x, y + 0.1)), Task(x, y + 0.1)).layers[0].affine
    assert shifted[0, 3] == pytest.approx(0.1, abs=0.03)
    other = Task(x, y, loss="huber")
    np.testing.assert_array_equal(drop_offsets(fitted, other).theta, fitted.theta)


def test_constants_without_effect_do_no_harm() -> None:
    x = points(60, 1)
    network = fix_symbolic(KAN([1, 2, 1]).network, 0, 0, 0, "x", affine=[1, 0, 2, 0])
    network = fix_symbolic(network, 0, 0, 1, "exp", affine=[2, 0, 3, 9.0])
    network = fix_symbolic(network, 1, 0, 0, "x", affine=[1, 0, 3, 1e-3])
    network = fix_symbolic(network, 1, 1, 0, "0", affine=[0, 0, 0, 0])  # nothing gets through
    noise = 0.1 * np.random.default_rng(0).normal(size=x.shape)
    dropped = drop_offsets(network, Task(x, 6 * x + noise))
    assert dropped.layers[1].affine[0, 3] == 0
    assert np.all(np.isfinite(dropped.theta))


def test_an_offset_that_holds_a_sample_in_the_domain_stays() -> None:
    x = np.linspace(-1e-9, 1, 300)[:, None]
    y = np.sqrt(np.abs(x)) + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, "sqrt", affine=[1, 1e-9, 1, 0])
    dropped = drop_offsets(network, Task(x, y))
    assert dropped.layers[0].affine[0, 1] > 0
    assert np.all(np.isfinite(predict(dropped, x)))


def test_released_edge_follows_its_curve() -> None:
    network, x, y, _ = case("exp(sin(pi x) + y^2)")
    found = auto_symbolic(network, x, y)
    for edge in ((0, 0, 0), (1, 0, 0)):
        loose = released(found, edge, x)
        assert bool(loose.layers[edge[0]].numeric[edge[1], edge[2]])
        assert rms(predict(loose, x) - y) < 0.02 * y.std()
    both = released(unfix_symbolic(found, 0, 1, 0), (0, 0, 0), x)
    assert both.layers[0].G == found.layers[0].G


def test_removals_take_what_leads_nowhere_along() -> None:
    x = points(30, 2)
    ends = {(l, i, j): np.exp for l in (0, 1) for i in (0, 1) for j in (0, 1)}
    network = spline_network([2, 2, 2, 1], {**ends, (2, 0, 0): np.tanh, (2, 1, 0): np.tanh}, x)
    fewer = without(network, [(2, 1, 0)])
    assert [layer.mask.astype(int).tolist() for layer in fewer.layers] == [
        [[1, 1], [1, 1]],
        [[1, 0], [1, 0]],
        [[1], [0]],
    ]
    assert np.all(network.layers[1].mask)
    shares = edge_shares(fewer, x)
    assert set(shares) == {(0, i, j) for i in (0, 1) for j in (0, 1)} | {
        (1, 0, 0),
        (1, 1, 0),
        (2, 0, 0),
    }
    assert shares[(2, 0, 0)] == pytest.approx(1)


# --- the report and the arguments --------------------------------------------------------------


def test_plan_is_a_table() -> None:
    network, x, y, _ = case("x / y")
    plan = symbolic_plan(network, x, y)
    lines = repr(plan).splitlines()
    assert lines[0].split() == ["edge", "function", "r2", "a", "b", "c", "d"]
    assert lines[2].startswith("(0, 1, 1)  1/x ")
    assert lines[-1].startswith("loss ")
    assert f"{plan.refits} joint fits" in lines[-1]
    frame = plan.to_pandas()
    assert frame["function"].tolist() == ["x", "1/x", "x"]
    assert plan._repr_html_().count("<tr>") == 4
    assert plan.loss_before == pytest.approx(np.mean((predict(network, x) - y) ** 2))
    assert plan.loss_after == pytest.approx(np.mean((predict(plan.network, x) - y) ** 2))
    edge = plan.choices[1]
    assert edge.function is FUNCTIONS["1/x"]
    np.testing.assert_array_equal(edge.affine, plan.network.layers[0].affine[1])


def test_plan_of_splines_prints() -> None:
    x = points(60, 1)
    network = spline_network([1, 1], {(0, 0, 0): ragged}, x)
    plan = symbolic_plan(network, x, ragged(x), r2_threshold=1.0, lib=["x"])
    assert repr(plan).splitlines()[1].split()[3] == "spline"
    assert np.isnan(plan.to_pandas()["a"][0])


def test_arguments_are_checked() -> None:
    network, x, y, _ = case("cos(3 x) + |y|", N=30)
    for changes, message in (
        ({"x": x[:, :1]}, r"`x` must have shape \(N, 2\), got \(30, 1\)"),
        ({"x": np.where(x > 0.9, np.nan, x)}, "`x` must be finite"),
        ({"target": y[:-1]}, "`target` must have 30 rows as `x` has, got 29"),
        ({"weight": np.ones(7)}, r"`weight` must have shape \(30,\), got \(7,\)"),
        ({"r2_threshold": 1.5}, "`r2_threshold` must be within 0 and 1"),
        ({"top": 0}, "`top` must be at least 1"),
        ({"refit_steps": 0}, "`refit_steps` must be at least 1"),
        ({"max_refits": 0}, "`max_refits` must be at least 1"),
        ({"weight_simple": -1}, "`weight_simple` must be within 0 and 1"),
        ({"lib": ["nope"]}, "nope"),
        ({"a_range": (1, 0)}, "`a_range` must be"),
    ):
        with pytest.raises(ValueError, match=message):
            auto_symbolic(network, **{"x": x, "target": y, **changes})


def test_node_affines_stay_and_are_respected() -> None:
    network, x, y, _ = case("exp(sin(pi x) + y^2)")
    first = network.nodes[0]
    nodes = [
        replace(first, node_scale=np.array([2.0]), node_bias=np.array([-1.0])),
        network.nodes[1],
    ]
    odd = network.with_parts(network.layers, nodes)
    for edge in [(1, 0, 0)]:
        odd = fix_symbolic(odd, *edge, "exp", affine=[0.5, 0.5, 1, 0])
    found = auto_symbolic(odd, x, y)
    assert found.nodes[0].node_scale.tolist() == [2.0]
    assert rms(predict(found, x) - y) < 1e-12
