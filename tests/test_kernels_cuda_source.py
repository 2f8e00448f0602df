"""The CUDA source compiles for a device, with whichever compiler is here."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import cuda_host
import pytest

from kanref.kernels import device

NVCC = shutil.which("nvcc")
ARCHITECTURE = "sm_90"
VARIANTS = [("float32", 0), ("float32", 3), ("float64", 5)]


def nvrtc() -> Path | None:
    """Return the library of NVRTC from its wheel."""
    spec = importlib.util.find_spec("nvidia")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    found = [p for folder in folders for p in Path(folder).glob("**/libnvrtc.so.*")]
    return min((p for p in found if "alt" not in p.name), default=None)


@pytest.mark.skipif(NVCC is None, reason="needs nvcc")
@pytest.mark.parametrize(("dtype", "k"), VARIANTS)
def test_nvcc_compiles_without_a_warning(tmp_path, dtype, k):
    defines = [o for o in device.options(dtype, k) if o.startswith("-D")]
    command = [NVCC, "-cubin", f"-arch={ARCHITECTURE}", "-std=c++17", *defines]
    command += ["-Xptxas", "-v", "-Werror", "all-warnings"]
    command += [str(device.SOURCE), "-o", str(tmp_path / "kernels.cubin")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    spilled = [int(n) for n in re.findall(r"(\d+) bytes spill stores", run.stderr)]
    assert len(spilled) == len(cuda_host.signatures(device.SOURCE.read_text()))
    assert not any(spilled), run.stderr  # all sums stay in registers


@pytest.mark.skipif(nvrtc() is None, reason="needs NVRTC: pip install nvidia-cuda-nvrtc")
@pytest.mark.parametrize(("dtype", "k"), VARIANTS)
def test_nvrtc_compiles_it_as_cupy_does(dtype, k):
    library = ctypes.CDLL(str(nvrtc()))
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    source = device.SOURCE.read_text().encode()
    assert library.nvrtcCreateProgram(ctypes.byref(program), source, b"k.cu", 0, None, None) == 0
    options = [*device.options(dtype, k), f"--gpu-architecture={ARCHITECTURE}"]
    given = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    status = library.nvrtcCompileProgram(program, len(options), given)
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, log)
    assert status == 0, log.value.decode()


def test_the_source_travels_with_the_package():
    assert device.SOURCE.is_file()
    assert len(cuda_host.signatures(device.SOURCE.read_text())) == 8


def test_no_floating_point_number_is_added_atomically():
    text = device.SOURCE.read_text()
    assert re.findall(r"atomic\w+\(&?(\w+)", text) == ["counts"]
    assert "int *counts" in text
