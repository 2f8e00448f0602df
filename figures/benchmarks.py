"""Draw the benchmark results: steps against grid size, the roofline, memory, hello-KAN.

    python figures/benchmarks.py     # reads benchmarks/results/*.json, writes figures/bench_*.png

Each picture needs its results file; what has not been measured is left out. Contestants differ in
colour, marker and dash, so that the pictures read in greyscale and by all eyes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

FIGURES = Path(__file__).resolve().parent
RESULTS = FIGURES.parent / "benchmarks" / "results"

STYLES = {  # Okabe and Ito's colours, dark and light in turn
    "kanref": ("#000000", "o", "-"),
    "kanref short": ("#777777", "o", "-"),
    "torch MLP": ("#0072B2", "s", "--"),
    "sklearn MLP": ("#56B4E9", "D", "--"),
    "fast-kan": ("#009E73", "^", "-."),
    "jaxKAN": ("#E69F00", "v", "-."),
    "efficient-kan": ("#D55E00", "P", ":"),
    "pykan speed()": ("#CC79A7", "X", ":"),
    "pykan": ("#882255", "*", ":"),
}
HATCHES = ("", "//", "..", "xx", "\\\\", "oo")


def steps(results: dict) -> Figure:
    """Time of a step against G, a panel per network, on one thread in float64."""
    rows = [
        row
        for row in results["rows"]
        if row["what"] == "step" and row["threads"] == 1 and row["dtype"] == "float64"
    ]
    networks = list(dict.fromkeys((tuple(row["widths"]), row["N"]) for row in rows))
    networks = [n for n in networks if sum(_of(row, n) for row in rows) > 1][:4]
    figure = Figure(figsize=(3.1 * len(networks) + 1.5, 3.6), facecolor="white")
    axes = figure.subplots(1, len(networks), squeeze=False)[0]
    for ax, network in zip(axes, networks, strict=True):
        for name, (colour, marker, dash) in STYLES.items():
            points = [(r["G"], r["seconds"][name] * 1e3) for r in rows if _of(r, network, name)]
            if points:
                width = 2.2 if name == "kanref" else 1.2
                x, y = zip(*points, strict=True)
                ax.plot(x, y, dash, color=colour, marker=marker, ms=5, lw=width, label=name)
        widths = ", ".join(map(str, network[0]))
        ax.set(xscale="log", yscale="log", xlabel="grid intervals G")
        ax.set_title(f"[{widths}], N = {network[1]}", fontsize=9)
        ax.grid(which="major", color="#dddddd", lw=0.5)
    axes[0].set_ylabel("forward + backward, ms")
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda h: len(h[1]))
    figure.legend(handles, labels, loc="center right", frameon=False, fontsize=8)
    figure.subplots_adjust(left=0.09, right=0.85, bottom=0.15, top=0.9, wspace=0.28)
    return figure


def _of(row: dict, network: tuple, name: str = "kanref") -> bool:
    """Tell whether a row is of this network and has a time of this contestant."""
    return (tuple(row["widths"]), row["N"]) == network and name in row["seconds"]


def roofline(results: dict) -> Figure:
    """The rate of a layer's passes under the two roofs of the machine: memory and BLAS."""
    figure = Figure(figsize=(8.4, 3.9), facecolor="white")
    for ax, dtype in zip(figure.subplots(1, 2, sharey=True), ("float64", "float32"), strict=True):
        rows = [r for r in results["rows"] if r["dtype"] == dtype and r["threads"] == 1]
        if rows:
            _roof(ax, rows)
        layers = dict.fromkeys(tuple(r["widths"]) for r in rows)
        places = ((0, 7, "center"), (0, -14, "center"), (6, -3, "left"), (-6, -3, "right"))
        for marker, place, widths in zip("o^sD", places, layers, strict=False):
            some = [r for r in rows if tuple(r["widths"]) == widths]
            x, y = [r["intensity"] for r in some], [r["gflops"] for r in some]
            label = f"[{', '.join(map(str, widths))}]"
            ax.plot(x, y, ":", color="#999999", lw=1)
            ax.plot(x, y, marker, color="black", ms=6, mfc="white", label=label)
            for r in some:
                style = {"textcoords": "offset points", "ha": place[2], "fontsize": 7}
                ax.annotate(f"{r['G']}", (r["intensity"], r["gflops"]), place[:2], **style)
        ax.set(xscale="log", yscale="log", xlabel="operations per byte that must move")
        ax.set_title(f"{dtype}; the small numbers are G", fontsize=9)
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(which="both", labelsize=8)
        ax.margins(y=0.12)
        ax.grid(which="major", color="#dddddd", lw=0.5)
    figure.axes[0].set_ylabel("GFLOP/s")
    handles, labels = max((ax.get_legend_handles_labels() for ax in figure.axes), key=_number)
    style = {"frameon": False, "fontsize": 8, "ncols": max(len(labels), 1), "loc": "upper center"}
    figure.legend(handles, labels, **style)
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.13, top=0.84, wspace=0.06)
    return figure


def _number(legend: tuple[list, list]) -> int:
    return len(legend[1])


def _roof(ax: Axes, rows: Sequence[dict]) -> None:
    """Draw what the machine can do: as fast as memory feeds it, and as fast as BLAS computes."""
    blas = max(row["blas_gflops"] for row in rows)
    memory = max(row["memory_gbytes"] for row in rows)
    corner = blas / memory
    low = min(*(row["intensity"] for row in rows), corner) / 4
    high = max(*(row["intensity"] for row in rows), corner) * 4
    ax.plot([low, corner, high], [low * memory, blas, blas], "-", color="#0072B2", lw=2)
    ax.plot([low, high], [0.3 * blas] * 2, ":", color="#0072B2", lw=1)
    ax.annotate(f"BLAS {blas:.0f} GFLOP/s", (high, blas), (-4, 4), **_note("right"))
    ax.annotate("30 %", (high, 0.3 * blas), (-4, 3), **_note("right"))
    ax.annotate(f"{memory:.0f} GB/s", (low, low * memory), (12, -2), **_note("left"))


def _note(side: str) -> dict:
    return {"textcoords": "offset points", "ha": side, "fontsize": 7, "color": "#0072B2"}


def memory(results: dict) -> Figure:
    """Extra memory of a step, in groups of bars."""
    rows = results["rows"]
    names = [name for name in STYLES if any(name in row["mib"] for row in rows)]
    figure = Figure(figsize=(8.4, 3.4), facecolor="white")
    ax = figure.subplots()
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        some = [(i, row["mib"][name]) for i, row in enumerate(rows) if name in row["mib"]]
        x = [i + (number - (len(names) - 1) / 2) * width for i, _ in some]
        y = [max(mib, 0.1) for _, mib in some]
        face = STYLES[name][0]
        ax.bar(x, y, width, color=face, hatch=HATCHES[number], edgecolor="white", label=name)
    labels = [f"[{', '.join(map(str, r['widths']))}]\nN={r['N']}, G={r['G']}" for r in rows]
    ax.set_xticks(range(len(rows)), labels, fontsize=6.5)
    ax.set(yscale="log", ylabel="extra memory of a step, MiB")
    ax.legend(
        frameon=False, fontsize=8, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1)
    )
    ax.grid(axis="y", color="#dddddd", lw=0.5)
    ax.set_axisbelow(True)
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.16, top=0.9)
    return figure


def train(results: dict) -> Figure:
    """Seconds of each stage of hello-KAN, of the first seed that all contestants finished."""
    row = max(results["rows"], key=lambda row: len(row["stages"]))
    figure = Figure(figsize=(8.4, 2.6), facecolor="white")
    ax = figure.subplots()
    stages = list(row["stages"]["kanref"])
    for number, name in enumerate(row["stages"]):
        spent = row["stages"][name]
        values = [spent.get(stage) for stage in stages] + [sum(spent.values())]
        there = [(i, v) for i, v in enumerate(values) if v]
        x = [i + 0.28 * (number - 1) for i, _ in there]
        colour, hatch = STYLES[name][0], HATCHES[number]
        height = [v for _, v in there]
        bars = ax.bar(x, height, 0.27, color=colour, hatch=hatch, edgecolor="white")
        bars.set_label(f"{name}, test RMSE {row['rmse'][name]:.0e}")
        ax.bar_label(bars, [f"{v:.2g}" if v < 99 else f"{v:.0f}" for v in height], fontsize=7)
    ax.set_xticks(range(len(stages) + 1), [*stages, "all"], fontsize=8)
    ax.set(yscale="log", ylabel="seconds")
    ax.margins(y=0.2)
    ax.legend(frameon=False, fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.subplots_adjust(left=0.09, right=0.98, bottom=0.12, top=0.85)
    return figure


PICTURES: dict[str, Callable[[dict], Figure]] = {
    "step": steps,
    "limit": roofline,
    "memory": memory,
    "train": train,
}


def main() -> None:
    """Draw every picture whose results are there."""
    for name, draw in PICTURES.items():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            print(f"{name}: no results yet; run python benchmarks/{name}.py")
            continue
        figure = draw(json.loads(path.read_text()))
        target = FIGURES / f"bench_{name}.png"
        figure.savefig(target, dpi=120, metadata={"Software": None})
        print("written:", target.name)


if __name__ == "__main__":
    main()
