"""How near is kanref to what the machine can do?

    python benchmarks/limit.py [--threads 1] [--clock wall]

The forward and backward pass of one layer, as a share of NumPy's measured rate of matrix products,
counting only the multiply-adds that the mathematics needs (see _rates.py), and as a share of the
measured memory bandwidth, counting only the bytes that must move. Beside it, "dense": the time that
BLAS takes for the same passes as products with a dense basis that it is given for free, which is
all that a second way through wide layers could gain at small G. Measured in alternation, in one
process, with one or more threads.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from _bars import Claim, label, verdict
from _processes import Effort, Field, Peers
from _results import document, write
from _tables import bar_lines, blas_lines
from contestants import Case

LAYERS = [((16, 16), 1000), ((100, 100), 1000), ((784, 64), 1024)]
GRIDS = (5, 20, 100, 1000)


def bars(rows: Sequence[dict]) -> list[dict]:
    """Return the bars on the share of the BLAS rate at [100, 100]."""
    found: dict[str, list[Claim]] = {}
    for row in rows:
        least = {5: 0.3, 100: 0.2}.get(row["G"])
        if list(row["widths"]) == [100, 100] and row["threads"] == 1 and least:
            bar = f"share of the BLAS rate, [100, 100], G = {row['G']}: ≥ {least:.0%}"
            claim = Claim(bar, row["blas_share"], least, row)
            found.setdefault(bar, []).append(claim)
    return [verdict(bar, claims) for bar, claims in found.items()]


def run(arguments: argparse.Namespace) -> dict:
    """Measure all layers, print the rows, and return the results."""
    rows, contestants = [], {}
    for threads in arguments.threads:
        print(f"\n{threads} thread(s)\n{'layer':<42} {'ms':>9} {'dense':>9} ", end="")
        print(f"{'GFLOP/s':>8} {'BLAS':>7} ", end="")
        print(f"{'share':>6}  {'memory GB/s':>11} {'share':>6}")
        with Field(Peers(None), threads) as field:
            kanref = field.processes["kanref"]
            for case in _cases(arguments):
                effort = {"rounds": arguments.rounds, "clock": arguments.clock}
                found = kanref.ask("limit", case=case.to_json(), **effort)
                rows.append(case.to_json() | {"what": "passes", "threads": threads} | found)
                print(_line(rows[-1]), flush=True)
            contestants = field.versions()
    settings = {"threads": arguments.threads, "clock": arguments.clock}
    return document("limit", rows, bars(rows), settings=settings, contestants=contestants)


def _cases(arguments: argparse.Namespace) -> list[Case]:
    layers = [((100, 100), 1000)] if arguments.quick else LAYERS
    grids = (5, 100) if arguments.quick else GRIDS
    types = ("float64", "float32")
    return [Case(w, n, G, dtype) for w, n in layers for G in grids for dtype in types]


def _line(row: dict) -> str:
    dense = row["dense_seconds"]
    return (
        f"{label(row):<42} {row['seconds']['kanref'] * 1e3:9.3f} "
        f"{'–' if dense is None else f'{dense * 1e3:.3f}':>9} {row['gflops']:8.1f} "
        f"{row['blas_gflops']:7.0f} {row['blas_share']:6.0%}  {row['memory_gbytes']:11.1f} "
        f"{row['memory_share']:6.0%}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="[100, 100] only; writes no results")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--out", type=Path, help="JSON file (default: results/limit.json)")
    Effort.add_arguments(parser)
    chosen = parser.parse_args(arguments)
    results = run(chosen)
    print("\n" + "\n".join(blas_lines(results["contestants"])))
    print("\n" + "\n".join(bar_lines(results["bars"])))
    if not chosen.quick or chosen.out:
        print("\nwritten to", write(results, chosen.out).name)


if __name__ == "__main__":
    main()
