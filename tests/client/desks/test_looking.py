"""Looking through own tickets for the one with our key: what it reads, when it stops, and when it says that it does not know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from client.desks.base import CannotDo
from client.desks.looking import RECENT, At, Page, all_of, look_through

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


class Pages:
    """A list of numbers, counting down, in pages of three; notes what was asked and opened."""

    def __init__(self, items: int, *, now: datetime | None = NOW) -> None:
        self.items = list(range(items, 0, -1))
        self.now = now
        self.asked: list[At] = []
        self.opened: list[int] = []

    async def ask(self, at: At) -> Page[int]:
        self.asked.append(at)
        return Page(self.items[at.start : at.start + 3], last=at.start + 3 >= len(self.items), now=self.now)

    def look(self, wanted: int) -> Callable:
        async def look(one: int) -> str | None:
            self.opened.append(one)
            return f"ticket {one}" if one == wanted else None

        return look


async def test_all_of_a_list_is_read_and_nothing_after_it() -> None:
    pages = Pages(7)
    assert await all_of(pages.ask) == ([7, 6, 5, 4, 3, 2, 1], True)
    assert pages.asked == [At(1, 0), At(2, 3), At(3, 6)]


async def test_a_list_without_end_has_an_end() -> None:
    pages = Pages(1000)
    assert await all_of(pages.ask, most=2) == ([1000, 999, 998, 997, 996, 995], False)


async def test_what_was_left_out_counts_for_where_the_next_page_begins() -> None:
    seen = []

    async def ask(at: At) -> Page[int]:
        seen.append(at.start)
        return Page([], last=len(seen) == 2, read=50)

    assert await all_of(ask) == ([], True)
    assert seen == [0, 50]


async def test_no_page_is_read_behind_the_ticket() -> None:
    pages = Pages(9)
    assert await look_through(pages.ask, pages.look(8)) == "ticket 8"
    assert (pages.opened, len(pages.asked)) == ([9, 8], 1)


async def test_no_is_said_when_every_ticket_was_opened() -> None:
    pages = Pages(7)
    assert await look_through(pages.ask, pages.look(99)) is None
    assert pages.opened == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("bound", [{"looks": 6}, {"most": 2}, {"within_s": 6.0}])
async def test_no_is_not_said_when_there_are_more(bound: dict) -> None:
    pages = Pages(7)

    def clock() -> float:
        return float(len(pages.opened))

    with pytest.raises(CannotDo):
        await look_through(pages.ask, pages.look(1), clock=clock, **bound)
    assert pages.opened == [7, 6, 5, 4, 3, 2]


async def test_what_is_older_than_any_message_is_not_opened() -> None:
    pages = Pages(7)

    def made(one: int) -> datetime:
        return NOW - RECENT - timedelta(days=5 - one)

    assert await look_through(pages.ask, pages.look(1), made=made, looks=3) is None
    assert pages.opened == [7, 6, 5]


@pytest.mark.parametrize(
    ("now", "made"),
    [(None, NOW - 2 * RECENT), (NOW, None), (NOW, datetime(2020, 1, 1))],  # noqa: DTZ001 -- some tell none
)
async def test_where_times_are_not_known_age_ends_nothing(now: datetime | None, made: datetime | None) -> None:
    pages = Pages(2, now=now)
    assert await look_through(pages.ask, pages.look(1), made=lambda _: made) == "ticket 1"
