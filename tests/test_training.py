"""The fit, whatever the optimiser: in place, its groups, grid updates, errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from training_cases import BOTH, DEFAULT, Planted, all_arrays, equal, objective, small, table, total

import kanref.training.run as run_module
from kanref.network import PARAMETERS, Network
from kanref.objective import Evaluation
from kanref.training import Batch, FitSettings, fit

# --- what holds for both -------------------------------------------------------------------------


@BOTH
def test_same_seed_same_bits(settings: FitSettings) -> None:
    networks = [small(), small()]
    for network in networks:
        rng = np.random.default_rng(3)
        fit(network, table(), objective(lamb=1e-3), settings, rng=rng, validation=table(seed=5))
    assert equal(all_arrays(networks[0]), all_arrays(networks[1]))


@BOTH
def test_training_is_in_place(settings: FitSettings) -> None:
    network = small()
    theta, arrays = network.theta, [layer.coef for layer in network.layers]
    knots = [layer.knots for layer in network.layers]
    before, old_knots = theta.copy(), [t.copy() for t in knots]
    fit(network, table(), objective(), settings, rng=np.random.default_rng(0))
    assert network.theta is theta
    assert not np.array_equal(theta, before)
    for layer, coef, t, old in zip(network.layers, arrays, knots, old_knots, strict=True):
        assert layer.coef is coef
        assert np.shares_memory(coef, theta)
        assert layer.knots is t
        assert not np.array_equal(t, old)


@BOTH
def test_float32_models_stay_float32(settings: FitSettings) -> None:
    seen = []

    @dataclass
    class Watching(Planted):
        def evaluate(self, network: Network, *data: Any, **options: Any) -> Evaluation:
            seen.extend([network.theta.dtype, network.layers[0].knots.dtype])
            seen.extend(a.dtype for a in data if a is not None)
            return self.inner.evaluate(network, *data, **options)

    network = small("float32")
    data = replace(table(), weight=np.ones(41))  # float64
    history = fit(
        network, data, Watching(objective(), None), settings, rng=np.random.default_rng(0)
    )
    assert set(seen) == {np.dtype("float32")}
    assert network.theta.dtype == network.layers[0].knots.dtype == np.float32
    assert history.loss[-3:].mean() < history.loss[0]


@BOTH
def test_groups_that_are_not_trained_stay_as_they_are(settings: FitSettings) -> None:
    groups = ("scale_base", "affine", "subnode_bias")
    network = small(groups=DEFAULT)
    before = network.copy()
    fit(
        network,
        table(),
        objective(),
        replace(settings, trainable=groups),
        rng=np.random.default_rng(0),
    )
    for old, new in zip(before.layers, network.layers, strict=True):
        assert np.array_equal(new.knots, old.knots)  # no grid update without coef
        for name in ("coef", "scale_base", "scale_spline", "affine"):
            changed = not np.array_equal(getattr(new, name), getattr(old, name))
            assert changed == (name in groups), name
    for old, new in zip(before.nodes, network.nodes, strict=True):
        for name in ("subnode_scale", "subnode_bias", "node_scale", "node_bias"):
            changed = not np.array_equal(getattr(new, name), getattr(old, name))
            assert changed == (name in groups), name


def test_training_fewer_groups_is_training_a_network_of_fewer() -> None:
    groups = ("coef", "node_bias")
    some, all_of_them = small(groups=groups), small(groups=PARAMETERS)
    settings = FitSettings(steps=7, grid_update_num=2, stop_grid_update_step=6)
    fit(some, table(), objective(), settings)
    fit(all_of_them, table(), objective(), replace(settings, trainable=groups))
    assert equal(all_arrays(some), all_arrays(all_of_them))
    assert np.array_equal(all_of_them.theta, all_of_them.regroup(PARAMETERS).theta)  # still views


def test_dead_and_symbolic_edges_keep_their_numeric_parameters() -> None:
    network = small()
    before = network.copy()
    fit(network, table(), objective(lamb=0.01), FitSettings(steps=5, update_grid=False))
    for old, new in zip(before.layers, network.layers, strict=True):
        still = ~old.numeric
        assert still.any()
        assert np.array_equal(new.coef[still], old.coef[still])
        assert not np.array_equal(new.coef[~still], old.coef[~still])


@pytest.mark.parametrize("opt", ["lbfgs", "adam"])
def test_a_weight_of_two_is_a_row_twice(opt: str) -> None:
    data = table()
    double = np.arange(41) % 3 == 0
    rows = np.concatenate([np.arange(41), np.flatnonzero(double)])
    settings = FitSettings(opt, 6, update_grid=False)
    weighted, repeated = small(), small()
    fit(weighted, replace(data, weight=1.0 + double), objective(), settings)
    fit(repeated, data.rows(rows), objective(), settings)
    assert weighted.theta == pytest.approx(repeated.theta, rel=1e-9)
    assert not np.allclose(weighted.theta, small().theta)


def test_mini_batches_use_their_own_statistics() -> None:
    data, goal = table(), objective(lamb=0.1)
    network = small()
    rows = np.random.default_rng(2).permutation(41)[:16]
    expected = goal.evaluate(network, data.x[rows], data.target[rows])
    settings = FitSettings("adam", 1, update_grid=False, batch_size=16)
    history = fit(network, data, goal, settings, rng=np.random.default_rng(2))
    assert history.reg[0] == expected.reg
    assert history.total[0] == expected.total == pytest.approx(history.loss[0] + 0.1 * expected.reg)


# --- grid updates --------------------------------------------------------------------------------


def pykan_schedule(steps: int, num: int, start: int, stop: int) -> list[int]:
    frequency = int(stop / num)
    return [s for s in range(steps) if s % frequency == 0 and start <= s < stop]


@pytest.mark.parametrize(
    ("steps", "num", "start", "stop"),
    [(100, 10, -1, 50), (20, 10, -1, 50), (60, 7, 12, 33), (5, 1, -1, 4)],
)
def test_schedule_of_the_papers_library(steps: int, num: int, start: int, stop: int) -> None:
    settings = FitSettings(
        steps=steps,
        grid_update_num=num,
        start_grid_update_step=start,
        stop_grid_update_step=stop,
    )
    assert settings.grid_update_steps() == pykan_schedule(steps, num, start, stop)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grid_update_num": 99, "stop_grid_update_step": 3}, [0, 1, 2]),
        ({"stop_grid_update_step": 0}, []),
        ({"grid_update_num": 0}, []),
        ({"update_grid": False, "grid_update_num": 99}, []),
        ({"steps": 0}, []),
    ],
)
def test_schedule_where_the_papers_library_fails(changes: dict, expected: list[int]) -> None:
    assert FitSettings(**{"steps": 9, **changes}).grid_update_steps() == expected


@BOTH
def test_grids_move_on_schedule(settings: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    data, network, calls = table(), small(), []
    steps: list[int] = []

    def spy(before: Network, x: np.ndarray, grid_eps: float) -> Network:
        at = before.copy()  # the run moves its network on
        after = original(before, x, grid_eps)
        calls.append((len(steps), at, x, grid_eps, after))
        return after

    original = run_module.update_grid
    monkeypatch.setattr(run_module, "update_grid", spy)
    history = fit(
        network,
        data,
        objective(),
        replace(settings, grid_eps=0.3),
        rng=np.random.default_rng(0),
        callbacks=[lambda state: steps.append(state.step)],
    )
    assert [call[0] for call in calls] == [0, 4] == [event.step for event in history.events]
    assert all(call[2].shape == (41, 2) and call[3] == 0.3 for call in calls)
    for layer, source in zip(network.layers, calls[-1][4].layers, strict=True):
        assert np.array_equal(layer.knots, source.knots)
    for event, call in zip(history.events, calls, strict=True):
        old, new = (total(call[side], data, objective()) for side in (1, 4))
        text = f"grid update: objective {old:.6g} became {new:.6g}"
        assert (event.kind, event.text) == ("grid", text)


def test_a_grid_update_that_leaves_theta_alone_is_noticed() -> None:
    before = small()
    for layer in before.layers:
        layer.coef[...] = 0.0  # any grid fits
    data, once = table(), FitSettings(steps=3, grid_update_num=1, stop_grid_update_step=1)
    updated = run_module.update_grid(before, data.x, once.grid_eps)
    assert np.array_equal(updated.theta, before.theta)
    fit(before, data, objective(), once)
    fit(updated, data, objective(), FitSettings(steps=3, update_grid=False))
    assert equal(all_arrays(before), all_arrays(updated))


def test_a_network_without_splines_keeps_its_grids() -> None:
    network = small()
    for layer in network.layers:
        layer.mask[...] = layer.mask & ~layer.numeric
    before = [layer.knots.copy() for layer in network.layers]
    history = fit(network, table(), objective(), FitSettings(steps=3))
    assert history.events == []
    assert equal([layer.knots for layer in network.layers], before)


def test_a_grid_update_that_spoils_the_objective_is_undone() -> None:
    network = small()
    before = [layer.knots.copy() for layer in network.layers]

    def moved(candidate: Network, call: int) -> bool:
        return not np.array_equal(candidate.layers[0].knots, before[0])

    settings = FitSettings(steps=4, grid_update_num=1, stop_grid_update_step=1)
    history = fit(network, table(), Planted(objective(), moved), settings)
    assert len(history) == 4
    assert [event.text for event in history.events] == [
        "grid update undone: the objective was no longer finite"
    ]
    assert equal([layer.knots for layer in network.layers], before)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"opt": "sgd"}, "`opt` must be one of 'lbfgs', 'adam', got 'sgd'"),
        ({"steps": -1}, "`steps` must be an integer >= 0, got -1"),
        ({"stop_grid_update_step": -5}, "`stop_grid_update_step` must be an integer >= 0, got -5"),
        ({"patience": 0}, "`patience` must be an integer >= 1, got 0"),
        ({"grid_eps": 1.5}, "`grid_eps` must be a finite number at least 0 and at most 1, got 1.5"),
        ({"tolerance": float("nan")}, "`tolerance` must be a finite number at least 0, got nan"),
        ({"opt": "adam", "lr": 0}, "`lr` must be a finite number greater than 0, got 0"),
        ({"opt": "adam", "clip_norm": 0.0}, "`clip_norm` must be a finite number greater than 0"),
        (
            {"opt": "adam", "betas": (0.9, 1.0)},
            r"`betas` must be at least 0 and less than 1, got \(0.9, 1.0\)",
        ),
        ({"opt": "adam", "betas": 0.9}, "`betas` must be two numbers, got 0.9"),
        ({"batch_size": 5}, "`batch_size` needs opt='adam', got 5 with 'lbfgs'"),
        ({"opt": "adam", "memory": 5}, "`memory` needs opt='lbfgs', got 5 with 'adam'"),
        ({"trainable": ("coeff",)}, "`trainable` must be a tuple of one or more of coef, .*coeff"),
        ({"trainable": "coef"}, "`trainable` must be a tuple"),
        ({"trainable": ()}, "`trainable` must be a tuple"),
    ],
)
def test_settings_are_checked(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FitSettings(**settings)


@pytest.mark.parametrize("settings", [{"steps": 1.5}, {"steps": None}, {"update_grid": 1}])
def test_types_of_settings_are_checked(settings: dict) -> None:
    with pytest.raises(TypeError, match=f"`{next(iter(settings))}` must be"):
        FitSettings(**settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((41, 3))}, r"`data.x` must have shape \(N, 2\) with N >= 1, got \(41, 3\)"),
        ({"x": np.zeros((0, 2))}, r"`data.x` must have shape \(N, 2\) with N >= 1, got \(0, 2\)"),
        ({"target": np.zeros((40, 3))}, r"`data.target` must have 41 rows, got shape \(40, 3\)"),
        ({"weight": np.ones(40)}, r"`data.weight` must have shape \(41,\), got \(40,\)"),
        ({"x": np.full((41, 2), np.nan)}, "`data.x` must be finite"),
        ({"target": np.full((41, 3), np.inf)}, "`data.target` must be finite"),
    ],
)
def test_data_are_checked(change: dict, message: str) -> None:
    network = small()
    before = all_arrays(network)
    with pytest.raises(ValueError, match=message):
        fit(network, replace(table(), **change), objective(), FitSettings(steps=2))
    with pytest.raises(ValueError, match=message.replace("data", "validation")):
        validation = replace(table(), **change)
        fit(network, table(), objective(), FitSettings(steps=2), validation=validation)
    assert equal(all_arrays(network), before)


def test_other_arguments_are_checked() -> None:
    network, data = small(symbolic=False), table()
    before = all_arrays(network)
    with pytest.raises(TypeError, match="`callbacks` must be callables, got int"):
        fit(network, data, objective(), callbacks=[3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="for mini-batches, got NoneType"):
        fit(network, data, objective(), FitSettings("adam", batch_size=5))
    with pytest.raises(ValueError, match="`trainable` must name parameters of the network, got"):
        fit(network, data, objective(), FitSettings(trainable=("affine",)))
    wrong = Batch(data.x, data.target[:, :2])
    with pytest.raises(ValueError, match="`target` must have the shape"):
        fit(network, data, objective(), FitSettings(steps=3), validation=wrong)
    assert equal(all_arrays(network), before)


def test_no_steps() -> None:
    network = small()
    before = all_arrays(network)
    history = fit(network, table(), objective(), FitSettings(steps=0, restore_best=True))
    assert repr(history) == "History: 0 steps, 1 evaluations; all 0 steps taken"
    assert history.to_pandas().shape == (0, 7)
    assert equal(all_arrays(network), before)
