"""Sending without the files that were refused: the rest goes once, and the receipt says what was left out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.errors import DeskRefused, TooLarge, UsageError
from client.model import Attachment, Capabilities, Created, OutboxEntry, Payload, SendState
from client.outbox.delivery import Delivery
from client.outbox.packing import pack
from client.outbox.proof import with_payload
from client.outbox.store import Outbox
from client.receipt import hash_in, sealed

KEY = "6f1c2d3e-1111-4222-8333-abcdefabcdef"
FILES = tuple(Attachment(name=f"{name}.bin", media_type="application/x", data=name.encode()) for name in "abc")
TICKET = sealed(Payload(key=KEY, subject="s", body=f"words\n\nDeskside ref: {KEY}", attachments=FILES))


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class OneDesk:
    """Refuses whatever holds a file called b.bin; remembers everything that it was given."""

    def __init__(self, attach: str) -> None:
        self.capabilities = Capabilities(attach=attach, dedupe="key")
        self.created: list[tuple[str, ...]] = []
        self.attached: list[str] = []

    async def find(self, key: str) -> Created | None:
        del key
        return Created(id="7", ref="IT-7", attached=tuple(self.attached)) if self.created else None

    async def create(self, payload: Payload) -> Created:
        names = tuple(one.name for one in payload.attachments)
        if self.capabilities.attach == "same_request":
            if "b.bin" in names:
                raise TooLarge("b.bin is too large.", name="b.bin")
            self.attached += names
        self.created.append(names)
        return Created(id="7", ref="IT-7", attached=tuple(self.attached))

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        assert ticket.id == "7"
        if attachment.name == "b.bin":
            raise DeskRefused("This kind of file is not taken.")
        self.attached.append(attachment.name)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.sqlite3", clock=Clock())
    yield box
    box.close()


def run(outbox: Outbox, desk: OneDesk) -> OutboxEntry:
    async def open_desk() -> OneDesk:
        return desk

    asyncio.run(Delivery(outbox, open_desk=open_desk, roll=lambda: 0.5, clock=Clock()).run_due())
    return outbox.entries()[0]


@pytest.mark.parametrize("attach", ["same_request", "after_creation"])
def test_without_the_refused_file_the_rest_arrives_once(outbox: Outbox, attach: str) -> None:
    outbox.add(TICKET)
    desk = OneDesk(attach)
    entry = run(outbox, desk)
    assert (entry.state, entry.refused_files) == (SendState.REFUSED, ("b.bin",))
    outbox.leave_out(KEY, entry.refused_files)
    assert outbox.entries()[0].state in {SendState.WAITING, SendState.CREATED}
    assert run(outbox, desk).state is SendState.SENT
    assert len(desk.created) == 1
    assert sorted(desk.attached) == ["a.bin", "c.bin"]


def test_the_receipt_still_proves_what_the_preview_showed(outbox: Outbox) -> None:
    outbox.add(TICKET)
    desk = OneDesk("same_request")
    run(outbox, desk)
    outbox.leave_out(KEY, ["b.bin"])
    run(outbox, desk)
    receipt, kept = outbox.receipts.of(KEY), outbox.payload(KEY)
    assert (receipt.sha256, receipt.left_out) == (hash_in(kept.body), ("b.bin",))
    compared = with_payload(receipt, kept, whole=pack(kept, reply_to=None).sha256)
    assert [one.same for one in compared] == [True, None]


def test_what_was_not_refused_stays_whole(outbox: Outbox) -> None:
    outbox.add(TICKET)
    with pytest.raises(UsageError, match="was not refused"):
        outbox.leave_out(KEY, ["b.bin"])
    assert [one.name for one in outbox.payload(KEY).attachments] == ["a.bin", "b.bin", "c.bin"]


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "No file was named"), (["x.bin"], "no file 'x.bin'"), (["b.bin", "x.bin"], "no file 'x.bin'")],
)
def test_only_files_that_it_has_can_be_left_out(outbox: Outbox, names: list[str], words: str) -> None:
    outbox.add(TICKET)
    run(outbox, OneDesk("same_request"))
    with pytest.raises(UsageError, match=words) as error:
        outbox.leave_out(KEY, names)
    assert "a.bin, b.bin, c.bin" in error.value.hint
    assert outbox.entries()[0].state is SendState.REFUSED


def test_what_the_desk_has_already_cannot_be_left_out(outbox: Outbox) -> None:
    outbox.add(TICKET)
    run(outbox, OneDesk("after_creation"))
    with pytest.raises(UsageError, match=r"no file 'a\.bin'"):
        outbox.leave_out(KEY, ["a.bin"])
