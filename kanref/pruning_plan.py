"""What a pruning takes away and why: a table that prints well."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import Any

COLUMNS = ("action", "what", "score", "threshold", "why")


@dataclass(frozen=True)
class PruneItem:
    """One node, edge or input that does not score above its threshold, or leads nowhere.

    Attributes
    ----------
    action : {"remove", "keep", "prune_input"}
        "keep": it stays in spite of its score. "prune_input": an input, which
        :func:`kanref.pruning.prune` leaves alone and :func:`kanref.pruning.prune_input` takes out.
    kind : {"node", "edge", "input"}
    place : tuple of int
        (l, i) of a node, (l, i, j) of an edge, (i,) of an input; counted in the network as it was.
    score : float
        Its attribution score; NaN where it was not taken.
    threshold : float or None
        What the score was compared with; None where another reason decided.
    why : str
        The reason.
    """

    action: str
    kind: str
    place: tuple[int, ...]
    score: float
    threshold: float | None
    why: str

    @property
    def what(self) -> str:
        """The kind and the place, as text."""
        place = ", ".join(map(str, self.place))
        return f"{self.kind} {place}" if len(self.place) == 1 else f"{self.kind} ({place})"


@dataclass(frozen=True)
class PrunePlan:
    """What :func:`kanref.pruning.prune` does to a network.

    Attributes
    ----------
    items : tuple of PruneItem
        Edges that go together with one of their nodes are not listed.
    width_before, width_after : list
        Nodes per level, as ``KAN(width)`` takes them.
    n_edges_before, n_edges_after : int
        Live edges.
    """

    items: tuple[PruneItem, ...]
    width_before: list[int | list[int]]
    width_after: list[int | list[int]]
    n_edges_before: int
    n_edges_after: int

    @property
    def nodes(self) -> list[tuple[int, ...]]:
        """Hidden nodes (l, i) that go."""
        return self._places("remove", "node")

    @property
    def edges(self) -> list[tuple[int, ...]]:
        """Edges (l, i, j) that go, between nodes that stay."""
        return self._places("remove", "edge")

    @property
    def inputs(self) -> list[tuple[int, ...]]:
        """Inputs (i,) that ``prune_input`` would take out afterwards."""
        return self._places("prune_input", "input")

    @property
    def kept(self) -> tuple[PruneItem, ...]:
        """What stays in spite of its score."""
        return tuple(item for item in self.items if item.action == "keep")

    def _places(self, action: str, kind: str) -> list[tuple[int, ...]]:
        return [item.place for item in self.items if (item.action, item.kind) == (action, kind)]

    @property
    def summary(self) -> str:
        """One line: the widths and the numbers of edges, before and after."""
        return (
            f"Pruning {self.width_before} to {self.width_after}: "
            f"{self.n_edges_before} edges to {self.n_edges_after}"
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the items as text, in the order of `COLUMNS`."""
        return [
            (
                item.action,
                item.what,
                "" if math.isnan(item.score) else f"{item.score:.3g}",
                "" if item.threshold is None else f"{item.threshold:g}",
                item.why,
            )
            for item in self.items
        ]

    def __str__(self) -> str:
        """Return the summary and a table."""
        if not self.items:
            return f"{self.summary}\nNothing scores below its threshold."
        table = [COLUMNS, *self.rows()]
        sizes = [max(len(row[c]) for row in table) for c in range(len(COLUMNS))]
        lines = [
            "  ".join(
                cell.rjust(size) if c in (2, 3) else cell.ljust(size)
                for c, (cell, size) in enumerate(zip(row, sizes, strict=True))
            ).rstrip()
            for row in table
        ]
        return "\n".join([self.summary, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        cells = [[html.escape(cell) for cell in row] for row in self.rows()]
        body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in cells)
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        return f"<p>{html.escape(self.summary)}</p><table><tr>{head}</tr>{body}</table>"

    def to_pandas(self) -> Any:
        """Return a data frame: action, kind, l, i, j, score, threshold, why.

        An input has l = 0; what has no j or threshold has <NA> or NaN there.
        """
        import pandas as pd

        records = []
        for item in self.items:
            l, i, j = ((0,) * (item.kind == "input") + item.place + (None,))[:3]
            records.append((item.action, item.kind, l, i, j, item.score, item.threshold, item.why))
        columns = ["action", "kind", "l", "i", "j", "score", "threshold", "why"]
        frame = pd.DataFrame(records, columns=columns)
        types: Any = {"l": "Int64", "i": "Int64", "j": "Int64", "score": float, "threshold": float}
        return frame.astype(types)
