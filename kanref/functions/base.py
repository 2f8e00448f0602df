"""Base functions: b(x), the smooth part of a numeric edge φ = scale_base·b + scale_spline·spline.

The KAN paper (arXiv 2404.19756, eq. 2.10) takes b = silu; any function with its derivative will do.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from .._arrays import Array
from . import formulas as fm
from . import special as sp


@dataclass(frozen=True)
class BaseFunction:
    """A function with its derivative, both elementwise on arrays of any namespace.

    Attributes
    ----------
    name : str
        What files and tables call it.
    f, df : callables
        Value and derivative: array → array of the same shape and dtype. They take complex arrays
        where a complex step is to go through them.
    together : callable, optional
        x → (f(x), df(x)), where the two share work. `pair` uses it.

    Examples
    --------
    >>> import numpy as np
    >>> BASE_FUNCTIONS["relu"].f(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    name: str
    f: Callable[[Array], Array]
    df: Callable[[Array], Array]
    together: Callable[[Array], tuple[Array, Array]] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> BaseFunction:
        """Return itself: nothing of it can change."""
        return self

    def __reduce__(self) -> Any:
        """Pickle a known function as its name, so that it is the same object afterwards."""
        known = BASE_FUNCTIONS.get(self.name) is self
        return (base_function, (self.name,)) if known else super().__reduce__()

    def pair(self, x: Array) -> tuple[Array, Array]:
        """Return (f(x), df(x)), sharing what they have in common: for silu, one exponential."""
        return (self.f(x), self.df(x)) if self.together is None else self.together(x)


_BASE = (
    BaseFunction("silu", fm.silu, fm.dsilu, fm.silu_pair),
    BaseFunction("identity", fm.identity, fm.one),
    BaseFunction("zero", fm.constant, fm.constant),
    BaseFunction("tanh", fm.tanh, fm.dtanh, fm.tanh_pair),
    BaseFunction("relu", fm.relu, fm.drelu),
    BaseFunction("sigmoid", fm.sigmoid, fm.dsigmoid, fm.sigmoid_pair),
    BaseFunction("gelu", sp.gelu, sp.dgelu, sp.gelu_pair),
    BaseFunction("softplus", fm.softplus, fm.sigmoid),
    BaseFunction("sin", fm.sin, fm.cos),
    BaseFunction("gaussian", fm.gaussian, fm.dgaussian),
)

BASE_FUNCTIONS: Mapping[str, BaseFunction] = MappingProxyType({b.name: b for b in _BASE})
"""The base functions by name (read-only)."""


def base_function(spec: Any) -> BaseFunction:
    """Return the base function that `spec` stands for.

    Parameters
    ----------
    spec : str, BaseFunction, (f, df) or (name, f, df)
        A name of `BASE_FUNCTIONS`, or your own function with its derivative.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If `spec` is anything else.

    Examples
    --------
    >>> import numpy as np
    >>> base_function("silu").name
    'silu'
    >>> base_function(("cosine", np.cos, lambda x: -np.sin(x))).f(np.zeros(1))
    array([1.])
    """
    if isinstance(spec, BaseFunction):
        return spec
    if isinstance(spec, str):
        if spec not in BASE_FUNCTIONS:
            raise ValueError(
                f"`base_fun` must be one of {', '.join(BASE_FUNCTIONS)}, "
                f"or a pair (f, df), got {spec!r}{_hint(spec)}"
            )
        return BASE_FUNCTIONS[spec]
    if isinstance(spec, (tuple, list)) and len(spec) in (2, 3):
        *name, f, df = spec
        if callable(f) and callable(df) and all(isinstance(n, str) for n in name):
            return BaseFunction(name[0] if name else _guess_name(f), f, df)
    raise TypeError(
        "`base_fun` must be a name, a BaseFunction, a pair (f, df) or a triple (name, f, df) "
        f"of two functions, got {spec!r}"
    )


def _guess_name(f: Callable[[Array], Array]) -> str:
    name = f.func.__name__ if isinstance(f, partial) else getattr(f, "__name__", "")
    return name if name.isidentifier() else "custom"  # "<lambda>" is none


def _hint(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), BASE_FUNCTIONS, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
