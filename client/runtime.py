"""The asyncio loop in a thread of its own. Knows no Qt: the window's bridge and the command line both use it.

The thread starts with the first coroutine, so that a tray at rest has not even imported what it does not use.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

T = TypeVar("T")
STOP_DEADLINE_S: Final = 3.0  # whoever quits does not wait longer for a hung request

log = logging.getLogger(__name__)


class Runtime:
    """One event loop in one daemon thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs the coroutine on the loop; the future can be cancelled from any thread.

        Raises:
            RuntimeError: after `stop`.
        """
        with self._lock:
            if self._stopped:
                coroutine.close()
                raise RuntimeError("the runtime has stopped")
            loop = self._loop or self._start()
        return asyncio.run_coroutine_threadsafe(coroutine, loop)

    def stop(self) -> None:
        """Cancels what runs, waits a moment for it to clean up, and ends the thread. May be called twice."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(self._cancel_all, loop)
        thread.join(STOP_DEADLINE_S)
        if thread.is_alive():
            log.warning("a background task did not end within %s s", STOP_DEADLINE_S)

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="deskside-core", daemon=True)
        self._thread.start()
        return loop

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    @staticmethod
    def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()

        async def finish() -> None:
            await asyncio.gather(*tasks, return_exceptions=True)
            loop.stop()

        ending = loop.create_task(finish())
        ending.add_done_callback(lambda _: None)  # keeps a reference until the loop has stopped
