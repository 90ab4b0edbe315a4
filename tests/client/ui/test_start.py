"""The resident program: light until the icon is shown, one at a time, and it says what happened while nobody looked."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from datetime import time
from pathlib import Path

import msgspec
import pytest
from fake_app import CABLE, COMMENTS, DNS, OUTBOX, TICKETS, FakeApp, report
from PySide6.QtWidgets import QSystemTrayIcon

from client.model import Created, SendState, State
from client.platform.single_instance import SingleInstance
from client.settings.schema import Notifications
from client.ui import herald as herald_module
from client.ui import start
from client.ui.process import can_start_anew
from client.ui.start import Resident
from client.ui.tray import Tray

ROOT = Path(__file__).parents[3]


class Bell:
    """In the place of the system's notifications: keeps what is told."""

    told: list[tuple[str, str, str]]

    def __init__(self) -> None:
        self.told = []
        self.clicks: list = []
        self.open_count = 0

    def notify(self, title, text, *, action, on_action) -> bool:
        self.told.append((title, text, action))
        self.clicks.append(on_action)
        return True

    def close(self) -> None:
        """Nothing to take down."""


@pytest.fixture
def bell(monkeypatch) -> Bell:
    made = Bell()
    monkeypatch.setattr("client.platform.notifications.Notifications", lambda: made)
    return made


@pytest.fixture
def reside(qapp, qtbot, monkeypatch, tmp_path, bell):
    """Starts the resident part around an app. `icon` says whether there is a tray host."""
    made: list[Resident] = []

    def begin(app: FakeApp, *, icon: bool = True, page: str | None = None, instance=None) -> Resident:
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: icon))
        resident = Resident(lambda: app, instance=instance, page=page)
        quits: list[bool] = []
        monkeypatch.setattr(resident, "quit", lambda: quits.append(True))
        resident.quits = quits
        resident.show()
        qtbot.waitUntil(lambda: resident._courier is not None)
        made.append(resident)
        return resident

    yield begin
    for resident in made:
        resident.close()


LIGHT = """
import sys
from PySide6.QtCore import QTimer
import client.ui.start as start

def make():
    heavy = {"asyncio", "httpx", "keyring", "psutil", "sqlite3", "jinja2", "dns", "PySide6.QtSvg", "PySide6.QtNetwork"}
    pages = [one for one in sys.modules if one.startswith(("client.ui.pages", "client.ui.widgets", "client.app"))]
    found = sorted(heavy & set(sys.modules)) + pages
    print("too early:", found)
    sys.stdout.flush()
    import os
    os._exit(0)

start.main(make)
"""


def test_until_the_icon_is_shown_nothing_heavy_is_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        cwd=ROOT,
        env={**os.environ, "DESKSIDE_TRACE_START": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "too early: []", done.stderr
    assert "tray ready" in done.stderr.splitlines()


REST = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QSystemTrayIcon
QSystemTrayIcon.isSystemTrayAvailable = staticmethod(lambda: True)
import client.ui.start as start
from client.app import build

def look():
    heavy = {"asyncio", "httpx", "keyring", "psutil", "jinja2", "dns", "PySide6.QtSvg"}
    print("at rest:", sorted(heavy & set(sys.modules)))
    sys.stdout.flush()
    import os
    os._exit(0)

def make():
    QTimer.singleShot(300, look)
    return build()

start.main(make)
"""


def test_at_rest_neither_network_nor_keyring_nor_asyncio_are_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REST], cwd=ROOT, env=os.environ, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "at rest: []", done.stderr


def test_broken_settings_end_the_program_with_their_sentence() -> None:
    code = """
        import client.ui.start as start
        from client.errors import SettingsFault
        def make():
            raise SettingsFault("The settings file cannot be read.")
        try:
            start.main(make)
        except SettingsFault as error:
            print("said:", error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "said: The settings file cannot be read.", done.stderr


def test_a_sigterm_ends_it_in_good_order() -> None:
    code = """
        import os, signal, sys
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QSystemTrayIcon
        QSystemTrayIcon.isSystemTrayAvailable = staticmethod(lambda: True)
        import client.ui.start as start
        from client.app import build
        def make():
            QTimer.singleShot(100, lambda: os.kill(os.getpid(), signal.SIGTERM))
            return build()
        code = start.main(make)
        print("ended with", code)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "ended with 0", done.stderr


# --- the icon


def test_icon_tooltip_menu_and_window_say_the_same(reside, qtbot) -> None:
    resident = reside(FakeApp.filled())
    tooltip = resident.tray.icon.toolTip()
    assert tooltip.splitlines()[:2] == ["The problem is on the way to the internet", DNS.title]
    assert resident.tray.menu.actions()[0].text() == "The problem is on the way to the internet"
    resident.open("home")
    assert resident.window.page._headline.text() == "The problem is on the way to the internet"


@pytest.mark.parametrize("state", list(State))
def test_while_a_check_runs_the_menu_offers_no_second_one(qapp, state) -> None:
    tray = Tray()
    tray.show_state(state, "Headline & more")
    actions = {one.text(): one for one in tray.menu.actions()}
    assert actions["Check now"].isEnabled() == (state is not State.CHECKING)
    assert "Headline && more" in actions


def test_the_menu_leads_everywhere(qtbot, reside) -> None:
    resident = reside(FakeApp.filled())
    actions = {one.text(): one for one in resident.tray.menu.actions()}
    for words, page in (("Open Deskside", "home"), ("Report a problem…", "compose"), ("My tickets", "tickets")):
        actions[words].trigger()
        assert resident.window.here == page
    actions["Quit"].trigger()


def test_a_click_opens_the_window_where_it_was(reside) -> None:
    resident = reside(FakeApp.filled())
    resident.tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    resident.window.go("device")
    resident.window.hide()
    resident.tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert resident.window.isVisible()
    assert resident.window.here == "device"


# --- the window comes and goes


def test_with_an_icon_nothing_pops_up_at_the_start(reside) -> None:
    assert reside(FakeApp.filled())._window is None


def test_without_a_tray_host_the_window_opens(reside, qtbot) -> None:
    resident = reside(FakeApp.filled(), icon=False)
    qtbot.waitUntil(lambda: resident._window is not None and resident._window.isVisible())


def test_at_sign_in_nothing_pops_up_even_without_a_tray_host(reside, qtbot, monkeypatch) -> None:
    monkeypatch.setenv("DESKSIDE_AT_SIGN_IN", "1")
    resident = reside(FakeApp.filled(), icon=False)
    qtbot.wait(50)
    assert resident._window is None
    resident.open("")
    assert resident.window.isVisible()


def test_a_panel_that_comes_later_gets_an_icon_of_its_own(reside, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(start, "PANEL_LOOK_MS", 5)
    monkeypatch.setenv("DESKSIDE_AT_SIGN_IN", "1")
    resident = reside(FakeApp.filled(), icon=False)
    first = resident.tray.icon
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    qtbot.waitUntil(lambda: resident.tray.icon is not first)
    assert resident.tray.icon.isVisible()
    assert resident.tray.icon.toolTip().startswith("The problem is on the way to the internet")


def test_without_a_tray_host_closing_the_window_ends_the_program(reside, qtbot) -> None:
    resident = reside(FakeApp.healthy(), icon=False)
    qtbot.waitUntil(lambda: resident._window is not None)
    resident.window.close()
    assert resident.quits


def test_without_a_tray_host_it_stays_while_something_waits_and_says_so(reside, qtbot, bell) -> None:
    app = FakeApp.healthy()
    app.entries = OUTBOX[:1]
    resident = reside(app, icon=False)
    qtbot.waitUntil(lambda: resident._window is not None)
    resident.window.close()
    assert not resident.quits
    qtbot.waitUntil(lambda: [one[0] for one in bell.told] == ["Something still waits to be sent"])
    app.entries = ()
    resident.courier.arrange()
    assert resident.quits


def test_a_window_closed_for_a_while_is_destroyed_and_comes_back(reside, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(start, "CLOSED_S", 0)
    monkeypatch.setattr(start, "can_start_anew", lambda _: False)
    resident = reside(FakeApp.filled())
    resident.open("device")
    first = resident.window
    with qtbot.waitSignal(first.destroyed):
        first.close()
    assert resident._window is None
    resident.open("")
    assert resident.window is not first


def test_it_starts_anew_only_when_nothing_at_all_goes_on(reside, qtbot, monkeypatch, bell) -> None:
    monkeypatch.setattr(start, "CLOSED_S", 0)
    monkeypatch.setattr(start, "can_start_anew", lambda _: True)
    resident = reside(FakeApp.healthy())
    resident.herald.tell("A", "B", action="Show", page="home")
    qtbot.waitUntil(lambda: len(bell.told) == 1)
    bell.open_count = 1
    resident.open("home")
    resident.window.close()
    qtbot.waitUntil(lambda: resident._window is None)
    qtbot.wait(20)
    assert not resident.anew  # its notification could no longer be clicked
    bell.open_count = 0
    resident._shrink()
    assert resident.anew


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot replace itself")
@pytest.mark.parametrize(
    ("words", "may"),
    [
        ([], True),
        (["open"], True),
        (["open", "device"], True),
        (["--settings", "a.toml"], True),
        (["--settings=a.toml", "open"], True),
        (["demo"], False),
        (["--settings", "a.toml", "demo"], False),
    ],
)
def test_only_the_tray_itself_starts_anew(words, may) -> None:
    """`deskside demo` holds a help desk that would end with its process."""
    assert can_start_anew(words) is may


def test_a_second_start_opens_the_first_ones_window(reside, qtbot, tmp_path) -> None:
    with SingleInstance(tmp_path / "claim") as first:
        assert first.claim()
        resident = reside(FakeApp.filled(), instance=first)
        for wish, page in (("open device", "device"), ("open article disk-full", "article"), ("open", "article")):
            knock(tmp_path / "claim", wish)
            qtbot.waitUntil(lambda page=page: resident._window is not None and resident.window.here == page)


KNOCK = """
import sys
from pathlib import Path
from client.platform.single_instance import SingleInstance
SingleInstance(Path(sys.argv[1])).send(sys.argv[2])
"""


def knock(folder: Path, wish: str) -> None:
    """Another start, which waits for the answer while our event loop goes on."""
    words = [sys.executable, "-c", KNOCK, str(folder), wish]
    threading.Thread(target=subprocess.run, args=(words,), kwargs={"cwd": ROOT, "check": False}, daemon=True).start()


def test_a_sign_in_elsewhere_lets_go_what_waits(reside, qtbot, tmp_path) -> None:
    with SingleInstance(tmp_path / "claim") as first:
        assert first.claim()
        app = FakeApp.filled()
        resident = reside(app, instance=first)
        arranged = []
        resident.courier.outbox_changed.connect(lambda: arranged.append(True))
        with qtbot.waitSignal(resident.courier.sign_in_changed):
            knock(tmp_path / "claim", "sign-in")
        assert ("sign_in_changed", None) in app.said
        assert arranged
        assert resident._window is None


@pytest.mark.parametrize("wish", ["open no-such-page", "open ../../etc", "run rm", "openhome"])
def test_a_wish_that_is_none_does_no_harm(reside, wish) -> None:
    class Knocked:
        fileno = -1

        def receive(self) -> str:
            return wish

    resident = reside(FakeApp.filled())
    resident._instance = Knocked()
    resident._knock()
    assert resident._window is None or resident.window.here == "home"


# --- what is told


def test_a_new_problem_is_told_once(reside, qtbot, bell) -> None:
    app = FakeApp.healthy()
    resident = reside(app)
    app.next_report = report(CABLE)
    resident.checkup.start()
    qtbot.waitUntil(lambda: len(bell.told) == 1)
    assert bell.told[0][0] == "This computer has no way into the network"
    with qtbot.waitSignal(resident.checkup.ended):
        resident.checkup.start()
    qtbot.wait(20)
    assert len(bell.told) == 1


def test_a_check_from_the_menu_says_how_it_ended(reside, qtbot, bell) -> None:
    resident = reside(FakeApp.healthy())
    next(one for one in resident.tray.menu.actions() if one.text() == "Check now").trigger()
    qtbot.waitUntil(lambda: len(bell.told) == 1)
    assert bell.told[0][0] == "Everything looks fine"


def test_whoever_looks_at_the_window_is_not_told_again(reside, qtbot, bell) -> None:
    app = FakeApp.healthy()
    resident = reside(app)
    resident.open("home")
    app.next_report = report(CABLE)
    with qtbot.waitSignal(resident.checkup.ended):
        resident.checkup.start()
    qtbot.wait(20)
    assert bell.told == []


def test_a_click_on_an_answer_opens_its_conversation(reside, qtbot, bell) -> None:
    resident = reside(FakeApp.filled())
    resident.courier.answered.emit(((TICKETS[0], COMMENTS[1]),))
    qtbot.waitUntil(lambda: len(bell.told) == 1)
    assert bell.told[0][0] == "Priya Nair answered"
    bell.clicks[0]()
    qtbot.waitUntil(lambda: resident._window is not None and resident.window.here == "conversation")
    assert resident.window._history[-1] == ("conversation", "412")


def test_many_answers_are_one_notification(reside, qtbot, bell) -> None:
    resident = reside(FakeApp.filled())
    resident.courier.answered.emit(((TICKETS[0], COMMENTS[1]), (TICKETS[1], COMMENTS[1])))
    qtbot.waitUntil(lambda: len(bell.told) == 1)
    assert bell.told[0][0] == "IT has answered"


def test_sent_is_told_with_the_tickets_number_and_refused_with_the_reason(reside, qtbot, bell) -> None:
    resident = reside(FakeApp.filled())
    sent = msgspec.structs.replace(OUTBOX[0], state=SendState.SENT, ticket=Created(id="413", ref="IT-413"))
    resident.courier.delivered.emit((sent, OUTBOX[2]))
    qtbot.waitUntil(lambda: len(bell.told) == 2)
    assert "IT-413" in bell.told[0][1]
    assert "trace.zip" in bell.told[1][1]


@pytest.mark.parametrize(
    ("wishes", "now", "quiet"),
    [
        (Notifications(), time(3, 0), False),
        (Notifications(enabled=False), time(12, 0), True),
        (Notifications(quiet_from="22:00", quiet_to="07:00"), time(23, 0), True),
        (Notifications(quiet_from="22:00", quiet_to="07:00"), time(6, 59), True),
        (Notifications(quiet_from="22:00", quiet_to="07:00"), time(7, 0), False),
        (Notifications(quiet_from="12:00", quiet_to="13:00"), time(12, 30), True),
        (Notifications(quiet_from="12:00", quiet_to="13:00"), time(13, 30), False),
        (Notifications(quiet_from="12:00"), time(12, 30), False),
    ],
)
def test_quiet_hours_are_kept(bridge, wishes, now, quiet) -> None:
    app = FakeApp.empty()
    app.settings = msgspec.structs.replace(
        app.settings, values=msgspec.structs.replace(app.settings.values, notifications=wishes)
    )
    herald = herald_module.Herald(app=app, bridge=bridge, icon=None)
    assert herald.quiet(now) is quiet
