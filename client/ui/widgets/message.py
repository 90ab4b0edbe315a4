"""One message of a conversation: who, when, what, and which files. Agents' messages stand on another ground than one's own."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from client.model import Comment
from client.ui import theme
from client.ui.widgets.card import Card, row
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.passage import Passage
from client.ui.widgets.text import Pill, Text
from client.ui.words import ago, moment


class Message(Card):
    """A message. `followed` is sent with the address of a link that was pressed.

    Args:
        waiting: a word that stands where the time would, for a message that has not arrived yet.
    """

    followed = Signal(str)

    def __init__(self, comment: Comment, *, waiting: str = "", parent: QWidget | None = None) -> None:
        super().__init__("accent" if comment.from_agent else "neutral", margin=theme.M, parent=parent)
        who = comment.author or self.tr("IT")
        if not comment.from_agent:
            who = self.tr("You")
        when = ago(comment.created_at) if comment.created_at else ""
        head = row(
            Glyph(
                "person",
                tone="accent" if comment.from_agent else "quiet",
                size=18,
                parent=self,
            ),
            stretch=False,
        )
        name = Text(who, "strong", parent=self)
        head.addWidget(name, 1)
        if waiting:
            head.addWidget(Pill(waiting, "problem", self))
        elif when:
            stamp = Text(when, "caption", ink="muted", parent=self)
            stamp.setWordWrap(False)
            if comment.created_at is not None:
                stamp.setToolTip(moment(comment.created_at))
            head.addWidget(stamp)
        self.content.addLayout(head)
        body = Passage(self.tr("Message of {who}, {when}").format(who=who, when=when or waiting), self)
        body.tell_markdown(comment.text)
        body.followed.connect(self.followed)
        self.content.addWidget(body)
        if comment.attachments:
            names = ", ".join(comment.attachments)
            files = row(Glyph("clip", tone="quiet", size=16, parent=self), stretch=False)
            files.addWidget(Text(names, "caption", ink="muted", selectable=True, parent=self), 1)
            self.content.addLayout(files)
