"""Facts about the operating system and whose session this is."""

from __future__ import annotations

from typing import Any, cast

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.machine import describer_of
from diagnostics.platforms.parts import SystemFacts
from diagnostics.probe import Probe


async def _system(probe: Probe) -> SystemFacts:
    return cast("SystemFacts", await probe.once("facts.system", lambda: describer_of(probe).system(probe)))


@fact("os.name", privacy=Privacy.PUBLIC)
async def name(probe: Probe) -> str:
    """Its name with its version: "Debian GNU/Linux 12 (bookworm)"."""
    return (await _system(probe)).name


@fact("os.version", privacy=Privacy.PUBLIC)
async def version(probe: Probe) -> str:
    """Its version: "12", "14.5", "23H2"."""
    return (await _system(probe)).version


@fact("os.build", privacy=Privacy.PUBLIC)
async def build(probe: Probe) -> str:
    """The exact build: "22631.3737", "23F79"."""
    return (await _system(probe)).build


@fact("os.kernel", privacy=Privacy.PUBLIC)
async def kernel(probe: Probe) -> str:
    """The version of its core."""
    return (await _system(probe)).kernel


@fact("os.architecture", privacy=Privacy.PUBLIC)
async def architecture(probe: Probe) -> str:
    """What the programs are built for: "x86_64"."""
    return (await _system(probe)).architecture


@fact("os.language", privacy=Privacy.PUBLIC)
async def language(probe: Probe) -> str:
    """The language of the session: "de_DE.UTF-8"."""
    return (await _system(probe)).language


@fact("os.time_zone", privacy=Privacy.PUBLIC)
async def time_zone(probe: Probe) -> str:
    """The time zone: "Europe/Berlin"."""
    return (await _system(probe)).time_zone


@fact("os.desktop", privacy=Privacy.PUBLIC)
async def desktop(probe: Probe) -> str:
    """The desktop of the session: "GNOME (wayland)"."""
    return (await _system(probe)).desktop


@fact("os.runs_in", privacy=Privacy.PUBLIC)
async def runs_in(probe: Probe) -> str:
    """The virtual machine or container that this is: "kvm", "docker"; nothing on a real machine."""
    return (await _system(probe)).runs_in


@fact("os.joined_to", privacy=Privacy.NETWORK)
async def joined_to(probe: Probe) -> str:
    """The company directory that this computer belongs to."""
    return (await _system(probe)).joined_to


@fact("os.host_name", privacy=Privacy.DEVICE)
async def host_name(probe: Probe) -> str:
    """What the computer is called."""
    return await probe.host_name()


@fact("os.user", privacy=Privacy.PERSONAL)
async def user(probe: Probe) -> str:
    """The account that this ran as."""
    return await probe.user_name()


@fact("os.home", privacy=Privacy.PERSONAL)
async def home(probe: Probe) -> str:
    """The account's home folder."""
    return probe.environment.get("HOME") or probe.environment.get("USERPROFILE", "")


@fact("os.started_s", privacy=Privacy.PUBLIC)
async def started(probe: Probe) -> Any:
    """Seconds since the system was started."""
    return round(await probe.uptime_s())
