"""`deskside logout`: forgets the sign-in of this account's help desk."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.cli.show import put
from client.platform.single_instance import SIGN_IN


@click.command("logout")
@click.pass_obj
def command(session: Session) -> int:
    """Forget the sign-in. What waits to be sent stays."""
    session.run(lambda app: app.accounts.sign_out())
    session.tell_running(SIGN_IN)
    put("You are signed out.")
    return 0
