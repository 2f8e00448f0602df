"""`partial_fit` from the first row on: units and grids, importances, balanced classes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from kanref.sklearn import KANClassifier, KANRegressor
from kanref.sklearn.online import OPENING


def table(n=150, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform([-1, 100, 5e-9], [1, 900, 6e-9], (n, 3))
    return X, 1e4 + 50 * np.sin(3 * X[:, 0]) + 0.1 * X[:, 1]


def one_by_one(estimator, X, y, **options):
    for row in range(len(X)):
        estimator.partial_fit(X[row : row + 1], y[row : row + 1], **options)
        assert np.all(np.isfinite(estimator.predict(X)) if y.dtype.kind == "f" else True)
    return estimator


def test_a_stream_of_single_rows_is_learnt_in_the_units_of_its_rows():
    X, y = table()
    model = one_by_one(KANRegressor(hidden=3, random_state=0), X, y)
    scaling = model.model_.scaling
    np.testing.assert_allclose(scaling.x_scale, X[:OPENING].std(axis=0))
    np.testing.assert_allclose(scaling.y_shift, y[:OPENING].mean())
    assert model.score(X, y) > 0.9
    assert model.n_iter_ == len(X)
    importances = model.feature_importances_
    assert importances.sum() == pytest.approx(1)
    assert importances.argmin() == 2


def test_the_units_stay_open_for_the_first_rows_only():
    X, y = table()
    model = KANRegressor(hidden=2, random_state=0)
    shifts = []
    for start in (0, 20, 40, 60, 80):
        model.partial_fit(X[start : start + 20], y[start : start + 20])
        shifts.append(model.model_.scaling.x_shift[1])
    np.testing.assert_allclose(shifts[:3], [X[:n, 1].mean() for n in (20, 40, 60)])
    assert shifts[2:] == [shifts[2]] * 3


def test_the_same_row_again_and_again_decides_nothing():
    X, y = table()
    model = KANRegressor(hidden=2, random_state=0)
    for _ in range(60):
        model.partial_fit(X[:1], y[:1])
    again = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    np.testing.assert_allclose(again.model_.scaling.x_scale[:2], X.std(axis=0)[:2], rtol=0.3)


def test_large_first_calls_and_earlier_fits_decide_at_once():
    X, y = table()
    model = KANRegressor(hidden=2, random_state=0).partial_fit(X[:OPENING], y[:OPENING])
    before = model.model_.scaling
    assert model.partial_fit(X * 5, y).model_.scaling is before
    fitted = KANRegressor(hidden=2, alpha=1e-3, max_iter=5, random_state=0).fit(X[:20], y[:20])
    before = fitted.model_.scaling
    assert fitted.partial_fit(X * 5, y).model_.scaling is before


def test_classes_row_by_row():
    X, _ = table()
    y = np.where(X[:, 1] > 500, "fast", "slow")
    model = one_by_one(KANClassifier(hidden=2, random_state=0), X, y, classes=["slow", "fast"])
    assert model.score(X, y) > 0.9


def test_balanced_classes_are_counted_over_all_calls():
    X, _ = table(120)
    y = np.where(np.arange(120) % 6 == 0, "rare", "common")
    options = {"hidden": 2, "class_weight": "balanced", "random_state": 0}
    model = KANClassifier(**options)
    for start in range(0, 120, 10):
        model.partial_fit(X[start : start + 10], y[start : start + 10], classes=["rare", "common"])
    np.testing.assert_array_equal(model._class_totals, [100, 20])
    plain = KANClassifier(**options | {"class_weight": None})
    for start in range(0, 120, 10):
        plain.partial_fit(X[start : start + 10], y[start : start + 10], classes=["rare", "common"])
    rare = list(plain.classes_).index("rare")
    more = model.predict_proba(X)[:, rare].mean() - plain.predict_proba(X)[:, rare].mean()
    assert more > 0.05


@pytest.mark.parametrize("weights", ["balanced", {"a": 3.0, "b": 0.5}])
def test_class_weights_and_repetitions_to_the_bit(weights):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(60, 2)), rng.integers(0, 4, 60)
    y = np.where(X[:, 0] > 0.5, "a", "b")
    options = {"hidden": 2, "alpha": 1e-2, "max_iter": 12, "random_state": 0}
    weighted = KANClassifier(class_weight=weights, **options).fit(X, y, sample_weight=weight)
    repeated = KANClassifier(class_weight=weights, **options).fit(
        np.repeat(X, weight, axis=0), np.repeat(y, weight)
    )
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))
    plain = KANClassifier(**options).fit(X, y, sample_weight=weight)
    assert not np.allclose(plain.predict_proba(X), weighted.predict_proba(X), rtol=1e-3)


@pytest.mark.parametrize("weights", ["even", {"a": -1.0}, [1, 2], 3])
def test_class_weights_that_make_no_sense(weights):
    X, y = np.random.default_rng(0).normal(size=(20, 2)), ["a", "b"] * 10
    with pytest.raises(ValueError, match="class_weight"):
        KANClassifier(class_weight=weights).fit(X, y)


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_numbers_that_overflow_are_named_with_their_column(value):
    import pandas as pd

    X, y = table(40)
    frame = pd.DataFrame(X, columns=["angle", "speed", "chord"])
    wild = frame.copy()
    wild.loc[3, "speed"] = value
    rule = r"`X` must hold numbers of at most 1e\+300 in size, got -?1.7e\+308 in column 'speed'"
    options = {"hidden": 2, "alpha": 1e-2, "max_iter": 3}
    fitted = KANRegressor(**options).fit(frame, y)
    for call in (
        lambda: KANRegressor(**options).fit(wild, y),
        lambda: KANClassifier(**options).fit(wild, y > y.mean()),
        lambda: KANRegressor(**options).partial_fit(wild, y),
        lambda: fitted.partial_fit(wild, y),
        lambda: fitted.predict(wild),
    ):
        with pytest.raises(ValueError, match=rule):
            call()
    with pytest.raises(ValueError, match=r"`y` must hold numbers .* in column 1"):
        KANRegressor(**options).fit(frame, np.column_stack([y, wild["speed"]]))
    with pytest.raises(ValueError, match=r"`sample_weight` must be at most 1e\+300 in sum"):
        KANRegressor(**options).fit(frame, y, sample_weight=np.full(40, 1e308))


def test_rows_of_a_call_that_failed_are_not_counted():
    X, _ = table(20)
    y, one = np.arange(20) % 2, np.zeros(20, int)
    model = KANClassifier(hidden=2, class_weight="balanced", random_state=0)
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.fit(X, one)
    for _ in range(2):
        with pytest.raises(ValueError, match="`alpha`"):
            model.set_params(alpha=-1).partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(alpha=0.1).partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(model._class_totals, [10, 10])
    with pytest.raises(ValueError, match="`alpha`"):
        model.set_params(alpha=-1).partial_fit(X, one)
    np.testing.assert_array_equal(model._class_totals, [10, 10])


def test_each_call_goes_by_the_parameters_of_its_time():
    X, y = table()
    model = KANRegressor(hidden=2, random_state=0).partial_fit(X, y)
    before = model.model_.theta.copy()
    model.set_params(learning_rate=1e-9).partial_fit(X, y)
    assert 0 < np.abs(model.model_.theta - before).max() < 1e-8
    model.set_params(batch_size=25).partial_fit(X, y)
    assert model.n_iter_ == 1 + 1 + 6


def test_a_changed_alpha_counts_from_the_next_rows_on():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (80, 2))
    y = X[:, 0] ** 2
    same, other = (KANRegressor(alpha=0.1, random_state=0).partial_fit(X, y) for _ in range(2))
    same.set_params(alpha="auto").partial_fit(X, y)  # what was found stays
    other.set_params(alpha=10.0).partial_fit(X, y)
    assert (same.alpha_, other.alpha_) == (0.1, 10.0)
    assert not np.array_equal(same.predict(X), other.predict(X))
