"""The program of a network: what every export computes, and what cannot be exported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import random_network
from export_cases import base_model, function_model, random_model, with_layers

from kanref import KAN
from kanref.export import ExportError, program_of
from kanref.network import Network


def test_only_live_edges_are_there_with_the_scale_in_the_coefficients():
    model = random_model()
    for layer, program in zip(model.layers, program_of(model).layers, strict=True):
        edges = {(e.i, e.j) for e in (*program.splines, *program.functions)}
        assert edges == {(int(i), int(j)) for i, j in np.argwhere(layer.mask)}
        assert len(program.functions) == sum(layer.mask[e.i, e.j] for e in layer.symbolic)
        for e in program.splines:
            wanted = layer.coef[e.i, e.j] * layer.scale_spline[e.i, e.j]
            assert e.coef == tuple(wanted.tolist())
            assert e.scale_base == layer.scale_base[e.i, e.j]
        for i, knots in enumerate(program.knots):
            leaves = any(e.i == i for e in program.splines)
            assert knots == (tuple(layer.knots[i].tolist()) if leaves else None)


def test_fading_splines_are_padded_so_that_every_cell_has_all_its_splines():
    model = random_model(extrapolate="zero", k=2, symbolic=False, masked=False)
    layer, program = model.layers[0], program_of(model).layers[0]
    knots = program.knots[0]
    assert knots[2:-2] == tuple(layer.knots[0].tolist())
    assert knots[:2] == (knots[2],) * 2
    assert knots[-2:] == (knots[-3],) * 2
    coef = program.splines[0].coef
    assert len(coef) == len(knots) - 3
    assert coef[:2] == coef[-2:] == (0.0, 0.0)


def test_numbers_of_a_float32_model_are_float32():
    program = program_of(random_model(dtype="float32"))
    assert program.dtype == "float32"
    values = [c for layer in program.layers for e in layer.splines for c in e.coef]
    assert all(float(np.float32(v)) == v for v in values)


def test_a_base_function_that_adds_nothing_is_not_needed():
    model = base_model("silu")
    off = with_layers(model, lambda layer: replace(layer, scale_base=0 * layer.scale_base))
    assert program_of(model).bases == ["silu"]
    assert program_of(off).bases == []
    assert program_of(base_model("zero")).bases == []


def own_base(x):
    return np.sin(x) ** 2


def test_an_own_base_function_is_refused_even_under_a_known_name():
    model = KAN([2, 3], grid=2, base_fun=("silu", own_base, own_base))
    with pytest.raises(ExportError, match="the base function must be one of silu"):
        program_of(model)


@pytest.mark.parametrize("part", ["coef", "scale_base", "knots"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameters_that_are_no_numbers_are_refused_and_named(part, value):
    model = KAN([2, 3], grid=2, k=1)
    getattr(model.layers[0], part)[1, 2] = value
    named = r"input 1 of layer 0" if part == "knots" else r"edge \(0, 1, 2\)"
    with pytest.raises(ExportError, match=named):
        program_of(model)


def test_what_stands_on_dead_edges_does_not_matter():
    model = KAN([2, 3], grid=2, k=1)
    model.layers[0].coef[1, 2] = np.nan
    model.layers[0].mask[1, 2] = False
    assert len(program_of(model).layers[0].splines) == 5


def test_affines_that_are_no_numbers_are_refused():
    model = function_model("sin")
    model.layers[0].affine[0, 2] = np.nan
    with pytest.raises(ExportError, match=r"edge \(0, 0, 0\)"):
        program_of(model)
    model = random_model()
    model.nodes[0].node_bias[3] = np.inf
    with pytest.raises(ExportError, match="node 3 above layer 0"):
        program_of(model)


def test_a_grid_without_extent_is_refused():
    network = random_network(width=(1, 1), symbolic=False, masked=False)
    knots = network.layers[0].knots * 0
    layer = replace(network.layers[0], knots=knots)
    model = KAN.from_network(Network.assemble([layer], network.nodes))
    with pytest.raises(ExportError, match="must have an extent"):
        program_of(model)


def test_labels():
    model = KAN([2, 3])
    model.classes = [np.str_("a"), "b", np.int64(3)]
    assert program_of(model).classes == ("a", "b", 3)
    for wrong in (["a", "b"], ["a", "b", "c", "d"], "abc", 3, []):
        with pytest.raises(ValueError, match="`classes` must be a list of 3 labels, one for"):
            model.classes = wrong
    assert model.classes == ["a", "b", 3]
    with pytest.raises(ValueError, match="must be a list of 2 labels"):
        KAN([2, 1]).classes = ["yes"]
    model.classes.append("d")
    with pytest.raises(ExportError, match="must be 3 labels, got 4"):
        program_of(model)
    model.classes = ["a", "b", ("c",)]
    with pytest.raises(ExportError, match="a label must be"):
        program_of(model)
