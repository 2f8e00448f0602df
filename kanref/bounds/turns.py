"""Where the functions of the library turn: what bounds their values and slopes on an interval.

Between two neighbouring turns a function is monotonic, so its range on an interval is spanned by
its values at the ends and at the turns within. `slope_turns` are those of the derivative.

The three oscillating functions whose turns follow no simple rule have bounded derivatives instead,
from their integrals: sinc x = ∫₀¹ cos(xs) ds and J_n(x) = (1/π) ∫₀^π cos(nτ - x sin τ) dτ (DLMF
10.9.2), hence :math:`|sinc^{(p)}| ≤ 1/(p+1)` and :math:`|J_n^{(p)}| ≤ (1/π) ∫ sin^p`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..functions import BASE_FUNCTIONS, FUNCTIONS, BaseFunction, Function


@dataclass(frozen=True)
class Turns:
    """What is known of a function beyond its formula.

    Attributes
    ----------
    turns, slope_turns : tuple of float
        Where the function and its derivative have a local extremum or a kink.
    period : float, optional
        The turns repeat with this period.
    exact : bool
        Whether the floating-point value is exact: no rounding error.
    relative : bool
        Whether its rounding error is proportional to the value itself; else an error of the
        same share of 1 comes on top.
    slopes : (float, float), optional
        Bounds of the first and the second derivative, where the turns are not known.
    limits : (float, float)
        Least and largest value.
    """

    turns: tuple[float, ...] = ()
    slope_turns: tuple[float, ...] = ()
    period: float | None = None
    exact: bool = False
    relative: bool = False
    slopes: tuple[float, float] | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)


SILU_LEAST = -1.2784645427610738  # where σ(x) + x σ(x)(1 - σ(x)) = 0
SILU_BENDS = (-2.3993572805154, 2.3993572805154)  # where silu'' = 0: x = 2 coth(x/2)
GELU_LEAST = -0.7517915246935645  # where Φ(x) + x φ(x) = 0
HALF_ROOT = math.sqrt(0.5)
QUARTERS = (-math.pi / 2, 0.0, math.pi / 2, math.pi)

_EXACT = Turns(exact=True)
_SMOOTH = Turns(slope_turns=(0.0,))
_SIN = Turns(QUARTERS[::2], QUARTERS[1::2], 2 * math.pi, limits=(-1.0, 1.0))
_COS = Turns(QUARTERS[1::2], QUARTERS[::2], 2 * math.pi, limits=(-1.0, 1.0))
_GAUSSIAN = Turns((0.0,), (-HALF_ROOT, HALF_ROOT), limits=(0.0, 1.0))
_MONOTONIC = Turns(relative=True)
_EVEN = Turns((0.0,), relative=True)

_BASE = {
    "silu": Turns((SILU_LEAST,), SILU_BENDS),
    "identity": _EXACT,
    "zero": _EXACT,
    "tanh": Turns(slope_turns=(0.0,), limits=(-1.0, 1.0)),
    "relu": Turns((0.0,), (0.0,), exact=True),
    "sigmoid": Turns(slope_turns=(0.0,), limits=(0.0, 1.0)),
    "gelu": Turns((GELU_LEAST,), (-math.sqrt(2), math.sqrt(2))),
    "softplus": Turns(limits=(0.0, math.inf)),
    "sin": _SIN,
    "gaussian": _GAUSSIAN,
}

_LIBRARY = {
    "0": _EXACT,
    "x": _EXACT,
    "x^2": _EVEN,
    "x^3": Turns(slope_turns=(0.0,), relative=True),
    "x^4": _EVEN,
    "x^5": Turns(slope_turns=(0.0,), relative=True),
    **{name: _MONOTONIC for name in ("1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5")},
    **{name: _MONOTONIC for name in ("sqrt", "x^0.5", "x^1.5", "1/sqrt(x)", "1/x^0.5", "exp")},
    "log": Turns(),
    "abs": Turns((0.0,), (0.0,), exact=True),
    "sin": _SIN,
    "cos": _COS,
    "tan": Turns(slope_turns=(0.0,), period=math.pi),
    "tanh": Turns(slope_turns=(0.0,), limits=(-1.0, 1.0)),
    "sgn": Turns((0.0,), (0.0,), exact=True),
    "arcsin": _SMOOTH,
    "arccos": _SMOOTH,
    "arctan": _SMOOTH,
    "arctanh": _SMOOTH,
    "gaussian": _GAUSSIAN,
    "sinh": Turns(slope_turns=(0.0,)),
    "cosh": Turns((0.0,), limits=(1.0, math.inf)),
    "sigmoid": Turns(slope_turns=(0.0,), limits=(0.0, 1.0)),
    "erf": Turns(slope_turns=(0.0,), limits=(-1.0, 1.0)),
    "sinc": Turns(slopes=(1 / 2, 1 / 3), limits=(-0.2173, 1.0)),
    "j0": Turns(slopes=(2 / math.pi, 1 / 2), limits=(-0.4028, 1.0)),
    "j1": Turns(slopes=(2 / math.pi, 1 / 2), limits=(-0.5819, 0.5819)),
}

BASE_TURNS: Mapping[str, Turns] = MappingProxyType(_BASE)
"""Of every base function, by name."""

LIBRARY_TURNS: Mapping[str, Turns] = MappingProxyType(_LIBRARY)
"""Of every function of the symbolic library, by name."""


def turns_of(function: Function | BaseFunction) -> Turns:
    """Return what is known of a function.

    Raises
    ------
    ValueError
        If it is not one of kanref's own: nothing bounds a function that is only a callable.
    """
    table, known = (
        (BASE_TURNS, BASE_FUNCTIONS)
        if isinstance(function, BaseFunction)
        else (LIBRARY_TURNS, FUNCTIONS)
    )
    if function.name in table and known.get(function.name) is function:
        return table[function.name]
    raise ValueError(
        f"bounds need functions that kanref knows, got {function.name!r}, which is the user's own"
    )
