"""Leaves the network and joins it again, with what the system lets an ordinary user do.

Linux: NetworkManager (nmcli). macOS: Wi-Fi off and on (networksetup). Windows: the Wi-Fi profile again (netsh), whose words are
translated, so only their order and values are read.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.machine import Completed, Machine
from client.fixes.plan import Action, Planned, Say
from client.model import Step

ASK_S: Final = 5.0
CONNECT_S: Final = 50.0  # NetworkManager itself gives up after 45 s
REMOTE: Final = "You are connected to this computer from afar, and reconnecting would cut you off."
CABLE: Final = "With a cable, pull it out, wait ten seconds and put it back in."
UNCHANGED: Final = "Not needed: the connection is the same as before."
NOT_ALLOWED: Final = f"Only an administrator may reconnect the network on this computer. {CABLE}"
REAL: Final = {
    "802-3-ethernet": "cable",
    "802-11-wireless": "Wi-Fi",
    "gsm": "mobile",
    "ethernet": "cable",
    "wifi": "Wi-Fi",
}

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DEVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
NAME: Final = re.compile(r"[^\x00-\x1f\"\x7f]{1,128}")


class _Radio(msgspec.Struct, frozen=True):
    """A Windows Wi-Fi adapter that is connected: its name, and the profile to join again."""

    interface: str
    profile: str


async def plan(_option: str, machine: Machine) -> Planned:
    """One step per connection, or a refusal that says what the employee can do by hand."""
    if machine.environment.get("SSH_CONNECTION") or machine.environment.get("SESSIONNAME", "").upper().startswith(
        "RDP-"
    ):
        return Planned(refused=REMOTE)
    if machine.platform == "linux":
        return await _plan_linux(machine)
    return await (_plan_macos(machine) if machine.platform == "darwin" else _plan_windows(machine))


def accepts(step: Step, _option: str, _machine: Machine) -> str:
    """As `Action.accepts`: the parameters fit their patterns, and the words are those of the parameters."""
    how, rest = step.parameters.get("how", ""), {name: text for name, text in step.parameters.items() if name != "how"}
    shapes = {
        "activate": {"uuid": UUID, "name": NAME},
        "connect": {"device": DEVICE},
        "wifi_on": {"device": DEVICE},
        "networking_on": {},
        "wifi_again": {"device": DEVICE},
        "profile": {"interface": NAME, "profile": NAME},
    }
    shape = shapes.get(how)
    if shape is None or rest.keys() != shape.keys() or not all(shape[name].fullmatch(rest[name]) for name in shape):
        return "This step names no connection."
    return "" if step == _step(how, **rest) else "This step does not do what it says."


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Carries out one step; waits until the system says that the connection is up."""
    values = step.parameters
    how = values["how"]
    if machine.platform == "linux":
        words = {
            "activate": ("connection", "up", "uuid", values.get("uuid", "")),
            "connect": ("device", "connect", values.get("device", "")),
            "wifi_on": ("radio", "wifi", "on"),
            "networking_on": ("networking", "on"),
        }[how]
        await _must(machine, "nmcli", "--wait", "45", *words)
    elif machine.platform == "darwin":
        if how == "wifi_again":
            await _must(machine, "networksetup", "-setairportpower", values["device"], "off")
            say("Wi-Fi is off, and comes on again.")
        await _must(machine, "networksetup", "-setairportpower", values["device"], "on")
    else:
        await _must(machine, "netsh", "wlan", "disconnect", f"interface={values['interface']}")
        say("Wi-Fi is disconnected, and connects again.")
        await _must(
            machine, "netsh", "wlan", "connect", f"name={values['profile']}", f"interface={values['interface']}"
        )
    return (
        "The network is connected again." if how not in {"wifi_on", "networking_on"} else "The network is switched on."
    )


def undo_of(step: Step) -> dict[str, str]:
    """Only what was switched on can be switched off again."""
    if step.parameters["how"] in {"wifi_on", "networking_on"}:
        return {"switch_off": step.parameters["how"].removesuffix("_on"), "device": step.parameters.get("device", "")}
    return {}


async def undo(state: dict[str, str], machine: Machine) -> str:
    """Switches off what was switched on."""
    what, device = state.get("switch_off"), state.get("device", "")
    if what not in {"wifi", "networking"} or not (DEVICE.fullmatch(device) or what == "networking"):
        raise ActionFault("There is nothing to put back.")
    if machine.platform == "darwin":
        await _must(machine, "networksetup", "-setairportpower", device, "off")
    else:
        await _must(machine, "nmcli", *(("radio", "wifi", "off") if what == "wifi" else ("networking", "off")))
    return "Wi-Fi is switched off again." if what == "wifi" else "Networking is switched off again."


def _step(how: str, **values: str) -> Step:
    words = {
        "activate": "Leave “{name}” and join it again.",
        "connect": "Connect {device}.",
        "wifi_on": "Switch Wi-Fi on.",
        "networking_on": "Switch networking on.",
        "wifi_again": "Switch Wi-Fi off and on again.",
        "profile": "Leave “{profile}” and join it again.",
    }[how].format(**values)
    details = tuple(values[name] for name in ("device", "interface") if name in values and values[name] not in words)
    return Step(action="reconnect_network", parameters={"how": how, **values}, words=words, details=details)


async def _plan_linux(machine: Machine) -> Planned:
    nmcli = machine.which("nmcli")
    if nmcli is None:
        return Planned(
            refused=f"Deskside cannot control the network of this computer (there is no NetworkManager). {CABLE}"
        )
    running = await machine.run(
        (nmcli, "--terse", "--fields", "RUNNING,NETWORKING,WIFI-HW,WIFI", "general"), deadline_s=ASK_S
    )
    general = [row for row in _rows(running) if len(row) == 4 and row[0] == "running"]  # noqa: PLR2004 -- four were asked for
    if running.code or not general:
        return Planned(refused=f"The network service of this computer (NetworkManager) does not run. {CABLE}")
    permissions = {
        row[0].rpartition(".")[2] for row in _rows(await _ask(machine, "general", "permissions")) if row[-1] == "yes"
    }
    _, networking, hardware, wifi = general[0]
    if networking == "disabled":
        if "enable-disable-network" not in permissions:
            return Planned(refused="Networking is switched off, and only an administrator may switch it on.")
        return Planned(steps=(_step("networking_on"),), undo="Networking is switched off again.")
    if "network-control" not in permissions:
        return Planned(refused=NOT_ALLOWED)
    off = wifi == "disabled" and hardware == "enabled" and "enable-disable-wifi" in permissions
    return await _connections(machine, wifi_is_off=off)


async def _connections(machine: Machine, *, wifi_is_off: bool) -> Planned:
    """Wi-Fi on where it is off; every active connection again; where there is none, whatever could connect."""
    devices = [row for row in _rows(await _ask(machine, "device", fields="DEVICE,TYPE,STATE")) if len(row) == 3]  # noqa: PLR2004
    radio = next((device for device, kind, _ in devices if kind == "wifi"), None)
    steps = [_step("wifi_on", device=radio)] if radio and wifi_is_off else []
    undo = "Wi-Fi is switched off again." if steps else UNCHANGED
    active = _rows(await _ask(machine, "connection", "show", "--active", fields="UUID,TYPE,NAME,STATE"))
    steps += [
        _step("activate", uuid=row[0], name=_shown(row[2]))
        for row in sorted(active, key=lambda row: row[-1] != "activated")  # what works first: it comes back fastest
        if len(row) == 4 and row[1] in REAL and UUID.fullmatch(row[0])  # noqa: PLR2004 -- three were asked for
    ]
    if not steps:
        steps = [
            _step("connect", device=device)
            for device, kind, state in devices
            if kind in REAL and state == "disconnected"
        ]
    if not steps:
        return Planned(refused=f"There is no network connection that could be renewed here. {CABLE}")
    return Planned(steps=tuple(steps), undo=undo)


async def _plan_macos(machine: Machine) -> Planned:
    ports = await machine.run(("/usr/sbin/networksetup", "-listallhardwareports"), deadline_s=ASK_S)
    device = wifi_device(ports.out)
    if device is None:
        return Planned(refused=f"This Mac has no Wi-Fi, and only an administrator may reconnect a cable. {CABLE}")
    power = await machine.run(("/usr/sbin/networksetup", "-getairportpower", device), deadline_s=ASK_S)
    if power.out.strip().endswith("Off"):
        return Planned(steps=(_step("wifi_on", device=device),), undo="Wi-Fi is switched off again.")
    return Planned(steps=(_step("wifi_again", device=device),), undo=UNCHANGED)


async def _plan_windows(machine: Machine) -> Planned:
    shown = await machine.run((machine.which("netsh") or "netsh", "wlan", "show", "interfaces"), deadline_s=ASK_S)
    known = await machine.run((machine.which("netsh") or "netsh", "wlan", "show", "profiles"), deadline_s=ASK_S)
    radios = windows_radios(shown.out, known.out)
    if not radios:
        return Planned(refused=f"Wi-Fi is not connected here, and only an administrator may reconnect a cable. {CABLE}")
    return Planned(
        steps=tuple(_step("profile", interface=one.interface, profile=one.profile) for one in radios), undo=UNCHANGED
    )


def wifi_device(hardware_ports: str) -> str | None:
    """The Wi-Fi device in the output of `networksetup -listallhardwareports` ("en0")."""
    match = re.search(r"^Hardware Port: (?:Wi-Fi|AirPort)\nDevice: (\S+)$", hardware_ports, re.MULTILINE)
    return match[1] if match and DEVICE.fullmatch(match[1]) else None


def windows_radios(interfaces: str, profiles: str) -> tuple[_Radio, ...]:
    """The connected adapters in the output of `netsh wlan show interfaces`, in any language.

    Labels are translated, values are not: an adapter's block begins with its name and ends at a blank line; the profile is the
    value, other than the network's name where there are two, that `netsh wlan show profiles` lists too.
    """
    known = {value for _, value in _pairs(profiles)}
    found = []
    for block in re.split(r"\r?\n\s*\r?\n", interfaces):
        pairs = _pairs(block)
        if any(label == "SSID" for label, _ in pairs):
            profile = next((value for _, value in reversed(pairs) if value in known), None)
            if profile and NAME.fullmatch(profile) and NAME.fullmatch(pairs[0][1]):
                found.append(_Radio(pairs[0][1], profile))
    return tuple(found)


def _pairs(text: str) -> list[tuple[str, str]]:
    lines = (re.match(r"\s+(\S.*?)\s*: (.*\S)\s*$", line) for line in text.splitlines())
    return [(match[1], match[2]) for match in lines if match]


def _rows(done: Completed) -> list[list[str]]:
    r"""The fields of `nmcli --terse`, which writes a colon inside a value as `\:`."""
    return [
        [re.sub(r"\\(.)", r"\1", field) for field in re.split(r"(?<!\\):", line)]
        for line in done.out.splitlines()
        if line
    ]


async def _ask(machine: Machine, *words: str, fields: str = "") -> Completed:
    wanted = ("--fields", fields) if fields else ()
    return await machine.run((machine.which("nmcli") or "nmcli", "--terse", *wanted, *words), deadline_s=ASK_S)


async def _must(machine: Machine, program: str, *words: str) -> None:
    path = machine.which(program)
    if path is None:
        raise ActionFault(f"The program {program} is not there any more.")
    done = await machine.run((path, *words), deadline_s=CONNECT_S)
    if done.code or done.out.startswith("Error"):  # networksetup says "Error" and ends with 0
        raise ActionFault("The network did not come back by itself.", hint=f"Join it in the network settings. {CABLE}")


def _shown(name: str) -> str:
    return "".join(character for character in name if character.isprintable() and character != '"')[:128] or "network"


ACTION: Final = Action(
    name="reconnect_network", plan=plan, accepts=accepts, execute=execute, undo_of=undo_of, undo=undo
)
