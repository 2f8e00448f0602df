"""`KANClassifier`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import validate_data

from .estimator import KANEstimator
from .rows import Rows


class KANClassifier(ClassifierMixin, KANEstimator):
    """A Kolmogorov–Arnold network for classification, with the manners of scikit-learn.

    Two classes share one output, the logarithm of their odds; more have one output each. The
    cross-entropy is minimised, with the penalty of :class:`KANRegressor`.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weights of the classes; they multiply those of the rows. "balanced" makes those of all
        classes equal in sum, in `partial_fit` over all rows so far.
    hidden, grid, k, alpha, base_fun, extrapolate, solver, max_iter, learning_rate, batch_size, \
early_stopping, validation_fraction, n_iter_no_change, random_state, verbose
        As in :class:`KANRegressor`.

    Attributes
    ----------
    classes_ : (n_classes,)
        The labels, sorted.
    model_, history_, alpha_, alphas_, validation_losses_, feature_importances_, formula_, \
n_features_in_, feature_names_in_, n_iter_
        As in :class:`KANRegressor`; the formulas are those of the logits.

    Notes
    -----
    A row of weight 2 is a row that occurs twice, to the bit.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref.sklearn import KANClassifier
    >>> X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    >>> inside = np.where((X**2).sum(axis=1) < 0.5, "in", "out")
    >>> model = KANClassifier(hidden=(), random_state=0).fit(X[:150], inside[:150])
    >>> bool(model.score(X[150:], inside[150:]) > 0.95)
    True
    """

    classes_: np.ndarray

    def __init__(
        self,
        hidden: int | Sequence = (8,),
        *,
        grid: int = 5,
        k: int = 3,
        alpha: float | str = "auto",
        base_fun: Any = "identity",
        extrapolate: str = "linear",
        class_weight: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        learning_rate: float = 0.01,
        batch_size: int = 200,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.grid = grid
        self.k = k
        self.alpha = alpha
        self.base_fun = base_fun
        self.extrapolate = extrapolate
        self.class_weight = class_weight
        self.solver = solver
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table X (N, n_in) and labels y (N,) of any kind.

        Parameters
        ----------
        X : array or data frame
            Finite numbers, in any units.
        y : (N,)
            Labels of two or more classes.
        sample_weight : (N,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        self
        """
        X, y = self._labelled(X, y, reset=True)
        for name in ("_online", "_class_totals"):
            self.__dict__.pop(name, None)
        self.classes_ = unique_labels(y)
        rows, totals = self._rows_of(X, y, sample_weight)
        if len(self.classes_) < 2 or len(np.unique(rows.target)) < 2:
            raise ValueError(
                f"`y` must have at least 2 classes in rows of positive weight, got one class: "
                f"{self.classes_[np.unique(rows.target)]}"
            )
        self._fit_rows(rows, self._n_out)
        self.model_.classes, self._class_totals = self.classes_.tolist(), totals
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go once through some more rows with Adam, in mini-batches.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`. Without a `fit` before, the first 50 different rows, however many
            calls they take, decide the units and grids, so they should be typical of all; and
            `alpha` "auto" means 0.01.
        classes : sequence of labels, optional
            All that will occur; needed in a first call without a `fit` before.

        Returns
        -------
        self
        """
        first = "model_" not in vars(self)
        if first and classes is None:
            raise ValueError("`classes` must be given in the first call of `partial_fit`")
        X, y = self._labelled(X, y, reset=first)
        if first:
            self.classes_ = unique_labels(classes)
            if len(self.classes_) < 2:
                raise ValueError(f"`classes` must be at least 2 classes, got {self.classes_}")
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"`classes` must be those of the first call, {self.classes_}, got {classes}"
            )
        rows, totals = self._rows_of(X, y, sample_weight)
        self._partial_fit_rows(rows, self._n_out)
        self.model_.classes, self._class_totals = self.classes_.tolist(), totals
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return logits: (N,) of the second class if there are two, else (N, n_classes).

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs.
        """
        X = self._inputs(X)
        y = self.model_.predict(X)
        return y[:, 0] if y.shape[1] == 1 else y

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class, (N, n_classes).

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs.

        Returns
        -------
        (N, n_classes)
            Each row of sum 1.
        """
        logits = self.decision_function(X)
        if logits.ndim == 2:
            return softmax(logits, axis=1)
        return np.column_stack([expit(-logits), expit(logits)])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of :meth:`predict_proba`; they do not underflow.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs.

        Returns
        -------
        (N, n_classes)
            Natural logarithms.
        """
        logits = self.decision_function(X)
        if logits.ndim == 2:
            return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return -np.column_stack([np.logaddexp(0, logits), np.logaddexp(0, -logits)])

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of every row, (N,).

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs.

        Returns
        -------
        (N,)
            Labels of `classes_`.
        """
        logits = self.decision_function(X)
        index = logits.argmax(axis=1) if logits.ndim == 2 else (logits > 0).astype(int)
        return self.classes_[index]

    @property
    def _n_out(self) -> int:
        return len(self.classes_) if len(self.classes_) > 2 else 1

    def _loss(self, n_out: int) -> str:
        return "binary_cross_entropy" if n_out == 1 else "cross_entropy"

    def _labelled(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float64, ensure_all_finite=True)
        check_classification_targets(y)
        return X, column_or_1d(y, warn=True)

    def _rows_of(self, X: np.ndarray, y: np.ndarray, sample_weight: Any) -> tuple[Rows, np.ndarray]:
        """Return the rows, and the sum of the weights of each class over all rows so far.

        The sums are kept by whoever has learnt from the rows: a call that fails leaves none.
        """
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"`y` must hold labels of {self.classes_}, got {unknown}")
        rows = self._rows(X, np.searchsorted(self.classes_, y), sample_weight)
        totals = np.bincount(rows.target, rows.weight, minlength=len(self.classes_))
        totals = totals + vars(self).get("_class_totals", 0.0)
        if self.class_weight is None:
            return rows, totals
        return rows.times(self._class_weights(totals)[rows.target]), totals

    def _class_weights(self, totals: np.ndarray) -> np.ndarray:
        """Return the weight of each class; "balanced" makes the sums of their weights equal.

        scikit-learn's own count knows nothing of the weights of rows: one of weight 2 would not be
        one that occurs twice.
        """
        classes = self.classes_
        weights = compute_class_weight(self.class_weight, classes=classes, y=classes)
        if isinstance(self.class_weight, str):
            there = totals > 0
            weights = np.zeros(len(classes))
            weights[there] = totals.sum() / (there.sum() * totals[there])
        if not np.all(np.isfinite(weights)) or np.any(weights < 0):
            raise ValueError(f"`class_weight` must be finite and ≥ 0, got {self.class_weight!r}")
        return weights
