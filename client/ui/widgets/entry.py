"""A message to the help desk that is kept on this computer: how it stands, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.model import OutboxEntry, SendState
from client.ui import theme
from client.ui.ticket_words import standing, subject_of
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, row
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text
from client.ui.words import ago

TONES: dict[SendState, theme.Tone] = {
    SendState.UNSURE: "problem",
    SendState.REFUSED: "danger",
}


class EntryCard(Card):
    """One entry of the outbox.

    Signals:
        again: send it now (the entry).
        without: send it without the files that were refused (the entry).
        dropped: take it out (the entry).
        looked: show what it holds (the entry).
        opened: show its ticket (the entry).
    """

    again = Signal(object)
    without = Signal(object)
    dropped = Signal(object)
    looked = Signal(object)
    opened = Signal(object)

    def __init__(self, entry: OutboxEntry, *, can_open: bool, parent: QWidget | None = None) -> None:
        super().__init__(TONES.get(entry.state, "neutral"), parent=parent)
        self.entry = entry
        now = standing(entry)
        subject = subject_of(entry)
        self.setAccessibleName(f"{subject}. {now.title}. {now.words}")
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(Text(subject, "strong", selectable=True, parent=self))
        lines.addWidget(Text(now.title, "body", ink=now.tone, parent=self))
        lines.addWidget(Text(now.words, "body", ink="muted", selectable=True, parent=self))
        written = self.tr("Written {when}").format(when=ago(entry.created_at))
        lines.addWidget(Text(written, "caption", ink="muted", parent=self))
        top = row(spacing=theme.M, stretch=False)
        top.addWidget(Glyph(now.icon, tone=now.tone, parent=self), 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(lines, 1)
        self.content.addLayout(top)
        buttons = self._buttons(entry, subject, can_open=can_open)
        if buttons:
            self.content.addSpacing(theme.XS)
            flow = Flow()
            for one in buttons:
                flow.addWidget(one)
            self.content.addLayout(flow)

    def _buttons(self, entry: OutboxEntry, subject: str, *, can_open: bool) -> list[Button]:
        made: list[Button] = []

        def button(words: str, kind: str, signal: object, icon: str = "") -> None:
            one = Button(words, kind, icon=icon, name=f"{words}: {subject}", parent=self)  # type: ignore[arg-type]  # kinds below
            one.clicked.connect(lambda: signal.emit(entry))  # type: ignore[attr-defined]  # a signal of this class
            made.append(one)

        match entry.state:
            case SendState.SENT:
                if can_open and entry.ticket is not None:
                    button(self.tr("Open the conversation"), "secondary", self.opened)
            case SendState.UNSURE:
                button(self.tr("Send it again"), "secondary", self.again, "send")
                button(self.tr("It has arrived"), "secondary", self.dropped, "check")
            case SendState.REFUSED:
                if entry.refused_files:
                    files = ", ".join(entry.refused_files)
                    button(self.tr("Send it without {files}").format(files=files), "secondary", self.without, "send")
                button(self.tr("Try again"), "secondary", self.again, "refresh")
                button(self.tr("Take it out"), "quiet", self.dropped)
            case SendState.WAITING | SendState.CREATED:
                button(self.tr("Send now"), "secondary", self.again, "send")
                button(self.tr("Take it out"), "quiet", self.dropped)
            case SendState.SENDING:
                pass
        button(self.tr("What is in it"), "quiet", self.looked)
        return made
