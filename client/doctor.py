"""Is this installation well? One part after the other, each with one sentence and, where it is not well, what to do.

It looks and changes nothing, except that it creates the user's folders where they are missing, as every start does. A part that
cannot be looked at says so and does not stop the others.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from client import __version__
from client.app import App
from client.errors import DesksideError, SecretsFault, SignInNeeded
from client.model import SendState

LITTLE_SPACE_BYTES: Final = 100_000_000
DESK_S: Final = 15.0
KEYRING_S: Final = 10.0
_REMOTE_KINDS: Final = ("nfs", "cifs", "smb", "afs", "fuse.sshfs", "9p", "lustre", "glusterfs", "autofs")


class Health(StrEnum):
    """`NOTE` is worth knowing and nothing to repair; `UNWELL` keeps Deskside from doing part of its work."""

    WELL = "well"
    NOTE = "note"
    UNWELL = "unwell"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the installation: what it is ("keyring"), how it is, one sentence, and what to do where it is not well."""

    name: str
    health: Health
    sentence: str
    hint: str = ""


async def examine(app: App) -> tuple[Part, ...]:
    """Every part, in the order in which one would repair them. Takes seconds where the help desk does not answer."""
    looks: tuple[tuple[str, Callable[[App], Awaitable[Part]]], ...] = (
        ("program", _program),
        ("folders", _folders),
        ("settings", _settings),
        ("policy", _policy),
        ("keyring", _keyring),
        ("desk", _desk),
        ("outbox", _outbox),
        ("articles", _articles),
        ("search", _search),
        ("tray", _tray),
        ("start", _start),
        ("log", _log),
    )
    return tuple([await _looked(name, look, app) for name, look in looks])


async def _looked(name: str, look: Callable[[App], Awaitable[Part]], app: App) -> Part:
    try:
        return await look(app)
    except DesksideError as fault:
        return Part(name=name, health=Health.UNWELL, sentence=fault.message, hint=fault.hint)
    except OSError as error:
        said = error.strerror or type(error).__name__
        return Part(name=name, health=Health.UNWELL, sentence=f"This part could not be looked at: {said.lower()}.")


async def _program(app: App) -> Part:
    python = ".".join(map(str, sys.version_info[:3]))
    sentence = f"Deskside {__version__} with Python {python}, from {app.paths.resources.parent}."
    if not (app.paths.resources / "articles").is_dir():
        hint = "Install Deskside again."
        return Part(name="program", health=Health.UNWELL, sentence=f"{sentence} Its own files are missing.", hint=hint)
    return Part(name="program", health=Health.WELL, sentence=sentence)


async def _folders(app: App) -> Part:
    await asyncio.to_thread(app.paths.ensure)
    free = (await asyncio.to_thread(shutil.disk_usage, app.paths.data)).free
    if free < LITTLE_SPACE_BYTES:
        return Part(
            name="folders",
            health=Health.UNWELL,
            sentence=f"Only {free / 1e6:.0f} MB are free where drafts and tickets are kept ({app.paths.data}).",
            hint="Free some space: deskside fix list",
        )
    kind = await asyncio.to_thread(file_system_of, app.paths.data)
    if kind.startswith(_REMOTE_KINDS):
        return Part(
            name="folders",
            health=Health.NOTE,
            sentence=f"Drafts and tickets are kept on a network drive ({app.paths.data}, {kind}).",
            hint="They cannot be reached without the network, and only one computer at a time may use them.",
        )
    return Part(name="folders", health=Health.WELL, sentence=f"Drafts and tickets are kept in {app.paths.data}.")


async def _settings(app: App) -> Part:
    problems = app.settings.problems
    if problems:
        more = f" ({len(problems)} mistakes in all)" if len(problems) > 1 else ""
        return Part(
            name="settings",
            health=Health.UNWELL,
            sentence=f"{problems[0]}{more}",
            hint="See all of them: deskside config validate",
        )
    sources = app.settings.sources
    where = f"Read from {', '.join(map(str, sources))}." if sources else "None are set; the built-in values count."
    return Part(name="settings", health=Health.WELL, sentence=where)


async def _policy(app: App) -> Part:
    """Whether the layer of IT is one that only administrators can write to."""
    folder = app.paths.policy
    if sys.platform == "win32":
        return Part(name="policy", health=Health.WELL, sentence="IT's settings come from the registry.")
    if not folder.exists():
        return Part(name="policy", health=Health.NOTE, sentence=f"IT has set nothing here ({folder} does not exist).")
    if not os.access(folder, os.R_OK | os.X_OK):
        return Part(
            name="policy",
            health=Health.UNWELL,
            sentence=f"IT's settings in {folder} cannot be read.",
            hint="The folder and its files must be readable by everybody.",
        )
    for one in (folder, *sorted(folder.glob("*.toml"))):
        about = one.stat()
        if about.st_uid != 0 or about.st_mode & 0o022:
            return Part(
                name="policy",
                health=Health.UNWELL,
                sentence=f"Others than administrators can change IT's settings ({one}).",
                hint=f"chown root {one} && chmod go-w {one}",
            )
    return Part(name="policy", health=Health.WELL, sentence=f"IT's settings are in {folder}.")


async def _keyring(app: App) -> Part:
    from client.platform.secrets import get_secret  # noqa: PLC0415 -- brings keyring

    try:
        await asyncio.to_thread(get_secret, app.settings.values.desk.url or "deskside", deadline_s=KEYRING_S)
    except SecretsFault as fault:
        return Part(name="keyring", health=Health.UNWELL, sentence=fault.message, hint=fault.hint)
    return Part(name="keyring", health=Health.WELL, sentence="The password store of this computer answers.")


async def _desk(app: App) -> Part:
    desk = app.settings.values.desk
    if not desk.kind or not desk.url:
        return Part(
            name="desk",
            health=Health.UNWELL,
            sentence="No help desk is set, so tickets are kept on this computer.",
            hint="Set desk.kind and desk.url: deskside config example",
        )
    try:
        async with asyncio.timeout(DESK_S):
            who = await app.accounts.whoami()
    except TimeoutError:
        return Part(
            name="desk",
            health=Health.UNWELL,
            sentence=f"The help desk at {desk.url} did not answer within {DESK_S:.0f} seconds.",
            hint="See why: deskside check",
        )
    except SignInNeeded as fault:
        return Part(name="desk", health=Health.UNWELL, sentence=fault.message, hint="Sign in: deskside login")
    whom = f"{who.name} <{who.email}>" if who.email else who.name
    return Part(name="desk", health=Health.WELL, sentence=f"The help desk at {desk.url} answers and knows {whom}.")


async def _outbox(app: App) -> Part:
    entries = await app.outbox()
    stuck = [one for one in entries if one.state in {SendState.UNSURE, SendState.REFUSED}]
    waiting = [one for one in entries if one.state in {SendState.WAITING, SendState.SENDING, SendState.CREATED}]
    if stuck:
        return Part(
            name="outbox",
            health=Health.UNWELL,
            sentence=f"{_tickets(len(stuck))} cannot go on without a decision.",
            hint="See them: deskside outbox list",
        )
    if waiting:
        return Part(name="outbox", health=Health.NOTE, sentence=f"{_tickets(len(waiting))} wait to be sent.")
    return Part(name="outbox", health=Health.WELL, sentence="Nothing waits to be sent.")


async def _articles(app: App) -> Part:
    count = len(await asyncio.to_thread(app.articles))
    if not count:
        return Part(
            name="articles",
            health=Health.UNWELL,
            sentence="There are no help articles.",
            hint="Install Deskside again.",
        )
    return Part(name="articles", health=Health.WELL, sentence=f"{count} help articles for this system.")


async def _search(app: App) -> Part:
    sentence = app.how_it_searches()
    health = Health.NOTE if "alone" in sentence else Health.WELL
    return Part(name="search", health=health, sentence=sentence)


async def _tray(app: App) -> Part:
    if not app.settings.values.client.tray:
        return Part(name="tray", health=Health.WELL, sentence="The icon is switched off; the window opens by itself.")
    if sys.platform in {"win32", "darwin"}:
        return Part(name="tray", health=Health.WELL, sentence="This system always has a place for the icon.")
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return Part(name="tray", health=Health.NOTE, sentence="There is no desktop here, so no icon can be shown.")
    host = await asyncio.to_thread(_tray_host)
    if host is None:
        return Part(name="tray", health=Health.NOTE, sentence="The desktop does not say whether it shows icons.")
    if not host:
        return Part(
            name="tray",
            health=Health.NOTE,
            sentence="This desktop says of no place for icons; some have one of the older kind.",
            hint="Deskside opens from the launcher too, and with: deskside open",
        )
    return Part(name="tray", health=Health.WELL, sentence="The desktop shows icons.")


def _tray_host() -> bool | None:
    """Whether a StatusNotifier host is registered; None where nobody can be asked."""
    import jeepney.io.blocking  # type: ignore[import-untyped]  # noqa: PLC0415 -- Linux only, and rarely asked

    try:
        with jeepney.io.blocking.open_dbus_connection("SESSION") as bus:
            address = jeepney.DBusAddress(
                "/StatusNotifierWatcher", "org.kde.StatusNotifierWatcher", "org.kde.StatusNotifierWatcher"
            )
            asked = jeepney.Properties(address).get("IsStatusNotifierHostRegistered")
            reply: Any = bus.send_and_get_reply(asked, timeout=3)
    except Exception:  # noqa: BLE001 -- no bus, a bus that refuses, one that does not answer: each of its own kind
        return None
    if reply.header.message_type is jeepney.MessageType.error:
        return False
    return bool(reply.body[0][1])


async def _start(app: App) -> Part:
    from client.platform.autostart import is_enabled  # noqa: PLC0415 -- asked here only
    from client.platform.single_instance import SingleInstance, instance_folder  # noqa: PLC0415 -- as above

    with SingleInstance(instance_folder(app.paths.state)) as claim:
        running = "is not running now" if claim.claim() else "is running now"
    starts = "starts" if is_enabled() else "does not start"
    health = Health.WELL
    if app.settings.values.client.start_at_login != is_enabled():
        health = Health.NOTE  # the running tray puts it right
    return Part(name="start", health=health, sentence=f"Deskside {running}, and {starts} with the session.")


async def _log(app: App) -> Part:
    file = app.paths.log / "deskside.log"
    crashes = await asyncio.to_thread(_crashes, file)
    if crashes:
        return Part(
            name="log",
            health=Health.NOTE,
            sentence=f"The log tells of {crashes} {'crash' if crashes == 1 else 'crashes'} ({file}).",
            hint="Attach the file to a ticket: deskside ticket create --file",
        )
    return Part(name="log", health=Health.WELL, sentence=f"The log is {file}.")


def _crashes(file: Path) -> int:
    try:
        return sum(" CRITICAL " in line for line in file.read_text(errors="replace").splitlines())
    except FileNotFoundError:
        return 0


def file_system_of(place: Path) -> str:
    """The kind of the file system that a folder lies on ("ext4", "nfs4"); empty where the system does not say."""
    import psutil  # noqa: PLC0415 -- asked here only

    real = os.path.realpath(place)
    mounts = [one for one in psutil.disk_partitions(all=True) if _below(real, one.mountpoint)]
    return str(max(mounts, key=lambda one: len(one.mountpoint)).fstype) if mounts else ""


def _below(path: str, mount: str) -> bool:
    try:
        return os.path.commonpath([path, mount]) == mount
    except ValueError:  # another drive
        return False


def _tickets(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"
