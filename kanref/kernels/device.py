"""CuPy and the CUDA device: whether they are there, and launching the kernels of the source.

CuPy is imported where it is used: ``import kanref`` does not know it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from .._arrays import Array
from .launch import Launch

INSTALL = 'pip install "kanref[gpu]"'

SOURCE = Path(__file__).with_name("cuda_source.cu")
"""The kernels, in CUDA C++."""

REALS = {"float32": "float", "float64": "double"}


def missing() -> str | None:
    """Return what ``backend="cupy"`` needs and has not, as "needs …"; None where all is there."""
    try:
        import cupy
    except ImportError:
        return f"needs CuPy: {INSTALL}"
    reason = "none found"
    try:
        if cupy.cuda.runtime.getDeviceCount():
            return None
    except RuntimeError as error:  # CuPy's own: no driver, an old driver, no device
        reason = str(error)
    return f"needs a CUDA device, beside {INSTALL}: {reason}"


def require() -> Any:
    """Return the module CuPy.

    Raises
    ------
    ImportError
        If CuPy is not installed, or there is no device.
    """
    reason = missing()
    if reason is not None:
        raise ImportError(f"`backend` 'cupy' {reason}")
    import cupy

    return cupy


def devices() -> list[str]:
    """Return the CUDA devices, as "name, compute capability, memory"; none without CuPy."""
    if missing() is not None:
        return []
    import cupy

    found = []
    for number in range(cupy.cuda.runtime.getDeviceCount()):
        about = cupy.cuda.runtime.getDeviceProperties(number)
        name = about["name"].decode()
        memory = about["totalGlobalMem"] / 2**30
        found.append(f"{name}, {about['major']}.{about['minor']}, {memory:.0f} GiB")
    return found


def options(dtype: str, k: int) -> tuple[str, ...]:
    """Return what the compiler is told for a number type and a degree."""
    return (f"-DREAL={REALS[dtype]}", f"-DDEGREE={k}", "--std=c++17")


@functools.cache
def _module(dtype: str, k: int) -> Any:
    """Compile the kernels for one number type and degree; CuPy keeps the result on disk."""
    return require().RawModule(code=SOURCE.read_text(), options=options(dtype, k))


def launch(name: str, dtype: Any, k: int, how: Launch, *arguments: Array | int | None) -> None:
    """Run a kernel on the current stream; integers go as 32 bits, None as a null pointer."""
    kernel = _module(str(dtype), k).get_function(name)
    given = tuple(_argument(a) for a in arguments)
    kernel((how.blocks,), (how.threads,), given, shared_mem=how.shared)


def _argument(value: Any) -> Any:
    if value is None:
        return np.uint64(0)
    return np.int32(value) if isinstance(value, (int, bool)) else value
