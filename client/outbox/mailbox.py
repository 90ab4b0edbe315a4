"""What the help desk last said: the employee's tickets and their conversations, readable without a network.

News are answers of agents that were not there before. A computer that sees a ticket for the first time does not announce what
was answered in it long ago; a ticket that was made here is known from its first moment, so everything in it is news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

from client.errors import UsageError
from client.model import Comment, Conversation, Ticket
from client.outbox.database import Database

OLD_S: Final = (
    3600.0  # an answer this much older than our first sight of its ticket is not news; covers clocks that differ
)


class Mailbox:
    """Kept tickets and conversations.

    Args:
        database: the outbox's file.
        clock: seconds since 1970.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def keep_tickets(self, tickets: tuple[Ticket, ...]) -> None:
        """Keeps the desk's list as it is now; what it no longer lists is no longer shown."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE ticket SET listed = 0")
            for place, ticket in enumerate(tickets):
                _keep_ticket(connection, ticket, place=place, now=self._clock())

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

    def keep_conversation(self, conversation: Conversation) -> tuple[Comment, ...]:
        """Keeps a conversation; gives the agents' answers that are news, each once and oldest first."""

        def work(connection: sqlite3.Connection) -> tuple[Comment, ...]:
            ticket = conversation.ticket
            known = connection.execute("SELECT * FROM ticket WHERE id = ?", (ticket.id,)).fetchone()
            now = self._clock()
            _keep_ticket(connection, ticket, place=known["place"] if known else -1, now=now)
            seen = {row["id"] for row in connection.execute("SELECT id FROM comment WHERE ticket = ?", (ticket.id,))}
            own = connection.execute("SELECT 1 FROM own_ticket WHERE id = ?", (ticket.id,)).fetchone() is not None
            first_time = known is None or not known["opened"]
            since = (known["first_seen_at"] if known else now) - OLD_S
            news = []
            for place, comment in enumerate(conversation.comments):
                fresh = (
                    comment.from_agent and comment.id not in seen and (own or not first_time or _after(comment, since))
                )
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
            connection.execute("UPDATE ticket SET opened = 1 WHERE id = ?", (ticket.id,))
            return tuple(news)

        return self._database.write(work)

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


def _keep_ticket(connection: sqlite3.Connection, ticket: Ticket, *, place: int, now: float) -> None:
    connection.execute(
        "INSERT INTO ticket (id, place, listed, body, first_seen_at) VALUES (?, ?, 1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET place = excluded.place, listed = 1, body = excluded.body",
        (ticket.id, place, msgspec.json.encode(ticket), now),
    )


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
