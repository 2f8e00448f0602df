"""The functions of kanref as standard operators of ONNX, by the names of the library.

Runtimes have fewer operators in double than in single precision: onnxruntime lacks Tan, Asin, Acos,
Atan, Sinh, Cosh, Atanh, Erf and Softplus. Here these are made of others, and arcsin and arctan by
one exact correction to the single-precision operator, so that every function has double precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..functions import Domain
from .library import exponent
from .onnx_builder import Builder
from .program import ExportError, FunctionEdge

BESSEL_FAR = 25.0
"""From here on Bessel functions follow Hankel's series."""


def base_value(g: Builder, name: str, x: str) -> str:
    """Add the base function `name` at finite x."""
    if name == "identity":
        return x
    if name == "silu":
        return g.add("Mul", x, g.add("Sigmoid", x))
    if name == "gelu":
        half = _scaled(g, x, 0.5)
        return g.add("Mul", half, _plus(g, _erf(g, _scaled(g, x, math.sqrt(0.5))), 1.0))
    if name == "softplus":
        small = g.add("Exp", g.add("Neg", g.add("Abs", x)))
        return g.add("Add", g.add("Relu", x), g.add("Log", _plus(g, small, 1.0)))
    return _SIMPLE[name](g, x)


def function_value(g: Builder, edge: FunctionEdge, t: str) -> str:
    """Add the function of an edge at t; NaN where t is not finite or outside the domain.

    Raises
    ------
    ExportError
        If the function is not of the library.
    """
    name = edge.function.name
    if edge.own:
        raise ExportError(
            f"the function of edge ({edge.i}, {edge.j}) must be one of the library to be written "
            f"as ONNX, got the user's own {name!r}"
        )
    bad = _outside(g, edge.function.domain, t)
    t = g.add("Where", bad, g.number(_inner_point(edge.function.domain)), t)
    n = exponent(name)
    if n is not None:
        value = t
        for _ in range(abs(n) - 1):
            value = g.add("Mul", value, t)
        value = value if n > 0 else g.add("Div", g.number(1.0), value)
    elif name in _SIMPLE:
        value = _SIMPLE[name](g, t)
    else:
        raise ExportError(f"ONNX export knows no function {name!r}")
    return g.add("Where", bad, g.number(math.nan), value)


def _outside(g: Builder, domain: Domain, t: str) -> str:
    """Tell where t is not finite or not in the domain."""
    bad = g.broken(t)
    tests = []
    if domain.low > -math.inf:
        tests.append(g.add("Less" if domain.closed else "LessOrEqual", t, g.number(domain.low)))
    if domain.high < math.inf:
        op = "Greater" if domain.closed else "GreaterOrEqual"
        tests.append(g.add(op, t, g.number(domain.high)))
    if domain.period is None:
        tests += [g.add("Equal", t, g.number(pole)) for pole in domain.poles]
    for test in tests:
        bad = g.add("Or", bad, test)
    return bad


def _inner_point(domain: Domain) -> float:
    """Return a point of the domain that is no pole."""
    low, high = max(domain.low, -0.5), min(domain.high, 2.0)
    return next(p for p in ((low + high) / 2, (low + 2 * high) / 3) if p not in domain.poles)


def _plus(g: Builder, x: str, value: float) -> str:
    return g.add("Add", x, g.number(value))


def _scaled(g: Builder, x: str, value: float) -> str:
    return g.add("Mul", x, g.number(value))


def _gaussian(g: Builder, t: str) -> str:
    return g.add("Exp", g.add("Neg", g.add("Mul", t, t)))


def _hyperbolic(g: Builder, t: str, sign: str) -> str:
    """Return (eᵗ ± e⁻ᵗ)/2, from e^(±t/2), which overflows where the result does."""
    half = _scaled(g, t, 0.5)
    up, down = g.add("Exp", half), g.add("Exp", g.add("Neg", half))
    terms = [g.add("Mul", _scaled(g, e, 0.5), e) for e in (up, down)]
    return g.add(sign, *terms)


def _arctanh(g: Builder, t: str) -> str:
    one = g.number(1.0)
    ratio = g.add("Div", g.add("Add", one, t), g.add("Sub", one, t))
    return _scaled(g, g.add("Log", ratio), 0.5)


def _seed(g: Builder, op: str, t: str) -> tuple[str, str, str]:
    """Return y from the single-precision operator, with sin y and cos y in full."""
    y = g.cast(g.add(op, g.cast(t, np.float32)), g.dtype)
    return y, g.add("Sin", y), g.add("Cos", y)


def _arctan(g: Builder, t: str) -> str:
    """Return y + arctan z of z = (t cos y - sin y) / (cos y + t sin y), tiny."""
    if g.dtype == np.float32:
        return g.add("Atan", t)
    y, sin, cos = _seed(g, "Atan", t)
    above = g.add("Sub", g.add("Mul", t, cos), sin)
    z = g.add("Div", above, g.add("Add", cos, g.add("Mul", t, sin)))
    return g.add("Add", y, _odd(g, z, [1.0, -1 / 3]))


def _arcsin(g: Builder, t: str) -> str:
    """Return y + arcsin z of z = t cos y - √(1 - t²) sin y, small."""
    if g.dtype == np.float32:
        return g.add("Asin", t)
    y, sin, cos = _seed(g, "Asin", t)
    one = g.number(1.0)
    root = g.add("Sqrt", g.add("Mul", g.add("Sub", one, t), g.add("Add", one, t)))
    z = g.add("Sub", g.add("Mul", t, cos), g.add("Mul", root, sin))
    return g.add("Add", y, _odd(g, z, [1.0, 1 / 6]))


def _arccos(g: Builder, t: str) -> str:
    if g.dtype == np.float32:
        return g.add("Acos", t)
    return g.add("Sub", g.number(math.pi / 2), _arcsin(g, t))


def _odd(g: Builder, z: str, terms: list[float]) -> str:
    """Return the odd polynomial of z with these coefficients, beginning with that of z."""
    return g.add("Mul", z, _polynomial(g, g.add("Mul", z, z), terms))


def _polynomial(g: Builder, x: str, terms: list[float]) -> str:
    """Return Σ terms_m xᵐ by Horner's rule."""
    value = g.number(terms[-1])
    for term in reversed(terms[:-1]):
        value = _plus(g, g.add("Mul", value, x), term)
    return value


def _erf(g: Builder, t: str) -> str:
    """Return erf t = 2/π ∫ exp(-w²/4) sin(w t)/w dw over w > 0, by the trapezoidal rule.

    With a step of 1/2 its error is erfc(4π - t), nothing for t below 6; erf is 1 beyond.
    """
    if g.dtype == np.float32:
        return g.add("Erf", t)
    step, n = 0.5, np.arange(1, 27)
    t = g.add("Clip", t, g.number(-6.0), g.number(6.0))
    waves = g.add("Sin", g.add("Mul", _unsqueezed(g, t), g.number(step * n)))
    weights = 2 / math.pi * np.exp(-((step * n) ** 2) / 4) / n
    return g.add("Add", _scaled(g, t, step / math.pi), _summed(g, waves, weights))


def _bessel(order: int) -> Callable[[Builder, str], str]:
    """Return the Bessel function of order 0 or 1.

    Near 0 by the midpoint rule for 2/π ∫ cos(x sin u) or ∫ sin(x sin u) sin u over 0 < u < π/2,
    which converges faster than any power; far out by Hankel's series.
    """

    def bessel(g: Builder, t: str) -> str:
        size, far = g.add("Abs", t), g.number(BESSEL_FAR)
        nodes = np.sin((np.arange(16) + 0.5) * math.pi / 32)
        near = g.add("Mul", _unsqueezed(g, g.add("Min", size, far)), g.number(nodes))
        waves = g.add("Sin" if order else "Cos", near)
        inner = _summed(g, waves, (nodes if order else np.ones(16)) / 16)
        value = g.add("Where", g.add("Less", size, far), inner, _hankel(g, order, size))
        return g.add("Mul", g.add("Sign", t), value) if order else value

    return bessel


def _hankel(g: Builder, order: int, size: str) -> str:
    """Return √(2/πx) (P cos φ - Q sin φ), φ = x - (2 order + 1) π/4, at x = max(size, 25)."""
    x = g.add("Max", size, g.number(BESSEL_FAR))
    terms, term = [], 1.0
    for m in range(1, 26):
        terms.append(term)
        term *= (4 * order**2 - (2 * m - 1) ** 2) / (8.0 * m)
    signs = [(-1.0) ** (m // 2) for m in range(25)]
    signed = [a * b for a, b in zip(terms, signs, strict=True)]
    r = g.add("Div", g.number(1.0), x)
    square = g.add("Mul", r, r)
    # Terms beyond single precision's exponents are smaller than its rounding, too.
    last = 25 if g.dtype == np.float64 else 12
    p = _polynomial(g, square, signed[0:last:2])
    q = g.add("Mul", r, _polynomial(g, square, signed[1:last:2]))
    phase = _plus(g, x, -(2 * order + 1) * math.pi / 4)
    wave = g.add("Sub", g.add("Mul", p, g.add("Cos", phase)), g.add("Mul", q, g.add("Sin", phase)))
    return g.add("Mul", g.add("Sqrt", _scaled(g, r, 2 / math.pi)), wave)


def _unsqueezed(g: Builder, x: str) -> str:
    return g.add("Unsqueeze", x, g.integers([-1]))


def _summed(g: Builder, x: str, weights: np.ndarray) -> str:
    """Return Σ weights · x over the last axis."""
    column = g.number(weights[:, None])
    return g.add("Squeeze", g.add("MatMul", x, column), g.integers([-1]))


def _sinc(g: Builder, t: str) -> str:
    at_zero = g.add("Equal", t, g.number(0.0))
    divisor = g.add("Where", at_zero, g.number(1.0), t)
    return g.add("Where", at_zero, g.number(1.0), g.add("Div", g.add("Sin", t), divisor))


def _operator(name: str) -> Callable[[Builder, str], str]:
    return lambda g, t: g.add(name, t)


def _inverse_root(g: Builder, t: str) -> str:
    return g.add("Div", g.number(1.0), g.add("Sqrt", t))


_SIMPLE: dict[str, Callable[[Builder, str], str]] = {
    "0": lambda g, t: _scaled(g, t, 0.0),
    "sqrt": _operator("Sqrt"),
    "x^0.5": _operator("Sqrt"),
    "x^1.5": lambda g, t: g.add("Mul", t, g.add("Sqrt", t)),
    "1/sqrt(x)": _inverse_root,
    "1/x^0.5": _inverse_root,
    "exp": _operator("Exp"),
    "log": _operator("Log"),
    "abs": _operator("Abs"),
    "sin": _operator("Sin"),
    "cos": _operator("Cos"),
    "tan": lambda g, t: g.add("Div", g.add("Sin", t), g.add("Cos", t)),
    "tanh": _operator("Tanh"),
    "sgn": _operator("Sign"),
    "arcsin": _arcsin,
    "arccos": _arccos,
    "arctan": _arctan,
    "arctanh": _arctanh,
    "gaussian": _gaussian,
    "sinh": lambda g, t: _hyperbolic(g, t, "Sub"),
    "cosh": lambda g, t: _hyperbolic(g, t, "Add"),
    "sigmoid": _operator("Sigmoid"),
    "relu": _operator("Relu"),
    "erf": _erf,
    "sinc": _sinc,
    "j0": _bessel(0),
    "j1": _bessel(1),
}
"""The functions that are not powers."""
