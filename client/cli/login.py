"""`deskside login`: proves a sign-in at the help desk and only then keeps it in the keyring.

Where the company signs in with its account, the browser opens; on a computer without one a code is shown, to be entered elsewhere.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from client.app import App
from client.cli.session import Session
from client.cli.show import clean, on_terminal, put, put_json, say
from client.errors import DisplayFault, UsageError
from client.model import Identity
from client.platform.opener import open_url
from client.platform.single_instance import SIGN_IN
from client.signin.vault import FIRST

if TYPE_CHECKING:
    from client.signin.device import Code

LONGEST: Final = 8192  # characters; real tokens have some hundred


@click.command("login")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option(
    "--code", "by_code", is_flag=True, help="Show a code to enter on another device, for computers without a browser."
)
@click.option(
    "--account", default=FIRST, metavar="NAME", help="Which of several accounts; a name of your own, such as work."
)
@click.option("--use", "switch", is_flag=True, help="Use the account NAME, which is signed in already.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, token_stdin: bool, by_code: bool, account: str, switch: bool, as_json: bool) -> int:
    """Sign in to the help desk: with the company account in the browser, or with the token that the help desk gave you.

    A token is never a word of the command line, which others can read.
    """
    if switch:
        session.run(lambda app: app.accounts.switch(account))
        session.tell_running(SIGN_IN)
        put(f"The account {clean(account)} is used now.", "good")
        return 0
    company = session.app.accounts.by_company_account
    if company and token_stdin:
        raise UsageError(
            "Your company signs in to the help desk with the company account, not with a token.",
            hint="Run `deskside login` without a token.",
        )
    if by_code and not company:
        raise UsageError("This help desk has no sign-in with a code.", hint="Sign in with its token: deskside login")
    if company:
        identity = session.run(lambda app: _by_company_account(app, account, by_code=by_code))
    else:
        token = _token(token_stdin=token_stdin)
        identity = session.run(lambda app: app.accounts.sign_in(token, account=account))
    session.tell_running(SIGN_IN)
    if as_json:
        put_json({"identity": identity, "account": account})
    else:
        put(f"You are signed in as {identity.name}.", "good")
    return 0


async def _by_company_account(app: App, account: str, *, by_code: bool) -> Identity:
    if by_code or not _has_browser():
        return await app.accounts.sign_in_by_code(_show_code, account=account)
    say("Sign in in the browser that opens. Ctrl+C stops waiting.")
    return await app.accounts.sign_in_by_browser(_open, account=account)


def _has_browser() -> bool:
    """Whether a browser can be shown: on a server or over SSH it cannot."""
    if sys.platform in {"win32", "darwin"}:
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str) -> None:
    try:
        open_url(address)
    except DisplayFault as fault:
        raise DisplayFault("No browser could be opened.", hint="Sign in with a code: deskside login --code") from fault


def _show_code(code: Code) -> None:
    """For people, on standard error: with --json standard output holds the result alone."""
    say(f"On any device, open {clean(code.page)} and enter this code:", "")
    say(f"    {code.code}", "title")
    if code.page_with_code:
        say(f"Or open {clean(code.page_with_code)}")
    minutes = max(1, round(code.lasts_s / 60))
    say(
        f"It lasts {minutes} minute{'' if minutes == 1 else 's'}. Only enter it if you have started this sign-in yourself."
    )


def _token(*, token_stdin: bool) -> str:
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
    return token
