"""The text of a formula, evaluated in every language that is at hand, against the model."""

import json
import math
import re
import shutil
import sqlite3
import subprocess

import numpy as np
import pytest
from builders import random_network
from export_cases import HOSTILE

from kanref import KAN, Scaling
from kanref.export import ExportError, export, program_of, render
from kanref.export.formula import LANGUAGES

SPECIAL = {"sinc", "j0", "j1", "erf"}
PLAIN = [
    "0", "x", "x^2", "x^3", "x^4", "x^5", "1/x", "1/x^2", "1/x^3", "1/x^4", "1/x^5", "sqrt",
    "x^0.5",
    "x^1.5", "1/sqrt(x)", "1/x^0.5", "exp", "log", "abs", "sin", "cos", "tan", "tanh", "sgn",
    "arcsin", "arccos", "arctan", "arctanh", "gaussian", "sinh", "cosh", "sigmoid",
]  # fmt: skip


def text_of(model, language, **options):
    (text,) = render(program_of(model), "f.txt", "formula", language=language, **options).values()
    return text


def symbolic_model(names=None) -> KAN:
    """Return a deep model of sums and products, in data units, every live edge symbolic."""
    network = random_network((2, (2, (2,)), 2), symbolic=False, masked=True, seed=3)
    model = KAN.from_network(network)
    functions = iter(("sin", "x^2", "tanh", "gaussian", "cosh", "sigmoid", "arctan", "abs") * 9)
    rng = np.random.default_rng(1)
    for l, layer in enumerate(model.layers):
        for i, j in np.argwhere(layer.mask):
            affine = rng.uniform(0.2, 0.9, 4)
            model = model.fix_symbolic(l, int(i), int(j), next(functions), affine=affine)
    model.scaling = Scaling([1.5, -2.0], [0.7, 3.0], [0.1, -5.0], [2.0, 1e-7])
    if names is not None:
        model.input_names, model.output_names = names
    return model


def function_model(*names):
    model = KAN([1, len(names)])
    for j, name in enumerate(names):
        model = model.fix_symbolic(0, 0, j, name, affine=[0.7, 0.21, 1.3, -0.4])
    return model


def rows(model, N=30):
    return np.random.default_rng(2).uniform(-0.25, 1.0, (N, model.n_in))


def in_python(text, X):
    scope = {}
    exec(compile(text, "formula.py", "exec"), scope)
    return [scope["formula"](*row) for row in X.tolist()]


def in_c(text, X, folder):
    n_out = int(re.search(r"double y\[(\d+)\]\)", text)[1])
    main = (
        "\n#include <stdio.h>\nint main(void) {\n"
        f"    double x[{X.shape[1]}], y[{n_out}];\n"
        f"    while (1) {{ for (int i = 0; i < {X.shape[1]}; i++)"
        ' if (scanf("%lf", x + i) != 1) return 0;\n'
        f'    formula(x, y); for (int o = 0; o < {n_out}; o++) printf("%.17g ", y[o]);'
        ' printf("\\n"); }\n}\n'
    )
    (folder / "f.c").write_text(text + main)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wtrigraphs"]
    subprocess.run(["gcc", *flags, "f.c", "-lm", "-o", "f"], cwd=folder, check=True)
    data = "\n".join(" ".join(map(repr, row)) for row in X.tolist())
    done = subprocess.run(["./f"], cwd=folder, input=data, text=True, capture_output=True)
    return [[float(v) for v in line.split()] for line in done.stdout.splitlines()]


def in_javascript(text, X, folder):
    (folder / "f.mjs").write_text(text)
    script = (
        "import {formula} from './f.mjs';"
        f"console.log(JSON.stringify({json.dumps(X.tolist())}.map(r => formula(...r))))"
    )
    (folder / "run.mjs").write_text(script)
    done = subprocess.run(["node", "run.mjs"], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_sqlite(text, X, names):
    """Run the query; functions that this SQLite was built without are registered."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("SELECT exp(1), power(2, 3), atanh(0.5), sign(-1)")
    except sqlite3.OperationalError:
        for name in ("exp", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos",
                     "atan", "atanh"):  # fmt: skip
            base.create_function(name, 1, getattr(math, name))
        base.create_function("ln", 1, math.log)
        base.create_function("power", 2, math.pow)
        base.create_function("sign", 1, lambda x: (x > 0) - (x < 0))
    columns = ", ".join('"' + name.replace('"', '""') + '" REAL' for name in names)
    base.execute(f'CREATE TABLE "data" ({columns})')
    base.executemany(f'INSERT INTO "data" VALUES ({", ".join("?" * len(names))})', X.tolist())
    cursor = base.execute(text)
    return [list(row) for row in cursor], [column[0] for column in cursor.description]


def in_spreadsheet(text, X):
    """Evaluate the cells by a literal reading: every operator but + * / is a call there."""
    scope = {name.upper(): getattr(math, name) for name in ("exp", "sqrt", "sin", "cos", "tan",
             "sinh", "cosh", "tanh", "asin", "acos", "atan", "atanh", "erf")}  # fmt: skip
    scope |= {"LN": math.log, "POWER": math.pow, "ABS": abs}
    scope |= {"SIGN": lambda x: float(x > 0) - float(x < 0), "IF": lambda c, a, b: a if c else b}
    from scipy.special import jv

    scope["BESSELJ"] = lambda x, n: float(jv(n, x))
    found = []
    formulas = [line.split(" =", 1)[1] for line in text.splitlines() if re.match("[A-Z]+2 =", line)]
    for row in X.tolist():
        cells = {f"{chr(65 + i)}2": np.float64(value) for i, value in enumerate(row)}
        python = [re.sub(r"(?<![<>=])=(?!=)", "==", formula) for formula in formulas]
        with np.errstate(all="ignore"):  # IF evaluates both of its values here
            found.append([float(eval(formula, {**scope, **cells})) for formula in python])
    return found


def evaluate(model, language, X, folder):
    text = text_of(model, language)
    if language == "c":
        return in_c(text, X, folder)
    if language == "javascript":
        return in_javascript(text, X, folder)
    if language == "sql":
        return in_sqlite(text, X, model.input_names)[0]
    return in_python(text, X) if language == "python" else in_spreadsheet(text, X)


def needs(language):
    program = {"c": "gcc", "javascript": "node"}.get(language)
    missing = program is not None and shutil.which(program) is None
    return pytest.param(
        language, marks=pytest.mark.skipif(missing, reason=f"needs {program}, which is not here")
    )


ENGINES = [needs(name) for name in LANGUAGES if name != "latex"]


def assert_same(found, model, X):
    wanted = model.predict(X)
    size = np.abs(wanted).max(axis=0) + 1e-300
    assert np.all(np.abs(np.array(found, dtype=float) - wanted) <= 1e-12 * size)


@pytest.mark.parametrize("language", ENGINES)
class TestValues:
    def test_deep_model(self, language, tmp_path):
        model = symbolic_model()
        X = rows(model) * 4
        assert_same(evaluate(model, language, X, tmp_path), model, X)

    def test_every_function(self, language, tmp_path):
        model = function_model(*PLAIN)
        X = np.random.default_rng(2).uniform(-0.25, 0.95, (30, 1))  # 0.035 … 0.875 for f
        assert_same(evaluate(model, language, X, tmp_path), model, X)

    @pytest.mark.parametrize("function", sorted(SPECIAL))
    def test_special_functions_or_an_error(self, language, function, tmp_path):
        model = function_model(function)
        X = np.append(np.random.default_rng(2).uniform(-3, 3, 20), -0.3)[:, None]
        able = {
            "sinc": LANGUAGES,
            "erf": ("python", "c", "spreadsheet"),
            "j0": ("spreadsheet",),
            "j1": ("spreadsheet",),
        }
        if language in able[function]:
            assert_same(evaluate(model, language, X, tmp_path), model, X)
        else:
            with pytest.raises(ExportError, match=r"which \w+ has no word for"):
                text_of(model, language)

    def test_hostile_names(self, language, tmp_path):
        usable = [name for name in HOSTILE if "\0" not in name] if language == "sql" else HOSTILE
        model = KAN([len(usable), 2])
        for i in range(len(usable)):
            for j in range(2):
                model = model.fix_symbolic(0, i, j, "x^2", affine=[1, 0.1 * i, 1 + j, 0])
        model.input_names, model.output_names = usable, ['b"*/ ??/', "two\nlines\\"]
        X = rows(model, 5)
        assert_same(evaluate(model, language, X, tmp_path), model, X)
        if language == "sql":
            found = in_sqlite(text_of(model, "sql"), X, usable)[1]
            assert found == model.output_names

    def test_numbers_round_trip(self, language, tmp_path):
        model = KAN([1, 1]).fix_symbolic(0, 0, 0, "x", affine=[1 / 3, 0, 1e-17 / 7, 2 / 3 * 1e300])
        assert repr(2 / 3 * 1e300) in text_of(model, language).replace("(", "").replace(")", "")
        X = rows(model, 4)
        assert_same(evaluate(model, language, X, tmp_path), model, X)

    def test_without_inputs(self, language, tmp_path):
        """All edges dead: a constant."""
        model = KAN([2, 1])
        model.layers[0].mask[:] = False
        model.scaling = Scaling([0.0, 0.0], [1.0, 1.0], [4.5], [1.0])
        X = rows(model, 3)
        assert_same(evaluate(model, language, X, tmp_path), model, X)


class TestText:
    def test_refuses_splines_before_anything_is_written(self, tmp_path):
        model = KAN([2, 1]).fix_symbolic(0, 0, 0, "sin", affine=[1, 0, 1, 0])
        with pytest.raises(ExportError, match=r"spline on edge \(l, i, j\) = \(0, 1, 0\)"):
            export(program_of(model), tmp_path / "f.txt", "formula")
        assert list(tmp_path.iterdir()) == []

    def test_all_languages_in_one_file(self, tmp_path):
        model = function_model("j0")
        (path,) = model.export(tmp_path / "f.md")
        text = path.read_text()
        assert all(f"== {name} ==" in text for name in LANGUAGES)
        assert "besselj, which javascript has no word for" in text
        assert "J_{0}" in text and "BESSELJ(" in text

    def test_latex(self):
        model = KAN([2, 1]).fix_symbolic(0, 0, 0, "sin", affine=[1e-7, 0, 2.5, 0])
        model = model.fix_symbolic(0, 1, 0, "sqrt", affine=[1, 0, 1 / 3, 0])
        model.input_names, model.output_names = ["T", r"50% \input{x}_$"], ["drag"]
        text = text_of(model, "latex")
        assert r"\text{drag} = " in text
        assert r"1 \cdot 10^{-7}" in text and "0.3333333333333333" in text
        assert r"\text{50\% \textbackslash{}input\{x\}\_\$}" in text

    def test_rounded(self):
        model = KAN([1, 1]).fix_symbolic(0, 0, 0, "sin", affine=[math.pi, 0, 1, 0])
        assert "3.14*" in text_of(model, "python", round_to=3)

    def test_plain_names_are_kept(self):
        model = symbolic_model((["speed", "lambda"], ["drag", "lift"]))
        text = text_of(model, "python")
        assert "def formula(speed, x_2):" in text and '# x_2: "lambda"' in text

    def test_own_functions(self):
        model = KAN([1, 1])
        model.add_function("cube", lambda x: x**3, sympy=lambda x: x**3)
        good = model.fix_symbolic(0, 0, 0, "cube", affine=[1, 0, 1, 0])
        assert_same(in_python(text_of(good, "python"), np.ones((1, 1))), good, np.ones((1, 1)))
        model.add_function("odd", lambda x: x**3)
        without = model.fix_symbolic(0, 0, 0, "odd", affine=[1, 0, 1, 0])
        with pytest.raises(ExportError, match="must have a SymPy form"):
            text_of(without, "c")
        assert "odd" in text_of(without, "latex")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"language": "cobol"}, "`language` must be all or one of latex"),
            ({"round_to": 0}, "`round_to` must be an integer of at least 1"),
            ({"round_to": True}, "`round_to`"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            render(program_of(function_model("sin")), "f.txt", "formula", **options)

    def test_names_that_sql_cannot_hold(self):
        model = function_model("sin")
        model.input_names = ["a\0b"]
        with pytest.raises(ExportError, match=r'"a\\x00b"'):
            text_of(model, "sql")


@pytest.mark.parametrize(("suffix", "language"), [(".tex", "latex"), (".SQL", "sql")])
def test_a_suffix_may_stand_for_a_language(suffix, language):
    model = function_model("sin")
    (text,) = render(program_of(model), f"f{suffix}").values()
    assert text == text_of(model, language)
    (asked,) = render(program_of(model), f"f{suffix}", language="c").values()
    assert asked == text_of(model, "c")
    (every,) = render(program_of(model), "f.md").values()
    assert f"== {language} ==" in every and "== c ==" in every
