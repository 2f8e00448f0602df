"""What notebooks show: compact, and with every name escaped."""

from __future__ import annotations

import copy
import pickle
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy

from kanref import KAN, History
from kanref.model.formulas import Formulas
from kanref.training import Record

HOSTILE = ["<script>alert(1)</script>", '"onload="x', "a&b $x$ \\frac{1}"]


class Tags(HTMLParser):
    """Collects what a browser would take for elements and attributes, and checks their nesting."""

    VOID = ("br", "img", "path", "rect", "line", "circle", "use", "polyline")

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open = set(), set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def hostile_model():
    model = KAN([3, 2, 1], seed=0)
    model.input_names, model.output_names = HOSTILE, ["<b>y</b>"]
    return model


def views():
    model = hostile_model()
    X = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    records = [Record(s, 1.0, 1.0, 0.0, np.nan, 1.0, 0.1) for s in range(1, 2000)]
    yield model
    yield model.suggest_symbolic(0, 0, 0, X, lib=["x", "sin"])
    yield model.prune_plan(X)
    yield History(records, [], "<script>", 13)


@pytest.mark.parametrize("number", range(4))
def test_views_are_compact_and_escaped(number):
    view = list(views())[number]
    text = view._repr_html_()
    found = Tags(text)
    assert found.open == []
    assert "script" not in found.tags and "b" not in found.tags
    assert not {name for name in found.attributes if name.startswith("on")}
    assert len(text) < 60_000


def test_a_large_network_is_a_table_without_a_picture():
    text = KAN([40, 30, 5])._repr_html_()
    assert "<svg" not in text and "No picture: 1350 edges" in text
    assert len(text) < 2000
    assert "<svg" in KAN([4, 3, 2])._repr_html_()


def test_formulas_are_lists_that_are_typeset():
    model = hostile_model()
    for l, i, j in [(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 1, 1), (0, 2, 1), (1, 0, 0)]:
        model = model.fix_symbolic(l, i, j, "x", affine=[1, 0, 1.234567 + i, 0])
    model = model.fix_symbolic(1, 1, 0, "sin", affine=[1, 0, 1, 0])
    found = model.symbolic_formula()
    assert isinstance(found, list) and len(found) == 1
    assert isinstance(found[0], sympy.Expr)
    text = found._repr_latex_()
    assert text.startswith(r"$\displaystyle \begin{aligned}\text{\textless{}b\textgreater{}y")
    assert "1.235" in text and "1.234567" not in text
    assert "<" not in text and text.count("$") == 2 + 2 * text.count(r"a\&b")  # \$x\$ is escaped
    assert r"\text{a\&b \$x\$ \textbackslash{}frac\{1\}}" in text


def test_formulas_survive_what_lists_survive():
    x = sympy.Symbol("x")
    found = Formulas([x, x**2], ["u", "v"])
    assert found._repr_latex_().count("&=") == 2
    for other in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert other == found and other.output_names == ("u", "v")
    found.append(x)
    assert found._repr_latex_() is None
    long = sympy.Add(*(sympy.Symbol(f"x{n}") for n in range(9000)))
    assert Formulas([long], ["y"])._repr_latex_() is None
    assert Formulas()._repr_latex_() is None
