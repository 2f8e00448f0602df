"""The functions that kanref knows, in JavaScript."""

from __future__ import annotations

BASES = {
    "silu": "x / (1 + Math.exp(-x))",
    "identity": "x",
    "zero": "0",
    "tanh": "Math.tanh(x)",
    "relu": "Math.max(x, 0)",
    "sigmoid": "1 / (1 + Math.exp(-x))",
    "gelu": "0.5 * x * erfc(-x * Math.SQRT1_2)",
    "softplus": "Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))",
    "sin": "Math.sin(x)",
    "gaussian": "Math.exp(-x * x)",
}
"""Base functions, as expressions in x."""

FUNCTIONS_OF_T = {
    "0": "0",
    "x": "t",
    **{f"x^{n}": " * ".join("t" * n) for n in range(2, 6)},
    "1/x": "1 / t",
    **{f"1/x^{n}": f"1 / ({' * '.join('t' * n)})" for n in range(2, 6)},
    "sqrt": "Math.sqrt(t)",
    "x^0.5": "Math.sqrt(t)",
    "x^1.5": "t * Math.sqrt(t)",
    "1/sqrt(x)": "1 / Math.sqrt(t)",
    "1/x^0.5": "1 / Math.sqrt(t)",
    "exp": "Math.exp(t)",
    "log": "Math.log(t)",
    "abs": "Math.abs(t)",
    "sin": "Math.sin(t)",
    "cos": "Math.cos(t)",
    "tan": "Math.tan(t)",
    "tanh": "Math.tanh(t)",
    "sgn": "Math.sign(t)",
    "arcsin": "Math.asin(t)",
    "arccos": "Math.acos(t)",
    "arctan": "Math.atan(t)",
    "arctanh": "Math.atanh(t)",
    "gaussian": "Math.exp(-t * t)",
    "sinh": "Math.sinh(t)",
    "cosh": "Math.cosh(t)",
    "sigmoid": "1 / (1 + Math.exp(-t))",
    "erf": "erf(t)",
    "sinc": "t === 0 ? 1 : Math.sin(t) / t",
    "j0": "bessel(0, t)",
    "j1": "bessel(1, t)",
}
"""The library, as expressions in t, without their domains."""

HELPERS = {"erf": "erf.js", "gelu": "erf.js", "j0": "bessel.js", "j1": "bessel.js"}
"""Scripts in ``scripts/`` that functions call."""
