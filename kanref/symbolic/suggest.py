"""Which functions an edge looks like: a ranked table."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import Array
from ..functions import Function, resolve_library
from ..network import Network
from .constants import EdgeFit
from .edges import Edge, check_edge, edge_samples
from .families import price
from .fit import Range, Search, determined
from .polish import LEAST_COST

COLUMNS = ("function", "r2", "1 - r2", "complexity", "score")


@dataclass(frozen=True, eq=False)
class Suggestion:
    """One function that an edge may follow.

    Attributes
    ----------
    fit : EdgeFit
        The function with its constants.
    score : float
        The lower the better, see :func:`suggest`.
    """

    fit: EdgeFit
    score: float

    @property
    def function(self) -> str:
        """Name of the function."""
        return self.fit.function.name

    @property
    def r2(self) -> float:
        """Coefficient of determination."""
        return self.fit.r2

    @property
    def complexity(self) -> int:
        """Complexity of the function."""
        return self.fit.function.complexity

    @property
    def affine(self) -> np.ndarray:
        """The constants a, b, c, d of c·f(a·x + b) + d."""
        return self.fit.affine

    def row(self) -> tuple[str, float, float, int, float]:
        """Return the values of COLUMNS."""
        return self.function, self.r2, self.fit.unexplained, self.complexity, self.score


@dataclass(frozen=True, eq=False, repr=False)
class Suggestions(Sequence):
    """The functions an edge may follow, the best first. Prints as a table.

    Attributes
    ----------
    edge : (int, int, int)
        The edge (l, i, j).
    rows : tuple of Suggestion
    """

    edge: Edge
    rows: tuple[Suggestion, ...]

    @property
    def best(self) -> Suggestion:
        """The first."""
        return self.rows[0]

    def to_pandas(self) -> Any:
        """Return the table as a pandas data frame."""
        import pandas as pd

        return pd.DataFrame([row.row() for row in self.rows], columns=list(COLUMNS))

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Suggestion]:
        return iter(self.rows)

    def _cells(self) -> list[list[str]]:
        return [
            [name, f"{r2:.6f}", f"{left:.1e}", str(complexity), f"{score:.2f}"]
            for name, r2, left, complexity, score in (row.row() for row in self.rows)
        ]

    def __repr__(self) -> str:
        table = [list(COLUMNS), *self._cells()]
        widths = [max(len(row[c]) for row in table) for c in range(len(COLUMNS))]
        lines = ["  ".join([row[0].ljust(widths[0]), *(
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        )]) for row in table]  # fmt: skip
        return "\n".join([f"edge {self.edge}", *lines])

    def _repr_html_(self) -> str:
        def line(cells: Iterable[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line(cells, "td") for cells in self._cells())
        return (
            f"<table><caption>edge {self.edge}</caption>"
            f"<thead>{line(COLUMNS, 'th')}</thead><tbody>{body}</tbody></table>"
        )


def suggest(
    network: Network,
    l: int,
    i: int,
    j: int,
    x: Array,
    *,
    lib: Iterable[str | Function] | None = None,
    functions: Mapping[str, Function] | None = None,
    a_range: Range = (-10.0, 10.0),
    b_range: Range = (-10.0, 10.0),
    weight_simple: float = 0.8,
    top: int | None = 5,
) -> Suggestions:
    r"""Rank the functions that the edge (l, i, j) may follow.

    .. math:: \text{score} = w \cdot \text{price}
              + (1 - w) \cdot 10 \log_{10}\Bigl(1 + \frac{1 - r^2}{1 - r^2_\text{best}}\Bigr)

    The price is the complexity of the function, plus half a unit for each of a and b that is not
    redundant. The second term counts, in decibels, how much more of the variance a function leaves
    unexplained than the best of all does. So no absolute scale enters: an edge known to a part in a
    hundred is judged as one known to rounding. With w = `weight_simple` = 0.8 one unit must divide
    1 - r² by 10^0.4 ≈ 2.5 to pay for itself; two functions that fit about as well as each other
    differ by their price alone.

    Parameters
    ----------
    network : Network
    l, i, j : int
        The edge, from node i of layer l to subnode j of the next.
    x : (N, n_in)
        Inputs of the network, in its own units.
    lib : iterable of str or Function, optional
        What to try. Default: the whole library and `functions`. Functions with as many constants as
        the input has different values are left out: they go through any values.
    functions : mapping of name to Function, optional
        Functions beside those of the library.
    a_range, b_range : (float, float)
        Where the searches start, see :func:`~kanref.symbolic.fit_edge`.
    weight_simple : float
        w, from 0 (only r² counts) to 1 (only simplicity does).
    top : int, optional
        So many rows; None: all.

    Returns
    -------
    Suggestions

    Raises
    ------
    ValueError
        If the edge is dead or not there, or `weight_simple` not within 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> from kanref.symbolic import fix_symbolic, suggest
    >>> network = fix_symbolic(KAN([1, 1]).network, 0, 0, 0, "exp", affine=[2, 0, 3, 1])
    >>> suggest(network, 0, 0, 0, np.linspace(-1, 1, 50)[:, None]).best.function
    'exp'
    """
    check_edge(network, l, i, j)
    if top is not None and top < 1:
        raise ValueError(f"`top` must be at least 1, got {top}")
    samples = edge_samples(network, (l, i, j), x)
    known = determined(list(resolve_library(lib, functions).values()), samples[0])
    ranked = rank(Search(known, a_range, b_range).fit(*samples), weight_simple)
    return Suggestions((l, i, j), tuple(ranked[:top]))


def rank(fits: Sequence[EdgeFit], weight_simple: float) -> list[Suggestion]:
    """Score the fits of an edge and sort them, the best first."""
    if not 0 <= weight_simple <= 1:
        raise ValueError(f"`weight_simple` must be within 0 and 1, got {weight_simple}")
    best = max(min(fit.unexplained for fit in fits), LEAST_COST)
    scored = [
        Suggestion(
            fit,
            weight_simple * price(fit.function)
            + (1 - weight_simple) * 10 * math.log10(1 + fit.unexplained / best),
        )
        for fit in fits
    ]
    return sorted(scored, key=lambda s: (round(s.score, 6), _plainness(s.fit)))


def _plainness(fit: EdgeFit) -> tuple[float, float]:
    """Break ties, as between sin and cos, tanh and sigmoid: b and d nearer to 0 are simpler."""
    _, b, c, d = (abs(float(v)) for v in fit.affine)
    return round(b, 3), d / c if c > 0 else math.inf
