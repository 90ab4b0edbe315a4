"""`deskside logout`: forgets a sign-in, here and at the company's sign-in service."""

from __future__ import annotations

import click

from client.app import App
from client.cli.session import Session
from client.cli.show import put, say
from client.platform.single_instance import SIGN_IN


@click.command("logout")
@click.option(
    "--account", default=None, metavar="NAME", help="Which of several accounts; by default the one that counts."
)
@click.option("--all", "everyone", is_flag=True, help="Every account of this help desk.")
@click.pass_obj
def command(session: Session, account: str | None, *, everyone: bool) -> int:
    """Forget the sign-in. What waits to be sent stays."""

    async def work(app: App) -> bool:
        if not everyone:
            return await app.accounts.sign_out(account)
        told = True
        for one in await app.accounts.all():
            told = await app.accounts.sign_out(one.name) and told
        return told

    told = session.run(work)
    session.tell_running(SIGN_IN)
    put("You are signed out.")
    if not told:
        say("Your company's sign-in service could not be told of it; there the sign-in ends by itself.", "warn")
    return 0
