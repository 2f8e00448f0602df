"""Tables in files: what is read, and the one sentence for each that cannot be learnt from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kanref.table_files import TableError, columns, no_constants, read_table, training_table


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file and return its path."""

    def to_file(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


def frame_of(**cells):
    return pd.DataFrame({name: list(values) for name, values in cells.items()})


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a,b c\n1,2.5\n-3,4e2\n",
        "\ufeffa,b c\r\n1,2.5\r\n-3,4e2\r\n",  # Excel's byte order mark and line ends
        "a;b c\n1;2.5\n-3;4e2",
        "a\tb c\n1\t2.5\n-3\t4e2\n",
        'a," b  c "\n\n"1", 2.5\n-3,4e2\n\n',
        "a,b c,\n1,2.5,\n-3,4e2,\n",  # a comma at the end of every line
        '"a"\t"b c"\n1\t2.5\n-3\t4e2\n',
    ],
)
def test_csv_dialects(write, text):
    frame = read_table(write(text))
    assert frame.columns.to_list() == ["a", "b c"]
    np.testing.assert_array_equal(columns(frame, ["b c", "a"]), [[2.5, 1.0], [400.0, -3.0]])


def test_numbers_of_a_csv_are_the_nearest_floats(write):
    values = np.random.default_rng(0).standard_normal(500) * 10.0 ** np.arange(-50, 50, 0.2)
    path = write("a\n" + "\n".join(repr(float(v)) for v in values))
    np.testing.assert_array_equal(columns(read_table(path), ["a"])[:, 0], values)


def test_parquet_by_content_not_by_name(tmp_path):
    path = tmp_path / "data.csv"
    frame = frame_of(a=[1, 2, 3], b=[0.5, 1.5, np.pi], c=[True, False, True], d=["x", "y", "z"])
    frame.set_index(pd.Index([7, 8, 9])).to_parquet(path)
    read = read_table(path)
    assert read.columns.to_list() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(
        columns(read, ["c", "b", "a"]), [[1, 0.5, 1], [0, 1.5, 2], [1, np.pi, 3]]
    )


def test_an_index_with_a_name_is_a_column_of_parquet(tmp_path):
    path = tmp_path / "data.parquet"
    frame_of(b=[0.5, 1.5]).set_index(pd.Index([7.5, 8.0], name="a")).to_parquet(path)
    np.testing.assert_array_equal(columns(read_table(path), ["a", "b"]), [[7.5, 0.5], [8, 1.5]])


def test_parquet_of_other_kinds(tmp_path):
    """Decimals are numbers, and absent integers are missing; times are not numbers."""
    from decimal import Decimal

    path = tmp_path / "data.parquet"
    table = pa.table(
        {
            "decimal": pa.array([Decimal("1.25"), Decimal("-2")]),
            "absent": pa.array([1, None]),
            "time": pa.array([0, 1], pa.timestamp("s")),
        }
    )
    pq.write_table(table, path)
    frame = read_table(path)
    np.testing.assert_array_equal(columns(frame, ["decimal"]), [[1.25], [-2.0]])
    with pytest.raises(TableError, match=r"missing values in 'absent' \(1 of 2 rows\)"):
        columns(frame, ["absent"])
    with pytest.raises(TableError, match="'time' has '1970-01-01"):
        columns(frame, ["time"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is empty"),
        (" \n\n", "names|empty"),
        ("a,b\n", "no rows below the line of names"),
        ("a,b\n1,2\n3,4,5\n", r"not a CSV \(Expected 2 fields in line 3, saw 3\)"),
        ('a,b\n1,"2\n3,4\n', "not a CSV"),
        ("1,2\n3,4\n", "first line must name the columns, got numbers"),
        ("a,b,a\n1,2,3\n", "'a' occurs twice"),
        ("a,b, a \n1,2,3\n", "'a' occurs twice"),
        ("é\n1\n".encode("latin-1"), "not text in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "neither CSV nor Parquet|looks like UTF-16"),
        (b"PK\x03\x04\0\0\0\0", "neither CSV nor Parquet"),
        (b"\x1f\x8b\x08\0\0\0", "neither CSV nor Parquet"),
        (b"PAR1 and then nothing", "it is damaged"),
        (b"PAR1" + bytes(100) + b"PAR1", "it is damaged"),
    ],
)
def test_files_that_are_no_tables(write, content, message):
    path = write(content)
    with pytest.raises(TableError, match=message) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)


def test_what_pandas_notes_in_parquet_is_not_trusted(tmp_path):
    path = tmp_path / "data.parquet"
    table = pa.table({"a": [1.0], "__index_level_0__": [7]})
    pq.write_table(table.replace_schema_metadata({b"pandas": b"{no JSON"}), path)
    assert read_table(path).columns.to_list() == ["a"]


def test_columns_of_one_name_in_parquet(tmp_path):
    path = tmp_path / "data.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], ["a", "a"]), path)
    with pytest.raises(TableError, match="'a' occurs twice"):
        read_table(path)


def test_a_damaged_parquet_file_at_every_byte(tmp_path):
    """A file that was cut or changed is a table or a TableError, nothing else."""
    path = tmp_path / "data.parquet"
    frame_of(a=[1.0, 2.0], b=[3.0, 5.0]).to_parquet(path)
    whole = path.read_bytes()
    outcomes = set()
    for place in range(4, len(whole), 7):
        for damaged in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            path.write_bytes(damaged)
            try:
                columns(read_table(path), ["a", "b"])
                outcomes.add("table")
            except TableError:
                outcomes.add("error")
    assert outcomes == {"table", "error"}


def test_no_file_and_no_address(tmp_path):
    with pytest.raises(TableError, match=r"cannot read '.*nothing.csv': No such file"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(TableError, match="Is a directory"):
        read_table(tmp_path)
    with pytest.raises(TableError, match="No such file"):
        read_table("https://localhost/data.csv")


# --- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["", " ", "NA", "nan", "NaN", "null", "None", "N/A", "?", "-"])
def test_missing_values_are_counted_by_column(cell):
    frame = frame_of(a=["1", cell, cell], b=["1", "2", "3"], c=[cell, "5", "6"])
    rule = r"^there are missing values in 'a' \(2 of 3 rows\), 'c' \(1 of 3 rows\)$"
    with pytest.raises(TableError, match=rule):
        columns(frame, ["a", "b", "c"])


@pytest.mark.parametrize("cell", ["Bonn", "1,5", "1_000", "0x1F", "True", "2024-01-31", "1+2j"])
def test_text_is_shown_with_its_row(cell):
    frame = frame_of(a=["1", "2"], city=["3", cell])
    with pytest.raises(TableError) as caught:
        columns(frame, ["a", "city"])
    hint = "; decimals need a point" if cell == "1,5" else ""
    rule = f"columns must hold numbers, but 'city' has {cell!r} in row 2{hint}"
    assert str(caught.value) == rule


BAD_CELLS = ["", "Bonn", "inf"]


@pytest.mark.parametrize("cell", BAD_CELLS)
def test_whoever_did_not_choose_the_inputs_learns_how(cell):
    frame = frame_of(a=["1", "2"], b=["3", cell], y=["5", "6"])
    with pytest.raises(TableError, match=r"'b'.*; --inputs a,b leaves other columns out$"):
        training_table(frame, "y")


@pytest.mark.parametrize("cell", BAD_CELLS)
@pytest.mark.parametrize(("target", "inputs"), [("y", ["a", "b"]), ("b", None), ("b", ["a"])])
def test_no_word_about_inputs_where_it_would_not_help(cell, target, inputs):
    frame = frame_of(a=["1", "2"], b=["3", cell], y=["5", "6"])
    with pytest.raises(TableError, match="'b'") as caught:
        training_table(frame, target, inputs)
    assert "--inputs" not in str(caught.value)


def test_long_messages_are_cut():
    frame = pd.DataFrame({f"c{n}": ["x" * 1000] for n in range(9)})
    with pytest.raises(TableError, match="and 6 more columns") as caught:
        columns(frame, list(frame.columns))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("cell", "what"), [("inf", "infinite"), ("-Infinity", "infinite"), ("1e999", "infinite")]
)
def test_infinite_numbers_are_shown_with_their_row(cell, what):
    with pytest.raises(TableError, match=f"'b' has -?inf in row 3 .{what}."):
        columns(frame_of(a="123", b=["1", "2", cell]), ["a", "b"])


def test_numbers_that_would_overflow():
    with pytest.raises(TableError, match=r"'a' has -1e\+150 in row 2 .beyond 1e\+100."):
        columns(frame_of(a=[1.0, -1e150]), ["a"])
    assert columns(frame_of(a=[1.0, -1e100]), ["a"])[1, 0] == -1e100


def test_complex_numbers_are_not_numbers():
    with pytest.raises(TableError, match="must hold numbers"):
        columns(frame_of(a=[1.0, 2j]), ["a"])


def test_unknown_columns_and_what_comes_close():
    frame = frame_of(Speed="12", drag="34", **{f"c{n}": "56" for n in range(9)})
    with pytest.raises(TableError, match=r"no column 'speed': did you mean 'Speed'\?"):
        columns(frame, ["speed"])
    with pytest.raises(TableError, match=r"no column 'darg': did you mean 'drag'\?"):
        columns(frame, ["darg"])
    with pytest.raises(TableError, match=r"the columns are 'Speed', 'drag', 'c0', .* and 3 more"):
        columns(frame, ["temperature"])


# --- a table to learn from -----------------------------------------------------------------------


def test_inputs_are_all_other_columns_or_those_named():
    frame = frame_of(a="123", y="468", b="579", name=["u", "v", "w"])
    with pytest.raises(TableError, match="'name' has 'u' in row 1"):
        training_table(frame, "y")
    table = training_table(frame, "y", ["b", "a"])
    assert (table.input_names, table.target) == (["b", "a"], "y")
    np.testing.assert_array_equal(table.X, [[5, 1], [7, 2], [9, 3]])
    np.testing.assert_array_equal(table.y, [4, 6, 8])
    assert training_table(frame.drop(columns="name"), "y").input_names == ["a", "b"]


@pytest.mark.parametrize("values", [["2", "2", "2"], ["0.1", "0.1", "0.10000000000000002"], "000"])
def test_constant_columns_are_named(values):
    frame = frame_of(a="123", b=values, y="468")
    with pytest.raises(TableError, match="constant column: 'b' in all 3 rows"):
        training_table(frame, "y")
    with pytest.raises(TableError, match="constant column: 'b' in all 3 rows"):
        training_table(frame, "b", ["a", "y"])


def test_constant_or_nearly():
    values = np.array([[1.0, 1e9, 0.0], [1.0 + 1e-13, 1e9 + 1, 1e-130], [1.0, 1e9, 0.0]])
    no_constants(values[:, 1:2], ["b"], "")
    with pytest.raises(TableError, match="'a', 'c' here"):
        no_constants(values, ["a", "b", "c"], "here")


def test_tables_that_cannot_be_learnt_from():
    frame = frame_of(a="123", y="468")
    assert len(training_table(frame, "y", least=3).y) == 3
    with pytest.raises(TableError, match="at least 4 rows, got 3"):
        training_table(frame, "y", least=4)
    with pytest.raises(TableError, match="differ from each other and from the target 'y'"):
        training_table(frame, "y", ["a", "y"])
    with pytest.raises(TableError, match="differ from each other"):
        training_table(frame, "y", ["a", "a"])
    with pytest.raises(TableError, match="must be an input beside the target 'y'"):
        training_table(frame[["y"]], "y")
    with pytest.raises(TableError, match="no column 'x'"):
        training_table(frame, "y", ["x"])


def test_a_column_without_a_name_is_only_in_the_way_when_it_would_be_used(write):
    frame = read_table(write(",a,y\n0,1,2\n1,3,4\n"))  # as pandas writes a table with its index
    with pytest.raises(TableError, match=r"column 1 has no name: .*--inputs"):
        training_table(frame, "y")
    assert training_table(frame, "y", ["a"]).X.tolist() == [[1.0], [3.0]]
