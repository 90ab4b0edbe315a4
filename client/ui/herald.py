"""Tells what has happened while nobody looked, as a notification of the system, and brings the window when it is clicked."""

from __future__ import annotations

from datetime import datetime, time
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QSystemTrayIcon

if TYPE_CHECKING:
    from client.app import App
    from client.platform.notifications import Notifications
    from client.ui.bridge import Bridge


class Herald(QObject):
    """Shows notifications, unless the settings or the hour forbid it.

    Args:
        icon: shows them where the system's own way cannot be clicked (Windows, macOS).

    Signals:
        wanted: the page, perhaps with its argument ("conversation 412"), whose notification was clicked.
    """

    wanted = Signal(str)
    _clicked = Signal(str)

    def __init__(
        self, *, app: App, bridge: Bridge, icon: QSystemTrayIcon | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._app = app
        self._bridge = bridge
        self._icon = icon
        self._notifications: Notifications | None = None
        self._last = ("", "", "")
        self._clicked.connect(self.wanted, Qt.ConnectionType.QueuedConnection)
        if icon is not None:
            icon.messageClicked.connect(self._message_clicked)

    def tell(self, title: str, words: str, *, action: str, page: str) -> None:
        """Shows a notification.

        Args:
            title: one line.
            words: a sentence or two.
            action: what a click does, as a button's words.
            page: what a click opens.
        """
        if self.quiet():
            return
        if self._notifications is None:
            from client.platform.notifications import Notifications  # noqa: PLC0415 -- not needed at rest

            self._notifications = Notifications()
        self._last = (title, words, page)
        show = partial(
            self._notifications.notify, title, words, action=action, on_action=partial(self._clicked.emit, page)
        )
        self._bridge.run(show, owner=self, on_result=self._shown)

    def quiet(self, now: time | None = None) -> bool:
        """Whether nothing may be told now."""
        wishes = self._app.settings.values.notifications
        if not wishes.enabled:
            return True
        if not wishes.quiet_from or not wishes.quiet_to:
            return False
        here = now or datetime.now().astimezone().time()
        start, end = time.fromisoformat(wishes.quiet_from), time.fromisoformat(wishes.quiet_to)
        return start <= here < end if start <= end else here >= start or here < end

    @property
    def waiting(self) -> bool:
        """Whether a notification can still be clicked."""
        return self._notifications is not None and self._notifications.open_count > 0

    def close(self) -> None:
        """Takes down what is still shown."""
        if self._notifications is not None:
            self._notifications.close()

    def _shown(self, shown: bool) -> None:  # noqa: FBT001 -- what the bridge delivers
        if not shown and self._icon is not None and self._icon.isVisible():
            title, words, _ = self._last
            self._icon.showMessage(title, words, QSystemTrayIcon.MessageIcon.NoIcon)

    @Slot()
    def _message_clicked(self) -> None:
        self.wanted.emit(self._last[2])
