"""The network's return is told once for a burst of changes, soon, and not each time a line flaps."""

from __future__ import annotations

import socket

import pytest

from client.ui import network
from client.ui.network import NetworkReturn


class Bell:
    """A watch that rings when the test says so."""

    def __init__(self) -> None:
        self.mouth, self.ear = socket.socketpair()
        self.ear.setblocking(False)
        self.closed = 0

    @property
    def fileno(self) -> int:
        return self.ear.fileno()

    def changed(self) -> bool:
        return b"!" in self.ear.recv(100)

    def ring(self, what: bytes = b"!") -> None:
        self.mouth.send(what)

    def close(self) -> None:
        self.closed += 1
        self.mouth.close()
        self.ear.close()


@pytest.fixture
def bell(monkeypatch):
    monkeypatch.setattr(network, "SETTLES_MS", 20)
    monkeypatch.setattr(network, "REST_MS", 150)
    return Bell()


@pytest.fixture
def told(qapp, bell):
    made = NetworkReturn(watch=bell)
    made.count = 0

    def count() -> None:
        made.count += 1

    made.returned.connect(count)
    yield made
    made.close()


def test_a_burst_is_told_once_and_a_flapping_line_not_each_time(told, bell, qtbot) -> None:
    for _ in range(5):
        bell.ring()
    qtbot.waitUntil(lambda: told.count == 1)
    for _ in range(5):
        bell.ring()
        qtbot.wait(10)
    assert told.count == 1
    qtbot.waitUntil(lambda: told.count == 2)


def test_a_change_that_leads_nowhere_is_not_told(told, bell, qtbot) -> None:
    bell.ring(b".")
    qtbot.wait(60)
    assert told.count == 0
    bell.ring()
    qtbot.waitUntil(lambda: told.count == 1)


def test_after_the_end_nothing_is_told(told, bell, qtbot) -> None:
    bell.ring()
    qtbot.waitUntil(told._settling.isActive)
    told.close()
    told.close()
    qtbot.wait(60)
    assert (told.count, bell.closed) == (0, 1)


def test_a_system_that_cannot_be_watched_tells_nothing(qapp, monkeypatch) -> None:
    monkeypatch.setattr(network, "open_watch", lambda: None)
    made = NetworkReturn()
    made.close()
