"""Reading a desk's lists page by page, and looking through an employee's own tickets for the one that carries our key.

Desks that have no place for keys can be asked for a ticket in this way only. "It is not there" makes the outbox send once more, so
it is said when all that could be the ticket was looked at, and never because a list was too long or an answer too slow.
Imports no HTTP library.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Generic, NamedTuple, TypeVar

from client.desks.base import CannotDo

Item = TypeVar("Item")
Hit = TypeVar("Hit")

MAX_PAGES: Final = 10  # of 50 or 100: more than anyone looks at, and an end for a list that has none
LOOKS: Final = 60  # tickets that are opened; most desks allow one person a hundred requests a minute
EVERY: Final = 10**9  # looks, where the list itself has the texts
WITHIN_S: Final = 90.0  # half of what one attempt of the outbox may take
RECENT: Final = timedelta(days=90)  # no message waits longer between an attempt that broke and the next one


class At(NamedTuple):
    """Where a page of a list begins: its number, from 1, and how many items came before it."""

    page: int
    start: int


class Page(NamedTuple, Generic[Item]):
    """A page of a list.

    `last`: nothing comes after it. `read`: how many items it had before some were left out, -1 for all of `items`. `now`: the
    moment by the desk's own clock (`client.desks.http.Answer.at`), None where it does not say.
    """

    items: Sequence[Item]
    last: bool
    read: int = -1
    now: datetime | None = None


Ask = Callable[[At], Awaitable[Page[Item]]]


async def all_of(ask: Ask[Item], *, most: int = MAX_PAGES) -> tuple[list[Item], bool]:
    """A list, and whether that is all of it; False where it goes on after `most` pages.

    Args:
        ask: gives one page.
        most: pages that are read.
    """
    found: list[Item] = []
    at = At(1, 0)
    while at.page <= most:
        page = await ask(at)
        found += page.items
        if page.last:
            return found, True
        at = _after(at, page)
    return found, False


async def look_through(
    ask: Ask[Item],
    look: Callable[[Item], Awaitable[Hit | None]],
    *,
    made: Callable[[Item], datetime | None] = lambda _: None,
    most: int = MAX_PAGES,
    looks: int = LOOKS,
    within_s: float = WITHIN_S,
    clock: Callable[[], float] = time.monotonic,
) -> Hit | None:
    """What `look` makes of the ticket that is ours; None when none of them is.

    Args:
        ask: gives one page of the employee's own tickets, newest first.
        look: opens a ticket; None when it is not ours.
        made: when a ticket was made, by the desk's clock. From the first one older than `RECENT` on, none can be ours.
        most: pages that are read.
        looks: tickets that are opened.
        within_s: seconds for all of it.
        clock: seconds that never jump.

    Raises:
        CannotDo: there are more tickets than can be looked through, so "no" would be a guess.
    """
    until = clock() + within_s
    opened, at = 0, At(1, 0)
    while at.page <= most:
        page = await ask(at)
        for one in page.items:
            if _too_old(made(one), page.now):
                return None
            if opened >= looks or clock() >= until:
                raise _too_many()
            opened += 1
            if (found := await look(one)) is not None:
                return found
        if page.last:
            return None
        at = _after(at, page)
    raise _too_many()


def _after(at: At, page: Page[Item]) -> At:
    return At(at.page + 1, at.start + (len(page.items) if page.read < 0 else page.read))


def _too_old(made: datetime | None, now: datetime | None) -> bool:
    """Both are the desk's own times: this computer's clock may be wrong."""
    if made is None or now is None or made.tzinfo is None or now.tzinfo is None:
        return False
    return now - made > RECENT


def _too_many() -> CannotDo:
    return CannotDo("The help desk shows you more tickets than can be looked through.")
