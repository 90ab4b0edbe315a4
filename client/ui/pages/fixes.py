"""A fix from plan to proof: what it will do, the employee's yes, what happens, and whether it helped."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Slot
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from client.errors import DesksideError
from client.fixes.plan import at_first, narrowed
from client.model import FixOutcome, FixPlan, FixResult, Step
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, Rule, clear
from client.ui.widgets.disclosure import Disclosure
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.heading import Heading
from client.ui.widgets.problem import FindingLine
from client.ui.widgets.progress import Progress
from client.ui.widgets.text import Text
from client.ui.words import size
from diagnostics.model import Finding

FEW: Final = 6  # details that are shown without unfolding
RESULTS: Final[dict[FixResult, tuple[object, str, theme.Tone]]] = {
    FixResult.HELPED: (QT_TRANSLATE_NOOP("Fix", "That helped"), "check", "fine"),
    FixResult.NO_CHANGE: (QT_TRANSLATE_NOOP("Fix", "Done, but the problem is still there"), "alert", "problem"),
    FixResult.DONE: (QT_TRANSLATE_NOOP("Fix", "Done"), "check", "accent"),
    FixResult.FAILED: (QT_TRANSLATE_NOOP("Fix", "That did not work"), "alert", "problem"),
    FixResult.CANCELLED: (QT_TRANSLATE_NOOP("Fix", "Stopped"), "stop", "quiet"),
    FixResult.INTERRUPTED: (QT_TRANSLATE_NOOP("Fix", "Broken off"), "alert", "problem"),
    FixResult.UNDONE: (QT_TRANSLATE_NOOP("Fix", "Put back as it was"), "undo", "quiet"),
}


class FixPage(Page):
    """Takes the fix's id. While a fix runs, the page shows that one."""

    id = "fix"
    title = QT_TRANSLATE_NOOP("Page", "Fix")
    icon = "wrench"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._fix = ""
        self._plan: FixPlan | None = None
        self._outcome: FixOutcome | None = None
        self._top = Heading(parent=self)
        self.column.addWidget(self._top)
        self._progress = Progress(parent=self)
        self.column.addWidget(self._progress)
        self._body = QVBoxLayout()
        self._body.setSpacing(theme.L)
        self.column.addLayout(self._body)
        self._consent: Button | None = None
        self._choices: list[QAbstractButton] = []
        shell.repair.stepped.connect(self._stepped)
        shell.repair.ended.connect(self._ended)
        shell.repair.failed.connect(self._failed)

    def show_for(self, argument: object) -> None:
        """Takes the fix's id and asks what it would do now."""
        if self.shell.repair.running:
            self._fix = self.shell.repair.fix
            self._busy(self.shell.repair.words)
            return
        self._fix = str(argument)
        self._plan = self._outcome = None
        self._consent = None
        clear(self._body)
        titles = {id: (title, summary) for id, title, summary in self.shell.app.fixes()}
        title, summary = titles.get(self._fix, (self.heading(), ""))
        self._top.tell(title, summary)
        self._progress.tell(self.tr("Looking at what would change"))
        self._progress.show()
        self.bridge_call(self.shell.app.plan(self._fix), self._show_plan, self._no_plan)

    def first_focus(self) -> QWidget | None:
        """What was asked is what is read first; nothing is a key press away from being changed."""
        return None

    # --- the plan

    def _show_plan(self, plan: FixPlan) -> None:
        if plan.fix != self._fix or self.shell.repair.running:
            return
        self._plan = plan
        self._progress.hide()
        self._top.tell(plan.title, plan.summary)
        clear(self._body)
        if plan.refused:
            self._body.addWidget(self._refusal(plan.refused))
            return
        card = Card(parent=self)
        title = self.tr("What will happen") if plan.choice == "all" else self.tr("Choose what shall happen")
        card.content.addWidget(Text(title, "title", parent=card))
        self._choices = []
        for number, step in enumerate(plan.steps, 1):
            card.content.addLayout(self._step(number, step, card))
        if plan.checks:
            words = self.tr("Afterwards Deskside looks again at what was wrong, and shows you whether it helped.")
            card.content.addWidget(Text(words, ink="muted", parent=card))
        self._body.addWidget(card)
        self._body.addWidget(self._promise(plan))
        self._consent = Button("", "primary", icon="wrench", parent=self)
        self._consent.clicked.connect(self._agree)
        self._count()
        no = Button(self.tr("Not now"), parent=self)
        no.clicked.connect(self.shell.back)
        self._actions(self._consent, no)

    def _step(self, number: int, step: Step, card: Card) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(theme.M)
        if self._plan is None or self._plan.choice == "all":
            line.addWidget(Text(f"{number}.", "strong", ink="muted", parent=card), 0, Qt.AlignmentFlag.AlignTop)
        else:
            line.addWidget(self._choice(number, step, card), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(theme.XS)
        words.addWidget(Text(step.words, parent=card))
        if step.details:
            if len(step.details) > FEW:
                fold = Disclosure(self.tr("Show all %n", "", len(step.details)), self.tr("Hide them"), card)
                fold.content.addWidget(_details(step.details, card))
                words.addWidget(fold)
            else:
                words.addWidget(_details(step.details, card))
        line.addLayout(words, 1)
        return line

    def _choice(self, number: int, step: Step, card: Card) -> QAbstractButton:
        """What takes a step into the plan: one of many, or any of them."""
        one = self._plan is not None and self._plan.choice == "one"
        box: QAbstractButton = QRadioButton(card) if one else QCheckBox(card)
        box.setAccessibleName(step.words)
        box.setChecked(self._plan is not None and number - 1 in at_first(self._plan))
        box.toggled.connect(self._count)
        self._choices.append(box)
        return box

    def _chosen(self) -> FixPlan | None:
        """The plan as it is chosen now; None while nothing is."""
        plan = self._plan
        if plan is None or plan.choice == "all":
            return plan
        wanted = [number for number, box in enumerate(self._choices) if box.isChecked()]
        return narrowed(plan, wanted) if wanted else None

    @Slot()
    def _count(self) -> None:
        """Says on the button what the choice frees."""
        if self._plan is None or self._consent is None:
            return
        chosen = self._chosen()
        words = self.tr("Go ahead")
        if chosen is not None and chosen.gain_bytes:
            words = self.tr("Go ahead and free {size}").format(size=size(chosen.gain_bytes))
        self._consent.setText(words)
        self._consent.setAccessibleName(f"{words}: {self._plan.title}")
        self._consent.setEnabled(chosen is not None)

    def _promise(self, plan: FixPlan) -> Card:
        """Whether it can be taken back, said before anything happens."""
        card = Card("quiet" if plan.undo else "problem", margin=theme.M, parent=self)
        line = QHBoxLayout()
        line.setSpacing(theme.M)
        tone: theme.Tone = "quiet" if plan.undo else "problem"
        line.addWidget(Glyph("undo" if plan.undo else "alert", tone=tone, parent=card), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Text(plan.undo or self.tr("This cannot be undone."), parent=card), 1)
        card.content.addLayout(line)
        return card

    def _refusal(self, why: str) -> Card:
        card = Card(parent=self)
        card.content.addWidget(Text(self.tr("This cannot be done here"), "title", parent=card))
        card.content.addWidget(Text(why, parent=card))
        report = Button(self.tr("Report to IT"), "primary", icon="send", parent=card)
        report.clicked.connect(self._report)
        line = Flow()
        line.addWidget(report)
        card.content.addSpacing(theme.XS)
        card.content.addLayout(line)
        return card

    def _no_plan(self, error: DesksideError) -> None:
        self._progress.hide()
        self.show_error(error)

    # --- carrying it out

    @Slot()
    def _agree(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.clear_notice()
            self._choices = []
            self._consent = None
            self._busy("")
            self.shell.repair.start(chosen)

    def _busy(self, words: str) -> None:
        clear(self._body)
        self._progress.tell(words or self.tr("Getting ready"))
        self._progress.show()
        note = Text(self.tr("This goes on when you close the window."), "caption", ink="muted", parent=self)
        self._body.addWidget(note)

    @Slot(str)
    def _stepped(self, words: str) -> None:
        self._progress.tell(words)

    @Slot(object)
    def _failed(self, error: DesksideError) -> None:
        if self.shell.repair.fix != self._fix:
            return
        self._progress.hide()
        clear(self._body)
        self.show_error(error)
        again = Button(self.tr("Look again at what would change"), icon="refresh", parent=self)
        again.clicked.connect(self._again)
        report = Button(self.tr("Report to IT"), "primary", icon="send", parent=self)
        report.clicked.connect(self._report)
        self._actions(report, again)

    # --- the proof

    @Slot(object)
    def _ended(self, outcome: FixOutcome) -> None:
        if outcome.fix != self._fix:
            return
        self._outcome = outcome
        self._progress.hide()
        clear(self._body)
        words, icon, tone = RESULTS[outcome.result]
        card = Card(tone, margin=theme.XL, parent=self)
        line = QHBoxLayout()
        line.setSpacing(theme.L)
        line.addWidget(Glyph(icon, tone=tone, size=26, parent=card), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(theme.XS)
        column.addWidget(Text(QCoreApplication.translate("Fix", str(words)), "heading", parent=card))
        column.addWidget(Text(outcome.words, parent=card))
        line.addLayout(column, 1)
        card.content.addLayout(line)
        card.setAccessibleName(f"{QCoreApplication.translate('Fix', str(words))}. {outcome.words}")
        self._body.addWidget(card)
        if outcome.before or outcome.after:
            self._body.addWidget(self._proof(outcome))
        self._actions(*self._next(outcome))

    def _next(self, outcome: FixOutcome) -> list[Button]:
        """What can be done now, the best first."""
        good = outcome.result in {FixResult.HELPED, FixResult.DONE}
        home = Button(self.tr("Back to the overview"), "primary" if good else "secondary", parent=self)
        home.clicked.connect(self._home)
        report = Button(self.tr("Report to IT"), "secondary" if good else "primary", icon="send", parent=self)
        report.clicked.connect(self._report)
        made = [home, report] if good else [report, home]
        if outcome.result is FixResult.HELPED:
            made = [home]
        if outcome.can_undo:
            undo = Button(self.tr("Undo"), "secondary", icon="undo", name=self.tr("Undo this fix"), parent=self)
            undo.clicked.connect(self._undo)
            made.append(undo)
        return made

    def _proof(self, outcome: FixOutcome) -> Card:
        """The checks before and after, side by side where there is room."""
        card = Card(parent=self)
        after = {one.check: one for one in outcome.after}
        before = {one.check: one for one in outcome.before}
        ids = [*dict.fromkeys([*before, *after])]
        changed = [id for id in ids if _differs(before.get(id), after.get(id))]
        for number, id in enumerate(changed or ids):
            if number:
                card.content.addWidget(Rule(card))
            for label, finding in ((self.tr("Before"), before.get(id)), (self.tr("Now"), after.get(id))):
                if finding is not None:
                    line = QHBoxLayout()
                    line.setSpacing(theme.M)
                    name = Text(label, "caption", ink="muted", parent=card)
                    name.setMinimumWidth(52)
                    line.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
                    line.addWidget(FindingLine(finding, card), 1)
                    card.content.addLayout(line)
        return card

    # --- where it goes

    def _actions(self, *buttons: Button) -> None:
        line = Flow()
        for button in buttons:
            line.addWidget(button)
        self._body.addLayout(line)

    @Slot()
    def _undo(self) -> None:
        if self._outcome is not None:
            self._busy(self.tr("Putting back"))
            self.shell.repair.undo(self._outcome)

    @Slot()
    def _again(self) -> None:
        self.clear_notice()
        self.show_for(self._fix)

    @Slot()
    def _home(self) -> None:
        self.shell.go("home")

    @Slot()
    def _report(self) -> None:
        self.shell.report(tried=(self._outcome,) if self._outcome is not None else ())


def _details(lines: tuple[str, ...], parent: QWidget) -> Text:
    return Text("\n".join(lines), "caption", ink="muted", selectable=True, parent=parent)


def _differs(before: Finding | None, after: Finding | None) -> bool:
    return before is None or after is None or (before.status, before.summary) != (after.status, after.summary)
