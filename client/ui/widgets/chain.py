"""The way from this computer to a company service as a picture, with the broken link marked."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from client.ui import theme
from client.ui.journey import Health, Link
from client.ui.widgets.glyph import glyph

DISC: Final = 44
ICON: Final = 22
LINE: Final = 3.0
MARK: Final = 15
SIGN: Final = 10


class Chain(QWidget):
    """Paints the stations in a row, the name below each. One accessible text tells the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._links: tuple[Link, ...] = ()
        self.setFont(theme.font("caption"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    @property
    def links(self) -> tuple[Link, ...]:
        """What is shown."""
        return self._links

    def set_links(self, links: tuple[Link, ...], words: str) -> None:
        """Shows the stations.

        Args:
            links: from this computer outwards.
            words: the same as a sentence, for screen readers and as the tooltip.
        """
        self._links = links
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As high as the discs and the names."""
        return QSize(480, theme.scaled(DISC) + theme.S + self.fontMetrics().lineSpacing() + theme.XS)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As narrow as the discs alone."""
        return QSize(len(self._links) * (theme.scaled(DISC) + theme.XS), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Follows light and dark and the size of type."""
        if event.type() == QEvent.Type.ApplicationFontChange:
            self.setFont(theme.font("caption"))
        self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Paints the lines first, then the stations on them."""
        del event
        if not self._links:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        links = self._links if self.layoutDirection() == Qt.LayoutDirection.LeftToRight else self._links[::-1]
        step = self.width() / len(links)
        centres = [QPointF(step * (index + 0.5), theme.scaled(DISC) / 2 + 1) for index in range(len(links))]
        for index in range(len(links) - 1):
            self._line(painter, centres[index], centres[index + 1], links[index], links[index + 1])
        for link, centre in zip(links, centres, strict=True):
            self._station(painter, link, centre, step)
        painter.end()

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setBold(True)
        return font

    def _line(self, painter: QPainter, start: QPointF, end: QPointF, one: Link, other: Link) -> None:
        colours = theme.tokens()
        whole = {one.health, other.health} == {"fine"}
        style = Qt.PenStyle.SolidLine if whole else Qt.PenStyle.DotLine
        colour = colours.fine if whole else colours.edge
        painter.setPen(QPen(QColor(colour), LINE, style, Qt.PenCapStyle.RoundCap))
        gap = theme.scaled(DISC) / 2 + 6
        if end.x() - start.x() > 2 * gap:
            painter.drawLine(QPointF(start.x() + gap, start.y()), QPointF(end.x() - gap, end.y()))

    def _station(self, painter: QPainter, link: Link, centre: QPointF, step: float) -> None:
        colours = theme.tokens()
        tones: dict[Health, theme.Tone] = {"fine": "fine", "problem": "problem", "behind": "quiet", "unknown": "quiet"}
        tone = tones[link.health]
        ink = QColor(theme.ink(colours, tone))
        side = theme.scaled(DISC)
        disc = QRectF(centre.x() - side / 2, centre.y() - side / 2, side, side)
        painter.setPen(QPen(ink, 2) if link.health == "problem" else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.ground(colours, tone)))
        painter.drawEllipse(disc)
        pixmap = glyph(link.icon, ink.name(), theme.scaled(ICON), self.devicePixelRatioF())
        painter.drawPixmap(QPointF(centre.x() - theme.scaled(ICON) / 2, centre.y() - theme.scaled(ICON) / 2), pixmap)
        self._mark(painter, link, disc, ink, colours)
        painter.setPen(QColor(colours.text if link.health == "problem" else colours.muted))
        below = QRectF(
            centre.x() - step / 2 + 2, disc.bottom() + theme.XS, step - 4, self.height() - disc.bottom() - theme.XS
        )
        loud = link.health == "problem" and QFontMetricsF(self._bold()).horizontalAdvance(link.name) <= below.width()
        painter.setFont(self._bold() if loud else self.font())
        name = painter.fontMetrics().elidedText(link.name, Qt.TextElideMode.ElideRight, int(below.width()))
        painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter), name)

    def _mark(self, painter: QPainter, link: Link, disc: QRectF, ink: QColor, colours: theme.Tokens) -> None:
        """A small sign at the disc's edge, so that the state can be seen without its colour."""
        names: dict[Health, str] = {"fine": "check", "problem": "cross", "behind": "", "unknown": ""}
        name = names[link.health]
        if not name:
            return
        side = theme.scaled(MARK)
        spot = QRectF(disc.right() - side + 2, disc.bottom() - side + 2, side, side)
        painter.setPen(QPen(QColor(colours.surface), 2))
        painter.setBrush(ink)
        painter.drawEllipse(spot)
        sign = glyph(name, colours.surface, theme.scaled(SIGN), self.devicePixelRatioF())
        painter.drawPixmap(spot.center() - QPointF(theme.scaled(SIGN) / 2, theme.scaled(SIGN) / 2), sign)
