"""What the machine can do, and what the three passes of a layer take of it.

Forward, dx and dcoef each need k + 2 multiply-adds per edge and sample: the k + 1 splines that are
not zero, and the base function. Everything else (the basis, the look-up, the sums) counts as time
but not as work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from contestants import Case

SIZE = 1024  # rows of the square matrices
STREAM = 64 * 2**20  # bytes of each array that is streamed: well beyond the caches
DENSE = 2**28  # bytes of a dense basis, beyond which its products are not measured


def flops(case: Case) -> float:
    """Return the floating-point operations of the three passes: two per multiply-add."""
    return 2 * 3 * (case.k + 2) * case.N * case.edges


def traffic(case: Case) -> float:
    """Return the bytes that the passes cannot avoid moving if nothing stays in a cache.

    Forward: x and the parameters in, y out. Backward: x, dy and the parameters in, dx and the
    gradient out.
    """
    n_in, n_out = case.widths[0], case.widths[-1]
    numbers = case.N * (3 * n_in + 2 * n_out) + 3 * case.parameters
    return numbers * case.itemsize


def measure(case: Case, rounds: int, clock: str) -> dict[str, Any]:
    """Measure a layer, a BLAS product and the memory in alternation: medians and shares.

    Where a dense basis is not too large, also the products that BLAS would compute with it.
    """
    now = time.process_time if clock == "cpu" else time.perf_counter
    runs = {"layer": layer_passes(case), "blas": product(case.dtype), "memory": stream(case.dtype)}
    if dense_values(case) * case.itemsize <= DENSE:
        runs["dense"] = dense_products(case)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(_median_time(run, now, 0.1))
    work = {"layer": flops(case), "blas": 2 * SIZE**3, "memory": 3 * STREAM}
    rounds_of = [dict(zip(times, row, strict=True)) for row in zip(*times.values(), strict=True)]
    share = [(work["layer"] / t["layer"]) / (work["blas"] / t["blas"]) for t in rounds_of]
    memory = [(traffic(case) / t["layer"]) / (work["memory"] / t["memory"]) for t in rounds_of]
    seconds = {name: statistics.median(row) for name, row in times.items()}
    return {
        "seconds": {"kanref": seconds["layer"]},
        "dense_seconds": seconds.get("dense"),
        "gflops": flops(case) / seconds["layer"] / 1e9,
        "blas_gflops": work["blas"] / seconds["blas"] / 1e9,
        "memory_gbytes": work["memory"] / seconds["memory"] / 1e9,
        "intensity": flops(case) / traffic(case),
        "blas_share": statistics.median(share),
        "memory_share": statistics.median(memory),
    }


def layer_passes(case: Case) -> Callable[[], Any]:
    """Return the forward and backward pass of one layer, as kanref chooses to compute them."""
    import numpy as np

    from kanref import KAN
    from kanref.kernels import layer_backward, layer_forward

    model = KAN(list(case.widths), grid=case.G, k=case.k, dtype=case.dtype, seed=0)
    layer = model.layers[0]
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (case.N, case.widths[0])).astype(case.dtype)
    dy = rng.normal(size=(case.N, case.widths[1])).astype(case.dtype)

    def passes():
        _, cache = layer_forward("auto", layer, x)
        return layer_backward(layer, cache, dy)

    return passes


def dense_values(case: Case) -> int:
    """Return how many numbers the basis of a layer has, zeros and the base function included."""
    return case.N * case.widths[0] * (case.G + case.k + 1)


def dense_products(case: Case) -> Callable[[], Any]:
    """Return the three passes as BLAS products with a dense basis, which is there already.

    y = B C, dC = Bᵀ dy, dB = dy Cᵀ. Writing B, and summing dB with the slopes to dx, would come on
    top: no program that goes this way is faster.
    """
    import numpy as np

    n_in, n_out = case.widths[0], case.widths[1]
    rows, rng = n_in * (case.G + case.k + 1), np.random.default_rng(0)
    basis = rng.uniform(size=(case.N, rows)).astype(case.dtype)
    coef = rng.normal(size=(rows, n_out)).astype(case.dtype)
    dy = rng.normal(size=(case.N, n_out)).astype(case.dtype)
    y, dcoef, dbasis = np.empty_like(dy), np.empty_like(coef), np.empty_like(basis)

    def products():
        np.matmul(basis, coef, out=y)
        np.matmul(basis.T, dy, out=dcoef)
        np.matmul(dy, coef.T, out=dbasis)

    return products


def product(dtype: str) -> Callable[[], Any]:
    """Return a product of two square matrices by NumPy's BLAS."""
    import numpy as np

    a, b = np.random.default_rng(0).normal(size=(2, SIZE, SIZE)).astype(dtype)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


def stream(dtype: str) -> Callable[[], Any]:
    """Return a sum of two long vectors into a third: memory bandwidth, as STREAM's "add"."""
    import numpy as np

    n = STREAM // np.dtype(dtype).itemsize
    a, b, out = np.ones(n, dtype), np.ones(n, dtype), np.ones(n, dtype)
    return lambda: np.add(a, b, out=out)


def _median_time(run: Callable[[], Any], now: Callable[[], float], seconds: float) -> float:
    run()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = now()
        run()
        times.append(now() - start)
    return statistics.median(times)
