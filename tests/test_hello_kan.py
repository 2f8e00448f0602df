"""Hello, KAN: the benchmark script as a test, on seeds that had no part in choosing its setting."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from kanref import KAN

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "hello_kan.py"
TUTORIAL = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"]
"""The functions of pykan's tutorial; "0", for edges that are nothing, is not among them."""


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


@pytest.mark.parametrize("library", [TUTORIAL, None], ids=["tutorial", "all"])
def test_the_stages_of_the_tutorial_end_at_rounding(
    script: dict[str, Any], library: list[str] | None
) -> None:
    X, y = script["sample"](1403)
    model = KAN([2, 5, 1], grid=5, k=3, seed=403)
    model.fit(X, y, steps=50, lamb=1e-2, update_grid=False)
    model = model.prune(X)
    model.fit(X, y, steps=50)
    model = model.refine(10, X)
    model.fit(X, y, steps=50)
    model = model.auto_symbolic(X, y, lib=library)
    history = model.fit(X, y, steps=50)
    assert script["rmse"](model, *script["sample"](2403)) < 1e-13
    assert str(model.symbolic_formula(round_to=6)[0]) == "exp(x_2**2 + sin(3.14159*x_1))"
    assert history.n_evaluations < 5


@pytest.mark.slow
def test_the_formula_is_recovered_for_nine_of_ten_seeds(script: dict[str, Any]) -> None:
    rows = [script["hello"](seed) for seed in range(300, 310)]
    assert sum(row["rmse"] <= script["BAR"] for row in rows) >= 9, rows
