"""The targets python and numpy: run in bare interpreters, equal to the model at every point."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from export_cases import (
    HOSTILE,
    agree,
    agree_each,
    bare_base_model,
    base_model,
    broken_rows,
    cube_root_form,
    drawn_model,
    function_model,
    function_rows,
    overflowing_model,
    own_model,
    quiet_predict,
    random_model,
    rising_model,
    rows_for,
    with_repeated_knots,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN
from kanref.export import ExportError, program_of, render
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS

TARGETS = ("python", "numpy")

RUNNER = """
import json, sys, importlib.machinery
loader = importlib.machinery.SourceFileLoader("net", sys.argv[1])
net = type(sys)("net")
code = loader.get_code("net")
exec(code, net.__dict__)
request = json.load(sys.stdin)
answer = {"many": [[float(v) for v in row] for row in net.predict_many(request)]}
answer["one"] = [float(v) for v in net.predict(request[0])]
answer["names"] = [net.INPUTS, net.OUTPUTS]
if hasattr(net, "CLASSES"):
    answer["classes"] = [net.predict_class(row) for row in request]
answer["modules"] = [name for name in ("kanref", "numpy", "scipy") if name in sys.modules]
print(json.dumps(answer))
"""


def source(model: KAN, target: str) -> str:
    (text,) = render(program_of(model), "net.py", target).values()
    return text


def run_bare(model: KAN, target: str, rows, folder) -> dict:
    """Run the exported file in an interpreter that sees no kanref."""
    path = folder / "net.py"
    path.write_text(source(model, target), encoding="utf-8")
    flags = ["-I", "-S"] if target == "python" else ["-I"]
    done = subprocess.run(
        [sys.executable, *flags, "-c", RUNNER, str(path)],
        input=json.dumps(np.asarray(rows).tolist()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def load(model: KAN, target: str, folder):
    """Import the exported file into this process."""
    path = folder / "net.py"
    path.write_text(source(model, target), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(model: KAN, target: str, folder) -> None:
    module = load(model, target, folder)
    for rows in (rows_for(model), broken_rows(model)):
        agree(module.predict_many(rows.tolist()), quiet_predict(model, rows))


@pytest.mark.parametrize("target", TARGETS)
def test_in_a_bare_interpreter(target, tmp_path):
    model = random_model()
    rows = np.concatenate([rows_for(model), broken_rows(model)])
    answer = run_bare(model, target, rows, tmp_path)
    agree(answer["many"], quiet_predict(model, rows))
    agree(answer["one"], quiet_predict(model, rows)[0])
    assert answer["modules"] == ([] if target == "python" else ["numpy"])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("k", range(6))
def test_any_degree_and_extrapolation(k, extrapolate, target, tmp_path):
    model = random_model(k=k, extrapolate=extrapolate, seed=k)
    check(model, target, tmp_path)
    check(with_repeated_knots(model), target, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", BASE_FUNCTIONS)
def test_base_functions(name, target, tmp_path):
    check(base_model(name), target, tmp_path)
    model, rows = bare_base_model(name), np.linspace(-30, 30, 301)[:, None]
    agree_each(load(model, target, tmp_path).predict_many(rows.tolist()), model.predict(rows))


@pytest.mark.parametrize("target", TARGETS)
def test_functions_in_and_out_of_their_domains(target, tmp_path):
    model, rows = function_model(*FUNCTIONS), function_rows()
    agree_each(
        load(model, target, tmp_path).predict_many(rows.tolist()), quiet_predict(model, rows)
    )


@pytest.mark.parametrize("target", TARGETS)
def test_infinity_gives_nan_where_arithmetic_gives_infinity(target, tmp_path):
    rows = [[np.inf], [-np.inf], [np.nan], [3.0]]
    agree(
        load(rising_model(), target, tmp_path).predict_many(rows),
        [[np.nan], [np.nan], [np.nan], [6.0]],
    )


@pytest.mark.parametrize("target", TARGETS)
def test_what_overflows_within_goes_on_as_nan(target, tmp_path):
    rows = np.array([[1.0], [709.0], [710.0], [1e5]])
    wanted = quiet_predict(overflowing_model(), rows)
    assert np.isnan(wanted[:, 0]).tolist() == [False, False, True, True]
    agree(load(overflowing_model(), target, tmp_path).predict_many(rows.tolist()), wanted)


@pytest.mark.parametrize("target", TARGETS)
def test_float32_models(target, tmp_path):
    model = random_model(dtype="float32")
    rows = rows_for(model)
    agree(load(model, target, tmp_path).predict_many(rows.tolist()), model.predict(rows), 1e-5)


@pytest.mark.parametrize("target", TARGETS)
def test_networks_without_edges_or_with_dead_inputs(target, tmp_path):
    model = random_model(width=(2, 3, 2))
    model.layers[0].mask[0] = False
    model.layers[0].mask[:, 1] = False
    check(model, target, tmp_path)
    model.layers[1].mask[:] = False
    check(model, target, tmp_path)


@settings(max_examples=20, deadline=None)
@given(
    width=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    products=st.lists(st.integers(2, 4), max_size=2),
    G=st.integers(1, 6),
    k=st.integers(0, 6),
    extrapolate=st.sampled_from(["linear", "zero"]),
    base_fun=st.sampled_from(list(BASE_FUNCTIONS)),
    spline_scale=st.booleans(),
    repeated=st.booleans(),
    target=st.sampled_from(TARGETS),
    seed=st.integers(0, 10**6),
)
def test_random_networks(tmp_path_factory, target, **drawn):
    model = drawn_model(**drawn)
    check(model, target, tmp_path_factory.mktemp("net"))


@pytest.mark.parametrize("target", TARGETS)
def test_hostile_names_are_just_names(target, tmp_path):
    model = KAN([len(HOSTILE), len(HOSTILE)], grid=1, k=1)
    model.input_names = model.output_names = HOSTILE
    model.classes = list(HOSTILE)
    rows = np.random.default_rng(0).normal(size=(3, len(HOSTILE)))
    answer = run_bare(model, target, rows, tmp_path)
    assert answer["names"] == [list(HOSTILE), list(HOSTILE)]
    assert answer["classes"] == model.predict_class(rows).tolist()
    agree(answer["many"], model.predict(rows))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n_out", [1, 3])
def test_labels(n_out, target, tmp_path):
    model = random_model(width=(2, n_out), extrapolate="zero")
    model.classes = ["no", "yes"] if n_out == 1 else [10, 20, 30]
    rows = np.concatenate([rows_for(model), [[np.nan, 0.0]]])
    module = load(model, target, tmp_path)
    wanted = model.predict_class(rows).tolist()
    assert len(set(wanted)) > 1
    assert [module.predict_class(row) for row in rows.tolist()] == wanted
    assert not hasattr(load(random_model(), target, tmp_path), "predict_class")


def test_rows_by_name_and_rows_that_do_not_fit(tmp_path):
    model = random_model()
    module = load(model, "python", tmp_path)
    assert module.predict({"x_2": 0.5, "x_1": 0.25}) == module.predict([0.25, 0.5])
    with pytest.raises(ValueError, match="a row must have 2 values, got 3"):
        module.predict([1, 2, 3])
    with pytest.raises(ValueError, match=r"rows must have shape \(N, 2\)"):
        load(model, "numpy", tmp_path).predict_many([[1, 2, 3]])


@pytest.mark.parametrize("target", TARGETS)
def test_a_function_of_the_users_own_by_its_sympy_form(target, tmp_path):
    model = own_model(cube_root_form, (-2.0, 2.0))
    rows = np.linspace(-3, 3, 41)[:, None]
    wanted = model.predict(rows)
    assert 0 < np.isnan(wanted).sum() < 41
    agree(load(model, target, tmp_path).predict_many(rows.tolist()), wanted)


def wrong_form(x):
    return x**2


def broken_form(x):
    raise ValueError("no form")


@pytest.mark.parametrize("target", [*TARGETS, "c"])
@pytest.mark.parametrize(
    ("form", "message"),
    [
        (None, "must have a SymPy form"),
        (wrong_form, "must be the function itself"),
        (broken_form, "fails: no form"),
    ],
)
def test_functions_that_cannot_be_written_are_refused(form, message, target, tmp_path):
    path = tmp_path / ("net.c" if target == "c" else "net.py")
    with pytest.raises(ExportError, match=message):
        own_model(form).export(path, to=target)
    assert list(tmp_path.iterdir()) == []
