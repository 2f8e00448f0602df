"""Hello, KAN: the benchmark script as a test, on seeds that had no part in choosing its setting."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "hello_kan.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_the_formula_is_recovered_to_rounding(script: dict[str, Any]) -> None:
    rows = [script["hello"](seed) for seed in (400, 401)]
    assert [row["formula"] for row in rows] == ["exp(x_2**2 + sin(3.14159*x_1))"] * 2
    assert max(row["rmse"] for row in rows) < 1e-14
    found = script["summary"](rows)
    assert (found["recovered"], found["of"]) == (2, 2)
    medians = found["median"]
    parts = [medians[f"{phase}_cpu"] for phase in ("fit", "prune", "snap")]
    assert 0 < sum(parts) <= 1.001 * sum(row["cpu"] for row in rows)


@pytest.mark.slow
def test_the_formula_is_recovered_for_nine_of_ten_seeds(script: dict[str, Any]) -> None:
    rows = [script["hello"](seed) for seed in range(300, 310)]
    assert sum(row["rmse"] <= script["BAR"] for row in rows) >= 9, rows
