"""`deskside login`: proves a sign-in at the help desk and only then keeps it in the keyring."""

from __future__ import annotations

import sys
from typing import Final

import click

from client.cli.session import Session
from client.cli.show import on_terminal, put, put_json
from client.errors import UsageError
from client.platform.single_instance import SIGN_IN

LONGEST: Final = 8192  # characters; real tokens have some hundred


@click.command("login")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, token_stdin: bool, as_json: bool) -> int:
    """Sign in with the token that the help desk gave you. It is never a word of the command line, which others can read."""
    if token_stdin:
        token = sys.stdin.read(LONGEST + 1).strip()
    elif on_terminal():
        token = str(click.prompt("Token", hide_input=True, err=True)).strip()
    else:
        raise UsageError(
            "Nobody is here to type the token.", hint="Use --token-stdin, and send the token on standard input."
        )
    if not token or len(token) > LONGEST or not token.isprintable() or " " in token:
        raise UsageError("That is no token: it is empty, too long, or has spaces in it.", hint="Copy it again, alone.")
    identity = session.run(lambda app: app.accounts.sign_in(token))
    session.tell_running(SIGN_IN)
    if as_json:
        put_json({"identity": identity})
    else:
        put(f"You are signed in as {identity.name}.", "good")
    return 0
