"""The inner part of a C export: its tables, and a function for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .c_functions import typed
from .c_lookup import Lookup
from .c_text import comment
from .library import function_term
from .program import Program
from .text import Number, affine, factors_text, layer_about, node_name, rows, times


@dataclass(frozen=True)
class Dialect:
    """How numbers and names are written in one export."""

    prefix: str
    ctype: str
    number: Number
    lookups: dict[str, Lookup]
    own: dict[Any, str]

    @property
    def upper(self) -> str:
        """The prefix of macros."""
        return self.prefix.upper()

    def typed(self, text: str) -> str:
        """Return source text for the type."""
        return typed(text, self.ctype)


@dataclass(frozen=True)
class Table:
    """A constant array."""

    text: str
    size: int


def _table(dialect: Dialect, name: str, values: tuple[float, ...], about: str = "") -> Table:
    body = rows(map(dialect.number, values), "    ")
    text = f"static const {dialect.ctype} {name}[{len(values)}] = {{\n{body}\n}};\n"
    return Table(about + text, len(values))


def tables(program: Program, dialect: Dialect) -> list[Table]:
    """Return the knots and the coefficients."""
    found = []
    for l, layer in enumerate(program.layers):
        for i, knots in enumerate(layer.knots):
            if knots is None:
                continue
            about = f"\n/* layer {l}: splines of {comment(node_name(program, l, i))} */\n"
            found.append(_table(dialect, f"knots_{l}_{i}", knots, about))
            for edge in layer.edges_from(i)[0]:
                found.append(_table(dialect, f"coef_{l}_{i}_{edge.j}", edge.coef))
    return found


def lookup_tables(dialect: Dialect) -> list[Table]:
    """Return the tables of base functions."""
    found = []
    for name, table in dialect.lookups.items():
        pairs = zip(table.values, table.slopes, strict=True)
        about = f"\n/* {name}: value and slope per cell at every node of its table */\n"
        values = tuple(v for pair in pairs for v in pair)
        found.append(_table(dialect, f"{name}_table", values, about))
    return found


def layer_source(program: Program, l: int, dialect: Dialect) -> str:
    """Return the function of one layer, from x to z."""
    layer = program.layers[l]
    lines = [
        f"/* {layer_about(layer)} */",
        f"static void layer_{l}(const {dialect.ctype} *x, {dialect.ctype} *z)",
        "{",
        dialect.typed(f"    @ u[{layer.n_sums}] = {{0.0%}};"),
    ]
    if layer.splines:
        lines.append(f"    {dialect.ctype} b[{layer.k + 1}];")
        lines.append("    int start;")
    based = [edge for edge in layer.splines if layer.base and edge.scale_base]
    if based:
        lines.append(f"    {dialect.ctype} base;")
    if not layer.splines and not layer.functions:
        lines += ["", "    (void)x;"]
    for i in range(layer.n_in):
        lines += _edges(program, l, i, dialect)
    lines += ["", *_nodes(program, l, dialect)]
    return "\n" + "\n".join([*lines, "}"]) + "\n"


def _edges(program: Program, l: int, i: int, dialect: Dialect) -> list[str]:
    """Return the lines that add the edges from input i to the sums."""
    layer = program.layers[l]
    splines, functions = layer.edges_from(i)
    if not splines and not functions:
        return []
    lines = ["", f"    /* from {comment(node_name(program, l, i))} */"]
    knots = layer.knots[i]
    if splines and knots is not None:
        fades = int(layer.extrapolate == "zero")
        size = f"{len(knots)}, {layer.k}, {fades}"
        lines.append(f"    start = splines(x[{i}], knots_{l}_{i}, {size}, b);")
        if layer.base and any(edge.scale_base for edge in splines):
            lines.append(f"    base = {layer.base}_base(x[{i}]);")
    for edge in splines:
        text = f"curve(coef_{l}_{i}_{edge.j} + start, b, {layer.k + 1})"
        if layer.base and edge.scale_base:
            text = f"{times(edge.scale_base, 'base', dialect.number)} + {text}"
        lines.append(f"    u[{edge.j}] += {text};")
    for fun in functions:
        term = function_term(fun, dialect.own, f"x[{i}]", ending="_of", write=dialect.number)
        lines.append(f"    u[{fun.j}] += {term};")
    return lines


def _nodes(program: Program, l: int, dialect: Dialect) -> list[str]:
    """Return the lines that make nodes of the sums."""
    layer = program.layers[l]
    lines = [
        f"    u[{j}] = {affine(a.scale, f'u[{j}]', a.bias, dialect.number)};"
        for j, a in enumerate(layer.subnodes)
        if not a.is_identity
    ]
    for n, node in enumerate(layer.nodes):
        product = factors_text([f"u[{j}]" for j in node.factors], node.scale)
        value = affine(node.scale, product, node.bias, dialect.number)
        lines.append(f"    z[{n}] = {value}; /* {comment(node_name(program, l + 1, n))} */")
    return lines
