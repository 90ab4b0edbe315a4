"""The ticket exactly as it will be sent, the button that sends it, and then what became of it."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError, SignInNeeded
from client.model import Capabilities, Draft, Earlier, Identity, OutboxEntry, Preview, SendState
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.ticket_words import standing
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.payload import PayloadView
from client.ui.widgets.repeated import Repeated
from client.ui.widgets.signin import SignIn
from client.ui.widgets.text import Text


class PreviewPage(Page):
    """First the payload; once it is saved, its state."""

    id = "preview"
    title = QT_TRANSLATE_NOOP("Page", "This will be sent")
    icon = "eye"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._draft: Draft | None = None
        self._preview: Preview | None = None  # what is shown, and sent
        self._new: Preview | None = None  # the same as a ticket of its own
        self._onto = ""  # the ticket that it is added to instead
        self._entry: OutboxEntry | None = None
        self._sign_in: SignIn | None = None
        self._told = ""
        self._heading = Text(self.heading(), "heading", parent=self)
        self._about = Text("", ink="muted", parent=self)
        self._warning = Text("", ink="problem", parent=self)
        self._warning.hide()
        self._view = PayloadView(formatted=self._capabilities().body == "html", parent=self)
        self._send = Button(self.tr("Send"), "primary", icon="send", name=self.tr("Send the ticket"), parent=self)
        self._send.clicked.connect(self._go)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._go)
        self._change = Button(self.tr("Go back and change"), "secondary", parent=self)
        self._change.clicked.connect(self._back)
        self._buttons = QWidget(self)
        line = row(self._send, self._change)
        self._buttons.setLayout(line)
        self._fate = QVBoxLayout()
        self._fate.setSpacing(theme.L)
        self.column.addWidget(self._heading)
        self.column.addWidget(self._about)
        self.column.addWidget(self._warning)
        self.column.addLayout(self._fate)
        self.column.addWidget(self._buttons)
        self.column.addWidget(self._view)
        shell.courier.delivered.connect(self._delivered)
        shell.courier.outbox_changed.connect(self._look)

    def _capabilities(self) -> Capabilities:
        try:
            return self.shell.app.capabilities
        except DesksideError:
            return Capabilities()

    def first_focus(self) -> QWidget:
        """One more press sends it."""
        return self._send

    def show_for(self, argument: object) -> None:
        """Works out the payload of a draft; a draft that has been sent shows how it stands."""
        draft = argument if isinstance(argument, Draft) else None
        if draft is None or (self._entry is not None and self._entry.id == draft.id):
            return
        self._draft, self._preview, self._entry, self._told = draft, None, None, ""
        self._new, self._onto = None, ""
        self._name_send("")
        clear(self._fate)
        self._sign_in = None
        self._heading.setText(self.heading())
        self._about.setText(self.tr("Putting it together…"))
        self._warning.hide()
        self._view.hide()
        self._buttons.show()
        self._send.setEnabled(False)
        self.bridge_call(self.shell.app.preview(draft), self._show)

    def _show(self, preview: Preview) -> None:
        if self._draft is None or preview.payload.key != self._draft.id:
            return
        self._new = preview
        self._show_payload(preview)
        self._send.setFocus()
        self.bridge_call(self.shell.app.writing.earlier(preview.payload), self._repeated, self._not_told)

    def _show_payload(self, preview: Preview) -> None:
        self._preview = preview
        words = self.tr("This is everything, exactly as it leaves this computer. Nothing else is sent.")
        if preview.redactions:
            covered = self.tr("Passwords, keys and the like were covered: {count}.").format(count=preview.redactions)
            words = f"{words} {covered}"
        self._about.setText(words)
        warning = self.tr(
            "{names}: goes as it is, and holds what looks like a password or key. Look at it, or take it out."
        )
        self._warning.tell(warning.format(names=", ".join(preview.exposed)) if preview.exposed else "")
        self._view.tell(preview.payload)
        self._view.show()
        self._send.setEnabled(True)

    # --- the same cause again

    def _repeated(self, earlier: Earlier | None) -> None:
        if earlier is None or self._entry is not None or self._new is None or self._draft is None:
            return
        clear(self._fate)
        card = Repeated(earlier, can_add=self._capabilities().comments, parent=self)
        card.add.connect(self._add_to)
        card.alone.connect(self._send_alone)
        card.opened.connect(self._open_earlier)
        self._fate.addWidget(card)

    def _not_told(self, _error: DesksideError) -> None:
        """What was written before is not known; the ticket can be sent all the same."""

    @Slot(object)
    def _add_to(self, earlier: Earlier) -> None:
        if self._new is not None and self._entry is None:
            self._onto = earlier.ticket
            self._send.setEnabled(False)
            self._name_send(self.tr("Add to {ticket}").format(ticket=earlier.ref or earlier.ticket))
            self.bridge_call(self.shell.app.writing.addition(self._new), self._added)

    def _added(self, addition: Preview) -> None:
        if self._onto and self._new is not None and addition.payload.key == self._new.payload.key:
            self._show_payload(addition)
            self._send.setFocus()

    @Slot()
    def _send_alone(self) -> None:
        if self._new is not None and self._entry is None:
            self._onto = ""
            self._name_send("")
            self._show_payload(self._new)
            self._send.setFocus()

    def _name_send(self, words: str) -> None:
        self._send.setText(words or self.tr("Send"))
        self._send.setAccessibleName(words or self.tr("Send the ticket"))

    @Slot(str)
    def _open_earlier(self, ticket_id: str) -> None:
        self.shell.go("conversation", ticket_id)

    @Slot()
    def _back(self) -> None:
        self.shell.go("compose", self._draft)

    @Slot()
    def _go(self) -> None:
        if self._preview is None or not self._send.isEnabled() or self._entry is not None:
            return
        self._send.setEnabled(False)
        self._change.setEnabled(False)
        app, shown = self.shell.app, self._preview
        sending = app.writing.add(self._onto, shown) if self._onto else app.send(shown)
        self.bridge_call(sending, self._kept, self._not_kept)

    def _not_kept(self, error: DesksideError) -> None:
        self._send.setEnabled(True)
        self._change.setEnabled(True)
        self.show_error(error)

    def _kept(self, entry: OutboxEntry) -> None:
        self._change.setEnabled(True)
        self._buttons.hide()
        self.clear_notice()
        self._entry = entry
        self._show_fate()
        self.to_top()
        self.shell.courier.arrange()

    # --- what became of it

    @Slot(object)
    def _delivered(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._update(entries)

    @Slot()
    def _look(self) -> None:
        if self._entry is not None and self._entry.state is not SendState.SENT:
            self.bridge_call(self.shell.app.outbox(), self._update)

    def _update(self, entries: tuple[OutboxEntry, ...]) -> None:
        for one in entries:
            if self._entry is not None and one.id == self._entry.id and one != self._entry:
                self._entry = one
                self._show_fate()

    def _show_fate(self) -> None:
        if self._entry is None:
            return
        entry, now = self._entry, standing(self._entry)
        self._heading.setText(now.title)
        self._warning.hide()
        self._about.setText(self.tr("This is what was written down, exactly as the help desk gets it."))
        clear(self._fate)
        self._sign_in = None
        card = Card(now.tone if now.tone in {"fine", "problem", "danger"} else "accent", parent=self)
        card.setAccessibleName(f"{now.title}. {now.words}")
        line = row(Glyph(now.icon, tone=now.tone, size=24, parent=card), spacing=theme.M, stretch=False)
        line.addWidget(Text(now.words, selectable=True, parent=card), 1)
        card.content.addLayout(line)
        steps = self._next_steps(card, entry)
        card.content.addLayout(row(*steps))
        self._fate.addWidget(card)
        if steps and self.isVisible():
            steps[0].setFocus()
        if entry.state is SendState.WAITING and entry.last_error:
            self.bridge_call(self.shell.app.accounts.whoami(), self._known, self._maybe_unknown)
        if now.title != self._told and not self.isVisible():
            self.shell.say(Notice(title=now.title, words=now.words, tone=now.tone))
        self._told = now.title

    def _next_steps(self, card: Card, entry: OutboxEntry) -> list[Button]:
        made = []
        able = self._capabilities()
        if entry.state is SendState.SENT and entry.ticket is not None and able.comments:
            opened = Button(self.tr("Open the conversation"), "primary", parent=card)
            opened.clicked.connect(self._open)
            made.append(opened)
        if entry.state in {SendState.WAITING, SendState.UNSURE, SendState.REFUSED, SendState.CREATED}:
            box = Button(self.tr("Show what waits"), "secondary", icon="outbox", parent=card)
            box.clicked.connect(self._outbox)
            made.append(box)
        if able.own_list:
            mine = Button(
                self.tr("My tickets"), "secondary", icon="ticket", name=self.tr("Go to my tickets"), parent=card
            )
            mine.clicked.connect(self._tickets)
            made.append(mine)
        return made

    def _known(self, _identity: Identity) -> None:
        """The token is fine; what fails is something else, and the card says what."""

    def _maybe_unknown(self, error: DesksideError) -> None:
        if isinstance(error, SignInNeeded) and self._sign_in is None:
            self._sign_in = SignIn(self.shell, self)
            self._sign_in.done.connect(self._signed_in)
            self._fate.addWidget(self._sign_in)
            self._sign_in.take_focus()

    @Slot(object)
    def _signed_in(self, _identity: object) -> None:
        if self._sign_in is not None:
            self._sign_in.hide()

    @Slot()
    def _open(self) -> None:
        if self._entry is not None and self._entry.ticket is not None:
            self.shell.go("conversation", self._entry.ticket.id)

    @Slot()
    def _outbox(self) -> None:
        self.shell.go("outbox")

    @Slot()
    def _tickets(self) -> None:
        self.shell.go("tickets")
