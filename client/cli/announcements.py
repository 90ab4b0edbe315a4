"""`deskside announcements`: what IT tells everybody; `sign` and `verify` for whoever writes a feed of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from client.cli.packing import read_file, signer_of, write_file
from client.cli.session import Session
from client.cli.show import clean, count, put, put_json, say, when
from client.errors import UsageError

if TYPE_CHECKING:
    from client.model import Announcement

NOT_WELL: Final = 1
WORDS: Final = {"outage": "Outage", "maintenance": "Maintenance", "notice": "Notice"}


@click.group("announcements", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--refresh/--kept", default=True, help="Ask for them now (the default), or show what was known last.")
@click.pass_context
def command(context: click.Context, *, as_json: bool, refresh: bool) -> int:
    """Show what IT tells everybody: outages, maintenance, notices."""
    if context.invoked_subcommand is not None:
        return 0
    session: Session = context.obj
    bulletin = session.app.bulletin
    if not bulletin.sources:
        raise UsageError(
            "Nobody announces anything here: the help desk cannot, and the settings name no feed.",
            hint="See docs/announcements.md: [announcements] feed.",
        )
    troubles: tuple[str, ...] = ()
    if refresh:
        troubles = session.run(lambda app: app.bulletin.refresh()).troubles
    found = bulletin.current(put_away=True)
    watched = bulletin.watched()
    if as_json:
        put_json({"announcements": [_entry(one, watched) for one in found], "troubles": troubles})
        return NOT_WELL if troubles else 0
    for one in found:
        put(f"{WORDS[one.kind]}: {clean(one.title)}", "warn" if one.kind == "outage" else "")
        for line in filter(None, (clean(one.text), f"Since {when(one.begins_at)}." if one.begins_at else "")):
            put(f"  {line}")
        put(f"  {one.id}{' (you will be told when it is over)' if one.id in watched else ''}", "dim")
    if not found:
        put("IT has announced nothing.", "good")
    for trouble in troubles:
        say(trouble, "warn")
    return NOT_WELL if troubles else 0


@command.command("watch")
@click.argument("id")
@click.option("--off", is_flag=True, help="Not any more.")
@click.pass_obj
def watch(session: Session, id: str, *, off: bool) -> int:
    """Tell me when the announcement ID is over."""
    bulletin = session.app.bulletin
    if not off and id not in {one.id for one in bulletin.current(put_away=True)}:
        raise UsageError(f"IT has announced nothing called {clean(id)}.", hint="deskside announcements lists them.")
    session.run(lambda app: app.bulletin.watch(id, wanted=not off))
    put("You will not be told." if off else "You will be told when it is over.", "good")
    return 0


@command.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="Write this file.")
@click.option(
    "--key", "keys", multiple=True, required=True, type=click.Path(path_type=Path), help="A key of `articles keygen`."
)
def sign(file: Path, target: Path, keys: tuple[Path, ...]) -> int:
    """Sign the announcements in FILE (a JSON list): issued now, and newer than all that were signed before."""
    from client.knowledge.feed import LARGEST_FEED, BadFeed, draft, signed  # noqa: PLC0415 -- only who signs

    try:
        content = draft(read_file(file, LARGEST_FEED), now=datetime.now(UTC))
    except BadFeed as error:
        raise UsageError(clean(str(error)), hint="docs/announcements.md shows one.") from error
    write_file(target, signed(content, *map(signer_of, keys)))
    put(f"{clean(str(target))} is signed by {count(len(keys), 'key')}.", "good")
    return 0


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", "keys", multiple=True, help="A public key; by default those of this computer's settings.")
@click.pass_obj
def verify(session: Session, file: Path, keys: tuple[str, ...]) -> int:
    """Say whether computers would take the feed FILE."""
    from client.knowledge.feed import LARGEST_FEED, BadFeed, read  # noqa: PLC0415 -- only who signs

    trusted = keys or tuple(session.app.settings.values.announcements.feed.split(" ")[1:])
    if not trusted:
        raise UsageError("There is no key to check with.", hint="Name it: --key ed25519:...")
    try:
        feed = read(read_file(file, LARGEST_FEED), trusted=trusted)
    except BadFeed as error:
        put(str(error), "bad")
        return NOT_WELL
    put(f"{count(len(feed.announcements), 'announcement')}, issued {feed.issued_at.isoformat()}.", "good")
    return 0


def _entry(one: Announcement, watched: frozenset[str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "title": one.title,
        "text": one.text,
        "causes": one.causes,
        "subjects": one.subjects,
        "begins_at": one.begins_at,
        "ends_at": one.ends_at,
        "watched": one.id in watched,
    }
