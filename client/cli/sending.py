"""Sending one entry while somebody waits, and saying honestly what became of it."""

from __future__ import annotations

import asyncio
import shlex
from typing import Final

from client.app import App
from client.cli.show import Look, put
from client.errors import DesksideBug
from client.model import OutboxEntry, SendState

WAIT_S: Final = 45.0  # then whoever waits is told that it is kept, which is true all along
OTHERS_S: Final = 5.0  # the tray may be the one that sends; it takes an entry up within moments
_POLL_S: Final = 0.25

KEPT: Final = 4
_CODES: Final = {SendState.SENT: 0, SendState.REFUSED: 3}


async def send_now(app: App, entry_id: str) -> OutboxEntry:
    """Sends what is due and gives the entry as it stands when it has arrived, must wait, or time is up."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        await app.deliver()
        entry = next((one for one in await app.outbox() if one.id == entry_id), None)
        if entry is None:
            raise DesksideBug("The ticket was put into the outbox and is not there.")
        waited = loop.time() - began
        on_its_way = entry.state in {SendState.SENDING, SendState.CREATED} and waited < WAIT_S
        tried = entry.attempts > 0 or bool(entry.last_error)
        untouched = entry.state is SendState.WAITING and not tried and waited < OTHERS_S
        if not on_its_way and not untouched:
            return entry
        await asyncio.sleep(_POLL_S)


def code_of(entry: OutboxEntry) -> int:
    """The exit code for an entry: 0 it has arrived, 3 it was refused, 4 it is kept."""
    return _CODES.get(entry.state, KEPT)


def print_entry(entry: OutboxEntry) -> None:
    """For people: where it stands, and what comes next."""
    number = entry.ticket.ref if entry.ticket else ""
    what = "Your ticket" if entry.kind == "ticket" else "Your reply"
    look: Look = "warn"
    match entry.state:
        case SendState.SENT:
            words, look = f"{what} was sent{f': {number}' if number and entry.kind == 'ticket' else ''}.", "good"
        case SendState.REFUSED:
            words, look = f"{what} was not accepted. It is kept here.", "bad"
        case SendState.UNSURE:
            words = (
                f"{what} may have arrived. Ask the help desk, or send it again: deskside outbox retry {entry.id[:8]}"
            )
        case SendState.CREATED:
            words = f"The help desk has {what.lower()} {number}; its files are still on their way."
        case SendState.WAITING | SendState.SENDING:
            words = f"{what} is kept on this computer and will be sent when the way is clear."
    put(words, look)
    if entry.last_error and entry.state is not SendState.SENT:
        put(f"  {entry.last_error}", "dim")
    if entry.refused_files:
        names = " ".join(f"--without {shlex.quote(name)}" for name in entry.refused_files)
        put(f"  Send it without: deskside outbox retry {entry.id[:8]} {names}", "dim")
    if entry.ticket and entry.ticket.url and entry.kind == "ticket":
        put(f"  {entry.ticket.url}", "dim")
