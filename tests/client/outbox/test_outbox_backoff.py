"""The wait between attempts: bounded, growing, spread, and never shorter than the desk asked for."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.outbox.backoff import (
    FIRST_CEILING_S,
    LAST_CEILING_S,
    LAST_SPREAD_S,
    LEAST_S,
    LONGEST_ASKED_S,
    SPREAD_OF_ASKED,
    wait_asked_s,
    wait_s,
)

rolls = st.floats(0, 1, exclude_max=True)


@given(failures=st.integers(-10, 10**9), roll=rolls)
def test_every_wait_lies_between_the_least_and_the_ceiling(failures, roll):
    assert LEAST_S <= wait_s(failures, roll=roll) <= LAST_CEILING_S


@given(failures=st.integers(1, 60), roll=rolls)
def test_it_never_shrinks_with_more_failures(failures, roll):
    assert wait_s(failures + 1, roll=roll) >= wait_s(failures, roll=roll)


def test_the_first_wait_is_short_and_the_late_ones_use_the_whole_ceiling():
    dice = random.Random(7)  # noqa: S311 -- a die, not a secret
    assert max(wait_s(1, roll=dice.random()) for _ in range(500)) <= FIRST_CEILING_S
    late = [wait_s(30, roll=dice.random()) for _ in range(4000)]
    assert statistics.mean(late) == pytest.approx(LAST_CEILING_S / 2, rel=0.05)
    assert min(late) < LAST_CEILING_S * 0.01
    assert max(late) > LAST_CEILING_S * 0.99


@given(asked=st.floats(0, 1e6), failures=st.integers(0, 50), roll=rolls)
def test_what_the_desk_asked_for_is_kept_and_spread_by_a_tenth_or_ten_minutes(asked, failures, roll):
    wait = wait_asked_s(asked, failures=failures, roll=roll)
    capped = min(asked, LONGEST_ASKED_S)
    most = capped + max(capped * SPREAD_OF_ASKED, LAST_SPREAD_S)
    assert max(LEAST_S, capped) <= wait <= max(LEAST_S, most)


def test_whoever_is_refused_again_comes_back_at_a_more_uncertain_moment():
    once, often, lately = (wait_asked_s(30.0, failures=failures, roll=0.99) for failures in (1, 5, 50))
    assert once == pytest.approx(30 + 0.99 * FIRST_CEILING_S)
    assert often == pytest.approx(30 + 0.99 * FIRST_CEILING_S * 16)
    assert lately == pytest.approx(30 + 0.99 * LAST_SPREAD_S)
    assert wait_asked_s(30.0, failures=50, roll=0.0) == 30.0
    assert wait_asked_s(20_000.0, failures=1, roll=0.5) == pytest.approx(21_000.0)


@pytest.mark.parametrize("nonsense", [None, -1.0, float("nan"), float("inf")])
def test_nonsense_is_answered_by_the_ordinary_wait(nonsense):
    assert wait_asked_s(nonsense, failures=3, roll=0.5) == wait_s(3, roll=0.5)
