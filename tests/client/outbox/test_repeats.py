"""The same cause again: only a ticket that is open, written here, about the same thing, is offered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from client.model import Created, Earlier, OutboxEntry, Payload, Preview, Receipt, SendState, Ticket
from client.outbox.repeats import ASSUMED_OPEN, earlier
from client.outbox.store import Outbox
from client.receipt import receipt_of
from client.report.pseudonyms import Pseudonyms
from client.writing import Writing

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WRITTEN = NOW - timedelta(days=2)


def payload(key: str, cause: str = "dns.unreachable", subject: str = "10.0.0.53") -> Payload:
    return Payload(key=key, subject="s", body="b", fields={"cause": cause, "subject": subject})


def receipt(key: str = "old-ticket", ticket: str = "7", **other: object) -> Receipt:
    made = receipt_of(payload(key), reply_to=None, whole="", at=WRITTEN)
    return msgspec.structs.replace(made, ticket=ticket, ref=f"IT-{ticket}" if ticket else "", sent_at=WRITTEN, **other)


def ticket(*, is_open: bool = True) -> Ticket:
    return Ticket(id="7", ref="IT-7", subject="s", status="x", is_open=is_open, url="https://desk.example/7")


def waiting(state: SendState) -> OutboxEntry:
    return OutboxEntry(id="old-ticket", kind="ticket", state=state, subject="s", created_at=WRITTEN)


FOUND = Earlier(created_at=WRITTEN, ticket="7", ref="IT-7", url="https://desk.example/7")
UNLISTED = Earlier(created_at=WRITTEN, ticket="7", ref="IT-7")


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({"tickets": [ticket()], "listed_s": 60.0}, FOUND),
        ({"tickets": [ticket(is_open=False)], "listed_s": 60.0}, None),
        ({"tickets": [], "listed_s": 60.0}, None),  # the desk has listed it no more since it was sent
        ({"tickets": [], "listed_s": 5 * 86400.0}, UNLISTED),  # the list is older than the ticket
        ({"tickets": [], "listed_s": None}, UNLISTED),  # the desk lists nothing
        ({"receipts": [receipt(created_at=NOW - ASSUMED_OPEN)], "listed_s": None}, None),
        ({"receipts": [receipt(ticket="")], "entries": [waiting(SendState.WAITING)]}, Earlier(created_at=WRITTEN)),
        ({"receipts": [receipt(ticket="")], "entries": [waiting(SendState.SENT)]}, None),
        ({"receipts": [receipt(ticket="")], "entries": []}, None),
        ({"receipts": [receipt(cause="disk.full")], "tickets": [ticket()]}, None),
        ({"receipts": [receipt(about_sha256="x")], "tickets": [ticket()]}, None),
        ({"receipts": [receipt("new-ticket")], "tickets": [ticket()]}, None),  # itself
        ({"receipts": [receipt(kind="reply")], "tickets": [ticket()]}, None),
    ],
)
def test_what_is_offered(known, found):
    known = {"receipts": [receipt()], "tickets": [], "entries": [], "listed_s": None, **known}
    assert earlier(payload("new-ticket"), now=NOW, **known) == found


def test_without_a_cause_nothing_is_the_same():
    none = payload("new-ticket", cause="")
    assert earlier(none, receipts=[receipt(cause="")], tickets=[ticket()], entries=[], listed_s=1, now=NOW) is None


def test_the_whole_way_through_the_outbox(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite3")
    writing = Writing(outbox=outbox, healthy=lambda _: None, pseudonyms=Pseudonyms(), who={})
    first, again = payload("first-ticket"), payload("again-ticket")

    async def run() -> None:
        assert await writing.earlier(first) is None
        await writing.send(Preview(payload=first, sections=()))
        seen = await writing.earlier(again)
        assert seen is not None
        assert seen.ticket == ""
        outbox.ledger.created("first-ticket", Created(id="7", ref="IT-7"), attached=())
        outbox.mailbox.keep_tickets((ticket(),))
        seen = await writing.earlier(again)
        assert seen is not None
        assert (seen.ticket, seen.ref) == ("7", "IT-7")
        preview = await writing.addition(Preview(payload=again, sections=()))
        entry = await writing.add(seen.ticket, preview)
        assert (entry.kind, entry.id) == ("reply", "again-ticket")
        assert outbox.payload("again-ticket") == preview.payload
        outbox.mailbox.keep_tickets((ticket(is_open=False),))
        assert await writing.earlier(payload("third-ticket")) is None

    asyncio.run(run())
    outbox.close()
