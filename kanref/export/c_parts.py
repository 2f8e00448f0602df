"""The functions that the layers of a C export call: splines, base functions, functions on edges."""

from __future__ import annotations

from typing import Any

from . import c_functions as cf
from .c_layers import Dialect
from .c_lookup import Lookup
from .c_text import name_comment
from .library import IDENTIFIERS
from .own import domain_test, own_expression, printed
from .program import ExportError, Program
from .text import affine

_SPLINES = """
/* Writes the k + 1 splines that are not zero at x to b, and returns the number of the first. The n
 * knots t do not decrease. The cell t[m] <= x < t[m + 1] is found by bisection, and the splines
 * over it by the recursion of Cox and de Boor. Outside the grid they fade to 0, or continue as
 * straight lines. Where x is NaN, so is b. */
static int splines(@ x, const @ *t, int n, int k, int fades, @ *b)
{
    const @ first = t[k], last = t[n - 1 - k];
    @ s[MOST] = {0.0%}, beyond = 0.0%; /* slopes; way beyond the grid */
    int m = k, end = n - 1 - k, p, r;

    if (x != x || (fades && !(x >= first && x < last))) {
        for (r = 0; r <= k; r++)
            b[r] = x != x ? x : 0.0%;
        return 0;
    }
    if (x < first) {
        beyond = x - first;
        x = first;
    } else if (x > last) {
        beyond = x - last;
        x = last;
    }
    while (end - m > 1) {
        const int middle = m + (end - m) / 2;
        if (t[middle] <= x && t[middle] < last)
            m = middle;
        else
            end = middle;
    }
    b[0] = 1.0%;
    for (p = 1; p <= k; p++) {
        @ left = 0.0%;
        for (r = 0; r < p; r++) {
            const @ q = b[r] / (t[m + 1 + r] - t[m + 1 + r - p]);
            b[r] = (x - t[m + r - p]) * left + (t[m + r + 1] - x) * q;
            s[r] = (@)p * (left - q);
            left = q;
        }
        b[p] = (x - t[m]) * left;
        s[p] = (@)p * left;
    }
    if (beyond != 0.0%)
        for (r = 0; r <= k; r++)
            b[r] += beyond * s[r];
    return m - k;
}

/* A spline: n = k + 1 coefficients times the splines that are not zero. */
static @ curve(const @ *coef, const @ *b, int n)
{
    @ sum = 0.0%;
    int r;

    for (r = 0; r < n; r++)
        sum += coef[r] * b[r];
    return sum;
}
"""

_LOOKUP = """
static @ {name}_base(@ x)
{{
    const @ *p;
    @ s;
    int m;

    if (x != x)
        return x;
    if (x <= -{half}.0%)
        return {left};
    if (x >= {half}.0%)
        return {right};
    s = (x + {half}.0%) * {per_unit}.0%;
    m = (int)s;
    if (m > {last})
        m = {last};
    s -= (@)m;
    p = {name}_table + 2 * m; /* value and slope at either end of the cell */
    return p[0] + s * (p[1] + s * (3.0% * (p[2] - p[0]) - 2.0% * p[1] - p[3]
        + s * (2.0% * (p[0] - p[2]) + p[1] + p[3])));
}}
"""


def functions(program: Program, dialect: Dialect) -> list[str]:
    """Return the functions that the layers call."""
    parts = [dialect.typed(_SPLINES)] if any(p.splines for p in program.layers) else []
    for name in program.bases:
        if name in dialect.lookups:
            parts.append(_lookup(dialect, dialect.lookups[name]))
        else:
            parts.append(cf.base_source(name, dialect.ctype))
    sources = {
        IDENTIFIERS[n]: cf.function_source(n, dialect.ctype) for n in program.library_functions
    }
    sources |= {name: _own(function, name, dialect) for function, name in dialect.own.items()}
    text = "".join(sources.values())
    if "not_a_number()" in text:
        parts.append(dialect.typed(cf.NOT_A_NUMBER))
    if "bessel(" in text:
        parts.append(dialect.typed(cf.BESSEL))
    return [*parts, text]


def _lookup(dialect: Dialect, table: Lookup) -> str:
    """Return the source of a tabulated base function."""
    left, right = (
        affine(slope, "x", value, dialect.number) if slope else dialect.number(value)
        for slope, value in (table.left, table.right)
    )
    last = 2 * table.half * table.per_unit - 1
    text = _LOOKUP.format(
        name=table.name,
        half=table.half,
        per_unit=table.per_unit,
        left=left,
        right=right,
        last=last,
    )
    return dialect.typed(text)


def _own(function: Any, name: str, dialect: Dialect) -> str:
    """Return a function of the user's own, from its SymPy form; in double precision."""
    from sympy.printing.c import C99CodePrinter

    text = printed(C99CodePrinter, own_expression(function, "C"), function, "C")
    if "\n" in text and "//" in text:
        raise ExportError(f"the function {name_comment(function.name)} cannot be written as C")
    conditions = ["t - t == 0.0", *domain_test(function)]
    return (
        f"\n/* {name_comment(function.name)} */\n"
        f"static {dialect.ctype} {name}_of({dialect.ctype} x)\n{{\n"
        f"    const double t = (double)x;\n\n"
        f"    if (!({' && '.join(conditions)}))\n"
        f"        return not_a_number();\n"
        f"    return ({dialect.ctype})({text});\n}}\n"
    )
