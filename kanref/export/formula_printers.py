"""SymPy's printers for the languages of formulas, and two more: spreadsheets and SQL.

All write numbers as the shortest text that reads back as the same double.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .program import ExportError

UNKNOWN = "the formula has {what}, which {language} has no word for"

SPREADSHEET = {
    "Abs": "ABS",
    "exp": "EXP",
    "log": "LN",
    "sin": "SIN",
    "cos": "COS",
    "tan": "TAN",
    "sinh": "SINH",
    "cosh": "COSH",
    "tanh": "TANH",
    "asin": "ASIN",
    "acos": "ACOS",
    "atan": "ATAN",
    "atanh": "ATANH",
    "sign": "SIGN",
    "erf": "ERF",
}
SQL = {name: word for name, word in SPREADSHEET.items() if name != "erf"}


def number(value: Any) -> str:
    """Return a constant of a formula as the shortest text of a double.

    Raises
    ------
    ExportError
        If it is too large for one.
    """
    found = float(value)
    if not math.isfinite(found):
        raise ExportError(f"the formula has a constant that no double can hold: {value}")
    return repr(found)


def printer_of(language: str, names: Mapping[str, str]) -> Callable[[Any], str]:
    """Return what writes an expression in a language, with other names for its symbols.

    Raises
    ------
    ExportError
        By what is returned, if the language has no word for a function.
    """
    printer = _printer(language, names)

    def write(expression: Any) -> str:
        try:
            return str(printer.doprint(expression))
        except ExportError:
            raise
        except (NotImplementedError, ValueError, TypeError) as error:
            text = " ".join(str(error).split())
            raise ExportError(f"the formula cannot be written as {language}: {text}") from None

    return write


def _printer(language: str, names: Mapping[str, str]) -> Any:
    if language == "latex":
        return _latex(names)
    if language in ("spreadsheet", "sql"):
        return _calls(language, names, SPREADSHEET if language == "spreadsheet" else SQL)
    return _code(language, names)


def _latex(names: Mapping[str, str]) -> Any:
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
            return names[expr.name]

        def _print_Float(self, expr: Any) -> str:
            mantissa, _, exponent = number(expr).partition("e")
            if not exponent:
                return mantissa
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"

    return Printer()


def _code(language: str, names: Mapping[str, str]) -> Any:
    """Return a printer of SymPy's for Python, C or JavaScript."""
    from sympy.printing.c import C99CodePrinter
    from sympy.printing.jscode import JavascriptCodePrinter
    from sympy.printing.pycode import PythonCodePrinter

    parent: Any = {
        "python": PythonCodePrinter,
        "c": C99CodePrinter,
        "javascript": JavascriptCodePrinter,
    }[language]
    call = {"python": "math.pow", "c": "pow", "javascript": "Math.pow"}[language]
    floats = language != "python"

    class Printer(parent):
        def _print_Symbol(self, expr: Any) -> str:
            return names[expr.name]

        def _print_Float(self, expr: Any) -> str:
            return number(expr)

        def _print_Integer(self, expr: Any) -> str:
            return number(expr) if floats or abs(expr) >= 2**53 else str(int(expr))

        def _print_Rational(self, expr: Any) -> str:
            return number(expr)

        _print_NumberSymbol = _print_Exp1 = _print_Pi = _print_Float

        def _print_Pow(self, expr: Any, rational: bool = False) -> str:
            if expr.exp.is_Integer and 1 < int(expr.exp) <= 3 and expr.base.is_Symbol:
                return "(" + "*".join([self._print(expr.base)] * int(expr.exp)) + ")"
            if expr.exp == -1:
                return f"(1.0/({self._print(expr.base)}))"
            if expr.exp.is_Rational and expr.exp.q == 2 and abs(expr.exp.p) == 1:
                root = f"{call.rpartition('.')[0]}.sqrt".lstrip(".") + f"({self._print(expr.base)})"
                return root if expr.exp.p > 0 else f"(1.0/{root})"
            return f"{call}({self._print(expr.base)}, {self._print(expr.exp)})"

        def _print_sign(self, expr: Any) -> str:
            if language == "javascript":
                return f"Math.sign({self._print(expr.args[0])})"
            text = self._print(expr.args[0])
            return f"(({text} > 0) - ({text} < 0))"

        def _print_sinc(self, expr: Any) -> str:
            text = self._print(expr.args[0])
            sine = {"python": "math.sin", "c": "sin", "javascript": "Math.sin"}[language]
            if language == "python":
                return f"({sine}({text})/({text}) if {text} != 0 else 1.0)"
            return f"(({text}) != 0 ? {sine}({text})/({text}) : 1.0)"

        def _print_Function(self, expr: Any) -> str:
            known = self.known_functions if hasattr(self, "known_functions") else {}
            if type(expr).__name__ not in known:
                raise ExportError(UNKNOWN.format(what=expr.func.__name__, language=language))
            return super()._print_Function(expr)

        _print_besselj = _print_Function

    return Printer({"strict": True})


def _calls(language: str, names: Mapping[str, str], words: Mapping[str, str]) -> Any:
    """Return a printer for a language where everything but sums and products is a call."""
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        def _print_Symbol(self, expr: Any) -> str:
            return names[expr.name]

        def _print_Number(self, expr: Any) -> str:
            text = number(expr)
            return f"({text})" if text.startswith("-") else text

        _print_Float = _print_Integer = _print_Rational = _print_NumberSymbol = _print_Number
        _print_Zero = _print_One = _print_NegativeOne = _print_Half = _print_Number
        _print_Exp1 = _print_Pi = _print_Number

        def _print_Add(self, expr: Any, order: Any = None) -> str:
            terms = [self._print(term) for term in self._as_ordered_terms(expr, order=order)]
            return "(" + " + ".join(terms) + ")"

        def _print_Mul(self, expr: Any) -> str:
            return "*".join(self._print(factor) for factor in expr.args)

        def _print_Pow(self, expr: Any, rational: bool = False) -> str:
            base = self._print(expr.base)
            if expr.exp == -1:
                return f"(1.0/({base}))"
            if expr.exp.is_Rational and expr.exp.q == 2 and abs(expr.exp.p) == 1:
                return f"SQRT({base})" if expr.exp.p > 0 else f"(1.0/SQRT({base}))"
            return f"POWER({base}, {self._print(expr.exp)})"

        def _print_sinc(self, expr: Any) -> str:
            text = self._print(expr.args[0])
            if language == "sql":
                return f"(CASE WHEN {text} = 0 THEN 1.0 ELSE SIN({text})/({text}) END)"
            return f"IF({text}=0, 1.0, SIN({text})/({text}))"

        def _print_besselj(self, expr: Any) -> str:
            if language == "sql":
                raise ExportError(UNKNOWN.format(what="a Bessel function", language="SQL"))
            order, text = expr.args
            return f"BESSELJ({self._print(text)}, {int(order)})"

        def _print_Function(self, expr: Any) -> str:
            word = words.get(expr.func.__name__)
            if word is None:
                raise ExportError(UNKNOWN.format(what=expr.func.__name__, language=language))
            return f"{word}({', '.join(self._print(a) for a in expr.args)})"

        _print_Abs = _print_exp = _print_log = _print_Function

        def emptyPrinter(self, expr: Any) -> str:
            raise ExportError(UNKNOWN.format(what=type(expr).__name__, language=language))

    return Printer()
