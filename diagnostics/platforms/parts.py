"""The parts of a machine as the checks see them, the same on every operating system, and what a platform module must offer.

A method that gives `None` says "this computer does not tell"; an empty tuple says "there is none of it", which is fine.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from diagnostics.platforms.volumes import Volume
from diagnostics.probe import Probe


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything here."""


class DiskHealth(Part, frozen=True, kw_only=True):
    """What one disk or file system says about itself: `state` is ok, failing or unknown; `why` is a short clause for failing."""

    disk: str
    mount: str = ""
    state: str = "ok"
    why: str = ""
    numbers: dict[str, Any] = {}


class Memory(Part, frozen=True, kw_only=True):
    """Main memory and swap in bytes.

    The pressures are the percent of the last ten seconds in which somebody, or everybody, waited for memory. `critical` is
    the system's own verdict, None where it gives none.
    """

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int = 0
    swap_free_bytes: int = 0
    pressure_some_percent: float | None = None
    pressure_full_percent: float | None = None
    critical: bool | None = None


class Battery(Part, frozen=True, kw_only=True):
    """One battery of the computer itself, not of a mouse. `full` and `design` share any one unit; 0 is not known."""

    name: str
    full: float = 0
    design: float = 0
    charge_percent: float | None = None
    state: str = ""
    cycles: int | None = None

    @property
    def health_percent(self) -> int | None:
        """What is left of the capacity that it was built with; None where the battery does not tell."""
        if self.full <= 0 or self.design <= 0:
            return None
        return min(100, round(100 * self.full / self.design))


class Temperature(Part, frozen=True, kw_only=True):
    """One sensor in degrees Celsius.

    `critical` is where the machine protects itself; `slowed_percent` how much it has slowed down for the heat.
    """

    name: str
    celsius: float | None = None
    critical: float | None = None
    slowed_percent: int | None = None


class UpdateState(Part, frozen=True, kw_only=True):
    """How updating goes. `failed` names what could not be installed and `why` in words; `since` is ISO time of the last failure."""

    failed: tuple[str, ...] = ()
    why: str = ""
    code: str = ""
    since: str | None = None
    last_success: str | None = None
    pending: int | None = None
    busy: bool = False


class Printer(Part, frozen=True, kw_only=True):
    """One print queue: `state` is idle, printing, stopped or offline; `reason` is its own word; the age is of its oldest job."""

    name: str
    state: str = "idle"
    reason: str = ""
    jobs: int = 0
    oldest_job_s: float | None = None
    is_default: bool = False


class Sound(Part, frozen=True, kw_only=True):
    """Sound devices by name; `muted` says that the chosen output is muted or at zero (None: not known)."""

    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    muted: bool | None = None


class Display(Part, frozen=True, kw_only=True):
    """One screen: `size` as "2560x1440", empty where it is not known."""

    name: str
    size: str = ""


class Protection(Part, frozen=True, kw_only=True):
    """One protective thing and whether it is on; None is not known. `name` is what it calls itself."""

    name: str
    on: bool | None = None
    up_to_date: bool | None = None


class Crash(Part, frozen=True, kw_only=True):
    """A program that ended by itself: its name, how often within the time looked at, and when last (ISO time)."""

    program: str
    times: int = 1
    last: str = ""


class Machine(Protocol):
    """What each platform's module offers. Everything may raise OSError; the check is unknown then."""

    async def volumes(self, probe: Probe) -> tuple[Volume, ...]:
        """The volumes that can hold an employee's files."""

    async def folder_to_write(self, probe: Probe, volume: Volume) -> str | None:
        """A folder on the volume in which this user may make a file for a moment, None where there is none."""

    async def disk_health(self, probe: Probe) -> tuple[DiskHealth, ...]:
        """Every disk and file system that says something about itself."""

    async def memory(self, probe: Probe) -> Memory:
        """Main memory now."""

    async def processor_pressure(self, probe: Probe) -> float | None:
        """Percent of the last ten seconds in which somebody waited for a processor; None where the system does not count it."""

    async def batteries(self, probe: Probe) -> tuple[Battery, ...] | None:
        """The batteries of the computer."""

    async def temperatures(self, probe: Probe) -> tuple[Temperature, ...] | None:
        """The sensors that have a limit to be compared with, and signs of slowing down for heat."""

    async def restart_reasons(self, probe: Probe) -> tuple[str, ...] | None:
        """Why the system wants to be restarted, a short clause each."""

    async def updates(self, probe: Probe) -> UpdateState | None:
        """How installing updates went lately."""

    async def failed_services(self, probe: Probe) -> tuple[str, ...] | None:
        """System services that should run and do not."""

    async def printers(self, probe: Probe) -> tuple[Printer, ...] | None:
        """The print queues of this computer."""

    async def sound(self, probe: Probe) -> Sound | None:
        """Sound devices."""

    async def displays(self, probe: Probe) -> tuple[Display, ...] | None:
        """The screens that are connected."""

    async def encryption(self, probe: Probe) -> Protection | None:
        """Encryption of the disk that holds the employee's files."""

    async def firewall(self, probe: Probe) -> Protection | None:
        """The firewall of this computer."""

    async def antivirus(self, probe: Probe) -> tuple[Protection, ...] | None:
        """Protection against harmful programs."""

    async def crashes(self, probe: Probe) -> tuple[Crash, ...] | None:
        """Programs that crashed within the last seven days, the most frequent first."""


class SystemFacts(Part, frozen=True, kw_only=True):
    """The operating system in its own words; empty where it does not tell."""

    name: str = ""
    version: str = ""
    build: str = ""
    kernel: str = ""
    architecture: str = ""
    language: str = ""
    time_zone: str = ""
    desktop: str = ""
    joined_to: str = ""
    runs_in: str = ""


class HardwareFacts(Part, frozen=True, kw_only=True):
    """The machine in its own words; empty where it does not tell. `disks` are (model, bytes)."""

    vendor: str = ""
    model: str = ""
    serial: str = ""
    asset_tag: str = ""
    firmware: str = ""
    processor: str = ""
    disks: tuple[tuple[str, int], ...] = ()
    graphics: tuple[str, ...] = ()


class Wifi(Part, frozen=True, kw_only=True):
    """The wireless network that an adapter is on. `signal_percent` and `band` ("5 GHz") where the system tells."""

    adapter: str
    network: str = ""
    signal_percent: int | None = None
    band: str = ""
    rate_mbit_per_s: float | None = None


class Package(Part, frozen=True, kw_only=True):
    """One installed program."""

    name: str
    version: str = ""


class Describer(Protocol):
    """What each platform tells about itself for agents, without judging it. An OSError leaves the fact out."""

    async def system(self, probe: Probe) -> SystemFacts:
        """The operating system."""

    async def hardware(self, probe: Probe) -> HardwareFacts:
        """The machine."""

    async def software(self, probe: Probe) -> tuple[Package, ...] | None:
        """What is installed; None where this cannot be told."""

    async def log_errors(self, probe: Probe, *, lines: int) -> tuple[str, ...] | None:
        """The last errors of the system's log, oldest first; None where it may not be read."""

    async def wifi(self, probe: Probe) -> tuple[Wifi, ...]:
        """The wireless networks that this computer is on."""
