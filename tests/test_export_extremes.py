"""Exports at the edge of what doubles hold: the same NaN and the same infinities as the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from export_cases import agree_each, bare_base_model, function_model, quiet_predict, with_layers
from export_runs import ALL, SCALAR

from kanref import KAN, Scaling
from kanref.functions import BASE_FUNCTIONS
from kanref.layer import layer_edges
from kanref.network import Network

HUGE = (1e154, 1e200, 1e300, 3e307, 1.7e308, 5e-324, 0.0)
each_scalar = pytest.mark.parametrize("target", SCALAR)
each_target = pytest.mark.parametrize("target", ALL)


def extreme_rows(n_in: int) -> np.ndarray:
    """Return rows of huge and of tiny numbers, with either sign, alone and beside usual ones."""
    signed = [sign * value for value in HUGE for sign in (1, -1)]
    rows = [np.full(n_in, value) for value in signed]
    for i in range(n_in):
        for value in signed:
            rows.append(np.linspace(-0.7, 0.4, n_in))
            rows[-1][i] = value
    return np.array(rows)


def classes_of(values: np.ndarray) -> np.ndarray:
    """Return 0 for a finite number, 1 or 2 for infinity by its sign, 3 for NaN."""
    return np.select([np.isnan(values), np.isposinf(values), np.isneginf(values)], [3, 1, 2], 0)


def check(model: KAN, target: str, folder, rows: np.ndarray) -> np.ndarray:
    """Compare a target with the model, NaN and infinity included; return what the model gives."""
    wanted = quiet_predict(model, rows)
    found = ALL[target](model, rows, folder)[0]
    np.testing.assert_array_equal(classes_of(found), classes_of(wanted))
    finite = np.isfinite(wanted)
    np.testing.assert_allclose(found[finite], wanted[finite], rtol=1e-9, atol=1e-12)
    return wanted


@each_scalar
@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
def test_far_beyond_the_grid(k, target, tmp_path):
    kinds = set()
    for seed in range(3):
        model = KAN([1, 1], grid=5, k=k, seed=seed)
        kinds |= set(classes_of(check(model, target, tmp_path, extreme_rows(1))).ravel().tolist())
    assert k != 3 or {0, 1, 2} <= kinds


@each_scalar
def test_two_inputs_of_which_one_is_extreme(target, tmp_path):
    for seed, extrapolate in ((0, "linear"), (2, "linear"), (3, "linear"), (4, "zero")):
        model = KAN([2, 1], grid=5, k=3, seed=seed, extrapolate=extrapolate)
        check(model, target, tmp_path, extreme_rows(2))


@each_target
@pytest.mark.parametrize("base", BASE_FUNCTIONS)
def test_base_functions(base, target, tmp_path):
    check(bare_base_model(base), target, tmp_path, extreme_rows(1))


@each_target
def test_weights_so_large_that_sums_overflow(target, tmp_path):
    model = KAN([2, 1, 1], grid=4, k=[2, 0], base_fun="identity", seed=1)
    first, second = model.layers
    first = replace(first, scale_base=np.array([[1e308], [-1e308]]))
    rows = np.random.default_rng(0).uniform(-1.7, 1.7, (200, 2))  # no term overflows by itself
    for layers, seen in (([first], {0, 1, 2}), ([first, second], {0, 3})):
        large = KAN.from_network(Network.assemble(layers, model.nodes[: len(layers)]))
        found = classes_of(check(large, target, tmp_path, rows))
        assert set(found.ravel().tolist()) == seen


@each_target
def test_scaling_that_overflows(target, tmp_path):
    model = KAN([2, 2], grid=3, k=1, seed=0)
    model.scaling = Scaling([1e308, 0], [1e-3, 1e-300], [0, -1e308], [1e300, 1e308])
    rows = np.array([[1e308, 1e-300], [-1e308, 0], [1e308, 1e9], [0, 5e-324], [1e308, -2e-300]])
    found = classes_of(check(model, target, tmp_path, rows))
    assert {0, 3} <= set(found.ravel().tolist())


@each_target
@pytest.mark.parametrize("scale", [0.25, -1e-200, 1e300])
def test_a_product_overflows_before_it_is_scaled(scale, target, tmp_path):
    model = KAN([2, [0, 1]], grid=1, k=1)
    for i, j in ((0, 0), (1, 1)):
        model = model.fix_symbolic(0, i, j, "x", affine=(1, 0, 1, 0))
    model = model.remove_edge(0, 0, 1).remove_edge(0, 1, 0)
    nodes = replace(model.nodes[0], node_scale=np.array([scale]), node_bias=np.array([0.5]))
    model = KAN.from_network(Network.assemble(model.layers, [nodes], backend="numpy"))
    rows = np.array([[1e200, 1.5e108], [1e200, -1e200], [1e-200, 1e-200], [1e5, 3e7], [1e300, 9.0]])
    wanted = check(model, target, tmp_path, rows)
    assert np.isinf(wanted[1, 0])


@each_target
def test_functions_of_huge_and_tiny_arguments(target, tmp_path):
    powers = ("x^2", "x^5", "1/x", "1/x^5", "x^1.5", "sqrt", "abs", "exp", "cosh", "log", "tanh")
    model = function_model(*powers)
    affine = np.tile([1.0, 0.0, 1.3, -0.4], (len(powers), 1))
    model = with_layers(model, lambda layer: replace(layer, affine=affine))
    rows = np.array([[sign * v] for v in HUGE if v < 1e300 for sign in (1, -1)])
    check(model, target, tmp_path, rows)


@each_target
def test_dead_edges_have_no_part_in_an_overflow(target, tmp_path):
    model = KAN([2, 2], grid=4, k=3, seed=3).remove_edge(0, 0, 1)
    rows = np.array([[1e308, 0.3], [-1.7e308, -2.0]])
    found = ALL[target](model, rows, tmp_path)[0]
    with np.errstate(all="ignore"):
        other = layer_edges(model.layers[0], rows)[:, 1, 1]
    np.testing.assert_allclose(found[:, 1], other, rtol=1e-12)


@each_target
def test_the_first_nan_is_the_label_even_beside_infinity(target, tmp_path):
    model = KAN([2, 4], grid=2, k=1)
    edges = ((0, 0, "x"), (0, 1, "exp"), (1, 2, "log"), (1, 3, "sqrt"))
    for i, j, name in edges:
        model = model.fix_symbolic(0, i, j, name, affine=(1, 0, 1, 0))
        model = model.remove_edge(0, 1 - i, j)
    model.classes = ["x", "exp", "log", "sqrt"]
    rows = np.array([[800.0, -1.0], [800.0, 2.0], [9.0, -1.0], [-1.0, 9.0], [np.nan, 1.0]])
    labels = ALL[target](model, rows, tmp_path)[1]
    with np.errstate(all="ignore"):
        assert labels == model.predict_class(rows).tolist()
    assert labels == ["log", "exp", "log", "sqrt", "x"]


@each_target
@pytest.mark.parametrize("name", ["j0", "j1", "erf", "sinc"])
def test_special_functions_at_all_signs(name, target, tmp_path):
    rows = np.linspace(-130, 130, 521)[:, None]
    model = function_model(name)
    found = ALL[target](model, rows, tmp_path)[0]
    np.testing.assert_allclose(found, model.predict(rows), rtol=0, atol=2e-14)
    agree_each(np.sign(found + 0.4), np.sign(model.predict(rows) + 0.4))
