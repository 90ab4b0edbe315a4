"""Text to read and select, as high as it is long: exactly as it is, or as Markdown without anything from outside."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QFontDatabase, QResizeEvent, QTextDocument, QTextOption
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

FOLLOWED = ("http", "https", "mailto", "tel", "article")


def with_breaks(text: str) -> str:
    """Markdown in which a line that ended keeps its end: people who answer tickets press Enter and mean it."""
    parts = re.split(r"(^```.*?^```[^\n]*$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else re.sub(r"(?<=[^\n])\n(?=[^\n])", "  \n", part) for part in parts)


class Passage(QTextBrowser):
    """A piece of text without a scroll bar of its own.

    Signals:
        followed: a link was pressed (its address); nothing is opened by itself.
    """

    followed = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setReadOnly(True)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.anchorClicked.connect(self._follow)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def tell(self, text: str, *, fixed_width: bool = False) -> None:
        """Shows the text exactly as it is, nothing in it being read as markup.

        Args:
            fixed_width: in the system's typewriter font, for what machines have written.
        """
        if fixed_width:
            self.document().setDefaultFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setPlainText(text)

    def tell_markdown(self, text: str) -> None:
        """Shows Markdown; HTML in it stays text, and nothing is loaded."""
        features = QTextDocument.MarkdownFeature
        self.document().setMarkdown(with_breaks(text), features.MarkdownNoHTML | features.MarkdownDialectGitHub)

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: N802, ARG002 -- Qt's name and signature
        """Nothing is loaded, from nowhere."""
        return None

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Grows and shrinks with its lines."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """As high as its lines."""
        return QSize(super().sizeHint().width(), self._height())

    def _height(self) -> int:
        margins = self.height() - self.viewport().height()
        return round(self.document().size().height()) + max(margins, 0)

    @Slot()
    def _fit(self) -> None:
        high = self._height()
        if high != self.minimumHeight():
            self.setFixedHeight(high)

    @Slot(QUrl)
    def _follow(self, address: QUrl) -> None:
        if address.scheme().lower() in FOLLOWED:
            self.followed.emit(address.toString())
