"""Receipts of what was sent, kept for a year without a word of it: hashes and names. Outlives the message itself."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Final

import msgspec

from client.errors import UsageError
from client.model import Created, Payload, Receipt
from client.outbox.database import Database
from client.receipt import receipt_of

KEPT_S: Final = 365 * 86_400.0  # a question about a ticket comes within a year, or is one for the help desk


class Receipts:
    """The receipts of this account.

    Args:
        database: the outbox's file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, key: str) -> Receipt:
        """The receipt of one message, by its key.

        Raises:
            UsageError: there is none (any more).
        """

        def work(connection: sqlite3.Connection) -> Receipt:
            row = connection.execute("SELECT * FROM receipt WHERE key = ?", (key,)).fetchone()
            if row is None:
                raise UsageError(
                    f"There is no receipt for {key} on this computer.", hint="Receipts are kept for a year."
                )
            return _receipt(row)

        return self._database.read(work)

    def of_ticket(self, ticket_id: str) -> tuple[Receipt, ...]:
        """The receipts of a ticket that was written here and of the replies to it, oldest first; `ticket_id` is the desk's."""
        return self._database.read(
            lambda connection: tuple(
                _receipt(row)
                for row in connection.execute(
                    "SELECT * FROM receipt WHERE ticket = ? ORDER BY created_at, key", (ticket_id,)
                )
            )
        )

    def of_tickets(self) -> tuple[Receipt, ...]:
        """The receipts of every ticket that was written here, newest first."""
        return self._database.read(
            lambda connection: tuple(
                one
                for row in connection.execute("SELECT * FROM receipt ORDER BY created_at DESC, key")
                if (one := _receipt(row)).kind == "ticket"
            )
        )


def keep(connection: sqlite3.Connection, payload: Payload, *, reply_to: str | None, whole: str, now: float) -> None:
    """Writes a receipt in the transaction that keeps its message; forgets those that are older than a year."""
    receipt = receipt_of(payload, reply_to=reply_to, whole=whole, at=datetime.fromtimestamp(now, UTC))
    put(connection, receipt)
    connection.execute("DELETE FROM receipt WHERE created_at BETWEEN 1 AND ?", (now - KEPT_S,))


def put(connection: sqlite3.Connection, receipt: Receipt) -> None:
    """Writes a receipt, over one of the same key."""
    connection.execute(
        "INSERT OR REPLACE INTO receipt (key, ticket, ref, created_at, sent_at, body) VALUES (?, ?, ?, ?, ?, ?)",
        (
            receipt.key,
            receipt.ticket,
            receipt.ref,
            receipt.created_at.timestamp(),
            None if receipt.sent_at is None else receipt.sent_at.timestamp(),
            msgspec.json.encode(receipt),
        ),
    )


def created(connection: sqlite3.Connection, key: str, ticket: Created) -> None:
    """Notes which ticket the desk has made of it."""
    connection.execute("UPDATE receipt SET ticket = ?, ref = ? WHERE key = ?", (ticket.id, ticket.ref, key))


def sent(connection: sqlite3.Connection, key: str, *, now: float) -> None:
    """Notes when the desk has confirmed all of it."""
    connection.execute("UPDATE receipt SET sent_at = ? WHERE key = ?", (now, key))


def leaves_out(connection: sqlite3.Connection, key: str, names: tuple[str, ...], *, whole: str) -> None:
    """Notes that files were shown and are not sent, because the desk refused them; `whole` is the hash of what is kept now."""
    row = connection.execute("SELECT * FROM receipt WHERE key = ?", (key,)).fetchone()
    if row is not None:
        known = _receipt(row)
        put(connection, msgspec.structs.replace(known, left_out=(*known.left_out, *names), whole_sha256=whole))


def forget(connection: sqlite3.Connection, key: str) -> None:
    """A message that never left has nothing to prove."""
    connection.execute("DELETE FROM receipt WHERE key = ?", (key,))


def _receipt(row: sqlite3.Row) -> Receipt:
    return msgspec.structs.replace(
        msgspec.json.decode(row["body"], type=Receipt),
        ticket=row["ticket"],
        ref=row["ref"],
        sent_at=None if row["sent_at"] is None else datetime.fromtimestamp(row["sent_at"], UTC),
    )
