"""Removes what programs can make again: their caches, thumbnails, downloaded packages, and old temporary files.

What may go is a table (`client.fixes.cache_places`), each place a folder of this user with patterns below it. A plan names a
place and items that fit its patterns, each pinned to the folder it was when it was measured; nothing else can be said in
its parameters.
"""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.cache_places import OLD_DAYS, PLACES, Place
from client.fixes.machine import Machine, mounts
from client.fixes.plan import Action, Planned, Say, counted, printable, size, stoppable
from client.fixes.tree import Identity, Pinned, Rule, identify, pinned, sweep
from client.model import Step

WORTH_BYTES: Final = 1_000_000  # smaller ones are not worth an employee's reading
MOST_ITEMS: Final = 200  # per place, the largest
PLAN_S: Final = 30.0  # measuring stops then; what was not measured is not offered
IN_USE_NS: Final = 3600 * 10**9  # files of the last hour may belong to something that is being done right now
DAY_NS: Final = 24 * 3600 * 10**9
# File systems in memory: clearing them gives the disk nothing.
IN_MEMORY: Final = ("tmpfs", "ramfs")


class _Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    place: str
    items: tuple[Pinned, ...]
    planned_ns: int


async def plan(_option: str, machine: Machine) -> Planned:
    """Measures every place; one step for each that is worth it."""
    running = machine.programs()
    return await stoppable(lambda stop: _plan(machine, running, stop))


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a place of this system, and items that fit its patterns and are named plainly."""
    try:
        values = _read(step)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError):
        return "This step cannot be read."
    place = PLACES.get(values.place)
    if place is None or place.platform != machine.platform:
        return "This step names no place of this computer."
    if not values.items or not all(_fits(place, item.name) for item in values.items):
        return "This step names something that is not a cache."
    if not 0 < values.planned_ns <= machine.now_ns():
        return "This step was planned at no possible time."
    return ""


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Removes the items, each only where it still is what was measured. What came since then stays."""
    values = _read(step)
    place = PLACES[values.place]
    running = machine.programs()
    freed = files = left = skipped = 0
    base = _base(place.base, machine)
    if base is None:
        raise ActionFault("The folder is not there any more.")
    for item in values.items:
        if _keeper(place, item.name, running):
            skipped += 1
            continue
        say(f"Clearing {printable(item.name)}.")
        rule = Rule(uid=machine.uid, until_ns=_until(place, values.planned_ns))
        try:
            done = await stoppable(partial(_clear, base, place, item, rule))
        except OSError:
            skipped += 1
            continue
        freed, files, left = freed + done[0], files + done[1], left + done[2]
    words = f"{size(freed)} freed ({counted(files, 'file')})."
    if left:
        words += f" {counted(left, 'entry', 'entries')} stayed: in use, or newer than the plan."
    if skipped:
        words += f" {counted(skipped, 'folder')} left alone: in use, or changed since the plan."
    return words


def _plan(machine: Machine, running: frozenset[str], stop: Callable[[], bool]) -> Planned:
    ends = time.monotonic() + PLAN_S
    halt = lambda: stop() or time.monotonic() > ends  # noqa: E731 -- one line says it
    planned_ns = machine.now_ns()
    steps, gain = [], 0
    for place in PLACES.values():
        if place.platform != machine.platform or (base := _base(place.base, machine)) is None:
            continue
        found: list[tuple[int, Pinned, str]] = []
        for name in _names(base, place):
            if (measured := _measure(base, place, name, machine, planned_ns, halt)) is not None:
                count, identity, path = measured
                if keeper := _keeper(place, name, running):
                    found.append((0, pinned(name, identity), f"{path}  left out, because {keeper} is running"))
                else:
                    found.append((count, pinned(name, identity), f"{path}  {size(count)}"))
        chosen = sorted((one for one in found if one[0]), key=lambda one: -one[0])[:MOST_ITEMS]
        if not chosen:
            continue
        frees = sum(count for count, _, _ in chosen)
        gain += frees
        values = _Parameters(place=place.id, items=tuple(item for _, item, _ in chosen), planned_ns=planned_ns)
        details = (*(line for _, _, line in chosen), *(line for count, _, line in found if not count))
        steps.append(
            Step(
                action="clear_caches",
                parameters=_written(values),
                words=f"{place.words} {size(frees)}.",
                details=details,
                gain_bytes=frees,
            )
        )
    if not steps:
        return Planned(
            refused="There is nothing worth clearing: your programs have stored less than 1 MB each, or are running."
        )
    return Planned(steps=tuple(steps), gain_bytes=gain, choice="some")


def _measure(
    base: Path, place: Place, name: str, machine: Machine, planned_ns: int, stop: Callable[[], bool]
) -> tuple[int, Identity, str] | None:
    """What an item would give back; None where it is nothing, or not worth it."""
    rule = Rule(uid=machine.uid, until_ns=_until(place, planned_ns))
    identity = _entry_identity(base / name, machine.uid) if place.old else _folder_identity(base, name, machine.uid)
    if identity is None:
        return None
    try:
        bytes_, _, left = _clear(base, place, pinned(name, identity), rule, stop, remove=False)
    except OSError:
        return None
    if stop() or bytes_ < WORTH_BYTES or (place.old and left):
        return None
    return bytes_, identity, printable(str(base / name))


def _clear(
    base: Path, place: Place, item: Pinned, rule: Rule, stop: Callable[[], bool], *, remove: bool = True
) -> tuple[int, int, int]:
    """Bytes, files, and what is left. A cache loses what is in it; a temporary entry goes itself."""
    identity = item.identity
    if not place.old:
        if remove and _folder_identity(base, item.name, rule.uid) != identity:
            raise OSError("the folder has changed")
        done = sweep(base / item.name, identity=identity, rule=rule, remove=remove, stop=stop)
        return done.bytes, done.files, done.left
    home = os.lstat(base)
    done = sweep(
        base, identity=(home.st_dev, home.st_ino), rule=rule, remove=False, names={item.name: identity}, stop=stop
    )
    if done.left or done.newest_ns > rule.until_ns:  # all of it is old, or none of it goes
        return 0, 0, max(done.left, 1)
    if remove:
        done = sweep(
            base, identity=(home.st_dev, home.st_ino), rule=rule, remove=True, names={item.name: identity}, stop=stop
        )
    return done.bytes, done.files, done.left


def _until(place: Place, planned_ns: int) -> int:
    return planned_ns - (OLD_DAYS * DAY_NS if place.old else IN_USE_NS)


def _base(name: str, machine: Machine) -> Path | None:
    """The real folder behind a place's base; None where it is missing, a link, in memory or somebody else's."""
    home, environment = (
        machine.home.resolve(),
        machine.environment,
    )  # a home that is a link is the administrator's choice
    if name == "cache":
        path = (
            home / "Library/Caches"
            if machine.platform == "darwin"
            else Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
        )
    else:
        path = {
            "home": home,
            "tmp": machine.root / "tmp",
            "var-tmp": machine.root / "var/tmp",
            "tmpdir": Path(environment.get("TMPDIR", "/nonexistent")),
            "localappdata": Path(environment.get("LOCALAPPDATA") or home / "AppData/Local"),
            "wintemp": Path(environment.get("LOCALAPPDATA") or home / "AppData/Local", "Temp"),
        }[name]
    if not path.is_absolute():
        return None
    if name in {"tmp", "var-tmp"}:  # everybody's, so not ours; what counts is who owns the entries
        kind = next((mount.kind for mount in reversed(mounts(machine)) if path.is_relative_to(mount.path)), "")
        return path if path.is_dir() and not path.is_symlink() and kind not in IN_MEMORY else None
    return path if identify(path, uid=machine.uid) else None


def _names(base: Path, place: Place) -> tuple[str, ...]:
    """The items below a base that fit the place, as names with forward slashes."""
    found: set[str] = set()
    for pattern in place.patterns:
        try:
            found.update(path.relative_to(base).as_posix() for path in base.glob(pattern))
        except OSError:
            continue
    return tuple(sorted(name for name in found if _fits(place, name)))


def _fits(place: Place, name: str) -> bool:
    parts = PurePosixPath(name).parts
    if (
        not parts
        or not name.isprintable()  # what cannot be shown cannot be agreed to
        or "\\" in name
        or name != "/".join(parts)
        or any(part in {"..", "/", "."} for part in parts)
    ):
        return False
    if any(fnmatch.fnmatchcase(parts[0], pattern) for pattern in place.without):
        return False
    return any(
        len(parts) == len(pattern.split("/"))
        and all(fnmatch.fnmatchcase(part, piece) for part, piece in zip(parts, pattern.split("/"), strict=True))
        for pattern in place.patterns
    )


def _keeper(place: Place, name: str, running: frozenset[str]) -> str:
    """The running program that uses an item, empty where none does: a browser of the table, or one of the item's own name."""
    first = name.split("/", 1)[0]
    return next((program for program in (*place.programs.get(first, ()), first.lower()) if program in running), "")


def _folder_identity(base: Path, name: str, uid: int) -> Identity | None:
    """Which folder an item is, when every folder on the way to it is a real one of this user."""
    path, found = base, None
    for part in PurePosixPath(name).parts:
        path = path / part
        found = identify(path, uid=uid)
        if found is None:
            return None
    return found


def _entry_identity(path: Path, uid: int) -> Identity | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if os.name == "nt" or status.st_uid == uid else None


def _written(values: _Parameters) -> dict[str, str]:
    return {
        "place": values.place,
        "items": msgspec.json.encode(values.items).decode(),
        "planned_ns": str(values.planned_ns),
    }


def _read(step: Step) -> _Parameters:
    items = msgspec.json.decode(step.parameters.get("items", ""), type=tuple[Pinned, ...])
    if step.parameters.keys() != {"place", "items", "planned_ns"}:
        raise ValueError("parameters are missing or too many")
    return _Parameters(place=step.parameters["place"], items=items, planned_ns=int(step.parameters["planned_ns"]))


ACTION: Final = Action(name="clear_caches", plan=plan, accepts=accepts, execute=execute)
