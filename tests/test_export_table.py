"""Lookup tables keep within the error that they state, and need nothing but Python."""

import json
import subprocess
import sys

import numpy as np
import pytest
from export_cases import HOSTILE, base_model, broken_rows, random_model, with_repeated_knots

from kanref import KAN
from kanref.export import ExportError, export, program_of, render


def tables_of(model, **options):
    files = render(program_of(model), "net.json", **options)
    content, source = files.values()
    scope = {}
    exec(compile(source, "net.py", "exec"), scope)
    return json.loads(content), scope


def inputs(box, N=700, seed=0):
    rng = np.random.default_rng(seed)
    box = np.asarray(box)
    X = rng.uniform(box[:, 0], box[:, 1], (N, len(box)))
    snapped = rng.integers(0, 5, X.shape)
    return np.where(snapped == 0, box[:, 0], np.where(snapped == 1, box[:, 1], X))


def assert_within(model, scope, X):
    found = np.array(scope["predict_many"](X.tolist()))
    off = np.abs(found - model.predict(X).astype(float)).max(axis=0)
    assert np.all(off <= scope["ERROR"])
    return off


class TestError:
    @pytest.mark.parametrize("k", [0, 1, 2, 3, 5])
    @pytest.mark.parametrize("extrapolate", ["linear", "zero"])
    @pytest.mark.parametrize(("intervals", "bits"), [(1, 8), (37, 8), (120, 16)])
    def test_random_networks(self, k, extrapolate, intervals, bits):
        dtype = "float32" if k == 2 else "float64"
        model = random_model(k=k, extrapolate=extrapolate, seed=k, dtype=dtype)
        _, scope = tables_of(model, intervals=intervals, bits=bits)
        assert_within(model, scope, inputs(scope["BOX"], seed=k))

    def test_a_box_beyond_the_grid(self):
        model = random_model(seed=4)
        shift, scale = model.scaling.x_shift, model.scaling.x_scale
        box = np.stack([shift - 2.2 * scale, shift + 0.3 * scale], axis=1).tolist()
        content, scope = tables_of(model, box=box)
        assert [[x["low"], x["high"]] for x in content["inputs"]] == box
        assert_within(model, scope, inputs(box))

    def test_each_edge(self):
        """The stated error of the edges, against the edges themselves."""
        model = random_model(width=(2, 3), seed=6)
        content, _ = tables_of(model, intervals=50, bits=8)
        layer = content["layers"][0]
        shares = np.linspace(0, 1, 5001)
        x = np.stack([low + shares * (high - low) for low, high in layer["domains"]], axis=1)
        phi = model.edges(x)[0]
        for edge in layer["edges"]:
            q = np.array(edge["q"])
            assert np.abs(q).max() <= 127
            table = edge["offset"] + edge["step"] * np.interp(shares, np.linspace(0, 1, 51), q)
            off = np.abs(table - phi[:, edge["i"], edge["j"]]).max()
            assert off <= edge["error"] <= 3 * off + 0.01 * np.ptp(table)

    def test_finer_tables_are_better(self):
        model = random_model(seed=3)
        errors = [tables_of(model, intervals=n)[1]["ERROR"] for n in (16, 64, 256)]
        assert np.all(np.array(errors[1]) < np.array(errors[0]) / 4)
        assert np.all(np.array(errors[2]) < np.array(errors[1]) / 2)

    @pytest.mark.parametrize("base", ["relu", "gelu", "sin", "zero"])
    def test_base_functions(self, base):
        model = base_model(base)
        _, scope = tables_of(model, intervals=40)
        assert_within(model, scope, inputs(scope["BOX"]))

    def test_repeated_knots(self):
        model = with_repeated_knots(random_model(k=3, G=5))
        _, scope = tables_of(model, intervals=90)
        assert_within(model, scope, inputs(scope["BOX"]))

    def test_a_trained_model(self):
        """Of use: a hundredth of the range in a few kilobytes."""
        rng = np.random.default_rng(0)
        X = rng.uniform(-1, 1, (300, 2))
        model = KAN([2, 5, 1], grid=5, seed=0)
        model.fit(X, np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2), steps=30)
        content, scope = tables_of(model)
        assert_within(model, scope, inputs(scope["BOX"]))
        assert scope["ERROR"][0] < 0.01 * np.ptp(model.predict(X))
        assert content["table_bytes"] == 15 * 257 * 2


class TestBehaviour:
    def test_outside_counts_as_the_nearest_inside(self):
        _, scope = tables_of(random_model())
        (a, b), (c, d) = scope["BOX"]
        assert scope["predict"]([a - 5, d + 9]) == scope["predict"]([a, d])
        assert scope["predict"]([b + 1e300, c]) == scope["predict"]([b, c])

    def test_broken_inputs_give_nan_where_they_reach(self):
        model = random_model(width=(2, 2, 3), seed=2)
        _, scope = tables_of(model, intervals=20)
        X = broken_rows(model)
        found = np.array(scope["predict_many"](X.tolist()))
        assert np.array_equal(np.isnan(found), np.isnan(model.predict(X)))

    def test_a_bare_interpreter(self, tmp_path):
        model = random_model()
        paths = model.export(tmp_path / "net.json", "table", intervals=30)
        assert [path.name for path in paths] == ["net.json", "net.py"]
        program = "import sys; sys.path.insert(0, '.'); import net; print(net.predict([0.5, -1.5]))"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        scope = tables_of(model, intervals=30)[1]
        assert json.loads(done.stdout) == scope["predict"]([0.5, -1.5])

    def test_hostile_names(self):
        model = random_model(width=(2, 2))
        for first, second in zip(HOSTILE, HOSTILE[1:] + HOSTILE[:1], strict=True):
            model.input_names = model.output_names = [first, second]
            model.classes = [second, first]
            content, scope = tables_of(model, intervals=4)
            assert [x["name"] for x in content["inputs"]] == [first, second]
            assert scope["INPUTS"] == scope["OUTPUTS"] == (first, second)
            assert scope["CLASSES"] == (second, first)

    def test_labels(self):
        model = random_model(width=(2, 3))
        model.classes = ["a", "b", "c"]
        _, scope = tables_of(model, intervals=2000)
        X = inputs(scope["BOX"], 200)
        y = model(model.scaling.x_to_network(X))
        clear = np.ptp(np.sort(y)[:, 1:], axis=1) > 2 * max(scope["ERROR"])
        labels = np.array([scope["predict_class"](row) for row in X.tolist()])
        assert clear.sum() > 100 and np.array_equal(labels[clear], model.predict_class(X)[clear])

    def test_an_input_of_one_value(self):
        model = random_model()
        _, scope = tables_of(model, box=[(0.5, 0.5), (-1, 1)], intervals=200)
        assert_within(model, scope, inputs([(0.5, 0.5), (-1, 1)]))


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"bits": 12}, "`bits` must be 8 or 16"),
            ({"bits": True}, "`bits`"),
            ({"intervals": 0}, "`intervals` must be an integer from 1 to 65535"),
            ({"intervals": 2.0}, "`intervals`"),
            ({"box": [(0, 1)]}, "`box` must be 2 pairs"),
            ({"box": [(0, 1), (2, 1)]}, "low <= high"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            tables_of(random_model(), **options)

    def test_undefined_within_the_box(self, tmp_path):
        model = KAN([1, 1]).fix_symbolic(0, 0, 0, "log", affine=[1, 0, 1, 0])
        with pytest.raises(ExportError, match=r"edge \(0, 0, 0\) may be undefined"):
            export(program_of(model), tmp_path / "net.json", "table")
        assert list(tmp_path.iterdir()) == []
        _, scope = tables_of(model, box=[(0.1, 1)])
        assert_within(model, scope, inputs([(0.1, 1)]))

    def test_own_functions(self):
        model = KAN([1, 1])
        model.add_function("cube", lambda x: x**3)
        with pytest.raises(ExportError, match="'cube', which is the user's own"):
            tables_of(model.fix_symbolic(0, 0, 0, "cube", affine=[1, 0, 1, 0]))
