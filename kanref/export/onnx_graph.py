"""The target ``onnx``: a graph of standard operators, opset 18, for any number of rows.

The input ``X`` is (N, n_in), in data units; the output ``Y`` (N, n_out); a classifier also has
``label`` (N,), of text, integers, numbers or booleans as its classes are. Names of inputs and
outputs stand in the metadata of the file, as JSON lists. ``model.export("net.onnx")`` writes it;
``dtype`` is "float64" or "float32", by default that of the model. Units are converted in double
precision in either case, so that a column of large numbers with a small spread keeps its digits.

The splines come from the recursion of Cox and de Boor on all of a layer's inputs at once, and every
sum from products of matrices: for the splines within the grid, for the lines beyond it, and for the
base functions. Where terms overflow (beyond about 1e300, in float32 1e30) this order may leave a
sum finite or infinite which the model makes infinite or NaN. Building it needs the extra ``onnx``.
"""

from __future__ import annotations

import json
import math
from itertools import groupby

import numpy as np

from .. import _version
from ..bspline import basis
from .onnx_builder import Builder
from .onnx_functions import base_value, function_value
from .program import ExportError, Label, LayerProgram, Node, Program

OPSET = 18
IR_VERSION = 8


def write(program: Program, *, stem: str, dtype: str | None = None) -> dict[str, bytes]:
    """Make the file.

    Parameters
    ----------
    program : Program
        What to compute.
    stem : str
        Name of the file without its suffix.
    dtype : {"float64", "float32"}, optional
        In which the graph computes; by default that of the model.

    Raises
    ------
    ValueError
        If `dtype` is another.
    ExportError
        If an edge follows a function that is not of the library, a parameter does not fit into
        `dtype`, or labels are of several kinds.
    ImportError
        If the package onnx is not installed.
    """
    dtype = program.dtype if dtype is None else dtype
    if dtype not in ("float64", "float32"):
        raise ValueError(f"`dtype` must be 'float64' or 'float32', got {dtype!r}")
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise ImportError("the target onnx needs onnx: pip install 'kanref[onnx]'") from error
    g = Builder(dtype)
    kind = helper.np_dtype_to_tensor_dtype(g.dtype)
    outputs = [helper.make_tensor_value_info("Y", kind, ["N", program.n_out])]
    y = _network(g, program, _standardised(g, program))
    g.output("Y", _in_data_units(g, program, y))
    if program.classes is not None:
        labels = _label_array(program.classes)
        found = helper.np_dtype_to_tensor_dtype(labels.dtype)
        outputs.append(helper.make_tensor_value_info("label", found, ["N"]))
        g.output("label", g.add("Gather", g.constant(labels), _choice(g, program, y)))
    graph = helper.make_graph(
        g.nodes,
        "kan",
        [helper.make_tensor_value_info("X", kind, ["N", program.n_in])],
        outputs,
        g.initializers,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="kanref",
        producer_version=_version.__version__,
    )
    names = {"input_names": program.input_names, "output_names": program.output_names}
    helper.set_model_props(model, {key: json.dumps(value) for key, value in names.items()})
    onnx.checker.check_model(model, full_check=True)
    return {".onnx": model.SerializeToString()}


# --- units ---------------------------------------------------------------------------------------


def _standardised(g: Builder, program: Program) -> str:
    """Return x = (X - shift) / scale."""
    shift, scale = np.array(program.x_shift), np.array(program.x_scale)
    if not np.any(shift) and np.all(scale == 1):
        return "X"
    x = g.cast("X", np.float64)
    x = g.add("Div", g.add("Sub", x, g.constant(shift)), g.constant(scale))
    return g.cast(x, g.dtype)


def _in_data_units(g: Builder, program: Program, y: str) -> str:
    """Return Y = y · scale + shift."""
    shift, scale = np.array(program.y_shift), np.array(program.y_scale)
    if not np.any(shift) and np.all(scale == 1):
        return y
    y = g.cast(y, np.float64)
    y = g.add("Add", g.add("Mul", y, g.constant(scale)), g.constant(shift))
    return g.cast(y, g.dtype)


# --- layers --------------------------------------------------------------------------------------


def _network(g: Builder, program: Program, x: str) -> str:
    for layer in program.layers:
        x = _nodes(g, layer, _sums(g, layer, x))
    return x


def _sums(g: Builder, layer: LayerProgram, x: str) -> str:
    """Return the sums of edges, (N, n_sums); NaN where a live edge has an input that is broken."""
    live = np.zeros((layer.n_in, layer.n_sums))
    for i, j in [(e.i, e.j) for e in layer.splines] + [(e.i, e.j) for e in layer.functions]:
        live[i, j] = 1
    broken = g.broken(x)
    # A point of every grid, so that what is broken cannot spread through a product with 0.
    inner = [0.0 if t is None else t[layer.k] for t in layer.knots]
    x = g.add("Where", broken, g.number([inner]), x)
    reached = g.add("MatMul", g.cast(broken, g.dtype), g.number(live))
    reached = g.add("Greater", reached, g.number(0.0))
    parts = [g.add("Where", reached, g.number(math.nan), g.number(0.0))]
    if layer.splines:
        parts += _splines(g, layer, x)
    if layer.functions:
        parts.append(_functions(g, layer, x))
    return g.total(parts)


def _splines(g: Builder, layer: LayerProgram, x: str) -> list[str]:
    """Return the terms that the spline edges add to the sums, (N, n_sums) each."""
    knots, k = _knots(layer), layer.k  # (n_in, n)
    n_basis = knots.shape[1] - 1 - k
    coef = np.zeros((layer.n_in, n_basis, layer.n_sums))
    base = np.zeros((layer.n_in, layer.n_sums))
    for edge in layer.splines:
        coef[edge.i, :, edge.j] = edge.coef
        base[edge.i, edge.j] = edge.scale_base
    first, last = g.number([knots[:, k]]), g.number([knots[:, -1 - k]])
    inside = g.add("Max", g.add("Min", x, last), first)
    values = _basis(g, layer, knots, inside, x)  # (N, n_in, n_basis)
    flat = g.add("Reshape", values, g.integers([-1, layer.n_in * n_basis]))
    terms = [g.add("MatMul", flat, g.number(coef.reshape(-1, layer.n_sums)))]
    if layer.extrapolate == "linear" and k > 0:
        zero = g.number(0.0)
        ends = np.stack([knots[:, k], knots[:, -1 - k]])  # (2, n_in)
        slopes = np.einsum("eim,imj->eij", basis(ends, knots, k, nu=1), coef)
        below = g.add("Min", g.add("Sub", x, first), zero)
        above = g.add("Max", g.add("Sub", x, last), zero)
        terms.append(g.add("MatMul", below, g.number(slopes[0])))
        terms.append(g.add("MatMul", above, g.number(slopes[1])))
    if layer.base is not None:
        terms.append(g.add("MatMul", base_value(g, layer.base, x), g.number(base)))
    return terms


def _knots(layer: LayerProgram) -> np.ndarray:
    """Return the knots (n_in, n); those of an input without splines are any."""
    some = next(t for t in layer.knots if t is not None)
    return np.array([some if t is None else t for t in layer.knots])


def _basis(g: Builder, layer: LayerProgram, knots: np.ndarray, inside: str, x: str) -> str:
    """Return all B-splines at x (N, n_in), by Cox and de Boor: (N, n_in, n - 1 - k).

    With ``"linear"`` they are those at the nearest point of the domain, whose last cell that is not
    empty is closed; with ``"zero"``, 0 outside.
    """
    k = layer.k
    left, right = knots[:, :-1].copy(), knots[:, 1:].copy()
    at = inside
    last = knots[:, -1 - k, None]
    left[left >= last] = np.inf  # these cells are never entered
    if layer.extrapolate == "linear":
        right[(left < last) & (right >= last)] = np.inf
    else:
        at = x
    at = g.add("Unsqueeze", at, g.integers([2]))
    within = g.add(
        "And",
        g.add("GreaterOrEqual", at, g.number(left)),
        g.add("Less", at, g.number(right)),
    )
    values = g.cast(within, g.dtype)
    point = g.add("Unsqueeze", inside, g.integers([2]))
    for p in range(1, k + 1):
        span = knots[:, p:] - knots[:, :-p]
        share = np.divide(1.0, span, out=np.zeros_like(span), where=span > 0)
        scaled = g.add("Mul", values, g.number(share))  # (N, n_in, n - p)
        n = knots.shape[1] - p
        rising = g.add("Sub", point, g.number(knots[:, : n - 1]))
        falling = g.add("Sub", g.number(knots[:, p + 1 :]), point)
        values = g.add(
            "Add",
            g.add("Mul", rising, _part(g, scaled, 0, n - 1)),
            g.add("Mul", falling, _part(g, scaled, 1, n)),
        )
    return values


def _part(g: Builder, x: str, start: int, end: int) -> str:
    """Return x[:, :, start:end]."""
    return g.add("Slice", x, g.integers([start]), g.integers([end]), g.integers([2]))


def _functions(g: Builder, layer: LayerProgram, x: str) -> str:
    """Return the sums of the function edges, (N, n_sums).

    Edges of the same function are evaluated together. They are summed by selection: a product with
    0 would turn an infinite value into NaN elsewhere.
    """
    edges = sorted(layer.functions, key=lambda edge: edge.function.name)
    blocks = []
    for _, group in groupby(edges, key=lambda edge: (edge.function.name, id(edge.function))):
        same = list(group)
        t = g.affine(
            g.columns(x, [e.i for e in same]), [[e.a for e in same]], [[e.b for e in same]]
        )
        f = function_value(g, same[0], t)
        f = g.add("Mul", f, g.number([[e.c for e in same]]))
        blocks.append(g.affine(f, [[1.0]], [[e.d for e in same]]))
    zero = g.add("Mul", g.columns(x, [0]), g.number(0.0))
    values = g.add("Concat", *blocks, zero, axis=1)
    at = {j: [s for s, e in enumerate(edges) if e.j == j] for j in range(layer.n_sums)}
    columns = [
        g.add("ReduceSum", g.columns(values, at[j] or [len(edges)]), g.integers([1]), keepdims=1)
        for j in range(layer.n_sums)
    ]
    return g.add("Concat", *columns, axis=1)


def _nodes(g: Builder, layer: LayerProgram, u: str) -> str:
    """Return the nodes from the sums: affines and products."""
    v = g.affine(u, [[s.scale for s in layer.subnodes]], [[s.bias for s in layer.subnodes]])
    arity = max(len(node.factors) for node in layer.nodes)
    if arity > 1:
        v = _products(g, layer.nodes, layer.n_sums, arity, v)
    return g.affine(v, [[n.scale for n in layer.nodes]], [[n.bias for n in layer.nodes]])


def _products(g: Builder, nodes: tuple[Node, ...], n_sums: int, arity: int, v: str) -> str:
    """Return the product of every node's factors; a missing one is 1."""
    first = g.columns(v, [0])
    one = g.add("Where", g.add("Equal", first, first), g.number(1.0), g.number(1.0))
    padded = g.add("Concat", v, one, axis=1)
    value = g.columns(padded, [node.factors[0] for node in nodes])
    for r in range(1, arity):
        index = [node.factors[r] if r < len(node.factors) else n_sums for node in nodes]
        value = g.add("Mul", value, g.columns(padded, index))
    return value


# --- classes -------------------------------------------------------------------------------------


def _choice(g: Builder, program: Program, y: str) -> str:
    """Return the number of the class, (N,): by the sign, or the largest; NaN is the largest."""
    if program.n_out == 1:
        positive = g.add("Greater", y, g.number(0.0))
        return g.add("Squeeze", g.cast(positive, np.int64), g.integers([1]))
    missing = g.cast(g.add("IsNaN", y), g.dtype)
    first = g.add("ArgMax", missing, axis=1, keepdims=0)
    any_missing = g.add("ReduceSum", missing, g.integers([1]), keepdims=0)
    known = g.add("Where", g.add("IsNaN", y), g.number(0.0), y)
    largest = g.add("ArgMax", known, axis=1, keepdims=0)
    return g.add("Where", g.add("Greater", any_missing, g.number(0.0)), first, largest)


def _label_array(classes: tuple[Label, ...]) -> np.ndarray:
    """Return the labels as an array of one kind."""
    kinds = {type(label) for label in classes}
    if kinds == {str}:
        try:
            for label in classes:
                str(label).encode()
        except UnicodeEncodeError:
            raise ExportError(f"labels must be valid Unicode, got {classes}") from None
        return np.array(classes, dtype=object)
    if kinds == {bool}:
        return np.array(classes, dtype=bool)
    if kinds == {int}:
        if not all(-(2**63) <= int(label) < 2**63 for label in classes):
            raise ExportError(f"integer labels must fit into 64 bits, got {classes}")
        return np.array(classes, dtype=np.int64)
    if kinds <= {int, float}:
        return np.array(classes, dtype=np.float64)
    raise ExportError(f"labels must be all text, all numbers or all booleans, got {classes}")
