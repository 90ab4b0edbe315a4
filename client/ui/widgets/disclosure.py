"""Details that unfold: the first sight stays short, everything is one press away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.button import Button


class Disclosure(QWidget):
    """A quiet button that shows and hides `content`.

    Args:
        closed: the button's words while hidden, "Show details".
        opened: its words while shown.
    """

    toggled = Signal(bool)

    def __init__(self, closed: str, opened: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = {False: closed, True: opened}
        self.button = Button(closed, "quiet", icon="right", parent=self)
        self.button.setProperty("flush", True)
        self.button.setCheckable(True)
        self.button.toggled.connect(self._toggle)
        self._box = QWidget(self)
        self.content = QVBoxLayout(self._box)
        self.content.setContentsMargins(0, theme.S, 0, 0)
        self.content.setSpacing(theme.S)
        self._box.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        outer.addWidget(self._box)

    def set_open(self, wanted: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Shows or hides the content."""
        self.button.setChecked(wanted)

    @Slot(bool)
    def _toggle(self, opened: bool) -> None:  # noqa: FBT001 -- Qt's signal
        self.button.setText(self._words[opened])
        self.button.set_icon("down" if opened else "right")
        self._box.setVisible(opened)
        self.toggled.emit(opened)
