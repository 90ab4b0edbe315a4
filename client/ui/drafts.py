"""Keeps the ticket that is being written on the disk, one save at a time and in the order of writing.

Two saves under way at once could reach the disk in the wrong order, and one that is late could bring back a draft that has been
sent or discarded: so there is never more than one, and whoever wants to go on waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from client.model import Draft

if TYPE_CHECKING:
    from client.app import App
    from client.errors import DesksideError
    from client.ui.bridge import Bridge

PAUSE_MS: Final = 600  # after the last key: a crash costs at most this much of what was typed


class Keeper(QObject):
    """Saves drafts.

    Signals:
        saved: the newest state is on the disk (the draft).
        failed: the disk did not take it (`DesksideError`); what is on the screen is all there is.
    """

    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, *, app: App, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._bridge = bridge
        self._waiting: Draft | None = None
        self._saving: Draft | None = None
        self._then: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.flush)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be saved and nothing is being saved."""
        return self._waiting is None and self._saving is None

    def keep(self, draft: Draft) -> None:
        """Saves this state soon, unless a newer one comes first."""
        self._waiting = draft
        self._timer.start()

    def forget(self) -> None:
        """Drops what waits to be saved; what is being saved goes on."""
        self._timer.stop()
        self._waiting = None

    @Slot()
    def flush(self, then: Callable[[], None] | None = None) -> None:
        """Saves what waits now; `then` is called when nothing is under way any more, whether it worked or not."""
        self._timer.stop()
        if then is not None:
            self._then.append(then)
        if self._saving is not None:
            return
        if self._waiting is None:
            todo, self._then = self._then, []
            for one in todo:
                one()
            return
        draft, self._waiting = self._waiting, None
        self._saving = draft
        self._bridge.submit(self._app.save_draft(draft), owner=self, on_result=self._saved, on_error=self._failed)

    def _saved(self, _nothing: object) -> None:
        draft, self._saving = self._saving, None
        if self._waiting is None:
            self.saved.emit(draft)
        if self._waiting is not None or self._then:
            self.flush()

    def _failed(self, error: DesksideError) -> None:
        self._saving = None
        self.failed.emit(error)
        if self._waiting is not None or self._then:
            self.flush()
