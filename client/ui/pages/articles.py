"""Help: what fits what was typed, what fits what was found, and every article by its title."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QTimer, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import Answer, Article, Hit
from client.ui import theme
from client.ui.bridge import Call
from client.ui.page import Page, Shell
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, Rule, clear
from client.ui.widgets.flow import Flow
from client.ui.widgets.heading import Heading
from client.ui.widgets.listrow import ListRow
from client.ui.widgets.text import Text

PAUSE_MS: Final = 700  # after the last key
SHORTEST: Final = 3  # letters that a help desk is asked with


class ArticlesPage(Page):
    """Results as one types; without words, suggestions and the whole list."""

    id = "articles"
    title = QT_TRANSLATE_NOOP("Page", "Help")
    icon = "help"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._words = ""
        self._call: Call | None = None
        self._desk_call: Call | None = None
        self._unfound = ""  # what was typed and no article fits
        self._still_typing = QTimer(self)  # the help desk is asked for whole words, not for each key
        self._still_typing.setSingleShot(True)
        self._still_typing.setInterval(PAUSE_MS)
        self._still_typing.timeout.connect(self._ask_desk)
        self._heading = Heading(self.heading(), parent=self)
        self.column.addWidget(self._heading)
        self._results = QVBoxLayout()
        self._results.setSpacing(theme.L)
        self.column.addLayout(self._results)
        self._of_desk = QVBoxLayout()
        self._of_desk.setSpacing(theme.L)
        self.column.addLayout(self._of_desk)
        self._all = QVBoxLayout()
        self._all.setSpacing(theme.S)
        self.column.addLayout(self._all)

    def show_for(self, argument: object) -> None:
        """Takes the words to search for, or nothing."""
        self._words = " ".join(argument.split()) if isinstance(argument, str) else ""
        for call in (self._call, self._desk_call):
            if call is not None:
                call.cancel()
        clear(self._of_desk)
        self._still_typing.start()
        self._call = self.bridge_call(self.shell.app.search(self._words), self._found)
        if not self._words and not self._all.count():
            self.shell.bridge.run(
                self.shell.app.articles, owner=self, on_result=self._list_all, on_error=self.show_error
            )

    # --- what fits

    def _found(self, answer: Answer) -> None:
        self._call = None
        self._unfound = self._words if answer.nothing_fits else ""
        clear(self._results)
        self._show_all(not self._words)
        if not self._words:
            self._heading.tell(self.heading())
            if answer.results:
                self._results.addWidget(Text(self.tr("For what the last check found"), "title", parent=self))
                self._results.addWidget(self._rows(answer.results))
            return
        self._heading.tell(self.tr("Help for “{words}”").format(words=self._words))
        if answer.nothing_fits:
            self._results.addWidget(self._nothing())
            if answer.results:
                self._results.addWidget(Text(self.tr("Perhaps one of these comes near"), "title", parent=self))
        if answer.results:
            self._results.addWidget(self._rows(answer.results))
        if not answer.nothing_fits:
            self._results.addLayout(self._still())

    # --- what the help desk has

    def leave(self) -> None:
        """A search that found nothing is noted once the employee gives it up, not with every key."""
        self._still_typing.stop()
        if self._unfound:
            learning = self.shell.app.guidance.learning
            self.shell.bridge.run(learning.found_nothing, self._unfound, owner=self.shell)
            self._unfound = ""

    @Slot()
    def _ask_desk(self) -> None:
        if len(self._words) >= SHORTEST:
            self._desk_call = self.bridge_call(
                self.shell.app.desk_articles(self._words), self._found_at_desk, self._no_desk
            )

    def _found_at_desk(self, found: tuple[Article, ...]) -> None:
        self._desk_call = None
        clear(self._of_desk)
        if found:
            title = self.tr("From {source}").format(source=found[0].source)
            self._of_desk.addWidget(Text(title, "title", parent=self))
            hits = tuple(Hit(article=one.id, score=1.0, title=one.title, summary=one.summary) for one in found)
            self._of_desk.addWidget(self._rows(hits))

    def _no_desk(self, _error: DesksideError) -> None:
        """What was found on this computer is there all the same."""

    # --- rows

    def _rows(self, hits: tuple[Hit, ...]) -> Card:
        card = Card(margin=theme.XS, parent=self)
        card.content.setSpacing(0)
        for number, hit in enumerate(hits):
            if number:
                card.content.addWidget(Rule(card))
            row = ListRow(hit.title, hit.summary, icon="help", parent=card)
            row.setObjectName(hit.article)
            row.clicked.connect(self._open)
            card.content.addWidget(row)
        return card

    def _nothing(self) -> Card:
        card = Card(parent=self)
        card.content.addWidget(Text(self.tr("No article fits this"), "title", parent=card))
        words = self.tr("Your IT department can help. What you typed goes along, and so does the last check.")
        card.content.addWidget(Text(words, parent=card))
        button = Button(self.tr("Report it to IT"), "primary", icon="send", parent=card)
        button.clicked.connect(self._report)
        actions = Flow()
        actions.addWidget(button)
        card.content.addSpacing(theme.XS)
        card.content.addLayout(actions)
        return card

    def _still(self) -> Flow:
        button = Button(self.tr("None of these? Report it to IT"), "quiet", icon="send", parent=self)
        button.clicked.connect(self._report)
        line = Flow()
        line.addWidget(button)
        return line

    # --- everything

    def _list_all(self, articles: tuple[Article, ...]) -> None:
        clear(self._all)
        if not articles:
            self._all.addWidget(Text(self.tr("There are no articles on this computer."), ink="muted", parent=self))
            return
        self._all.addWidget(Text(self.tr("All articles"), "title", parent=self))
        hits = tuple(Hit(article=one.id, score=1.0, title=one.title, summary=one.summary) for one in articles)
        self._all.addWidget(self._rows(hits))
        self._show_all(not self._words)

    def _show_all(self, wanted: bool) -> None:  # noqa: FBT001 -- a setter takes what it sets
        for index in range(self._all.count()):
            item = self._all.itemAt(index)
            if item is not None and (widget := item.widget()) is not None:
                widget.setVisible(wanted)

    # --- where it goes

    @Slot()
    def _open(self) -> None:
        self.shell.go("article", self.sender().objectName())

    @Slot()
    def _report(self) -> None:
        self.shell.report(words=self._words)
