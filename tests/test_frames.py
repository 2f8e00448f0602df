"""Data frames of pandas, polars and Arrow at the doors of a model: the same results, names kept."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kanref import KAN


def columns(n=40):
    rng = np.random.default_rng(0)
    x = {"power in W": rng.uniform(-1, 1, n), "angle": rng.uniform(-1, 1, n)}
    return x, {"drag": x["angle"] ** 2, "lift": x["power in W"] * 2}


def library(name):
    if name == "pandas":
        return pd.DataFrame
    if name == "polars":
        return pytest.importorskip("polars").DataFrame
    return pytest.importorskip("pyarrow").table


@pytest.mark.parametrize("name", ["pandas", "polars", "arrow"])
def test_a_model_takes_frames_and_keeps_their_names(name):
    frame, (x, y) = library(name), columns()
    X, Y = np.column_stack(list(x.values())), np.column_stack(list(y.values()))
    plain, model = KAN([2, 3, 2]), KAN([2, 3, 2])
    first = plain.fit(X, Y, steps=3, validation=(X, Y))
    second = model.fit(frame(x), frame(y), steps=3, validation=(frame(x), frame(y)))
    assert model.input_names == ["power in W", "angle"]
    assert model.output_names == ["drag", "lift"]
    np.testing.assert_array_equal(first.loss, second.loss)
    np.testing.assert_array_equal(first.validation, second.validation)
    shuffled = frame({"angle": x["angle"], "other": ["t"] * 40, "power in W": x["power in W"]})
    np.testing.assert_array_equal(model.predict(shuffled), plain.predict(X))
    scores = model.attribute(shuffled).feature_scores
    np.testing.assert_array_equal(scores, plain.attribute(X).feature_scores)
    assert model.prune_plan(shuffled).width_before == [2, 3, 2]


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_series_names_the_output(name):
    series = pd.Series if name == "pandas" else pytest.importorskip("polars").Series
    x, y = columns()
    X = np.column_stack(list(x.values()))
    target = series(y["drag"], name="drag") if name == "pandas" else series("drag", y["drag"])
    model = KAN([2, 1])
    model.fit(X, target, steps=1)
    assert model.output_names == ["drag"]
    model.fit(X, series(y["lift"]), steps=1)
    assert model.output_names == ["drag"]
    nameless = KAN([2, 1])
    nameless.fit(X, series(y["lift"]), steps=1)
    assert nameless.output_names == ["y"]


@pytest.mark.parametrize("name", ["pandas", "polars", "arrow"])
def test_labels_in_frames(name):
    x, _ = columns()
    labels = np.where(x["angle"] > 0, "up", "down")
    model = KAN([2, 2])
    model.classes = ["down", "up"]
    history = model.fit(
        library(name)(x), library(name)({"way": labels}), loss="cross_entropy", steps=10
    )
    assert history.loss[-1] < 0.5
    assert set(model.predict_class(library(name)(x))) <= {"down", "up"}


def test_frames_need_no_library_to_be_imported():
    code = (
        "import sys, kanref, numpy as np; kanref.KAN([2, 1]).fit(np.ones((3, 2)), np.ones(3), "
        "steps=1); print([m for m in ('pandas', 'polars', 'pyarrow') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == ("[]\n", "")
