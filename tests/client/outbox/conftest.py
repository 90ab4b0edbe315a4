"""A help desk in memory that is strict about keys, and a clock that the tests own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client.errors import DeskFault, NotFound
from client.model import Attachment, Capabilities, Comment, Conversation, Created, Payload, Ticket
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class MemoryDesk:
    """Keeps tickets by number and never makes two of one key where it promises so.

    `before` and `after` hold faults by method name: raised instead of doing it, or after having done it.
    """

    def __init__(self, **capabilities: object) -> None:
        self.capabilities = Capabilities(
            **{"attach": "same_request", "dedupe": "key", "comments": True, "own_list": True, **capabilities}
        )
        self.tickets: dict[str, Payload] = {}
        self.files: dict[str, list[Attachment]] = {}
        self.replies: list[tuple[str, Payload]] = []
        self.calls: list[str] = []
        self.before: dict[str, list[BaseException | None]] = {}
        self.after: dict[str, list[BaseException | None]] = {}
        self._numbers = itertools.count(1)

    def _step(self, method: str, when: dict[str, list[BaseException | None]]) -> None:
        if planned := when.get(method):
            fault = planned.pop(0)
            if fault is not None:
                raise fault

    def _start(self, method: str) -> None:
        self.calls.append(method)
        self._step(method, self.before)

    def _created(self, number: str) -> Created:
        return Created(id=number, ref=f"#{number}", attached=tuple(one.name for one in self.files[number]))

    async def create(self, payload: Payload) -> Created:
        self._start("create")
        known = next((number for number, one in self.tickets.items() if one.key == payload.key), None)
        if known is None or self.capabilities.dedupe != "key":
            known = str(next(self._numbers))
            self.tickets[known] = payload
            self.files[known] = (
                [] if self.capabilities.attach in {"after_creation", "none"} else list(payload.attachments)
            )
        self._step("create", self.after)
        return self._created(known)

    async def find(self, key: str) -> Created | None:
        self._start("find")
        if self.capabilities.dedupe == "none":
            raise DeskFault("This help desk cannot be asked.")
        return next((self._created(number) for number, one in self.tickets.items() if one.key == key), None)

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        self._start("attach")
        assert self.capabilities.attach == "after_creation"
        if ticket.id not in self.tickets:
            raise NotFound("There is no such ticket.")
        self.files[ticket.id].append(attachment)
        self._step("attach", self.after)

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        self._start("comment")
        if self.capabilities.dedupe != "key" or all(one.key != payload.key for _, one in self.replies):
            self.replies.append((ticket_id, payload))
        self._step("comment", self.after)

    async def conversation(self, ticket_id: str) -> Conversation:
        self._start("conversation")
        return Conversation(
            ticket=Ticket(id=ticket_id, ref=f"#{ticket_id}", subject="s", status="open", is_open=True),
            comments=tuple(
                Comment(
                    id=str(place),
                    author="me",
                    from_agent=False,
                    text=f"<p>{payload.body}</p>".replace("<p>", "").replace("</p>", ""),
                )
                for place, (to, payload) in enumerate(self.replies)
                if to == ticket_id
            ),
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "data" / "outbox.sqlite3", clock=clock)
    yield box
    box.close()


@pytest.fixture
def memory_desk() -> Callable[..., MemoryDesk]:
    return MemoryDesk


@pytest.fixture
def delivery_to(outbox: Outbox) -> Callable[[MemoryDesk], Delivery]:
    def make(desk: MemoryDesk) -> Delivery:
        async def open_desk() -> MemoryDesk:
            return desk

        return Delivery(outbox, open_desk=open_desk, roll=lambda: 0.5, settle_s=0.0, clock=outbox._clock)

    return make
