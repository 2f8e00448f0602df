"""The reference on arrays that know nothing but the array API standard, as a device would have it.

Layers, losses, penalties, scores and splines have such a test in their own files; here are the
parts above them, and how often a training step reads something back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import array_api_strict as strict
import numpy as np
import pytest
from builders import random_network, samples

from kanref import grids, losses
from kanref.network import jacobian, layer_inputs, network_statistics, theta_gradient
from kanref.network import network_forward as forward
from kanref.objective import Objective
from kanref.regularization import REG_METRICS, Regularizer

OPTIONS = [{}, {"extrapolate": "zero"}, {"spline_scale": False}, {"dtype": "float32", "k": 2}]


def both(**options):
    """Return a network and its inputs, on NumPy and on strict arrays."""
    dtype = options.get("dtype", "float64")
    x = samples(11, 2, dtype=dtype)
    one = random_network(**options)
    return (
        (replace(one, backend="numpy"), x),
        (random_network(xp=strict, **options), strict.asarray(x)),
    )


def assert_same(one, other, rtol=1e-12):
    assert isinstance(one, strict._array_object.Array)
    assert str(one.dtype).endswith(str(other.dtype))
    scale = np.abs(other).max(initial=1e-300)
    rtol = rtol if other.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(np.asarray(one), other, rtol=0, atol=rtol * scale)


@pytest.mark.parametrize("options", OPTIONS)
def test_jacobian(options):
    (network, x), (other, z) = both(**options)
    assert_same(jacobian(other, z), jacobian(network, x))


@pytest.mark.parametrize("metric", REG_METRICS)
@pytest.mark.parametrize("max_memory", [2**28, 20_000])
def test_objective(metric, max_memory):
    (network, x), (other, z) = both()
    target = np.sin(samples(11, 3, seed=5))
    objective = Objective(
        losses.mse, Regularizer(0.1, reg_metric=metric, lamb_coef=0.1), max_memory
    )
    expected = objective.evaluate(network, x, target)
    found = objective.evaluate(other, z, strict.asarray(target))
    assert found.total == pytest.approx(expected.total, rel=1e-12)
    assert_same(found.gradient.theta, expected.gradient.theta)
    again = objective.evaluate(other, z, strict.asarray(target), reuse=found)
    assert_same(again.gradient.theta, expected.gradient.theta)


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients_written_into_an_old_gradient(options):
    (network, x), (other, z) = both(**options)
    y, cache = forward(network, x)
    w, other_cache = forward(other, z)
    out = theta_gradient(other, other_cache, w)
    out.theta[...] = 3.0
    assert_same(
        theta_gradient(other, other_cache, w, out=out).theta,
        theta_gradient(network, cache, y).theta,
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("grid_eps", [0.0, 0.3, 1.0])
def test_grid_update(options, grid_eps):
    (network, x), (other, z) = both(**options)
    expected, found = grids.update_grid(network, x, grid_eps), grids.update_grid(other, z, grid_eps)
    for one, layer in zip(found.layers, expected.layers, strict=True):
        assert_same(one.knots, layer.knots, 1e-9)
    assert_same(forward(found, z)[0], forward(expected, x)[0], 1e-8)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("G", [8, 7])
def test_refinement(options, G):
    (network, x), (other, z) = both(**options)
    expected, found = grids.refine(network, G, x), grids.refine(other, G, z)
    assert [layer.G for layer in found.layers] == [G, G]
    assert_same(forward(found, z)[0], forward(expected, x)[0], 1e-9)


def test_statistics_and_inputs_of_layers():
    (network, x), (other, z) = both()
    for one, old in zip(layer_inputs(other, z), layer_inputs(network, x), strict=True):
        assert_same(one, old)
    pairs = zip(network_statistics(other, [z, z]), network_statistics(network, [x, x]), strict=True)
    for one, old in pairs:
        assert_same(one.mean_abs, old.mean_abs)
        assert_same(one.edges.std(), old.edges.std())


@pytest.fixture
def crossings(monkeypatch):
    """Count what reads an array back to the host, and what copies one from there."""
    counts: Counter[str] = Counter()
    array = strict._array_object.Array

    def counted(name, function):
        def run(self, *args, **options):
            counts[name] += 1
            return function(self, *args, **options)

        return run

    for name in ("__float__", "__int__", "__bool__", "__index__", "__array__", "__buffer__"):
        if hasattr(array, name):
            monkeypatch.setattr(array, name, counted(name, getattr(array, name)))
    asarray = strict.asarray

    def watched(a, *args, **options):
        if isinstance(a, np.ndarray) and a.ndim:
            counts["asarray"] += 1
        return asarray(a, *args, **options)

    monkeypatch.setattr(strict, "asarray", watched)
    return counts


@pytest.mark.parametrize("metric", [None, *REG_METRICS])
def test_a_training_step_reads_back_two_numbers(crossings, metric):
    """The loss and the penalty, and nothing of the size of the batch or of the network."""
    (_, _), (network, x) = both(symbolic=False)
    target = strict.asarray(np.sin(samples(11, 3, seed=5)))
    regularizer = Regularizer(0.0) if metric is None else Regularizer(0.1, reg_metric=metric)
    objective = Objective(losses.mse, regularizer)
    first = objective.evaluate(network, x, target)
    crossings.clear()
    objective.evaluate(network, x, target, reuse=first)
    assert sum(crossings.values()) <= 2, crossings
    assert set(crossings) <= {"__float__"}


def test_the_count_sees_a_hidden_transfer(crossings):
    (_, _), (network, x) = both(symbolic=False)

    def careless(pred, target, weight):
        return losses.mse(strict.asarray(np.asarray(pred)), target, weight)

    Objective(careless, Regularizer()).evaluate(network, x, strict.asarray(np.zeros((11, 3))))
    assert crossings["asarray"] >= 2
    assert crossings["__array__"] + crossings["__buffer__"] >= 1
