"""The functions of kanref in NumPy, as source text, by the names of the library.

They take arrays of any shape. ``function`` of the exported file turns an argument that is infinite
into NaN before they see it; outside the domain they are NaN by themselves.
"""

from __future__ import annotations

from .library import IDENTIFIERS, exponent, product

BASES = {
    "silu": """
def silu(x):
    x = np.maximum(x, -700.0)  # where silu has long vanished, and exp(-x) would soon overflow
    return x / (1.0 + np.exp(-x))
""",
    "identity": """
def identity(x):
    return x
""",
    "tanh": """
def tanh_base(x):
    return np.tanh(x)
""",
    "relu": """
def relu(x):
    return np.maximum(x, 0.0)
""",
    "sigmoid": """
def sigmoid_base(x):
    return 1.0 / (1.0 + np.exp(-np.maximum(x, -700.0)))
""",
    "gelu": """
def gelu(x):
    return 0.5 * x * np.vectorize(math.erfc, otypes=[float])(-x * math.sqrt(0.5))
""",
    "softplus": """
def softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
""",
    "sin": """
def sin_base(x):
    return np.sin(x)
""",
    "gaussian": """
def gaussian_base(x):
    return np.exp(-x * x)
""",
}
"""Source of each base function."""

BESSEL = '''
def bessel(n, x):
    """Return the Bessel function of order n = 0 or 1, exact to rounding.

    Near 0 by the midpoint rule for its integral, 2/pi * integral of cos(x sin u) or
    sin(x sin u) sin u over 0 < u < pi/2, which converges faster than any power; far out by
    Hankel's series.
    """
    far = np.maximum(np.abs(x), 25.0)
    p, q, term = np.ones_like(far), np.zeros_like(far), np.ones_like(far)
    for m in range(1, 25):
        term = term * ((4 * n * n - (2 * m - 1) ** 2) / (8.0 * m * far))
        if m % 2:
            q += term if m % 4 == 1 else -term
        else:
            p += term if m % 4 == 0 else -term
    phase = far - (2 * n + 1) * math.pi / 4.0
    outer = np.sqrt(2.0 / (math.pi * far)) * (p * np.cos(phase) - q * np.sin(phase))
    nodes = np.sin((np.arange(16) + 0.5) * math.pi / 32.0)
    near = np.minimum(np.abs(x), 25.0)[..., None] * nodes
    inner = np.mean(np.cos(near) if n == 0 else np.sin(near) * nodes, axis=-1)
    value = np.where(np.abs(x) < 25.0, inner, outer)
    value = np.where(np.isnan(x), x, value)
    return value if n == 0 else np.copysign(1.0, x) * value
'''

_EXPRESSIONS = {
    "zero": "0.0 * t",
    "sqrt": "np.sqrt(t)",
    "x_sqrt": "t * np.sqrt(t)",
    "inverse_sqrt": "np.where(t > 0.0, 1.0 / np.sqrt(t), np.nan)",
    "exp": "np.exp(t)",
    "log": "np.where(t > 0.0, np.log(t), np.nan)",
    "absolute": "np.abs(t)",
    "sin": "np.sin(t)",
    "cos": "np.cos(t)",
    "tan": "np.tan(t)",
    "tanh": "np.tanh(t)",
    "sgn": "np.sign(t)",
    "arcsin": "np.arcsin(t)",
    "arccos": "np.arccos(t)",
    "arctan": "np.arctan(t)",
    "arctanh": "np.where(np.abs(t) < 1.0, np.arctanh(t), np.nan)",
    "gaussian": "np.exp(-t * t)",
    "sinh": "np.sinh(t)",
    "cosh": "np.cosh(t)",
    "sigmoid": "1.0 / (1.0 + np.exp(-np.maximum(t, -700.0)))",
    "erf": "np.vectorize(math.erf, otypes=[float])(t)",
    "sinc": "np.where(t == 0.0, 1.0, np.sin(t) / np.where(t == 0.0, 1.0, t))",
    "j0": "bessel(0, t)",
    "j1": "bessel(1, t)",
}


def function_source(name: str) -> str:
    """Return the source of a library function."""
    code, n = IDENTIFIERS[name], exponent(name)
    if n is None:
        body = _EXPRESSIONS[code]
    else:
        body = product(n) if n > 0 else f"np.where(t == 0.0, np.nan, 1.0 / ({product(n)}))"
    return f"\n@function\ndef {code}(t):\n    return {body}\n"
