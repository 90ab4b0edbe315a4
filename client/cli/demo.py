"""`deskside demo`: everything, with a help desk on this computer. Its files are its own, apart from the real help desk's."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from client.app import PROGRAM, App
from client.cli.session import Session
from client.cli.show import put, put_json, say
from client.cli.walk import Walk
from client.demo.launch import DemoDesk, start
from client.errors import StorageFault, UsageError
from client.platform.display import need_display
from client.platform.logfile import start_logging
from client.platform.paths import Paths, ensure_folder, find_paths
from client.platform.single_instance import SingleInstance
from client.settings.layers import load
from client.settings.schema import Desk

FAILED: Final = 3
JOINED: Final = "joined.json"


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo's children need to know. In a file that only this user reads; its help desk ends with the demo."""

    url: str
    token: str
    settings_file: str = ""


@click.command("demo")
@click.option(
    "--walk", "walking", is_flag=True, help="Walk through it without a window, and print what happened as JSON."
)
@click.pass_obj
def command(session: Session, *, walking: bool) -> int:
    """Start a help desk on this computer and Deskside beside it. The help desk ends with it.

    With --walk no display is needed: it checks, searches, plans a repair, sends a ticket, reads it as the help desk's agent,
    answers it and sees the answer. Exit code 3 when a step fails.
    """
    file = session.settings_file
    start_logging(find_paths().log)  # what a failed walk was about must outlive its folder
    if walking:
        with _temporary() as folder:
            result = Walk(tell=say).run(
                start_desk=lambda: start(folder / "desk"), make_app=lambda desk: _join(folder, desk, settings_file=file)
            )
        put_json(result)
        return 0 if result["ok"] else FAILED
    need_display()
    with _folder(find_paths().data / "demo") as folder:
        if SingleInstance(demo_paths(folder).state).send("open"):
            say("The demonstration is running already; its window is open now.")
            return 0
        say("Starting the help desk ...")
        with start(folder / "desk") as desk:
            put(f"The help desk as its agents see it: {desk.agent_url}", "title")
            put(f"Sign in there as {desk.agent_user} with the password {desk.agent_password}")
            put(f"Deskside writes to it as {desk.employee}. Quit Deskside from its menu to end both.")
            lock = demo_paths(folder).state
            return session.show_tray(lambda: _join(folder, desk, settings_file=file), folder=lock, page="")


def rejoin(folder: Path) -> App:
    """The app of a demo that runs already, from another process.

    Raises:
        UsageError: there is none.
        SettingsFault: its settings file cannot be read.
    """
    try:
        joined = msgspec.json.decode((folder / JOINED).read_bytes(), type=Joined)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"There is no demonstration in {folder}.", hint="Start one: deskside demo") from error
    return _app(folder, joined)


def demo_paths(folder: Path) -> Paths:
    """Folders below `folder` for everything Deskside writes; the program's own files and the policy stay where they are."""
    here = folder / "deskside"
    mine = {name: here / name for name in ("config", "data", "state", "cache", "log")}
    return find_paths()._replace(**mine)


def _join(folder: Path, desk: DemoDesk, *, settings_file: Path | None) -> App:
    """An app that writes to the demonstration's help desk, and the note by which its children find it."""
    joined = Joined(
        url=desk.url, token=desk.token, settings_file=str(settings_file.absolute()) if settings_file else ""
    )
    note = folder / JOINED
    note.unlink(missing_ok=True)
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(joined))
    return _app(folder, joined)


def _app(folder: Path, joined: Joined) -> App:
    settings = load(find_paths(), user_file=Path(joined.settings_file) if joined.settings_file else None)
    values = msgspec.structs.replace(settings.values, desk=Desk(kind="demo", url=joined.url))
    return App(
        paths=demo_paths(folder),
        settings=msgspec.structs.replace(settings, values=values),
        program=(*PROGRAM, "--demo-folder", str(folder)),
        secret=joined.token,
    )


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
