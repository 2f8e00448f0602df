"""Units: data and network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

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
