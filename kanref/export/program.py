r"""What an export computes: a trained network as plain numbers, the same for every language.

A :class:`Program` is made once from a model (:mod:`kanref.export.build`). It holds the live edges
only, with Python floats and tuples in place of arrays, and it is checked: whoever writes code from
it meets no surprise. What the code must compute, from a row of inputs X in data units:

1. x_i = (X_i - x_shift_i) / x_scale_i.
2. Layer by layer, the sums u_j = Σ φ_ij(x_i) over the live edges; a sum without any is 0.
3. v_j = scale · u_j + bias of subnode j; the node z = scale · Π v_j + bias over its factors (one of
   a sum node, several of a product node). The nodes are the inputs of the next layer.
4. Y_o = y_o · y_scale_o + y_shift_o of the last nodes y. Labels are chosen by the y, before this:
   the largest of several outputs wins (the first of them; the first NaN wins over everything, as
   with ``numpy.argmax``), and a single output decides by y > 0.

**NaN.** An edge whose input x_i is NaN or infinite is NaN, whatever its function is (the constant 0
and a spline of zeros included); nothing else is. So NaN spreads through live edges by arithmetic
alone, and an output that no live edge connects to x_i keeps its value. The rule holds at every
layer: what overflows within goes on as NaN. Nothing may be read out of bounds: test for a finite x
before a cell is looked up.

**Overflow.** Beyond the grid a spline is B_m(x) = B_m(e) + (x - e) · s with the whole slope s
formed first, a node multiplies by its scale when the product of its factors is whole, and sums go
edge by edge: so an export is finite, infinite or NaN where the model is, up to 1.7e308. Two cases
are nobody's to promise. Where terms of one sum overflow with both signs, the order of summation
and fused multiplications decide between infinity and NaN, in the model's own backends too. And
where the splines themselves overflow (slope · distance beyond 1.8e308), the model multiplies them
by the zeros of dead and symbolic edges, which makes NaN of their sums; an export has no such edges.

**A spline edge** is φ(x) = scale_base · b(x) + Σ_m coef_m B_m(x), where `coef` already contains
scale_spline, and b is the layer's `base`. The knots belong to the input: one evaluation of the k+1
splines at x serves all edges that leave it. For both extrapolations, with the n knots and the
degree k that stand in the program:

- The domain is [first, last] = [knots[k], knots[n-1-k]]. A cell m, k ≤ m < n-1-k, is
  knots[m] ≤ x < knots[m+1]. Knots may repeat: look for the *largest* m with knots[m] ≤ x and
  knots[m] < last; the cell is then not empty, and the recursion of Cox and de Boor over
  knots[m-k+1 … m+k] never divides by 0. The splines that are not zero there are B_{m-k} … B_m.
- ``"linear"``: below `first` and above `last`, φ's spline part is s(e) + (x - e) s'(e) at the
  nearest end e (for k = 0: s(e)); the last cell that is not empty is closed, so s(last) and
  s'(last) are taken in it.
- ``"zero"``: the spline part is 0 for x < first and for x ≥ last, half-open. Such a spline fades
  out over the k outer cells, where fewer than k+1 of its B_m exist. To need no special case, its
  knots are padded here with k copies of the outermost knot on either side, and its coefficients
  with k zeros: [first, last] is then the whole support.

**A function edge** is φ(x) = c · f(a·x + b) + d with a function of the library, or one of the
user's. Outside the domain of f (``function.domain``), on its poles, and where a·x + b overflows, f
is NaN; where f overflows, it is infinite. Arithmetic with them is IEEE 754's.

Examples
--------
>>> from kanref import KAN
>>> from kanref.export import program_of
>>> model = KAN([2, 1], grid=2, k=1, seed=0)
>>> program = program_of(model)
>>> layer = program.layers[0]
>>> layer.knots[0], len(layer.splines), layer.base
((-2.0, -1.0, 0.0, 1.0, 2.0), 2, 'silu')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..functions import FUNCTIONS, Function
from ..network import Network
from ..scaling import Scaling

Label = str | int | float | bool


class ExportError(ValueError):
    """A model cannot be written in the language asked for; the message says why."""


@dataclass(frozen=True)
class Spline:
    """The edge from input i to sum j: scale_base · b(x) + Σ_m coef_m B_m(x)."""

    i: int
    j: int
    coef: tuple[float, ...]  # times scale_spline; n - 1 - k of them for n knots
    scale_base: float


@dataclass(frozen=True)
class FunctionEdge:
    """The edge from input i to sum j: c · f(a·x + b) + d."""

    i: int
    j: int
    function: Function
    a: float
    b: float
    c: float
    d: float

    @property
    def own(self) -> bool:
        """Whether the function is the user's own, so that its name alone says nothing."""
        return FUNCTIONS.get(self.function.name) is not self.function


@dataclass(frozen=True)
class Affine:
    """A subnode, scale · u + bias."""

    scale: float
    bias: float

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing and need not be written."""
        return self.scale == 1 and self.bias == 0


@dataclass(frozen=True)
class Node:
    """A node, scale · Π v_j + bias over its `factors` j; one factor makes a sum node."""

    factors: tuple[int, ...]
    scale: float
    bias: float

    @property
    def is_identity(self) -> bool:
        """Whether the affine changes nothing and need not be written."""
        return self.scale == 1 and self.bias == 0


@dataclass(frozen=True)
class LayerProgram:
    """One layer: its edges, in the order of input then sum, and the nodes above them.

    Attributes
    ----------
    n_in, n_sums : int
        Inputs of the layer; sums of edges (subnodes).
    k, extrapolate
        Degree of the splines, and what they do outside: "linear" or "zero".
    base : str or None
        Name of the base function b of the library. None where there is no such term: b is "zero",
        or no live spline edge has a scale_base other than 0.
    knots : tuple of (tuple of float, or None)
        For each input; None where no live spline edge leaves it.
    splines, functions : tuple
        The live edges.
    subnodes : tuple of Affine
        One for each sum.
    nodes : tuple of Node
        The inputs of the next layer, or the outputs.
    """

    n_in: int
    n_sums: int
    k: int
    extrapolate: str
    base: str | None
    knots: tuple[tuple[float, ...] | None, ...]
    splines: tuple[Spline, ...]
    functions: tuple[FunctionEdge, ...]
    subnodes: tuple[Affine, ...]
    nodes: tuple[Node, ...]

    def edges_from(self, i: int) -> tuple[list[Spline], list[FunctionEdge]]:
        """Return the spline edges and the function edges that leave input i."""
        return self._edges[i]

    @cached_property
    def _edges(self) -> list[tuple[list[Spline], list[FunctionEdge]]]:
        found: list[tuple[list[Spline], list[FunctionEdge]]] = [([], []) for _ in range(self.n_in)]
        for spline in self.splines:
            found[spline.i][0].append(spline)
        for edge in self.functions:
            found[edge.i][1].append(edge)
        return found


@dataclass(frozen=True)
class Program:
    """What an export computes; see the text of this module for the rules.

    Attributes
    ----------
    layers : tuple of LayerProgram
    x_shift, x_scale, y_shift, y_scale : tuple of float
        Between data units and network units.
    input_names, output_names : tuple of str
        As the user has them: any text at all. Escape them.
    classes : tuple of labels, or None
        Plain str, int, float or bool; label o belongs to output o, or, with a single output, label
        0 to y ≤ 0 and label 1 to y > 0.
    dtype : {"float64", "float32"}
        Of the model. All numbers here are Python floats; those of a float32 model are exactly
        representable in it.
    network, scaling
        Where it all came from, for writers that also need the model (formulas, pictures).
    """

    layers: tuple[LayerProgram, ...]
    x_shift: tuple[float, ...]
    x_scale: tuple[float, ...]
    y_shift: tuple[float, ...]
    y_scale: tuple[float, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    classes: tuple[Label, ...] | None
    dtype: str
    network: Network = field(repr=False, compare=False)
    scaling: Scaling = field(repr=False, compare=False)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return len(self.input_names)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return len(self.output_names)

    @property
    def width(self) -> list[int]:
        """Number of nodes at every level, inputs first."""
        return [self.n_in, *(len(layer.nodes) for layer in self.layers)]

    def function_edges(self) -> Iterator[tuple[int, FunctionEdge]]:
        """Yield (layer number, edge) for every function edge."""
        for number, layer in enumerate(self.layers):
            for edge in layer.functions:
                yield number, edge

    @property
    def bases(self) -> list[str]:
        """Names of the base functions that are needed, each once."""
        return list(dict.fromkeys(layer.base for layer in self.layers if layer.base))

    @property
    def library_functions(self) -> list[str]:
        """Names of the library functions on function edges, each once."""
        names = (edge.function.name for _, edge in self.function_edges() if not edge.own)
        return list(dict.fromkeys(names))

    @property
    def own_functions(self) -> list[Function]:
        """The user's own functions on function edges, each once."""
        found = {id(e.function): e.function for _, e in self.function_edges() if e.own}
        return list(found.values())
