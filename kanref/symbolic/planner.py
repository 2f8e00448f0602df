"""The stages of a search: parts of the network first, then all of it, then sharper splines."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..network import Network
from .candidates import Candidates, Library
from .edges import Edge, live_edges
from .families import family
from .fewer import Parts, criterion, n_free
from .refit import Budget, Task
from .search import SymbolicSearch, Trial
from .sharpen import Sharpener


@dataclass(eq=False)
class Planner:
    """Which functions the edges of one network get.

    Attributes
    ----------
    given : Network
        Stays as it is.
    task : Task
        The samples to search on.
    library : Library
        What edges may become.
    steps, max_refits : int
        Of the joint fits, see :func:`~kanref.symbolic.auto_symbolic`.
    r2_threshold : float
        Edges that no function fits so well stay splines.
    r2 : dict
        Of the function that fits an edge best, for the edges that were looked at.
    """

    given: Network
    task: Task
    library: Library
    steps: int
    max_refits: int
    r2_threshold: float
    r2: dict[Edge, float] = field(default_factory=dict)
    _budgets: list[Budget] = field(default_factory=list)

    def run(self) -> Trial | None:
        """Return the best choice of functions; None where not a single edge can be snapped."""
        part, enough = self._on_parts()
        found = [trial for trial in (part, None if enough else self._on_whole()) if trial]
        best = min(found, key=lambda trial: trial.score, default=None)
        if best is None or self._as_good(best.network):
            return best
        return self._surer()

    @property
    def refits(self) -> int:
        """Number of joint fits."""
        return sum(budget.used for budget in self._budgets)

    # --- stages -------------------------------------------------------------------------------

    def _on_parts(self) -> tuple[Trial | None, bool]:
        """Search on parts with fewer nodes; tell whether what is found leaves nothing to find.

        So it is if the formula is exact, or explains as much as sharper splines of that part do.
        """
        if live_edges(self.given, symbolic=True):
            return None, False
        budget = self._budget()
        tried: list[tuple[Trial, Network]] = []
        for part in Parts(self.given, self.task, budget).good():
            trial, search, candidates = self._snapped(part, budget)
            if trial is not None and search.is_exact(trial):
                return search.simplify(trial, candidates), True
            if trial is not None:
                tried.append((trial, part))
        if not tried:
            return None, False
        trial, part = min(tried, key=lambda pair: pair[0].score)
        sharper, bound = self._on_sharpened(part, budget, budget)
        best = min((t for t in (trial, sharper) if t), key=lambda t: t.score)
        return best, best.score <= bound or self._search(part, budget).is_exact(best)

    def _on_whole(self) -> Trial | None:
        """Search on the network as it is and, unless that ends it, on sharpened splines."""
        trial, search, candidates = self._snapped(self.given, self._budget())
        if not self.r2:
            return None
        if trial is None or not search.is_exact(trial):
            sharper, _ = self._on_sharpened(self.given, self._budget(), self._budget())
            if trial is not None and (sharper is None or sharper.loss > self._given_loss):
                trial = search.improve(trial, candidates)
            if trial is None or (sharper is not None and sharper.score < trial.score):
                return sharper
        return search.simplify(trial, candidates)

    def _on_sharpened(
        self, network: Network, sharpening: Budget, searching: Budget
    ) -> tuple[Trial | None, float]:
        """Search on splines that are sharper, and fewer.

        Return also the criterion of those splines.
        """
        sharp = Sharpener(network, self.task, sharpening).run()
        trial, search, candidates = self._snapped(sharp, searching)
        if trial is not None:
            trial = search.simplify(search.improve(trial, candidates), candidates)
        return trial, criterion(sharp, self.task)

    def _snapped(
        self, network: Network, budget: Budget
    ) -> tuple[Trial | None, SymbolicSearch, Candidates]:
        """Give every edge of a network the function that suits its spline best."""
        search, candidates = self._search(network, budget), self._candidates(network)
        return (search.snap(candidates) if candidates else None), search, candidates

    def _surer(self) -> Trial | None:
        """Snap fewer and fewer edges of the given network, until that costs no accuracy."""
        search, candidates = self._search(self.given, self._budget()), self._candidates(self.given)
        sure = 1 - self.r2_threshold
        while candidates:
            sure = min(sure, max(1 - self.r2[edge] for edge in candidates)) / 10
            candidates = {e: c for e, c in candidates.items() if 1 - self.r2[e] <= sure}
            trial = search.snap(candidates) if candidates else None
            if trial is not None and self._as_good(trial.network):
                return trial
        return None

    def _as_good(self, network: Network) -> bool:
        """Tell whether a network with splines left in it foretells as well as the given one.

        By generalised cross-validation (P. Craven & G. Wahba 1978, Numer. Math. 31, 377). Where no
        spline is left, the formula is what was asked for, whatever it costs.
        """
        if self.task.loss != "mse" or not any(np.any(layer.numeric) for layer in network.layers):
            return True
        return self._foretold(network) <= self._foretold(self.given)

    def _foretold(self, network: Network) -> float:
        share = n_free(network) / self.task.target.size
        return self.task.value(network) / (1 - share) ** 2 if share < 1 else math.inf

    # --- helpers ------------------------------------------------------------------------------

    @property
    def _given_loss(self) -> float:
        return self.task.value(self.given)

    def _search(self, base: Network, budget: Budget) -> SymbolicSearch:
        return SymbolicSearch(base, self.task, self.library, budget)

    def _budget(self) -> Budget:
        """Return a quarter of the joint fits, for one of four stages."""
        self._budgets.append(Budget(self.steps, max(1, self.max_refits // 4)))
        return self._budgets[-1]

    def _candidates(self, network: Network) -> Candidates:
        """Return what to try for each edge; edges that nothing fits well enough are left out."""
        found: Candidates = {}
        for edge in live_edges(network, symbolic=False):
            fits = self.library.candidates(network, edge, self.task)
            self.r2[edge] = max(fit.r2 for fit in fits)
            if self.r2[edge] >= self.r2_threshold:
                constant = [fit for fit in fits if family(fit.function).constant]
                good = [f for f in fits if f.r2 >= self.r2_threshold and f not in constant]
                found[edge] = good + constant
        return found
