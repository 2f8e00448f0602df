"""The public part of a C export: its header, its names, and what goes through the layers."""

from __future__ import annotations

import numpy as np

from .c_functions import typed
from .c_text import c_string, name_comment
from .program import Program
from .text import Number, affine, title

_HEADER = """/* {title}
 *
 * C99, no heap, no state: every function may be called from several threads at once.
 * A row has {n_in} in the order
{inputs}
 * and the outputs are
{outputs}
 * all in the units of the data. An input that is NaN or infinite makes NaN of every output that it
 * reaches.{bound}
 */
#ifndef KANREF_{upper}_H
#define KANREF_{upper}_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define {upper}_INPUTS {n_inputs}
#define {upper}_OUTPUTS {n_outputs}

/* Writes the outputs for a row of inputs. */
void {prefix}_predict(const {ctype} *row, {ctype} *y);

/* The same for n rows, one behind the other. */
void {prefix}_predict_many(const {ctype} *rows, {ctype} *y, size_t n);
{classes}
extern const char *const {prefix}_input_names[{upper}_INPUTS];
extern const char *const {prefix}_output_names[{upper}_OUTPUTS];

#ifdef __cplusplus
}}
#endif

#endif
"""

_CLASSES = """
/* Returns the place of the most probable label in {prefix}_classes. */
int {prefix}_predict_class(const {ctype} *row);

#define {upper}_CLASSES {count}
extern const char *const {prefix}_classes[{upper}_CLASSES];
"""


def header(
    program: Program,
    prefix: str,
    ctype: str,
    proven: tuple[dict[str, float], list[float]],
) -> str:
    """Return the header; `proven` has the errors of tabulated functions and of the outputs."""
    upper = prefix.upper()
    classes = ""
    if program.classes is not None:
        count = len(program.classes)
        classes = _CLASSES.format(prefix=prefix, upper=upper, ctype=ctype, count=count)
    noun = "value" if program.n_in == 1 else "values"
    return _HEADER.format(
        title=title(program),
        n_in=f"{program.n_in} {noun}",
        inputs=_listed(program.input_names),
        outputs=_listed(program.output_names),
        bound=_bound(*proven),
        upper=upper,
        prefix=prefix,
        ctype=ctype,
        n_inputs=program.n_in,
        n_outputs=program.n_out,
        classes=classes,
    )


def _listed(names: tuple[str, ...]) -> str:
    return "\n".join(f" *   [{n}] {name_comment(name)}" for n, name in enumerate(names))


def _bound(errors: dict[str, float], proven: list[float]) -> str:
    """Return what the header says of tabulated base functions."""
    if not errors:
        return ""
    lines = [
        "",
        " *",
        " * Base functions are looked up in tables. Beside rounding, they err by at most",
    ]
    lines += [f" *   {name}: {_up(error)}" for name, error in errors.items()]
    lines.append(" * and the outputs, in the units of the data, by at most")
    for o, error in enumerate(proven):
        text = _up(error) if np.isfinite(error) else "(no bound for all inputs)"
        lines.append(f" *   [{o}] {text}")
    return "\n".join(lines)


def _up(value: float) -> str:
    """Return three digits, rounded up."""
    text = f"{value:.2e}"
    return text if float(text) >= value else f"{value * 1.01:.2e}"


def names_source(program: Program, prefix: str) -> str:
    """Return the tables of names and labels."""
    upper = prefix.upper()
    text = _names(f"{prefix}_input_names[{upper}_INPUTS]", program.input_names)
    text += _names(f"{prefix}_output_names[{upper}_OUTPUTS]", program.output_names)
    if program.classes is not None:
        labels = tuple(map(str, program.classes))
        text += _names(f"{prefix}_classes[{upper}_CLASSES]", labels)
    return text


def _names(declaration: str, values: tuple[str, ...]) -> str:
    lines = [f"    {c_string(value)}," for value in values]
    return "\n".join(["", f"const char *const {declaration} = {{", *lines, "};", ""])


def network_source(program: Program, prefix: str, ctype: str, number: Number) -> str:
    """Return the functions that scale and go through the layers."""
    widths = program.width
    lines = [
        "",
        "/* What is infinite goes on as NaN. */",
        "static void mask(@ *x, int n)",
        "{",
        "    int i;",
        "",
        "    for (i = 0; i < n; i++)",
        "        if (x[i] - x[i] != 0.0%)",
        "            x[i] = x[i] - x[i];",
        "}",
        "",
        "/* The outputs in the units of the network. */",
        "static void network(const @ *row, @ *y)",
        "{",
        "    @ " + ", ".join(f"x{l}[{widths[l]}]" for l in range(len(program.layers))) + ";",
        "",
    ]
    for i, (shift, scale) in enumerate(zip(program.x_shift, program.x_scale, strict=True)):
        lines.append(f"    x0[{i}] = {_scaled(f'row[{i}]', shift, scale, ctype, number)};")
    for l in range(len(program.layers)):
        target = f"x{l + 1}" if l + 1 < len(program.layers) else "y"
        lines += [f"    mask(x{l}, {widths[l]});", f"    layer_{l}(x{l}, {target});"]
    lines += ["}", "", f"void {prefix}_predict(const @ *row, @ *y)", "{", "    network(row, y);"]
    for o, (shift, scale) in enumerate(zip(program.y_shift, program.y_scale, strict=True)):
        if (shift, scale) != (0, 1):
            lines.append(f"    y[{o}] = {affine(scale, f'y[{o}]', shift, number)};")
    lines += ["}", "", f"void {prefix}_predict_many(const @ *rows, @ *y, size_t n)", "{"]
    step = f"{prefix}_predict(rows + i * {program.n_in}, y + i * {program.n_out});"
    lines += ["    size_t i;", "", "    for (i = 0; i < n; i++)", f"        {step}", "}"]
    text = typed("\n".join(lines) + "\n", ctype)
    return text + _class_source(program, prefix, ctype)


def _scaled(text: str, shift: float, scale: float, ctype: str, number: Number) -> str:
    """Return (text - shift) / scale; a float shift comes in two parts that add up to it."""
    parts = [shift]
    if ctype == "float":
        near = float(np.float32(shift))
        parts = [near, float(np.float32(shift - near))]
    for part in parts:
        if part:
            text = f"({text} - {number(part)})" if part > 0 else f"({text} + {number(-part)})"
    if scale != 1:
        return f"{text} / {number(scale)}"
    return text[1:-1] if text.startswith("(") else text


def _class_source(program: Program, prefix: str, ctype: str) -> str:
    """Return predict_class."""
    if program.classes is None:
        return ""
    lines = [
        "",
        f"int {prefix}_predict_class(const @ *row)",
        "{",
        f"    @ y[{program.n_out}];",
    ]
    if program.n_out == 1:
        lines += ["", "    network(row, y);", "    return y[0] > 0.0%;", "}"]
        return typed("\n".join(lines) + "\n", ctype)
    lines += [
        "    int o, best = 0;",
        "",
        "    network(row, y);",
        f"    for (o = 1; o < {program.n_out}; o++)",
        "        if (y[o] > y[best] || (y[o] != y[o] && y[best] == y[best]))",
        "            best = o; /* the largest; NaN counts as larger than any */",
        "    return best;",
        "}",
    ]
    return typed("\n".join(lines) + "\n", ctype)


_MAIN = """
#ifdef {upper}_MAIN
/* Reads rows of {n_in} numbers and prints the outputs, a line each; with --time, the size of the
 * tables and the latency instead. */
#include <stdio.h>
#include <string.h>
#include <time.h>

static int tell(void)
{{
    static {ctype} row[{upper}_INPUTS], y[{upper}_OUTPUTS];
    volatile {ctype} sink = 0;
    const long repeats = 200000L;
    clock_t start;
    long n;

    start = clock();
    for (n = 0; n < repeats; n++) {{
        row[n {percent} {upper}_INPUTS] += ({ctype})1e-6;
        {prefix}_predict(row, y);
        sink = sink + y[0];
    }}
    printf("tables: {percent}lu bytes\\n", (unsigned long)({count} * sizeof({ctype})));
    printf("latency: {percent}.1f ns per prediction\\n",
        1e9 * (double)(clock() - start) / CLOCKS_PER_SEC / (double)repeats);
    return 0;
}}

int main(int argc, char **argv)
{{
    {ctype} row[{upper}_INPUTS], y[{upper}_OUTPUTS];
    double value;
    int n = 0;

    if (argc > 1 && strcmp(argv[1], "--time") == 0)
        return tell();
    while (scanf("{percent}lf", &value) == 1) {{
        row[n++] = ({ctype})value;
        if (n < {upper}_INPUTS)
            continue;
        {prefix}_predict(row, y);
        for (n = 0; n < {upper}_OUTPUTS; n++)
            printf("{percent}.17g{percent}c", (double)y[n], n + 1 < {upper}_OUTPUTS ? ' ' : '\\n');
        n = 0;
    }}
    return 0;
}}
#endif
"""


def main_program(program: Program, prefix: str, ctype: str, count: int) -> str:
    """Return the program that the source contains; `count` numbers stand in tables."""
    return _MAIN.format(
        upper=prefix.upper(),
        prefix=prefix,
        ctype=ctype,
        count=f"(size_t){count}",
        n_in=program.n_in,
        percent="%",
    )
