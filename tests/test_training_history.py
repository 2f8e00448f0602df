"""The history of a fit: a table, a picture, a sum."""

from __future__ import annotations

import numpy as np
import pytest
from training_cases import objective, small, table

from kanref import KAN
from kanref.training import Event, FitSettings, FitState, History, Record, fit


def test_history_is_a_table() -> None:
    network, data, goal = small(), table(), objective(lamb=0.1)
    settings = FitSettings(steps=4, update_grid=False)
    history = fit(network, data, goal, settings, validation=table(seed=4))
    frame = history.to_pandas()
    names = ["step", "total", "loss", "reg", "validation", "grad_norm", "seconds"]
    assert list(frame.columns) == names
    assert len(frame) == len(history) == 4
    for name in names:
        assert np.array_equal(frame[name], getattr(history, name))
    found = goal.evaluate(network, data.x, data.target)
    last = history.records[-1]
    assert (last.total, last.loss, last.reg) == (found.total, found.loss, found.reg)
    assert last.grad_norm == np.linalg.norm(found.gradient.theta)
    assert history.total == pytest.approx(history.loss + 0.1 * history.reg, rel=1e-14)
    assert np.all(np.diff(history.seconds) >= 0)


def test_histories_add_up() -> None:
    a = History([Record(1, 3.0, 2.0, 1.0, np.nan, 9.0, 0.5)], [Event(0, "grid", "x")], "first", 4)
    b = History([Record(1, 2.5, 1.5, 1.0, 0.25, 8.0, 0.25)], [Event(1, "grid", "y")], "second", 3)
    both = a + b
    assert both.step.tolist() == [1, 2]
    assert both.seconds.tolist() == [0.5, 0.75]
    assert both.total.tolist() == [3.0, 2.5]
    assert both.events == [Event(0, "grid", "x"), Event(2, "grid", "y")]
    assert (both.stop_reason, both.n_evaluations) == ("second", 7)
    assert len(a) == len(b) == 1
    assert (History() + b).records == b.records
    with pytest.raises(TypeError):
        a + "b"  # type: ignore[operator]
    assert repr(both) == (
        "History: 2 steps, 7 evaluations, 0.8 s, loss 1.5, validation 0.25; second"
    )


def test_history_in_notebooks() -> None:
    records = [Record(s, 1.0, 1.0, 0.0, np.nan, 1.0, 0.1) for s in range(1, 13)]
    html = History(records, [], "all <12> steps taken", 13)._repr_html_()
    assert html.count("<tr>") == 1 + 10 + 1  # head, ten steps, the gap
    assert "all &lt;12&gt; steps" in html
    assert "<td>12</td>" in html


def test_history_plot() -> None:
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    history = fit(
        small(),
        table(),
        objective(lamb=0.1),
        FitSettings("adam", 6, grid_update_num=1, stop_grid_update_step=3, batch_size=21),
        rng=np.random.default_rng(0),
        validation=table(seed=4),
    )
    ax = Figure().subplots()
    assert history.plot(ax) is ax
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert np.array_equal(lines["loss"].get_ydata(), history.loss)
    assert lines["validation"].get_xdata().tolist() == [2, 4, 6]  # epochs of two batches
    assert np.array_equal(lines["reg"].get_ydata(), history.reg)
    assert len(lines) == 4  # and the grid update
    assert ax.get_yscale() == "log"
    empty = History([], [], "nothing", 0).plot()
    assert empty.get_yscale() == "linear"
    plt.close(empty.figure)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_the_steps_of_an_interrupted_fit_are_history(error: type[BaseException]) -> None:
    def interrupt(state: FitState) -> None:
        if state.step == 4:
            raise error

    X, y = np.linspace(-1, 1, 40).reshape(20, 2), np.linspace(0, 1, 20) ** 2
    model = KAN([2, 3, 1], seed=0)
    first = model.fit(X, y, steps=3, update_grid=False)
    with pytest.raises(error):
        model.fit(X, y, steps=9, update_grid=False, callbacks=[interrupt])
    assert model.history.step.tolist() == list(range(1, 8))
    assert model.history.n_evaluations > first.n_evaluations
    assert model.history.stop_reason == f"ended by {error.__name__}"
    with pytest.raises(TypeError, match="callables"):
        model.fit(X, y, steps=9, callbacks=["none"])
    assert (len(model.history), model.history.stop_reason) == (7, f"ended by {error.__name__}")


def test_copies_of_a_model_have_a_history_of_their_own() -> None:
    model = KAN([2, 1], seed=0)
    model.history = History([], [Event(0, "grid", "moved")], "done", 5)
    for other in (model.copy(), model.refine(10), model.with_theta(model.theta)):
        assert other.history == model.history
        other.history.n_evaluations += 1
        other.history.events.append(Event(1, "restart", "again"))
        other.history.records.append(Record(1, 1.0, 1.0, 0.0, 0.0, 1.0, 0.1))
        assert model.history == History([], [Event(0, "grid", "moved")], "done", 5)
