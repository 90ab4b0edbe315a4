"""The scrolling column that a page's content stands in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLayout, QLineEdit, QPlainTextEdit, QScrollArea, QScrollBar, QVBoxLayout, QWidget
from shiboken6 import isValid

from client.ui import theme

SETTLED_MS: Final = 25


def in_order(layout: QLayout) -> Iterator[QWidget]:
    """What the Tab key stops at, from top to bottom as the layout has it."""
    for index in range(layout.count()):
        item = layout.itemAt(index)
        inner = item.layout() if item is not None else None
        widget = item.widget() if item is not None else None
        if widget is not None and not widget.isHidden():
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                yield widget
            inner = widget.layout()
        if inner is not None:
            yield from in_order(inner)


class Column(QScrollArea):
    """Scrolls from top to bottom only; its content is centred and never wider than `theme.COLUMN`.

    The bar that one sees is a twin of the area's own, which stays hidden: Qt 6.11 counts the area's own bar among the accessible
    children while it is visible, and reads beyond its list when a screen reader asks for it a moment after it has gone.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bar.valueChanged.connect(self.verticalScrollBar().setValue)
        self.verticalScrollBar().valueChanged.connect(self._bar.setValue)
        self.verticalScrollBar().rangeChanged.connect(self._range)
        self._new: QWidget | None = None
        self._settling = QTimer(self)  # places settle over several turns of the event loop after the range has changed
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLED_MS)
        self._settling.timeout.connect(self._keep_writing)
        inner = self._inner = QWidget()
        inner.setObjectName("column")
        self.content = QVBoxLayout(inner)
        self.content.setSpacing(theme.L)
        self.content.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(inner)
        self.verticalScrollBar().rangeChanged.connect(self._settle)
        self._margins()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Keeps the content in the middle."""
        self._margins()
        super().resizeEvent(event)
        self._place_bar()

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802, FBT001 -- Qt's names
        """Moves the focus in the order in which things stand, also through what was put in later, and scrolls it into sight."""
        controls = list(in_order(self.content))
        for one, other in pairwise(controls):
            QWidget.setTabOrder(one, other)
        return super().focusNextPrevChild(next)

    def reveal(self, widget: QWidget) -> None:
        """Scrolls something that has just come in into sight, as soon as it has its place."""
        self._new = widget
        self._settling.start()

    @Slot()
    def _range(self) -> None:
        own = self.verticalScrollBar()
        self._bar.setRange(own.minimum(), own.maximum())
        self._place_bar()

    def _place_bar(self) -> None:
        """At the right edge, over the margin that the content leaves; nowhere while everything is in sight."""
        own = self.verticalScrollBar()
        self._bar.setPageStep(own.pageStep())
        self._bar.setSingleStep(own.singleStep())
        wide = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - wide, 0, wide, self.height())
        self._bar.setVisible(own.maximum() > own.minimum())

    @Slot()
    def _settle(self) -> None:
        self._settling.start()

    @Slot()
    def _keep_writing(self) -> None:
        """What comes in above the field that one writes in must not push it out of sight."""
        if self._new is not None:
            new, self._new = self._new, None
            if isValid(new) and self._inner.isAncestorOf(new):
                self._show_all(new)
            return
        field = self.focusWidget()
        if isinstance(field, (QPlainTextEdit, QLineEdit)) and field.hasFocus():
            self._show_all(field)

    def _show_all(self, widget: QWidget) -> None:
        place = widget.mapTo(self._inner, widget.rect().topLeft())
        self.ensureVisible(place.x(), place.y() + widget.height(), 0, theme.L)
        self.ensureVisible(place.x(), place.y(), 0, theme.L)  # the beginning matters more where both do not fit

    def _margins(self) -> None:
        wide = self.viewport().width()
        least = theme.XL if wide >= theme.NARROW else theme.L
        side = max(least, (wide - theme.COLUMN) // 2)
        self.content.setContentsMargins(side, theme.XL, side, theme.XXL)
