"""Waiting for one entry while somebody watches: what each state means for the exit code and the words."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from client.cli import sending
from client.cli.sending import code_of, print_entry, send_now
from client.errors import DesksideBug
from client.model import Created, OutboxEntry, SendState

ENTRY = OutboxEntry(
    id="0123456789abcdef",
    kind="ticket",
    state=SendState.WAITING,
    subject="x",
    created_at=datetime(2026, 1, 31, tzinfo=UTC),
)
TICKET = Created(id="7", ref="IT-7", url="https://help.example.com/7")

# state -> exit code, words
STATES = {
    SendState.SENT: (0, "Your ticket was sent: IT-7."),
    SendState.REFUSED: (3, "Your ticket was not accepted. It is kept here."),
    SendState.UNSURE: (4, "may have arrived"),
    SendState.CREATED: (4, "its files are still on their way"),
    SendState.WAITING: (4, "is kept on this computer and will be sent"),
    SendState.SENDING: (4, "is kept on this computer and will be sent"),
}


@pytest.mark.parametrize("state", SendState)
def test_every_state_is_told_honestly(state: SendState, capsys: pytest.CaptureFixture[str]) -> None:
    code, words = STATES[state]
    entry = msgspec.structs.replace(ENTRY, state=state, ticket=TICKET, last_error="The help desk said no.")
    assert code_of(entry) == code
    print_entry(entry)
    out = capsys.readouterr().out
    assert words in out
    assert ("sent:" in out) is (state is SendState.SENT)
    assert ("The help desk said no." in out) is (state is not SendState.SENT)


class Desk:
    """An outbox that goes through states, one each time it is looked at."""

    def __init__(self, *states: tuple[SendState, int], last_error: str = "") -> None:
        self.states = list(states)
        self.last_error = last_error
        self.delivered = 0

    async def deliver(self) -> tuple[OutboxEntry, ...]:
        self.delivered += 1
        return ()

    async def outbox(self) -> tuple[OutboxEntry, ...]:
        state, attempts = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return (msgspec.structs.replace(ENTRY, state=state, attempts=attempts, last_error=self.last_error),)


def ends(*states: tuple[SendState, int]) -> tuple[OutboxEntry, int]:
    desk: Any = Desk(*states)
    return asyncio.run(send_now(desk, ENTRY.id)), desk.delivered


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_POLL_S", 0.001)


def test_what_another_process_sends_is_waited_for() -> None:
    entry, looks = ends((SendState.WAITING, 0), (SendState.SENDING, 1), (SendState.CREATED, 1), (SendState.SENT, 1))
    assert (entry.state, looks) == (SendState.SENT, 4)


def test_a_failed_attempt_is_not_waited_for() -> None:
    assert ends((SendState.WAITING, 1))[1] == 1


def test_what_could_not_even_be_tried_is_not_waited_for() -> None:
    desk: Any = Desk((SendState.WAITING, 0), last_error="The password store is locked.")
    asyncio.run(send_now(desk, ENTRY.id))
    assert desk.delivered == 1


def test_the_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAIT_S", 0.05)
    monkeypatch.setattr(sending, "OTHERS_S", 0.05)
    assert ends((SendState.SENDING, 1))[0].state is SendState.SENDING
    assert ends((SendState.WAITING, 0))[0].state is SendState.WAITING


def test_an_entry_that_vanished_is_our_mistake() -> None:
    desk: Any = Desk((SendState.SENT, 1))
    with pytest.raises(DesksideBug):
        asyncio.run(send_now(desk, "another"))
