"""What is called after each step of a fit, and what interrupts one."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from training_cases import BOTH, Planted, all_arrays, equal, objective, small, table

from kanref.network import Network
from kanref.training import FitSettings, ProgressBar, StopTraining, fit
from kanref.training.callbacks import someone_watches


@BOTH
def test_a_callback_stops_the_fit(settings: FitSettings) -> None:
    seen: list[tuple] = []

    def watch(state: Any) -> bool:
        assert state.history.records[-1] is state.record
        seen.append((state.step, state.steps, state.network.theta.copy()))
        return state.step == 5

    network = small()
    rng = np.random.default_rng(0)
    history = fit(network, table(), objective(), settings, rng=rng, callbacks=[watch, len_of_steps])
    assert [entry[:2] for entry in seen] == [(s, 12) for s in range(1, 6)]
    assert len(history) == 5
    assert history.stop_reason == "a callback ended the fit"
    assert np.array_equal(network.theta, seen[-1][2])


def len_of_steps(state: Any) -> int:
    return state.step  # true, but not True: goes on


@BOTH
def test_a_callback_says_why(settings: FitSettings) -> None:
    def stop(state: Any) -> None:
        raise StopTraining("enough")

    rng = np.random.default_rng(0)
    history = fit(small(), table(), objective(), settings, rng=rng, callbacks=[stop])
    assert (len(history), history.stop_reason) == (1, "enough")


@BOTH
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_leaves_the_last_complete_step(settings: FitSettings, error: type) -> None:
    network, at = small(), []

    def interrupt(candidate: Network, call: int) -> bool:
        if call == 11:
            network.theta[:3] = 0.0  # as if it came in the middle of writing
            raise error
        return False

    goal = Planted(objective(), interrupt)
    with pytest.raises(error):
        fit(
            network,
            table(),
            goal,
            settings,
            rng=np.random.default_rng(0),
            callbacks=[lambda state: at.append(all_arrays(state.network))],
        )
    assert len(at) >= 4
    assert equal(all_arrays(network), at[-1])


def test_progress_bar() -> None:
    text = io.StringIO()
    bar = ProgressBar(3, file=text, mininterval=0)
    settings = FitSettings(steps=3, update_grid=False)
    history = fit(
        small(),
        table(),
        objective(lamb=0.1),
        settings,
        validation=table(seed=4),
        callbacks=[bar],
        progress=False,
    )
    bar.close()
    last = text.getvalue().split("\r")[-1]
    assert "3/3" in last
    record = history.records[-1]
    expected = f"loss={record.loss:.3g}, reg={record.reg:.3g}, validation={record.validation:.3g}"
    assert expected in last


def test_progress_goes_to_standard_error_on_request(capsys: pytest.CaptureFixture) -> None:
    settings = FitSettings(steps=2, update_grid=False)
    fit(small(), table(), objective(), settings)  # nobody watches
    assert capsys.readouterr() == ("", "")
    fit(small(), table(), objective(), settings, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err


@pytest.mark.parametrize(("kernel", "watched"), [(object(), True), (None, False)])
def test_progress_shows_in_notebooks(
    kernel: Any, watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert someone_watches() is watched


def test_progress_shows_on_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    fit(small(), table(), objective(), FitSettings(steps=2, update_grid=False))
    assert "2/2" in terminal.getvalue()
