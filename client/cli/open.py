"""`deskside open`: opens the window, of the running Deskside or of a new one. What a launcher entry calls."""

from __future__ import annotations

import click

from client.cli.session import Session
from client.platform.paths import find_paths
from client.platform.single_instance import instance_folder


@click.command("open")
@click.argument("page", nargs=-1)
@click.pass_obj
def command(session: Session, page: tuple[str, ...]) -> int:
    """Open the window, on PAGE if one is named."""
    return session.show_tray(session.load, folder=instance_folder(find_paths().state), page=" ".join(page))
