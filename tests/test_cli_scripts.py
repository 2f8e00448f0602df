"""The command line in scripts: JSON, quiet, pipes, colours, completion, its manual."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pandas as pd
import pytest
from cli_runs import run

import kanref
from kanref import KAN
from kanref.cli.output import RED, as_json, printable, styled
from kanref.cli.recipe import Recipe

QUICK = ["--steps", "5", "--width", "2"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with data.csv, and with a model that is a formula."""
    folder = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a b": rng.uniform(-1, 1, 50), "ü": rng.uniform(2, 3, 50)})
    frame = frame.round(4)  # pandas 2 reads longer numbers to the last digit but one
    frame["y"] = (frame["a b"] ** 2 + frame["ü"]).round(6)
    frame.to_csv(folder / "data.csv", index=False)
    model = KAN([2, 1]).fix_symbolic(0, 0, 0, "x^2", affine=[1, 0, 2, 0])
    model = model.fix_symbolic(0, 1, 0, "x", affine=[1, 0, 1, 0])
    model.input_names = ["a b", "ü"]
    model.save(folder / "m.npz")
    return folder


# --- JSON ----------------------------------------------------------------------------------------


def test_what_a_fit_tells_a_script(home, tmp_path):
    result = run(
        "fit", home / "data.csv", "--target", "y", *QUICK, "--json", "--out", tmp_path / "n.npz"
    )
    assert (result.exit_code, result.stderr, result.stdout.count("\n")) == (0, "", 1)
    found = json.loads(result.stdout)
    assert (found["target"], found["inputs"], found["seed"]) == ("y", ["a b", "ü"], 0)
    assert (found["n_train"], found["n_test"]) == (40, 10)
    model, frame = (
        KAN.load(tmp_path / "n.npz"),
        pd.read_csv(home / "data.csv"),
    )
    test = frame.iloc[np.random.default_rng(0).permutation(50)[40:]]
    rmse = np.sqrt(np.mean((model.predict(test)[:, 0] - test["y"]) ** 2))
    assert found["scores"]["network"]["rmse"] == pytest.approx(rmse, rel=1e-12)
    assert found["model"]["width"] == model.width
    assert found["model"]["n_parameters"] == model.n_params
    assert set(found["features"]) <= {"a b", "ü"}
    assert found["formula"] is None
    assert found["wrote"] == [str(tmp_path / "n.npz")]


def test_predictions_for_a_script(home, tmp_path):
    found = json.loads(run("predict", home / "m.npz", home / "data.csv", "--json").stdout)
    expected = KAN.load(home / "m.npz").predict(pd.read_csv(home / "data.csv"))[:, 0]
    assert [row["y"] for row in found["predictions"]] == expected.tolist()
    out = tmp_path / "p.csv"
    shown = run("predict", home / "m.npz", home / "data.csv", "--json", "--out", out).stdout
    assert json.loads(shown) == {"rows": 50, "wrote": [str(out)]}


def test_the_other_commands_for_a_script(home, tmp_path):
    found = json.loads(run("formula", home / "m.npz", "--json").stdout)
    assert found == {
        "inputs": ["a b", "ü"],
        "formulas": [
            {
                "output": "y",
                "formula": '2*"a b"**2 + ü',
                "latex": r"2 \text{a b}^{2} + \text{ü}",
            }
        ],
    }
    shown = run("plot", home / "m.npz", "-o", tmp_path / "n.svg", "--json").stdout
    assert json.loads(shown) == {"wrote": [str(tmp_path / "n.svg")]}
    assert run("plot", home / "m.npz", "-o", tmp_path / "n.svg").stdout == ""


def test_json_has_no_numbers_that_parsers_refuse():
    data = {"a": [math.nan, -math.inf, np.float32(0.5), np.arange(2)], 3: (True, None, "\ud800")}
    text = as_json(data)
    assert json.loads(text) == {"a": [None, None, 0.5, [0, 1]], "3": [True, None, "?"]}
    assert "NaN" not in text and "Infinity" not in text


def test_errors_stay_sentences_with_json(home):
    result = run("fit", home / "data.csv", "--target", "z", "--json")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


# --- quiet, pipes, terminals ---------------------------------------------------------------------


def test_quiet_tells_nothing_but_errors(home, tmp_path):
    out = tmp_path / "n.npz"
    result = run("fit", home / "data.csv", "--target", "y", *QUICK, "-q", "--out", out)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert out.exists()
    assert run("fit", home / "data.csv", "--target", "z", "--quiet").stderr.startswith("Error: ")


def test_quiet_fits_show_no_progress(home, monkeypatch):
    monkeypatch.setattr("kanref.cli.recipe.someone_watches", lambda: True)
    assert Recipe().watched and not Recipe(quiet=True).watched
    arguments = ["fit", home / "data.csv", "--target", "y", *QUICK]
    assert "finding the structure" in run(*arguments).stderr
    assert run(*arguments, "--quiet").stderr == ""


@pytest.mark.parametrize("to_bytes", ["csv", "parquet"])
def test_tables_come_through_a_pipe(home, to_bytes, tmp_path):
    frame = pd.read_csv(home / "data.csv")
    stdin = frame.to_csv(index=False).encode() if to_bytes == "csv" else frame.to_parquet()
    piped = run("predict", home / "m.npz", "-", stdin=stdin)
    assert piped == run("predict", home / "m.npz", home / "data.csv")
    assert piped.stdout.count("\n") == 51
    fitted = run("fit", "-", "--target", "y", *QUICK, "--json", stdin=stdin)
    assert json.loads(fitted.stdout)["n_train"] == 40
    picture = ["plot", home / "m.npz", "--data", "-", "-o", tmp_path / "n.svg"]
    assert run(*picture, stdin=stdin).exit_code == 0


def test_what_is_wrong_in_a_pipe_is_told(home):
    sentence = run("predict", home / "m.npz", "-", stdin=b"").stderr
    assert sentence == "Error: cannot read standard input: it is empty\n"
    sentence = run("predict", home / "m.npz", "-", stdin=b"ab\xff\n1\n").stderr
    assert sentence == "Error: cannot read standard input: it is not text in UTF-8\n"


def test_no_standard_input_at_all(home, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert run("predict", home / "m.npz", "-").stderr == "Error: there is no standard input\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_on_terminals_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert styled("Error:", RED, Terminal()) == "\x1b[1;31mError:\x1b[0m"
    assert styled("Error:", RED, io.StringIO()) == "Error:"
    monkeypatch.setenv("NO_COLOR", "1")
    assert styled("Error:", RED, Terminal()) == "Error:"
    monkeypatch.setenv("NO_COLOR", "")  # counts as unset
    assert styled("Error:", RED, Terminal()) != "Error:"
    monkeypatch.setenv("TERM", "dumb")
    assert styled("Error:", RED, Terminal()) == "Error:"


def test_names_cannot_steer_the_terminal(tmp_path):
    model = KAN([1, 1]).fix_symbolic(0, 0, 0, "x", affine=[1, 0, 1, 0])
    model.input_names = ["a\x1b[2J\x9b31m\x7f"]
    model.save(tmp_path / "m.npz")
    (tmp_path / "d.csv").write_text("b\n1\n")
    for arguments in (["formula", tmp_path / "m.npz"], ["predict", *tmp_path.iterdir()]):
        result = run(*arguments)
        assert result.exit_code in (0, 2)
        assert not set("\x1b\x9b\x7f") & set(result.stdout + result.stderr)
    assert printable("a\tb\n\x00ü") == "a\tb\n\\x00ü"


def test_streams_that_lack_characters(home):
    """ASCII is enough for a summary with Greek letters and names with dots."""
    result = subprocess.run(
        [sys.executable, "-m", "kanref", "formula", home / "m.npz"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b'y = 2*"a b"**2 + \\xfc\n'


def test_short_memory_is_one_sentence(home, monkeypatch):
    def short(*_):
        raise MemoryError

    monkeypatch.setattr("kanref.cli.fitting.learn", short)
    result = run("fit", home / "data.csv", "--target", "y")
    assert (result.exit_code, result.stderr) == (1, "Error: there is not enough memory\n")


# --- the manual, completion, the machine ---------------------------------------------------------


def test_the_manual(monkeypatch):
    shown = run("--help").stdout
    for part in ("Examples:", "Exit codes:", "130  interrupted", "NO_COLOR", "Shell completion:"):
        assert part in shown
    assert "    kanref formula drag.npz --latex\n" in shown
    assert max(map(len, shown.splitlines())) <= 80
    for command in ("fit", "predict", "formula", "plot", "warmup"):
        text = run(command, "--help").stdout
        assert "Examples:" in text and f"\n    kanref {command} " in text


def test_every_example_of_the_manual_is_a_command_that_is_there():
    """Its options too: --help takes the place of the files."""
    from kanref.cli import manual

    texts = [v for k, v in vars(manual).items() if k.isupper()]
    lines = [line for text in texts for line in text.splitlines() if "  " in line[:2]]
    examples = [line[line.index("kanref ") :].split("|")[0].split(">")[0] for line in lines
                if "kanref " in line]  # fmt: skip
    assert len(examples) > 12
    for example in examples:
        options = [word for word in example.split() if word.startswith("-") and word != "-"]
        helped = run(example.split()[1], "--help").stdout
        assert [option for option in options if option not in helped] == [], example


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    """The shell asks this program; it must answer without pandas, which takes long to import."""
    code = (
        "import sys, kanref.cli\n"
        "try: kanref.cli.main()\n"
        "finally: assert 'pandas' not in sys.modules and 'scipy' not in sys.modules"
    )
    asked = {
        "_KANREF_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "kanref fo",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "kanref fo",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | asked
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "formula" in result.stdout and "predict" not in result.stdout


def test_info_names_versions_and_backends():
    shown, found = run("info").stdout, json.loads(run("info", "--json").stdout)
    assert f"numpy     {np.__version__}\n" in shown
    assert "backends  numpy: always there" in shown
    assert found["kanref"] == kanref.__version__
    if found["numba"]:
        assert f"numba: there ({found['numba']}), and the default" in shown
        assert f"\nkernels   {found['kernels'] or 'nowhere'}" in shown
    assert f"\nthreads   {found['threads']} of {found['processors']} processors\n" in shown


def test_info_without_the_optional_packages(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("kanref.cli.machine.missing", lambda: "needs CuPy")
    monkeypatch.setattr("kanref.cli.machine.devices", list)
    monkeypatch.setattr("kanref.cli.machine.numba_kernels", lambda: None)
    monkeypatch.setattr("kanref.cli.machine.metadata.version", absent)
    monkeypatch.setattr("kanref.cli.machine.versions", lambda: {"kanref": "1", "platform": "here"})
    shown = run("info").stdout
    assert "extras    typer not installed, pandas not installed, pyarrow not installed" in shown
    assert "numba: not there; NumPy computes instead, and everything works" in shown
    assert "cupy: not there: it needs CuPy" in shown
    assert "threads   1 of" in shown
    assert json.loads(run("info", "--json").stdout)["numba"] is None
    shown = run("warmup")
    assert (shown.exit_code, "nothing to compile: Numba is not" in shown.stdout) == (0, True)


def test_the_warmup_tells_what_it_did(monkeypatch):
    from kanref.kernels.cache import Warmup

    asked = []

    def warm(dtypes, degrees):
        asked.append((list(dtypes), list(degrees)))
        return Warmup(tuple(dtypes), tuple(degrees), 5, 2, 1.25, None)

    monkeypatch.setattr("kanref.cli.machine.numba_kernels", lambda: True)
    monkeypatch.setattr("kanref.cli.machine.warmup", warm)
    shown = run("warmup").stdout
    assert shown.splitlines()[:2] == [
        "compiled 5 kernels in 1.2 s, 2 were there already",
        "ready for float64, splines of degree 3",
    ]
    assert "kept nowhere" in shown
    arguments = ["warmup", "--k", "2", "--k", "1", "--dtype", "float32", "--json"]
    assert json.loads(run(*arguments).stdout) == {
        "dtypes": ["float32"], "degrees": [2, 1], "compiled": 5, "loaded": 2, "seconds": 1.25,
        "directory": None,
    }  # fmt: skip
    assert asked == [(["float64"], [3]), (["float32"], [2, 1])]


@pytest.mark.parametrize("arguments", [["--k", "6"], ["--dtype", "float16"], ["--k", "x"]])
def test_warmups_that_are_refused(arguments):
    result = run("warmup", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert arguments[0] in result.stderr
