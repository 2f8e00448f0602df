from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanref.functions import FUNCTIONS
from kanref.plotting.text import formula, is_math, letters, number, shorten


@given(st.floats(-1e300, 1e300))
def test_numbers_keep_two_digits(value: float) -> None:
    written = float(number(value).replace("−", "-"))
    assert written == pytest.approx(value, rel=0.051)
    assert number(float("nan")) == "nan"


@given(st.text(st.characters(exclude_characters="$"), max_size=40), st.integers(3, 20))
def test_shortened_names_keep_their_ends(line: str, limit: int) -> None:
    short = shorten(line, limit)
    assert letters(short) <= limit
    if short != line:
        assert letters(line) > limit
        assert any(
            line.startswith(short[:n]) and line.endswith(short[n + 1 :])
            for n, c in enumerate(short)
            if c == "…"
        )


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_formulas_of_all_functions_mean_what_they_say(name: str) -> None:
    text = formula(name, (2.0, -0.5, 3.0, 1.0))
    assert text.endswith(" + 1") and ("2·x − 0.5" in text or name == "0")
    assert is_math(text) is False
