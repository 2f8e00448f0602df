from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import drawings
import numpy as np
from builders import random_network, samples
from drawings import (
    live_edges,
    plain,
    textbook_edge,
    unit,
    with_functions,
    with_masks,
)

from kanref.plotting import network_svg
from kanref.plotting.pen import SYMBOLIC

nothing_left = drawings.nothing_left


def svg_points(d: str) -> np.ndarray:
    """Coordinates of a path of one M and relative steps."""
    first, *steps = d[1:].split("l")
    start = np.array(first.split(), float)
    return start + np.cumsum([np.zeros(2), *(np.array(s.split(), float) for s in steps)], axis=0)


def test_svg_is_small_well_formed_and_the_same_every_time() -> None:
    network = plain((2, 5, 1))
    text = network_svg(network, x=samples(20, 2))
    assert text == network_svg(network, x=samples(20, 2))
    assert len(text) < 20_000
    root = ElementTree.fromstring(text)
    kinds = [element.tag.split("}")[1] for element in root.iter()]
    assert kinds.count("circle") == 8 and kinds.count("path") == 2 * 15
    assert not any("id" in element.attrib for element in root.iter())


def test_svg_curves_follow_phi() -> None:
    network = plain((2, 3))
    root = ElementTree.fromstring(network_svg(network))
    curves = [e.get("d") for e in root.iter() if e.get("stroke-width") and e.get("d")]
    assert len(curves) == 6
    layer = network.layers[0]
    for (l, i, j), d in zip(live_edges(network), curves, strict=True):
        points = svg_points(d)
        x = np.linspace(layer.knots[i, 3], layer.knots[i, -4], len(points))
        phi = textbook_edge(network, l, i, j, np.minimum(x, layer.knots[i, -4] - 1e-12))
        np.testing.assert_allclose(unit(-points[:, 1]), unit(phi), atol=0.008)


def test_svg_escapes_names_and_marks_what_is_special() -> None:
    network = with_functions(random_network((2, (1, (2,)), 1), symbolic=False), (0, 0, 0, "sin"))
    network = with_masks(network, [np.ones((2, 3)), np.ones((2, 1))])
    names = ['<b> & "q"', "a\x00b\ud800"]
    root = ElementTree.fromstring(network_svg(network, input_names=names, output_names=["é\nü"]))
    written = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert written == ["sin", '<b> & "q"', "a\ufffdb\ufffd", "é", "ü"]
    strokes = [e.get("stroke") for e in root.iter() if e.tag.endswith("rect") and e.get("stroke")]
    assert strokes.count(SYMBOLIC) == 1 and strokes.count("#000") == 7
    circles = [e for e in root.iter() if e.tag.endswith("circle")]
    assert sum(e.get("fill") == "#fff" for e in circles) == 1  # the product


def test_svg_of_a_big_network_says_so() -> None:
    text = network_svg(plain((20, 16)))
    assert "320 live edges" in text and len(text) < 500
    ElementTree.fromstring(text)


def test_svg_needs_no_matplotlib() -> None:
    code = (
        "import sys; import kanref.plotting as p; from builders import random_network; "
        "p.network_svg(random_network()); assert 'matplotlib' not in sys.modules"
    )
    tests = Path(__file__).parent
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
    assert run.returncode == 0, run.stderr
