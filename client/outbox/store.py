"""The outbox: drafts, messages to the help desk that are kept until they have arrived, and what the desk last said.

"Saved" may be said when a method of this class has returned, not before. All methods block and may be called from any thread.
Sending is `client.outbox.delivery`'s business; only the holder of `turn()` takes entries in hand.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from client.errors import StorageFault, UsageError
from client.model import Attachment, Draft, OutboxEntry, Payload
from client.outbox.database import Database
from client.outbox.leaving import leave_out
from client.outbox.ledger import FIRST_IN_TICKET, Ledger, read_payload
from client.outbox.mailbox import Mailbox
from client.outbox.packing import pack, pack_draft, unpack_draft
from client.outbox.receipts import Receipts, forget
from client.outbox.rows import ahead, drop_unused_blobs, entry_row, insert, keep_blobs, told
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
        self.receipts = Receipts(self._database)

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
            keep_blobs(connection, packed)
            connection.executemany(
                "INSERT INTO draft_file VALUES (?, ?, ?, ?, ?)",
                [(draft.id, place, one.name, one.media_type, one.sha256) for place, one in enumerate(packed.files)],
            )
            drop_unused_blobs(connection)

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
            drop_unused_blobs(connection)

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
                insert(connection, payload, packed, reply_to=reply_to, now=self._clock())
            elif known["sha256"] != packed.sha256:
                raise UsageError(
                    "This message is already in the outbox, with other words.",
                    hint="`deskside outbox list` shows it; drop it there before you send it anew.",
                )
            connection.execute("DELETE FROM draft WHERE id = ?", (payload.key,))
            connection.execute(
                "DELETE FROM entry WHERE state = 'sent' AND sent_at BETWEEN 1 AND ?", (self._clock() - SENT_KEPT_S,)
            )
            drop_unused_blobs(connection)

        self._database.write(work)
        self._database.forget_deleted()  # what the redaction took out of the ticket was in the draft
        return self._entry(payload.key)

    def entries(self) -> tuple[OutboxEntry, ...]:
        """What is kept here, newest first; what was sent is shown for two weeks.

        Raises:
            StorageFault: the file cannot be read.
        """
        since = self._clock() - SENT_SHOWN_S
        shown = "SELECT * FROM entry WHERE state != 'sent' OR sent_at >= ? ORDER BY number DESC"
        return self._database.read(
            lambda connection: tuple(told(connection, row) for row in connection.execute(shown, (since,)).fetchall())
        )

    def payload(self, entry_id: str) -> Payload:
        """What an entry holds, byte for byte as it was added.

        Raises:
            UsageError: there is no such entry.
            StorageFault: the disk has changed its bytes.
        """

        def work(connection: sqlite3.Connection) -> Payload:
            try:
                return read_payload(connection, entry_row(connection, entry_id))
            except ValueError as error:
                raise StorageFault(
                    "This computer's disk has damaged this message.",
                    hint="Please write it again, and tell your IT department.",
                ) from error

        return self._database.read(work)

    def retry(self, entry_id: str) -> None:
        """Makes an entry due now. For an unsure one this is the employee's decision to send it once more.

        Raises:
            UsageError: there is no such entry, or it has been sent.
            StorageFault: the disk did not take it.
        """

        def work(connection: sqlite3.Connection) -> None:
            row = entry_row(connection, entry_id)
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

    def leave_out(self, entry_id: str, names: Collection[str]) -> None:
        """Sends a refused message without some of its files: what the desk has already stays there.

        Raises:
            UsageError: it was not refused, or has no such file to be left out.
            StorageFault: the disk did not take it.
        """
        self._database.write(lambda connection: leave_out(connection, entry_id, names, now=self._clock()))

    def drop(self, entry_id: str) -> None:
        """Takes an entry out for good, its bytes too.

        Raises:
            UsageError: there is no such entry, or it is being sent right now.
            StorageFault: the disk did not take it.
        """
        busy = UsageError("This message is being sent right now.", hint="Wait a moment, then look again.")

        def work(connection: sqlite3.Connection) -> None:
            row = entry_row(connection, entry_id)
            if row["active"] and not alone:
                raise busy
            if row["ticket"] is None and row["unclear_since"] is None and row["state"] != "sent":  # it never left
                forget(connection, entry_id)
            connection.execute("DELETE FROM entry WHERE id = ?", (entry_id,))
            drop_unused_blobs(connection)

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

    def way_is_clear(self) -> None:
        """The network is back: what waited for a way is due now. What the desk itself has asked for stays as it is. Makes no file.

        Raises:
            StorageFault: the disk did not take it.
        """

        def work(connection: sqlite3.Connection) -> None:
            now = self._clock()
            connection.execute("UPDATE pause SET until = 0, set_at = 0, failures = 0, reason = '' WHERE asked = 0")
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
            paused = ahead(pause["until"], pause["set_at"], now)
            waits = []
            for row in connection.execute(
                "SELECT urgent, active, due_at, due_set_at FROM entry WHERE state IN ('waiting', 'created')"  # noqa: S608 -- a constant
                f" AND (active = 1 OR {FIRST_IN_TICKET})"
            ):
                free = row["urgent"] == 2 or (row["urgent"] == 1 and not pause["asked"])  # noqa: PLR2004 -- see schema.sql
                wait = ahead(row["due_at"], row["due_set_at"], now)
                waits.append(0.0 if row["active"] else wait if free else max(wait, paused))
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
                told(connection, row)
                for row in connection.execute("SELECT * FROM entry ORDER BY number").fetchall()
                if row["id"] in ids
            )
        )

    def notice(self) -> str:
        """What happened to the file itself (it was damaged and replaced); empty when nothing did. Makes no file."""
        return self._database.read(_notice) if self._database.path.exists() else ""

    def take_notice(self) -> str:
        """As `notice`, which has been read with this and is not told again."""

        def work(connection: sqlite3.Connection) -> str:
            words = _notice(connection)
            connection.execute("DELETE FROM notice")
            return words

        return self._database.write(work) if self.notice() else ""

    # --- who sends

    def turn(self) -> Turn:
        """The right to send, not taken yet."""
        return Turn(self._lock_path, self._in_hand)

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def _entry(self, entry_id: str) -> OutboxEntry:
        return self._database.read(lambda connection: told(connection, entry_row(connection, entry_id)))


def _notice(connection: sqlite3.Connection) -> str:
    return " ".join(row["words"] for row in connection.execute("SELECT words FROM notice"))
