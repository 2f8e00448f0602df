"""Model files: exact, atomic, and safe to read whatever is in them."""

from __future__ import annotations

import io as streams
import json
import os
import zipfile

import numpy as np
import pytest
from builders import random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import io
from kanref.functions import FUNCTIONS, base_function, make_function
from kanref.io import Header
from kanref.network import PARAMETERS
from kanref.scaling import Scaling
from kanref.training import Event, History
from kanref.training.history import Record


def header(network, classes=None):
    rng = np.random.default_rng(5)
    rng.random(3)
    scaling = Scaling([1, 2], [3, 4], [5, 6, 7], [0.1, 0.2, 0.3])
    names = ["a", 'b "quoted" ü'], ["u", "v", "w"]
    return Header(scaling, *names, classes, 0.02, rng, course())


def course(n=3):
    """A history in which every number is another, NaN and infinity among them."""
    records = [
        Record(2 * s, s + 0.1, s + 0.2, np.inf, np.nan, s + 0.3, -s / 8) for s in range(1, n + 1)
    ]
    events = [Event(1, "grid", "grids moved ü"), Event(4, "end", "")]
    return History(records, events, "stopped by a callback", 17)


def assert_same(one, other):
    for a, b in zip(one.layers, other.layers, strict=True):
        for name in ("knots", "mask", *PARAMETERS[:4]):
            x, y = getattr(a, name), getattr(b, name)
            assert (x is None) == (y is None)
            if x is not None:
                assert x.dtype == y.dtype
                assert x.tobytes() == y.tobytes()
        assert a.symbolic == b.symbolic
        assert (a.k, a.extrapolate, a.base_fun) == (b.k, b.extrapolate, b.base_fun)
    for a, b in zip(one.nodes, other.nodes, strict=True):
        assert (a.n_sum, a.arity) == (b.n_sum, b.arity)
    assert one.groups == other.groups
    assert one.theta.tobytes() == other.theta.tobytes()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("spline_scale", [True, False])
def test_the_round_trip_is_exact_to_the_bit(tmp_path, dtype, spline_scale):
    network = random_network(dtype=dtype, spline_scale=spline_scale, extrapolate="zero")
    network.layers[0].coef[0, 0, :2] = [np.nan, np.inf]
    h = header(network, ["red", 2, True])
    io.save(tmp_path / "m.npz", network, h)
    other, g = io.load(tmp_path / "m.npz")
    assert_same(network, other)
    assert (g.input_names, g.output_names, g.classes) == (h.input_names, h.output_names, h.classes)
    assert repr(g.history.records) == repr(h.history.records)  # NaN is no other NaN
    assert vars(g.history) | {"records": []} == vars(h.history) | {"records": []}
    for name in vars(h.scaling):
        np.testing.assert_array_equal(getattr(h.scaling, name), getattr(g.scaling, name))
    assert h.rng.random() == g.rng.random()
    assert np.shares_memory(other.layers[0].coef, other.theta)
    assert os.listdir(tmp_path) == ["m.npz"]


def test_own_functions_are_named_and_given_again(tmp_path):
    network = random_network()
    own = make_function("mine", np.cos, lambda x: -np.sin(x))
    edge = network.layers[0].symbolic[0]
    object.__setattr__(edge, "function", own)
    base = base_function(("my base", np.tanh, lambda x: 1 - np.tanh(x) ** 2))
    object.__setattr__(network.layers[0], "base_fun", base)
    path = tmp_path / "m.npz"
    io.save(path, network, header(network))
    with pytest.raises(ValueError, match="`functions` must give the function 'mine'"):
        io.load(path, base_fun=base)
    with pytest.raises(ValueError, match="`base_fun` must give the base function 'my base'"):
        io.load(path, functions={"mine": own})
    other, _ = io.load(path, functions={"mine": own}, base_fun=base)
    assert other.layers[0].symbolic[0].function is own
    assert other.layers[0].base_fun is base
    assert other.layers[1].base_fun is not base


@pytest.mark.parametrize("n", [1000, 1001, 2500])
def test_a_long_history_is_thinned(tmp_path, n):
    network, h = random_network(), header(random_network())
    h.history = course(n)
    h.history.stop_reason = "x" * 5000
    io.save(tmp_path / "m.npz", network, h)
    found = io.load(tmp_path / "m.npz")[1].history
    assert len(found) == 1000
    assert (found.step[0], found.step[-1]) == (2, 2 * n)
    assert set(found.step) <= set(h.history.step)
    assert np.diff(found.step).max() - np.diff(found.step).min() <= 2
    assert found.stop_reason == "x" * 1000


@pytest.mark.parametrize(
    ("history", "reason"),
    [(None, TypeError), (History([Record(1, *[0.0] * 6)] * 2), ValueError)],
)
def test_a_history_that_load_would_not_take_is_not_written(tmp_path, history, reason):
    h = header(random_network())
    h.history = history
    with pytest.raises(reason, match="`history` must be"):
        io.save(tmp_path / "m.npz", random_network(), h)
    assert os.listdir(tmp_path) == []


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    network = random_network()
    path = tmp_path / "m.npz"
    io.save(path, network, header(network))
    before = path.read_bytes()

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        io.save(path, network, header(network))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.npz"]
    with pytest.raises(TypeError, match="`classes` must be text or numbers"):
        io.save(path, network, header(network, [object()]))
    assert path.read_bytes() == before


def saved(tmp_path):
    network = random_network(width=(2, 3, 3))
    path = tmp_path / "m.npz"
    io.save(path, network, header(network))
    return path


def rewrite(path, *, header=None, drop=(), arrays=None, compression=zipfile.ZIP_STORED):
    """Write the file again with some of its members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    if header is not None:
        text = json.loads(np.load(streams.BytesIO(members["header.npy"])).tobytes())
        header(text)
        members["header.npy"] = npy(np.frombuffer(json.dumps(text).encode(), np.uint8))
    members.update({f"{n}.npy": npy(a) for n, a in (arrays or {}).items()})
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            if name not in drop:
                archive.writestr(name, data)


def npy(a):
    stream = streams.BytesIO()
    np.lib.format.write_array(stream, a, allow_pickle=True)
    return stream.getvalue()


def delete(name):
    return lambda h: h.pop(name)


def assign(*keys, value):
    def change(h):
        for key in keys[:-1]:
            h = h[key]
        h[keys[-1]] = value

    return change


CHANGES = [
    ({"header": assign("version", value=99)}, "format version 99, and this kanref reads"),
    ({"header": assign("format", value="other")}, "an archive of something else"),
    ({"header": delete("layers")}, "its header lacks something"),
    ({"header": assign("layers", value=[])}, "no layers"),
    ({"header": assign("layers", 0, "G", value=10**6)}, "knots must be"),
    ({"header": assign("layers", 0, "G", value=10**12)}, "its layers must make a network of at"),
    ({"header": assign("layers", 0, "k", value=101)}, "a degree of at most 100, got 101"),
    ({"header": assign("layers", 0, "G", value="4")}, "G is '4'"),
    ({"header": assign("layers", 0, "k", value=True)}, "k is True"),
    ({"header": assign("layers", 0, "extrapolate", value="x")}, "extrapolate is 'x'"),
    ({"header": assign("layers", 0, "base_fun", value="x")}, "base function 'x'"),
    ({"header": assign("layers", 0, "symbolic", value=[[0, 0, "x**2"]])}, "function 'x\\*\\*2'"),
    ({"header": assign("layers", 0, "symbolic", value=[[9, 0, "sin"]])}, "out of place"),
    ({"header": assign("layers", 0, "symbolic", value=[[0, 0]])}, "damaged|lacks"),
    ({"header": assign("nodes", 0, "arity", value=[1])}, "arity is"),
    ({"header": assign("nodes", 0, "n_sum", value=4)}, "must be"),
    ({"header": assign("groups", value=["coef", "x"])}, "parameter groups"),
    ({"header": assign("dtype", value="int8")}, "dtype int8"),
    ({"header": assign("dtype", value="nonsense")}, "the dtype nonsense"),
    ({"header": assign("input_names", value=["a"])}, "input_names is not a list of 2"),
    ({"header": assign("generator", "bit_generator", value="os")}, "lacks something"),
    ({"drop": ["layer0.coef.npy"]}, "layer0.coef is missing"),
    ({"drop": ["header.npy"]}, "has no header"),
    ({"arrays": {"layer0.coef": np.zeros(3)}}, "layer0.coef must be"),
    ({"arrays": {"layer0.coef": np.array([{}, 1], dtype=object)}}, "no array of numbers"),
    ({"arrays": {"layer0.knots": -np.arange(22.0).reshape(2, 11)}}, "knots decrease"),
    ({"arrays": {"scaling.x_scale": np.zeros(2)}}, "`x_scale` must be positive"),
    ({"compression": zipfile.ZIP_DEFLATED}, "compressed"),
    ({"header": delete("history")}, "its header lacks something"),
    ({"drop": ["history.npy"]}, "the array history must be float64 with 7 columns"),
    ({"arrays": {"history": np.ones((3, 7), np.float32)}}, "the array history must be"),
    ({"arrays": {"history": np.ones((3, 6))}}, "the array history must be"),
    ({"arrays": {"history": np.ones(7)}}, "the array history must be"),
    ({"arrays": {"history": np.ones((3, 7))}}, "steps of its history do not count on"),
    ({"arrays": {"history": np.full((1, 7), 1.5)}}, "steps of its history do not count on"),
    ({"arrays": {"history": np.full((1, 7), np.nan)}}, "steps of its history do not count on"),
    ({"arrays": {"history": np.zeros((1, 7))}}, "steps of its history do not count on"),
    ({"arrays": {"history": np.full((1, 7), 1e300)}}, "steps of its history do not count on"),
    ({"arrays": {"history": np.ones((1001, 7))}}, "its history has 1001 steps, and at most 1000"),
    ({"header": assign("history", "events", value="x" * 9)}, "no list of at most 1000"),
    ({"header": assign("history", "events", value=[[1, "a", "b"]] * 1001)}, "no list of at most"),
    ({"header": assign("history", "events", value=[[1, "a"]])}, "lacks something"),
    ({"header": assign("history", "events", value=[["1", "a", "b"]])}, "its history counts '1'"),
    ({"header": assign("history", "n_evaluations", value=-1)}, "its history counts -1"),
    ({"header": assign("history", "stop_reason", value=None)}, "its history says None"),
    ({"header": assign("history", "stop_reason", value="\ud800")}, "its history says"),
    ({"header": assign("history", "stop_reason", value="a" * 1001)}, "its history says 'aaa"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_file_that_is_not_right_is_refused_by_name(tmp_path, change, message):
    path = saved(tmp_path)
    rewrite(path, **change)
    with pytest.raises(ValueError, match=message):
        io.load(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"hello", b"\x93NUMPY\x01\x00"])
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="`path` must be a kanref model"):
        io.load(path)
    with pytest.raises(FileNotFoundError):
        io.load(tmp_path / "none.npz")


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_right(tmp_path_factory, data):
    path = saved(tmp_path_factory.mktemp("m"))
    content = bytearray(path.read_bytes())
    whole, _ = io.load(path)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        other, _ = io.load(path)
    except ValueError:
        return
    assert_same(whole, other)


def test_library_functions_are_found_by_name(tmp_path):
    path = saved(tmp_path)
    network, _ = io.load(path)
    names = [e.function.name for layer in network.layers for e in layer.symbolic]
    assert names
    assert all(FUNCTIONS[n].name == n for n in names)
