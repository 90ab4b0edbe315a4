"""A Mac, as an ordinary user may see it: its own tools with property lists and JSON, all through the probe."""

from __future__ import annotations

import asyncio
import re
from typing import Final, cast

import msgspec

from diagnostics.platforms import darwin_parts as parse
from diagnostics.platforms.linux_parts import parse_lpstat
from diagnostics.platforms.parts import (
    Battery,
    Crash,
    DiskHealth,
    Display,
    HardwareFacts,
    Memory,
    Package,
    Printer,
    Protection,
    Sound,
    SystemFacts,
    Temperature,
    UpdateState,
    Wifi,
)
from diagnostics.platforms.volumes import Volume
from diagnostics.probe import Probe

PROFILER: Final = "/usr/sbin/system_profiler"
PROFILER_TIMEOUT_S: Final = 4.0
CRITICAL_PRESSURE: Final = "4"  # kern.memorystatus_vm_pressure_level: 1 fine, 2 warning, 4 critical
FIREWALL: Final = "/usr/libexec/ApplicationFirewall/socketfilterfw"
GUARDS: Final = {
    "wdavdaemon": "Microsoft Defender",
    "com.crowdstrike.falcon.Agent": "CrowdStrike Falcon",
    "sentineld": "SentinelOne",
    "SophosScanD": "Sophos",
    "JamfProtect": "Jamf Protect",
    "RTProtectionDaemon": "Malwarebytes",
    "esets_daemon": "ESET",
}


class DarwinMachine:
    """`parts.Machine` for macOS."""

    async def volumes(self, probe: Probe) -> tuple[Volume, ...]:
        """From mount."""

        async def read() -> tuple[Volume, ...]:
            ran = await probe.run(["/sbin/mount"])
            if not ran.fine:
                raise OSError(ran.err or "mount did not answer")
            return parse.parse_mount(ran.out)

        return cast("tuple[Volume, ...]", await probe.once("darwin.volumes", read))

    async def folder_to_write(self, probe: Probe, volume: Volume) -> str | None:
        """The home folder for the machine's own volume, else the volume's top."""
        for folder in (probe.environment.get("HOME", ""), volume.mount) if volume.mount == "/" else (volume.mount,):
            if folder and await probe.may_write(folder):
                return folder
        return None

    async def disk_health(self, probe: Probe) -> tuple[DiskHealth, ...]:
        """From diskutil, for the disk of the system."""
        ran = await probe.run(["/usr/sbin/diskutil", "info", "-plist", "/"])
        told = parse.parse_disk_health(ran.out) if ran.fine else None
        return () if told is None else (told,)

    async def memory(self, probe: Probe) -> Memory:
        """From the kernel's counters and its own verdict about pressure."""
        numbers, level = await asyncio.gather(
            probe.memory_numbers(), probe.run(["/usr/sbin/sysctl", "-n", "kern.memorystatus_vm_pressure_level"])
        )
        return Memory(
            total_bytes=numbers.total_bytes,
            available_bytes=numbers.available_bytes,
            # macOS makes swap files as it needs them: how much of them is free says nothing.
            critical=level.out.strip() == CRITICAL_PRESSURE if level.fine else None,
        )

    async def processor_pressure(self, probe: Probe) -> float | None:  # noqa: ARG002 -- macOS does not count it
        """Not counted here."""
        return None

    async def batteries(self, probe: Probe) -> tuple[Battery, ...] | None:
        """From the register of devices."""
        ran = await probe.run(["/usr/sbin/ioreg", "-r", "-c", "AppleSmartBattery", "-a"])
        return parse.parse_battery(ran.out) if ran.fine else None

    async def temperatures(self, probe: Probe) -> tuple[Temperature, ...] | None:
        """From pmset: by how much the processor is slowed down for heat."""
        slowed = parse.parse_speed_limit((await probe.run(["/usr/bin/pmset", "-g", "therm"])).out)
        return None if slowed is None else (Temperature(name="processor", slowed_percent=slowed),)

    async def restart_reasons(self, probe: Probe) -> tuple[str, ...] | None:  # noqa: ARG002 -- see below
        """Unknown: macOS keeps this from ordinary programs."""
        return None

    async def updates(self, probe: Probe) -> UpdateState | None:
        """From the installer's log and the settings of Software Update."""
        try:
            state = parse.parse_install_log(await probe.read_tail("/var/log/install.log", limit_bytes=300_000))
        except OSError:
            return None
        told = None
        try:
            told = parse.plist(await probe.read_bytes("/Library/Preferences/com.apple.SoftwareUpdate.plist"))
        except OSError:
            return state
        pending = told.get("RecommendedUpdates") if isinstance(told, dict) else None
        return msgspec.structs.replace(state, pending=len(pending)) if isinstance(pending, list) else state

    async def failed_services(self, probe: Probe) -> tuple[str, ...] | None:  # noqa: ARG002 -- see below
        """Unknown: launchd keeps exit codes of jobs that end as they should, and does not tell which should run."""
        return None

    async def printers(self, probe: Probe) -> tuple[Printer, ...] | None:
        """From CUPS through lpstat, which obeys the C locale."""
        ran = await probe.run(["/usr/bin/lpstat", "-d", "-p", "-o"])
        if not ran.fine and "No destinations added" not in ran.err:
            return None
        return parse_lpstat(ran.out, now=probe.now().astimezone().replace(tzinfo=None))

    async def sound(self, probe: Probe) -> Sound | None:
        """From system_profiler."""
        ran = await profile(probe, "SPAudioDataType")
        return parse.parse_sound(ran) if ran else None

    async def displays(self, probe: Probe) -> tuple[Display, ...] | None:
        """From system_profiler."""
        ran = await profile(probe, "SPDisplaysDataType")
        return parse.parse_displays(ran) if ran else None

    async def encryption(self, probe: Probe) -> Protection | None:
        """From fdesetup, whose words are never translated."""
        ran = await probe.run(["/usr/bin/fdesetup", "status"])
        match = re.search(r"FileVault is (On|Off)", ran.out)
        return None if match is None else Protection(name="FileVault", on=match[1] == "On")

    async def firewall(self, probe: Probe) -> Protection | None:
        """From the application firewall's own tool."""
        match = re.search(r"\(State = (\d)\)", (await probe.run([FIREWALL, "--getglobalstate"])).out)
        return None if match is None else Protection(name="macOS firewall", on=match[1] != "0")

    async def antivirus(self, probe: Probe) -> tuple[Protection, ...] | None:
        """What the company has installed, and XProtect, which every Mac has."""
        names = {GUARDS[one.name] for one in await probe.processes() if one.name in GUARDS}
        return (*(Protection(name=name, on=True) for name in sorted(names)), Protection(name="XProtect", on=True))

    async def crashes(self, probe: Probe) -> tuple[Crash, ...] | None:
        """From the reports that macOS writes for every crash."""
        home = probe.environment.get("HOME", "")
        names = [
            f"{folder}/{name}"
            for folder in (f"{home}/Library/Logs/DiagnosticReports", "/Library/Logs/DiagnosticReports")
            for name in (await probe.listdir(folder))[-200:]
        ]
        stamps = await asyncio.gather(*(probe.modified(name) for name in names))
        files = [(name.rpartition("/")[2], stamp) for name, stamp in zip(names, stamps, strict=True)]
        return parse.parse_crashes(files, now=probe.now())


async def profile(probe: Probe, *kinds: str) -> str:
    """What system_profiler tells as JSON; empty when it does not answer in time. Serial numbers and users stay out of `mini`."""
    ran = await probe.run([PROFILER, "-json", *kinds], timeout=PROFILER_TIMEOUT_S)
    return ran.out if ran.fine else ""


class DarwinDescriber:
    """`parts.Describer` for macOS."""

    async def system(self, probe: Probe) -> SystemFacts:
        """From SystemVersion.plist and the environment."""
        told, kernel, zone, directory = await asyncio.gather(
            probe.read_bytes("/System/Library/CoreServices/SystemVersion.plist"),
            probe.run(["/usr/bin/uname", "-r"]),
            probe.readlink("/etc/localtime"),
            probe.run(["/usr/sbin/dsconfigad", "-show", "-xml"]),
        )
        fields = parse.plist(told) or {}
        joined = parse.plist(directory.out) if directory.fine and directory.out else None
        general = joined.get("General Info") if isinstance(joined, dict) else None
        name, version = str(fields.get("ProductName", "macOS")), str(fields.get("ProductVersion", ""))
        return SystemFacts(
            name=f"{name} {version}".strip(),
            version=version,
            build=str(fields.get("ProductBuildVersion", "")),
            kernel=kernel.out.strip(),
            architecture=probe.architecture(),
            language=probe.environment.get("LANG", ""),
            time_zone=zone.partition("zoneinfo/")[2],
            joined_to=str(general.get("Active Directory Domain", "")) if isinstance(general, dict) else "",
        )

    async def hardware(self, probe: Probe) -> HardwareFacts:
        """From system_profiler."""
        told = await profile(probe, "SPHardwareDataType", "SPDisplaysDataType", "SPStorageDataType")
        if not told:
            raise OSError("system_profiler did not answer")
        return parse.parse_hardware(told)

    async def software(self, probe: Probe) -> tuple[Package, ...] | None:
        """From the programs' own property lists: system_profiler's list of programs takes many seconds."""
        found = []
        for folder in ("/Applications", f"{probe.environment.get('HOME', '')}/Applications"):
            names = [name for name in await probe.listdir(folder) if name.endswith(".app")]
            versions = await asyncio.gather(*(_version(probe, f"{folder}/{name}") for name in names))
            found += [Package(name=name[:-4], version=version) for name, version in zip(names, versions, strict=True)]
        return tuple(found)

    async def log_errors(self, probe: Probe, *, lines: int) -> tuple[str, ...] | None:
        """From the unified log: what broke within ten minutes, as far as this user may read it."""
        argv = ["/usr/bin/log", "show", "--last", "10m", "--style", "ndjson", "--predicate", "messageType == fault"]
        ran = await probe.run(argv)
        return parse.parse_log_show(ran.out)[-lines:] if ran.fine else None

    async def wifi(self, probe: Probe) -> tuple[Wifi, ...]:
        """From system_profiler."""
        return parse.parse_wifi(await profile(probe, "SPAirPortDataType"))


async def _version(probe: Probe, application: str) -> str:
    try:
        told = parse.plist(await probe.read_bytes(f"{application}/Contents/Info.plist", limit_bytes=500_000))
    except OSError:
        return ""
    return str(told.get("CFBundleShortVersionString", "")) if isinstance(told, dict) else ""
