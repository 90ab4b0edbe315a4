"""The articles as one: the library, the search in it, and the child that understands meaning. Each is built when first used."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from client.knowledge.library import Library
from client.model import Answer

if TYPE_CHECKING:
    from client.knowledge.child import Understanding
    from client.knowledge.search import Search

log = logging.getLogger(__name__)


class Shelf:
    """Finds articles.

    Args:
        articles: the folder of the articles.
        model: the folder of the model that understands meaning; it need not be there.
        cache: where indexes are kept.
        language: the employee's, as in the settings.
        program: the command that starts Deskside.
        by_child: whether a child understands the meaning, because this process must stay small.
        packs: gives the folders of IT's packs with their titles, the least important first, as they are now.
    """

    def __init__(
        self,
        *,
        articles: Path,
        model: Path,
        cache: Path,
        language: str,
        program: tuple[str, ...],
        by_child: bool,
        packs: Callable[[], Sequence[tuple[Path, str]]] = tuple,
    ) -> None:
        self.library = Library((articles,), language=language, platform=sys.platform, packs=packs)
        self._model = model
        self._cache = cache
        self._program = program
        self._by_child = by_child

    async def find(self, words: str, *, causes: tuple[str, ...], limit: int) -> Answer:
        """Articles for what was typed and what the last check found; by words alone until the child is there."""
        if self._by_child and self._model.is_dir():
            if self._understanding.ready and words.strip():
                if (answer := await self._understanding.ask(words)) is not None:
                    return answer
            else:
                self._understanding.warm_up()
        return await asyncio.to_thread(self._look, words, causes=causes, limit=limit)

    def how(self) -> str:
        """One sentence for administrators: by meaning and words, or by words alone and why."""
        from importlib.util import find_spec  # noqa: PLC0415 -- administrators ask rarely

        if not self._model.is_dir():
            return "Articles are searched by words alone: the model is not installed (installers/model.py makes it)."
        if find_spec("numpy") is None:
            return "Articles are searched by words alone: numpy is not installed (pip install 'deskside[meaning]')."
        return "Articles are searched by meaning and by words."

    def learn(self) -> None:
        """Has the meaning of new articles learnt and kept, so that no search waits for it. Takes seconds; not for a tray."""
        if self._by_child or not self._model.is_dir():
            return
        try:
            from client.knowledge.likeness import Likeness  # noqa: PLC0415 -- brings numpy and the model

            Likeness(self.library, model=self._model, folder=self._cache).learn_all()
        except (ImportError, OSError, ValueError) as error:
            log.info("the meaning of new articles is not learnt: %s", error)

    async def close(self) -> None:
        """Ends the child."""
        if "_understanding" in self.__dict__:
            await self._understanding.close()

    def _look(self, words: str, *, causes: tuple[str, ...], limit: int) -> Answer:
        return self._search.find(words, causes=causes, limit=limit)

    @cached_property
    def _search(self) -> Search:
        from client.knowledge.search import Search  # noqa: PLC0415 -- a list of articles is shown without

        ranker = None
        if not self._by_child and self._model.is_dir():
            try:
                from client.knowledge.likeness import Likeness  # noqa: PLC0415 -- brings numpy and the model

                ranker = Likeness(self.library, model=self._model, folder=self._cache)
            except (ImportError, OSError, ValueError) as error:
                log.info("search by words alone: %s", error)
        return Search(self.library, folder=self._cache, ranker=ranker)

    @cached_property
    def _understanding(self) -> Understanding:
        from client.knowledge.child import Understanding  # noqa: PLC0415 -- a tray's only

        return Understanding((*self._program, "search", "--json", "-"), article=self.library.get)
