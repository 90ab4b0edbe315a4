"""The window's icons: one family of line drawings in `resources/icons`, painted in the colour of what stands beside them."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from client.ui import theme


@lru_cache(maxsize=256)
def glyph(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """An icon as a pixmap.

    Args:
        name: a file of `resources/icons`, without `.svg`.
        colour: the colour of its lines.
        size: width and height in logical pixels.
        ratio: device pixels per logical pixel.
    """
    drawing = (theme.ICONS / f"{name}.svg").read_text().replace("currentColor", colour)
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def glyph_icon(name: str, colour: str, size: int = 18, *, ratio: float = 1.0) -> QIcon:
    """An icon for buttons and menus."""
    return QIcon(glyph(name, colour, size, ratio))


class Glyph(QWidget):
    """An icon beside text; decoration, so screen readers pass over it. Follows light and dark by itself.

    Args:
        name: a file of `resources/icons`, without `.svg`.
        tone: the colour's role.
        size: width and height in logical pixels.
        disc: paints the tone's soft ground as a disc behind it.
    """

    def __init__(
        self,
        name: str,
        *,
        tone: theme.Tone = "neutral",
        size: int = 20,
        disc: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._tone: theme.Tone = tone
        self._size = theme.scaled(size)
        self._disc = disc
        side = self._size * 2 if disc else self._size
        self.setFixedSize(QSize(side, side))

    def set_glyph(self, name: str, tone: theme.Tone) -> None:
        """Shows another icon."""
        self._name, self._tone = name, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paints the disc and the lines."""
        del event
        colours = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._disc:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.ground(colours, self._tone))
            painter.drawEllipse(self.rect())
        pixmap = glyph(self._name, theme.ink(colours, self._tone), self._size, self.devicePixelRatioF())
        offset = (self.width() - self._size) // 2
        painter.drawPixmap(offset, offset, pixmap)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Repaints when light turns to dark."""
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
        super().changeEvent(event)
