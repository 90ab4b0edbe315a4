"""Notifications on a real bus with a daemon of our own that can be told what to do."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MatchRule, new_error, new_method_return, new_signal  # type: ignore[import-untyped]
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

from client.platform.notifications import MOST_OPEN, Notifications

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        daemon.terminate()


class Daemon:
    """A notification daemon that records what it is asked to show."""

    def __init__(
        self, capabilities: tuple[str, ...] = ("actions", "body", "body-markup"), *, refuses: bool = False
    ) -> None:
        self.capabilities, self.refuses = capabilities, refuses
        self.shown: list[tuple[Any, ...]] = []
        self.closed: list[int] = []
        self.connection = open_dbus_connection("SESSION")
        self.connection.send_and_get_reply(message_bus.RequestName(NAME))
        self.filter = self.connection.filter(MatchRule(type="method_call", interface=NAME), bufsize=100)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                call = self.connection.recv_until_filtered(self.filter.queue)
            except OSError:
                return
            match call.header.fields[HeaderFields.member]:
                case "GetCapabilities":
                    self.connection.send(new_method_return(call, "as", (list(self.capabilities),)))
                case "Notify" if self.refuses:
                    self.connection.send(new_error(call, "org.freedesktop.DBus.Error.LimitsExceeded"))
                case "Notify":
                    self.shown.append(call.body)
                    self.connection.send(new_method_return(call, "u", (len(self.shown),)))
                case "CloseNotification":
                    self.closed.append(call.body[0])
                    self.connection.send(new_method_return(call))
                    self.say("NotificationClosed", "uu", (call.body[0], 3))
                case _:
                    self.connection.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def say(self, member: str, signature: str, body: tuple[Any, ...]) -> None:
        self.connection.send(new_signal(DBusAddress(PATH, interface=NAME), member, signature, body))

    def stop(self) -> None:
        import socket

        if self.thread.is_alive():
            self.connection.sock.shutdown(socket.SHUT_RDWR)
            self.thread.join(10)
            self.connection.close()


@pytest.fixture
def make_daemon(bus: str) -> Iterator[Callable[..., Daemon]]:
    made: list[Daemon] = []

    def make(*words: Any, **named: Any) -> Daemon:
        made.append(Daemon(*words, **named))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def notifications() -> Iterator[Notifications]:
    made = Notifications()
    yield made
    made.close()
    assert watchers() == []


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deskside-notification"]


def until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.01)


def show(
    notifications: Notifications, on_action: Callable[[], None] = lambda: None, text: str = "We <fixed> it & more"
) -> bool:
    return notifications.notify("Answer\nfrom IT", text, action="Show", on_action=on_action)


def test_a_click_calls_back_once_and_leaves_nothing(
    make_daemon: Callable[..., Daemon], notifications: Notifications
) -> None:
    daemon = make_daemon()
    clicks: list[str] = []
    assert show(notifications, lambda: clicks.append(threading.current_thread().name))
    (app, replaces, _, title, body, actions, _, _) = daemon.shown[0]
    assert (app, replaces, title, body) == ("Deskside", 0, "Answer from IT", "We &lt;fixed&gt; it &amp; more")
    assert actions == ["default", "Show", "show", "Show"]
    daemon.say("ActionInvoked", "us", (99, "default"))  # somebody else's
    daemon.say("ActivationToken", "us", (1, "token-1"))
    daemon.say("ActionInvoked", "us", (1, "default"))
    daemon.say("ActionInvoked", "us", (1, "default"))
    until(lambda: not watchers())
    assert clicks == ["deskside-notification"]
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "token-1"


def test_dismissed_is_not_clicked(make_daemon: Callable[..., Daemon], notifications: Notifications) -> None:
    daemon = make_daemon()
    clicks: list[int] = []
    assert show(notifications, lambda: clicks.append(1))
    daemon.say("NotificationClosed", "uu", (1, 2))
    until(lambda: not watchers())
    assert clicks == []


def test_a_daemon_without_actions_or_markup_gets_plain_words(
    make_daemon: Callable[..., Daemon], notifications: Notifications
) -> None:
    daemon = make_daemon(("body",))
    assert show(notifications)
    assert daemon.shown[0][4:6] == ("We <fixed> it & more", [])


def test_closing_takes_everything_down(make_daemon: Callable[..., Daemon], notifications: Notifications) -> None:
    daemon = make_daemon()
    for _ in range(MOST_OPEN + 2):
        assert show(notifications)
    assert sorted(daemon.closed) == [1, 2]  # nobody needs more at once
    notifications.close()
    assert sorted(daemon.closed) == list(range(1, MOST_OPEN + 3))
    assert watchers() == []


def test_long_text_is_cut(make_daemon: Callable[..., Daemon], notifications: Notifications) -> None:
    daemon = make_daemon(("body",))
    assert show(notifications, text="word " * 1000)
    assert len(daemon.shown[0][4]) == 300
    assert daemon.shown[0][4].endswith("…")


def test_a_daemon_that_refuses_or_dies_is_no_fault(
    make_daemon: Callable[..., Daemon], notifications: Notifications
) -> None:
    daemon = make_daemon(refuses=True)
    assert not show(notifications)
    daemon.refuses = False
    assert show(notifications)
    daemon.stop()


def test_without_a_daemon_nothing_is_shown(bus: str, notifications: Notifications) -> None:
    assert not show(notifications)


def test_without_a_bus_nothing_is_shown(monkeypatch: pytest.MonkeyPatch, notifications: Notifications) -> None:
    assert not show(notifications)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    assert not show(notifications)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "nonsense")
    assert not show(notifications)


def test_callbacks_that_raise_do_not_escape(make_daemon: Callable[..., Daemon], notifications: Notifications) -> None:
    daemon = make_daemon()

    def fail() -> None:
        raise RuntimeError("a mistake of ours")

    assert show(notifications, fail)
    daemon.say("ActionInvoked", "us", (1, "show"))
    until(lambda: not watchers())
