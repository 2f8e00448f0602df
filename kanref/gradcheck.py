r"""Is the manual backward pass right? Two oracles that know nothing about it.

Central differences, :math:`f'(x) \approx [f(x + h) - f(x - h)] / 2h`, need only values, but lose
digits: small h cancels, large h bends. The complex step, :math:`f'(x) \approx \Im f(x + ih) / h`
(Squire & Trapp 1998), subtracts nothing, so h may be tiny and the result is exact to rounding. It
needs a function that is holomorphic near the real axis, and the reference of this package is one:
comparisons look at real parts, and \|z\| stands for sign(Re z)·z.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._arrays import Array
from .gradient_report import GradientReport, GradientRow
from .network import PARAMETERS, Network, NetworkCache, network_backward, network_forward
from .objective import Objective
from .regularization import Penalty

DIFFERENCE_TOLERANCE = 1e-7
COMPLEX_TOLERANCE = 1e-12

_STEP = 2.0**-17  # about the cube root of the rounding error, where both errors balance
_IMAGINARY_STEP = 1e-20


def check_gradients(
    model: Any,
    x: Array,
    dy: Array | None = None,
    *,
    objective: Objective | None = None,
    target: Array | None = None,
    weight: Array | None = None,
    sample: int | None = 100,
    seed: int = 0,
) -> GradientReport:
    """Check the manual backward pass against central differences and complex steps.

    What is differentiated is Σ y·dy, or the whole objective of a fit, with respect to every
    parameter, those of the nodes included, and to the inputs. It is done in double precision
    whatever the model's dtype.

    Parameters
    ----------
    model : KAN or Network
        What to check; it stays as it is.
    x : (N, n_in)
        Inputs, in network units. Those on a breakpoint of a spline of degree 0 or 1, or on another
        kink, have no derivative to compare.
    dy : (N, n_out), optional
        Cotangent of the outputs; random by default.
    objective : Objective, optional
        Check the loss and the penalty of this objective instead.
    target, weight : arrays, optional
        What the objective compares with, and weights of the rows.
    sample : int or None
        Check at most so many entries of each array, drawn at random; None checks all.
    seed : int
        For the random draws.

    Returns
    -------
    GradientReport
        With ``.ok``, ``.worst``, ``.to_pandas()`` and ``.plot()``.

    Raises
    ------
    ValueError
        If shapes do not fit, or both `dy` and `objective` are given.

    Notes
    -----
    A penalty with ``detach=True`` leaves out part of the gradient on purpose, and will not agree.
    The complex step is right only for functions that follow the rule of this module: a function of
    your own that takes the absolute value by ``np.abs`` makes it wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> x = np.random.default_rng(1).uniform(-1, 1, (7, 2))
    >>> report = check_gradients(KAN([2, 3, 1], seed=0), x)
    >>> report.ok, len(report.rows)
    (True, 15)
    """
    problem = _problem(model, x, objective, target, weight)
    rng = np.random.default_rng(seed)
    if objective is None:
        problem = replace(problem, dy=_cotangent(dy, problem, rng))
    elif dy is not None:
        raise ValueError("`dy` must not be given beside `objective`, got both")
    manual = problem.gradient()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rows = []
        for where, group, start, stop in problem.arrays():
            entries = np.arange(start, stop)
            if sample is not None and len(entries) > sample:
                entries = np.sort(rng.choice(entries, sample, replace=False))
            rows.append(_check(problem, manual, entries, (where, group, stop - start)))
        return GradientReport(rows, *_curves(problem, manual))


@dataclass(frozen=True, eq=False)
class _Problem:
    """A real function of one vector z: the inputs, then all parameters."""

    network: Network
    x: np.ndarray  # (N, n_in)
    dy: np.ndarray | None  # (N, n_out), where the function is Σ y·dy
    objective: Objective | None
    target: Array | None
    weight: Array | None

    @property
    def z(self) -> np.ndarray:
        """The point where the derivatives are taken."""
        return np.concatenate([self.x.ravel(), self.network.theta])

    def terms(self, z: np.ndarray) -> np.ndarray:
        """Return numbers whose sum is the value at z, real or complex."""
        x = z[: self.x.size].reshape(self.x.shape)
        network = self.network.with_theta(z[self.x.size :])
        if np.iscomplexobj(z):  # a complex copy of the reference, whoever computes otherwise
            network = replace(network, backend="numpy")
        if self.objective is None:
            return np.ravel(network_forward(network, x)[0] * self.dy)
        pred, _, penalty = self._parts(self.objective, network, x)
        loss, _ = self.objective.loss(pred, self.target, self.weight)
        return np.array([loss, self.objective.regularizer.lamb * penalty.value])

    def gradient(self) -> np.ndarray:
        """Return the gradient at z by the manual backward pass."""
        if self.objective is None:
            _, cache = network_forward(self.network, self.x)
            dx, grads = network_backward(self.network, cache, self.dy)
            return np.concatenate([dx.ravel(), grads.theta])
        found = self.objective.evaluate(self.network, self.x, self.target, self.weight)
        # The objective has no use for its derivative with respect to the inputs.
        pred, cache, penalty = self._parts(self.objective, self.network, self.x)
        _, dpred = self.objective.loss(pred, self.target, self.weight)
        cotangents = penalty.scaled(self.objective.regularizer.lamb).cotangents
        dx, _ = network_backward(self.network, cache, dpred, cotangents)
        return np.concatenate([dx.ravel(), found.gradient.theta])

    @staticmethod
    def _parts(
        objective: Objective, network: Network, x: np.ndarray
    ) -> tuple[np.ndarray, NetworkCache, Penalty]:
        """Return the predictions, the cache of the forward pass, and the penalty."""
        sums = objective.regularizer.needs_statistics
        pred, cache = network_forward(network, x, sums=sums, continued=True)
        return pred, cache, objective.regularizer(network, cache.statistics if sums else None)

    def arrays(self) -> list[tuple[str, str, int, int]]:
        """Return (where, group, start, stop) of every array in z that is not empty."""
        found, start = [("inputs", "x", 0, self.x.size)], self.x.size
        for number, group, values in self.network.parameters():
            if values.size:
                found.append((f"layer {number}", group, start, start + values.size))
            start += values.size
        return found


def _problem(
    model: Any, x: Array, objective: Objective | None, target: Array | None, weight: Array | None
) -> _Problem:
    """Copy the network with all groups in theta and everything in double precision."""
    network = getattr(model, "network", model).regroup(PARAMETERS)
    network = network.map(lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a)
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != network.n_in or not len(x):
        raise ValueError(f"`x` must have shape (N, {network.n_in}) with N >= 1, got {x.shape}")
    if objective is not None and target is None:
        raise ValueError("`target` must be given with `objective`, got None")
    return _Problem(network, x, None, objective, target, weight)


def _cotangent(dy: Array | None, problem: _Problem, rng: np.random.Generator) -> np.ndarray:
    shape = (len(problem.x), problem.network.n_out)
    dy = rng.normal(size=shape) if dy is None else np.asarray(dy, dtype=np.float64)
    if dy.shape != shape:
        raise ValueError(f"`dy` must have shape {shape}, got {dy.shape}")
    return dy


def _central(problem: _Problem, direction: np.ndarray, h: float) -> float:
    """Return the derivative along a direction by a central difference."""
    up, down = problem.z + h * direction, problem.z - h * direction
    return float(np.sum(problem.terms(up) - problem.terms(down)) / (2 * h))


def _forward(problem: _Problem, direction: np.ndarray, h: float) -> float:
    """Return the derivative along a direction by a forward difference."""
    z = problem.z
    return float(np.sum(problem.terms(z + h * direction) - problem.terms(z)) / h)


def _complex(problem: _Problem, direction: np.ndarray, h: float) -> float:
    """Return the derivative along a direction by a complex step; NaN where that is impossible."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            terms = problem.terms(problem.z + 1j * h * direction)
    except (TypeError, np.exceptions.ComplexWarning):
        return float("nan")
    return float(np.sum(terms.imag) / h) if np.iscomplexobj(terms) else float("nan")


def _check(
    problem: _Problem, manual: np.ndarray, entries: np.ndarray, name: tuple[str, str, int]
) -> GradientRow:
    """Compare some entries of an array with both oracles."""
    differences, complexes = [], []
    for entry in entries:
        unit = np.zeros(len(manual))
        unit[entry] = 1.0
        differences.append(_central(problem, unit, _STEP))
        complexes.append(_complex(problem, unit, _IMAGINARY_STEP))
    checked = manual[entries]
    difference = _relative(checked, np.array(differences))
    complex_step = _relative(checked, np.array(complexes))
    # What rounding alone does to a difference of values of this size.
    noise = 16 * np.finfo(float).eps * np.sum(np.abs(problem.terms(problem.z))) / _STEP
    near = float(np.max(np.abs(checked - differences))) <= noise
    ok = difference <= DIFFERENCE_TOLERANCE or near
    ok = ok and not complex_step > COMPLEX_TOLERANCE
    where, group, size = name
    return GradientRow(where, group, size, len(entries), difference, complex_step, ok)


def _relative(manual: np.ndarray, oracle: np.ndarray) -> float:
    """Return max|manual - oracle| / max|oracle|; 0 where both vanish."""
    error, size = np.max(np.abs(manual - oracle)), np.max(np.abs(oracle))
    return 0.0 if error == 0 else float(error / size)


def _curves(problem: _Problem, manual: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return step sizes, and the error of each oracle along the gradient at each of them."""
    steps = 10.0 ** -np.arange(1, 15.5, 0.5)
    norm = np.linalg.norm(manual)
    direction = manual / norm if norm > 0 else manual
    oracles = {
        "forward difference": _forward,
        "central difference": _central,
        "complex step": _complex,
    }
    curves = {
        name: np.array([abs(oracle(problem, direction, h) - norm) / norm for h in steps])
        for name, oracle in oracles.items()
    }
    if not np.any(np.isfinite(curves["complex step"])):
        del curves["complex step"]
    return steps, curves
