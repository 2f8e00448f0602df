"""What a gradient check found: a table, and a picture of error against step size."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np

_MARKERS = ("o", "s", "^", "D", "v")
_HEAD = ("where", "group", "size", "checked", "difference", "complex step", "ok")


@dataclass(frozen=True)
class GradientRow:
    r"""The check of one array.

    Attributes
    ----------
    where : str
        "inputs", or the layer: "layer 0".
    group : str
        "x", or the parameter group.
    size, checked : int
        Entries of the array, and how many of them were checked.
    difference, complex_step : float
        max\|manual - oracle\| / max\|oracle\| with each of the oracles. The complex step is NaN
        where a function of the network takes no complex numbers.
    ok : bool
        Whether the complex step agrees to 1e-12, and the central difference to 1e-7 or as far as
        rounding lets a difference be known.
    """

    where: str
    group: str
    size: int
    checked: int
    difference: float
    complex_step: float
    ok: bool


@dataclass(frozen=True, eq=False)
class GradientReport:
    """What :func:`check_gradients` found; it prints as a table.

    Attributes
    ----------
    rows : list of GradientRow
        One for the inputs and one for each array of parameters.
    steps : (n,)
        Step sizes h of the curves.
    curves : dict of str to (n,)
        Relative error of the derivative along the gradient, against h: "forward difference",
        "central difference" and, where there is one, "complex step".
    """

    rows: list[GradientRow]
    steps: np.ndarray
    curves: dict[str, np.ndarray]

    @property
    def ok(self) -> bool:
        """Whether all rows are."""
        return all(row.ok for row in self.rows)

    @property
    def worst(self) -> GradientRow:
        """The row with the largest error: by the complex step, where there is one."""
        return max(self.rows, key=lambda row: (not row.ok, _error(row)))

    def to_pandas(self) -> Any:
        """Return the rows as a data frame (needs pandas)."""
        import pandas as pd

        names = [field.name for field in fields(GradientRow)]
        return pd.DataFrame([astuple(row) for row in self.rows], columns=names)

    def plot(self, ax: Any = None) -> Any:
        """Draw the error of each oracle against its step size, and return the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        for number, (name, errors) in enumerate(self.curves.items()):
            mark = _MARKERS[number % len(_MARKERS)]  # to be told apart without colour
            # An error of 0 has no logarithm; it is drawn at half the rounding error.
            ax.loglog(self.steps, np.maximum(errors, 1.1e-16), f"{mark}-", ms=4, label=name)
        ax.set(xlabel="step size h", ylabel="relative error of the derivative")
        ax.legend()
        return ax

    def __str__(self) -> str:
        rows = [[*_HEAD], *(_cells(row) for row in self.rows)]
        widths = [max(len(cells[c]) for cells in rows) for c in range(len(_HEAD))]
        text = [
            "  ".join(
                cell.ljust(width) if c < 2 else cell.rjust(width)
                for c, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            for cells in rows
        ]
        verdict = "all agree" if self.ok else f"worst: {self.worst.where} {self.worst.group}"
        return "\n".join([f"Manual gradients against two oracles: {verdict}", *text])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the table for notebooks."""
        head = "".join(f"<th>{name}</th>" for name in _HEAD)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.rows
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def _cells(row: GradientRow) -> list[str]:
    """Return the row as text."""
    complex_step = "-" if np.isnan(row.complex_step) else f"{row.complex_step:.1e}"
    return [
        row.where,
        row.group,
        str(row.size),
        str(row.checked),
        f"{row.difference:.1e}",
        complex_step,
        "yes" if row.ok else "NO",
    ]


def _error(row: GradientRow) -> float:
    return row.difference if np.isnan(row.complex_step) else row.complex_step
