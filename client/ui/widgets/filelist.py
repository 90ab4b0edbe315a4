"""The files of a ticket: what they are called, how large they are, one press to see, to take out and to bring back."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from client.model import Attachment
from client.ui import theme
from client.ui.widgets.button import Button, IconButton
from client.ui.widgets.card import clear
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Text
from client.ui.words import size


def icon_of(attachment: Attachment) -> str:
    """The icon beside a file's name."""
    return "camera" if attachment.media_type.startswith("image/") else "file"


def dropped_files(data: QMimeData) -> tuple[Path, ...]:
    """The local files in what is being dragged; anything else is not ours."""
    return tuple(Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())


class FileList(QWidget):
    """Shows files and lets them be taken out again.

    Signals:
        changed: the files are others now (tuple of attachments).
        opened: one of them should be shown (an attachment).
    """

    changed = Signal(object)
    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files: tuple[Attachment, ...] = ()
        self._taken_out: tuple[Attachment, int] | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(theme.XS)
        self.hide()

    @property
    def files(self) -> tuple[Attachment, ...]:
        """What is attached now."""
        return self._files

    def set_files(self, files: tuple[Attachment, ...]) -> None:
        """Shows these; says nothing to others. What was taken out before is forgotten."""
        self._files = files
        self._taken_out = None
        self._show()

    def add(self, more: tuple[Attachment, ...]) -> None:
        """Adds files and tells."""
        if more:
            self._files = (*self._files, *more)
            self._taken_out = None
            self._show()
            self.changed.emit(self._files)

    def replace(self, old: Attachment, new: Attachment) -> None:
        """Puts another file in the place of one and tells."""
        self._files = tuple(new if one is old else one for one in self._files)
        self._show()
        self.changed.emit(self._files)

    def _show(self) -> None:
        clear(self._rows)
        for number, one in enumerate(self._files):
            self._rows.addWidget(self._row(number, one))
        if self._taken_out is not None:
            self._rows.addWidget(self._undo_row(self._taken_out[0]))
        self.setVisible(bool(self._files) or self._taken_out is not None)

    def _row(self, number: int, one: Attachment) -> QWidget:
        row, line = self._line()
        name = Button(one.name, "quiet", name=self.tr("Show {name}").format(name=one.name), parent=row)
        name.clicked.connect(lambda: self.opened.emit(one))
        out = IconButton("cross", self.tr("Take out {name}").format(name=one.name), parent=row)
        out.clicked.connect(lambda: self._take_out(number))
        line.addWidget(Glyph(icon_of(one), tone="quiet", size=18, parent=row))
        line.addWidget(name, 0)
        line.addWidget(Text(size(len(one.data)), "caption", ink="muted", parent=row), 1)
        line.addWidget(out)
        return row

    def _undo_row(self, gone: Attachment) -> QWidget:
        row, line = self._line()
        line.addWidget(Text(self.tr("“{name}” was taken out.").format(name=gone.name), ink="muted", parent=row), 1)
        undo = Button(
            self.tr("Undo"), "quiet", icon="undo", name=self.tr("Put {name} back").format(name=gone.name), parent=row
        )
        undo.clicked.connect(self._undo)
        line.addWidget(undo)
        return row

    def _line(self) -> tuple[QWidget, QHBoxLayout]:
        row = QWidget(self)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.S)
        return row, line

    def _take_out(self, number: int) -> None:
        self._taken_out = (self._files[number], number)
        self._files = self._files[:number] + self._files[number + 1 :]
        self._show()
        self.changed.emit(self._files)

    @Slot()
    def _undo(self) -> None:
        if self._taken_out is not None:
            gone, number = self._taken_out
            self._taken_out = None
            self._files = (*self._files[:number], gone, *self._files[number:])
            self._show()
            self.changed.emit(self._files)


class AddFiles(QWidget):
    """The buttons below a list of files. `chosen` brings paths; `shot` asks for a picture of the screen after so many seconds."""

    chosen = Signal(object)
    shot = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        line = Flow(self)
        files = Button(self.tr("Add files…"), "secondary", icon="clip", parent=self)
        files.clicked.connect(self._choose)
        line.addWidget(files)
        now = Button(self.tr("Picture of the screen"), "secondary", icon="camera", parent=self)
        now.setToolTip(self.tr("This window hides while the picture is taken."))
        now.clicked.connect(lambda: self.shot.emit(0))
        later = Button(
            self.tr("In 3 seconds"), "quiet", name=self.tr("Picture of the screen in 3 seconds"), parent=self
        )
        later.setToolTip(self.tr("Time to open the menu or the message that should be seen."))
        later.clicked.connect(lambda: self.shot.emit(3))
        line.addWidget(now)
        line.addWidget(later)

    @Slot()
    def _choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Files to send along"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._selected)
        dialog.open()

    @Slot(list)
    def _selected(self, names: list[str]) -> None:
        self.chosen.emit(tuple(Path(name) for name in names))
