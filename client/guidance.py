"""What people help themselves with: the articles of Deskside, of IT's packs and of the help desk, and what was learnt from them.

A part of the composition root: it joins the articles, the help desk and the network, which know nothing of each other. What only a
search or an errand needs is imported there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from client import __version__
from client.knowledge.schedule import looked_after
from client.knowledge.shelf import Shelf

if TYPE_CHECKING:
    from client.desks.base import Desk
    from client.desks.download import Got
    from client.knowledge.packs import Packs, State
    from client.platform.paths import Paths
    from client.settings.layers import Loaded


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
    """

    def __init__(
        self,
        *,
        paths: Paths,
        settings: Loaded,
        program: tuple[str, ...],
        by_child: bool,
        desk: Callable[[], Awaitable[Desk]],
    ) -> None:
        self._paths = paths
        self._settings = settings.values
        self._desk = desk
        self.shelf = Shelf(
            articles=paths.resources / "articles",
            model=paths.resources / "model",
            cache=paths.cache,
            language=self._settings.client.language,
            program=program,
            by_child=by_child,
            packs=self._pack_folders if self._settings.knowledge.packs else tuple,
        )

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
