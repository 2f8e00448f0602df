"""Draw where the time of a step goes: the roofline of kanref's layers, and the parts of a step.

    python figures/roofline.py [--measure]   # writes figures/{roofline,step_parts}.png

The roofline is drawn from benchmarks/results/limit.json, where `benchmarks/limit.py` was run; else
from a short measurement like it. The parts of a step are measured here. Both are kept in
benchmarks/results/performance.json, so that the pictures are the same until `--measure` is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

from style import BLACK, BLUE, GREEN, ORANGE, panels, save

from benchmarks import roofline

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
RESULTS = BENCHMARKS / "results"
KEPT = RESULTS / "performance.json"

LAYERS = (((16, 16), 1000), ((100, 100), 1000), ((256, 64), 1024))
GRIDS = (5, 100)
PARTS = {  # what a bar is made of: colour and hatching
    "calls": (BLACK, ""),
    "basis": (BLUE, "//"),
    "edges, forward": (ORANGE, ".."),
    "edges, backward": (GREEN, "xx"),
}
ROUNDS = 5


def measure() -> dict:
    """Return the rows of both pictures, measured on one thread."""
    sys.path.append(str(BENCHMARKS))
    import numba
    from _rates import measure as rates
    from _results import document
    from contestants import Case

    numba.set_num_threads(1)
    rows = []
    for widths, n in LAYERS:
        for G in GRIDS:
            for dtype in ("float64", "float32"):
                case = Case(widths, n, G, dtype)
                row = case.to_json() | {"what": "passes", "threads": 1}
                rows.append(row | rates(case, 2, "cpu"))
    for widths, n in (((2, 5), 1000), *LAYERS):
        for G in GRIDS:
            row = {"what": "parts", "widths": list(widths), "N": n, "G": G}
            rows.append(row | {"seconds": parts(widths, n, G)})
    return document("performance", rows, [], settings={"clock": "cpu"}, contestants={})


def parts(widths: tuple[int, int], n: int, G: int) -> dict[str, float]:
    """Split the time of a layer's two passes by differences.

    A batch of one sample costs the calls; a layer with one output hardly more than its basis.
    """
    whole, narrow = passes(widths, n, G), passes((widths[0], 1), n, G)
    single = passes(widths, 1, G)
    calls = single[0] + single[1]
    basis = max(narrow[0] - single[0], 0.0)
    forward = max(whole[0] - single[0] - basis, 0.0)
    backward = max(whole[1] - single[1], 0.0)
    return dict(zip(PARTS, (calls, basis, forward, backward), strict=True))


def passes(widths: tuple[int, int], n: int, G: int) -> tuple[float, float]:
    """Return the seconds of the forward and of the backward pass of a layer."""
    import numpy as np

    from kanref import KAN
    from kanref.kernels import layer_backward, layer_forward

    layer = KAN(list(widths), grid=G, seed=0).layers[0]
    rng = np.random.default_rng(0)
    x, dy = rng.uniform(-1, 1, (n, widths[0])), rng.normal(size=(n, widths[1]))
    _, cache = layer_forward("auto", layer, x)
    forward = seconds(lambda: layer_forward("auto", layer, x, reuse=cache))
    return forward, seconds(lambda: layer_backward(layer, cache, dy))


def seconds(run: Callable[[], object]) -> float:
    """Return the processor time of a call: the best of rounds of a hundredth of a second."""
    times = []
    for _ in range(ROUNDS):
        start, calls = process_time(), 0
        while process_time() - start < 0.01:
            run()
            calls += 1
        times.append((process_time() - start) / calls)
    return min(times)


def step_parts(rows: list[dict]) -> None:
    """Draw the parts of the two passes, as shares, with their sum in ms."""
    figure, (ax,) = panels(1, 8.4, 3.6)
    left = [0.0] * len(rows)
    sums = [sum(row["seconds"].values()) for row in rows]
    for part, (colour, hatch) in PARTS.items():
        share = [row["seconds"][part] / s for row, s in zip(rows, sums, strict=True)]
        ax.barh(range(len(rows)), share, left=left, color=colour, hatch=hatch, edgecolor="white")
        ax.barh(0, 0, color=colour, hatch=hatch, edgecolor="white", label=part)
        left = [a + b for a, b in zip(left, share, strict=True)]
    for place, s in enumerate(sums):
        ax.annotate(f"{s * 1e3:.3g} ms", (1.01, place), va="center", fontsize=8)
    names = [f"[{r['widths'][0]}, {r['widths'][1]}], N={r['N']}, G={r['G']}" for r in rows]
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    ax.set(xlim=(0, 1.12), xticks=[0, 0.25, 0.5, 0.75, 1], xlabel="share of the time of a layer")
    ax.set_xticklabels(["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.invert_yaxis()
    ax.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    save(figure, "step_parts")


def main() -> None:
    """Draw both pictures; measure first where nothing is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true", help="measure again")
    if parser.parse_args().measure or not KEPT.exists():
        found = measure()
        KEPT.write_text(json.dumps(found, indent=1) + "\n")
    rows = json.loads(KEPT.read_text())["rows"]
    step_parts([row for row in rows if row["what"] == "parts"])
    limit = RESULTS / "limit.json"
    results = json.loads(limit.read_text()) if limit.exists() else {"rows": rows}
    passes_only = [row for row in results["rows"] if row["what"] == "passes"]
    save(roofline({"rows": passes_only}), "roofline")


if __name__ == "__main__":
    main()
