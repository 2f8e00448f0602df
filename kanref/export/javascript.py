"""The target `javascript`: one ES module without a dependency, and its types for TypeScript."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from .._version import __version__
from ..functions import FUNCTIONS, Function
from .javascript_functions import BASES, FUNCTIONS_OF_T, HELPERS
from .own import domain_test, own_expression, printed
from .program import ExportError, FunctionEdge, LayerProgram, Node, Program, Spline
from .text import WRITTEN_BY

EXPORTS = ("inputNames", "outputNames", "classes", "predict", "predictMany", "predictClass")
"""What the module exports."""


def write(program: Program, *, stem: str) -> Mapping[str, str]:
    """Write the module, and its types beside it.

    The types come twice: TypeScript looks for ``.d.mts`` beside ``.mjs``, and for ``.d.ts`` beside
    ``.js``.

    Raises
    ------
    ExportError
        If an edge follows a function of the user's own without a SymPy form that JavaScript can
        express, or a label is a number that JavaScript does not have.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.export import program_of
    >>> files = write(program_of(KAN([2, 1])), stem="drag")
    >>> sorted(files)
    ['.d.mts', '.d.ts', '.mjs']
    >>> print(files[".mjs"][-96:], end="")
    export {
      inputNames,
      outputNames,
      classes,
      predict,
      predictMany,
      predictClass,
    };
    """
    names = "".join(f"  {name},\n" for name in EXPORTS)
    module = f"{_title(program, stem)}\n{evaluator(program)}\nexport {{\n{names}}};\n"
    types = _types(program, stem)
    return {".mjs": module, ".d.ts": types, ".d.mts": types}


def evaluator(program: Program) -> str:
    """Return the declarations that compute the model, without exports.

    The text holds no ``<`` that comes from a name, so it can stand in an HTML page.

    Raises
    ------
    ExportError
        As :func:`write`.
    """
    used = [*program.bases, *program.library_functions]
    helpers = list(dict.fromkeys(HELPERS[name] for name in used if name in HELPERS))
    return "\n".join(
        [
            _names(program),
            _scaling(program),
            _library(program),
            *(script(name) for name in helpers),
            "\n".join(_layers(program)),
            script("evaluate.js"),
        ]
    )


def script(name: str) -> str:
    """Return the text of one of the scripts of this package."""
    return files(__package__).joinpath("scripts", name).read_text(encoding="utf-8")


def literal(value: Any) -> str:
    r"""Return text, a number, a truth value or None as JavaScript, and in ASCII.

    Nothing in it ends a comment, a line or an element of HTML.

    Examples
    --------
    >>> print(literal("</script>"), literal(0.1), literal(None))
    "\u003c/script\u003e" 0.1 null
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    text = json.dumps(value)
    for character in "<>&*":  # of HTML, and the end of a comment
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


# --- the parts of the text -----------------------------------------------------------------------


def _title(program: Program, stem: str) -> str:
    values = ", ".join("0" * program.n_in)
    width = ", ".join(map(str, program.width))
    return (
        f"// A Kolmogorov-Arnold network of width [{width}], {WRITTEN_BY} {__version__}.\n"
        "// It needs nothing else:\n"
        "//\n"
        f"//   import {{ predict }} from {literal(f'./{stem}.mjs')};\n"
        f"//   predict([{values}]); // the {program.n_out} outputs at these inputs\n"
    )


def _names(program: Program) -> str:
    labels = "null"
    if program.classes is not None:
        for label in program.classes:
            if type(label) is int and abs(label) > 2**53:
                raise ExportError(f"a label must be a number of JavaScript, got {label}")
        labels = _frozen(program.classes)
    return (
        f"const inputNames = {_frozen(program.input_names)};\n"
        f"const outputNames = {_frozen(program.output_names)};\n"
        f"const classes = {labels};\n"
    )


def _scaling(program: Program) -> str:
    return (
        "// x = (X - xShift) / xScale of each input, and Y = y · yScale + yShift of each output.\n"
        "const scaling = {\n"
        f"  xShift: {_list(program.x_shift)},\n"
        f"  xScale: {_list(program.x_scale)},\n"
        f"  yShift: {_list(program.y_shift)},\n"
        f"  yScale: {_list(program.y_scale)},\n"
        "};\n"
    )


def _library(program: Program) -> str:
    """Write the functions that the model uses: those of the splines' base, and of the edges."""
    bases = [f"  {name}: (x) => {BASES[name]},\n" for name in program.bases]
    if any(layer.base is None for layer in program.layers):
        bases.append("  none: () => 0,\n")
    functions = [
        f"  {_key(FUNCTIONS[name])}: (t) => {_guarded(FUNCTIONS[name], FUNCTIONS_OF_T[name])},\n"
        for name in program.library_functions
    ]
    for number, function in enumerate(program.own_functions):
        value = f"({_own(function)})"
        functions.append(f"  // {literal(function.name)}\n")
        functions.append(f"  own_{number}: (t) => {_guarded(function, value)},\n")
    text = f"const bases = {{\n{''.join(bases)}}};\n"
    return text + (f"const functions = {{\n{''.join(functions)}}};\n" if functions else "")


def _own(function: Function) -> str:
    """Return the SymPy form of a function of the user's own."""
    from sympy.printing.jscode import JavascriptCodePrinter

    expression = own_expression(function, "JavaScript")
    return printed(JavascriptCodePrinter, expression, function, "JavaScript")


def _guarded(function: Function, value: str) -> str:
    """Return the value at t; NaN outside the domain and on poles."""
    tests = domain_test(function)
    return f"{' && '.join(tests)} ? {value} : NaN" if tests else value


def _key(function: Function) -> str:
    name = function.name
    return name if name.isidentifier() else literal(name)


def _layers(program: Program) -> Iterator[str]:
    yield "// The layers: for each input its knots and the edges that leave it, then the nodes."
    yield "const layers = ["
    for number, layer in enumerate(program.layers):
        names = program.input_names if number == 0 else None
        yield from _layer(number, layer, names, program.own_functions)
    yield "];\n"


def _layer(
    number: int, layer: LayerProgram, names: tuple[str, ...] | None, own: list[Function]
) -> Iterator[str]:
    yield "  {"
    yield f"    k: {layer.k},"
    yield f"    linear: {literal(layer.extrapolate == 'linear')}, // beyond the grid"
    yield f"    base: bases.{layer.base or 'none'},"
    yield f"    sums: {layer.n_sums},"
    yield "    inputs: ["
    for i, knots in enumerate(layer.knots):
        splines, functions = layer.edges_from(i)
        yield f"      {{ // {f'node {i} of layer {number}' if names is None else literal(names[i])}"
        yield f"        knots: {_list(knots or ())},"
        yield from _group("splines", map(_spline, splines))
        yield from _group("functions", (_function(edge, own) for edge in functions))
        yield "      },"
    yield "    ],"
    yield "    nodes: ["
    yield from (f"      {_node(layer, node)}," for node in layer.nodes)
    yield "    ],"
    yield "  },"


def _group(name: str, entries: Iterator[str]) -> Iterator[str]:
    lines = [f"          {entry}," for entry in entries]
    yield f"        {name}: [{'' if lines else '],'}"
    if lines:
        yield from lines
        yield "        ],"


def _spline(edge: Spline) -> str:
    return f"{{ to: {edge.j}, weight: {literal(edge.scale_base)}, coef: {_list(edge.coef)} }}"


def _function(edge: FunctionEdge, own: list[Function]) -> str:
    affine = ", ".join(f"{name}: {literal(getattr(edge, name))}" for name in "abcd")
    name = f"own_{own.index(edge.function)}" if edge.own else edge.function.name
    access = f".{name}" if name.isidentifier() else f"[{literal(name)}]"
    return f"{{ to: {edge.j}, f: functions{access}, {affine} }}"


def _node(layer: LayerProgram, node: Node) -> str:
    parts = [(float(j), layer.subnodes[j].scale, layer.subnodes[j].bias) for j in node.factors]
    factors = ", ".join(map(_list, parts))
    scale, bias = literal(node.scale), literal(node.bias)
    return f"{{ factors: [{factors}], scale: {scale}, bias: {bias} }}"


def _list(values: Any) -> str:
    return f"[{', '.join(map(literal, values))}]"


def _frozen(values: Any) -> str:
    return f"Object.freeze({_list(values)})"


def _types(program: Program, stem: str) -> str:
    labels = program.classes
    if labels is None:
        one, all_of_them = "number", "null"
    else:
        kinds = {bool: "boolean", str: "string", int: "number", float: "number"}
        one = " | ".join(dict.fromkeys(kinds[type(label)] for label in labels))
        all_of_them = f"readonly ({one})[]"
    return f"""\
// Types of {literal(f"{stem}.mjs")}, {WRITTEN_BY} {__version__}.

/** {program.n_in} numbers in the order of inputNames, or an object that has them by name. */
export type Row =
  | readonly number[]
  | Float64Array
  | Float32Array
  | Readonly<Record<string, number>>;

/** Names of the inputs: {_comment(program.input_names)}. */
export declare const inputNames: readonly string[];

/** Names of the outputs: {_comment(program.output_names)}. */
export declare const outputNames: readonly string[];

/** Labels, or null. */
export declare const classes: {all_of_them};

/** Predict from one row, in the units of the data: one number for each output. */
export declare function predict(row: Row): number[];

/** Predict from many rows. */
export declare function predictMany(rows: Iterable<Row>): number[][];

/** The label of one row; its number where the model has no labels. */
export declare function predictClass(row: Row): {one};
"""


def _comment(names: tuple[str, ...]) -> str:
    return ", ".join(map(literal, names))
