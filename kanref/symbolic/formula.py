"""The formula of a network: SymPy expressions in data units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import Any

from .._arrays import to_numpy
from ..layer import Layer
from ..network import Network
from ..nodes import Nodes
from ..scaling import Scaling
from .edges import live_edges

ROUNDING = 1e-14
"""A sum of two constants that is smaller than this share of them is taken for 0."""


def symbolic_formula(
    network: Network,
    *,
    input_names: Sequence[str] | None = None,
    scaling: Scaling | None = None,
    round_to: int | None = None,
    simplify: bool = False,
) -> list[Any]:
    """Write a symbolic network as one SymPy expression for each output.

    Parameters
    ----------
    network : Network
        Every live edge must be symbolic; dead edges contribute nothing.
    input_names : sequence of str, optional
        Names of the inputs, any text; each becomes ``sympy.Symbol(name)``. Default: x_1, x_2, …
    scaling : Scaling, optional
        Folded in, so that the formula takes and gives data units. Default: network units.
    round_to : int, optional
        Round the constants to so many significant digits, see :func:`ex_round`. Not by default:
        then the formula equals the network to rounding errors, wherever its functions are defined.
    simplify : bool
        Let ``sympy.simplify`` look for a shorter form, which may take long.

    Returns
    -------
    list of sympy.Expr

    Raises
    ------
    ValueError
        If a live edge is a spline (the message names it), the number of names is wrong, or two
        names are the same.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.symbolic import fix_symbolic, symbolic_formula
    >>> network = fix_symbolic(KAN([2, 1]).network, 0, 0, 0, "sin", affine=[3.14159, 0, 1, 0])
    >>> network = fix_symbolic(network, 0, 1, 0, "x^2", affine=[1, 0.5, 2, 0])
    >>> symbolic_formula(network, input_names=["t", "chord length [m]"], round_to=3)
    [2*(chord length [m] + 0.5)**2 + sin(3.14*t)]
    """
    import sympy

    names = _checked_names(input_names, network.n_in)
    splines = live_edges(network, symbolic=False)
    if splines:
        raise ValueError(
            f"a formula needs every live edge to be symbolic, got a spline on edge (l, i, j) = "
            f"{splines[0]}" + (f" and {len(splines) - 1} more" if len(splines) > 1 else "")
        )
    scaling = Scaling.identity(network.n_in, network.n_out) if scaling is None else scaling
    terms = [
        _Term(1 / scale, sympy.Symbol(name), -shift / scale)
        for name, shift, scale in zip(names, scaling.x_shift, scaling.x_scale, strict=True)
    ]
    for layer, nodes in zip(network.layers, network.nodes, strict=True):
        terms = [_Term(1.0, z, 0.0) for z in _nodes(nodes, _sums(layer, terms))]
    outputs = [
        _affine(term.expr, scale, shift)
        for term, scale, shift in zip(terms, scaling.y_scale, scaling.y_shift, strict=True)
    ]
    if round_to is not None:
        outputs = [ex_round(y, round_to) for y in outputs]
    return [sympy.simplify(y) for y in outputs] if simplify else outputs


def ex_round(expr: Any, digits: int) -> Any:
    """Round all floating-point constants of an expression to significant digits.

    Significant digits, not decimals: a formula in data units may have constants of any size, and
    1e-7·pressure may be as large as anything else. What is whole after rounding becomes an integer.

    Parameters
    ----------
    expr : sympy.Expr
        Any expression.
    digits : int
        Significant digits, at least 1.

    Returns
    -------
    sympy.Expr
        A new expression.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> ex_round(0.99999 * sympy.sin(3.14159265 * x) + 1.23456e-7 * x, 3)
    1.23e-7*x + sin(3.14*x)
    """
    import sympy

    if isinstance(digits, bool) or int(digits) != digits or digits < 1:
        raise ValueError(f"`digits` must be a whole number of at least 1, got {digits!r}")
    expr = sympy.sympify(expr, strict=True)  # strict: a text would be evaluated
    return expr.xreplace({v: _number(float(f"{float(v):.{int(digits)}g}")) for v in _floats(expr)})


@dataclass(frozen=True)
class _Term:
    """An input of a layer: scale · expr + shift."""

    scale: float
    expr: Any
    shift: float


def _sums(layer: Layer, terms: Sequence[_Term]) -> list[Any]:
    """Return the sum of the edges of every subnode."""
    sums: list[Any] = [_number(0.0)] * layer.n_out
    affine = to_numpy(layer.affine)
    for s, edge in enumerate(layer.symbolic):
        if bool(layer.mask[edge.i, edge.j]):
            a, b, c, d = (float(v) for v in affine[s])
            term = terms[edge.i]
            inner = _affine(term.expr, a * term.scale, _sum(a * term.shift, b))
            sums[edge.j] = sums[edge.j] + _affine(edge.function.sympy(inner), c, d)
    return sums


def _nodes(nodes: Nodes, u: Sequence[Any]) -> list[Any]:
    """Combine the sums into nodes."""
    subnodes = zip(u, to_numpy(nodes.subnode_scale), to_numpy(nodes.subnode_bias), strict=True)
    v = [_affine(expr, float(scale), float(bias)) for expr, scale, bias in subnodes]
    products = [reduce(mul, [v[j] for j in factors]) for factors in nodes.factors()]
    affines = zip(products, to_numpy(nodes.node_scale), to_numpy(nodes.node_bias), strict=True)
    return [_affine(expr, float(scale), float(bias)) for expr, scale, bias in affines]


def _affine(expr: Any, scale: float, shift: float) -> Any:
    """Return scale · expr + shift, without the factor 1, and without what rounding left of 0."""
    scaled = expr if scale == 1 else _number(scale) * expr
    if shift == 0:
        return scaled
    constant, rest = scaled.as_coeff_Add()  # x·y - 3 + 3.0000000000000004 is x·y
    total = _sum(float(constant), shift)
    return rest if total == 0 else rest + _number(total)


def _sum(p: float, q: float) -> float:
    """Return p + q, or 0 where they cancel but for rounding."""
    return 0.0 if abs(p + q) <= ROUNDING * max(abs(p), abs(q)) else p + q


def _number(value: float) -> Any:
    """Return an integer where the value is whole, else a float: 2·x, not 2.0·x."""
    import sympy

    whole = float(value).is_integer() and abs(value) < 2**53
    return sympy.Integer(int(value)) if whole else sympy.Float(float(value))


def _floats(expr: Any) -> set[Any]:
    import sympy

    return expr.atoms(sympy.Float)


def _checked_names(names: Sequence[str] | None, n_in: int) -> list[str]:
    if names is None:
        return [f"x_{i + 1}" for i in range(n_in)]
    names = list(names)
    if len(names) != n_in or len(set(names)) != n_in:
        raise ValueError(f"`input_names` must be {n_in} different names, got {names}")
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"`input_names` must be non-empty texts, got {names}")
    return names
