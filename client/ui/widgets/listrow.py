"""A row that can be pressed: an article, a ticket, a message."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Pill, Text


class ListRow(QPushButton):
    """An icon, a title, a second line and a state; pressed as a whole, one stop of the Tab key.

    Args:
        title: the first line.
        words: the second line, shown muted; empty: none.
        icon: a name of `resources/icons`; empty: none.
        pill: a state in a word or two, with its tone; empty: none.
        strong: whether the title stands out (something unread).
    """

    def __init__(
        self,
        title: str,
        words: str = "",
        *,
        icon: str = "",
        tone: theme.Tone = "quiet",
        pill: str = "",
        pill_tone: theme.Tone = "quiet",
        strong: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("row", True)
        self.setAccessibleName(". ".join(part for part in (title, pill, words) if part))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        line = self._line = QHBoxLayout(self)
        line.setContentsMargins(theme.M, theme.S + 2, theme.M, theme.S + 2)
        line.setSpacing(theme.M)
        if icon:
            line.addWidget(Glyph(icon, tone=tone, parent=self), 0, Qt.AlignmentFlag.AlignTop)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(Text(title, "strong" if strong else "body", parent=self))
        if words:
            lines.addWidget(Text(words, "caption", ink="muted", parent=self))
        line.addLayout(lines, 1)
        if pill:
            line.addWidget(Pill(pill, pill_tone, parent=self), 0, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(Glyph("right", tone="quiet", size=16, parent=self), 0, Qt.AlignmentFlag.AlignVCenter)
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 -- Qt's name
        """The title may need more than one line."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        """As high as its lines need."""
        return self._line.totalHeightForWidth(width)

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """What the lines ask for, not what a button's text would."""
        return self._line.totalSizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As narrow as the longest word."""
        return self._line.totalMinimumSize()
