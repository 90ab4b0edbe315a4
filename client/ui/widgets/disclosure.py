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
        self.button.clicked.connect(self._press)
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

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return not self._box.isHidden()

    def set_open(self, wanted: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        """Shows or hides the content."""
        if wanted == self.is_open:
            return
        self.button.setText(self._words[wanted])
        self.button.set_icon("down" if wanted else "right")
        self._box.setVisible(wanted)
        self.toggled.emit(wanted)

    @Slot()
    def _press(self) -> None:
        self.set_open(not self.is_open)
