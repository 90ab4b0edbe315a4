"""Switches off what is started at every sign-in and cannot start any more, because its program is gone. Undo switches it on again.

Linux: `.config/autostart/*.desktop` (the freedesktop.org Autostart specification). macOS: `Library/LaunchAgents/*.plist`.
Windows: the user's own Run key. Files are moved aside within their folder under a name that nobody starts; values of the
registry are kept for the undo.
"""

from __future__ import annotations

import os
import plistlib
import re
import shlex
from pathlib import Path
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes import aside, registry
from client.fixes.command import ask, must
from client.fixes.machine import SYSTEM_PATH, Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.fixes.registry import Value
from client.fixes.tree import Pinned, pinned
from client.model import Step

RUN: Final = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
PLACES: Final = {"linux": (".config/autostart", ".desktop"), "darwin": ("Library/LaunchAgents", ".plist")}
LARGEST: Final = 64 * 1024
MOST: Final = 50
NOTHING: Final = "Everything that starts with your session is there; nothing of it is broken."
UNDO: Final = "What was switched off is started at sign-in again."
FAILED: Final = "This computer did not let us change what starts with your session."


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each start-up item whose program is missing; each can be left out."""
    if machine.platform == "win32":
        values = registry.parsed(await ask(machine, "reg", "query", RUN))
        steps = [
            _value_step(name, value, program)
            for name, value in sorted(values.items())
            if (program := windows_program(value.data, machine)) and not machine.exists(program)
        ]
    else:
        steps = _files(machine)
    if not steps:
        return Planned(refused=NOTHING)
    return Planned(steps=tuple(steps[:MOST]), undo=UNDO, choice="some")


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: an item of this user's own place, moved to right beside itself."""
    values = step.parameters
    if machine.platform == "win32":
        if values.keys() != {"name", "type", "data", "program"} or values["type"] not in registry.TYPES:
            return "This step cannot be read."
        made = _value_step(values["name"], Value(values["type"], values["data"]), values["program"])
        return "" if step == made else "This step does not do what it says."
    try:
        item, place = _item(values)
    except (msgspec.ValidationError, KeyError):
        return "This step cannot be read."
    folder, ending = PLACES.get(machine.platform, ("", ""))
    path = Path(item.name)
    good = path.parent == machine.home / folder and path.suffix == ending and place.parent == path.parent
    if not folder or not good or not place.name.removeprefix(path.name + aside.MARK).isdecimal():
        return "This step names something that is no start-up item."
    return "" if step == _file_step(item, str(place), values["program"]) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Switches it off, if it still is what was shown."""
    values = step.parameters
    if machine.platform == "win32":
        now = registry.parsed(await ask(machine, "reg", "query", RUN)).get(values["name"])
        if now != Value(values["type"], values["data"]):
            raise ActionFault(f"“{values['name']}” has changed since you looked at it.", hint="Look at the plan again.")
        await must(machine, "reg", *registry.deleting(RUN, values["name"]), failed=FAILED)
        return f"{printable(values['name'])} is no longer started with your session."
    item, place = _item(values)
    aside.put_aside(item, place, uid=machine.uid, inside=machine.home)
    return f"{printable(Path(item.name).stem)} is no longer started with your session."


def undo_of(step: Step) -> dict[str, str]:
    """What was there."""
    return dict(step.parameters)


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Puts it back, unless there is something of its name by now."""
    if machine.platform == "win32":
        if state.get("name", "") in registry.parsed(await ask(machine, "reg", "query", RUN)):
            return f"{printable(state['name'])} is started with your session."
        value = Value(state.get("type", ""), state.get("data", ""))
        if value.type not in registry.TYPES or not state.get("name"):
            raise ActionFault("There is nothing to put back.")
        await must(machine, "reg", *registry.setting(RUN, state["name"], value), failed=FAILED)
        return f"{printable(state['name'])} is started with your session again."
    try:
        item, place = _item(state)
    except (msgspec.ValidationError, KeyError) as error:
        raise ActionFault("There is nothing to put back.") from error
    path = Path(item.name)
    folder, ending = PLACES.get(machine.platform, ("", ""))
    if path.parent != machine.home / folder or path.suffix != ending:
        raise ActionFault("This was not switched off by Deskside.")
    aside.put_back(path, place, uid=machine.uid, inside=machine.home)
    return f"{printable(path.stem)} is started with your session again."


def desktop_program(text: str) -> str:
    """The program of a desktop entry's Exec line, empty where it is off already or has none."""
    found = dict(re.findall(r"^(Exec|Hidden|X-GNOME-Autostart-enabled)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    if found.get("Hidden") == "true" or found.get("X-GNOME-Autostart-enabled") == "false":
        return ""
    try:
        words = shlex.split(found.get("Exec", ""))
    except ValueError:
        return ""
    while words and (words[0] == "env" or "=" in words[0]):
        words = words[1:]
    return words[0] if words else ""


def agent_program(data: bytes) -> str:
    """The program of a launchd agent, empty where it names none or is off."""
    try:
        found = plistlib.loads(data)
    except Exception:  # noqa: BLE001 -- plistlib raises a dozen kinds: expat, struct, value, overflow ...
        return ""
    if not isinstance(found, dict) or found.get("Disabled") is True:
        return ""
    words = found.get("ProgramArguments")
    first = words[0] if isinstance(words, list) and words else ""
    program = found.get("Program") or first
    return program if isinstance(program, str) else ""


def windows_program(command: str, machine: Machine) -> str:
    r"""The full path of the program of a Run value, empty where it has none ("rundll32.exe ..." is found by Windows itself)."""
    command = re.sub(r"%([^%]+)%", lambda match: machine.environment.get(match[1].upper(), match[0]), command.strip())
    match = re.match(r'"([^"]+)"', command) or re.match(r"(?i)(.+?\.(?:exe|com|bat|cmd))(?:\s|$)", command)
    path = match[1] if match else command.split(" ")[0]
    return path if re.match(r"[a-zA-Z]:\\", path) else ""


def _files(machine: Machine) -> list[Step]:
    folder, ending = PLACES.get(machine.platform, ("", ""))
    stamp = machine.now_ns() // 10**9
    steps = []
    for path in sorted((machine.home / folder).glob(f"*{ending}")) if folder else ():
        identity = aside.identity(path, uid=machine.uid, inside=machine.home)
        if identity is None or path.stat().st_size > LARGEST or not str(path).isprintable():
            continue
        data = path.read_bytes()
        program = desktop_program(data.decode("utf-8", "replace")) if ending == ".desktop" else agent_program(data)
        if program and not _there(program, machine):
            steps.append(_file_step(pinned(str(path), identity), str(aside.place_for(path, stamp)), program))
    return steps


def _there(program: str, machine: Machine) -> bool:
    if "/" in program:
        return os.path.lexists(program)
    folders = (machine.environment.get("PATH", "") + f":{SYSTEM_PATH}").split(":")
    return any(os.path.lexists(Path(folder) / program) for folder in folders if folder)


def _item(values: dict[str, str]) -> tuple[Pinned, Path]:
    return msgspec.convert((values["path"], values["pin"]), Pinned), Path(values["place"])


def _file_step(item: Pinned, place: str, program: str) -> Step:
    return Step(
        action="startup_item",
        parameters={"path": item.name, "pin": item.pin, "place": place, "program": program},
        words=f"Do not start {printable(Path(item.name).stem)} with your session any more.",
        details=(f"Its program is missing: {printable(program)}",),
    )


def _value_step(name: str, value: Value, program: str) -> Step:
    return Step(
        action="startup_item",
        parameters={"name": name, "type": value.type, "data": value.data, "program": program},
        words=f"Do not start {printable(name)} with your session any more.",
        details=(f"Its program is missing: {printable(program)}",),
    )


ACTION: Final = Action(name="startup_item", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
