"""The drawing of the state: a speech bubble whose sign says it. For the window at any size, and the source of the tray's pictures.

Each state has a sign of its own for whoever does not see the colour: a check, three dots, an exclamation mark, a cross in an
outline, a question mark in an outline. `python -m client.ui.bubble` writes the tray's pictures anew; a test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QPixmap

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
    pixmap.fill(QColor(0, 0, 0, 0))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(painter, state, float(pixels), mask=mask)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _paint(painter: QPainter, state: str, side: float, *, mask: bool) -> None:
    """Draws on a square of `side` pixels; edges lie on whole pixels so that small sizes stay sharp."""
    line = max(1.5, round(side * 0.105 * 2) / 2)
    left, top = max(0.5, round(side * 0.03)), max(0.5, round(side * 0.05))
    right, bottom = side - left, round(side * 0.82)
    hollow = state in HOLLOW
    inset = line / 2 if hollow else 0.0
    body = QRectF(left + inset, top + inset, right - left - 2 * inset, bottom - top - 2 * inset)
    bubble = _bubble(body, side, foot=side - max(0.5, side * 0.02) - inset)
    sign = _sign(state, QPointF(side / 2, (top + bottom) / 2), (bottom - top) / 2, line)
    colour = QColor(0, 0, 0) if mask else QColor(COLOURS[state])
    if mask and not hollow:
        for part in sign:
            bubble = bubble.subtracted(part)
        sign = []
    painter.fillPath(_outline(bubble, line) if hollow else bubble, colour)
    for part in sign:
        painter.fillPath(part, colour if hollow else QColor(SIGN))


def _bubble(body: QRectF, side: float, *, foot: float) -> QPainterPath:
    """The contour, counter-clockwise from the top; in one piece, because uniting shapes is slow."""
    left, right, top, bottom = body.left(), body.right(), body.top(), body.bottom()
    round_ = side * 0.4  # the diameter of a corner
    path = QPainterPath(QPointF(left + round_ / 2, top))
    path.arcTo(QRectF(left, top, round_, round_), 90, 90)
    path.arcTo(QRectF(left, bottom - round_, round_, round_), 180, 65)
    path.lineTo(left + side * 0.16, foot)
    path.lineTo(left + side * 0.4, bottom)
    path.arcTo(QRectF(right - round_, bottom - round_, round_, round_), 270, 90)
    path.arcTo(QRectF(right - round_, top, round_, round_), 0, 90)
    path.closeSubpath()
    return path


def _sign(state: str, centre: QPointF, reach: float, line: float) -> list[QPainterPath]:
    """The shapes that make the sign; they may overlap."""
    x, y = centre.x(), centre.y()
    pen = line * 1.15

    def at(right: float, down: float) -> QPointF:
        return QPointF(x + reach * right, y + reach * down)

    if state == "fine":
        return _stroke([at(-0.52, 0.04), at(-0.14, 0.4), at(0.54, -0.4)], pen)
    if state == "checking":
        return _dots([at(-0.6, 0), at(0, 0), at(0.6, 0)], line * 0.68)
    if state == "problem":
        return [*_stroke([at(0, -0.56), at(0, 0.08)], pen), *_dots([at(0, 0.54)], line * 0.7)]
    if state == "offline":
        return [*_stroke([at(-0.5, -0.42), at(0.5, 0.42)], pen), *_stroke([at(-0.5, 0.42), at(0.5, -0.42)], pen)]
    hook = QPainterPath(at(-0.32, -0.24))
    hook.cubicTo(at(-0.32, -0.72), at(0.36, -0.72), at(0.34, -0.2))
    hook.cubicTo(at(0.32, -0.02), at(0, 0), at(0, 0.16))
    ends = _dots([at(-0.32, -0.24), at(0, 0.16)], pen / 2)
    return [_outline(hook, pen), *ends, *_dots([at(0, 0.56)], line * 0.62)]


def _stroke(points: Sequence[QPointF], width: float) -> list[QPainterPath]:
    """A line of a width with round ends and corners."""
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    return [_outline(path, width), *_dots(points, width / 2)]


def _dots(points: Sequence[QPointF], radius: float) -> list[QPainterPath]:
    made = []
    for point in points:
        dot = QPainterPath()
        dot.addEllipse(point, radius, radius)
        made.append(dot)
    return made


def _outline(path: QPainterPath, width: float) -> QPainterPath:
    """What a pen of that width would cover."""
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    return stroker.createStroke(path)


def main() -> int:
    """Writes the pictures that the tray loads."""
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415 -- for this command only

    from client.ui.icons import FOLDER, SIZES  # noqa: PLC0415 -- as above

    application = QGuiApplication(["bubble", "-platform", "offscreen"])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for state in COLOURS:
        for size in SIZES:
            state_pixmap(state, size).save(str(FOLDER / f"{state}-{size}.png"))
    application.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
