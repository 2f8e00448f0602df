"""Reading a model file: every array is checked against the header."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functions import BASE_FUNCTIONS, FUNCTIONS, BaseFunction, Function, base_function
from ..kernels import BACKENDS
from ..layer import Layer, SymbolicEdge
from ..network import PARAMETERS, Network
from ..nodes import Nodes
from ..scaling import Scaling
from ..sizes import size_problem
from ..training import History
from .archive import Unreadable, read_archive
from .course import MEMBER, history_of
from .format import GENERATORS, Header, is_text

MAX_MESSAGE = 300
"""Characters of an error: what a file holds may be as long as the file."""


def load(
    path: str | os.PathLike,
    *,
    functions: Mapping[str, Function] | None = None,
    base_fun: BaseFunction | tuple | None = None,
) -> tuple[Network, Header]:
    """Read what :func:`save` wrote.

    Parameters
    ----------
    path : str or path
        A file that :func:`save` wrote.
    functions : mapping of str to Function, optional
        Functions of the user's own that edges of the network follow, by name.
    base_fun : BaseFunction or (callable, callable), optional
        The base function, where it is one of the user's own.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, is not a model, or was written by a newer kanref; or if it names a
        function of the user's that is not given.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
        kind = "a folder" if os.path.isdir(path) else "a device or a pipe"
        raise ValueError(f"`path` must be a kanref model, got {str(path)!r}: it is {kind}")
    with open(path, "rb") as file:
        try:
            arrays, description = read_archive(file)
            return _build(arrays, description, dict(functions or {}), base_fun)
        except Unreadable as error:
            what = f"{str(path)!r}: {str(error)[:MAX_MESSAGE]}"
            raise ValueError(f"`path` must be a kanref model, got {what}") from None


class _NotGiven(ValueError):
    """The file is good, but names a function of the user's that was not given."""


def _build(
    arrays: dict[str, np.ndarray],
    description: dict[str, Any],
    functions: dict[str, Function],
    base_fun: BaseFunction | tuple | None,
) -> tuple[Network, Header]:
    """Make the network and the header from the arrays and the description."""
    try:
        parts = description["layers"], description["nodes"]
        if not parts[0] or len(parts[0]) != len(parts[1]):
            raise Unreadable("it has no layers")
        problem = size_problem([_shape(part) for part in parts[0]])
        if problem:
            raise Unreadable(f"its layers must {problem}")
        if description["dtype"] not in ("float32", "float64"):
            raise Unreadable(f"it has the dtype {description['dtype']}")
        dtype = np.dtype(description["dtype"])
        layers = [
            _layer(_Members(arrays, f"layer{n}.", dtype), part, functions, base_fun)
            for n, part in enumerate(parts[0])
        ]
        nodes = [
            _nodes(_Members(arrays, f"nodes{n}.", dtype), part) for n, part in enumerate(parts[1])
        ]
        _check_stack(layers, nodes)
        groups = description["groups"]
        if not set(groups) <= set(PARAMETERS):
            raise Unreadable(f"it has the parameter groups {groups!r}")
        if description["backend"] not in BACKENDS:
            raise Unreadable(f"it has the backend {description['backend']!r}")
        network = Network.assemble(layers, nodes, groups, description["backend"])
        history = history_of(arrays.get(MEMBER), description["history"])
        scaling = _Members(arrays, "scaling.", np.dtype(float))
        return network, _header(scaling, description, network, history)
    except _NotGiven:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as error:
        raise Unreadable(f"its header lacks something ({error!r})") from None


@dataclass(frozen=True)
class _Members:
    """The arrays of one part of the file, checked as they are taken."""

    arrays: dict[str, np.ndarray]
    prefix: str
    dtype: np.dtype

    def take(self, name: str, *shape: int, dtype: Any = None) -> np.ndarray:
        key = self.prefix + name
        if key not in self.arrays:
            raise Unreadable(f"the array {key} is missing")
        value = self.arrays[key]
        if value.shape != shape or value.dtype != (dtype or self.dtype):
            raise Unreadable(
                f"the array {key} must be {self.dtype} {shape}, got {value.dtype} {value.shape}"
            )
        return value


def _count(part: dict, name: str, least: int = 0) -> int:
    value = part[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Unreadable(f"{name} is {value!r}")
    return value


def _shape(part: dict) -> tuple[int, int, int, int]:
    """Return (n_in, n_out, G, k) of a layer."""
    sizes = [_count(part, name, least=1) for name in ("n_in", "n_out", "G")]
    return sizes[0], sizes[1], sizes[2], _count(part, "k")


def _layer(
    members: _Members,
    part: dict[str, Any],
    functions: dict[str, Function],
    base_fun: BaseFunction | tuple | None,
) -> Layer:
    n_in, n_out, G, k = _shape(part)
    for name in ("own_base_fun", "spline_scale"):
        if not isinstance(part[name], bool):
            raise Unreadable(f"{name} is {part[name]!r}")
    if part["extrapolate"] not in ("linear", "zero"):
        raise Unreadable(f"extrapolate is {part['extrapolate']!r}")
    own = set(part["own_functions"])
    edges = tuple(
        SymbolicEdge(i, j, _own(name, name in own, functions)) for i, j, name in part["symbolic"]
    )
    places = {(e.i, e.j) for e in edges}
    if len(places) != len(edges) or not all(
        type(i) is int and type(j) is int and 0 <= i < n_in and 0 <= j < n_out for i, j in places
    ):
        raise Unreadable("a symbolic edge is out of place")
    knots = members.take("knots", n_in, G + 2 * k + 1)
    if not np.all(np.isfinite(knots)) or np.any(np.diff(knots, axis=1) < 0):
        raise Unreadable("the knots decrease or are not finite")
    return Layer(
        knots=knots,
        coef=members.take("coef", n_in, n_out, G + k),
        scale_base=members.take("scale_base", n_in, n_out),
        scale_spline=members.take("scale_spline", n_in, n_out) if part["spline_scale"] else None,
        mask=members.take("mask", n_in, n_out, dtype=bool),
        affine=members.take("affine", len(edges), 4),
        symbolic=edges,
        k=k,
        extrapolate=part["extrapolate"],
        base_fun=_own_base(part["base_fun"], part["own_base_fun"], base_fun),
    )


def _own(name: str, own: bool, functions: dict[str, Function]) -> Function:
    """Return the symbolic function that the file names."""
    if own:
        if name not in functions:
            raise _NotGiven(
                f"`functions` must give the function {name!r} that the model uses, "
                f"got {sorted(functions)}"
            )
        if not isinstance(functions[name], Function):
            raise _NotGiven(
                f"`functions` must map names to Function objects (see kanref.make_function), "
                f"got {functions[name]!r} for {name!r}"
            )
        return functions[name]
    if name not in FUNCTIONS:
        raise Unreadable(f"it uses the function {name!r}, which is not in the library")
    return FUNCTIONS[name]


def _own_base(name: str, own: bool, given: BaseFunction | tuple | None) -> BaseFunction:
    """Return the base function that the file names."""
    if own:
        if given is None:
            raise _NotGiven(
                f"`base_fun` must give the base function {name!r} that the model uses, got None"
            )
        return base_function(given)
    if name not in BASE_FUNCTIONS:
        raise Unreadable(f"it uses the base function {name!r}, which is not in the library")
    return BASE_FUNCTIONS[name]


def _nodes(members: _Members, part: dict[str, Any]) -> Nodes:
    n_sum, arity = _count(part, "n_sum"), tuple(part["arity"])
    if not all(isinstance(a, int) and a >= 2 for a in arity):
        raise Unreadable(f"arity is {arity!r}")
    n_sub, n_nodes = n_sum + sum(arity), n_sum + len(arity)
    return Nodes(
        n_sum,
        arity,
        members.take("subnode_scale", n_sub),
        members.take("subnode_bias", n_sub),
        members.take("node_scale", n_nodes),
        members.take("node_bias", n_nodes),
    )


def _check_stack(layers: list[Layer], nodes: list[Nodes]) -> None:
    """Check that each layer fits the nodes below and above it."""
    below = layers[0].n_in
    for layer, node in zip(layers, nodes, strict=True):
        if layer.n_in != below or layer.n_out != node.n_subnodes:
            raise Unreadable("its layers do not fit each other")
        below = node.n_nodes


def _header(
    members: _Members, description: dict[str, Any], network: Network, history: History
) -> Header:
    sizes = (network.n_in, network.n_in, network.n_out, network.n_out)
    names = ("x_shift", "x_scale", "y_shift", "y_scale")
    values = [members.take(name, size) for name, size in zip(names, sizes, strict=True)]
    try:
        scaling = Scaling(*values)
        state = description["generator"]
        bits = GENERATORS[state["bit_generator"]]()
        bits.state = state
    except ValueError as error:
        raise Unreadable(str(error)) from None
    for name, size in (("input_names", network.n_in), ("output_names", network.n_out)):
        texts = description[name]
        whole = isinstance(texts, list) and len(texts) == size
        if not whole or not all(isinstance(text, str) and is_text(text) for text in texts):
            raise Unreadable(f"{name} is not a list of {size} names")
        if len(set(texts)) < size:
            raise Unreadable(f"two of the {name} are the same")
    classes, grid_eps = description["classes"], description["grid_eps"]
    _check_classes(classes, network.n_out)
    if type(grid_eps) not in (int, float) or not 0 <= grid_eps <= 1:
        raise Unreadable(f"grid_eps is {grid_eps!r}")
    return Header(
        scaling,
        description["input_names"],
        description["output_names"],
        classes,
        float(grid_eps),
        np.random.default_rng(bits),
        history,
    )


def _check_classes(classes: Any, n_out: int) -> None:
    """Raise unless there is a label, as JSON has it, for each thing that the outputs can say."""
    if classes is None:
        return
    if not isinstance(classes, list) or len(classes) != max(n_out, 2):
        raise Unreadable(f"classes is no list of {max(n_out, 2)} labels")
    for label in classes:
        if type(label) not in (str, int, float, bool) or (
            type(label) is str and not is_text(label)
        ):
            raise Unreadable(f"classes has {label!a:.40}")
