"""The fix that is being carried out, seen from the window's thread. It goes on when the window is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from client.app import App
    from client.errors import DesksideError
    from client.model import FixOutcome, FixPlan
    from client.ui.bridge import Bridge, Call


class Repair(QObject):
    """Carries out one plan at a time, and takes fixes back.

    Signals:
        stepped: a sentence as each step begins.
        ended: the outcome (`FixOutcome`), also of taking back.
        failed: it could not be carried out (`DesksideError`).
    """

    stepped = Signal(str)
    ended = Signal(object)
    failed = Signal(object)
    _steps = Signal(str)

    def __init__(self, *, app: App, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._bridge = bridge
        self._call: Call | None = None
        self.fix = ""  # the id of the fix that runs, or that ran last
        self.words = ""  # the last step's sentence
        self._steps.connect(self._step, Qt.ConnectionType.QueuedConnection)

    @property
    def running(self) -> bool:
        """Whether something is being changed right now."""
        return self._call is not None

    def start(self, plan: FixPlan) -> None:
        """Carries the plan out; the employee has agreed to it. Does nothing while another one runs."""
        if self._call is None:
            self.fix, self.words = plan.fix, ""
            self._call = self._bridge.submit(
                self._app.fix(plan, progress=self._steps.emit), owner=self, on_result=self._end, on_error=self._fail
            )

    def undo(self, outcome: FixOutcome) -> None:
        """Puts back what a fix has changed. Does nothing while another one runs."""
        if self._call is None:
            self.fix, self.words = outcome.fix, ""
            self._call = self._bridge.submit(
                self._app.undo(outcome.id), owner=self, on_result=self._end, on_error=self._fail
            )

    def _step(self, words: str) -> None:
        self.words = words
        self.stepped.emit(words)

    def _end(self, outcome: FixOutcome) -> None:
        self._call = None
        self.ended.emit(outcome)

    def _fail(self, error: DesksideError) -> None:
        self._call = None
        self.failed.emit(error)
