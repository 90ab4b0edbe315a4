"""Forgets a Wi-Fi network that this computer remembers, so that it is joined afresh with its password. The employee chooses which.

Helps after its password or its kind of security has changed. Linux: NetworkManager (nmcli). Windows: netsh. macOS: networksetup.
"""

from __future__ import annotations

import re
from typing import Final

from client.errors import ActionFault
from client.fixes.actions.reconnect_network import wifi_device
from client.fixes.command import ask, must
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say, printable
from client.model import Step

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAME: Final = re.compile(r"[^\x00-\x1f\x7f\"]{1,64}")
MOST: Final = 50
NONE: Final = "This computer remembers no Wi-Fi network that you could make it forget."
FAILED: Final = "This computer did not let us forget the network."
HINT: Final = "Your IT department may have set it. Ask them."


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each network that is remembered, none chosen."""
    steps = [_step(name, id) for name, id in (await _known(machine))[:MOST]]
    return Planned(steps=tuple(steps), choice="one") if steps else Planned(refused=NONE)


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a network's name, and what the system calls it."""
    values = step.parameters
    if values.keys() != {"name", "id"} or not NAME.fullmatch(values["name"]):
        return "This step cannot be read."
    if not (UUID if machine.platform == "linux" else NAME).fullmatch(values["id"]):
        return "This step names no network."
    return "" if step == _step(values["name"], values["id"]) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Forgets it, if it still is remembered."""
    name, id = step.parameters["name"], step.parameters["id"]
    if (name, id) not in await _known(machine):
        raise ActionFault(f"“{printable(name)}” is not remembered any more.", hint="Look at the plan again.")
    if machine.platform == "linux":
        await must(machine, "nmcli", "connection", "delete", "uuid", id, failed=FAILED, hint=HINT)
    elif machine.platform == "win32":
        await must(machine, "netsh", "wlan", "delete", "profile", f"name={id}", failed=FAILED, hint=HINT)
    else:
        device = wifi_device(await ask(machine, "networksetup", "-listallhardwareports"))
        await must(
            machine, "networksetup", "-removepreferredwirelessnetwork", device or "", id, failed=FAILED, hint=HINT
        )
    return f"{printable(name)} is forgotten. Choose it in the list of networks and enter its password."


def connections(output: str) -> list[tuple[str, str]]:
    r"""(name, UUID) of the Wi-Fi networks in `nmcli -t -f NAME,UUID,TYPE connection`; a colon in a name is written "\:"."""
    found = []
    for line in output.splitlines():
        fields = [field.replace("\\:", ":").replace("\\\\", "\\") for field in re.split(r"(?<!\\):", line)]
        if len(fields) == 3 and fields[2] == "802-11-wireless" and UUID.fullmatch(fields[1]):  # noqa: PLR2004 -- as asked
            found.append((fields[0], fields[1]))
    return found


def profiles(output: str) -> list[str]:
    """The names in `netsh wlan show profiles`, in any language: lines of a label, a colon and the name, below the last rule."""
    parts = re.split(r"^-{5,}\s*$", output, flags=re.MULTILINE)
    lines = parts[-1].splitlines() if parts[1:] else []
    return [name.strip() for _, colon, name in (line.partition(" : ") for line in lines) if colon and name.strip()]


async def _known(machine: Machine) -> list[tuple[str, str]]:
    if machine.platform == "linux":
        found = connections(await ask(machine, "nmcli", "-t", "-f", "NAME,UUID,TYPE", "connection"))
    elif machine.platform == "win32":
        found = [(name, name) for name in profiles(await ask(machine, "netsh", "wlan", "show", "profiles"))]
    else:
        device = wifi_device(await ask(machine, "networksetup", "-listallhardwareports"))
        lines = (await ask(machine, "networksetup", "-listpreferredwirelessnetworks", device)) if device else ""
        found = [(line.strip(), line.strip()) for line in lines.splitlines()[1:] if line.strip()]
    return [(name, id) for name, id in found if NAME.fullmatch(name)]


def _step(name: str, id: str) -> Step:
    return Step(
        action="forget_network",
        parameters={"name": name, "id": id},
        words=f"Forget the network {printable(name)}.",
        details=("You need its password to join it again. Where IT has set it up, ask them first.",),
        picked=False,
    )


ACTION: Final = Action(name="forget_network", plan=plan, accepts=accepts, execute=execute)
