"""Parts of a network first: what they are, when they suffice, and what bounds the search."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from symbolic_networks import points, predict, spline_network

from kanref import KAN
from kanref.network import Network
from kanref.symbolic import fix_symbolic, symbolic_formula, symbolic_plan
from kanref.symbolic.edges import live_edges, used_inputs
from kanref.symbolic.fewer import Parts, criterion, n_free, unexplained_alone
from kanref.symbolic.finish import _settled
from kanref.symbolic.refit import WORK, Budget, Task, refit

X, Y = sympy.symbols("x y")


def cluttered(x: np.ndarray) -> tuple[Network, np.ndarray]:
    """Return a network whose node 1 is all of exp(sin 3x + y²), beside two that cancel."""
    curves = {
        (0, 0, 0): lambda t: 2 * t,
        (0, 1, 0): lambda t: t,
        (0, 0, 1): lambda t: np.sin(3 * t),
        (0, 1, 1): np.square,
        (0, 0, 2): lambda t: 2 * t,
        (0, 1, 2): lambda t: t,
        (1, 0, 0): lambda t: 5 * t,
        (1, 1, 0): np.exp,
        (1, 2, 0): lambda t: -5 * t,
    }
    y = np.exp(np.sin(3 * x[:, :1]) + x[:, 1:] ** 2)
    return spline_network([2, 3, 1], curves, x), y


def test_the_part_that_does_it_all_comes_first() -> None:
    x = points(500, 2)
    network, y = cluttered(x)
    task = Task(x, y)
    before = network.theta.copy()
    part = next(Parts(network, task, Budget(50, 30)).good())
    assert live_edges(part) == [(0, 0, 1), (0, 1, 1), (1, 1, 0)]
    assert criterion(part, task) <= criterion(network, task)
    np.testing.assert_array_equal(network.theta, before)


def test_a_node_is_ranked_by_what_it_explains_and_not_by_its_size() -> None:
    x = points(500, 2)
    network, y = cluttered(x)
    alone = unexplained_alone(network, Task(x, y))
    assert alone.argmin() == 1
    total = np.sum((y - y.mean()) ** 2)
    assert alone[1] < 1e-2 * total
    assert min(alone[0], alone[2]) > 0.3 * total


def test_nodes_that_are_all_needed_stay() -> None:
    x = points(500, 2)
    curves = {
        (0, 0, 0): lambda t: t,
        (0, 1, 0): lambda t: t,
        (0, 0, 1): lambda t: t,
        (0, 1, 1): lambda t: -t,
        (1, 0, 0): lambda t: np.exp(t),
        (1, 1, 0): lambda t: np.sin(3 * t),
    }
    y = np.exp(x.sum(1, keepdims=True)) + np.sin(3 * (x[:, :1] - x[:, 1:]))
    network = spline_network([2, 2, 1], curves, x, G=8)
    assert not list(Parts(network, Task(x, y), Budget(50, 30)).good())


def test_parts_see_every_input_that_the_network_sees() -> None:
    network = KAN([3, 5, 1], seed=1).network
    x = points(200, 3)
    masks = [np.ones((3, 5), bool), np.ones((5, 1), bool)]
    masks[0][1, [0, 2]] = False
    for layer, mask in zip(network.layers, masks, strict=True):
        layer.mask[...] = mask
    parts = Parts(network, Task(x, x[:, :1]), Budget(50, 30))
    choices = list(parts._choices())
    assert choices
    assert [len(choice[0]) for choice in choices] == sorted(len(choice[0]) for choice in choices)
    assert not any(choice[0] <= {0, 2} for choice in choices)
    assert used_inputs(network) == {0, 1, 2}


def test_formula_of_a_part_and_what_the_plan_says_of_the_rest() -> None:
    x = points(500, 2)
    network, y = cluttered(x)
    plan = symbolic_plan(network, x, y)
    (found,) = symbolic_formula(plan.network, input_names=["x", "y"], round_to=6)
    assert found == sympy.exp(Y**2 + sympy.sin(3 * X))
    names = {choice.edge: choice.name for choice in plan.choices}
    assert names[0, 0, 1] == "sin"
    assert names[1, 0, 0] == names[1, 2, 0] == "0"
    unseen = [choice for choice in plan.choices if math.isnan(choice.r2)]
    assert {choice.name for choice in unseen} == {"0"}
    assert "nan" in repr(plan)


def test_edges_become_nothing_though_the_library_does_not_name_it() -> None:
    x = points(500, 2)
    network, y = cluttered(x)
    plan = symbolic_plan(network, x, y, lib=["x", "x^2", "x^3", "exp", "sin", "tanh"])
    (found,) = symbolic_formula(plan.network, input_names=["x", "y"], round_to=6)
    assert found == sympy.exp(Y**2 + sympy.sin(3 * X))
    names = {choice.edge: choice.name for choice in plan.choices}
    assert names[1, 0, 0] == names[1, 2, 0] == "0"
    assert plan.refits < 10  # a part was enough


@pytest.mark.parametrize("seed", [5, 14])
def test_where_a_look_alike_suits_the_spline_better_the_simple_function_is_found(seed: int) -> None:
    X_ = points(1000, 2, seed=1000 + seed)
    y = np.exp(np.sin(np.pi * X_[:, 0]) + X_[:, 1] ** 2)
    model = KAN([2, 5, 1], seed=seed)
    model.fit(X_, y, steps=50, lamb=1e-2, update_grid=False)
    found = model.prune(X_).auto_symbolic(X_, y)
    assert np.abs(found.predict(X_)[:, 0] - y).max() < 1e-12


# --- bounds ------------------------------------------------------------------------------------


def test_a_budget_counts_and_ends_joint_fits() -> None:
    x = points(300, 2)
    network, y = cluttered(x)
    task = Task(x, y)
    budget = Budget(50, 2)
    refit(network, task, steps=1, budget=budget)
    assert budget.used == 1
    assert budget.work >= 300 * n_free(network) ** 2
    assert not budget.spent
    budget.work = 2 * WORK
    assert budget.spent
    np.testing.assert_array_equal(refit(network, task, budget=budget).theta, network.theta)


def test_without_formula_the_search_ends_where_the_work_is_done() -> None:
    rng = np.random.default_rng(0)
    x = points(400, 4)
    y = rng.normal(size=(400, 1)) + np.abs(x[:, :1] * x[:, 1:2] - x[:, 2:3])
    model = KAN([4, 4, 1], grid=4, seed=0)
    model.fit(x, y, steps=10, lamb=1e-3)
    plan = symbolic_plan(model.network, x, y, max_refits=16)
    assert plan.refits <= 40


def ragged(t: np.ndarray) -> np.ndarray:
    return np.abs(np.abs(np.abs(t) - 0.5) - 0.2)


def test_where_splines_stay_snapping_costs_no_accuracy() -> None:
    x = points(600, 3)
    rough = {
        (0, 0, 0): lambda t: 3 * ragged(t),
        (0, 1, 0): lambda t: t + 0.4 * ragged(t),
        (0, 2, 0): lambda t: np.exp(2 * t),
    }
    y = sum(curve(x[:, [i]]) for (_, i, _), curve in rough.items())
    network = spline_network([3, 1], rough, x, G=20)
    plan = symbolic_plan(network, x, y, r2_threshold=0.9)
    assert plan.choices[1].r2 > 0.9  # a function fits, but not as well as its spline
    assert [c.name for c in plan.choices] == ["spline", "spline", "exp"]
    assert plan.loss_after <= 1.05 * plan.loss_before
    everything = symbolic_plan(network, x, y, r2_threshold=0.0, lib=["x", "exp"], max_refits=9)
    assert "spline" not in [c.name for c in everything.choices]


def test_constants_alone_can_be_fitted() -> None:
    x = points(300, 2)
    curves = {(0, 0, 0): lambda t: 3 * ragged(t), (0, 1, 0): np.exp}
    network = spline_network([2, 1], curves, x, G=10)
    network = fix_symbolic(network, 0, 1, 0, "exp", affine=[1.5, 0, 0.8, 0])
    task = Task(x, 3 * ragged(x[:, :1]) + np.exp(x[:, 1:]))
    fitted = refit(network, task, splines=False)
    np.testing.assert_array_equal(fitted.layers[0].coef, network.layers[0].coef)
    np.testing.assert_array_equal(fitted.layers[0].scale_base, network.layers[0].scale_base)
    assert task.value(fitted) < 0.1 * task.value(network)


def test_splines_that_are_left_move_only_if_that_can_be_trusted() -> None:
    rng = np.random.default_rng(1)
    curves = {(0, 0, 0): ragged, (0, 1, 0): np.exp}

    def settled(N: int, noise: float, target_factor: float) -> tuple[bool, float, float]:
        x = points(N, 2)
        network = spline_network([2, 1], curves, x, G=12)
        network = fix_symbolic(network, 0, 1, 0, "exp", affine=[1, 0, 1, 0])
        y = target_factor * ragged(x[:, :1]) + np.exp(x[:, 1:])
        result = _settled(network, Task(x, y + noise * rng.normal(size=y.shape)), 50)
        same = np.array_equal(result.layers[0].coef, network.layers[0].coef)
        error = float(np.mean((predict(result, x) - y) ** 2))
        return same, error, float(np.mean((predict(network, x) - y) ** 2))

    same, _, _ = settled(60, 0.5, 1.0)  # right already: a fit would follow the noise
    assert same
    same, after, before = settled(600, 0.01, 2.0)
    assert not same
    assert after < 0.1 * before
