"""The functions of kanref in plain Python, as source text, by the names of the library.

Each is exact to rounding. A base function takes a finite number or NaN; a library function takes a
finite number, raises ValueError or ZeroDivisionError outside its domain and OverflowError where it
is infinite, which ``function`` of the exported file turns into NaN and infinity.
"""

from __future__ import annotations

from .library import IDENTIFIERS, exponent, product

BASES = {
    "silu": """
def silu(x):
    x = max(x, -700.0)  # where silu has long vanished, and exp(-x) would soon overflow
    return x / (1.0 + math.exp(-x))
""",
    "identity": """
def identity(x):
    return x
""",
    "tanh": """
def tanh_base(x):
    return math.tanh(x)
""",
    "relu": """
def relu(x):
    return 0.0 if x <= 0.0 else x
""",
    "sigmoid": """
def sigmoid_base(x):
    return 1.0 / (1.0 + math.exp(-max(x, -700.0)))
""",
    "gelu": """
def gelu(x):
    return 0.5 * x * math.erfc(-x * math.sqrt(0.5))
""",
    "softplus": """
def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
""",
    "sin": """
def sin_base(x):
    return math.sin(x)
""",
    "gaussian": """
def gaussian_base(x):
    return math.exp(-x * x)
""",
}
"""Source of each base function."""

_POWER = """
@function
def {name}(t):
    return {product}
"""

_INVERSE = """
@function
def {name}(t):
    power = {product}
    if power == 0.0 and t != 0.0:  # a t so small that its power is not a number any more
        return math.copysign(math.inf, power)
    return 1.0 / power
"""

BESSEL = """
def bessel(n, x):
    # The Bessel function of order n = 0 or 1. Near 0 the midpoint rule for its integral,
    # 2/pi * integral of cos(x sin u) or sin(x sin u) sin u over 0 < u < pi/2, which converges
    # faster than any power; far out, Hankel's series. Both are exact to rounding.
    far = abs(x)
    if far < 25.0:
        nodes = [math.sin((m + 0.5) * math.pi / 32.0) for m in range(16)]
        if n == 0:
            return math.fsum(math.cos(far * s) for s in nodes) / 16.0
        value = math.fsum(math.sin(far * s) * s for s in nodes) / 16.0
        return -value if x < 0.0 else value
    p, q, term = 1.0, 0.0, 1.0
    for m in range(1, 25):
        term *= (4 * n * n - (2 * m - 1) ** 2) / (8.0 * m * far)
        if m % 2:
            q += term if m % 4 == 1 else -term
        else:
            p += term if m % 4 == 0 else -term
    phase = far - (2 * n + 1) * math.pi / 4.0
    value = math.sqrt(2.0 / (math.pi * far)) * (p * math.cos(phase) - q * math.sin(phase))
    return -value if n == 1 and x < 0.0 else value
"""

_EXPRESSIONS = {
    "zero": "0.0",
    "sqrt": "math.sqrt(t)",
    "x_sqrt": "t * math.sqrt(t)",
    "inverse_sqrt": "1.0 / math.sqrt(t)",
    "exp": "math.exp(t)",
    "log": "math.log(t)",
    "absolute": "abs(t)",
    "sin": "math.sin(t)",
    "cos": "math.cos(t)",
    "tan": "math.tan(t)",
    "tanh": "math.tanh(t)",
    "sgn": "float(t > 0.0) - float(t < 0.0)",
    "arcsin": "math.asin(t)",
    "arccos": "math.acos(t)",
    "arctan": "math.atan(t)",
    "arctanh": "math.atanh(t)",
    "gaussian": "math.exp(-t * t)",
    "sinh": "math.sinh(t) if abs(t) < 710.4758 else math.copysign(math.inf, t)",
    "cosh": "math.cosh(t)",
    "sigmoid": "1.0 / (1.0 + math.exp(-max(t, -700.0)))",
    "erf": "math.erf(t)",
    "sinc": "math.sin(t) / t if t else 1.0",
    "j0": "bessel(0, t)",
    "j1": "bessel(1, t)",
}


def base_name(name: str) -> str:
    """Return what the base function is called in the exported file."""
    return name + "_base" if name in ("tanh", "sigmoid", "sin", "gaussian") else name


def function_source(name: str) -> str:
    """Return the source of a library function."""
    code, n = IDENTIFIERS[name], exponent(name)
    if n is not None:
        return (_POWER if n > 0 else _INVERSE).format(name=code, product=product(n))
    return f"\n@function\ndef {code}(t):\n    return {_EXPRESSIONS[code]}\n"
