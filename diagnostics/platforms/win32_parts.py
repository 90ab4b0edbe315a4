"""What Windows tells about the machine, read: pure functions over the answers of `win32_survey` and the registry.

Numbers are Microsoft's: MSFT_PhysicalDisk.HealthStatus, Win32_Printer.PrinterState, AntiVirusProduct.productState,
System.Volume.BitLockerProtection, events 19 and 20 of WindowsUpdateClient, event 1000 of Application Error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from diagnostics.gauges import Partition
from diagnostics.platforms import shape
from diagnostics.platforms.parts import (
    Battery,
    Crash,
    DiskHealth,
    Display,
    Package,
    Printer,
    Protection,
    Sound,
    Temperature,
    UpdateState,
    Wifi,
)
from diagnostics.platforms.volumes import Role, Volume
from diagnostics.platforms.win32_survey import rows

HEALTHY, UNHEALTHY = 0, 2  # 1 is a warning, 5 is unknown
KELVIN: Final = 273.15
# PrinterState is the spooler's own set of bits (winspool.h).
PAUSED, ERROR, JAM, NO_PAPER, OFFLINE = 0x1, 0x2, 0x8, 0x10, 0x80
INSTALLED, FAILED = 19, 20
WINDOWS_11_BUILD: Final = 22000
LEAST_FAILURES: Final = 2  # Windows tries again by itself: one failure is nothing to tell


def volumes(partitions: Iterable[Partition], *, system_drive: str, home: str) -> tuple[Volume, ...]:
    r"""The volumes among psutil's partitions: fixed and removable disks, no CD, nothing without a medium.

    Args:
        system_drive: "C:". home: the employee's folder, "C:\Users\anna".
    """
    found = []
    for one in partitions:
        options = set(one.options.split(","))
        if "cdrom" in options or not one.kind:
            continue
        letter = one.mount[:2].upper()
        role = Role.SYSTEM if letter == system_drive.upper() else Role.HOME if home[:2].upper() == letter else Role.DATA
        found.append(
            Volume(
                mount=one.mount,
                source=one.device,
                kind=one.kind.lower(),
                role=role if one.mount.rstrip("\\").upper() == letter else Role.DATA,  # C:\mount\data is not C:
                read_only="ro" in options,
                # A fixed disk that refuses writing was set so by an error or by a tool; a card has a switch.
                read_only_because="mounted" if "ro" in options and "fixed" in options else "",
                remote="remote" in options,
                removable="removable" in options,
            )
        )
    return tuple(found)


def parse_disks(told: dict[str, Any]) -> tuple[DiskHealth, ...]:
    """The verdict of every physical disk."""
    letters: dict[str, str] = {}
    for one in rows(told, "partitions") or []:
        letters.setdefault(str(one.get("disk")), f"{one.get('letter')}:\\")
    found = []
    for one in rows(told, "disks") or []:
        status, name = shape.whole(one.get("HealthStatus")), shape.text(one.get("FriendlyName"), "disk")
        failing = status == UNHEALTHY
        state = "ok" if status == HEALTHY else "failing" if failing else "unknown"
        mount = letters.get(str(one.get("DeviceId")), "")
        why = "Windows calls the disk unhealthy" if failing else ""
        found.append(DiskHealth(disk=name, mount=mount, state=state, why=why, numbers={"health_status": status}))
    return tuple(found)


def parse_batteries(told: dict[str, Any]) -> tuple[Battery, ...] | None:
    """The batteries; None when Windows did not answer."""
    present = rows(told, "batteries")
    if present is None:
        return None
    designed = rows(told, "designed") or []
    charged = {str(one.get("InstanceName")): one.get("FullChargedCapacity") for one in rows(told, "charged") or []}
    cycles = {str(one.get("InstanceName")): one.get("CycleCount") for one in rows(told, "cycles") or []}
    found = []
    for index, one in enumerate(present):
        static = designed[index] if index < len(designed) else {}
        instance = str(static.get("InstanceName"))
        count, charge = shape.whole(cycles.get(instance)), one.get("EstimatedChargeRemaining")
        found.append(
            Battery(
                name=str(one.get("Name") or static.get("DeviceName") or "battery").strip(),
                full=shape.number(charged.get(instance)),
                design=shape.number(static.get("DesignedCapacity")),
                charge_percent=None if shape.whole(charge) is None else shape.number(charge),
                state="discharging" if one.get("BatteryStatus") == 1 else "charging or full",
                cycles=count if count and count > 0 else None,
            )
        )
    return tuple(found)


def parse_heat(told: dict[str, Any]) -> tuple[Temperature, ...] | None:
    """Thermal zones. By how much a processor is slowed down counts only where Windows names a reason."""
    zones = rows(told, "heat")
    if not zones:
        return None
    found = []
    for one in zones:
        tenths, limit = shape.whole(one.get("HighPrecisionTemperature")), shape.whole(one.get("PercentPassiveLimit"))
        slowed = 100 - limit if limit is not None and shape.whole(one.get("ThrottleReasons")) else 0
        celsius = round(tenths / 10 - KELVIN, 1) if tenths is not None and tenths > 0 else None
        found.append(
            Temperature(name=str(one.get("Name", "zone")), celsius=celsius, slowed_percent=max(0, min(100, slowed)))
        )
    return tuple(found)


def parse_updates(told: dict[str, Any]) -> UpdateState | None:
    """Updates that failed at least twice and were not installed since; None when Windows did not answer."""
    events = rows(told, "updates")
    if events is None:
        return None
    done: set[str] = set()
    failures: Counter[str] = Counter()
    about: dict[str, tuple[str, str, str]] = {}
    success = None
    for one in events:  # newest first
        data = [str(value) for value in shape.items(one.get("data"))]
        if one.get("id") == INSTALLED and len(data) > 1:
            done.add(data[1])
            success = success or shape.text(one.get("time")) or None
        elif one.get("id") == FAILED and len(data) > 2 and data[2] not in done:  # noqa: PLR2004 -- code, title, id
            failures[data[2]] += 1
            about.setdefault(data[2], (data[1], hexadecimal(data[0]), str(one.get("time") or "")))
    failing = [about[key] for key, count in failures.items() if count >= LEAST_FAILURES]
    if not failing:
        return UpdateState(last_success=success)
    return UpdateState(
        failed=tuple(title for title, _, _ in failing),
        code=failing[0][1],
        since=failing[0][2] or None,
        last_success=success,
    )


def hexadecimal(number: str) -> str:
    """An error code as Microsoft's pages list it: "-2145124329" is "0x80240017"."""
    try:
        value = int(number, 16) if number.lower().startswith("0x") else int(number)
    except ValueError:
        return number
    return f"0x{value & 0xFFFFFFFF:08X}"


def parse_printers(told: dict[str, Any], *, now: datetime) -> tuple[Printer, ...] | None:
    """The print queues; None when Windows did not answer. Programs that print into files are no printers."""
    queues = rows(told, "printers")
    if queues is None:
        return None
    waiting: dict[str, list[float]] = {}
    for one in rows(told, "jobs") or []:
        name = str(one.get("name", "")).rpartition(",")[0]
        since = moment(one.get("since"))
        waiting.setdefault(name, []).append((now - since).total_seconds() if since else 0.0)
    found = []
    for one in queues:
        name, bits = shape.text(one.get("Name"), "?"), shape.whole(one.get("PrinterState")) or 0
        reasons = [
            word
            for bit, word in ((PAUSED, "paused"), (JAM, "paper jam"), (NO_PAPER, "no paper"), (ERROR, "error"))
            if bits & bit
        ]
        offline = bool(bits & OFFLINE or one.get("WorkOffline"))
        jobs = waiting.get(name, [])
        found.append(
            Printer(
                name=name,
                state="stopped" if reasons else "offline" if offline else "idle",
                reason=", ".join(reasons) or ("offline" if offline else ""),
                jobs=len(jobs),
                oldest_job_s=max(jobs, default=None),
                is_default=bool(one.get("Default")),
            )
        )
    return tuple(found)


def moment(stamp: object) -> datetime | None:
    """A time as the scripts write it, None when it is none."""
    try:
        when = datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
    return when if when.tzinfo is not None else None


def parse_sound(told: dict[str, Any]) -> Sound | None:
    """Sound devices by the kind in their id: {0.0.0...} plays, {0.0.1...} records."""
    ends = rows(told, "sound")
    if ends is None:
        return None
    outputs = [str(one.get("Name")) for one in ends if "{0.0.0." in str(one.get("DeviceID"))]
    inputs = [str(one.get("Name")) for one in ends if "{0.0.1." in str(one.get("DeviceID"))]
    return Sound(outputs=tuple(outputs), inputs=tuple(inputs))


def parse_displays(told: dict[str, Any]) -> tuple[Display, ...] | None:
    """The screens; None when Windows did not answer. Resolutions belong to cards, so only a single one is told."""
    names, modes = told.get("screens"), told.get("modes")
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, list):
        return None
    sizes = [modes] if isinstance(modes, str) else shape.items(modes)
    only = str(sizes[0]) if len(names) == 1 and len(sizes) == 1 else ""
    return tuple(Display(name=str(name) or "screen", size=only) for name in names)


def parse_bitlocker(value: object) -> Protection | None:
    """Encryption of the system's volume: 1 on, 2 off, 3 and 4 on their way, 5 suspended, 6 locked; 0 cannot be encrypted."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return Protection(
        name="BitLocker", on={1: True, 3: True, 6: True, 2: False, 4: False, 5: False, 0: False}.get(value)
    )


def parse_antivirus(told: dict[str, Any]) -> tuple[Protection, ...] | None:
    """Products that Windows knows: on when the fourth hexadecimal digit from the right is 1, up to date when the second is 0."""
    products = rows(told, "antivirus")
    if products is None:
        return None
    found = []
    for one in products:
        state = shape.whole(one.get("productState"))
        found.append(
            Protection(
                name=str(one.get("displayName", "?")),
                on=(state >> 12) & 0xF == 1 if state is not None else None,
                up_to_date=state & 0xF0 == 0 if state is not None else None,
            )
        )
    return tuple(found)


def parse_crashes(told: dict[str, Any]) -> tuple[Crash, ...] | None:
    """Programs that crashed; None when Windows did not answer."""
    events = rows(told, "crashes")
    if events is None:
        return None
    times: Counter[str] = Counter()
    last: dict[str, str] = {}
    for one in events:  # newest first
        if data := one.get("data"):
            program = str(data[0] if isinstance(data, list) else data)
            times[program] += 1
            last.setdefault(program, str(one.get("time") or ""))
    return tuple(Crash(program=name, times=count, last=last[name]) for name, count in times.most_common(20))


def firewall_of(profiles: Mapping[str, Mapping[str, Any] | None]) -> Protection | None:
    """The firewall is on when it is on in every profile that the registry holds; None when it holds none."""
    switches = [one.get("EnableFirewall") for one in profiles.values() if one is not None]
    known = [value for value in switches if isinstance(value, int)]
    return Protection(name="Windows firewall", on=all(known)) if known else None


def parse_programs(tree: Mapping[str, Mapping[str, Any]]) -> tuple[Package, ...]:
    """Installed programs from the registry's Uninstall keys, without updates and parts of others."""
    return tuple(
        Package(name=str(values["DisplayName"]).strip(), version=str(values.get("DisplayVersion") or "").strip())
        for values in tree.values()
        if values.get("DisplayName")
        and values.get("SystemComponent") != 1
        and not values.get("ParentKeyName")
        and not re.match(r"^(KB\d+|Update|Hotfix)", str(values.get("ReleaseType") or ""))
    )


def windows_name(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """(name, version, build) from the registry, which calls Windows 11 "Windows 10" to this day."""
    build = str(values.get("CurrentBuild") or values.get("CurrentBuildNumber") or "")
    name = str(values.get("ProductName") or "Windows")
    if build.isdigit() and int(build) >= WINDOWS_11_BUILD:
        name = name.replace("Windows 10", "Windows 11")
    revision = values.get("UBR")
    version = str(values.get("DisplayVersion") or values.get("ReleaseId") or "")
    return name, version, f"{build}.{revision}" if isinstance(revision, int) and build else build


def kernel_version(values: Mapping[str, Any], *, build: str) -> str:
    """The version that programs see: "10.0.22631.3737"; the key that says so exists from Windows 10 on."""
    major, minor = values.get("CurrentMajorVersionNumber"), values.get("CurrentMinorVersionNumber")
    version = (
        f"{major}.{minor}"
        if isinstance(major, int) and isinstance(minor, int)
        else str(values.get("CurrentVersion") or "")
    )
    return f"{version}.{build}" if version and build else version


def parse_netsh_wifi(text: str) -> tuple[Wifi, ...]:
    """Wireless networks from `netsh wlan show interfaces`, in any language of Windows.

    SSID is SSID everywhere, and the signal is the only percentage.
    """
    found = []
    for block in re.split(r"\n\s*\n", text):
        pairs = [
            (key.strip(), value.strip())
            for key, colon, value in (line.partition(":") for line in block.splitlines())
            if colon
        ]
        ssid = next((value for key, value in pairs if key == "SSID"), "")
        signal = next((match[1] for _, value in pairs if (match := re.fullmatch(r"(\d{1,3})\s?%", value))), None)
        if ssid:
            band = next((value for _, value in pairs if re.fullmatch(r"(2[.,]4|5|6) GHz", value)), "").replace(",", ".")
            found.append(
                Wifi(adapter=pairs[0][1], network=ssid, signal_percent=int(signal) if signal else None, band=band)
            )
    return tuple(found)
