"""What an outbox entry and a ticket say about themselves: pure functions from their state to words. Never more than is true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from PySide6.QtCore import QCoreApplication

from client.model import OutboxEntry, SendState, Ticket
from client.ui import theme
from client.ui.words import DAY_S, HOUR_S, MINUTE_S, ago

SOON_S: Final = 5


def translate(text: str) -> str:
    """A string of the context "Tickets"."""
    return QCoreApplication.translate("Tickets", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a message to the help desk stands: a title, a sentence, a word for the list, and their tone and icon."""

    title: str
    words: str
    pill: str
    tone: theme.Tone
    icon: str


def until(when: datetime, now: datetime) -> str:
    """How long it is until then, in the words of everyday life: "in about 5 minutes"."""
    left = (when - now).total_seconds()
    if left <= SOON_S:
        return translate("in a moment")
    if left < MINUTE_S:
        return translate("in less than a minute")
    if left < HOUR_S:
        return translate("in about {count} min").format(count=max(1, round(left / MINUTE_S)))
    if left < DAY_S:
        return translate("in about {count} h").format(count=max(1, round(left / HOUR_S)))
    return translate("in about {count} d").format(count=max(1, round(left / DAY_S)))


def subject_of(entry: OutboxEntry) -> str:
    """What an entry is called; replies have no subject of their own."""
    if entry.subject:
        return entry.subject
    return translate("Your reply") if entry.kind == "reply" else translate("A ticket without a subject")


def standing(entry: OutboxEntry, now: datetime | None = None) -> Standing:
    """How an entry of the outbox stands."""
    now = now or datetime.now(UTC)
    reply = entry.kind == "reply"
    match entry.state:
        case SendState.SENT:
            return _sent(entry, reply=reply)
        case SendState.SENDING:
            return Standing(
                title=translate("Being sent"),
                words=translate("It is saved on this computer and on its way to the help desk."),
                pill=translate("Being sent"),
                tone="accent",
                icon="send",
            )
        case SendState.CREATED:
            number = entry.ticket.ref if entry.ticket else ""
            words = translate("The help desk has your ticket {number}. Its files are still on their way.")
            return Standing(
                title=translate("Almost sent"),
                words=_join(words.format(number=number), entry.last_error, _next(entry, now)),
                pill=translate("Files on their way"),
                tone="accent",
                icon="send",
            )
        case SendState.UNSURE:
            return Standing(
                title=translate("It may have arrived"),
                words=_join(
                    entry.last_error,
                    translate(
                        "Deskside does not send it again by itself, so that it does not arrive twice. You decide."
                    ),
                ),
                pill=translate("You decide"),
                tone="problem",
                icon="question",
            )
        case SendState.REFUSED:
            return Standing(
                title=translate("The help desk did not take it"),
                words=_join(entry.last_error, translate("Nothing is lost: everything you wrote is still here.")),
                pill=translate("Not accepted"),
                tone="danger",
                icon="alert",
            )
        case _:
            return _waiting(entry, now)


def _sent(entry: OutboxEntry, *, reply: bool) -> Standing:
    if reply:
        words = translate("The help desk has your reply.")
    elif entry.ticket and entry.ticket.ref:
        words = translate("The help desk has it. Your ticket is {number}.").format(number=entry.ticket.ref)
    else:
        words = translate("The help desk has it.")
    return Standing(
        title=translate("Sent"), words=_join(words, entry.last_error), pill=translate("Sent"), tone="fine", icon="check"
    )


def _waiting(entry: OutboxEntry, now: datetime) -> Standing:
    if not entry.last_error:
        return Standing(
            title=translate("Saved, will be sent"),
            words=translate("It is safe on this computer and goes out as soon as the help desk can be reached."),
            pill=translate("Will be sent"),
            tone="accent",
            icon="clock",
        )
    return Standing(
        title=translate("Saved, waiting to be sent"),
        words=_join(entry.last_error, _next(entry, now)),
        pill=translate("Waiting"),
        tone="problem",
        icon="clock",
    )


def _next(entry: OutboxEntry, now: datetime) -> str:
    if entry.next_attempt_at is None:
        return ""
    return translate("The next attempt is {when}.").format(when=until(entry.next_attempt_at, now))


def _join(*sentences: str) -> str:
    return " ".join(one for one in sentences if one)


def ticket_line(ticket: Ticket, now: datetime | None = None) -> str:
    """The second line of a ticket in the list: its number and when something last happened."""
    when = ticket.updated_at or ticket.created_at
    changed = translate("changed {when}").format(when=ago(when, now)) if when else ""
    return " · ".join(part for part in (ticket.ref, changed) if part)
