"""The target `html`: one page on which a model can be tried out, and seen through.

The page loads nothing and needs no network. It computes with the same text as the module of the
target `javascript`. Beside that it holds, as plain data, what :mod:`kanref.export.view` found out
about the model; the files in ``page/`` are its markup, style and script.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

from .._version import __version__
from .javascript import evaluator
from .program import Program
from .view import View, label
from .web import asset, data, document, formulas, placeholders, text

SCRIPTS = ("dom.js", "model.js", "controls.js", "network.js", "edge.js", "main.js")
DIGITS = 5
"""Significant digits of the constants in the formula."""


def write(
    program: Program, *, stem: str, X: Any = None, title: str | None = None
) -> Mapping[str, str]:
    """Write the page.

    Parameters
    ----------
    program : Program
        The model.
    stem : str
        Name of the file; the page does not show it.
    X : (N, n_in) or data frame, optional
        Inputs in data units: sliders and curves span them, scores are taken on them, and the page
        begins at their median. By default random points of the grid stand for them.
    title : str, optional
        What stands above the page; by default the outputs and the inputs.

    Raises
    ------
    ExportError
        As the target `javascript`.
    ValueError, TypeError
        If `X` or `title` will not do.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.export import program_of
    >>> page = write(program_of(KAN([2, 1])), stem="drag", title="A < B")[".html"]
    >>> "<h1>A &lt; B</h1>" in page
    True
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(f"`title` must be text, got {title!r}")
    computing = evaluator(program)  # raises before the long work
    view = View.of(program, X)
    found = view.data()
    heading = title if title and title.strip() else _heading(program)
    style = asset("tokens.css") + asset("page.css")
    script = "\n".join(
        [computing, f"const PAGE = {data(found)};\n", *(asset(name) for name in SCRIPTS)]
    )
    body = Template(asset("page.html")).substitute(
        heading=text(heading),
        facts=text(_facts(program, found)),
        inputs_title="Input" if program.n_in == 1 else "Inputs",
        outputs_title="Output" if program.n_out == 1 else "Outputs",
        formula=_formula(program),
        scores_note=_scores_note(view, found),
        footer=text(f"Made with kanref {__version__}. This page works without a connection."),
    )
    return {".html": document(heading, style, body, script)}


def _heading(program: Program) -> str:
    inputs, outputs = program.input_names, program.output_names
    if program.classes is not None and len(program.classes) <= 4:
        outputs = tuple(map(str, program.classes))
        return f"{_listed(outputs, 'classes', ' or ')} from {_listed(inputs, 'inputs')}"
    return f"{_listed(outputs, 'outputs')} from {_listed(inputs, 'inputs')}"


def _listed(names: tuple[str, ...], noun: str, last: str = " and ") -> str:
    if len(names) > 4:
        return f"{len(names)} {noun}"
    shown = [label(name) for name in names]
    return last.join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _facts(program: Program, found: Mapping[str, Any]) -> str:
    functions = sum(1 for _ in program.function_edges())
    edges = len(found["edges"])
    kinds = f"{edges} edge{'s' * (edges != 1)}"
    if functions:
        kinds += f", {'all' if functions == edges else functions} of them functions"
    width = " → ".join(map(str, program.width))
    return f"{width} nodes · {kinds}"


def _scores_note(view: View, found: Mapping[str, Any]) -> str:
    drawn = len(found["layouts"][0]["edges"])
    where = f"{len(view.x)} rows of data" if view.given else "random points of the grid"
    note = f"How much each edge matters to the outputs, on {where}."
    left = len(found["edges"]) - drawn
    return note + (f" The drawing leaves out {left} edges that score less." if left else "")


def _formula(program: Program) -> str:
    """Return the card of the formula; nothing as long as an edge is a spline."""
    if any(layer.splines for layer in program.layers):
        return ""
    from ..symbolic import symbolic_formula

    expressions = symbolic_formula(
        program.network,
        input_names=placeholders(program.n_in),
        scaling=program.scaling,
        round_to=DIGITS,
    )
    shown = formulas(expressions, program.input_names, program.output_names)
    return (
        '<section class="card" aria-labelledby="formula-title">'
        f'<h2 id="formula-title">Formula</h2>{shown}'
        f'<p class="note">Constants to {DIGITS} digits; the page computes with all of them.</p>'
        "</section>"
    )
