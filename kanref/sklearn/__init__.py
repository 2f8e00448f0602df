"""Estimators for scikit-learn: `KANRegressor` and `KANClassifier` (extra ``sklearn``).

``rows``        distinct rows with their weights, and their scaling
``grids``       grids that follow the bulk of the data
``roughness``   the smooth penalty of the estimators
``path``        from stiff to flexible, and how flexible cross-validation wants it
``online``      training on one mini-batch after another
``estimator``   what both estimators share; ``regressor`` and ``classifier`` are the two
"""

from __future__ import annotations

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:  # pragma: no cover - needs an environment without scikit-learn
    raise ImportError("kanref.sklearn needs scikit-learn: pip install 'kanref[sklearn]'") from error

from .classifier import KANClassifier
from .regressor import KANRegressor

__all__ = ["KANClassifier", "KANRegressor"]
