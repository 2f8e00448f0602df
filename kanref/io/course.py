"""The course of the training in a model file: a table of its steps, and a few sentences.

No more than :data:`MOST_STEPS` steps and as many events are kept, evenly spread, the first and the
last among them: a file stays small however long the training was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np

from ..training import Event, History
from ..training.history import Record
from .archive import Unreadable
from .format import is_text

MOST_STEPS = 1000
"""Steps, and events, that are kept."""

MOST_CHARACTERS = 1000
"""Of each sentence."""

MEMBER = "history"
COLUMNS = tuple(f.name for f in fields(Record))


def check(history: Any) -> None:
    """Raise unless this is a history that :func:`history_of` would take."""
    if not isinstance(history, History):
        raise TypeError(f"`history` must be a History to be saved, got {history!r:.40}")
    try:
        history_of(table_of(history), describe(history))
    except Unreadable as error:
        raise ValueError(f"`history` must be one that can be read again, got: {error}") from None


def table_of(history: History) -> np.ndarray:
    """Return the steps that are kept as a float64 table (n, 7), its columns those of a Record."""
    return np.array([astuple(r) for r in _some(history.records)], dtype=float).reshape(
        -1, len(COLUMNS)
    )


def describe(history: History) -> dict[str, Any]:
    """Return all but the steps, as JSON takes it."""
    return {
        "events": [[int(e.step), _cut(e.kind), _cut(e.text)] for e in _some(history.events)],
        "stop_reason": _cut(history.stop_reason),
        "n_evaluations": int(history.n_evaluations),
    }


def _some(entries: Sequence[Any]) -> list[Any]:
    """Return all entries, or MOST_STEPS of them, evenly spread."""
    if len(entries) <= MOST_STEPS:
        return list(entries)
    places = np.linspace(0, len(entries) - 1, MOST_STEPS).round().astype(int)
    return [entries[place] for place in places]


def _cut(text: str) -> str:
    return text.encode(errors="replace").decode()[:MOST_CHARACTERS]


def history_of(table: np.ndarray | None, description: Any) -> History:
    """Return what :func:`table_of` and :func:`describe` wrote.

    Raises
    ------
    Unreadable
        If it is anything else.
    """
    if table is None or table.dtype != np.float64 or table.shape[1:] != (len(COLUMNS),):
        raise Unreadable(f"the array {MEMBER} must be float64 with {len(COLUMNS)} columns")
    if len(table) > MOST_STEPS:
        raise Unreadable(f"its history has {len(table)} steps, and at most {MOST_STEPS} are kept")
    steps = table[:, 0]
    whole = np.all(np.isfinite(steps)) and np.all(steps == np.round(steps))
    if not whole or np.any(np.diff(steps, prepend=0) <= 0) or np.any(steps >= 2**53):
        raise Unreadable("the steps of its history do not count on")
    records = [Record(int(step), *values) for step, *values in table.tolist()]
    events, reason = description["events"], description["stop_reason"]
    if not isinstance(events, list) or len(events) > MOST_STEPS:
        raise Unreadable(f"the events of its history are no list of at most {MOST_STEPS}")
    found = [Event(_step(step), _text(kind), _text(text)) for step, kind, text in events]
    return History(records, found, _text(reason), _step(description["n_evaluations"]))


def _step(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise Unreadable(f"its history counts {value!a:.40}")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MOST_CHARACTERS or not is_text(value):
        raise Unreadable(f"its history says {value!a:.40}")
    return value
