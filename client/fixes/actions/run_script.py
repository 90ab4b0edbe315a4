"""Runs a script of IT as the employee (`client.fixes.it_scripts`): what it is, says its manifest; what it did, its last line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from client.errors import ActionFault
from client.fixes.it_scripts import Script, load
from client.fixes.machine import SYSTEM_PATH, Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.model import Step

LONGEST: Final = 300  # characters of its last line
GONE: Final = "IT's script has changed since you looked at it."
ASK: Final = "Look at the plan again, or ask your IT department."
# What a script may know of the session. Nothing of Deskside's own, and no token that somebody has put into the environment.
PASSED_ON: Final = (
    *(
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "DISPLAY",
        "WAYLAND_DISPLAY",
    ),
    *("SYSTEMROOT", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "TEMP", "TMP", "COMSPEC"),
)


async def plan(option: str, machine: Machine) -> Planned:
    """One step, in IT's own words."""
    script = await asyncio.to_thread(_script, option, machine)
    if script is None:
        return Planned(refused="IT's script for this is not there, or cannot be trusted.")
    undo = "IT's script takes it back." if script.undo else ""
    return Planned(steps=(_step(script),), undo=undo)


def accepts(step: Step, option: str, machine: Machine) -> str:
    """As `Action.accepts`: exactly the script of this fix, as it is now."""
    script = _script(option, machine)
    return "" if script is not None and step == _step(script) else GONE


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Runs it; gives the last line that it says."""
    script = await asyncio.to_thread(_script, step.parameters["script"], machine)
    if script is None or script.stamp != step.parameters["stamp"]:
        raise ActionFault(GONE, hint=ASK)
    return await _run(script, script.run, machine) or f"{script.manifest.title}: done."


def undo_of(step: Step) -> dict[str, str]:
    """Which script takes it back; nothing where none does."""
    return {"script": step.parameters["script"]} if step.parameters.get("undo") else {}


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Runs the script that takes it back, as it is now."""
    script = await asyncio.to_thread(_script, state.get("script", ""), machine)
    if script is None or script.undo is None:
        raise ActionFault("IT's script that takes it back is not there any more.", hint="Ask your IT department.")
    return await _run(script, script.undo, machine) or "IT's script has taken it back."


async def _run(script: Script, file: Path, machine: Machine) -> str:
    if machine.platform == "win32":
        root = machine.environment.get("SYSTEMROOT", r"C:\Windows")
        shell = [rf"{root}\System32\WindowsPowerShell\v1.0\powershell.exe", "-NoProfile", "-NonInteractive"]
        words = [*shell, "-ExecutionPolicy", "Bypass", "-File", str(file)]
        path = rf"{root}\System32;{root}"
    else:
        words, path = ["/bin/sh", str(file)], SYSTEM_PATH
    passed = {name: machine.environment[name] for name in PASSED_ON if name in machine.environment}
    done = await machine.run_apart(
        words,
        environment={**passed, "PATH": path},
        folder=str(machine.home),
        handle=None,
        deadline_s=script.manifest.deadline_s,
    )
    said = next((line.strip() for line in reversed(done.out.splitlines()) if line.strip()), "")
    words_said = printable(said)[:LONGEST]
    if done.code:
        raise ActionFault(
            words_said or f"IT's script “{script.manifest.title}” did not work ({done.code}).", hint="Tell IT."
        )
    return words_said


def _script(name: str, machine: Machine) -> Script | None:
    return load(machine.policy.scripts, platform=machine.platform, root=machine.root)[0].get(name)


def _step(script: Script) -> Step:
    return Step(
        action="run_script",
        parameters={"script": script.name, "stamp": script.stamp, "undo": "yes" if script.undo else ""},
        words=script.manifest.words,
        details=(*script.manifest.details, f"Runs IT's script {script.run.name} as you."),
    )


ACTION: Final = Action(name="run_script", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
