"""The way from the window's thread to the core's loop and back. The core never calls the window.

A coroutine goes over with `Bridge.submit`; its result comes back through a queued signal and reaches a method of the owner in
the window's thread. When the owner is destroyed, its calls are cancelled and nothing is delivered.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal, Slot

from client.errors import DesksideBug, DesksideError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from client.runtime import Runtime

T = TypeVar("T")
LAST_WORDS_S: Final = 2.0  # whoever quits does not wait longer
log = logging.getLogger(__name__)


class Call(QObject):
    """One coroutine on its way. `cancel` may be called at any time, also when it has long ended."""

    def __init__(
        self,
        *,
        owner: QObject,
        on_result: Callable[[Any], None] | None,
        on_error: Callable[[DesksideError], None] | None,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._owner: QObject | None = owner
        self._on_result = on_result
        self._on_error = on_error
        self._future: Future[Any] | None = None
        owner.destroyed.connect(self.cancel)

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return self._owner is not None

    def runs_as(self, future: Future[Any]) -> None:
        """Takes the future that the coroutine has become."""
        self._future = future

    @Slot()
    def cancel(self) -> None:
        """Cancels the coroutine; nothing will be delivered."""
        self._forget()
        if self._future is not None:
            self._future.cancel()

    def deliver(self, future: Future[Any]) -> None:
        """Hands the outcome to the owner; called in the window's thread, once."""
        owner, on_result, on_error = self._owner, self._on_result, self._on_error
        self._forget()
        if owner is None or not shiboken6.isValid(owner) or future.cancelled():
            return
        error = future.exception()
        if error is None:
            if on_result is not None:
                on_result(future.result())
            return
        if not isinstance(error, DesksideError):
            log.error("an error that nobody foresaw", exc_info=error)
            bug = DesksideBug("Deskside could not do that because of a mistake in the program.")
            bug.__cause__ = error
            error = bug
        if on_error is not None:
            on_error(error)

    def _forget(self) -> None:
        self._owner = self._on_result = self._on_error = None


class Bridge(QObject):
    """Submits coroutines to the core's loop. One per process, made in the window's thread and stopped before it ends.

    Args:
        runtime: the loop's thread; without one it is imported and started with the first coroutine, because asyncio is
            8 MiB that a tray at rest does without.
    """

    _landed = Signal(int, object)

    def __init__(self, runtime: Runtime | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runtime = runtime
        self._stopped = False
        self._connected = False
        self._numbers = itertools.count()
        self._calls: dict[int, Call] = {}

    def submit(
        self,
        coroutine: Coroutine[Any, Any, T],
        *,
        owner: QObject,
        on_result: Callable[[T], None] | None = None,
        on_error: Callable[[DesksideError], None] | None = None,
    ) -> Call:
        """Runs the coroutine on the core's loop.

        Args:
            coroutine: what to run.
            owner: who asks; the call ends with it.
            on_result: a method that takes the result, called in the window's thread.
            on_error: a method that takes a `DesksideError`; anything else that was raised arrives as `DesksideBug`.
        """
        call = Call(owner=owner, on_result=on_result, on_error=on_error, parent=self)
        if self._stopped:
            coroutine.close()
            call.cancel()
            return call
        if self._runtime is None:
            from client.runtime import Runtime  # noqa: PLC0415 -- brings asyncio, not needed at rest

            self._runtime = Runtime()
        if not self._connected:
            # The name Qt alone builds some hundred enumerations: 15 ms and 2 MiB that a tray at rest does without.
            from PySide6.QtCore import Qt  # noqa: PLC0415 -- as said

            self._landed.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
            self._connected = True
        number = next(self._numbers)
        self._calls[number] = call
        future = self._runtime.submit(coroutine)
        call.runs_as(future)
        future.add_done_callback(lambda done: self._landed.emit(number, done))
        return call

    def run(
        self,
        function: Callable[..., T],
        *words: object,
        owner: QObject,
        on_result: Callable[[T], None] | None = None,
        on_error: Callable[[DesksideError], None] | None = None,
    ) -> Call:
        """Runs a plain function that blocks (it reads a file) in a thread; otherwise as `submit`."""
        from client.app import to_thread  # noqa: PLC0415 -- brings the settings, not needed before the icon is shown

        return self.submit(to_thread(function, *words), owner=owner, on_result=on_result, on_error=on_error)

    @property
    def started(self) -> bool:
        """Whether the core's loop runs."""
        return self._runtime is not None and not self._stopped

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._calls)

    def finish(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs a last coroutine and waits for it, but not for long. For the end of the program only: it blocks the window."""
        if self._runtime is None or self._stopped:
            coroutine.close()
            return
        try:
            self._runtime.submit(coroutine).result(LAST_WORDS_S)
        except Exception:  # whatever the last words were, the program ends
            log.exception("the program did not end in good order")

    def stop(self) -> None:
        """Cancels what runs and ends the thread. Whatever is submitted later is dropped. May be called twice."""
        self._stopped = True
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()
        if self._runtime is not None:
            self._runtime.stop()

    @Slot(int, object)
    def _deliver(self, number: int, future: Future[Any]) -> None:
        call = self._calls.pop(number, None)
        if call is not None:
            try:
                call.deliver(future)
            finally:
                call.deleteLater()
