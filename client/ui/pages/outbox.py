"""What is kept on this computer for the help desk: waiting, unsure, refused and lately sent, and what can be done about each."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QTimer, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import Capabilities, OutboxEntry, Payload, SendState
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.ticket_words import subject_of
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import clear, row
from client.ui.widgets.empty import Empty
from client.ui.widgets.entry import EntryCard
from client.ui.widgets.payload import PayloadView
from client.ui.widgets.text import Text

UNDO_MS: Final = 8000  # long enough to notice and to reach the button; until then nothing is taken out for real


class OutboxPage(Page):
    """Every entry as a card, newest first."""

    id = "outbox"
    title = QT_TRANSLATE_NOOP("Page", "Kept on this computer")
    icon = "outbox"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._entries: tuple[OutboxEntry, ...] = ()
        self._going: OutboxEntry | None = None
        self._shown = ""  # whose content is open
        self._built: tuple[tuple[OutboxEntry, ...], str] | None = None
        words = self.tr(
            "What you write is kept here until the help desk has confirmed it. It survives a crash and a restart."
        )
        self.column.addWidget(Text(self.heading(), "heading", parent=self))
        self.column.addWidget(Text(words, ink="muted", parent=self))
        self._cards = QVBoxLayout()
        self._cards.setSpacing(theme.M)
        self.column.addLayout(self._cards)
        self._undo = QTimer(self)
        self._undo.setSingleShot(True)
        self._undo.setInterval(UNDO_MS)
        self._undo.timeout.connect(self._drop)
        shell.courier.outbox_changed.connect(self._look)
        shell.courier.delivered.connect(self._look)

    def show_for(self, argument: object) -> None:
        """Looks at what there is."""
        del argument
        self._built = None
        self._look()

    def leave(self) -> None:
        """What was to be taken out is taken out."""
        if self._undo.isActive():
            self._drop()

    @Slot()
    def _look(self) -> None:
        self.bridge_call(self.shell.app.outbox(), self._show)

    def _show(self, entries: tuple[OutboxEntry, ...]) -> None:
        gone = self._going.id if self._going is not None else ""
        if (entries, gone) == self._built:
            return  # nothing has changed: whoever reads what is in one of them goes on reading
        self._built = (entries, gone)
        self._entries = entries
        focused = self.focusWidget()
        name = focused.accessibleName() if focused is not None else ""
        clear(self._cards)
        can_open = self._capabilities().comments
        shown = [one for one in entries if one.id != gone]
        for one in shown:
            card = EntryCard(one, can_open=can_open, parent=self)
            card.again.connect(self._again)
            card.without.connect(self._without)
            card.dropped.connect(self._take_out)
            card.looked.connect(self._look_inside)
            card.opened.connect(self._open)
            self._cards.addWidget(card)
        if not shown:
            empty = Empty(
                "outbox",
                self.tr("Nothing is waiting"),
                self.tr("Everything you have written has arrived."),
                self.tr("Report a problem"),
                self,
            )
            empty.acted.connect(self._compose)
            self._cards.addWidget(empty)
        for button in self.findChildren(Button):
            if name and button.accessibleName() == name and not button.isHidden():
                button.setFocus()  # the card was built anew under the employee's hands
        if self._shown and any(one.id == self._shown for one in shown):
            self.bridge_call(self.shell.app.payload(self._shown), self._show_payload, self._stale)

    def _capabilities(self) -> Capabilities:
        try:
            return self.shell.app.capabilities
        except DesksideError:
            return Capabilities()

    @Slot(object)
    def _again(self, entry: OutboxEntry) -> None:
        self.bridge_call(self.shell.app.retry(entry.id), self._arranged, self._stale)

    @Slot(object)
    def _without(self, entry: OutboxEntry) -> None:
        self.bridge_call(self.shell.app.leave_out(entry.id, entry.refused_files), self._arranged, self._stale)

    def _arranged(self, _nothing: object) -> None:
        self.shell.courier.arrange()

    def _stale(self, error: DesksideError) -> None:
        self.show_error(error)
        self._look()

    @Slot(object)
    def _take_out(self, entry: OutboxEntry) -> None:
        self.leave()  # an earlier one is final now
        self._going = entry
        self._undo.start()
        self._show(self._entries)
        title = self.tr("“{subject}” was taken out.").format(subject=subject_of(entry))
        words = "" if entry.state is SendState.UNSURE else self.tr("It will not be sent.")
        self.show_notice(Notice(title=title, words=words, tone="quiet", action=self.tr("Undo"), act=self._keep))

    def _keep(self) -> None:
        self._undo.stop()
        self._going = None
        self.clear_notice()
        self._show(self._entries)

    @Slot()
    def _drop(self) -> None:
        self._undo.stop()
        entry, self._going = self._going, None
        if entry is not None:
            self._entries = tuple(one for one in self._entries if one.id != entry.id)
            self.clear_notice()
            self.bridge_call(self.shell.app.drop(entry.id), self._arranged, self._stale)

    @Slot(object)
    def _look_inside(self, entry: OutboxEntry) -> None:
        if self._shown == entry.id:
            return
        if self._shown:
            self._close_payload()
        self._shown = entry.id
        self.bridge_call(self.shell.app.payload(entry.id), self._show_payload, self._stale)

    def _show_payload(self, payload: Payload) -> None:
        for number in range(self._cards.count()):
            item = self._cards.itemAt(number)
            card = item.widget() if item is not None else None
            if isinstance(card, EntryCard) and card.entry.id == payload.key:
                view = PayloadView(formatted=self._capabilities().body == "html", parent=card)
                view.tell(payload)
                close = Button(self.tr("Hide what is in it"), "quiet", parent=card)
                close.clicked.connect(self._close_payload)
                card.content.addWidget(view)
                card.content.addLayout(row(close))

    @Slot()
    def _close_payload(self) -> None:
        self._shown = ""
        self._built = None
        self._show(self._entries)

    @Slot(object)
    def _open(self, entry: OutboxEntry) -> None:
        if entry.ticket is not None:
            self.shell.go("conversation", entry.ticket.id)

    @Slot()
    def _compose(self) -> None:
        self.shell.go("compose")
