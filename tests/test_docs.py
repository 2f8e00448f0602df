"""Every code block of README and docs runs; every public name has a place in the reference.

A page is one program: its ```python blocks run in order, in the same names and in an empty folder,
and a warning is an error. A ```text block directly below one is what it prints (``...`` stands for
anything). A block below ``<!-- not run: why -->`` is left out. `make docs-check` builds the pages.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.exists() and "_build" not in page.parts]
FENCE = re.compile(
    r"(?P<before>[^\n]*)\n+```(?P<language>python|text)\n(?P<code>.*?)\n```", re.DOTALL
)
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = re.compile(r"^\.\. currentmodule:: (\S+)|^   (\w[\w.]*)$", re.MULTILINE)


def blocks(text: str) -> list[tuple[int, str, str | None]]:
    """Return the line, the code and the expected output of each block that is to run."""
    found: list[tuple[int, str, str | None]] = []
    end, skipped = -1, False  # where the last block ended, and whether it was left out
    for match in FENCE.finditer("\n" + text):
        code = match["code"]
        adjacent = match.start() == end and not match["before"]
        if match["language"] == "python":
            skipped = match["before"].startswith("<!-- not run: ")
            if not skipped:
                found.append((text.count("\n", 0, match.start("code") - 1) + 1, code, None))
        elif adjacent and not skipped and found:
            found[-1] = (*found[-1][:2], code)
        end = match.end()
    return found


def run(line: int, code: str, expected: str | None, names: dict, page: str) -> None:
    """Execute a block, so that an error names the page and its line; compare what it prints."""
    tree = ast.parse("\n" * (line - 1) + code, filename=page)
    output = io.StringIO()
    with redirect_stdout(output):
        exec(compile(tree, page, "exec"), names)
    if expected is not None:
        printed = output.getvalue()
        alike = doctest.OutputChecker().check_output(expected + "\n", printed, LIKE)
        assert alike, f"{page}, line {line}: says\n{expected}\nbut prints\n{printed}"


def test_blocks_are_found_with_their_output():
    text = """
```python
a = 1
print(a)
```
```text
1
```
Words.

```text
not output
```
<!-- not run: needs a GPU -->
```python
broken(
```
"""
    assert blocks(text) == [(3, "a = 1\nprint(a)", "1")]


def test_a_wrong_output_is_noticed():
    with pytest.raises(AssertionError, match="line 5"):
        run(5, "print(2)", "1", {}, "page.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__docs__"}
    try:
        for line, code, expected in blocks(page.read_text(encoding="utf-8")):
            run(line, code, expected, names, str(page.relative_to(ROOT)))
    finally:
        plt.close("all")  # pages draw; the tests of the pictures count figures


def listed() -> dict[str, set[str]]:
    """Return the names that the pages of the reference list, for each module."""
    found: dict[str, set[str]] = {}
    for page in (ROOT / "docs" / "api").glob("*.rst"):
        module = "kanref"
        for current, name in MODULES.findall(page.read_text(encoding="utf-8")):
            module = current or module
            if name:
                found.setdefault(module, set()).add(name)
    return found


def test_every_public_name_is_in_the_reference():
    pages = listed()
    assert len(pages) > 20
    for name, members in pages.items():
        module = importlib.import_module(name)
        public = set(getattr(module, "__all__", ())) - {"__version__", "datasets"}
        missing = public - members
        assert not missing, f"docs/api lacks {sorted(missing)} of {name}"
        unknown = [m for m in members if not _there(module, m)]
        unknown = [
            m for m in unknown if name != "kanref" or not (ROOT / f"docs/api/{m}.rst").exists()
        ]
        assert not unknown, f"docs/api lists {unknown}, which {name} does not have"


def _there(module: object, dotted: str) -> bool:
    for part in dotted.split("."):
        if not hasattr(module, part):
            return False
        module = getattr(module, part)
    return True


def test_every_method_of_kan_is_in_the_reference():
    from kanref import KAN

    public = {f"KAN.{name}" for name, _ in inspect.getmembers(KAN) if not name.startswith("_")}
    missing = public - listed()["kanref"]
    assert not missing, f"docs/api/kan.rst lacks {sorted(missing)}"


def test_a_broken_site_is_noticed(tmp_path):
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
    check_site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check_site)
    (tmp_path / "good.html").write_text('<p id="here"><a href="#here">x</a>', encoding="utf-8")
    assert check_site.problems(tmp_path) == []
    (tmp_path / "bad.html").write_text(
        '<a href="good.html#there">x</a><a href="gone.html">x</a><script src="//cdn/x.js">',
        encoding="utf-8",
    )
    found = "\n".join(check_site.problems(tmp_path))
    assert found.count("\n") == 2
    assert all(word in found for word in ("#there", "gone.html", "loads //cdn/x.js"))
