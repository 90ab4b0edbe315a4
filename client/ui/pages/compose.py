"""Writing a ticket: what happened, what goes along, files. What is typed is on the disk within a second; nothing is sent here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
from PySide6.QtCore import QT_TRANSLATE_NOOP, QTimer, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import Attachment, Draft, FixOutcome, OutboxEntry, Preview
from client.ui import theme
from client.ui.drafts import Keeper
from client.ui.page import TRIED_RECENTLY, Page, Shell
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.field import Field
from client.ui.widgets.filepanel import FilePanel
from client.ui.widgets.known import KnownCard
from client.ui.widgets.listrow import ListRow
from client.ui.widgets.parts import Parts
from client.ui.widgets.text import Text
from client.ui.words import ago, checked
from diagnostics.model import Report

SECTIONS_MS: Final = 300  # what goes along is worked out anew this long after the last key
OFFERED: Final = 3  # unfinished tickets that are offered; there are rarely more


class ComposePage(Page):
    """The form. It holds one draft; what is unfinished from before is offered above it."""

    id = "compose"
    title = QT_TRANSLATE_NOOP("Page", "Report a problem")
    icon = "edit"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self.setAcceptDrops(True)
        self._draft: Draft | None = None
        self._parted: Draft | None = None  # what the preview has; it comes back from there unless it was sent
        self._typed_subject = False
        self._filling = False
        self._sections_for: Draft | None = None
        self._keeper = Keeper(app=shell.app, bridge=shell.bridge, parent=self)
        self._keeper.saved.connect(self._saved)
        self._keeper.failed.connect(self._not_saved)
        self._sections = QTimer(self)
        self._sections.setSingleShot(True)
        self._sections.setInterval(SECTIONS_MS)
        self._sections.timeout.connect(self._ask_sections)
        self._build()
        shell.checkup.ended.connect(self._checked)
        shell.checkup.changed.connect(self._show_check)
        shell.courier.announced.connect(self._show_known)

    def _build(self) -> None:
        self.column.addWidget(Text(self.heading(), "heading", parent=self))
        self._known = QVBoxLayout()
        self.column.addLayout(self._known)
        self._offers = QVBoxLayout()
        self._offers.setSpacing(theme.XS)
        self.column.addLayout(self._offers)
        self._words = QPlainTextEdit(self)
        self._words.setTabChangesFocus(True)
        self._words.setFixedHeight(150)
        self._words.setPlaceholderText(self.tr("For example: I wanted to print the invoice, and nothing came out."))
        self._words.textChanged.connect(self._edited)
        self._subject = QLineEdit(self)
        self._subject.setMaxLength(200)
        self._subject.textEdited.connect(self._subject_edited)
        for label, control in (
            (self.tr("What were you doing, and what happened?"), self._words),
            (self.tr("Subject"), self._subject),
        ):
            field = Field(label, control, parent=self)
            field.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            self.column.addWidget(field)
        self.column.addWidget(self._along())
        self._send = Button(self.tr("Look at it and send"), "primary", icon="eye", parent=self)
        self._send.setToolTip(self.tr("Shows exactly what will be sent (Ctrl+Enter)"))
        self._send.clicked.connect(self._preview)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._preview)
        self._discard = Button(self.tr("Discard"), "quiet", parent=self)
        self._discard.clicked.connect(self._throw_away)
        self._state = Text("", "caption", ink="muted", parent=self)
        self.column.addLayout(row(self._send, self._discard))
        self.column.addWidget(self._state)

    def _along(self) -> QWidget:
        card = Card(parent=self)
        card.content.addWidget(Text(self.tr("What goes along"), "title", parent=card))
        words = self.tr(
            "This saves questions. Leave out what you do not want to send; you see everything before it is sent."
        )
        card.content.addWidget(Text(words, ink="muted", parent=card))
        self._parts = Parts(card)
        self._parts.changed.connect(self._left_out)
        card.content.addWidget(self._parts)
        self._check_words = Text("", "caption", ink="muted", parent=card)
        self._check = Button("", "quiet", icon="pulse", parent=card)
        self._check.clicked.connect(self.shell.checkup.start)
        line = row(self._check_words, self._check, stretch=False)
        line.setStretch(0, 1)
        card.content.addLayout(line)
        self._files = FilePanel(self.shell, card)
        self._files.changed.connect(self._files_changed)
        self._files.refused.connect(self.show_notice)
        self._files.marking.connect(self.reveal)
        card.content.addWidget(self._files)
        return card

    def first_focus(self) -> QWidget:
        """The words come first; the subject is there already."""
        return self._words

    # --- which draft

    def show_for(self, argument: object) -> None:
        """Goes on with the given draft, or with the one on the page, or begins a new one; offers what is unfinished."""
        given = argument if isinstance(argument, Draft) else None
        parted, self._parted = self._parted, None
        back = parted is not None and (given is None or given.id == parted.id)
        if self._draft is None or (not self._touched() if given is None else given.id != self._draft.id):
            self._keep_current()
            self._take(self._fresh() if given is None or back else given)
            if parted is not None and back:
                self._resumable = parted
                self.bridge_call(self.shell.app.outbox(), self._resume_unsent, self._resume)
        self.bridge_call(self.shell.app.drafts(), self._offer, self._no_offers)

    def _fresh(self) -> Draft:
        app = self.shell.app
        since = datetime.now(UTC) - TRIED_RECENTLY
        tried: tuple[FixOutcome, ...] = tuple(one for one in app.journal() if one.started_at >= since)
        return app.new_draft(report=app.last_report(), tried=tried)

    def _take(self, draft: Draft) -> None:
        self._filling = True
        self._draft = draft
        report = draft.report
        cause = report.diagnosis[0].title if report and report.diagnosis else ""
        self._typed_subject = bool(draft.subject) and draft.subject != cause
        self._subject.setText(draft.subject)
        self._words.setPlainText(draft.words)
        self._files.set_files(draft.attachments)
        self._state.setText("")
        self._filling = False
        self._show_known()
        self._show_check()
        self._ask_sections()

    @Slot()
    def _show_known(self) -> None:
        """What IT has announced and explains what is being written down: then it need not be."""
        clear(self._known)
        report = self._draft.report if self._draft is not None else None
        bulletin = self.shell.app.bulletin
        explained = {one.id: one for cause in (report.diagnosis if report else ()) if (one := bulletin.known(cause))}
        for one in explained.values():
            card = KnownCard(one, explains=True, watched=one.id in bulletin.watched(), parent=self)
            card.watch_wanted.connect(self._watch)
            self._known.addWidget(card)

    @Slot(str, bool)
    def _watch(self, id: str, wanted: bool) -> None:  # noqa: FBT001 -- what the card sends
        self.bridge_call(self.shell.app.bulletin.watch(id, wanted=wanted), self._watching)

    def _watching(self, _: None) -> None:
        self.shell.courier.wait_for_end()
        self._show_known()

    def _offer(self, drafts: tuple[Draft, ...]) -> None:
        clear(self._offers)
        mine = self._draft.id if self._draft is not None else ""
        for draft in [one for one in drafts if one.id != mine][:OFFERED]:
            words = draft.subject or draft.words.strip().partition("\n")[0] or self.tr("Without words yet")
            offer = ListRow(
                self.tr("Go on with your unfinished ticket"),
                f"{words} · {ago(draft.created_at)}",
                icon="edit",
                tone="accent",
                parent=self,
            )
            offer.clicked.connect(lambda _=False, draft=draft: self._go_on(draft))
            self._offers.addWidget(offer)

    def _no_offers(self, _error: DesksideError) -> None:
        clear(self._offers)  # the first save will say what is wrong with the disk

    def _resume_unsent(self, entries: tuple[OutboxEntry, ...]) -> None:
        if not any(one.id == self._resumable.id for one in entries):
            self._resume()

    def _resume(self, _error: DesksideError | None = None) -> None:
        """Shows again what the preview had; also when it could not be saved, because then the page has the only copy."""
        if not self._touched():
            self._take(self._resumable)

    def _go_on(self, draft: Draft) -> None:
        self._keep_current()
        self._take(draft)
        self._words.setFocus()
        self.bridge_call(self.shell.app.drafts(), self._offer)

    def _touched(self) -> bool:
        """Whether the employee has put anything of their own into it."""
        draft = self._draft
        return draft is not None and bool(
            draft.words.strip()
            or draft.attachments
            or draft.left_out
            or (self._typed_subject and draft.subject.strip())
        )

    # --- writing

    def _change(self, **fields: object) -> None:
        if self._draft is None or self._filling:
            return
        self._draft = msgspec.structs.replace(self._draft, **fields)
        self._state.setText("")
        self._keeper.keep(self._draft)
        self._sections.start()

    @Slot()
    def _edited(self) -> None:
        self._change(words=self._words.toPlainText())

    @Slot(str)
    def _subject_edited(self, text: str) -> None:
        self._typed_subject = True
        self._change(subject=text)

    @Slot(object)
    def _left_out(self, ids: frozenset[str]) -> None:
        self._change(left_out=ids)

    @Slot(object)
    def _files_changed(self, files: tuple[Attachment, ...]) -> None:
        self._change(attachments=files)

    @Slot(object)
    def _saved(self, draft: Draft) -> None:
        if self._draft is not None and draft.id == self._draft.id:
            self._state.setText(self.tr("Saved on this computer. Nothing has been sent yet."))

    @Slot(object)
    def _not_saved(self, error: DesksideError) -> None:
        self._state.setText(self.tr("Not saved: what you write is only on the screen."))
        self.show_error(error)

    def leave(self) -> None:
        """Saves at once."""
        self._files.finish()
        self._keep_current()

    def _keep_current(self) -> None:
        if self._touched():
            self._keeper.flush()
        else:
            self._keeper.forget()

    # --- what goes along

    @Slot()
    def _ask_sections(self) -> None:
        if self._draft is not None:
            self._sections_for = self._draft
            self.bridge_call(self.shell.app.preview(self._draft), self._show_sections)

    def _show_sections(self, preview: Preview) -> None:
        if self._draft is not None and preview.payload.key == self._draft.id:
            self._parts.tell(preview.sections, self._draft.left_out)

    @Slot()
    def _show_check(self) -> None:
        if self._draft is None:
            return
        running, report = self.shell.checkup.running, self._draft.report
        if running:
            self._check_words.setText(self.tr("This computer is being checked; the result goes along."))
        elif report is None:
            self._check_words.setText(
                self.tr("This computer has not been checked yet. A check tells IT what is wrong.")
            )
        else:
            self._check_words.setText(checked(report))
        self._check.setText(self.tr("Check now") if report is None else self.tr("Check again"))
        self._check.setVisible(not running)

    @Slot(object)
    def _checked(self, report: Report) -> None:
        if self._draft is None:
            return
        if not self._typed_subject:
            subject = report.diagnosis[0].title if report.diagnosis else ""
            self._subject.setText(subject)
            self._draft = msgspec.structs.replace(self._draft, subject=subject)
        self._draft = msgspec.structs.replace(self._draft, report=report)
        if self._touched():
            self._keeper.keep(self._draft)
        self._ask_sections()

    # --- files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """Takes files from other programs."""
        self._files.take_drag(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 -- Qt's name
        """Adds the files that were dropped."""
        self._files.take_drop(event)

    # --- going on

    @Slot()
    def _preview(self) -> None:
        if self._draft is None:
            return
        self.clear_notice()
        self._files.finish()
        self._keeper.keep(self._draft)
        self._keeper.flush(self._go_preview)

    def _go_preview(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            self._parted = draft
            self.shell.go("preview", draft)

    @Slot()
    def _throw_away(self) -> None:
        self._keeper.forget()
        self._keeper.flush(self._forget_current)

    def _forget_current(self) -> None:
        draft = self._draft
        if draft is None:
            return
        touched = self._touched()
        self._take(self._fresh())
        self._words.setFocus()
        self.bridge_call(self.shell.app.discard_draft(draft.id), self._discarded)
        if touched:
            self._thrown = draft
            self.show_notice(
                Notice(
                    title=self.tr("The ticket was discarded."),
                    tone="quiet",
                    action=self.tr("Undo"),
                    act=self._bring_back,
                )
            )

    def _discarded(self, _nothing: object) -> None:
        """It is gone from the disk; the page has gone on already."""

    def _bring_back(self) -> None:
        self.clear_notice()
        self._keep_current()
        self._take(self._thrown)
        self._keeper.keep(self._thrown)
        self._keeper.flush()
