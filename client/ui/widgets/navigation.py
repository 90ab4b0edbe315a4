"""The few places of the window, at its left edge; icons only where the window is narrow."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.bubble import state_pixmap
from client.ui.widgets.glyph import glyph_icon

ICON: Final = 20
LONGEST_BRAND: Final = 18  # characters; a longer name stays in the window's title
BELONGS: Final = {  # a page below a place keeps the place marked
    "article": "articles",
    "fix": "home",
    "conversation": "tickets",
    "outbox": "tickets",
    "preview": "compose",
}


class Place(QPushButton):
    """One place: an icon and a word."""

    def __init__(self, page: str, text: str, icon: str, keys: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.page = page
        self._text = text
        self._icon = icon
        self.setProperty("nav", True)
        self.setIconSize(QSize(theme.scaled(ICON), theme.scaled(ICON)))
        self.setAccessibleName(text)
        self.setToolTip(f"{text} ({keys})" if keys else text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._dress()

    def set_narrow(self, narrow: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Shows the icon only."""
        self.setText("" if narrow else self._text)

    @property
    def is_current(self) -> bool:
        """Whether this is where one is."""
        return bool(self.property("current"))

    def set_current(self, current: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Marks it as where one is, for the eye and for screen readers."""
        if current != self.is_current:
            self.setProperty("current", current)
            self.setAccessibleDescription(self.tr("You are here") if current else "")
            self.style().unpolish(self)
            self.style().polish(self)
            self._dress()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws the icon anew when light turns to dark."""
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        colours = theme.tokens()
        ink = colours.accent if self.is_current else colours.muted
        self.setIcon(glyph_icon(self._icon, ink, theme.scaled(ICON), ratio=self.devicePixelRatioF()))


class Rail(QFrame):
    """The navigation. `wanted` carries the id of the page that was pressed."""

    wanted = Signal(str)

    def __init__(self, brand: str = "Deskside", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAccessibleName(self.tr("Navigation"))
        self._mark = QLabel(self)
        self._mark.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self._mark.setContentsMargins(theme.S, 0, 0, 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.S, theme.L, theme.S, theme.L)
        outer.setSpacing(theme.XS)
        self._brand = QLabel(parent=self)
        self._brand.setTextFormat(Qt.TextFormat.PlainText)
        self._brand.setFont(theme.font("title"))
        top = QHBoxLayout()
        top.setSpacing(theme.S)
        top.addWidget(self._mark)
        top.addWidget(self._brand, 1)
        outer.addLayout(top)
        outer.addSpacing(theme.M)
        self._places = [
            Place("home", self.tr("Home"), "home", "Ctrl+1", self),
            Place("articles", self.tr("Help"), "help", "Ctrl+2", self),
            Place("tickets", self.tr("My tickets"), "ticket", "Ctrl+3", self),
            Place("device", self.tr("This computer"), "computer", "Ctrl+4", self),
        ]
        report = Place("compose", self.tr("Report a problem"), "edit", "Ctrl+N", self)
        settings = Place("settings", self.tr("Settings"), "settings", "", self)
        for place in self._places:
            outer.addWidget(place)
        outer.addStretch(1)
        self._places += [report, settings]
        outer.addWidget(report)
        outer.addWidget(settings)
        for place in self._places:
            place.clicked.connect(self._pressed)
        self.pages = ("home", "articles", "tickets", "device")
        self._brand.setText(brand if len(brand) <= LONGEST_BRAND else "")
        self._narrow: bool | None = None
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Icons only, or icons with words."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._mark.setPixmap(state_pixmap("checking", theme.scaled(26), self.devicePixelRatioF()))
        self._brand.setVisible(not narrow)
        for place in self._places:
            place.set_narrow(narrow)
        if narrow:
            self.setFixedWidth(theme.scaled(ICON) + 2 * theme.S + 2 * theme.M)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(theme.scaled(260))
            self.setFixedWidth(max(184, self.sizeHint().width()))

    def set_current(self, page: str) -> None:
        """Marks the place that the page belongs to."""
        page = BELONGS.get(page, page)
        for place in self._places:
            place.set_current(place.page == page)

    @Slot()
    def _pressed(self) -> None:
        place = self.sender()
        if isinstance(place, Place):
            self.wanted.emit(place.page)
