"""Shows this user's largest files, and moves those that the employee chooses into the trash. It never removes anything.

Linux: the home trash of the freedesktop.org Trash specification 1.0. macOS: `~/.Trash`. Windows: the recycle bin, by the shell.
Only files on the home's own volume are shown, so that moving is one rename: a process killed at any moment leaves it here or there.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from client.errors import ActionFault
from client.fixes import aside
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, printable, size, stoppable
from client.fixes.tree import Identity, pinned
from client.model import Step

LARGE_BYTES: Final = 100_000_000
SHOWN: Final = 30
LOOK_S: Final = 25.0  # a home of a million files; what was not seen then is not shown
DAYS_S: Final = 86400
# Folders below the home that hold no files of a person's own, beside the hidden ones: what programs keep.
NOT_OURS: Final = frozenset({"Library", "AppData", "snap", "node_modules"})
PIN: Final = re.compile(r"[0-9]{1,40}:[0-9]{1,40}")
KEPT_NAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,250}")
GONE: Final = "It has changed since you looked at it, so it was left alone."


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each large file, none chosen."""
    return await stoppable(lambda stop: _plan(machine, stop))


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a file of this user below the home, outside of what programs keep."""
    values = step.parameters
    if (
        values.keys() != {"path", "pin", "kept"}
        or not PIN.fullmatch(values["pin"])
        or not KEPT_NAME.fullmatch(values["kept"])
    ):
        return "This step cannot be read."
    path = Path(values["path"])
    if not path.is_absolute() or not path.is_relative_to(machine.home) or not values["path"].isprintable():
        return "This step names no file of yours."
    parts = path.relative_to(machine.home).parts
    if not parts or ".." in parts or any(map(_not_ours, parts[:-1])):
        return "This step names a file that a program keeps."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Moves it into the trash, if it still is the file that was shown."""
    return await asyncio.to_thread(_move, step, machine)


def _move(step: Step, machine: Machine) -> str:
    path = Path(step.parameters["path"])
    device, _, inode = step.parameters["pin"].partition(":")
    if aside.identity(path, uid=machine.uid, inside=machine.home) != (int(device), int(inode)):
        raise ActionFault(f"“{path.name}”: {GONE}")
    count = path.lstat().st_size
    if machine.platform == "win32":
        machine.throw_away(str(path))
    else:
        _throw_away(path, step.parameters["kept"], machine)
    return f"“{printable(path.name)}” is in the trash ({size(count)}). The space is free once you empty the trash."


def undo_of(step: Step) -> dict[str, str]:
    """Where it was and how it is called in the trash; nothing on Windows, where the recycle bin itself gives it back."""
    return dict(step.parameters)


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Moves it back to where it was, unless there is something of that name by now."""
    return await asyncio.to_thread(_move_back, state, machine)


def _move_back(state: dict[str, str], machine: Machine) -> str:
    path, kept = Path(state.get("path", "")), state.get("kept", "")
    if machine.platform == "win32":
        raise ActionFault(
            "Windows gives it back.", hint="Open the recycle bin, right-click the file, and choose Restore."
        )
    if not path.is_absolute() or not path.is_relative_to(machine.home) or not KEPT_NAME.fullmatch(kept) or kept == "..":
        raise ActionFault("There is nothing to put back.")
    files, info = _trash(machine)
    inside = files / kept
    pin = "{}:{}".format(*identity) if (identity := _regular(inside)) else ""
    if not pin and os.path.lexists(path):
        (info / f"{kept}.trashinfo").unlink(missing_ok=True)
        return f"“{path.name}” is in its place."
    if pin != state.get("pin"):
        raise ActionFault(
            f"“{path.name}” is no longer in the trash.", hint="If the trash was emptied, only a backup has it."
        )
    if os.path.lexists(path):
        raise ActionFault(f"There is another “{path.name}” now.", hint="Rename that one, then undo it again.")
    path.parent.mkdir(parents=True, exist_ok=True)
    inside.rename(path)
    (info / f"{kept}.trashinfo").unlink(missing_ok=True)
    return f"“{path.name}” is back where it was."


def _plan(machine: Machine, stop: Callable[[], bool]) -> Planned:
    ends = time.monotonic() + LOOK_S
    now_s = machine.now_ns() // 10**9
    largest: list[tuple[int, str, Identity, float]] = []
    for entry in _walk(machine, lambda: stop() or time.monotonic() > ends):
        heapq.heappush(largest, entry)
        if len(largest) > SHOWN:
            heapq.heappop(largest)
    if not largest:
        return Planned(refused=f"None of your files is larger than {size(LARGE_BYTES)}.")
    steps = tuple(
        Step(
            action="large_files",
            parameters={"path": path, "pin": pinned(path, identity).pin, "kept": _kept(path, now_s, number)},
            words=f"{printable(Path(path).name)}  {size(count)}",
            details=(
                f"In {printable(str(Path(path).parent))}, last changed {_age(now_s - changed)}. Moves it into the trash.",
            ),
            picked=False,
            gain_bytes=count,
        )
        for number, (count, path, identity, changed) in enumerate(sorted(largest, reverse=True))
    )
    back = "What you moved is moved back out of the trash, as long as the trash was not emptied."
    if machine.platform == "win32":
        back = "What you moved lies in the recycle bin, which gives it back: right-click the file there and choose Restore."
    return Planned(steps=steps, undo=back, choice="some")


def _walk(machine: Machine, stop: Callable[[], bool]) -> Iterator[tuple[int, str, Identity, float]]:
    """Every large file that may be shown: size, path, which one it is, and when it was changed (seconds since 1970)."""
    try:
        device = machine.home.stat().st_dev
    except OSError:
        return
    todo = [machine.home]
    while todo and not stop():
        folder = todo.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                if not _not_ours(entry.name) and status.st_dev == device:
                    todo.append(Path(entry.path))
            elif (
                stat.S_ISREG(status.st_mode)
                and status.st_size >= LARGE_BYTES
                and status.st_dev == device
                and (os.name == "nt" or status.st_uid == machine.uid)
                and entry.path.isprintable()
            ):
                inode = status.st_ino or Path(entry.path).lstat().st_ino  # on Windows scandir does not know it
                yield status.st_size, entry.path, (status.st_dev, inode), status.st_mtime


def _not_ours(folder: str) -> bool:
    return folder.startswith(".") or folder in NOT_OURS


def _throw_away(path: Path, kept: str, machine: Machine) -> None:
    """By the specification: first the note on where it came from, then the file itself."""
    files, info = _trash(machine)
    for folder in (files, info):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.path.lexists(files / kept):
        raise ActionFault(f"“{path.name}”: the trash holds one of this name already.", hint="Look at the plan again.")
    if files.stat().st_dev != path.lstat().st_dev:
        raise ActionFault(f"“{path.name}” lies on another disk than the trash.", hint="Move it with your file manager.")
    note = info / f"{kept}.trashinfo"
    if machine.platform == "linux":
        when = datetime.fromtimestamp(machine.now_ns() // 10**9).strftime("%Y-%m-%dT%H:%M:%S")  # noqa: DTZ006 -- local, as specified
        handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"[Trash Info]\nPath={quote(os.fsencode(path))}\nDeletionDate={when}\n")
    try:
        path.rename(files / kept)
    except OSError:
        note.unlink(missing_ok=True)
        raise


def _trash(machine: Machine) -> tuple[Path, Path]:
    """Where things lie, and where the notes on them do; on macOS both are one folder and there are no notes."""
    if machine.platform == "darwin":
        return machine.home / ".Trash", machine.home / ".Trash"
    trash = Path(machine.environment.get("XDG_DATA_HOME") or machine.home / ".local/share") / "Trash"
    return trash / "files", trash / "info"


def _regular(path: Path) -> Identity | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None


def _kept(path: str, now_s: int, number: int) -> str:
    """A name in the trash that nothing else has: the time and a number go in front of the ending."""
    name = Path(path)
    stem, ending = name.stem[:150], name.suffix[:20]
    return f"{stem}.{now_s}-{number}{ending}"


def _age(seconds: float) -> str:
    days = int(seconds // DAYS_S)
    return "today" if days < 1 else f"{days:,} day{'s' if days > 1 else ''} ago"


ACTION: Final = Action(name="large_files", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
