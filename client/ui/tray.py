"""The tray icon and its menu. It shows what it is told and asks for what is wanted; it decides nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from client.ui.icons import state_icon


class Tray(QObject):
    """The icon in the panel.

    Signals:
        wanted: a page of the window, by its id ("" for the page that was last shown).
        check_wanted, quit_wanted: what their names say.
    """

    wanted = Signal(str)
    check_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu()
        self._status = self._menu.addAction(self.tr("Deskside"))
        self._status.setEnabled(False)
        self._menu.addSeparator()
        self._check = self._menu.addAction(self.tr("Check now"), self.check_wanted.emit)
        self._menu.addAction(self.tr("Open Deskside"), self._open)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Report a problem…"), self._report)
        self._menu.addAction(self.tr("My tickets"), self._tickets)
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Quit"), self.quit_wanted.emit)
        self._state = ""
        self.icon = self._made()
        self.show_state("unknown", self.tr("Deskside"))

    @property
    def menu(self) -> QMenu:
        """The menu, for whoever has no panel to show it."""
        return self._menu

    def show(self) -> None:
        """Puts the icon into the panel."""
        self.icon.show()

    def renew(self) -> None:
        """Makes the icon anew: how it reaches the panel is decided when it is made, so a panel that comes later does not get it."""
        old, self.icon = self.icon, self._made()
        self.icon.setIcon(old.icon())
        self.icon.setToolTip(old.toolTip())
        old.hide()
        old.deleteLater()
        self.icon.show()

    def _made(self) -> QSystemTrayIcon:
        icon = QSystemTrayIcon(parent=self)
        icon.setContextMenu(self._menu)
        icon.activated.connect(self._activated)
        return icon

    def show_state(self, state: str, headline: str, *details: str) -> None:
        """Shows a state.

        Args:
            state: a value of `client.model.State`.
            headline: the sentence that the window shows too.
            details: further lines of the tooltip: the cause, when the last check was.
        """
        if state != self._state:
            self._state = state
            self.icon.setIcon(state_icon(state))
        self.icon.setToolTip("\n".join(line for line in (headline, *details) if line))
        self._status.setText(headline.replace("&", "&&"))
        self._check.setEnabled(state != "checking")

    @Slot(QSystemTrayIcon.ActivationReason)
    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self._open()

    @Slot()
    def _open(self) -> None:
        self.wanted.emit("")

    @Slot()
    def _report(self) -> None:
        self.wanted.emit("compose")

    @Slot()
    def _tickets(self) -> None:
        self.wanted.emit("tickets")
