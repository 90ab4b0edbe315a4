"""What a page shows when there is nothing: an icon, a sentence that says why, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.button import Button
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text


class Empty(QWidget):
    """Nothing here, said kindly. `acted` is sent when its button is pressed.

    Args:
        icon: a name of `resources/icons`.
        title: what there is none of.
        words: why, and what one can do.
        action: a button's words; empty: none.
    """

    acted = Signal()

    def __init__(self, icon: str, title: str, words: str = "", action: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, theme.XL, 0, theme.XL)
        outer.setSpacing(theme.S)
        outer.addWidget(Glyph(icon, tone="quiet", size=28, disc=True, parent=self), 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addSpacing(theme.XS)
        for label in (Text(title, "title", parent=self), Text(words, ink="muted", parent=self)):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setVisible(bool(label.text()))
            outer.addWidget(label)
        if action:
            outer.addSpacing(theme.S)
            button = Button(action, "secondary", parent=self)
            button.clicked.connect(self.acted)
            outer.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
