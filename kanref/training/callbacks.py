"""Callbacks: what a fit calls after each step, and how one stops it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..network import Network
from .history import History, Record


class StopTraining(Exception):
    """Raise it in a callback to end the fit; its text becomes the reason in the history."""


@dataclass(frozen=True)
class FitState:
    """What a callback is given after a step.

    Attributes
    ----------
    step, steps : int
        Steps taken and steps asked for.
    record : Record
        The terms of the objective in this step.
    network : Network
        The network that is being trained, at the point where the step ended. Read it; changes
        are overwritten by the next step.
    history : History
        All steps until now.
    """

    step: int
    steps: int
    record: Record
    network: Network
    history: History


Callback = Callable[[FitState], Any]
"""Called after each step; returning True ends the fit."""


def call_all(callbacks: tuple[Callback, ...], state: FitState) -> None:
    """Call the callbacks, all of them, and end the fit if one returned True."""
    answers = [callback(state) for callback in callbacks]
    if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
        raise StopTraining("a callback ended the fit")


class ProgressBar:
    """A callback that shows a tqdm progress bar, on terminals and in notebooks.

    Parameters
    ----------
    steps : int
        How many steps there will be.
    **options
        Passed on to ``tqdm.auto.tqdm``.
    """

    def __init__(self, steps: int, **options: Any) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(total=steps, **{"desc": "fit", "unit": "step", **options})

    def __call__(self, state: FitState) -> None:
        """Advance to the step of `state`."""
        terms = {"loss": f"{state.record.loss:.3g}"}
        if state.record.reg:
            terms["reg"] = f"{state.record.reg:.3g}"
        if math.isfinite(state.record.validation):
            terms["validation"] = f"{state.record.validation:.3g}"
        self._bar.set_postfix(terms, refresh=False)
        self._bar.update(state.step - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def someone_watches() -> bool:
    """Tell whether standard error is a terminal, or the code runs in a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
