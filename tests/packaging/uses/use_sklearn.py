"""The extra sklearn: an estimator in a pipeline."""

from importlib.util import find_spec

import numpy as np
from sklearn.linear_model import LinearRegression

import kanref

assert "site-packages" in kanref.__file__, kanref.__file__
X = np.random.default_rng(0).uniform(-1, 1, (80, 2))
y = X[:, 0] ** 2 + X[:, 1]
assert LinearRegression().fit(X, y).score(X, y) < 0.99
if find_spec("kanref.sklearn"):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from kanref.sklearn import KANRegressor

    assert make_pipeline(StandardScaler(), KANRegressor()).fit(X, y).score(X, y) > 0.99
