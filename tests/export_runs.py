"""Running what an export wrote: rows in, outputs out, for every target that computes."""

from __future__ import annotations

import ctypes
import json
import math
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kanref import KAN

_NODE = """
import { readFileSync } from "node:fs";
const asked = JSON.parse(readFileSync(0, "utf8")).map((row) => row.map(Number));
const { predictMany, predictClass } = await import("./net.mjs");
const outputs = predictMany(asked).map((row) => row.map(String));
console.log(JSON.stringify({ outputs, labels: asked.map((row) => predictClass(row)) }));
"""


def python_run(model: KAN, rows: np.ndarray, folder: Path) -> tuple[np.ndarray, list | None]:
    """Return the outputs (N, n_out) and the labels, if there are any."""
    module = runpy.run_path(str(model.export(folder / "plain.py")[0]))
    labels = None
    if model.classes is not None:
        labels = [module["predict_class"](row) for row in rows.tolist()]
    return np.array(module["predict_many"](rows.tolist()), dtype=float), labels


def numpy_run(model: KAN, rows: np.ndarray, folder: Path) -> tuple[np.ndarray, list | None]:
    """As python_run."""
    module = runpy.run_path(str(model.export(folder / "vectorised.py", to="numpy")[0]))
    labels = None if model.classes is None else module["predict_classes"](rows)
    return module["predict_many"](rows), labels


def c_run(model: KAN, rows: np.ndarray, folder: Path) -> tuple[np.ndarray, list | None]:
    """As python_run."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler")
    stem = f"net_{len(list(folder.glob('*.c')))}"  # a library of the same name would not be loaded
    model.export(folder / f"{stem}.c")
    strict = ["-O1", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
    command = [compiler, *strict, f"{stem}.c", "-o", f"{stem}.so", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / f"{stem}.so"))
    predict, choose = (getattr(library, f"{stem}_{name}", None) for name in _C_FUNCTIONS)
    outputs = np.empty((len(rows), model.n_out))
    rows = np.ascontiguousarray(rows, dtype=float)
    predict(_pointer(rows), _pointer(outputs), ctypes.c_size_t(len(rows)))
    if model.classes is None:
        return outputs, None
    return outputs, [model.classes[choose(_pointer(row))] for row in rows]


_C_FUNCTIONS = ("predict_many", "predict_class")


def _pointer(values: np.ndarray) -> ctypes._Pointer:
    return values.ctypes.data_as(ctypes.POINTER(ctypes.c_double))


def javascript_run(model: KAN, rows: np.ndarray, folder: Path) -> tuple[np.ndarray, list | None]:
    """As python_run."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on the path")
    model.export(folder / "net.mjs")
    (folder / "driver.mjs").write_text(_NODE, encoding="utf-8")
    cells = [[_number(value) for value in row] for row in rows.tolist()]
    done = subprocess.run(
        [node, str(folder / "driver.mjs")],
        input=json.dumps(cells).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    outputs = [[float(v.replace("Infinity", "inf")) for v in row] for row in found["outputs"]]
    return np.array(outputs), None if model.classes is None else found["labels"]


def _number(value: float) -> str:
    """Return a number as JavaScript's Number() reads it."""
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if math.isnan(value) else repr(value)


def onnx_run(model: KAN, rows: np.ndarray, folder: Path) -> tuple[np.ndarray, list | None]:
    """As python_run."""
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    (path,) = model.export(folder / "net.onnx", dtype="float64")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    found = session.run(None, {"X": rows})
    return found[0], None if model.classes is None else found[1].tolist()


SCALAR = {"python": python_run, "numpy": numpy_run, "c": c_run, "javascript": javascript_run}
"""Targets that add up the live edges one after the other, as the reference does."""

ALL = {**SCALAR, "onnx": onnx_run}
