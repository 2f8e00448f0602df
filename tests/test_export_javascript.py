"""The module of the target `javascript`, run in Node and compared with the model."""

from __future__ import annotations

import json
import math
import shutil
import subprocess

import numpy as np
import pytest
from export_cases import (
    HOSTILE,
    agree,
    base_model,
    broken_rows,
    function_model,
    random_model,
    rows_for,
    with_repeated_knots,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN
from kanref.export import ExportError, export, program_of
from kanref.export.javascript import literal, write
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS

DRIVER = """
import { readFileSync } from "node:fs";
const numbers = { NaN: NaN, inf: Infinity, "-inf": -Infinity };
const plain = (v) => (Number.isFinite(v) ? v : String(v));
const found = [];
for (const [file, cells] of JSON.parse(readFileSync(0, "utf8"))) {
  const model = await import(file);
  const rows = cells.map((row) => row.map((v) => numbers[v] ?? v));
  found.push({
    one: rows.map((row) => model.predict(row).map(plain)),
    many: model.predictMany(rows).map((row) => row.map(plain)),
    label: rows.map((row) => model.predictClass(row)),
    names: [model.inputNames, model.outputNames, model.classes],
    keys: Object.keys(model),
  });
}
console.log(JSON.stringify(found));
"""


def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("no Node on the path")
    return path


def run(script: str, tmp_path, stdin: str = "") -> str:
    driver = tmp_path / "driver.mjs"
    driver.write_text(script, encoding="utf-8")
    found = subprocess.run(
        [node(), str(driver)],
        input=stdin.encode(),
        capture_output=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout.decode()


def computed(cases: list[tuple[KAN, np.ndarray]], tmp_path) -> list[dict]:
    """Export models, and return what Node makes of the rows of each."""
    asked = []
    for number, (model, rows) in enumerate(cases):
        export(program_of(model), tmp_path / f"net{number}.mjs", "javascript")
        cells = [[_cell(v) for v in row] for row in rows.tolist()]
        asked.append([f"./net{number}.mjs", cells])
    answers = json.loads(run(DRIVER, tmp_path, json.dumps(asked)))
    for found in answers:
        for name in ("one", "many"):
            found[name] = np.array([[float(v) for v in row] for row in found[name]])
    return answers


def _cell(value: float):
    return value if math.isfinite(value) else {math.inf: "inf", -math.inf: "-inf"}.get(value, "NaN")


def check(cases: list[tuple[KAN, np.ndarray]], tmp_path) -> None:
    for (model, rows), found in zip(cases, computed(cases, tmp_path), strict=True):
        with np.errstate(all="ignore"):
            wanted = model.predict(rows)
        agree(found["one"], wanted)
        np.testing.assert_array_equal(found["many"], found["one"])


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_every_degree_inside_at_and_outside_the_grid(extrapolate, tmp_path):
    models = [random_model(k=k, G=4, extrapolate=extrapolate, seed=k) for k in (0, 1, 2, 3, 5)]
    check([(model, rows_for(model)) for model in models], tmp_path)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_repeated_knots(extrapolate, tmp_path):
    models = [random_model(k=k, G=5, extrapolate=extrapolate, seed=3) for k in (0, 1, 3)]
    check([(m, rows_for(m)) for m in map(with_repeated_knots, models)], tmp_path)


def test_a_single_cell_and_no_scale_spline(tmp_path):
    model = random_model(width=(3, 2), G=1, k=3, spline_scale=False, symbolic=False)
    check([(model, rows_for(model))], tmp_path)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_nan_and_infinity_reach_what_a_live_edge_connects(extrapolate, tmp_path):
    model = random_model(extrapolate=extrapolate, seed=5)
    check([(model, broken_rows(model))], tmp_path)


def test_nan_stays_away_from_outputs_without_a_live_edge(tmp_path):
    model = KAN([2, 2], grid=3, seed=0).remove_edge(0, 0, 1)
    rows = np.array([[np.nan, 0.2], [np.inf, 0.2]])
    found = computed([(model, rows)], tmp_path)[0]["one"]
    np.testing.assert_array_equal(np.isnan(found), [[True, False]] * 2)
    agree(found, model.predict(rows))


def test_every_function_of_the_library(tmp_path):
    x = np.concatenate([np.linspace(-4, 4, 161), [-0.2 / 0.7, 40.0, -40.0, np.nan, np.inf, 1e308]])
    check([(function_model(name), x[:, None]) for name in FUNCTIONS], tmp_path)


def test_a_function_whose_argument_overflows_is_nan(tmp_path):
    model = KAN([1, 1], grid=2).fix_symbolic(0, 0, 0, "tanh", affine=[1e200, 0, 1, 0])
    rows = np.array([[1e150], [-1e150], [1e100], [0.0]])
    found = computed([(model, rows)], tmp_path)[0]["one"]
    np.testing.assert_array_equal(found[:, 0], [np.nan, np.nan, 1.0, 0.0])
    with np.errstate(over="ignore"):
        agree(found, model.predict(rows))


def test_special_functions_far_out(tmp_path):
    x = np.random.default_rng(0).uniform(-120, 120, (300, 1))
    check([(function_model(name), x) for name in ("erf", "j0", "j1", "sinc")], tmp_path)


def test_every_base_function(tmp_path):
    models = [base_model(name) for name in BASE_FUNCTIONS]
    check([(model, rows_for(model)) for model in models], tmp_path)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(0, 4),
    G=st.integers(1, 9),
    extrapolate=st.sampled_from(["linear", "zero"]),
)
def test_any_network(seed, k, G, extrapolate, tmp_path_factory):
    model = random_model(seed=seed, k=k, G=G, extrapolate=extrapolate)
    check([(model, rows_for(model, 15, seed))], tmp_path_factory.mktemp("any"))


@pytest.mark.parametrize("n_out", [1, 3])
def test_labels(n_out, tmp_path):
    model = random_model(width=(2, (3, (2,)), n_out), seed=2)
    labels = ["no", "yes"] if n_out == 1 else ["</script>", 7, True]
    model.classes = labels
    rows = np.concatenate([rows_for(model), [[np.nan, 0.0]]])
    found = computed([(model, rows)], tmp_path)[0]
    y = model(model.scaling.x_to_network(rows))
    index = (y[:, 0] > 0).astype(int) if n_out == 1 else y.argmax(axis=1)
    assert found["label"] == [labels[i] for i in index]
    assert len({json.dumps(label) for label in found["label"]}) > 1
    assert found["names"][2] == labels
    model.classes = None
    assert computed([(model, rows)], tmp_path)[0]["label"] == index.tolist()


def test_names_are_text_and_nothing_else(tmp_path):
    names = [*HOSTILE, "__proto__", "constructor", "`${process.exit(3)}`", "\u2029", "\ud800"]
    names = list(dict.fromkeys(names))
    model = random_model(width=(len(names), 2), G=2, k=1)
    model.input_names = names
    model.output_names = ["*/ process.exit(4) //", "\u2028process.exit(5)"]
    found = computed([(model, rows_for(model, 3))], tmp_path)[0]
    assert found["names"] == [names, model.output_names, None]
    assert sorted(found["keys"]) == [
        "classes", "inputNames", "outputNames", "predict", "predictClass", "predictMany",
    ]  # fmt: skip
    for text in write(program_of(model), stem="net").values():
        assert text.isascii() or not set(text) & set("\u2028\u2029\u202e\x85")
        assert "</script" not in text and "*/ process" not in text


def test_rows_by_name_and_wrong_rows(tmp_path):
    model = random_model(width=(2, 1))
    model.input_names = ["__proto__", "b"]
    export(program_of(model), tmp_path / "net.mjs")
    row = json.dumps({"__proto__": 0.3, "b": -0.1})
    script = f"""
import {{ predict }} from "./net.mjs";
const said = [];
for (const row of [[1], [1, 2, 3], [1, "2"], [1, null], {{ b: 1 }}, null, "ab"]) {{
  try {{
    said.push(predict(row));
  }} catch (error) {{
    said.push(`${{error.name}}: ${{error.message}}`);
  }}
}}
const byName = predict(JSON.parse({json.dumps(row)}));
console.log(JSON.stringify([byName, predict(new Float64Array([0.3, -0.1])), said]));
"""
    by_name, typed, said = json.loads(run(script, tmp_path))
    assert by_name == typed
    agree([by_name], model.predict(np.array([[0.3, -0.1]])))
    assert said == [
        "TypeError: a row must have 2 numbers, got 1",
        "TypeError: a row must have 2 numbers, got 3",
        'TypeError: "b" must be a number, got string',
        'TypeError: "b" must be a number, got object',
        'TypeError: the row has no "__proto__"',
        "TypeError: a row must be an array of numbers, or an object that has them by name",
        "TypeError: a row must be an array of numbers, or an object that has them by name",
    ]


def test_a_function_of_ones_own_by_its_sympy_form(tmp_path):
    model = KAN([2, 1], grid=2, k=1, seed=0)
    model.add_function(
        "*/ cube",
        lambda x: x**3 + np.sin(x),
        sympy=lambda x: x**3 + __import__("sympy").sin(x),
        domain=(-0.5, 2),
    )
    model = model.fix_symbolic(0, 0, 0, "*/ cube", affine=[1.2, 0.1, 0.7, -0.3])
    check([(model, np.random.default_rng(0).uniform(-2, 2, (40, 2)))], tmp_path)


def test_what_cannot_be_written_is_an_error_before_any_file(tmp_path):
    model = KAN([1, 1], grid=2, k=1)
    model.add_function("mystery", lambda x: x**7)
    model = model.fix_symbolic(0, 0, 0, "mystery", affine=[1, 0, 1, 0])
    for name in ("net.mjs", "net.html"):
        with pytest.raises(ExportError, match="mystery"):
            export(program_of(model), tmp_path / name)
    labelled = KAN([1, 1])
    labelled.classes = [0, 2**53 + 1]
    with pytest.raises(ExportError, match="9007199254740993"):
        export(program_of(labelled), tmp_path / "net.mjs")
    assert list(tmp_path.iterdir()) == []


def test_float32_models_to_their_precision(tmp_path):
    model = random_model(dtype="float32", seed=4)
    rows = rows_for(model)
    found = computed([(model, rows)], tmp_path)[0]
    agree(found["one"], model.predict(rows), 1e-5)


def test_literals_read_back():
    for value in (0.1, -0.0, 1e300, 5e-324, 1 / 3, 123456789.0):
        assert float(literal(value)) == value
        assert math.copysign(1, float(literal(value))) == math.copysign(1, value)
    assert literal(math.inf) == "Infinity"
    assert literal("\u2028</*") == '"\\u2028\\u003c/\\u002a"'


def test_types_name_what_the_module_exports():
    files = write(program_of(KAN([2, 3])), stem="net")
    assert files[".d.ts"] == files[".d.mts"]
    for name in ("inputNames", "outputNames", "classes: null", "predict(", "predictMany("):
        assert f"export declare const {name}" in files[".d.ts"] or name in files[".d.ts"]
    model = KAN([2, 1])
    model.classes = ["a", 3]
    types = write(program_of(model), stem="net")[".d.ts"]
    assert "predictClass(row: Row): string | number;" in types
    assert "classes: readonly (string | number)[];" in types
