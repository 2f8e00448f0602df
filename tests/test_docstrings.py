"""Every public name has a complete docstring, by numpydoc's own validation.

Public is what docs/api lists, with the public methods of its classes. What is not asked for, why:

- ES01, SA01, EX01: a second paragraph, cross references and an example stand where they help;
- PR04, PR07: parameters explained elsewhere are listed with a reference in place of a type;
- PR03: parameters that are explained together stand together;
- PR08, PR09, RT03, RT04, RT05: a description may be a phrase such as "1 gives the uniform grid";
- RT02: a result has a name where the text speaks of it;
- YD01: a context manager of one line says what it yields.

A section may be missing where the text says the same: the parameters of a docstring that names each
of them or refers to the function with the same ones, the result of one that begins with "Return",
the fields of a data class under Attributes.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass

import pytest
from test_docs import listed

numpydoc = pytest.importorskip("numpydoc.validate")

NOT_ASKED = {
    *("ES01", "SA01", "EX01"),
    *("PR03", "PR04", "PR07", "PR08", "PR09"),
    *("RT02", "RT03", "RT04", "RT05", "YD01"),
}
VERBS = "Return|Evaluate|Tell|Make|Fit|Read|Rank|Score|Draw|Predict|Convert|Count|List|Whether"
RESULT = re.compile(rf"\A({VERBS})\b|\A[^.]*[;,] return ")  # in the first sentence
SAME = re.compile(r"(those of|arguments as) [^.]*:\w+:`|:\w+:`[^.]*the same arguments")
MISSING = re.compile(r"Parameters \{(.*)\} not documented")


def public() -> Iterator[tuple[str, object]]:
    """Yield the public names, methods included, each object once, by its full name."""
    seen = set()
    for module, names in sorted(listed().items()):
        for name in sorted(names):
            found = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part, None)
            for thing in (found, *methods(found)):
                if inspect.isfunction(thing) or inspect.isclass(thing):
                    full = f"{thing.__module__}.{thing.__qualname__}"
                    if full not in seen:
                        seen.add(full)
                        yield full, thing


def methods(owner: object) -> Iterator[object]:
    """Yield the public methods and properties that a class has from kanref."""
    for key in dir(owner) if inspect.isclass(owner) else ():
        found = inspect.getattr_static(owner, key)
        found = getattr(found, "__func__", getattr(found, "fget", found))
        ours = getattr(found, "__module__", None) or ""
        if not key.startswith("_") and inspect.isfunction(found) and ours.startswith("kanref"):
            yield found


def complaints(full: str, thing: object) -> list[str]:
    """Return what is wrong with a docstring."""
    text = inspect.getdoc(thing) or ""
    same = SAME.search(" ".join(text.split())) is not None
    found = []
    for code, message in numpydoc.validate(full)["errors"]:
        missing = MISSING.search(message)
        if code in NOT_ASKED or (same and code in ("PR01", "RT01")):
            continue
        if code == "PR01" and missing:
            names = [name.strip(" '*") for name in missing[1].split(",")]
            names = [name for name in names if not re.search(rf"\b{name}\b", text)]
            if not names:
                continue
            message = f"parameters {sorted(names)} are not even named"
        if code == "RT01" and (RESULT.search(text) or is_dataclass(thing)):
            continue
        found.append(f"{full}: {code} {message}")
    return found


@pytest.mark.filterwarnings("ignore")  # of numpydoc, about sections it does not know
def test_docstrings_are_complete():
    names = dict(public())
    assert len(names) > 150
    found = [line for full, thing in names.items() for line in complaints(full, thing)]
    assert not found, "\n".join(found)


def test_an_incomplete_docstring_is_noticed(monkeypatch):
    def function(first, second):
        """Add `first` to something."""
        return first + second

    errors = [("PR01", "Parameters {'first', 'second'} not documented"), ("RT01", "No Returns")]
    monkeypatch.setattr(numpydoc, "validate", lambda name: {"errors": errors})
    found = complaints("function", function)
    assert len(found) == 2 and "['second']" in found[0]
