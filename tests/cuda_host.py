"""The CUDA kernels on the host: their source compiled as C++, with ``cuda_host.h`` for a device.

``fake_cupy.py`` launches them, with NumPy arrays.
"""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from kanref.kernels import device

HERE = Path(__file__).parent
COMPILER = shutil.which("g++") or shutil.which("clang++")
KERNEL = re.compile(r"__global__ void (\w+)\(([^)]*)\)")


def signatures(source: str) -> dict[str, list[str]]:
    """Return the parameters of every kernel, as the source declares them."""
    return {name: [p.strip() for p in text.split(",")] for name, text in KERNEL.findall(source)}


def _wrapper(name: str, parameters: list[str]) -> str:
    names = ", ".join(re.search(r"(\w+)$", p).group(1) for p in parameters)
    declared = ", ".join(["int blocks", "int threads", "int shared_bytes", *parameters])
    call = f"host::run(blocks, threads, shared_bytes, [&] {{ {name}({names}); }})"
    body = f"try {{ {call}; }} catch (const std::runtime_error &) {{ return 1; }}"
    return f"int launch_{name}({declared}) {{\n  {body}\n  return 0;\n}}\n"


def translation(source: str) -> str:
    """Return C++ for the host: the stand-ins, the source as it is, a launcher for each kernel."""
    launchers = "".join(_wrapper(n, p) for n, p in signatures(source).items())
    text = source.replace('extern "C" __global__', "__global__")
    return (
        f'#define KANREF_HOST\n#include "{HERE / "cuda_host.h"}"\n{text}\nextern "C" {{\n'
        f"int size_of_feature() {{ return sizeof(Feature); }}\n"
        f"int constant_samples() {{ return SAMPLES; }}\nint constant_group() {{ return GROUP; }}\n"
        f"{launchers}}}\n"
    )


@functools.cache
def library(dtype: str, k: int, source: str | None = None) -> ctypes.CDLL:
    """Compile the kernels for the host."""
    folder = Path(tempfile.mkdtemp(prefix="kanref-cuda-"))
    try:
        text = translation(device.SOURCE.read_text() if source is None else source)
        (folder / "kernels.cpp").write_text(text)
        defines = [o for o in device.options(dtype, k) if o.startswith("-D")]
        command = [COMPILER, "-std=c++17", "-O1", "-shared", "-fPIC", "-w", *defines]
        command += [str(folder / "kernels.cpp"), "-o", str(folder / "kernels.so")]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return ctypes.CDLL(str(folder / "kernels.so"))
    finally:
        shutil.rmtree(folder)


def argument(value):
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_longlong(value) if isinstance(value, np.int64) else ctypes.c_int(value)


def check(parameter: str, value, dtype) -> None:
    """Hold an argument against the declaration: what ctypes and CUDA would not notice."""
    kind = parameter.removeprefix("const ").split()[0]
    if "*" not in parameter:
        expected = np.int64 if kind == "wide" else (int, bool)
        assert isinstance(value, expected), parameter
    elif value is not None:
        types = {"real": dtype, "int": np.int32, "byte": np.uint8, "double": np.float64}
        assert value.dtype == types[kind], parameter
