"""L-BFGS: SciPy's, and on where SciPy would stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from builders import random_network
from training_cases import Planted, objective, small, table, total

from kanref.losses import loss_function
from kanref.network import Network, network_forward
from kanref.objective import Evaluation, Objective
from kanref.regularization import Regularizer
from kanref.training import Batch, FitSettings, fit


def test_lbfgs_solves_linear_least_squares() -> None:
    network = random_network(
        (2, 3), symbolic=False, masked=False, spline_scale=False, groups=("coef",)
    )
    data = table()
    zero, columns = np.zeros(len(network.theta)), []
    offset = network_forward(network.with_theta(zero), data.x)[0].ravel()
    for p in range(len(zero)):  # the model is linear in its coefficients
        unit = zero.copy()
        unit[p] = 1.0
        columns.append(network_forward(network.with_theta(unit), data.x)[0].ravel() - offset)
    A = np.stack(columns, axis=1)
    solution = np.linalg.lstsq(A, data.target.ravel() - offset)[0]
    best = np.mean((A @ solution + offset - data.target.ravel()) ** 2)

    history = fit(network, data, objective(), FitSettings(steps=500, update_grid=False))

    assert history.loss[-1] == pytest.approx(best, rel=1e-12)
    assert history.stop_reason.startswith("no further progress")


def test_lbfgs_is_scipy() -> None:
    network, data, goal = small(), table(), objective(lamb=0.01)
    settings = FitSettings(steps=25, update_grid=False, memory=7, line_search=31)

    def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
        found = goal.evaluate(start.with_theta(theta), data.x, data.target)
        return found.total, found.gradient.theta

    start, values = network.copy(), []
    result = scipy.optimize.minimize(
        function,
        start.theta,
        jac=True,
        method="L-BFGS-B",
        callback=lambda theta: values.append(function(theta)[0]),
        options={"maxiter": 25, "maxcor": 7, "maxls": 31, "ftol": 0, "gtol": 0},
    )
    history = fit(network, data, goal, settings)
    assert np.array_equal(network.theta, result.x)
    assert np.array_equal(history.total, values)
    assert history.n_evaluations == result.nfev
    assert history.stop_reason == "all 25 steps taken"


def test_lbfgs_goes_down_and_on_where_scipy_would_stop() -> None:
    network, data = small(), table()
    data = replace(data, target=1e-4 * data.target)  # losses near 1e-9
    network = network.with_theta(1e-2 * network.theta)

    def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
        found = objective().evaluate(network.with_theta(theta), data.x, data.target)
        return found.total, found.gradient.theta

    by_default = scipy.optimize.minimize(function, network.theta, jac=True, method="L-BFGS-B")
    assert by_default.nit < 20
    network = network.copy()
    history = fit(network, data, objective(), FitSettings(steps=200, update_grid=False))
    assert len(history) == 200
    assert np.all(np.diff(history.total) < 0)
    assert history.loss[-1] < 0.2 * by_default.fun
    assert history.total[-1] == total(network, data, objective())


def test_lbfgs_stops_where_the_gradient_leads_nowhere() -> None:
    @dataclass
    class Uphill(Planted):
        def evaluate(self, network: Network, *data: Any, **options: Any) -> Evaluation:
            found = self.inner.evaluate(network, *data, **options)
            return replace(found, gradient=found.gradient.with_theta(-found.gradient.theta))

    evaluations = []
    for line_search in (3, 30):
        network = small()
        settings = FitSettings(update_grid=False, line_search=line_search)
        history = fit(network, table(), Uphill(objective(), None), settings)
        assert history.stop_reason.startswith("no further progress: ")
        evaluations.append(history.n_evaluations)
        assert total(network, table(), objective()) <= total(small(), table(), objective())
    assert evaluations[0] < evaluations[1] < 100


def test_lbfgs_leaves_dead_parameters_alone_that_are_not_finite() -> None:
    settings = FitSettings(steps=12, grid_update_num=2, stop_grid_update_step=8)
    histories = []
    for value in (0.0, np.nan):
        network = small(symbolic=False)
        for layer in network.layers:
            layer.coef[~layer.mask] = value
            layer.scale_base[~layer.mask] = value
        histories.append(fit(network, table(), objective(lamb=1e-3), settings))
    assert len(histories[1]) == 12
    assert histories[1].total == pytest.approx(histories[0].total, rel=1e-6)


def solved(dtype: str, weight: bool = False) -> tuple[Network, Batch]:
    """Return a network and data that it foretells but for rounding."""
    network, data = small(dtype), table(dtype=dtype)
    pred = network_forward(network, data.x)[0]
    noise = np.random.default_rng(3).choice([-1.0, 1.0], pred.shape) * np.finfo(dtype).eps
    weights = np.linspace(0.1, 3.0, len(pred)).astype(dtype) if weight else None
    return network, Batch(data.x, (pred * (1 + noise)).astype(dtype), weights)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [False, True])
def test_a_fit_ends_where_only_rounding_is_left(dtype: str, weight: bool) -> None:
    network, data = solved(dtype, weight)
    before = network.theta.copy()
    history = fit(network, data, objective(), FitSettings(steps=30, update_grid=False))
    assert history.stop_reason == "the predictions are the targets, to rounding"
    assert (len(history), history.n_evaluations) == (0, 1)
    np.testing.assert_array_equal(network.theta, before)


@pytest.mark.parametrize(
    "goal",
    [objective(lamb=1e-9), Objective(loss_function("mae"), Regularizer())],
    ids=["penalty", "another loss"],
)
def test_rounding_does_not_end_a_fit_with_more_to_do(goal: Objective) -> None:
    network, data = solved("float64")
    history = fit(network, data, goal, FitSettings(steps=2, update_grid=False))
    assert history.n_evaluations > 1


def test_errors_above_rounding_do_not_end_a_fit() -> None:
    network, data = solved("float64")
    off = replace(data, target=data.target * (1 + 1e-14))
    history = fit(network, off, objective(), FitSettings(steps=5, update_grid=False))
    assert len(history) > 0
    assert history.loss[-1] < 1e-28 * np.mean(data.target**2)


def test_grids_do_not_move_where_only_rounding_is_left() -> None:
    network, data = solved("float64")
    before = network.theta.copy()
    history = fit(network, data, objective(), FitSettings(steps=30))
    assert history.stop_reason == "the predictions are the targets, to rounding"
    np.testing.assert_array_equal(network.theta, before)
