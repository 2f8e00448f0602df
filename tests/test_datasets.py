"""Data sets: sampled functions, split tables, shipped measurements."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kanref.datasets import (
    Dataset,
    airfoil,
    create_dataset,
    create_dataset_from_data,
    digits,
    yacht,
)


def product(x):
    return x[:, 0] * x[:, 1] ** 2


def rows(X):
    """Return the rows as a sorted list, to compare tables whatever their order."""
    return sorted(map(tuple, np.asarray(X)))


# --- Dataset ---------------------------------------------------------------------------------


def test_arrays_become_float64_tables():
    dataset = Dataset([[1, 2], [3, 4], [5, 6]], [7, 8, 9], np.zeros((1, 2), "f4"), [10])
    assert [a.shape for a in dataset] == [(3, 2), (3, 1), (1, 2), (1, 1)]
    assert {a.dtype for a in dataset} == {np.dtype("float64")}
    assert dataset.y_train[:, 0].tolist() == [7, 8, 9]


def test_arrays_are_copies():
    X = np.ones((3, 2))
    dataset = Dataset(X, X, X, X)
    X[:] = 5
    assert all(np.all(a == 1) for a in dataset)


def test_names_by_default():
    X, Y = np.zeros((4, 3)), np.zeros((4, 2))
    dataset = Dataset(X, Y, X, Y)
    assert dataset.input_names == ("x_1", "x_2", "x_3")
    assert dataset.output_names == ("y_1", "y_2")
    assert Dataset(X, Y[:, 0], X, Y[:, 0]).output_names == ("y",)


def test_names_given():
    X = np.zeros((4, 1))
    dataset = Dataset(X, X, X, X, input_names="time", output_names=["height"])
    assert dataset.input_names == ("time",)
    assert dataset.output_names == ("height",)


def test_repr_shortens_long_lists():
    X, y = np.zeros((4, 7)), [0, 1, 2, 1]
    dataset = Dataset(X, y, X[:0], y[:0], classes="abc", name="toy")
    assert repr(dataset) == (
        "Dataset(toy: 4 training and 0 test rows; 7 inputs x_1, x_2, …, x_7; output y; 3 classes)"
    )


def test_labels_are_integers():
    dataset = Dataset(np.zeros((3, 2)), [0.0, 2.0, 1.0], np.zeros((1, 2)), [2], classes="abc")
    assert dataset.classes == ("a", "b", "c")
    assert dataset.y_train.dtype == np.int64
    assert dataset.y_train.tolist() == [[0], [2], [1]]


@pytest.mark.parametrize("label", [-1, 3, 0.5])
def test_labels_outside_the_classes(label):
    with pytest.raises(ValueError, match="`y_test` must hold integer labels 0 to 2, got "):
        Dataset(np.zeros((1, 2)), [0], np.zeros((1, 2)), [label], classes="abc")


def test_labels_in_several_columns():
    X = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"`y_train` must have one column .* got shape \(4, 2\)"):
        Dataset(X, X, X, X, classes="abc")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": np.zeros((6, 3))}, r"`X_train` and `y_train` must have as many rows"),
        ({"y_test": np.zeros((6, 3))}, r"`X_test` and `y_test` .* rows, got \(5, 2\) and \(6, 3\)"),
        ({"X_test": np.zeros((5, 4))}, r"`X_train` and `X_test` must have as many columns"),
        ({"y_test": np.zeros((5, 2))}, r"`y_train` and `y_test` must have as many columns"),
        ({"X_train": np.zeros((7, 2, 1))}, r"`X_train` must have shape \(N, columns\) or \(N,\)"),
        ({"X_train": 3.0}, r"`X_train` must have shape .* got \(\)"),
        ({"input_names": ["a"]}, "`input_names` must be 2 strings, got"),
        ({"input_names": ["a", 3]}, "`input_names` must be 2 strings, got"),
        ({"input_names": ["a", "a"]}, "`input_names` must differ from one another"),
        ({"output_names": "abcd"}, "`output_names` must be 3 strings, got"),
    ],
)
def test_parts_that_do_not_belong_together(change, message):
    parts = {
        "X_train": np.zeros((7, 2)),
        "y_train": np.zeros((7, 3)),
        "X_test": np.zeros((5, 2)),
        "y_test": np.zeros((5, 3)),
    }
    Dataset(**parts)
    with pytest.raises(ValueError, match=message):
        Dataset(**{**parts, **change})


def test_not_finite():
    X = np.zeros((7, 2))
    X[4, 1] = np.inf
    with pytest.raises(ValueError, match="`X_train` must be finite, got inf in row 4, column 1"):
        Dataset(X, X[:, 0], X, X[:, 0])


def test_not_numbers():
    with pytest.raises(TypeError, match=r"`y_train` must be a table of numbers: .*'cat'"):
        Dataset([[1], [2]], ["cat", "dog"], [[3]], ["cat"])


def test_to_pandas():
    X, y = [[1.0, 2.0], [3.0, 4.0]], [1, 0]
    dataset = Dataset(X, y, X[:1], y[:1], ["a", "b"], ["kind"], classes=["off", "on"])
    train, test = dataset.to_pandas(), dataset.to_pandas("test")
    assert train.to_dict("list") == {"a": [1.0, 3.0], "b": [2.0, 4.0], "kind": ["on", "off"]}
    assert test.to_dict("list") == {"a": [1.0], "b": [2.0], "kind": ["on"]}


def test_to_pandas_unknown_part():
    with pytest.raises(ValueError, match='`part` must be "train" or "test", got \'both\''):
        yacht().to_pandas("both")


def test_to_pandas_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"needs pandas: pip install 'kanref\[cli\]'"):
        yacht().to_pandas()


def test_from_dict():
    values = [np.full((n, m), float(10 * n + m)) for n, m in [(5, 2), (5, 3), (4, 2), (4, 3)]]
    keys = ["train_input", "train_label", "test_input", "test_label"]
    mapping = dict(zip(keys, values, strict=True))
    dataset = Dataset.from_dict(mapping, input_names=["a", "b"])
    assert dataset.input_names == ("a", "b")
    for array, value in zip(dataset, values, strict=True):
        np.testing.assert_array_equal(array, value)
    del mapping["train_label"], mapping["test_label"]
    with pytest.raises(ValueError, match=r"`mapping` must have .*, lacks train_label, test_label"):
        Dataset.from_dict(mapping)


# --- create_dataset --------------------------------------------------------------------------


def test_create_dataset_samples_the_function():
    dataset = create_dataset(product, 3, n_train=7, n_test=5, seed=1)
    assert [a.shape for a in dataset] == [(7, 3), (7, 1), (5, 3), (5, 1)]
    np.testing.assert_array_equal(dataset.y_train[:, 0], product(dataset.X_train))
    np.testing.assert_array_equal(dataset.y_test[:, 0], product(dataset.X_test))


def test_create_dataset_ranges_per_variable():
    ranges = np.array([(-3, -2), (10, 20)])
    X = create_dataset(product, 2, ranges, n_train=500, n_test=1).X_train
    assert np.all((ranges[:, 0] <= X) & (X <= ranges[:, 1]))
    np.testing.assert_allclose(np.ptp(X, axis=0), [1, 10], rtol=0.02)  # and fill them


def test_create_dataset_one_range_for_all():
    X = create_dataset(product, 2, (2, 6), n_train=500, n_test=1).X_train
    np.testing.assert_allclose(X.min(axis=0), 2, atol=0.05)
    np.testing.assert_allclose(X.max(axis=0), 6, atol=0.05)


@pytest.mark.parametrize(
    ("f", "n_out"),
    [
        (lambda x: x[:, 0], 1),
        (lambda x: x[:, [0]], 1),
        (lambda x: np.stack([x[:, 0], -x[:, 0], 3 * x[:, 0]], axis=1), 3),
    ],
)
def test_create_dataset_shapes_of_the_function(f, n_out):
    dataset = create_dataset(f, 2, n_train=7, n_test=5)
    assert dataset.y_train.shape == (7, n_out)
    np.testing.assert_array_equal(dataset.y_train[:, 0], dataset.X_train[:, 0])


def test_create_dataset_is_reproducible():
    a, b, c = (create_dataset(product, n_train=7, n_test=5, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.X_train, b.X_train)
    np.testing.assert_array_equal(a.X_test, b.X_test)
    assert not np.any(a.X_train == c.X_train)
    assert not np.any(a.X_train[:5] == a.X_test)


def test_create_dataset_training_points_do_not_depend_on_the_test_points():
    few, many = (create_dataset(product, n_train=7, n_test=n, noise=0.1) for n in (0, 50))
    np.testing.assert_array_equal(few.X_train, many.X_train)
    np.testing.assert_array_equal(few.y_train, many.y_train)


def test_create_dataset_draws_from_the_given_generator():
    rng = np.random.default_rng(3)
    a, b = (create_dataset(product, n_train=7, n_test=5, seed=rng) for _ in range(2))
    assert not np.any(a.X_train == b.X_train)


def test_create_dataset_noise_is_on_the_training_outputs_only():
    noisy = create_dataset(product, n_train=4000, n_test=5, noise=0.3, seed=2)
    clean = create_dataset(product, n_train=4000, n_test=5, seed=2)
    np.testing.assert_array_equal(noisy.X_train, clean.X_train)
    np.testing.assert_array_equal(noisy.y_test, clean.y_test)
    residual = (noisy.y_train - clean.y_train)[:, 0]
    np.testing.assert_allclose(residual.std(), 0.3, rtol=0.05)
    assert abs(residual.mean()) < 4 * 0.3 / np.sqrt(4000)


def test_create_dataset_is_not_changed_by_a_function_that_works_in_place():
    def f(x):
        x *= 0
        return x[:, 0]

    assert np.all(create_dataset(f, n_train=7, n_test=1).X_train != 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"f": lambda x: 1.0}, r"`f` must return shape .* for N = 12 points, got \(\)"),
        ({"f": lambda x: x[:3, 0]}, r"`f` must return .*, got \(3,\)"),
        ({"f": lambda x: x[:, :, np.newaxis]}, r"`f` must return .*, got \(12, 2, 1\)"),
        ({"f": lambda x: x[:, 0] * np.nan}, r"`f` must be finite on `ranges`, got \[nan\] at x ="),
        ({"n_var": 0}, "`n_var` must be >= 1, got 0"),
        ({"ranges": [(-1, 1)] * 3}, r"`ranges` must be .* the 2 variables, got shape \(3, 2\)"),
        ({"ranges": (1, -1)}, r"`ranges` must be finite with low < high, got \(1, -1\)"),
        ({"ranges": (0, np.inf)}, "`ranges` must be finite with low < high"),
        ({"ranges": (1, 1)}, "`ranges` must be finite with low < high"),
        ({"n_train": 0}, "`n_train` must be >= 1 and `n_test` >= 0, got 0 and 5"),
        ({"n_test": -1}, "`n_train` must be >= 1 and `n_test` >= 0, got 7 and -1"),
        ({"noise": -0.1}, "`noise` must be a finite number >= 0, got -0.1"),
        ({"noise": np.nan}, "`noise` must be a finite number >= 0, got nan"),
    ],
)
def test_create_dataset_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_dataset(**{"f": product, "n_train": 7, "n_test": 5, **arguments})


# --- create_dataset_from_data ----------------------------------------------------------------


def test_split_keeps_every_row_once_with_its_output():
    X = np.arange(22.0).reshape(11, 2)
    X_train, y_train, X_test, y_test = create_dataset_from_data(X, 10 * X[:, 0], 0.6)
    assert X_train.shape == (7, 2)
    assert rows(np.concatenate([X_train, X_test])) == rows(X)
    np.testing.assert_array_equal(y_train[:, 0], 10 * X_train[:, 0])
    np.testing.assert_array_equal(y_test[:, 0], 10 * X_test[:, 0])


def test_split_is_random_and_reproducible():
    X = np.arange(40.0)
    a, b, c = (create_dataset_from_data(X, X, seed=seed).X_train for seed in (5, 5, 6))
    np.testing.assert_array_equal(a, b)
    assert rows(a) != rows(c)
    assert not np.all(np.diff(a[:, 0]) > 0)


@pytest.mark.parametrize(("ratio", "n_train"), [(1.0, 11), (0.5, 6), (0.01, 1)])
def test_split_sizes(ratio, n_train):
    dataset = create_dataset_from_data(np.zeros((11, 2)), np.zeros((11, 3)), ratio)
    assert (len(dataset.X_train), len(dataset.X_test)) == (n_train, 11 - n_train)


def test_split_takes_names_from_pandas():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"mass": [1.0, 2.0, 3.0], "speed": [4.0, 5.0, 6.0], "energy": [7, 8, 9]})
    dataset = create_dataset_from_data(table[["mass", "speed"]], table["energy"])
    assert dataset.input_names == ("mass", "speed")
    assert dataset.output_names == ("energy",)
    given = create_dataset_from_data(table[["mass"]], table["energy"], input_names=["m"])
    assert given.input_names == ("m",)
    unnamed = create_dataset_from_data(table[["mass"]], pd.Series([1, 2, 3]))
    assert unnamed.output_names == ("y",)


def test_split_keeps_classes():
    dataset = create_dataset_from_data(np.arange(5), [0, 1, 2, 1, 0], classes="abc", name="toy")
    assert (dataset.classes, dataset.name) == (("a", "b", "c"), "toy")
    assert dataset.y_train.dtype == np.int64


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 2)), np.zeros(3), r"the same number of rows.* \(4, 2\) and \(3,\)"),
        (np.zeros((0, 2)), np.zeros(0), r"at least one, got shapes \(0, 2\) and \(0,\)"),
        (1.0, 2.0, r"at least one, got shapes \(\) and \(\)"),
    ],
)
def test_split_errors(X, y, message):
    with pytest.raises(ValueError, match=message):
        create_dataset_from_data(X, y)


@pytest.mark.parametrize("ratio", [0, -0.5, 1.5, np.nan])
def test_split_ratio_errors(ratio):
    with pytest.raises(ValueError, match=r"`train_ratio` must lie in \(0, 1\], got"):
        create_dataset_from_data(np.zeros(4), np.zeros(4), ratio)


# --- measurements ----------------------------------------------------------------------------


def test_airfoil():
    dataset = airfoil(train_ratio=1)
    assert dataset.X_train.shape == (1503, 5)
    assert dataset.input_names[0] == "frequency_hz"
    assert dataset.output_names == ("sound_pressure_level_db",)
    table = np.hstack([dataset.X_train, dataset.y_train])
    assert (800, 0, 0.3048, 71.3, 0.00266337, 126.201) in rows(table)  # the file's first row
    np.testing.assert_allclose(dataset.y_train.mean(), 124.8359, atol=1e-4)  # as UCI states


def test_yacht():
    dataset = yacht(train_ratio=1)
    assert dataset.X_train.shape == (308, 6)
    assert dataset.input_names[-1] == "froude_number"
    table = np.hstack([dataset.X_train, dataset.y_train])
    assert (-2.3, 0.568, 4.78, 3.99, 3.17, 0.125, 0.11) in rows(table)
    assert len(np.unique(dataset.X_train[:, -1])) == 14  # speeds, for each of 22 hulls


@pytest.mark.parametrize("load", [airfoil, yacht, digits])
def test_measurements_split_by_ratio_and_seed(load):
    a, b, c = load(), load(0.5), load(seed=1)
    n = len(a.X_train) + len(a.X_test)
    assert len(a.X_train) == round(0.8 * n)
    assert len(b.X_train) == round(0.5 * n)
    assert rows(a.X_train) != rows(c.X_train)


def test_digits():
    dataset = digits()
    assert dataset.classes == tuple(range(10))
    assert (dataset.X_train.min(), dataset.X_train.max()) == (-1, 1)
    assert np.unique(dataset.y_train).tolist() == list(range(10))
    # A zero is empty in the middle, a one is not: labels and pictures belong together.
    middle = dataset.X_train.reshape(-1, 8, 8)[:, 3:5, 3:5].mean(axis=(1, 2))
    labels = dataset.y_train[:, 0]
    assert middle[labels == 0].mean() < -0.5 < 0.5 < middle[labels == 1].mean()


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"needs scikit-learn: pip install 'kanref\[sklearn\]'"):
        digits()
