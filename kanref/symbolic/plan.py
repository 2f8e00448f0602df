"""What a search for the functions of a network has found: a report that prints as a table."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions import Function
from ..network import Network
from .edges import Edge

COLUMNS = ("edge", "function", "r2", "a", "b", "c", "d")


@dataclass(frozen=True, eq=False)
class Choice:
    """What one live edge becomes.

    Attributes
    ----------
    edge : (int, int, int)
        The edge (l, i, j).
    function : Function or None
        The function; None where the edge stays a spline, because nothing fits it well enough.
    affine : (4,) or None
        a, b, c, d after the joint fit.
    r2 : float
        Of the function that fits the spline best, taken alone; NaN where the edge went with its
        node before anybody looked at it.
    """

    edge: Edge
    function: Function | None
    affine: np.ndarray | None
    r2: float

    @property
    def name(self) -> str:
        """Name of the function, or "spline"."""
        return "spline" if self.function is None else self.function.name


@dataclass(frozen=True, eq=False, repr=False)
class SymbolicPlan:
    """The functions that :func:`auto_symbolic` chooses, and what they do to the loss.

    Attributes
    ----------
    network : Network
        The network with these functions.
    choices : tuple of Choice
        One for each edge that was a spline.
    loss_before, loss_after : float
        The loss on the samples, of the splines and of the functions.
    refits : int
        Number of joint fits that the search took.
    """

    network: Network
    choices: tuple[Choice, ...]
    loss_before: float
    loss_after: float
    refits: int

    def to_pandas(self) -> Any:
        """Return the table as a pandas data frame."""
        import pandas as pd

        rows = [
            (c.edge, c.name, c.r2, *(c.affine if c.affine is not None else [np.nan] * 4))
            for c in self.choices
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _cells(self) -> list[list[str]]:
        return [
            [
                str(choice.edge),
                choice.name,
                f"{choice.r2:.6f}",
                *([""] * 4 if choice.affine is None else [f"{v:.6g}" for v in choice.affine]),
            ]
            for choice in self.choices
        ]

    def _summary(self) -> str:
        return f"loss {self.loss_before:.3g} -> {self.loss_after:.3g}, {self.refits} joint fits"

    def __repr__(self) -> str:
        table = [list(COLUMNS), *self._cells()]
        widths = [max(len(row[c]) for row in table) for c in range(len(COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([*lines, self._summary()])

    def _repr_html_(self) -> str:
        def line(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line(cells, "td") for cells in self._cells())
        return (
            f"<table><caption>{html.escape(self._summary())}</caption>"
            f"<thead>{line(list(COLUMNS), 'th')}</thead><tbody>{body}</tbody></table>"
        )
