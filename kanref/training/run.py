"""The state of one fit: where it stands, the best points so far, and what each step does to them.

The optimisers propose points; :class:`Run` evaluates them, records the steps, moves the grids and
writes every accepted point into the arrays of the network that is being trained. Whatever happens
in between, an error or an interrupt, those arrays hold the last accepted point.
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

import numpy as np

from .._arrays import Array, namespace, to_numpy
from ..grids import update_grid
from ..losses import mse
from ..network import Network, network_forward
from ..nodes import NODE_PARAMETERS
from ..objective import Evaluation, Objective, split
from .callbacks import Callback, FitState, StopTraining, call_all
from .history import Event, History, Record
from .settings import Batch, FitSettings

ROUNDING = 4.0
"""Errors of so many units in the last place of a target, in the root mean square, are rounding."""


class Point(NamedTuple):
    """Where a fit stands; its arrays are never written."""

    theta: Array  # (P,), float64; on the host for L-BFGS, else where the network is
    knots: tuple[np.ndarray, ...]  # of each layer


class Terms(NamedTuple):
    """The objective at a point."""

    total: float
    loss: float
    reg: float
    gradient: np.ndarray  # (P,), float64

    @property
    def finite(self) -> bool:
        """Whether the objective and its gradient are finite."""
        return math.isfinite(self.total) and bool(np.all(np.isfinite(self.gradient)))


@dataclass
class Best:
    """The point with the lowest value so far."""

    point: Point
    value: float = math.inf
    step: int = 0

    def offer(self, point: Point, value: float, step: int) -> bool:
        """Keep the point if it is better, and tell whether it was."""
        better = value < self.value  # never for NaN
        if better:
            self.point, self.value, self.step = point, value, step
        return better


class Run:
    """One fit under way.

    Attributes
    ----------
    point : Point
        The last accepted point.
    step : int
        Steps taken.
    total : float
        The objective at `point`, as far as it is known.
    safe : Best
        The lowest objective since the grids last moved: where to return to when a step fails.
    kept : Best
        The best point of the whole fit, for `restore_best` and `patience`.
    """

    def __init__(
        self, network: Network, data: Batch, objective: Objective, settings: FitSettings
    ) -> None:
        self.network = network
        self.data = data
        self.objective = objective
        self.settings = settings
        self.validation: Batch | None = None
        self.callbacks: tuple[Callback, ...] = ()
        self.history = History()
        groups = settings.trainable or network.groups
        same = set(groups) == set(network.groups)
        self._template = network.copy() if same else network.regroup(groups)
        if self._template.theta.size == 0:
            raise ValueError(f"`trainable` must name parameters of the network, got {groups}: none")
        self.on_host = settings.opt == "lbfgs"  # where theta lives: SciPy wants it on the host
        self.point = self._point(self._template)
        self._template = _with_knots(self._template, self.point.knots)
        self.step = 0
        self.total = math.nan
        self.safe = Best(self.point)
        self.kept = Best(self.point)
        self._stale = 0  # measurements since `kept` improved
        self._known: tuple[np.ndarray, Terms] | None = None
        self._work: Evaluation | None = None  # the last one; its arrays are used again
        self._sent: np.ndarray | None = None  # the theta of the host that a device holds
        self._started = time.perf_counter()

    # --- evaluation ---

    def evaluate(self, theta: np.ndarray, batch: Batch | None = None) -> Terms:
        """Return the objective and its gradient at `theta`, on all rows or on a mini-batch."""
        if batch is None and self._known is not None:
            known, terms = self._known
            if np.array_equal(theta, known, equal_nan=True):
                return terms
        network = self._at(theta)
        rows = self.data if batch is None else batch
        self.history.n_evaluations += 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._work = self.objective.evaluate(
                network, rows.x, rows.target, rows.weight, reuse=self._work
            )
        result = self._work
        gradient = self._double(result.gradient.theta)
        terms = Terms(result.total, result.loss, result.reg, gradient)
        if batch is None:
            self._known = (theta.copy(), terms)
        return terms

    def validation_loss(self) -> float:
        """Return the loss on the validation rows at the present point; NaN without any."""
        if self.validation is None:
            return math.nan
        network = self._at(self.point.theta)
        chunks = split(network, self.validation.x, self.objective.max_memory)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            # As predict does.
            parts = [network_forward(network, x, slopes="none")[0] for x in chunks]
            batch = self.validation
            return float(self.objective.loss(np.concat(parts), batch.target, batch.weight)[0])

    # --- moving ---

    def accept(self, theta: np.ndarray, terms: Terms, *, here: bool, measure: bool) -> None:
        """End a step at `theta`: write it into the network, record it, ask whether to go on.

        `terms` are what the history shows of the step, and `here` says whether they belong to
        `theta`; with `measure`, the step counts for `restore_best` and `patience`.
        """
        self.point = Point(theta, self.point.knots)
        self.write()
        self.step += 1
        asked = measure and self.chooses and self.validation is None
        self.total = terms.total if here else self.evaluate(theta).total if asked else math.nan
        self.safe.offer(self.point, self.total, self.step)
        validation = self.validation_loss() if measure else math.nan
        norm = float(np.linalg.norm(terms.gradient))
        seconds = time.perf_counter() - self._started
        record = Record(self.step, terms.total, terms.loss, terms.reg, validation, norm, seconds)
        self.history.records.append(record)
        if measure:
            self._compare(self.total if self.validation is None else validation)
        call_all(
            self.callbacks,
            FitState(self.step, self.settings.steps, record, self.network, self.history),
        )
        if self.settings.patience is not None and self._stale >= self.settings.patience:
            raise StopTraining(
                f"{self._stale} measurements in a row no better than that of step {self.kept.step}"
            )

    def check_gradient(self, terms: Terms) -> None:
        """End the fit where the gradient is within the tolerance."""
        if np.max(np.abs(terms.gradient)) <= self.settings.tolerance:
            raise StopTraining(f"no entry of the gradient exceeds {self.settings.tolerance:g}")

    def check_rounding(self, terms: Terms) -> None:
        """End the fit where the predictions are the targets, but for rounding.

        A line search finds nothing there but noise, and takes many evaluations to say so.
        """
        if terms.loss <= self._rounding and self.objective.regularizer.lamb == 0:
            raise StopTraining("the predictions are the targets, to rounding")

    def go(self, point: Point) -> None:
        """Move to a point whose knots may be others."""
        self._template = _with_knots(self._template, point.knots)
        self._known = self._work = None
        self.point = point
        self.write()

    def write(self) -> None:
        """Write the present point into the arrays of the network that is being trained."""
        source = self._at(self.point.theta)
        for number, name, values in source.parameters():
            owner = self.network.nodes if name in NODE_PARAMETERS else self.network.layers
            getattr(owner[number], name)[...] = values
        for layer, knots in zip(self.network.layers, self.point.knots, strict=True):
            layer.knots[...] = knots

    def begin(self) -> None:
        """Evaluate the starting point, which must be finite."""
        terms = self.evaluate(self.point.theta)
        if not terms.finite:
            raise NonFinite("the objective or its gradient is not finite at the start")
        self._settle(terms)
        if self.chooses or self.validation is not None:
            self.measure()

    def check_finite(self) -> Terms:
        """Return the terms at the present point; if they are not finite, restore and give up."""
        terms = self.evaluate(self.point.theta)
        if not terms.finite:
            self.give_up(self.step)
        return terms

    def give_up(self, step: int) -> NoReturn:
        """Restore the best point since the grids last moved, and end the fit."""
        self.go(self.safe.point)
        raise NonFinite(
            f"the objective or its gradient is not finite in step {step}; "
            f"the point of step {self.safe.step} was restored"
        )

    @property
    def chooses(self) -> bool:
        """Whether anybody asks which point is the best."""
        return self.settings.restore_best or self.settings.patience is not None

    @property
    def moves_grids(self) -> bool:
        """Whether a grid update would do anything that the settings allow."""
        numeric = any(bool(np.any(layer.numeric)) for layer in self._template.layers)
        return numeric and "coef" in self._template.groups

    def measure(self) -> None:
        """Compare the present point with the best one, on validation or on all rows."""
        if self.validation is None:
            self._compare(self.evaluate(self.point.theta).total)
        else:
            self._compare(self.validation_loss())

    def update_grid(self) -> None:
        """Move the grids to the data; back again if the objective is then no longer finite."""
        old, before = self.check_finite().total, self.point
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            moved = update_grid(self._at(before.theta), self.data.x, self.settings.grid_eps)
        self.go(self._point(moved))
        terms = self.evaluate(self.point.theta)
        if not terms.finite:
            self.go(before)
            self.note("grid", "grid update undone: the objective was no longer finite")
            return
        self.note("grid", f"grid update: objective {old:.6g} became {terms.total:.6g}")
        self.safe = Best(self.point)
        self._settle(terms)

    def note(self, kind: str, text: str) -> None:
        """Enter an event into the history."""
        self.history.events.append(Event(self.step, kind, text))

    # --- inside ---

    def _settle(self, terms: Terms) -> None:
        self.total = terms.total
        self.safe.offer(self.point, terms.total, self.step)

    @functools.cached_property
    def _rounding(self) -> float:
        """The loss that rounding errors make up; less than any loss where it is not known."""
        if self.objective.loss is not mse:
            return -math.inf
        zero, rows = self.data.target * 0, self.data
        size = float(self.objective.loss(zero, rows.target, rows.weight)[0])  # mean of target²
        return (ROUNDING * float(np.finfo(self.network.theta.dtype).eps)) ** 2 * size

    def _compare(self, value: float) -> None:
        better = self.kept.offer(self.point, value, self.step)
        self._stale = 0 if better else self._stale + 1

    def _point(self, network: Network) -> Point:
        """Copy the parameters and knots of a network."""
        knots = tuple(layer.knots.copy() for layer in network.layers)
        return Point(self._double(network.theta), knots)

    def _double(self, theta: Array) -> Array:
        """Copy a vector of parameters to where the optimiser works, in double precision."""
        return (to_numpy(theta) if self.on_host else theta).astype(np.float64)

    def _at(self, theta: np.ndarray) -> Network:
        """Return the network at theta; the next call moves it on."""
        there = self._template.theta
        if not self.on_host or namespace(there) is np:
            there[...] = theta
        elif self._sent is None or not np.array_equal(theta, self._sent, equal_nan=True):
            there[...] = namespace(there).asarray(theta)
            self._sent = theta.copy()
        return self._template


class NonFinite(StopTraining):
    """The objective or its gradient is NaN or infinite, and there is no way on."""


def _with_knots(network: Network, knots: tuple[Array, ...]) -> Network:
    layers = [replace(layer, knots=t) for layer, t in zip(network.layers, knots, strict=True)]
    return replace(network, layers=tuple(layers))
