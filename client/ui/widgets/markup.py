"""The editor of a picture: cover what is private, point at what matters, keep only a part. Done makes it one new picture."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, Signal, Slot
from PySide6.QtGui import QImage, QImageReader
from PySide6.QtWidgets import QButtonGroup, QVBoxLayout, QWidget

from client.model import Attachment
from client.ui import theme
from client.ui.screenshot import png
from client.ui.widgets.button import Button
from client.ui.widgets.canvas import Canvas
from client.ui.widgets.card import row
from client.ui.widgets.marks import Tool, drawn
from client.ui.widgets.text import Text

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/bmp"})


def picture_of(attachment: Attachment) -> QImage:
    """The picture in a file as a person sees it, turned as its camera was held; a null image where there is none."""
    if attachment.media_type not in PICTURES:
        return QImage()
    buffer = QBuffer()
    buffer.setData(QByteArray(attachment.data))
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    return reader.read()


class Markup(QWidget):
    """The picture with its tools and buttons.

    Signals:
        done: the new picture (PNG bytes).
        closed: it stays as it was.

    Args:
        image: the picture, not null.
        name: the name of its file.
    """

    done = Signal(bytes)
    closed = Signal()

    def __init__(self, image: QImage, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = image
        self.canvas = Canvas(image, self.tr("Picture {name}").format(name=name), self)
        self.canvas.setAccessibleDescription(
            self.tr(
                "Space makes a mark with the chosen tool. The arrow keys move it, with Shift they change its size,"
                " Delete takes it away."
            )
        )
        self.canvas.changed.connect(self._count)
        self.setFocusProxy(self.canvas)
        self._words = {
            Tool.COVER: self.tr(
                "Drag over what should not be seen: it is painted black, for good. Look closely, names and numbers too."
            ),
            Tool.ARROW: self.tr("Drag towards what the support team should look at."),
            Tool.CROP: self.tr("Drag over the part that should be sent. The rest is cut away, for good."),
        }
        self._hint = Text("", "caption", ink="muted", parent=self)
        names = {
            Tool.COVER: (self.tr("Cover"), "cover"),
            Tool.ARROW: (self.tr("Arrow"), "arrow"),
            Tool.CROP: (self.tr("Keep a part"), "crop"),
        }
        self._group = QButtonGroup(self)
        self._tools: dict[Tool, Button] = {}
        for tool, (words, icon) in names.items():
            button = Button(words, "secondary", icon=icon, parent=self)
            button.setCheckable(True)
            self._group.addButton(button)
            button.clicked.connect(self._choose)
            self._tools[tool] = button
        self._undo = Button(self.tr("Undo the last mark"), "quiet", icon="undo", parent=self)
        self._undo.clicked.connect(self.canvas.undo)
        self._keep = Button(
            self.tr("Done"), "secondary", icon="check", name=self.tr("Done with the picture"), parent=self
        )
        self._keep.clicked.connect(self.finish)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, theme.S, 0, theme.S)
        outer.setSpacing(theme.S)
        outer.addLayout(row(*self._tools.values()))
        outer.addWidget(self._hint)
        outer.addWidget(self.canvas)
        outer.addLayout(row(self._keep, self._undo))
        self.choose(Tool.COVER)
        self._count(0)

    def choose(self, tool: Tool) -> None:
        """Takes this tool in hand."""
        self._tools[tool].setChecked(True)
        self.canvas.tool = tool
        self._hint.setText(self._words[tool])

    @Slot()
    def _choose(self) -> None:
        self.choose(next(tool for tool, button in self._tools.items() if button.isChecked()))

    @Slot(int)
    def _count(self, marks: int) -> None:
        self._undo.setEnabled(marks > 0)

    @Slot()
    def finish(self) -> None:
        """Makes the picture with what is drawn, as "Done" does."""
        if self.canvas.marks:
            self.done.emit(png(drawn(self._image, self.canvas.marks)))
        else:
            self.closed.emit()
