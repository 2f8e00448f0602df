"""Adam against its algorithm, mini-batches, clipping, learning rates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from training_cases import objective, small, table, total

import kanref.training.run as run_module
from kanref.network import Network
from kanref.training import Batch, FitSettings, fit
from kanref.training.adam import Moments, clip, mini_batches


def literal_adam(network: Network, batches: list[Batch], rate: Any) -> np.ndarray:
    """Algorithm 1 of Kingma & Ba (2015), parameter by parameter as it stands there."""
    theta = network.theta.copy()
    m = v = 0
    for t, batch in enumerate(batches, start=1):
        found = objective().evaluate(network.with_theta(theta), batch.x, batch.target, batch.weight)
        g = found.gradient.theta
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        theta = theta - rate(t - 1) * m_hat / (v_hat**0.5 + 1e-8)
    return theta


def test_adam_on_all_rows() -> None:
    network, data = small(), table()
    expected = literal_adam(network, [data] * 9, lambda t: 0.02 * 0.5 ** (t / 4))
    settings = FitSettings("adam", 9, update_grid=False, lr=0.02, lr_decay=0.5, lr_decay_steps=4)
    history = fit(network, data, objective(), settings)
    assert network.theta == pytest.approx(expected, rel=1e-13)
    assert history.step.tolist() == list(range(1, 10))
    assert history.loss[0] == total(small(), data, objective())  # where the step began


def test_adam_on_mini_batches_in_true_epochs() -> None:
    network, data = small(), replace(table(), weight=np.linspace(1, 2, 41))
    rng = np.random.default_rng(7)
    batches = []
    for _ in range(2):
        order = rng.permutation(41)
        batches += [data.rows(order[start : start + 16]) for start in (0, 16, 32)]
    expected = literal_adam(network, batches, lambda t: 0.01)
    settings = FitSettings("adam", 6, update_grid=False, batch_size=16)
    history = fit(network, data, objective(), settings, rng=np.random.default_rng(7))
    assert network.theta == pytest.approx(expected, rel=1e-13)
    assert history.loss[2] != history.loss[5]


def test_adam_begins_anew_after_a_grid_update() -> None:
    settings = FitSettings(
        "adam", 5, grid_update_num=3, start_grid_update_step=2, stop_grid_update_step=3
    )
    assert settings.grid_update_steps() == [2]
    data, network = table(), small()
    theta = literal_adam(network, [data] * 2, lambda t: 0.01)
    moved = run_module.update_grid(network.with_theta(theta), data.x, settings.grid_eps)
    expected = literal_adam(moved, [data] * 3, lambda t: 0.01)
    fit(network, data, objective(), settings)
    assert network.theta == pytest.approx(expected, rel=1e-10)


def test_epochs_cover_every_row_once() -> None:
    data = Batch(np.arange(10.0)[:, None], np.arange(10))
    batches = mini_batches(data, 4, np.random.default_rng(0))
    epochs = [[next(batches) for _ in range(3)] for _ in range(2)]
    for epoch in epochs:
        assert [len(batch) for batch, _ in epoch] == [4, 4, 2]
        assert [last for _, last in epoch] == [False, False, True]
        assert sorted(np.concatenate([batch.target for batch, _ in epoch])) == list(range(10))
        assert all(np.array_equal(batch.x[:, 0], batch.target) for batch, _ in epoch)
    first, second = ([batch.target.tolist() for batch, _ in epoch] for epoch in epochs)
    assert first != second


def test_batches_without_weight_are_left_out() -> None:
    weight = np.zeros(10)
    weight[3] = 1.0
    data = Batch(np.arange(10.0)[:, None], np.arange(10), weight)
    batches = mini_batches(data, 2, np.random.default_rng(0))
    for batch, last in (next(batches) for _ in range(5)):
        assert last
        assert 3 in batch.target


def test_a_batch_size_of_all_rows_needs_no_generator() -> None:
    data = table()
    for size in (None, 41, 100):
        batch, last = next(mini_batches(data, size, None))  # type: ignore[arg-type]
        assert batch is data
        assert last
    settings = FitSettings("adam", 2, update_grid=False, batch_size=41)
    assert len(fit(small(), data, objective(), settings)) == 2


def test_clipping_by_value_then_by_norm() -> None:
    gradient = np.array([3.0, -4.0, 0.5])
    by_value = clip(gradient, FitSettings("adam", clip_value=1.0))
    assert by_value.tolist() == [1.0, -1.0, 0.5]
    both = clip(gradient, FitSettings("adam", clip_value=1.0, clip_norm=0.75))
    assert both == pytest.approx(by_value / 2)  # its norm was 1.5
    assert clip(gradient, FitSettings("adam", clip_norm=6.0)) is gradient
    assert clip(gradient, FitSettings("adam")) is gradient


def test_the_fit_clips() -> None:
    network, data = small(), table()
    found = objective().evaluate(network, data.x, data.target)
    gradient = found.gradient.theta / np.linalg.norm(found.gradient.theta) * 1e-6
    settings = FitSettings("adam", 1, update_grid=False, clip_norm=1e-6, eps=1e-6)
    expected = network.theta + Moments(0 * gradient, 0 * gradient).step(gradient, 0.01, settings)
    history = fit(network, data, objective(), settings)
    assert network.theta == pytest.approx(expected, rel=1e-12)
    assert history.grad_norm[0] == pytest.approx(np.linalg.norm(found.gradient.theta))


def test_learning_rates() -> None:
    smooth = FitSettings("adam", lr=0.8, lr_decay=0.25, lr_decay_steps=10)
    stairs = replace(smooth, lr_staircase=True)
    assert [smooth.learning_rate(s) for s in (0, 5, 20)] == pytest.approx([0.8, 0.4, 0.05])
    assert [stairs.learning_rate(s) for s in (0, 9, 10, 29)] == pytest.approx([0.8, 0.8, 0.2, 0.05])
