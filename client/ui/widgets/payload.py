"""A payload as it is: what the preview shows before sending and the outbox after it. Nothing is added, shortened or beautified."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.model import Payload
from client.ui import theme
from client.ui.widgets.card import Card, clear
from client.ui.widgets.disclosure import Disclosure
from client.ui.widgets.fileview import FileRow
from client.ui.widgets.passage import Passage
from client.ui.widgets.text import Text
from client.ui.words import size


class PayloadView(QWidget):
    """Subject, text, fields and files of a payload.

    Args:
        formatted: whether the help desk is sent the formatted text too.
    """

    def __init__(self, *, formatted: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._formatted = formatted
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.M)

    def tell(self, payload: Payload) -> None:
        """Shows the payload."""
        clear(self._column)
        paper = Card(margin=theme.L, parent=self)
        if payload.subject:
            paper.content.addWidget(Text(payload.subject, "title", selectable=True, parent=paper))
        body = Passage(self.tr("Text of the ticket"), paper)
        body.tell(payload.body)
        paper.content.addWidget(body)
        self._column.addWidget(paper)
        if payload.fields:
            fields = Disclosure(
                self.tr("Show the fields for the help desk"), self.tr("Hide the fields for the help desk"), self
            )
            lines = Passage(self.tr("Fields for the help desk"), fields)
            lines.tell("\n".join(f"{name}: {value}" for name, value in payload.fields.items()), fixed_width=True)
            fields.content.addWidget(lines)
            self._column.addWidget(fields)
        if self._formatted and payload.body_html:
            source = Disclosure(self.tr("Show the formatted text"), self.tr("Hide the formatted text"), self)
            html = Passage(self.tr("Formatted text"), source)
            html.tell(payload.body_html, fixed_width=True)
            source.content.addWidget(html)
            self._column.addWidget(source)
        if payload.attachments:
            total = sum(len(one.data) for one in payload.attachments)
            words = self.tr("Files: {count}, together {size}").format(count=len(payload.attachments), size=size(total))
            self._column.addWidget(Text(words, "strong", parent=self))
            for one in payload.attachments:
                self._column.addWidget(FileRow(one, self))
