"""The tray's icon: a speech bubble whose sign says the state. Painted for every size; loads nothing but QtGui.

The panel's colour cannot be asked for on most systems, so each colour stands on a light and on a dark one (a test computes it),
and each state has a sign of its own for whoever does not see the colour: a check, three dots, an exclamation mark, a struck-out
outline, a question mark. macOS takes the drawing as a mask and colours it itself.
"""

from __future__ import annotations

import sys
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

SIZES: Final = (16, 18, 20, 22, 24, 32, 48, 64, 128)
COLOURS: Final[dict[str, str]] = {  # by `client.model.State`; at least 3:1 on white and on black panels
    "fine": "#1f9461",
    "checking": "#4a78e0",
    "problem": "#d9541e",
    "offline": "#7c8696",
    "unknown": "#7c8696",
}
SIGN: Final = "#ffffff"
HOLLOW: Final = frozenset({"offline", "unknown"})  # an outline only: nothing is known to be fine


def state_pixmap(state: str, size: int, ratio: float = 1.0, *, mask: bool = False) -> QPixmap:
    """The icon of a state.

    Args:
        state: a value of `client.model.State`.
        size: width and height in logical pixels.
        ratio: device pixels per logical pixel.
        mask: black on transparent with the sign cut out, for systems that colour it themselves.
    """
    pixels = round(size * ratio)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(painter, state, float(pixels), QColor(Qt.GlobalColor.black) if mask else QColor(COLOURS[state]), mask=mask)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def state_icon(state: str) -> QIcon:
    """The icon of a state in every size that trays ask for."""
    mask = sys.platform == "darwin"
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(state_pixmap(state, size, mask=mask))
    icon.setIsMask(mask)
    return icon


def _paint(painter: QPainter, state: str, side: float, colour: QColor, *, mask: bool) -> None:
    """Draws on a square of `side` pixels; edges lie on whole pixels so that small sizes stay sharp."""
    line = max(1.5, round(side * 0.105 * 2) / 2)
    left, top = max(0.5, round(side * 0.03)), max(0.5, round(side * 0.05))
    right, bottom = side - left, round(side * 0.82)
    hollow = state in HOLLOW
    inset = line / 2 if hollow else 0.0
    body = QRectF(left + inset, top + inset, right - left - 2 * inset, bottom - top - 2 * inset)
    bubble = QPainterPath()
    radius = side * 0.2
    bubble.addRoundedRect(body, radius, radius)
    tail = QPainterPath(QPointF(body.left() + side * 0.16, body.bottom() - side * 0.06))
    tail.lineTo(body.left() + side * 0.16, side - max(0.5, side * 0.02) - inset)
    tail.lineTo(body.left() + side * 0.42, body.bottom() - side * 0.03)
    tail.closeSubpath()
    bubble = bubble.united(tail)
    if hollow:
        painter.setPen(QPen(colour, line, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
    painter.drawPath(bubble)
    if not hollow and mask:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    sign = colour if hollow else QColor(SIGN)
    pen = QPen(sign, line * 1.15, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    centre = QPointF(side / 2, (top + bottom) / 2)
    _sign(painter, state, centre, (bottom - top) / 2, line, sign)


def _sign(painter: QPainter, state: str, centre: QPointF, reach: float, line: float, colour: QColor) -> None:
    x, y = centre.x(), centre.y()
    if state == "fine":
        painter.drawPolyline(
            [
                QPointF(x - reach * 0.52, y + reach * 0.04),
                QPointF(x - reach * 0.14, y + reach * 0.4),
                QPointF(x + reach * 0.54, y - reach * 0.4),
            ]
        )
    elif state == "checking":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        for step in (-1, 0, 1):
            painter.drawEllipse(QPointF(x + step * reach * 0.6, y), line * 0.68, line * 0.68)
    elif state == "problem":
        painter.drawLine(QPointF(x, y - reach * 0.56), QPointF(x, y + reach * 0.08))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(x, y + reach * 0.54), line * 0.7, line * 0.7)
    elif state == "offline":
        painter.drawLine(QPointF(x - reach * 0.5, y - reach * 0.42), QPointF(x + reach * 0.5, y + reach * 0.42))
        painter.drawLine(QPointF(x - reach * 0.5, y + reach * 0.42), QPointF(x + reach * 0.5, y - reach * 0.42))
    else:
        hook = QPainterPath(QPointF(x - reach * 0.32, y - reach * 0.24))
        hook.cubicTo(
            x - reach * 0.32, y - reach * 0.72, x + reach * 0.36, y - reach * 0.72, x + reach * 0.34, y - reach * 0.2
        )
        hook.cubicTo(x + reach * 0.32, y - reach * 0.02, x, y, x, y + reach * 0.16)
        painter.drawPath(hook)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(x, y + reach * 0.56), line * 0.62, line * 0.62)
