"""One article: read, fix, and say whether it helped."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, Qt, Slot
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QWidget

from client.model import Article
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear, row
from client.ui.widgets.flow import Flow
from client.ui.widgets.heading import Heading
from client.ui.widgets.passage import Passage
from client.ui.widgets.text import Text

PICTURE: Final = re.compile(r"!\[([^\]]*)\]\([^)]*\)")  # nothing is loaded, so a picture is its words
LINE_PERCENT: Final = 125.0


class ArticlePage(Page):
    """Shows the article whose id it is given. Nothing in it is loaded from outside; links say where they go."""

    id = "article"
    title = QT_TRANSLATE_NOOP("Page", "Article")
    icon = "help"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._article: Article | None = None
        self._top = Heading(parent=self)
        self.column.addWidget(self._top)
        self._fixes = Card("accent", parent=self)
        self.column.addWidget(self._fixes)
        paper = self._paper = Card(margin=theme.XL, parent=self)
        self._body = Passage(self.tr("Article"), paper)
        self._body.followed.connect(self._follow)
        paper.content.addWidget(self._body)
        self.column.addWidget(paper)
        self._helped = Card(parent=self)
        self._question = Text(self.tr("Did this help?"), "strong", parent=self._helped)
        self._yes = Button(self.tr("Yes"), icon="check", name=self.tr("Yes, this helped"), parent=self._helped)
        self._no = Button(self.tr("No, tell IT"), icon="send", parent=self._helped)
        self._yes.clicked.connect(self._thank)
        self._no.clicked.connect(self._report)
        self._helped.content.addWidget(self._question)
        self._helped.content.addLayout(row(self._yes, self._no))
        self._helped.hide()  # until there is an article to ask about
        self.column.addWidget(self._helped)
        self._source = Text("", "caption", ink="muted", parent=self)
        self.column.addWidget(self._source)
        self._parts = (self._fixes, paper, self._helped)

    def _follow(self, address: str) -> None:
        """Another article opens here; anything else says where it goes before a browser opens it."""
        scheme, _, article = address.partition(":")
        if scheme == "article":
            self.shell.go("article", article)
        else:
            self.shell.open_link(address)

    def show_for(self, argument: object) -> None:
        """Takes the article's id."""
        self.shell.bridge.run(
            self.shell.app.article, str(argument), owner=self, on_result=self._show, on_error=self.show_error
        )

    def _show(self, article: Article | None) -> None:
        if article is None:
            words = self.tr("Search for it again; it may have a new name.")
            self._top.tell(self.tr("This article is not there any more"), words)
            for part in self._parts:
                part.hide()
            self._source.hide()
            return
        if article == self._article:
            return
        self._article = article
        self._top.tell(article.title, article.summary)
        self.setAccessibleName(article.title)
        self._body.tell_markdown(readable(article))
        breathe(self._body.document())
        self._paper.show()
        self._question.setText(self.tr("Did this help?"))
        self._yes.show()
        self._helped.show()
        self._show_fixes(article)
        parts = []
        if article.source != "deskside":
            parts.append(self.tr("From {source}.").format(source=article.source))
        if article.reviewed_on:
            parts.append(self.tr("Last looked over on {date}.").format(date=article.reviewed_on))
        self._source.tell(" ".join(parts))

    def _show_fixes(self, article: Article) -> None:
        clear(self._fixes.content)
        titles = {id: title for id, title, _ in self.shell.app.fixes()} if article.fixes else {}
        here = [id for id in article.fixes if id in titles]
        self._fixes.setVisible(bool(here))
        if not here:
            return
        self._fixes.content.addWidget(Text(self.tr("Deskside can do this for you"), "strong", parent=self._fixes))
        line = Flow()
        for number, id in enumerate(here):
            button = Button(titles[id], "primary" if number == 0 else "secondary", icon="wrench", parent=self._fixes)
            button.setObjectName(id)
            button.clicked.connect(self._fix)
            line.addWidget(button)
        self._fixes.content.addSpacing(theme.XS)
        self._fixes.content.addLayout(line)

    @Slot()
    def _fix(self) -> None:
        self.shell.go("fix", self.sender().objectName())

    @Slot()
    def _thank(self) -> None:
        self._note(helped=True)
        self._question.setText(self.tr("Good to hear."))
        self._yes.hide()
        self._no.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _report(self) -> None:
        self._note(helped=False)
        title = self._article.title if self._article else ""
        self.shell.report(words=self.tr("I read “{title}”, but it did not help.\n\n").format(title=title))

    def _note(self, *, helped: bool) -> None:
        """Keeps the answer; whatever becomes of it is nothing to bother the reader with."""
        if self._article is not None:
            learning = self.shell.app.guidance.learning
            self.shell.bridge.run(partial(learning.article, self._article.id, helped=helped), owner=self.shell)


def readable(article: Article) -> str:
    """The article's text without a first heading that only repeats its title, and with the words of pictures in their place."""
    first, _, rest = article.body.lstrip().partition("\n")
    body = rest if first.startswith("# ") and first[2:].strip() == article.title else article.body
    return PICTURE.sub(r"\1", body)


def breathe(document: QTextDocument) -> None:
    """Gives paragraphs, lists and headings the space that Qt's Markdown reader leaves out."""
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        level = form.headingLevel()
        form.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        first = block == document.begin()
        form.setTopMargin(0 if first else theme.XL if level else 0)
        form.setBottomMargin(theme.S if level else theme.S if block.textList() else theme.M)
        cursor = QTextCursor(block)
        cursor.setBlockFormat(form)
        if level:
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            look = QTextCharFormat()
            look.setFont(theme.font("title"))
            cursor.mergeCharFormat(look)
        block = block.next()
