"""Formulas as a notebook shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

DIGITS = 4
"""Significant digits of constants in notebooks; the expressions themselves are exact."""

LONGEST = 20_000
"""Characters of LaTeX beyond which a notebook shows plain text."""


class Formulas(list):
    r"""One SymPy expression for each output: a list that notebooks typeset.

    Parameters
    ----------
    expressions : iterable of sympy.Expr
        What the outputs equal.
    output_names : sequence of str
        What they are called.

    Examples
    --------
    >>> import sympy
    >>> found = Formulas([2.00001 * sympy.Symbol("flow rate") ** 2], ["drag & lift"])
    >>> found
    [2.00001*flow rate**2]
    >>> print(found._repr_latex_())
    $\displaystyle \begin{aligned}\text{drag \& lift} &= 2 \text{flow rate}^{2}\end{aligned}$
    """

    def __init__(self, expressions: Iterable[Any] = (), output_names: Sequence[str] = ()) -> None:
        super().__init__(expressions)
        self.output_names = tuple(output_names)

    def _repr_latex_(self) -> str | None:
        """Return the equations as LaTeX, with constants rounded; None where that is too long."""
        import sympy

        from ..report import latex_name
        from ..symbolic import ex_round

        if not self or len(self.output_names) != len(self):  # somebody changed the list
            return None
        lines = []
        for name, expression in zip(self.output_names, self, strict=True):
            rounded = ex_round(expression, DIGITS)
            names = {symbol: latex_name(symbol.name) for symbol in rounded.free_symbols}
            lines.append(f"{latex_name(name)} &= {sympy.latex(rounded, symbol_names=names)}")
        body = r" \\ ".join(lines)
        if len(body) > LONGEST:
            return None
        return rf"$\displaystyle \begin{{aligned}}{body}\end{{aligned}}$"
