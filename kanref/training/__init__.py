"""Training: `fit` on a network, its settings and its history.

====================  ==========================================================================
``settings``          `Batch`, what to learn from; `FitSettings`, how
``history``           `History`: what happened, as a table and a picture
``callbacks``         what is called after each step; the progress bar
``run``               the state of a fit: evaluation, the best points, grid updates
``lbfgs``, ``adam``   the optimisers
``loop``              `fit`, which puts them together
====================  ==========================================================================
"""

from __future__ import annotations

from .callbacks import FitState, ProgressBar, StopTraining
from .history import Event, History, Record
from .loop import fit
from .settings import Batch, FitSettings

__all__ = [
    "Batch",
    "Event",
    "FitSettings",
    "FitState",
    "History",
    "ProgressBar",
    "Record",
    "StopTraining",
    "fit",
]
