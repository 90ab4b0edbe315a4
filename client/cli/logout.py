"""`deskside logout`: forgets the sign-in of this account's help desk."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.cli.show import put


@click.command("logout")
@click.pass_obj
def command(session: Session) -> int:
    """Forget the sign-in. What waits to be sent stays."""
    session.run(lambda app: app.sign_out())
    put("You are signed out.")
    return 0
