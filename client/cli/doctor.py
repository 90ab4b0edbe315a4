"""`deskside doctor`: is this installation well?"""

from __future__ import annotations

import asyncio
from typing import Final

import click

from client.app import App
from client.cli.session import Session
from client.cli.show import Look, put, put_json
from client.doctor import Health, Part, examine

NOT_WELL = 1
_LOOKS: Final[dict[Health, Look]] = {Health.WELL: "good", Health.NOTE: "warn", Health.UNWELL: "bad"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, as_json: bool) -> int:
    """Look at Deskside itself: its files, settings, keyring, help desk, outbox, articles and icon. Exit code 1: not well."""
    parts = asyncio.run(
        _examine(session.load())
    )  # not `session.app`: a part of its own tells of mistakes in the settings
    unwell = any(one.health is Health.UNWELL for one in parts)
    if as_json:
        put_json({"schema": 1, "well": not unwell, "parts": parts})
        return NOT_WELL if unwell else 0
    width = max(len(one.name) for one in parts)
    for one in parts:
        put(f"{one.name:<{width}}  {one.health:<6}  {one.sentence}", _LOOKS[one.health])
        if one.hint:
            put(f"{'':<{width}}          {one.hint}", "dim")
    return NOT_WELL if unwell else 0


async def _examine(app: App) -> tuple[Part, ...]:
    try:
        return await examine(app)
    finally:
        await app.close()
