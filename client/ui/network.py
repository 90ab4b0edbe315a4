"""Tells that the network has come back, once for a whole burst of changes: a new network is a dozen of them within a second."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal, Slot

from client.platform.network_watch import NetworkWatch, open_watch

SETTLES_MS: Final = (
    300  # from the first change on, however many follow: addresses and routes come right after each other
)
REST_MS: Final = 10_000  # between two tellings: a line that flaps must not start a child each time


class NetworkReturn(QObject):
    """Watches this computer's network.

    Args:
        watch: by default the system's own; None within it: there is none, and nothing is ever told.

    Signals:
        returned: there may be a way now that was not there before.
    """

    returned = Signal()

    def __init__(self, parent: QObject | None = None, *, watch: NetworkWatch | None = None) -> None:
        super().__init__(parent)
        self._watch = watch or open_watch()
        self._told_at = -REST_MS / 1000
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.timeout.connect(self._tell)
        self._notifier: QSocketNotifier | None = None
        if self._watch is not None:
            self._notifier = QSocketNotifier(self._watch.fileno, QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._hear)

    def close(self) -> None:
        """Ends the watching. May be called twice."""
        self._settling.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    @Slot()
    def _hear(self) -> None:
        if self._watch is not None and self._watch.changed() and not self._settling.isActive():
            rest_ms = REST_MS - (time.monotonic() - self._told_at) * 1000
            self._settling.start(int(max(SETTLES_MS, rest_ms)))

    @Slot()
    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self.returned.emit()
