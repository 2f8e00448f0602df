"""The bars of the step benchmark: what kanref wants to show, and whether the rows show it.

A bar is met when every row that it speaks of meets it. Bars speak of one thread and of "step":
forward, mean squared error and gradient. Rows without the peer do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from contestants import KAN_PEERS

NARROW = 16
"""Networks up to this width are narrow."""


@dataclass(frozen=True)
class Claim:
    """What one row says about one bar: a number and the least it must be."""

    bar: str
    value: float
    least: float
    row: dict

    @property
    def margin(self) -> float:
        """How far the number is above the bar: 1 is just met."""
        return self.value / self.least


def step_bars(rows: Iterable[dict]) -> list[dict]:
    """Return for each bar whether it is met, in how many rows, and the row that is worst."""
    rows = [row for row in rows if row["what"] == "step" and row["threads"] == 1]
    found: dict[str, list[Claim]] = {}
    for rule in (_against_the_fastest, _against_each, _against_pykan, _against_mlp):
        for row in rows:
            for claim in rule(row):
                found.setdefault(claim.bar, []).append(claim)
    for claim in _growth(rows):
        found.setdefault(claim.bar, []).append(claim)
    return [verdict(bar, claims) for bar, claims in found.items()]


def verdict(bar: str, claims: list[Claim]) -> dict:
    """Return how a bar stands: its worst row, and how many rows meet it."""
    worst = min(claims, key=lambda claim: claim.margin)
    return {
        "bar": bar,
        "met": worst.margin >= 1,
        "rows": len(claims),
        "rows_met": sum(claim.margin >= 1 for claim in claims),
        "worst": worst.value,
        "least": worst.least,
        "where": label(worst.row),
    }


def label(row: dict) -> str:
    """Name a row: widths, batch, grid, number type."""
    widths = ",".join(map(str, row["widths"]))
    return f"[{widths}] N={row['N']} G={row['G']} {row['dtype']}"


def is_narrow(row: dict) -> bool:
    """Tell whether the network is at most `NARROW` wide."""
    return max(row["widths"]) <= NARROW


def _fastest(row: dict) -> float | None:
    ratios = [row["ratio"][name] for name in KAN_PEERS if name in row["ratio"]]
    return min(ratios) if ratios else None


def _against_the_fastest(row: dict) -> Iterator[Claim]:
    ratio, G = _fastest(row), row["G"]
    if ratio is None:
        return
    if is_narrow(row):
        least = 3 if G <= 5 else 8 if G <= 20 else 25
        at = "G ≤ 5" if G <= 5 else "G = 20" if G <= 20 else "G ≥ 100"
        yield Claim(f"fastest KAN peer, up to {NARROW} wide, {at}: ≥ {least}×", ratio, least, row)
    elif 5 < G <= 20:
        yield Claim("fastest KAN peer, wide, G = 20: ≥ 3×", ratio, 3, row)
    elif G == 100:
        yield Claim("fastest KAN peer, wide, G = 100: ≥ 12×", ratio, 12, row)


def _against_each(row: dict) -> Iterator[Claim]:
    if is_narrow(row) or row["G"] > 5:
        return
    for name in ("efficient-kan", "fast-kan"):
        if name in row["ratio"]:
            yield Claim(f"{name}, wide, G ≤ 5: ≥ 2×", row["ratio"][name], 2, row)
    if "jaxKAN" in row["ratio"]:
        least = 1.2 if row["dtype"] == "float64" else 1.5
        bar = f"jaxKAN, wide, G ≤ 5, {row['dtype']}: ≥ {least}×"
        yield Claim(bar, row["ratio"]["jaxKAN"], least, row)


def _against_pykan(row: dict) -> Iterator[Claim]:
    if "pykan speed()" in row["ratio"]:
        yield Claim("pykan after speed(): ≥ 20×", row["ratio"]["pykan speed()"], 20, row)


def _against_mlp(row: dict) -> Iterator[Claim]:
    if "torch MLP" not in row["ratio"]:
        return
    ratio, G = row["ratio"]["torch MLP"], row["G"]
    if G < 5:
        yield Claim("torch MLP, G = 3: at most 1.3× its time", ratio, 1 / 1.3, row)
    elif G < 100:
        yield Claim("torch MLP, 5 ≤ G < 100: not slower", ratio, 1, row)
    else:
        yield Claim("torch MLP, G ≥ 100: ≥ 3×", ratio, 3, row)


def _growth(rows: list[dict]) -> Iterator[Claim]:
    """Compare the times of rows that differ in G alone."""
    cases: list[tuple[str, Callable[[dict], bool], int, float]] = [
        (f"G = 1000 against 5, up to {NARROW} wide: ≤ 1.3×", is_narrow, 1000, 1.3),
        ("G = 100 against 5, [100, 100]: ≤ 1.3×", _is_hundred, 100, 1.3),
        ("G = 1000 against 5, [100, 100]: ≤ 3×", _is_hundred, 1000, 3.0),
    ]
    at_five = {_key(row): row for row in rows if row["G"] == 5}
    for bar, chosen, G, most in cases:
        for row in rows:
            small = at_five.get(_key(row))
            if row["G"] == G and chosen(row) and small is not None:
                growth = row["seconds"]["kanref"] / small["seconds"]["kanref"]
                yield Claim(bar, 1 / growth, 1 / most, row)


def _is_hundred(row: dict) -> bool:
    return list(row["widths"]) == [100, 100]


def _key(row: dict) -> tuple:
    return (tuple(row["widths"]), row["N"], row["dtype"])
