"""`deskside whoami`: asks the help desk whose sign-in this is."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.cli.show import put, put_json


@click.command("whoami")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Say who the help desk takes you for."""
    identity = session.run(lambda app: app.accounts.whoami())
    if as_json:
        put_json({"identity": identity})
    else:
        put(f"{identity.name} <{identity.email}>" if identity.email else identity.name)
    return 0
