"""A function of the user's own, made into one of the library's kind.

Where no derivative is given it is taken numerically: by complex step, f'(x) = Im f(x + ih)/h, which
has no rounding error but needs a function that is analytic in the program too (no abs, no
comparison); else by a central difference of fourth order.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .._arrays import Array, absolute, is_complex, namespace, real, where
from .domain import REALS, Domain
from .function import Elementwise, Function

_COMPLEX_STEP = 1e-40
_REAL_STEP = 1e-3  # fourth order: truncation h^4 and rounding eps/h are both about 1e-13
_AGREEMENT = 1e-7


def make_function(
    name: str,
    f: Elementwise,
    df: Elementwise | None = None,
    sympy: Callable[[Any], Any] | None = None,
    complexity: int = 3,
    domain: Domain | tuple[float, float] | None = None,
) -> Function:
    """Make a function of the symbolic library out of your own.

    Parameters
    ----------
    name : str
        Its name.
    f : callable
        Array → array of the same shape. It is called with arrays of any shape, also of one element.
    df : callable, optional
        Its derivative, of the same kind. Default: by complex step where `f` takes complex arrays
        and the step agrees with a difference quotient, else by a central difference.
    sympy : callable, optional
        SymPy expression → SymPy expression. Default: an undefined function of that name.
    complexity : int
        What it costs in the ranking of symbolic fits; the library's range from 0 to 5.
    domain : Domain or (low, high), optional
        Where `f` is defined: a pair stands for the closed interval. Default: every x. Outside, f is
        continued as the library's functions are; where it then still is not finite, by 0.

    Raises
    ------
    ValueError
        If the name is empty, the complexity negative, or `f` or `df` returns another shape
        than it was given.
    TypeError
        If `f`, `df` or `sympy` cannot be called.

    Notes
    -----
    A complex argument (complex step) goes to `f` itself where it passed that test, else
    f(x + ih) = f(x) + ih f'(x) is used.

    Examples
    --------
    >>> import numpy as np
    >>> cube_root = make_function("cbrt", np.cbrt, lambda x: np.cbrt(x) ** -2 / 3)
    >>> cube_root.f(np.array([8.0]))
    array([2.])
    >>> make_function("xlogx", lambda x: x * np.log(x), domain=(0.1, 5.0)).df(np.ones(1))
    array([1.])
    """
    _check_arguments(name, f, df, sympy, complexity)
    domain = _as_domain(domain)
    points = _probe(domain)
    for label, g in (("f", f), ("df", df)):
        if g is not None:
            _check_shape(label, g, points)
    analytic = _is_analytic(f, points)
    value: Elementwise = _User(f)
    slope: Elementwise = _User(df) if df is not None else _Slope(f, analytic, domain)
    if not analytic:
        value = _Dual(value, slope)
        slope = _RealPart(slope)
    form = sympy if sympy is not None else partial(_undefined, name=name)
    return Function(name, value, slope, int(complexity), form, domain)


def _check_arguments(name: str, f: Any, df: Any, sympy: Any, complexity: Any) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"`name` must be a non-empty string, got {name!r}")
    for label, g in (("f", f), ("df", df), ("sympy", sympy)):
        if not callable(g) and (label == "f" or g is not None):
            raise TypeError(f"`{label}` must be callable, got {g!r}")
    if isinstance(complexity, bool) or int(complexity) != complexity or complexity < 0:
        raise ValueError(f"`complexity` must be an integer >= 0, got {complexity!r}")


def _as_domain(domain: Domain | tuple[float, float] | None) -> Domain:
    if domain is None:
        return REALS
    if isinstance(domain, Domain):
        return domain
    try:
        low, high = map(float, domain)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`domain` must be a Domain or (low, high), got {domain!r}") from error
    return Domain(low, high)


def _probe(domain: Domain) -> np.ndarray:
    """Return a few points of no symmetry in the domain, off the edges and off round numbers."""
    unit = np.array([0.0317, 0.1731, 0.2953, 0.4271, 0.6133, 0.7919, 0.9407])
    if math.isfinite(domain.low) and math.isfinite(domain.high):
        return domain.low + (domain.high - domain.low) * unit
    if math.isfinite(domain.low):
        return domain.low + 4 * unit
    if math.isfinite(domain.high):
        return domain.high - 4 * unit
    return 4 * unit - 1.9


def _check_shape(label: str, g: Elementwise, points: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        shape = np.shape(g(points))
    if shape != points.shape:
        raise ValueError(f"`{label}` must return an array of shape {points.shape}, got {shape}")


def _is_analytic(f: Elementwise, points: np.ndarray) -> bool:
    """Tell whether `f` takes complex arrays and its complex step is its derivative."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            stepped = np.asarray(f(points + 1j * _COMPLEX_STEP))
        except (TypeError, ValueError, ArithmeticError, NotImplementedError, Warning):
            return False
        if stepped.shape != points.shape or stepped.dtype.kind != "c":
            return False
        value, slope = stepped.real, stepped.imag / _COMPLEX_STEP
        wanted, near = np.asarray(f(points)), _difference(f, points, _REAL_STEP)
    usable = np.isfinite(wanted) & np.isfinite(near)
    if not usable.any():
        return False
    scale = 1 + np.abs(wanted) + np.abs(near)
    errors = (np.abs(value - wanted) + np.abs(slope - near)) / scale
    return bool(np.all(errors[usable] <= _AGREEMENT))


def _difference(f: Elementwise, x: Array, h: Array | float) -> Array:
    """Return (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h."""
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


def _undefined(expr: Any, name: str) -> Any:
    import sympy

    return sympy.Function(name)(expr)


@dataclass(frozen=True)
class _User:
    """The user's callable, with its result in the dtype of the argument."""

    f: Elementwise

    def __call__(self, x: Array) -> Array:
        xp = namespace(x)
        return xp.astype(xp.asarray(self.f(x)), x.dtype)


@dataclass(frozen=True)
class _Slope:
    """The numerical derivative of the user's callable, in double precision."""

    f: Elementwise
    analytic: bool
    domain: Domain

    def __call__(self, x: Array) -> Array:
        xp = namespace(x)
        if is_complex(x):  # only analytic functions come here; the real axis will do for them
            return _difference(self.f, x, _REAL_STEP * (1 + absolute(real(x))))
        wide = xp.astype(x, xp.float64)
        if self.analytic:
            stepped = xp.astype(wide, xp.complex128) + 1j * _COMPLEX_STEP
            return xp.astype(xp.imag(self.f(stepped)) / _COMPLEX_STEP, x.dtype)
        wide, h = self._stencil(wide)
        return xp.astype(xp.asarray(_difference(self.f, wide, h)), x.dtype)

    def _stencil(self, x: Array) -> tuple[Array, Array]:
        """Return point and step so that the stencil stays in the domain: smaller near an edge.

        On an edge, and closer to it than 2e-6 of the natural step, the point itself moves inside.
        """
        h = _REAL_STEP * (1 + absolute(x))
        d = self.domain
        for edge, side in ((d.low, 1.0), (d.high, -1.0)):
            if math.isfinite(edge):
                least = 2e-3 * h
                x = where((x - edge) * side < least, edge + side * least, x)
                room = absolute(x - edge) / 2.5
                h = where(room < h, room, h)
        return x, h


@dataclass(frozen=True)
class _Dual:
    """f(x + ih) = f(x) + ih f'(x), for a callable that does not take complex arrays."""

    f: Elementwise
    df: Elementwise

    def __call__(self, x: Array) -> Array:
        if not is_complex(x):
            return self.f(x)
        xp = namespace(x)
        r = xp.real(x)
        return xp.astype(self.f(r), x.dtype) + 1j * (xp.imag(x) * self.df(r))


@dataclass(frozen=True)
class _RealPart:
    """f'(Re x), in the dtype of `x`."""

    df: Elementwise

    def __call__(self, x: Array) -> Array:
        return namespace(x).astype(self.df(real(x)), x.dtype)
