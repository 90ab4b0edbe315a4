"""What the one who sends writes down: every step before and after it is taken, each in a commit of its own.

A note made before a step ("begun") and not followed by one after it means, to whoever reads it after a crash, that the step may
have been taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from client.model import Created, Payload
from client.outbox import receipts
from client.outbox.database import Database
from client.outbox.packing import unpack

DAMAGED: Final = "This computer's disk has damaged this message, so it was not sent. Please write it again."
CLOCK_SLACK_S: Final = 5.0  # a clock that is corrected by less than this is not one that was put back
OPEN: Final = "state IN ('waiting', 'created') AND active = 0"
# A time that lies ahead counts only while the clock has not been put back behind the moment at which that time was decided:
# otherwise a ticket would wait for the years by which a clock was wrong.
DUE: Final = f"(due_at <= :now OR due_set_at > :now + {CLOCK_SLACK_S})"
PAUSED: Final = f"(until > :now AND set_at <= :now + {CLOCK_SLACK_S} AND NOT (urgent = 1 AND asked = 0))"
MAY_GO: Final = f"(urgent = 2 OR NOT EXISTS (SELECT 1 FROM pause WHERE {PAUSED}))"  # noqa: S608 -- constants
# Replies to one ticket keep their order; an earlier one that was refused or is unsure waits for a person and holds nobody up.
FIRST_IN_TICKET: Final = """(kind = 'ticket' OR NOT EXISTS (SELECT 1 FROM entry AS earlier WHERE earlier.reply_to = entry.reply_to
    AND earlier.kind = 'reply' AND earlier.number < entry.number AND earlier.state IN ('waiting', 'created')))"""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in hand. `progress` holds, for each attachment, whether it is open, begun, attached or refused.

    `unclear_since` is when the first attempt began that may have arrived (None: certainly none has), `begun_at` when the latest
    one did; both in seconds since 1970.
    """

    id: str
    kind: Literal["ticket", "reply"]
    reply_to: str
    payload: Payload
    ticket: Created | None
    progress: tuple[str, ...]
    unclear_since: float | None
    begun_at: float | None
    same_before: int | None
    attempts: int


class Ledger:
    """The sender's view of the outbox. Only whoever holds the sending lock may use it.

    Args:
        database: the outbox's file.
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def recover(self) -> tuple[str, ...]:
        """Takes over what a sender that died had in hand; gives the ids. Whether its attempt arrived is noted as unclear there."""

        def work(connection: sqlite3.Connection) -> tuple[str, ...]:
            ids = tuple(row["id"] for row in connection.execute("SELECT id FROM entry WHERE active = 1"))
            if ids:
                now = self._clock()
                connection.execute(
                    "UPDATE entry SET active = 0, due_at = ?, due_set_at = ? WHERE active = 1", (now, now)
                )
            return ids

        if not self._database.read(lambda c: c.execute("SELECT 1 FROM entry WHERE active = 1").fetchone()):
            return ()
        return self._database.write(work)

    def take(self, *, without: frozenset[str] = frozenset()) -> Task | str | None:
        """Takes the next due entry in hand.

        Args:
            without: ids that had their turn in this run.

        Returns:
            The task; or the id of an entry whose bytes the disk has damaged (it is now refused); None when nothing is due.
        """

        def work(connection: sqlite3.Connection) -> Task | str | None:
            rows = connection.execute(
                f"SELECT * FROM entry WHERE {OPEN} AND {DUE} AND {FIRST_IN_TICKET} AND {MAY_GO}"  # noqa: S608 -- constants above
                " ORDER BY urgent DESC, attempts, number",  # one that always fails must not keep the others from their turn
                {"now": self._clock()},
            )
            row = next((row for row in rows if row["id"] not in without), None)
            if row is None:
                return None
            try:
                task = _task(connection, row)
            except ValueError:  # also msgspec's own error
                connection.execute(
                    "UPDATE entry SET state = 'refused', last_error = ? WHERE id = ?", (DAMAGED, row["id"])
                )
                return str(row["id"])
            connection.execute("UPDATE entry SET active = 1 WHERE id = ?", (row["id"],))
            return task

        return self._database.write(work)

    def begin(self, id: str) -> None:
        """Notes that a request goes out now which may arrive even if no answer does."""
        self._change(id, "unclear_since = coalesce(unclear_since, :now), begun_at = :now")

    def begin_reply(self, id: str, *, same_before: int) -> None:
        """Notes, before a reply's first attempt, how many own messages with the same words the ticket already has."""
        self._change(id, "same_before = :same", same=same_before)

    def created(self, id: str, ticket: Created, *, attached: tuple[int, ...]) -> None:
        """Keeps the ticket's number at once; `attached` are the places of the files it has."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE entry SET state = 'created', ticket = ?, unclear_since = NULL WHERE id = ?",
                (msgspec.json.encode(ticket), id),
            )
            connection.execute("INSERT OR IGNORE INTO own_ticket VALUES (?)", (ticket.id,))
            receipts.created(connection, id, ticket)
            for place in attached:
                _set_progress(connection, id, place, "attached")

        self._database.write(work)

    def file(
        self, id: str, place: int, progress: Literal["open", "begun", "attached", "refused"], words: str = ""
    ) -> None:
        """Notes where a file stands; `words` say why it was refused."""
        self._database.write(lambda connection: _set_progress(connection, id, place, progress, words))

    def sent(self, id: str, *, note: str = "") -> None:
        """The desk has confirmed all of it; `note` is a sentence that should be known all the same."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE entry SET state = 'sent', active = 0, urgent = 0, attempts = attempts + 1, unclear_since = NULL,"
                " sent_at = ?, last_error = ? WHERE id = ?",
                (self._clock(), note, id),
            )
            receipts.sent(connection, id, now=self._clock())
            connection.execute("UPDATE pause SET failures = 0, until = 0, set_at = 0, asked = 0, reason = ''")

        self._database.write(work)

    def later(
        self,
        id: str,
        words: str,
        *,
        wait_s: float,
        unclear_since: float | None,
        counts: bool = True,
    ) -> None:
        """Keeps it for another attempt.

        Args:
            id: the entry.
            words: why, for the employee.
            wait_s: seconds until it is due.
            unclear_since: as in `Task`, after this attempt.
            counts: whether it was an attempt (being asked to sign in is not).
        """
        self._change(
            id,
            "active = 0, urgent = 0, due_at = :now + :wait, due_set_at = :now, unclear_since = :unclear, last_error = :words,"
            " attempts = attempts + :counts",
            wait=wait_s,
            unclear=unclear_since,
            words=words,
            counts=int(counts),
        )

    def ends(self, id: str, state: Literal["unsure", "refused"], words: str, *, unclear_since: float | None) -> None:
        """It is for a person to decide now; nothing is deleted."""
        self._change(
            id,
            "active = 0, urgent = 0, state = :state, unclear_since = :unclear, last_error = :words, attempts = attempts + 1",
            state=state,
            unclear=unclear_since,
            words=words,
        )

    def failures(self) -> int:
        """How often in a row the desk itself has failed."""
        return int(
            self._database.read(lambda connection: connection.execute("SELECT failures FROM pause").fetchone()[0])
        )

    def pause(self, words: str, *, wait_s: float, asked: bool = False, counts: bool = True) -> tuple[str, ...]:
        """Lets everything wait, because it is the desk (or the way to it) that fails; each entry then says why.

        Args:
            words: why, for the employee.
            wait_s: seconds; 0 only counts the failure.
            asked: the desk asked for it, or nothing can go before a person has done something: new messages wait too.
            counts: whether the desk has failed once more.

        Returns:
            The ids whose words have changed.
        """

        def work(connection: sqlite3.Connection) -> tuple[str, ...]:
            now = self._clock()
            connection.execute("UPDATE pause SET failures = failures + ?", (int(counts),))
            if not wait_s:
                return ()
            connection.execute(
                "UPDATE pause SET until = ?, set_at = ?, asked = ?, reason = ?", (now + wait_s, now, int(asked), words)
            )
            ids = tuple(
                row["id"]
                for row in connection.execute(f"SELECT id FROM entry WHERE {OPEN} AND last_error != ?", (words,))  # noqa: S608 -- a constant
            )
            connection.execute(f"UPDATE entry SET last_error = ?, urgent = 0 WHERE {OPEN}", (words,))  # noqa: S608 -- a constant
            return ids

        return self._database.write(work)

    def _change(self, id: str, assignments: str, **values: object) -> None:
        everything = {"id": id, "now": self._clock(), **values}
        self._database.write(
            lambda connection: connection.execute(f"UPDATE entry SET {assignments} WHERE id = :id", everything)  # noqa: S608 -- from this class
        )


def _task(connection: sqlite3.Connection, row: sqlite3.Row) -> Task:
    files = connection.execute("SELECT * FROM entry_file WHERE entry = ? ORDER BY place", (row["id"],)).fetchall()
    return Task(
        id=row["id"],
        kind=row["kind"],
        reply_to=row["reply_to"] or "",
        payload=read_payload(connection, row),
        ticket=read_ticket(row),
        progress=tuple(file["progress"] for file in files),
        unclear_since=row["unclear_since"],
        begun_at=row["begun_at"],
        same_before=row["same_before"],
        attempts=row["attempts"],
    )


def read_payload(connection: sqlite3.Connection, row: sqlite3.Row) -> Payload:
    """The payload of an entry's row.

    Raises:
        ValueError: the disk has damaged it.
    """
    blobs = connection.execute(
        "SELECT sha256, data FROM blob WHERE sha256 IN (SELECT sha256 FROM entry_file WHERE entry = ?)", (row["id"],)
    )
    return unpack(row["payload"], row["sha256"], {blob["sha256"]: blob["data"] for blob in blobs})


def read_ticket(row: sqlite3.Row) -> Created | None:
    """What the desk made of an entry, if it has."""
    return None if row["ticket"] is None else msgspec.json.decode(row["ticket"], type=Created)


def _set_progress(connection: sqlite3.Connection, id: str, place: int, progress: str, words: str = "") -> None:
    connection.execute(
        "UPDATE entry_file SET progress = ?, words = ? WHERE entry = ? AND place = ?", (progress, words, id, place)
    )
