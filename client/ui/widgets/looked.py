"""Everything that a check has looked at, as sentences in as many columns as fit."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from client.ui import theme
from client.ui.widgets.problem import FindingLine
from diagnostics.model import Report, Status

ORDER: Final = (Status.FAILED, Status.WARNING, Status.UNKNOWN, Status.OK, Status.SKIPPED)
COLUMN: Final = 300  # the least width of a column


class LookedAt(QWidget):
    """The findings of a report, what is not well first."""

    def __init__(self, report: Report, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.XL)
        self._grid.setVerticalSpacing(theme.S)
        findings = sorted(report.findings, key=lambda one: ORDER.index(one.status))
        self._lines = [FindingLine(one, self) for one in findings]
        self._arrange(2)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Two columns where there is room."""
        wanted = theme.COLUMN if self.fontMetrics().averageCharWidth() * 40 > COLUMN else 2 * COLUMN
        self._arrange(2 if self.width() >= wanted else 1)
        super().resizeEvent(event)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        height = -(-len(self._lines) // columns)
        for number, line in enumerate(self._lines):
            self._grid.addWidget(line, number % height, number // height)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1 if columns > 1 else 0)
