"""The top of a page: its title, and a sentence below."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.text import Text


class Heading(QWidget):
    """A title with a sentence that belongs to it."""

    def __init__(self, title: str = "", words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = Text(title, "heading", parent=self)
        self.words = Text("", ink="muted", parent=self)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.XS)
        outer.addWidget(self.title)
        outer.addWidget(self.words)
        self.words.tell(words)

    def tell(self, title: str, words: str = "") -> None:
        """Changes both."""
        self.title.setText(title)
        self.words.tell(words)
