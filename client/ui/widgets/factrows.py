"""Labels and values in two columns that line up; below each other where it is narrow."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from client.ui import theme
from client.ui.widgets.text import Text

NARROW = 380
LABEL = 150


class FactRows(QWidget):
    """Rows of a label and a value; the values can be selected and copied."""

    def __init__(self, rows: tuple[tuple[str, str], ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._narrow: bool | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.L)
        self._grid.setVerticalSpacing(theme.S)
        self._cells = []
        for label, value in rows:
            name = Text(label, ink="muted", parent=self)
            name.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            name.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
            words = Text(value, selectable=True, parent=self)
            words.setAccessibleName(f"{label}: {value}")
            words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            self._cells.append((name, words))
        self._arrange(narrow=False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """One column where there is no room for two."""
        self._arrange(narrow=self.width() < theme.scaled(NARROW))
        super().resizeEvent(event)

    def _arrange(self, *, narrow: bool) -> None:
        if narrow == self._narrow:
            return
        self._narrow = narrow
        for number, (name, words) in enumerate(self._cells):
            words.setContentsMargins(0, 0, 0, theme.S if narrow else 0)
            if narrow:
                self._grid.addWidget(name, number * 2, 0)
                self._grid.addWidget(words, number * 2 + 1, 0)
            else:
                self._grid.addWidget(name, number, 0)
                self._grid.addWidget(words, number, 1)
        self._grid.setVerticalSpacing(2 if narrow else theme.S)
        self._grid.setColumnMinimumWidth(0, 0 if narrow else theme.scaled(LABEL))
        self._grid.setColumnStretch(0, 1 if narrow else 0)
        self._grid.setColumnStretch(1, 0 if narrow else 1)
