"""Removes for good what lies in the trash: exactly what lay there when the plan was shown.

Linux follows the freedesktop.org Trash specification 1.0: the home trash, and on every other volume `.Trash/UID` (when `.Trash`
is sticky and no link) and `.Trash-UID`. macOS has `~/.Trash`, Windows a function of the shell.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.machine import Machine, mounts
from client.fixes.plan import Action, Planned, Say, counted, printable, size, stoppable
from client.fixes.tree import Identity, Pinned, Rule, Swept, identify, pinned, sweep
from client.model import Step

MOST_ITEMS: Final = 2000  # per trash and plan; another run takes the rest
SHOWN: Final = 40
INFO: Final = ".trashinfo"
# Local file systems that people trash files on. Network shares are left out: one that hangs would hang the plan.
LOCAL: Final = (
    "ext2",
    "ext3",
    "ext4",
    "xfs",
    "btrfs",
    "f2fs",
    "zfs",
    "vfat",
    "exfat",
    "ntfs",
    "ntfs3",
    "fuseblk",
    "hfsplus",
    "tmpfs",
)
EMPTY: Final = "The trash is empty."


class _Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    trash: Pinned
    items: tuple[Pinned, ...]


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each trash that holds something."""
    if machine.platform == "win32":
        return _plan_windows(machine)
    return await stoppable(lambda stop: _plan(machine, stop))


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a trash of this user on this computer, and names without a way out."""
    if machine.platform == "win32":
        return "" if step.parameters == {"trash": "recycle-bin"} else "This step names no recycle bin."
    try:
        values = _read(step)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError):
        return "This step cannot be read."
    if values.trash.name not in {str(path) for path in _trashes(machine)}:
        return "This step names no trash of yours."
    if not values.items or not all(_is_plain(item.name) for item in values.items):
        return "This step names something that is not in the trash."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Empties one trash of the items in the plan."""
    if machine.platform == "win32":
        _, count = machine.bin_contents()
        machine.empty_bin()
        return f"The recycle bin is empty; {size(count)} freed."
    values = _read(step)
    try:
        done = await stoppable(lambda stop: _empty(values, machine, stop))
    except OSError as error:
        raise ActionFault("The trash has changed since you looked at it.", hint="Look at the plan again.") from error
    words = f"{size(done.bytes)} freed ({counted(done.files, 'file')})."
    if done.left:
        words += f" {counted(done.left, 'entry', 'entries')} could not be removed: another program or user holds that."
    return words


def _plan(machine: Machine, stop: Callable[[], bool]) -> Planned:
    steps, gain, refused = [], 0, EMPTY
    for trash in _trashes(machine):
        files = _files(trash, machine)
        identity = identify(files, uid=machine.uid)
        if identity is None:
            continue
        try:
            items = _items(files)
        except PermissionError:
            refused = "The system keeps programs out of the trash; empty it with a right click on its icon."
            continue
        except OSError:
            continue
        if not items:
            continue
        swept = _sweep(files, identity, items, machine, stop, remove=False)
        gain += swept.bytes
        values = _Parameters(trash=pinned(str(trash), identity), items=items)
        more = [f"and {counted(len(items) - SHOWN, 'more thing')}"] if len(items) > SHOWN else []
        where = "your trash" if trash == _home_trash(machine) else f"the trash of {printable(str(trash.parent))}"
        steps.append(
            Step(
                action="empty_trash",
                parameters=_written(values),
                words=f"Remove for good what is in {where}: {counted(len(items), 'thing')}, {size(swept.bytes)}.",
                details=(*(printable(item.name) for item in items[:SHOWN]), *more),
            )
        )
    return Planned(steps=tuple(steps), gain_bytes=gain) if steps else Planned(refused=refused)


def _plan_windows(machine: Machine) -> Planned:
    count, bytes_ = machine.bin_contents()
    if not count:
        return Planned(refused="The recycle bin is empty.")
    step = Step(
        action="empty_trash",
        parameters={"trash": "recycle-bin"},
        words=f"Remove for good what is in the recycle bin: {counted(count, 'thing')}, {size(bytes_)}.",
        details=("Everything in the recycle bins of all drives.",),
    )
    return Planned(steps=(step,), gain_bytes=bytes_)


def _empty(values: _Parameters, machine: Machine, stop: Callable[[], bool]) -> Swept:
    trash = Path(values.trash.name)
    files = _files(trash, machine)
    done = _sweep(files, values.trash.identity, values.items, machine, stop, remove=True)
    if machine.platform == "linux":
        _forget(trash, files, values.items)
    return done


def _sweep(
    files: Path,
    identity: Identity,
    items: tuple[Pinned, ...],
    machine: Machine,
    stop: Callable[[], bool],
    *,
    remove: bool,
) -> Swept:
    names = {item.name: item.identity for item in items}
    rule = Rule(
        uid=machine.uid, until_ns=machine.now_ns() + 1
    )  # the items are pinned one by one; their age says nothing
    return sweep(files, identity=identity, rule=rule, remove=remove, names=names, stop=stop)


def _forget(trash: Path, files: Path, items: tuple[Pinned, ...]) -> None:
    """Takes away the notes on where the removed things came from; a note whose thing is still there stays."""
    with contextlib.suppress(OSError):
        info = os.open(trash / "info", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for item in items:
                if not os.path.lexists(files / item.name):
                    with contextlib.suppress(OSError):
                        os.unlink(item.name + INFO, dir_fd=info)
        finally:
            os.close(info)


def _trashes(machine: Machine) -> tuple[Path, ...]:
    """Every trash folder of this user that is what the specification asks for, the home trash first."""
    home = _home_trash(machine)
    found = [home] if identify(home, uid=machine.uid) else []
    if machine.platform != "linux":
        return tuple(found)
    for mount in mounts(machine):
        if mount.kind not in LOCAL:
            continue
        shared = mount.path / ".Trash"
        if _is_sticky_folder(shared):
            found.append(shared / str(machine.uid))
        found.append(mount.path / f".Trash-{machine.uid}")
    return tuple(dict.fromkeys(path for path in found if identify(path, uid=machine.uid)))


def _home_trash(machine: Machine) -> Path:
    if machine.platform == "darwin":
        return machine.home / ".Trash"
    return Path(machine.environment.get("XDG_DATA_HOME") or machine.home / ".local/share") / "Trash"


def _files(trash: Path, machine: Machine) -> Path:
    return trash / "files" if machine.platform == "linux" else trash


def _items(files: Path) -> tuple[Pinned, ...]:
    found = []
    with os.scandir(files) as entries:
        for entry in entries:
            if _is_plain(entry.name):
                status = entry.stat(follow_symlinks=False)
                found.append(pinned(entry.name, (status.st_dev, status.st_ino)))
    return tuple(sorted(found, key=lambda item: item.name)[:MOST_ITEMS])


def _is_plain(name: str) -> bool:
    """One name, no path, and one that a plan can write down (names of broken bytes cannot; a file manager takes those)."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name not in {"", ".", "..", ".DS_Store"} and "/" not in name and "\0" not in name


def _is_sticky_folder(path: Path) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)


def _written(values: _Parameters) -> dict[str, str]:
    return {
        "trash": values.trash.name,
        "folder": values.trash.pin,
        "items": msgspec.json.encode(values.items).decode(),
    }


def _read(step: Step) -> _Parameters:
    if step.parameters.keys() != {"trash", "folder", "items"}:
        raise ValueError("parameters are missing or too many")
    trash = msgspec.convert((step.parameters["trash"], step.parameters["folder"]), Pinned)
    return _Parameters(trash=trash, items=msgspec.json.decode(step.parameters["items"], type=tuple[Pinned, ...]))


ACTION: Final = Action(name="empty_trash", plan=plan, accepts=accepts, execute=execute)
