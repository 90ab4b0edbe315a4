"""What is in a file that goes along: its text, its picture, or a sentence that neither can be shown."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from client.model import Attachment
from client.ui import theme
from client.ui.files import as_text
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, row
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.passage import Passage
from client.ui.widgets.text import Text
from client.ui.words import size

MOST_SHOWN = 200_000  # characters; more makes the window slow and nobody reads it there


class Picture(QLabel):
    """A picture, as large as there is room for and never larger than it is."""

    def __init__(self, image: QImage, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap.fromImage(image)
        self.setAccessibleName(name)
        self.setMinimumWidth(1)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Fits the picture into the new width."""
        super().resizeEvent(event)
        wide = min(self.width(), self._pixmap.width())
        scaled = self._pixmap.scaledToWidth(max(wide, 1), Qt.TransformationMode.SmoothTransformation)
        if self.pixmap().size() != scaled.size():
            self.setPixmap(scaled)
            self.setFixedHeight(scaled.height())


class FileView(QWidget):
    """The content of one file. Built when it is asked for: a ticket's files can be large."""

    def __init__(self, attachment: Attachment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.XS)
        image = QImage()
        if attachment.media_type.startswith("image/"):
            image.loadFromData(QByteArray(attachment.data))
        text = None if not image.isNull() else as_text(attachment.data)
        if not image.isNull():
            outer.addWidget(Picture(image, self.tr("Picture {name}").format(name=attachment.name), self))
        elif text is None:
            words = self.tr("This file is not text, so it cannot be shown here. It is sent exactly as it is.")
            outer.addWidget(Text(words, ink="muted", parent=self))
        elif not text:
            outer.addWidget(Text(self.tr("This file is empty."), ink="muted", parent=self))
        else:
            passage = Passage(self.tr("Content of {name}").format(name=attachment.name), self)
            passage.tell(text[:MOST_SHOWN], fixed_width=True)
            outer.addWidget(passage)
            if len(text) > MOST_SHOWN:
                words = self.tr("This is its beginning; the whole file is sent.")
                outer.addWidget(Text(words, "caption", ink="muted", parent=self))


class FileRow(Card):
    """A file with its type and size, and its content on demand."""

    def __init__(self, attachment: Attachment, parent: QWidget | None = None) -> None:
        super().__init__("neutral", margin=theme.M, parent=parent)
        self._attachment = attachment
        self._view: FileView | None = None
        self._button = Button("", "quiet", parent=self)
        self._button.clicked.connect(self._toggle)
        picture = attachment.media_type.startswith("image/")
        line = row(Glyph("camera" if picture else "file", tone="quiet", size=18, parent=self), stretch=False)
        name = Text(attachment.name, "strong", selectable=True, parent=self)
        line.addWidget(name, 1)
        about = f"{attachment.media_type} · {size(len(attachment.data))}"
        kind = Text(about, "caption", ink="muted", parent=self)
        kind.setWordWrap(False)
        line.addWidget(kind)
        line.addWidget(self._button)
        self.content.addLayout(line)
        self._label()

    def open(self) -> None:
        """Shows the content."""
        if self._view is None:
            self._toggle()

    def _label(self) -> None:
        shown = self._view is not None
        self._button.setText(self.tr("Hide") if shown else self.tr("Show"))
        words = self.tr("Hide {name}") if shown else self.tr("Show {name}")
        self._button.setAccessibleName(words.format(name=self._attachment.name))

    @Slot()
    def _toggle(self) -> None:
        if self._view is None:
            self._view = FileView(self._attachment, self)
            self.content.addWidget(self._view)
        else:
            self._view.hide()
            self._view.deleteLater()
            self._view = None
        self._label()
