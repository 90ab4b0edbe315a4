"""Starts the resting program: the icon first, everything else when it is wanted.

Until the icon is shown nothing is imported that the icon does not need; the app itself (settings, models) is built at the first
idle moment after that, asyncio with the first coroutine, pages with the window. `DESKSIDE_TRACE_START=1` prints `tray ready` on
standard error at the first turn of the event loop after the icon is shown, and `window painted` with each first frame.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from client.ui.bridge import Bridge
from client.ui.tray import Tray

if TYPE_CHECKING:
    from client.app import App
    from client.platform.single_instance import SingleInstance
    from client.ui.checkup import Checkup
    from client.ui.courier import Courier
    from client.ui.repair import Repair
    from client.ui.window import Window

CLOSED_S: Final = 60  # whoever closes the window by mistake gets it back at once; after that its memory goes back
OPEN: Final = "open"  # what a second start wishes for: "open", or "open PAGE"


class Resident(QObject):
    """The program while it runs: the icon, and what is built on demand behind it.

    Args:
        make_app: builds the composition root.
        instance: the claim to be the only one; its socket brings the wishes of later starts. None: nobody asks.
        page: the page to open at once, "" for the first, None for none (the icon suffices, where there is one).
    """

    def __init__(
        self, make_app: Callable[[], App], *, instance: SingleInstance | None = None, page: str | None = None
    ) -> None:
        super().__init__()
        self._make_app = make_app
        self._instance = instance
        self._first_page = page
        self._app: App | None = None
        self._checkup: Checkup | None = None
        self._courier: Courier | None = None
        self._repair: Repair | None = None
        self._window: Window | None = None
        self._bridge = Bridge(parent=self)
        self._trace = os.environ.get("DESKSIDE_TRACE_START") == "1"
        self.tray = Tray(self)
        self.tray.wanted.connect(self.open)
        self.tray.check_wanted.connect(self._check)
        self.tray.quit_wanted.connect(self.quit)
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(CLOSED_S * 1000)
        self._forget.timeout.connect(self._drop_window)
        if instance is not None and instance.fileno >= 0:
            self._knocks = QSocketNotifier(instance.fileno, QSocketNotifier.Type.Read, self)
            self._knocks.activated.connect(self._knock)

    def show(self) -> None:
        """Shows the icon; what follows happens in the event loop."""
        self.tray.show()
        QTimer.singleShot(0, self._ready)

    @Slot()
    def _ready(self) -> None:
        if self._trace:
            print("tray ready", file=sys.stderr, flush=True)  # noqa: T201 -- what the measurement waits for
        QTimer.singleShot(0, self._settle)

    @Slot()
    def _settle(self) -> None:
        self._show_state()
        self._built_courier().begin()
        if self._first_page is not None or not self._has_icon():
            self.open(self._first_page or "")

    # --- what is built on demand

    @property
    def app(self) -> App:
        """The composition root."""
        if self._app is None:
            self._app = self._make_app()
        return self._app

    @property
    def checkup(self) -> Checkup:
        """The check, shared by icon and window."""
        if self._checkup is None:
            from client.ui.checkup import Checkup  # noqa: PLC0415 -- not before the icon is shown

            self._checkup = Checkup(app=self.app, bridge=self._bridge, parent=self)
            self._checkup.changed.connect(self._show_state)
        return self._checkup

    def _built_courier(self) -> Courier:
        if self._courier is None:
            from client.ui.courier import Courier  # noqa: PLC0415 -- not before the icon is shown

            self._courier = Courier(app=self.app, bridge=self._bridge, parent=self)
        return self._courier

    @property
    def window(self) -> Window:
        """The window; built when it is first wanted and again after it has been closed for a while."""
        if self._window is None:
            from client.ui.page import Shell  # noqa: PLC0415 -- the window's modules come with the window
            from client.ui.repair import Repair  # noqa: PLC0415 -- as below
            from client.ui.theme import Theme  # noqa: PLC0415 -- as above
            from client.ui.window import Window  # noqa: PLC0415 -- as above

            if not self.findChildren(Theme):
                Theme(self)
            for theme in self.findChildren(Theme):
                theme.apply()
            if self._repair is None:
                self._repair = Repair(app=self.app, bridge=self._bridge, parent=self)
            shell = Shell(
                app=self.app,
                bridge=self._bridge,
                checkup=self.checkup,
                repair=self._repair,
                courier=self._built_courier(),
            )
            self._window = Window(shell)
            self._window.closed.connect(self._closed)
            if self._trace:
                self._window.painted.connect(self._painted)
        return self._window

    # --- what is wanted

    @Slot(str)
    def open(self, page: str = "") -> None:
        """Brings the window to the front, on a page or where it was."""
        self._forget.stop()
        window = self.window
        id, _, argument = page.partition(" ")
        if id or not window.here:
            window.visit(id or "home", argument or None)
        window.bring()
        self._built_courier().set_window_open(True)

    @Slot()
    def _check(self) -> None:
        self.checkup.start()

    @Slot()
    def _knock(self) -> None:
        wish = self._instance.receive() if self._instance is not None else None
        if wish is not None and wish.split(" ")[0] == OPEN:
            from client.ui.window import PAGES  # noqa: PLC0415 -- the window is opened in any case

            page = wish.removeprefix(OPEN).strip()
            self.open(page if page.split(" ")[0] in PAGES else "")

    @Slot()
    def _show_state(self) -> None:
        from client.ui.words import checked, headline  # noqa: PLC0415 -- not before the icon is shown

        state, report = self.checkup.state, self.checkup.report
        self.tray.show_state(state, headline(state, report), checked(report))

    @Slot()
    def _painted(self) -> None:
        print("window painted", file=sys.stderr, flush=True)  # noqa: T201 -- what the measurement waits for

    # --- how it ends

    def _has_icon(self) -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable() and self.app.settings.values.client.tray

    @Slot()
    def _closed(self) -> None:
        self._built_courier().set_window_open(False)
        if self._has_icon():
            self._forget.start()
        elif self.app.next_delivery() is None:
            self.quit()

    @Slot()
    def _drop_window(self) -> None:
        window, self._window = self._window, None
        if window is not None:
            window.deleteLater()

    @Slot()
    def quit(self) -> None:
        """Saves and ends."""
        if self._window is not None:
            self._window.leave()
        self.tray.icon.hide()
        application = QApplication.instance()
        if application is not None:
            application.quit()

    def close(self) -> None:
        """Ends what runs in the background; after the event loop has ended."""
        if self._app is not None and self._bridge.started:
            self._bridge.finish(self._app.close())
        self._bridge.stop()
        self._drop_window()


def main(make_app: Callable[[], App], *, instance: SingleInstance | None = None, page: str | None = None) -> int:
    """Runs the tray until the employee quits.

    Args:
        make_app: builds the composition root; called after the icon is shown.
        instance: the claim of this process; the caller has made it and closes it.
        page: the page to open at once, "" for the first one, None for the icon alone.

    Returns:
        The exit code.
    """
    application = QApplication(["deskside"])
    application.setApplicationName("deskside")
    application.setApplicationDisplayName("Deskside")
    application.setDesktopFileName("deskside")
    application.setQuitOnLastWindowClosed(False)
    resident = Resident(make_app, instance=instance, page=page)
    signals = _Signals(resident)
    resident.show()
    try:
        return int(application.exec())
    finally:
        signals.close()
        resident.close()


class _Signals(QObject):
    """Ends the program in good order when the session or an administrator says so (SIGTERM, SIGINT)."""

    def __init__(self, resident: Resident) -> None:
        super().__init__()
        self._resident = resident
        self._ends: tuple[int, int] | None = None
        if sys.platform == "win32":
            return  # the session's end arrives as a Qt event there
        self._ends = os.pipe()
        for end in self._ends:
            os.set_blocking(end, False)
        self._before = signal.set_wakeup_fd(self._ends[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._notifier = QSocketNotifier(self._ends[0], QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._end)

    @Slot()
    def _end(self) -> None:
        if self._ends is not None:
            os.read(self._ends[0], 64)
        self._resident.quit()

    def close(self) -> None:
        """Gives the signals back."""
        if self._ends is not None:
            self._notifier.setEnabled(False)
            signal.set_wakeup_fd(self._before)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for end in self._ends:
                os.close(end)
            self._ends = None
