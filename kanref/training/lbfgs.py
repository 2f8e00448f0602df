"""L-BFGS: SciPy's, on the flat vector of parameters; a step is one of its iterations.

Liu & Nocedal (1989), *On the limited memory BFGS method for large scale optimization*. SciPy's own
stopping rules are switched off: its default `ftol` is absolute where the objective is below 1, and
would end a fit at a loss of about 1e-9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .callbacks import StopTraining
from .run import Run, Terms

PROGRESS = 1e-7
"""A fresh start that lowers the objective by a smaller share than this was in vain."""

SHORTEST = 16.0**-5
"""How far the first trial of a fresh start is shortened before a fit gives up."""


class _TrialNotFinite(Exception):
    """The line search came to a point where the objective or its gradient is not finite."""


def lbfgs_steps(run: Run, end: int) -> None:
    """Take steps until there are `end` of them, from fresh memory.

    When a line search fails, or meets a point that is not finite, its best point is the end of the
    step, and L-BFGS starts again from there, as long as each start brings the objective down. The
    first trial of a start is at a distance of 1; where that is no longer finite, a start with a
    shorter one follows.

    Raises
    ------
    StopTraining
        If a fresh start makes no progress, or none is left to be made.
    """
    scale = 1.0
    run.check_rounding(run.evaluate(run.point.theta))  # before the grids move, too
    while run.step < end:
        before = run.total
        why, finite = _start(run, end, scale)
        if run.step >= end:
            return
        progress = before - run.total > _least_progress(run) * abs(before)
        if finite and not progress:
            raise StopTraining(f"no further progress: {why}")
        if finite:
            scale = 1.0
        elif not progress:
            scale /= 16
            if scale < SHORTEST:
                run.give_up(run.step + 1)
        run.note("restart", f"L-BFGS started afresh: {why}")


def _start(run: Run, end: int, scale: float) -> tuple[str, bool]:
    """Run SciPy from the present point until it ends; say why, and whether all was finite.

    It works on z = theta / scale, so that its first trial, at a distance of 1, is at `scale`; the
    scale is a power of 2 and rounds nothing. Entries that are not finite, of dead edges, stay out.
    """
    from scipy.optimize import minimize

    start = run.point.theta
    free = np.isfinite(start)
    best: tuple[np.ndarray, Terms] | None = None

    def place(z: np.ndarray) -> np.ndarray:
        theta = start.copy()
        theta[free] = z * scale
        return theta

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best
        theta = place(z)
        terms = run.evaluate(theta)
        if not terms.finite:
            raise _TrialNotFinite
        if best is None or terms.total < best[1].total:
            best = theta, terms
        return terms.total, terms.gradient[free] * scale

    def accept(intermediate_result: Any) -> None:  # SciPy looks at the argument's name
        theta = place(intermediate_result.x)
        take(theta, run.evaluate(theta))  # the last evaluation, which the run remembers

    def take(theta: np.ndarray, terms: Terms) -> None:
        run.accept(theta, terms, here=True, measure=True)
        run.check_gradient(terms)
        run.check_rounding(terms)

    settings, n_steps = run.settings, end - run.step
    options: Any = {
        "maxiter": n_steps,
        "maxfun": 4 * (n_steps + 1) * (settings.line_search + 1),
        "maxcor": settings.memory,
        "maxls": settings.line_search,
        "ftol": 0.0,
        "gtol": 0.0,
    }
    z = start[free] / scale
    try:
        result = minimize(
            objective, z, jac=True, method="L-BFGS-B", callback=accept, options=options
        )
        why, finite = str(result.message).strip(": "), True
    except _TrialNotFinite:
        why, finite = "a trial point was not finite", False
    if run.step < end and best is not None and best[1].total < run.total:
        take(*best)
    return why, finite


def _least_progress(run: Run) -> float:
    return max(PROGRESS, 10 * float(np.finfo(run.network.theta.dtype).eps))
