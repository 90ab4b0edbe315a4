"""The picture that marks are drawn on, with the mouse or with the keyboard, scaled to the width there is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from client.ui import theme
from client.ui.widgets.marks import Mark, Tool, first_of, kept, paint

STEP: Final = 10  # pixels of the picture that an arrow key moves
FAINT: Final = 215  # of 255: how far the part that is cut away fades into the page

ARROWS: Final = {
    Qt.Key.Key_Left: QPoint(-STEP, 0),
    Qt.Key.Key_Right: QPoint(STEP, 0),
    Qt.Key.Key_Up: QPoint(0, -STEP),
    Qt.Key.Key_Down: QPoint(0, STEP),
}


class Canvas(QWidget):
    """The picture and its marks. `changed` tells how many there are.

    Args:
        image: the picture.
        name: what a screen reader calls it.
    """

    changed = Signal(int)

    def __init__(self, image: QImage, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tool = Tool.COVER
        self._image = image
        self._shown = QPixmap()
        self._marks: list[Mark] = []
        self._drag: Mark | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is drawn, the oldest first."""
        return tuple(self._marks)

    def undo(self) -> None:
        """Takes the last mark away."""
        if self._marks:
            self._marks.pop()
            self._tell()

    def hasHeightForWidth(self) -> bool:  # noqa: N802 -- Qt's name
        """The picture keeps its shape."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 -- Qt's name
        """The picture is never shown larger than it is."""
        return round(min(width, self._image.width()) * self._image.height() / max(self._image.width(), 1))

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As wide as there is room for."""
        return QSize(self._image.width(), self.heightForWidth(self._image.width()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """A picture can be shown very small."""
        return QSize(1, 1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """The picture, its marks, and a frame around the last of them while the keyboard works here."""
        del event
        wide = min(self.width(), self._image.width())
        if self._shown.width() != wide:
            self._shown = QPixmap.fromImage(self._image).scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._shown)
        scale = self._scale()
        marks = self._all()
        painter.save()
        painter.scale(scale, scale)
        paint(painter, marks, self._image.rect())
        painter.restore()
        self._paint_kept(painter, kept(marks, self._image.rect()), scale)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.tokens().accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            framed = marks[-1].area if marks else self._image.rect()
            painter.drawRect(QRect(framed.topLeft() * scale, framed.size() * scale).adjusted(1, 1, -2, -2))
        painter.end()

    def _paint_kept(self, painter: QPainter, area: QRect, scale: float) -> None:
        if area == self._image.rect():
            return
        colours = theme.tokens()
        away = QPainterPath()
        away.addRect(QRectF(self._shown.rect()))
        inside = QRectF(area.x() * scale, area.y() * scale, area.width() * scale, area.height() * scale)
        away.addRect(inside)  # odd-even: what is inside stays as it is
        faint = QColor(colours.window)
        faint.setAlpha(FAINT)
        painter.fillPath(away, faint)
        painter.setPen(QPen(QColor(colours.accent), 2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(inside)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Begins a mark."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = Mark(self.tool, self._place(event), self._place(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws it larger."""
        if self._drag is not None:
            self._drag = Mark(self._drag.tool, self._drag.start, self._place(event))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Ends it; a click without a drag marks nothing."""
        if self._drag is not None:
            mark, self._drag = Mark(self._drag.tool, self._drag.start, self._place(event)), None
            if mark.counts:
                self._marks.append(mark)
            self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Space makes a mark, arrows move it, with Shift they change its size, Delete takes it away."""
        key = Qt.Key(event.key())
        picture = self._image.rect()
        if key == Qt.Key.Key_Space:
            self._marks.append(first_of(self.tool, picture))
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and self._marks:
            self._marks.pop()
        elif key in ARROWS and self._marks:
            last = self._marks[-1]
            stretch = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._marks[-1] = (last.stretched if stretch else last.moved)(ARROWS[key], inside=picture)
        else:
            super().keyPressEvent(event)
            return
        self._tell()

    def _all(self) -> tuple[Mark, ...]:
        drag = self._drag
        return (*self._marks, drag) if drag is not None and drag.counts else tuple(self._marks)

    def _tell(self) -> None:
        self.update()
        self.changed.emit(len(self._marks))

    def _scale(self) -> float:
        return min(self.width(), self._image.width()) / max(self._image.width(), 1)

    def _place(self, event: QMouseEvent) -> QPoint:
        point = event.position() / self._scale()
        return QPoint(
            min(max(round(point.x()), 0), self._image.width() - 1),
            min(max(round(point.y()), 0), self._image.height() - 1),
        )
