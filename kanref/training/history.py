"""What happened in a fit: every term of the objective step by step, and why it ended."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field, fields, replace
from html import escape
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Record:
    """One step.

    Attributes
    ----------
    step : int
        Counted from 1.
    total, loss, reg : float
        The objective loss + lamb · reg, and its terms. L-BFGS gives them at the point where the
        step ended; Adam at the point where it began, on the step's mini-batch.
    validation : float
        The validation loss after the step; NaN where it was not measured.
    grad_norm : float
        Euclidean norm of the gradient that belongs to `total`, before clipping.
    seconds : float
        Wall time since the fit began.
    """

    step: int
    total: float
    loss: float
    reg: float
    validation: float
    grad_norm: float
    seconds: float


@dataclass(frozen=True)
class Event:
    """Something other than a step, after `step` steps: what kind, and in words.

    Attributes
    ----------
    step : int
        How many steps were taken before it.
    kind : str
        What happened, in a word.
    text : str
        The same in a sentence.
    """

    step: int
    kind: str
    text: str


@dataclass
class History:
    """The course of a fit.

    Two histories add up to one that counts on: ``model.fit(...) + model.fit(...)``.

    Attributes
    ----------
    records : list of Record
        The steps. ``history.loss`` and the other names of a record are their columns.
    events : list of Event
        Grid updates, restarts, and the like.
    stop_reason : str
        Why the fit ended.
    n_evaluations : int
        How often the objective was evaluated.

    Examples
    --------
    >>> first = History([Record(1, 2.5, 2.0, 0.5, 3.0, 1.0, 0.1)], [], "all 1 steps taken", 2)
    >>> both = first + first
    >>> both
    History: 2 steps, 4 evaluations, 0.2 s, loss 2, validation 3; all 1 steps taken
    >>> both.seconds
    array([0.1, 0.2])
    """

    records: list[Record] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    stop_reason: str = ""
    n_evaluations: int = 0

    def column(self, name: str) -> np.ndarray:
        """Return one column of the records as an array, an entry per step.

        Parameters
        ----------
        name : str
            A field of :class:`Record`.
        """
        dtype = int if name == "step" else float
        return np.array([getattr(record, name) for record in self.records], dtype=dtype)

    def __len__(self) -> int:
        return len(self.records)

    def copy(self) -> History:
        """Return a history that does not grow with this one."""
        return replace(self, records=list(self.records), events=list(self.events))

    def __add__(self, other: History) -> History:
        if not isinstance(other, History):
            return NotImplemented
        last = self.records[-1] if self.records else None
        steps, seconds = (last.step, last.seconds) if last else (0, 0.0)
        records = [
            replace(r, step=r.step + steps, seconds=r.seconds + seconds) for r in other.records
        ]
        events = [replace(e, step=e.step + steps) for e in other.events]
        return History(
            self.records + records,
            self.events + events,
            other.stop_reason,
            self.n_evaluations + other.n_evaluations,
        )

    @property
    def step(self) -> np.ndarray:
        """Number of each step, from 1."""
        return self.column("step")

    @property
    def total(self) -> np.ndarray:
        """The objective, loss + lamb · reg."""
        return self.column("total")

    @property
    def loss(self) -> np.ndarray:
        """The loss on the training rows."""
        return self.column("loss")

    @property
    def reg(self) -> np.ndarray:
        """The penalty, without its factor lamb."""
        return self.column("reg")

    @property
    def validation(self) -> np.ndarray:
        """The validation loss, NaN where it was not measured."""
        return self.column("validation")

    @property
    def grad_norm(self) -> np.ndarray:
        """Euclidean norm of the gradient."""
        return self.column("grad_norm")

    @property
    def seconds(self) -> np.ndarray:
        """Wall time since the fit began."""
        return self.column("seconds")

    def to_pandas(self) -> Any:
        """Return the records as a data frame, a row per step (needs pandas)."""
        import pandas as pd

        names = [f.name for f in fields(Record)]
        return pd.DataFrame([astuple(record) for record in self.records], columns=names)

    def plot(self, ax: Any = None) -> Any:
        """Draw the terms of the objective against the step, and return the axes.

        Grid updates are marked by grey lines. The vertical axis is logarithmic where all that is
        drawn is positive.

        Parameters
        ----------
        ax : Axes, optional
            Where; by default a new figure.

        Returns
        -------
        Axes
            What was drawn on.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        positive = True
        for name in ("loss", "reg", "validation"):
            values = self.column(name)
            known = np.isfinite(values)
            if name == "loss" or np.any(values[known] != 0):
                ax.plot(self.step[known], values[known], label=name)
                positive &= bool(np.all(values[known] > 0))
        for event in self.events:
            if event.kind == "grid":
                ax.axvline(event.step + 0.5, color="0.85", zorder=0)
        if len(self) and positive:
            ax.set_yscale("log")
        ax.set(xlabel="step", ylabel="loss")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        parts = [f"{len(self)} steps", f"{self.n_evaluations} evaluations"]
        if self.records:
            parts += [f"{self.records[-1].seconds:.1f} s", f"loss {self.records[-1].loss:.3g}"]
            measured = self.validation[np.isfinite(self.validation)]
            parts += [f"validation {measured[-1]:.3g}"] if len(measured) else []
        return f"History: {', '.join(parts)}; {self.stop_reason}"

    def _repr_html_(self) -> str:
        """Return the first and last steps as a table, for notebooks."""
        names = [f.name for f in fields(Record)]
        rows = self.records
        if len(rows) > 10:
            rows = rows[:5] + rows[-5:]
        cells = []
        for number, record in enumerate(rows):
            if number and record.step != rows[number - 1].step + 1:
                cells.append("<tr>" + "<td>…</td>" * len(names) + "</tr>")
            values = "".join(f"<td>{value:.4g}</td>" for value in astuple(record))
            cells.append(f"<tr>{values}</tr>")
        head = "".join(f"<th>{name}</th>" for name in names)
        caption = f"<caption>{escape(repr(self))}</caption>"
        return f"<table>{caption}<tr>{head}</tr>{''.join(cells)}</table>"
