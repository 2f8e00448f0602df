"""The page of the target `html`, in a real browser: what it shows is what the model says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from browser import Browser
from export_cases import HOSTILE, random_model

from kanref import KAN, Scaling
from kanref.export import export, program_of
from kanref.export.html import write
from kanref.export.view import View, round_range
from kanref.export.web import document


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture
def page(browser, tmp_path):
    """Return who exports a model and opens its page, ready, and without a complaint."""

    def show(model: KAN, *, width: int = 1280, dark: bool = False, **options) -> Browser:
        path = tmp_path / "net.html"
        export(program_of(model), path, **options)
        browser.open(path, width=width, dark=dark)
        browser.wait("document.documentElement.dataset.ready === 'true'")
        return browser

    yield show
    assert browser.complaints() == []
    assert browser.requests() == []


def outputs(page: Browser) -> np.ndarray:
    """Read the outputs, all digits."""
    texts = page.run(
        "[...document.querySelectorAll('#outputs output')].map((o) => o.dataset.value)"
    )
    return np.array([float(text) for text in texts])


def inputs(page: Browser) -> np.ndarray:
    """Read the fields."""
    texts = page.run("[...document.querySelectorAll('#inputs [type=number]')].map((f) => f.value)")
    return np.array([float(text) for text in texts])


def enter(page: Browser, i: int, text: str) -> None:
    """Type into a field."""
    page.run(
        f"(() => {{ const f = document.getElementById('input-{i}'); f.focus(); f.select(); }})()"
    )
    page.call("Input.insertText", text=text)


def check(page: Browser, model: KAN) -> None:
    row = inputs(page)
    wanted = model.predict(row[None, :])[0]
    np.testing.assert_allclose(outputs(page), wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


def slide(page: Browser, i: int, share: float) -> None:
    """Press the mouse on a slider, at a share of its length."""
    selector = f".input:nth-child({i + 1}) [type=range]"
    x, y = page.centre(selector)
    width = page.run(f"document.querySelector({json.dumps(selector)}).clientWidth")
    x += (share - 0.5) * (width - 18)
    page.mouse("mouseMoved", x, y)
    page.mouse("mousePressed", x, y)
    page.mouse("mouseReleased", x, y)


@pytest.mark.parametrize("extrapolate", ["linear", "zero"])
def test_a_slider_is_moved_and_the_outputs_are_those_of_the_model(page, extrapolate):
    model = random_model(extrapolate=extrapolate, seed=7)
    found = page(model)
    check(found, model)
    before = outputs(found)
    slide(found, 1, 0.8)
    assert not np.array_equal(outputs(found), before)
    check(found, model)
    slide(found, 0, 0.15)
    check(found, model)
    low, high = model.network.layers[0].knots[:, [3, -4]].T
    share = (model.scaling.x_to_network(inputs(found)) - low) / (high - low)
    np.testing.assert_allclose(share, [0.15, 0.8], atol=0.06)


def test_arrow_keys_move_a_slider(page):
    model = KAN([2, 3, 1], seed=3)
    found = page(model)
    found.run("document.querySelector('.input [type=range]').focus()")
    start = inputs(found)[0]
    found.key("ArrowRight", 39)
    assert inputs(found)[0] > start
    check(found, model)


def test_fields_take_points_outside_the_grid_and_refuse_what_is_no_number(page):
    model = random_model(width=(2, 3, 1), seed=1)
    found = page(model)
    enter(found, 0, "-1234.5")
    assert inputs(found)[0] == -1234.5
    check(found, model)
    found.frames()
    assert "outside" in found.run("document.querySelector('.ends .warn').textContent")
    enter(found, 0, "")
    found.frames()
    assert np.isnan(outputs(found)).all()
    assert found.run("document.querySelector('#outputs output').textContent") == "not defined"
    assert found.run("document.getElementById('input-0').getAttribute('aria-invalid')") == "true"
    enter(found, 0, "0.25")
    check(found, model)


def test_hovering_an_edge_tells_its_function_and_its_value_at_the_present_point(page):
    model = random_model(seed=2)
    rows = np.random.default_rng(0).normal(size=(50, 2)) * model.scaling.x_scale
    rows += model.scaling.x_shift
    found = page(model, X=rows)
    enter(found, 1, "0.5")
    found.frames()
    row = inputs(found)
    x = model.scaling.x_to_network(row[None, :])
    levels, edges = model.activations(x), model.edges(x)
    live = live_edges(model)
    drawn = found.run("[...document.querySelectorAll('.box')].map((b) => b.dataset.edge)")
    assert sorted(map(int, drawn)) == list(range(len(live)))
    kinds = set()
    for index, (l, i, j) in list(enumerate(live))[::4]:
        found.mouse("mouseMoved", *found.centre(f".box[data-edge='{index}'] rect"))
        place, text, score, at, value = found.run(
            "[...document.querySelectorAll('#edge dd')].map((d) => d.textContent)"
        )
        assert place == f"({l}, {i}, {j})"
        functions = {(e.i, e.j): e.function.name for e in model.layers[l].symbolic}
        kinds.add((i, j) in functions)
        assert ("cubic spline" in text) == ((i, j) not in functions)
        known = row[i] if l == 0 else levels[l][0, i]
        assert number(at) == pytest.approx(known, rel=1e-3, abs=1e-9)
        assert number(value) == pytest.approx(edges[l][0, i, j], rel=1e-3, abs=1e-9)
        wanted = model.attribute(rows).edge_scores[l][i, j]
        assert number(score) == pytest.approx(wanted, rel=1e-2, abs=1e-9)
    assert kinds == {True, False}


def live_edges(model: KAN) -> list[tuple[int, int, int]]:
    return [
        (l, int(i), int(j))
        for l, layer in enumerate(model.layers)
        for i, j in np.argwhere(layer.mask)
    ]


def number(text: str) -> float:
    found = re.fullmatch(r"([−\d.]+)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", text)
    assert found, text
    power = (found[2] or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(found[1].replace("−", "-")) * 10.0 ** int(power)


def test_the_point_on_a_box_is_where_the_curve_is(page):
    model = KAN([1, 1], grid=3, seed=4)
    found = page(model)
    places, values = [], []
    for value in ("-0.7", "0.1", "0.93"):
        enter(found, 0, value)
        found.frames()
        x, y = found.run(
            "(() => { const d = document.querySelector('.box .dot');"
            "return [Number(d.getAttribute('cx')), Number(d.getAttribute('cy'))]; })()"
        )
        distance = found.run(
            "(() => { const c = document.querySelector('.box .curve'); let best = 1e9;"
            "for (let s = 0; s <= 1; s += 0.001) {"
            "const p = c.getPointAtLength(s * c.getTotalLength());"
            f"best = Math.min(best, Math.hypot(p.x - {x}, p.y - {y})); }} return best; }})()"
        )
        assert distance < 0.5
        places.append([x, y])
        values.append([float(value), model.edges(np.array([[float(value)]]))[0][0, 0, 0]])
    for axis, sign in ((0, 1), (1, -1)):  # y of an SVG grows downwards
        shown, true = np.array(places)[:, axis], np.array(values)[:, axis]
        slope, shift = np.polyfit(true, shown, 1)
        assert sign * slope > 0
        np.testing.assert_allclose(slope * true + shift, shown, atol=0.2)
    enter(found, 0, "5")
    found.frames()
    assert "beyond" in found.run("document.querySelector('.box .dot').getAttribute('class')")


def test_keys_walk_through_the_network_and_it_is_one_stop(page):
    model = KAN([2, 3, 1], seed=0)
    found = page(model)
    stops = "document.querySelectorAll('.box[tabindex=\"0\"]').length"
    assert found.run(stops) == 1
    found.run("document.querySelector('.box[tabindex=\"0\"]').focus()")
    seen = set()
    for key, code in [("Home", 36), *[("ArrowRight", 39)] * 5, ("ArrowUp", 38), ("End", 35)]:
        found.key(key, code)
        seen.add(found.run("document.activeElement.dataset.edge"))
        assert found.run(stops) == 1
        assert found.run("document.querySelector('#edge dd').textContent") == str(
            live_edges(model)[int(found.run("document.activeElement.dataset.edge"))]
        )
    assert len(seen) >= 7


def test_every_control_has_a_name_and_a_role(page):
    model = random_model(width=(2, 3, 2), seed=1)
    model.input_names = ["speed", "angle"]
    found = page(model)
    nodes = found.call("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored")
        and node["role"]["value"]
        in ("button", "slider", "spinbutton", "radio", "status", "heading", "image")
    ]
    assert all(name or role == "status" for role, name in named)
    roles = [role for role, _ in named]
    assert roles.count("slider") == roles.count("spinbutton") == roles.count("radio") == 2
    assert ("spinbutton", "speed") in named and ("slider", "angle, slider") in named
    assert sum(role == "button" for role in roles) >= len(live_edges(model))
    enter(found, 0, "0.1")
    found.wait("document.getElementById('announcement').textContent.includes('y')")
    region = "document.getElementById('announcement').getAttribute('aria-live')"
    assert found.run(region) == "polite"


def test_light_and_dark_by_the_system_and_by_the_button(page):
    paper = "getComputedStyle(document.body).backgroundColor"
    model = KAN([2, 1])
    light = page(model).run(paper)
    found = page(model, dark=True)
    dark = found.run(paper)
    assert luminance(light) > 0.8 and luminance(dark) < 0.05
    assert found.run("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
    found.run("document.getElementById('theme').click()")
    assert found.run(paper) == light
    assert found.run("document.getElementById('theme').getAttribute('aria-pressed')") == "false"


def luminance(color: str) -> float:
    channels = [int(c) / 255 for c in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(page, dark):
    found = page(KAN([2, 1]), dark=dark)
    colors = {
        name: found.run(
            "(() => { const e = document.createElement('i'); document.body.append(e);"
            f"e.style.color = 'var(--{name})'; const c = getComputedStyle(e).color; e.remove();"
            "return c; })()"
        )
        for name in ("ink", "soft", "faint", "now", "symbolic", "paper", "card")
    }
    for name in ("ink", "soft", "faint", "now", "symbolic"):
        for ground in ("paper", "card"):
            low, high = sorted((luminance(colors[name]), luminance(colors[ground])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


@pytest.mark.parametrize("width", [(2, 5, 1), (10, 10, 3)])
def test_a_phone_shows_all_of_it(page, width):
    model = KAN(width, seed=0)
    found = page(model, width=390)
    assert found.run("document.documentElement.scrollWidth") == 390
    cut = found.run(
        "[...document.querySelectorAll('main *')].filter((e) => "
        "!e.closest('.scroll, svg, .formula') && e.getBoundingClientRect().right > 391).length"
    )
    assert cut == 0
    assert found.run("document.querySelector('.box rect').getBoundingClientRect().width") >= 18
    enter(found, 0, "0.31")
    check(found, model)


def test_hostile_names_are_text(page):
    names = [*HOSTILE, "<img src=x onerror=alert(1)>", "<!--", "x" * 300, "${y}", "$heading"]
    model = random_model(width=(len(names), 2), G=2, k=1, symbolic=False)
    model.input_names = names
    model.output_names = ["<b>bold</b>", "javascript:alert(2)"]
    model.classes = ["<script>alert(3)</script>", "&amp;"]
    found = page(model, title="</title><script>alert(4)</script>")
    check(found, model)
    assert found.run("document.title") == "</title><script>alert(4)</script>"
    assert found.run("document.querySelector('h1').textContent") == found.run("document.title")
    assert found.run("document.querySelectorAll('script').length") == 1
    assert found.run("document.querySelectorAll('img, b:not(.gauge b)').length") == 0
    labels = found.run("[...document.querySelectorAll('.input label')].map((l) => l.textContent)")
    assert labels[0] == '"); system("x' and "</script><script>alert(1)</script>" in labels


def test_the_formula_of_a_symbolic_model_is_typeset(page):
    model = KAN([2, 1, 1], grid=3, seed=0)
    model = model.fix_symbolic(0, 0, 0, "sin", affine=[3, 0.5, 1, 0])
    model = model.fix_symbolic(0, 1, 0, "x^2", affine=[1, 0, -2, 0])
    model = model.fix_symbolic(1, 0, 0, "exp", affine=[1, 0, 1, 0])
    model.input_names = ["x_1", "</mi><script>alert(1)</script>"]
    found = page(model)
    text = found.run("document.querySelector('math').textContent").replace("\u2062", "")
    assert text.startswith("y=e") and "sin(3x1+0.5)" in text
    assert "</mi><script>alert(1)</script>" in text
    box = found.run("document.querySelector('math').getBoundingClientRect().height")
    assert box > 15
    assert found.run("document.querySelector('details pre').textContent") == (
        'y = exp(-2*"</mi><script>alert(1)</script>"**2 + sin(3*x_1 + 0.5))'
    )
    assert "<math" not in write(program_of(KAN([2, 1])), stem="net")[".html"]


@pytest.mark.parametrize("n_out", [1, 3])
def test_classes_are_told_with_their_probability(page, n_out):
    model = random_model(width=(2, 4, n_out), seed=3)
    model.classes = ["ash", "beech", "cedar"][: max(n_out, 2)]
    found, seen = page(model), set()
    for value in np.linspace(-8, 8, 9):
        enter(found, 0, str(value))
        row = inputs(found)[None, :]
        y = model(model.scaling.x_to_network(row))[0]
        p = np.exp(y) / np.exp(y).sum() if n_out > 1 else 1 / (1 + np.exp([y[0], -y[0]]))
        said, chance = found.run("document.getElementById('verdict').textContent").split(", ")
        assert said == model.predict_class(row)[0]
        assert float(chance.removesuffix(" %")) == pytest.approx(100 * p.max(), rel=1e-2)
        seen.add(said)
    assert len(seen) > 1
    check(found, model)


def test_the_profile_above_a_slider_is_that_of_the_chosen_output(page):
    model = random_model(width=(2, 3, 2), seed=6)
    found = page(model)
    paths = "[...document.querySelectorAll('.profile path')].map((p) => p.getAttribute('d'))"
    found.wait(f"{paths}.every(Boolean)")
    before = found.run(paths)
    found.run("document.getElementById('shown-1').click()")
    found.wait(f"{paths}.every((d, n) => d !== {json.dumps(before)}[n])")
    heights = [float(p.split()[1]) for p in found.run(paths)[0][1:].split("L")]
    slider = "document.querySelector('.input:first-child [type=range]')"
    low, high = found.run(f"[Number({slider}.min), Number({slider}.max)]")
    rows = np.repeat(inputs(found)[None, :], 61, axis=0)
    rows[:, 0] = np.linspace(low, high, 61)
    wanted = model.predict(rows)[:, 1]
    assert np.corrcoef(heights, wanted)[0, 1] < -0.999


def test_large_networks_draw_what_matters_most(page):
    model = KAN([20, 16, 5], grid=3, seed=0)
    found = page(model)
    assert found.run("document.querySelectorAll('.box').length") == 300
    assert "leaves out 100 edges" in found.run("document.body.textContent")
    slide(found, 0, 0.9)
    check(found, model)


def test_edges_that_are_not_defined_and_dead_ones_do_no_harm(page):
    model = KAN([2, 2, 2], grid=3, seed=0).remove_edge(0, 1, 0).remove_edge(1, 1, 0)
    model = model.fix_symbolic(0, 0, 0, "log", affine=[1, 0, 1, 0])
    found = page(model)
    enter(found, 0, "-0.5")
    found.frames()
    wanted = model.predict(inputs(found)[None, :])[0]
    assert np.isnan(wanted).any()
    np.testing.assert_array_equal(np.isnan(outputs(found)), np.isnan(wanted))
    enter(found, 0, "0.5")
    check(found, model)


def test_the_policy_forbids_everything_but_the_pages_own_script_and_style(tmp_path):
    found = write(program_of(KAN([2, 1])), stem="net")[".html"]

    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.policy = [], ""

        def handle_starttag(self, tag, attrs):
            attrs = dict(attrs)
            self.tags.append((tag, attrs))
            if attrs.get("http-equiv") == "Content-Security-Policy":
                self.policy = attrs["content"]

    reader = Reader()
    reader.feed(found)
    assert reader.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in reader.policy and "http" not in reader.policy
    for tag, attributes in reader.tags:
        assert "src" not in attributes and "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes)
        assert not attributes.get("href", "#").startswith(("http", "//", "javascript"))


def test_the_policy_is_in_force(browser, tmp_path):
    path = tmp_path / "page.html"
    page = document("t", "", "<p id='p'>a</p>", "document.getElementById('p').textContent = 'b';")
    script = "<script>document.getElementById('p').textContent = 'c';</script></body>"
    path.write_text(page.replace("</body>", script))
    browser.open(path)
    assert browser.run("document.getElementById('p').textContent") == "b"
    assert any("Content Security Policy" in text for text in browser.complaints())


def test_options_that_will_not_do(tmp_path):
    program = program_of(KAN([2, 1]))
    for options, message in [
        ({"X": np.zeros((4, 3))}, "`X`"),
        ({"X": np.full((4, 2), np.nan)}, "`X` must have a row of finite numbers"),
        ({"title": 3}, "`title` must be text"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            export(program, tmp_path / "net.html", **options)
    assert list(tmp_path.iterdir()) == []


def test_ranges_are_round_and_hold_the_data():
    rng = np.random.default_rng(0)
    for _ in range(200):
        low = rng.normal() * 10.0 ** rng.integers(-6, 7)
        high = low + 10.0 ** rng.uniform(-5, 5)
        first, last, step = round_range(low, high)
        assert first <= low + 1e-6 * step and last >= high - 1e-6 * step
        assert last - first <= (high - low) + 2.01 * step
    for low, high in [(3.0, 3.0), (0.0, 0.0), (-1e-9, -1e-9), (np.nan, 1.0), (-np.inf, 0.0)]:
        first, last, step = round_range(low, high)
        assert first < last and step > 0


def test_data_set_the_ranges_and_the_start(tmp_path):
    model = KAN([2, 1])
    model.scaling = Scaling(np.array([5.0, 0.0]), np.array([2.0, 1.0]), np.zeros(1), np.ones(1))
    X = np.column_stack([np.linspace(2, 9, 51) ** 2, np.linspace(-1, 0, 51)])
    page = write(program_of(model), stem="net", X=X)[".html"]
    data = json.loads(page.split("const PAGE = ")[1].split(";\n")[0])
    assert [entry["low"] for entry in data["inputs"]] == [4.0, -1.0]
    assert [entry["high"] for entry in data["inputs"]] == [81.0, 0.0]
    medians = np.median(X, axis=0)
    np.testing.assert_allclose([e["start"] for e in data["inputs"]], medians, atol=0.1)


def test_long_names_leave_room_for_the_drawing_on_a_phone():
    model = KAN([5, 4, 3], seed=0)
    names = [f"temperature-of-the-fluid-in-the-outer-jacket-number-{i}" for i in range(5)]
    model.input_names, model.output_names = names, names[:3]
    layouts = View.of(program_of(model)).data()["layouts"]
    narrow = layouts[0]
    assert sum(narrow["margins"][::2]) < 0.5 * narrow["width"]
    assert sum(narrow["margins"][1::2]) < 0.8 * narrow["height"]
    assert len(set(narrow["inputs"]["texts"])) == 5  # and their ends still tell them apart
