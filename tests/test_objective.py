"""The objective: its terms, its gradient, and chunks that nobody notices."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import random_network, samples
from hypothesis import given
from hypothesis import strategies as st

import kanref.objective as module
from kanref.losses import LOSSES, loss_function
from kanref.network import PARAMETERS, network_backward, network_forward
from kanref.objective import MAX_MEMORY, Evaluation, Objective, split
from kanref.regularization import REG_METRICS, Regularizer

N = 23


def problem(dtype: str = "float64") -> tuple[Any, np.ndarray, np.ndarray]:
    network = random_network(dtype=dtype)
    x = samples(N, 2, dtype=dtype)
    return network, x, np.stack([x[:, 0], x[:, 1] ** 2, np.sin(x[:, 0])], axis=1)


def relative(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def assert_close(found: Evaluation, expected: Evaluation, tolerance: float = 1e-12) -> None:
    for name in ("total", "loss", "reg"):
        value, right = getattr(found, name), getattr(expected, name)
        assert value == pytest.approx(right, rel=tolerance), name
    assert relative(found.pred, expected.pred) <= tolerance
    pairs = zip(found.gradient.parameters(), expected.gradient.parameters(), strict=True)
    for (number, name, value), (_, _, right) in pairs:
        assert relative(value, right) <= tolerance, (number, name)


def in_chunks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Cut into chunks of `size` rows."""
    monkeypatch.setattr(
        module, "split", lambda network, x, _: [x[s : s + size] for s in range(0, len(x), size)]
    )


@pytest.mark.parametrize("size", [1, 5, N - 1])
@pytest.mark.parametrize("metric", REG_METRICS)
def test_chunks_change_nothing(metric: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, target = problem()
    regularizer = Regularizer(0.2, 1.0, 2.0, 0.3, 0.4, reg_metric=metric)
    objective = Objective(loss_function("mse"), regularizer)
    weight = np.linspace(0.5, 2.0, N)
    whole = objective.evaluate(network, x, target, weight)
    in_chunks(monkeypatch, size)
    assert_close(objective.evaluate(network, x, target, weight), whole)


@pytest.mark.parametrize("loss", [*LOSSES, "largest error"])
def test_the_loss_sees_all_predictions(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def largest(pred: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
        error = pred - target
        at = np.unravel_index(np.argmax(np.abs(error)), error.shape)
        dpred = np.zeros_like(pred)
        dpred[at] = np.sign(error[at])
        return abs(error[at]), dpred

    network, x, target = problem()
    if loss == "cross_entropy":
        target = np.arange(N) % 3
    if loss == "binary_cross_entropy":
        target = (target > 0).astype(int)
    objective = Objective(
        loss_function(largest if loss == "largest error" else loss), Regularizer()
    )
    whole = objective.evaluate(network, x, target)
    expected = loss_function(largest if loss == "largest error" else loss)(
        network_forward(network, x, continued=True)[0], target
    )
    assert whole.total == whole.loss == pytest.approx(float(expected[0]), rel=1e-14)
    in_chunks(monkeypatch, 4)
    assert_close(objective.evaluate(network, x, target), whole)


def test_total_is_loss_and_penalty() -> None:
    network, x, target = problem()
    regularizer = Regularizer(lamb=0.2, lamb_coef=0.5)
    found = Objective(loss_function("mse"), regularizer).evaluate(network, x, target)
    pred, cache = network_forward(network, x, sums=True, continued=True)
    penalty = regularizer(network, cache.statistics)
    assert found.loss == pytest.approx(np.mean((pred - target) ** 2), rel=1e-14)
    assert found.reg == float(penalty.value)
    assert found.total == found.loss + 0.2 * found.reg
    assert np.array_equal(found.pred, pred)
    assert found.gradient.groups == PARAMETERS

    free = Objective(loss_function("mse"), Regularizer()).evaluate(network, x, target)
    dpred = 2 * (pred - target) / target.size
    _, grads = network_backward(network, cache, dpred)
    assert (free.reg, free.total) == (0.0, found.loss)
    assert relative(free.gradient.theta, grads.theta) <= 1e-14
    _, grads = network_backward(network, cache, dpred, penalty.scaled(0.2).cotangents)
    expected = grads.theta + 0.2 * penalty.gradient.theta
    assert relative(found.gradient.theta, expected) <= 1e-14


def test_gradient_along_a_line() -> None:
    network, x, target = problem()
    objective = Objective(loss_function("mse"), Regularizer(lamb=0.2, lamb_coef=0.5))
    direction = np.random.default_rng(3).normal(size=len(network.theta))

    def total(h: float) -> float:
        moved = network.with_theta(network.theta + h * direction)
        return objective.evaluate(moved, x, target).total

    slope = objective.evaluate(network, x, target).gradient.theta @ direction
    assert (total(1e-6) - total(-1e-6)) / 2e-6 == pytest.approx(slope, rel=1e-7)


def test_weights_reach_the_loss_only() -> None:
    network, x, target = problem()
    objective = Objective(loss_function("mse"), Regularizer(lamb=0.2))
    weight = np.where(np.arange(N) % 2, 1.0, 3.0)
    plain = objective.evaluate(network, x, target)
    weighted = objective.evaluate(network, x, target, weight)
    each = np.mean((plain.pred - target) ** 2, axis=1)
    assert weighted.loss == pytest.approx(np.average(each, weights=weight), rel=1e-13)
    assert weighted.reg == plain.reg


def test_symbolic_functions_are_continued() -> None:
    network, x, target = problem()
    rows = {name: [] for name in ("continued", "sums")}
    original = module.network_forward

    def spy(*args: Any, **options: Any) -> Any:
        for name in rows:
            rows[name].append(options.get(name, False))
        return original(*args, **options)

    module.network_forward = spy
    try:
        Objective(loss_function("mse"), Regularizer(lamb=0.1)).evaluate(network, x, target)
    finally:
        module.network_forward = original
    assert rows == {"continued": [True], "sums": [True]}  # one chunk: one pass


def test_two_passes_where_there_are_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x, target = problem()
    passes = []
    original = module.network_forward

    def spy(network: Any, x: np.ndarray, **options: Any) -> Any:
        passes.append((len(x), options.get("sums", False), options["continued"]))
        return original(network, x, **options)

    monkeypatch.setattr(module, "network_forward", spy)
    in_chunks(monkeypatch, 9)
    Objective(loss_function("mse"), Regularizer(lamb=0.1)).evaluate(network, x, target)
    assert passes == [(9, True, True), (9, True, True), (5, True, True)] + [
        (n, False, True) for n in (9, 9, 5)
    ]


@given(st.integers(1, 60), st.integers(10, 22))
def test_split_keeps_rows_in_order(n_samples: int, bits: int) -> None:
    x = samples(n_samples, 2)
    chunks = split(random_network(), x, 2**bits)
    assert np.array_equal(np.concatenate(chunks), x)
    assert all(len(chunk) for chunk in chunks)
    assert len({len(chunk) for chunk in chunks[:-1]}) <= 1
    assert len(chunks[-1]) <= len(chunks[0])


def test_split_is_finer_with_less_memory() -> None:
    x = samples(5000, 2)
    network = random_network()
    counts = [len(split(network, x, memory)) for memory in (2**18, 2**20, 2**24, MAX_MEMORY)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2 * counts[1] > counts[-1] == 1
    single = random_network(dtype="float32")
    assert len(split(single, x.astype(np.float32), 2**20)) < counts[1]


@pytest.mark.parametrize("lamb", [0.0, 0.1])
def test_memory_stays_in_bounds(lamb: float) -> None:
    network = replace(random_network((5, 16, 3), symbolic=False), backend="numpy")
    x = samples(10_000, 5)
    target = np.ones((10_000, 3))
    limit = 16 * 2**20
    objective = Objective(loss_function("mse"), Regularizer(lamb=lamb), max_memory=limit)

    def peak(objective: Objective) -> int:
        tracemalloc.start()
        try:
            objective.evaluate(network, x, target)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(objective) <= limit + 4 * target.nbytes  # predictions, their cotangent, the loss
    assert peak(replace(objective, max_memory=MAX_MEMORY)) > 2 * limit  # it would have been more


def test_float32() -> None:
    network, x, target = problem("float32")
    objective = Objective(loss_function("mse"), Regularizer(lamb=0.1, lamb_coef=0.1))
    found = objective.evaluate(network, x, target)
    assert found.pred.dtype == found.gradient.theta.dtype == np.float32
    double, _, _ = problem()
    double = double.with_theta(network.theta.astype(np.float64))
    exact = objective.evaluate(double, x.astype(np.float64), target.astype(np.float64))
    assert relative(found.gradient.theta, exact.gradient.theta) < 1e-5
    assert found.total == pytest.approx(exact.total, rel=1e-6)
