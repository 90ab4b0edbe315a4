"""The courier: timers only where something waits, errands in a child, nothing told twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec
import pytest
from fake_app import COMMENTS, OUTBOX, TICKETS, FakeApp, fake_errands
from PySide6.QtCore import QObject

from client.model import SendState
from client.settings.schema import Schedule
from client.ui import courier as module
from client.ui.checkup import Checkup
from client.ui.courier import Courier
from client.ui.errands import Delivered, News, Run


class Held:
    """Errands that end when the test says so."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ends: list = []
        self.stopped = 0

    def __call__(self, errand, on_end, _parent):
        self.started.append(errand)
        self.ends.append(on_end)
        return self

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def held(monkeypatch) -> Held:
    monkeypatch.setattr(module, "LEAST_MS", 1)
    return Held()


def with_database(app: FakeApp) -> FakeApp:
    app.paths.data.mkdir(parents=True)
    (app.paths.data / "outbox.sqlite3").touch()
    return app


def test_a_fresh_installation_has_no_timer(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    courier.begin()
    assert courier.resting


def test_what_waits_is_delivered_and_then_it_rests(qtbot, tmp_path, held) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    app.entries = OUTBOX[:1]
    courier = Courier(app=app, start=held)
    told: list = []
    courier.delivered.connect(told.append)
    courier.begin()
    qtbot.waitUntil(lambda: held.started == ["deliver"])
    app.entries = ()
    sent = (msgspec.structs.replace(OUTBOX[0], state=SendState.SENT),)
    held.ends[0](Delivered(sent))
    assert told == [sent]
    assert not courier.sending
    assert not courier.resting  # a ticket was sent: from now on answers are asked for
    courier.close()
    assert courier.resting


def test_two_deliveries_never_run_at_once(qtbot, tmp_path, held) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    app.entries = OUTBOX[:1]
    courier = Courier(app=app, start=held)
    courier.begin()
    qtbot.waitUntil(lambda: held.started == ["deliver"])
    courier.arrange()
    qtbot.wait(30)
    assert held.started == ["deliver"]


def test_a_delivery_that_cannot_begin_is_tried_later_and_not_at_once(qtbot, tmp_path, held) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    app.entries = OUTBOX[:1]
    courier = Courier(app=app, start=held)
    courier.begin()
    qtbot.waitUntil(lambda: held.started == ["deliver"])
    held.ends[0](None)
    qtbot.wait(30)
    assert held.started == ["deliver"]
    assert courier._due.isActive()
    assert courier._due.interval() >= module.CLOSED_MIN * module.MINUTE_MS


def minutes(courier: Courier) -> float:
    assert courier._ask.isActive()
    return courier._ask.interval() / module.MINUTE_MS


def test_answers_are_asked_for_rarely_while_no_ticket_is_open_and_never_without_tickets(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    courier.watch_tickets(TICKETS)
    assert minutes(courier) < module.QUIET_MIN
    courier.watch_tickets(TICKETS[2:])
    assert minutes(courier) >= module.QUIET_MIN
    courier.set_window_open(True)
    assert minutes(courier) >= module.QUIET_MIN
    courier.watch_tickets(())
    assert courier.resting


def test_after_a_start_the_pause_goes_on_where_it_stood(qapp, tmp_path, held, monkeypatch) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    courier = Courier(app=app, start=held)
    for hours, least, most in ((0, 6, 9), (5, 1, 2), (100, 0, 0.2)):
        monkeypatch.setattr(app, "listed_s", lambda hours=hours: hours * 3600)
        courier.begin()
        assert least * 60 <= minutes(courier) <= most * 60


def test_a_desk_that_cannot_be_asked_is_asked_more_and_more_rarely(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    courier.watch_tickets(TICKETS)
    pauses = []
    for number in range(8):
        courier._fetch()
        held.ends[number](None)
        pauses.append(minutes(courier))
    assert pauses[1] > pauses[0] > module.CLOSED_MIN
    assert all(module.FAILING_MIN <= one <= module.FAILING_MIN * (1 + module.JITTER) for one in pauses[4:])
    courier._fetch()
    held.ends[8](News((), is_open=True))
    assert minutes(courier) <= 30


def test_nobody_asks_more_often_than_every_five_minutes_behind_a_closed_window(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    for _ in range(50):
        courier._ask.stop()
        courier.watch_tickets(TICKETS)
        assert courier._ask.interval() >= module.CLOSED_MIN * module.MINUTE_MS
    courier.set_window_open(True)
    assert courier._ask.interval() < module.CLOSED_MIN * module.MINUTE_MS


def test_intervals_differ_from_computer_to_computer(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    seen = set()
    for _ in range(20):
        courier._ask.stop()
        courier.watch_tickets(TICKETS)
        seen.add(courier._ask.interval())
    assert len(seen) > 10


def test_it_can_switch_the_asking_off(qapp, tmp_path, held) -> None:
    app = FakeApp.empty(tmp_path)
    app.settings = msgspec.structs.replace(
        app.settings, values=msgspec.structs.replace(app.settings.values, schedule=Schedule(news_every_min=0))
    )
    courier = Courier(app=app, start=held)
    courier.watch_tickets(TICKETS)
    assert courier.resting


def test_answers_are_told_and_asking_goes_on_while_something_is_open(qapp, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    told: list = []
    courier.answered.connect(told.append)
    courier._fetch()
    held.ends[0](News(((TICKETS[0], COMMENTS[1]),), is_open=True))
    assert told == [((TICKETS[0], COMMENTS[1]),)]
    assert courier._ask.isActive()
    courier._ask.stop()
    courier._fetch()
    held.ends[1](News((), is_open=False))
    assert minutes(courier) >= module.QUIET_MIN


# --- the network returns


def test_what_waits_goes_when_the_network_returns(qtbot, tmp_path, held, monkeypatch) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    monkeypatch.setattr(app, "next_delivery", lambda: 600.0)
    courier = Courier(app=app, start=held)
    courier.begin()
    courier.network_returned()
    assert held.started == ["resume"]
    held.ends[0](Delivered(()))
    assert courier._due.isActive()
    assert held.started == ["resume"]


def test_what_began_without_a_network_is_tried_again_with_one(qtbot, tmp_path, held, monkeypatch) -> None:
    app = with_database(FakeApp.empty(tmp_path))
    monkeypatch.setattr(app, "next_delivery", lambda: 600.0)
    courier = Courier(app=app, start=held)
    courier._deliver()
    courier.network_returned()
    courier.network_returned()
    assert held.started == ["deliver"]
    held.ends[0](Delivered(()))
    assert held.started == ["deliver", "resume"]
    held.ends[1](Delivered(()))
    assert held.started == ["deliver", "resume"]


def test_a_computer_on_which_nothing_waits_starts_nothing(qapp, tmp_path, held) -> None:
    fresh = Courier(app=FakeApp.empty(tmp_path), start=held)
    fresh.network_returned()
    used = Courier(app=with_database(FakeApp.empty(tmp_path)), start=held)
    used.network_returned()
    assert held.started == []
    assert fresh.resting


def test_at_the_end_what_runs_is_stopped(qtbot, tmp_path, held) -> None:
    courier = Courier(app=FakeApp.empty(tmp_path), start=held)
    courier._fetch()
    courier.close()
    assert held.stopped == 1
    assert courier.resting


# --- the child


def child(tmp_path: Path, code: str) -> tuple[str, ...]:
    script = tmp_path / "child.py"
    script.write_text(code)
    return (sys.executable, str(script))


@pytest.fixture
def owner(qapp) -> QObject:
    return QObject()


def test_a_child_brings_what_was_sent(qtbot, tmp_path, owner) -> None:
    entries = msgspec.json.encode({"entries": OUTBOX}).decode()
    program = child(tmp_path, f"import sys; assert sys.argv[1:] == ['errand', 'deliver']; print({entries!r})")
    brought: list = []
    Run(program, "deliver", brought.append, owner)
    qtbot.waitUntil(lambda: len(brought) == 1)
    assert brought[0].entries == OUTBOX


def test_a_child_brings_the_news(qtbot, tmp_path, owner) -> None:
    said = msgspec.json.encode({"news": [(TICKETS[0], COMMENTS[1])], "open": True}).decode()
    brought: list = []
    Run(child(tmp_path, f"print({said!r})"), "news", brought.append, owner)
    qtbot.waitUntil(lambda: len(brought) == 1)
    assert (brought[0].answers, brought[0].is_open) == (((TICKETS[0], COMMENTS[1]),), True)


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "print('not JSON')",
        f"print({json.dumps({'entries': [{'id': 1}]})!r})",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "",
    ],
    ids=["refuses", "babbles", "says something else", "is killed", "says nothing"],
)
def test_a_child_that_fails_brings_nothing(qtbot, tmp_path, owner, code) -> None:
    brought: list = []
    Run(child(tmp_path, code), "deliver", brought.append, owner)
    qtbot.waitUntil(lambda: brought == [None])


def test_a_program_that_is_not_there_brings_nothing(qtbot, tmp_path, owner) -> None:
    brought: list = []
    Run((str(tmp_path / "missing"),), "deliver", brought.append, owner)
    qtbot.waitUntil(lambda: brought == [None])


def test_a_stopped_child_is_gone_and_calls_nobody(qtbot, tmp_path, owner) -> None:
    brought: list = []
    run = Run(child(tmp_path, "import time; time.sleep(60)"), "deliver", brought.append, owner)
    qtbot.waitUntil(lambda: run._process.processId() > 0)
    pid = run._process.processId()
    run.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert brought == []


# --- the check by the clock


def test_no_timer_checks_unless_it_wants_that(qapp, bridge) -> None:
    checkup = Checkup(app=FakeApp.empty(), bridge=bridge)
    checkup.repeat(0)
    assert not checkup._rota.isActive()
    checkup.repeat(60)
    assert 60 * 60_000 <= checkup._rota.interval() <= 66 * 60_000


def test_events_of_a_stopped_check_are_not_heard(qtbot, bridge) -> None:
    app = FakeApp.filled()
    app.pause_s = 0.01
    checkup = Checkup(app=app, bridge=bridge)
    heard: list = []
    checkup.heard.connect(heard.append)
    checkup.start()
    qtbot.waitUntil(lambda: len(heard) > 3)
    checkup.cancel()
    count = len(heard)
    qtbot.wait(50)
    assert len(heard) == count
    assert not checkup.running


def test_in_tests_errands_go_through_the_bridge(qtbot, bridge) -> None:
    app = FakeApp.filled()
    courier = Courier(app=app, start=fake_errands(app, bridge))
    with qtbot.waitSignal(courier.delivered):
        courier._deliver()
    assert ("deliver", None) in app.said
