"""The command line: what it writes, and that every error is one sentence that leaves nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import kanref
from kanref import KAN
from kanref.cli import main
from kanref.cli.destinations import check_destinations, write_all
from kanref.cli.errors import Refused
from kanref.cli.options import finite, hidden_layers, names_list
from kanref.cli.recipe import Recipe, choose_hidden, learn, without_idle_edges
from kanref.datasets import create_dataset_from_data
from kanref.table_files import read_table

QUICK = ["--steps", "8", "--width", "2", "--seed", "1"]


def table(n=60, seed=0):
    """Two inputs that matter, one that does not, in units far from 1."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0, 1e3, n), rng.normal(50, 1, n), rng.normal(size=n)
    return pd.DataFrame({"power in W": a, "angle": b, "noise": c, "drag": a**2 / 1e4 + 3 * b})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with data.csv."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("data.csv", index=False)
    return tmp_path


def run(*arguments):
    """Run a command in this process: exit code and what went to the two streams."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as stopped:
        main([str(a) for a in arguments])
    return SimpleNamespace(
        exit_code=stopped.value.code, stdout=stdout.getvalue(), stderr=stderr.getvalue()
    )


def files():
    return sorted(str(p) for p in Path().rglob("*"))


def refused(*arguments):
    """Run a command that must be refused, and return its sentence; nothing may be written."""
    before = {name: Path(name).stat().st_mtime_ns for name in files()}
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert {name: Path(name).stat().st_mtime_ns for name in files()} == before
    return result.stderr.removeprefix("Error: ").strip()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The files of one quick fit, with what the terminal showed."""
    home = tmp_path_factory.mktemp("fitted")
    table().to_csv(home / "data.csv", index=False)
    (home / "out").mkdir()
    result = run(
        "fit",
        home / "data.csv",
        "--target",
        "drag",
        *QUICK,
        "--out",
        home / "m.npz",
        "--plot",
        home / "out" / "net.png",
        "--report",
        home / "report.md",
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return home, result.stdout


# --- fit -----------------------------------------------------------------------------------------


def test_fit_writes_what_was_asked_for_and_nothing_else(fitted):
    home, shown = fitted
    names = {str(p.relative_to(home)) for p in home.rglob("*")}
    assert names == {"data.csv", "m.npz", "out", "out/net.png", "report.md"}
    assert (home / "out" / "net.png").read_bytes().startswith(b"\x89PNG")
    assert "drag from power in W, angle, noise: 48 rows to learn from, 12 held out" in shown


def test_the_reported_errors_are_those_of_the_rows_held_out(fitted):
    """Split, predict and score once more, by hand."""
    home, shown = fitted
    frame = pd.read_csv(home / "data.csv")
    test = np.random.default_rng(1).permutation(60)[48:]
    y = frame["drag"].to_numpy()
    model = KAN.load(home / "m.npz")
    assert model.input_names == ["power in W", "angle", "noise"]
    assert model.output_names == ["drag"]
    error = model.predict(frame)[test, 0] - y[test]
    r2 = 1 - np.sum(error**2) / np.sum((y[test] - y[test].mean()) ** 2)
    row = next(line.split() for line in shown.splitlines() if line.startswith("network "))
    assert row[1:] == [
        f"{np.sqrt(np.mean(error**2)):.4g}",
        f"{np.mean(np.abs(error)):.4g}",
        f"{r2:.4f}",
    ]
    assert f"| network | {row[1]} | {row[2]} | {row[3]} |" in (home / "report.md").read_text()
    mean = np.delete(y, test).mean()
    assert f"{np.sqrt(np.mean((y[test] - mean) ** 2)):.4g}" in shown


def test_scaling_comes_from_the_training_rows(fitted):
    home, _ = fitted
    frame = pd.read_csv(home / "data.csv")
    train = frame.iloc[np.random.default_rng(1).permutation(60)[:48]]
    scaling = KAN.load(home / "m.npz").scaling
    np.testing.assert_allclose(scaling.x_shift, train.iloc[:, :3].mean(), rtol=1e-12)
    np.testing.assert_allclose(scaling.y_scale, train["drag"].std(ddof=0), rtol=1e-12)


def test_the_report_has_the_picture_and_the_command(fitted):
    home, _ = fitted
    text = (home / "report.md").read_text()
    assert "![The network](<out/net.png>)" in text
    assert f"kanref fit {home}/data.csv --target drag --steps 8 --width 2 --seed 1 --out" in text
    assert "| `power in W` |" in text
    assert "seed: 1" in text


def test_the_same_command_gives_the_same_files(fitted, folder):
    home, _ = fitted
    run("fit", "data.csv", "--target", "drag", *QUICK, "--out", "again.npz")
    first, second = KAN.load(home / "m.npz"), KAN.load("again.npz")
    np.testing.assert_array_equal(first.theta, second.theta)


def test_fit_from_parquet_equals_fit_from_csv(fitted, folder):
    home, _ = fitted
    table().to_parquet("data.parquet")
    result = run("fit", "data.parquet", "--target", "drag", *QUICK, "--out", "m.npz")
    assert result.exit_code == 0
    np.testing.assert_array_equal(KAN.load("m.npz").theta, KAN.load(home / "m.npz").theta)


def test_fit_options_reach_the_model(folder):
    arguments = ["--inputs", "angle, power in W", "--width", "1x1,2", "--grid", "2", "--k", "2"]
    result = run(
        "fit",
        "data.csv",
        "--target",
        "drag",
        *QUICK[:2],
        *arguments,
        "--no-prune",
        "--test-size",
        "0.5",
        "--out",
        "m.npz",
    )
    assert result.exit_code == 0
    model = KAN.load("m.npz")
    assert (model.width, model.input_names) == ([2, [1, 1], 2, 1], ["angle", "power in W"])
    assert {(layer.G, layer.k) for layer in model.layers} == {(2, 2)}
    assert all(layer.mask.all() for layer in model.layers)
    assert "30 rows to learn from, 30 held out" in result.stdout
    assert "pruned" not in result.stdout


def test_fit_without_outputs_only_tells(folder):
    """Spaces around the name of the target do not matter, as in a table."""
    before = files()
    result = run("fit", "data.csv", "--target", " drag ", *QUICK)
    assert (result.exit_code, result.stderr, files()) == (0, "", before)
    assert "linear least squares" in result.stdout
    assert "wrote" not in result.stdout


def test_progress_where_someone_watches(folder, monkeypatch):
    for module in ("recipe", "fitting"):
        monkeypatch.setattr(f"kanref.cli.{module}.someone_watches", lambda: True)
    arguments = ["fit", "data.csv", "--target", "drag", *QUICK, "--symbolic", "--inputs", "angle"]
    result = run(*arguments)
    stages = ["finding the structure:", "refining ", "learning from all rows:", "looking for func"]
    places = [result.stderr.index(stage) for stage in stages]
    assert places == sorted(places)
    assert result.stderr.count("\n") == 1


def test_fit_notes_rows_out_of_range_and_a_network_that_is_no_better(folder):
    frame = table()
    test = np.random.default_rng(1).permutation(60)[48:]
    frame.loc[test[0], "angle"] = 1e3
    frame["drag"] = 2 * frame["angle"]
    frame.to_csv("line.csv", index=False)
    shown = run("fit", "line.csv", "--target", "drag", *QUICK, "--no-prune").stdout
    assert "\n1 test row lies outside the range of the training rows\n" in shown
    assert "the network is no better than linear least squares on the test rows" in shown


# --- fit: what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.assign(city="Bonn"), "columns must hold numbers, but 'city' has 'Bonn' in"),
        (lambda f: f.assign(angle=f.angle.where(f.angle < 50)), "missing values in 'angle' ("),
        (lambda f: f.assign(noise=1.5), "a constant column: 'noise' in all 60 rows"),
        (lambda f: f.assign(drag=7), "a constant column: 'drag' in all 60 rows"),
        (lambda f: f.assign(noise=np.where(f.index == 3, np.inf, 1)), "has inf in row 4"),
        (lambda f: f.head(19), "at least 20 rows, got 19"),
        (lambda f: f.head(0), "no rows"),
        (lambda f: f[["drag"]], "there must be an input beside the target"),
        (lambda f: f.rename(columns={"drag": "darg"}), "did you mean 'darg'?"),
        (lambda f: f.rename(columns={"noise": "drag"}), "'drag' occurs twice"),
    ],
)
def test_tables_that_are_refused(folder, change, sentence):
    change(table()).to_csv("data.csv", index=False)
    arguments = ["--out", "m.npz", "--plot", "n.svg", "--report", "r.md"]
    assert sentence in refused("fit", "data.csv", "--target", "drag", *arguments)


def test_a_column_that_is_constant_in_the_training_rows_only(folder):
    frame = table()
    frame["rare"] = 0
    frame.loc[np.random.default_rng(1).permutation(60)[-1], "rare"] = 1
    frame.to_csv("data.csv", index=False)
    sentence = refused("fit", "data.csv", "--target", "drag", *QUICK)
    assert sentence.endswith("constant column: 'rare' in the 48 training rows")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.csv", "--target", "drag"], "cannot read 'nothing.csv': No such file"),
        ([".", "--target", "drag"], "Is a directory"),
        (["data.csv"], "--target"),
        ([], "argument"),
        (["data.csv", "--target", "drag", "--inputs", "angle,"], "--inputs must be names"),
        (["data.csv", "--target", "drag", "--inputs", "agle"], "did you mean 'angle'?"),
        (["data.csv", "--target", "drag", "--inputs", "drag"], "differ"),
        (["data.csv", "--target", "drag", "--width", "3y2"], "--width must give the nodes"),
        (["data.csv", "--target", "drag", "--width", "-1"], "--width must give the nodes"),
        (["data.csv", "--target", "drag", "--width", "5,0"], "--width must give the nodes"),
        (["data.csv", "--target", "drag", "--grid", "0"], "--grid"),
        (["data.csv", "--target", "drag", "--k", "x"], "--k"),
        (["data.csv", "--target", "drag", "--steps", "0"], "--steps"),
        (["data.csv", "--target", "drag", "--seed", "-1"], "--seed"),
        (["data.csv", "--target", "drag", "--lamb", "-1"], "--lamb"),
        (["data.csv", "--target", "drag", "--lamb", "nan"], "--lamb"),
        (["data.csv", "--target", "drag", "--test-size", "1"], "--test-size"),
        (["data.csv", "--target", "drag", "--test-size", "nan"], "--test-size"),
        (["data.csv", "--target", "drag", "--test-size", "0.02"], "2 to test, got 59 and 1"),
        (["data.csv", "--target", "drag", "--test-size", "0.9"], "10 rows to learn from"),
        (["data.csv", "--target", "drag", "--frob"], "--frob"),
        (["data.csv", "--target", "drag", "extra"], "extra"),
    ],
)
def test_options_that_are_refused(folder, arguments, sentence):
    assert sentence in refused("fit", *arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--out", "missing/m.npz"], "--out: there is no folder 'missing'"),
        (["--out", "m.pkl"], "--out must end in .npz, got 'm.pkl'"),
        (["--plot", "net.jpg"], "--plot must end in .png or .svg or .pdf, got 'net.jpg'"),
        (["--report", "folder"], "--report must be a file, but 'folder' is a folder"),
        (["--report", "data.csv"], "--report and the data are the same file 'data.csv'"),
        (["--report", "folder/../x.svg", "--plot", "x.svg"], "are the same file"),
        (["--report", "r.HTML"], "--report writes Markdown, got 'r.HTML': for a page, `kanref rep"),
    ],
)
def test_outputs_are_checked_before_the_fit(folder, monkeypatch, arguments, sentence):
    (folder / "folder").mkdir()
    monkeypatch.setattr("kanref.cli.fitting.learn", None)  # it must not come so far
    assert sentence in refused("fit", "data.csv", "--target", "drag", *arguments)


def test_a_folder_that_is_protected(folder, monkeypatch):
    def protected(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", protected)
    sentence = refused("fit", "data.csv", "--target", "drag", "--out", "m.npz")
    assert sentence == "--out: cannot write 'm.npz': Permission denied"


def test_a_file_that_is_protected(folder, monkeypatch):
    Path("m.npz").write_text("precious")
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    sentence = refused("fit", "data.csv", "--target", "drag", "--out", "m.npz")
    assert sentence == "--out: cannot write 'm.npz': it is protected from writing"


def test_a_failure_at_the_end_leaves_nothing(folder, monkeypatch):
    """The model could be written and the picture not: then the model is not there either."""
    Path("m.npz").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kanref.cli.fitting.draw", fail)
    sentence = refused(
        "fit", "data.csv", "--target", "drag", *QUICK, "--out", "m.npz", "--plot", "net.png"
    )
    assert sentence == "cannot write 'net.png': No space left on device"
    assert Path("m.npz").read_text() == "old"


def test_files_that_are_there_are_replaced_with_usual_permissions(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    check_destinations({"--out": path, "--plot": None}, {}, {})
    write_all({path: lambda p: p.write_text("new") and None})
    assert (path.read_text(), [p.name for p in tmp_path.iterdir()]) == ("new", ["a.txt"])
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


@pytest.mark.parametrize("option", ["--out", "--plot", "--report"])
@pytest.mark.parametrize("linked", [False, True])
def test_pipes_and_devices_are_no_outputs(folder, monkeypatch, option, linked):
    """Nor are they through a link: the file at the end would be replaced by another."""
    name = {"--out": "f.npz", "--plot": "f.png", "--report": "f.md"}[option]
    os.mkfifo("pipe" if linked else name)
    if linked:
        Path(name).symlink_to("pipe")
    monkeypatch.setattr("kanref.cli.fitting.learn", None)  # it must not come so far
    sentence = refused("fit", "data.csv", "--target", "drag", option, name)
    assert sentence == f"{option} must be a regular file, but {name!r} is a device or a pipe"


def test_links_that_lead_nowhere(folder):
    Path("m.npz").symlink_to("missing/m.npz")
    sentence = refused_fit("m.npz")
    assert sentence == f"--out: there is no folder {str(folder.resolve() / 'missing')!r}"
    Path("m.npz").unlink()
    Path("m.npz").symlink_to("data.csv")
    assert "--out and the data are the same file" in refused_fit("m.npz")
    Path("m.npz").unlink()
    Path("m.npz").symlink_to("m.npz")
    assert refused_fit("m.npz") == "--out: the links of 'm.npz' cannot be followed"


def refused_fit(out):
    """Return the sentence that refuses to fit to `out`, which may be a link."""
    result = run("fit", "data.csv", "--target", "drag", "--out", out)
    assert (result.exit_code, result.stderr.count("\n"), Path(out).is_symlink()) == (2, 1, True)
    return result.stderr.removeprefix("Error: ").strip()


def test_a_link_stays_and_its_target_is_replaced(fitted, folder):
    """The picture is of the kind that the name of the link says."""
    (folder / "store").mkdir()
    Path("store/kept.dat").write_text("old")
    Path("net.svg").symlink_to("store/kept.dat")
    assert run("plot", fitted[0] / "m.npz", "-o", "net.svg").exit_code == 0
    assert Path("net.svg").is_symlink()
    assert not Path("store/kept.dat").is_symlink()
    assert Path("store/kept.dat").read_bytes().startswith(b"<?xml")
    assert os.listdir("store") == ["kept.dat"]


def test_models_are_saved_to_regular_files_only(folder):
    model = KAN([1, 1], seed=0)
    os.mkfifo("pipe")
    for name, rule in (("pipe", "a device or a pipe"), (".", "a folder")):
        with pytest.raises(ValueError, match=f"`path` must be a regular file .*, {rule}"):
            model.save(name)
    with pytest.raises(FileNotFoundError, match=r"`path` must be in a folder .*'missing/m.npz'"):
        model.save("missing/m.npz")
    Path("loop").symlink_to("loop")
    with pytest.raises(ValueError, match="`path` must lead to a file, got 'loop'"):
        model.save("loop")
    assert files() == ["data.csv", "loop", "pipe"]
    Path("m.npz").symlink_to("real.npz")
    model.save("m.npz")
    assert Path("m.npz").is_symlink() and not Path("real.npz").is_symlink()
    np.testing.assert_array_equal(KAN.load("real.npz").theta, model.theta)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_interrupted_fits_write_nothing(folder, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kanref.cli.fitting.learn", interrupt)
    before = files()
    result = run("fit", "data.csv", "--target", "drag", "--out", "m.npz")
    assert (result.exit_code, files()) == (130, before)
    assert result.stderr == "Error: interrupted; nothing was written\n"


def test_other_errors_are_not_hidden(folder, monkeypatch):
    """A defect of the program shows its traceback; it is not the user's mistake."""
    monkeypatch.setattr("kanref.cli.fitting.learn", None)
    with pytest.raises(TypeError):
        run("fit", "data.csv", "--target", "drag")


# --- predict -------------------------------------------------------------------------------------


def test_predictions_are_those_of_the_model(fitted, folder):
    """Bit for bit, through a table with its columns in another order and others beside them."""
    home, _ = fitted
    new = table(n=7, seed=3)
    new[["noise", "angle", "power in W"]].assign(name="x").to_csv("new.csv", index=False)
    expected = KAN.load(home / "m.npz").predict(new.iloc[:, :3].to_numpy())
    shown = run("predict", home / "m.npz", "new.csv")
    assert (shown.exit_code, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert lines[0] == "drag"
    np.testing.assert_array_equal(np.array(lines[1:], float), expected[:, 0])
    for name in ("p.csv", "p.parquet"):
        assert run("predict", home / "m.npz", "new.csv", "--out", name).stdout == ""
        frame = read_table(name)
        assert list(frame.columns) == ["drag"]
        np.testing.assert_array_equal(frame.to_numpy(float), expected)


def test_one_row_is_enough_to_predict(fitted, folder):
    home, _ = fitted
    table(n=1).to_csv("one.csv", index=False)
    assert len(run("predict", home / "m.npz", "one.csv").stdout.splitlines()) == 2


def test_a_classifier_predicts_its_labels(folder):
    model = KAN([1, 2], seed=0)
    model.classes = ["low", "high"]
    model.save("m.npz")
    Path("x.csv").write_text("x_1\n-0.5\n0.25\n0.5\n")
    lines = run("predict", "m.npz", "x.csv").stdout.split()
    expected = model.predict_class(np.array([[-0.5], [0.25], [0.5]]))
    assert lines == ["class", *expected.tolist()]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.npz", "data.csv"], "cannot read 'nothing.npz': No such file"),
        (["data.csv", "data.csv"], "the model must be a kanref model, got 'data.csv'"),
        (["m.npz", "nothing.csv"], "cannot read 'nothing.csv'"),
        (["m.npz", "few.csv"], "no column 'noise'"),
        (["m.npz", "holes.csv"], "missing values in 'noise' (1 of 3 rows)"),
        (["m.npz", "data.csv", "--out", "p.xlsx"], "--out must end in .csv or .parquet"),
        (["m.npz", "data.csv", "--out", "data.csv"], "the same file"),
        (["m.npz", "data.csv", "--out", "missing/p.csv"], "no folder 'missing'"),
    ],
)
def test_predictions_that_are_refused(fitted, folder, arguments, sentence):
    Path("m.npz").write_bytes((fitted[0] / "m.npz").read_bytes())
    table(n=3).drop(columns="noise").to_csv("few.csv", index=False)
    table(n=3).assign(noise=[1, None, 2]).to_csv("holes.csv", index=False)
    assert sentence in refused("predict", *arguments)


# --- formula -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def formula(tmp_path_factory):
    """A folder with a model of z = 40 exp(t / 500) + 7 that is a formula, and what fit showed."""
    home = tmp_path_factory.mktemp("formula")
    t = np.random.default_rng(0).uniform(0, 1000, 80)
    frame = pd.DataFrame({"t": t, "z": 40 * np.exp(t / 500) + 7})
    frame.to_csv(home / "data.csv", index=False)
    result = run(
        "fit",
        home / "data.csv",
        "--target",
        "z",
        "--width",
        "0",
        "--grid",
        "8",
        "--symbolic",
        "--out",
        home / "m.npz",
        "--report",
        home / "r.md",
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return home, result.stdout


def test_a_formula_is_found_in_the_units_of_the_table(formula):
    home, shown = formula
    line = next(line for line in shown.splitlines() if line.startswith("z = "))
    assert line == "z = 40*exp(0.002*t) + 7"
    assert f"```text\n{line}\n```" in (home / "r.md").read_text()
    assert "$$ z = 40 e^{0.002 t} + 7 $$" in (home / "r.md").read_text()
    row = next(line.split() for line in shown.splitlines() if line.startswith("formula "))
    assert float(row[1]) < 1e-9
    network = next(line.split() for line in shown.splitlines() if line.startswith("network "))
    assert float(row[1]) < float(network[1])
    t = np.array([[0.0], [100 * np.pi], [3000.0]])
    np.testing.assert_allclose(
        KAN.load(home / "m.npz").predict(t), 40 * np.exp(t / 500) + 7, rtol=1e-9
    )


def test_formulas_are_printed(formula):
    home, _ = formula
    assert run("formula", home / "m.npz").stdout == "z = 40*exp(0.002*t) + 7\n"
    assert run("formula", home / "m.npz", "--digits", "1").stdout == "z = 40*exp(0.002*t) + 7\n"
    latex = run("formula", home / "m.npz", "--latex").stdout
    assert latex == "z = 40 e^{0.002 t} + 7\n"


def test_constants_have_as_many_digits_as_they_need(folder):
    """With four digits the difference of two large numbers would be lost."""
    model = KAN([1, 1]).fix_symbolic(0, 0, 0, "exp", affine=[1e-3, 0, 1e6, -1004567.26])
    model.save("m.npz")
    assert run("formula", "m.npz").stdout == "y = 1000000*exp(0.001*x_1) - 1004567.3\n"
    shown = run("formula", "m.npz", "--digits", "4").stdout
    assert shown == "y = 1000000*exp(0.001*x_1) - 1005000\n"


def test_columns_may_be_called_like_functions(folder):
    model = KAN([2, 1]).fix_symbolic(0, 0, 0, "sin", affine=[2, 0, 1, 0])
    model = model.fix_symbolic(0, 1, 0, "log", affine=[1, 3, 1, 0])
    model.input_names = ["sin", "lambda x: 0"]
    model.save("m.npz")
    assert run("formula", "m.npz").stdout == 'y = log("lambda x: 0" + 3) + sin(2*sin)\n'


def test_names_in_formulas_are_quoted_and_latex_escaped(folder):
    model = KAN([2, 2])
    for i, j in np.ndindex(2, 2):
        model = model.fix_symbolic(0, i, j, "x^2", affine=[1, 0, 1 + i + j, 0])
    model.input_names, model.output_names = ["power in W", "x_2"], ["a^b", "y"]
    model.save("m.npz")
    assert run("formula", "m.npz").stdout.splitlines() == [
        '"a^b" = "power in W"**2 + 2*x_2**2',
        'y = 2*"power in W"**2 + 3*x_2**2',
    ]
    assert run("formula", "m.npz", "--latex").stdout.splitlines() == [
        r"\text{a\textasciicircum{}b} = \text{power in W}^{2} + 2 x_{2}^{2}",
        r"y = 2 \text{power in W}^{2} + 3 x_{2}^{2}",
    ]


def test_a_formula_that_is_nowhere_defined_is_printed_all_the_same(folder):
    KAN([1, 1]).fix_symbolic(0, 0, 0, "log", affine=[1, -9, 1, 0]).save("m.npz")
    assert run("formula", "m.npz").stdout == "y = log(x_1 - 9)\n"


def test_splines_have_no_formula(fitted, folder):
    sentence = refused("formula", fitted[0] / "m.npz")
    assert sentence.startswith("there is no formula as long as edges are splines; fit with")
    assert "(l, i, j) = (0, " in sentence
    assert "--digits" in refused("formula", fitted[0] / "m.npz", "--digits", "0")


# --- plot, info -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("SVG", b"<?xml")],
)
def test_plots_in_every_format_and_the_same_each_time(fitted, folder, suffix, start):
    home, _ = fitted
    data = ["--data", "data.csv"] if suffix == "svg" else []
    assert run("plot", home / "m.npz", "-o", f"a.{suffix}", *data).exit_code == 0
    assert run("plot", home / "m.npz", "-o", f"b.{suffix}", *data).exit_code == 0
    written = Path(f"a.{suffix}").read_bytes()
    assert written.startswith(start)
    assert written == Path(f"b.{suffix}").read_bytes()
    assert b"Date" not in written


def test_plots_show_the_names_of_the_columns(fitted, folder):
    """Names as they are, also those that Matplotlib or XML would take for something else."""
    model = KAN.load(fitted[0] / "m.npz")
    model.input_names = ["$a_", "b<c>&", "\\frac"]
    model.save("m.npz")
    assert run("plot", "m.npz", "-o", "n.svg").exit_code == 0


def test_plots_that_are_refused(fitted, folder):
    home, _ = fitted
    assert "--out must end in .png" in refused("plot", home / "m.npz", "-o", "n.txt")
    assert "--data are the same" in refused(
        "plot", home / "m.npz", "-o", "n.svg", "--data", "n.svg"
    )
    assert "--out" in refused("plot", home / "m.npz")


def test_the_version():
    shown = run("--version")
    assert (shown.exit_code, shown.stdout) == (0, f"kanref {kanref.__version__}\n")


# --- options and recipe --------------------------------------------------------------------------


def test_names_and_layers():
    assert names_list(None) is None
    assert names_list('"a, b",c  d') == ["a, b", "c d"]
    assert hidden_layers(None) is None
    assert hidden_layers(" 5 , 0x2") == [5, [0, 2]]
    assert hidden_layers("3x0") == [[3, 0]]
    assert finite("--lamb", 0.5) == 0.5
    with pytest.raises(Refused, match="--lamb must be a finite number, got nan"):
        finite("--lamb", float("nan"))
    for text in ("", "5,", "5.5", "٥", "9" * 19, "0x0", "2x2x2"):
        with pytest.raises(Refused, match="--width"):
            hidden_layers(text)


@pytest.mark.parametrize(
    ("n_in", "n_samples", "hidden"),
    [(1, 1000, [3]), (2, 1000, [5]), (5, 1000, [10]), (5, 200, [4]), (5, 48, [1]), (5, 47, [])],
)
def test_the_hidden_layer_grows_with_the_table(n_in, n_samples, hidden):
    assert choose_hidden(n_in, n_samples, k=3) == hidden


def test_pruning_keeps_the_error_and_drops_what_does_not_matter():
    """y = a·b needs two inputs of four; the model must find them and be nearly exact."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (300, 4))
    data = create_dataset_from_data(X, np.sin(X[:, 0]) + X[:, 2] ** 2, 0.8, 0)
    model, notes = learn(data, Recipe(steps=60))
    scores = model.attribute(data.X_train).feature_scores
    assert (scores[[1, 3]] == 0).all() and (scores[[0, 2]] > 0.1).all()
    error = model.predict(data.X_test) - data.y_test
    assert np.sqrt(np.mean(error**2)) < 0.02 * data.y_test.std()
    assert notes[0].startswith("pruned from ")


def test_edges_that_give_nothing_are_taken_out():
    """One follows 0, one is constant on the rows, and one matters; a node is left idle."""
    model = KAN([2, 2, 1], seed=0)
    for i, j, name in ((0, 0, "x^2"), (1, 0, "0"), (0, 1, "0"), (1, 1, "x")):
        model = model.fix_symbolic(0, i, j, name, affine=[1, 0, float(name != "0"), 0])
    model = model.fix_symbolic(1, 0, 0, "x", affine=[1, 0, 2, 0.5])
    model = model.fix_symbolic(1, 1, 0, "0", affine=[0, 0, 0, 0])
    X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    y = model.predict(X)
    smaller = without_idle_edges(model, X, y)
    assert [layer.mask.tolist() for layer in smaller.layers] == [[[True], [False]], [[True]]]
    np.testing.assert_allclose(smaller.predict(X), y, rtol=1e-12)


def test_edges_that_matter_elsewhere_stay_where_predictions_would_change():
    model = KAN([2, 1]).fix_symbolic(0, 0, 0, "x", affine=[1, 0, 1, 0])
    model = model.fix_symbolic(0, 1, 0, "0", affine=[0, 0, 0, 3])
    X = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    kept = without_idle_edges(model, X, model.predict(X))
    np.testing.assert_allclose(kept.predict(X), model.predict(X), rtol=1e-12)


def test_symbolic_fits_have_no_edges_that_give_nothing(folder, monkeypatch):
    """The search says that an input follows 0; the report does not list that edge."""

    def zero(model, X, y, **_):
        model = model.fix_symbolic(0, 0, 0, "x", X)
        return model.fix_symbolic(0, 1, 0, "0", affine=[0, 0, 0, 0])

    monkeypatch.setattr(KAN, "auto_symbolic", zero)
    names = ["--inputs", "power in W,noise", "--width", "0", "--steps", "3", "--no-prune"]
    arguments = ["--symbolic", "--out", "m.npz", "--report", "r.md"]
    assert run("fit", "data.csv", "--target", "drag", *names, *arguments).exit_code == 0
    assert KAN.load("m.npz").layers[0].mask.tolist() == [[True], [False]]
    assert "noise → drag" not in Path("r.md").read_text()


def test_a_grid_coarser_than_asked_for_is_told(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (60, 1))
    data = create_dataset_from_data(X, X[:, 0] + rng.normal(size=60), 0.8, 0)
    monkeypatch.setattr(
        "kanref.cli.recipe._best", lambda found: min(found, key=lambda c: c.model.layers[0].G)
    )
    recipe = Recipe(steps=3, hidden=[], grid=12, prune=False)
    model, notes = learn(data, recipe)
    assert model.layers[0].G == 3
    assert notes == [
        "the grid has 3 intervals and not 12: the finer one did not lower the validation error"
    ]
    assert learn(data, replace(recipe, grid=3))[1] == []


def test_pruning_is_refused_where_it_would_cost_too_much(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (120, 3))
    data = create_dataset_from_data(X, X @ [3.0, 1.0, 0.5], 0.8, 0)
    monkeypatch.setattr("kanref.cli.recipe.THRESHOLDS", ((0.4, 0.4),))
    model, notes = learn(data, Recipe(steps=15, hidden=[]))
    assert notes == ["nothing was pruned: none of the 3 edges could be spared"]
    assert sum(layer.mask.sum() for layer in model.layers) == 3


def test_the_test_rows_take_no_part():
    """Other test rows, same model."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (80, 2))
    data = create_dataset_from_data(X, X[:, 0] ** 2, 0.8, 0)
    other = create_dataset_from_data(X, X[:, 0] ** 2, 0.8, 0)
    other.X_test[:], other.y_test[:] = 9, -9
    recipe = Recipe(steps=5)
    np.testing.assert_array_equal(learn(data, recipe)[0].theta, learn(other, recipe)[0].theta)


# --- as a process --------------------------------------------------------------------------------


def process(*arguments, code=None):
    command = [sys.executable, *(["-c", code] if code else ["-m", "kanref"]), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def test_no_progress_and_no_colours_in_a_pipe(folder):
    result = process("fit", "data.csv", "--target", "drag", *QUICK, "--out", "m.npz")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout and "\r" not in result.stdout
    assert Path("m.npz").exists()


def test_errors_of_a_process(folder):
    result = process("fit", "data.csv", "--target", "dragg")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "Error: there is no column 'dragg': did you mean 'drag'?\n"


@pytest.mark.parametrize("arguments", [["info"], ["predict", "m.npz", "long.csv"]])
def test_a_reader_that_is_gone_is_no_error(fitted, folder, arguments):
    """Whether the output is long enough to be written at once, or waits in the buffer."""
    Path("m.npz").write_bytes((fitted[0] / "m.npz").read_bytes())
    table(5000).to_csv("long.csv", index=False)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "kanref", *arguments]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environ)
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, "")


def test_a_full_standard_output_is_one_sentence(folder):
    """A limit on the size of files stands for the disk that is full."""
    code = (
        "import resource, kanref.cli; from kanref import KAN; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); kanref.cli.main(['info'])"
    )
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with open("shown.txt", "w") as file:
        result = subprocess.run(
            [sys.executable, "-c", code],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
    sentence = "Error: cannot go on with standard output: File too large\n"
    assert (result.returncode, result.stderr) == (1, sentence)


def test_no_standard_output_at_all(fitted, folder, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    for arguments, code in ((["info"], 0), (["predict", fitted[0] / "m.npz", "data.csv"], 2)):
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        assert stopped.value.code == code


def test_a_process_that_is_interrupted(folder):
    code = (
        "import os, signal, kanref.cli, kanref.cli.fitting as f; "
        "f.learn = lambda *_: os.kill(os.getpid(), signal.SIGINT); "
        "kanref.cli.main(['fit', 'data.csv', '--target', 'drag', '--out', 'm.npz'])"
    )
    result = process(code=code)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "Error: interrupted; nothing was written\n"
    assert files() == ["data.csv"]


@pytest.mark.parametrize("name", ["typer", "pandas"])
def test_what_is_missing_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    for module in ("kanref.cli.app", "kanref.cli.errors"):
        monkeypatch.delitem(sys.modules, module)
    result = run("info")
    message = f'Error: the command line needs {name}: pip install "kanref[cli]"\n'
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", message)


def test_other_modules_that_are_missing_are_not_hidden(monkeypatch):
    monkeypatch.setitem(sys.modules, "difflib", None)
    for module in ("kanref.cli.app", "kanref.cli.errors", "kanref.table_files"):
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ModuleNotFoundError, match="difflib"):
        main(["info"])


def test_importing_the_command_line_is_light():
    heavy = ["typer", "pandas", "scipy", "sympy", "matplotlib", "tqdm"]
    code = (
        f"import sys, kanref.cli, json; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    )
    assert json.loads(process(code=code).stdout) == []


def test_main_takes_arguments_and_shows_help(capsys):
    for arguments in ([], ["--help"], ["fit", "-h"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0
        assert "Usage: kanref" in capsys.readouterr().out
