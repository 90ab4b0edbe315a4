"""Clears what a browser has stored of pages, profile by profile. Cookies, passwords, bookmarks and history are in no plan.

A browser that runs is left alone: it holds its cache open and would write over it. Each cache folder is pinned to the folder it was
when it was measured, and swept by `client.fixes.tree`, which cannot be led out of it.
"""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes import aside
from client.fixes.browser_places import BROWSERS, Browser
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, counted, printable, size, stoppable
from client.fixes.tree import Pinned, Rule, pinned, sweep
from client.model import Step

NOTHING: Final = "No browser that Deskside knows has stored anything here (Chrome, Chromium, Edge, Brave, Firefox)."
MOST_FOLDERS: Final = 24  # of one profile; none has more


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each profile; the employee chooses. Refused where all that could be cleared belongs to a browser that runs."""
    running = machine.programs()
    return await stoppable(lambda stop: _plan(machine, running, stop))


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: cache folders of one profile of a browser of this system."""
    try:
        browser, folders = _read(step)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError, ValueError):
        return "This step cannot be read."
    if browser.platform != machine.platform or not folders:
        return "This step names no browser of this computer."
    if not all(_profile_of(browser, folder.name) for folder in folders):
        return "This step names something that is no cache of a browser."
    return ""


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Empties the folders that still are what was measured."""
    browser, folders = _read(step)
    if any(program in machine.programs() for program in browser.programs):
        raise ActionFault(f"{browser.name} was opened in the meantime.", hint=f"Quit {browser.name}, then try again.")
    say(f"Clearing what {browser.name} has stored.")
    rule = Rule(uid=machine.uid, until_ns=machine.now_ns() + 1)  # the folders are pinned; in a cache age says nothing
    freed = files = left = 0
    for folder in folders:
        path = machine.home / folder.name
        if aside.identity(path, uid=machine.uid, inside=machine.home) != folder.identity:
            left += 1
            continue
        done = await stoppable(partial(_sweep, path, folder, rule, remove=True))
        freed, files, left = freed + done[0], files + done[1], left + done[2]
    words = (
        f"{browser.name}: {size(freed)} freed ({counted(files, 'file')}). Pages may load more slowly the first time."
    )
    return (
        words if not left else f"{words} {counted(left, 'entry', 'entries')} stayed: in use, or changed since the plan."
    )


def _plan(machine: Machine, running: frozenset[str], stop: Callable[[], bool]) -> Planned:
    steps, kept, gain = [], [], 0
    rule = Rule(uid=machine.uid, until_ns=machine.now_ns() + 1)
    for browser in BROWSERS.values():
        if browser.platform != machine.platform:
            continue
        profiles = _profiles(browser, machine)
        if profiles and any(program in running for program in browser.programs):
            kept.append(browser.name)
            continue
        for profile, names in sorted(profiles.items()):
            found = _measured(names, machine, rule, stop)
            if found and not stop():
                frees = sum(count for count, _ in found)
                gain += frees
                steps.append(_step(browser, profile, found, frees))
    open_ = (
        f"{' and '.join(kept)} {'is' if len(kept) == 1 else 'are'} running. Quit first, then look here again."
        if kept
        else ""
    )
    if not steps:
        return Planned(refused=open_ or NOTHING)
    if open_:  # what is left out is said where it is read
        first = steps[0]
        steps[0] = msgspec.structs.replace(first, details=(*first.details, f"Left out: {open_}"))
    return Planned(
        steps=tuple(steps),
        gain_bytes=gain,
        choice="some",
        undo="Not needed: pages are fetched again when you open them.",
    )


def _measured(names: list[str], machine: Machine, rule: Rule, stop: Callable[[], bool]) -> list[tuple[int, Pinned]]:
    """The folders that hold something, with their bytes."""
    found = []
    for name in names[:MOST_FOLDERS]:
        path = machine.home / name
        identity = aside.identity(path, uid=machine.uid, inside=machine.home)
        if identity is None or not path.is_dir():
            continue
        with contextlib.suppress(OSError):
            bytes_, files, _ = _sweep(path, pinned(name, identity), rule, stop, remove=False)
            if files:
                found.append((bytes_, pinned(name, identity)))
    return found


def _profiles(browser: Browser, machine: Machine) -> dict[str, list[str]]:
    """The cache folders that exist, below the home, by profile."""
    found: dict[str, list[str]] = {}
    for root in browser.roots:
        for pattern in browser.profiles:
            for cache in browser.caches:
                try:
                    paths = sorted(machine.home.glob(f"{root}/{pattern}/{cache}"))
                except OSError:
                    continue
                for path in paths:
                    name = path.relative_to(machine.home).as_posix()
                    if profile := _profile_of(browser, name):
                        found.setdefault(profile, []).append(name)
    return found


def _profile_of(browser: Browser, name: str) -> str:
    """The profile that a cache folder is of; empty where it is none of this browser's."""
    path = PurePosixPath(name)
    if not name.isprintable() or "\\" in name or ".." in path.parts or name != "/".join(path.parts):
        return ""
    for root in browser.roots:
        rest = name.removeprefix(f"{root}/").split("/")
        if len(rest) == 2 and name.startswith(f"{root}/") and rest[1] in browser.caches:  # noqa: PLR2004 -- profile/cache
            return rest[0] if any(fnmatch.fnmatchcase(rest[0], pattern) for pattern in browser.profiles) else ""
    return ""


def _sweep(path: Path, folder: Pinned, rule: Rule, stop: Callable[[], bool], *, remove: bool) -> tuple[int, int, int]:
    done = sweep(path, identity=folder.identity, rule=rule, remove=remove, stop=stop)
    return done.bytes, done.files, done.left


def _step(browser: Browser, profile: str, found: list[tuple[int, Pinned]], frees: int) -> Step:
    folders = tuple(folder for _, folder in found)
    called = f"the profile {printable(profile)} of {browser.name}" if profile != "Default" else browser.name
    return Step(
        action="browser_cache",
        parameters={"browser": browser.id, "folders": msgspec.json.encode(folders).decode()},
        words=f"Clear the pages and pictures that {called} has stored: {size(frees)}.",
        details=(
            "You stay signed in. Passwords, bookmarks and history are not touched.",
            *(f"{printable(folder.name)}  {size(count)}" for count, folder in found),
        ),
        gain_bytes=frees,
    )


def _read(step: Step) -> tuple[Browser, tuple[Pinned, ...]]:
    if step.parameters.keys() != {"browser", "folders"}:
        raise ValueError("parameters are missing or too many")
    folders = msgspec.json.decode(step.parameters["folders"], type=tuple[Pinned, ...])
    return BROWSERS[step.parameters["browser"]], folders


ACTION: Final = Action(name="browser_cache", plan=plan, accepts=accepts, execute=execute)
