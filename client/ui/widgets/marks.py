"""What is drawn on a picture: covered areas, arrows, the part that is kept. The same code paints it on the screen and for good.

Blurring can be undone, so there is none: what is covered is solid black in the pixels themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

FILL: Final = QColor(0, 0, 0)
ARROW: Final = QColor(214, 32, 24)  # seen on light and on dark, with the white edge around it
EDGE: Final = QColor(255, 255, 255)
LEAST: Final = 3  # smaller drags are clicks
SHORTEST: Final = 8  # of an arrow
SHAFT: Final = 0.008  # an arrow's thickness, of the picture's longer side
THINNEST: Final = 4.0


class Tool(Enum):
    """What a drag over the picture does."""

    COVER = "cover"
    ARROW = "arrow"
    CROP = "crop"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: from where the drag began to where it ended, both inside, in pixels of the picture.

    Of an arrow `end` is the tip; of the others the two are opposite corners.
    """

    tool: Tool
    start: QPoint
    end: QPoint

    @property
    def area(self) -> QRect:
        """The area between the two corners, whichever comes first."""
        return QRect(
            QPoint(min(self.start.x(), self.end.x()), min(self.start.y(), self.end.y())),
            QPoint(max(self.start.x(), self.end.x()), max(self.start.y(), self.end.y())),
        )

    @property
    def counts(self) -> bool:
        """Whether it is large enough to have been meant."""
        if self.tool is Tool.ARROW:
            return math.dist(self.start.toTuple(), self.end.toTuple()) >= SHORTEST
        return self.area.width() >= LEAST and self.area.height() >= LEAST

    def moved(self, by: QPoint, *, inside: QRect) -> Mark:
        """The same mark elsewhere; as far as it stays inside."""
        by = QPoint(
            _held(by.x(), inside.left() - self.area.left(), inside.right() - self.area.right()),
            _held(by.y(), inside.top() - self.area.top(), inside.bottom() - self.area.bottom()),
        )
        return Mark(self.tool, self.start + by, self.end + by)

    def stretched(self, by: QPoint, *, inside: QRect) -> Mark:
        """With its end elsewhere, as far as that stays inside and the mark stays one; else as it is."""
        end = self.end + by
        end = QPoint(_held(end.x(), inside.left(), inside.right()), _held(end.y(), inside.top(), inside.bottom()))
        changed = Mark(self.tool, self.start, end)
        return changed if changed.counts else self


def first_of(tool: Tool, picture: QRect) -> Mark:
    """Where a mark begins that is made with the keyboard: in the middle; what is kept begins as nearly all."""
    size = picture.size() * 0.8 if tool is Tool.CROP else QSize(picture.width() // 4, picture.height() // 8)
    corner = picture.center() - QPoint(size.width() // 2, size.height() // 2)
    return Mark(tool, corner, corner + QPoint(max(size.width(), SHORTEST) - 1, max(size.height(), LEAST) - 1))


def kept(marks: Iterable[Mark], picture: QRect) -> QRect:
    """The part of the picture that is sent: what was chosen last, or all of it."""
    area = QRect(picture)
    for mark in marks:
        if mark.tool is Tool.CROP:
            area = mark.area.intersected(picture)
    return area


def paint(painter: QPainter, marks: Iterable[Mark], picture: QRect) -> None:
    """Paints what covers, and the arrows above it, in pixels of the picture."""
    marks = tuple(marks)
    for mark in marks:
        if mark.tool is Tool.COVER:
            painter.fillRect(mark.area, FILL)
    thick = max(max(picture.width(), picture.height()) * SHAFT, THINNEST)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for mark in marks:
        if mark.tool is Tool.ARROW and mark.counts:
            painter.setPen(QPen(EDGE, thick / 2, j=Qt.PenJoinStyle.RoundJoin))
            painter.setBrush(ARROW)
            painter.drawPolygon(_outline(mark, thick))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def drawn(image: QImage, marks: Iterable[Mark]) -> QImage:
    """The picture with its marks, as it is sent; nothing of what was covered or cut away is left in it."""
    marks = tuple(marks)
    result = image.convertToFormat(QImage.Format.Format_RGB32)
    painter = QPainter(result)
    paint(painter, marks, result.rect())
    painter.end()
    return result.copy(kept(marks, result.rect()))


def _outline(mark: Mark, thick: float) -> QPolygonF:
    tip, tail = QPointF(mark.end), QPointF(mark.start)
    length = math.dist(tail.toTuple(), tip.toTuple())
    along = (tip - tail) / length
    across = QPointF(-along.y(), along.x())
    head = min(thick * 4, length * 0.6)
    neck = tip - along * head
    half = min(thick / 2, head / 4)
    return QPolygonF(
        [
            tail + across * half,
            neck + across * half,
            neck + across * head * 0.5,
            tip,
            neck - across * head * 0.5,
            neck - across * half,
            tail - across * half,
        ]
    )


def _held(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)
