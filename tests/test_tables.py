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


# --- frames of other libraries -------------------------------------------------------------------


def arrow(columns):
    return pytest.importorskip("pyarrow").table(columns)


def arrow_batch(columns):
    return pytest.importorskip("pyarrow").record_batch(columns)


def polars(columns):
    return pytest.importorskip("polars").DataFrame(columns)


LIBRARIES = [pd.DataFrame, polars, arrow, arrow_batch]


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_of_every_library_are_read_by_name(library):
    frame = library({"b": [True, False, True], "other": ["x", "y", "z"], "a": [0.5, -1.0, 2.0]})
    table = input_table(frame, NAMES)
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table, [[0.5, 1], [-1, 0], [2, 1]])
    with pytest.raises(ValueError, match=r"\['c'\] are missing"):
        input_table(frame, ["a", "c"])
    with pytest.raises(TypeError, match="`X` must hold real numbers"):
        input_table(frame, ["a", "other"])


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_missing_is_not_finite(library):
    for cells in ([1, None, 3], [1.5, None, 2.5], [True, None, False]):
        frame = library({"a": [1, 2, 3], "b": cells})
        with pytest.raises(ValueError, match=r"`X` must be finite, got 1 rows .* is row 1"):
            finite_rows(input_table(frame, NAMES), "X")


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean"])
def test_missing_cells_of_nullable_columns(dtype):
    frame = pd.DataFrame({"a": [0.5, 1, 2], "b": pd.array([1, None, 0], dtype=dtype)})
    np.testing.assert_array_equal(input_table(frame, NAMES), [[0.5, 1], [1, np.nan], [2, 0]])
    np.testing.assert_array_equal(input_table(frame[["b"]], ["b"]), np.array([[1], [np.nan], [0]]))


@pytest.mark.parametrize("library", LIBRARIES)
def test_targets_of_every_library(library):
    frame = library({"u": [1, 2, 3], "v": [0.5, 1.5, 2.5]})
    np.testing.assert_array_equal(target_table(frame, 3, 2), [[1, 0.5], [2, 1.5], [3, 2.5]])
    labels = target_table(library({"u": ["p", "q", "p"]}), 3, 2, labels=True)
    assert labels.tolist() == ["p", "q", "p"]


def test_what_cannot_be_a_table_says_why():
    lazy = polars({"a": [1.0]}).lazy()
    with pytest.raises(TypeError, match=r"got a LazyFrame: collect\(\) it"):
        input_table(lazy, ["a"])
    with pytest.raises(ValueError, match="`X` must be a table, its rows have different lengths"):
        input_table([[1, 2], [3]], NAMES)
    with pytest.raises(TypeError, match="`X` must hold real numbers"):
        input_table(np.array([["1", 2]], dtype=object), NAMES)
    with pytest.raises(ValueError, match=r"each column once, got \['a'\] more than once"):
        input_table(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]), NAMES)
    with pytest.raises(TypeError, match=r"real numbers, got \['datetime64"):
        input_table(pd.DataFrame({"a": [1.0], "b": pd.to_datetime(["2020-01-01"])}), NAMES)
