"""What the help desk last said: the employee's tickets and their conversations, readable without a network.

News are answers of agents that were not there before. A computer that sees a ticket for the first time does not announce what
was answered in it long ago; a ticket that was made here is known from its first moment, so everything in it is news.

What the list said and how far a conversation was read are kept apart: a conversation that could not be fetched is fetched later.
Tickets of the very first list count as read as they are; those that were made here do not.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from client.errors import UsageError
from client.model import Comment, Conversation, Ticket
from client.outbox.database import Database
from client.outbox.ledger import CLOCK_SLACK_S

OLD_S: Final = (
    3600.0  # an answer this much older than our first sight of its ticket is not news; covers clocks that differ
)
EXACT_S: Final = 0.001  # a desk's dates are not finer than this


class Mailbox:
    """Kept tickets and conversations.

    Args:
        database: the outbox's file.
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    # --- the list

    def keep_tickets(self, tickets: tuple[Ticket, ...]) -> None:
        """Keeps the desk's list as it is now; what it no longer lists is no longer shown."""

        def work(connection: sqlite3.Connection) -> None:
            now = self._clock()
            first = connection.execute("SELECT listed_at FROM mailbox").fetchone()["listed_at"] is None
            connection.execute("UPDATE ticket SET listed = 0")
            for place, ticket in enumerate(tickets):
                new = _keep_ticket(connection, ticket, place=place, now=now)
                if first and new and not _is_own(connection, ticket.id):
                    connection.execute("UPDATE ticket SET read_mark = ? WHERE id = ?", (_mark(ticket), ticket.id))
            connection.execute("UPDATE mailbox SET listed_at = ?", (now,))

        self._database.write(work)

    def kept_tickets(self) -> tuple[Ticket, ...]:
        """The tickets as last listed, in the desk's order, each with its number of unread answers."""

        def work(connection: sqlite3.Connection) -> tuple[Ticket, ...]:
            rows = connection.execute(
                "SELECT body, (SELECT count(*) FROM comment WHERE comment.ticket = ticket.id AND unread = 1) AS unread"
                " FROM ticket WHERE listed = 1 ORDER BY place"
            )
            return tuple(_ticket(row["body"], unread=row["unread"]) for row in rows if _sound(row["body"], Ticket))

        return self._database.read(work)

    def listed_s(self) -> float | None:
        """Seconds since the desk last gave its list, None when it never has."""
        at = self._database.read(lambda connection: connection.execute("SELECT listed_at FROM mailbox").fetchone()[0])
        return None if at is None else max(0.0, self._clock() - at)

    # --- conversations

    def to_read(self) -> tuple[Ticket, ...]:
        """The listed tickets whose conversations should be fetched, the most urgent first.

        Open ones come before closed ones, newly changed ones before older ones, and those that lately could not be fetched last.
        Where the desk does not say when a ticket was changed, open ones take turns, and closed ones count by their status.
        """

        def work(connection: sqlite3.Connection) -> tuple[Ticket, ...]:
            found = []
            for row in connection.execute("SELECT * FROM ticket WHERE listed = 1 ORDER BY place"):
                if not _sound(row["body"], Ticket):
                    continue
                ticket = _ticket(row["body"], unread=0)
                if row["read_mark"] != _mark(ticket) or (ticket.updated_at is None and ticket.is_open):
                    changed = 0.0 if ticket.updated_at is None else -ticket.updated_at.timestamp()
                    found.append(((row["failed"] > 0, not ticket.is_open, changed, row["read_at"] or 0.0), ticket))
            return tuple(ticket for _, ticket in sorted(found, key=lambda one: one[0]))

        return self._database.read(work)

    def keep_conversation(self, conversation: Conversation, *, listed: Ticket | None = None) -> tuple[Comment, ...]:
        """Keeps a conversation; gives the agents' answers that are news, each once and oldest first.

        Args:
            conversation: as the desk gave it.
            listed: the ticket as the list told it before that; None: as the conversation tells it.
        """

        def work(connection: sqlite3.Connection) -> tuple[Comment, ...]:
            ticket = conversation.ticket
            known = connection.execute("SELECT * FROM ticket WHERE id = ?", (ticket.id,)).fetchone()
            now = self._clock()
            _keep_ticket(connection, ticket, place=known["place"] if known else -1, now=now)
            seen = {row["id"] for row in connection.execute("SELECT id FROM comment WHERE ticket = ?", (ticket.id,))}
            first_time = known is None or not known["opened"]
            since = _known_since(known, now)
            any_age = not first_time or _is_own(connection, ticket.id)
            news = []
            for place, comment in enumerate(conversation.comments):
                fresh = comment.from_agent and comment.id not in seen and (any_age or _after(comment, since))
                if fresh:
                    news.append(comment)
                connection.execute(
                    "INSERT INTO comment (ticket, id, place, unread, body) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (ticket, id) DO UPDATE SET place = excluded.place, body = excluded.body",
                    (ticket.id, comment.id, place, int(fresh), msgspec.json.encode(comment)),
                )
            still = {comment.id for comment in conversation.comments}
            for gone in seen - still:  # an agent has deleted or hidden it
                connection.execute("DELETE FROM comment WHERE ticket = ? AND id = ?", (ticket.id, gone))
            connection.execute(
                "UPDATE ticket SET opened = 1, read_mark = ?, read_at = ?, failed = 0 WHERE id = ?",
                (_mark(listed or ticket), now, ticket.id),
            )
            return tuple(news)

        return self._database.write(work)

    def not_read(self, ticket_id: str) -> None:
        """Notes that a conversation could not be fetched: the others come first the next time."""
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE ticket SET failed = failed + 1, read_at = ? WHERE id = ?", (self._clock(), ticket_id)
            )
        )

    def kept_conversation(self, ticket_id: str) -> Conversation:
        """A conversation as last kept; the employee has opened it, so its answers are read from now on.

        Raises:
            UsageError: no such ticket is kept here.
        """

        def work(connection: sqlite3.Connection) -> Conversation:
            row = connection.execute("SELECT body FROM ticket WHERE id = ?", (ticket_id,)).fetchone()
            if row is None:
                raise UsageError(
                    f"There is no ticket {ticket_id} kept on this computer.",
                    hint="`deskside ticket list` shows your tickets.",
                )
            connection.execute("UPDATE comment SET unread = 0 WHERE ticket = ? AND unread = 1", (ticket_id,))
            comments = connection.execute("SELECT body FROM comment WHERE ticket = ? ORDER BY place", (ticket_id,))
            return Conversation(
                ticket=_ticket(row["body"], unread=0),
                comments=tuple(
                    msgspec.json.decode(one["body"], type=Comment) for one in comments if _sound(one["body"], Comment)
                ),
            )

        return self._database.write(work)

    # --- how often the desk is asked

    def rest(self, wait_s: float) -> None:
        """Nobody asks for answers before this many seconds have passed; 0: from now on again."""
        now = self._clock()
        self._database.write(
            lambda connection: connection.execute(
                "UPDATE mailbox SET rest_until = ?, rest_set_at = ?", (now + wait_s, now)
            )
        )

    def rest_s(self) -> float:
        """Seconds in which nobody should ask for answers: the desk asked to wait, or needs a sign-in first."""

        def work(connection: sqlite3.Connection) -> float:
            now = self._clock()
            own = connection.execute("SELECT rest_until AS until, rest_set_at AS set_at FROM mailbox").fetchone()
            asked = connection.execute("SELECT until, set_at FROM pause WHERE asked = 1").fetchall()
            # A clock that was put back behind the moment of the decision ends the rest.
            left = [row["until"] - now for row in (own, *asked) if row["set_at"] <= now + CLOCK_SLACK_S]
            return max(0.0, *left) if left else 0.0

        return self._database.read(work)

    def keep_answers(self, answers: dict[str, tuple[str, bytes]]) -> None:
        """Keeps the list's answers as they came, by their addresses: each with its ETag, to be asked for with it the next time."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM answer")
            rows = [(url, etag, body) for url, (etag, body) in answers.items()]
            connection.executemany("INSERT INTO answer VALUES (?, ?, ?)", rows)

        if answers != self.kept_answers():
            self._database.write(work)

    def kept_answers(self) -> dict[str, tuple[str, bytes]]:
        """The answers as they were kept."""
        return self._database.read(
            lambda connection: {
                row["url"]: (row["etag"], bytes(row["body"])) for row in connection.execute("SELECT * FROM answer")
            }
        )


def _known_since(known: sqlite3.Row | None, now: float) -> float:
    """What was said after this is news when a conversation is read for the first time; seconds since 1970.

    A ticket of the first list tells when it was last changed, by the desk's own clock.
    """
    with contextlib.suppress(ValueError, TypeError):
        return datetime.fromisoformat(known["read_mark"]).timestamp() + EXACT_S if known else now - OLD_S
    return (known["first_seen_at"] if known else now) - OLD_S


def _keep_ticket(connection: sqlite3.Connection, ticket: Ticket, *, place: int, now: float) -> bool:
    """Whether it was not known before."""
    new = connection.execute("SELECT 1 FROM ticket WHERE id = ?", (ticket.id,)).fetchone() is None
    connection.execute(
        "INSERT INTO ticket (id, place, listed, body, first_seen_at) VALUES (?, ?, 1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET place = excluded.place, listed = 1, body = excluded.body",
        (ticket.id, place, msgspec.json.encode(ticket), now),
    )
    return new


def _is_own(connection: sqlite3.Connection, ticket_id: str) -> bool:
    """Whether it was made on this computer."""
    return connection.execute("SELECT 1 FROM own_ticket WHERE id = ?", (ticket_id,)).fetchone() is not None


def _mark(ticket: Ticket) -> str:
    """What changes when something was said: the moment that the desk tells, else the status. As schema_2.sql has it too."""
    if ticket.updated_at is None:
        return f"status: {ticket.status} {ticket.is_open}"
    return msgspec.json.decode(msgspec.json.encode(ticket.updated_at), type=str)


def _sound(body: object, kind: type) -> bool:
    """Whether a kept body can be read; one that the disk has damaged is fetched anew with the next refresh."""
    try:
        msgspec.json.decode(body if isinstance(body, bytes) else b"", type=kind)
    except ValueError:
        return False
    return True


def _ticket(body: bytes, *, unread: int) -> Ticket:
    return msgspec.structs.replace(msgspec.json.decode(body, type=Ticket), unread=unread)


def _after(comment: Comment, since: float) -> bool:
    return comment.created_at is not None and comment.created_at.timestamp() >= since
