"""Reports: what was learnt from a table, how well, and how to do it again, as Markdown.

A report takes plain results, and no model: texts, numbers and scores.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from ._version import __version__
from .scores import Scores

if TYPE_CHECKING:
    from .attribution import Attribution
    from .network import Network
    from .nodes import Nodes


@dataclass(frozen=True)
class EdgeScore:
    """One edge of the network: where it is, what it connects, and how much it matters.

    Attributes
    ----------
    place : (int, int, int)
        (l, i, j).
    label : str
        What it connects, by name.
    function : str
        What it follows.
    score : float
        How much it matters.
    """

    place: tuple[int, int, int]
    label: str
    function: str
    score: float


def edge_scores(
    network: Network,
    attribution: Attribution,
    input_names: Sequence[str],
    output_names: Sequence[str],
) -> list[EdgeScore]:
    """List the live edges of a network with their scores.

    Nodes between inputs and outputs are called by layer and number, as in h1_0; the factors of a
    product node by its name and their number, as in h1_3.1.

    Parameters
    ----------
    network : Network
        Any.
    attribution : Attribution
        Of the network.
    input_names, output_names : sequence of str
        Of the variables.

    Returns
    -------
    list of EdgeScore
        In the order of layers and nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from kanref import KAN
    >>> model = KAN([2, 1, 1], seed=0)
    >>> found = edge_scores(
    ...     model.network, model.attribute(np.eye(2)), ["speed", "angle"], ["drag"]
    ... )
    >>> [edge.label for edge in found]
    ['speed → h1_0', 'angle → h1_0', 'h1_0 → drag']
    """
    found = []
    names = list(input_names)
    last = len(network.layers) - 1
    levels = zip(network.layers, network.nodes, attribution.edge_scores, strict=True)
    for l, (layer, nodes, scores) in enumerate(levels):
        above = list(output_names) if l == last else [f"h{l + 1}_{n}" for n in range(nodes.n_nodes)]
        sums = _sum_names(nodes, above)
        functions = {(edge.i, edge.j): edge.function.name for edge in layer.symbolic}
        for i, j in np.argwhere(np.asarray(layer.mask)).tolist():
            label = f"{names[i]} → {sums[j]}"
            function = functions.get((i, j), "spline")
            found.append(EdgeScore((l, i, j), label, function, float(scores[i, j])))
        names = above
    return found


def _sum_names(nodes: Nodes, names: Sequence[str]) -> list[str]:
    """Name the sums of a layer: sum nodes, then the factors of each product node."""
    products = zip(names[nodes.n_sum :], nodes.arity, strict=True)
    factors = [f"{name}.{n}" for name, arity in products for n in range(arity)]
    return [*names[: nodes.n_sum], *factors]


@dataclass(frozen=True)
class Report:
    """All that :func:`markdown` writes.

    Attributes
    ----------
    title, source : str
        Of the report; where the data came from.
    inputs, target : sequence of str, str
        Names of the columns.
    n_train, n_test : int
        Rows to learn from, and rows that were held out.
    scores : mapping of str to Scores
        On the rows held out, by the name of who predicted.
    model : mapping of str to str
        What there is to say about the model, line by line.
    features : mapping of str to float
        Score of each input.
    edges : sequence of EdgeScore
        Of the edges that are left.
    formula : str
        What the target equals, in the names of the inputs; empty where there is none.
    latex : str
        The same for a printed page.
    picture : str
        Address of the picture, seen from the report.
    notes : sequence of str
        Sentences.
    command : str
        What made the report.
    versions : mapping of str to str
        See :func:`versions`.
    """

    title: str
    source: str
    inputs: Sequence[str]
    target: str
    n_train: int
    n_test: int
    scores: Mapping[str, Scores]
    model: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    edges: Sequence[EdgeScore] = ()
    formula: str = ""
    latex: str = ""
    picture: str = ""
    notes: Sequence[str] = ()
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


MAX_EDGES = 40
"""No more edges than this are listed."""


def markdown(report: Report) -> str:
    """Write a report as Markdown.

    Returns
    -------
    str
        Markdown, with whatever comes from the data escaped.

    Examples
    --------
    >>> from kanref.scores import Scores
    >>> scores = {"network": Scores(0.5, 0.4, 0.9)}
    >>> text = markdown(Report("Drag", "drag.csv", ["speed"], "drag", 80, 20, scores))
    >>> print(text[:93])
    # Drag
    <BLANKLINE>
    `drag` from `speed`: 80 rows of drag.csv to learn from, and 20 held out for the test.
    """
    names = ", ".join(map(code, report.inputs))
    parts = [
        f"# {plain(report.title)}",
        f"{code(report.target)} from {names}: {report.n_train} rows of {plain(report.source)} "
        f"to learn from, and {report.n_test} held out for the test.",
        *(f"![The network]({_address(report.picture)})" for _ in [0] if report.picture),
        "## How well",
        _scores(report.scores),
        f"Errors on the {report.n_test} rows held out, in the unit of {code(report.target)}.",
    ]
    if report.formula:
        parts += ["## The formula", _fenced(f"{formula_name(report.target)} = {report.formula}")]
        parts += [f"$$ {latex_name(report.target)} = {report.latex} $$"] if report.latex else []
    if report.notes:
        parts += ["## Notes", "\n".join(f"- {plain(note)}" for note in report.notes)]
    if report.model:
        parts += ["## The model", _pairs(report.model)]
    if report.features:
        parts += ["## What matters", _features(report.features)]
    if report.edges:
        parts += [_edges(report.edges)]
    if report.command or report.versions:
        parts += ["## Once more"]
        parts += [_fenced(report.command, "sh")] if report.command else []
        parts += [", ".join(f"{name} {v}" for name, v in report.versions.items())]
    return "\n\n".join(parts) + "\n"


def versions() -> dict[str, str]:
    """Return the versions of kanref, of Python and of what computes, and the platform.

    Examples
    --------
    >>> list(versions())
    ['kanref', 'python', 'numpy', 'scipy', 'sympy', 'platform']
    """
    found = {"kanref": __version__, "python": platform.python_version()}
    found |= {name: metadata.version(name) for name in ("numpy", "scipy", "sympy")}
    return found | {"platform": platform.platform(terse=True)}


# --- names in formulas ---------------------------------------------------------------------------

_LATEX = str.maketrans(
    {c: "\\" + c for c in "{}$&#%_"}
    | {
        "\\": r"\textbackslash{}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def formula_name(name: str) -> str:
    """Return a name as it stands in a formula: in double quotes unless it is an identifier.

    Examples
    --------
    >>> formula_name("speed"), formula_name("power in W")
    ('speed', '"power in W"')
    """
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def latex_name(name: str) -> str:
    r"""Return a name as LaTeX: a letter, with a number below it or not, or else upright text.

    Examples
    --------
    >>> print(latex_name("t"), latex_name("x_12"), latex_name("loss in %"))
    t x_{12} \text{loss in \%}
    """
    letter = re.fullmatch(r"([A-Za-z])(?:_([0-9]+))?", name)
    if letter:
        return letter[1] + (f"_{{{letter[2]}}}" if letter[2] else "")
    return rf"\text{{{' '.join(name.split()).translate(_LATEX)}}}"


# --- pieces --------------------------------------------------------------------------------------

_ESCAPED = str.maketrans({c: "\\" + c for c in "\\`*_[]<>|#$"})


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return " ".join(str(text).split()).translate(_ESCAPED)


def code(text: str) -> str:
    """Return a name as inline code, safe in a table too.

    Parameters
    ----------
    text : str
        A name, of whatever characters.
    """
    text = " ".join(str(text).split())
    return plain(text) if set(text) & set("`|") else f"`{text}`"


def _fenced(text: str, language: str = "text") -> str:
    """Return a block of code; a fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _address(path: str) -> str:
    return "<" + path.replace("<", "%3C").replace(">", "%3E").replace("\n", "%0A") + ">"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Return a Markdown table; `align` has a letter, l or r, for each column."""
    rule = ["---:" if letter == "r" else "---" for letter in align]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def _scores(scores: Mapping[str, Scores]) -> str:
    rows = [
        (plain(name), f"{s.rmse:.4g}", f"{s.mae:.4g}", f"{s.r2:.4f}") for name, s in scores.items()
    ]
    return _table(("", "RMSE", "MAE", "R²"), rows, "lrrr")


def _pairs(pairs: Mapping[str, str]) -> str:
    return "\n".join(f"- {plain(name)}: {plain(value)}" for name, value in pairs.items())


def _features(features: Mapping[str, float]) -> str:
    """Return the inputs with their scores, the most important first."""
    ranked = sorted(features.items(), key=lambda item: -item[1])
    return _table(("input", "score"), [(code(name), f"{s:.3g}") for name, s in ranked], "lr")


def _edges(edges: Sequence[EdgeScore]) -> str:
    """Return the edges with their scores, the most important first."""
    ranked = sorted(edges, key=lambda edge: -edge.score)[:MAX_EDGES]
    rows = [
        (str(e.place).replace(" ", ""), plain(e.label), plain(e.function), f"{e.score:.3g}")
        for e in ranked
    ]
    table = _table(("edge (l, i, j)", "connects", "function", "score"), rows, "lllr")
    left = len(edges) - len(ranked)
    return table + (f"\n\n{left} more edges score less." if left > 0 else "")
