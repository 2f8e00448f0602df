"""Where exports go: targets, options, files written together or not at all, the command."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from export_cases import random_model

from kanref import KAN
from kanref.cli import main
from kanref.cli.errors import Refused
from kanref.cli.exporting import option_values
from kanref.export import TARGETS, export, program_of, render, target_of
from kanref.export.files import write_files


@pytest.mark.parametrize(
    ("path", "to", "target"),
    [
        ("a/net.py", None, "python"),
        ("net.PY", None, "python"),
        ("net.py", "numpy", "numpy"),
        ("net.c", None, "c"),
        ("net.mjs", None, "javascript"),
        ("net.htm", None, "html"),
        ("net.onnx", None, "onnx"),
    ],
)
def test_the_suffix_names_the_target(path, to, target):
    assert target_of(path, to) == target


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        ("net", None, "`path` must end in one of .py, .c,"),
        ("net.docx", None, "got 'net.docx'"),
        ("net.py", "fortran", "`to` must be one of python, .* got 'fortran'"),
        ("net.py", "c", "`path` must end in .c for the target c"),
    ],
)
def test_targets_that_are_none(path, to, message):
    with pytest.raises(ValueError, match=message):
        target_of(path, to)


def test_every_row_of_the_table_is_whole():
    for name, target in TARGETS.items():
        assert find_spec(f"kanref.export.{target.module}"), name
        assert all(suffix.startswith(".") and suffix.islower() for suffix in target.suffixes)
        assert target.about


def test_unknown_options_are_named(tmp_path):
    model = KAN([2, 1])
    with pytest.raises(TypeError, match="the target python has no options, got dtype, fast"):
        model.export(tmp_path / "net.py", fast=True, dtype="float")
    with pytest.raises(TypeError, match="the target c has the options dtype, lookup, got stem"):
        model.export(tmp_path / "net.c", stem="x")
    assert list(tmp_path.iterdir()) == []


def test_files_are_returned_main_file_first(tmp_path):
    files = random_model().export(tmp_path / "my.net.c")
    assert [f.name for f in files] == ["my.net.c", "my.net.h"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my.net.c", "my.net.h"]
    assert (
        files[0].read_text()
        == render(program_of(random_model()), "my.net.c")[type(files[0])("my.net.c")]
    )


def test_permissions_are_those_of_new_files(tmp_path):
    (path,) = KAN([1, 1]).export(tmp_path / "net.py")
    (tmp_path / "other").write_text("")
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "real.py").write_text("old")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")
    KAN([1, 1]).export(tmp_path / "link.py")
    assert (tmp_path / "link.py").is_symlink()
    assert "def predict" in (tmp_path / "real.py").read_text()


def test_nothing_is_written_unless_all_can_be(tmp_path):
    (tmp_path / "net.h").mkdir()
    with pytest.raises(IsADirectoryError):
        export(program_of(KAN([1, 1])), tmp_path / "net.c")
    assert [p.name for p in tmp_path.iterdir()] == ["net.h"]
    with pytest.raises(FileNotFoundError):
        export(program_of(KAN([1, 1])), tmp_path / "missing" / "net.c")
    with pytest.raises(UnicodeEncodeError):
        write_files({tmp_path / "a": "fine", tmp_path / "b": "half \ud800"})
    assert [p.name for p in tmp_path.iterdir()] == ["net.h"]


def test_a_failure_while_writing_leaves_the_old_files(tmp_path, monkeypatch):
    (tmp_path / "net.c").write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        KAN([1, 1]).export(tmp_path / "net.c")
    assert [p.name for p in tmp_path.iterdir()] == ["net.c"]
    assert (tmp_path / "net.c").read_text() == "old"


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with net.npz."""
    monkeypatch.chdir(tmp_path)
    random_model().save("net.npz")
    return tmp_path


def run(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr), pytest.raises(SystemExit) as stopped:
        main(["export", *map(str, arguments)])
    return SimpleNamespace(
        code=stopped.value.code, stdout=stdout.getvalue(), stderr=stderr.getvalue()
    )


def test_the_command_tells_files_and_sizes(folder):
    result = run("net.npz", "-o", "net.c", "--option", "dtype=float")
    assert (result.code, result.stderr) == (0, "")
    sizes = {name: (folder / name).stat().st_size for name in ("net.c", "net.h")}
    assert result.stdout == "".join(f"{name}: {size} bytes\n" for name, size in sizes.items())
    assert "const float *row" in (folder / "net.h").read_text()


def test_the_command_as_json(folder):
    result = run("net.npz", "-o", "net.py", "--to", "numpy", "--json")
    size = (folder / "net.py").stat().st_size
    told = {"target": "numpy", "files": [{"path": "net.py", "bytes": size}]}
    assert json.loads(result.stdout) == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.npz", "-o", "net.exe"], "--out must end in one of .py"),
        (["net.npz", "-o", "net.py", "--to", "perl"], "--to must be one of python"),
        (["net.npz", "-o", "net.py", "--option", "speed"], "--option must be name=value"),
        (["net.npz", "-o", "net.py", "--option", "a=1"], "the target python has no options, got a"),
        (["net.npz", "-o", "net.c", "--option", "lookup=2"], "`lookup` must be an error within"),
        (["net.npz", "-o", "net.c", "--option", "dtype=int"], "'double' or 'float', got 'int'"),
        (["none.npz", "-o", "net.py"], "cannot read 'none.npz'"),
        (["net.npz", "-o", "no/net.py"], "there is no folder 'no'"),
        (["net.npz", "-o", "taken.c"], "'taken.h' is a folder"),
    ],
)
def test_the_command_refuses_in_one_sentence(arguments, message, folder):
    (folder / "taken.h").mkdir()
    result = run(*arguments)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["net.npz", "taken.h"]


def test_options_of_the_command():
    texts = ["a=1", "b = 0.5", "long-name=x=y", "d=yes", "e=No", "f="]
    wanted = {"a": 1, "b": 0.5, "long_name": "x=y", "d": True, "e": False, "f": ""}
    assert option_values(texts) == wanted
    for wrong in (["=1"], ["a b=1"], ["a=1", "a=2"]):
        with pytest.raises(Refused, match="--option must"):
            option_values(wrong)
