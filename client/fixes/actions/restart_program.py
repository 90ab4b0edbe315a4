"""Ends a program of this user that hangs or keeps the computer busy, and starts it again the same way. The employee chooses which.

Asked first, made to end after that; what was not saved in it is lost, and the plan says so. The system's own programs, the desktop,
and Deskside itself are not offered.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.machine import Machine, Process
from client.fixes.plan import Action, Planned, Say, printable, size
from client.model import Step

WATCH_S: Final = 1.0
PATIENCE_S: Final = 8.0  # a program that saves something before it ends takes some seconds
LOOK_EVERY_S: Final = 0.2
MOST: Final = 15
LARGE_BYTES: Final = 300_000_000  # of memory: a program that a person has noticed is larger
# What a session cannot do without, and what would take other programs along. In small letters, without ".exe".
KEEP: Final = frozenset(
    [
        "systemd",
        "init",
        "launchd",
        "loginwindow",
        "windowserver",
        "finder",
        "dock",
        "systemuiserver",
        "explorer",
        "dwm",
        "csrss",
        "winlogon",
        "wininit",
        "lsass",
        "services",
        "svchost",
        "sihost",
        "ctfmon",
        "fontdrvhost",
        "taskhostw",
        "runtimebroker",
        "shellexperiencehost",
        "startmenuexperiencehost",
        "searchhost",
        "conhost",
        "smss",
        "spoolsv",
        "gnome-shell",
        "gnome-session",
        "gnome-session-binary",
        "gdm-x-session",
        "gdm-wayland-session",
        "mutter",
        "plasmashell",
        "kwin_x11",
        "kwin_wayland",
        "ksmserver",
        "xfwm4",
        "xfce4-session",
        "xfce4-panel",
        "cinnamon",
        "cinnamon-session",
        "mate-session",
        "marco",
        "lxqt-session",
        "lxqt-panel",
        "openbox",
        "sway",
        "xorg",
        "xwayland",
        "xvfb",
        "dbus-daemon",
        "dbus-broker",
        "dbus-broker-launch",
        "pipewire",
        "wireplumber",
        "pulseaudio",
        "ssh-agent",
        "sshd",
        "gpg-agent",
        "gnome-keyring-daemon",
        "at-spi-bus-launcher",
        "at-spi2-registryd",
        "ibus-daemon",
        "fcitx5",
        "polkitd",
        "xdg-desktop-portal",
        "xdg-document-portal",
        "gvfsd",
        "login",
        "bash",
        "zsh",
        "fish",
        "sh",
        "dash",
        "tmux",
        "screen",
        "sudo",
        "su",
        "cmd",
        "powershell",
        "pwsh",
        "deskside",
        "deskside-helper",
    ]
)
DEBRIS: Final = re.compile(r"[\x00-\x1f\x7f]")


class _Parameters(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    started: float
    name: str
    argv: tuple[str, ...]
    folder: str


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each program that seems to hang, the worst first; then the largest ones. None is chosen."""
    found = await asyncio.to_thread(machine.processes, WATCH_S)
    ours = _ours(found)
    mine = [one for one in found if _may_go(one, machine) and one.pid not in ours]
    leaders = _leaders(mine)
    stuck = sorted((one for one in leaders if one.stuck), key=lambda one: -one.cpu_percent)
    large = sorted(
        (one for one in leaders if not one.stuck and one.memory_bytes >= LARGE_BYTES), key=lambda one: -one.memory_bytes
    )
    steps = tuple(_step(one) for one in (*stuck, *large)[:MOST])
    if not steps:
        return Planned(refused="None of your programs seems to hang: none is stopped, very busy or very large.")
    return Planned(steps=steps, choice="one")


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`: a program that still may be ended. Which process it is, is looked at again when it is done."""
    try:
        values = _read(step)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError):
        return "This step cannot be read."
    if values.pid <= 1 or values.pid in {os.getpid(), os.getppid()} or values.name.lower().removesuffix(".exe") in KEEP:
        return "This program is not one that Deskside ends."
    return "" if machine.platform in {"linux", "darwin", "win32"} else "This step cannot be done here."


async def execute(step: Step, machine: Machine, say: Say) -> str:
    """Asks it to end, makes it end, and starts it again where it is known how."""
    values = _read(step)
    found = {one.pid: one for one in await asyncio.to_thread(machine.processes, 0.0)}
    process = found.get(values.pid)
    if process is None or abs(process.started - values.started) >= 1 or not _may_go(process, machine):
        raise ActionFault(f"{values.name} has ended by itself.", hint="Start it again as usual.")
    if not await _ended(process, machine, force=False):
        say(f"{values.name} does not end when it is asked; it is made to.")
        if not await _ended(process, machine, force=True):
            raise ActionFault(
                f"{values.name} cannot be ended: the system waits for a disk or a device.", hint="Restart the computer."
            )
    if not values.argv:
        return f"{values.name} is ended. Start it again as usual."
    say(f"Starting {values.name} again.")
    try:
        await machine.start(values.argv)
    except OSError:
        return f"{values.name} is ended. It could not be started again by itself; start it as usual."
    return f"{values.name} is ended and started again."


async def _ended(process: Process, machine: Machine, *, force: bool) -> bool:
    """Whether it is gone after it was asked, or made, to."""
    if not await asyncio.to_thread(machine.signal, process, force=force):
        return True
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        alive = {(one.pid, round(one.started)) for one in await asyncio.to_thread(machine.processes, 0.0)}
        if (process.pid, round(process.started)) not in alive:
            return True
        await asyncio.sleep(LOOK_EVERY_S)
    return False


def _may_go(one: Process, machine: Machine) -> bool:
    name = one.name.lower().removesuffix(".exe")
    return one.uid == machine.uid and one.pid > 1 and name not in KEEP and bool(name) and not DEBRIS.search(one.name)


def _ours(found: tuple[Process, ...]) -> frozenset[int]:
    """Deskside's own processes: this one, those that it runs in, and those that it has started."""
    parents = {one.pid: one.parent for one in found}
    above = {os.getpid()}
    here = os.getpid()
    while (here := parents.get(here, 0)) > 1 and here not in above:
        above.add(here)
    ours = set(above)
    below = {os.getpid()}
    while below := {pid for pid, parent in parents.items() if parent in below and pid not in ours}:
        ours |= below
    words = [one.pid for one in found if one.argv[1:3] in {("-m", "client"), ("-P", "-m")} and "client" in one.argv[:4]]
    return frozenset(ours.union(words))


def _leaders(mine: list[Process]) -> list[Process]:
    """One process for each program: helpers of a browser go with it, so the topmost of the same name stands for all.

    It uses what all of them use, and hangs where one of them does.
    """
    by_pid = {one.pid: one for one in mine}
    top: dict[int, Process] = {}
    for one in mine:
        leader = one
        seen = {one.pid}
        while (above := by_pid.get(leader.parent)) and above.name == leader.name and above.pid not in seen:
            leader = above
            seen.add(above.pid)
        known = top.get(leader.pid)
        if known is None:
            known = msgspec.structs.replace(leader, cpu_percent=0.0, memory_bytes=0, stuck="")
        top[leader.pid] = msgspec.structs.replace(
            known,
            cpu_percent=round(known.cpu_percent + one.cpu_percent, 1),
            memory_bytes=known.memory_bytes + one.memory_bytes,
            stuck=known.stuck or one.stuck,
        )
    return list(top.values())


def _step(one: Process) -> Step:
    name = printable(one.name)
    # A command line can hold what is secret, so it is kept where it is needed and shown nowhere.
    again = tuple(one.argv) if one.argv and all(not DEBRIS.search(word) for word in one.argv) else ()
    why = f"It {one.stuck}." if one.stuck else "It does not seem to hang, but it is large."
    return Step(
        action="restart_program",
        parameters={
            "pid": str(one.pid),
            "started": repr(one.started),
            "name": name,
            "argv": msgspec.json.encode(again).decode(),
            "folder": one.folder,
        },
        words=f"End {name}{' and start it again' if again else ''}.",
        details=(
            f"{why} It holds {size(one.memory_bytes)} of memory.",
            "It is asked to end first, and made to end where it does not. What you have not saved in it is lost.",
        ),
        picked=False,
    )


def _read(step: Step) -> _Parameters:
    values = step.parameters
    return msgspec.convert(
        {**values, "argv": msgspec.json.decode(values["argv"], type=tuple[str, ...])}, _Parameters, strict=False
    )


ACTION: Final = Action(name="restart_program", plan=plan, accepts=accepts, execute=execute)
