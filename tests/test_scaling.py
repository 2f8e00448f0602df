"""Units: data and network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kanref import KAN
from kanref.scaling import Scaling

TABLES = arrays(float, (7, 3), elements=st.floats(-1e6, 1e6))


@given(TABLES)
def test_standard_columns_have_mean_zero_and_spread_one_and_come_back(X):
    scaling = Scaling.standard(X, X[:, :2])
    x = scaling.x_to_network(X)
    varying = X.std(axis=0) > 1e-9 * np.abs(X).max()
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x[:, varying].std(axis=0), 1, rtol=1e-6)
    y = scaling.y_to_network(X[:, :2])
    np.testing.assert_allclose(scaling.y_to_data(y), X[:, :2], atol=1e-9, rtol=1e-12)


def test_a_constant_column_is_shifted_only():
    scaling = Scaling.standard(np.full((5, 1), 0.1))
    assert scaling.x_scale[0] == 1
    np.testing.assert_allclose(scaling.x_to_network(np.full((5, 1), 0.1)), 0, atol=1e-15)


def test_the_identity_changes_nothing():
    scaling = Scaling.identity(2, 1)
    X = np.ones((3, 2))
    assert scaling.is_identity
    assert scaling.x_to_network(X) is X
    assert not Scaling([0, 0], [1, 2], [0], [1]).is_identity


def test_selected_inputs_keep_their_units():
    scaling = Scaling([1, 2, 3], [4, 5, 6], [7], [8]).select([2, 0])
    np.testing.assert_array_equal(scaling.x_shift, [3, 1])
    np.testing.assert_array_equal(scaling.x_scale, [6, 4])
    np.testing.assert_array_equal(scaling.y_shift, [7])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (([0, 0], [1], [0], [1]), "same length"),
        (([0], [0], [0], [1]), "`x_scale` must be positive"),
        (([np.nan], [1], [0], [1]), "`x_shift` must be a vector of finite"),
        (([0], [1], [[0]], [1]), "`y_shift` must be a vector"),
    ],
)
def test_errors(fields, message):
    with pytest.raises(ValueError, match=message):
        Scaling(*fields)


@pytest.mark.parametrize("factor", [1e-300, 1e160, 1e299])
def test_units_of_huge_and_tiny_columns(factor):
    """The squares of such numbers overflow or vanish; their spread does not."""
    X = np.random.default_rng(0).uniform(-1, 1, (30, 2)) * [factor, 1]
    scaling = Scaling.standard(X, X[:, 0])
    plain = Scaling.standard(X / [factor, 1])
    np.testing.assert_allclose(scaling.x_scale, plain.x_scale * [factor, 1], rtol=1e-12)
    np.testing.assert_allclose(scaling.y_shift, plain.x_shift[:1] * factor, rtol=1e-12)
    np.testing.assert_allclose(scaling.x_to_network(X).std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize("value", [1.7e308, -1e301, np.inf, np.nan])
def test_numbers_that_overflow_are_named(value):
    X = np.random.default_rng(0).normal(size=(9, 3))
    X[4, 2] = value
    with pytest.raises(
        ValueError, match=r"`X` must hold numbers of at most 1e\+300 .* in column 2"
    ):
        Scaling.standard(X)
    with pytest.raises(ValueError, match=r"`y` must hold numbers .* in column 0"):
        Scaling.standard(X[:, :2], X[:, 2])
    with pytest.raises(ValueError, match="in column 'c'"):
        Scaling.standard(pd.DataFrame(X, columns=["a", "b", "c"]))


def test_what_overflows_on_the_way_is_nan_without_a_warning():
    model = KAN([2, 1], extrapolate="zero", base_fun="zero", seed=0)
    model.scaling = Scaling([1e300, 0], [1e-10, 1], [0], [1])
    assert np.isnan(model.predict([[-1e300, 0], [1e300, 0.5]]))[:, 0].tolist() == [True, False]
