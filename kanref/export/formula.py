r"""The target ``formula``: a symbolic model as text in six languages.

The numbers are exact, so inside the domains of its functions the text computes what the model does,
in data units. Outside, each language does what it does: C and JavaScript give NaN, Python raises,
SQL gives NULL or an error, a spreadsheet an error value.

``latex``        one equation for each output; names of several letters need amsmath's \text
``python``       a function with the standard library's ``math``
``c``            a C99 function
``javascript``   an ES module with one function
``spreadsheet``  formulas for row 2 of a sheet, the inputs in the columns A, B, …, names in row 1
``sql``          a query on the table ``data``, whose columns have the names of the inputs

A file that ends in ``.tex`` or ``.sql`` holds that language alone, any other all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..symbolic import symbolic_formula
from .formula_names import (
    code_names,
    column_name,
    comment_name,
    latex_name,
    sql_name,
)
from .formula_printers import printer_of
from .own import own_expression
from .program import ExportError, Program
from .text import title

LANGUAGES = ("latex", "python", "c", "javascript", "spreadsheet", "sql")


def write(
    program: Program,
    *,
    stem: str,
    language: str = "all",
    round_to: int | None = None,
) -> Mapping[str, str]:
    """Return the file with the formula.

    Parameters
    ----------
    program : Program
        Every live edge must be symbolic.
    stem : str
        Name of the file without suffix.
    language : str
        One of `LANGUAGES`, or "all": a section for each; one that has no word for a function says
        so there. By default the suffix of the file decides, where it is that of a language.
    round_to : int, optional
        Round constants to so many significant digits; by default they are exact.

    Raises
    ------
    ValueError
        If an option will not do.
    ExportError
        If a live edge is a spline, or the language has no word for a function.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.export import program_of
    >>> model = KAN([1, 1]).fix_symbolic(0, 0, 0, "sin", affine=[3.5, 0, 2, 0])
    >>> print(write(program_of(model), stem="wave", language="sql")[".txt"])
    SELECT
      2.0*SIN(3.5*"x_1") AS "y"
    FROM "data";
    <BLANKLINE>
    """
    if language != "all" and language not in LANGUAGES:
        raise ValueError(
            f"`language` must be all or one of {', '.join(LANGUAGES)}, got {language!r}"
        )
    if round_to is not None and (
        isinstance(round_to, bool) or not isinstance(round_to, int) or round_to < 1
    ):
        raise ValueError(f"`round_to` must be an integer of at least 1, got {round_to!r}")
    expressions = formula_expressions(program, round_to)
    if language != "all":
        return {".txt": formula_text(program, expressions, language)}
    sections = [title(program)]
    for name in LANGUAGES:
        try:
            text = formula_text(program, expressions, name)
        except ExportError as error:
            text = f"({error})\n"
        sections.append(f"== {name} ==\n\n{text}")
    return {".txt": "\n\n".join(sections)}


def formula_expressions(program: Program, round_to: int | None = None) -> list[Any]:
    """Return one SymPy expression for each output, in the symbols x_1, x_2 and so on.

    Raises
    ------
    ExportError
        If a live edge is a spline.
    """
    try:
        return symbolic_formula(program.network, scaling=program.scaling, round_to=round_to)
    except ValueError as error:
        raise ExportError(str(error)) from error


def formula_text(program: Program, expressions: Sequence[Any], language: str) -> str:
    """Return expressions in the symbols x_1, x_2, … in one language.

    Raises
    ------
    ExportError
        If the language has no word for a function, or a name cannot be written in it.
    """
    if language != "latex":
        for function in program.own_functions:
            own_expression(function, language)  # raises unless its SymPy form is true
    chosen = _NAMES[language](program.input_names)
    names = {f"x_{i + 1}": name for i, name in enumerate(chosen)}
    printed = [printer_of(language, names)(expression) for expression in expressions]
    return _LAYOUTS[language](program, chosen, printed)


def _legend(program: Program, names: Sequence[str], mark: str) -> str:
    """Return comment lines that tell what the names stand for, where they are not the user's."""
    pairs = zip(names, program.input_names, strict=True)
    return "".join(f"{mark} {new}: {comment_name(old)}\n" for new, old in pairs if new != old)


def _latex(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    pairs = zip(program.output_names, printed, strict=True)
    return "".join(f"\\[ {latex_name(name)} = {text} \\]\n" for name, text in pairs)


def _python(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    pairs = zip(printed, program.output_names, strict=True)
    body = "".join(f"        {text},  # {comment_name(name)}\n" for text, name in pairs)
    return (
        f"import math\n\n\n{_legend(program, names, '#')}def formula({', '.join(names)}):\n"
        f"    return [\n{body}    ]\n"
    )


def _c(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    inputs = "".join(f"    const double {name} = x[{i}];\n" for i, name in enumerate(names))
    used = set(re.findall(r"[A-Za-z_]\w*", " ".join(printed)))
    unused = "".join(f"    (void){name};\n" for name in names if name not in used)
    pairs = enumerate(zip(printed, program.output_names, strict=True))
    outputs = "".join(
        f"    /* {comment_name(name)} */\n    y[{o}] = {t};\n" for o, (t, name) in pairs
    )
    legend = "".join(f"/*{line[2:]} */\n" for line in _legend(program, names, "//").splitlines())
    return (
        f"#include <math.h>\n\n{legend}void formula(const double x[{len(names)}], "
        f"double y[{len(printed)}])\n{{\n{inputs}{unused}{outputs}}}\n"
    )


def _javascript(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    pairs = zip(printed, program.output_names, strict=True)
    body = "".join(f"    {text}, // {comment_name(name)}\n" for text, name in pairs)
    legend = _legend(program, names, "//")
    return f"{legend}export function formula({', '.join(names)}) {{\n  return [\n{body}  ];\n}}\n"


def _spreadsheet(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    legend = "".join(
        f"{cell[:-1]}1 {comment_name(name)}\n"
        for cell, name in zip(names, program.input_names, strict=True)
    )
    cells = [f"{column_name(len(names) + o)}2" for o in range(len(printed))]
    rows = zip(cells, program.output_names, printed, strict=True)
    return legend + "".join(
        f"{cell[:-1]}1 {comment_name(name)}\n{cell} ={text}\n" for cell, name, text in rows
    )


def _sql(program: Program, names: Sequence[str], printed: Sequence[str]) -> str:
    columns = ",\n".join(
        f"  {text} AS {sql_name(name)}"
        for text, name in zip(printed, program.output_names, strict=True)
    )
    return f'SELECT\n{columns}\nFROM "data";\n'


_NAMES: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "latex": lambda names: [latex_name(name) for name in names],
    "python": code_names,
    "c": code_names,
    "javascript": code_names,
    "spreadsheet": lambda names: [f"{column_name(i)}2" for i in range(len(names))],
    "sql": lambda names: [sql_name(name) for name in names],
}

_LAYOUTS: dict[str, Callable[[Program, Sequence[str], Sequence[str]], str]] = {
    "latex": _latex,
    "python": _python,
    "c": _c,
    "javascript": _javascript,
    "spreadsheet": _spreadsheet,
    "sql": _sql,
}
