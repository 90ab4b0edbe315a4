"""Empties the operating system's cache of names, where an ordinary user may."""

from __future__ import annotations

from typing import Final

import msgspec

from client.errors import ActionFault
from client.fixes.machine import Machine
from client.fixes.plan import Action, Planned, Say
from client.model import Step

COMMAND_S: Final = 10.0  # each of these answers at once; one that asks for a password never does
ADMINISTRATOR: Final = "Only an administrator may clear it; restarting the computer does the same."


class _Cache(msgspec.Struct, frozen=True, kw_only=True):
    """Something that remembers names, and how it is told to forget them."""

    name: str
    platform: str
    signs: tuple[str, ...] = ()  # one of these exists where it runs; empty: it always does
    command: tuple[str, ...]
    root: bool = False


CACHES: Final = {
    "resolved": _Cache(
        name="the system's name service (systemd-resolved)",
        platform="linux",
        signs=("/run/systemd/resolve/io.systemd.Resolve", "/run/systemd/resolve/stub-resolv.conf"),
        command=("resolvectl", "flush-caches"),
    ),
    "nscd": _Cache(
        name="the name cache (nscd)",
        platform="linux",
        signs=("/run/nscd/socket", "/var/run/nscd/socket"),
        command=("nscd", "--invalidate=hosts"),
        root=True,
    ),
    "dnsmasq": _Cache(
        name="the network service's name cache (dnsmasq)",
        platform="linux",
        signs=("/run/NetworkManager/dnsmasq.pid",),
        command=("nmcli", "general", "reload", "dns-full"),
        root=True,
    ),
    "macos": _Cache(name="the name cache of macOS", platform="darwin", command=("dscacheutil", "-flushcache")),
    "windows": _Cache(name="the name cache of Windows", platform="win32", command=("ipconfig", "/flushdns")),
}


async def plan(_option: str, machine: Machine) -> Planned:
    """One step for each cache that runs here and may be cleared."""
    here = {id: one for id, one in CACHES.items() if one.platform == machine.platform and _runs(one, machine)}
    if not here:
        return Planned(
            refused="This computer does not remember names, so there is nothing to clear. Try a browser restart instead."
        )
    able = {id: one for id, one in here.items() if _tool(one, machine) and (machine.uid == 0 or not one.root)}
    if not able:
        return Planned(refused=f"The names are kept by {next(iter(here.values())).name}. {ADMINISTRATOR}")
    return Planned(steps=tuple(_step(id) for id in able), undo="Not needed: names are looked up again by themselves.")


def accepts(step: Step, _option: str, machine: Machine) -> str:
    """As `Action.accepts`."""
    cache = CACHES.get(step.parameters.get("cache", ""))
    if cache is None or cache.platform != machine.platform or step != _step(step.parameters["cache"]):
        return "This step names no cache of this computer."
    return ""


async def execute(step: Step, machine: Machine, _say: Say) -> str:
    """Clears the cache."""
    cache = CACHES[step.parameters["cache"]]
    tool = _tool(cache, machine)
    if tool is None:
        raise ActionFault(f"The program {cache.command[0]} is not there any more.")
    done = await machine.run((tool, *cache.command[1:]), deadline_s=COMMAND_S)
    if done.code:
        raise ActionFault(f"This computer did not let us clear {cache.name}.", hint=ADMINISTRATOR)
    return "The remembered names are cleared."


def _step(id: str) -> Step:
    cache = CACHES[id]
    return Step(
        action="flush_dns",
        parameters={"cache": id},
        words="Forget the names of sites and servers that this computer has looked up.",
        details=(f"Clears {cache.name}.",),
    )


def _runs(cache: _Cache, machine: Machine) -> bool:
    return not cache.signs or any(machine.exists(sign) for sign in cache.signs)


def _tool(cache: _Cache, machine: Machine) -> str | None:
    return machine.which(cache.command[0])


ACTION: Final = Action(name="flush_dns", plan=plan, accepts=accepts, execute=execute)
