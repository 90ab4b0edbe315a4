"""One ticket: what was said, newest last, and a reply that is kept until it has arrived."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from PySide6.QtCore import QT_TRANSLATE_NOOP, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from client.errors import DesksideError, SignInNeeded
from client.model import Attachment, Capabilities, Comment, Conversation, OutboxEntry, Payload, SendState, Ticket
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.ticket_words import standing, ticket_line
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.field import Field
from client.ui.widgets.filepanel import FilePanel
from client.ui.widgets.flow import Flow
from client.ui.widgets.message import Message
from client.ui.widgets.signin import SignIn
from client.ui.widgets.text import Pill, Text

SETTLED_MS: Final = 400

Waiting = tuple[tuple[OutboxEntry, Payload], ...]


class ConversationPage(Page):
    """The conversation. What was typed as a reply stays while the window is open, for each ticket on its own."""

    id = "conversation"
    title = QT_TRANSLATE_NOOP("Page", "Ticket")
    icon = "ticket"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self.setAcceptDrops(True)
        self._ticket_id = ""
        self._shown: Conversation | None = None
        self._waiting: Waiting = ()
        self._unsent: dict[str, tuple[str, tuple[Attachment, ...]]] = {}
        self._written: dict[str, str] = {}  # replies of this session: their entries, and which ticket they answer
        self._rated: set[str] = set()  # in this session
        self._sign_in: SignIn | None = None
        self._build()
        self._settling = QTimer(self)  # texts find their height a little after they are shown
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLED_MS)
        self._column.verticalScrollBar().rangeChanged.connect(self._to_end)
        shell.courier.answered.connect(self._answered)
        shell.courier.sign_in_changed.connect(self._signed_in_elsewhere)
        shell.courier.outbox_changed.connect(self._look_here)
        shell.courier.delivered.connect(self._delivered)

    def _build(self) -> None:
        self._subject = Text("", "heading", selectable=True, parent=self)
        self._line = Text("", "caption", ink="muted", selectable=True, parent=self)
        self._status = Pill("", "accent", self)
        self._browser = Button(self.tr("Open in the browser"), "quiet", icon="external", parent=self)
        self._browser.clicked.connect(self._open_page)
        self._refresh = Button(
            self.tr("Refresh"), "quiet", icon="refresh", name=self.tr("Refresh the conversation"), parent=self
        )
        self._refresh.clicked.connect(self._ask)
        self.column.addWidget(self._subject)
        head = row(self._status, stretch=False)
        head.addWidget(self._line, 1)
        self.column.addLayout(head)
        buttons = Flow()
        buttons.addWidget(self._browser)
        buttons.addWidget(self._refresh)
        self._turn = Button("", "quiet", parent=self)
        self._turn.clicked.connect(self._set_open)
        self._turn.hide()
        buttons.addWidget(self._turn)
        self._helped = Button(self.tr("It helped"), "quiet", icon="check", parent=self)
        self._helped.clicked.connect(self._rate_good)
        self._no_help = Button(self.tr("It did not help"), "quiet", icon="cross", parent=self)
        self._no_help.clicked.connect(self._rate_bad)
        for button in (self._helped, self._no_help):
            button.hide()
            buttons.addWidget(button)
        self.column.addLayout(buttons)
        self._note = Text("", ink="muted", parent=self)
        self._note.hide()
        self.column.addWidget(self._note)
        self._signing = QVBoxLayout()
        self.column.addLayout(self._signing)
        self._messages = QVBoxLayout()
        self._messages.setSpacing(theme.M)
        self.column.addLayout(self._messages)
        self._reply = self._reply_card()
        self.column.addWidget(self._reply)

    def _reply_card(self) -> Card:
        card = Card(parent=self)
        self._words = QPlainTextEdit(card)
        self._words.setTabChangesFocus(True)
        self._words.setFixedHeight(110)
        field = Field(self.tr("Your reply"), self._words, parent=card)
        field.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        card.content.addWidget(field)
        self._files = FilePanel(self.shell, card)
        self._files.refused.connect(self.show_notice)
        self._files.marking.connect(self.reveal)
        card.content.addWidget(self._files)
        self._send = Button(self.tr("Send reply"), "primary", icon="send", parent=card)
        self._send.clicked.connect(self._go)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._go)
        card.content.addLayout(row(self._send))
        return card

    def first_focus(self) -> QWidget | None:
        """Where the answer is typed."""
        return self._words if not self._reply.isHidden() else None

    def _capabilities(self) -> Capabilities:
        try:
            return self.shell.app.capabilities
        except DesksideError:
            return Capabilities()

    # --- which ticket

    def show_for(self, argument: object) -> None:
        """Shows a ticket as it was last seen, then as it is."""
        ticket = str(argument or "")
        if ticket and ticket != self._ticket_id:
            self.leave()
            self._ticket_id = ticket
            self._shown, self._waiting = None, ()
            clear(self._messages)
            self._no_sign_in()
            self._note.hide()
            self._subject.setText(self.heading())
            self._line.setText("")
            self._status.hide()
            self._browser.hide()
            self._turn.hide()
            self._helped.hide()
            self._no_help.hide()
            words, files = self._unsent.pop(ticket, ("", ()))
            self._words.setPlainText(words)
            self._files.set_files(files)
        if not self._ticket_id:
            return
        able = self._capabilities()
        self._reply.setVisible(able.comments)
        if not able.comments:
            self._note.tell(
                self.tr(
                    "This help desk shows its conversations elsewhere: open the ticket in the browser, or look for its e-mails."
                )
            )
        self.bridge_call(
            self.shell.app.conversation(self._ticket_id, refresh=False), self._show_known, self._nothing_known
        )
        self._look_here()
        if able.comments:
            self._ask()

    def leave(self) -> None:
        """Keeps the reply that is being written."""
        self._files.finish()
        words, files = self._words.toPlainText(), self._files.files
        if self._ticket_id and (words.strip() or files):
            self._unsent[self._ticket_id] = (words, files)
        else:
            self._unsent.pop(self._ticket_id, None)

    @Slot()
    def _ask(self) -> None:
        if self._ticket_id:
            self._refresh.setEnabled(False)
            self.bridge_call(self.shell.app.conversation(self._ticket_id), self._show_fresh, self._not_asked)

    @Slot(object)
    def _answered(self, news: tuple[tuple[Ticket, Comment], ...]) -> None:
        if self.isVisible() and any(ticket.id == self._ticket_id for ticket, _ in news):
            self._ask()

    def _nothing_known(self, _error: DesksideError) -> None:
        if self._shown is None:
            self._note.tell(self.tr("Asking the help desk…"))

    def _show_known(self, conversation: Conversation) -> None:
        if self._shown is None:
            self._show(conversation)

    def _show_fresh(self, conversation: Conversation) -> None:
        self._refresh.setEnabled(True)
        if conversation.ticket.id == self._ticket_id:
            self._note.hide()
            self._no_sign_in()
            self._show(conversation)

    def _not_asked(self, error: DesksideError) -> None:
        self._refresh.setEnabled(True)
        if isinstance(error, SignInNeeded):
            if self._sign_in is None:
                self._sign_in = SignIn(self.shell, self)
                self._sign_in.done.connect(self._signed_in)
                self._signing.addWidget(self._sign_in)
        elif self._shown is None:
            self._note.tell(f"{error.message} {error.hint}")
        else:
            self._note.tell(self.tr("This is as it was last seen. {why}").format(why=error.message))

    def _show(self, conversation: Conversation) -> None:
        if conversation == self._shown:
            return
        if self._shown is None or len(conversation.comments) > len(self._shown.comments):
            self._settling.start()  # the newest message is what was come for
        self._shown = conversation
        ticket = conversation.ticket
        self._subject.setText(ticket.subject or self.heading())
        self._line.setText(ticket_line(ticket))
        self._status.set_pill(ticket.status, "accent" if ticket.is_open else "quiet")
        self._status.setVisible(bool(ticket.status))
        self._browser.setVisible(self._page(ticket) is not None)
        self._browser.setToolTip(ticket.url)
        self._turn.setText(
            self.tr("Close the ticket") if ticket.is_open else self.tr("It is not solved: open it again")
        )
        self._turn.set_icon("check" if ticket.is_open else "undo")
        able = self._capabilities()
        self._turn.setVisible(able.closing)
        for button in (self._helped, self._no_help):
            button.setVisible(able.rating and not ticket.is_open and ticket.id not in self._rated)
        self._build_messages()

    @Slot()
    def _to_end(self) -> None:
        if self._settling.isActive():
            bar = self._column.verticalScrollBar()
            bar.setValue(bar.maximum())

    def _build_messages(self) -> None:
        clear(self._messages)
        for comment in self._shown.comments if self._shown else ():
            self._add(Message(comment, parent=self))
        for entry, payload in self._waiting:
            mine = Comment(
                id=entry.id,
                author="",
                from_agent=False,
                text=payload.body,
                created_at=entry.created_at,
                attachments=tuple(one.name for one in payload.attachments),
            )
            now = standing(entry)
            self._add(Message(mine, waiting=now.pill, parent=self))
            line = row(Text(now.words, "caption", ink="muted", parent=self), stretch=False)
            if entry.state is not SendState.SENDING:
                box = Button(self.tr("Show what waits"), "quiet", parent=self)
                box.clicked.connect(self._outbox)
                line.addWidget(box)
            self._messages.addLayout(line)

    def _add(self, message: Message) -> None:
        message.followed.connect(self.shell.open_link)
        self._messages.addWidget(message)

    # --- closing and opening again

    @Slot()
    def _set_open(self) -> None:
        if self._shown is not None and self._turn.isEnabled():
            self._turn.setEnabled(False)
            self.clear_notice()
            wanted = not self._shown.ticket.is_open
            change = self.shell.app.correspondence.set_open(self._ticket_id, wanted=wanted)
            self.bridge_call(change, self._turned, self._not_turned)

    def _turned(self, conversation: Conversation) -> None:
        self._turn.setEnabled(True)
        self._show_fresh(conversation)

    def _not_turned(self, error: DesksideError) -> None:
        self._turn.setEnabled(True)
        self.show_error(error)

    @Slot()
    def _rate_good(self) -> None:
        self._rate(good=True)

    @Slot()
    def _rate_bad(self) -> None:
        self._rate(good=False)

    def _rate(self, *, good: bool) -> None:
        if self._shown is not None and self._ticket_id not in self._rated:
            self._rated.add(self._ticket_id)
            self._helped.hide()
            self._no_help.hide()
            self.bridge_call(
                self.shell.app.correspondence.rate(self._ticket_id, good=good), self._rated_now, self._not_rated
            )

    def _rated_now(self, _nothing: None) -> None:
        self.shell.say(Notice(title=self.tr("Thank you. The help desk knows."), tone="fine"))

    def _not_rated(self, error: DesksideError) -> None:
        self._rated.discard(self._ticket_id)
        self._helped.show()
        self._no_help.show()
        self.show_error(error)

    # --- what waits here

    @Slot()
    def _look_here(self) -> None:
        if self._ticket_id and self.isVisible():
            self.bridge_call(self._here(self._ticket_id), self._show_here)

    async def _here(self, ticket_id: str) -> Waiting:
        app = self.shell.app
        mine = [
            one
            for one in reversed(await app.outbox())
            if one.kind == "reply" and one.state is not SendState.SENT and self._belongs(one, ticket_id)
        ]
        return tuple([(one, await app.payload(one.id)) for one in mine])

    def _belongs(self, entry: OutboxEntry, ticket_id: str) -> bool:
        told = entry.ticket.id if entry.ticket is not None else self._written.get(entry.id)
        return told == ticket_id

    def _show_here(self, waiting: Waiting) -> None:
        if waiting != self._waiting:
            self._waiting = waiting
            self._build_messages()

    @Slot(object)
    def _delivered(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._look_here()
        if self.isVisible() and any(one.kind == "reply" and one.state is SendState.SENT for one in entries):
            self._ask()

    # --- replying

    @Slot()
    def _go(self) -> None:
        words = self._words.toPlainText().strip()
        if self._reply.isHidden() or not self._send.isEnabled():
            return
        if not words:
            if self._files.files:
                words = self.tr("See the attached files.")
            else:
                self._words.setFocus()
                return
        self._send.setEnabled(False)
        self.clear_notice()
        self._files.finish()
        self.bridge_call(self.shell.app.writing.covered(words), self._looked_at, self._not_kept)

    def _looked_at(self, found: tuple[str, int]) -> None:
        """What is sent has been seen: words that had a secret in them are shown without it first."""
        words, places = found
        if not places:
            self.bridge_call(
                self.shell.app.reply(self._ticket_id, words, self._files.files), self._kept, self._not_kept
            )
            return
        self._words.setPlainText(words)
        self._send.setEnabled(True)
        self._send.setFocus()
        title = self.tr("A password or key was taken out of your reply")
        self.show_notice(
            Notice(title=title, words=self.tr("Look at it, then press “Send reply” once more."), tone="problem")
        )

    def _kept(self, entry: OutboxEntry) -> None:
        self._written[entry.id] = self._ticket_id
        self._send.setEnabled(True)
        self._words.clear()
        self._files.set_files(())
        self._unsent.pop(self._ticket_id, None)
        self._words.setFocus()
        self._look_here()
        self.shell.courier.arrange()

    def _not_kept(self, error: DesksideError) -> None:
        self._send.setEnabled(True)
        self.show_error(error)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """Takes files from other programs."""
        self._files.take_drag(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 -- Qt's name
        """Adds the files that were dropped."""
        self._files.take_drop(event)

    # --- leaving the window

    @staticmethod
    def _page(ticket: Ticket) -> str | None:
        address = urlsplit(ticket.url)
        return ticket.url if address.scheme in {"http", "https"} and address.hostname else None

    @Slot()
    def _open_page(self) -> None:
        if self._shown is not None and (page := self._page(self._shown.ticket)) is not None:
            self.shell.open_link(page)

    def _no_sign_in(self) -> None:
        self._sign_in = None
        clear(self._signing)

    @Slot(object)
    def _signed_in(self, _identity: object) -> None:
        self._no_sign_in()
        self._ask()

    @Slot()
    def _signed_in_elsewhere(self) -> None:
        if self.isVisible():
            self._signed_in(None)

    @Slot()
    def _outbox(self) -> None:
        self.shell.go("outbox")
