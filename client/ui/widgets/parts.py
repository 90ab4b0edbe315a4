"""The parts of a ticket that the employee may leave out: a check box each, and what exactly it stands for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from client.model import Section
from client.ui import theme
from client.ui.widgets.button import Button
from client.ui.widgets.passage import Passage


class Part(QWidget):
    """One part. `ticked` is sent with its id and whether it goes along."""

    ticked = Signal(str, bool)

    def __init__(self, section: Section, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = section
        self._box = QCheckBox(section.title, self)
        self._box.setChecked(section.included or section.required)
        self._box.setEnabled(not section.required)
        if section.required:
            self._box.setToolTip(self.tr("This always goes along."))
            self._box.setAccessibleDescription(self.tr("This always goes along."))
        self._box.toggled.connect(self._tick)
        self._look = Button("", "quiet", parent=self)
        self._look.clicked.connect(self._toggle)
        self._text = Passage(section.title, self)
        self._text.hide()
        line = QHBoxLayout()
        line.setSpacing(theme.S)
        line.addWidget(self._box, 1)
        line.addWidget(self._look, 0, Qt.AlignmentFlag.AlignTop)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.XS)
        outer.addLayout(line)
        outer.addWidget(self._text)
        self.tell(section)

    def tell(self, section: Section) -> None:
        """Shows another state of the same part; an open text stays open."""
        self.section = section
        self._text.tell(section.text)
        self._look.setVisible(bool(section.text.strip()))
        self._label()

    def _tick(self, wanted: bool) -> None:  # noqa: FBT001 -- Qt's signal
        self.ticked.emit(self.section.id, wanted)

    def _toggle(self) -> None:
        self._text.setVisible(self._text.isHidden())
        self._label()

    def _label(self) -> None:
        hidden = self._text.isHidden()
        self._look.setText(self.tr("Show") if hidden else self.tr("Hide"))
        words = self.tr("Show “{title}”") if hidden else self.tr("Hide “{title}”")
        self._look.setAccessibleName(words.format(title=self.section.title))


class Parts(QWidget):
    """All of them. `changed` is sent with the ids of those that are left out (a frozenset)."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: dict[str, Part] = {}
        self._left_out: frozenset[str] = frozenset()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.XS)

    def tell(self, sections: tuple[Section, ...], left_out: frozenset[str]) -> None:
        """Shows the sections of a ticket; what is the same part as before keeps its place, its focus and what is open."""
        self._left_out = left_out
        if [one.id for one in sections] == list(self._parts):
            for one in sections:
                self._parts[one.id].tell(one)
            return
        for part in self._parts.values():
            self._column.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = {}
        for one in sections:
            part = Part(one, self)
            part.ticked.connect(self._tick)
            self._parts[one.id] = part
            self._column.addWidget(part)

    def _tick(self, section: str, wanted: bool) -> None:  # noqa: FBT001 -- Qt's signal
        self._left_out = self._left_out - {section} if wanted else self._left_out | {section}
        self.changed.emit(self._left_out)
