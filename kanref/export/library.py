"""What the writers of code share of the functions on edges: their names, powers, and terms."""

from __future__ import annotations

from collections.abc import Mapping

from ..functions import Function
from .program import FunctionEdge, Program
from .text import Number, affine, number

IDENTIFIERS = {
    "0": "zero",
    "x": "same",
    "x^2": "square",
    "x^3": "cube",
    "x^4": "fourth_power",
    "x^5": "fifth_power",
    "1/x": "inverse",
    "1/x^2": "inverse_square",
    "1/x^3": "inverse_cube",
    "1/x^4": "inverse_fourth_power",
    "1/x^5": "inverse_fifth_power",
    "sqrt": "sqrt",
    "x^0.5": "sqrt",
    "x^1.5": "x_sqrt",
    "1/sqrt(x)": "inverse_sqrt",
    "1/x^0.5": "inverse_sqrt",
    "abs": "absolute",
    **{name: name for name in ("exp", "log", "sin", "cos", "tan", "tanh", "sgn", "arcsin")},
    **{name: name for name in ("arccos", "arctan", "arctanh", "gaussian", "sinh", "cosh")},
    **{name: name for name in ("sigmoid", "erf", "sinc", "j0", "j1")},
}
"""What the functions of the library are called in code."""


def exponent(name: str) -> int | None:
    """Return n of a library function that is the power xⁿ, n = ±1, ±2, …; None of any other.

    Examples
    --------
    >>> [exponent(name) for name in ("x", "x^3", "1/x", "1/x^4", "x^0.5", "1/sqrt(x)", "exp")]
    [1, 3, -1, -4, None, None, None]
    """
    stem, _, power = name.removeprefix("1/").partition("^")
    if stem != "x" or (power and not power.isdigit()):
        return None
    return -int(power or 1) if name.startswith("1/") else int(power or 1)


def product(n: int) -> str:
    """Return "t * t * t" for n = 3 or -3."""
    return " * ".join("t" * abs(n))


def own_names(program: Program) -> dict[Function, str]:
    """Return what the functions of the user's own are called in code."""
    return {function: f"own_{n + 1}" for n, function in enumerate(program.own_functions)}


def function_term(
    edge: FunctionEdge,
    own: Mapping[Function, str],
    x: str,
    *,
    ending: str = "",
    write: Number = number,
) -> str:
    """Return c · f(a·x + b) + d of a function edge.

    Parameters
    ----------
    edge : FunctionEdge
        With its function and affine a, b, c, d.
    own : mapping of Function to str
        From :func:`own_names`.
    x : str
        How the code calls the input.
    ending : str
        Of the names of all functions.
    write : callable
        How it writes numbers.
    """
    name = own[edge.function] if edge.own else IDENTIFIERS[edge.function.name]
    return affine(edge.c, f"{name}{ending}({affine(edge.a, x, edge.b, write)})", edge.d, write)
