"""Rows of the outbox's file: how a message is written into it, and how it is told. Everything runs in the caller's transaction."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from datetime import UTC, datetime

import msgspec

from client.errors import UsageError
from client.model import Created, OutboxEntry, Payload, SendState, Ticket
from client.outbox.ledger import CLOCK_SLACK_S, DAMAGED, read_ticket
from client.outbox.packing import Packed
from client.outbox.receipts import keep

log = logging.getLogger(__name__)


def insert(
    connection: sqlite3.Connection, payload: Payload, packed: Packed, *, reply_to: str | None, now: float
) -> None:
    """Writes a message that waits from now on, with its files and its receipt."""
    keep_blobs(connection, packed)
    pause = connection.execute("SELECT * FROM pause").fetchone()
    paused = pause["asked"] and ahead(pause["until"], pause["set_at"], now) > 0
    subject = payload.subject
    if reply_to is not None:
        subject = next((line.strip() for line in payload.body.splitlines() if line.strip()), "")[:120]
    connection.execute(
        "INSERT INTO entry (id, kind, reply_to, subject, payload, sha256, state, created_at, due_at, due_set_at, urgent,"
        " last_error) VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, 1, ?)",
        (
            payload.key,
            "ticket" if reply_to is None else "reply",
            reply_to,
            subject,
            packed.body,
            packed.sha256,
            now,
            now,
            now,
            pause["reason"] if paused else "",
        ),
    )
    connection.executemany(
        "INSERT INTO entry_file (entry, place, name, sha256) VALUES (?, ?, ?, ?)",
        [(payload.key, place, one.name, one.sha256) for place, one in enumerate(packed.files)],
    )
    keep(connection, payload, reply_to=reply_to, whole=packed.sha256, now=now)


def entry_row(connection: sqlite3.Connection, entry_id: str) -> sqlite3.Row:
    """The row of an entry.

    Raises:
        UsageError: there is none.
    """
    row: sqlite3.Row | None = connection.execute("SELECT * FROM entry WHERE id = ?", (entry_id,)).fetchone()
    if row is None:
        raise UsageError(
            f"There is nothing in the outbox with the number {entry_id}.", hint="`deskside outbox list` shows it."
        )
    return row


def _refused(connection: sqlite3.Connection, row: sqlite3.Row) -> tuple[str, ...]:
    if row["state"] != "refused":
        return ()
    files = "SELECT name FROM entry_file WHERE entry = ? AND progress = 'refused' ORDER BY place"
    return tuple(file["name"] for file in connection.execute(files, (row["id"],)))


def _answered(connection: sqlite3.Connection, ticket_id: str) -> Created:
    """The ticket that a reply answers, as far as the desk's list was seen here."""
    kept = connection.execute("SELECT body FROM ticket WHERE id = ?", (ticket_id,)).fetchone()
    with contextlib.suppress(ValueError, TypeError):
        ticket = msgspec.json.decode(kept["body"], type=Ticket)
        return Created(id=ticket_id, ref=ticket.ref, url=ticket.url)
    return Created(id=ticket_id, ref="")


def told(connection: sqlite3.Connection, row: sqlite3.Row) -> OutboxEntry:
    """An entry as callers see it; one whose row the disk has damaged is shown too, as refused."""
    try:
        state = SendState(row["state"])
        if row["active"] and state is SendState.WAITING:
            state = SendState.SENDING
        waits = state in {SendState.WAITING, SendState.CREATED} and not row["active"]
        return OutboxEntry(
            id=row["id"],
            kind="reply" if row["kind"] == "reply" else "ticket",
            state=state,
            subject=row["subject"],
            created_at=_time(row["created_at"]),
            attempts=row["attempts"],
            next_attempt_at=_time(row["due_at"]) if waits else None,
            last_error=row["last_error"],
            ticket=read_ticket(row) if row["kind"] == "ticket" else _answered(connection, row["reply_to"]),
            sent_at=None if row["sent_at"] is None else _time(row["sent_at"]),
            refused_files=_refused(connection, row),
        )
    except (ValueError, TypeError, OverflowError):
        log.warning("an entry of the outbox is damaged", exc_info=True)
        return OutboxEntry(
            id=str(row["id"]),
            kind="ticket",
            state=SendState.REFUSED,
            subject=str(row["subject"]),
            created_at=_time(0),
            last_error=DAMAGED,
        )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def ahead(due_at: float, decided_at: float, now: float) -> float:
    """Seconds until `due_at`; 0 when the clock was put back behind the moment of the decision."""
    return 0.0 if decided_at > now + CLOCK_SLACK_S else max(0.0, due_at - now)


def keep_blobs(connection: sqlite3.Connection, packed: Packed) -> None:
    """Keeps the bytes of files, once each."""
    connection.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?)", list(packed.blobs.items()))


def drop_unused_blobs(connection: sqlite3.Connection) -> None:
    """Forgets the bytes of files that no draft and no message has."""
    connection.execute(
        "DELETE FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM draft_file) AND sha256 NOT IN (SELECT sha256 FROM entry_file)"
    )
