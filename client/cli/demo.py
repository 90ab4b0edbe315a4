"""`deskside demo`: everything, with a help desk on this computer. Its files are its own, apart from the real help desk's."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from client.app import App
from client.cli.session import Session
from client.cli.show import put, put_json, say
from client.cli.walk import Walk
from client.demo.launch import DemoDesk, start
from client.errors import StorageFault
from client.platform.display import need_display
from client.platform.paths import Paths, ensure_folder, find_paths
from client.settings.layers import Loaded
from client.settings.schema import Desk

FAILED = 3


@click.command("demo")
@click.option(
    "--walk", "walking", is_flag=True, help="Walk through everything without a window, and print what happened as JSON."
)
@click.pass_obj
def command(session: Session, *, walking: bool) -> int:
    """Start a help desk on this computer and Deskside beside it. The help desk ends with it.

    With --walk no display is needed: it checks, searches, plans a repair, sends a ticket, reads it as the help desk's agent,
    answers it and sees the answer. Exit code 3 when a step fails.
    """
    settings = session.load().settings
    if walking:
        return _walk(settings)
    need_display()
    with _folder(find_paths().data / "demo") as folder:
        say("Starting the help desk ...")
        with start(folder / "desk") as desk:
            paths = demo_paths(folder)
            put(f"The help desk as its agents see it: {desk.agent_url}", "title")
            put(f"Sign in there as {desk.agent_user} with the password {desk.agent_password}")
            put(f"Deskside writes to it as {desk.employee}. Quit Deskside from its menu to end both.")
            return session.show_tray(lambda: demo_app(settings, desk, paths), folder=paths.state, page="")


def demo_app(settings: Loaded, desk: DemoDesk, paths: Paths) -> App:
    """An app that writes to the demonstration help desk, signed in for this process alone."""
    values = msgspec.structs.replace(settings.values, desk=Desk(kind="demo", url=desk.url))
    return App(paths=paths, settings=msgspec.structs.replace(settings, values=values), secret=desk.token)


def demo_paths(folder: Path) -> Paths:
    """Folders below `folder` for everything that Deskside writes; the program's own files and the policy stay where they are."""
    here = folder / "deskside"
    mine = {name: here / name for name in ("config", "data", "state", "cache", "log")}
    return find_paths()._replace(**mine)


def _walk(settings: Loaded) -> int:
    with _temporary() as folder:
        walk = Walk(tell=say)
        result = walk.run(
            start_desk=lambda: start(folder / "desk"),
            make_app=lambda desk: demo_app(settings, desk, demo_paths(folder)),
        )
    put_json(result)
    return 0 if result["ok"] else FAILED


@contextlib.contextmanager
def _folder(wanted: Path) -> Iterator[Path]:
    """The folder, or one that is gone afterwards where that cannot be written."""
    try:
        ensure_folder(wanted)
    except StorageFault:
        with _temporary() as folder:
            yield folder
    else:
        yield wanted


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="deskside-demo-"))
    except OSError as error:
        raise StorageFault(
            "There is no place for the demonstration's files.", hint="Free some disk space, then try again."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
