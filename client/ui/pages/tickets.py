"""My tickets: what waits on this computer, what is unfinished, and what the help desk has, as far as it can be asked now."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError, SettingsFault, SignInNeeded
from client.model import Capabilities, Draft, OutboxEntry, SendState, Ticket
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.ticket_words import standing, subject_of, ticket_line
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.empty import Empty
from client.ui.widgets.listrow import ListRow
from client.ui.widgets.signin import SignIn
from client.ui.widgets.text import Text
from client.ui.words import ago


class TicketsPage(Page):
    """The list. It shows at once what was last seen, and then what the help desk says now."""

    id = "tickets"
    title = QT_TRANSLATE_NOOP("Page", "My tickets")
    icon = "ticket"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._sign_in: SignIn | None = None
        self._asked = False
        head = row(Text(self.heading(), "heading", parent=self), stretch=False)
        self._refresh = Button(
            self.tr("Refresh"), "quiet", icon="refresh", name=self.tr("Refresh my tickets"), parent=self
        )
        self._refresh.clicked.connect(self._ask)
        write = Button(
            self.tr("Report a problem"), "primary", icon="edit", name=self.tr("Write a new ticket"), parent=self
        )
        write.clicked.connect(self._compose)
        head.addWidget(self._refresh)
        head.addWidget(write)
        self.column.addLayout(head)
        self._kept = self._section()
        self._note = Text("", ink="muted", parent=self)
        self._note.hide()
        self.column.addWidget(self._note)
        self._signing = self._section()
        self._list = self._section()
        shell.courier.outbox_changed.connect(self._look_here)
        shell.courier.delivered.connect(self._sent)
        shell.courier.answered.connect(self._answered)
        shell.courier.sign_in_changed.connect(self._signed_in_elsewhere)

    def _section(self) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(theme.S)
        self.column.addLayout(layout)
        return layout

    def show_for(self, argument: object) -> None:
        """Shows what is known, and asks the help desk."""
        del argument
        self._asked = False
        self._look_here()
        able = self._capabilities()
        self._refresh.setVisible(able is not None and able.own_list)
        if able is None:
            self._elsewhere(
                self.tr("No help desk is set up yet"),
                self.tr("What you write is kept on this computer until IT sets one up."),
            )
        elif not able.own_list:
            self._elsewhere(
                self.tr("Your help desk does not show your tickets here"),
                self.tr("Its answers come by e-mail. Look into your mailbox, or ask IT."),
            )
        else:
            self.bridge_call(self.shell.app.tickets(refresh=False), self._show_known)
            self._ask()

    def _capabilities(self) -> Capabilities | None:
        try:
            return self.shell.app.capabilities
        except DesksideError:
            return None

    def _elsewhere(self, title: str, words: str) -> None:
        brand = self.shell.app.settings.values.brand
        ways = [one for one in (brand.phone, brand.email, brand.url) if one]
        self._note.hide()
        clear(self._list)
        self._list.addWidget(Empty("ticket", title, " ".join([words, *ways]), parent=self))

    # --- on this computer

    @Slot()
    def _look_here(self) -> None:
        self.bridge_call(self._here(), self._show_here)

    async def _here(self) -> tuple[tuple[OutboxEntry, ...], tuple[Draft, ...]]:
        return await self.shell.app.outbox(), await self.shell.app.drafts()

    def _show_here(self, found: tuple[tuple[OutboxEntry, ...], tuple[Draft, ...]]) -> None:
        entries, drafts = found
        clear(self._kept)
        waiting = [one for one in entries if one.state is not SendState.SENT]
        if not waiting and not drafts:
            return
        card = Card(margin=theme.S, parent=self)
        card.content.setSpacing(0)
        for entry in waiting:
            now = standing(entry)
            kept = ListRow(
                subject_of(entry),
                now.words,
                icon=now.icon,
                tone=now.tone,
                pill=now.pill,
                pill_tone=now.tone,
                strong=True,
                parent=card,
            )
            kept.clicked.connect(self._outbox)
            card.content.addWidget(kept)
        for draft in drafts:
            words = draft.subject or draft.words.strip().partition("\n")[0] or self.tr("Without words yet")
            line = self.tr("Begun {when}, not sent").format(when=ago(draft.created_at))
            begun = ListRow(words, line, icon="edit", pill=self.tr("Unfinished"), parent=card)
            begun.clicked.connect(lambda _=False, draft=draft: self.shell.go("compose", draft))
            card.content.addWidget(begun)
        self._kept.addWidget(Text(self.tr("On this computer"), "strong", parent=self))
        self._kept.addWidget(card)

    @Slot(object)
    def _sent(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._look_here()
        if self.isVisible() and any(one.state is SendState.SENT for one in entries):
            self._ask()

    # --- at the help desk

    @Slot()
    def _ask(self) -> None:
        able = self._capabilities()
        if able is None or not able.own_list:
            return
        self._refresh.setEnabled(False)
        self.bridge_call(self.shell.app.tickets(), self._show_fresh, self._not_asked)

    @Slot(object)
    def _answered(self, _news: object) -> None:
        if self.isVisible():
            self.bridge_call(self.shell.app.tickets(refresh=False), self._show_known)

    def _show_known(self, tickets: tuple[Ticket, ...]) -> None:
        if tickets:
            self._show(tickets)
        elif not self._asked:
            clear(self._list)
            self._list.addWidget(Text(self.tr("Asking the help desk…"), ink="muted", parent=self))

    def _show_fresh(self, tickets: tuple[Ticket, ...]) -> None:
        self._asked = True
        self._refresh.setEnabled(True)
        self._note.hide()
        self._no_sign_in()
        self.shell.courier.watch_tickets(tickets)
        self._show(tickets)

    def _not_asked(self, error: DesksideError) -> None:
        self._asked = True
        self._refresh.setEnabled(True)
        if isinstance(error, SettingsFault):
            self.show_error(error)
        elif isinstance(error, SignInNeeded):
            if self._sign_in is None:
                self._sign_in = SignIn(self.shell, self)
                self._sign_in.done.connect(self._signed_in)
                self._signing.addWidget(self._sign_in)
                if self.isVisible():
                    self._sign_in.take_focus()
        else:
            self._note.tell(self.tr("This is as it was last seen. {why}").format(why=error.message))
        self.bridge_call(self.shell.app.tickets(refresh=False), self._show_last_seen)

    def _show_last_seen(self, tickets: tuple[Ticket, ...]) -> None:
        if tickets:
            self._show(tickets)
            return
        clear(self._list)
        if self._sign_in is None:
            words = self.tr("Try again when the help desk can be reached.")
            self._list.addWidget(
                Empty("ticket", self.tr("No ticket was seen on this computer yet"), words, parent=self)
            )

    def _show(self, tickets: tuple[Ticket, ...]) -> None:
        clear(self._list)
        if not tickets:
            empty = Empty(
                "ticket",
                self.tr("You have no tickets"),
                self.tr("When something does not work and no fix helps, write one: it takes a minute."),
                parent=self,
            )
            self._list.addWidget(empty)
            return
        for title, group in (
            (self.tr("Open"), [one for one in tickets if one.is_open]),
            (self.tr("Done"), [one for one in tickets if not one.is_open]),
        ):
            if not group:
                continue
            if self._list.count():
                self._list.addSpacing(theme.S)
            self._list.addWidget(Text(title, "strong", parent=self))
            card = Card(margin=theme.S, parent=self)
            card.content.setSpacing(0)
            for ticket in group:
                card.content.addWidget(self._row(ticket, card))
            self._list.addWidget(card)

    def _row(self, ticket: Ticket, parent: QWidget) -> ListRow:
        pill, tone = ticket.status, "accent" if ticket.is_open else "quiet"
        if ticket.unread:
            pill, tone = (
                self.tr("New answer")
                if ticket.unread == 1
                else self.tr("New answers: {count}").format(count=ticket.unread),
                "fine",
            )
        line = ticket_line(ticket)
        made = ListRow(
            ticket.subject or self.tr("A ticket without a subject"),
            f"{line} · {ticket.status}" if ticket.unread else line,
            icon="ticket" if not ticket.unread else "bell",
            tone="accent" if ticket.unread else "quiet",
            pill=pill,
            pill_tone=tone,  # type: ignore[arg-type]  # two of the tones
            strong=bool(ticket.unread),
            parent=parent,
        )
        made.clicked.connect(lambda: self.shell.go("conversation", ticket.id))
        return made

    # --- signing in

    def _no_sign_in(self) -> None:
        self._sign_in = None
        clear(self._signing)

    @Slot(object)
    def _signed_in(self, _identity: object) -> None:
        self._no_sign_in()
        self._note.hide()
        self._ask()

    @Slot()
    def _signed_in_elsewhere(self) -> None:
        if self.isVisible():
            self._signed_in(None)

    @Slot()
    def _outbox(self) -> None:
        self.shell.go("outbox")

    @Slot()
    def _compose(self) -> None:
        self.shell.go("compose")
