"""How much memory does a step need beyond the network and the batch?

    python benchmarks/memory.py [--peers /path/to/python]

Each number comes from a fresh process: one step compiles and loads what it needs; network and batch
are made anew, the C library returns what it holds in reserve, and a second step runs. The number is
the peak of resident memory during that step less the resident memory before it. jaxKAN is left out:
it compiles anew for every network, and the compiler's memory would count.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from _bars import Claim, label, verdict
from _processes import Effort, Field, Peers, WorkerError
from _results import document, write
from _tables import bar_lines
from contestants import Case, too_large

CASES = [
    ((4, 16, 16, 1), 1000, 5),
    ((4, 16, 16, 1), 1000, 20),
    ((4, 16, 16, 1), 1000, 100),
    ((100, 100), 1000, 5),
    ((100, 100), 1000, 20),
    ((100, 100), 1000, 100),
    ((784, 64, 10), 1024, 20),
    ((4, 16, 16, 1), 100_000, 20),
]
NAMES = ("kanref", "efficient-kan", "fast-kan", "pykan speed()", "torch MLP")


def bars(rows: Sequence[dict]) -> list[dict]:
    """Return the bar on the peak extra memory against efficient-kan."""
    claims = [
        Claim("", row["mib"]["efficient-kan"] / row["mib"]["kanref"], 10, row)
        for row in rows
        if row["G"] >= 20 and {"kanref", "efficient-kan"} <= set(row["mib"])
    ]
    bar = "peak extra memory, G ≥ 20: efficient-kan needs ≥ 10× as much"
    return [verdict(bar, claims)] if claims else []


def run(arguments: argparse.Namespace) -> dict:
    """Measure all cases, print the rows, and return the results."""
    peers = Peers.of(arguments)
    names = [n for n in NAMES if n in peers.names()]
    print(f"{'extra memory of a step, MiB':<36} " + " ".join(f"{n:>14}" for n in names))
    rows, contestants = [], {}
    for widths, n, G in CASES[2:6] if arguments.quick else CASES:
        case = Case(widths, n, G, arguments.dtype)
        row = case.to_json() | {"what": "step", "threads": 1, "mib": {}, "left_out": {}}
        for name in names:
            reason = too_large(name, case, Effort.memory)
            try:
                if reason is None:
                    row["mib"][name] = _fresh(name, peers, case, contestants)
            except WorkerError as error:
                reason = str(error)
            if reason:
                row["left_out"][name] = reason
        rows.append(row)
        cells = (f"{row['mib'][n]:14.1f}" if n in row["mib"] else f"{'–':>14}" for n in names)
        print(f"{label(row):<36} " + " ".join(cells), flush=True)
    settings = {"dtype": arguments.dtype, "threads": 1}
    return document("memory", rows, bars(rows), settings=settings, contestants=contestants)


def _fresh(name: str, peers: Peers, case: Case, contestants: dict) -> float:
    """Return the extra memory of a step in MiB, from a process of its own."""
    with Field(peers, 1, (name,)) as field:
        answer = field.processes[name].ask("peak", case=case.to_json())
        contestants.update(field.versions())
    return answer["bytes"] / 2**20


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows; writes no results")
    parser.add_argument("--dtype", default="float64", choices=("float32", "float64"))
    parser.add_argument("--out", type=Path, help="JSON file (default: results/memory.json)")
    Peers.add_arguments(parser)
    chosen = parser.parse_args(arguments)
    results = run(chosen)
    print("\n" + "\n".join(bar_lines(results["bars"])))
    if not chosen.quick or chosen.out:
        print("\nwritten to", write(results, chosen.out).name)


if __name__ == "__main__":
    main()
