"""`deskside errand WHAT`: what the resting tray has done by a child, so that it never loads the network and the keyring.

Prints one JSON object: `{"entries": [...]}` after `deliver` and `resume` (the network is back), `{"news": [[ticket, comment],
...], "open": true}` after `news`, `{"ended": [...]}` (what was waited for) after `announcements`, `{}` after `articles`. Not for
people: `deskside outbox`, `deskside ticket` and `deskside announcements` are.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from client.app import App
from client.cli.session import Session


@click.command("errand", hidden=True)
@click.argument("what", type=click.Choice(["deliver", "resume", "news", "articles", "announcements"]))
@click.pass_obj
def command(session: Session, what: str) -> int:
    """Do one errand of the tray."""
    errands = {
        "deliver": _deliver,
        "resume": _resume,
        "news": _news,
        "articles": _articles,
        "announcements": _announcements,
    }
    result = session.run(errands[what])
    click.echo(msgspec.json.encode(result))
    return 0


async def _deliver(app: App) -> dict[str, Any]:
    return {"entries": await app.deliver()}


async def _resume(app: App) -> dict[str, Any]:
    return {"entries": await app.network_returned()}


async def _news(app: App) -> dict[str, Any]:
    news = await app.news()
    tickets = await app.tickets(refresh=False)
    return {"news": news, "open": any(one.is_open for one in tickets)}


async def _articles(app: App) -> dict[str, Any]:
    await app.guidance.look_after()
    return {}


async def _announcements(app: App) -> dict[str, Any]:
    asked = await app.bulletin.refresh(always=False)
    return {"ended": asked.ended}
