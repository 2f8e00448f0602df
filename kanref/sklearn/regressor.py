"""`KANRegressor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from ..model import checks
from .estimator import KANEstimator


class KANRegressor(RegressorMixin, KANEstimator):
    r"""A Kolmogorov–Arnold network for regression, with the manners of scikit-learn.

    Inputs and outputs are standardised inside, by the network's own scaling, so that no scaler is
    needed and formulas and exports speak the units of the data. By default cross-validation within
    `fit` chooses how smooth the splines are: minimised is

    .. math:: \text{loss} + \alpha P

    in standardised units, with P the roughness of the splines and a tenth of their squared sizes,
    and α between 1 and 10⁻⁶ (:mod:`kanref.sklearn.path`, :mod:`kanref.sklearn.roughness`).

    Parameters
    ----------
    hidden : int or sequence of int
        Nodes of the hidden layers, as in the `width` of :class:`kanref.KAN`; ``()`` for none, which
        makes an additive model.
    grid, k : int
        Grid intervals and spline degree.
    alpha : float or "auto"
        Factor of the penalty.
    base_fun, extrapolate
        As in :class:`kanref.KAN`. With "identity" a spline that is ironed out leaves a line.
    loss : {"mse", "mae", "huber"}
        What is minimised, in standardised units.
    solver : {"lbfgs", "adam"}
        Optimiser of the last stage: L-BFGS on all rows, or Adam on mini-batches.
    max_iter : int
        Iterations of L-BFGS, or mini-batches of Adam, in the last stage; each factor on the path
        to it gets a quarter.
    learning_rate, batch_size
        Of Adam, in `partial_fit` too.
    early_stopping : bool
        Hold out `validation_fraction` of the rows in the last stage, end it after
        `n_iter_no_change` measurements without improvement, and keep the best point.
    validation_fraction : float
        At most 0.5; the rows are cut into n parts, and it is 1/n for the nearest n.
    n_iter_no_change : int
        Measurements are taken after each iteration of L-BFGS, or each epoch of Adam.
    random_state : int, RandomState or None
        For the initial network, the cut into folds and the order of mini-batches.
    verbose : bool
        Show a progress bar for the last stage.

    Attributes
    ----------
    model_ : KAN
        The trained network.
    history_ : History
        Of the fit on all rows, from the stiffest penalty to the chosen one.
    alpha_ : float
        The factor of the penalty.
    alphas_, validation_losses_ : (n,)
        The factors that were tried, and their losses in cross-validation.
    feature_importances_ : (n_in,)
        Scores of the inputs on the training rows (:meth:`kanref.KAN.attribute`), of sum 1.
    formula_ : list
        One SymPy expression for each output, found when first asked for.
    n_features_in_, feature_names_in_, n_outputs_, n_iter_
        As everywhere in scikit-learn.

    Notes
    -----
    A row of weight 2 is a row that occurs twice, and one of weight 0 is none: the fits are equal
    to the bit, as equal rows are merged first.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref.sklearn import KANRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (200, 2))
    >>> y = 20 + np.sin(3 * X[:, 0]) * X[:, 1]
    >>> model = KANRegressor(hidden=4, random_state=0).fit(X[:150], y[:150])
    >>> bool(model.score(X[150:], y[150:]) > 0.99)
    True
    """

    def __init__(
        self,
        hidden: int | Sequence = (8,),
        *,
        grid: int = 5,
        k: int = 3,
        alpha: float | str = "auto",
        base_fun: Any = "identity",
        extrapolate: str = "linear",
        loss: str = "mse",
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
        self.loss = loss
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
        """Fit to a table X (N, n_in) and targets y, (N,) or (N, n_out).

        Parameters
        ----------
        X, y : array or data frame
            Finite numbers, in any units.
        sample_weight : (N,), optional
            Weights of the rows, ≥ 0.

        Returns
        -------
        self
        """
        checks.choice("loss", self.loss, ("mse", "mae", "huber"))
        names = _output_names(y)
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        target = self._set_outputs(y)
        self.__dict__.pop("_online", None)
        self._fit_rows(self._rows(X, target, sample_weight), target.shape[1])
        self._name_outputs(names)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go once through some more rows with Adam, in mini-batches.

        Without a :meth:`fit` before, the first 50 different rows, however many calls they take,
        decide the units and grids, so they should be typical of all; and `alpha` "auto" means 0.01,
        for there is nothing to choose it by.

        Parameters
        ----------
        X : (n, n_in) or data frame
            Inputs of a mini-batch.
        y : (n,) or (n, n_outputs)
            Targets.
        sample_weight : (n,), optional
            Weights of the rows.

        Returns
        -------
        self
        """
        checks.choice("loss", self.loss, ("mse", "mae", "huber"))
        names = _output_names(y)
        first = "model_" not in vars(self)
        X, y = validate_data(
            self, X, y, reset=first, dtype=np.float64, multi_output=True, y_numeric=True
        )
        if not first and np.shape(y)[1:] != ((self.n_outputs_,) if self._matrix else ()):
            raise ValueError(
                f"`y` must have {self.n_outputs_} outputs as in the first call, got {y.shape}"
            )
        target = self._set_outputs(y)
        self._partial_fit_rows(self._rows(X, target, sample_weight), target.shape[1])
        if first:
            self._name_outputs(names)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict from a table X (N, n_in): (N,), or (N, n_out) if `y` was a matrix.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs.

        Returns
        -------
        (N,) or (N, n_outputs)
            In the units of the targets.
        """
        X = self._inputs(X)
        y = self.model_.predict(X)
        return y if self._matrix else y[:, 0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _set_outputs(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, dtype=np.float64)
        self._matrix = y.ndim == 2
        target = y.reshape(len(y), -1)
        self.n_outputs_ = target.shape[1]
        return target

    def _name_outputs(self, names: list[str]) -> None:
        if len(names) == self.n_outputs_ and len(set(names)) == len(names):
            self.model_.output_names = names

    def _loss(self, n_out: int) -> str:
        return self.loss


def _output_names(y: Any) -> list[str]:
    """Return the names that a series or frame of targets brings."""
    if isinstance(getattr(y, "name", None), str):
        return [y.name]
    columns = list(getattr(y, "columns", []))
    return columns if all(isinstance(name, str) for name in columns) else []
