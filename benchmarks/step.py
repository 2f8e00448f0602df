"""How long does a step take, next to the peers in the same run?

    python benchmarks/step.py --quick                    # one number type, few rows
    python benchmarks/step.py                            # all rows, one thread
    python benchmarks/step.py --threads 1 2 --peers /path/to/python

Forward, and forward with mean squared error and the gradient of all parameters ("step"), for
networks from a scientist's [2, 5, 1] to [784, 64, 10]: median of calls in alternation with the
peers. README.md says how to install them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from _bars import step_bars
from _processes import Effort, Field, Peers
from _results import document, write
from _tables import bar_lines, blas_lines, header, row_line
from contestants import PEERS, Case

GRIDS = {
    ((2, 5, 1), 1000): (3, 5, 20, 100, 1000),
    ((4, 16, 16, 1), 1000): (3, 5, 20, 100, 1000),
    ((100, 100), 1000): (3, 5, 20, 100, 1000),
    ((784, 64, 10), 64): (3, 5, 20, 100),
    ((784, 64, 10), 1024): (3, 5, 20),
}
"""(widths, N) → the grids that make sense for it."""

QUICK = [((2, 5, 1), 1000, 5), ((2, 5, 1), 1000, 100), ((100, 100), 1000, 5)]


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """Yield the cases that the command line asks for."""
    if arguments.quick:
        rows = QUICK
    else:
        rows = [(w, n, G) for (w, n), grids in GRIDS.items() for G in grids]
    for dtype in arguments.dtypes[:1] if arguments.quick else arguments.dtypes:
        for widths, n, G in rows:
            wanted = arguments.widths is None or list(widths) in arguments.widths
            if wanted and (arguments.grids is None or G in arguments.grids):
                yield Case(widths, n, G, dtype)


def run(arguments: argparse.Namespace) -> dict:
    """Measure all cases, print the rows, and return the results."""
    peers = Peers.of(arguments)
    effort = Effort.of(arguments)
    names = [n for n in PEERS if n in peers.names() and n in (arguments.only or PEERS)]
    whats = ("step",) if arguments.quick else ("forward", "step")
    rows, contestants = [], {}
    for threads in arguments.threads[:1] if arguments.quick else arguments.threads:
        print(f"\n{threads} thread(s)\n{header(names)}", flush=True)
        with Field(peers, threads, ("kanref", *names)) as field:
            for case in cases(arguments):
                for row in field.measure(case, effort, whats):
                    rows.append(row)
                    print(row_line(row, names), flush=True)
                print_left_out(rows[-1])
            contestants = field.versions()
    settings = {"threads": arguments.threads, "quick": arguments.quick} | effort.to_json()
    return document("step", rows, step_bars(rows), settings=settings, contestants=contestants)


def print_left_out(row: dict) -> None:
    """Say who did not take part in a row, and why."""
    for name, reason in row["left_out"].items():
        print(f"    {name} left out: {reason}")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, one type, one thread")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--dtypes", nargs="+", default=["float64", "float32"])
    parser.add_argument("--widths", type=_widths, nargs="+", help="such as 2,5,1")
    parser.add_argument("--grids", type=int, nargs="+", help="only these G")
    parser.add_argument("--only", nargs="+", choices=PEERS, help="only these peers")
    parser.add_argument("--out", type=Path, help="JSON file (default: results/step.json)")
    Effort.add_arguments(parser)
    Peers.add_arguments(parser)
    return parser


def _widths(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    chosen = parser().parse_args(arguments)
    results = run(chosen)
    print("\n" + "\n".join(blas_lines(results["contestants"])))
    print("\nBars, one thread, steps:\n" + "\n".join(bar_lines(results["bars"])))
    out = chosen.out
    if chosen.quick and out is None:
        print("\nA quick run writes no results; name a file with --out.")
        return
    print("\nwritten to", write(results, out).name)


if __name__ == "__main__":
    main()
