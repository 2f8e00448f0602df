"""The functions of kanref in C99, as source text, by the names of the library.

``@`` stands for the type, and ``%`` behind a function of ``math.h`` and a constant for its suffix.
The Bessel functions are written out: those of ``math.h`` are POSIX, and C99 has none.
"""

from __future__ import annotations

from .library import IDENTIFIERS, exponent, product
from .program import ExportError

BASES = {
    "silu": """
    if (x < -LEAST)
        x = -LEAST; /* where silu has long vanished, and exp(-x) would soon overflow */
    return x / (1.0% + exp%(-x));""",
    "identity": """
    return x;""",
    "tanh": """
    return tanh%(x);""",
    "relu": """
    return x <= 0.0% ? 0.0% : x;""",
    "sigmoid": """
    return 1.0% / (1.0% + exp%(x < -LEAST ? LEAST : -x));""",
    "gelu": """
    return 0.5% * x * erfc%(-x * 0.7071067811865476%);""",
    "softplus": """
    return (x > 0.0% ? x : 0.0%) + log1p%(exp%(-fabs%(x)));""",
    "sin": """
    return sin%(x);""",
    "gaussian": """
    return exp%(-x * x);""",
}
"""Body of each base function; x is finite or NaN."""

PLAIN_BASES = ("identity", "relu")
"""Base functions that need no ``math.h``."""

_LEAST = {"double": "700.0", "float": "80.0f"}

_NAN = "not_a_number()"

_BODIES = {
    "zero": "0.0%",
    "sqrt": f"t < 0.0% ? {_NAN} : sqrt%(t)",
    "x_sqrt": f"t < 0.0% ? {_NAN} : t * sqrt%(t)",
    "inverse_sqrt": f"t <= 0.0% ? {_NAN} : 1.0% / sqrt%(t)",
    "exp": "exp%(t)",
    "log": f"t <= 0.0% ? {_NAN} : log%(t)",
    "absolute": "t < 0.0% ? -t : t",
    "sin": "sin%(t)",
    "cos": "cos%(t)",
    "tan": "tan%(t)",
    "tanh": "tanh%(t)",
    "sgn": "(@)((t > 0.0%) - (t < 0.0%))",
    "arcsin": f"t < -1.0% || t > 1.0% ? {_NAN} : asin%(t)",
    "arccos": f"t < -1.0% || t > 1.0% ? {_NAN} : acos%(t)",
    "arctan": "atan%(t)",
    "arctanh": f"t <= -1.0% || t >= 1.0% ? {_NAN} : atanh%(t)",
    "gaussian": "exp%(-t * t)",
    "sinh": "sinh%(t)",
    "cosh": "cosh%(t)",
    "sigmoid": "1.0% / (1.0% + exp%(t < -LEAST ? LEAST : -t))",
    "erf": "erf%(t)",
    "sinc": "t == 0.0% ? 1.0% : sin%(t) / t",
    "j0": "bessel(0, t)",
    "j1": "bessel(1, t)",
}

_PLAIN = ("zero", "absolute", "sgn")

BESSEL = """
/* The Bessel function of order n = 0 or 1, exact to rounding. Near 0 by the midpoint rule for its
 * integral, 2/pi * integral of cos(x sin u) or sin(x sin u) sin u over 0 < u < pi/2, which
 * converges faster than any power; far out by Hankel's series. */
static @ bessel(int n, @ x)
{
    const @ pi = 3.141592653589793%, far = fabs%(x);
    @ value = 0.0%, p = 1.0%, q = 0.0%, term = 1.0%, phase;
    int m;

    if (far < 25.0%) {
        for (m = 0; m < 16; m++) {
            const @ s = sin%(((@)m + 0.5%) * pi / 32.0%);
            value += n == 0 ? cos%(far * s) : sin%(far * s) * s;
        }
        value /= 16.0%;
    } else {
        for (m = 1; m < 25; m++) {
            term *= (@)(4 * n * n - (2 * m - 1) * (2 * m - 1)) / (8.0% * (@)m * far);
            if (m % 2 == 1)
                q += m % 4 == 1 ? term : -term;
            else
                p += m % 4 == 0 ? term : -term;
        }
        phase = far - (@)(2 * n + 1) * pi / 4.0%;
        value = sqrt%(2.0% / (pi * far)) * (p * cos%(phase) - q * sin%(phase));
    }
    return n == 1 && x < 0.0% ? -value : value;
}
"""

NOT_A_NUMBER = """
/* What a function is outside its domain. */
static @ not_a_number(void)
{
    const volatile @ zero = 0.0%;

    return zero / zero;
}
"""


def typed(text: str, ctype: str) -> str:
    """Return source text for double or float."""
    text = (
        text.replace("m % 2", "m \0 2").replace("m % 4", "m \0 4").replace("LEAST", _LEAST[ctype])
    )
    suffix = "f" if ctype == "float" else ""
    return text.replace("@", ctype).replace("%", suffix).replace("\0", "%")


def base_source(name: str, ctype: str) -> str:
    """Return the source of a base function."""
    return typed(f"\nstatic @ {name}_base(@ x)\n{{{BASES[name]}\n}}\n", ctype)


def function_body(name: str) -> str:
    """Return the expression of a library function."""
    n = exponent(name)
    if n is None:
        return _BODIES[IDENTIFIERS[name]]
    return product(n) if n > 0 else f"t == 0.0% ? {_NAN} : 1.0% / ({product(n)})"


def function_source(name: str, ctype: str) -> str:
    """Return the source of a library function; t may be anything."""
    lines = [
        "",
        f"static @ {IDENTIFIERS[name]}_of(@ t)",
        "{",
        "    if (t - t != 0.0%)",
        "        return t - t; /* NaN and infinity give NaN */",
        f"    return {function_body(name)};",
        "}",
    ]
    return typed("\n".join(lines) + "\n", ctype)


def needs_math(name: str) -> bool:
    """Tell whether a library function needs ``math.h``."""
    return IDENTIFIERS[name] in _BODIES and IDENTIFIERS[name] not in _PLAIN


def check_plain(names: list[str]) -> None:
    """Raise if a library function needs ``math.h``."""
    needing = [name for name in names if needs_math(name)]
    if needing:
        raise ExportError(
            "with `lookup` the functions on edges must do without math.h (powers, 1/x, abs, sgn), "
            f"got {', '.join(needing)}"
        )
