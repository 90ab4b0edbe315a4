"""Calm notices: on top of a page, or for a moment at the window's lower edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from client.errors import DesksideError
from client.ui import theme
from client.ui.widgets.button import Button, IconButton
from client.ui.widgets.card import Card
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text

TOAST_MS = 6000  # long enough to read two sentences
ICONS: dict[str, str] = {
    "neutral": "info",
    "accent": "info",
    "fine": "check",
    "problem": "alert",
    "danger": "alert",
    "quiet": "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a banner says. `action` is a button's words, `act` what it does; `stays` keeps it until it is closed."""

    title: str
    words: str = ""
    tone: theme.Tone = "accent"
    action: str = ""
    act: Callable[[], None] | None = None
    stays: bool = False

    @classmethod
    def of(cls, error: DesksideError) -> Notice:
        """An error as a notice: its title, what happened and what to do."""
        title = QCoreApplication.translate("Error", error.title)
        words = " ".join(part for part in (error.message, error.hint) if part)
        return cls(title=title, words=words, tone="problem")


class Banner(Card):
    """A notice that stays until it is closed or another one comes. `closed` is sent when the employee closes it."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("accent", margin=theme.M, parent=parent)
        self._act: Callable[[], None] | None = None
        self._glyph = Glyph("info", tone="accent", parent=self)
        self._title = Text("", "strong", parent=self)
        self._words = Text("", parent=self)
        self._action = Button("", "secondary", parent=self)
        self._action.clicked.connect(self._go)
        self._close = IconButton("cross", self.tr("Close this notice"), parent=self)
        self._close.clicked.connect(self.hide)
        self._close.clicked.connect(self.closed)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._words)
        words.addSpacing(theme.XS)
        words.addWidget(self._action, 0, Qt.AlignmentFlag.AlignLeft)
        line = QHBoxLayout()
        line.setSpacing(theme.M)
        line.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        line.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.content.addLayout(line)

    def tell(self, notice: Notice) -> None:
        """Shows the notice and has screen readers say it."""
        self.set_tone(notice.tone)
        self._glyph.set_glyph(ICONS[notice.tone], notice.tone)
        self._title.tell(notice.title)
        self._words.tell(notice.words)
        self._act = notice.act
        self._action.setText(notice.action)
        self._action.setVisible(bool(notice.action))
        self.setAccessibleName(f"{notice.title}. {notice.words}".strip())
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    @Slot()
    def _go(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()


class Toast(Banner):
    """A notice at the lower edge of its parent; goes away by itself unless it reports a problem."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ground = parent
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def tell(self, notice: Notice) -> None:
        """Shows the notice for a while."""
        super().tell(notice)
        self.place()
        self.raise_()
        if notice.stays or notice.tone in {"problem", "danger"}:
            self._timer.stop()
            if notice.action:
                self._action.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._timer.start(TOAST_MS)

    def place(self) -> None:
        """Stays at the edge; called when the parent changes its size."""
        around = self._ground.size()
        wide = min(around.width() - 2 * theme.L, 520)
        high = self.content.totalHeightForWidth(wide)
        self.setGeometry((around.width() - wide) // 2, around.height() - high - theme.L, wide, high)
