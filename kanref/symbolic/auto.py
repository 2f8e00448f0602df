"""Snap a whole network: from splines to functions, fitted jointly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np

from .._arrays import Array, to_numpy
from ..functions import FUNCTIONS, Function, resolve_library
from ..losses import Loss, check_target, mse
from ..network import Network
from ..training.blas import blas_threads
from .candidates import Library
from .edges import Edge, live_edges, row_of
from .families import family
from .finish import finished
from .fit import Range
from .plan import Choice, SymbolicPlan
from .planner import Planner
from .refit import Task

SEARCH_SAMPLES = 2000
"""The search runs on so many samples at most, evenly spaced; the last fit is on all of them."""


def auto_symbolic(
    network: Network,
    x: Array,
    target: Array,
    *,
    lib: Iterable[str | Function] | None = None,
    functions: Mapping[str, Function] | None = None,
    r2_threshold: float = 0.9,
    weight_simple: float = 0.8,
    a_range: Range = (-10.0, 10.0),
    b_range: Range = (-10.0, 10.0),
    top: int = 5,
    loss: str | Loss = "mse",
    weight: Array | None = None,
    refit_steps: int = 50,
    max_refits: int = 300,
) -> Network:
    """Return a network whose edges follow functions, chosen by the loss of the whole.

    The splines of all live edges become functions c·f(a·x + b) + d. Which, is decided by how well
    the network fits the target after a joint fit of all constants, and by the complexity of the
    functions, see :mod:`kanref.symbolic.search`; a good fit to a single spline only makes a
    function a candidate. Edges that are symbolic already keep their functions.

    Parameters
    ----------
    network : Network
        Stays as it is.
    x : (N, n_in)
        Inputs, in network units.
    target : (N, n_out)
        Targets, in network units; class labels (N,) with a loss for classification.
    lib : iterable of str or Function, optional
        What to try. Default: the whole library and `functions`. An edge may always become nothing,
        the function "0": whatever the functions, their factor c may be 0.
    functions : mapping of name to Function, optional
        Functions beside those of the library.
    r2_threshold : float
        An edge that no function fits with an r² of at least this stays a spline, and is fitted
        jointly with the rest. 0 snaps every edge.
    weight_simple : float
        How candidates are ranked, see :func:`~kanref.symbolic.suggest`.
    a_range, b_range : (float, float)
        Where the one-edge fits start, see :func:`~kanref.symbolic.fit_edge`.
    top : int
        Candidates of an edge.
    loss : str or callable
        As in :func:`kanref.losses.loss_function`. "mse" is minimised by Levenberg–Marquardt.
    weight : (N,), optional
        Sample weights.
    refit_steps : int
        Steps of a joint fit.
    max_refits : int
        Joint fits in all, about, a quarter for each of four stages (see
        :class:`~kanref.symbolic.planner.Planner`). Large networks get fewer, because the work is
        limited too.

    Returns
    -------
    Network
        It shares no array with the old one. The splines are kept below the functions, for
        :func:`~kanref.symbolic.unfix_symbolic`.

    Raises
    ------
    ValueError
        If a setting, `x` or `target` breaks its rule.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> from kanref.symbolic import auto_symbolic, symbolic_formula
    >>> x = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    >>> model = KAN([1, 1], grid=5)
    >>> _ = model.fit(x, np.exp(2 * x), steps=20)
    >>> network = auto_symbolic(model.network, x, np.exp(2 * x))
    >>> symbolic_formula(network, input_names=["x"], round_to=6)
    [exp(2*x)]
    """
    return symbolic_plan(
        network,
        x,
        target,
        lib=lib,
        functions=functions,
        r2_threshold=r2_threshold,
        weight_simple=weight_simple,
        a_range=a_range,
        b_range=b_range,
        top=top,
        loss=loss,
        weight=weight,
        refit_steps=refit_steps,
        max_refits=max_refits,
    ).network


def symbolic_plan(
    network: Network,
    x: Array,
    target: Array,
    *,
    lib: Iterable[str | Function] | None = None,
    functions: Mapping[str, Function] | None = None,
    r2_threshold: float = 0.9,
    weight_simple: float = 0.8,
    a_range: Range = (-10.0, 10.0),
    b_range: Range = (-10.0, 10.0),
    top: int = 5,
    loss: str | Loss = "mse",
    weight: Array | None = None,
    refit_steps: int = 50,
    max_refits: int = 300,
) -> SymbolicPlan:
    """Report what :func:`auto_symbolic` does, with the same arguments, and its network."""
    if not 0 <= r2_threshold <= 1:
        raise ValueError(f"`r2_threshold` must be within 0 and 1, got {r2_threshold}")
    for name, value in (("top", top), ("refit_steps", refit_steps), ("max_refits", max_refits)):
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1, got {value}")
    task = _task(network, x, target, loss, weight)
    chosen = _with_nothing(tuple(resolve_library(lib, functions).values()))
    search = partial(
        Planner,
        library=Library(chosen, a_range, b_range, weight_simple, top),
        steps=refit_steps,
        max_refits=max_refits,
        r2_threshold=r2_threshold,
    )
    return _planned(network, task, search)


def _with_nothing(functions: tuple[Function, ...]) -> tuple[Function, ...]:
    """Return the functions with a constant among them, so that an edge may become nothing."""
    constant = any(family(function).constant for function in functions)
    return functions if constant else (*functions, FUNCTIONS["0"])


def _task(
    network: Network, x: Array, target: Array, loss: str | Loss, weight: Array | None
) -> Task:
    """Check the data, and take it in double precision."""
    x = to_numpy(x)
    if x.ndim != 2 or x.shape[1] != network.n_in:
        raise ValueError(f"`x` must have shape (N, {network.n_in}), got {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError("`x` must be finite, got NaN or infinity")
    if loss is mse:
        loss = "mse"
    y = to_numpy(check_target(loss, to_numpy(target), network.n_out))
    if len(y) != len(x):
        raise ValueError(f"`target` must have {len(x)} rows as `x` has, got {len(y)}")
    y = y.astype(float) if y.dtype.kind == "f" else y
    if weight is not None:
        weight = to_numpy(weight).astype(float)
        if weight.shape != (len(x),):
            raise ValueError(f"`weight` must have shape ({len(x)},), got {weight.shape}")
    return Task(x.astype(float), y, weight, loss)


def _planned(
    network: Network, task: Task, planner: Callable[[Network, Task], Planner]
) -> SymbolicPlan:
    """Search on some of the samples, fit on all, and report."""
    precise = network.map(lambda a: to_numpy(a).astype(float if a.dtype.kind == "f" else bool))
    search = planner(precise, task.evenly(SEARCH_SAMPLES))
    edges = live_edges(precise, symbolic=False)
    with blas_threads(len(live_edges(precise)) * len(task.x)):
        trial = search.run()
        found = trial.network if trial is not None else precise
        unchanged = trial is None and edges  # but if all is symbolic, the joint fit is wanted
        final = precise if unchanged else finished(precise, found, task, search.steps)
    choices = [_choice(final, edge, search.r2.get(edge, math.nan)) for edge in edges]
    like = network.theta.dtype
    result = final.map(lambda a: a.astype(like) if a.dtype.kind == "f" else a.copy())
    before, after = task.value(precise), task.value(final)
    return SymbolicPlan(result, tuple(choices), before, after, search.refits)


def _choice(network: Network, edge: Edge, r2: float) -> Choice:
    l, i, j = edge
    layer = network.layers[l]
    row = row_of(layer, i, j)
    if row is None:
        return Choice(edge, None, None, r2)
    return Choice(edge, layer.symbolic[row].function, layer.affine[row].copy(), r2)
