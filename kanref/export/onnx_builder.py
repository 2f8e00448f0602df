"""Nodes and constants of an ONNX graph, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from .program import ExportError


class Builder:
    """A graph under construction; values are known by their names.

    Attributes
    ----------
    dtype : numpy.dtype
        In which it computes.
    """

    def __init__(self, dtype: str) -> None:
        import onnx
        from onnx import helper, numpy_helper

        self.dtype = np.dtype(dtype)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._make_node = helper.make_node
        self._from_array = numpy_helper.from_array
        self._known: dict[tuple, str] = {}

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of the standard operator `op` and return the name of its output."""
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(self._make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def output(self, name: str, value: str) -> None:
        """Let a value be an output of the graph, under a name of its own."""
        self.nodes.append(self._make_node("Identity", [value], [name], name=name))

    def number(self, value: Any) -> str:
        """Return a constant of the graph's dtype."""
        wide = np.asarray(value, dtype=np.float64)
        with np.errstate(over="ignore", under="ignore"):
            narrow = wide.astype(self.dtype)
        if np.any(np.isinf(narrow) & np.isfinite(wide)):
            worst = wide[np.isinf(narrow) & np.isfinite(wide)][0]
            raise ExportError(f"all parameters must fit into {self.dtype}, got {worst!r}")
        return self.constant(narrow)

    def integers(self, values: Any) -> str:
        """Return a constant of 64-bit integers."""
        return self.constant(np.asarray(values, dtype=np.int64))

    def constant(self, array: np.ndarray) -> str:
        """Return a constant; equal ones are stored once."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if array.dtype == object or key not in self._known:
            name = f"constant_{len(self.initializers)}"
            self.initializers.append(self._from_array(array, name))
            self._known[key] = name
        return self._known[key]

    def cast(self, x: str, dtype: Any) -> str:
        """Convert to another dtype."""
        from onnx import helper

        return self.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def columns(self, x: str, index: list[int]) -> str:
        """Return some of the columns of x (N, n)."""
        return self.add("Gather", x, self.integers(index), axis=1)

    def affine(self, x: str, scale: Any, bias: Any) -> str:
        """Return scale · x + bias; what changes nothing is left out."""
        scale, bias = np.asarray(scale, dtype=float), np.asarray(bias, dtype=float)
        if np.any(scale != 1):
            x = self.add("Mul", x, self.number(scale))
        if np.any(bias != 0):
            x = self.add("Add", x, self.number(bias))
        return x

    def total(self, parts: list[str]) -> str:
        """Return the sum of one or more values."""
        value = parts[0]
        for part in parts[1:]:
            value = self.add("Add", value, part)
        return value

    def broken(self, x: str) -> str:
        """Tell where x is NaN or infinite."""
        return self.add("Or", self.add("IsNaN", x), self.add("IsInf", x))
