"""The first page: is it me, is it them, what now?"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QSysInfo, Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from client.errors import DesksideError
from client.model import OutboxEntry, SendState, State
from client.ui import theme
from client.ui.bubble import state_pixmap
from client.ui.journey import journey, of_report
from client.ui.page import Page, Shell
from client.ui.places import place
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, clear
from client.ui.widgets.chain import Chain
from client.ui.widgets.disclosure import Disclosure
from client.ui.widgets.flow import Flow
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.known import KnownCard
from client.ui.widgets.listrow import ListRow
from client.ui.widgets.looked import LookedAt
from client.ui.widgets.problem import ProblemCard
from client.ui.widgets.progress import Progress
from client.ui.widgets.text import Text
from client.ui.words import checked, headline
from diagnostics.model import Event, Finding, Found, Report, Started
from diagnostics.model import Progress as Began

BADGE = 44
MINUTE_MS = 60_000


class HomePage(Page):
    """The state of this computer, the check, and what was found."""

    id = "home"
    title = QT_TRANSLATE_NOOP("Page", "Home")
    icon = "home"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self._findings: list[Finding] = []
        self._total = 0
        self._listed: Report | None = None
        self._build_hero()
        self._intro = self._first_words()
        self.column.addWidget(self._intro)
        self._announced = QVBoxLayout()
        self._announced.setSpacing(theme.S)
        self.column.addLayout(self._announced)
        self._problems = QVBoxLayout()
        self._problems.setSpacing(theme.L)
        self.column.addLayout(self._problems)
        self._waiting = QVBoxLayout()
        self.column.addLayout(self._waiting)
        self._seen = Card(parent=self)
        self._fold = Disclosure(self.tr("Show what was looked at"), self.tr("Hide what was looked at"), self._seen)
        self._fold.toggled.connect(self._unfold)
        self._seen.content.addWidget(self._fold)
        self.column.addWidget(self._seen)
        self._people = Text(self._contact(), "caption", ink="muted", selectable=True, parent=self)
        self.column.addWidget(self._people)
        self._age = QTimer(self)  # only while the page can be seen
        self._age.setInterval(MINUTE_MS)
        self._age.timeout.connect(self._tell_age)
        checkup = shell.checkup
        checkup.began.connect(self._began)
        checkup.heard.connect(self._heard)
        checkup.failed.connect(self._failed)
        checkup.changed.connect(self._show)
        shell.courier.outbox_changed.connect(self._ask_outbox)
        shell.courier.announced.connect(self._show)
        self._show()

    def _build_hero(self) -> None:
        self._hero = Card(margin=theme.XL, parent=self)
        self._badge = QLabel(self._hero)
        self._badge.setFixedSize(theme.scaled(BADGE), theme.scaled(BADGE))
        self._headline = Text("", "display", parent=self._hero)
        self._below = Text("", ink="muted", parent=self._hero)
        words = QVBoxLayout()
        words.setSpacing(theme.XS)
        words.addWidget(self._headline)
        words.addWidget(self._below)
        line = QHBoxLayout()
        line.setSpacing(theme.L)
        line.addWidget(self._badge, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self._hero.content.addLayout(line)
        self._chain = Chain(self._hero)
        self._hero.content.addSpacing(theme.S)
        self._hero.content.addWidget(self._chain)
        self._progress = Progress(parent=self._hero)
        self._hero.content.addWidget(self._progress)
        self._check = Button(self.tr("Check now"), "primary", icon="pulse", parent=self._hero)
        self._check.clicked.connect(self.shell.checkup.start)
        self._stop = Button(self.tr("Stop"), "secondary", icon="stop", parent=self._hero)
        self._stop.clicked.connect(self.shell.checkup.cancel)
        self._report = Button(self.tr("Report a problem"), "secondary", icon="edit", parent=self._hero)
        self._report.clicked.connect(self._write)
        self._hero.content.addSpacing(theme.XS)
        actions = Flow()
        actions.addWidget(self._check)
        actions.addWidget(self._stop)
        actions.addWidget(self._report)
        self._hero.content.addLayout(actions)
        self.column.addWidget(self._hero)

    def _first_words(self) -> Card:
        """What the program is for, before it has done anything."""
        card = Card(margin=theme.XL, parent=self)
        card.content.setSpacing(theme.L)
        for icon, title, words in (
            (
                "pulse",
                self.tr("It finds out what is wrong, and why"),
                self.tr("Network, company services, disks, memory: looked at in a few seconds."),
            ),
            (
                "wrench",
                self.tr("It fixes what can be fixed, and proves it"),
                self.tr("You see first what will happen. Nothing is changed without your yes."),
            ),
            (
                "send",
                self.tr("It tells IT the rest"),
                self.tr("You see exactly what is sent. Without a network it is kept and sent later."),
            ),
        ):
            words_column = QVBoxLayout()
            words_column.setSpacing(2)
            words_column.addWidget(Text(title, "strong", parent=card))
            words_column.addWidget(Text(words, ink="muted", parent=card))
            line = QHBoxLayout()
            line.setSpacing(theme.L)
            line.addWidget(Glyph(icon, tone="accent", disc=True, parent=card), 0, Qt.AlignmentFlag.AlignTop)
            line.addLayout(words_column, 1)
            card.content.addLayout(line)
        return card

    # --- the page

    def show_for(self, argument: object) -> None:
        """Shows the state as it is now; takes no argument."""
        del argument
        self._show()
        self._ask_outbox()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """The age of the last check is kept right while it can be seen."""
        self._tell_age()
        self._age.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 -- Qt's name
        """No timer for what nobody sees."""
        self._age.stop()
        super().hideEvent(event)

    # --- what the check says

    @Slot()
    def _began(self) -> None:
        self.clear_notice()
        self._findings = []
        self._total = 0
        self._progress.tell(self.tr("Getting ready"))

    @Slot(object)
    def _heard(self, event: Event) -> None:
        if isinstance(event, Started):
            self._total = len(event.checks)
        elif isinstance(event, Began):
            self._progress.tell(event.words, self._share())
        elif isinstance(event, Found):
            self._findings.append(event.finding)
            self._progress.set_share(self._share())
            self._draw_found()

    def _draw_found(self) -> None:
        """Draws the way as far as it is known; all of it where there is a company at its end, so that nothing jumps."""
        values = self.shell.app.settings.values
        whole = bool(values.services or values.network.internal_names or values.desk.url)
        self._chain.set_links(*journey(self._findings, whole=whole))

    def _share(self) -> float | None:
        return len(self._findings) / self._total if self._total else None

    @Slot(object)
    def _failed(self, error: DesksideError) -> None:
        self.show_error(error)

    # --- what is shown

    @Slot()
    def _show(self) -> None:
        checkup = self.shell.checkup
        state, report = checkup.state, checkup.report
        running = state is State.CHECKING
        self._badge.setPixmap(state_pixmap(state, theme.scaled(BADGE), self.devicePixelRatioF()))
        self._headline.setText(headline(state, report))
        self._tell_age()
        self._progress.setVisible(running)
        self._check.setVisible(not running)
        self._stop.setVisible(running)
        troubled = state in {State.PROBLEM, State.OFFLINE}
        self._check.setText(self.tr("Check now") if not troubled else self.tr("Check again"))
        self._check.set_kind("secondary" if troubled else "primary")
        if running:
            self._draw_found()
        elif report is not None:
            self._chain.set_links(*of_report(report))
        self._chain.setVisible(running or report is not None)
        self._intro.setVisible(report is None and not running)
        clear(self._problems)
        clear(self._announced)
        self._seen.setVisible(report is not None and not running)
        if not running and report is not None and report is not self._listed:
            self._listed = report
            self._fold.set_open(not report.diagnosis)  # whoever is told that all is well may see why
            self._unfold()
        known = () if running or report is None else self._show_problems(report)
        if not running:
            self._show_announcements(known)

    def _show_announcements(self, told: Sequence[str]) -> None:
        """What IT has announced, but for what is told beside a problem already."""
        bulletin = self.shell.app.bulletin
        watched = bulletin.watched()
        for one in bulletin.current():
            if one.id not in told:
                card = KnownCard(one, explains=False, watched=one.id in watched, parent=self)
                card.watch_wanted.connect(self._watch)
                card.put_away.connect(self._put_away)
                self._announced.addWidget(card)

    def _show_problems(self, report: Report) -> list[str]:
        """A card for each cause. Gives the announcements that explain one."""
        findings = {one.check: one for one in report.findings}
        fixes = {id: title for id, title, _ in self.shell.app.fixes()} if report.diagnosis else {}
        bulletin = self.shell.app.bulletin
        told = []
        for number, cause in enumerate(report.diagnosis):
            known = None
            if (one := bulletin.known(cause)) is not None:
                known = KnownCard(one, explains=True, watched=one.id in bulletin.watched(), parent=self)
                known.watch_wanted.connect(self._watch)
                told.append(one.id)
            card = ProblemCard(
                cause, place=place(cause), findings=findings, fixes=fixes, first=number == 0, known=known, parent=self
            )
            card.fix_wanted.connect(self._fix)
            card.article_wanted.connect(self._read)
            card.report_wanted.connect(self._write)
            self._problems.addWidget(card)
        return told

    @Slot(str, bool)
    def _watch(self, id: str, wanted: bool) -> None:  # noqa: FBT001 -- what the card sends
        self.bridge_call(self.shell.app.bulletin.watch(id, wanted=wanted), self._watching)

    def _watching(self, _: None) -> None:
        self.shell.courier.wait_for_end()
        self._show()

    @Slot(str)
    def _put_away(self, id: str) -> None:
        self.bridge_call(self.shell.app.bulletin.put_away(id), self._put_away_now)

    def _put_away_now(self, _: None) -> None:
        self._show()

    @Slot()
    def _tell_age(self) -> None:
        checkup = self.shell.checkup
        state, report = checkup.state, checkup.report
        sentences = {
            State.UNKNOWN: self.tr("A check takes a few seconds and changes nothing on this computer."),
            State.CHECKING: self.tr("You can go on working meanwhile."),
            State.FINE: self.tr("Nothing is wrong with this computer or its network. Something else? Tell IT."),
            State.PROBLEM: "",
            State.OFFLINE: self.tr("What you write to IT is kept on this computer and sent when you are online again."),
        }
        parts = [sentences[state]]
        if report is not None and len(report.diagnosis) > 1 and state in {State.PROBLEM, State.OFFLINE}:
            parts.append(self.tr("%n things found.", "", len(report.diagnosis)))
        if state is not State.CHECKING:
            parts.append(f"{when}." if (when := checked(report)) else "")
        self._below.tell(" ".join(part for part in parts if part))

    @Slot()
    def _unfold(self) -> None:
        """Lists every finding, but only once somebody wants to see it."""
        clear(self._fold.content)
        report = self.shell.checkup.report
        if report is not None and self._fold.is_open:
            self._fold.content.addWidget(LookedAt(report, self._fold))

    def _contact(self) -> str:
        brand = self.shell.app.settings.values.brand
        people = ", ".join(part for part in (brand.phone, brand.email, brand.hours) if part)
        name = self.tr("This computer is called {name}.").format(name=QSysInfo.machineHostName())
        if not people:
            return name
        return f"{name} {self.tr('{desk}: {people}').format(desk=brand.name or self.tr('IT help desk'), people=people)}"

    # --- what waits

    @Slot()
    def _ask_outbox(self) -> None:
        self.bridge_call(self.shell.app.outbox(), self._show_outbox)

    def _show_outbox(self, entries: tuple[OutboxEntry, ...]) -> None:
        clear(self._waiting)
        waiting = sum(one.state in {SendState.WAITING, SendState.SENDING, SendState.CREATED} for one in entries)
        stuck = sum(one.state in {SendState.UNSURE, SendState.REFUSED} for one in entries)
        if not waiting and not stuck:
            return
        card = Card(margin=theme.XS, parent=self)
        if stuck:
            words = self.tr("Messages that could not be sent: %n", "", stuck)
            line = ListRow(
                words, self.tr("Have a look: you decide what happens."), icon="alert", tone="problem", parent=card
            )
        else:
            words = self.tr("Messages that wait to be sent: %n", "", waiting)
            line = ListRow(words, self.tr("Kept on this computer, sent by itself."), icon="outbox", parent=card)
        line.clicked.connect(self._open_outbox)
        card.content.addWidget(line)
        self._waiting.addWidget(card)

    # --- where it goes

    @Slot(str)
    def _fix(self, fix: str) -> None:
        self.shell.go("fix", fix)

    @Slot(str)
    def _read(self, article: str) -> None:
        self.shell.go("article", article)

    @Slot()
    def _write(self) -> None:
        self.shell.report()

    @Slot()
    def _open_outbox(self) -> None:
        self.shell.go("outbox")
