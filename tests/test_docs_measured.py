"""The tables in the pages are those of the results files; pictures of results can be drawn."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import measured  # noqa: E402
from measured_blocks import number  # noqa: E402

MACHINE = {"cpu": "Abacus 9 (family 1)", "cores": 3, "python": "3.12.1", "load_average": 5.2}
COMMON = {"date": "2031-02-03", "machine": MACHINE, "settings": {"clock": "cpu"}, "bars": []}
BAR = {"bar": "twice as fast", "met": False, "rows": 7, "rows_met": 6, "worst": 1.234, "least": 2}
CASE = {"widths": [2, 5, 1], "N": 1000, "dtype": "float64", "k": 3, "threads": 1}


def made(**more):
    return COMMON | more


def steps():
    """Return the results of a step benchmark: kanref, and one peer that left out a row."""
    rows = []
    for G, peers in ((5, {"pykan": 0.185}), (100, {})):
        row = CASE | {"what": "step", "G": G, "seconds": {"kanref": 1.5e-4, **peers}}
        rows.append(row | {"ratio": {name: s / 1.5e-4 for name, s in peers.items()}})
    rows.append(rows[0] | {"what": "forward"})
    return made(rows=rows, bars=[BAR | {"where": "[2,5,1]"}])


RESULTS = {
    "hello_kan": {
        "machine": {"processor": "x86_64", "cores": 3, "python": "3.12.1", "date": "2031-02-03"},
        "summary": {"recovered": 6, "of": 7, "worst_rmse": 7.28e-16, "median": {"cpu": 0.32698}},
        "rows": [{"seed": seed} for seed in range(40, 47)],
    },
    "exports": made(
        rows=[
            {"target": "c", "bytes": 13294, "object_bytes": 47, "one_us": 0.2496}
            | {"row_of_batch_us": 0.25},
            {"target": "html", "bytes": 649, "one_us": None, "row_of_batch_us": None},
            {"target": "slow", "bytes": None, "one_us": 1575.0, "row_of_batch_us": 1e-4},
        ]
    ),
    "tabular": made(
        settings={"folds": 10, "seeds": 2},
        rows=[
            {"table": "yacht", "contestant": "KAN", "rmse": [0.5, 0.7]},
            {"table": "yacht", "contestant": "MLP", "rmse": [17.59, 17.61]},
            {"table": "other", "contestant": "MLP", "rmse": [1.0, 1.0]},
        ],
    ),
    "kan_or_mlp": made(
        rows=[
            {"data": "x²", "contestant": "KAN", "parameters": [3, 4], "rmse": [0.1, 0.2]},
            {"data": "airfoil", "contestant": "KANRegressor()", "rmse": 1.684},
            {"data": "digits", "contestant": "KAN", "parameters": 9472, "right": 0.9776},
        ]
    ),
    "step": steps(),
    "limit": made(
        rows=[
            CASE
            | {"widths": [16, 16], "G": G, "what": "passes", "seconds": {"kanref": 4e-4}}
            | {"dense_seconds": 1.25e-3 if G == 5 else None}
            | {"gflops": 20.361, "blas_gflops": 32.0, "memory_gbytes": 17.8, "intensity": 11.0}
            | {"blas_share": 0.6418, "memory_share": 0.1046}
            for G in (5, 100)
        ]
    ),
    "memory": made(rows=[CASE | {"G": 5, "mib": {"kanref": 0.75, "pykan": 1312.4}}]),
    "train": made(
        rows=[
            {"seed": 4, "seconds": {"kanref": 0.327, "pykan": 81.2}}
            | {"rmse": {"kanref": 4.2e-16, "pykan": 0.0123}}
            | {"stages": {"kanref": {"fit": 0.1, "snap": 0.227}, "pykan": {"fit": 81.2}}}
        ]
    ),
}
SAID = {
    "hello": ["seeds 40 to 46: found | 6 of 7 |", "7·10⁻¹⁶", "0.33 s", "--first 40 --seeds 7`"],
    "hello-sentence": ["0.33 s", "6 of 7 random", "--first 40 --seeds 7`"],
    "hello-sentence-zh": ["0.33 秒", "在 7 个", "有 6 个", "--first 40 --seeds 7`"],
    "exports": [
        "| c | 13,294 | 47 | 0.25 | 0.25 |",
        "| html | 649 | – | – | – |",
        "| slow | – | – | 1,575 | 1·10⁻⁴ |",
        "on 2031-02-03 (Abacus 9, 3 cores, Python 3.12.1; 5 processes wanted its cores).",
    ],
    "tabular": ["10 folds, 2 seeds", "| KAN | 0.6 | – |", "| MLP | 17.6 | 1 |"],
    "kan-or-mlp": [
        "`KANRegressor()`, defaults | RMSE 1.68 dB |",
        "9,472 parameters | 97.8 % right",
    ],
    "step": [
        "| [2, 5, 1], N = 1,000 | 5 | float64 | 0.15 | 1,233× |",
        "| [2, 5, 1], N = 1,000 | 100 | float64 | 0.15 | – |",
        "| twice as fast | **not met** | 6 of 7 rows | 1.23 | [2,5,1] |",
        "Times are processor times.",
    ],
    "step-short": [
        "| [2, 5, 1], N = 1,000 | 5 | float64 | 0.15 | 1,233× |",
        "`python benchmarks/step.py`",
    ],
    "limit": [
        "| [16, 16], N = 1,000 | 5 | float64 | 1 | 0.4 | 1.25 | 20.4 | 64% | 10% |",
        "| [16, 16], N = 1,000 | 100 | float64 | 1 | 0.4 | – | 20.4 | 64% | 10% |",
    ],
    "memory": ["| [2, 5, 1], N = 1,000 | 5 | 0.75 | 1,312 |"],
    "train": ["| 4 | pykan | 81.2 | 1·10⁻² |", "| 4 | kanref | 0.327 | 4·10⁻¹⁶ |"],
}


def test_the_pages_say_what_was_measured():
    found = measured.results()
    for page in measured.pages():
        text = page.read_text(encoding="utf-8")
        assert measured.filled(text, found) == text, (
            f"{page.relative_to(ROOT)} is stale: python docs/measured.py"
        )


def test_every_block_has_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in measured.pages())
    assert {n for n in measured.BLOCKS if f"<!-- measured: {n} -->" in text} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_block_says_what_was_measured(name):
    text = measured.BLOCKS[name](RESULTS)
    for said in SAID[name]:
        assert said in text
    assert "forward" not in text.replace("loss", "").replace("(forward,", "")


@pytest.mark.parametrize("name", SAID)
def test_a_block_without_results_says_how_to_measure(name):
    text = measured.BLOCKS[name]({})
    assert text.startswith("Not measured yet; `python ")
    assert (ROOT / text.split("`python ")[1].split("`")[0]).exists()


def test_a_page_is_filled_and_then_stays():
    page = "a\n<!-- measured: memory -->\nold 1.0\n<!-- end of measured -->\nb"
    new = measured.filled(page, RESULTS)
    assert "old" not in new and "1,312" in new
    assert new.startswith("a\n") and new.endswith("\nb")
    assert measured.filled(new, RESULTS) == new
    assert measured.filled(new, {}) != new


def test_wrong_marks_are_refused():
    with pytest.raises(ValueError, match=r"must be one of hello, .*got speed"):
        measured.filled("<!-- measured: speed -->\n<!-- end of measured -->\n", RESULTS)
    with pytest.raises(ValueError, match="must have its end"):
        measured.filled("<!-- measured: step -->\n", RESULTS)


def test_numbers_are_short():
    assert [number(x) for x in (0.0, 12.0, 99.96, 1575.2, 2e-5, 0.25)] == [
        "0", "12", "100", "1,575", "2·10⁻⁵", "0.25",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["step", "limit", "memory", "train"])
def test_pictures_of_results_are_drawn(name, tmp_path):
    spec = importlib.util.spec_from_file_location("drawn", ROOT / "figures" / "benchmarks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in (tmp_path / "a.png", tmp_path / "b.png"):
        module.PICTURES[name](json.loads(json.dumps(RESULTS[name]))).savefig(
            path, metadata={"Software": None}
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
