"""The target onnx: standard operators, equal to the model in both precisions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from export_cases import (
    HOSTILE,
    agree,
    base_model,
    broken_rows,
    drawn_model,
    function_model,
    function_rows,
    overflowing_model,
    quiet_predict,
    random_model,
    rows_for,
    with_repeated_knots,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN
from kanref.export import ExportError, program_of
from kanref.export.onnx_graph import OPSET, write
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


def session(model: KAN, dtype: str = "float64"):
    content = write(program_of(model), stem="net", dtype=dtype)[".onnx"]
    loaded = onnx.load_from_string(content)
    onnx.checker.check_model(loaded, full_check=True)
    assert {node.domain for node in loaded.graph.node} == {""}
    assert [opset.version for opset in loaded.opset_import] == [OPSET]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def compare(model: KAN, rows: np.ndarray, dtype: str = "float64") -> None:
    rows = rows.astype(dtype)
    wanted = quiet_predict(model, rows.astype(float))
    got = session(model, dtype).run(["Y"], {"X": rows})[0]
    assert got.dtype == dtype
    if dtype == "float32":
        huge = np.abs(wanted) > 3e38
        got = np.where(huge, 0, got)
        wanted = np.where(huge, 0, wanted)
    agree(got, wanted, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
def test_networks(k, extrapolate, dtype):
    model = random_model(width=(2, (3, (2, 3)), 2), G=4, k=k, extrapolate=extrapolate, seed=k)
    rows = rows_for(model)
    if dtype == "float32":  # rounding moves a point over a jump, and beyond the far ends
        rows = (
            rows[:80]
            if k > 0
            else model.scaling.x_shift
            + model.scaling.x_scale * (np.random.default_rng(0).uniform(-0.9, 0.9, (30, 2)))
        )
    if dtype == "float32" and k == 0:
        model = random_model(width=(2, 3), G=4, k=k, extrapolate=extrapolate, seed=k)
        rows = model.scaling.x_shift + model.scaling.x_scale * (
            np.random.default_rng(0).uniform(-0.9, 0.9, (30, 2))
        )
    compare(model, rows, dtype)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_repeated_knots(extrapolate):
    model = with_repeated_knots(random_model(width=(2, 3), G=5, k=3, extrapolate=extrapolate))
    compare(model, rows_for(model))


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_broken_inputs_reach_what_live_edges_reach(extrapolate, dtype):
    model = random_model(width=(3, 2, 3), G=3, k=2, extrapolate=extrapolate, seed=3)
    compare(model, broken_rows(model), dtype)


def test_a_dead_input_leaves_the_output_alone():
    model = KAN([2, 2], seed=1).remove_edge(0, 1, 0)
    got = session(model).run(["Y"], {"X": np.array([[0.3, np.nan]])})[0]
    assert got[0, 0] == pytest.approx(model.predict([[0.3, 0.0]])[0, 0], rel=1e-12)
    assert np.isnan(got[0, 1])


def test_overflow_within_goes_on_as_nan():
    compare(overflowing_model(), np.array([[1.0], [800.0]]))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_in_double(name):
    rows = function_rows()
    if name in ("j0", "j1", "sin", "cos", "tan", "sinc"):
        rows = rows[~(np.abs(rows[:, 0]) > 1e4)]  # far out they depend on the last bit of t
    model = function_model(name)
    wanted = quiet_predict(model, rows)[:, 0]
    got = session(model).run(["Y"], {"X": rows})[0][:, 0]
    np.testing.assert_array_equal(np.isnan(got), np.isnan(wanted))
    np.testing.assert_array_equal(np.isinf(got), np.isinf(wanted))
    finite = np.isfinite(wanted)
    np.testing.assert_allclose(got[finite], wanted[finite], rtol=1e-12, atol=2e-15)


def test_arcs_near_their_ends():
    t = 1 - np.logspace(-16, -1, 61)
    rows = (np.concatenate([t, -t])[:, None] - 0.2) / 0.7
    model = function_model("arcsin", "arccos", "arctan")
    rows = rows[np.isfinite(model.predict(rows)).all(axis=1)]
    compare(model, rows)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_in_single(name):
    rows = np.linspace(-3, 3, 61)[:, None] + 0.013  # no pole among them
    model = function_model(name)
    wanted = quiet_predict(model, rows.astype("float32").astype(float))
    got = session(model, "float32").run(["Y"], {"X": rows.astype("float32")})[0]
    agree(got, wanted, 1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", sorted(BASE_FUNCTIONS))
def test_base_functions(name, dtype):
    model = base_model(name)
    compare(model, rows_for(model)[:90], dtype)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=4),
    st.lists(st.integers(2, 3), max_size=2),
    st.booleans(),
    st.integers(1, 6),
    st.integers(0, 4),
    st.sampled_from(["linear", "zero"]),
    st.integers(0, 99),
)
def test_drawn_networks(width, products, repeated, G, k, extrapolate, seed):
    model = drawn_model(width, products, repeated, G=G, k=k, extrapolate=extrapolate, seed=seed)
    compare(model, np.concatenate([rows_for(model, 9, seed), broken_rows(model)]))


def test_large_numbers_of_small_spread_keep_their_digits_in_single_precision():
    from kanref import Scaling

    model = KAN([1, 2, 1], seed=0)
    model.scaling = Scaling([4096.0], [0.125], [1.0], [2.0])
    rows = (4096 + np.linspace(-0.25, 0.25, 9)[:, None]).astype("float32")
    compare(model, rows, "float32")


@pytest.mark.parametrize("n", [0, 1, 7])
def test_any_number_of_rows(n):
    model = random_model(width=(2, 3), G=3, k=3)
    rows = np.random.default_rng(0).normal(size=(n, 2))
    assert session(model).run(["Y"], {"X": rows})[0].shape == (n, 3)


@pytest.mark.parametrize(
    "labels", [["a", "\U0001f600", "c\n"], [3, -1, 2**40], [0.5, 2, 1], [True, False]]
)
def test_labels(labels):
    model = KAN([2, len(labels) if len(labels) > 2 else 1], seed=0)
    model.classes = labels
    rows = np.random.default_rng(0).normal(size=(40, 2))
    rows[3, 1] = np.nan
    got = session(model).run(["label"], {"X": rows})[0]
    assert got.tolist() == model.predict_class(rows).tolist()
    assert len(set(got.tolist())) > 1


def test_the_first_nan_wins():
    model = KAN([2, 3], seed=0).remove_edge(0, 1, 0)
    model.classes = ["a", "b", "c"]
    assert session(model).run(["label"], {"X": np.array([[0.0, np.inf]])})[0].tolist() == ["b"]


def test_names_are_metadata():
    model = KAN([len(HOSTILE), 1], grid=1, k=1)
    model.input_names = list(HOSTILE)
    props = session(model).get_modelmeta().custom_metadata_map
    assert json.loads(props["input_names"]) == list(HOSTILE)
    assert json.loads(props["output_names"]) == ["y"]


def test_what_onnx_cannot_express_leaves_no_file(tmp_path):
    model = KAN([1, 1])
    model.add_function("mine", lambda x: x + 1)
    model = model.fix_symbolic(0, 0, 0, "mine", affine=[1, 0, 1, 0])
    with pytest.raises(ExportError, match="mine"):
        model.export(tmp_path / "net.onnx")
    mixed = KAN([1, 1])
    mixed.classes = ["a", 1]
    with pytest.raises(ExportError, match="labels"):
        mixed.export(tmp_path / "net.onnx")
    large = KAN([1, 1])
    large.layers[0].coef[...] = 1e39
    with pytest.raises(ExportError, match="float32"):
        large.export(tmp_path / "net.onnx", dtype="float32")
    with pytest.raises(ValueError, match="`dtype`"):
        large.export(tmp_path / "net.onnx", dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_the_dtype_is_that_of_the_model(tmp_path):
    KAN([2, 1], dtype="float32").export(tmp_path / "net.onnx")
    run = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    assert run.get_inputs()[0].type == "tensor(float)"
    assert run.get_inputs()[0].shape == ["N", 2]
