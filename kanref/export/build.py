"""From a model to the program that every export starts from; all checks are here."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import to_numpy
from ..functions import BASE_FUNCTIONS
from ..network import Network
from ..nodes import Nodes
from ..parameters import Layer
from ..scaling import Scaling
from .program import Affine, ExportError, FunctionEdge, Label, LayerProgram, Node, Program, Spline


def build_program(
    network: Network,
    scaling: Scaling,
    input_names: list[str],
    output_names: list[str],
    classes: list | None = None,
) -> Program:
    """Make the program of a network.

    Parameters
    ----------
    network : Network
        What is to be computed.
    scaling : Scaling
        Of the model.
    input_names, output_names : list of str
        Of the variables.
    classes : list, optional
        Labels that the outputs stand for.

    Raises
    ------
    ExportError
        If a live edge or a node has a parameter that is NaN or infinite, a grid has no extent, a
        base function is not of the library, or a label is no text or number.
    """
    layers = tuple(
        _layer(number, layer, nodes)
        for number, (layer, nodes) in enumerate(zip(network.layers, network.nodes, strict=True))
    )
    return Program(
        layers,
        _numbers(scaling.x_shift),
        _numbers(scaling.x_scale),
        _numbers(scaling.y_shift),
        _numbers(scaling.y_scale),
        tuple(input_names),
        tuple(output_names),
        None if classes is None else _labels(classes, network.n_out),
        str(to_numpy(network.layers[0].knots).dtype),
        network,
        scaling,
    )


def program_of(model: Any) -> Program:
    """Make the program of a :class:`~kanref.KAN`.

    Parameters
    ----------
    model : KAN
        What is to be exported.

    Raises
    ------
    ExportError
        As :func:`build_program`.
    """
    return build_program(
        model.network, model.scaling, model.input_names, model.output_names, model.classes
    )


def _layer(number: int, layer: Layer, nodes: Nodes) -> LayerProgram:
    """Make the program of a layer with the nodes above it."""
    arrays = {
        name: to_numpy(getattr(layer, name))
        for name in ("knots", "coef", "scale_base", "mask", "affine")
    }
    coef = arrays["coef"]  # (n_in, n_out, G+k)
    if layer.scale_spline is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            coef = coef * to_numpy(layer.scale_spline)[:, :, None]
    numeric = to_numpy(layer.numeric)
    pad = layer.k if layer.extrapolate == "zero" else 0
    splines = tuple(
        Spline(
            int(i),
            int(j),
            (0.0,) * pad + _numbers(coef[i, j]) + (0.0,) * pad,
            float(arrays["scale_base"][i, j]),
        )
        for i, j in np.argwhere(numeric)
    )
    functions = [
        FunctionEdge(edge.i, edge.j, edge.function, *_numbers(arrays["affine"][s]))
        for s, edge in enumerate(layer.symbolic)
        if arrays["mask"][edge.i, edge.j]
    ]
    program = LayerProgram(
        layer.n_in,
        layer.n_out,
        layer.k,
        layer.extrapolate,
        _base(layer, splines),
        tuple(
            _padded(_numbers(arrays["knots"][i]), pad) if numeric[i].any() else None
            for i in range(layer.n_in)
        ),
        splines,
        tuple(sorted(functions, key=lambda edge: (edge.i, edge.j))),
        tuple(
            Affine(*pair)
            for pair in zip(
                _numbers(nodes.subnode_scale), _numbers(nodes.subnode_bias), strict=True
            )
        ),
        tuple(
            Node(tuple(factors), scale, bias)
            for factors, scale, bias in zip(
                nodes.factors(), _numbers(nodes.node_scale), _numbers(nodes.node_bias), strict=True
            )
        ),
    )
    _check(number, program, layer)
    return program


def _base(layer: Layer, splines: tuple[Spline, ...]) -> str | None:
    """Return the name of the base function, or None where it adds nothing."""
    used = any(edge.scale_base != 0 for edge in splines)
    return layer.base_fun.name if used and layer.base_fun is not BASE_FUNCTIONS["zero"] else None


def _check(number: int, program: LayerProgram, layer: Layer) -> None:
    """Raise unless everything in the program of layer `number` can be written as a number."""
    for i, knots in enumerate(program.knots):
        if knots is not None:
            _check_finite(f"the knots of input {i} of layer {number}", knots)
            if not knots[program.k] < knots[-1 - program.k]:
                raise ExportError(
                    f"the grid of input {i} of layer {number} must have an extent, "
                    f"got t_0 = t_G = {knots[program.k]!r}"
                )
    for edge in program.splines:
        _check_finite(f"edge ({number}, {edge.i}, {edge.j})", (*edge.coef, edge.scale_base))
    for fun in program.functions:
        _check_finite(f"edge ({number}, {fun.i}, {fun.j})", (fun.a, fun.b, fun.c, fun.d))
    for index, part in enumerate(program.subnodes):
        _check_finite(f"subnode {index} above layer {number}", (part.scale, part.bias))
    for index, node in enumerate(program.nodes):
        _check_finite(f"node {index} above layer {number}", (node.scale, node.bias))
    if program.base is not None and BASE_FUNCTIONS.get(program.base) is not layer.base_fun:
        raise ExportError(
            f"the base function must be one of {', '.join(BASE_FUNCTIONS)} to be exported, "
            f"got the user's own {program.base!r} in layer {number}"
        )


def _check_finite(what: str, numbers: tuple[float, ...]) -> None:
    if not np.all(np.isfinite(numbers)):
        raise ExportError(f"{what} must have finite parameters to be exported, got {numbers}")


def _padded(knots: tuple[float, ...], pad: int) -> tuple[float, ...]:
    return (knots[0],) * pad + knots + (knots[-1],) * pad


def _numbers(values: Any) -> tuple[float, ...]:
    """Return an array of one axis as Python floats."""
    return tuple(float(v) for v in to_numpy(values))


def _labels(classes: list, n_out: int) -> tuple[Label, ...]:
    """Return class labels as plain Python values."""
    labels = tuple(c.item() if isinstance(c, np.generic) else c for c in classes)
    expected = n_out if n_out > 1 else 2
    if len(labels) != expected:
        raise ExportError(f"`classes` must be {expected} labels, got {len(labels)}")
    for label in labels:
        if type(label) not in (str, int, float, bool) or label != label:
            raise ExportError(f"a label must be a text or a number to be exported, got {label!r}")
    return labels
