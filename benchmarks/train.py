"""Hello-KAN end to end: fit, prune, refit, refine, snap, refit; kanref and pykan in one run.

    python benchmarks/train.py [--peers /path/to/python] [--seeds 3] [--library tutorial]

exp(sin(πx) + y²) from 1000 points, to a formula. Each contestant runs its stages in a process of
its own, with its library imported and, for kanref, the kernels compiled. A run counts only if
kanref's test error is no larger than pykan's, or below 1e-9, which is rounding. "kanref short" is
the recipe of hello_kan.py, which needs no refits: fit, prune, snap with all functions.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from _bars import Claim, verdict
from _processes import Field, Peers, WorkerError
from _results import document, write
from _tables import bar_lines, blas_lines
from contestants.hello_data import LIBRARIES

NAMES = ("kanref", "pykan")
BARS = {
    "kanref": "hello-KAN, the same stages, to no larger an error than pykan's: ≥ 200×",
    "kanref short": "hello-KAN, kanref's own recipe, to no larger an error than pykan's: ≥ 200×",
}
ROUNDS = 3
"""Runs of kanref for each run of pykan, of which the median counts."""


def run(arguments: argparse.Namespace) -> dict:
    """Run all seeds, print a line for each contestant, and return the results."""
    peers = Peers.of(arguments)
    rows, contestants = [], {}
    print(f"{'seed':>4} {'library':<9} {'who':<12} {'seconds':>8} {'RMSE':>9}  stages in seconds")
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        row = _row(seed, arguments.library)
        with Field(peers, 1, NAMES) as field:
            for name in (*BARS, *list(field.processes)[1:]):
                _add(row, name, field, arguments.clock)
            contestants.update(field.versions())
        rows.append(row)
    settings = {"clock": arguments.clock, "library": arguments.library, "threads": 1}
    return document("train", rows, bars(rows), settings=settings, contestants=contestants)


def bars(rows: Sequence[dict]) -> list[dict]:
    """Return the bars on the whole run; a worse error than pykan's makes a row worth nothing."""
    found = []
    for name, bar in BARS.items():
        claims = []
        for row in rows:
            if {name, "pykan"} <= set(row["seconds"]):
                as_good = row["rmse"][name] <= max(row["rmse"]["pykan"], 1e-9)
                ratio = row["seconds"]["pykan"] / row["seconds"][name]
                claims.append(Claim(bar, ratio if as_good else 0.0, 200, row))
        if claims:
            found.append(verdict(bar, claims))
    return found


def _row(seed: int, library: str) -> dict:
    case = {"widths": [2, 5, 1], "N": 1000, "G": 5, "k": 3, "dtype": "float64"}
    results = {"seconds": {}, "rmse": {}, "stages": {}, "formula": {}, "left_out": {}}
    return case | {"what": "hello", "threads": 1, "seed": seed, "library": library} | results


def _add(row: dict, name: str, field: Field, clock: str) -> None:
    """Run one contestant, and put what came out into the row."""
    settings = {"library": LIBRARIES[row["library"]], "seed": row["seed"]}
    own = name in BARS
    if own:
        settings["short"] = name == "kanref short"
    ask = field.processes["kanref" if own else name].ask
    try:
        if own:
            ask("hello", settings=settings)  # what is imported late is imported now
        answers = [ask("hello", settings=settings) for _ in range(ROUNDS if own else 1)]
    except WorkerError as error:
        row["left_out"][name] = str(error)
        print(f"{row['seed']:>4} {row['library']:<9} {name:<12} {error}")
        return
    key = "cpu_seconds" if clock == "cpu" else "seconds"
    row["seconds"][name] = statistics.median(answer[key] for answer in answers)
    for kept in ("rmse", "stages", "formula"):
        row[kept][name] = answers[-1][kept]
    stages = ", ".join(f"{stage} {s:.3g}" for stage, s in answers[-1]["stages"].items())
    print(
        f"{row['seed']:>4} {row['library']:<9} {name:<12} {row['seconds'][name]:8.3f} "
        f"{row['rmse'][name]:9.1e}  {stages}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds")
    parser.add_argument("--library", choices=LIBRARIES, default="all", help="functions to try")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--out", type=Path, help="JSON file (default: results/train.json)")
    Peers.add_arguments(parser)
    chosen = parser.parse_args(arguments)
    results = run(chosen)
    print("\n" + "\n".join(blas_lines(results["contestants"])))
    print("\n" + "\n".join(bar_lines(results["bars"])))
    print("\nwritten to", write(results, chosen.out).name)


if __name__ == "__main__":
    main()
