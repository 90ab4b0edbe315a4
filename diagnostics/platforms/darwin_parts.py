"""What macOS writes about the machine, read: pure functions over property lists, JSON and the few texts that are never translated.

Formats: mount(8), diskutil(8) and ioreg(8) with property lists, system_profiler(8) with JSON, pmset(1), fdesetup(8).
"""

from __future__ import annotations

import json
import plistlib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.parsers.expat import ExpatError

from diagnostics.platforms import shape
from diagnostics.platforms.parts import (
    Battery,
    Crash,
    DiskHealth,
    Display,
    HardwareFacts,
    Sound,
    UpdateState,
    Wifi,
)
from diagnostics.platforms.volumes import Role, Volume

REMOTE: Final = frozenset({"smbfs", "nfs", "afpfs", "webdav", "ftp", "cifs", "macfuse", "osxfuse"})
LOCAL: Final = frozenset({"apfs", "hfs", "msdos", "exfat", "ntfs", "ufs"})
# `mount` never translates this line: "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)".
_MOUNT = re.compile(r"^(?P<source>.+?) on (?P<point>/.*) \((?P<kind>\w+)(?:, (?P<options>[^()]*))?\)$")
_WHOLE = re.compile(r"^/dev/(disk\d+)")


def parse_mount(text: str) -> tuple[Volume, ...]:
    """The volumes among the lines of `mount`.

    The system of a Mac is sealed and read-only, and shares its space with the employee's files on the volume Data: both are
    one volume here, "/". Volumes below /Volumes may be disk images and cards; what is read-only there is meant to be.
    """
    found: dict[str, Volume] = {}
    data: Volume | None = None
    for line in text.splitlines():
        match = _MOUNT.match(line.strip())
        if match is None or match["kind"] not in LOCAL | REMOTE:
            continue
        options = {one.strip() for one in (match["options"] or "").split(",")}
        whole = _WHOLE.match(match["source"])
        point = match["point"]
        outside = point.startswith("/Volumes/")
        volume = Volume(
            mount=point,
            source=match["source"],
            kind=match["kind"],
            role=Role.SYSTEM if point == "/" else Role.DATA,
            disk=whole[1] if whole else "",
            read_only="read-only" in options,
            remote=match["kind"] in REMOTE,
            removable=outside,
        )
        if point == "/System/Volumes/Data":
            data = volume
        elif point == "/" or (outside and "nobrowse" not in options):
            found[point] = volume
    if data is not None and "/" in found:
        broken = "error" if data.read_only else ""
        system = found["/"]
        found["/"] = Volume(
            mount="/",
            source=data.source,
            kind=system.kind,
            role=Role.SYSTEM,
            disk=data.disk,
            read_only=data.read_only,
            read_only_because=broken,
        )
    return tuple(found.values())


def plist(data: bytes | str) -> Any:
    """A property list, None when it is none."""
    try:
        return plistlib.loads(data.encode() if isinstance(data, str) else data)
    except (ValueError, ExpatError, plistlib.InvalidFileException, OverflowError):
        return None


def parse_disk_health(text: str) -> DiskHealth | None:
    """The verdict of a disk from `diskutil info -plist`; None for what has none (images, external cases)."""
    told = plist(text)
    if not isinstance(told, dict) or not told.get("SMARTStatus"):
        return None
    status, disk = str(told["SMARTStatus"]), str(told.get("DeviceIdentifier") or "disk")
    if status == "Not Supported":
        return DiskHealth(disk=disk, state="unknown")
    failing = status != "Verified"
    return DiskHealth(
        disk=disk, state="failing" if failing else "ok", why="the disk itself expects to fail" if failing else ""
    )


def parse_battery(text: str) -> tuple[Battery, ...]:
    """Batteries from `ioreg -r -c AppleSmartBattery -a`.

    On Apple's own processors `MaxCapacity` is a percentage, and the capacity in mAh is in `AppleRawMaxCapacity`.
    """
    found = []
    for one in shape.mappings(plist(text) if text.strip() else []):
        if one.get("BatteryInstalled") is False:
            continue
        full, maximum = shape.number(one.get("AppleRawMaxCapacity")), shape.number(one.get("MaxCapacity"))
        if not full and maximum > 100:  # noqa: PLR2004 -- above, it cannot be a percentage
            full = maximum
        current = shape.whole(one.get("CurrentCapacity"))
        state = "charging" if one.get("IsCharging") else "full" if one.get("FullyCharged") else "discharging"
        found.append(
            Battery(
                name=shape.text(one.get("DeviceName"), "battery"),
                full=full,
                design=shape.number(one.get("DesignCapacity")),
                charge_percent=100 * current / maximum if current is not None and maximum > 0 else None,
                state="not charging" if state == "discharging" and one.get("ExternalConnected") else state,
                cycles=shape.whole(one.get("CycleCount")),
            )
        )
    return tuple(found)


def parse_speed_limit(text: str) -> int | None:
    """By how many percent the processor is slowed down for heat, from `pmset -g therm`; None where it does not say."""
    match = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", text)
    if match:
        return max(0, 100 - int(match[1]))
    return 0 if "No thermal warning level has been recorded" in text else None


def parse_install_log(text: str) -> UpdateState:
    """How the last installations went, from the end of /var/log/install.log."""
    failed: dict[str, tuple[str, str]] = {}
    last = None
    for line in text.splitlines():
        if match := re.match(r"^(\S+ \S+) .*softwareupdated\[\d+\]: .*Install (?:F|f)ailed: (.+)$", line):
            reason = re.search(r'NSLocalizedDescription=([^}"]+?)(?:[,}]|$)', match[2])
            code = re.search(r"Code=(-?\d+)", match[2])
            failed["software update"] = (
                match[1],
                (reason[1] if reason else "").strip() or (f"code {code[1]}" if code else ""),
            )
        elif re.match(
            r"^\S+ \S+ .*softwareupdated\[\d+\]: .*(?:Install succeeded|successfully installed)", line, re.IGNORECASE
        ):
            last = " ".join(line.split()[:2])
            failed.clear()
    if not failed:
        return UpdateState(last_success=last)
    when, why = failed["software update"]
    return UpdateState(failed=("the last update of macOS",), why=why[:200], since=when, last_success=last)


def parse_sound(text: str) -> Sound:
    """Sound devices from `system_profiler -json SPAudioDataType`."""
    devices = [one for group in _items(text, "SPAudioDataType") for one in shape.mappings(group.get("_items"))]
    return Sound(
        outputs=tuple(shape.text(one.get("_name"), "?") for one in devices if one.get("coreaudio_device_output")),
        inputs=tuple(shape.text(one.get("_name"), "?") for one in devices if one.get("coreaudio_device_input")),
    )


def parse_displays(text: str) -> tuple[Display, ...]:
    """Screens from `system_profiler -json SPDisplaysDataType`."""
    found = []
    for card in _items(text, "SPDisplaysDataType"):
        for one in shape.mappings(card.get("spdisplays_ndrvs")):
            pixels = re.search(
                r"(\d+)\s*x\s*(\d+)", str(one.get("_spdisplays_pixels") or one.get("_spdisplays_resolution"))
            )
            name = shape.text(one.get("_name"), "screen")
            found.append(Display(name=name, size=f"{pixels[1]}x{pixels[2]}" if pixels else ""))
    return tuple(found)


def parse_crashes(names: Iterable[tuple[str, datetime | None]], *, now: datetime, days: int = 7) -> tuple[Crash, ...]:
    """Crashed programs from the names of reports: "Safari-2026-01-31-101010.ips", older "Safari_2026-..._host.crash"."""
    times: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for name, changed in names:
        match = re.match(r"^(.+?)[-_]\d{4}-\d{2}-\d{2}[-_]\d{6}.*\.(?:ips|crash)$", name)
        # Reports of the system about itself (heat, wake-ups, disk writes) share the folder and are no crashes.
        if match is None or changed is None or re.search(r"\.(?:diag|spin|hang)$|_resource", name):
            continue
        if timedelta(0) <= now - changed <= timedelta(days=days):
            times[match[1]] += 1
            last[match[1]] = max(changed, last.get(match[1], changed))
    return tuple(
        Crash(program=program, times=count, last=last[program].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        for program, count in times.most_common(20)
    )


def parse_hardware(text: str) -> HardwareFacts:
    """The machine from `system_profiler -json SPHardwareDataType SPDisplaysDataType SPStorageDataType`."""
    overview = next(iter(_items(text, "SPHardwareDataType")), {})
    disks: dict[str, int] = {}
    for one in _items(text, "SPStorageDataType"):
        name, size = shape.text(shape.dig(one, "physical_drive", "device_name")), shape.whole(one.get("size_in_bytes"))
        if name and size is not None:
            disks[name] = max(size, disks.get(name, 0))
    cards = (shape.text(one.get("sppci_model")) for one in _items(text, "SPDisplaysDataType"))
    return HardwareFacts(
        vendor="Apple",
        model=" ".join(part for key in ("machine_name", "machine_model") if (part := shape.text(overview.get(key)))),
        serial=shape.text(overview.get("serial_number")),
        firmware=shape.text(overview.get("boot_rom_version")),
        processor=shape.text(overview.get("chip_type")) or shape.text(overview.get("cpu_type")),
        disks=tuple(disks.items()),
        graphics=tuple(name for name in cards if name),
    )


def parse_wifi(text: str) -> tuple[Wifi, ...]:
    """The wireless network from `system_profiler -json SPAirPortDataType`; macOS hides its name from most programs."""
    found = []
    for card in _items(text, "SPAirPortDataType"):
        for one in shape.mappings(card.get("spairport_airport_interfaces")):
            now = shape.mapping(one.get("spairport_current_network_information"))
            if not now:
                continue
            signal = re.search(r"(-\d+) dBm", str(now.get("spairport_signal_noise", "")))
            band = re.search(r"(2|2\.4|5|6)\s?GHz", str(now.get("spairport_network_channel", "")))
            name = shape.text(now.get("_name"))
            found.append(
                Wifi(
                    adapter=shape.text(one.get("_name")),
                    network="" if name == "<redacted>" else name,
                    signal_percent=max(0, min(100, 2 * (int(signal[1]) + 100))) if signal else None,
                    band="" if band is None else "2.4 GHz" if band[1].startswith("2") else f"{band[1]} GHz",
                    rate_mbit_per_s=shape.number(now.get("spairport_network_rate")) or None,
                )
            )
    return tuple(found)


def parse_log_show(text: str) -> tuple[str, ...]:
    """Messages of `log show --style ndjson`, one line each: time, program, message."""
    found = []
    for line in text.splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if isinstance(one, dict) and one.get("eventMessage"):
            program = str(one.get("processImagePath", "")).rpartition("/")[2]
            found.append(
                f"{str(one.get('timestamp', ''))[:19]} {program}: {' '.join(str(one['eventMessage']).split())}"
            )
    return tuple(found)


def _items(text: str, kind: str) -> list[dict[str, Any]]:
    try:
        return shape.mappings(shape.mapping(json.loads(text)).get(kind))
    except ValueError:
        return []
