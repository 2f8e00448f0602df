from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import array_api_strict
import literal
import numpy as np
import pytest
from builders import efficient_kan_network, pykan_network, random_network, samples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from kanref.entropy import entropy, row_column_entropy
from kanref.layer import layer_edges
from kanref.losses import mse
from kanref.network import Network, network_backward, network_forward
from kanref.objective import Objective
from kanref.regularization import REG_METRICS, Penalty, Regularizer
from kanref.statistics import merge_statistics

N = 11
DETACHING = ("edge_forward_sum", "edge_backward", "node_backward")
CASES = [(metric, False) for metric in REG_METRICS] + [(metric, True) for metric in DETACHING]
EXTRAPOLATIONS = ("linear", "zero")
WEIGHTS = {"lamb_l1": 0.7, "lamb_entropy": 1.3, "lamb_coef": 0.2, "lamb_coefdiff": 0.3}


def relative(a, b) -> float:
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def penalty_of(network: Network, x: Any, **options: Any) -> Penalty:
    regularizer = Regularizer(lamb=1.0, **options)
    return regularizer(network, network_forward(network, x, sums=True)[1].statistics)


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("extrapolate", EXTRAPOLATIONS)
@pytest.mark.parametrize("metric", REG_METRICS)
def test_value_follows_the_definition(metric, extrapolate):
    network, x = random_network(extrapolate=extrapolate), samples(N, 2)
    _, measured = literal.measure(network, x)
    expected = literal.penalty(network, measured, metric, factors=(0.7, 1.3))
    expected += literal.smoothness(network, 0.2, 0.3)
    for detach in (False, True):
        value = penalty_of(network, x, reg_metric=metric, detach=detach, **WEIGHTS).value
        assert relative(value, expected) <= 1e-13


@pytest.mark.parametrize("name", ["pykan_2-5-1_G5_k3", "pykan_3-4-2_G4_k2"])
@pytest.mark.parametrize(
    "metric",
    ["edge_forward_spline_n", "edge_forward_sum", "edge_forward_spline_u", "edge_backward"],
)
def test_value_equals_that_of_pykan(name, metric):
    network, data = pykan_network(name)
    found = penalty_of(network, data["x"], reg_metric=metric, lamb_coef=0.1, lamb_coefdiff=0.05)
    assert relative(found.value, data[f"reg.{metric}"]) <= 1e-13


def test_value_equals_that_of_efficient_kan():
    network, data = efficient_kan_network("efficient_kan_3-4-2_G5_k3")
    assert relative(Regularizer(lamb=1, reg_metric="weight")(network).value, data["reg"]) <= 1e-13


def test_spline_n_counts_numeric_edges_only():
    network, x = random_network((2, 3)), samples(N, 2)
    (edge,) = network.layers[0].symbolic
    everything = layer_edges(network.layers[0], x)
    numeric = everything.copy()
    numeric[:, edge.i, edge.j] = 0
    for metric, phi in (("edge_forward_spline_n", numeric), ("edge_forward_sum", everything)):
        expected = (np.std(phi, axis=0, ddof=1) / (np.std(x, axis=0, ddof=1)[:, None] + 0.1)).sum()
        found = penalty_of(network, x, reg_metric=metric, lamb_entropy=0.0).value
        assert relative(found, expected) <= 1e-13


# --- gradients -----------------------------------------------------------------------------------


def objectives(network: Network, x: np.ndarray, frozen: list[literal.Measured]) -> np.ndarray:
    """The literal objective of every case: a loss that feels all outputs, and the penalty."""
    y, measured = literal.measure(network, x)
    rest = np.sum(np.sin(y)) + literal.smoothness(network, 0.2, 0.3)
    return np.array(
        [
            rest + literal.penalty(network, measured, metric, (0.7, 1.3), frozen if cut else None)
            for metric, cut in CASES
        ]
    )


@cache
def derivatives(extrapolate: str) -> dict[str, dict[str, np.ndarray]]:
    """d(objectives) by theta (cases, P) and x (cases, N, n_in), by steps of two kinds."""
    network, x = random_network(extrapolate=extrapolate), samples(N, 2)
    _, frozen = literal.measure(network, x)
    theta = network.theta
    complex_network = network.map(lambda a: a if a.dtype == bool else a + 0j)

    def of_theta(flat):
        chosen = complex_network if np.iscomplexobj(flat) else network
        inputs = x + 0j if np.iscomplexobj(flat) else x
        return objectives(chosen.with_theta(flat), inputs, frozen)

    def of_x(flat):
        chosen = complex_network if np.iscomplexobj(flat) else network
        return objectives(chosen, flat.reshape(x.shape), frozen)

    def complex_step(f, at):
        return [f(at + 1e-30j * e).imag / 1e-30 for e in np.eye(at.size)]

    def central(f, at, h=2e-6):
        return [(f(at + h * e) - f(at - h * e)) / (2 * h) for e in np.eye(at.size)]

    return {
        name: {
            "theta": np.stack(method(of_theta, theta), axis=1),
            "x": np.stack(method(of_x, x.ravel()), axis=1).reshape(-1, *x.shape),
        }
        for name, method in (("complex step", complex_step), ("differences", central))
    }


@cache
def analytic(extrapolate: str, metric: str, detach: bool) -> tuple[np.ndarray, Network]:
    network, x = random_network(extrapolate=extrapolate), samples(N, 2)
    y, cache = network_forward(network, x, sums=True)
    penalty = Regularizer(lamb=1.0, reg_metric=metric, detach=detach, **WEIGHTS)(
        network, cache.statistics
    )
    dx, gradient = network_backward(network, cache, np.cos(y), penalty.cotangents)
    return dx, gradient.with_theta(gradient.theta + penalty.gradient.theta)


@pytest.mark.parametrize("extrapolate", EXTRAPOLATIONS)
@pytest.mark.parametrize(("metric", "detach"), CASES)
@pytest.mark.parametrize(("method", "bound"), [("complex step", 1e-12), ("differences", 1e-7)])
def test_gradient_is_exact(method, bound, metric, detach, extrapolate):
    expected = derivatives(extrapolate)[method]
    case = CASES.index((metric, detach))
    dx, gradient = analytic(extrapolate, metric, detach)
    assert relative(dx, expected["x"][case]) <= bound
    arrays_of = gradient.with_theta(expected["theta"][case]).parameters()
    for (l, name, found), (_, _, true) in zip(gradient.parameters(), arrays_of, strict=True):
        if np.any(true):
            assert relative(found, true) <= bound, (l, name)
        else:
            assert not np.any(found), (l, name)


@pytest.mark.parametrize("metric", DETACHING)
def test_detach_changes_the_gradient(metric):
    """... or the tests of both would say nothing."""
    exact, cut = (analytic("linear", metric, detach)[1].theta for detach in (False, True))
    assert relative(cut, exact) > 1e-2


@pytest.mark.parametrize("metric", [m for m in REG_METRICS if m not in DETACHING])
def test_detach_means_nothing_to_the_other_metrics(metric):
    exact, cut = (analytic("linear", metric, detach)[1].theta for detach in (False, True))
    assert_array_equal(exact, cut)


def test_spline_n_uses_the_whole_network_below_it():
    """The spread of a node's input depends on the layers below: their gradient must feel it."""
    network, x = random_network(), samples(N, 2)
    y, cache = network_forward(network, x, sums=True)
    cotangents = penalty_of(network, x, reg_metric="edge_forward_spline_n").cotangents
    assert cotangents[1][1] is not None
    without = [cotangents[0], (cotangents[1][0], None)]
    full, cut = (
        network_backward(network, cache, 0 * y, c)[1].layers[0].coef for c in (cotangents, without)
    )
    assert relative(cut, full) > 1e-3


def test_the_gradient_of_coefficients_is_that_of_smoothness_and_weight():
    """Closed form: one edge, coefficients 1, -2, 0, 0, 3, …; the derivative of |0| is 0."""
    network = random_network((1, 1), G=2, k=3, symbolic=False, masked=False)
    network.layers[0].coef[...] = [[[1.0, -2.0, 0.0, 0.0, 3.0]]]
    only_coef = Regularizer(lamb=1, lamb_l1=0, lamb_entropy=0, lamb_coef=0.5)(network)
    assert only_coef.value == 0.5 * 6
    assert only_coef.cotangents is None
    assert_array_equal(only_coef.gradient.layers[0].coef[0, 0], [0.5, -0.5, 0, 0, 0.5])
    only_diff = Regularizer(lamb=1, lamb_l1=0, lamb_entropy=0, lamb_coefdiff=0.25)(network)
    assert only_diff.value == 0.25 * (3 + 2 + 0 + 3)
    assert_array_equal(
        only_diff.gradient.layers[0].coef[0, 0], 0.25 * np.array([1.0, -2.0, 1.0, -1.0, 1.0])
    )
    weight = Regularizer(lamb=1, lamb_l1=1, lamb_entropy=0, reg_metric="weight")(network)
    assert_allclose(weight.value, 6 / 5)
    assert_allclose(weight.gradient.layers[0].coef[0, 0], [0.2, -0.2, 0, 0, 0.2])


# --- edges that do nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("metric", REG_METRICS)
def test_what_stands_on_dead_and_symbolic_edges_does_not_matter(metric):
    network, x = random_network(), samples(N, 2)
    poisoned = network.copy()
    for layer in poisoned.layers:
        layer.coef[~layer.numeric] = np.nan
        layer.scale_base[~layer.numeric] = np.inf
        layer.scale_spline[~layer.numeric] = -np.inf
    for a, b in zip(*(_results(n, x, metric) for n in (poisoned, network)), strict=True):
        assert np.all(np.isfinite(a))
        assert_array_equal(a, b)


def _results(network: Network, x: np.ndarray, metric: str) -> list[np.ndarray]:
    """The value, the gradients of the penalty alone, and the cotangents."""
    y, cache = network_forward(network, x, sums=True)
    regularizer = Regularizer(lamb=1.0, reg_metric=metric, **WEIGHTS)
    penalty = regularizer(network, cache.statistics)
    dx, gradient = network_backward(network, cache, 0 * y, penalty.cotangents)
    parts = [part for pair in penalty.cotangents or [] for part in pair if part is not None]
    fields = [a for part in parts for a in vars(part).values()]
    return [np.asarray(penalty.value), dx, gradient.theta, penalty.gradient.theta, *fields]


@pytest.mark.parametrize("metric", REG_METRICS)
def test_a_network_of_zeros_has_no_penalty_and_a_finite_gradient(metric):
    network = random_network(symbolic=False)
    network = network.with_theta(0 * network.theta)
    value, *rest = _results(network, samples(N, 2), metric)
    assert value == 0
    assert not any(np.any(a) for a in rest[:3])
    assert all(np.all(np.isfinite(a)) for a in rest)


@pytest.mark.parametrize("metric", REG_METRICS)
@pytest.mark.parametrize("x", [np.full((N, 2), 0.3), samples(1, 2)], ids=["constant", "one sample"])
def test_samples_that_do_not_vary_give_finite_results(x, metric):
    assert all(np.all(np.isfinite(a)) for a in _results(random_network(), x, metric))


@pytest.mark.parametrize("metric", REG_METRICS)
def test_one_edge_of_zeros_among_others(metric):
    """0·log 0 = 0, and the entropy's infinite slope there meets sign 0 = 0."""
    network, x = random_network(symbolic=False, masked=False), samples(N, 2)
    for name in ("coef", "scale_base", "scale_spline"):
        getattr(network.layers[0], name)[1, 2] = 0.0
    results = _results(network, x, metric)
    assert all(np.all(np.isfinite(a)) for a in results)
    dead = random_network(symbolic=False, masked=False)
    dead.layers[0].mask[1, 2] = False
    assert_allclose(results[0], _results(dead, x, metric)[0], rtol=1e-13)


# --- entropies -----------------------------------------------------------------------------------

POSITIVE = arrays(float, (3, 4), elements=st.just(0.0) | st.floats(1e-3, 1e3))


@given(POSITIVE)
def test_entropy_lies_between_none_and_even(v):
    value, slope = entropy(v)
    assert -1e-12 <= value <= np.log(12) + 1e-12
    assert np.all(np.isfinite(slope))
    assert abs(np.sum(slope * v)) <= 1e-12  # scaling all activities changes nothing


@given(POSITIVE)
def test_row_and_column_entropy_has_its_exact_slope(v):
    value, slope = row_column_entropy(v)
    assert np.all(np.isfinite(slope))
    for index in np.ndindex(v.shape):
        step = np.zeros(v.shape, dtype=complex)
        step[index] = 1e-30j
        stepped, _ = row_column_entropy(v + step)
        assert_allclose(slope[index], stepped.imag / 1e-30, rtol=1e-11, atol=1e-13)
        assert_allclose(stepped.real, value, rtol=1e-12, atol=1e-15)


def test_entropy_of_even_shares_is_the_logarithm_of_their_number():
    assert_allclose(entropy(np.full((3, 4), 0.7))[0], np.log(12))
    one = np.zeros((3, 4))
    one[1, 2] = 5.0
    value, slope = entropy(one)
    assert value == 0
    assert not np.any(slope)


# --- the regulariser's manners -------------------------------------------------------------------


@pytest.mark.parametrize("metric", REG_METRICS)
def test_scaling_a_penalty_scales_all_of_it(metric):
    network, x = random_network(), samples(N, 2)
    y, cache = network_forward(network, x, sums=True)
    penalty = Regularizer(lamb=1, reg_metric=metric, **WEIGHTS)(network, cache.statistics)
    scaled = penalty.scaled(0.25)
    assert scaled.value == 0.25 * penalty.value
    assert_array_equal(scaled.gradient.theta, 0.25 * penalty.gradient.theta)
    dxs = [network_backward(network, cache, 0 * y, p.cotangents)[0] for p in (scaled, penalty)]
    assert_allclose(dxs[0], 0.25 * dxs[1], rtol=1e-12, atol=1e-15)
    assert np.any(dxs[1]) == (metric != "weight")


@pytest.mark.parametrize("metric", REG_METRICS)
def test_the_objective_adds_the_penalty_times_lamb(metric):
    network, x = random_network(), samples(N, 2)
    target = np.zeros((N, 3))
    regularizer = Regularizer(lamb=0.3, reg_metric=metric, **WEIGHTS)
    both = Objective(mse, regularizer).evaluate(network, x, target)
    loss = Objective(mse, Regularizer()).evaluate(network, x, target)
    y, cache = network_forward(network, x, sums=True)
    penalty = regularizer(network, cache.statistics)
    alone = network_backward(network, cache, 0 * y, penalty.cotangents)[1].theta
    alone = alone + penalty.gradient.theta
    assert relative(both.reg, penalty.value) <= 1e-13
    assert relative(both.total, loss.loss + 0.3 * both.reg) <= 1e-13
    assert relative(both.gradient.theta, loss.gradient.theta + 0.3 * alone) <= 1e-12


@pytest.mark.parametrize("metric", REG_METRICS)
def test_merged_statistics_of_chunks_give_the_same(metric):
    network, x = random_network(), samples(N, 2)
    chunks = [network_forward(network, c, sums=True)[1].statistics for c in (x[:4], x[4:5], x[5:])]
    regularizer = Regularizer(lamb=1, reg_metric=metric)
    found = regularizer(network, merge_statistics(chunks))
    expected = penalty_of(network, x, reg_metric=metric)
    assert relative(found.value, expected.value) <= 1e-13
    for pair, others in zip(found.cotangents or [], expected.cotangents or [], strict=True):
        for part, other in zip(pair, others, strict=True):
            for name, a in vars(part).items() if part is not None else ():
                assert_allclose(a, getattr(other, name), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("spline_scale", [True, False])
@pytest.mark.parametrize("metric", REG_METRICS)
def test_array_api_strict_gives_the_same(metric, spline_scale):
    options = {"reg_metric": metric, **WEIGHTS}
    found, expected = (
        penalty_of(
            random_network(spline_scale=spline_scale, xp=xp), xp.asarray(samples(N, 2)), **options
        )
        for xp in (array_api_strict, np)
    )
    assert relative(found.value, expected.value) <= 1e-13
    assert relative(found.gradient.theta, expected.gradient.theta) <= 1e-13
    assert (found.cotangents is None) == (expected.cotangents is None)
    for pair, others in zip(found.cotangents or [], expected.cotangents or [], strict=True):
        for part, other in zip(pair, others, strict=True):
            assert (part is None) == (other is None)
            for name, a in vars(part).items() if part is not None else ():
                assert_allclose(np.asarray(a), getattr(other, name), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("metric", REG_METRICS)
def test_single_precision_stays_single(metric):
    x = samples(N, 2)
    double = penalty_of(random_network(), x, reg_metric=metric, **WEIGHTS)
    single = penalty_of(
        random_network(dtype="float32"), x.astype(np.float32), reg_metric=metric, **WEIGHTS
    )
    assert relative(single.value, double.value) <= 1e-5
    assert single.gradient.theta.dtype == np.float32
    for pair in single.scaled(0.1).cotangents or []:
        for part in pair:
            assert part is None or {a.dtype for a in vars(part).values()} == {np.dtype(np.float32)}


def test_gradients_fit_a_theta_without_coefficients():
    network, x = random_network(groups=("affine", "scale_base")), samples(N, 2)
    penalty = penalty_of(network, x, **WEIGHTS)
    assert penalty.gradient.theta.shape == network.theta.shape
    assert not np.any(penalty.gradient.theta)
    halved = penalty.scaled(0.5).gradient.layers[1].coef
    assert_array_equal(halved, 0.5 * penalty.gradient.layers[1].coef)


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({}, False),
        ({"lamb": 0.1}, True),
        ({"lamb": 0.1, "lamb_l1": 0.0}, True),
        ({"lamb": 0.1, "lamb_entropy": 0.0}, True),
        ({"lamb": 0.1, "lamb_l1": 0.0, "lamb_entropy": 0.0, "lamb_coef": 1.0}, False),
        ({"lamb": 0.1, "reg_metric": "weight"}, False),
        ({"lamb": 0.1, "reg_metric": "node_backward"}, True),
    ],
)
def test_statistics_are_needed_where_they_count(options, needed):
    assert Regularizer(**options).needs_statistics == needed
    network = random_network()
    if needed:
        with pytest.raises(ValueError, match=r"needs the statistics of every layer \(2\), got 0"):
            Regularizer(**options)(network)
    else:
        assert np.isfinite(Regularizer(**options)(network).value)


def test_without_lamb_and_statistics_nothing_is_evaluated():
    assert Regularizer()(random_network()) == Penalty(0.0, None, None)
    assert Penalty(0.0, None, None).scaled(0.0) == Penalty(0.0, None, None)


@pytest.mark.parametrize("groups", [("coef", "scale_base"), ("node_bias",)])
def test_a_scaled_penalty_scales_its_gradient_in_every_group(groups):
    """Whatever parameters a penalty looks at: sizes and what theta holds are no matter."""
    gradient = random_network(seed=4).regroup(groups)
    found = Penalty(2.0, None, gradient).scaled(0.25)
    assert found.value == 0.5
    assert_array_equal(found.gradient.theta, 0.25 * gradient.theta)
    scaled = found.gradient.layers + found.gradient.nodes
    for parts in zip(gradient.layers + gradient.nodes, scaled, strict=True):
        for name in ("coef", "scale_base", "scale_spline", "affine", "subnode_scale", "node_bias"):
            if hasattr(parts[0], name):
                assert_array_equal(getattr(parts[1], name), 0.25 * getattr(parts[0], name))


def test_statistics_of_another_network_are_an_error():
    network, x = random_network(), samples(N, 2)
    statistics = network_forward(network, x, sums=True)[1].statistics
    with pytest.raises(ValueError, match=r"every layer \(2\), got 1"):
        Regularizer(lamb=1)(network, statistics[:1])


@pytest.mark.parametrize("name", ["lamb", "lamb_l1", "lamb_entropy", "lamb_coef", "lamb_coefdiff"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_factors_must_be_finite_and_not_negative(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be finite and ≥ 0, got {value}"):
        Regularizer(**{name: value})


def test_an_unknown_metric_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"`reg_metric` must be one of l1, weight, .*, got 'L2'"):
        Regularizer(reg_metric="L2")


def test_a_regularizer_can_be_varied():
    assert replace(Regularizer(), reg_metric="weight", lamb=0.5).lamb == 0.5
