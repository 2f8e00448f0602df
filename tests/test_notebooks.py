"""The stored notebooks of the course, and the two programs that hold them to their rules."""

import base64
import copy
import io
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

COURSE = Path(__file__).parents[1] / "notebooks"
sys.path.insert(0, str(COURSE))
execute = pytest.importorskip("execute", reason="needs nbclient: pip install -e '.[dev]'")
rules = pytest.importorskip("rules")

PATHS = sorted(COURSE.glob("*.ipynb"))
STYLE = (COURSE / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
OPENING = "# 1. A test\n\n**What you will be able to do**: nothing. Runs in Pyodide."
EXERCISE = """### Exercise

Add.

<details><summary>Solution</summary>

As follows; this sentence makes the solution long enough for a reader to learn from it.

```python
print(f"{a + 1:.3f} is it")
```

It prints

```text
3.000 is it
```

</details>"""
ENDING = "\n\n".join(["## Exercises", EXERCISE, EXERCISE, EXERCISE])
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABAQMAAAAl21bKAAAAA1BMVEX///+nxBvIAAAACklEQVR42mNg"
    "AAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
)  # one white pixel, with a palette
PNG = {"image/png": PIXEL}


def notebook(*code, opening=OPENING, ending=ENDING):
    cells = [nbformat.v4.new_markdown_cell(opening)]
    cells += [nbformat.v4.new_code_cell(source) for source in (STYLE.strip(), *code)]
    return nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_markdown_cell(ending)])


def stored(*code, **text):
    """Return a notebook as if executed, that keeps all rules."""
    made = notebook("a = 2", *code, **text)
    rules.code_cells(made)[0].outputs = [nbformat.v4.new_output("display_data", PNG)]
    execute.clean(made)
    return made


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_stored_notebook_keeps_the_rules(path):
    assert rules.problems(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_stored_notebook_is_clean(path):
    made = nbformat.read(path, as_version=4)
    nbformat.validate(made)
    again = copy.deepcopy(made)
    execute.clean(again)
    assert again == made
    assert path.read_text(encoding="utf-8") == nbformat.writes(made) + "\n"


def test_the_files_are_numbered_and_small():
    assert len(PATHS) >= 4
    assert rules.file_problems(PATHS) == []


def test_a_large_file_and_a_gap_in_the_numbers_are_found(tmp_path):
    for name, size in (
        ("01-one.ipynb", 9),
        ("03-three.ipynb", rules.MAX_BYTES + 1),
        ("x.ipynb", 9),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
    found = "\n".join(rules.file_problems(sorted(tmp_path.glob("*.ipynb"))))
    assert "x.ipynb: the name" in found
    assert "03-three.ipynb: 500001 bytes" in found
    assert "got [1, 3]" in found


def test_a_good_notebook_has_no_problem():
    assert rules.problems(stored()) == []


def test_numba_may_be_tried():
    assert rules.problems(stored("try:\n    import numba\nexcept ImportError:\n    pass")) == []


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        ("opening", stored(opening=OPENING.replace("# 1. A", "# A"))),
        ("opening", stored(opening=OPENING.replace("Pyodide", "a browser"))),
        ("ending", stored(ending=ENDING.replace("## Exercises", "## The end"))),
        ("ending", stored(ending=ENDING + "\n\n" + EXERCISE)),
        ("ending", stored(ending=ENDING.replace("<summary>", "", 1))),
        ("ending", stored(ending=ENDING.replace("It prints", "", 1))),
        ("portable", stored("p = '/" + "home/me/x.csv'")),
        ("imports", stored("import torch")),
        ("imports", stored("import numba")),
        ("imports", stored("try:\n    import torch\nexcept ImportError:\n    pass")),
        ("imports", stored("import urllib.request")),
        ("imports", stored("import scipy._lib")),
        ("imports", stored("from kanref.bspline import minimum_norm")),
        ("imports", stored("from kanref import kan")),
        ("imports", stored("from kanref._arrays import namespace")),
        ("imports", stored("%matplotlib inline")),
        ("imports", stored(ending=ENDING.replace("print(f", "import torch; print(f", 1))),
    ],
)
def test_each_rule_finds_what_breaks_it(rule, made):
    found = rules.problems(made)
    assert found, "nothing found"
    assert all(text.startswith(rule) for text in found), found


def test_the_style_cell_must_be_there():
    made = stored()
    rules.code_cells(made)[0].source = "import numpy as np"
    execute.clean(made)
    assert [text.partition(":")[0] for text in rules.problems(made)] == ["style"]


@pytest.mark.parametrize(
    "output",
    [
        nbformat.v4.new_output("stream", name="stderr", text="careful"),
        nbformat.v4.new_output("error", ename="E", evalue="e", traceback=[]),
        nbformat.v4.new_output("display_data", {execute.WIDGET: {}}),
    ],
)
def test_stored_complaints_and_widgets_are_found(output):
    made = stored()
    rules.code_cells(made)[1].outputs.append(output)
    assert [text.partition(":")[0] for text in rules.problems(made)] == ["executed"]


def test_stale_or_missing_outputs_are_found():
    edited = stored()
    rules.code_cells(edited)[1].source = "a = 3"
    assert "has changed" in "".join(rules.problems(edited))
    bare = stored()
    rules.code_cells(bare)[1].execution_count = None
    assert "in order" in "".join(rules.problems(bare))
    empty = stored()
    rules.code_cells(empty)[0].outputs = []
    assert "figure" in "".join(rules.problems(empty))


def test_clean_removes_what_differs_between_runs():
    made = notebook("a = 2")
    cell = rules.code_cells(made)[1]
    cell.execution_count = 17
    cell.metadata = {"execution": {"iopub.execute_input": "2031-01-01"}, "tags": ["x"]}
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a\n"),
        nbformat.v4.new_output("stream", name="stdout", text="b\n"),
        nbformat.v4.new_output("display_data", {execute.WIDGET: {}, "text/plain": "interactive()"}),
        nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=17),
    ]
    made.metadata["widgets"] = {"state": 1}
    execute.clean(made)
    assert cell.execution_count == 2
    assert cell.metadata == {"tags": ["x"]}
    assert [output.get("text") for output in cell.outputs] == ["a\nb\n", None]
    assert cell.outputs[1].execution_count == 2
    assert "widgets" not in made.metadata


def test_clean_gives_pictures_a_palette_once():
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (40, 50, 4), dtype=np.uint8))
    file = io.BytesIO()
    image.save(file, "png")
    made = notebook("a = 2")
    picture = {"image/png": base64.b64encode(file.getvalue()).decode()}
    rules.code_cells(made)[1].outputs = [nbformat.v4.new_output("display_data", picture)]
    execute.clean(made)
    small = rules.code_cells(made)[1].outputs[0].data["image/png"]
    shown = Image.open(io.BytesIO(base64.b64decode(small)))
    assert (shown.size, shown.mode) == ((50, 40), "P")
    assert len(small) < len(picture["image/png"]) / 2
    execute.clean(made)
    assert rules.code_cells(made)[1].outputs[0].data["image/png"] == small


def test_printed_numbers_may_differ_a_little_and_words_not_at_all():
    assert rules.printed_alike("loss 1.00e-03\nat 5", "loss  1.04e-03\n at 5\n")
    assert not rules.printed_alike("loss 1.00e-03", "loss 1.06e-03")
    assert not rules.printed_alike("loss 1.0", "error 1.0")
    assert not rules.printed_alike("1 2", "1")


# --- execution, in real kernels ------------------------------------------------------------------

GUARDED = "try:\n    import numba\n    print('here')\nexcept ImportError as e:\n    print(e)"


@pytest.mark.slow
def test_execution_stores_outputs_and_runs_the_solutions():
    made = notebook("a = 2", "plt.plot([0, a]);", "print('x'); a")
    result = execute.execute(made)
    assert result.problems == []
    assert rules.problems(result.notebook) == []
    assert result.notebook.cells[-2].outputs[1].data["text/plain"] == "2"
    assert result.notebook.cells[-1].source == ENDING


@pytest.mark.slow
def test_bare_execution_has_no_numba_and_kanref_works():
    model = "from kanref import KAN\na = 2\nprint(KAN([2, 1])(np.zeros((3, 2))).shape)"
    result = execute.execute(notebook(GUARDED, model), bare=True)
    assert result.problems == []
    assert "numba' (blocked)" in result.notebook.cells[2].outputs[0].text
    assert result.notebook.cells[3].outputs[0].text == "(3, 1)\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a = 1 / 0", "ZeroDivisionError"),
        ("import warnings\nwarnings.warn('careful')", "UserWarning: careful"),
        ("import sys\na = 2\nprint('x', file=sys.stderr)", "standard error"),
        ("a = 2\nopen('left.txt', 'w').close()", "left.txt"),
        ("a = 3", "solution 1 says"),
        ("a = 2\nsys", "NameError"),  # nothing is imported that the notebook does not import
        ("a = 2\nplt.title('\\U00013000');", "Glyph"),  # a warning while the figure is drawn
        ("from ipywidgets import interact\na = 2\ninteract(lambda s: 1 / 0, s=(1, 2));", "Zero"),
    ],
)
def test_execution_fails_on(code, expected):
    problems = execute.execute(notebook(code)).problems
    assert problems, "nothing found"
    assert expected in "\n".join(problems)


@pytest.mark.slow
def test_execution_gives_up_what_takes_too_long():
    sleeper = notebook("import time\na = 2\ntime.sleep(600)")
    assert execute.execute(sleeper, limit=6).problems == ["took longer than 6 s"]


@pytest.mark.slow
def test_no_reply_is_missed_while_widgets_are_written_to():
    write = "a = 2\nfor i in range(3):\n    interact(lambda s: print(s), s=(1, 2))"
    result = execute.execute(notebook("from ipywidgets import interact", *[write] * 40), limit=60)
    assert result.problems == []
