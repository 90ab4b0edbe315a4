"""A labelled input with a hint below that turns into what is wrong."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.text import Text


class Field(QWidget):
    """A label above a control; clicking the label focuses the control, screen readers read both.

    Args:
        label: what is asked for.
        control: the input.
        hint: a sentence below; empty: none.
    """

    def __init__(self, label: str, control: QWidget, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.control = control
        self._hint = hint
        self._label = QLabel(label, self)
        self._label.setFont(theme.font("strong"))
        self._label.setBuddy(control)
        self._below = Text(hint, "caption", ink="muted", parent=self)
        self._below.setVisible(bool(hint))
        control.setParent(self)
        control.setAccessibleName(label.replace("&", ""))
        control.setAccessibleDescription(hint)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.XS)
        outer.addWidget(self._label)
        outer.addWidget(control)
        outer.addWidget(self._below)

    def set_wrong(self, words: str) -> None:
        """Says what is wrong with the input; "" when it is right again."""
        self._below.tell(words or self._hint)
        self._below.set_ink("danger" if words else "muted")
        self.control.setAccessibleDescription(words or self._hint)
        self.control.setProperty("wrong", bool(words))
        self.control.style().unpolish(self.control)
        self.control.style().polish(self.control)
