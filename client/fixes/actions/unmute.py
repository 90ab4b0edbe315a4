"""Switches sound or microphone on again where they are muted or turned down to nothing. Undo sets back what was.

Linux: `pactl` (PipeWire answers it, too), on the default output or input. macOS: AppleScript's `set volume`. Windows offers no
program for it, so there its settings page is the way.
"""

from __future__ import annotations

import re
from typing import Final

from client.errors import ActionFault
from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say
from client.model import Step

NAMES: Final = {"output": ("sink", "sound"), "input": ("source", "microphone")}
AUDIBLE: Final = 50  # percent, where the volume was next to nothing
QUIET: Final = 5  # percent; below it nobody hears anything
FAILED: Final = "The sound service did not take it."


async def plan(option: str, machine: Machine) -> Planned:
    """One step, or a refusal that says that it is not muted."""
    name = NAMES[option][1]
    if machine.platform == "win32":
        return Planned(
            refused=f"Windows lets only you change this: open the sound settings and look at the {name} there."
        )
    state = await _state(option, machine)
    if state is None:
        return Planned(
            refused=f"The {name} cannot be switched from here: no sound service answers, or no device is plugged in."
        )
    muted, percent = state
    if not muted and percent > QUIET:
        return Planned(refused=f"Your {name} is on, at {percent} %. Something else is wrong.")
    return Planned(steps=(_step(option, muted=muted, percent=percent),), undo=f"Your {name} is set as it is now.")


def accepts(step: Step, option: str, _machine: Machine) -> str:
    """As `Action.accepts`."""
    values = step.parameters
    if values.get("muted") not in {"yes", "no"} or not re.fullmatch(r"[0-9]{1,3}", values.get("percent", "")):
        return "This step cannot be read."
    made = _step(option, muted=values["muted"] == "yes", percent=int(values["percent"]))
    return "" if step == made else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Switches it on, and turns it up where it was down."""
    option = step.parameters["what"]
    percent = int(step.parameters["percent"])
    await _set(option, machine, muted=False, percent=percent if percent > QUIET else AUDIBLE)
    state = await _state(option, machine)
    if state is None or state[0]:
        raise ActionFault(
            "It is still muted.", hint="Look for a switch on the device itself, or a key with a crossed-out sign."
        )
    return f"Your {NAMES[option][1]} is on, at {state[1]} %."


def undo_of(step: Step) -> dict[str, str]:
    """How it was."""
    return dict(step.parameters)


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Sets it as it was."""
    option, percent = state.get("what", ""), state.get("percent", "")
    if option not in NAMES or not re.fullmatch(r"[0-9]{1,3}", percent):
        raise ActionFault("There is nothing to put back.")
    await _set(option, machine, muted=state.get("muted") == "yes", percent=int(percent))
    return f"Your {NAMES[option][1]} is set as it was."


def pulse_percent(output: str) -> int | None:
    """The loudest channel in the output of `pactl get-sink-volume`, None where there is none."""
    found = [int(one) for one in re.findall(r"/\s*(\d{1,3})%\s*/", output)]
    return max(found, default=None)


def mac_volume(output: str) -> dict[str, str]:
    """The pairs of AppleScript's `get volume settings`: "output volume:38, input volume:50, ..., output muted:false"."""
    return dict(re.findall(r"(output volume|input volume|output muted):(\S+?)(?:,|$)", output.strip()))


async def _state(option: str, machine: Machine) -> tuple[bool, int] | None:
    """Whether it is muted, and its percent; None where there is no such device."""
    if machine.platform == "darwin":
        values = mac_volume(await ask(machine, "osascript", "-e", "get volume settings"))
        percent = values.get(f"{option} volume", "")
        muted = values.get("output muted") == "true" if option == "output" else percent == "0"
        return (muted, int(percent)) if percent.isdecimal() else None
    kind = NAMES[option][0]
    default = f"@DEFAULT_{kind.upper()}@"
    mute = await ask(machine, "pactl", f"get-{kind}-mute", default)
    volume = pulse_percent(await ask(machine, "pactl", f"get-{kind}-volume", default))
    return (mute.strip().endswith("yes"), volume) if mute.strip() and volume is not None else None


async def _set(option: str, machine: Machine, *, muted: bool, percent: int) -> None:
    if machine.platform == "darwin":
        switch = f" output muted {'true' if muted else 'false'}" if option == "output" else ""
        await must(machine, "osascript", "-e", f"set volume {option} volume {percent}{switch}", failed=FAILED)
        return
    kind = NAMES[option][0]
    default = f"@DEFAULT_{kind.upper()}@"
    await must(machine, "pactl", f"set-{kind}-volume", default, f"{percent}%", failed=FAILED)
    await must(machine, "pactl", f"set-{kind}-mute", default, "1" if muted else "0", failed=FAILED)


def _step(option: str, *, muted: bool, percent: int) -> Step:
    name = NAMES[option][1]
    return Step(
        action="unmute",
        parameters={"what": option, "muted": "yes" if muted else "no", "percent": str(percent)},
        words=f"Switch your {name} on." if percent > QUIET else f"Switch your {name} on, at {AUDIBLE} %.",
        details=(f"Now it is {'muted' if muted else 'on'}, at {percent} %.",),
    )


ACTION: Final = Action(name="unmute", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo)
