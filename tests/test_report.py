"""Scores against closed forms, and what a report says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kanref import KAN
from kanref.report import (
    MAX_EDGES,
    EdgeScore,
    Report,
    edge_scores,
    formula_name,
    latex_name,
    markdown,
    versions,
)
from kanref.scores import Scores, baselines

SCORES = {"network": Scores(0.25, 0.125, 0.75)}


def report(**changes):
    values = {
        "title": "Drag",
        "source": "drag.csv",
        "inputs": ["speed", "angle"],
        "target": "drag",
        "n_train": 80,
        "n_test": 20,
        "scores": SCORES,
    }
    return Report(**{**values, **changes})


# --- scores --------------------------------------------------------------------------------------


def test_scores_of_a_small_table():
    found = Scores.of(np.array([[1.0], [2.0], [6.0]]), np.array([1.0, 4.0, 5.0]))
    assert found == Scores(
        rmse=pytest.approx((5 / 3) ** 0.5), mae=1.0, r2=pytest.approx(1 - 5 / 14)
    )


def test_r2_of_perfect_and_of_mean_predictions():
    y = np.array([3.0, 5.0, 10.0])
    assert Scores.of(y, y) == Scores(0.0, 0.0, 1.0)
    assert Scores.of(y, np.full(3, 6.0)).r2 == 0.0
    assert np.isnan(Scores.of(np.ones(3), y).r2)


def test_scores_need_rows_that_match():
    with pytest.raises(ValueError, match=r"as many rows as `y`, .* got \(2,\) and \(3,\)"):
        Scores.of(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="at least two"):
        Scores.of([1.0], [1.0])


def test_baselines_are_the_mean_and_least_squares_of_the_training_rows():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(40, 3)) * [1, 1e3, 1e-3] + [5, 0, 1], rng.normal(size=40)
    y = X @ [1.0, 2e-3, 3e3] + noise
    found = baselines(X[:30], y[:30], X[30:], y[30:])
    assert found["mean of the training rows"] == Scores.of(y[30:], np.full(10, y[:30].mean()))
    design = np.column_stack([X, np.ones(40)])
    normal = np.linalg.solve(design[:30].T @ design[:30], design[:30].T @ y[:30])
    expected = Scores.of(y[30:], design[30:] @ normal)
    assert found["linear least squares"].rmse == pytest.approx(expected.rmse, rel=1e-6)
    assert 0.7 < expected.r2 < 1


def test_baseline_with_fewer_rows_than_inputs_and_a_constant_column():
    X = np.column_stack([np.random.default_rng(0).normal(size=(4, 6)), np.ones(4)])
    y = np.array([1.0, 2.0, 4.0, 8.0])
    assert baselines(X, y, X, y)["linear least squares"].rmse < 1e-12


# --- reports -------------------------------------------------------------------------------------


def test_a_small_report_whole():
    text = markdown(report(notes=["a note"], model={"seed": "3"}, features={"a": 0.25, "b": 2}))
    assert text == (
        "# Drag\n\n"
        "`drag` from `speed`, `angle`: 80 rows of drag.csv to learn from, and 20 held out for the "
        "test.\n\n"
        "## How well\n\n"
        "|  | RMSE | MAE | R² |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| network | 0.25 | 0.125 | 0.7500 |\n\n"
        "Errors on the 20 rows held out, in the unit of `drag`.\n\n"
        "## Notes\n\n"
        "- a note\n\n"
        "## The model\n\n"
        "- seed: 3\n\n"
        "## What matters\n\n"
        "| input | score |\n"
        "| --- | ---: |\n"
        "| `b` | 2 |\n"
        "| `a` | 0.25 |\n"
    )


def test_formula_picture_and_command():
    text = markdown(
        report(
            formula="2*speed",
            latex="2 speed",
            picture="../a b.png",
            command="kanref fit 'a b.csv'",
            versions={"kanref": "1", "numpy": "2"},
        )
    )
    assert "![The network](<../a b.png>)\n" in text
    assert "```text\ndrag = 2*speed\n```\n\n$$ \\text{drag} = 2 speed $$\n" in text
    assert text.endswith("```sh\nkanref fit 'a b.csv'\n```\n\nkanref 1, numpy 2\n")


def test_edges_are_ranked_and_the_weakest_only_counted():
    edges = [EdgeScore((0, n, 1), f"x → h{n}", "sin", float(n)) for n in range(MAX_EDGES + 2)]
    text = markdown(report(edges=edges))
    rows = [line for line in text.splitlines() if line.startswith("| (0,")]
    assert len(rows) == MAX_EDGES
    assert rows[0] == f"| (0,{MAX_EDGES + 1},1) | x → h{MAX_EDGES + 1} | sin | {MAX_EDGES + 1} |"
    assert "\n\n2 more edges score less.\n" in text


@pytest.mark.parametrize("name", ["a|b", "a`b", "a\nb", "<b>", "# a", "a | b\n\n# no heading"])
def test_names_cannot_break_the_page(name):
    """Every table keeps its columns, every name its line, and there is no other heading."""
    edges = [EdgeScore((0, 0, 0), name, name, 1.0)]
    text = markdown(
        report(
            title=name,
            source=name,
            inputs=[name],
            target=name,
            notes=[name],
            edges=edges,
            scores={name: SCORES["network"]},
            model={name: name},
            features={name: 1.0},
        )
    )
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[1:] == ["## How well", "## Notes", "## The model", "## What matters"]
    for line in text.splitlines():
        if line.startswith("|"):
            bars = line.replace("\\\\", "").replace("\\|", "").count("|")
            assert bars in (3, 5)
    outside_code = text.replace("`<b>`", "")
    assert "<b>" not in outside_code.replace("\\<b\\>", "")


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("x", "x", "x"),
        ("x_12", "x_12", "x_{12}"),
        ("x1", "x1", r"\text{x1}"),
        ("sin", "sin", r"\text{sin}"),
        ("power in W", '"power in W"', r"\text{power in W}"),
        ("a^b_{c}", '"a^b_{c}"', r"\text{a\textasciicircum{}b\_\{c\}}"),
        ('5 "%" \\', '"5 \\"%\\" \\\\"', r'\text{5 "\%" \textbackslash{}}'),
        ("größe", "größe", r"\text{größe}"),
    ],
)
def test_names_in_formulas(name, text, latex):
    assert (formula_name(name), latex_name(name)) == (text, latex)
    page = markdown(report(target=name, formula="1", latex="1"))
    assert f"```text\n{text} = 1\n```\n\n$$ {latex} = 1 $$\n" in page


def test_a_formula_cannot_leave_its_block():
    text = markdown(report(formula="x\n```\n# heading"))
    assert "````text\ndrag = x\n```\n# heading\n````" in text


def test_edge_scores_of_a_network_with_products_and_a_pruned_edge():
    model = KAN([2, [1, 2], 1], mult_arity=[0, [2, 3], 0], grid=4, seed=1).remove_edge(0, 1, 3)
    X = np.random.default_rng(0).normal(size=(7, 2))
    attribution = model.attribute(X)
    found = edge_scores(model.network, attribution, ["a", "b"], ["y"])
    by_place = {edge.place: edge for edge in found}
    assert len(found) == 2 * 6 - 1 + 3
    assert (0, 1, 3) not in by_place
    labels = [by_place[0, 0, j].label for j in range(6)]
    assert labels == ["a → h1_0", *(f"a → h1_{n}" for n in ("1.0", "1.1", "2.0", "2.1", "2.2"))]
    assert [by_place[1, i, 0].label for i in range(3)] == [f"h1_{i} → y" for i in range(3)]
    for (l, i, j), edge in by_place.items():
        assert edge.score == attribution.edge_scores[l][i, j]
        assert edge.function == "spline"


def test_versions_name_what_computes():
    assert versions()["numpy"] == np.__version__
    assert {"kanref", "python", "platform"} <= set(versions())


def test_reports_are_values():
    assert dataclasses.replace(report(), n_test=5) == report(n_test=5)
