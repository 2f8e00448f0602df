"""The fit: optimiser steps with grid updates in between, in place."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from ..network import Network
from ..objective import Objective
from .adam import Adam
from .blas import blas_threads
from .callbacks import Callback, ProgressBar, StopTraining, someone_watches
from .history import History
from .lbfgs import lbfgs_steps
from .run import NonFinite, Run
from .settings import Batch, FitSettings


def fit(
    network: Network,
    data: Batch,
    objective: Objective,
    settings: FitSettings | None = None,
    *,
    rng: np.random.Generator | None = None,
    validation: Batch | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train a network in place.

    Parameters and knots are written into the arrays of `network` after every step, so whatever
    ends the fit, an exception or Ctrl-C included, they hold the last complete step.

    Parameters
    ----------
    network : Network
        What to train; its arrays keep their identity.
    data : Batch
        The rows to learn from, in network units.
    objective : Objective
        Loss and regulariser.
    settings : FitSettings, optional
        How to train.
    rng : numpy.random.Generator, optional
        What shuffles the rows; needed for mini-batches only.
    validation : Batch, optional
        Rows whose loss is recorded, and by which `restore_best` and `patience` judge.
    callbacks : sequence of callable
        Called with a :class:`FitState` after each step; True or :class:`StopTraining` ends the fit.
    progress : bool, optional
        Show a progress bar on standard error; by default only on a terminal or in a notebook.

    Returns
    -------
    History
        The terms of the objective in each step, and why the fit ended.

    Raises
    ------
    ValueError, TypeError
        If the data or the settings do not fit the network.

    Warns
    -----
    RuntimeWarning
        If the objective or its gradient became NaN or infinite and the fit could not go on. The
        network is then at the point with the lowest objective since its grids last moved.

    Notes
    -----
    L-BFGS starts with fresh memory, and Adam with fresh moments, after each grid update. Grids are
    updated on all rows. An update moves breakpoints and so changes the function a little: it may
    raise the objective, and the history's events say from what to what.
    """
    settings = FitSettings() if settings is None else settings
    callbacks = tuple(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise TypeError(f"`callbacks` must be callables, got {type(callback).__name__}")
    run = Run(network, data.checked(network).beside(network), objective, settings)
    if validation is not None:
        run.validation = validation.checked(network, "validation").beside(network)
    advance = _optimiser(run, rng)
    bar = None
    if someone_watches() if progress is None else progress:
        bar = ProgressBar(settings.steps)
        callbacks = (*callbacks, bar)
    run.callbacks = callbacks
    try:
        with blas_threads(_edge_evaluations(run)):
            _train(run, advance)
    except BaseException as error:
        run.write()  # an interrupt may have come in the middle of a write
        run.history.stop_reason = run.history.stop_reason or f"ended by {type(error).__name__}"
        raise
    finally:
        if bar is not None:
            bar.close()
    return run.history


def _edge_evaluations(run: Run) -> int:
    return sum(layer.n_in * layer.n_out for layer in run.network.layers) * len(run.data)


def _optimiser(run: Run, rng: np.random.Generator | None) -> Callable[[int], None]:
    """Return the function that takes steps until a given number of them is reached."""
    size = run.settings.batch_size
    if run.settings.opt == "lbfgs":
        return functools.partial(lbfgs_steps, run)
    if size is None or size >= len(run.data):
        rng = np.random.default_rng(0)  # a single batch is not shuffled
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"`rng` must be a numpy.random.Generator for mini-batches, got {type(rng).__name__}"
        )
    return Adam(run, rng).steps


def _train(run: Run, advance: Callable[[int], None]) -> None:
    """Take all steps, and note why they ended."""
    failed = False
    try:
        run.begin()
        for step in run.settings.grid_update_steps() if run.moves_grids else []:
            advance(step)
            run.update_grid()
        advance(run.settings.steps)
        reason = f"all {run.settings.steps} steps taken"
    except StopTraining as stop:
        reason, failed = str(stop) or "a callback ended the fit", isinstance(stop, NonFinite)
    try:
        _settle(run)
    except NonFinite as stop:
        reason, failed = (reason if failed else str(stop)), True
    if run.settings.restore_best:
        _restore_best(run)
    run.history.stop_reason = reason
    if failed:
        warnings.warn(reason, RuntimeWarning, stacklevel=4)


def _settle(run: Run) -> None:
    """Leave the last point for the best one if it is not finite, or after L-BFGS if it is worse.

    L-BFGS may accept a point that is worse where rounding ends a line search.
    """
    terms = run.check_finite()
    if run.settings.opt == "lbfgs" and run.safe.value < terms.total:
        run.go(run.safe.point)
        run.note("restored", f"the point of step {run.safe.step} was better than the last")


def _restore_best(run: Run) -> None:
    """Return to the best point of the whole fit."""
    run.measure()
    if run.kept.point is not run.point:
        run.go(run.kept.point)
        run.note("restored", f"the point of step {run.kept.step}, with {run.kept.value:.6g}")
