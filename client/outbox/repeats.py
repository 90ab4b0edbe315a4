"""Whether a ticket about the same cause was written on this computer and is still open. Pure; knows hashes and no words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from client.model import Earlier, OutboxEntry, Payload, Receipt, SendState, Ticket
from client.receipt import digest

ASSUMED_OPEN: Final = timedelta(days=14)  # where the desk does not tell: older problems are rarely the same one


def earlier(
    payload: Payload,
    *,
    receipts: Sequence[Receipt],
    tickets: Sequence[Ticket],
    entries: Sequence[OutboxEntry],
    listed_s: float | None,
    now: datetime | None = None,
) -> Earlier | None:
    """The newest open ticket that has the same cause and the same subject (interface, server, volume).

    Args:
        payload: the ticket that is about to be sent.
        receipts: of the tickets that were written here, newest first.
        tickets: as the desk last listed them.
        entries: what is kept in the outbox.
        listed_s: seconds since that list, None when there was none.
        now: None for the present.
    """
    cause, about = payload.fields.get("cause", ""), digest(payload.fields.get("subject", "").encode())
    if not cause:
        return None
    now = now or datetime.now(UTC)
    listed_at = None if listed_s is None else now - timedelta(seconds=listed_s)
    known = {one.id: one for one in tickets}
    waiting = {one.id for one in entries if one.state is not SendState.SENT}
    for one in receipts:
        if (one.cause, one.about_sha256) != (cause, about) or one.key == payload.key or one.kind != "ticket":
            continue
        ticket = known.get(one.ticket)
        if ticket is not None:
            if ticket.is_open:
                return Earlier(created_at=one.created_at, ticket=ticket.id, ref=ticket.ref or one.ref, url=ticket.url)
        elif not one.ticket:
            if one.key in waiting:
                return Earlier(created_at=one.created_at)
        elif now - one.created_at < ASSUMED_OPEN and (listed_at is None or (one.sent_at or one.created_at) > listed_at):
            return Earlier(created_at=one.created_at, ticket=one.ticket, ref=one.ref)
    return None
