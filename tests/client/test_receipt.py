"""The receipt: one hash over what the preview showed, in the ticket's last line, kept for a year without a word of the ticket."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from client.errors import TooLarge, UsageError
from client.model import Attachment, Capabilities, Created, Payload, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox
from client.receipt import fingerprint, hash_in, sealed, without_ref

KEY = "6f1c2d3e-1111-4222-8333-abcdefabcdef"
DAY_S = 86_400.0
PHOTO = Attachment(name="screen.png", media_type="image/png", data=b"\x89PNG picture")
NOTE = Attachment(name="note.txt", media_type="text/plain", data=b"planted words of a file")
TICKET = Payload(
    key=KEY,
    subject="It does not print",
    body=f"Cause: printing.queue_stopped\n\nGr\u00f6\u00dfe\n\nDeskside ref: {KEY}",
    body_html=f"<p>Gr\u00f6\u00dfe</p>\n<p>Deskside ref: {KEY}</p>",
    fields={"cause": "printing.queue_stopped", "subject": "hall printer"},
    attachments=(NOTE, PHOTO),
)


def changed(**fields: object) -> Payload:
    return msgspec.structs.replace(TICKET, **fields)


# --- the hash


def test_anybody_can_compute_the_hash_from_the_ticket() -> None:
    form = {
        "subject": TICKET.subject,
        "body": "Cause: printing.queue_stopped\n\nGr\u00f6\u00dfe",
        "files": [
            {"name": one.name, "media_type": one.media_type, "sha256": hashlib.sha256(one.data).hexdigest()}
            for one in TICKET.attachments
        ],
    }
    text = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
    assert fingerprint(TICKET) == hashlib.sha256(text.encode()).hexdigest()


def test_the_last_line_carries_the_hash_and_does_not_change_it() -> None:
    done = sealed(TICKET)
    assert done.body.splitlines()[-1] == f"Deskside ref: {KEY} \u00b7 sha256 {fingerprint(TICKET)}"
    assert done.body_html.endswith(f"<p>Deskside ref: {KEY} \u00b7 sha256 {fingerprint(TICKET)}</p>")
    assert fingerprint(done) == fingerprint(TICKET) == hash_in(done.body)
    assert sealed(done) == done


@pytest.mark.parametrize(
    "other",
    [
        changed(subject="It does not print!"),
        changed(body=TICKET.body.replace("Gr", "gr")),
        changed(attachments=(NOTE,)),
        changed(attachments=(PHOTO, NOTE)),
        changed(attachments=(NOTE, msgspec.structs.replace(PHOTO, data=b"\x89PNG Picture"))),
        changed(attachments=(NOTE, msgspec.structs.replace(PHOTO, name="Screen.png"))),
        changed(attachments=(NOTE, msgspec.structs.replace(PHOTO, media_type="image/x-png"))),
    ],
)
def test_whatever_the_employee_sees_is_in_the_hash(other: Payload) -> None:
    assert fingerprint(other) != fingerprint(TICKET)


def test_a_reply_has_no_reference_line_and_stays_as_it_is() -> None:
    reply = Payload(key=KEY, subject="", body="It works now.")
    assert sealed(reply) == reply


@pytest.mark.parametrize("dot", [" \u00b7 ", " - ", " ? ", "\n\u00b7 ", " "])
def test_the_reference_line_is_known_with_and_without_a_hash(dot: str) -> None:
    mark = "0a" * 32
    assert without_ref(f"words\n\nDeskside ref: {KEY}\n") == "words"
    assert without_ref(f"words\n\nDeskside ref: {KEY}{dot}sha256 {mark}\n") == "words"
    assert hash_in(f"words\n\nDeskside ref: {KEY}{dot}sha256 {mark}") == mark
    assert hash_in(f"words\n\nDeskside ref: {KEY}") == ""
    inside = f"Deskside ref: {KEY}{dot}sha256 {mark}\nwords below it"
    assert without_ref(inside) == inside


# --- what is kept


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class OneDesk:
    """Takes what is small enough."""

    capabilities = Capabilities(attach="same_request", dedupe="key", max_file_bytes=None)

    def __init__(self, fault: TooLarge | None = None) -> None:
        self.fault = fault

    async def create(self, payload: Payload) -> Created:
        if self.fault is not None:
            raise self.fault
        return Created(id="7", ref="IT-7", attached=tuple(one.name for one in payload.attachments))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "data" / "outbox.sqlite3", clock=clock)
    yield box
    box.close()


async def deliver(outbox: Outbox, desk: OneDesk, clock: Clock) -> None:
    async def open_desk() -> OneDesk:
        return desk

    await Delivery(outbox, open_desk=open_desk, roll=lambda: 0.5, clock=clock).run_due()  # type: ignore[arg-type]  # a part


def run(outbox: Outbox, desk: OneDesk, clock: Clock) -> None:
    import asyncio

    asyncio.run(deliver(outbox, desk, clock))


def test_a_receipt_is_written_with_the_message_and_learns_its_ticket(outbox: Outbox, clock: Clock) -> None:
    ticket = sealed(TICKET)
    outbox.add(ticket)
    kept = outbox.receipts.of(KEY)
    assert (kept.sha256, kept.ticket, kept.sent_at) == (hash_in(ticket.body), "", None)
    assert [one.name for one in kept.files] == ["note.txt", "screen.png"]
    run(outbox, OneDesk(), clock)
    (sent,) = outbox.receipts.of_ticket("7")
    assert (sent.key, sent.ref, sent.sha256) == (KEY, "IT-7", kept.sha256)
    assert sent.sent_at is not None


def test_a_receipt_holds_no_word_of_the_ticket(outbox: Outbox, tmp_path: Path) -> None:
    outbox.add(sealed(TICKET))
    with sqlite3.connect(tmp_path / "data" / "outbox.sqlite3") as connection:
        (row,) = connection.execute("SELECT * FROM receipt").fetchall()
    connection.close()
    told = repr(row)
    for words in ("It does not print", "Gr\u00f6\u00dfe", "hall printer", "planted words"):
        assert words not in told


def test_receipts_outlive_their_message_and_are_forgotten_after_a_year(outbox: Outbox, clock: Clock) -> None:
    outbox.add(sealed(TICKET))
    run(outbox, OneDesk(), clock)
    clock.now += 100 * DAY_S
    outbox.add(changed(key="another-key"))
    with pytest.raises(UsageError):
        outbox.payload(KEY)
    assert outbox.receipts.of(KEY).ticket == "7"
    clock.now += 300 * DAY_S
    outbox.add(changed(key="a-third-key"))
    with pytest.raises(UsageError):
        outbox.receipts.of(KEY)


def test_what_never_left_has_no_receipt(outbox: Outbox) -> None:
    outbox.add(sealed(TICKET))
    outbox.drop(KEY)
    with pytest.raises(UsageError):
        outbox.receipts.of(KEY)


def test_the_receipt_of_a_reply_is_with_its_ticket(outbox: Outbox) -> None:
    outbox.add(Payload(key="a-reply-key", subject="", body="Thanks"), reply_to="7")
    assert [one.kind for one in outbox.receipts.of_ticket("7")] == ["reply"]


# --- which file was too large


@pytest.mark.parametrize(("named", "refused"), [("note.txt", "note.txt"), ("", "note.txt"), ("unknown", "note.txt")])
def test_a_message_that_is_too_large_says_which_file_it_was(
    outbox: Outbox, clock: Clock, named: str, refused: str
) -> None:
    outbox.add(sealed(TICKET))  # the note is the larger of its two files
    run(outbox, OneDesk(TooLarge("Too large.", name=named)), clock)
    (entry,) = outbox.entries()
    assert (entry.state, entry.refused_files) == (SendState.REFUSED, (refused,))
    outbox.retry(KEY)
    assert outbox.entries()[0].refused_files == ()
