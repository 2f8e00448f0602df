"""What the two estimators share: parameters, the course of a fit, what is known afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..model import KAN, checks
from ..scaling import LARGEST, check_sizes
from ..sizes import MOST_TRAINED
from ..training import Batch, FitSettings, History
from . import path
from .online import Online
from .rows import Rows, distinct_rows, folds, standard_scaling

FORMULA_ROWS = 1000
"""So many training rows at most are kept, for the formula."""


class KANEstimator(BaseEstimator):
    """The common part of :class:`KANRegressor` and :class:`KANClassifier`."""

    hidden: int | Sequence
    grid: int
    k: int
    alpha: float | str
    base_fun: Any
    extrapolate: str
    solver: str
    max_iter: int
    learning_rate: float
    batch_size: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    random_state: Any
    verbose: bool

    model_: KAN
    history_: History
    _sample: Rows

    # --- fitting --------------------------------------------------------------------------------

    def _fit_rows(self, rows: Rows, n_out: int) -> None:
        """Fit to the rows: choose the penalty, walk down to it, train at it."""
        self._check_parameters()
        rng = self._generator()
        if len(rows) < 1:
            raise ValueError("`sample_weight` must be positive somewhere, got no such row")
        model = self._new_model(rows, n_out, rng)
        model.scaling = standard_scaling(rows, n_out, final=True)
        varies = rows.X.min(axis=0) < rows.X.max(axis=0)
        if varies.any():  # nothing would tell what the edges of a constant column should be
            model.network.layers[0].mask[~varies] = False
        start = model.network.copy()
        walk = path.Walk(start.copy, self._loss(n_out), max(1, self.max_iter // 4))

        def to_batch(some: Rows) -> Batch:
            return some.batch(model.scaling)

        part = path.part_of(rows, rng)
        if self.alpha == "auto":
            choice = path.choose_alpha(walk, part, to_batch, rng)
            alpha = choice.alpha * len(part) / len(rows)  # noise averages out over more rows
            self.alphas_, self.validation_losses_ = choice.alphas, choice.losses
            alphas = [a for a in path.ALPHAS if a >= choice.alpha]
        else:
            alpha = float(self.alpha)
            alphas = [*(a for a in path.ALPHAS if a > alpha), alpha]
            self.alphas_, self.validation_losses_ = np.array([alpha]), np.array([])
        train, held_out = self._held_out(rows, rng)
        part = part if train is rows else path.part_of(train, rng)
        network, history = walk.down_to(walk.new_network(), to_batch(part), alphas)
        network, more = path.last_stage(
            walk,
            network,
            to_batch(train),
            alpha,
            self._settings(),
            None if held_out is None else to_batch(held_out),
            rng,
            bool(self.verbose),
        )
        model.network, self.alpha_ = network, alpha
        self._keep(model, history + more, rows, rng)

    def _partial_fit_rows(self, rows: Rows, n_out: int) -> None:
        """Go once through the rows; the first calls also set scaling and grids."""
        self._check_parameters()
        fitted = "model_" in vars(self)
        if not len(rows):
            raise ValueError("`sample_weight` must be positive somewhere, got no such row")
        if fitted:
            model, history = self.model_, self.history_
        else:
            model, history = self._new_model(rows, n_out, self._generator()), History()
        alpha = getattr(self, "alpha_", path.ALPHA_OF_FEW)
        if self.alpha != "auto":
            alpha = float(self.alpha)
        online = vars(self).get("_online")
        if online is None:
            online = Online(model, None if fitted else rows.take(np.arange(0)))
        online.adjust(model, rows)
        rng = model.rng
        objective = path.Walk(model.network.copy, self._loss(n_out), 1).objective(alpha)
        n_before = online.steps
        batch = rows.batch(model.scaling)
        online.epoch(model, batch, objective, self._settings("adam"), rng)
        history.n_evaluations += online.steps - n_before
        n_iter = getattr(self, "n_iter_", 0) + online.steps - n_before
        seen = rows.and_more(self._sample) if fitted else rows
        self._keep(model, history, seen, rng)
        self._online, self.n_iter_, self.alpha_ = online, n_iter, alpha

    def _new_model(self, rows: Rows, n_out: int, rng: np.random.Generator) -> KAN:
        """Return an untrained model with scaling, names and classes."""
        width = [rows.X.shape[1], *self._hidden(), n_out]
        self._check_size(width)
        model = KAN(
            width,
            grid=self.grid,
            k=self.k,
            base_fun=self.base_fun,
            extrapolate=self.extrapolate,
            spline_scale=False,
            seed=rng,
        )
        model.scaling = standard_scaling(rows, n_out)
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        if names and len(set(names)) == len(names):
            model.input_names = names
        return model

    def _keep(self, model: KAN, history: History, rows: Rows, rng: np.random.Generator) -> None:
        """Keep what a fit leaves."""
        self.__dict__.pop("_formula", None)
        self.model_, self.history_ = model, history
        model.history = history
        self.n_iter_ = max(1, len(history))
        kept = np.sort(rng.permutation(len(rows))[:FORMULA_ROWS])
        self._sample = rows.take(kept)

    @property
    def feature_importances_(self) -> np.ndarray:
        """Scores of the inputs on rows that the fit has seen, 1000 at most, of sum 1: (n_in,)."""
        if "model_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} has no importances before `fit`")
        scores = np.nan_to_num(np.asarray(self.model_.attribute(self._sample.X).feature_scores))
        total = scores.sum()
        return scores / total if total > 0 else scores

    def _held_out(self, rows: Rows, rng: np.random.Generator) -> tuple[Rows, Rows | None]:
        """Cut off the rows that early stopping watches."""
        n_parts = max(2, round(1 / self.validation_fraction))
        if not self.early_stopping or len(rows) < 2 * n_parts:
            return rows, None
        train, held = folds(rows, n_parts, rng)[0]
        return rows.take(train), rows.take(held)

    # --- parameters -----------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        """Raise unless the parameters make sense; the model checks those that it is made of."""
        checks.choice("solver", self.solver, ("lbfgs", "adam"))
        if not isinstance(self.alpha, str):
            checks.number("alpha", self.alpha, low=0)
        elif self.alpha != "auto":
            raise ValueError(f"`alpha` must be 'auto' or a number ≥ 0, got {self.alpha!r}")
        if self.early_stopping not in (True, False):
            raise ValueError(f"`early_stopping` must be True or False, got {self.early_stopping!r}")
        if not checks.number("learning_rate", self.learning_rate) > 0:
            raise ValueError(f"`learning_rate` must be positive, got {self.learning_rate!r}")
        checks.integer("max_iter", self.max_iter, 1)
        checks.integer("batch_size", self.batch_size, 1)
        checks.integer("n_iter_no_change", self.n_iter_no_change, 1)
        fraction = checks.number("validation_fraction", self.validation_fraction, 0, 0.5)
        if fraction == 0:
            raise ValueError("`validation_fraction` must be greater than 0, got 0")

    def _hidden(self) -> list:
        """Return the hidden layers as the `width` of KAN has them."""
        if isinstance(self.hidden, Integral):
            return [self.hidden]
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Iterable):
            raise ValueError(
                f"`hidden` must be an integer or a sequence of them, got {self.hidden!r}"
            )
        return list(self.hidden)

    def _check_size(self, width: list) -> None:
        """Raise if the network is too large to be trained; what makes no sense, KAN tells."""
        try:
            sums, arities = checks.width(width, 2)
        except ValueError as error:
            place = re.sub(r"`width\[(\d+)\]`", lambda m: f"`hidden[{int(m[1]) - 1}]`", str(error))
            raise ValueError(place.replace("`width`", "`hidden`")) from None
        grids = checks.per_layer("grid", self.grid, len(width) - 1, least=1)
        degrees = checks.per_layer("k", self.k, len(width) - 1, least=0)
        sizes = checks.shapes(sums, arities, grids, degrees)
        checks.size("`hidden`, `grid` and `k`", sizes, MOST_TRAINED)

    def _settings(self, solver: str | None = None) -> FitSettings:
        """Return how to train in the last stage."""
        stop: dict[str, Any] = {}
        if self.early_stopping:
            stop = {"patience": self.n_iter_no_change, "restore_best": True}
        if (solver or self.solver) == "lbfgs":
            return FitSettings(steps=self.max_iter, **stop)
        return FitSettings(
            opt="adam",
            steps=self.max_iter,
            lr=self.learning_rate,
            batch_size=self.batch_size,
            **stop,
        )

    def _generator(self) -> np.random.Generator:
        """Return the generator of a fit, from scikit-learn's kinds of seeds."""
        state = check_random_state(self.random_state)
        return np.random.default_rng(int(state.randint(np.iinfo(np.int32).max)))

    def _loss(self, n_out: int) -> str:
        raise NotImplementedError

    # --- data -----------------------------------------------------------------------------------

    def _inputs(self, X: Any) -> np.ndarray:
        """Check a table to predict from: (N, n_in)."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        check_sizes(X, "X", getattr(self, "feature_names_in_", ()))
        return X

    def _rows(self, X: np.ndarray, target: np.ndarray, sample_weight: Any) -> Rows:
        """Check the sizes of the numbers, and merge equal rows."""
        check_sizes(X, "X", getattr(self, "feature_names_in_", ()))
        check_sizes(target.reshape(len(target), -1), "y")
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if not weight.max(initial=0.0) <= LARGEST / len(weight):
                got = f"got one of {weight.max():g}"
                raise ValueError(f"`sample_weight` must be at most {LARGEST:g} in sum, {got}")
        return distinct_rows(X, target, weight)

    # --- the formula ----------------------------------------------------------------------------

    @property
    def formula_(self) -> list[Any]:
        """One SymPy expression for each output, in data units; logits of a classifier.

        Found when it is first asked for, which may take minutes: edges that do not matter are
        pruned from a copy of the model, and the others are snapped to functions of the library
        (:meth:`kanref.KAN.auto_symbolic`), judged on the training rows, of which up to 1000 are
        kept. ``model_`` stays as it is.
        """
        if "_formula" not in vars(self):
            if "model_" not in vars(self):
                raise AttributeError(f"this {type(self).__name__} has no `formula_` before `fit`")
            self._formula = self._find_formula()
        return self._formula

    def _find_formula(self) -> list[Any]:
        sample, model = self._sample, self.model_.copy()
        target: np.ndarray = sample.target
        if sample.classify and model.classes is not None:
            target = np.array(model.classes, dtype=object)[sample.target]
        if not all(len(layer.symbolic) for layer in model.layers):
            model = model.prune(sample.X)
            model = model.auto_symbolic(
                sample.X, target, r2_threshold=0.0, loss=self._loss(model.n_out)
            )
        return model.symbolic_formula()

    def __dir__(self) -> Iterable[str]:
        """List the attributes; a formula that would have to be found first is left out.

        Whoever goes through all attributes, as notebooks do to show them, shall not wait for it.
        """
        known = "_formula" in vars(self)
        return [
            name
            for name in object.__dir__(self)  # scikit-learn's own would ask for each of them
            if (known if name == "formula_" else hasattr(self, name))
        ]
