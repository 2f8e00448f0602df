"""What does a deployed model weigh, and how long does a prediction take?

    python benchmarks/exports.py [--torch PYTHON] [--out results/exports.json]

A [2, 5, 1] network (G = 5, k = 3) is trained on exp(sin(πx) + y²) and written for every target.
Measured are the bytes of its files (and of the object code, for C), the processor time of one
prediction, and that for each row of a batch of 1000, on one thread; each the median of several
rounds. Beside it stand kanref itself, scikit-learn's MLPRegressor with its defaults, trained on the
same data, and the same network written in torch, by the interpreter that `--torch` names. What a
machine has not got is null, with the reason.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
from _results import document, write
from threadpoolctl import threadpool_limits

from kanref import KAN
from kanref.export import TARGETS

HERE = Path(__file__).resolve().parent
ROUNDS = 9
BATCH = 1000
SUFFIXES = {name: target.suffixes[0] for name, target in TARGETS.items()}

NODE = """
import {{ predict }} from {path};
const rows = {rows};
let sink = 0;
const time = (n) => {{
  const start = process.cpuUsage();
  for (let i = 0; i < n; i++) sink += predict(rows[i % rows.length])[0];
  return process.cpuUsage(start).user / n / 1e6;
}};
time(20000);
const found = Array.from({{ length: {rounds} }}, () => time(20000)).sort((a, b) => a - b);
console.log(found[{middle}]);
"""


def trained() -> tuple[KAN, np.ndarray, np.ndarray]:
    """Return the model with its data."""
    X = np.random.default_rng(0).uniform(-1, 1, (BATCH, 2))
    y = np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2)
    model = KAN([2, 5, 1], grid=5, k=3, seed=0)
    model.fit(X, y, steps=100, progress=False)
    return model, X, y


def seconds(call: Callable[[], object], least: float = 0.02) -> float:
    """Return the median time of a call."""
    call()
    repeats, spent = 1, 0.0
    while spent < least:
        repeats *= 2
        start = time.process_time()
        for _ in range(repeats):
            call()
        spent = time.process_time() - start
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeats):
            call()
        rounds.append((time.process_time() - start) / repeats)
    return statistics.median(rounds)


def row(name: str, size: int | None, one: float | None, batch: float | None, **more) -> dict:
    """Return a row of the table; `batch` is the time of the whole batch."""
    micro = None if one is None else 1e6 * one
    per_row = None if batch is None else 1e6 * batch / BATCH
    return {"target": name, "bytes": size, "one_us": micro, "row_of_batch_us": per_row, **more}


def python_row(name: str, files: list[Path], X: np.ndarray) -> dict:
    """Measure an exported Python file: of the lookup tables it is their reader."""
    program = next(file for file in files if file.suffix == ".py")
    spec = spec_from_file_location(f"exported_{name}", program)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = X if name == "numpy" else X.tolist()
    one = seconds(lambda: module.predict(rows[0]))
    return row(name, _size(files), one, seconds(lambda: module.predict_many(rows)))


def c_row(name: str, files: list[Path], flags: list[str]) -> dict:
    """Compile the C export and let it measure itself."""
    folder = files[0].parent
    command = ["gcc", "-std=c99", "-O2", *flags]
    subprocess.run([*command, "-c", "net.c", "-o", "net.o"], cwd=folder, check=True)
    subprocess.run([*command, "-DNET_MAIN", "net.c", "-o", "net", "-lm"], cwd=folder, check=True)
    times = []
    for _ in range(ROUNDS):
        told = _output([str(folder / "net"), "--time"])
        times.append(float(told.split("latency: ")[1].split()[0]) * 1e-9)
    code = sum(map(int, _output(["size", str(folder / "net.o")]).splitlines()[1].split()[:2]))
    one = statistics.median(times)
    return row(name, _size(files), one, one * BATCH, object_bytes=code)


def javascript_row(files: list[Path], X: np.ndarray) -> dict:
    """Let Node measure the module."""
    script = NODE.format(
        path=json.dumps(files[0].as_uri()),
        rows=json.dumps(X.tolist()),
        rounds=ROUNDS,
        middle=ROUNDS // 2,
    )
    path = files[0].with_name("time.mjs")
    path.write_text(script)
    one = float(_output(["node", str(path)]))
    return row("javascript", _size(files), one, one * BATCH)


def onnx_row(files: list[Path], X: np.ndarray) -> dict:
    """Measure the graph in onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        files[0].read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    entry = session.get_inputs()[0]
    X = X.astype("float32" if entry.type == "tensor(float)" else "float64")
    one = seconds(lambda: session.run(None, {entry.name: X[:1]}))
    return row("onnx", _size(files), one, seconds(lambda: session.run(None, {entry.name: X})))


def measure(name: str, model: KAN, X: np.ndarray, folder: Path) -> dict:
    """Write one target and measure it."""
    target, _, variant = name.partition(", ")
    options = {"c": {"float": {"dtype": "float"}, "no exp": {"lookup": 1e-6}}}
    more = options.get(target, {}).get(variant, {})
    files = model.export(folder / f"net{SUFFIXES[target]}", to=target, **more)
    if target in ("python", "numpy", "table"):
        return python_row(name, files, X)
    if target == "c":
        return c_row(name, files, [])
    if target == "javascript" and shutil.which("node"):
        return javascript_row(files, X)
    if target == "onnx" and find_spec("onnxruntime"):
        return onnx_row(files, X)
    return row(name, _size(files), None, None)


def kanref_row(model: KAN, X: np.ndarray, folder: Path) -> dict:
    """Measure kanref itself."""
    model.save(folder / "net.npz")
    size = (folder / "net.npz").stat().st_size
    one = seconds(lambda: model.predict(X[:1]))
    return row("kanref", size, one, seconds(lambda: model.predict(X)))


def sklearn_row(X: np.ndarray, y: np.ndarray) -> dict:
    """Measure scikit-learn's multi-layer perceptron, with its defaults."""
    import warnings

    from sklearn.neural_network import MLPRegressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge in its default 200 steps
        mlp = MLPRegressor(random_state=0).fit(X, y)
    one = seconds(lambda: mlp.predict(X[:1]))
    batch = seconds(lambda: mlp.predict(X))
    error = float(np.sqrt(np.mean((mlp.predict(X) - y) ** 2)))
    return row("scikit-learn MLP", len(pickle.dumps(mlp)), one, batch, rmse=error)


def torch_row(interpreter: str, model: KAN, X: np.ndarray, folder: Path) -> dict:
    """Let another interpreter evaluate the same network in torch; it must agree."""
    arrays = {"X": X, "y": model.predict(X)}
    for l, (layer, nodes) in enumerate(zip(model.layers, model.nodes, strict=True)):
        arrays[f"knots{l}"] = layer.knots
        arrays[f"coef{l}"] = layer.coef * layer.scale_spline[:, :, None]
        arrays[f"base{l}"] = layer.scale_base
        arrays[f"scale{l}"] = nodes.subnode_scale * nodes.node_scale
        arrays[f"bias{l}"] = nodes.subnode_bias * nodes.node_scale + nodes.node_bias
    np.savez(folder / "torch.npz", **arrays)
    script = str(HERE / "_export_torch.py")
    found = json.loads(_output([interpreter, script, str(folder / "torch.npz")]))
    return row("torch", found["bytes"], found["one"], found["batch"], version=found["version"])


def _size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def attempt(name: str, measure_it: Callable[[], dict]) -> dict:
    """Measure, or tell why not."""
    try:
        return measure_it()
    except (ImportError, ValueError, AttributeError, OSError, subprocess.SubprocessError) as error:
        return row(name, None, None, None, reason=f"{type(error).__name__}: {error}")


def run(torch: str | None) -> dict:
    """Measure everything."""
    model, X, y = trained()
    names = ["python", "numpy", "c", "c, float", "c, no exp", "javascript", "html", "onnx", "table"]
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(attempt(name, lambda n=name, f=folder: measure(n, model, X, Path(f))))
    with tempfile.TemporaryDirectory() as folder:
        rows.append(attempt("kanref", lambda: kanref_row(model, X, Path(folder))))
        rows.append(attempt("scikit-learn MLP", lambda: sklearn_row(X, y)))
        if torch:
            rows.append(attempt("torch", lambda: torch_row(torch, model, X, Path(folder))))
        else:
            rows.append(row("torch", None, None, None, reason="no interpreter was given"))
    error = float(np.sqrt(np.mean((model.predict(X)[:, 0] - y) ** 2)))
    settings = {"network": "[2, 5, 1], G = 5, k = 3", "batch": BATCH, "rmse": error}
    return document("exports", rows, [], settings=settings, contestants={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", help="a Python interpreter that has torch")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with threadpool_limits(1):
        contents = run(arguments.torch)
    print(f"{'target':<18} {'bytes':>8} {'one, µs':>9} {'in 1000, µs':>11}")
    for found in contents["rows"]:
        cells = (found["bytes"], found["one_us"], found["row_of_batch_us"])
        size, one, batch = ("–" if c is None else f"{c:g}" for c in cells)
        print(f"{found['target']:<18} {size:>8} {one:>9} {batch:>11}  {found.get('reason', '')}")
    print(write(contents, arguments.out).name)


if __name__ == "__main__":
    sys.exit(main())
