"""A cause as a card: what is wrong, what it means, the one best action, and everything else folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from client.ui import theme
from client.ui.widgets.button import Button, Kind
from client.ui.widgets.card import Card, row
from client.ui.widgets.disclosure import Disclosure
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.text import Pill, Text
from client.ui.words import size
from diagnostics.model import Diagnosis, Finding, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TONES: Final[dict[Severity, theme.Tone]] = {
    Severity.LOW: "quiet",
    Severity.MEDIUM: "problem",
    Severity.HIGH: "problem",
    Severity.CRITICAL: "danger",
}
SIGNS: Final[dict[Status, tuple[str, theme.Tone]]] = {
    Status.OK: ("check", "fine"),
    Status.WARNING: ("alert", "problem"),
    Status.FAILED: ("cross", "problem"),
    Status.SKIPPED: ("more", "quiet"),
    Status.UNKNOWN: ("question", "quiet"),
}
UNITS: Final = (
    ("_ms", " ms"),
    ("_percent", " %"),
    ("_s", " s"),
    ("_mbit_per_s", " Mbit/s"),
    ("_kbit_per_s", " kbit/s"),
)


class FindingLine(QWidget):
    """One check's outcome: a sign and its sentence."""

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        sign, tone = SIGNS[finding.status]
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.S)
        line.addWidget(Glyph(sign, tone=tone, size=16, parent=self), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Text(finding.summary, parent=self), 1)
        self.setAccessibleName(f"{status_word(finding.status)}: {finding.summary}")


class ProblemCard(Card):
    """One cause.

    Args:
        cause: what was found.
        place: where it lies, in a few words.
        findings: the checks of the same run, by id.
        fixes: titles of the fixes that exist here, by id.
        first: whether it is the most likely one; only its action is loud.
        known: shows that IT knows of it; then nothing here is loud.

    Signals:
        fix_wanted, article_wanted: with the id.
        report_wanted: a ticket about it.
    """

    fix_wanted = Signal(str)
    article_wanted = Signal(str)
    report_wanted = Signal()

    def __init__(
        self,
        cause: Diagnosis,
        *,
        place: str,
        findings: Mapping[str, Finding],
        fixes: Mapping[str, str],
        first: bool,
        known: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(margin=theme.L, parent=parent)
        self._cause = cause
        self.setAccessibleName(cause.title)
        tone = TONES[cause.severity]
        words = QVBoxLayout()
        words.setSpacing(theme.S)
        title = Text(cause.title, "title", parent=self)
        words.addWidget(title)
        words.addLayout(row(Pill(place, tone, self)))
        words.addSpacing(theme.XS)
        words.addWidget(Text(cause.explanation, parent=self))
        if cause.advice:
            words.addWidget(Text(cause.advice, parent=self))
        words.addSpacing(theme.XS)
        if known is not None:
            words.addWidget(known)
        words.addLayout(self._actions(cause, fixes, first=first and known is None))
        words.addWidget(self._details(cause, findings))
        line = QHBoxLayout()
        line.setSpacing(theme.L)
        line.addWidget(Glyph("alert", tone=tone, size=20, disc=True, parent=self), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self.content.addLayout(line)

    def _actions(self, cause: Diagnosis, fixes: Mapping[str, str], *, first: bool) -> Flow:
        """The one best action loud, the rest quiet: fix it, else read how, else tell IT."""
        flow = Flow()
        loud: Kind = "primary" if first else "secondary"
        here = [id for id in cause.fixes if id in fixes]
        for number, id in enumerate(here):
            button = Button(
                fixes[id], loud if number == 0 else "quiet", icon="wrench" if number == 0 else "", parent=self
            )
            button.setObjectName(id)
            button.clicked.connect(self._fix)
            flow.addWidget(button)
        for id in cause.articles[:1]:
            button = Button(self.tr("Read what helps"), "quiet" if here else loud, icon="help", parent=self)
            button.setAccessibleName(self.tr("Read what helps: {title}").format(title=cause.title))
            button.setObjectName(id)
            button.clicked.connect(self._article)
            flow.addWidget(button)
        alone = not here and not cause.articles
        report = Button(self.tr("Report to IT"), loud if alone else "quiet", icon="send", parent=self)
        report.setAccessibleName(self.tr("Report to IT: {title}").format(title=cause.title))
        report.clicked.connect(self.report_wanted)
        flow.addWidget(report)
        return flow

    def _details(self, cause: Diagnosis, findings: Mapping[str, Finding]) -> Disclosure:
        details = Disclosure(self.tr("Show details"), self.tr("Hide details"), self)
        shown = [findings[id] for id in cause.evidence if id in findings]
        explained = [findings[id] for id in cause.explains if id in findings]
        if shown:
            details.content.addWidget(Text(self.tr("What shows it"), "strong", parent=details))
            for one in shown:
                details.content.addWidget(FindingLine(one, details))
        if numbers := measures(shown):
            details.content.addWidget(Text(numbers, "caption", ink="muted", selectable=True, parent=details))
        if explained:
            details.content.addWidget(Text(self.tr("What it explains"), "strong", parent=details))
            for one in explained:
                details.content.addWidget(FindingLine(one, details))
        sure = QLocale().toString(cause.confidence * 100, "f", 0)
        last = self.tr("Deskside is {percent} % sure. For IT: {cause}").format(
            percent=sure, cause=" ".join(part for part in (cause.cause, cause.subject) if part)
        )
        details.content.addWidget(Text(last, "caption", ink="muted", selectable=True, parent=details))
        return details

    @Slot()
    def _fix(self) -> None:
        self.fix_wanted.emit(self.sender().objectName())

    @Slot()
    def _article(self) -> None:
        self.article_wanted.emit(self.sender().objectName())


def status_word(status: Status) -> str:
    """A status in a word, for whoever does not see the sign."""
    return {
        Status.OK: QCoreApplication.translate("Status", "Fine"),
        Status.WARNING: QCoreApplication.translate("Status", "Attention"),
        Status.FAILED: QCoreApplication.translate("Status", "Not working"),
        Status.SKIPPED: QCoreApplication.translate("Status", "Not looked at"),
        Status.UNKNOWN: QCoreApplication.translate("Status", "Could not be found out"),
    }[status]


def measures(findings: Iterable[Finding]) -> str:
    """The numbers behind findings, a line each: "dns.resolvers: answer 11 ms, servers tried 2"."""
    lines = []
    for one in findings:
        parts = [f"{_label(key)} {_value(key, value)}" for key, value in one.measures.items() if value is not None]
        if parts:
            lines.append(f"{one.check}: {', '.join(parts)}")
    return "\n".join(lines)


def _label(key: str) -> str:
    for ending, _ in (*UNITS, ("_bytes", "")):
        if key.endswith(ending):
            key = key.removesuffix(ending)
            break
    return key.replace("_", " ")


def _value(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if key.endswith("_bytes"):
        return size(value)
    number = QLocale().toString(float(value), "g", 6)
    return number + next((unit for ending, unit in UNITS if key.endswith(ending)), "")
