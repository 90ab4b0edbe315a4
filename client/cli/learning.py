"""`deskside learning`: what Deskside has noted of what helped, what of it IT would get, and forgetting it."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.cli.show import on_terminal, put, put_json, put_table, say, when
from client.errors import UsageError


@click.group("learning", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> int:
    """Show what was noted on this computer: which articles and fixes helped, and which searches found nothing."""
    if context.invoked_subcommand is not None:
        return 0
    session: Session = context.obj
    guidance = session.app.guidance
    events = guidance.learning.events()
    counts, _ = guidance.learning.counts()
    shared = guidance.shares_counts
    if as_json:
        put_json({"events": events, "shared": shared, "counts": counts})
        return 0
    if not events:
        say("Nothing was noted yet.")
    put_table(
        [(when(one.at), one.kind, one.about, one.outcome.replace("_", " ")) for one in events],
        heads=("when", "what", "about", "outcome"),
    )
    if shared:
        say(
            f"IT gets numbers of it once a day ({guidance.counts_url}), never words: deskside learning --json shows them."
        )
    else:
        say("It stays on this computer.")
    return 0


@command.command("forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(session: Session, *, yes: bool) -> int:
    """Forget all of it."""
    if not yes and not on_terminal():
        raise UsageError("Nobody is here to agree.", hint="Add --yes to forget it without a question.")
    if not yes and not click.confirm("Forget what was noted on this computer?", default=False, err=True):
        say("It is still there.")
        return 0
    session.app.guidance.learning.forget()
    put("It is forgotten.", "good")
    return 0
