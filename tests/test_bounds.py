"""Bounds against what the models compute: no sample may lie outside, and not much room beside."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import plain_nodes, random_network
from hypothesis import given, settings
from hypothesis import strategies as st

from kanref import KAN
from kanref.bounds import PIECES, PreparedNetwork
from kanref.functions import BASE_FUNCTIONS, FUNCTIONS, base_function
from kanref.network import Network
from kanref.scaling import Scaling

N_IN = 2


@st.composite
def models(draw):
    """Draw a model: any degree, both extrapolations, sum, product, symbolic and dead edges."""
    network = random_network(
        G=draw(st.integers(1, 6)),
        k=draw(st.integers(0, 6)),
        symbolic=draw(st.booleans()),
        masked=draw(st.booleans()),
        extrapolate=draw(st.sampled_from(["linear", "zero"])),
        spline_scale=draw(st.booleans()),
        base_fun=draw(st.sampled_from(sorted(BASE_FUNCTIONS))),
        dtype=draw(st.sampled_from(["float64", "float32"])),
        seed=draw(st.integers(0, 2**20)),
    )
    backend = draw(st.sampled_from(["numpy", "auto"]))
    model = KAN.from_network(replace(network, backend=backend))
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 2**20)))
        model.scaling = Scaling(
            rng.normal(size=2), rng.uniform(0.1, 3, 2), rng.normal(size=3), rng.uniform(0.1, 9, 3)
        )
    return model


@st.composite
def boxes(draw):
    """Draw a box around the grid: wide, narrow, a line or a point."""
    middle = [draw(st.floats(-2, 2)) for _ in range(N_IN)]
    half = [draw(st.sampled_from([0.0, 1e-9, 1e-4, 0.03, 0.4, 2.0])) for _ in range(N_IN)]
    return [(m - h, m + h) for m, h in zip(middle, half, strict=True)]


def inputs(box, rng, N=600):
    """Draw points of a box, its corners and its edges included."""
    box = np.asarray(box)
    X = rng.uniform(box[:, 0], box[:, 1], (N, len(box)))
    snapped = rng.integers(0, 3, X.shape)
    return np.where(snapped == 0, box[:, 0], np.where(snapped == 1, box[:, 1], X))


class TestSound:
    """Whatever is asked, the model keeps within."""

    @settings(max_examples=30, deadline=None)
    @given(models(), boxes(), st.sampled_from([1, 9, 70]), st.integers(0, 99))
    def test_outputs(self, model, box, budget, seed):
        lower, upper = model.bounds(box, budget=budget)
        y = model.predict(inputs(box, np.random.default_rng(seed)))
        assert lower.shape == upper.shape == (3,)
        assert np.all(np.isfinite(lower)) and np.all(np.isfinite(upper))
        assert np.all(y >= lower) and np.all(y <= upper)

    @settings(max_examples=15, deadline=None)
    @given(models(), boxes(), st.sampled_from([1, 40]), st.integers(0, 99))
    def test_slopes(self, model, box, budget, seed):
        L = model.lipschitz(box, budget=budget)
        rng = np.random.default_rng(seed)
        X, Z = inputs(box, rng), inputs(box, rng)
        Z[::2] = X[::2] + 1e-3 * (Z[::2] - X[::2])
        y, z = model.predict(X).astype(float), model.predict(Z).astype(float)
        step = np.abs(X - Z)
        lower, upper = model.bounds(box, budget=1)
        size = np.maximum(np.abs(lower), np.abs(upper))
        rounding = (1e-9 if model.dtype == np.float64 else 1e-2) * (1 + size)
        with np.errstate(invalid="ignore"):
            by_constant = np.where(step.max(1)[:, None] > 0, L.constant * step.max(1)[:, None], 0)
            parts = np.where(step[:, None] > 0, L.partial * step[:, None], 0)
        assert np.all(np.abs(y - z) <= by_constant + rounding)
        assert np.all(np.abs(y - z) <= parts.sum(axis=2) + rounding)

    @settings(max_examples=15, deadline=None)
    @given(models(), boxes(), st.integers(0, 99))
    def test_jacobian(self, model, box, seed):
        """Against the backward pass, at points where it is the derivative."""
        if model.layers[0].k < 2 or model.dtype == np.float32:
            return
        model.scaling = Scaling.identity(2, 3)
        X = inputs(box, np.random.default_rng(seed))
        J = np.abs(model.jacobian(X)).max(axis=0)
        partial = model.lipschitz(box, budget=5).partial
        assert np.all(J <= partial * (1 + 1e-9) + 1e-9 * (1 + np.abs(J).max()))

    @pytest.mark.parametrize("name", sorted(FUNCTIONS))
    def test_each_function(self, name):
        """Through a layer of its own, on random intervals in its domain."""
        rng = np.random.default_rng(5)
        for _ in range(12):
            affine = np.append(rng.choice([-2, -0.4, 0.7, 1, 9], 2), rng.normal(size=2))
            model = KAN([1, 1]).fix_symbolic(0, 0, 0, name, affine=affine)
            x = rng.uniform(-3, 3, 300) * rng.choice([0.1, 1, 20])
            fine = np.isfinite(model.predict(x[:, None])[:, 0])
            if not fine.any():
                continue
            middle = rng.choice(x[fine])
            half = rng.choice([0.0, 1e-6, 0.05, 0.6, 8.0])
            lower, upper = model.bounds([(middle - half, middle + half)], budget=64)
            y = model.predict(inputs([(middle - half, middle + half)], rng))
            assert np.all((y >= lower) & (y <= upper) | ((lower == -np.inf) & (upper == np.inf)))
            if np.all(np.isfinite(upper)):
                room = 0.05 * np.ptp(y) + 1e-9 * (1 + np.abs(y).max()) + (1e-3 * np.abs(y).max())
                assert upper - lower <= np.ptp(y) + room + (half > 1) * 0.1 * np.abs(y).max()


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    model = KAN([2, 5, 1], grid=5, k=3, seed=1)
    model.fit(X, np.exp(np.sin(np.pi * X[:, 0]) + X[:, 1] ** 2), steps=40)
    return model


class TestTight:
    """The bounds are of use."""

    def test_trained_network(self, trained):
        """At most 3 times the sampled range; in fact 1.03 times it."""
        y = trained.predict(np.random.default_rng(1).uniform(-1, 1, (100_000, 2)))
        lower, upper = trained.bounds([(-1, 1), (-1, 1)])
        assert np.ptp(y) <= upper - lower <= 1.06 * np.ptp(y)
        lower, upper = trained.bounds([(-1, 1), (-1, 1)], budget=1)
        assert upper - lower <= 3 * np.ptp(y)

    def test_trained_slopes(self, trained):
        J = trained.jacobian(np.random.default_rng(1).uniform(-1, 1, (60_000, 2)))
        L = trained.lipschitz([(-1, 1), (-1, 1)])
        sampled = np.abs(J).sum(axis=2).max(axis=0)
        assert sampled <= L.constant <= 1.06 * sampled
        assert np.all(L.partial <= 1.06 * np.abs(J).max(axis=0))

    @pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
    @pytest.mark.parametrize("extrapolate", ["linear", "zero"])
    @pytest.mark.parametrize("symbolic", [True, False])
    def test_width_goes_to_zero(self, k, extrapolate, symbolic):
        network = random_network(k=k, extrapolate=extrapolate, symbolic=symbolic, seed=k)
        model = KAN.from_network(network)
        for point in ([0.31, -0.17], [1.21, -1.6]):
            widths = []
            for half in (1e-1, 1e-3, 1e-5, 1e-7, 0.0):
                lower, upper = model.bounds([(x - half, x + half) for x in point], budget=1)
                widths.append(np.max(upper - lower))
            assert all(b <= a / 20 for a, b in pairwise(widths[:-1]))
            assert widths[-1] <= 1e-9 * (1 + np.abs(upper).max())

    def test_a_point_is_known_to_rounding(self):
        model = KAN([3, 4, 2], seed=2)
        X = np.array([0.2, -0.7, 0.4])
        lower, upper = model.bounds(np.stack([X, X], axis=1))
        assert np.all(upper - lower < 1e-11)
        assert np.all(np.abs(model.predict(X[None])[0] - (lower + upper) / 2) < 1e-11)

    def test_more_budget_is_never_worse(self, trained):
        widths = [
            np.subtract(*trained.bounds([(-1, 1), (-0.5, 1)], budget=b)[::-1])[0]
            for b in (1, 3, 20, 200)
        ]
        assert all(b <= a for a, b in pairwise(widths))
        assert widths[-1] < widths[0]

    def test_base_and_spline_that_cancel(self):
        """They are bounded together: silu less the spline that is nearly silu."""
        model = KAN([1, 1], grid=20, base_fun="silu", seed=0)
        layer = model.layers[0]
        x = np.linspace(-1, 1, 200)[:, None]
        from kanref.bspline import fit_coef

        layer.coef[:] = fit_coef(x, -base_function("silu").f(x)[:, :, None], layer.knots, layer.k)
        layer.scale_spline[:] = 1
        layer.scale_base[:] = 1
        lower, upper = model.bounds([(-1, 1)])
        assert np.abs([lower, upper]).max() < 0.01


class TestNothingGuaranteed:
    """Poles, ends of domains, overflow, NaN: infinite on both sides."""

    @pytest.mark.parametrize(
        ("name", "box"),
        [
            ("log", (-1, 1)),
            ("log", (0, 1)),
            ("sqrt", (-1e-9, 1)),
            ("1/x", (-1, 1)),
            ("1/x^2", (0, 1)),
            ("tan", (1, 2)),
            ("tan", (-50, 50)),
            ("arcsin", (0, 1.01)),
            ("arctanh", (0, 1)),
            ("exp", (0, 1000)),
            ("x^5", (0, 1e80)),
        ],
    )
    def test_functions(self, name, box):
        model = KAN([1, 1, 1]).fix_symbolic(0, 0, 0, name, affine=[1, 0, 1, 0])
        lower, upper = model.bounds([box], budget=30)
        assert lower == -np.inf and upper == np.inf

    @pytest.mark.parametrize(
        ("name", "box"),
        [("sqrt", (0, 1)), ("arcsin", (-1, 1)), ("log", (1e-9, 1)), ("tan", (-1.5, 1.5))],
    )
    def test_up_to_the_edge(self, name, box):
        model = KAN([1, 1]).fix_symbolic(0, 0, 0, name, affine=[1, 0, 1, 0])
        y = model.predict(np.array(box)[:, None])
        lower, upper = model.bounds([box])
        assert lower <= y.min() and upper >= y.max()
        assert upper - lower == pytest.approx(np.ptp(y), rel=1e-6)

    def test_the_root_of_a_square(self):
        """Rounding never carries a square below 0, where the root would be NaN."""
        model = KAN([1, 1, 1]).fix_symbolic(0, 0, 0, "x^2", affine=[1, 0.3, 2, 0])
        model = model.fix_symbolic(1, 0, 0, "sqrt", affine=[3, 0, 1, 0])
        lower, upper = model.bounds([(-1, 1)])
        assert lower == pytest.approx(0, abs=1e-9) and upper == pytest.approx(1.3 * 6**0.5)

    def test_only_the_outputs_that_it_reaches(self):
        network = random_network((2, 2), symbolic=False, masked=False)
        network.layers[0].mask[:] = np.eye(2, dtype=bool)
        network.layers[0].coef[1] = np.nan
        lower, upper = KAN.from_network(network).bounds([(0, 1), (0, 1)])
        assert np.isfinite(lower[0]) and np.isfinite(upper[0])
        assert lower[1] == -np.inf and upper[1] == np.inf

    def test_large_for_float32(self):
        model = KAN([1, 1], dtype="float32").fix_symbolic(0, 0, 0, "exp", affine=[1, 0, 1, 0])
        assert np.all(np.isfinite(model.bounds([(0, 80)])))
        assert np.all(np.isinf(model.bounds([(0, 90)])))

    def test_dead_edges_reach_nothing(self):
        model = KAN([2, 1]).fix_symbolic(0, 0, 0, "log", affine=[1, 0, 1, 0])
        model.layers[0].mask[0, 0] = False
        assert np.all(np.isfinite(model.bounds([(-1, 1), (-1, 1)])))
        assert model.lipschitz([(-1, 1), (-1, 1)]).partial[0, 0] == 0


class TestJumps:
    """A jump has no Lipschitz constant; beside it there is one."""

    def test_degree_zero(self):
        model = KAN([1, 1], grid=4, k=0, base_fun="zero", noise_scale=1.0, seed=3)
        assert model.lipschitz([(-0.9, 0.9)], budget=30).constant == np.inf
        assert model.lipschitz([(-0.4, -0.1)]).constant <= 1e-12
        lower, upper = model.bounds([(-0.9, 0.9)])
        values = (model.layers[0].coef * model.layers[0].scale_spline[..., None]).ravel()
        assert lower == pytest.approx(values.min(), rel=1e-12)
        assert upper == pytest.approx(values.max(), rel=1e-12)

    @pytest.mark.parametrize("extrapolate", ["linear", "zero"])
    def test_repeated_knots(self, extrapolate):
        network = random_network(
            (1, 1), G=6, k=2, symbolic=False, masked=False, extrapolate=extrapolate
        )
        network.layers[0].knots[0, 4:7] = network.layers[0].knots[0, 5]
        model, place = KAN.from_network(network), network.layers[0].knots[0, 5]
        x = np.linspace(place - 0.2, place + 0.2, 4001)[:, None]
        y = model.predict(x)
        assert np.abs(np.diff(y[:, 0])).max() > 0.1
        lower, upper = model.bounds([(x[0, 0], x[-1, 0])])
        assert lower <= y.min() and upper >= y.max() and upper - lower < 1.05 * np.ptp(y)
        assert model.lipschitz([(x[0, 0], x[-1, 0])], budget=30).constant == np.inf
        assert model.lipschitz([(place, place + 0.1)]).constant < np.inf

    def test_the_sign(self):
        model = KAN([1, 1]).fix_symbolic(0, 0, 0, "sgn", affine=[1, 0, 2, 1])
        assert model.bounds([(-1, 1)])[0] == pytest.approx(-1)
        assert model.lipschitz([(-1, 1)], budget=20).constant == np.inf
        assert model.lipschitz([(0.1, 1)]).constant == 0


class TestBoxes:
    @pytest.mark.parametrize(
        ("box", "error", "message"),
        [
            ([(0, 1)], ValueError, "one for each input, got shape \\(1, 2\\)"),
            ([], ValueError, "2 pairs"),
            ([(0, 1), (2, 1)], ValueError, "low <= high for input 1 \\('speed'\\)"),
            ([(0, np.nan), (0, 1)], ValueError, "finite for input 0"),
            ([(0, 1), (-np.inf, 1)], ValueError, "finite for input 1"),
            ([(0, 1), (0, 1, 2)], ValueError, "2 pairs"),
            ([("a", "b"), ("c", "d")], TypeError, "real numbers"),
            (None, ValueError, "2 pairs"),
        ],
    )
    @pytest.mark.parametrize("method", ["bounds", "lipschitz"])
    def test_errors(self, method, box, error, message):
        model = KAN([2, 1])
        model.input_names = ["time", "speed"]
        with pytest.raises(error, match=message):
            getattr(model, method)(box)

    @pytest.mark.parametrize("budget", [0, -1, 2.5, True, "many"])
    def test_budget(self, budget):
        with pytest.raises(ValueError, match="`budget` must be an integer of at least 1"):
            KAN([1, 1]).bounds([(0, 1)], budget=budget)

    def test_own_functions_are_refused(self):
        model = KAN([1, 1])
        model.add_function("cube", lambda x: x**3, lambda x: 3 * x**2)
        with pytest.raises(ValueError, match="'cube', which is the user's own"):
            model.fix_symbolic(0, 0, 0, "cube", affine=[1, 0, 1, 0]).bounds([(0, 1)])
        own = KAN([1, 1], base_fun=(np.cos, lambda x: -np.sin(x)))
        with pytest.raises(ValueError, match=r"the user's own.*layer 0"):
            own.lipschitz([(0, 1)])

    def test_data_units(self):
        """The same question in other units has the same answer."""
        model = KAN([2, 3, 1], seed=4)
        other = model.copy()
        other.scaling = Scaling([3.0, -1.0], [2.0, 0.5], [10.0], [4.0])
        lower, upper = model.bounds([(-1, 0.5), (0.2, 0.7)])
        box = [(1.0, 4.0), (-0.9, -0.65)]
        assert np.allclose(other.bounds(box), np.array([lower, upper]) * 4 + 10)
        slopes = model.lipschitz([(-1, 0.5), (0.2, 0.7)]).partial
        assert np.allclose(other.lipschitz(box).partial, slopes * 4 / [2.0, 0.5])


def test_rounding_is_bounded_by_its_margin():
    """Points far out and steep splines: float32 against float64 parameters of the same value."""
    network = random_network(dtype="float32", k=4, seed=8)
    exact = PreparedNetwork.of(network.map(lambda a: a if a.dtype == bool else a.astype(float)))
    x = np.random.default_rng(0).uniform(-3, 3, (500, 2)).astype(np.float32).astype(float)
    narrow = exact.on(x, x, PIECES).y
    wide = PreparedNetwork.of(network).on(x, x, PIECES).y
    y = KAN.from_network(network)(x)
    assert np.all(y >= wide.lo) and np.all(y <= wide.hi)
    assert np.all(narrow.lo >= wide.lo) and np.all(narrow.hi <= wide.hi)
    assert not np.all((y >= narrow.lo) & (y <= narrow.hi))  # so the margin is needed


def test_wide_networks_keep_within_memory():
    model = KAN([40, 30, 2], seed=0)
    X = np.random.default_rng(0).uniform(-1, 1, (500, 40))
    lower, upper = model.bounds([(-1, 1)] * 40, budget=20)
    y = model.predict(X)
    assert np.all((y >= lower) & (y <= upper))


def test_layers_without_edges():
    network = random_network((2, 2), symbolic=False, masked=False)
    network.layers[0].mask[:] = False
    model = KAN.from_network(Network.assemble(network.layers, [plain_nodes(2)]))
    lower, upper = model.bounds([(0, 1), (0, 1)])
    assert np.all(np.abs([lower, upper]) < 1e-300)
