"""Files of a ticket or a reply, from choosing to marking: the list, the buttons, a file's content, the picture of the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import Attachment
from client.ui import theme
from client.ui.files import Gathered, free_name, gather
from client.ui.screenshot import Screenshot
from client.ui.widgets.banner import Notice
from client.ui.widgets.card import clear
from client.ui.widgets.filelist import AddFiles, FileList, dropped_files
from client.ui.widgets.fileview import FileRow
from client.ui.widgets.markup import Markup, picture_of
from client.ui.widgets.text import Text
from client.ui.words import size

if TYPE_CHECKING:
    from client.ui.page import Shell


class FilePanel(QWidget):
    """The panel.

    Signals:
        changed: the files are others now (tuple of attachments).
        refused: what could not be added, and why, or what to look at (a notice).
        marking: a picture was added and can be marked now (the editor, to be scrolled into sight).
    """

    changed = Signal(object)
    refused = Signal(object)
    marking = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shell = shell
        self._camera: Screenshot | None = None
        self._markup: Markup | None = None
        self._list = FileList(self)
        self._list.changed.connect(self._changed)
        self._list.opened.connect(self._open_file)
        self._open = QVBoxLayout()
        self._open.setContentsMargins(0, 0, 0, 0)
        add = AddFiles(self)
        add.chosen.connect(self.add_paths)
        add.shot.connect(self._shoot)
        hint = self.tr("You can also drop files here.")
        if (limit := self._limit()) is not None:
            hint = self.tr("You can also drop files here, up to {size} each.").format(size=size(limit))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.S)
        outer.addWidget(self._list)
        outer.addLayout(self._open)
        outer.addWidget(add)
        outer.addWidget(Text(hint, "caption", ink="muted", parent=self))

    @property
    def files(self) -> tuple[Attachment, ...]:
        """What is attached now."""
        return self._list.files

    def set_files(self, files: tuple[Attachment, ...]) -> None:
        """Shows these and tells nobody."""
        self._close_file()
        self._list.set_files(files)

    def finish(self) -> None:
        """Takes what is drawn on the open picture over, "Done" or not: nobody covers something and means to send it."""
        markup, self._markup = self._markup, None
        if markup is not None:
            markup.finish()

    def _limit(self) -> int | None:
        try:
            return self._shell.app.capabilities.max_file_bytes
        except DesksideError:
            return None  # no help desk is set up yet

    @Slot(object)
    def add_paths(self, paths: tuple[Path, ...]) -> None:
        """Reads files and adds them; `refused` says which could not be."""
        self._shell.bridge.run(
            gather, paths, self.files, self._limit(), owner=self, on_result=self._gathered, on_error=self._not_gathered
        )

    def take_drag(self, event: QDragEnterEvent) -> None:
        """Accepts a drag that carries files."""
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()

    def take_drop(self, event: QDropEvent) -> None:
        """Adds the files of a drop."""
        if paths := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.add_paths(paths)

    def _gathered(self, found: Gathered) -> None:
        self._list.add(found.attachments)
        if found.problems:
            title = self.tr("Not every file was added") if found.attachments else self.tr("Nothing was added")
            self.refused.emit(Notice(title=title, words=" ".join(found.problems), tone="problem"))

    def _not_gathered(self, error: DesksideError) -> None:
        self.refused.emit(Notice.of(error))

    @Slot()
    def _changed(self) -> None:
        self.finish()
        self._close_file()
        self.changed.emit(self.files)

    # --- the picture of the screen

    @Slot(int)
    def _shoot(self, delay_s: int) -> None:
        if self._camera is None:
            hide = self._shell.app.settings.values.screenshot.hide_windows
            self._camera = Screenshot(self.window(), self._shell.bridge, self, hide=hide)
            self._camera.taken.connect(self._shot)
            self._camera.failed.connect(self._no_shot)
        self._camera.take(delay_s=delay_s)

    @Slot(bytes, str)
    def _shot(self, data: bytes, words: str) -> None:
        name = free_name("screen.png", [one.name for one in self.files])
        picture = Attachment(name=name, media_type="image/png", data=data)
        self._list.add((picture,))
        self._open_file(picture)
        if words:
            self.refused.emit(
                Notice(title=self.tr("Look at the picture before you send it"), words=words, tone="problem")
            )

    @Slot(str)
    def _no_shot(self, words: str) -> None:
        self.refused.emit(Notice(title=self.tr("No picture was taken"), words=words, tone="problem"))

    @Slot(object)
    def _open_file(self, attachment: Attachment) -> None:
        self.finish()
        self._close_file()
        if not (picture := picture_of(attachment)).isNull():
            markup = Markup(picture, attachment.name, self)
            markup.done.connect(lambda data: self._marked(attachment, data))
            markup.closed.connect(self._close_file)
            self._markup = markup
            self._open.addWidget(markup)
            markup.setFocus()
            self.marking.emit(markup)
        else:
            view = FileRow(attachment, self)
            view.open()
            self._open.addWidget(view)

    def _marked(self, old: Attachment, data: bytes) -> None:
        name = old.name
        if old.media_type != "image/png":
            name = free_name(f"{Path(name).stem}.png", [one.name for one in self.files if one is not old])
        self._list.replace(old, msgspec.structs.replace(old, name=name, media_type="image/png", data=data))

    @Slot()
    def _close_file(self) -> None:
        self._markup = None
        clear(self._open)
