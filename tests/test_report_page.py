"""The page of `kanref report`: what it says is so, nothing on it runs, and a browser shows it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from browser import Browser
from export_cases import HOSTILE, random_model

from kanref import KAN, Scaling
from kanref.cli import main
from kanref.report import versions
from kanref.report_page import PageData, report_page
from kanref.report_page.charts import Chart, shares, span_of, ticks
from kanref.report_page.errors import MOST_DOTS
from kanref.scores import Scores
from kanref.training.history import History, Record


def page_data(model: KAN, X: np.ndarray, **more) -> PageData:
    with np.errstate(all="ignore"):
        prediction = model.predict(X)
    return PageData(
        more.pop("title", "A report"),
        more.pop("source", "rows.csv"),
        repr(model),
        model.network,
        model.scaling,
        model.input_names,
        model.output_names,
        X,
        prediction,
        versions=versions(),
        **more,
    )


def rows(model: KAN, n: int = 60, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).uniform(-1, 1, (n, model.n_in))
    return x * model.scaling.x_scale + model.scaling.x_shift


class Reader(HTMLParser):
    """Reads the elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "wbr", "i", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "i":
            assert self.open and self.open[-1] == tag, (tag, self.open[-5:])
            self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def read(page: str) -> Reader:
    """Read a page; every element is closed where it should be."""
    page = re.sub(r"<(path|rect|circle|line)([^>]*)/>", r"<\1\2></\1>", page)
    found = Reader(page)
    assert found.open == []
    return found


def test_scores_are_those_of_the_rows():
    model = random_model(width=(2, 3, 2), seed=1)
    X = rows(model)
    target = model.predict(X) + np.random.default_rng(1).normal(size=(60, 2))
    found = read(report_page(page_data(model, X, target=target)))
    for o in range(2):
        scores = Scores.of(target[:, o], model.predict(X)[:, o])
        assert f"{scores.r2:.4f}" in found.text
        assert f"{scores.rmse:.4g}" in found.text
    headings = [tag for tag, _ in found.tags if tag == "h2"]
    assert len(headings) == 7  # no formula
    assert "The model file holds no history" in found.text


def test_dots_stand_where_the_rows_are():
    model = random_model(width=(2, 1), seed=1)
    X = rows(model, 7)
    target = model.predict(X) + np.linspace(-1, 1, 7)[:, None]
    page = report_page(page_data(model, X, target=target))
    true, said = target[:, 0], model.predict(X)[:, 0]
    drawn = re.findall(r'<path class="dots" d="([^"]*)"', page)
    assert len(drawn) == 2
    for path, (a, b) in zip(drawn, [(true, said), (said, true - said)], strict=True):
        points = np.array(re.findall(r"M(\S+) (\S+)h0", path), dtype=float)
        assert points.shape == (7, 2)
        for values, at, sign in [(a, points[:, 0], 1), (b, points[:, 1], -1)]:
            slope, shift = np.polyfit(values, at, 1)
            assert sign * slope > 0
            np.testing.assert_allclose(slope * values + shift, at, atol=0.11)


def test_many_rows_are_thinned_and_the_page_says_so():
    model = random_model(width=(2, 1), seed=1)
    X = rows(model, MOST_DOTS + 500)
    page = report_page(page_data(model, X, target=model.predict(X)))
    assert page.count("h0") == 2 * MOST_DOTS
    assert f"{MOST_DOTS} of {MOST_DOTS + 500} rows" in read(page).text


def test_curves_and_features_are_ranked_by_their_scores():
    model = random_model(seed=3)
    X = rows(model)
    page = report_page(page_data(model, X))
    scores = model.attribute(X)
    live = sorted(
        (
            s
            for l, layer in zip(scores.edge_scores, model.layers, strict=True)
            for s in l[layer.mask]
        ),
        reverse=True,
    )
    shown = [float(s.replace("−", "-")) for s in re.findall(r"score ([-−\d.e]+)</fig", page)]
    np.testing.assert_allclose(shown, live[: len(shown)], rtol=6e-3)
    assert len(shown) == min(len(live), 36)
    table = page.split('class="bars-table"')[1].split("</table>")[0]
    values = [float(v) for v in re.findall(r'<td class="number">([^<]*)<', table)]
    np.testing.assert_allclose(values, sorted(scores.feature_scores, reverse=True), rtol=6e-3)
    assert re.findall(r'rect width="([^"]*)"', table)[0] == "100.0"


def test_the_history_is_drawn_where_there_is_one():
    records = [Record(n, 3.0 / n, 2.0 / n, 0.5, 2.5 / n, 1.0, 0.1 * n) for n in range(1, 9)]
    history = History(records, [], "all 8 steps taken", 9)
    model = KAN([2, 1])
    page = report_page(page_data(model, rows(model), history=history))
    found = read(page)
    assert "8 steps. The last fit ended: all 8 steps taken." in found.text
    card = page.split(">Training<")[1].split("</section>")[0]
    assert card.count('class="curve') == 3
    for word in ("loss", "penalty", "validation"):
        assert word in card
    flat = History([Record(1, 0.0, 0.0, 0.0, np.nan, 0.0, 0.1)], [], "", 1)
    read(report_page(page_data(model, rows(model), history=flat)))


def test_the_formula_of_a_symbolic_model():
    model = KAN([2, 1], grid=2, seed=0)
    model = model.fix_symbolic(0, 0, 0, "sin", affine=[3, 0.5, 1, 0])
    model = model.fix_symbolic(0, 1, 0, "x^2", affine=[1, 0, -2, 0])
    page = report_page(page_data(model, rows(model)))
    assert "<math" in page and "sin(3*x_1 + 0.5)" in read(page).text


def test_nothing_of_the_data_is_markup():
    names = [*HOSTILE, "<img src=x onerror=alert(1)>", "<style>*{display:none}</style>"]
    model = random_model(width=(len(names), 2), G=2, k=1)
    model.input_names = names
    model.output_names = ["</style><script>alert(2)</script>", "&lt;"]
    X = rows(model)
    page = report_page(
        page_data(
            model, X, title="</title><script>alert(3)</script>", source="<iframe src=//x>",
            target=model.predict(X) + 1, command="kanref report '<b>' </pre><script>",
        )
    )  # fmt: skip
    found = read(page)
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "img", "iframe", "b2", "object", "embed", "form", "base"}
    assert [tag for tag, _ in found.tags].count("style") == 1
    for tag, attributes in found.tags:
        assert "style" not in attributes and "src" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes)
    assert "alert(3)" in found.text and "<iframe src=//x>" in found.text
    policy = next(a["content"] for _, a in found.tags if a.get("http-equiv"))
    assert "script-src 'none'" in policy and "default-src 'none'" in policy


@pytest.mark.parametrize("n", [1, 2])
def test_very_few_rows(n):
    model = random_model(width=(2, 3, 1), seed=2)
    X = rows(model, n)
    read(report_page(page_data(model, X, target=model.predict(X))))


def test_models_that_are_not_defined_on_the_rows():
    model = KAN([1, 1], grid=2).fix_symbolic(0, 0, 0, "log", affine=[1, 0, 1, 0])
    X = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    found = read(report_page(page_data(model, X, target=np.ones((4, 1)))))
    assert "nan" in found.text  # the scores, as they are
    dead = KAN([2, 1]).remove_edge(0, 0, 0)
    read(report_page(page_data(dead, rows(dead))))


def test_labels_have_a_table_of_who_is_taken_for_whom():
    model = KAN([2, 3], seed=0)
    X = rows(model)
    true = ["<b>", "b", "c"] * 20
    said = ["<b>", "b", "b"] * 20
    found = read(report_page(page_data(model, X, labels=true, predicted_labels=said)))
    assert "66.7 %" in found.text
    page = report_page(page_data(model, X, labels=true, predicted_labels=said))
    cells = re.findall(r'<td class="number( hit)?">(\d+)</td>', page)
    assert cells == [(" hit", "20"), ("", "0"), ("", "0"), ("", "0"), (" hit", "20"), ("", "0"),
                     ("", "0"), ("", "20"), (" hit", "0")]  # fmt: skip


# --- charts --------------------------------------------------------------------------------------


def test_charts_put_points_where_the_axes_say():
    chart = Chart((0.0, 10.0), (1.0, 100.0), 200, 100, (20, 10, 30, 5), logarithmic=True)
    np.testing.assert_allclose(
        chart.at(np.array([0.0, 5.0, 10.0]), np.array([1.0, 10.0, 100.0])),
        [[20, 90], [95, 47.5], [170, 5]],
    )
    axes = chart.axes("x", "y")
    assert re.findall(r">([^<]+)</text>", axes) == [
        "1", "10", "100", "0", "2", "4", "6", "8", "10", "x", "y",
    ]  # fmt: skip
    assert "M20 90L" in chart.line(np.array([0.0, 1.0]), np.array([1.0, 2.0]), "curve")
    broken = chart.line(np.array([0.0, 1.0, 2.0]), np.array([1.0, np.nan, 2.0]), "curve")
    assert broken.count("M") == 2 and "nan" not in broken


def test_ranges_hold_what_they_are_of():
    assert span_of(np.array([1.0, np.inf, 3.0]), room=0.5) == (0.0, 4.0)
    assert span_of(np.array([np.nan])) == (0.0, 1.0)
    low, high = span_of(np.full(5, -7.0))
    assert low < -7 < high
    assert ticks(1e5, 2.05e5) == [100000.0, 125000.0, 150000.0, 175000.0, 200000.0]
    assert shares([2.0, 1.0, np.nan, -1.0]) == [1.0, 0.5, 0.0, 0.0]
    assert shares([0.0]) == [0.0]


# --- command line --------------------------------------------------------------------------------


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["report", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture
def files(tmp_path):
    model = random_model(width=(2, 3, 1), seed=5)
    model.input_names, model.output_names = ["speed", "angle"], ["drag"]
    X = rows(model)
    frame = pd.DataFrame(X, columns=model.input_names)
    frame["drag"] = model.predict(X)[:, 0] + np.random.default_rng(0).normal(size=60)
    model.save(tmp_path / "drag.npz")
    frame.to_csv(tmp_path / "drag.csv", index=False)
    return tmp_path, model, frame


def test_the_command_writes_a_page_and_tells_the_errors(files, capsys):
    folder, model, frame = files
    out = folder / "drag.html"
    assert command(folder / "drag.npz", folder / "drag.csv", "-o", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    wanted = Scores.of(frame["drag"], model.predict(frame[["speed", "angle"]])[:, 0])
    assert told["scores"]["drag"]["rmse"] == pytest.approx(wanted.rmse, rel=1e-9)
    found = read(out.read_text(encoding="utf-8"))
    assert f"{wanted.r2:.4f}" in found.text and "kanref report" in found.text
    assert command(folder / "drag.npz", folder / "drag.csv", "-o", out, "-q") == 0
    assert capsys.readouterr().out == ""


def test_data_without_the_output_and_with_another_name_for_it(files, capsys):
    folder, _, frame = files
    frame.rename(columns={"drag": "measured"}).to_csv(folder / "other.csv", index=False)
    out = folder / "drag.html"
    assert command(folder / "drag.npz", folder / "other.csv", "-o", out) == 0
    assert "no column drag" in read(out.read_text(encoding="utf-8")).text
    assert "RMSE" not in capsys.readouterr().out
    arguments = (folder / "drag.npz", folder / "other.csv", "-o", out, "--target", "measured")
    assert command(*arguments) == 0
    assert "drag: RMSE" in capsys.readouterr().out


def test_a_classifier_is_reported_by_its_labels(tmp_path, capsys):
    model = random_model(width=(2, 3), symbolic=False)
    model.classes = [1, 2, 3]
    X = rows(model)
    labels = np.array(model.predict_class(X))
    frame = pd.DataFrame(X, columns=model.input_names)
    frame["kind"] = labels.astype(float)
    frame.loc[:5, "kind"] = 99
    model.save(tmp_path / "m.npz")
    frame.to_csv(tmp_path / "m.csv", index=False)
    out = tmp_path / "m.html"
    assert command(tmp_path / "m.npz", tmp_path / "m.csv", "-o", out, "--target", "kind") == 0
    assert "accuracy 90.0 %" in capsys.readouterr().out
    assert command(tmp_path / "m.npz", tmp_path / "m.csv", "-o", out, "--target", "size") == 2
    assert "no column 'size'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("drag.npz", "drag.csv", "-o", "x.pdf"), "--out must end in .html"),
        (("drag.npz", "empty.csv", "-o", "x.html"), "no rows"),
        (("drag.npz", "missing.csv", "-o", "x.html"), "missing.csv"),
        (("drag.npz", "drag.csv", "-o", "x.html", "--target", "size"), "'size'"),
        (("drag.csv", "drag.csv", "-o", "x.html"), "model"),
    ],
)
def test_what_stops_the_command_leaves_no_file(files, capsys, monkeypatch, arguments, message):
    folder, _, frame = files
    frame.iloc[:0].to_csv(folder / "empty.csv", index=False)
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    assert command(*arguments) == 2
    assert message in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_a_browser_shows_all_of_it(tmp_path, width, dark):
    model = random_model(width=(3, 4, 2), seed=4)
    model.scaling = Scaling(np.zeros(3), np.ones(3), np.zeros(2), np.ones(2))
    X = rows(model)
    path = tmp_path / "report.html"
    path.write_text(report_page(page_data(model, X, target=model.predict(X) + 0.1)))
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(path, width=width, dark=dark)
        assert browser.run("document.documentElement.scrollWidth") == width
        small = browser.run(
            "[...document.querySelectorAll('svg')].filter((s) => "
            "s.getBoundingClientRect().width < 60).length"
        )
        assert small == 0
        ink = browser.run("getComputedStyle(document.querySelector('.network text')).fill")
        paper = browser.run("getComputedStyle(document.body).backgroundColor")
        brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ink, paper)]
        assert (brightness[0] > brightness[1]) == dark
        assert abs(brightness[0] - brightness[1]) > 400
        assert browser.complaints() == [] and browser.requests() == []
    finally:
        browser.close()
