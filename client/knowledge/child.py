"""Questions to a child process that understands meaning. It starts with the first question and ends when nobody asks any more.

The model takes 90 MiB; a tray at rest must not hold it. The child is `deskside search --json -`: one question a line in, one
answer a line out. Where it cannot be had, the caller searches by words.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from client.model import Answer, Article, Hit

LIVES_S: Final = 45.0  # after the last question: longer than a pause for thought, shorter than a forgotten window
FIRST_ANSWER_S: Final = 6.0  # start, model and index on a slow disk; the search by words has answered long before
LARGEST_LINE: Final = 1 << 20

log = logging.getLogger(__name__)


class _Hit(msgspec.Struct, frozen=True):
    article: str
    score: float


class _Said(msgspec.Struct, frozen=True):
    results: tuple[_Hit, ...]
    nothing_fits: bool


class Understanding:
    """The child, from one event loop. Questions wait for each other; each has its own answer.

    Args:
        command: starts it.
        article: finds an article by its id, for titles and summaries.
    """

    def __init__(self, command: tuple[str, ...], *, article: Callable[[str], Article | None]) -> None:
        self._command = command
        self._article = article
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._ending: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[Answer | None] | None = None
        self._answered = False

    @property
    def ready(self) -> bool:
        """It has answered before and is still there, so the next answer takes milliseconds."""
        return self._answered and self._child is not None and self._child.returncode is None

    def warm_up(self) -> None:
        """Starts it in the background, if it is not on its way already."""
        if not self.ready and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._ask("warm up"))

    async def ask(self, words: str) -> Answer | None:
        """What the child answers; None when there is no answer in time. Whoever stops waiting does not stop the exchange."""
        self._task = task = asyncio.create_task(self._ask(words))
        return await asyncio.shield(task)

    async def _ask(self, words: str) -> Answer | None:
        async with self._turn:
            if self._ending is not None:
                self._ending.cancel()
            try:
                async with asyncio.timeout(FIRST_ANSWER_S):
                    said = await self._exchange(" ".join(words.split()))
            except (OSError, TimeoutError, ValueError, msgspec.DecodeError) as error:
                log.info("the search by meaning did not answer: %s", type(error).__name__)
                await self.close()
                return None
            except asyncio.CancelledError:
                self._kill()  # at the end of the program: its answer would be the next question's
                raise
            self._answered = True
            self._ending = asyncio.get_running_loop().call_later(LIVES_S, self._kill)
        found = ((one, self._article(one.article)) for one in said.results)
        return Answer(
            results=tuple(
                Hit(article=one.article, score=one.score, title=article.title, summary=article.summary)
                for one, article in found
                if article is not None
            ),
            nothing_fits=said.nothing_fits,
        )

    async def close(self) -> None:
        """Ends the child and waits for it."""
        child = self._child
        self._kill()
        if child is not None:
            await child.wait()

    async def _exchange(self, words: str) -> _Said:
        child = self._child
        if child is None or child.returncode is not None:
            child = self._child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LARGEST_LINE,
            )
        if child.stdin is None or child.stdout is None:
            raise OSError("the child has no pipes")
        child.stdin.write(words.encode("utf-8", "replace") + b"\n")
        await child.stdin.drain()
        return msgspec.json.decode(await child.stdout.readline(), type=_Said)

    def _kill(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        child, self._child = self._child, None
        self._answered = False
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
