"""What IT has announced: beside a problem that it explains, or by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.button import Button, IconButton
from client.ui.widgets.card import Card, row
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text
from client.ui.words import moment

if TYPE_CHECKING:
    from client.model import Announcement

LONGEST: Final = 600  # characters of its text; an announcement is no article


class KnownCard(Card):
    """One announcement.

    Args:
        announcement: what IT has announced.
        explains: whether it explains a problem that was found here, or that is being written down.
        watched: whether the employee waits for its end.

    Signals:
        watch_wanted: its id, and whether its end should be told.
        put_away: its id; never sent where it explains a problem.
    """

    watch_wanted = Signal(str, bool)
    put_away = Signal(str)

    def __init__(
        self, announcement: Announcement, *, explains: bool, watched: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__("accent", margin=theme.M, parent=parent)
        self._one = announcement
        words = QVBoxLayout()
        words.setSpacing(theme.XS)
        title = self.tr("IT knows about this") if explains else announcement.title
        words.addWidget(Text(title, "strong", parent=self))
        if explains:
            known = self.tr("{title}. You need not report it.").format(title=announcement.title.rstrip("."))
            words.addWidget(Text(known, parent=self))
        if announcement.text:
            words.addWidget(Text(_bounded(announcement.text), parent=self))
        if since := _times(announcement):
            words.addWidget(Text(since, "caption", ink="muted", parent=self))
        buttons = self._buttons(explains=explains, watched=watched)
        if buttons:
            words.addSpacing(theme.XS)
            words.addLayout(row(*buttons))
        line = QHBoxLayout()
        line.setSpacing(theme.M)
        line.addWidget(Glyph("bell", tone="accent", parent=self), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        if not explains:
            away = IconButton("cross", self.tr("Hide: {title}").format(title=announcement.title), parent=self)
            away.clicked.connect(self._put_away)
            line.addWidget(away, 0, Qt.AlignmentFlag.AlignTop)
        self.content.addLayout(line)
        self.setAccessibleName(f"{title}. {announcement.title}" if explains else title)

    def _buttons(self, *, explains: bool, watched: bool) -> list[Button]:
        buttons = []
        if explains or self._one.kind == "outage":
            words = self.tr("You will be told when it is over") if watched else self.tr("Tell me when it is over")
            self._watch = Button(words, "secondary", icon="check" if watched else "bell", parent=self)
            self._watch.setAccessibleName(f"{words}: {self._one.title}")
            self._watch.setCheckable(True)
            self._watch.setChecked(watched)
            self._watch.clicked.connect(self._watched)
            buttons.append(self._watch)
        return buttons

    @Slot(bool)
    def _watched(self, wanted: bool) -> None:  # noqa: FBT001 -- what the button sends
        self.watch_wanted.emit(self._one.id, wanted)

    @Slot()
    def _put_away(self) -> None:
        self.put_away.emit(self._one.id)


def _times(one: Announcement) -> str:
    """Since when, and until when as far as is known, in this computer's time."""
    parts = []
    if one.begins_at is not None:
        parts.append(QCoreApplication.translate("KnownCard", "Since {when}.").format(when=moment(one.begins_at)))
    if one.ends_at is not None:
        parts.append(
            QCoreApplication.translate("KnownCard", "Should be over {when}.").format(when=moment(one.ends_at))
            if one.kind == "outage"
            else QCoreApplication.translate("KnownCard", "Until {when}.").format(when=moment(one.ends_at))
        )
    return " ".join(parts)


def _bounded(text: str) -> str:
    plain = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text.strip())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST].rstrip()} ..."
