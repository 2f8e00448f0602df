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
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.py")
        with pytest.raises(OSError, match="no regular file"):
            export(program_of(KAN([1, 1])), tmp_path / "pipe.py")
        (tmp_path / "pipe.py").unlink()
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


def test_a_missing_folder_is_named_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "gone" / "real.py")
    cases = (
        ("no/x.py", FileNotFoundError, "no"),
        ("no/where/x.c", FileNotFoundError, os.path.join("no", "where")),
        ("file/x.py", NotADirectoryError, "file"),
        ("link.py", FileNotFoundError, str(tmp_path / "gone")),
    )
    for path, kind, folder in cases:
        with pytest.raises(kind) as found:
            KAN([1, 1]).export(path)
        assert found.value.filename == folder, path
        assert "folder" in found.value.strerror
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link.py"]


@pytest.mark.parametrize("path", ["x.py/", "x.py/.", "x.html//", "new.c/"])
def test_a_path_like_that_of_a_folder_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"`path` must name a file, got .* which names a folder"):
        KAN([1, 1]).export(path)
    assert list(tmp_path.iterdir()) == []


COMPANIONS = [("net.c", ".h"), ("net.mjs", ".d.ts"), ("net.js", ".d.mts"), ("net.json", ".py")]


@pytest.mark.parametrize(("name", "suffix"), COMPANIONS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#define PI 3\n",
        b"\xff\xfe\x00",
        b'"""My notes.\n\nwritten by kanref\n"""\n',  # not in the first line
        b"// something else, written by kanref 0.1\n",
    ],
)
def test_files_of_others_are_not_replaced_as_companions(name, suffix, content, tmp_path):
    model, other = KAN([2, 1], seed=0), (tmp_path / name).with_suffix(suffix)
    other.write_bytes(content)
    with pytest.raises(FileExistsError, match=f"belongs to '{name}'") as found:
        model.export(tmp_path / name)
    assert found.value.filename == str(other)
    assert other.read_bytes() == content
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize(("name", "suffix"), COMPANIONS)
def test_newer_exports_replace_older_ones(name, suffix, tmp_path):
    (tmp_path / name).write_text("whatever was there")  # the main file is asked for by name
    KAN([2, 1], seed=0).export(tmp_path / name)
    companion = (tmp_path / name).with_suffix(suffix)
    old = companion.read_text().replace("written by kanref ", "written by kanref 0.")
    companion.write_text(old)
    files = KAN([3, 5, 2], seed=1).export(tmp_path / name)
    assert companion in files
    assert companion.read_text() != old


def test_a_program_is_not_replaced_by_the_reader_of_a_table(tmp_path):
    model = KAN([2, 1])
    (program,) = model.export(tmp_path / "net.py")
    text = program.read_text()
    with pytest.raises(FileExistsError):
        model.export(tmp_path / "net.json")
    assert program.read_text() == text
    model.export(tmp_path / "other.json")
    model.export(tmp_path / "other.py")  # but this one was named


def test_two_files_of_an_export_in_one_place(tmp_path):
    KAN([2, 1]).export(tmp_path / "net.c")
    (tmp_path / "net.h").unlink()
    (tmp_path / "net.h").symlink_to(tmp_path / "net.c")
    with pytest.raises(FileExistsError, match="are the same file"):
        KAN([2, 1]).export(tmp_path / "net.c")


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
        (["net.npz", "-o", "net.py/"], "--out must name a file, got 'net.py/', which names a"),
        (["net.npz", "-o", "net.c", "--data", "d.csv"], "the target c has no use for --data"),
        (["net.npz", "-o", "net.html", "--data", "d.csv"], "d.csv"),
        (["net.npz", "-o", "net.html", "--data", "net.html"], "--out and the data are the same"),
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


def test_the_page_shows_the_rows_that_the_command_is_given(folder):
    (folder / "d.csv").write_text("x_2,other,x_1\n30,a,1\n50,b,2\n41,c,4\n")
    result = run("net.npz", "-o", "net.html", "--data", "d.csv")
    assert (result.code, result.stderr) == (0, "")
    page = (folder / "net.html").read_text(encoding="utf-8")
    assert "3 rows of data" in page
    assert '"low":30.0,"high":50.0' in page.replace("30,", "30.0,").replace("50,", "50.0,")
    assert run("net.npz", "-o", "plain.html").code == 0
    assert "random points of the grid" in (folder / "plain.html").read_text(encoding="utf-8")


def test_the_table_covers_the_rows_that_the_command_is_given(folder):
    (folder / "d.csv").write_text("x_2,x_1\n30,1\n50,2\n41,4\n")
    result = run("net.npz", "-o", "net.json", "--data", "d.csv", "--option", "intervals=16")
    assert (result.code, result.stderr) == (0, "")
    told = json.loads((folder / "net.json").read_text())["inputs"]
    assert [(x["name"], x["low"], x["high"]) for x in told] == [("x_1", 1, 4), ("x_2", 30, 50)]
    with pytest.raises(ValueError, match="`box` must not be given beside `X`"):
        random_model().export(folder / "x.json", X=[[1, 2]], box=[(0, 1), (0, 1)])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("x_1,z\n1,2\n", "x_2"),
        ("x_1,x_2\n1,inf\n", "numbers must be finite"),
        ("x_1,x_2\n1,\n", "missing values in 'x_2'"),
        ("x_1,x_2\n1,two\n", "x_2"),
        ("", "d.csv"),
    ],
)
def test_data_of_the_command_are_checked(table, message, folder):
    (folder / "d.csv").write_text(table)
    result = run("net.npz", "-o", "net.html", "--data", "d.csv")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert not (folder / "net.html").exists()


def test_the_command_keeps_the_files_of_others(folder):
    (folder / "net.h").write_text("int mine;\n")
    result = run("net.npz", "-o", "net.c")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "cannot write 'net.h': it belongs to 'net.c'" in result.stderr
    assert not (folder / "net.c").exists()
    assert (folder / "net.h").read_text() == "int mine;\n"
