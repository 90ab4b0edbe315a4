"""The check that runs, seen from the window's thread: shared by the icon, the menu and the pages, so that they all agree."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

if TYPE_CHECKING:
    from client.app import App
    from client.errors import DesksideError
    from client.model import State
    from client.ui.bridge import Bridge, Call
    from diagnostics.model import Event, Report

MINUTE_MS: Final = 60_000
JITTER: Final = 0.1


class Checkup(QObject):
    """Starts and cancels the one check of this process and tells everyone how it goes.

    Signals:
        began: a check has begun.
        heard: an event of the run (`diagnostics.model.Event`).
        ended: the run has its report.
        failed: the run itself failed (`DesksideError`).
        changed: the state or the report is another one; always the last of the signals.
    """

    began = Signal()
    heard = Signal(object)
    ended = Signal(object)
    failed = Signal(object)
    changed = Signal()
    _events = Signal(int, object)

    def __init__(self, *, app: App, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._bridge = bridge
        self._call: Call | None = None
        self._run = 0
        self._every = 0
        self._rota = QTimer(self)
        self._rota.setSingleShot(True)
        self._rota.timeout.connect(self.start)
        self.changed.connect(self._again)
        self._events.connect(self._hear)  # queued, because it is sent from the loop's thread

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._call is not None

    @property
    def state(self) -> State:
        """What the icon, the menu and the window show."""
        from client.model import State  # noqa: PLC0415 -- brings msgspec, not needed before the icon is shown

        return State.CHECKING if self.running else self._app.judged()

    @property
    def report(self) -> Report | None:
        """The last full report, None before the first check."""
        return self._app.last_report()

    @Slot()
    def start(self) -> None:
        """Starts a check; does nothing while one runs."""
        if self._call is not None:
            return
        self._run += 1
        self._call = self._bridge.submit(
            self._app.check(listen=self._listener(self._run)),
            owner=self,
            on_result=self._end,
            on_error=self._fail,
        )
        self.began.emit()
        self.changed.emit()

    @Slot()
    def cancel(self) -> None:
        """Stops the check; the report before it stays."""
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()
            self.changed.emit()

    def repeat(self, minutes: int) -> None:
        """Checks by itself from now on.

        Args:
            minutes: how often, 0 for never; up to a tenth later, so that a company's clients do not check all at once.
        """
        self._every = minutes
        self._again()

    @Slot()
    def _again(self) -> None:
        if self._every:
            milliseconds = self._every * MINUTE_MS * random.uniform(1, 1 + JITTER)  # noqa: S311 -- spreading, not secrecy
            self._rota.start(int(milliseconds))

    def _listener(self, run: int) -> _Listener:
        return _Listener(self, run)

    def pass_on(self, run: int, event: Event) -> None:
        """Takes an event on the loop's thread and queues it for the window's."""
        self._events.emit(run, event)

    @Slot(int, object)
    def _hear(self, run: int, event: Event) -> None:
        if self._call is not None and run == self._run:  # a cancelled run may still have events in the queue
            self.heard.emit(event)

    def _end(self, report: Report) -> None:
        self._call = None
        self.ended.emit(report)
        self.changed.emit()

    def _fail(self, error: DesksideError) -> None:
        self._call = None
        self.failed.emit(error)
        self.changed.emit()


class _Listener:
    """What the core calls with each event of one run."""

    def __init__(self, checkup: Checkup, run: int) -> None:
        self._checkup = checkup
        self._run = run

    def __call__(self, event: Event) -> None:
        self._checkup.pass_on(self._run, event)
