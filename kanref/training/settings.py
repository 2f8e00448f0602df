"""What a fit is given: the rows to learn from, and how to go about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

from .._arrays import Array, namespace
from ..bspline_knots import check_integer
from ..network import PARAMETERS, Network

OPTIMISERS = ("lbfgs", "adam")


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows to learn from, in network units.

    Attributes
    ----------
    x : (N, n_in)
        Inputs.
    target : (N, n_out) or (N,)
        What the loss compares the predictions with.
    weight : (N,) or None
        Weights of the rows in the loss.
    """

    x: Array
    target: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def rows(self, index: Array) -> Batch:
        """Return some of the rows.

        Parameters
        ----------
        index : (n,)
            Their numbers, or a mask.
        """
        index = namespace(self.x).asarray(index)
        weight = None if self.weight is None else self.weight[index]
        return Batch(self.x[index], self.target[index], weight)

    def beside(self, network: Network) -> Batch:
        """Return the batch where the network is: on its device, or as it is."""
        xp = namespace(network.theta)
        weight = None if self.weight is None else xp.asarray(self.weight)
        return Batch(xp.asarray(self.x), xp.asarray(self.target), weight)

    def checked(self, network: Network, name: str = "data") -> Batch:
        """Return the batch as arrays of the network's dtype; labels stay integers.

        Parameters
        ----------
        network : Network
            Which is to learn from it.
        name : str
            What error messages call it.

        Raises
        ------
        ValueError
            If shapes do not fit, there are no rows, or a number is not finite.
        """
        dtype = network.theta.dtype
        x = np.asarray(self.x, dtype=dtype)
        if x.ndim != 2 or x.shape[1] != network.n_in or not len(x):
            rule = f"`{name}.x` must have shape (N, {network.n_in}) with N >= 1"
            raise ValueError(f"{rule}, got {x.shape}")
        target = np.asarray(self.target)
        if target.dtype.kind == "f":
            target = target.astype(dtype, copy=False)
        if target.ndim not in (1, 2) or len(target) != len(x):
            raise ValueError(f"`{name}.target` must have {len(x)} rows, got shape {target.shape}")
        weight = None if self.weight is None else np.asarray(self.weight, dtype=dtype)
        if weight is not None and weight.shape != (len(x),):
            raise ValueError(f"`{name}.weight` must have shape ({len(x)},), got {weight.shape}")
        for field, values in (("x", x), ("target", target), ("weight", weight)):
            if values is not None and values.dtype.kind == "f" and not np.all(np.isfinite(values)):
                raise ValueError(f"`{name}.{field}` must be finite, got NaN or infinity")
        return Batch(x, target, weight)


@dataclass(frozen=True)
class FitSettings:
    r"""How to train; every field has a default.

    Attributes
    ----------
    opt : {"lbfgs", "adam"}
        L-BFGS on the whole batch: best for small, smooth problems. Adam: for mini-batches.
    steps : int
        Iterations of L-BFGS, or mini-batch updates of Adam.
    update_grid : bool
        Move the grids to the data at the steps that `grid_update_steps` lists. Fits that leave
        "coef" alone never do: new grids come with new coefficients.
    grid_update_num, start_grid_update_step, stop_grid_update_step : int
        When: see :meth:`grid_update_steps`.
    grid_eps : float
        0: cells with equally many samples; 1: cells of equal width.
    trainable : tuple of str, optional
        The parameter groups to train; by default those that the network's theta holds.
    restore_best : bool
        End at the best point, grids included, instead of the last: the one with the lowest
        validation loss, or without validation, the lowest objective on all rows.
    patience : int, optional
        Stop after so many measurements in a row that were no better than the best. L-BFGS
        measures after each step, Adam after each epoch.
    tolerance : float
        Stop where no entry of the gradient is larger than this.
    memory : int
        Pairs that L-BFGS keeps.
    line_search : int
        Evaluations that one line search of L-BFGS may take.
    lr : float
        Learning rate of Adam.
    lr_decay, lr_decay_steps, lr_staircase : float, int, bool
        At step t the rate is :math:`lr \cdot lr\_decay^{t / lr\_decay\_steps}`, the exponent
        rounded down with `lr_staircase`.
    betas, eps : (float, float), float
        Adam's decay rates of the two moments, and what is added to the denominator.
    batch_size : int, optional
        Rows in a mini-batch; None takes all.
    clip_value, clip_norm : float, optional
        Adam's gradient is first cut entry by entry to ±`clip_value`, then scaled down to the norm
        `clip_norm`.

    Examples
    --------
    >>> FitSettings(steps=20).grid_update_steps()
    [0, 5, 10, 15]
    >>> FitSettings(steps=-1)
    Traceback (most recent call last):
        ...
    ValueError: `steps` must be an integer >= 0, got -1
    """

    opt: str = "lbfgs"
    steps: int = 100
    update_grid: bool = True
    grid_update_num: int = 10
    start_grid_update_step: int = -1
    stop_grid_update_step: int = 50
    grid_eps: float = 0.02
    trainable: tuple[str, ...] | None = None
    restore_best: bool = False
    patience: int | None = None
    tolerance: float = 0.0
    memory: int = 20
    line_search: int = 40
    lr: float = 0.01
    lr_decay: float = 1.0
    lr_decay_steps: int = 1
    lr_staircase: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    batch_size: int | None = None
    clip_value: float | None = None
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        if self.opt not in OPTIMISERS:
            names = ", ".join(map(repr, OPTIMISERS))
            raise ValueError(f"`opt` must be one of {names}, got {self.opt!r}")
        for name, least in _INTEGERS.items():
            if getattr(self, name) is not None or name not in _OPTIONAL:
                check_integer(name, getattr(self, name), least)
        for name, (low, high, closed) in _NUMBERS.items():
            if getattr(self, name) is not None or name not in _OPTIONAL:
                _check_number(name, getattr(self, name), low, high, closed)
        for name in ("update_grid", "restore_best", "lr_staircase"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise TypeError(f"`{name}` must be True or False, got {getattr(self, name)!r}")
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise ValueError(f"`betas` must be two numbers, got {self.betas!r}")
        for beta in self.betas:
            if not (isinstance(beta, Real) and 0 <= beta < 1):
                raise ValueError(f"`betas` must be at least 0 and less than 1, got {self.betas!r}")
        self._check_trainable()
        self._check_optimiser()

    def _check_trainable(self) -> None:
        names = self.trainable
        if names is None:
            return
        if isinstance(names, str) or not len(names) or not set(names) <= set(PARAMETERS):
            rule = f"`trainable` must be a tuple of one or more of {', '.join(PARAMETERS)}"
            raise ValueError(f"{rule}, got {names!r}")

    def _check_optimiser(self) -> None:
        """Refuse settings that the optimiser would ignore."""
        foreign = _OF_ADAM if self.opt == "lbfgs" else _OF_LBFGS
        defaults = {field.name: field.default for field in fields(self)}
        for name in foreign:
            if getattr(self, name) != defaults[name]:
                other = "adam" if self.opt == "lbfgs" else "lbfgs"
                value = getattr(self, name)
                raise ValueError(f"`{name}` needs opt={other!r}, got {value!r} with {self.opt!r}")

    def grid_update_steps(self) -> list[int]:
        """Return the steps, counted from 0, before which the grids are updated.

        As in the paper's library: every ``stop_grid_update_step // grid_update_num`` steps (at
        least 1), from `start_grid_update_step` on and before `stop_grid_update_step`.
        """
        if not self.update_grid or self.grid_update_num == 0:
            return []
        every = max(1, self.stop_grid_update_step // self.grid_update_num)
        stop = min(self.stop_grid_update_step, self.steps)
        return [s for s in range(0, stop, every) if s >= self.start_grid_update_step]

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of the step, counted from 0."""
        exponent = step / self.lr_decay_steps
        return self.lr * self.lr_decay ** (math.floor(exponent) if self.lr_staircase else exponent)


_INTEGERS = {
    "steps": 0,
    "grid_update_num": 0,
    "start_grid_update_step": -1,
    "stop_grid_update_step": 0,
    "patience": 1,
    "memory": 1,
    "line_search": 1,
    "lr_decay_steps": 1,
    "batch_size": 1,
}
"""The integers and the least value of each."""

_NUMBERS = {
    "grid_eps": (0.0, 1.0, True),
    "tolerance": (0.0, math.inf, True),
    "lr": (0.0, math.inf, False),
    "lr_decay": (0.0, 1.0, True),
    "eps": (0.0, math.inf, False),
    "clip_value": (0.0, math.inf, False),
    "clip_norm": (0.0, math.inf, False),
}
"""The numbers: lower bound, upper bound, and whether the lower one is allowed."""

_OPTIONAL = ("patience", "batch_size", "clip_value", "clip_norm")
_OF_LBFGS = ("memory", "line_search")
_OF_ADAM = (
    *("lr", "lr_decay", "lr_decay_steps", "lr_staircase", "betas", "eps"),
    *("batch_size", "clip_value", "clip_norm"),
)


def _check_number(name: str, value: Any, low: float, high: float, closed: bool) -> None:
    ok = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not (ok and (low <= value if closed else low < value) and value <= high):
        rule = f"at least {low:g}" if closed else f"greater than {low:g}"
        rule += f" and at most {high:g}" if math.isfinite(high) else ""
        raise ValueError(f"`{name}` must be a finite number {rule}, got {value!r}")
