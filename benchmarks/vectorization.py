"""Are the inner loops of the kernels vectorised, and what does a call cost beyond them?

    python benchmarks/vectorization.py [--dtype float32] [--all]

Compiles the kernels into an empty cache, runs a layer forward and backward, and reads the machine
code of every compiled function: for each innermost loop with floating-point arithmetic, how many
instructions work on packed numbers, in which registers, and how many on single ones (the remainders
of vector loops do, which run a few times at most). Then the time of a layer and a network on a
single sample, where there is hardly anything to compute: the overhead of a call.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from _assembly import Loop, innermost_loops
from _processes import environment
from _results import document, write

LAYERS = [(2, 5), (100, 100)]


def compiled() -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, signature, function) of everything of the kernels that Numba has compiled."""
    import kanref.kernels as package

    seen = set()
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        for name, value in vars(module).items():
            if hasattr(value, "inspect_asm") and id(value) not in seen:
                seen.add(id(value))
                for signature in value.nopython_signatures:
                    yield f"{found.name}.{name}", signature.args, value


def run_layers(dtype: str) -> None:
    """Call the kernels with the arguments that training gives them, so that they are compiled."""
    import numpy as np

    from kanref import KAN
    from kanref.losses import mse
    from kanref.objective import Objective
    from kanref.regularization import Regularizer

    rng = np.random.default_rng(0)
    for widths in LAYERS:
        model = KAN(list(widths), grid=5, dtype=dtype)
        x = rng.uniform(-1, 1, (300, widths[0])).astype(dtype)
        target = rng.normal(size=(300, widths[1])).astype(dtype)
        Objective(mse, Regularizer()).evaluate(model.network, x, target)


def report(dtype: str, everything: bool) -> list[dict]:
    """Print the loops of every compiled function, and return them as rows."""
    rows = []
    print(f"{'function':<34} {'loops':>6} {'packed':>7} {'scalar':>7}  widest loop")
    for name, arguments, function in compiled():
        loops = innermost_loops(function.inspect_asm(arguments))
        if not loops:
            continue
        packed = [loop for loop in loops if loop.vectorised]
        best = max(packed, key=lambda loop: (loop.register, loop.fused), default=None)
        row = {
            "function": name,
            "dtype": dtype,
            "loops": len(loops),
            "vectorised": len(packed),
            "register": best.register if best else "",
            "fused": best.fused if best else 0,
        }
        if row in rows:
            continue  # another signature, the same loops
        rows.append(row)
        widest = _line(best) if best else "none"
        print(
            f"{name:<34} {len(loops):>6} {len(packed):>7} {len(loops) - len(packed):>7}  {widest}"
        )
        for loop in loops if everything else ():
            print(f"    {_line(loop)}")
    return rows


def _line(loop: Loop) -> str:
    return (
        f"{loop.packed} packed in {loop.register or '–'} ({loop.fused} multiply-adds), "
        f"{loop.scalar} scalar"
    )


def overhead(dtype: str) -> dict[str, float]:
    """Return the seconds of calls on a single sample."""
    import numpy as np

    from kanref import KAN
    from kanref.kernels import layer_backward, layer_forward
    from kanref.losses import mse
    from kanref.objective import Objective
    from kanref.regularization import Regularizer

    model = KAN([2, 5, 1], grid=5, dtype=dtype)
    network, layer = model.network, model.layers[0]
    x, dy = np.zeros((1, 2), dtype), np.ones((1, 5), dtype)
    _, cache = layer_forward("auto", layer, x)
    objective, target = Objective(mse, Regularizer()), np.zeros((1, 1), dtype)
    return {
        "layer_forward": _median(lambda: layer_forward("auto", layer, x)),
        "layer_backward": _median(lambda: layer_backward(layer, cache, dy)),
        "parameters from theta": _median(lambda: network.with_theta(network.theta)),
        "step of [2, 5, 1]": _median(lambda: objective.evaluate(network, x, target)),
    }


def _median(call: Callable[[], Any], repeats: int = 2000) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the report, in a process whose cache is empty and whose threads are one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtypes", nargs="+", default=["float64", "float32"])
    parser.add_argument("--all", action="store_true", help="every loop")
    parser.add_argument("--out", type=Path, help="JSON file (default: results/vectorization.json)")
    chosen = parser.parse_args(arguments)
    if "KANREF_FRESH_CACHE" not in os.environ:
        _again_with_an_empty_cache()
    rows, calls = [], {}
    for dtype in chosen.dtypes:
        print(f"\n{dtype}")
        start = time.perf_counter()
        run_layers(dtype)
        print(f"compiled in {time.perf_counter() - start:.1f} s")
        rows += report(dtype, chosen.all)
        calls[dtype] = overhead(dtype)
    print(f"\n{'overhead of a call, µs':<24} " + " ".join(f"{dtype:>9}" for dtype in calls))
    for what in next(iter(calls.values())):
        print(f"{what:<24} " + " ".join(f"{calls[dtype][what] * 1e6:9.1f}" for dtype in calls))
    contents = document(
        "vectorization", rows, [], settings={"overhead_seconds": calls}, contestants={}
    )
    print("\nwritten to", write(contents, chosen.out).name)


def _again_with_an_empty_cache() -> None:
    """Start this script anew: what comes from a cache on disk has no assembly to read."""
    import subprocess

    with tempfile.TemporaryDirectory() as folder:
        env = environment(1, os.environ.get("PYTHONPATH", ""))
        env |= {"NUMBA_CACHE_DIR": folder, "KANREF_FRESH_CACHE": "1"}
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=env).returncode)


if __name__ == "__main__":
    main()
