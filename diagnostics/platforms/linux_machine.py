"""A Linux machine, as an ordinary user may see it: /proc, /sys and a few tools of the system, all through the probe."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import msgspec

from diagnostics.platforms import linux_parts as parse
from diagnostics.platforms.linux_storage import disk_health, encryption, folder_to_write, volumes
from diagnostics.platforms.parts import (
    Battery,
    Crash,
    Display,
    Memory,
    Printer,
    Protection,
    Sound,
    Temperature,
    UpdateState,
)
from diagnostics.probe import Probe

CRASH_FOLDERS: Final = ("/var/crash", "/var/lib/systemd/coredump")
MANY_CRASHES: Final = 100  # files looked at in each folder
INSTALLERS: Final = frozenset(
    {"dpkg", "apt", "apt-get", "aptitude", "unattended-upgr", "dnf", "dnf5", "yum", "rpm", "zypper", "pacman"}
)
UPDATE_UNITS: Final = (
    "apt-daily-upgrade.service",
    "unattended-upgrades.service",
    "dnf-automatic.service",
    "dnf-automatic-install.service",
    "dnf5-automatic.service",
    "packagekit-offline-update.service",
    "rpm-ostreed-automatic.service",
    "transactional-update.service",
)
# Programs that protect against harmful ones, by the name of their process (cut to 15 letters by the kernel).
GUARDS: Final = {
    "clamd": "ClamAV",
    "wdavdaemon": "Microsoft Defender",
    "falcon-sensor": "CrowdStrike Falcon",
    "sentinelone-age": "SentinelOne",
    "s1-agent": "SentinelOne",
    "ds_agent": "Trend Micro Deep Security",
    "SophosScanD": "Sophos",
    "sophos-spl": "Sophos",
    "elastic-endpoin": "Elastic Defend",
    "cbagentd": "Carbon Black",
    "xagt": "Trellix",
    "esetd": "ESET",
    "oaeventd": "ESET",
    "bdsecd": "Bitdefender",
    "kesl": "Kaspersky",
    "wazuh-agentd": "Wazuh",
    "pmd": "Cortex XDR",
}


class LinuxMachine:
    """`parts.Machine` for Linux."""

    volumes = staticmethod(volumes)
    folder_to_write = staticmethod(folder_to_write)
    disk_health = staticmethod(disk_health)
    encryption = staticmethod(encryption)

    async def memory(self, probe: Probe) -> Memory:
        """From /proc/meminfo, the ZFS cache and the pressure counters."""
        text, arc, pressure = await asyncio.gather(
            probe.read_text("/proc/meminfo"),
            probe.read_text_or("/proc/spl/kstat/zfs/arcstats"),
            probe.read_text_or("/proc/pressure/memory"),
        )
        some, full = parse.parse_pressure(pressure)
        memory = parse.parse_meminfo(text, arc_bytes=parse.parse_arcstats(arc))
        return msgspec.structs.replace(memory, pressure_some_percent=some, pressure_full_percent=full)

    async def processor_pressure(self, probe: Probe) -> float | None:
        """From /proc/pressure/cpu."""
        return parse.parse_pressure(await probe.read_text_or("/proc/pressure/cpu"))[0]

    async def batteries(self, probe: Probe) -> tuple[Battery, ...] | None:
        """From /sys/class/power_supply."""
        folder = "/sys/class/power_supply"
        names = (
            "type", "scope", "present", "status", "capacity", "cycle_count",
            "energy_full", "energy_full_design", "charge_full", "charge_full_design",
        )  # fmt: skip
        found = []
        for supply in await probe.listdir(folder):
            texts = await asyncio.gather(*(probe.read_text_or(f"{folder}/{supply}/{name}") for name in names))
            files = {name: text for name, text in zip(names, texts, strict=True) if text}
            if (battery := parse.parse_battery(supply, files)) is not None:
                found.append(battery)
        return tuple(found)

    async def temperatures(self, probe: Probe) -> tuple[Temperature, ...] | None:
        """From thermal zones and hardware monitors that have a critical limit."""
        zones, monitors = await asyncio.gather(_zones(probe), _monitors(probe))
        return zones + monitors

    async def restart_reasons(self, probe: Probe) -> tuple[str, ...] | None:
        """From the distribution's own note, and from a kernel that was replaced or removed under the running one."""
        reasons = []
        if await probe.exists("/run/reboot-required") or await probe.exists("/var/run/reboot-required"):
            packages = sorted(set((await probe.read_text_or("/run/reboot-required.pkgs")).split()))
            names = ", ".join(packages[:4]) + (f" and {len(packages) - 4} more" if len(packages) > 4 else "")  # noqa: PLR2004 -- a line's worth
            reasons.append(
                f"updates were installed that need it ({names})" if names else "updates were installed that need it"
            )
        if not reasons and (kernel := await _newer_kernel(probe)):
            reasons.append(kernel)
        return tuple(reasons)

    async def updates(self, probe: Probe) -> UpdateState | None:
        """From dpkg's state, apt's histories and the results of the units that install updates."""
        packages, history, log, units, processes = await asyncio.gather(
            probe.read_text_or("/var/lib/dpkg/status"),
            _tail(probe, "/var/log/apt/history.log"),
            _tail(probe, "/var/log/unattended-upgrades/unattended-upgrades.log"),
            _unit_results(probe),
            probe.processes(),
        )
        if not (packages or history or log or units):
            return None
        if any(one.name in INSTALLERS for one in processes):
            return UpdateState(busy=True)
        stamp = await probe.modified("/var/lib/apt/periodic/upgrade-stamp")
        last_success = stamp.strftime("%Y-%m-%dT%H:%M:%SZ") if stamp else None
        failure = parse.update_failure(packages=packages, history=history, log=log, units=units)
        return msgspec.structs.replace(failure, last_success=last_success)

    async def failed_services(self, probe: Probe) -> tuple[str, ...] | None:
        """From systemd."""
        ran = await probe.run(
            ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full"]
        )
        return parse.parse_failed_units(ran.out) if ran.fine else None

    async def printers(self, probe: Probe) -> tuple[Printer, ...] | None:
        """From CUPS through lpstat; a machine without CUPS has no printers."""
        if probe.find_program("lpstat") is None:
            return None if await probe.exists("/run/cups/cups.sock") else ()
        ran = await probe.run(["lpstat", "-d", "-p", "-o"])
        if not ran.fine and "No destinations added" not in ran.err:
            return None
        return parse.parse_lpstat(ran.out, now=probe.now().astimezone().replace(tzinfo=None))

    async def sound(self, probe: Probe) -> Sound | None:
        """From the sound server of this session, else from the kernel's list of sound cards."""
        # Without a server's socket the question itself could start a sound server.
        socket = f"{probe.environment.get('XDG_RUNTIME_DIR', '/nowhere')}/pulse/native"
        if probe.find_program("pactl") is not None and await probe.exists(socket):
            sinks, sources, default = await asyncio.gather(
                probe.run(["pactl", "--format=json", "list", "sinks"]),
                probe.run(["pactl", "--format=json", "list", "sources"]),
                probe.run(["pactl", "get-default-sink"]),
            )
            if sinks.fine and sources.fine:
                return parse.parse_pactl(sinks.out, sources.out, default_sink=default.out.strip())
        return parse.parse_asound_pcm(await probe.read_text_or("/proc/asound/pcm"))

    async def displays(self, probe: Probe) -> tuple[Display, ...] | None:
        """From the connectors of the graphics cards."""
        folder = "/sys/class/drm"
        found = []
        for name in await probe.listdir(folder):
            if not (match := re.match(r"^card\d+-(.+)$", name)):
                continue
            if (await probe.read_text_or(f"{folder}/{name}/status")).strip() == "connected":
                modes = await probe.read_text_or(f"{folder}/{name}/modes")
                found.append(Display(name=match[1], size=modes.split("\n", 1)[0].strip()))
        return tuple(found)

    async def firewall(self, probe: Probe) -> Protection | None:
        """From ufw's settings or firewalld, else from the rules themselves, which only root may read."""
        if re.search(r"^ENABLED=yes", await probe.read_text_or("/etc/ufw/ufw.conf"), re.MULTILINE):
            return Protection(name="ufw", on=True)
        if (await probe.run(["systemctl", "is-active", "firewalld.service"])).out.strip() == "active":
            return Protection(name="firewalld", on=True)
        ran = await probe.run(["nft", "list", "ruleset"])
        if not ran.fine:
            return None
        guarded = re.search(r"hook input .*policy drop", ran.out) or re.search(
            r"hook input[^}]*\b(drop|reject)\b", ran.out
        )
        return Protection(name="nftables", on=bool(guarded))

    async def antivirus(self, probe: Probe) -> tuple[Protection, ...] | None:
        """From the names of running programs."""
        names = {GUARDS[one.name] for one in await probe.processes() if one.name in GUARDS}
        return tuple(Protection(name=name, on=True) for name in sorted(names))

    async def crashes(self, probe: Probe) -> tuple[Crash, ...] | None:
        """From the files that apport and systemd keep of crashes."""
        names = [
            f"{folder}/{name}" for folder in CRASH_FOLDERS for name in (await probe.listdir(folder))[-MANY_CRASHES:]
        ]
        stamps = await asyncio.gather(*(probe.modified(name) for name in names))
        files = [(name.rpartition("/")[2], stamp) for name, stamp in zip(names, stamps, strict=True)]
        return parse.crashes_of(files, now=probe.now())


async def _tail(probe: Probe, path: str) -> str:
    try:
        return await probe.read_tail(path, limit_bytes=200_000)
    except OSError:
        return ""


async def _unit_results(probe: Probe) -> tuple[tuple[str, str], ...]:
    ran = await probe.run(["systemctl", "show", "--no-pager", "-p", "Id,LoadState,Result", *UPDATE_UNITS])
    return parse.parse_unit_results(ran.out) if ran.fine else ()


def _celsius(text: str) -> float | None:
    """Thousandths of a degree, as the kernel writes them; readings that no machine survives are broken sensors."""
    try:
        value = int(text.strip()) / 1000
    except ValueError:
        return None
    return value if 0 < value < 150 else None  # noqa: PLR2004 -- as above


async def _zones(probe: Probe) -> tuple[Temperature, ...]:
    folder = "/sys/class/thermal"
    found = []
    for zone in await probe.listdir(folder):
        if not zone.startswith("thermal_zone"):
            continue
        kind, now = await asyncio.gather(
            probe.read_text_or(f"{folder}/{zone}/type"), probe.read_text_or(f"{folder}/{zone}/temp")
        )
        critical = None
        for name in await probe.listdir(f"{folder}/{zone}"):
            if (
                re.match(r"^trip_point_\d+_type$", name)
                and (await probe.read_text_or(f"{folder}/{zone}/{name}")).strip() == "critical"
            ):
                critical = _celsius(await probe.read_text_or(f"{folder}/{zone}/{name.replace('_type', '_temp')}"))
        found.append(Temperature(name=f"{kind.strip()} ({zone})", celsius=_celsius(now), critical=critical))
    return tuple(one for one in found if one.celsius is not None)


async def _monitors(probe: Probe) -> tuple[Temperature, ...]:
    folder = "/sys/class/hwmon"
    found = []
    for monitor in await probe.listdir(folder):
        here = f"{folder}/{monitor}"
        chip = (await probe.read_text_or(f"{here}/name")).strip()
        for name in await probe.listdir(here):
            if not (match := re.match(r"^(temp\d+)_crit$", name)):
                continue
            now, critical, label = await asyncio.gather(
                probe.read_text_or(f"{here}/{match[1]}_input"),
                probe.read_text_or(f"{here}/{name}"),
                probe.read_text_or(f"{here}/{match[1]}_label"),
            )
            if (celsius := _celsius(now)) is not None:
                found.append(
                    Temperature(
                        name=f"{chip} {label.strip() or match[1]}", celsius=celsius, critical=_celsius(critical)
                    )
                )
    return tuple(found)


async def _newer_kernel(probe: Probe) -> str:
    """Why the running kernel is not the one that would start now; empty where it is, and in containers."""
    if await in_container(probe) or not await probe.exists("/run/systemd/system"):
        return ""
    running = (await probe.read_text_or("/proc/sys/kernel/osrelease")).strip()
    installed = await probe.listdir("/lib/modules")
    images = [name for name in await probe.listdir("/boot") if name.startswith(("vmlinuz-", "vmlinux-"))]
    if not running or not installed or not images:
        return ""
    if running not in installed and not any(name.endswith(running) for name in images):
        return "the system's core was replaced by an update"
    up = await probe.uptime_s()
    for version in installed:
        if parse.natural(version) <= parse.natural(running) or not any(name.endswith(version) for name in images):
            continue
        # depmod writes this when a kernel is installed; the files of the kernel itself carry the time they were built.
        made = await probe.modified(f"/lib/modules/{version}/modules.dep")
        if made is not None and (probe.now() - made).total_seconds() < up:
            return "a newer version of the system's core is installed"
    return ""


async def in_container(probe: Probe) -> bool:
    """Whether this is a container, which shares somebody else's kernel."""
    for path in ("/run/systemd/container", "/.dockerenv", "/run/.containerenv"):
        if await probe.exists(path):
            return True
    return False
