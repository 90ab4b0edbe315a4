"""Covers parts of a picture for good: solid black in the pixels themselves. Blurring can be undone, so there is none."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from client.model import Attachment
from client.ui import theme
from client.ui.screenshot import png
from client.ui.widgets.button import Button
from client.ui.widgets.card import row
from client.ui.widgets.text import Text

FILL = QColor(0, 0, 0)
STEP = 10  # pixels of the picture that an arrow key moves
LEAST = 3  # smaller drags are clicks

ARROWS = {
    Qt.Key.Key_Left: QPoint(-STEP, 0),
    Qt.Key.Key_Right: QPoint(STEP, 0),
    Qt.Key.Key_Up: QPoint(0, -STEP),
    Qt.Key.Key_Down: QPoint(0, STEP),
}


def covered(image: QImage, areas: tuple[QRect, ...]) -> QImage:
    """The image with the areas painted black; nothing of what was there is left in it."""
    result = image.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(result)
    for area in areas:
        painter.fillRect(area, FILL)
    painter.end()
    return result


def between(one: QPoint, other: QPoint) -> QRect:
    """The area whose corners are two pixels, both inside it, whichever comes first."""
    return QRect(
        QPoint(min(one.x(), other.x()), min(one.y(), other.y())),
        QPoint(max(one.x(), other.x()), max(one.y(), other.y())),
    )


class Canvas(QWidget):
    """The picture, scaled to the width there is, with the areas that will be black. `changed` tells how many there are."""

    changed = Signal(int)

    def __init__(self, image: QImage, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = image
        self._shown = QPixmap()
        self._areas: list[QRect] = []
        self._from: QPoint | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def areas(self) -> tuple[QRect, ...]:
        """What will be black, in pixels of the picture."""
        return tuple(self._areas)

    def undo(self) -> None:
        """Takes the last area away."""
        if self._areas:
            self._areas.pop()
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
        """The picture, the black areas, and a frame around the last of them while the keyboard works here."""
        del event
        wide = min(self.width(), self._image.width())
        if self._shown.width() != wide:
            self._shown = QPixmap.fromImage(self._image).scaledToWidth(wide, Qt.TransformationMode.SmoothTransformation)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._shown)
        scale = self._scale()
        for area in self._areas:
            painter.fillRect(QRect(area.topLeft() * scale, area.size() * scale), FILL)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.tokens().accent), 2))
            framed = self._areas[-1] if self._areas else self._image.rect()
            painter.drawRect(QRect(framed.topLeft() * scale, framed.size() * scale).adjusted(1, 1, -2, -2))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Begins an area."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = self._place(event)
            self._areas.append(QRect(self._from, QSize(0, 0)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws it larger."""
        if self._from is not None:
            self._areas[-1] = between(self._from, self._place(event))
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Ends it; a click without a drag covers nothing."""
        if self._from is not None:
            area = between(self._from, self._place(event)).intersected(self._image.rect())
            self._from = None
            self._areas.pop()
            if area.width() >= LEAST and area.height() >= LEAST:
                self._areas.append(area)
            self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Space makes an area, arrows move it, with Shift they change its size, Delete takes it away."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            size = QSize(self._image.width() // 4, self._image.height() // 8)
            self._areas.append(QRect(self._image.rect().center() - QPoint(size.width() // 2, size.height() // 2), size))
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and self._areas:
            self._areas.pop()
        elif key in ARROWS and self._areas:
            move, area = ARROWS[key], QRect(self._areas[-1])
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                area.setBottomRight(area.bottomRight() + move)
            else:
                area.translate(move)
            if area.isValid() and self._image.rect().intersects(area):
                self._areas[-1] = area.intersected(self._image.rect())
        else:
            super().keyPressEvent(event)
            return
        self._tell()

    def _tell(self) -> None:
        self.update()
        self.changed.emit(len(self._areas))

    def _scale(self) -> float:
        return min(self.width(), self._image.width()) / max(self._image.width(), 1)

    def _place(self, event: QMouseEvent) -> QPoint:
        point = event.position() / self._scale()
        return QPoint(
            min(max(round(point.x()), 0), self._image.width() - 1),
            min(max(round(point.y()), 0), self._image.height() - 1),
        )


class Cover(QWidget):
    """The picture with its buttons.

    Signals:
        done: the picture with black areas (PNG bytes).
        closed: it stays as it was.
    """

    done = Signal(bytes)
    closed = Signal()

    def __init__(self, attachment: Attachment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self._image.loadFromData(QByteArray(attachment.data))
        self.canvas = Canvas(self._image, self.tr("Picture {name}").format(name=attachment.name), self)
        self.canvas.setAccessibleDescription(
            self.tr(
                "Space covers an area. The arrow keys move it, with Shift they change its size, Delete takes it away."
            )
        )
        self.canvas.changed.connect(self._count)
        self.setFocusProxy(self.canvas)
        words = self.tr(
            "Drag over what should not be seen: it is painted black, for good. Look closely, names and numbers too."
        )
        self._undo = Button(self.tr("Undo the last area"), "secondary", icon="undo", parent=self)
        self._undo.clicked.connect(self.canvas.undo)
        self._keep = Button(
            self.tr("Done"), "secondary", icon="check", name=self.tr("Done with the picture"), parent=self
        )
        self._keep.clicked.connect(self._finish)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, theme.S, 0, theme.S)
        outer.setSpacing(theme.S)
        outer.addWidget(Text(words, "caption", ink="muted", parent=self))
        outer.addWidget(self.canvas)
        outer.addLayout(row(self._keep, self._undo))
        self._count(0)

    @Slot(int)
    def _count(self, areas: int) -> None:
        self._undo.setEnabled(areas > 0)

    @Slot()
    def _finish(self) -> None:
        if self.canvas.areas:
            self.done.emit(png(covered(self._image, self.canvas.areas)))
        else:
            self.closed.emit()
