"""What is new at the help desk: nothing lost when a line breaks, nothing rung for twice, a desk that is busy left alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import client.desks
import client.platform.secrets
from client.accounts import Accounts
from client.correspondence import MOST_FAILURES, MOST_READ, Correspondence
from client.errors import DeskBroken, DeskUnreachable, NotFound, SignInNeeded, TooBusy
from client.model import Capabilities, Comment, Conversation, Created, Payload, Ticket
from client.outbox.database import APPLICATION_ID, SCHEMA_FOLDER, statements
from client.outbox.store import Outbox
from client.settings.layers import Loaded
from client.settings.schema import Desk, Settings

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START.timestamp()

    def __call__(self) -> float:
        return self.now

    def moment(self, ago: float = 0.0) -> datetime:
        return datetime.fromtimestamp(self.now - ago, UTC)


class FakeDesk:
    """A desk in memory. `faults` are raised by the conversation of a ticket ("" is the list), as long as they are there."""

    capabilities = Capabilities(comments=True, own_list=True)

    def __init__(self) -> None:
        self.listed: dict[str, Ticket] = {}
        self.said: dict[str, list[Comment]] = {}
        self.faults: dict[str, BaseException] = {}
        self.asked: list[str] = []
        self.good = "right"
        self.secret: str | None = None
        self.known: dict[str, tuple[str, bytes]] = {}

    def put(self, id: str, *comments: Comment, changed: datetime | None = None, is_open: bool = True) -> None:
        self.listed[id] = Ticket(
            id=id, ref=f"#{id}", subject="s", status="open", is_open=is_open, updated_at=changed, created_at=START
        )
        self.said[id] = list(comments)

    async def tickets(self) -> tuple[Ticket, ...]:
        self._ask("")
        return tuple(self.listed.values())

    async def conversation(self, ticket_id: str) -> Conversation:
        self._ask(ticket_id)
        return Conversation(ticket=self.listed[ticket_id], comments=tuple(self.said[ticket_id]))

    async def close(self) -> None:
        pass

    def recall(self, answers: dict[str, tuple[str, bytes]]) -> None:
        self.known = dict(answers)

    def answers(self) -> dict[str, tuple[str, bytes]]:
        return {"https://help.example.com/list": ('"1"', b"{}")}

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.secret != self.good:
            raise SignInNeeded("The help desk does not accept the sign-in (any more).")
        if (fault := self.faults.get(what)) is not None:
            raise fault


class World:
    """A help desk, a keyring, and a computer between them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.desk = FakeDesk()
        self.keyring: str | None = "right"
        self.opened = 0
        self.outbox = Outbox(folder / "outbox.sqlite3", clock=self.clock)
        monkeypatch.setattr(client.desks, "open_desk", self._open)
        monkeypatch.setattr(client.platform.secrets, "get_secret", lambda _: self.keyring)
        settings = Loaded(values=Settings(desk=Desk(kind="demo", url="https://help.example.com")))
        accounts = Accounts(settings=settings, folder=folder, resume=self.outbox.resume)
        self.correspondence = Correspondence(accounts=accounts, outbox=self.outbox)

    def _open(self, _desk: object, *, secret: str | None, **_: object) -> FakeDesk:
        self.opened += 1
        self.desk.secret = secret
        return self.desk

    def news(self) -> list[tuple[str, str]]:
        """Asks, and gives the ids of tickets and comments; `desk.asked` then holds what was asked for."""
        self.desk.asked.clear()
        return [(ticket.id, comment.id) for ticket, comment in asyncio.run(self.correspondence.news())]

    def made_here(self, id: str) -> None:
        self.outbox.add(Payload(key=f"key-{id}", subject="s", body="b"))
        self.outbox.ledger.created(f"key-{id}", Created(id=id, ref=f"#{id}"), attached=())
        self.outbox.ledger.sent(f"key-{id}")

    def answer(self, id: str) -> Comment:
        """An agent's answer of this moment; the desk then says that the ticket was changed."""
        said = Comment(
            id=f"{id}-{len(self.desk.said[id])}", author="IT", from_agent=True, text="t", created_at=self.clock.moment()
        )
        self.desk.put(id, *self.desk.said[id], said, changed=self.clock.moment())
        return said


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path, monkeypatch)
    yield made
    made.outbox.close()


def agent(id: str, when: datetime | None = START) -> Comment:
    return Comment(id=id, author="IT", from_agent=True, text="t", created_at=when)


# --- the first time


def test_the_first_list_is_taken_as_known_and_asks_for_no_conversation(world: World) -> None:
    for number in range(300):
        world.desk.put(str(number), agent("1"), changed=START - timedelta(minutes=number))
    assert world.news() == []
    assert world.desk.asked == [""]
    assert world.news() == []
    assert world.desk.asked == [""]


def test_what_was_made_here_is_read_the_first_time_too(world: World) -> None:
    world.made_here("7")
    world.desk.put("7", agent("1"), changed=START)
    world.desk.put("8", agent("1"), changed=START)
    assert world.news() == [("7", "1")]
    assert world.desk.asked == ["", "7"]


def test_an_answer_after_the_first_list_rings_once_and_older_ones_do_not(world: World) -> None:
    world.desk.put("7", agent("old", START - timedelta(days=3)), changed=START - timedelta(days=3))
    world.news()
    world.clock.now += 600
    said = world.answer("7")
    assert world.news() == [("7", said.id)]
    assert world.news() == []
    assert world.desk.asked == [""]


def test_a_list_that_the_window_asked_for_first_counts_as_the_first(world: World) -> None:
    world.desk.put("7", agent("1"), changed=START)
    asyncio.run(world.correspondence.tickets(refresh=True))
    assert world.news() == []
    world.clock.now += 600
    said = world.answer("7")
    asyncio.run(world.correspondence.tickets(refresh=True))  # the list is newer than what was read
    assert world.news() == [("7", said.id)]


# --- a line that breaks


def test_a_conversation_that_could_not_be_read_is_read_the_next_time(world: World) -> None:
    world.desk.put("7", changed=START)
    world.news()
    world.clock.now += 600
    said = world.answer("7")
    world.desk.faults["7"] = DeskUnreachable("broken")
    assert world.news() == []
    del world.desk.faults["7"]
    assert world.news() == [("7", said.id)]


@pytest.mark.parametrize(
    "fault", [NotFound("gone"), DeskBroken("500"), ValueError("an adapter's own mistake")], ids=repr
)
def test_one_conversation_that_fails_does_not_stop_the_others(world: World, fault: Exception) -> None:
    for id in ("7", "8", "9"):
        world.desk.put(id, changed=START)
    world.news()
    world.clock.now += 600
    answers = [world.answer(id) for id in ("7", "8", "9")]
    world.desk.faults["7"] = fault
    assert sorted(world.news()) == [("8", answers[1].id), ("9", answers[2].id)]
    assert world.news() == []
    assert world.desk.asked == ["", "7"]
    del world.desk.faults["7"]
    assert world.news() == [("7", answers[0].id)]


def test_what_failed_comes_last_the_next_time(world: World) -> None:
    for id in ("7", "8"):
        world.desk.put(id, changed=START)
    world.news()
    world.clock.now += 600
    world.answer("8")
    world.clock.now += 1
    world.answer("7")
    world.desk.faults["7"] = NotFound("gone")
    world.news()
    assert world.desk.asked == ["", "7", "8"]
    world.answer("8")
    world.news()
    assert world.desk.asked == ["", "8", "7"]


def test_a_desk_that_fails_again_and_again_is_not_asked_on(world: World) -> None:
    for number in range(20):
        world.desk.put(str(number), changed=START)
    world.news()
    world.clock.now += 600
    for number in range(20):
        world.answer(str(number))
        world.desk.faults[str(number)] = DeskBroken("500")
    assert world.news() == []
    assert len(world.desk.asked) == 1 + MOST_FAILURES


def test_a_desk_without_a_line_is_said_once_and_keeps_what_was_found(world: World) -> None:
    for id in ("7", "8"):
        world.desk.put(id, changed=START)
    world.news()
    world.clock.now += 600
    first = world.answer("8")
    world.desk.put("7", agent("1", world.clock.moment()), changed=world.clock.moment(ago=60))
    world.desk.faults["7"] = DeskUnreachable("broken")
    assert world.news() == [("8", first.id)]
    world.desk.faults[""] = DeskUnreachable("broken")
    with pytest.raises(DeskUnreachable):
        world.news()


# --- how much is asked


def test_only_some_conversations_are_read_at_once_open_and_new_ones_first(world: World) -> None:
    count = 2 * MOST_READ + 3
    for number in range(count):
        world.desk.put(str(number), changed=START - timedelta(hours=1), is_open=number % 2 == 0)
    world.news()
    world.clock.now += 600
    for number in range(count):
        world.clock.now += 1
        is_open = number % 2 == 0
        world.desk.put(str(number), agent("a", world.clock.moment()), changed=world.clock.moment(), is_open=is_open)
    rounds = []
    for _ in range(4):
        world.news()
        rounds.append([int(id) for id in world.desk.asked[1:]])
    opened = [number for number in reversed(range(count)) if number % 2 == 0]
    closed = [number for number in reversed(range(count)) if number % 2]
    assert [number for one in rounds for number in one] == opened + closed
    assert [len(one) for one in rounds] == [MOST_READ, MOST_READ, 3, 0]


def test_without_dates_open_tickets_take_turns_and_closed_ones_rest(world: World) -> None:
    for number in range(MOST_READ + 2):
        world.desk.put(str(number))
    world.desk.put("closed", is_open=False)
    world.news()
    seen = set()
    for _ in range(2):
        world.clock.now += 300
        world.news()
        assert len(world.desk.asked) == 1 + MOST_READ
        seen |= set(world.desk.asked[1:])
    assert seen == {str(number) for number in range(MOST_READ + 2)}


def test_without_dates_an_answer_is_found_all_the_same(world: World) -> None:
    world.desk.put("7")
    world.news()
    world.clock.now += 7200
    world.desk.put("7", agent("1", None))
    assert world.news() == [("7", "1")]
    world.desk.put("7", agent("1", None), agent("2", None))
    assert world.news() == [("7", "2")]
    world.desk.put("7", agent("1", None), agent("2", None), agent("3", None), is_open=False)
    assert world.news() == [("7", "3")]
    assert world.news() == []
    assert world.desk.asked == [""]


@pytest.mark.parametrize("where", ["", "7"], ids=["list", "conversation"])
def test_a_desk_that_asks_to_wait_is_left_alone_for_that_long(world: World, where: str) -> None:
    for id in ("7", "8"):
        world.desk.put(id, changed=START)
    world.news()
    world.clock.now += 600
    world.answer("8")
    world.clock.now += 1
    answer = world.answer("7")
    world.desk.faults[where] = TooBusy("wait", retry_after_s=120.0)
    assert world.news() == []
    asked = list(world.desk.asked)
    assert asked == ["", "7"][: len(asked)]
    world.desk.faults.clear()
    world.clock.now += 119
    assert world.news() == []
    assert world.desk.asked == []
    world.clock.now += 15
    assert ("7", answer.id) in world.news()


def test_a_pause_that_the_outbox_was_asked_for_counts_for_answers_too(world: World) -> None:
    world.news()
    world.outbox.ledger.pause("wait", wait_s=60.0, asked=True)
    world.news()
    assert world.desk.asked == []
    world.clock.now += 61
    world.news()
    assert world.desk.asked == [""]


def test_the_list_is_asked_for_with_what_is_known_of_it(world: World) -> None:
    world.news()
    assert world.desk.known == {}
    world.news()
    assert world.desk.known == {"https://help.example.com/list": ('"1"', b"{}")}


# --- signed in elsewhere


def test_a_sign_in_in_another_process_is_noticed(world: World) -> None:
    world.keyring = "old"
    with pytest.raises(SignInNeeded):
        asyncio.run(world.correspondence.tickets(refresh=True))
    world.keyring = "right"
    assert asyncio.run(world.correspondence.tickets(refresh=True)) == ()
    assert world.opened == 2


def test_the_same_sign_in_is_not_tried_twice(world: World) -> None:
    world.keyring = "wrong"
    with pytest.raises(SignInNeeded):
        asyncio.run(world.correspondence.tickets(refresh=True))
    assert world.desk.asked == [""]


def test_after_a_refused_sign_in_nobody_asks_until_somebody_has_signed_in(world: World) -> None:
    world.keyring = "wrong"
    with pytest.raises(SignInNeeded):
        world.news()
    assert world.news() == []
    assert world.desk.asked == []
    world.keyring = "right"
    world.outbox.resume()  # what signing in does
    world.news()
    assert world.desk.asked == ["", ""]


# --- outboxes of before


def old_outbox(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    connection = sqlite3.connect(path)
    for statement in statements((SCHEMA_FOLDER / "schema.sql").read_text()):
        connection.execute(statement)
    fill(connection)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()


def test_an_outbox_of_version_1_is_upgraded_and_lost_answers_are_found(world: World, tmp_path: Path) -> None:
    bodies = {
        id: f'{{"id":"{id}","ref":"","subject":"s","status":"open","is_open":true,"updated_at":"2026-03-02T08:00:00Z"}}'
        for id in ("read", "lost")
    }

    def fill(connection) -> None:
        for id, body in {**bodies, "damaged": "{"}.items():
            connection.execute(
                "INSERT INTO ticket VALUES (?, 0, 1, ?, ?, ?)",
                (id, body.encode(), START.timestamp() - 7200, id != "lost"),
            )

    old_outbox(tmp_path / "outbox.sqlite3", fill)
    changed = START - timedelta(hours=1)
    world.desk.put("read", agent("1", changed), changed=changed)
    world.desk.put("lost", agent("1", changed), changed=changed)
    world.desk.put("damaged", changed=changed)
    assert world.news() == [("lost", "1")]
    assert sorted(world.desk.asked) == ["", "damaged", "lost"]
