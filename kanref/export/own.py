"""A function of the user's own in another language: by its SymPy form, if that is true."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..functions import Function
from .program import ExportError
from .text import shown

_POINTS = 61
_AGREEMENT = 1e-9


def own_expression(function: Function, target: str) -> Any:
    """Return the SymPy form of a function of the user's own, an expression in the symbol t.

    Raises
    ------
    ExportError
        If it has none, or one that is not the function.
    """
    import sympy
    from sympy.core.function import AppliedUndef

    t = sympy.Symbol("t", real=True)
    name = shown(function.name)
    try:
        expression = sympy.sympify(function.sympy(t), strict=True)
    except (TypeError, ValueError, AttributeError) as error:
        raise ExportError(f"the SymPy form of the function {name} fails: {error}") from None
    if expression.has(AppliedUndef) or not expression.free_symbols <= {t}:
        raise ExportError(
            f"the function {name} must have a SymPy form to be written as {target}: "
            "add_function(…, sympy=…)"
        )
    _check_agreement(function, expression, t)
    constants = expression.atoms(sympy.NumberSymbol)  # pi, E: some languages have no names for them
    return expression.xreplace({constant: constant.evalf(17) for constant in constants})


def _check_agreement(function: Function, expression: Any, t: Any) -> None:
    """Raise unless the form takes the values of the function on points of its domain."""
    import sympy

    x = _points(function)
    wanted = function.f(x)
    with np.errstate(all="ignore"):
        form = sympy.lambdify(t, expression, modules=["scipy", "numpy"])
        values = np.broadcast_to(np.asarray(form(x)), x.shape)
    usable = np.isfinite(wanted) & np.isfinite(values) & (np.imag(values) == 0)
    error = np.abs(values - wanted)[usable]
    bound = _AGREEMENT * (1 + np.abs(wanted[usable]))
    if not usable.any() or np.any(error > bound):
        worst = float(error.max()) if usable.any() else math.nan
        raise ExportError(
            f"the SymPy form of the function {shown(function.name)} must be the function itself, "
            f"got {expression}, which differs from it by {worst:.3g}"
        )


def _points(function: Function) -> np.ndarray:
    """Return points of no symmetry in the domain."""
    low, high = function.domain.low, function.domain.high
    unit = (np.arange(_POINTS) * 0.6180339887498949 + 0.0317) % 1.0
    if math.isfinite(low) and math.isfinite(high):
        return low + (high - low) * unit
    if math.isfinite(low):
        return low + 6 * unit
    return high - 6 * unit if math.isfinite(high) else 7 * unit - 3.3


def printed(printer: Any, expression: Any, function: Function, target: str) -> str:
    """Return an expression as source text.

    Raises
    ------
    ExportError
        If the language has not got what it needs.
    """
    from sympy.printing.codeprinter import PrintMethodNotImplementedError

    try:
        return str(printer({"strict": True, "precision": 17}).doprint(expression))
    except (PrintMethodNotImplementedError, NotImplementedError, ValueError) as error:
        raise ExportError(
            f"the function {shown(function.name)} = {expression} cannot be written as {target}: "
            f"{' '.join(str(error).split())}"
        ) from None


def domain_test(function: Function) -> list[str]:
    """Return conditions, in the syntax that Python and C share, under which t is in the domain."""
    domain = function.domain
    sign = "=" if domain.closed else ""
    tests = []
    if math.isfinite(domain.low):
        tests.append(f"t >{sign} {domain.low!r}")
    if math.isfinite(domain.high):
        tests.append(f"t <{sign} {domain.high!r}")
    if domain.period is None:
        tests += [f"t != {pole!r}" for pole in domain.poles]
    return tests
