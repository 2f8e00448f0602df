r"""The target ``table``: every edge as a lookup table of integers, with a certified error.

An edge φ is a function of one number, so a table with linear interpolation will do:

.. math:: \hat φ(x) = offset + step\,\bigl(q_c + (p - c)(q_{c+1} - q_c)\bigr), \quad
          p = n\,\frac{x - low}{high - low},\ c = \min(⌊p⌋, n - 1)

with 8- or 16-bit integers q at n + 1 equally spaced points of the edge's domain. The domain of an
input is the box; that of an inner node is its guaranteed range for all inputs in the box
(:mod:`kanref.bounds`). An x outside is moved to the nearest end; a NaN or infinite one gives NaN.

What is written is a JSON file, which is all that a program on a small machine needs, and a Python
file of the same name that evaluates it with the standard library only. Both state the largest error
of each edge and of each output against the model, rounding and quantisation included: not a
measurement but a bound, for every input in the box. Errors of the edges go through the layers with
the largest slopes of the edges that follow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..bounds import check_box
from .given import given_rows
from .integer_tables import EdgeTable, LayerTables, Tables, build_tables
from .program import ExportError, Program
from .table_reader import READER
from .text import title

FORMAT = "kanref lookup tables, 1"


def write(
    program: Program,
    *,
    stem: str,
    intervals: int = 256,
    bits: int = 16,
    box: Sequence[Sequence[float]] | None = None,
    X: Any = None,
) -> Mapping[str, str]:
    """Return the files of a network as lookup tables.

    Parameters
    ----------
    program : Program
        The network.
    stem : str
        Name of the files without suffix.
    intervals : int
        Resolution n: each table has n + 1 entries.
    bits : {8, 16}
        Size of an entry.
    box : sequence of (low, high), optional
        For each input, in data units: where the error holds. Default: the first layer's grids.
    X : (N, n_in) or data frame, optional
        Instead of `box`, rows that it shall enclose.

    Raises
    ------
    ValueError, TypeError
        If an option will not do.
    ExportError
        If the network may be undefined or infinite within the box, jumps within it to infinity, or
        follows a function of the user's own.

    Examples
    --------
    >>> from kanref import KAN
    >>> from kanref.export import program_of
    >>> files = write(program_of(KAN([2, 3, 1], seed=0)), stem="net", intervals=64)
    >>> sorted(files)
    ['.json', '.py']
    >>> json.loads(files[".json"])["outputs"][0]["error"] < 0.01
    True
    """
    if isinstance(intervals, bool) or not isinstance(intervals, int) or not 1 <= intervals <= 65535:
        raise ValueError(f"`intervals` must be an integer from 1 to 65535, got {intervals!r}")
    if bits not in (8, 16) or isinstance(bits, bool):
        raise ValueError(f"`bits` must be 8 or 16, got {bits!r}")
    checked = _box(program, box, X)
    try:
        tables = build_tables(program, checked, intervals, bits)
    except ExportError:
        raise
    except ValueError as error:
        raise ExportError(str(error)) from error
    content = _content(program, tables, checked, bits)
    text = _json(content)
    return {".json": text + "\n", ".py": _python(program, content, stem)}


def _box(program: Program, box: Any, X: Any) -> np.ndarray:
    """Return the box that was given, or that of the rows, or of the grids, (n_in, 2)."""
    if X is None:
        return _grid_box(program) if box is None else check_box(box, program.input_names)
    if box is not None:
        raise ValueError("`box` must not be given beside `X`, got both")
    rows = given_rows(program, X)
    return np.stack([rows.min(axis=0), rows.max(axis=0)], axis=1)


def _grid_box(program: Program) -> np.ndarray:
    """Return the domains of the first layer's grids in data units, (n_in, 2)."""
    layer = program.network.layers[0]
    knots = np.asarray(layer.knots, dtype=float)
    ends = knots[:, [layer.k, -1 - layer.k]]
    shift, scale = np.array(program.x_shift)[:, None], np.array(program.x_scale)[:, None]
    return ends * scale + shift


def _content(program: Program, tables: Tables, box: np.ndarray, bits: int) -> dict[str, Any]:
    """Return what the JSON file holds."""
    return {
        "format": FORMAT,
        "about": title(program),
        "bits": bits,
        "inputs": [
            {"name": name, "low": low, "high": high, "shift": shift, "scale": scale}
            for name, (low, high), shift, scale in zip(
                program.input_names, box.tolist(), program.x_shift, program.x_scale, strict=True
            )
        ],
        "layers": [_layer(layer) for layer in tables.layers],
        "outputs": [
            {"name": name, "shift": shift, "scale": scale, "error": error}
            for name, shift, scale, error in zip(
                program.output_names,
                program.y_shift,
                program.y_scale,
                tables.error,
                strict=True,
            )
        ],
        "classes": None if program.classes is None else list(program.classes),
        "table_bytes": tables.size * bits // 8,
    }


def _layer(layer: LayerTables) -> dict[str, Any]:
    return {
        "domains": [list(pair) for pair in layer.domains],
        "sums": layer.n_sums,
        "edges": [_edge(edge) for edge in layer.edges],
        "subnodes": [[part.scale, part.bias] for part in layer.subnodes],
        "nodes": [
            {"factors": list(n.factors), "scale": n.scale, "bias": n.bias} for n in layer.nodes
        ],
    }


def _edge(edge: EdgeTable) -> dict[str, Any]:
    return {
        "i": edge.i,
        "j": edge.j,
        "offset": edge.offset,
        "step": edge.step,
        "error": edge.error,
        "q": list(edge.q),
    }


def _json(content: dict[str, Any]) -> str:
    """Return JSON with a line for each edge: ASCII, and no NaN."""
    layers = content["layers"]
    marked = {**content, "layers": [{**x, "edges": f"@{n}"} for n, x in enumerate(layers)]}
    text = json.dumps(marked, indent=1, allow_nan=False)
    for n, layer in enumerate(layers):
        lines = ",\n".join("    " + json.dumps(edge, allow_nan=False) for edge in layer["edges"])
        text = text.replace(f'"edges": "@{n}"', f'"edges": [\n{lines}\n   ]', 1)
    return text


def _python(program: Program, content: dict[str, Any], stem: str) -> str:
    """Return the module that evaluates the tables."""
    errors = ", ".join(f"{output['error']:.3g}" for output in content["outputs"])
    return READER.format(
        title=title(program),
        errors=errors,
        bits=content["bits"],
        inputs=_tuple(ascii(x["name"]) for x in content["inputs"]),
        outputs=_tuple(ascii(y["name"]) for y in content["outputs"]),
        classes=None if program.classes is None else _tuple(map(ascii, program.classes)),
        box=_tuple(f"({x['low']!r}, {x['high']!r})" for x in content["inputs"]),
        error=_tuple(repr(y["error"]) for y in content["outputs"]),
        x_units=_tuple(f"({x['shift']!r}, {x['scale']!r})" for x in content["inputs"]),
        y_units=_tuple(f"({y['shift']!r}, {y['scale']!r})" for y in content["outputs"]),
        layers="".join(_python_layer(layer) for layer in content["layers"]),
    )


def _python_layer(layer: dict[str, Any]) -> str:
    edges = "".join(
        f"            ({e['i']}, {e['j']}, {e['offset']!r}, {e['step']!r},\n"
        f"             {_tuple(map(str, e['q']))}),\n"
        for e in layer["edges"]
    )
    domains = _tuple(f"({low!r}, {high!r})" for low, high in layer["domains"])
    subnodes = _tuple(f"({scale!r}, {bias!r})" for scale, bias in layer["subnodes"])
    nodes = _tuple(
        f"({_tuple(map(str, n['factors']))}, {n['scale']!r}, {n['bias']!r})" for n in layer["nodes"]
    )
    return (
        f"    (\n        {domains},\n        (\n{edges}        ),\n"
        f"        {subnodes},\n        {nodes},\n    ),\n"
    )


def _tuple(items: Any) -> str:
    return "(" + "".join(f"{item}, " for item in items).strip() + ")"
