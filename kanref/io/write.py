"""Writing a model file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..functions import BASE_FUNCTIONS, FUNCTIONS
from ..layer import Layer
from ..network import Network
from ..nodes import NODE_PARAMETERS
from . import course
from .format import FORMAT, GENERATORS, MAX_HEADER, VERSION, Header, is_text

_LAYER_ARRAYS = ("knots", "coef", "scale_base", "scale_spline", "mask", "affine")


def save(path: str | os.PathLike, network: Network, header: Header) -> None:
    """Write a model atomically: a killed process leaves the old file or the new one, whole.

    A symbolic link stays, and the file that it leads to is replaced.

    Parameters
    ----------
    path : str or path
        The file.
    network : Network
        What is to be saved.
    header : Header
        What goes with it.

    Raises
    ------
    ValueError
        If `path` is there and is no regular file, or something cannot be saved.
    FileNotFoundError
        If its folder is missing.
    """
    target = _target(Path(path))
    course.check(header.history)
    text = _header_text(network, header)
    arrays = {"header": np.frombuffer(text, dtype=np.uint8)}
    arrays.update(_arrays(network))
    arrays.update({f"scaling.{name}": value for name, value in vars(header.scaling).items()})
    arrays[course.MEMBER] = course.table_of(header.history)
    handle, temporary = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _header_text(network: Network, header: Header) -> bytes:
    """Return the header as JSON; raise if `load` would not take it."""
    text = json.dumps(_describe(network, header)).encode()
    if len(text) > MAX_HEADER:
        raise ValueError(f"the header of a model must fit {MAX_HEADER} bytes, got {len(text)}")
    for name in ("input_names", "output_names", "classes"):
        if any(isinstance(t, str) and not is_text(t) for t in getattr(header, name) or ()):
            raise ValueError(f"`{name}` must be text, got half a character (a lone surrogate)")
    n_labels = max(network.n_out, 2)
    if header.classes is not None and len(header.classes) != n_labels:
        raise ValueError(f"`classes` must have {n_labels} labels, got {header.classes!r}")
    return text


def _target(path: Path) -> Path:
    """Return the file to replace, behind all links; raise if it cannot be one."""
    try:
        target = path.resolve()
    except RuntimeError:  # links in a circle; from Python 3.13 on, one of them is returned
        target = path
    if target.is_symlink():
        raise ValueError(f"`path` must lead to a file, got {str(path)!r}, a circle of links")
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise ValueError(f"`path` must be a regular file or a new one, got {str(path)!r}, {kind}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"`path` must be in a folder that is there, got {str(path)!r}")
    return target


def _describe(network: Network, header: Header) -> dict[str, Any]:
    """Everything but the arrays, as JSON takes it."""
    generator = header.rng.bit_generator.state
    if generator["bit_generator"] not in GENERATORS:
        raise ValueError(
            f"`rng` must use one of {sorted(GENERATORS)} to be saved, "
            f"got {generator['bit_generator']}"
        )
    return {
        "format": FORMAT,
        "version": VERSION,
        "dtype": str(network.theta.dtype),
        "groups": list(network.groups),
        "layers": [_describe_layer(layer) for layer in network.layers],
        "nodes": [{"n_sum": n.n_sum, "arity": list(n.arity)} for n in network.nodes],
        "input_names": list(header.input_names),
        "output_names": list(header.output_names),
        "classes": None if header.classes is None else [_plain(c) for c in header.classes],
        "grid_eps": header.grid_eps,
        "backend": network.backend,
        "generator": generator,
        "history": course.describe(header.history),
    }


def _describe_layer(layer: Layer) -> dict[str, Any]:
    return {
        "n_in": layer.n_in,
        "n_out": layer.n_out,
        "G": layer.G,
        "k": layer.k,
        "extrapolate": layer.extrapolate,
        "base_fun": layer.base_fun.name,
        "own_base_fun": BASE_FUNCTIONS.get(layer.base_fun.name) is not layer.base_fun,
        "spline_scale": layer.scale_spline is not None,
        "symbolic": [[e.i, e.j, e.function.name] for e in layer.symbolic],
        "own_functions": sorted(
            {
                e.function.name
                for e in layer.symbolic
                if FUNCTIONS.get(e.function.name) is not e.function
            }
        ),
    }


def _plain(value: Any) -> Any:
    """Return a class label as JSON has it: text, number or truth value."""
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, (str, int, float, bool)):
        raise TypeError(f"`classes` must be text or numbers to be saved, got {value!r}")
    return value


def _arrays(network: Network) -> dict[str, np.ndarray]:
    """Return the arrays of a network by name, C-contiguous."""
    found = {}
    for number, (layer, nodes) in enumerate(zip(network.layers, network.nodes, strict=True)):
        for name in _LAYER_ARRAYS:
            value = getattr(layer, name)
            if value is not None:
                found[f"layer{number}.{name}"] = np.ascontiguousarray(value)
        for name in NODE_PARAMETERS:
            found[f"nodes{number}.{name}"] = np.ascontiguousarray(getattr(nodes, name))
    return found


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
