r"""Search for the functions of all edges together, by the loss of the network they make.

A spline is known to a few digits, and to a few digits many functions look alike: cos with a small a
is a parabola, sinh far out is exp. What tells them apart is the whole network. With the true
functions a joint fit of all constants takes the loss down to the noise, without noise to rounding;
with imitations it does not. So functions compete by

.. math:: N \log(\text{loss}) + \log(N) \sum \text{price}

(G. Schwarz 1978, Ann. Statist. 6, 461, with the price of a function, see
:func:`kanref.symbolic.families.price`, in place of the number of parameters; a spline that is left
costs its coefficients), after a joint fit each. Trying all combinations would take too long. The
search

1. snaps every edge to the function that suits its spline best, in small parts of the network
   (:mod:`kanref.symbolic.fewer`), and if that does not end it, in all of it, and with sharper
   splines (:mod:`kanref.symbolic.sharpen`); :mod:`kanref.symbolic.planner` says in which order,
2. gives all edges at once the simplest functions that are not far off,
3. if that is worse than the splines, snaps the edges one by one, with a joint fit of functions and
   splines after each,
4. exchanges one function at a time against the next best of that edge,
5. takes one edge back to a spline, fits that in the company of the functions of all others, which
   shows its shape more sharply, and exchanges again,
6. when the loss is down to rounding, replaces functions by simpler ones where it stays there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..functions import Function
from ..network import Network
from .candidates import COARSEST, Candidates, Library, simplest
from .constants import EdgeFit
from .edges import Edge, used_inputs, with_symbolic, without
from .families import family, price
from .refit import Budget, Task, refit
from .release import released

EXACT = 1e-20
"""Share of the variance of the target below which a loss is rounding error."""

COARSE = 1e-3
"""Tolerance of the joint fits of the search."""

_FIRST_STEPS, _FIRST_TOLERANCE, _NEAR = 12, 1e-2, 2.0


@dataclass(frozen=True, eq=False)
class Trial:
    """One choice of functions, jointly fitted."""

    functions: Mapping[Edge, Function]
    network: Network
    loss: float
    score: float


@dataclass(eq=False)
class SymbolicSearch:
    """The search on one network.

    Attributes
    ----------
    base : Network
        The network whose edges are splines.
    task : Task
        The samples to search on.
    library : Library
        What edges may become.
    budget : Budget
        Of joint fits.
    """

    base: Network
    task: Task
    library: Library
    budget: Budget
    _tried: set[tuple] = field(default_factory=set)

    def snap(self, candidates: Candidates) -> Trial:
        """Give every edge the function that suits its spline best, else the simplest close ones."""
        best = self._snap({edge: fits[0] for edge, fits in candidates.items()})
        return best if self._done(best) else self._all_simple(best, candidates)

    def improve(self, best: Trial, candidates: Candidates) -> Trial:
        """Exchange functions until the loss is down to rounding, or nothing helps any more."""
        best = self._all_simple(best, candidates)
        if not self._done(best) and best.loss > self.task.value(self.base):
            best = min(best, self._one_by_one(candidates), key=lambda trial: trial.score)
        if all(best.functions[e] in [f.function for f in fits] for e, fits in candidates.items()):
            best = self._exchange(best, candidates)
        before = None
        while best is not before and not self._done(best):
            before = best
            best = self._release(best)
        return best

    def simplify(self, best: Trial, candidates: Candidates) -> Trial:
        """Where the loss is down to rounding, keep it there with simpler functions."""
        if not self.is_exact(best):
            return best
        best = self._all_simple(best, candidates)
        for edge in sorted(best.functions, reverse=True):  # from the outputs: what they do without
            simpler = self.library.simpler(best.network, edge, best.functions[edge], self.task)
            for fit in simpler:
                if family(fit.function).constant and not _dispensable(best.network, edge):
                    continue
                functions = {**best.functions, edge: fit.function}
                snapped = with_symbolic(best.network, {edge: (fit.function, fit.affine)})
                trial = self._fitted(snapped, functions, best)
                if self.is_exact(trial):
                    best = trial
                    break
        return best

    # --- moves --------------------------------------------------------------------------------

    def _snap(self, fits: Mapping[Edge, EdgeFit], best: Trial | None = None) -> Trial:
        """Make every edge what fits its spline, and fit jointly."""
        functions = {edge: fit.function for edge, fit in fits.items()}
        snapped = with_symbolic(self.base, {e: (f.function, f.affine) for e, f in fits.items()})
        return self._fitted(snapped, functions, best)

    def _all_simple(self, best: Trial, candidates: Candidates) -> Trial:
        """Give all edges at once the simplest function that is not far off."""
        for tolerance, order in itertools.product(
            (1e-5, 1e-3, COARSEST), (self.library.functions, ())
        ):
            fits = {edge: simplest(fits, tolerance, order) for edge, fits in candidates.items()}
            if self._is_new({edge: fit.function for edge, fit in fits.items()}):
                trial = self._snap(fits, best)
                best = trial if trial.score < best.score else best
        return best

    def _one_by_one(self, candidates: Candidates) -> Trial:
        """Snap one edge after the other, the surest first, with a joint fit of splines between."""
        network, functions = self.base, {}
        for edge in sorted(candidates, key=lambda e: candidates[e][0].unexplained):
            for fit in self.library.candidates(network, edge, self.task)[:3]:
                snapped = with_symbolic(network, {edge: (fit.function, fit.affine)})
                fitted = self._refit(snapped, _FIRST_STEPS, _FIRST_TOLERANCE)
                functions[edge] = fit.function
                if math.isfinite(self.task.value(fitted)):
                    break  # every sample is in the domain of every function
            network = fitted
        return self._fitted(network, functions)

    def _exchange(self, best: Trial, candidates: Candidates) -> Trial:
        """Exchange one function at a time against another that suits the spline."""
        chosen = {
            edge: next(fit for fit in fits if fit.function is best.functions[edge])
            for edge, fits in candidates.items()
        }
        improved = True
        while improved:
            improved = False
            for edge, fits in candidates.items():
                for fit in fits:
                    if self._done(best):
                        return best
                    if self._is_new({**best.functions, edge: fit.function}):
                        trial = self._snap({**chosen, edge: fit}, best)
                        if trial.score < best.score:
                            best, improved = trial, True
                            chosen[edge] = fit
        return best

    def _release(self, best: Trial) -> Trial:
        """Fit one edge at a time by a spline among the functions of all others, and exchange."""
        for edge in list(best.functions):
            if self._done(best):
                break
            loose = released(best.network, edge, self.task.x)
            loose = self._refit(loose, self.budget.steps, _FIRST_TOLERANCE)
            fits = self.library.candidates(loose, edge, self.task)
            for fit in fits:
                functions = {**best.functions, edge: fit.function}
                if not self._done(best) and self._is_new(functions, released=True):
                    snapped = with_symbolic(loose, {edge: (fit.function, fit.affine)})
                    trial = self._fitted(snapped, functions, best)
                    best = trial if trial.score < best.score else best
        return best

    # --- trials -------------------------------------------------------------------------------

    def _fitted(
        self, snapped: Network, functions: Mapping[Edge, Function], best: Trial | None = None
    ) -> Trial:
        """Fit all constants jointly, and score; to convergence only if it comes near the best."""
        self._is_new(functions)
        network = self._refit(snapped, _FIRST_STEPS, _FIRST_TOLERANCE)
        trial = self._trial(network, functions)
        if best is None or trial.loss < _NEAR * max(best.loss, 1e6 * self._least):
            network = self._refit(network, self.budget.steps, COARSE)
            trial = self._trial(network, functions)
        return trial

    def _trial(self, network: Network, functions: Mapping[Edge, Function]) -> Trial:
        loss = self.task.value(network)
        return Trial(functions, network, loss, self._score(network, loss, functions))

    def _refit(self, network: Network, steps: int, tolerance: float) -> Network:
        steps = min(steps, self.budget.steps)
        return refit(network, self.task, steps=steps, tolerance=tolerance, budget=self.budget)

    def _is_new(self, functions: Mapping[Edge, Function], *, released: bool = False) -> bool:
        """Tell whether this choice has not been tried, from the same kind of start; note it."""
        key = (released, *(functions[edge].name for edge in sorted(functions)))
        new = key not in self._tried
        self._tried.add(key)
        return new

    def _score(self, network: Network, loss: float, functions: Mapping[Edge, Function]) -> float:
        prices = sum(price(function) for function in functions.values())
        splines = sum(int(np.sum(layer.numeric)) * (layer.G + layer.k) for layer in network.layers)
        unit = math.log(max(self.task.target.size, 2))
        return self.task.misfit(loss, self._least) + unit * (prices + splines)

    @property
    def _least(self) -> float:
        """The loss below which there are only rounding errors."""
        return max(EXACT * self.task.variance, np.finfo(float).tiny)

    def is_exact(self, trial: Trial) -> bool:
        """Tell whether the loss of a trial is down to rounding."""
        return self.task.loss == "mse" and trial.loss <= self._least

    def _done(self, best: Trial) -> bool:
        return self.is_exact(best) or self.budget.spent


def _dispensable(network: Network, edge: Edge) -> bool:
    """Tell whether the outputs see as many inputs without an edge."""
    return used_inputs(without(network, [edge])) == used_inputs(network)
