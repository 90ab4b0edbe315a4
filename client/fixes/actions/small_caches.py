"""Clears the previews, icons or fonts that a desktop has stored, where they show something wrong. All of it is made again."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes import aside
from client.fixes.command import must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, counted, size, stoppable
from client.fixes.tree import Pinned, Rule, pinned, sweep
from client.model import Step

REBUILD_S: Final = 120.0  # a machine with thousands of fonts
MADE_AGAIN: Final = "Not needed: they are made again by themselves."


class _Store(msgspec.Struct, frozen=True, kw_only=True):
    """What one system has stored: patterns below the home (a folder loses its content), and a command that renews it."""

    patterns: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    refused: str = ""


EXPLORER: Final = "AppData/Local/Microsoft/Windows/Explorer"
STORES: Final = {
    "thumbnails": {
        "linux": _Store(patterns=(".cache/thumbnails",)),
        "darwin": _Store(command=("qlmanage", "-r", "cache")),
        "win32": _Store(patterns=(f"{EXPLORER}/thumbcache_*.db",)),
    },
    "icons": {
        "linux": _Store(
            patterns=(
                ".cache/icon-cache.kcache",
                ".local/share/icons/*/icon-theme.cache",
                ".icons/*/icon-theme.cache",
                ".cache/gnome-software/icons",
            )
        ),
        "darwin": _Store(
            refused="On a Mac the stored icons belong to the system. Restarting the Mac in safe mode clears them."
        ),
        "win32": _Store(patterns=(f"{EXPLORER}/iconcache_*.db",), command=("ie4uinit", "-show")),
    },
    "fonts": {
        "linux": _Store(patterns=(".cache/fontconfig", ".fontconfig"), command=("fc-cache", "--force")),
        "darwin": _Store(command=("atsutil", "databases", "-removeUser")),
        "win32": _Store(
            refused="On Windows the stored fonts belong to a service, and only an administrator may clear them. Restart the"
            " computer first; where that does not help, ask your IT department."
        ),
    },
}
WORDS: Final = {
    "thumbnails": ("Forget the small preview pictures of your files.", "previews"),
    "icons": ("Forget the stored icons of programs and files.", "icons"),
    "fonts": ("Forget what the system has noted about your fonts, and note it anew.", "notes about fonts"),
}


async def plan(option: str, machine: Machine) -> Planned:
    """One step, or a refusal where nothing is stored."""
    store = STORES[option][machine.platform]
    if store.refused:
        return Planned(refused=store.refused)
    if store.command and machine.which(store.command[0]) is None:
        return Planned(refused=f"This computer does not have the program that renews them ({store.command[0]}).")
    items = tuple(
        pinned(name, identity)
        for name in _found(store, machine)
        if (identity := aside.identity(machine.home / name, uid=machine.uid, inside=machine.home))
    )
    if not items and not store.command:
        return Planned(refused=f"No {WORDS[option][1]} are stored here, so there is nothing to clear.")
    frees = (await stoppable(partial(_sweep, items, machine, remove=False)))[0]
    return Planned(steps=(_step(option, items, machine),), gain_bytes=frees or None, undo=MADE_AGAIN)


def accepts(step: Step, option: str, machine: Machine) -> str:
    """As `Action.accepts`: what fits the patterns of this option on this system."""
    try:
        items = msgspec.json.decode(step.parameters["items"], type=tuple[Pinned, ...])
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError):
        return "This step cannot be read."
    store = STORES.get(option, {}).get(machine.platform)
    if store is None or step.parameters.get("what") != option or not all(_fits(store, item.name) for item in items):
        return "This step names something that does not belong to it."
    return "" if step == _step(option, items, machine) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Clears it, and renews it where there is a command for that."""
    store = STORES[step.parameters["what"]][machine.platform]
    items = msgspec.json.decode(step.parameters["items"], type=tuple[Pinned, ...])
    freed, files, left = await stoppable(partial(_sweep, items, machine, remove=True))
    if store.command:
        say("Making them anew.")
        await must(machine, *store.command, failed="The system did not make them anew.", deadline_s=REBUILD_S)
    if items and not files and left:
        raise ActionFault(
            "They are in use and could not be cleared.", hint="Restart the computer, then try again at once."
        )
    words = f"{size(freed)} cleared ({counted(files, 'file')})." if items else "They are cleared."
    return words if not left else f"{words} {counted(left, 'file')} in use stayed."


def _found(store: _Store, machine: Machine) -> list[str]:
    found: set[str] = set()
    for pattern in store.patterns:
        try:
            found.update(path.relative_to(machine.home).as_posix() for path in machine.home.glob(pattern))
        except OSError:
            continue
    return sorted(name for name in found if _fits(store, name))


def _fits(store: _Store, name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        name.isprintable()
        and name == "/".join(parts)
        and ".." not in parts
        and any(
            len(parts) == len(pattern.split("/"))
            and all(fnmatch.fnmatchcase(part, piece) for part, piece in zip(parts, pattern.split("/"), strict=True))
            for pattern in store.patterns
        )
    )


def _sweep(
    items: tuple[Pinned, ...], machine: Machine, stop: Callable[[], bool], *, remove: bool
) -> tuple[int, int, int]:
    rule = Rule(uid=machine.uid, until_ns=machine.now_ns() + 1)  # pinned one by one; their age says nothing
    freed = files = left = 0
    for item in items:
        path = machine.home / item.name
        if aside.identity(path, uid=machine.uid, inside=machine.home) != item.identity:
            left += 1
            continue
        try:
            if path.is_dir():
                done = sweep(path, identity=item.identity, rule=rule, remove=remove, stop=stop)
            else:
                folder = aside.identity(path.parent, uid=machine.uid, inside=machine.home)
                if folder is None:
                    continue
                names = {path.name: item.identity}
                done = sweep(path.parent, identity=folder, rule=rule, remove=remove, names=names, stop=stop)
        except OSError:
            left += 1
            continue
        freed, files, left = freed + done.bytes, files + done.files, left + done.left
    return freed, files, left


def _step(option: str, items: tuple[Pinned, ...], machine: Machine) -> Step:
    command = STORES[option][machine.platform].command
    runs = (f"Runs {' '.join(command)}.",) if command else ()
    return Step(
        action="small_caches",
        parameters={"what": option, "items": msgspec.json.encode(items).decode()},
        words=WORDS[option][0],
        details=(*(item.name for item in items), *runs),
    )


ACTION: Final = Action(name="small_caches", plan=plan, accepts=accepts, execute=execute)
