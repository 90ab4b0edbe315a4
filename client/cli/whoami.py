"""`deskside whoami`: asks the help desk whose sign-in this is, and lists the accounts that are signed in here."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.cli.show import put, put_json, put_table, say


@click.command("whoami")
@click.option(
    "--accounts", is_flag=True, help="List the accounts that are signed in on this computer, without asking anybody."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, accounts: bool, as_json: bool) -> int:
    """Say who the help desk takes you for."""
    if accounts:
        found = session.run(lambda app: app.accounts.all())
        if as_json:
            put_json({"accounts": found})
        elif not found:
            say("Nobody is signed in here.")
        else:
            rows = [(one.name, one.identity.name, one.identity.email, "used" if one.active else "") for one in found]
            put_table(rows, heads=("account", "name", "e-mail", ""))
        return 0
    identity = session.run(lambda app: app.accounts.whoami())
    if as_json:
        put_json({"identity": identity})
    else:
        put(f"{identity.name} <{identity.email}>" if identity.email else identity.name)
    return 0
