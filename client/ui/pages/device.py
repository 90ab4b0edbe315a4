"""This computer: what it is, how it is, and both to copy or to save."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from client.errors import DesksideError, StorageFault
from client.model import Preview
from client.ui import theme
from client.ui.facts import Group, groups, text
from client.ui.page import Page, Shell
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, TitledCard, clear
from client.ui.widgets.disclosure import Disclosure
from client.ui.widgets.empty import Empty
from client.ui.widgets.factrows import FactRows
from client.ui.widgets.flow import Flow
from client.ui.widgets.heading import Heading
from client.ui.widgets.problem import FindingLine
from client.ui.words import checked
from diagnostics.model import Report, Status

HEALTH: Final = ("disk", "memory", "processor", "battery", "system", "updates", "security")
FOLDED: Final = frozenset({"software", "logs"})  # long, and rarely what one looks for


class DevicePage(Page):
    """The facts of the last check in readable groups."""

    id = "device"
    title = QT_TRANSLATE_NOOP("Page", "This computer")
    icon = "computer"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._shown: Report | None = None
        self._top = Heading(self.heading(), parent=self)
        self.column.addWidget(self._top)
        self._copy = Button(self.tr("Copy"), icon="copy", name=self.tr("Copy all facts"), parent=self)
        self._copy.clicked.connect(self._copy_all)
        self._save = Button(self.tr("Save report…"), icon="save", parent=self)
        self._save.clicked.connect(self._ask_where)
        actions = Flow()
        actions.addWidget(self._copy)
        actions.addWidget(self._save)
        self.column.addLayout(actions)
        self._empty = Empty(
            "computer",
            self.tr("Nothing is known about this computer yet"),
            self.tr("A check collects it in a few seconds. Nothing leaves this computer."),
            self.tr("Check now"),
            self,
        )
        self._empty.acted.connect(shell.checkup.start)
        self.column.addWidget(self._empty)
        self._body = QVBoxLayout()
        self._body.setSpacing(theme.L)
        self.column.addLayout(self._body)
        shell.checkup.changed.connect(self._show)

    def show_for(self, argument: object) -> None:
        """Shows the last report; takes no argument."""
        del argument
        self._show()

    @Slot()
    def _show(self) -> None:
        checkup = self.shell.checkup
        report = checkup.report
        when = self.tr("Looking at this computer…") if checkup.running else checked(report)
        self._top.tell(self.heading(), when)
        for part in (self._copy, self._save):
            part.setVisible(report is not None)
        self._empty.setVisible(report is None and not checkup.running)
        if report is None or report == self._shown:
            return
        self._shown = report
        clear(self._body)
        self._body.addWidget(self._health(report))
        for group in groups(report):
            self._body.addWidget(self._group(group))

    def _health(self, report: Report) -> Card:
        card = TitledCard(self.tr("How it is"), "pulse", self)
        for one in report.findings:
            if one.area in HEALTH and one.status is not Status.SKIPPED:
                card.content.addWidget(FindingLine(one, card))
        return card

    def _group(self, group: Group) -> Card:
        card = TitledCard(group.title, group.icon, self)
        rows = FactRows(group.rows, card)
        if group.id in FOLDED:
            fold = Disclosure(self.tr("Show"), self.tr("Hide"), card)
            fold.button.setAccessibleName(self.tr("Show or hide: {title}").format(title=group.title))
            fold.content.addWidget(rows)
            card.content.addWidget(fold)
        else:
            card.content.addWidget(rows)
        return card

    # --- to take along

    @Slot()
    def _copy_all(self) -> None:
        if self._shown is not None:
            QGuiApplication.clipboard().setText(text(self._shown))
            self.shell.say(Notice(title=self.tr("Copied"), tone="fine"))

    @Slot()
    def _ask_where(self) -> None:
        if self._shown is not None:
            draft = self.shell.app.new_draft(report=self._shown)
            self.bridge_call(self.shell.app.preview(draft), self._choose)

    def _choose(self, preview: Preview) -> None:
        """Saves what a ticket would carry: the report after redaction."""
        files = {one.name: one.data for one in preview.payload.attachments}
        kinds = {"report.html": self.tr("Web page (*.html)"), "report.json": self.tr("JSON (*.json)")}
        here = {kind: files[name] for name, kind in kinds.items() if name in files}
        suggested = str(Path.home() / "deskside-report.html")
        where, kind = QFileDialog.getSaveFileName(self, self.tr("Save report"), suggested, ";;".join(here))
        if where:
            self.shell.bridge.run(
                _write, Path(where), here[kind], owner=self, on_result=self._saved, on_error=self._not_saved
            )

    def _saved(self, where: Path) -> None:
        self.shell.say(Notice(title=self.tr("Saved"), words=str(where), tone="fine"))

    def _not_saved(self, error: DesksideError) -> None:
        self.show_error(error)


def _write(where: Path, data: bytes) -> Path:
    """Writes the file; in a thread.

    Raises:
        StorageFault: it cannot be written there.
    """
    try:
        where.write_bytes(data)
    except OSError as error:
        raise StorageFault(
            f"{where.name} could not be saved there: {error.strerror}.", hint="Choose another folder."
        ) from error
    return where
