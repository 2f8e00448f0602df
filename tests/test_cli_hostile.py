"""Tables that are damaged or meant ill, at the command line: one sentence, in little memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from cli_runs import run

from kanref import KAN
from kanref.table_files import TableError, columns, read_table
from kanref.table_formats import MAX_COLUMNS, MAX_LINE

ROWS = b"".join(b"%d,%d,%d\n" % (n, n * n % 17, 3 * n) for n in range(30))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = KAN([2, 1], seed=0)
    model.input_names = ["a", "b"]
    model.save("m.npz")
    return tmp_path


def sentence(*arguments):
    """Run what must be refused, and return why."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1 and len(result.stderr) < 600
    assert result.stderr.isprintable() or result.stderr[:-1].isprintable()
    return result.stderr


HOSTILE = {
    "empty": (b"", "it is empty"),
    "blank": (b"\n \n\t\n", "no rows|names|empty"),
    "names only": (b"a,b,y\n", "no rows below the line of names"),
    "binary": (bytes(range(256)) * 50, "neither CSV nor Parquet|UTF-8"),
    "random": (np.random.default_rng(0).bytes(5000), "neither CSV nor Parquet|UTF-8"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "neither CSV nor Parquet"),
    "zip": (b"PK\x03\x04" + bytes(60), "neither CSV nor Parquet"),
    "utf-16 unmarked": (("a,b,y\n" + ROWS.decode()).encode("utf-16-le"), "UTF-16 without a byte"),
    "utf-16 be unmarked": (("a,b,y\n" + ROWS.decode()).encode("utf-16-be"), "save it as UTF-8"),
    "utf-32 unmarked": (("a,b,y\n" + ROWS.decode()).encode("utf-32-le"), "neither CSV nor Parquet"),
    "utf-16 cut": (("a,b,y\n" + ROWS.decode()).encode("utf-16")[:-1], "and then is not"),
    "utf-16 in name only": (b"\xff\xfe" + b"\0\xd8" * 99, "UTF-16 does, and then is not"),
    "mark alone": (b"\xff\xfe", "it is empty"),
    "utf-16 of zeros": (b"\xff\xfe" + bytes(200), "UTF-32 does, and then is not"),
    "latin-1": ("a,b,y,\xe9\n".encode("latin-1") + ROWS, "it is not text in UTF-8"),
    "latin-1 late": (b"a,b,y\n" + ROWS * 3000 + b"\xe9,1,2\n", "it is not text in UTF-8"),
    "zero byte": (b"a,b,y\n" + ROWS + b"1\x000,2,3\n", "neither CSV nor Parquet"),
    "zero byte late": (b"a,b,y\n" + ROWS * 5000 + b"1\x000,2,3\n", "it holds zero bytes"),
    "duplicated": (b"a,b,a,y\n1,2,3,4\n" * 30, "'a' occurs twice"),
    "duplicated, spaces": (b"a,b, a  ,y\n" + b"1,2,3,4\n" * 30, "'a' occurs twice"),
    "all duplicated": (b",".join([b"x" * 200] * 900) + b"\n", "occurs twice|no rows"),
    "infinite": (b"a,b,y\n" + ROWS + b"inf,1,2\n", "'a' has inf in row 31"),
    "minus infinite": (b"a,b,y\n" + ROWS + b"1,-Infinity,2\n", "'b' has -inf in row 31"),
    "overflow": (b"a,b,y\n" + ROWS + b"1e400,1,2\n", "'a' has inf"),
    "huge": (b"a,b,y\n" + ROWS + b"1e200,1,2\n", "'a' has 1e\\+200 in row 31"),
    "huge exponent": (b"a,b,y\n" + ROWS + b"1e999999999999,1,2\n", "must hold numbers"),
    "nan": (b"a,b,y\n" + ROWS + b"nan,1,2\n", "missing values in 'a'"),
    "formula": (b"a,b,y\n" + ROWS + b"=1+1,1,2\n", "'a' has '=1\\+1' in row 31"),
    "command": (b"a,b,y\n" + ROWS + b"=cmd|'/c calc'!A0,1,2\n", "must hold numbers"),
    "python": (b"a,b,y\n" + ROWS + b"__import__('os').abort(),1,2\n", "must hold numbers"),
    "escape": (b"a,b,y\n" + ROWS + b"\x1b[2J,1,2\n", r"'a' has '\\x1b\[2J'"),
    "digits of other scripts": ("a,b,y\n٣,1,2\n".encode() + ROWS, "must hold numbers"),
    "hexadecimal": (b"a,b,y\n0x10,1,2\n" + ROWS, "'a' has '0x10' in row 1"),
    "underscores": (b"a,b,y\n1_000,1,2\n" + ROWS, "'a' has '1_000' in row 1"),
    "comma decimals": (b"a;b;y\n1,5;2;3\n" * 20, "must hold numbers"),
    "ragged": (b"a,b,y\n" + ROWS + b"1,2,3,4\n", "Expected 3 fields in line 32, saw 4"),
    "short": (b"a,b,y\n" + ROWS + b"1\n", "missing values in"),
    "open quote": (b'a,b,y\n' + ROWS + b'"1,2,3\n' + ROWS, "not a CSV"),
    "open quote in names": (b'a,"b,y\n' + ROWS, "not a CSV"),
    "quotes": (b'"' * 5001 + b"\n" + ROWS, "not a CSV|no column"),
    "numbers as names": (ROWS, "its first line must name the columns"),
    "mixed truth": (b"a,b,y\n" + ROWS + b"true,1,2\n", "'a' has 'true' in row 31"),
    "only commas": (b"," * 5000 + b"\n" + b"," * 5000 + b"\n", "no column|no name|no rows"),
    "carriage returns": (b"a,b,y\r1,2,3\r", "at least 20 rows|no column|no rows"),
    "parquet in name only": (b"PAR1" + bytes(500) + b"PAR1", "it is damaged"),
    "long name": (b"a" * 100_000 + b",b,y\n" + ROWS, "no column|must be at least"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tables_are_refused(folder, name):
    content, reason = HOSTILE[name]
    (folder / "data.csv").write_bytes(content)
    inputs = ["--inputs", "a,b"] if name == "long name" else []
    fit = sentence("fit", "data.csv", "--target", "y", *inputs, "--out", "new.npz")
    assert re.search(reason, fit), fit
    assert sorted(os.listdir()) == ["data.csv", "m.npz"]


@pytest.mark.parametrize("name", [n for n in HOSTILE if n != "carriage returns"])
def test_hostile_tables_are_not_predicted_from_nor_reported_on(folder, name):
    (folder / "data.csv").write_bytes(HOSTILE[name][0])
    reasons = [
        sentence("predict", "m.npz", "data.csv", "--out", "p.csv"),
        sentence("report", "m.npz", "data.csv", "-o", "r.html"),
    ]
    assert reasons[0] == reasons[1]
    assert sorted(os.listdir()) == ["data.csv", "m.npz"]


def test_what_is_strange_and_right(folder):
    """Names are names, whatever they look like; so are the columns of a classifier's table."""
    names = ["\"=cmd|' /C calc'!A0\"", "__import__('os')", "a\tb", "ü" * 500, "y"]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(size=(30, 5)), columns=names)
    frame.to_csv("data.csv", index=False)
    arguments = ["--steps", "2", "--width", "1", "--report", "r.md", "--plot", "n.svg"]
    result = run("fit", "data.csv", "--target", "y", *arguments, "--out", "new.npz")
    assert (result.exit_code, result.stderr) == (0, "")
    assert KAN.load("new.npz").input_names == [" ".join(name.split()) for name in names[:4]]
    assert run("predict", "new.npz", "data.csv").exit_code == 0


def test_truth_values_are_the_same_in_both_formats(folder):
    frame = pd.DataFrame({"a": [True, False, True], "b": [0.5, 1.5, 2.5]})
    frame.to_csv("a.csv", index=False)
    frame.to_parquet("a.parquet")
    for name in ("a.csv", "a.parquet"):
        np.testing.assert_array_equal(
            columns(read_table(name), ["a", "b"]), [[1, 0.5], [0, 1.5], [1, 2.5]]
        )
    frame.astype(object).assign(a=[True, None, False]).to_csv("b.csv", index=False)
    frame.astype(object).assign(a=[True, None, False], b=frame["b"]).to_parquet("b.parquet")
    for name in ("b.csv", "b.parquet"):
        with pytest.raises(TableError, match=r"missing values in 'a' \(1 of 3 rows\)"):
            columns(read_table(name), ["a"])
    (folder / "c.csv").write_text("a\nTRUE\nfalse\n True \n")
    np.testing.assert_array_equal(columns(read_table("c.csv"), ["a"]), [[1], [0], [1]])


def limited(folder, content):
    """Fit to a hostile table in a process that may not take 400 MB for it; return what it says."""
    (folder / "data.csv").write_bytes(content)
    code = (
        "import resource, pathlib, kanref.cli, pandas, kanref.cli.fitting\n"
        "used = int(pathlib.Path('/proc/self/statm').read_text().split()[0])\n"
        "limit = used * resource.getpagesize() + 400 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "kanref.cli.main(['fit', 'data.csv', '--target', 'y'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    return result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b",".join(b"c%d" % n for n in range(10**6)) + b"\n" + b"1," * 10**6, "longer than"),
        (b"," * (10**6 - 1) + b"\n" + b"1," * 10**6, "it has 1000000 columns, and at most 10000"),
        (b"x" * 50 * 2**20, "its first line is longer than 1048576 bytes"),
        (b"a,b,y\n" + b"1" * 50 * 2**20 + b",2,3\n", "at least 20 rows|beyond"),
    ],
)
def test_tables_that_are_large_where_they_should_not_be(folder, content, reason):
    assert re.search(reason, limited(folder, content))


def test_the_limits_themselves_are_allowed(folder):
    names = [b"c%d" % n for n in range(MAX_COLUMNS)]
    (folder / "data.csv").write_bytes(b",".join(names) + b"\n" + b",".join([b"1"] * MAX_COLUMNS))
    assert read_table("data.csv").shape == (1, MAX_COLUMNS)
    (folder / "data.csv").write_bytes(b"x" * (MAX_LINE - 10) + b"\n1\n")
    assert read_table("data.csv").shape == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_mutated_tables(folder, seed):
    """Bytes of a good table that are flipped, cut or strange: refused, or finite numbers."""
    rng = np.random.default_rng(seed)
    good = b"a,b,y\n" + ROWS
    pieces = [
        *(bytes([n]) for n in b"\"\n\r,;\t\x00\xff=-'\\"),
        *(b"inf", b"nan", b"1e999", b"a,b,y\n", b"\x1b[0m", "ü\ufeff".encode(), b"true"),
    ]
    for _ in range(250):
        data = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(data)))
            kind = rng.integers(4)
            if kind == 0:
                data[at] ^= 1 << rng.integers(8)
            elif kind == 1:
                del data[at : at + rng.integers(1, 60)]
            else:
                data[at:at] = pieces[rng.integers(len(pieces))]
            data = data or bytearray(b"a")
        (folder / "data.csv").write_bytes(data)
        try:
            table = columns(read_table("data.csv"), ["a", "b", "y"])
        except TableError as error:
            assert "\n" not in str(error) and len(str(error)) < 600
        else:
            assert np.isfinite(table).all() and table.shape[1] == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_text_with_a_byte_order_mark_is_read(folder, encoding):
    text = "ü ä;b;y\r\n" + "1.5;2;3e-1\r\n" * 25000  # more than one piece
    mark = "\ufeff" if encoding.endswith("e") else ""
    (folder / "data.csv").write_bytes((mark + text).encode(encoding))
    frame = read_table("data.csv")
    assert frame.columns.to_list() == ["ü ä", "b", "y"]
    table = columns(frame, ["ü ä", "b", "y"])
    assert table.shape == (25000, 3)
    np.testing.assert_array_equal(table, np.broadcast_to([1.5, 2, 0.3], table.shape))


def test_a_table_as_spreadsheets_write_it_is_fitted_to(folder):
    (folder / "data.csv").write_bytes(
        ("a\tb\ty\r\n" + ROWS.decode().replace(",", "\t")).encode("utf-16")
    )
    result = run("fit", "data.csv", "--target", "y", "--steps", "2", "--width", "1", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
