"""The scrolling column that a page's content stands in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from client.ui import theme


class Column(QScrollArea):
    """Scrolls from top to bottom only; its content is centred and never wider than `theme.COLUMN`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        inner.setObjectName("column")
        self.content = QVBoxLayout(inner)
        self.content.setSpacing(theme.L)
        self.content.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(inner)
        self._margins()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keeps the content in the middle."""
        self._margins()
        super().resizeEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802, FBT001 -- Qt's names
        """Moves the focus and scrolls it into sight."""
        moved = super().focusNextPrevChild(next)
        focused = self.focusWidget()
        if moved and focused is not None:
            self.ensureWidgetVisible(focused, theme.L, theme.XXL)
        return moved

    def _margins(self) -> None:
        wide = self.viewport().width()
        least = theme.XL if wide >= theme.NARROW else theme.L
        side = max(least, (wide - theme.COLUMN) // 2)
        self.content.setContentsMargins(side, theme.XL, side, theme.XXL)
