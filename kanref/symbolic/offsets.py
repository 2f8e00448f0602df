"""Set to 0 the constants b and d that the data cannot tell from 0."""

from __future__ import annotations

import math

import numpy as np

from ..network import Network
from .jacobian import free_parameters, stripped, with_parameters_of
from .refit import LeastSquares, Linearised, Task

OFFSETS = (1, 3)
"""The columns of an affine that shift: b and d."""

_STEPS, _TOLERANCE = 20, 1e-6


def drop_offsets(network: Network, task: Task) -> Network:
    """Return the network without the offsets that are noise, or rounding errors.

    An offset goes, the least significant first, if the sum of squares without it, after a joint fit
    of the rest, is larger by less than log(N) times the variance of the residuals (Schwarz 1978).
    Constants that are 0 or 1 exactly stay so. Beside splines, which would take up any offset and
    take long to fit, the slight ones go together or not at all. Only for squared errors; else
    nothing is dropped.
    """
    if task.loss != "mse":
        return network
    work = stripped(network)
    settled = (work.theta == 0) | (work.theta == 1)
    free = free_parameters(work) & ~settled
    offsets = _offsets(work) & free
    now = LeastSquares(task, free).linearise(work)
    variance = _variance(now, task, int(free.sum()))
    slight = offsets & (_significance(now, free, variance) <= math.log(task.target.size))
    if slight.sum() > 1:  # most often all go, so that one fit tells
        trial = _without(now.network, slight, LeastSquares(task, free & ~slight))
        if _will_do(trial, now.cost + math.log(task.target.size) * variance, task):
            return with_parameters_of(network, trial.network)
    splines = any(np.any(layer.numeric) for layer in work.layers)  # these take up any offset
    while offsets.any() and not splines:
        variance = _variance(now, task, int(free.sum()))
        worth = _significance(now, free, variance)
        worth = np.where(offsets, worth, math.inf)
        least = int(worth.argmin())
        if worth[least] > math.log(task.target.size):
            break
        offsets[least] = False  # it goes, or stays for good
        without = free.copy()
        without[least] = False
        trial = _without(now.network, ~without & free, LeastSquares(task, without))
        if _will_do(trial, now.cost + math.log(task.target.size) * variance, task):
            now, free = trial, without
    return with_parameters_of(network, now.network)


def _offsets(work: Network) -> np.ndarray:
    """Tell which entries of theta are b or d, (P,)."""
    parts = []
    for _, name, values in work.parameters():
        part = np.zeros(values.shape, dtype=bool)
        if name == "affine":
            part[:, OFFSETS] = True
        parts.append(part.ravel())
    return np.concatenate(parts)


def _variance(now: Linearised, task: Task, n_free: int) -> float:
    """Return the variance of the residuals, at least that of rounding errors."""
    rounding = (8 * np.finfo(float).eps) ** 2 * float(np.max(task.target**2))
    return max(now.cost / max(task.target.size - n_free, 1), rounding)


def _significance(now: Linearised, free: np.ndarray, variance: float) -> np.ndarray:
    """Return theta² over its variance (Wald), (P,); infinite where theta is not free or idle."""
    R = now.triangle[: int(free.sum()), : int(free.sum())]
    spread = np.sum(np.linalg.pinv(R) ** 2, axis=1) * variance
    found = np.full(free.size, math.inf)
    acting = np.flatnonzero(free)[spread > 0]  # the others change no output
    with np.errstate(over="ignore"):
        found[acting] = now.network.theta[acting] ** 2 / spread[spread > 0]
    return found


def _will_do(trial: Linearised, bound: float, task: Task) -> bool:
    return trial.cost <= bound and math.isfinite(task.value(trial.network))


def _without(network: Network, entries: np.ndarray, solver: LeastSquares) -> Linearised:
    """Set some entries of theta to 0 and fit the others."""
    theta = network.theta.copy()
    theta[entries] = 0.0
    with np.errstate(all="ignore"):
        moved = network.with_theta(theta)
        return solver.linearise(solver.minimise(moved, _STEPS, _TOLERANCE))
