"""`deskside outbox`: what is kept on this computer until the help desk has it."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from client.app import App
from client.cli.sending import code_of, print_entry, send_now
from client.cli.session import Session
from client.cli.show import clean, on_terminal, put, put_json, put_paragraph, put_table, say, size, to_terminal, when
from client.errors import UsageError
from client.model import OutboxEntry, Payload, SendState

SHORT = 8  # characters of an id that are shown and suffice


@click.group("outbox")
@click.pass_obj
def command(session: Session) -> None:
    """What is kept here until the help desk has it."""
    session.tells_notice = True


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_entries(session: Session, *, as_json: bool) -> int:
    """List what waits, what is on its way, and what was sent lately. Exit code 4 when something waits."""
    entries = session.run(lambda app: app.outbox())
    if as_json:
        put_json({"outbox": entries})
    elif not entries:
        say("Nothing waits, and nothing was sent lately.")
    else:
        rows = [
            (
                one.id[:SHORT],
                one.state.value,
                one.kind,
                one.subject,
                when(one.created_at),
                one.ticket.ref if one.ticket else "",
                one.last_error,
            )
            for one in entries
        ]
        put_table(rows, heads=("id", "state", "kind", "subject", "written", "ticket", "last problem"))
    return 0 if all(one.state is SendState.SENT for one in entries) else 4


@command.command("show")
@click.argument("entry_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(session: Session, entry_id: str, *, as_json: bool) -> int:
    """Show an entry as it is sent, byte for byte."""

    async def work(app: App) -> tuple[OutboxEntry, Payload]:
        entry = await find(app, entry_id)
        return entry, await app.payload(entry.id)

    entry, payload = session.run(work)
    if as_json:
        put_json({"entry": entry, "payload": payload_shape(payload)})
    else:
        print_entry(entry)
        print_payload(payload)
    return 0


@command.command("retry")
@click.argument("entry_id", metavar="ID")
@click.option(
    "--without", "names", multiple=True, metavar="FILE", help="Leave out a file that was refused; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def retry(session: Session, entry_id: str, names: tuple[str, ...], *, as_json: bool) -> int:
    """Send an entry again now."""

    async def work(app: App) -> OutboxEntry:
        entry = await find(app, entry_id)
        await (app.leave_out(entry.id, names) if names else app.retry(entry.id))
        return await send_now(app, entry.id)

    entry = session.run(work)
    if as_json:
        put_json({"entry": entry})
    else:
        print_entry(entry)
    return code_of(entry)


@command.command("drop")
@click.argument("entry_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def drop(session: Session, entry_id: str, *, yes: bool) -> int:
    """Take an entry out of the outbox for good. What the help desk has already stays there."""
    if not yes and not on_terminal():
        raise UsageError("Nobody is here to agree.", hint="Add --yes to drop it without a question.")

    entry = session.run(lambda app: find(app, entry_id))
    if not yes and not click.confirm(f'Drop "{clean(entry.subject)}"?', default=False, err=True):
        say("It is still there.")
        return 0
    session.run(lambda app: app.drop(entry.id))
    say("It was dropped.")
    return 0


async def find(app: App, entry_id: str) -> OutboxEntry:
    """The entry whose id is, or starts with, `entry_id`.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [one for one in await app.outbox() if one.id.startswith(entry_id)] if entry_id else []
    if len(found) != 1:
        what = "more than one entry" if found else "no entry"
        raise UsageError(f"There is {what} whose id starts with {clean(entry_id)!r}.", hint="See: deskside outbox list")
    return found[0]


def payload_shape(payload: Payload) -> dict[str, Any]:
    """The payload without the bytes of its files."""
    files = [
        {"name": one.name, "media_type": one.media_type, "size_bytes": len(one.data)} for one in payload.attachments
    ]
    return {**msgspec.structs.asdict(payload), "attachments": files}


def print_payload(payload: Payload) -> None:
    """For people: subject, text and the names of the files, exactly as they are sent."""
    if payload.subject:
        put(payload.subject, "title")
    if to_terminal():
        put_paragraph(payload.body)
    else:
        put(payload.body)
    for one in payload.attachments:
        put(f"  + {one.name}  ({size(len(one.data))})", "dim")
