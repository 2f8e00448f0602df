r"""Joint fit of all constants of a symbolic network, and of the splines that are left in it.

Squared errors are minimised by Levenberg's and Marquardt's method: near the solution it converges
quadratically, to rounding if the formula is the true one, where L-BFGS would crawl (J. J. Moré
1978, *The Levenberg–Marquardt algorithm*, Lecture Notes in Mathematics 630). The Jacobian is
reduced to a triangle block by block, so that memory is bounded, and JᵀJ, whose condition is that of
J squared, is never formed. Any other loss is minimised by L-BFGS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..losses import Loss, loss_function
from ..network import Network, NetworkCache, network_forward
from ..objective import Objective
from ..regularization import Regularizer
from .jacobian import free_parameters, output_jacobian, stripped, with_parameters_of

BLOCK = 2**22
"""Elements of the Jacobian that are held at a time."""

WORK = 1e8
"""Work of a moderate joint fit, as :class:`Budget` counts it."""

STEP_WORK = 2e7
"""The part of a step's work that does not depend on its size."""

_LEAST_DAMPING, _MOST_DAMPING = 1e-14, 1e8


@dataclass(frozen=True, eq=False)
class Task:
    """The data a network is fitted to.

    Attributes
    ----------
    x : (N, n_in)
        Inputs, network units.
    target : (N, n_out)
        Targets, network units; labels for classifiers.
    weight : (N,), optional
        Sample weights.
    loss : str or callable
        As in :func:`kanref.losses.loss_function`.
    """

    x: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None = None
    loss: str | Loss = "mse"

    def take(self, rows: np.ndarray) -> Task:
        """Return some of the samples."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, x=self.x[rows], target=self.target[rows], weight=weight)

    def evenly(self, rows: int) -> Task:
        """Return so many of the samples at most, evenly spaced."""
        n = len(self.x)
        return self if n <= rows else self.take(np.linspace(0, n - 1, rows).round().astype(int))

    def misfit(self, loss: float, least: float = float(np.finfo(float).tiny)) -> float:
        """Return -2 log(likelihood) but for a constant, of a loss that is at least `least`.

        N log(loss) for an error of regression, whose scale is not known; 2 N loss for the
        cross-entropies, and for the user's own loss, which is taken for one of their kind.
        """
        if not np.isfinite(loss):
            return float("inf")
        n = self.target.size
        is_error = isinstance(self.loss, str) and self.loss in ("mse", "mae", "huber")
        return n * math.log(max(loss, least)) if is_error else 2 * n * loss

    @property
    def variance(self) -> float:
        """Variance of the targets."""
        return float(np.var(self.target))

    def value(self, network: Network) -> float:
        """Return the loss of a network; infinite where it leaves the domain of a function."""
        pred = network_forward(network, self.x)[0]
        if not np.all(np.isfinite(pred)):
            return float("inf")
        value = float(loss_function(self.loss)(pred, self.target, self.weight)[0])
        return value if np.isfinite(value) else float("inf")


@dataclass(eq=False)
class Budget:
    """How many joint fits are left, and how long each may take.

    Attributes
    ----------
    steps : int
        Steps of a joint fit.
    refits : int
        Joint fits in all. Their work is limited too, to that of so many moderate ones.
    used : int
        Joint fits so far.
    work : float
        Work so far: multiplications, roughly. No clock is read, so that results can be repeated.
    """

    steps: int
    refits: int
    used: int = 0
    work: float = 0.0

    @property
    def spent(self) -> bool:
        """Whether none is left."""
        return self.used >= self.refits or self.work >= self.refits * WORK

    def step(self, rows: int, columns: int) -> None:
        """Count a step with a Jacobian of so many rows and columns."""
        self.work += rows * columns**2 + STEP_WORK


def refit(
    network: Network,
    task: Task,
    *,
    steps: int = 50,
    tolerance: float = 1e-9,
    budget: Budget | None = None,
    splines: bool = True,
) -> Network:
    """Return the network with all constants, and all splines that are left, fitted jointly.

    Parameters
    ----------
    network : Network
        The start; it stays as it is.
    task : Task
        The data and the loss.
    steps : int
        Gauss–Newton steps (or iterations of L-BFGS), at most.
    tolerance : float
        The fit ends where two steps in a row lower the loss by no more than this share of it.
    budget : Budget, optional
        What the fit is counted on; it ends where that is spent.
    splines : bool
        Whether the splines move, or the constants alone.
    """
    work = stripped(network)
    free = free_parameters(work, splines=splines)
    if budget is not None:
        budget.used += 1
    if free.any() and steps > 0:
        with np.errstate(all="ignore"):  # a step may lead too far, and is taken back
            if task.loss == "mse":
                work = LeastSquares(task, free, budget).minimise(work, steps, tolerance)
            else:
                work = _minimise_any(work, task, free, steps)
    return with_parameters_of(network, work)


@dataclass(frozen=True, eq=False)
class Linearised:
    """A network, its sum of squares, and R of the QR factorisation of [Jacobian, residual]."""

    network: Network
    cost: float
    triangle: np.ndarray  # (P + 1, P + 1), R of the QR of [J, residual]


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Levenberg–Marquardt on the free parameters of a :func:`~.jacobian.stripped` network.

    Attributes
    ----------
    task : Task
    free : (P,) of bool
        Which entries of theta are free.
    budget : Budget, optional
        What the steps are counted on.
    """

    task: Task
    free: np.ndarray
    budget: Budget | None = None

    def minimise(self, network: Network, steps: int, tolerance: float) -> Network:
        """Take damped Gauss–Newton steps."""
        if not self.free.any():
            return network
        now = self.linearise(network)
        scale = np.zeros(int(self.free.sum()))
        damping, idle = 1e-3, 0
        least = 1e-31 * self._size()
        for _ in range(steps):
            if now.cost <= least or idle >= 2:
                break
            norms = np.sqrt(np.sum(now.triangle[:, :-1] ** 2, axis=0))
            scale = np.maximum(scale, norms)
            better = None
            while better is None and damping <= _MOST_DAMPING and self._goes_on():
                step = _solve(now.triangle, scale, damping)
                better = self._try(now, step)
                damping = max(damping * _change(now, step, better), _LEAST_DAMPING)
            if better is None:
                break
            idle = idle + 1 if now.cost - better.cost <= tolerance * now.cost else 0
            now = better
        return now.network

    def _goes_on(self) -> bool:
        """Count a step; tell whether the budget allows it."""
        if self.budget is None:
            return True
        self.budget.step(self.task.target.size, int(self.free.sum()) + 1)
        return self.budget.work < self.budget.refits * WORK

    def _size(self) -> float:
        target, weight = self.task.target, self.task.weight
        weight = np.ones(len(target)) if weight is None else weight
        return float(np.sum(weight[:, None] * target**2)) + np.finfo(float).tiny

    def _try(self, now: Linearised, step: np.ndarray) -> Linearised | None:
        """Return the network after a step, None if it is no better."""
        if not np.all(np.isfinite(step)):
            return None
        theta = now.network.theta.copy()
        theta[self.free] += step
        network = now.network.with_theta(theta)
        chunks = self._chunks()
        caches = [self._forward(network, chunk) for chunk in chunks]
        cost = sum(float(np.sum(residual**2)) for residual, _ in caches)
        if not cost < now.cost:
            return None
        return self.linearise(network, caches if len(chunks) == 1 else None)

    def linearise(
        self, network: Network, caches: Sequence[tuple[np.ndarray, NetworkCache]] | None = None
    ) -> Linearised:
        """Return the sum of squares of a network with its Jacobian."""
        triangle: np.ndarray | None = None
        cost = 0.0
        for number, chunk in enumerate(self._chunks()):
            residual, cache = caches[number] if caches else self._forward(network, chunk)
            jacobian = output_jacobian(network, cache, self.free) * self._root(chunk)[:, :, None]
            block = np.concatenate([jacobian, residual[:, :, None]], axis=2)
            block = block.reshape(-1, block.shape[2])
            stack = block if triangle is None else np.concatenate([triangle, block])
            triangle = _triangle(stack)
            cost += float(np.sum(residual**2))
        assert triangle is not None
        return Linearised(network, cost, triangle)

    def _chunks(self) -> list[slice]:
        n_samples, n_out = self.task.target.shape
        size = max(1, BLOCK // (n_out * (int(self.free.sum()) + 1)))
        return [slice(start, start + size) for start in range(0, n_samples, size)]

    def _root(self, chunk: slice) -> np.ndarray:
        weight = self.task.weight
        if weight is None:
            return np.ones((1, 1))
        return np.sqrt(weight[chunk])[:, None]

    def _forward(self, network: Network, chunk: slice) -> tuple[np.ndarray, NetworkCache]:
        pred, cache = network_forward(network, self.task.x[chunk], continued=True)
        return (pred - self.task.target[chunk]) * self._root(chunk), cache


def _change(now: Linearised, step: np.ndarray, better: Linearised | None) -> float:
    """Return the factor of the damping: by how well the linear model has foretold the cost."""
    if better is None:
        return 6.0
    foretold = now.triangle[:, :-1] @ step + now.triangle[:, -1]
    expected = now.cost - float(foretold @ foretold)
    gain = (now.cost - better.cost) / expected if expected > 0 else 1.0
    return 0.1 if gain > 0.75 else 0.5 if gain > 0.25 else 2.5


def _triangle(matrix: np.ndarray) -> np.ndarray:
    """Return R of the QR factorisation."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


def _solve(triangle: np.ndarray, scale: np.ndarray, damping: float) -> np.ndarray:
    """Return the step δ that minimises ‖J δ + r‖² + damping · ‖scale · δ‖²."""
    n = scale.size
    scale = np.maximum(scale, 1e-10 * scale.max() + np.finfo(float).tiny)
    augmented = np.zeros((triangle.shape[0] + n, n + 1))
    augmented[: triangle.shape[0]] = triangle
    augmented[triangle.shape[0] :, :n] = np.diag(np.sqrt(damping) * scale)
    R = _triangle(augmented)
    try:
        return -np.linalg.solve(R[:n, :n], R[:n, n])
    except np.linalg.LinAlgError:
        return np.full(n, np.nan)


def _minimise_any(network: Network, task: Task, free: np.ndarray, steps: int) -> Network:
    """Minimise a loss that is no sum of squares by L-BFGS."""
    from scipy.optimize import minimize

    objective = Objective(loss_function(task.loss), Regularizer())
    theta = network.theta.copy()

    def full(values: np.ndarray) -> np.ndarray:
        moved = theta.copy()
        moved[free] = values
        return moved

    def evaluate(values: np.ndarray) -> tuple[float, np.ndarray]:
        now = objective.evaluate(network.with_theta(full(values)), task.x, task.target, task.weight)
        return now.total, now.gradient.theta[free].astype(float)

    found = minimize(
        evaluate,
        theta[free],
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "ftol": 1e-15, "gtol": 1e-12},
    )
    return network.with_theta(full(found.x)) if np.isfinite(found.fun) else network
