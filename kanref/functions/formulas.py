"""Values and derivatives of the functions kanref knows, elementwise.

Everything here is written on the array namespace of its argument, keeps its dtype and passes
complex arrays through (the complex step), so comparisons look at the real part. Nothing is masked:
outside its domain a formula gives whatever the arithmetic gives. Floating-point warnings are the
caller's business, except for the formulas that base functions call directly.
"""

from __future__ import annotations

import math

import numpy as np

from .._arrays import Array, namespace, real, where


def constant(x: Array, value: float = 0.0) -> Array:
    """Return `value` everywhere, but NaN where `x` is NaN."""
    return where(namespace(x).isnan(x), x, value)


def one(x: Array) -> Array:
    """Return 1 everywhere, but NaN where `x` is NaN."""
    return constant(x, 1.0)


def identity(x: Array) -> Array:
    """Return `x` itself."""
    return x


def power(x: Array, n: int) -> Array:
    """Return x^n by repeated multiplication: exact for complex steps, and faster than ``**``."""
    y = x
    for _ in range(n - 1):
        y = y * x
    return y


def dpower(x: Array, n: int) -> Array:
    """Return n x^(n-1), n ≥ 2."""
    return n * power(x, n - 1)


def inverse_power(x: Array, n: int) -> Array:
    """Return x^-n."""
    return 1 / power(x, n)


def dinverse_power(x: Array, n: int) -> Array:
    """Return -n x^-(n+1)."""
    return -n / power(x, n + 1)


def sqrt(x: Array) -> Array:
    """Return √x."""
    return namespace(x).sqrt(x)


def dsqrt(x: Array) -> Array:
    """Return 1/(2√x), infinite at 0."""
    return 0.5 / sqrt(x)


def inverse_sqrt(x: Array) -> Array:
    """Return 1/√x."""
    return 1 / sqrt(x)


def dinverse_sqrt(x: Array) -> Array:
    """Return -x^(-3/2)/2."""
    return -0.5 / (x * sqrt(x))


def x_sqrt(x: Array) -> Array:
    """Return x^1.5 = x√x."""
    return x * sqrt(x)


def dx_sqrt(x: Array) -> Array:
    """Return 1.5 √x."""
    return 1.5 * sqrt(x)


def exp(x: Array) -> Array:
    """Return e^x."""
    return namespace(x).exp(x)


def log(x: Array) -> Array:
    """Return the natural logarithm."""
    return namespace(x).log(x)


@np.errstate(invalid="ignore")
def sin(x: Array) -> Array:
    """Return sin x."""
    return namespace(x).sin(x)


@np.errstate(invalid="ignore")
def cos(x: Array) -> Array:
    """Return cos x."""
    return namespace(x).cos(x)


def dcos(x: Array) -> Array:
    """Return -sin x."""
    return -sin(x)


def tan(x: Array) -> Array:
    """Return tan x."""
    return namespace(x).tan(x)


def dtan(x: Array) -> Array:
    """Return 1 + tan² x."""
    y = tan(x)
    return 1 + y * y


def sinh(x: Array) -> Array:
    """Return sinh x."""
    return namespace(x).sinh(x)


def cosh(x: Array) -> Array:
    """Return cosh x."""
    return namespace(x).cosh(x)


def tanh(x: Array) -> Array:
    """Return tanh x."""
    return namespace(x).tanh(x)


def dtanh(x: Array) -> Array:
    """Return 1 - tanh² x."""
    return tanh_pair(x)[1]


def tanh_pair(x: Array) -> tuple[Array, Array]:
    """Return tanh x and its derivative from one evaluation."""
    y = tanh(x)
    return y, 1 - y * y


def arcsin(x: Array) -> Array:
    """Return arcsin x."""
    return namespace(x).asin(x)


def darcsin(x: Array) -> Array:
    """Return 1/√((1-x)(1+x)), infinite at ±1; the product form keeps the digits near ±1."""
    return 1 / sqrt((1 - x) * (1 + x))


def arccos(x: Array) -> Array:
    """Return arccos x."""
    return namespace(x).acos(x)


def darccos(x: Array) -> Array:
    """Return -1/√((1-x)(1+x)), infinite at ±1."""
    return -darcsin(x)


def arctan(x: Array) -> Array:
    """Return arctan x."""
    return namespace(x).atan(x)


def darctan(x: Array) -> Array:
    """Return 1/(1 + x²)."""
    return 1 / (1 + x * x)


def arctanh(x: Array) -> Array:
    """Return artanh x."""
    return namespace(x).atanh(x)


def darctanh(x: Array) -> Array:
    """Return 1/((1-x)(1+x))."""
    return 1 / ((1 - x) * (1 + x))


@np.errstate(over="ignore", invalid="ignore")
def gaussian(x: Array) -> Array:
    """Return exp(-x²); x² may overflow, and then exp(-∞) = 0 is right."""
    return namespace(x).exp(-(x * x))


@np.errstate(over="ignore", invalid="ignore")
def dgaussian(x: Array) -> Array:
    """Return -2x exp(-x²)."""
    return -2 * (x * gaussian(x))  # in this order: 2x would overflow first


def relu(x: Array) -> Array:
    """Return max(x, 0), NaN where `x` is NaN."""
    return where(real(x) <= 0, 0.0, x)


def drelu(x: Array) -> Array:
    """Return 1 where x > 0, else 0."""
    xp = namespace(x)
    return where(xp.isnan(x), x, xp.astype(real(x) > 0, x.dtype))


def _logistic(x: Array) -> tuple[Array, Array, Array]:
    """Return x, σ(x) and 1 - σ(x), both to full relative precision, from one exponential.

    `x` comes back bounded below, where exp(-x) would overflow and x σ(x) has long vanished. No
    branch at 0 (as abs(x) would be): fewer passes over the array, and analytic there.
    """
    xp = namespace(x)
    least = -700.0 if float(xp.finfo(x.dtype).max) > 1e300 else -80.0
    x = xp.maximum(x, least) if x is real(x) else where(real(x) < least, least, x)
    t = xp.exp(-x)
    s = 1 / (1 + t)
    return x, s, t * s


def sigmoid(x: Array) -> Array:
    """Return σ(x) = 1/(1 + exp(-x))."""
    return _logistic(x)[1]


def dsigmoid(x: Array) -> Array:
    """Return σ(x) (1 - σ(x))."""
    return sigmoid_pair(x)[1]


def sigmoid_pair(x: Array) -> tuple[Array, Array]:
    """Return σ and σ' from one exponential."""
    _, s, s1 = _logistic(x)
    return s, s * s1


def silu(x: Array) -> Array:
    """Return x σ(x)."""
    x, s, _ = _logistic(x)
    return x * s


def dsilu(x: Array) -> Array:
    """Return σ(x) (1 + x (1 - σ(x)))."""
    return silu_pair(x)[1]


@np.errstate(invalid="ignore")
def silu_pair(x: Array) -> tuple[Array, Array]:
    """Return silu and its derivative from one exponential."""
    x, s, s1 = _logistic(x)
    y = x * s
    return y, s + y * s1


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x))."""
    positive = real(x) >= 0
    return where(positive, x, 0.0) + namespace(x).log1p(exp(where(positive, -x, x)))


# sin(x)/x = Σ (-1)^n x^2n / (2n+1)!: nine terms are enough for abs(x) < 1/2
_SINC_SERIES = [(-1) ** n / math.factorial(2 * n + 1) for n in range(9)]
_DSINC_SERIES = [2 * n * c for n, c in enumerate(_SINC_SERIES)][1:]


def sinc(x: Array) -> Array:
    """Return sin(x)/x, as SymPy's sinc; NumPy's is this of πx. Near 0 by its series.

    The quotient would do for real arguments, but at x + ih its imaginary part cancels.
    """
    small = namespace(x).abs(real(x)) < 0.5
    large = where(small, 1.0, x)
    return where(small, _series(_SINC_SERIES, where(small, x, 0.0)), sin(large) / large)


def dsinc(x: Array) -> Array:
    """Return (cos x - sin(x)/x)/x; near 0 by its series, where the difference cancels."""
    small = namespace(x).abs(real(x)) < 0.5
    large = where(small, 1.0, x)
    near = where(small, x, 0.0)
    return where(
        small, near * _series(_DSINC_SERIES, near), (cos(large) - sin(large) / large) / large
    )


def _series(coefficients: list[float], x: Array) -> Array:
    """Return Σ c_n x^2n by Horner's rule."""
    z = x * x
    y = z * 0
    for c in reversed(coefficients):
        y = y * z + c
    return y
