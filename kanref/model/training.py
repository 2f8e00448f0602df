"""Training, and the terms of the objective for people's own loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from .. import training
from .._arrays import Array
from ..datasets import Dataset
from ..losses import binary_cross_entropy, check_target, cross_entropy, loss_function
from ..network import DEFAULT_GROUPS, network_statistics
from ..objective import MAX_MEMORY, Objective, split
from ..regularization import Regularizer
from ..tables import (
    finite_rows,
    frame_names,
    is_frame,
    target_names,
    target_table,
    weight_vector,
)
from ..training import Batch, FitSettings, FitState, History
from . import checks
from .core import default_output_names
from .files import FileMethods


class Labels(NamedTuple):
    """What a table calls its columns, and the classes of its labels."""

    inputs: list[str]
    outputs: list[str]
    classes: list | None


_LABEL_LOSSES = (cross_entropy, binary_cross_entropy)


class TrainingMethods(FileMethods):
    """fit, reg and what they need."""

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        opt: str = "lbfgs",
        steps: int = 100,
        validation: tuple | None = None,
        sample_weight: Any = None,
        loss: str | Callable = "mse",
        lamb: float = 0.0,
        lamb_l1: float = 1.0,
        lamb_entropy: float = 2.0,
        lamb_coef: float = 0.0,
        lamb_coefdiff: float = 0.0,
        reg_metric: str = "l1",
        detach: bool = False,
        trainable: Sequence[str] = DEFAULT_GROUPS,
        max_memory: int = MAX_MEMORY,
        callbacks: Sequence[Callable] = (),
        progress: bool | None = None,
        verbose: bool | None = None,
        **settings: Any,
    ) -> History:
        """Train the model in place: minimise loss + lamb · penalty.

        Parameters
        ----------
        X : (N, n_in), data frame, or a data set
            Inputs in data units; or a :class:`~kanref.datasets.Dataset` (or a mapping as the
            paper's library has it), whose test rows then serve as `validation`.
        y : (N, n_out), (N,)
            Targets in data units, or integer labels for ``loss="cross_entropy"`` and
            ``"binary_cross_entropy"``.
        opt : {"lbfgs", "adam"}
            SciPy's L-BFGS-B on the whole batch, where a step is one iteration; or Adam in
            mini-batches.
        steps : int
            How many.
        validation : (X, y), optional
            Rows whose loss is recorded after each step, and by which `restore_best` chooses.
        sample_weight : (N,), optional
            Weights of the rows in the loss; the penalty is not weighted.
        loss : str or callable
            "mse", "mae", "huber", "cross_entropy", "binary_cross_entropy", or your own
            ``(pred, target) -> (value, dpred)``. The loss is taken in network units: those of
            `y` unless ``model.scaling`` is set.
        lamb, lamb_l1, lamb_entropy, lamb_coef, lamb_coefdiff, reg_metric, detach
            The penalty, see :class:`~kanref.regularization.Regularizer`.
        trainable : sequence of str
            Parameter groups to train: "coef", "scale_base", "scale_spline", "affine",
            "subnode_scale", "subnode_bias", "node_scale", "node_bias".
        max_memory : int
            Bound, in bytes, on the work arrays of one evaluation.
        callbacks : sequence of callable
            Called after each step with the state of the fit; True stops it.
        progress : bool, optional
            Show a progress bar; by default only on a terminal or in a notebook.
        verbose : bool, optional
            Another name of `progress`.
        **settings
            The other fields of :class:`~kanref.training.FitSettings`: `update_grid`,
            `grid_update_num`, `stop_grid_update_step`, `restore_best`, `lr`, `batch_size`, …

        Returns
        -------
        History
            Every term of the loss for each step, and why the fit stopped. ``model.history`` is
            that of all fits so far, with the steps of one that was interrupted.

        Examples
        --------
        >>> import numpy as np
        >>> from kanref import KAN
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-1, 1, (200, 2))
        >>> y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
        >>> model = KAN([2, 5, 1], grid=3, seed=0)
        >>> history = model.fit(X, y, steps=20)
        >>> bool(history.loss[-1] < 0.1 * np.var(y))
        True

        Staged training: Adam finds the valley, L-BFGS its floor, on finer and finer grids.

        >>> history = model.fit(X, y, opt="adam", steps=50, lr=0.01)
        >>> for G in (5, 10, 20):
        ...     model = model.refine(G, X)
        ...     history = history + model.fit(X, y, steps=20, update_grid=False)
        >>> bool(np.sqrt(history.loss[-1]) < 0.05)
        True
        """
        X, y, validation, labels = _unpack(X, y, validation, self._labels(X, y))
        batch = self._batch_of(X, y, loss, sample_weight, labels=labels)
        held_out = None
        if validation is not None:
            if not isinstance(validation, (tuple, list)) or len(validation) != 2:
                raise ValueError(f"`validation` must be a pair (X, y), got {type(validation)}")
            held_out = self._batch_of(
                validation[0], validation[1], loss, None, what="validation", labels=labels
            )
        regularizer = Regularizer(
            lamb, lamb_l1, lamb_entropy, lamb_coef, lamb_coefdiff, reg_metric, detach
        )
        known = {field.name for field in fields(FitSettings)}
        unknown = sorted(set(settings) - known)
        if unknown:
            raise TypeError(f"`fit` has the settings {sorted(known)}, got {unknown}")
        checks.integer("max_memory", max_memory, 1)
        settings.setdefault("grid_eps", self.grid_eps)
        plan = FitSettings(opt=opt, steps=steps, trainable=tuple(trainable), **settings)
        self.input_names, self.output_names, self.classes = labels
        found: History | None = None

        def keep(state: FitState) -> None:  # what an interrupt leaves is history as well
            nonlocal found
            found = state.history

        try:
            found = training.fit(
                self.network,
                batch,
                Objective(loss_function(loss), regularizer, max_memory),
                plan,
                rng=self.rng,
                validation=held_out,
                callbacks=(keep, *callbacks),
                progress=verbose if progress is None else progress,
            )
        finally:
            if found is not None:
                self.history = self.history + found
        return found

    def _labels(self, X: Any, y: Any = None) -> Labels:
        """Return names and classes: the model's, or those that the data bring to a nameless one.

        A data frame names the inputs if it has none of the model's names; a series or a frame of
        targets the outputs.
        """
        names, outputs = self.input_names, self.output_names
        if outputs == default_output_names(self.n_out):
            outputs = target_names(y, outputs)
        if is_frame(X) and set(names).isdisjoint(frame_names(X)):
            names = frame_names(X)
            if len(names) != self.n_in:
                raise ValueError(f"`X` must have {self.n_in} columns, got {len(names)}: {names}")
        return Labels(names, outputs, self.classes)

    def _batch_of(
        self,
        X: Any,
        y: Any,
        loss: str | Callable,
        weight: Any,
        *,
        labels: Labels,
        what: str = "X",
    ) -> Batch:
        """Check a table with its targets and convert both to network units."""
        if y is None:
            raise ValueError("`y` must be given unless `X` is a data set, got None")
        x = self._inputs(X, what, labels.inputs)
        if len(x) == 0:
            raise ValueError(f"`{what}` must have a row, got shape {x.shape}")
        finite_rows(x, what)
        classify = loss_function(loss) in _LABEL_LOSSES
        target = self._target(y, len(x), classify, labels.classes)
        target = check_target(loss, target, self.n_out)
        if not classify:
            target = self.scaling.y_to_network(target).astype(self.dtype, copy=False)
        weight = weight_vector(weight, len(x))
        return Batch(x, target, None if weight is None else weight.astype(self.dtype))

    def _target(
        self, y: Any, n_samples: int, classify: bool, classes: Sequence | None
    ) -> np.ndarray:
        """Return targets as a table, or labels as integers: their places in `classes`, if set."""
        several = classify and np.ndim(y) == 2 and np.shape(y)[1] > 1
        target = target_table(y, n_samples, self.n_out, labels=classify and not several)
        if not classify or several or classes is None:
            return target
        index = {label: number for number, label in enumerate(classes)}
        unknown = sorted({str(label) for label in target.tolist() if label not in index})
        if unknown:
            raise ValueError(f"`y` must hold labels of {list(classes)}, got {unknown}")
        return np.array([index[label] for label in target.tolist()])

    def reg(self, X: Any, reg_metric: str = "l1", *, gradient: bool = False, **factors: Any) -> Any:
        """Return the penalty on a table X (N, n_in), without its factor lamb.

        Parameters
        ----------
        X : (N, n_in) or data frame
            Inputs in data units.
        reg_metric : str
            As in :meth:`fit`.
        gradient : bool
            Also return the gradient.
        **factors
            `lamb_l1`, `lamb_entropy`, `lamb_coef`, `lamb_coefdiff`, `detach`.

        Returns
        -------
        value : float
        grads : Network
            Only with ``gradient=True``; mirrors the parameters, ``grads.theta`` is flat.
        """
        regularizer = Regularizer(**{"lamb": 1.0, "reg_metric": reg_metric, **factors})
        if regularizer.lamb != 1:
            raise ValueError("`lamb` is the factor of the penalty in a fit, `reg` has none")
        x = self._finite_inputs(X)
        if not gradient:
            sums = regularizer.needs_statistics
            return float(regularizer(self.network, self._statistics(x) if sums else None).value)
        objective = Objective(lambda pred, target, weight: (0.0, pred * 0), regularizer)
        evaluation = objective.evaluate(self.network, x, None)
        return evaluation.reg, evaluation.gradient

    def _finite_inputs(self, X: Any) -> np.ndarray:
        """Check a table that statistics are taken of: it has rows, and all are finite."""
        x = self._inputs(X)
        if len(x) == 0:
            raise ValueError(f"`X` must have a row, got shape {x.shape}")
        finite_rows(x, "X")
        return x

    def _statistics(self, x: Array) -> list:
        """Statistics of every layer at x (N, n_in), network units, in bounded memory."""
        return network_statistics(self.network, split(self.network, x, MAX_MEMORY))


def _unpack(X: Any, y: Any, validation: Any, labels: Labels) -> tuple[Any, Any, Any, Labels]:
    """Take a data set apart: training rows, validation rows unless given, names and classes."""
    if isinstance(X, Mapping) and "train_input" in X:
        X = Dataset.from_dict(X)
        X = replace(X, input_names=labels.inputs, output_names=labels.outputs)
    if not isinstance(X, Dataset):
        return X, y, validation, labels
    if y is not None:
        raise ValueError("`y` must not be given beside a data set, got both")
    y_train, y_test = X.y_train, X.y_test
    if X.classes is not None:  # a data set holds labels as their places in its classes
        y_train, y_test = (np.array(X.classes, dtype=object)[y[:, 0]] for y in (y_train, y_test))
    if validation is None and len(X.X_test):
        validation = (X.X_test, y_test)
    if len(X.input_names) == len(labels.inputs):
        outputs = X.output_names if len(X.output_names) == len(labels.outputs) else labels.outputs
        classes = labels.classes if X.classes is None else list(X.classes)
        labels = Labels(list(X.input_names), list(outputs), classes)
    return X.X_train, y_train, validation, labels
