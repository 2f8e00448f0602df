"""How fast is kanref on a CUDA device, next to the peers and to the device's own limit?

    python benchmarks/gpu.py --quick       # two rows, to see that all works
    python benchmarks/gpu.py               # all rows; PyTorch and its KANs take part if importable

Without CuPy or without a device it says so and ends well. Times are medians of wall time, from an
idle device to an idle device, of calls in alternation; forward and backward with all gradients. The
peers (PyTorch, efficient-kan, fast-kan) are looked for in this Python; ``KANREF_PEER_PATHS`` names
folders to look in as well.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kanref import KAN
from kanref.kernels.device import devices, missing

CASES = (
    ((1000, 1000), 4096, 5, "float32"),
    ((1000, 1000), 4096, 100, "float32"),
    ((256, 256), 65536, 5, "float32"),
    ((256, 256), 65536, 1000, "float32"),
    ((784, 64, 10), 1024, 5, "float32"),
    ((2, 5, 1), 1_000_000, 5, "float64"),
)
"""(width, N, G, dtype)."""

QUICK = (CASES[0], CASES[-1])

Step = Callable[[], Any]


def kanref_step(case: tuple, backend: str = "cupy") -> Step:
    """Return forward and backward of kanref."""
    width, n, G, dtype = case
    model = KAN(list(width), grid=G, dtype=dtype, backend=backend)
    x = np.random.default_rng(0).uniform(-1, 1, (n, width[0])).astype(dtype)
    dy = np.ones((n, width[-1]), dtype)
    if backend == "cupy":
        import cupy

        x, dy = cupy.asarray(x), cupy.asarray(dy)

    def step() -> None:
        _, cache = model.forward(x)
        model.backward(cache, dy)

    return step


def torch_steps(case: tuple) -> dict[str, Step]:
    """Return forward and backward of the peers that can be imported."""
    sys.path[:0] = [p for p in os.environ.get("KANREF_PEER_PATHS", "").split(os.pathsep) if p]
    try:
        import torch
    except ImportError:
        return {}
    width, n, G, dtype = case
    kind = getattr(torch, dtype)
    makers: dict[str, Callable[[], Any]] = {
        "torch linear": lambda: torch.nn.Sequential(
            *(torch.nn.Linear(a, b) for a, b in itertools.pairwise(width))
        )
    }
    try:
        from efficient_kan import KAN as EfficientKAN

        makers["efficient-kan"] = lambda: EfficientKAN(list(width), grid_size=G)
    except ImportError:
        pass
    try:
        from fastkan import FastKAN

        makers["fast-kan"] = lambda: FastKAN(list(width), num_grids=G + 3)
    except ImportError:
        pass
    found = {}
    for name, make in makers.items():
        for mode in ("eager", "compiled"):
            model = make().to("cuda", kind)
            model = torch.compile(model) if mode == "compiled" else model
            found[f"{name} ({mode})"] = _torch_step(model, n, width[0], kind)
    return found


def _torch_step(model: Any, n: int, n_in: int, kind: Any) -> Step:
    import torch

    x = torch.rand(n, n_in, device="cuda", dtype=kind, requires_grad=True)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        model(x).sum().backward()

    return step


def median_seconds(steps: dict[str, Step], repeats: int) -> dict[str, float]:
    """Return the median time of each, in alternation; one that fails is left out, and named."""
    import cupy

    times: dict[str, list[float]] = {}
    for name, step in list(steps.items()):
        try:
            for _ in range(3):
                step()
            cupy.cuda.runtime.deviceSynchronize()
            times[name] = []
        except Exception as error:  # a peer without memory is a result
            print(f"    {name} left out: {type(error).__name__}: {str(error)[:100]}")
    for _ in range(repeats):
        for name in times:
            cupy.cuda.runtime.deviceSynchronize()
            start = time.perf_counter()
            steps[name]()
            cupy.cuda.runtime.deviceSynchronize()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def work(case: tuple) -> float:
    """Return the floating-point operations of a step that no algorithm with local support avoids.

    For each sample and edge k + 2 multiply-adds forward, and twice that backward; k = 3.
    """
    width, n, _, _ = case
    edges = sum(a * b for a, b in itertools.pairwise(width))
    return 2.0 * 3 * 5 * n * edges


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two rows, few repeats")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    chosen = parser.parse_args(arguments)
    reason = missing()
    if reason is not None:
        print(f"Nothing measured: the benchmark {reason}")
        return
    print("\n".join(devices()))
    rows = []
    for case in QUICK if chosen.quick else CASES:
        steps = {"kanref": kanref_step(case)} | torch_steps(case)
        if max(case[0]) < 10:
            steps["kanref on the CPU"] = kanref_step(case, "auto")
        seconds = median_seconds(steps, 5 if chosen.quick else chosen.repeats)
        rate = work(case) / seconds["kanref"] / 1e12
        print(f"{case}: kanref {rate:.2f} TFLOP/s")
        for name, value in seconds.items():
            print(f"    {name:28} {value * 1e3:10.3f} ms  {value / seconds['kanref']:8.2f}")
        rows.append({"case": case, "seconds": seconds, "teraflops": rate})
    if chosen.out is not None:
        document = {"devices": devices(), "rows": rows}
        chosen.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
