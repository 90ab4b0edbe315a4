"""A surface that holds what belongs together, and the thin line between rows."""

from __future__ import annotations

from typing import Literal, overload

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QPushButton, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text


class Card(QFrame):
    """A rounded surface with a vertical layout, `content`.

    Args:
        tone: neutral, or the soft ground of a tone.
        margin: the space inside, one of the theme's steps.
    """

    def __init__(self, tone: theme.Tone = "neutral", *, margin: int = theme.L, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.setProperty("tone", tone)
        self.content = QVBoxLayout(self)
        self.content.setContentsMargins(margin, margin, margin, margin)
        self.content.setSpacing(theme.S)

    def set_tone(self, tone: theme.Tone) -> None:
        """Changes the ground."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)


class TitledCard(Card):
    """A card with an icon and a title on top."""

    def __init__(self, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        line = QHBoxLayout()
        line.setSpacing(theme.S)
        line.addWidget(Glyph(icon, tone="accent", parent=self), 0, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(Text(title, "title", parent=self), 1)
        self.content.addLayout(line)
        self.content.addSpacing(theme.XS)
        self.setAccessibleName(title)


class Rule(QFrame):
    """A thin line between rows; screen readers pass over it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("rule", True)
        self.setFixedHeight(1)


@overload
def row(*widgets: QWidget, spacing: int = theme.S, stretch: Literal[False]) -> QHBoxLayout: ...


@overload
def row(*widgets: QWidget, spacing: int = theme.S, stretch: Literal[True] = True) -> QLayout: ...


def row(*widgets: QWidget, spacing: int = theme.S, stretch: bool = True) -> QLayout:
    """Widgets side by side, from where the line begins; with `stretch` the rest of the line stays empty, and buttons
    that find no room go into the next line.
    """
    if stretch and widgets and all(isinstance(one, QPushButton) for one in widgets):
        flow = Flow()
        flow.setSpacing(spacing)
        for widget in widgets:
            flow.addWidget(widget)
        return flow
    line = QHBoxLayout()
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(spacing)
    for widget in widgets:
        line.addWidget(widget)
    if stretch:
        line.addStretch(1)
    return line


def clear(layout: QLayout) -> None:
    """Takes everything out of a layout and lets go of it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)
