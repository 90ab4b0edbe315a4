"""Buttons: one primary on a page, secondary beside it, quiet for the rest. Each has a name and can be reached with Tab."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QPushButton, QSizePolicy, QToolButton, QWidget

from client.ui import theme
from client.ui.widgets.glyph import glyph_icon

Kind = Literal["primary", "secondary", "quiet", "danger"]
ICON: int = 18


class Button(QPushButton):
    """A button with words and perhaps an icon.

    Args:
        text: a verb and what it is done to: "Check now".
        kind: how loud it is.
        icon: a name of `resources/icons`.
        name: what a screen reader says where the words alone do not suffice.
    """

    def __init__(
        self, text: str, kind: Kind = "secondary", *, icon: str = "", name: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._icon = icon
        self._kind: Kind = kind
        self.setProperty("kind", kind)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setIconSize(QSize(theme.scaled(ICON), theme.scaled(ICON)))
        if name:
            self.setAccessibleName(name)
        self._dress()

    def set_kind(self, kind: Kind) -> None:
        """Makes it louder or quieter."""
        if kind != self._kind:
            self._kind = kind
            self.setProperty("kind", kind)
            self.style().unpolish(self)
            self.style().polish(self)
            self._dress()

    def set_icon(self, icon: str) -> None:
        """Changes the icon; "" takes it away."""
        self._icon = icon
        self._dress()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws the icon anew when light turns to dark or the button is switched off."""
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.EnabledChange}:
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        if not self._icon:
            return
        colours = theme.tokens()
        inks = {"primary": colours.on_accent, "quiet": colours.accent, "danger": colours.danger}
        ink = inks.get(self._kind, colours.text) if self.isEnabled() else colours.edge
        self.setIcon(glyph_icon(self._icon, ink, theme.scaled(ICON), ratio=self.devicePixelRatioF()))


class IconButton(QToolButton):
    """A button that is an icon only; its name is its tooltip and what a screen reader says."""

    def __init__(self, icon: str, name: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setIconSize(QSize(theme.scaled(ICON), theme.scaled(ICON)))
        self.set_name(name)
        self._dress()

    def set_name(self, name: str) -> None:
        """Changes what it is called."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Draws the icon anew when light turns to dark."""
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.EnabledChange}:
            self._dress()
        super().changeEvent(event)

    def _dress(self) -> None:
        colours = theme.tokens()
        ink = colours.muted if self.isEnabled() else colours.line
        self.setIcon(glyph_icon(self._icon, ink, theme.scaled(ICON), ratio=self.devicePixelRatioF()))
