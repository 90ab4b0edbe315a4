"""Labels with a role in the type scale. Always plain text: what comes from outside is never read as markup."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from client.ui import theme


class Text(QLabel):
    """A piece of text that wraps.

    Args:
        text: what it says, as plain text.
        role: its place in the type scale.
        ink: the colour; "muted" for what is said in passing.
        selectable: whether it can be selected and copied, also with the keyboard.
    """

    def __init__(
        self,
        text: str = "",
        role: theme.Type = "body",
        *,
        ink: str = "",
        selectable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._role: theme.Type = role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setFont(theme.font(role))
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Expanding if role != "caption" else QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumWidth(1)
        if selectable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.set_ink(ink)
        self.setText(text)

    def set_ink(self, ink: str) -> None:
        """Changes the colour's role: "", "muted" or a tone."""
        if self.property("ink") != ink:
            self.setProperty("ink", ink)
            self.style().unpolish(self)
            self.style().polish(self)

    def tell(self, text: str) -> None:
        """Shows the text, or nothing at all when it is empty."""
        self.setText(text)
        self.setVisible(bool(text))

    def setText(self, text: str) -> None:  # noqa: N802 -- Qt's name
        """Shows another text."""
        super().setText(text)
        self._insist()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keeps the whole text visible in its new width."""
        super().resizeEvent(event)
        self._insist()

    def _insist(self) -> None:
        """Asks for more height where the text is cut: layouts within layouts may guess it too low, with large letters above all."""
        needed = self.heightForWidth(self.width())
        insisted = needed if self.isVisible() and self.height() < needed else 0
        if insisted != self.minimumHeight():
            self.setMinimumHeight(insisted)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Follows the system's text size."""
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.setFont(theme.font(self._role))
        super().changeEvent(event)


class Pill(QLabel):
    """One or two words on a soft ground: a state beside a title."""

    def __init__(self, text: str, tone: theme.Tone = "quiet", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font("caption"))
        self.setProperty("pill", True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.set_pill(text, tone)

    def set_pill(self, text: str, tone: theme.Tone) -> None:
        """Changes words and tone."""
        self.setText(text)
        self.setProperty("tone", tone)
        self.style().unpolish(self)
        self.style().polish(self)
