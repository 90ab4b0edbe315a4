"""The client's side of the helper: absent, slow, lying or refusing, it is a sentence and never a wait of the window."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path

import pytest

from client.errors import ActionFault
from client.platform import helper
from client.platform.helper import PrivilegedHelper


@pytest.fixture
def answers(monkeypatch):
    """A helper that is installed and answers what the test says."""
    monkeypatch.setattr(helper, "is_installed", lambda: True)

    def say(answer) -> PrivilegedHelper:
        def ask(request, limit_s):
            told = answer(request) if callable(answer) else answer
            if isinstance(told, Exception):
                raise told
            return told

        monkeypatch.setattr(helper, "_ask", ask)
        return PrivilegedHelper(patience_s=10)

    return say


def call(asked: PrivilegedHelper, id: str = "dns.flush"):
    return asyncio.run(asked.call(id, {}, deadline_s=5))


def test_absent_it_offers_nothing_and_is_asked_nothing(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(helper, "INSTALLED", (str(tmp_path / "none"),))
    monkeypatch.setattr(helper, "_ask", lambda *_: pytest.fail("it was asked"))
    assert PrivilegedHelper(patience_s=10).offers() == frozenset()


def test_without_a_bus_it_cannot_be_reached(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    with pytest.raises(OSError, match=r"."):
        call(PrivilegedHelper(patience_s=1))


def test_what_it_lists_is_offered_and_asked_for_once(answers) -> None:
    asked = []
    one = answers(lambda request: asked.append(request) or {"ids": ["dns.flush", "clock.sync"]})
    assert one.offers() == one.offers() == frozenset({"dns.flush", "clock.sync"})
    assert asked == [{"ask": "list"}]


@pytest.mark.parametrize(
    "told", [{}, {"ids": None}, {"ids": "dns.flush"}, {"ids": {"dns.flush": 1}}, OSError("gone"), TimeoutError()]
)
def test_what_is_no_list_offers_nothing(answers, told) -> None:
    assert answers(told).offers() == frozenset()


def test_a_slow_one_is_not_waited_for_and_known_the_next_time(monkeypatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(helper, "is_installed", lambda: True)
    monkeypatch.setattr(helper, "_ask", lambda *_: go.wait(10) and {"ids": ["dns.flush"]})
    one = PrivilegedHelper(patience_s=0.01)
    began = time.monotonic()
    assert one.offers() == frozenset()
    assert time.monotonic() - began < 5
    go.set()
    assert one._answered.wait(10)
    assert one.offers() == frozenset({"dns.flush"})


def test_a_change_of_the_policy_is_seen_after_a_while(answers, monkeypatch) -> None:
    lists = iter([["dns.flush"], []])
    one = answers(lambda _: {"ids": next(lists)})
    assert one.offers() == frozenset({"dns.flush"})
    monkeypatch.setattr(helper, "ASKED_AGAIN_S", -1.0)
    ends = time.monotonic() + 10
    while one.offers():
        assert time.monotonic() < ends
        monkeypatch.setattr(helper, "ASKED_AGAIN_S", 3600.0)


def test_done_is_a_sentence(answers) -> None:
    assert call(answers({"ok": True, "reason": "done", "words": "It is done."})) == "It is done."


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("not-authorised", "Ask your IT department. Nothing was changed."),
        ("not-allowed", "Ask your IT department. Nothing was changed."),
        ("busy", "Wait a little, then try again."),
        ("failed", "Ask your IT department; tell them when you tried."),
        ("something new", "Ask your IT department. Nothing was changed."),
    ],
)
def test_a_refusal_says_what_to_do(answers, reason: str, hint: str) -> None:
    with pytest.raises(ActionFault, match="No, sorry") as refused:
        call(answers({"ok": False, "reason": reason, "words": "No, sorry."}))
    assert refused.value.hint == hint


@pytest.mark.parametrize("told", [{}, {"ok": 1}, {"ok": "true", "words": 5}])
def test_an_answer_of_another_shape_is_no_success(answers, told) -> None:
    with pytest.raises(ActionFault):
        call(answers(told))


def test_whoever_is_cancelled_stops_waiting_at_once(answers) -> None:
    go = threading.Event()
    one = answers(lambda _: go.wait(20) and {"ok": True, "words": "late"})

    async def impatient() -> None:
        async with asyncio.timeout(0.05):
            await one.call("updates.install", {}, deadline_s=7200)

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert time.monotonic() - began < 5
    go.set()


@pytest.mark.parametrize(
    ("said", "good"), [(b'{"ok": true}\n', True), (b"", False), (b"[]\n", False), (b"\xff\n", False), (b'{"ok"', False)]
)
def test_over_the_socket_only_an_object_is_an_answer(monkeypatch, tmp_path: Path, said: bytes, good: bool) -> None:  # noqa: FBT001
    place = str(tmp_path / "s")
    monkeypatch.setattr(helper, "SOCKET", place)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(place)
        listener.listen(1)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        answer = helper._ask_socket(b'{"ask": "list"}\n', 5.0)
        thread.join()
    if good:
        assert helper._answer(answer) == {"ok": True}
    else:
        with pytest.raises(OSError, match="before it answered"):
            helper._answer(answer)
