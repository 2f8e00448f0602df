"""The symbolic library: pykan's 29 functions, and sinh, cosh, erf, sigmoid, sinc, J0, J1.

Names and complexities are pykan's (v0.2.8), so that its users find what they know.
"""

from __future__ import annotations

import copyreg
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from .._arrays import absolute, sign
from . import formulas as fm
from . import special as sp
from .domain import Domain
from .function import Function, Limits

POSITIVE = Domain(0.0, closed=False)
NON_NEGATIVE = Domain(0.0)
NON_ZERO = Domain(poles=(0.0,))


def _power_limits(bound: float, n: float) -> Limits:
    return Limits(-(bound ** (1 / n)), bound ** (1 / n))


def _pole_limits(bound: float, n: int) -> Limits:
    return Limits(hole=(n / bound) ** (1 / (n + 1)))  # |f'| = n / |x|^(n+1) is the larger


def _exp_limits(bound: float) -> Limits:
    return Limits(high=math.log(bound))


def _sinh_limits(bound: float) -> Limits:
    return Limits(-math.log(bound), math.log(bound))


def _log_limits(bound: float) -> Limits:
    return Limits(low=1 / bound)


def _inverse_sqrt_limits(bound: float) -> Limits:
    return Limits(low=bound ** (-2 / 3))


def _sympy_call(expr: Any, name: str) -> Any:
    import sympy

    return getattr(sympy, name)(expr)


def _sympy_power(expr: Any, numerator: int, denominator: int = 1) -> Any:
    import sympy

    return expr ** sympy.Rational(numerator, denominator)


def _sympy_zero(expr: Any) -> Any:
    return expr * 0


def _sympy_gaussian(expr: Any) -> Any:
    return _sympy_call(-(expr**2), "exp")


def _sympy_sigmoid(expr: Any) -> Any:
    return 1 / (1 + _sympy_call(-expr, "exp"))


def _sympy_bessel(expr: Any, order: int) -> Any:
    import sympy

    return sympy.besselj(order, expr)


def _call(name: str) -> Callable[[Any], Any]:
    return partial(_sympy_call, name=name)


def _power(n: int, complexity: int) -> Function:
    f, df = partial(fm.power, n=n), partial(fm.dpower, n=n)
    form, limits = partial(_sympy_power, numerator=n), partial(_power_limits, n=n)
    return Function(f"x^{n}", f, df, complexity, form, limits=limits)


def _inverse(n: int, complexity: int) -> Function:
    f, df = partial(fm.inverse_power, n=n), partial(fm.dinverse_power, n=n)
    form, limits = partial(_sympy_power, numerator=-n), partial(_pole_limits, n=n)
    name = "1/x" if n == 1 else f"1/x^{n}"
    return Function(name, f, df, complexity, form, NON_ZERO, limits)


def _root(name: str) -> Function:
    form = partial(_sympy_power, numerator=1, denominator=2)
    return Function(name, fm.sqrt, fm.dsqrt, 2, form, NON_NEGATIVE)


def _inverse_root(name: str) -> Function:
    form = partial(_sympy_power, numerator=-1, denominator=2)
    f, df, limits = fm.inverse_sqrt, fm.dinverse_sqrt, _inverse_sqrt_limits
    return Function(name, f, df, 2, form, POSITIVE, limits)


_FUNCTIONS = (
    Function("0", fm.constant, fm.constant, 0, _sympy_zero),
    Function("x", fm.identity, fm.one, 1, partial(_sympy_power, numerator=1)),
    _power(2, 2),
    _power(3, 3),
    _power(4, 3),
    _power(5, 3),
    _inverse(1, 2),
    _inverse(2, 2),
    _inverse(3, 3),
    _inverse(4, 4),
    _inverse(5, 5),
    _root("sqrt"),
    _root("x^0.5"),
    Function(
        "x^1.5",
        fm.x_sqrt,
        fm.dx_sqrt,
        4,
        partial(_sympy_power, numerator=3, denominator=2),
        NON_NEGATIVE,
        partial(_power_limits, n=1.5),
    ),
    _inverse_root("1/sqrt(x)"),
    _inverse_root("1/x^0.5"),
    Function("exp", fm.exp, fm.exp, 2, _call("exp"), limits=_exp_limits),
    Function("log", fm.log, partial(fm.inverse_power, n=1), 2, _call("log"), POSITIVE, _log_limits),
    Function("abs", absolute, sign, 3, _call("Abs")),
    Function("sin", fm.sin, fm.cos, 2, _call("sin")),
    Function("cos", fm.cos, fm.dcos, 2, _call("cos")),
    Function("tan", fm.tan, fm.dtan, 3, _call("tan"), Domain(poles=(math.pi / 2,), period=math.pi)),
    Function("tanh", fm.tanh, fm.dtanh, 3, _call("tanh")),
    Function("sgn", sign, fm.constant, 3, _call("sign")),
    Function("arcsin", fm.arcsin, fm.darcsin, 4, _call("asin"), Domain(-1.0, 1.0)),
    Function("arccos", fm.arccos, fm.darccos, 4, _call("acos"), Domain(-1.0, 1.0)),
    Function("arctan", fm.arctan, fm.darctan, 4, _call("atan")),
    Function(
        "arctanh", fm.arctanh, fm.darctanh, 4, _call("atanh"), Domain(-1.0, 1.0, closed=False)
    ),
    Function("gaussian", fm.gaussian, fm.dgaussian, 3, _sympy_gaussian),
    # beyond pykan's 29
    Function("sinh", fm.sinh, fm.cosh, 3, _call("sinh"), limits=_sinh_limits),
    Function("cosh", fm.cosh, fm.sinh, 3, _call("cosh"), limits=_sinh_limits),
    Function("sigmoid", fm.sigmoid, fm.dsigmoid, 3, _sympy_sigmoid),
    Function("erf", sp.erf, sp.derf, 4, _call("erf")),
    Function("sinc", fm.sinc, fm.dsinc, 4, _call("sinc")),
    Function("j0", sp.j0, sp.dj0, 4, partial(_sympy_bessel, order=0)),
    Function("j1", sp.j1, sp.dj1, 4, partial(_sympy_bessel, order=1)),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({f.name: f for f in _FUNCTIONS})
"""The symbolic library by name (read-only)."""


def _library_function(name: str) -> Function:
    return FUNCTIONS[name]


def _reduce(function: Function) -> Any:
    """Pickle a function of the library as its name, so that it is the same object afterwards."""
    known = FUNCTIONS.get(function.name) is function
    return (_library_function, (function.name,)) if known else object.__reduce_ex__(function, 2)


copyreg.pickle(Function, _reduce)

ALIASES: Mapping[str, str] = MappingProxyType({"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"})
"""Second names; a search over the whole library tries each function once."""

_OTHER_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atanh": "arctanh",
    "ln": "log",
    "sign": "sgn",
    "identity": "x",
    "linear": "x",
    "zero": "0",
    "square": "x^2",
}


def resolve_library(
    lib: Iterable[str | Function] | None = None, extra: Mapping[str, Function] | None = None
) -> dict[str, Function]:
    """Return the functions to try, by name, in the order asked for.

    Parameters
    ----------
    lib : iterable of names or Functions, optional
        None: the whole library, each function under its first name, and all of `extra`.
    extra : mapping of name to Function, optional
        The functions that were added to the model at hand.

    Raises
    ------
    ValueError
        If a name is unknown; the message lists the known and the nearest names.
    TypeError
        If `lib` is one string, or holds something else than names and Functions.

    Examples
    --------
    >>> list(resolve_library(["x", "sin"]))
    ['x', 'sin']
    >>> len(resolve_library())
    34
    """
    known = {**FUNCTIONS, **(extra or {})}
    if lib is None:
        return {name: f for name, f in known.items() if not _is_alias(name, f)}
    if isinstance(lib, str):
        raise TypeError(f"`lib` must be a list of function names, got the string {lib!r}")
    found: dict[str, Function] = {}
    for item in lib:
        if isinstance(item, Function):
            found[item.name] = item
        elif not isinstance(item, str):
            raise TypeError(f"`lib` must hold function names or Functions, got {item!r}")
        elif item in known:
            found[item] = known[item]
        else:
            raise ValueError(_unknown(item, known))
    if not found:
        raise ValueError("`lib` must name one or more functions, got none")
    return found


def _is_alias(name: str, function: Function) -> bool:
    return name in ALIASES and FUNCTIONS[name] is function


def _unknown(name: str, known: Mapping[str, Function]) -> str:
    plain = name.strip().lower().replace("**", "^")
    close = difflib.get_close_matches(plain, known, n=3)
    other = _OTHER_NAMES.get(plain)
    close = [other] if other else [plain] if plain in known else close
    hint = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
    return f"a function must be one of {', '.join(known)}, got {name!r}{hint}"
