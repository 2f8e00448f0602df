"""What the command line is asked for: names with commas, sizes; and what the report then knows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from cli_runs import run
from hypothesis import given
from hypothesis import strategies as st

from kanref import KAN
from kanref.cli.options import names_list, one_name, shown_names
from kanref.sklearn import KANRegressor

NAMES = ["wing area", "drag, measured", 'so "called"', "ü"]
QUICK = ["--steps", "3", "--width", "1"]


@pytest.fixture
def frame(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(np.random.default_rng(0).uniform(-1, 1, (40, 4)), columns=NAMES)
    frame["y"] = frame["wing area"] ** 2 + frame["ü"]
    frame.to_csv("data.csv", index=False)
    return frame


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("wing area,ü", ["wing area", "ü"]),
        (' wing  area , "drag, measured"', ["wing area", "drag, measured"]),
        ('"so ""called""",ü', ['so "called"', "ü"]),
        ('"wing area","ü"', ["wing area", "ü"]),
    ],
)
def test_inputs_with_spaces_commas_and_quotes(frame, text, names):
    result = run("fit", "data.csv", "--target", "y", "--inputs", text, *QUICK, "--out", "m.npz")
    assert (result.exit_code, result.stderr) == (0, "")
    assert KAN.load("m.npz").input_names == names
    told = re.match("y from (.*): 32 rows", result.stdout)[1]
    assert names_list(told) == names  # what is told can be given again
    assert run("predict", "m.npz", "data.csv").exit_code == 0


@pytest.mark.parametrize("text", ['a,"b', "a\nb", 'a,"b"c', "a,,b", "", '""', "a" * 200_000])
def test_inputs_that_are_no_names(frame, text):
    result = run("fit", "data.csv", "--target", "y", "--inputs", text)
    assert result.exit_code == 2
    assert re.match(r"Error: (--inputs must be names|there is no column)", result.stderr)
    assert result.stderr.count("\n") == 1


def test_the_help_shows_how_to_quote():
    text = " ".join(run("fit", "--help").stdout.split())
    assert '"lift, in N"' in text and "double quotes" in text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_shown_names_are_read_back(names):
    names = [one_name(name) or "x" for name in names]
    assert names_list(shown_names(names)) == names


@pytest.mark.parametrize(
    "width", ["1000000,1000000", "9999,9999", "5000,5000", "900000000", "1x999999999", "1" * 18]
)
def test_networks_without_end_are_refused(frame, width):
    result = run("fit", "data.csv", "--target", "y", "--width", width, "--out", "m.npz")
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.match(
        r"Error: --width, --grid and --k must make a network of at most [\d,]+ numbers \(",
        result.stderr,
    )
    run("fit", "data.csv", "--target", "y", *QUICK)  # and nothing is left behind


@pytest.mark.parametrize("option", [["--grid", "1000000000"], ["--k", "1000"], ["--k", "-1"]])
def test_grids_and_degrees_without_end(frame, option):
    result = run("fit", "data.csv", "--target", "y", *option)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: Invalid value for '{option[0]}'")


# --- the course of the training -----------------------------------------------------------------


def training_card(arguments=("m.npz", "data.csv")):
    assert run("report", *arguments, "-o", "r.html").exit_code == 0
    with open("r.html", encoding="utf-8") as page:
        return page.read().split(">Training<")[1].split("</section>")[0]


def test_the_report_shows_the_training_of_a_fitted_file(frame):
    assert run("fit", "data.csv", "--target", "y", *QUICK, "--out", "m.npz").exit_code == 0
    model = KAN.load("m.npz")
    assert len(model.history) >= 3 + 3 + 1  # structure, refits, all rows
    assert f"{model.history.step[-1]} steps. The last fit ended" in (card := training_card())
    assert 'class="curve' in card
    assert np.isfinite(model.history.validation).any()


def test_the_report_shows_the_training_of_a_saved_model(frame):
    model = KAN([4, 2, 1], seed=0)
    first = model.fit(frame[NAMES], frame["y"], steps=4)
    finer = model.refine(10)
    second = finer.fit(frame[NAMES], frame["y"], opt="adam", steps=6)
    assert (len(first), len(second), len(model.history), len(finer.history)) == (4, 6, 4, 10)
    assert finer.history.step.tolist() == list(range(1, 11))
    assert finer.prune(frame[NAMES]).copy().history.step[-1] == 10
    finer.save("m.npz")
    assert f"10 steps. The last fit ended: {second.stop_reason}" in training_card()
    KAN([4, 1]).save("new.npz")
    frame.rename(columns=dict(zip(NAMES, KAN([4, 1]).input_names, strict=True))).to_csv("x.csv")
    assert "holds no history" in training_card(("new.npz", "x.csv"))


def test_the_report_shows_the_training_of_an_estimator(frame):
    estimator = KANRegressor(hidden=2, alpha=1e-2, max_iter=8).fit(frame[NAMES], frame["y"])
    estimator.model_.save("m.npz")
    assert f"{len(estimator.history_)} steps." in training_card()
