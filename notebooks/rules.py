"""What a stored notebook of the course must be; each rule returns the problems it finds."""

from __future__ import annotations

import ast
import hashlib
import importlib
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

from nbformat import NotebookNode

MAX_BYTES = 500_000
CELL_ID = "cell-{:02d}"
LIBRARIES = frozenset(
    {"numpy", "scipy", "matplotlib", "sympy", "pandas", "sklearn", "ipywidgets", "IPython"}
)
OPTIONAL = frozenset({"numba", "cupy"})  # in a `try`, where the notebook goes on without them
NETWORK = frozenset({"socket", "urllib", "http", "ftplib", "ssl", "smtplib", "xmlrpc"})
MACHINE = re.compile(
    r"/(?:home|root|tmp|work|Users|usr|opt|var|private)/|[A-Z]:\\|site-packages| at 0x[0-9a-f]{4,}"
)

_DETAILS = re.compile(r"<details>(.*?)</details>", re.DOTALL)
_BLOCK = re.compile(
    r"^```python\n(.*?)^```$(?:\s*It prints\s*^```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE
)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_README = Path(__file__).with_name("README.md")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def source_hash(notebook: NotebookNode) -> str:
    """Return a digest of the code, to tell whether the outputs are of this code."""
    code = "\x00".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(code.encode()).hexdigest()


def exercises(notebook: NotebookNode) -> str:
    """Return the text after the heading of the exercises."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return text.partition("## Exercises")[2]


def solutions(notebook: NotebookNode) -> list[tuple[str, str | None]]:
    """Return (code, what it prints or None) of each Python block in the folded solutions."""
    return [
        (code, printed or None)
        for solution in _DETAILS.findall(exercises(notebook))
        for code, printed in _BLOCK.findall(solution)
    ]


def printed_alike(expected: str, printed: str, tolerance: float = 0.05) -> bool:
    """Tell whether two texts agree: numbers to a tolerance, the rest in all but white space."""
    if _NUMBER.sub("#", expected).split() != _NUMBER.sub("#", printed).split():
        return False
    pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(printed), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=tolerance) for a, b in pairs)


# --- the rules -----------------------------------------------------------------------------------


def opening(notebook: NotebookNode) -> Iterator[str]:
    """Hold the first cell to a numbered title, the aims, and a word on Pyodide."""
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not re.match(r"# \d+\. \S", first.source):
        yield "the first cell must begin with a title '# 3. Title'"
    for needed in ("What you will be able to do", "Pyodide"):
        if needed not in first.source:
            yield f"the first cell must say {needed!r}"


def ending(notebook: NotebookNode) -> Iterator[str]:
    """Hold the last section to three exercises with folded solutions."""
    last = notebook.cells[-1]
    found = _DETAILS.findall(exercises(notebook))
    if last.cell_type != "markdown" or len(found) != 3:
        yield f"must end with '## Exercises' and three <details>, got {len(found)}"
    for number, text in enumerate(found, start=1):
        if "<summary>" not in text or len(text) < 100:
            yield f"solution {number} must have a <summary> and say how it is done"
        if "```python\n" in text and "\n\n```python" not in text:
            yield f"solution {number} must leave an empty line before its code, for Markdown"
        if text.count("```text\n") != sum(bool(out) for _, out in _BLOCK.findall(text)):
            yield f"solution {number} must have 'It prints' between its code and what it prints"


def style(notebook: NotebookNode) -> Iterator[str]:
    """Hold the first code cell to the figure style of the README, word for word."""
    wanted = _README.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    cells = code_cells(notebook)
    if not cells or not cells[0].source.startswith(wanted.strip()):
        yield "the first code cell must begin with the style cell of notebooks/README.md"


def executed(notebook: NotebookNode) -> Iterator[str]:
    """Hold the code cells to outputs that are stored, in order, and of the present code."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"must be executed in order, got {counts}"
    if notebook.metadata.get("kanref", {}).get("source") != source_hash(notebook):
        yield "the code has changed since it was executed: make notebooks"
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    if not any("image/png" in output.get("data", {}) for output in outputs):
        yield "must have a figure"
    for output in outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            yield f"an output is an error: {output.get('evalue') or output.get('text')}"
        if any("widget" in kind for kind in output.get("data", {})):
            yield "the output of a widget is stored"
    if "widgets" in notebook.metadata:
        yield "the state of widgets is stored"


def portable(notebook: NotebookNode) -> Iterator[str]:
    """Hold all text to be free of paths and addresses of a machine."""
    for number, cell in enumerate(notebook.cells):
        texts = [cell.source]
        for output in cell.get("outputs", []):
            texts += [output.get("text", ""), *output.get("data", {}).values()]
        for text in texts:
            shown = MACHINE.search(text) if isinstance(text, str) else None
            if shown:
                yield f"cell {number} shows a machine: {shown[0]!r}"


def imports(notebook: NotebookNode) -> Iterator[str]:
    """Hold the code to public names of kanref and to libraries that Pyodide has."""
    sources = [cell.source for cell in code_cells(notebook)]
    for source in [*sources, *(code for code, _ in solutions(notebook))]:
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            yield f"not plain Python: {error}"
            continue
        optional = _optional(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and node not in optional:
                for name in node.names:
                    yield from _module(name.name)
            elif isinstance(node, ast.ImportFrom):
                yield from _module(node.module or ".")
                for name in node.names:
                    yield from _name(node.module or "", name.name)


def _optional(tree: ast.Module) -> set[ast.stmt]:
    """Return the imports, first in a `try` that may fail, of what speeds a notebook up."""
    tries = [node for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers]
    return {
        node.body[0]
        for node in tries
        if isinstance(node.body[0], ast.Import)
        and all(name.name in OPTIONAL for name in node.body[0].names)
    }


def _module(name: str) -> Iterator[str]:
    root = name.partition(".")[0]
    known = root in LIBRARIES or root == "kanref" or root in sys.stdlib_module_names
    if not known or root in NETWORK or any(part.startswith("_") for part in name.split(".")):
        yield f"must not import {name}"


def _name(module: str, name: str) -> Iterator[str]:
    """Hold what is taken from a module of kanref to its public names."""
    if module.partition(".")[0] != "kanref":
        return
    there = importlib.import_module(module)
    public = getattr(there, "__all__", None)
    if name.startswith("_") or (public is not None and name not in public):
        submodule = module == "kanref" and importlib.util.find_spec(f"kanref.{name}")
        if name.startswith("_") or not submodule:
            yield f"{name} is not a public name of {module}"
    elif not hasattr(there, name):
        yield f"{module} has no {name}"


RULES: MappingProxyType[str, Callable[[NotebookNode], Iterator[str]]] = MappingProxyType(
    {rule.__name__: rule for rule in (opening, ending, style, executed, portable, imports)}
)


def problems(notebook: NotebookNode) -> list[str]:
    """Return what is wrong with a stored notebook, by all rules."""
    return [f"{name}: {text}" for name, rule in RULES.items() for text in rule(notebook)]


def file_problems(paths: list[Path]) -> list[str]:
    """Return what is wrong with the names and sizes of the files."""
    found = []
    numbers = []
    for path in paths:
        match = re.fullmatch(r"(\d\d)-[a-z0-9]+(?:-[a-z0-9]+)*\.ipynb", path.name)
        if match is None:
            found.append(f"{path.name}: the name must be like 01-b-splines-by-hand.ipynb")
        else:
            numbers.append(int(match[1]))
        if path.stat().st_size > MAX_BYTES:
            found.append(f"{path.name}: {path.stat().st_size} bytes, at most {MAX_BYTES}")
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"the numbers must be 01, 02, …, got {numbers}")
    return found
