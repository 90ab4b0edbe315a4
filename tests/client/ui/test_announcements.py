"""What IT has announced, where the employee meets it: beside the problem, in the form, in a notification when it is over."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
from fake_app import DNS, OUTAGE, UPKEEP, FakeApp, report
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton

from client.errors import StorageFault
from client.settings.schema import Schedule
from client.ui.courier import Courier
from client.ui.errands import Announced
from client.ui.start import Resident
from client.ui.widgets.known import LONGEST, KnownCard


class Held:
    """Errands that end when the test says so."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ends: list = []

    def __call__(self, errand, on_end, _parent):
        self.started.append(errand)
        self.ends.append(on_end)
        return self

    def stop(self) -> None: ...


@pytest.fixture
def app(tmp_path) -> FakeApp:
    app = FakeApp.filled(tmp_path)
    app.report = report(DNS)
    app.bulletin.sources = ("desk",)
    app.bulletin.here = (OUTAGE, UPKEEP)
    return app


@pytest.fixture
def shown(make_window, app):
    """Opens a page, and gives its window and the announcements on it."""

    def open_at(page: str, argument: object = None):
        window = make_window(app)
        window.go(page, argument)
        return window, lambda: [one for one in window.findChildren(KnownCard) if one.isVisible()]

    return open_at


def button(card: KnownCard, words: str) -> QAbstractButton:
    return next(
        one
        for one in card.findChildren(QAbstractButton)
        if one.text() == words or one.accessibleName().startswith(words)
    )


def test_a_problem_that_it_knows_of_need_not_be_reported(shown, app, qtbot) -> None:
    window, cards = shown("home")
    qtbot.waitUntil(lambda: len(cards()) == 2)
    names = [one.accessibleName() for one in cards()]
    assert sorted(names) == ["File server: maintenance tonight", f"IT knows about this. {OUTAGE.title}"]
    loud = [
        one.text() for one in window.findChildren(QPushButton) if one.isVisible() and one.property("kind") == "primary"
    ]
    assert loud == []


def test_whoever_wants_to_be_told_the_end_says_so_and_may_change_their_mind(shown, app, qtbot) -> None:
    _, cards = shown("home")
    qtbot.waitUntil(lambda: len(cards()) == 2)

    def press(words: str) -> None:
        card = next(one for one in cards() if "IT knows" in one.accessibleName())
        button(card, words).click()

    press("Tell me when it is over")
    qtbot.waitUntil(lambda: app.bulletin.waiting == {"desk-7"})
    qtbot.waitUntil(lambda: any(one.text() == "You will be told when it is over" for one in _buttons(cards())))
    press("You will be told when it is over")
    qtbot.waitUntil(lambda: app.bulletin.waiting == set())


def test_what_explains_nothing_here_can_be_hidden(shown, app, qtbot) -> None:
    _, cards = shown("home")
    qtbot.waitUntil(lambda: len(cards()) == 2)
    button(next(one for one in cards() if "File server" in one.accessibleName()), "Hide").click()
    qtbot.waitUntil(lambda: app.bulletin.away == {"feed-8"})
    qtbot.waitUntil(lambda: len(cards()) == 1)


def test_a_full_disk_is_said_and_nothing_changes(shown, app, qtbot) -> None:
    window, cards = shown("home")
    qtbot.waitUntil(lambda: len(cards()) == 2)
    app.storage_error = StorageFault("There is no room left to save it.")
    button(next(one for one in cards() if "File server" in one.accessibleName()), "Hide").click()
    qtbot.waitUntil(lambda: "There is no room left" in _words(window))
    assert len(cards()) == 2


def test_the_form_says_that_it_is_known_before_anything_is_typed(shown, app, qtbot) -> None:
    _, cards = shown("compose", app.new_draft(report=app.report))
    qtbot.waitUntil(lambda: [one.accessibleName() for one in cards()] == [f"IT knows about this. {OUTAGE.title}"])


def test_a_ticket_about_something_else_is_not_told_to_be_known(shown, app, qtbot) -> None:
    window, cards = shown("compose", app.new_draft(words="My chair squeaks"))
    qtbot.waitUntil(lambda: not window.shell.bridge.busy)
    assert cards() == []


def test_a_healthy_computer_still_shows_what_is_announced(shown, app, qtbot) -> None:
    app.report = report()
    _, cards = shown("home")
    qtbot.waitUntil(lambda: len(cards()) == 2)
    assert all("IT knows" not in one.accessibleName() for one in cards())


def test_a_long_or_strange_text_is_bounded(qtbot, qapp) -> None:
    odd = msgspec.structs.replace(OUTAGE, text="\u202eword\x00 " * 1000)
    card = KnownCard(odd, explains=False, watched=False)
    qtbot.addWidget(card)
    texts = [one.text() for one in card.findChildren(QLabel)]
    assert max(map(len, texts)) <= LONGEST + 4
    assert not any("\u202e" in one or "\x00" in one for one in texts)


def test_announcements_are_asked_for_when_the_window_opens_and_only_where_there_are_some(qapp, app) -> None:
    held = Held()
    courier = Courier(app=app, start=held)
    courier.set_window_open(True)
    assert held.started == ["announcements"]
    courier.set_window_open(True)
    assert held.started == ["announcements"], "one look at a time"
    app.bulletin.sources = ()
    other = Courier(app=app, start=held)
    other.set_window_open(True)
    assert held.started == ["announcements"]
    assert other.resting


def test_a_tray_asks_again_only_while_somebody_waits_for_an_end(qapp, app) -> None:
    held = Held()
    courier = Courier(app=app, start=held)
    courier.hear()
    app.bulletin.waiting = {"desk-7"}
    held.ends[0](Announced(()))
    assert not courier.resting
    app.bulletin.waiting = set()
    courier.wait_for_end()
    assert courier.resting
    app.bulletin.waiting = {"desk-7"}
    values = msgspec.structs.replace(app.settings.values, schedule=Schedule(news_every_min=0))
    app.settings = msgspec.structs.replace(app.settings, values=values)
    courier.wait_for_end()
    assert courier.resting, "IT has switched it off"


def test_what_is_over_is_told_with_what_to_do(qapp, app) -> None:
    held = Held()
    courier = Courier(app=app, start=held)
    told: list = []
    courier.announced.connect(told.append)
    courier.hear()
    held.ends[0](Announced((OUTAGE,)))
    courier.hear()
    held.ends[1](None)
    assert told == [(OUTAGE,), ()]


def _buttons(cards: list[KnownCard]) -> list[QPushButton]:
    return [one for card in cards for one in card.findChildren(QPushButton)]


def _words(window) -> str:
    return "\n".join(one.text() for one in window.findChildren(QLabel) if one.isVisible())


def test_the_end_of_an_outage_is_told_to_whoever_waited(qapp, app, monkeypatch) -> None:
    told: list = []
    monkeypatch.setattr(
        Resident, "herald", SimpleNamespace(tell=lambda title, words, **more: told.append((title, words, more["page"])))
    )
    resident = Resident(lambda: app)
    resident.courier.announced.emit((OUTAGE,))
    resident.close()
    ((title, words, page),) = told
    assert (title, page) == (f"It is over: {OUTAGE.title}", "home")
    assert "check again" in words
