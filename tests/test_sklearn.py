"""The estimators among their neighbours: what scikit-learn's own checks do not look at."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import clone
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kanref import KAN
from kanref.losses import loss_function
from kanref.objective import Objective
from kanref.sklearn import KANClassifier, KANRegressor, grids
from kanref.sklearn.grids import breakpoints, follow
from kanref.sklearn.roughness import Roughness
from kanref.sklearn.rows import distinct_rows, standard_scaling

QUICK = {"hidden": 3, "grid": 3, "alpha": 1e-4, "max_iter": 40, "random_state": 0}


def table(n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform([-1, 100, 5], [1, 300, 6], (n, 3))
    return X, 1000 + 20 * np.sin(3 * X[:, 0]) + 0.1 * X[:, 1]


@pytest.mark.parametrize("options", [{}, {"hidden": ()}, {"solver": "adam"}])
def test_a_constant_column_has_no_say(options):
    X, y = table()
    constant = np.c_[X, np.full(len(X), 7.0)]
    estimator = KANRegressor(**{**QUICK, **options}).fit(constant, y)
    moved = constant.copy()
    moved[:, 3] = 100.0
    np.testing.assert_array_equal(estimator.predict(moved), estimator.predict(constant))
    assert estimator.feature_importances_[3] == 0


@pytest.mark.parametrize(
    "options", [{"early_stopping": "a"}, {"learning_rate": -1.0}, {"learning_rate": np.nan}]
)
def test_wrong_options_are_named_before_the_fit(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        KANRegressor(**QUICK).set_params(**options).fit(*table())


@pytest.fixture(scope="module")
def fitted():
    X, y = table()
    return KANRegressor(**QUICK).fit(X, y)


def test_it_learns_in_the_units_of_the_data(fitted):
    X, y = table(seed=1)
    assert fitted.score(X, y) > 0.99
    np.testing.assert_allclose(fitted.predict(X), fitted.model_.predict(X)[:, 0])
    importances = fitted.feature_importances_
    assert importances.sum() == pytest.approx(1)
    assert importances.argmin() == 2
    assert len(fitted.history_) == fitted.n_iter_


def test_alpha_is_chosen_large_for_noise_and_small_for_a_curve():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (80, 2))
    options = {**QUICK, "alpha": "auto"}
    noise = KANRegressor(**options).fit(X, rng.normal(size=80))
    curve = KANRegressor(**options).fit(X, np.sin(4 * X[:, 0]))
    assert noise.alpha_ > 100 * curve.alpha_
    assert len(noise.alphas_) == len(noise.validation_losses_) < len(curve.alphas_)
    assert noise.alpha_ == noise.alphas_[noise.validation_losses_.argmin()]


@pytest.mark.parametrize("alpha", ["auto", 1e-4])
def test_weights_are_repetitions_to_the_bit(alpha):
    X, y = table(40)
    weight = np.random.default_rng(2).integers(0, 4, 40)
    order = np.random.default_rng(3).permutation(weight.sum())
    options = {**QUICK, "alpha": alpha, "max_iter": 12}
    weighted = KANRegressor(**options).fit(X, y, sample_weight=weight)
    repeated = KANRegressor(**options).fit(
        np.repeat(X, weight, axis=0)[order], np.repeat(y, weight)[order]
    )
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))
    plain = KANRegressor(**options).fit(X, y)
    assert not np.allclose(plain.predict(X), weighted.predict(X), rtol=1e-6)


def test_distinct_rows_and_their_scaling():
    X = np.array([[1.0, 5.0], [3.0, 5.0], [1.0, 5.0], [9.0, 9.0]])
    y = np.array([[2.0], [4.0], [2.0], [0.0]])
    rows = distinct_rows(X, y, np.array([1.0, 2.0, 1.0, 0.0]))
    assert rows.X.tolist() == [[1, 5], [3, 5]]
    assert rows.weight.tolist() == [2, 2]
    scaling = standard_scaling(rows, 1)
    assert scaling.x_shift.tolist() == [2, 5]
    assert scaling.x_scale.tolist() == [1, 1]  # the second column is constant
    assert (scaling.y_shift[0], scaling.y_scale[0]) == (3, 1)


def test_grids_ignore_ties_and_outliers():
    values = np.concatenate([np.zeros(60), np.linspace(0, 1, 40), [1e6]])
    grid = breakpoints(values, 4)
    assert grid[0] == 0
    assert grid[-1] < 10
    assert np.diff(grid).min() > 0.1 * np.diff(grid).max()
    assert breakpoints(np.full(9, 7.0), 2).tolist() == [6, 7, 8]


def test_grids_that_follow_keep_the_function():
    rng = np.random.default_rng(0)
    network = KAN([2, 3, 1], seed=0, base_fun="identity").network
    x = rng.uniform(-1, 1, (200, 2))
    wide = KAN([2, 3, 1], seed=0).network
    assert follow(wide, 3 * x).layers[0].knots[0, 3] == pytest.approx(3 * x[:, 0].min())
    from kanref.network import network_forward

    before, after = (network_forward(n, x)[0] for n in (network, follow(network, x)))
    assert np.abs(before - after).max() < 0.05 * before.std()


def test_grids_follow_the_rows_of_all_chunks(monkeypatch):
    network = KAN([2, 4, 3], grid=5, seed=0).network
    x = np.random.default_rng(0).uniform(-2, 2, (200, 2))
    whole = follow(network, x)
    sizes, forward = [], grids.layer_forward

    def counted(layer, x, **options):
        sizes.append(len(x))
        return forward(layer, x, **options)

    monkeypatch.setattr(grids, "layer_forward", counted)
    monkeypatch.setattr(grids, "MAX_MEMORY", 2**15)
    cut = follow(network, x)
    assert max(sizes) < 200 and sum(sizes) == 200
    for one, other in zip(cut.layers, whole.layers, strict=True):
        np.testing.assert_allclose(one.knots, other.knots, rtol=0, atol=1e-13)
        np.testing.assert_allclose(one.coef, other.coef, rtol=0, atol=1e-10)


def test_the_gradient_of_the_roughness():
    model = KAN([2, 3, 1], grid=4, seed=0, spline_scale=False).remove_edge(0, 1, 1)
    x = np.random.default_rng(0).normal(size=(7, 2))
    objective = Objective(loss_function("mse"), Roughness(lamb=0.3))
    found = objective.evaluate(model.network, x, np.zeros((7, 1)))
    assert found.total == pytest.approx(found.loss + 0.3 * found.reg)
    for p in range(0, model.n_params, 5):
        ends = []
        for step in (1e-6, -1e-6):
            theta = model.theta.copy()
            theta[p] += step
            moved = model.with_theta(theta).network
            ends.append(objective.evaluate(moved, x, np.zeros((7, 1))).total)
        difference = (ends[0] - ends[1]) / 2e-6
        assert found.gradient.theta[p] == pytest.approx(difference, rel=1e-5, abs=1e-8)


def test_pipelines_searches_and_scores():
    X, y = table(60)
    pipe = make_pipeline(StandardScaler(), KANRegressor(**{**QUICK, "max_iter": 15}))
    assert cross_val_score(pipe, X, y, cv=2).min() > 0.8
    search = GridSearchCV(KANRegressor(**{**QUICK, "max_iter": 8}), {"alpha": [1e-4, 10.0]}, cv=2)
    assert search.fit(X, y).best_params_ == {"alpha": 1e-4}
    assert clone(search.best_estimator_).get_params()["alpha"] == 1e-4


def test_frames_name_the_inputs_and_outputs():
    X, y = table(40)
    frame = pd.DataFrame(X, columns=["angle", "speed", "chord"])
    model = KANRegressor(**QUICK).fit(frame, pd.Series(y, name="noise"))
    assert model.feature_names_in_.tolist() == model.model_.input_names == list(frame)
    assert model.model_.output_names == ["noise"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"angle": "other"}))


def test_several_outputs():
    X, y = table(50)
    Y = pd.DataFrame({"a": y, "b": -3 * X[:, 2]})
    model = KANRegressor(**QUICK).fit(X, Y)
    assert model.predict(X).shape == (50, 2)
    assert model.score(X, Y) > 0.95
    assert model.model_.output_names == ["a", "b"]


def test_inspection(fitted):
    X, y = table()
    found = permutation_importance(fitted, X, y, n_repeats=2, random_state=0)
    assert found.importances_mean.argmin() == 2
    curve = partial_dependence(fitted, X, [0], grid_resolution=5)["average"][0]
    assert curve[-1] - curve[0] == pytest.approx(40 * np.sin(3 * 0.9), rel=0.5)


def test_persistence(fitted, tmp_path):
    X, _ = table()
    joblib.dump(fitted, tmp_path / "model.joblib")
    for again in (joblib.load(tmp_path / "model.joblib"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
        again.model_.theta[...] = 0  # the layers are views of theta again
        assert np.all(again.model_.layers[0].coef == 0)
    assert not np.all(fitted.model_.theta == 0)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_early_stopping_ends_at_the_best_point(solver):
    rng = np.random.default_rng(0)
    X, y = table(80)
    options = {**QUICK, "alpha": 1e-6, "max_iter": 300, "n_iter_no_change": 4, "batch_size": 24}
    model = KANRegressor(**options, early_stopping=True, solver=solver)
    model.fit(X, y + 10 * rng.normal(size=80))
    assert "no better" in model.history_.stop_reason
    assert np.isfinite(model.history_.validation).sum() >= 4


def test_partial_fit_learns_batch_by_batch():
    X, y = table(400)
    model = KANRegressor(hidden=3, grid=3, alpha=1e-4, batch_size=25, random_state=0)
    for epoch in range(12):
        for start in range(0, 400, 100):
            rows = slice(start, start + 100)
            model.partial_fit(X[rows], y[rows])
        if epoch == 0:
            early = model.score(X, y)
    assert model.score(X, y) > max(0.9, early)
    assert model.n_iter_ == 12 * 16
    with pytest.raises(ValueError, match="outputs"):
        model.partial_fit(X, np.column_stack([y, y]))


def test_partial_fit_goes_on_after_fit(fitted):
    X, y = table()
    model = pickle.loads(pickle.dumps(fitted)).partial_fit(X, y)
    assert model.n_iter_ == fitted.n_iter_ + 1
    assert model.score(X, y) > 0.95
    assert not np.array_equal(model.predict(X), fitted.predict(X))


def test_classes_and_their_weights():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    y = np.where(X[:, 0] + rng.normal(size=150) > 1.5, "rare", "common")
    plain = KANClassifier(**QUICK).fit(X, y)
    balanced = KANClassifier(**QUICK, class_weight="balanced").fit(X, y)
    assert (balanced.predict(X) == "rare").sum() > 1.5 * (plain.predict(X) == "rare").sum()
    assert plain.model_.classes == ["common", "rare"]
    np.testing.assert_array_equal(plain.model_.predict_class(X), plain.predict(X))
    np.testing.assert_allclose(np.exp(plain.predict_log_proba(X)), plain.predict_proba(X))
    np.testing.assert_allclose(plain.predict_proba(X).sum(axis=1), 1)


def test_partial_fit_of_classes():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    model = KANClassifier(hidden=3, grid=3, batch_size=20, random_state=0)
    with pytest.raises(ValueError, match="`classes`"):
        model.partial_fit(X, y)
    for _ in range(10):
        model.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="labels"):
        model.partial_fit(X, y + 1)


def test_the_formula_is_found_when_asked_for():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, (60, 2))
    y = 3 * X[:, 0] ** 2 + X[:, 1]
    model = KANRegressor(**{**QUICK, "hidden": ()}).fit(pd.DataFrame(X, columns=["p", "q"]), y)
    assert "formula_" not in dir(model)
    assert "_formula" not in vars(model)
    (formula,) = model.formula_
    assert "formula_" in dir(model)
    p, q = sympy.symbols("p q")
    value = sympy.lambdify([p, q], formula)(X[:, 0], X[:, 1])
    np.testing.assert_allclose(value, y, rtol=1e-3)
    assert model.formula_ is not None
    assert not model.model_.layers[0].symbolic
    with pytest.raises(AttributeError, match="before `fit`"):
        _ = KANRegressor().formula_


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": "none"}, "`alpha`"),
        ({"alpha": -1.0}, "`alpha`"),
        ({"solver": "sgd"}, "`solver`"),
        ({"loss": "log"}, "`loss`"),
        ({"max_iter": 0}, "`max_iter`"),
        ({"validation_fraction": 0.0}, "`validation_fraction`"),
        ({"hidden": (0,)}, r"`hidden\[0\]` must have a node, got 0"),
        ({"hidden": (2, "a")}, r"`hidden\[1\]` must be an integer or"),
        ({"hidden": None}, "`hidden` must be an integer or a sequence"),
        ({"hidden": 8.0}, "`hidden` must be an integer or a sequence"),
        ({"hidden": "ab"}, "`hidden` must be an integer or a sequence"),
        ({"learning_rate": "a"}, "`learning_rate` must be a finite number"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
    ],
)
def test_parameters_that_make_no_sense(options, words):
    X, y = table(20)
    with pytest.raises(ValueError, match=words):
        KANRegressor(**options).fit(X, y)


def hostile_tables():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=30)
    yield "constant columns", np.column_stack([X, np.ones(30), np.full(30, 1e9)]), y
    yield "constant target", X, np.full(30, 3.0)
    yield "few rows", X[:4], y[:4]
    yield "one row", X[:1], y[:1]
    yield "equal rows", np.repeat(X[:1], 9, axis=0), np.repeat(y[:1], 9)
    yield "huge numbers", X * 1e200, y * 1e150
    yield "tiny numbers", X * 1e-200, y * 1e-150
    yield "an outlier", np.vstack([X, [1e6, 0, 0]]), np.append(y, 0.0)
    yield "ones and zeros", (X > 0).astype(float), y
    yield "more columns than rows", np.hstack([X, rng.normal(size=(30, 40))]), y


@pytest.mark.parametrize("name", [name for name, *_ in hostile_tables()])
def test_tables_as_they_come(name):
    X, y = next((X, y) for n, X, y in hostile_tables() if n == name)
    model = KANRegressor(hidden=3, max_iter=12, random_state=0).fit(X, y)
    prediction = model.predict(X)
    assert np.all(np.isfinite(prediction))
    spread = np.ptp(y)
    assert np.all(np.abs(prediction - y.mean()) <= 2 * spread + 1e-6 * np.abs(y).max())


@pytest.mark.slow
@pytest.mark.parametrize("n_in", [3, 12])
def test_a_linear_table_is_not_overfitted(n_in):
    rng = np.random.default_rng(0)
    X, slope = rng.normal(size=(300, n_in)), rng.normal(size=n_in)
    y = X @ slope + 2 * rng.normal(size=300)
    line = LinearRegression().fit(X[:100], y[:100]).score(X[100:], y[100:])
    found = KANRegressor(random_state=0).fit(X[:100], y[:100]).score(X[100:], y[100:])
    assert found > line - 0.1
