"""What comes in at the public door."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kanref.tables import finite_rows, input_table, target_table, weight_vector

NAMES = ["a", "b"]


def test_arrays_lists_and_frames_give_the_same_table():
    rows = [[1, 2], [3, 4], [5, 6]]
    frame = pd.DataFrame({"b": [2, 4, 6], "other": ["x", "y", "z"], "a": [1.0, 3, 5]})
    for X in (rows, np.array(rows), np.array(rows, dtype=object), frame):
        table = input_table(X, NAMES)
        assert table.dtype == np.float64
        np.testing.assert_array_equal(table, rows)


def test_single_precision_stays():
    assert input_table(np.ones((2, 2), np.float32), NAMES).dtype == np.float32


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.ones(3), ValueError, r"`X` must have shape \(N, 2\), got \(3,\)"),
        (np.ones((3, 3)), ValueError, r"`X` must have shape \(N, 2\), got \(3, 3\)"),
        ([["1", "u"]], TypeError, "`X` must hold real numbers"),
        (np.ones((3, 2), complex), TypeError, "`X` must hold real numbers, got complex"),
        (np.array([[1, None]]), ValueError, "finite"),
        (pd.DataFrame({"a": [1]}), ValueError, r"\['b'\] are missing"),
        (pd.DataFrame({"a": [1], "b": ["u"]}), TypeError, "`X` must hold real numbers"),
    ],
)
def test_bad_inputs(X, error, message):
    with pytest.raises(error, match=message):
        finite_rows(input_table(X, NAMES), "X")


def test_targets_are_tables_and_labels_are_vectors():
    assert target_table([1, 2, 3], 3, 1).shape == (3, 1)
    assert target_table(pd.Series([1, 2, 3]), 3, 1).shape == (3, 1)
    assert target_table(np.ones((3, 2)), 3, 2).shape == (3, 2)
    labels = target_table([["u"], ["v"]], 2, 5, labels=True)
    assert labels.tolist() == ["u", "v"]
    assert target_table(np.array([[0], [4]]), 2, 5, labels=True).shape == (2,)


@pytest.mark.parametrize(
    ("y", "labels", "message"),
    [
        ([1, 2], False, r"`y` must have shape \(3, 1\), got \(2,\)"),
        (np.ones((3, 2)), False, r"`y` must have shape \(3, 1\), got \(3, 2\)"),
        ([1, 2], True, r"`y` must have shape \(3,\)"),
        ([1, np.nan, np.inf], False, "2 rows with NaN or infinity, the first is row 1"),
    ],
)
def test_bad_targets(y, labels, message):
    with pytest.raises(ValueError, match=message):
        target_table(y, 3, 1, labels=labels)


@pytest.mark.parametrize("weight", [[1, 2], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]])
def test_bad_weights(weight):
    with pytest.raises(ValueError, match="`sample_weight` must"):
        weight_vector(weight, 3)
    assert weight_vector(None, 3) is None
    assert weight_vector([0, 1, 2], 3).dtype == float
