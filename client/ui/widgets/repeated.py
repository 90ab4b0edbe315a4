"""Says that the same problem was reported before, and offers to add to that ticket instead of writing another one."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from client.model import Earlier
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, row
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text
from client.ui.words import day


class Repeated(Card):
    """The question, and the way back after it was answered.

    Signals:
        add: add to the ticket (an `Earlier`).
        alone: send a ticket of its own after all.
        opened: the ticket should be shown (its id).

    Args:
        earlier: the ticket that is open.
        can_add: whether the help desk takes replies.
    """

    add = Signal(object)
    alone = Signal()
    opened = Signal(str)

    def __init__(self, earlier: Earlier, *, can_add: bool, parent: QWidget | None = None) -> None:
        super().__init__("accent", parent=parent)
        self._earlier = earlier
        self._adding = False
        name = earlier.ref or earlier.ticket
        self._words = Text("", "strong", parent=self)
        self._more = Text("", ink="muted", parent=self)
        line = row(Glyph("ticket", tone="accent", size=24, parent=self), stretch=False)
        line.addWidget(self._words, 1)
        self.content.addLayout(line)
        self.content.addWidget(self._more)
        self._turn = Button("", "secondary", parent=self)
        self._turn.clicked.connect(self._turned)
        self._open = Button(self.tr("Show {ticket}").format(ticket=name), "quiet", parent=self)
        self._open.clicked.connect(self._show_ticket)
        self.content.addLayout(row(self._turn, self._open))
        self._turn.setVisible(can_add and bool(earlier.ticket))
        self._open.setVisible(can_add and bool(earlier.ticket))
        self._name, self._can_add = name, can_add
        self._tell()

    def _tell(self) -> None:
        when = day(self._earlier.created_at)
        if self._adding:
            title = self.tr("This is added to {ticket}").format(ticket=self._name)
            more = self.tr("Whoever works on {ticket} sees what is new. No second ticket is written.")
            turn = self.tr("Write a new ticket instead")
        elif not self._earlier.ticket:
            title = self.tr("You wrote about this {day}; it waits to be sent").format(day=when)
            more = self.tr("It goes by itself when the way is clear. A second ticket helps only with something new.")
            turn = ""
        elif self._can_add:
            title = self.tr("You reported this {day} ({ticket}). Add to it instead?").format(
                day=when, ticket=self._name
            )
            more = self.tr("{ticket} is still open, with the same cause. Adding to it keeps everything in one place.")
            turn = self.tr("Add to {ticket}").format(ticket=self._name)
        else:
            title = self.tr("You reported this {day} ({ticket})").format(day=when, ticket=self._name)
            more = self.tr("{ticket} may still be open. A second ticket helps only with something new.")
            turn = ""
        self._words.setText(title)
        self._more.setText(more.format(ticket=self._name))
        self._turn.setText(turn)
        self.setAccessibleName(title)

    @Slot()
    def _turned(self) -> None:
        self._adding = not self._adding
        self._tell()
        if self._adding:
            self.add.emit(self._earlier)
        else:
            self.alone.emit()

    @Slot()
    def _show_ticket(self) -> None:
        self.opened.emit(self._earlier.ticket)
