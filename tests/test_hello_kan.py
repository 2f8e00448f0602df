"""Hello, KAN, for ten seeds: the benchmark script as a test."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "hello_kan.py"


@pytest.mark.slow
def test_the_formula_is_recovered_for_nine_of_ten_seeds():
    script = runpy.run_path(str(SCRIPT))
    rows = [script["hello"](seed) for seed in range(10)]
    assert sum(row["rmse"] <= script["BAR"] for row in rows) >= 9, rows
