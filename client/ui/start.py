"""Starts the resting program: the icon first, everything else when it is wanted.

Until the icon is shown nothing is imported that the icon does not need; the app itself (settings, models) is built at the first
idle moment after that, asyncio with the first coroutine, pages with the window. `DESKSIDE_TRACE_START=1` prints `tray ready` on
standard error at the first turn of the event loop after the icon is shown, and `window painted` with each first frame.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Slot, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from client.errors import DesksideError
from client.platform.single_instance import SIGN_IN
from client.ui.bridge import Bridge
from client.ui.process import ANEW, Signals, can_start_anew, qt_said, start_anew
from client.ui.tray import Tray

if TYPE_CHECKING:
    from client.app import App
    from client.model import Announcement, Comment, OutboxEntry, Ticket
    from client.platform.single_instance import SingleInstance
    from client.ui.checkup import Checkup
    from client.ui.courier import Courier
    from client.ui.herald import Herald
    from client.ui.network import NetworkReturn
    from client.ui.repair import Repair
    from client.ui.theme import Theme
    from client.ui.window import Window
    from diagnostics.model import Report

CLOSED_S: Final = 60  # whoever closes the window by mistake gets it back at once; after that its memory goes back
PANEL_LOOK_MS: Final = 1000
PANEL_LOOKS: Final = 30  # a session that has no panel after half a minute has none
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
        self.fault: DesksideError | None = None  # why it could not start
        self.anew = False  # it ends only to start again
        self._first_page = page
        self._app: App | None = None
        self._checkup: Checkup | None = None
        self._courier: Courier | None = None
        self._repair: Repair | None = None
        self._theme: Theme | None = None
        self._herald: Herald | None = None
        self._network: NetworkReturn | None = None
        self._panel_seen = QSystemTrayIcon.isSystemTrayAvailable()
        self._patience = PANEL_LOOKS
        self._asked = False  # for a check, from the menu
        self._opened = False
        self._known: frozenset[str] = frozenset()  # the causes that were told or seen
        self._window: Window | None = None
        self._leaving: Window | None = None
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
        try:
            self._show_state()
        except DesksideError as error:  # the settings cannot be used: without them there is nothing to be done here
            self.fault = error
            self.quit()
            return
        self.courier.begin()
        from client.ui.network import NetworkReturn  # noqa: PLC0415 -- not before the icon is shown

        self._network = NetworkReturn(self)
        self._network.returned.connect(self.courier.network_returned)
        self.checkup.repeat(self.app.settings.values.schedule.check_every_min)
        from client.platform.autostart import AT_SIGN_IN  # noqa: PLC0415 -- not before the icon is shown

        self._look_for_panel()
        if self._first_page is not None or not (self._has_icon() or AT_SIGN_IN in os.environ):
            self.open(self._first_page or "")

    @Slot()
    def _look_for_panel(self) -> None:
        """At sign-in the panel may come after us: looks for it for a while. Nothing pops up; a second start opens the window."""
        if not self._has_icon() and self._patience > 0:
            self._patience -= 1
            QTimer.singleShot(PANEL_LOOK_MS, self._look_for_panel)

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
            self._checkup.ended.connect(self._checked)
            self._checkup.failed.connect(self._check_failed)
            if (report := self._checkup.report) is not None:
                self._known = frozenset(one.cause for one in report.diagnosis)
        return self._checkup

    @property
    def courier(self) -> Courier:
        """Outbox and answers."""
        if self._courier is None:
            from client.ui.courier import Courier  # noqa: PLC0415 -- not before the icon is shown

            self._courier = Courier(app=self.app, parent=self)
            self._courier.delivered.connect(self._delivered)
            self._courier.answered.connect(self._answered)
            self._courier.outbox_changed.connect(self._end_if_done)
            self._courier.announced.connect(self._announced)
        return self._courier

    @property
    def herald(self) -> Herald:
        """Notifications."""
        if self._herald is None:
            from client.ui.herald import Herald  # noqa: PLC0415 -- with the first thing to tell

            self._herald = Herald(app=self.app, bridge=self._bridge, icon=self.tray.icon, parent=self)
            self._herald.wanted.connect(self.open)
        return self._herald

    @property
    def window(self) -> Window:
        """The window; built when it is first wanted and again after it has been closed for a while."""
        if self._window is None:
            from client.ui.page import Shell  # noqa: PLC0415 -- the window's modules come with the window
            from client.ui.repair import Repair  # noqa: PLC0415 -- as above
            from client.ui.theme import Theme  # noqa: PLC0415 -- as above
            from client.ui.window import Window  # noqa: PLC0415 -- as above

            if self._theme is None or self._repair is None:
                self._theme = Theme(self)
                self._repair = Repair(app=self.app, bridge=self._bridge, parent=self)
            self._theme.apply()
            shell = Shell(
                app=self.app,
                bridge=self._bridge,
                checkup=self.checkup,
                repair=self._repair,
                courier=self.courier,
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
        self._opened = True
        window = self.window
        id, _, argument = page.partition(" ")
        if id or not window.here:
            window.visit(id or "home", argument or None)
        window.bring()
        self.courier.set_window_open(True)

    @Slot()
    def _check(self) -> None:
        self._asked = True
        self.checkup.start()

    @Slot()
    def _knock(self) -> None:
        wish = (self._instance.receive() if self._instance is not None else None) or ""
        if wish == SIGN_IN:
            self._bridge.submit(self.app.accounts.forget_desk(), owner=self, on_result=self._sign_in_changed)
        elif wish.split(" ")[0] == OPEN:
            from client.ui.window import PAGES  # noqa: PLC0415 -- the window is opened in any case

            page = wish.removeprefix(OPEN).strip()
            self.open(page if page.split(" ")[0] in PAGES else "")

    def _sign_in_changed(self, _: None) -> None:
        self.courier.resume()
        self.courier.sign_in_changed.emit()

    @Slot()
    def _show_state(self) -> None:
        from client.ui.words import checked, headline  # noqa: PLC0415 -- not before the icon is shown

        state, report = self.checkup.state, self.checkup.report
        cause = report.diagnosis[0].title if report is not None and report.diagnosis and state != "checking" else ""
        self.tray.show_state(state, headline(state, report), cause, checked(report))

    @Slot()
    def _painted(self) -> None:
        print("window painted", file=sys.stderr, flush=True)  # noqa: T201 -- what the measurement waits for

    # --- what is told

    @property
    def _watched(self) -> bool:
        """Whether the employee has the window before them."""
        return self._window is not None and self._window.isVisible() and not self._window.isMinimized()

    @Slot(object)
    def _checked(self, report: Report) -> None:
        """Tells of a problem that was not there before, and of any outcome that was asked for from the menu."""
        from client.ui.words import headline  # noqa: PLC0415 -- not before the icon is shown

        if report.diagnosis:
            self.courier.hear()
        asked, self._asked = self._asked, False
        known, self._known = self._known, frozenset(one.cause for one in report.diagnosis)
        if self._watched or not (asked or self._known - known):
            return
        first = report.diagnosis[0] if report.diagnosis else None
        words = (
            f"{first.title}. {first.advice}"
            if first
            else self.tr("Nothing is wrong with this computer or its network.")
        )
        self.herald.tell(headline(self.checkup.state, report), words, action=self.tr("Show"), page="home")

    @Slot(object)
    def _check_failed(self, error: DesksideError) -> None:
        if self._asked and not self._watched:
            self.herald.tell(error.title, f"{error.message} {error.hint}", action=self.tr("Show"), page="home")
        self._asked = False

    @Slot(object)
    def _delivered(self, entries: tuple[OutboxEntry, ...]) -> None:
        for entry in entries:
            if self._watched or entry.kind != "ticket":
                continue
            if entry.state == "sent" and entry.ticket is not None:
                words = self.tr("Your ticket has arrived at the help desk: {ref}.").format(ref=entry.ticket.ref)
                page = f"conversation {entry.ticket.id}" if self.app.capabilities.comments else "outbox"
                self.herald.tell(entry.subject, words, action=self.tr("Show"), page=page)
            elif entry.state in {"refused", "unsure"}:
                self.herald.tell(entry.subject, entry.last_error, action=self.tr("Have a look"), page="outbox")

    @Slot(object)
    def _answered(self, news: tuple[tuple[Ticket, Comment], ...]) -> None:
        """One notification for one ticket; many are told as one, so that it stays a message and no alarm."""
        from client.ui.words import without_marks  # noqa: PLC0415 -- not before the icon is shown

        tickets = {ticket.id: ticket for ticket, _ in news}
        if len(tickets) == 1:
            ticket, comment = news[-1]
            title = self.tr("{author} answered").format(author=comment.author or self.tr("IT"))
            words = f"{ticket.subject}: {without_marks(comment.text)}"
            self.herald.tell(title, words, action=self.tr("Read"), page=f"conversation {ticket.id}")
        elif tickets:
            words = ", ".join(ticket.subject for ticket in tickets.values())
            self.herald.tell(self.tr("IT has answered"), words, action=self.tr("Read"), page="tickets")

    @Slot(object)
    def _announced(self, ended: tuple[Announcement, ...]) -> None:
        for one in ended:
            words = self.tr("You wanted to be told. If it still does not work for you, check again.")
            self.herald.tell(
                self.tr("It is over: {title}").format(title=one.title), words, action=self.tr("Show"), page="home"
            )

    # --- how it ends

    def _has_icon(self) -> bool:
        """Whether there is an icon that leads back to a closed window. Makes it anew when the panel has come after us."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            self._panel_seen = False
            return False
        if not self.app.settings.values.client.tray:
            self.tray.icon.hide()
            return False
        if not self._panel_seen:
            self._panel_seen = True
            self.tray.renew()
        return True

    @Slot()
    def _closed(self) -> None:
        self.courier.set_window_open(False)
        if self._has_icon():
            self._forget.start()
        elif self.app.next_delivery() is None:
            self.quit()
        else:
            words = self.tr("Deskside stays until it is sent, and ends then by itself.")
            self.herald.tell(self.tr("Something still waits to be sent"), words, action=self.tr("Show"), page="outbox")

    @Slot()
    def _end_if_done(self) -> None:
        """Without an icon there is no way back to a closed window: stay no longer than something waits."""
        if not self._opened or self._watched or self.courier.sending or self._has_icon():
            return
        if self.app.next_delivery() is None:
            self.quit()

    @Slot()
    def _drop_window(self) -> None:
        window, self._window = self._window, None
        if window is None:
            return
        window.leave()
        # Held until Qt has destroyed it: Python's collector, which may run in the core's thread, must not do that.
        self._leaving = window
        window.destroyed.connect(self._let_go)
        window.deleteLater()
        QTimer.singleShot(0, self._shrink)

    @Slot()
    def _let_go(self) -> None:
        self._leaving = None

    @Slot()
    def _shrink(self) -> None:
        """Starts the program anew, without the window: fonts, styles and libraries never give their memory back (some 30 MiB).

        Only while nothing at all is going on. The process stays the same one; the icon is gone for a tenth of a second.
        """
        busy = (
            self._bridge.busy
            or self.courier.busy
            or self.checkup.running
            or (self._repair is not None and self._repair.running)
            or (self._herald is not None and self._herald.waiting)
        )
        if can_start_anew(sys.argv[1:]) and self._window is None and not busy and self._has_icon():
            self.anew = True
            self.quit()

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
        if self._network is not None:
            self._network.close()
        if self._courier is not None:
            self._courier.close()
        if self._herald is not None:
            self._herald.close()
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

    Raises:
        DesksideError: the settings cannot be used.
    """
    qInstallMessageHandler(qt_said)
    application = QApplication(["deskside"])
    application.setApplicationName("deskside")
    application.setApplicationDisplayName("Deskside")
    application.setDesktopFileName("deskside")
    application.setQuitOnLastWindowClosed(False)
    if os.environ.pop(ANEW, ""):
        page = None  # the window that this start was about has been closed since
    resident = Resident(make_app, instance=instance, page=page)
    signals = Signals(resident.quit)
    resident.show()
    try:
        code = int(application.exec())
        if resident.fault is not None:
            raise resident.fault
        return code
    finally:
        signals.close()
        resident.close()
        if resident.anew:
            start_anew()
