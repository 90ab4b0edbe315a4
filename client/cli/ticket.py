"""`deskside ticket`: writes to the help desk, shows what it has, and reads its answers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from client.app import App
from client.cli.attaching import read_attachments
from client.cli.outbox import payload_shape, print_payload
from client.cli.root import nearest
from client.cli.sending import code_of, print_entry, send_now
from client.cli.session import Session
from client.cli.show import Look, clean, on_terminal, put, put_json, put_paragraph, put_table, say, when
from client.errors import DeskFault, DesksideError, DeskUnreachable, SecretsFault, SettingsFault, UsageError
from client.model import Conversation, Draft, Earlier, FixOutcome, FixResult, OutboxEntry, Preview, Proof, Ticket
from diagnostics.model import Report

TRIED_WITHIN: Final = timedelta(hours=24)  # an older repair has nothing to do with today's problem
LONGEST_WORDS: Final = 100_000  # characters; help desks cut or refuse more
DIFFERS: Final = 1
_MARKS: Final[dict[bool | None, tuple[str, Look]]] = {True: ("=", "good"), False: ("!", "bad"), None: ("?", "dim")}
_DID_NOTHING: Final = {FixResult.CANCELLED, FixResult.UNDONE}


@click.group("ticket")
@click.pass_obj
def command(session: Session) -> None:
    """Write to the help desk, and read its answers."""
    session.tells_notice = True


@command.command("create")
@click.option("--subject", default="", help="One line; by default what the check has found.")
@click.option("--words", default=None, help="What is wrong, in your own words; - reads it from standard input.")
@click.option("--attach", "files", multiple=True, type=click.Path(path_type=Path), help="Add a file; may be repeated.")
@click.option("--no-check", is_flag=True, help="Do not check this computer first.")
@click.option("--leave-out", "left_out", multiple=True, metavar="SECTION", help="Leave a section out; may be repeated.")
@click.option("--preview", is_flag=True, help="Show exactly what would be sent, and send nothing.")
@click.option("--add", is_flag=True, help="Where you have reported the same cause already, add to that ticket instead.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def create(
    session: Session,
    *,
    subject: str,
    words: str | None,
    files: tuple[Path, ...],
    no_check: bool,
    left_out: tuple[str, ...],
    preview: bool,
    add: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Write a ticket. It is shown before it is sent, and kept until the help desk has it.

    Exit codes: 0 sent, 3 refused, 4 kept here because the help desk cannot be reached.
    """
    if not yes and not preview:
        _need_somebody()
    text = _words(words)
    attachments = read_attachments(files, limit_bytes=_file_limit(session.app))

    async def prepare(app: App) -> tuple[Preview, Earlier | None]:
        report = None if no_check else await _check(app)
        draft = app.new_draft(words=text, report=report, tried=_tried(app))
        draft = msgspec.structs.replace(draft, subject=subject or draft.subject, attachments=attachments)
        shown = await _preview(app, draft, left_out)
        if not preview and not yes:
            await app.save_draft(draft)  # whatever happens at the question, what was written is kept
        return shown, await app.writing.earlier(shown.payload)

    async def choose(app: App) -> Preview:
        return await app.writing.addition(shown) if onto else shown

    async def send(app: App) -> OutboxEntry:
        entry = await (app.writing.add(onto, shown) if onto else app.send(shown))
        return await send_now(app, entry.id)

    shown, earlier = session.run(prepare)
    onto = _onto(session.app, earlier, add=add, ask=not preview and not yes)
    shown = session.run(choose)
    if preview or not yes:
        _show_preview(shown, as_json=as_json and preview, earlier=earlier)
    if preview:
        return 0
    if not yes and not click.confirm("Send exactly this?", default=False, err=True):
        say("Nothing was sent. It is kept as a draft in the window.")
        return 0
    entry = session.run(send)
    if as_json:
        put_json({"entry": entry, "ticket": entry.ticket, "reported_before": earlier})
    else:
        print_entry(entry)
    return code_of(entry)


def _need_somebody() -> None:
    if not on_terminal():
        raise UsageError(
            "Nobody is here to agree to what is sent.", hint="Look at it with --preview, then send it with --yes."
        )


def _onto(app: App, earlier: Earlier | None, *, add: bool, ask: bool) -> str:
    """The open ticket that is added to, "" for a new one; says that there is one."""
    if earlier is None:
        return ""
    try:
        can = bool(earlier.ticket) and app.capabilities.comments
    except SettingsFault:  # no help desk yet
        can = False
    if add and can:
        return earlier.ticket
    say(_reported(earlier), "warn")
    return earlier.ticket if ask and can and click.confirm("Add to it instead?", default=True, err=True) else ""


def _reported(earlier: Earlier) -> str:
    if not earlier.ticket:
        return f"You have written about this already ({when(earlier.created_at)}); it waits to be sent."
    return f"You reported this already: {earlier.ref or earlier.ticket} ({when(earlier.created_at)}). It is still open."


@command.command("list")
@click.option("--offline", is_flag=True, help="As last seen, without asking the help desk.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_tickets(session: Session, *, offline: bool, as_json: bool) -> int:
    """List your tickets."""
    with _as_last_seen():
        tickets = session.run(lambda app: app.tickets(refresh=not offline))
    if as_json:
        put_json({"tickets": tickets})
        return 0
    if not tickets:
        say("You have no tickets." if not offline else "No tickets were seen on this computer yet.")
    rows = [
        (
            one.ref or one.id,
            one.status,
            one.subject,
            when(one.updated_at or one.created_at),
            f"{one.unread} new" if one.unread else "",
        )
        for one in tickets
    ]
    put_table(rows, heads=("ticket", "status", "subject", "changed", ""))
    return 0


@command.command("show")
@click.argument("number")
@click.option("--offline", is_flag=True, help="As last seen, without asking the help desk.")
@click.option("--receipt", is_flag=True, help="Prove instead that what was sent is what the preview showed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(session: Session, number: str, *, offline: bool, receipt: bool, as_json: bool) -> int:
    """Show the ticket NUMBER with what was said. With --receipt, exit code 1 when something differs or nothing can be compared."""
    if receipt:
        return _prove(session, number, offline=offline, as_json=as_json)

    async def work(app: App) -> Conversation:
        return await app.conversation(await _ticket_id(app, number, offline=offline), refresh=not offline)

    with _as_last_seen():
        conversation = session.run(work)
    if as_json:
        put_json({"conversation": conversation})
        return 0
    ticket = conversation.ticket
    put(f"{ticket.ref or ticket.id}  {ticket.subject}", "title")
    put(f"{ticket.status}  {when(ticket.created_at)}  {ticket.url}".rstrip(), "dim")
    for one in conversation.comments:
        put()
        put(f"{one.author}{' (help desk)' if one.from_agent else ''}  {when(one.created_at)}", "title")
        put_paragraph(one.text, indent=2)
        for name in one.attachments:
            put(f"  + {name}", "dim")
    return 0


def _prove(session: Session, number: str, *, offline: bool, as_json: bool) -> int:
    async def work(app: App) -> tuple[Proof, ...]:
        return await app.proving.ticket(await _ticket_id(app, number, offline=offline), refresh=not offline)

    with _as_last_seen():
        proofs = session.run(work)
    holds = all(one.holds for one in proofs)
    if as_json:
        receipts = [{"holds": one.holds, "receipt": one.receipt, "compared": one.compared} for one in proofs]
        put_json({"holds": holds, "receipts": receipts})
        return 0 if holds else DIFFERS
    for one in proofs:
        what = "Ticket" if one.receipt.kind == "ticket" else "Reply"
        sent = f"sent {when(one.receipt.sent_at)}" if one.receipt.sent_at else "not confirmed yet"
        put(f"{what} written {when(one.receipt.created_at)}, {sent}", "title")
        put(f"  sha256 {one.receipt.sha256}", "dim")
        for compared in one.compared:
            mark, look = _MARKS[compared.same]
            put(f"  {mark} {clean(compared.words)}", look)
    return 0 if holds else DIFFERS


@command.command("reply")
@click.argument("number")
@click.argument("words", nargs=-1)
@click.option("--attach", "files", multiple=True, type=click.Path(path_type=Path), help="Add a file; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def reply(session: Session, number: str, words: tuple[str, ...], files: tuple[Path, ...], *, as_json: bool) -> int:
    """Answer in the ticket NUMBER; - as WORDS reads them from standard input. Kept until the help desk has it."""
    text = _words(" ".join(words) if words else None)
    attachments = read_attachments(files, limit_bytes=_file_limit(session.app))

    async def look(app: App) -> tuple[str, int]:
        return await app.writing.covered(text)

    seen, places = session.run(look)
    if places:
        say(f"{places} secret{'' if places == 1 else 's'} in it will not be sent. This will:", "warn")
        say(seen)
        if on_terminal() and not click.confirm("Send exactly this?", default=True, err=True):
            say("Nothing was sent.")
            return 0

    async def work(app: App) -> int:
        entry = await app.reply(await _ticket_id(app, number, offline=False), text, attachments)
        entry = await send_now(app, entry.id)
        if as_json:
            put_json({"entry": entry})
        else:
            print_entry(entry)
        return code_of(entry)

    return session.run(work)


@command.command("close")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def close(session: Session, number: str, *, as_json: bool) -> int:
    """Close the ticket NUMBER: no more help is needed."""
    return _set_open(session, number, wanted=False, as_json=as_json)


@command.command("reopen")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def reopen(session: Session, number: str, *, as_json: bool) -> int:
    """Open the ticket NUMBER again: it is not solved."""
    return _set_open(session, number, wanted=True, as_json=as_json)


@command.command("rate")
@click.argument("number")
@click.argument("how", type=click.Choice(["good", "bad"]))
@click.argument("words", nargs=-1)
@click.pass_obj
def rate(session: Session, number: str, how: str, words: tuple[str, ...]) -> int:
    """Say whether the help in the ticket NUMBER was good or bad, and why, if you like."""

    async def work(app: App) -> None:
        ticket_id = await _ticket_id(app, number, offline=False)
        await app.correspondence.rate(ticket_id, good=how == "good", words=" ".join(words))

    session.run(work)
    put("The help desk knows. Thank you.", "good")
    return 0


def _set_open(session: Session, number: str, *, wanted: bool, as_json: bool) -> int:
    async def work(app: App) -> Ticket:
        ticket_id = await _ticket_id(app, number, offline=False)
        return (await app.correspondence.set_open(ticket_id, wanted=wanted)).ticket

    ticket = session.run(work)
    if as_json:
        put_json({"ticket": ticket})
    else:
        put(f"{ticket.ref or ticket.id}: {ticket.status}", "good")
    return 0


@contextlib.contextmanager
def _as_last_seen() -> Iterator[None]:
    """Whoever only wants to read is not told that their ticket is kept, but how to read what was seen before."""
    try:
        yield
    except DeskUnreachable as error:
        raise DeskUnreachable(error.message, hint="Add --offline to see it as it was last seen.") from error


def _words(given: str | None) -> str:
    if given == "-":
        text = sys.stdin.read(LONGEST_WORDS + 1)
    elif given is not None:
        text = given
    elif on_terminal():
        text = str(click.prompt("What is wrong", err=True, default="", show_default=False))
    else:
        raise UsageError(
            "There are no words.", hint='Say what is wrong: --words "...", or --words - to read standard input.'
        )
    if not text.strip():
        raise UsageError("There are no words: a ticket needs a sentence on what is wrong.")
    if len(text) > LONGEST_WORDS:
        raise UsageError("That is too long for a ticket.", hint="Put it into a file and add that with --attach.")
    return text.strip()


def _file_limit(app: App) -> int | None:
    try:
        return app.capabilities.max_file_bytes
    except SettingsFault:  # no help desk yet: the ticket is kept, and the limit is the later help desk's
        return None


async def _check(app: App) -> Report | None:
    say("Looking at this computer ...")
    try:
        return await app.check()
    except DesksideError as error:
        say(f"The check did not work, so the ticket goes without it: {error.message}", "warn")
        return None


def _tried(app: App) -> tuple[FixOutcome, ...]:
    since = datetime.now(UTC) - TRIED_WITHIN
    return tuple(one for one in app.journal() if one.started_at >= since and one.result not in _DID_NOTHING)


async def _preview(app: App, draft: Draft, left_out: tuple[str, ...]) -> Preview:
    shown = await app.preview(draft)
    if not left_out:
        return shown
    can = [one.id for one in shown.sections if not one.required]
    for id in left_out:
        if id not in can:
            raise UsageError(
                f"There is no section {clean(id)!r} that could be left out.{nearest(id, can)}",
                hint=f"There are: {', '.join(can)}.",
            )
    return await app.preview(msgspec.structs.replace(draft, left_out=frozenset(left_out)))


def _show_preview(shown: Preview, *, as_json: bool, earlier: Earlier | None) -> None:
    if as_json:
        sections: list[dict[str, Any]] = [
            {"id": one.id, "title": one.title, "included": one.included, "required": one.required}
            for one in shown.sections
        ]
        put_json(
            {
                "preview": payload_shape(shown.payload),
                "sections": sections,
                "redactions": shown.redactions,
                "exposed_files": shown.exposed,
                "reported_before": earlier,
            }
        )
        return
    print_payload(shown.payload)
    say()
    say("Sections: " + ", ".join(f"{one.id}{'' if one.included else ' (left out)'}" for one in shown.sections))
    if shown.redactions:
        say(f"{shown.redactions} private details were covered.")
    for name in shown.exposed:
        say(f"{name} goes as it is, and holds what looks like a password or key: look at it.", "warn")


async def _ticket_id(app: App, number: str, *, offline: bool) -> str:
    """The ticket's id for what a person calls its number; asked for at the help desk when it is not known here."""
    wanted = number.strip().lstrip("#").casefold()
    for refresh in (False, True):
        if refresh and offline:
            break
        try:
            tickets = await app.tickets(refresh=refresh)
        except (DeskFault, SecretsFault, SettingsFault):
            break
        for one in tickets:
            if wanted in {one.id.casefold(), one.ref.lstrip("#").casefold()}:
                return one.id
    return number  # the help desk has the last word
