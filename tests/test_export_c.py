"""The target c: compiled by every compiler there is, run under sanitizers, equal to the model."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

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
    with_layers,
    with_repeated_knots,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN
from kanref.export import ExportError, program_of, render
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
SANITIZE = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

pytestmark = pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")
each_compiler = pytest.mark.parametrize("compiler", COMPILERS)


def compiled(model: KAN, folder: Path, *flags: str, compiler: str = COMPILERS[0], **options):
    """Export, compile as a program, and return its path."""
    model.export(folder / "net.c", **options)
    command = [compiler, *STRICT, *flags, "-DNET_MAIN", "net.c", "-o", "net", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "net"


def run(program: Path, rows) -> np.ndarray:
    """Feed rows to a compiled program and return what it prints."""
    text = "\n".join(" ".join(map(repr, row)) for row in np.asarray(rows, dtype=float).tolist())
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return np.array([line.split() for line in done.stdout.splitlines()], dtype=float)


def check(model: KAN, folder: Path, *flags: str, tolerance: float = 1e-12, **options) -> None:
    rows = rows_for(model)
    program = compiled(model, folder, *flags, **options)
    agree(run(program, rows), quiet_predict(model, rows), tolerance)
    broken = broken_rows(model)
    if options.get("dtype") != "float":
        agree(run(program, broken), quiet_predict(model, broken), tolerance)


@each_compiler
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_under_sanitizers(k, extrapolate, compiler, tmp_path):
    model = random_model(k=k, extrapolate=extrapolate, seed=k)
    check(model, tmp_path, *SANITIZE, compiler=compiler)
    check(with_repeated_knots(model), tmp_path, *SANITIZE, compiler=compiler)


@each_compiler
def test_huge_numbers_do_no_harm(compiler, tmp_path):
    huge = [[a, b] for a in (1e300, -1e300, 1.7e308) for b in (0.0, 1e18, -1e18, 1.7e308)]
    for options in ({}, {"dtype": "float"}):
        program = compiled(random_model(), tmp_path, *SANITIZE, compiler=compiler, **options)
        assert run(program, huge).shape == (12, 3)
    program = compiled(base_model("silu"), tmp_path, *SANITIZE, compiler=compiler, lookup=1e-5)
    assert run(program, huge).shape == (12, 3)


@each_compiler
def test_optimised(compiler, tmp_path):
    check(random_model(k=4, base_fun="gelu"), tmp_path, "-O3", compiler=compiler)


@each_compiler
@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_floats(extrapolate, compiler, tmp_path):
    for dtype in ("float32", "float64"):
        model = random_model(dtype=dtype, extrapolate=extrapolate)
        check(model, tmp_path, *SANITIZE, tolerance=1e-5, compiler=compiler, dtype="float")


def test_a_large_shift_costs_a_float_build_no_digits(tmp_path):
    model = random_model(dtype="float32")
    scaling = model.scaling
    model.scaling = replace(scaling, x_shift=np.array([2020.123456, -1e5]))
    near = np.float32(model.scaling.x_shift)
    rows = (near + np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)).astype(float)
    agree(run(compiled(model, tmp_path), rows), model.predict(rows), 1e-5)


def test_the_type_is_that_of_the_model_unless_it_is_given(tmp_path):
    def header(model, **options):
        return list(render(program_of(model), "net.c", **options).values())[1]

    assert "const float *row" in header(random_model(dtype="float32"))
    assert "const double *row" in header(random_model(dtype="float32"), dtype="double")
    assert "const double *row" in header(random_model())


@pytest.mark.parametrize("name", BASE_FUNCTIONS)
def test_base_functions(name, tmp_path):
    check(base_model(name), tmp_path)
    model, rows = bare_base_model(name), np.linspace(-30, 30, 301)[:, None]
    agree_each(run(compiled(model, tmp_path), rows), model.predict(rows))


@each_compiler
def test_functions_in_and_out_of_their_domains(compiler, tmp_path):
    model, rows = function_model(*FUNCTIONS), function_rows()
    program = compiled(model, tmp_path, *SANITIZE, compiler=compiler)
    agree_each(run(program, rows), quiet_predict(model, rows))


def test_infinity_gives_nan_where_arithmetic_gives_infinity(tmp_path):
    rows = [[np.inf], [-np.inf], [np.nan], [3.0]]
    agree(run(compiled(rising_model(), tmp_path), rows), [[np.nan], [np.nan], [np.nan], [6.0]])


def test_what_overflows_within_goes_on_as_nan(tmp_path):
    model, rows = overflowing_model(), np.array([[1.0], [709.0], [710.0], [1e5]])
    agree(run(compiled(model, tmp_path), rows), quiet_predict(model, rows))


@each_compiler
@pytest.mark.parametrize("dtype", ["double", "float"])
def test_a_function_of_the_users_own_by_its_sympy_form(dtype, compiler, tmp_path):
    model, rows = own_model(cube_root_form, (-2.0, 2.0)), np.linspace(-3, 3, 41)[:, None]
    program = compiled(model, tmp_path, *SANITIZE, compiler=compiler, dtype=dtype)
    agree(run(program, rows), model.predict(rows), 1e-12 if dtype == "double" else 1e-5)


@settings(max_examples=8, deadline=None)
@given(
    width=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    products=st.lists(st.integers(2, 4), max_size=2),
    G=st.integers(1, 6),
    k=st.integers(0, 6),
    extrapolate=st.sampled_from(["linear", "zero"]),
    base_fun=st.sampled_from(list(BASE_FUNCTIONS)),
    repeated=st.booleans(),
    compiler=st.sampled_from(COMPILERS),
    seed=st.integers(0, 10**6),
)
def test_random_networks(tmp_path_factory, compiler, **drawn):
    model = drawn_model(**drawn)
    check(model, tmp_path_factory.mktemp("net"), compiler=compiler)


@each_compiler
def test_no_state_no_heap(compiler, tmp_path):
    random_model().export(tmp_path / "net.c")
    flags = [*STRICT, "-fno-pic", "-c", "net.c"]  # addresses in tables are constants then
    subprocess.run([compiler, *flags], cwd=tmp_path, check=True)
    listing = subprocess.run(
        ["nm", "net.o"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    kinds = {line[17] for line in listing.splitlines()}
    assert not kinds & set("bBdDcCsSgG"), listing  # nothing that can be written to
    assert not re.search(r"malloc|calloc|free", listing)


@each_compiler
@pytest.mark.parametrize("options", [{}, {"dtype": "float"}])
def test_without_a_library(compiler, options, tmp_path):
    """Splines, with a tabulated base function, refer to nothing outside."""
    for model in (random_model(symbolic=False), random_model(symbolic=False, base_fun="relu")):
        lookup = {} if model.layers[0].base_fun.name == "relu" else {"lookup": 1e-6}
        model.export(tmp_path / "net.c", **lookup, **options)
        flags = [*STRICT, "-ffreestanding", "-O2", "-c", "net.c"]
        subprocess.run([compiler, *flags], cwd=tmp_path, check=True)
        assert "math.h" not in (tmp_path / "net.c").read_text()
        listing = subprocess.run(
            ["nm", "-u", "net.o"], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout
        allowed = {"memset", "memcpy", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
        assert set(re.findall(r"U (\w+)", listing)) <= allowed


@pytest.mark.parametrize("tolerance", [1e-2, 1e-6])
@pytest.mark.parametrize("name", ["silu", "tanh", "sigmoid", "gelu", "softplus", "gaussian"])
def test_tabulated_base_functions_keep_their_bound(name, tolerance, tmp_path):
    model = base_model(name)
    program = compiled(model, tmp_path, lookup=tolerance)
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-8, 8, (3000, 2)), rng.normal(size=(1000, 2)) * 40])
    rows = np.concatenate([x * model.scaling.x_scale + model.scaling.x_shift, rows_for(model)])
    stated = (tmp_path / "net.h").read_text()
    of_function = float(re.search(rf"{name}: (\S+)", stated)[1])
    bounds = np.array(re.findall(r"\[\d\] (\d\S+)$", stated, re.MULTILINE), dtype=float)
    assert 0 < of_function <= 1.02 * tolerance
    assert bounds.shape == (3,)
    wanted = model.predict(rows)
    error = np.abs(run(program, rows) - wanted).max(axis=0)
    assert np.all(error <= bounds + 1e-12 * np.abs(wanted).max(axis=0))
    assert np.all(error >= 1e-4 * bounds)  # a bound that says something
    broken = broken_rows(model)
    assert np.array_equal(np.isnan(run(program, broken)), np.isnan(quiet_predict(model, broken)))


def test_the_bound_of_the_outputs_goes_through_all_layers(tmp_path):
    model = random_model(width=(2, 4, 3), symbolic=False)
    program = compiled(model, tmp_path, lookup=1e-4)
    stated = (tmp_path / "net.h").read_text()
    bounds = np.array(re.findall(r"\[\d\] (\d\S+)$", stated, re.MULTILINE), dtype=float)
    rows = rows_for(model, 2000)
    error = np.abs(run(program, rows) - model.predict(rows)).max(axis=0)
    assert bounds.shape == (3,)
    assert np.all(error <= bounds)
    assert np.all(error >= 1e-3 * bounds)


def test_no_bound_is_stated_where_there_is_none(tmp_path):
    random_model(symbolic=False).export(tmp_path / "net.c", lookup=1e-4)  # it has product nodes
    assert "(no bound for all inputs)" in (tmp_path / "net.h").read_text()


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (random_model(), {"lookup": 1e-4}, "must do without math.h .* got .*tanh"),
        (base_model("sin"), {"lookup": 1e-4}, "base function must be one of silu"),
        (base_model("silu"), {"lookup": 1e-13}, "tables of at most"),
        (base_model("silu"), {"lookup": 0}, "`lookup` must be an error"),
        (base_model("silu"), {"dtype": "half"}, "`dtype` must be 'double' or 'float'"),
    ],
)
def test_options_that_will_not_do(model, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        model.export(tmp_path / "net.c", **options)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_no_float_holds_are_refused(tmp_path):
    model = base_model("silu")
    big = with_layers(model, lambda layer: replace(layer, coef=layer.coef * 1e60))
    with pytest.raises(ExportError, match="must fit a float"):
        big.export(tmp_path / "net.c", dtype="float")
    close = with_layers(model, lambda layer: replace(layer, knots=1 + 1e-12 * layer.knots))
    with pytest.raises(ExportError, match="has no extent"):
        close.export(tmp_path / "net.c", dtype="float")


NAMES = """
#include <stdio.h>
#include "net.h"
int main(void)
{
    int n;
    double row[NET_INPUTS] = {0.0};
    for (n = 0; n < NET_INPUTS; n++)
        printf("%s%c", net_input_names[n], 1);
    for (n = 0; n < NET_CLASSES; n++)
        printf("%s%c", net_classes[n], 1);
    printf("%d", net_predict_class(row));
    return 0;
}
"""


@each_compiler
def test_hostile_names_are_just_names(compiler, tmp_path):
    names = [name.replace("\x00", "") for name in HOSTILE]
    model = KAN([len(names), len(names)], grid=1, k=1)
    model.input_names = model.output_names = names
    model.classes = names
    compiled(model, tmp_path, compiler=compiler)  # with the names in comments
    (tmp_path / "names.c").write_text(NAMES)
    command = [compiler, *STRICT, "names.c", "net.c", "-o", "names", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "names"], capture_output=True, check=True).stdout
    *texts, place = printed.decode().split("\x01")
    assert texts == [*names, *names]
    assert names[int(place)] == model.predict_class(np.zeros((1, len(names))))[0]


@pytest.mark.parametrize("n_out", [1, 3])
def test_labels(n_out, tmp_path):
    model = random_model(width=(2, n_out), extrapolate="zero")
    model.classes = ["no", "yes"] if n_out == 1 else [10, 20, 30]
    rows = np.concatenate([rows_for(model), [[np.nan, 0.0]]])
    model.export(tmp_path / "net.c")
    main = """
    #include <stdio.h>
    #include "net.h"
    int main(void)
    {
        double row[2];
        while (scanf("%lf%lf", row, row + 1) == 2)
            printf("%s\\n", net_classes[net_predict_class(row)]);
        return 0;
    }
    """
    (tmp_path / "main.c").write_text(main)
    command = [COMPILERS[0], *STRICT, "main.c", "net.c", "-o", "main", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    text = "\n".join(" ".join(map(repr, row)) for row in rows.tolist())
    done = subprocess.run([tmp_path / "main"], input=text, capture_output=True, text=True)
    wanted = [str(label) for label in model.predict_class(rows).tolist()]
    assert len(set(wanted)) > 1
    assert done.stdout.split() == wanted


def test_the_name_of_the_file_is_the_prefix(tmp_path):
    model = KAN([2, 1], grid=2, k=2)
    files = model.export(tmp_path / "2nd-drag.v2.c")
    assert [file.name for file in files] == ["2nd-drag.v2.c", "2nd-drag.v2.h"]
    assert "void kan_2nd_drag_v2_predict(" in files[1].read_text()
    command = [COMPILERS[0], *STRICT, "-c", files[0].name]
    subprocess.run(command, cwd=tmp_path, check=True)
    with pytest.raises(ExportError, match="name of a C file"):
        model.export(tmp_path / 'a"b.c')


def test_it_tells_its_size_and_latency(tmp_path):
    program = compiled(KAN([2, 3, 1], grid=4, k=2), tmp_path, "-O2")
    told = subprocess.run([program, "--time"], capture_output=True, text=True, check=True).stdout
    # 5 inputs of layers with 4 + 2·2 + 1 knots, 9 edges with 4 + 2 coefficients
    assert f"tables: {8 * (5 * 9 + 9 * 6)} bytes" in told
    assert re.search(r"latency: \d+\.\d ns per prediction", told)


def test_fast_math_is_refused(tmp_path):
    random_model().export(tmp_path / "net.c")
    command = [COMPILERS[0], "-std=c99", "-ffast-math", "-c", "net.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "relies on NaN" in done.stderr
