"""The outbox: drafts, messages to the help desk that are kept until they have arrived, and what the desk last said.

"Saved" may be said when a method of this class has returned, not before. All methods block and may be called from any thread.
Sending is `client.outbox.delivery`'s business; only the holder of `turn()` takes entries in hand.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from client.errors import StorageFault, UsageError
from client.model import Attachment, Draft, OutboxEntry, Payload, SendState
from client.outbox.database import Database
from client.outbox.ledger import CLOCK_SLACK_S, DAMAGED, FIRST_IN_TICKET, Ledger, read_payload, read_ticket
from client.outbox.mailbox import Mailbox
from client.outbox.packing import Packed, pack, pack_draft, unpack_draft
from client.outbox.turn import Turn, somebodys

DAY_S: Final = 86_400.0
SENT_SHOWN_S: Final = 14 * DAY_S  # long enough to look up "what did I send them last week"
SENT_KEPT_S: Final = 90 * DAY_S  # after that the help desk is where it is looked up
OTHERS_TURN_S: Final = 5.0  # while somebody sends, look again after this
TROUBLE_S: Final = 60.0  # a disk that took nothing is not asked again at once

log = logging.getLogger(__name__)


class Outbox:
    """Everything that must survive a crash between the employee and the help desk. Opens its file when first used.

    Args:
        path: the database file; its folder becomes private to this user.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path, clock=clock)
        self._clock = clock
        self.mailbox = Mailbox(self._database, clock=clock)
        self._lock_path = path.with_name(path.name + "-sending")
        self._in_hand = threading.Lock()
        self._trouble_until = 0.0
        self.ledger = Ledger(self._database, clock=clock)

    # --- drafts

    def save_draft(self, draft: Draft) -> None:
        """Keeps a draft; returns after the commit. A draft whose ticket is in the outbox already is not brought back to life.

        Raises:
            StorageFault: the disk did not take it; what was saved before is still there.
        """
        packed = pack_draft(draft)

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM entry WHERE id = ?", (draft.id,)).fetchone():
                log.debug("a draft came after its ticket was put into the outbox")
                return
            connection.execute(
                "INSERT INTO draft (id, created_at, changed_at, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET changed_at = excluded.changed_at, body = excluded.body",
                (draft.id, draft.created_at.timestamp(), self._clock(), packed.body),
            )
            connection.execute("DELETE FROM draft_file WHERE draft = ?", (draft.id,))
            _keep_blobs(connection, packed)
            connection.executemany(
                "INSERT INTO draft_file VALUES (?, ?, ?, ?, ?)",
                [(draft.id, place, one.name, one.media_type, one.sha256) for place, one in enumerate(packed.files)],
            )
            _drop_unused_blobs(connection)

        self._database.write(work)

    def drafts(self) -> tuple[Draft, ...]:
        """Every draft that was neither sent nor discarded, newest first.

        Raises:
            StorageFault: the file cannot be read.
        """

        def work(connection: sqlite3.Connection) -> tuple[Draft, ...]:
            found = []
            for row in connection.execute("SELECT * FROM draft ORDER BY created_at DESC, id").fetchall():
                files = connection.execute(
                    "SELECT name, media_type, data FROM draft_file JOIN blob USING (sha256) WHERE draft = ? ORDER BY place",
                    (row["id"],),
                )
                try:
                    found.append(unpack_draft(row["body"], tuple(Attachment(**dict(file)) for file in files)))
                except ValueError:
                    log.warning("the draft %s cannot be read by this version; it stays where it is", row["id"])
            return tuple(found)

        return self._database.read(work)

    def discard_draft(self, draft_id: str) -> None:
        """Forgets a draft, its bytes too; nothing happens when there is none.

        Raises:
            StorageFault: the disk did not take it.
        """

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM draft WHERE id = ?", (draft_id,))
            _drop_unused_blobs(connection)

        self._database.write(work)
        self._database.forget_deleted()

    # --- entries

    def add(self, payload: Payload, reply_to: str | None = None) -> OutboxEntry:
        """Keeps a message until it has arrived; returns after the commit, with which the draft of the same key is gone.

        Adding the very same payload again gives the entry that is there.

        Args:
            payload: serialised here once; what is sent later are these bytes.
            reply_to: the desk's id of the ticket that it answers; None for a new ticket.

        Raises:
            StorageFault: the disk did not take it; the draft is still there.
            UsageError: the key is taken by another message.
        """
        packed = pack(payload, reply_to=reply_to)

        def work(connection: sqlite3.Connection) -> None:
            known = connection.execute("SELECT sha256 FROM entry WHERE id = ?", (payload.key,)).fetchone()
            if known is None:
                self._insert(connection, payload, packed, reply_to)
            elif known["sha256"] != packed.sha256:
                raise UsageError(
                    "This message is already in the outbox, with other words.",
                    hint="`deskside outbox list` shows it; drop it there before you send it anew.",
                )
            connection.execute("DELETE FROM draft WHERE id = ?", (payload.key,))
            connection.execute(
                "DELETE FROM entry WHERE state = 'sent' AND sent_at BETWEEN 1 AND ?", (self._clock() - SENT_KEPT_S,)
            )
            _drop_unused_blobs(connection)

        self._database.write(work)
        self._database.forget_deleted()  # what the redaction took out of the ticket was in the draft
        return self._entry(payload.key)

    def entries(self) -> tuple[OutboxEntry, ...]:
        """What is kept here, newest first; what was sent is shown for two weeks.

        Raises:
            StorageFault: the file cannot be read.
        """
        since = self._clock() - SENT_SHOWN_S
        return self._database.read(
            lambda connection: tuple(
                _entry(row)
                for row in connection.execute(
                    "SELECT * FROM entry WHERE state != 'sent' OR sent_at >= ? ORDER BY number DESC", (since,)
                )
            )
        )

    def payload(self, entry_id: str) -> Payload:
        """What an entry holds, byte for byte as it was added.

        Raises:
            UsageError: there is no such entry.
            StorageFault: the disk has changed its bytes.
        """

        def work(connection: sqlite3.Connection) -> Payload:
            try:
                return read_payload(connection, _row(connection, entry_id))
            except ValueError as error:
                raise StorageFault(
                    "This computer's disk has damaged this message.",
                    hint="Please write it again, and tell your IT department.",
                ) from error

        return self._database.read(work)

    def receipt(self, entry_id: str) -> str:
        """The SHA-256 of the payload's canonical JSON, taken when it was added: proves later what was sent.

        Raises:
            UsageError: there is no such entry.
        """
        return str(self._database.read(lambda connection: _row(connection, entry_id)["sha256"]))

    def retry(self, entry_id: str) -> None:
        """Makes an entry due now. For an unsure one this is the employee's decision to send it once more.

        Raises:
            UsageError: there is no such entry, or it has been sent.
            StorageFault: the disk did not take it.
        """

        def work(connection: sqlite3.Connection) -> None:
            row = _row(connection, entry_id)
            if row["state"] == "sent":
                raise UsageError("This message has been sent already.", hint="Nothing needs to be done.")
            if row["active"]:
                return  # it is on its way right now, or a sender that died is about to be noticed
            now = self._clock()
            connection.execute(
                "UPDATE entry SET state = CASE WHEN ticket IS NULL THEN 'waiting' ELSE 'created' END, urgent = 2, due_at = ?,"
                " due_set_at = ?, unclear_since = CASE WHEN state = 'unsure' THEN NULL ELSE unclear_since END WHERE id = ?",
                (now, now, entry_id),
            )
            # An unsure or refused file is offered again; for the former this is what the employee has just decided.
            if row["state"] in {"unsure", "refused"}:
                connection.execute(
                    "UPDATE entry_file SET progress = 'open', words = '' WHERE entry = ? AND progress IN (?, 'refused')",
                    (entry_id, "begun" if row["state"] == "unsure" else "refused"),
                )

        self._database.write(work)

    def drop(self, entry_id: str) -> None:
        """Takes an entry out for good, its bytes too.

        Raises:
            UsageError: there is no such entry, or it is being sent right now.
            StorageFault: the disk did not take it.
        """
        busy = UsageError("This message is being sent right now.", hint="Wait a moment, then look again.")

        def work(connection: sqlite3.Connection) -> None:
            if _row(connection, entry_id)["active"] and not alone:
                raise busy
            connection.execute("DELETE FROM entry WHERE id = ?", (entry_id,))
            _drop_unused_blobs(connection)

        with self.turn() as alone:
            self._database.write(work)
        self._database.forget_deleted()

    def resume(self) -> None:
        """Makes everything that waits due now: the employee has signed in, or the network is back. Makes no file.

        Raises:
            StorageFault: the disk did not take it.
        """

        def work(connection: sqlite3.Connection) -> None:
            now = self._clock()
            connection.execute("UPDATE pause SET until = 0, set_at = 0, asked = 0, failures = 0, reason = ''")
            connection.execute("UPDATE mailbox SET rest_until = 0, rest_set_at = 0")
            connection.execute(
                "UPDATE entry SET due_at = ?, due_set_at = ? WHERE state IN ('waiting', 'created') AND active = 0",
                (now, now),
            )

        if self._database.path.exists():
            self._database.write(work)

    def seconds_until_due(self) -> float | None:
        """Seconds until something is due (0: now), None when nothing waits. Quick; does not wait for a writer.

        Raises:
            StorageFault: the file cannot be read.
        """
        now = self._clock()

        def work(connection: sqlite3.Connection) -> float | None:
            pause = connection.execute("SELECT * FROM pause").fetchone()
            paused = _ahead(pause["until"], pause["set_at"], now)
            waits = []
            for row in connection.execute(
                "SELECT urgent, active, due_at, due_set_at FROM entry WHERE state IN ('waiting', 'created')"  # noqa: S608 -- a constant
                f" AND (active = 1 OR {FIRST_IN_TICKET})"
            ):
                free = row["urgent"] == 2 or (row["urgent"] == 1 and not pause["asked"])  # noqa: PLR2004 -- see schema.sql
                ahead = _ahead(row["due_at"], row["due_set_at"], now)
                waits.append(0.0 if row["active"] else ahead if free else max(ahead, paused))
            return min(waits, default=None)

        wait = self._database.read(work)
        if wait is None:
            return None
        if somebodys(self._lock_path, self._in_hand):
            wait = max(wait, OTHERS_TURN_S)
        return max(wait, self._trouble_until - time.monotonic(), 0.0)

    def trouble(self) -> None:
        """The disk did not take what a sender wrote down: nothing is due in this process for a minute."""
        self._trouble_until = time.monotonic() + TROUBLE_S

    def find(self, ids: frozenset[str]) -> tuple[OutboxEntry, ...]:
        """The entries with these ids, oldest first; those that are gone are left out."""
        return self._database.read(
            lambda connection: tuple(
                _entry(row) for row in connection.execute("SELECT * FROM entry ORDER BY number") if row["id"] in ids
            )
        )

    def take_notice(self) -> str:
        """What happened to the file itself (it was damaged and replaced), to be told once; empty when nothing did."""
        seen = self._database.read(lambda connection: connection.execute("SELECT words FROM notice").fetchall())
        if not seen:
            return ""

        def work(connection: sqlite3.Connection) -> str:
            words = " ".join(row["words"] for row in connection.execute("SELECT words FROM notice"))
            connection.execute("DELETE FROM notice")
            return words

        return self._database.write(work)

    # --- who sends

    def turn(self) -> Turn:
        """The right to send, not taken yet."""
        return Turn(self._lock_path, self._in_hand)

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    # --- rows

    def _insert(self, connection: sqlite3.Connection, payload: Payload, packed: Packed, reply_to: str | None) -> None:
        now = self._clock()
        _keep_blobs(connection, packed)
        pause = connection.execute("SELECT * FROM pause").fetchone()
        paused = pause["asked"] and _ahead(pause["until"], pause["set_at"], now) > 0
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

    def _entry(self, entry_id: str) -> OutboxEntry:
        return self._database.read(lambda connection: _entry(_row(connection, entry_id)))


def _row(connection: sqlite3.Connection, entry_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM entry WHERE id = ?", (entry_id,)).fetchone()
    if row is None:
        raise UsageError(
            f"There is nothing in the outbox with the number {entry_id}.", hint="`deskside outbox list` shows it."
        )
    return row


def _entry(row: sqlite3.Row) -> OutboxEntry:
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
            ticket=read_ticket(row),
            sent_at=None if row["sent_at"] is None else _time(row["sent_at"]),
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


def _ahead(due_at: float, decided_at: float, now: float) -> float:
    """Seconds until `due_at`; 0 when the clock was put back behind the moment of the decision."""
    return 0.0 if decided_at > now + CLOCK_SLACK_S else max(0.0, due_at - now)


def _keep_blobs(connection: sqlite3.Connection, packed: Packed) -> None:
    connection.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?)", list(packed.blobs.items()))


def _drop_unused_blobs(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM blob WHERE sha256 NOT IN (SELECT sha256 FROM draft_file) AND sha256 NOT IN (SELECT sha256 FROM entry_file)"
    )
