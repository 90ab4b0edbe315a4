"""Settings: who IT is, who I am to the help desk, whether Deskside starts by itself, and what was decided for this computer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from client import __version__
from client.errors import DesksideError, SignInNeeded
from client.model import Identity
from client.platform import autostart
from client.ui import theme
from client.ui.page import Page, Shell
from client.ui.widgets.banner import Notice
from client.ui.widgets.button import Button
from client.ui.widgets.card import Card, TitledCard, clear, row
from client.ui.widgets.factrows import FactRows
from client.ui.widgets.glyph import Glyph
from client.ui.widgets.heading import Heading
from client.ui.widgets.signin import SignIn
from client.ui.widgets.text import Text

if TYPE_CHECKING:
    from client.knowledge.learning import Event

SHOWN: Final[dict[str, object]] = {  # the settings that an employee may ask about; all of them: `deskside config show`
    "desk.url": QT_TRANSLATE_NOOP("Settings", "Help desk"),
    "network.proxy": QT_TRANSLATE_NOOP("Settings", "Proxy"),
    "network.ca_file": QT_TRANSLATE_NOOP("Settings", "Certificate authority"),
    "fixes.allowed": QT_TRANSLATE_NOOP("Settings", "Fixes that may be offered"),
    "schedule.check_every_min": QT_TRANSLATE_NOOP("Settings", "Checks by itself"),
    "notifications.enabled": QT_TRANSLATE_NOOP("Settings", "Notifications"),
}


class SettingsPage(Page):
    """The few things that an employee decides, and where the rest comes from."""

    id = "settings"
    title = QT_TRANSLATE_NOOP("Page", "Settings")
    icon = "settings"

    def __init__(self, shell: Shell, parent: QWidget | None = None) -> None:
        super().__init__(shell, parent)
        self.column.addWidget(Heading(self.heading(), parent=self))
        self._account = TitledCard(self.tr("Help desk"), "person", self)
        self._who = QVBoxLayout()
        self._account.content.addLayout(self._who)
        self.column.addWidget(self._account)
        people = TitledCard(self.tr("IT department"), "ticket", self)
        people.content.addWidget(self._people(people))
        self.column.addWidget(people)
        start = TitledCard(self.tr("On this computer"), "computer", self)
        self._autostart = QCheckBox(self.tr("Start Deskside when I sign in to this computer"), start)
        self._autostart.setChecked(autostart.is_enabled())
        self._autostart.clicked.connect(self._set_autostart)
        if shell.app.settings.origin("client.start_at_login").file:
            self._autostart.setEnabled(False)
            words = self.tr("The settings of this computer say so.")
            start.content.addWidget(Text(words, "caption", ink="muted", parent=start))
        start.content.addWidget(self._autostart)
        self.column.addWidget(start)
        self.column.addWidget(self._managed())
        self._noted = TitledCard(self.tr("What Deskside has noted"), "list", self)
        self._noted_words = Text("", parent=self._noted)
        self._noted.content.addWidget(self._noted_words)
        self._forget = Button(self.tr("Forget it"), icon="trash", parent=self._noted)
        self._forget.clicked.connect(self._forget_noted)
        self._noted.content.addSpacing(theme.XS)
        self._noted.content.addLayout(row(self._forget))
        self.column.addWidget(self._noted)
        self.column.addWidget(
            Text(self.tr("Deskside {version}").format(version=__version__), "caption", ink="muted", parent=self)
        )

    def show_for(self, argument: object) -> None:
        """Asks the help desk who we are; takes no argument."""
        del argument
        self._ask_noted()
        self._say(self.tr("Asking the help desk…"))
        if not self.shell.app.settings.values.desk.kind:
            self._say(self.tr("No help desk is set up yet. What you write is kept until IT has done so."))
            return
        self.bridge_call(self.shell.app.accounts.whoami(), self._known, self._unknown)

    # --- who I am

    def _known(self, identity: Identity) -> None:
        clear(self._who)
        words = self.tr("You are signed in as {name}.").format(name=identity.email or identity.name)
        self._who.addWidget(Text(words, parent=self._account))
        out = Button(self.tr("Sign out"), icon="key", parent=self._account)
        out.clicked.connect(self._sign_out)
        self._who.addSpacing(theme.S)
        self._who.addLayout(row(out))

    def _unknown(self, error: DesksideError) -> None:
        if isinstance(error, SignInNeeded):
            clear(self._who)
            form = SignIn(self.shell, self._account)
            form.done.connect(self._known)
            self._who.addWidget(form)
        else:
            self._say(f"{error.message} {error.hint}")

    def _say(self, words: str) -> None:
        clear(self._who)
        self._who.addWidget(Text(words, ink="muted", parent=self._account))

    @Slot()
    def _sign_out(self) -> None:
        self.bridge_call(self.shell.app.accounts.sign_out(), self._signed_out)

    def _signed_out(self, told: bool) -> None:  # noqa: FBT001 -- what the bridge delivers
        more = self.tr("Your company's sign-in service could not be told of it; there it ends by itself.")
        self.shell.say(Notice(title=self.tr("You are signed out"), words="" if told else more, tone="accent"))
        self.show_for(None)

    # --- what was noted

    def _ask_noted(self) -> None:
        self.shell.bridge.run(self.shell.app.guidance.learning.events, owner=self, on_result=self._show_noted)

    def _show_noted(self, events: tuple[Event, ...]) -> None:
        kinds = Counter(one.kind for one in events)
        lines = [
            self.tr("Articles that you said helped or not: %n", "", kinds["article"]),
            self.tr("Fixes that were tried: %n", "", kinds["fix"]),
            self.tr("Searches that found nothing: %n", "", kinds["search"]),
            self.tr("Tickets that were written: %n", "", kinds["ticket"]),
        ]
        if self.shell.app.guidance.shares_counts:
            lines.append(self.tr("IT gets these numbers once a day, and never your words."))
        else:
            lines.append(self.tr("It stays on this computer."))
        self._noted_words.setText("\n".join(lines) if events else self.tr("Nothing was noted yet."))
        self._forget.setVisible(bool(events))

    @Slot()
    def _forget_noted(self) -> None:
        self.shell.bridge.run(self.shell.app.guidance.learning.forget, owner=self, on_result=self._forgotten)

    def _forgotten(self, _: None) -> None:
        self._ask_noted()

    # --- what was decided

    def _people(self, card: Card) -> QWidget:
        brand = self.shell.app.settings.values.brand
        rows = (
            (self.tr("Name"), brand.name),
            (self.tr("Telephone"), brand.phone),
            (self.tr("E-mail"), brand.email),
            (self.tr("Web page"), brand.url),
            (self.tr("Hours"), brand.hours),
        )
        here = tuple((label, value) for label, value in rows if value)
        if not here:
            return Text(self.tr("IT has not said how to reach them."), ink="muted", parent=card)
        return FactRows(here, card)

    def _managed(self) -> Card:
        settings = self.shell.app.settings
        card = TitledCard(self.tr("Decided for this computer"), "shield", self)
        for problem in settings.problems:
            line = QHBoxLayout()
            line.setSpacing(theme.S)
            line.addWidget(Glyph("alert", tone="problem", size=16, parent=card), 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(Text(problem, selectable=True, parent=card), 1)
            card.content.addLayout(line)
        rows = []
        for key, label in SHOWN.items():
            words = self._words(key, settings.value(key))
            if words:
                locked = self.tr("{value} (set by IT)").format(value=words) if settings.origin(key).locked else words
                rows.append((QCoreApplication.translate("Settings", str(label)), locked))
        card.content.addWidget(FactRows(tuple(rows), card))
        return card

    def _words(self, key: str, value: object) -> str:
        """A setting's value as one would say it."""
        if key == "schedule.check_every_min":
            return self.tr("every %n min", "", int(str(value))) if value else self.tr("only when asked")
        if isinstance(value, bool):
            return self.tr("on") if value else self.tr("off")
        if isinstance(value, tuple):
            return self.tr("all") if "*" in value else ", ".join(map(str, value)) or self.tr("none")
        return {"system": self.tr("as the system has it"), "none": self.tr("none")}.get(str(value), str(value))

    @Slot(bool)
    def _set_autostart(self, wanted: bool) -> None:  # noqa: FBT001 -- Qt's signal
        try:
            if wanted:
                autostart.enable(self.shell.app.program)
            else:
                autostart.disable()
        except DesksideError as error:
            self._autostart.setChecked(autostart.is_enabled())
            self.show_error(error)
