"""The best point: restored on request, and when something is not finite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import random_network
from training_cases import BOTH, Planted, all_arrays, equal, objective, small, table, total

import kanref.training.loop as loop_module
import kanref.training.run as run_module
from kanref.losses import loss_function
from kanref.network import Network, network_forward
from kanref.training import Event, FitSettings, fit

# --- the best point ------------------------------------------------------------------------------


@BOTH
def test_restore_best_on_validation(settings: FitSettings) -> None:
    data, held_out = table(11), table(50, seed=9)  # few rows: the fit goes too far
    network, passed = small(), []
    loss = loss_function("mse")

    def watch(state: Any) -> None:
        pred = network_forward(state.network, held_out.x)[0]
        expected = loss(pred, held_out.target)[0]
        measured = state.record.validation
        assert np.isnan(measured) or measured == pytest.approx(expected, rel=1e-12)
        passed.append((measured, all_arrays(state.network)))

    settings = replace(settings, steps=40, restore_best=True)
    settings = replace(settings, lr=0.2) if settings.opt == "adam" else settings
    history = fit(
        network,
        data,
        objective(),
        settings,
        rng=np.random.default_rng(1),
        validation=held_out,
        callbacks=[watch],
    )
    values = [value for value, _ in passed]
    best = int(np.nanargmin(values))
    assert best < 39
    assert equal(all_arrays(network), passed[best][1])
    assert np.array_equal(history.validation, values, equal_nan=True)
    assert history.events[-1] == Event(
        40, "restored", f"the point of step {best + 1}, with {values[best]:.6g}"
    )


@pytest.mark.parametrize("restore_best", [True, False])
def test_restore_best_goes_back_behind_a_grid_update(
    restore_best: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clumsy(network: Network, x: np.ndarray, grid_eps: float) -> Network:
        moved = original(network, x, grid_eps)
        return moved.with_theta(3 * moved.theta)

    original = run_module.update_grid
    monkeypatch.setattr(run_module, "update_grid", clumsy)
    network, at = small(), []
    settings = FitSettings(
        steps=6, start_grid_update_step=5, stop_grid_update_step=6, restore_best=restore_best
    )
    history = fit(
        network,
        table(),
        objective(),
        settings,
        callbacks=[lambda state: at.append(all_arrays(state.network))],
    )
    assert history.events[0].kind == "grid"
    best = int(np.argmin(history.total))
    assert best == 4
    assert equal(all_arrays(network), at[best if restore_best else -1])


def test_restore_best_without_validation_looks_at_all_rows() -> None:
    data, goal, network, values = table(), objective(lamb=0.01), small(), []
    settings = FitSettings("adam", 60, update_grid=False, batch_size=7, lr=0.3, restore_best=True)
    fit(
        network,
        data,
        goal,
        settings,
        rng=np.random.default_rng(0),
        callbacks=[lambda state: values.append(total(state.network, data, goal))],
    )
    epochs = [total(small(), data, goal), *values[5::6]]  # the start counts too
    assert min(epochs) < epochs[-1]
    assert total(network, data, goal) == pytest.approx(min(epochs), rel=1e-12)


def test_the_start_may_be_the_best() -> None:
    network, data = small(), table()
    fit(network, data, objective(), FitSettings(steps=200, update_grid=False))
    before = all_arrays(network)
    settings = FitSettings("adam", 5, update_grid=False, lr=1.0, restore_best=True)
    fit(network, data, objective(), settings)
    assert equal(all_arrays(network), before)


def test_the_end_may_be_the_best() -> None:
    network, at = small(), []
    settings = FitSettings("adam", 2, update_grid=False, batch_size=16, restore_best=True)
    fit(
        network,
        table(),
        objective(),
        settings,
        rng=np.random.default_rng(0),
        callbacks=[lambda state: at.append(all_arrays(state.network))],  # no epoch is complete
    )
    assert total(network, table(), objective()) < total(small(), table(), objective())
    assert equal(all_arrays(network), at[-1])


def test_patience() -> None:
    settings = FitSettings(steps=300, update_grid=False, patience=4, restore_best=True)
    history = fit(small(), table(11), objective(), settings, validation=table(50, seed=9))
    best = int(np.argmin(history.validation))
    assert len(history) == best + 1 + 4 < 300
    reason = f"4 measurements in a row no better than that of step {best + 1}"
    assert history.stop_reason == reason


@pytest.mark.parametrize("opt", ["lbfgs", "adam"])
def test_tolerance(opt: str) -> None:
    grads = []
    settings = FitSettings(opt, 400, update_grid=False, tolerance=0.05)
    network, data = random_network((2, 3), symbolic=False), table()
    history = fit(
        network,
        data,
        objective(),
        settings,
        callbacks=[
            lambda state: grads.append(
                objective().evaluate(state.network, data.x, data.target).gradient.theta
            )
        ],
    )
    assert history.stop_reason == "no entry of the gradient exceeds 0.05"
    largest = [np.max(np.abs(g)) for g in grads]
    if opt == "adam":
        largest = largest[:-1]  # its step had yet to come
    assert largest[-1] <= 0.05 < min(largest[:-1])


def test_a_worse_end_of_lbfgs_is_left() -> None:
    network, data = small(), table()
    run = run_module.Run(network, data, objective(), FitSettings())
    run.begin()
    before = all_arrays(network)
    theta = 2 * run.point.theta
    terms = run.evaluate(theta)
    run.accept(theta, terms, here=True, measure=True)  # as a line search may, lost in rounding
    assert terms.total > total(small(), data, objective())
    loop_module._settle(run)
    assert equal(all_arrays(network), before)
    assert run.history.events == [
        Event(1, "restored", "the point of step 0 was better than the last")
    ]


# --- what is not finite --------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", ["total", "gradient"])
def test_one_bad_trial_does_not_end_lbfgs(spoil: str) -> None:
    network, data = small(), table()
    goal = Planted(objective(), lambda network, call: call == 6, spoil)
    history = fit(network, data, goal, FitSettings(steps=20, update_grid=False))
    assert len(history) == 20
    assert [event.kind for event in history.events] == ["restart"]
    assert "a trial point was not finite" in history.events[0].text
    assert np.all(np.diff(history.total) < 0)
    assert history.total[-1] == total(network, data, objective())


def test_lbfgs_shortens_its_first_step() -> None:
    network, data = small(), table()
    start = network.theta.copy()

    def far(candidate: Network, call: int) -> bool:
        return bool(np.linalg.norm(candidate.theta - start) > 0.05)

    goal = Planted(objective(), far)
    with pytest.warns(RuntimeWarning, match="is not finite in step"):
        history = fit(network, data, goal, FitSettings(steps=50, update_grid=False))
    assert len(history) > 1
    assert history.total[-1] < total(small(), data, objective())
    assert np.linalg.norm(network.theta - start) <= 0.05
    assert history.total[-1] == history.total.min() == total(network, data, objective())


@pytest.mark.parametrize("spoil", ["total", "gradient"])
@BOTH
def test_the_best_point_is_restored(settings: FitSettings, spoil: str) -> None:
    network, data, at = small(), table(), []
    goal = Planted(objective(), lambda network, call: call > 9, spoil)
    settings = replace(settings, steps=40, update_grid=False, batch_size=None)
    with pytest.warns(RuntimeWarning, match="is not finite in step") as caught:
        history = fit(
            network,
            data,
            goal,
            settings,
            callbacks=[lambda state: at.append(state.network.theta.copy())],
        )
    assert len(caught) == 1
    assert 2 < len(history) < 10
    assert history.stop_reason == str(caught[0].message)
    reached = [total(network.with_theta(theta), data, objective()) for theta in at]
    if settings.opt == "adam":
        reached = reached[:-1]  # where the last step went is not known to be finite
    assert total(network, data, objective()) == min(reached)
    assert history.stop_reason.endswith(
        f"the point of step {int(np.argmin(reached)) + 1} was restored"
    )


def test_a_last_step_of_adam_that_goes_wrong_is_taken_back() -> None:
    network, data = small(), table()
    goal = Planted(objective(), lambda network, call: call > 3)
    with pytest.warns(RuntimeWarning, match="not finite in step 3; the point of step 2 was"):
        history = fit(network, data, goal, FitSettings("adam", 3, update_grid=False))
    assert total(network, data, objective()) == history.total.min()


@pytest.mark.parametrize("opt", ["lbfgs", "adam"])
def test_a_bad_start(opt: str) -> None:
    network = small()
    before = all_arrays(network)
    goal = Planted(objective(), lambda network, call: True)
    with pytest.warns(RuntimeWarning, match="not finite at the start"):
        history = fit(network, table(), goal, FitSettings(opt))
    assert len(history) == 0
    assert equal(all_arrays(network), before)


def test_overflow_gives_no_other_warning() -> None:
    network = small("float32", symbolic=False)
    data = replace(table(dtype="float32"), target=np.full((41, 3), 1e30, dtype="float32"))
    with pytest.warns(RuntimeWarning, match="not finite at the start") as caught:
        fit(network, data, objective(), FitSettings("adam", 3))
    assert len(caught) == 1
