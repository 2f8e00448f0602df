"""scikit-learn's own checks of estimators, none exempt."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kanref.sklearn import KANClassifier, KANRegressor

QUICK = {"hidden": 3, "grid": 3, "alpha": 1e-3, "max_iter": 30}


@parametrize_with_checks(
    [
        KANRegressor(**QUICK),
        KANClassifier(**QUICK),
    ]
)
def test_check_estimator(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        KANRegressor(),
        KANClassifier(),
        KANRegressor(solver="adam", early_stopping=True),
        KANClassifier(solver="adam", class_weight="balanced"),
    ]
)
def test_check_estimator_as_it_comes(estimator, check):
    check(estimator)
