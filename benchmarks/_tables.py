"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence


def row_line(row: dict, names: Sequence[str]) -> str:
    """Return one row: kanref's time, then each peer's time and its ratio to kanref."""
    seconds, ratio = row["seconds"], row["ratio"]
    cells = [_ms(seconds["kanref"])]
    for name in names:
        if name in seconds:
            cells.append(f"{_ms(seconds[name])} {_ratio(ratio[name])}")
        else:
            cells.append(f"{'–':>9} {'':>6}")
    widths = ",".join(map(str, row["widths"]))
    case = f"[{widths}] N={row['N']}"
    return f"{case:<22} {row['G']:>5} {row['dtype']:>8} {row['what']:>8}  " + "  ".join(cells)


def header(names: Sequence[str]) -> str:
    """Return the line above the rows."""
    peers = "  ".join(f"{name:>16}" for name in names)
    return f"{'network':<22} {'G':>5} {'dtype':>8} {'what':>8}  {'kanref ms':>9}  {peers}"


def bar_lines(bars: Sequence[dict]) -> list[str]:
    """Return the summary: each bar, met or not, and its worst row."""
    if not bars:
        return ["No bar can be judged by these rows."]
    lines = [f"{'met':<7} {'rows':>7}  {'worst':>8} {'bar':>8}  what"]
    for bar in bars:
        met = "yes" if bar["met"] else "NO"
        rows = f"{bar['rows_met']}/{bar['rows']}"
        lines.append(
            f"{met:<7} {rows:>7}  {bar['worst']:8.3g} {bar['least']:8.3g}  {bar['bar']}"
            f"  (worst: {bar['where']})"
        )
    return lines


def blas_lines(contestants: dict[str, dict]) -> list[str]:
    """Return which BLAS kernels and how many threads each contestant ran with."""
    lines = []
    for name, found in contestants.items():
        if "error" in found:
            lines.append(f"{name}: {found['error']}")
            continue
        pools = [
            f"{p.get('internal_api')} {p.get('architecture', '')} ({p.get('num_threads')})".replace(
                "  ", " "
            )
            for p in found["blas"]
        ]
        lines.append(f"{name}: {', '.join(dict.fromkeys(pools)) or 'unknown'}")
    return lines


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:>9.3f}" if seconds < 10 else f"{seconds * 1e3:>9.0f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:5.1f}×" if ratio < 100 else f"{ratio:5.0f}×"
