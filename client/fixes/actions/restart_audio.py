"""Restarts the sound service of this user: PipeWire or PulseAudio, by systemd where it looks after them. Linux only.

On macOS and Windows the sound service is the system's, so the privileged helper restarts it.
"""

from __future__ import annotations

from typing import Final

from client.errors import ActionFault
from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say
from client.model import Step

# In the order that they need each other; each is restarted where it runs.
UNITS: Final = ("pipewire.service", "wireplumber.service", "pipewire-pulse.service", "pulseaudio.service")
SYSTEMS: Final = (
    "The sound service belongs to the system here; only an administrator may restart it."
    " Restarting the computer does the same."
)
FAILED: Final = "The sound service did not come back by itself."
HINT: Final = "Sign out and in again; that starts it anew."
UNDO: Final = "Not needed: your sound settings stay as they are."


async def plan(_option: str, machine: Machine) -> Planned:
    """One step; which service it is decides how."""
    if machine.platform != "linux":
        return Planned(refused=SYSTEMS)
    if units := await _running(machine):
        return Planned(steps=(_step(units),), undo=UNDO)
    if machine.which("pulseaudio") and "pulseaudio" in machine.programs():
        return Planned(steps=(_step(()),), undo=UNDO)
    return Planned(refused="No sound service that Deskside knows (PipeWire, PulseAudio) runs in your session.")


def accepts(step: Step, _option: str, _machine: Machine) -> str:
    """As `Action.accepts`."""
    units = tuple(unit for unit in step.parameters.get("units", "").split(" ") if unit)
    if any(unit not in UNITS for unit in units) or step != _step(units):
        return "This step names no sound service."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Restarts it, and sees that it runs."""
    units = tuple(unit for unit in step.parameters["units"].split(" ") if unit)
    if units:
        await must(machine, "systemctl", "--user", "restart", *units, failed=FAILED, hint=HINT)
        if not set(units) <= set(await _running(machine)):
            raise ActionFault(FAILED, hint=HINT)
    else:
        await must(machine, "pulseaudio", "--kill", failed="The sound service did not end.", hint=HINT)
        await must(machine, "pulseaudio", "--start", failed=FAILED, hint=HINT)
    return "The sound service is restarted. Programs that were playing may have to be started again."


async def _running(machine: Machine) -> tuple[str, ...]:
    shown = await ask(
        machine,
        "systemctl",
        "--user",
        "list-units",
        "--state=active,failed",
        "--plain",
        "--no-legend",
        "--no-pager",
        *UNITS,
    )
    loaded = {line.split(maxsplit=1)[0] for line in shown.splitlines() if line.strip()}
    return tuple(unit for unit in UNITS if unit in loaded)


def _step(units: tuple[str, ...]) -> Step:
    return Step(
        action="restart_audio",
        parameters={"units": " ".join(units)},
        words="Restart the sound service of your session.",
        details=("Sound stops for some seconds, also in calls.", f"Restarts {', '.join(units) or 'pulseaudio'}."),
    )


ACTION: Final = Action(name="restart_audio", plan=plan, accepts=accepts, execute=execute)
