"""What people help themselves with: the articles of Deskside, of IT's packs and of the help desk, and what was learnt from them.

A part of the composition root: it joins the articles, the help desk and the network, which know nothing of each other. What only a
search or an errand needs is imported there.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sys
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from client import __version__
from client.errors import DesksideError
from client.knowledge.schedule import looked_after
from client.knowledge.shelf import Shelf
from client.model import Article

if TYPE_CHECKING:
    from client.desks.base import Desk
    from client.desks.download import Got
    from client.knowledge.learning import Learning
    from client.knowledge.packs import Packs, State
    from client.platform.paths import Paths
    from client.settings.layers import Loaded

DESK_S: Final = 5.0  # for the help desk to find articles; what was found here is shown long before
LONGEST_WORDS: Final = 200  # characters that a help desk is asked with
MOST_OF_DESK: Final = 5
MOST_KEPT: Final = 100

log = logging.getLogger(__name__)


class PackSource(NamedTuple):
    """One pack of the settings: its address, and the public keys that may have signed it."""

    url: str
    keys: tuple[str, ...]


class Guidance:
    """The articles of this computer. One per app.

    Args:
        paths: where things are kept.
        settings: packs, language, network.
        program: the command that starts Deskside, for the child that understands meaning.
        by_child: whether this process must stay small.
        desk: opens the configured help desk.
        can_search: whether that has articles of its own.
    """

    def __init__(
        self,
        *,
        paths: Paths,
        settings: Loaded,
        program: tuple[str, ...],
        by_child: bool,
        desk: Callable[[], Awaitable[Desk]],
        can_search: Callable[[], bool] = lambda: False,
    ) -> None:
        self._paths = paths
        self._settings = settings.values
        self._desk = desk
        self._can_search = can_search
        self.shelf = Shelf(
            articles=paths.resources / "articles",
            model=paths.resources / "model",
            cache=paths.cache,
            language=self._settings.client.language,
            program=program,
            by_child=by_child,
            packs=self._pack_folders if self._settings.knowledge.packs else tuple,
        )

    # --- what helped

    @cached_property
    def learning(self) -> Learning:
        """What helped and what did not. Its methods block for milliseconds."""
        from client.knowledge.learning import Learning  # noqa: PLC0415 -- brings a database

        return Learning(self._paths.data / "learning.sqlite3")

    @property
    def shares_counts(self) -> bool:
        """Whether IT gets numbers of it."""
        return self._settings.knowledge.share_counts and bool(self.counts_url)

    @property
    def counts_url(self) -> str:
        """Where the numbers go; empty: nowhere."""
        return self._settings.knowledge.counts_url

    async def share(self) -> bool:
        """Hands the numbers of the days that are over to IT, where IT has asked for them; False where they did not arrive."""
        from client.desks.download import upload  # noqa: PLC0415 -- brings httpx

        counts, until = await asyncio.to_thread(self.learning.counts)
        if not counts:
            return True
        body = msgspec.json.encode({**counts, "version": __version__, "platform": sys.platform})
        key = hashlib.sha256(body).hexdigest()[:32]  # the same numbers sent twice are the same ones
        try:
            status = await upload(self.counts_url, body, network=self._settings.network, version=__version__, key=key)
        except DesksideError as fault:
            log.info("the counts were not handed over: %s", fault)
            return False
        if status >= 300:  # noqa: PLR2004 -- the first status that is no success
            log.info("the counts were not taken: %s", status)
            return False
        await asyncio.to_thread(self.learning.told, until)
        return True

    # --- the help desk's own articles

    async def of_desk(self, words: str) -> tuple[Article, ...]:
        """What the help desk's own articles say to these words, best first; nothing where it has none or does not answer in time.

        The words go there without secrets. What was found is kept, so that it can be read without a network.
        """
        if not self._settings.knowledge.search_desk or not words.strip():
            return ()
        from client.report.redact import Redactor  # noqa: PLC0415 -- only for who asks a desk

        asked = Redactor().written(words.strip())[:LONGEST_WORDS]
        try:
            if not self._can_search():
                return ()
            async with asyncio.timeout(DESK_S):
                desk = await self._desk()
                found = await desk.articles(asked)
        except (DesksideError, TimeoutError) as fault:
            log.info("the help desk's articles: %s", fault)
            return ()
        found = found[:MOST_OF_DESK]
        await asyncio.to_thread(self._keep, found)
        return found

    def kept(self, article_id: str) -> Article | None:
        """An article of the help desk that was found before. Reads a file."""
        return next((one for one in self._read_kept() if one.id == article_id), None)

    def _keep(self, found: tuple[Article, ...]) -> None:
        new = {one.id for one in found}
        kept = (*found, *(one for one in self._read_kept() if one.id not in new))[:MOST_KEPT]
        try:
            self._paths.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            spare = self._kept_file.with_suffix(".new")
            spare.write_bytes(msgspec.json.encode(kept))
            spare.replace(self._kept_file)
        except OSError as error:
            log.info("the help desk's articles are not kept: %s", error)

    def _read_kept(self) -> tuple[Article, ...]:
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return msgspec.json.decode(self._kept_file.read_bytes(), type=tuple[Article, ...])
        return ()

    @property
    def _kept_file(self) -> Path:
        return self._paths.cache / "desk-articles.json"

    # --- packs

    @cached_property
    def packs(self) -> Packs:
        """IT's packs on this computer. Reading them blocks for a moment."""
        from client.knowledge.packs import Packs  # noqa: PLC0415 -- brings the format; most computers have no pack

        return Packs(self._paths.data / "packs", self.pack_sources)

    @property
    def pack_sources(self) -> tuple[PackSource, ...]:
        """The packs of the settings, the most important first."""
        return tuple(map(_source, self._settings.knowledge.packs))

    async def refresh(self) -> tuple[State, ...]:
        """Looks for newer packs now, and has their articles' meaning learnt where that is possible."""
        from client.fixes.catalogue import BY_ID  # noqa: PLC0415 -- only to judge what is new

        states = await self.packs.refresh(self._fetch, known_fixes=BY_ID.keys(), judge=__version__)
        await asyncio.to_thread(self.shelf.learn)
        return states

    async def look_after(self) -> None:
        """What is to be done from time to time, by itself. A server's fault is kept with the pack, and tried again next time."""
        try:
            if self._settings.knowledge.packs and self._settings.knowledge.refresh_every_min:
                await self.refresh()
            if self.shares_counts:
                await self.share()
        finally:
            looked_after(self._paths.state)

    async def _fetch(self, url: str, *, etag: str, largest: int) -> Got:
        from client.desks.download import download  # noqa: PLC0415 -- brings httpx

        return await download(url, network=self._settings.network, version=__version__, etag=etag, largest=largest)

    def _pack_folders(self) -> tuple[tuple[Path, str], ...]:
        return self.packs.folders()


def _source(line: str) -> PackSource:
    url, *keys = line.split(" ")
    return PackSource(url, tuple(keys))
