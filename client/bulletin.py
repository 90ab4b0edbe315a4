"""What IT announces, from the help desk and from a signed feed: asked for, kept, and matched with what failed here.

A part of the composition root: it joins the desk, the network and what is kept, which know nothing of each other. What only asking
needs is imported there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from client import __version__
from client.errors import DesksideError, SettingsFault
from client.knowledge.announcements import Announcements, Heard, known

if TYPE_CHECKING:
    from client.desks.base import Desk
    from client.model import Announcement
    from client.platform.paths import Paths
    from client.settings.layers import Loaded
    from diagnostics.model import Diagnosis

DESK: Final = "desk"
FRESH: Final = timedelta(minutes=2)  # what was asked for in the last two minutes is not asked for again
SHOWN: Final = 300  # characters of a fault

log = logging.getLogger(__name__)
T = TypeVar("T")
Ask = Callable[[Callable[["Desk"], Awaitable["tuple[Announcement, ...]"]]], Awaitable["tuple[Announcement, ...]"]]


class Asked(NamedTuple):
    """What a look brought: what the employee waited for and is over, and a sentence for each source that could not be asked."""

    ended: tuple[Announcement, ...]
    troubles: tuple[str, ...]


class Bulletin:
    """The announcements of this computer. One per app.

    Args:
        paths: where they are kept.
        settings: the sources.
        can_ask: whether the configured help desk has announcements.
        ask: asks the help desk something, signed in.
        now: the clock.
    """

    def __init__(
        self,
        *,
        paths: Paths,
        settings: Loaded,
        can_ask: Callable[[], bool],
        ask: Ask,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings.values
        self._kept = Announcements(paths.state)
        self._can_ask = can_ask
        self._ask = ask
        self._now = now

    # --- cheap: the kept file

    def current(self, *, put_away: bool = False) -> tuple[Announcement, ...]:
        """What IT has announced and is not over, outages first. Reads a small file."""
        return self._kept.current(self._now(), put_away=put_away) if self.sources else ()

    def known(self, cause: Diagnosis) -> Announcement | None:
        """The announcement that explains a problem found here. Reads a small file; what was put away counts too."""
        return known(self.current(put_away=True), cause)

    def watched(self) -> frozenset[str]:
        """The ids that the employee wants to be told the end of. Reads a small file."""
        return self._kept.watched()

    async def watch(self, id: str, *, wanted: bool = True) -> None:
        """Tells the employee when it is over, or not any more.

        Raises:
            StorageFault: the disk did not take it.
        """
        await asyncio.to_thread(self._kept.watch, id, wanted=wanted)

    async def put_away(self, id: str) -> None:
        """Shows it no more.

        Raises:
            StorageFault: the disk did not take it.
        """
        await asyncio.to_thread(self._kept.put_away, id)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where announcements come from: "desk", a feed's address."""
        wanted = self._settings.announcements
        try:
            desk = (DESK,) if wanted.from_desk and self._can_ask() else ()
        except SettingsFault:  # there is no help desk, or none of this kind
            desk = ()
        return (*desk, *((wanted.feed.split(" ")[0],) if wanted.feed else ()))

    # --- asking

    async def refresh(self, *, always: bool = True) -> Asked:
        """Asks every source now; without `always` only those that were not asked in the last two minutes."""
        ended: list[Announcement] = []
        troubles: list[str] = []
        await asyncio.to_thread(self._forget_others)
        for source in self.sources:
            before = await asyncio.to_thread(self._kept.heard, source)
            if not always and before is not None and timedelta() <= self._now() - before.at < FRESH:
                continue
            try:
                heard = await (self._of_desk() if source == DESK else self._of_feed(before))
            except DesksideError as error:
                log.info("announcements of %s: %s", source, error)
                troubles.append(error.message[:SHOWN])
                continue
            ended += await asyncio.to_thread(self._kept.keep, source, heard)
        return Asked(tuple(ended), tuple(troubles))

    def _forget_others(self) -> None:
        self._kept.forget(self._kept.sources() - set(self.sources))

    async def _of_desk(self) -> Heard:
        told = await self._ask(lambda desk: desk.announcements())
        return Heard(at=self._now(), announcements=tuple(_named(DESK, one) for one in told))

    async def _of_feed(self, before: Heard | None) -> Heard:
        from client.desks.download import OutOfReach, download  # noqa: PLC0415 -- brings httpx
        from client.knowledge.feed import LARGEST_FEED, BadFeed, read  # noqa: PLC0415 -- brings the library for signatures

        url, *keys = self._settings.announcements.feed.split(" ")
        got = await download(
            url,
            network=self._settings.network,
            version=__version__,
            etag=before.etag if before else "",
            largest=LARGEST_FEED,
        )
        if got.status == 304 and before is not None:  # noqa: PLR2004 -- HTTP's "not modified"
            return msgspec.structs.replace(before, at=self._now())
        if got.status != 200:  # noqa: PLR2004 -- HTTP's "OK"
            raise OutOfReach(f"The server answered {got.status} where IT's announcements should be.")
        try:
            feed = read(got.body, trusted=keys)
        except BadFeed as error:
            raise OutOfReach(str(error)) from error
        if before is not None and before.issued_at is not None and feed.issued_at < before.issued_at:
            raise OutOfReach("The server hands out older announcements than it did before.")
        told = tuple(_named("feed", one) for one in feed.announcements)
        return Heard(at=self._now(), announcements=told, issued_at=feed.issued_at, etag=got.etag)


def _named(source: str, one: Announcement) -> Announcement:
    """Under an id that no other source can use, and without what no screen should show."""
    title = "".join(sign if sign.isprintable() else " " for sign in one.title)
    return msgspec.structs.replace(one, id=f"{source}-{one.id}", title=title)
