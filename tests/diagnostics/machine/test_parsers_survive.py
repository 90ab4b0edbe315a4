"""No text that a tool may print, and no JSON of another shape than expected, makes a parser fail: it is read as nothing."""

from __future__ import annotations

import json
import plistlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from diagnostics.facts.logs import BYTES, LINES, bounded
from diagnostics.platforms import darwin_parts, linux_describe, linux_parts, linux_volumes, win32_parts, win32_survey
from diagnostics.platforms.volumes import Volume
from diagnostics.words import duration, listed, size

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LOCAL = datetime(2026, 3, 2)  # noqa: DTZ001 -- as lpstat tells it
LINES_OF = (
    "Name: x", "a | b", "Start-Date: 2026", "Error: x", "printer a is idle.", "\tb", "Office-12 anna 12 Mon", "Id=a.b", "",
    "28 1 8:2 / / rw - ext4 x rw", "SSID : x", "Package: x", "Status: a b c",
)  # fmt: skip

TEXTS = {
    "meminfo": linux_parts.parse_meminfo,
    "arcstats": linux_parts.parse_arcstats,
    "pressure": linux_parts.parse_pressure,
    "failed units": linux_parts.parse_failed_units,
    "unit results": linux_parts.parse_unit_results,
    "dpkg": linux_parts.half_done_packages,
    "apt": linux_parts.last_apt_error,
    "unattended": linux_parts.last_unattended_errors,
    "lpstat": lambda text: linux_parts.parse_lpstat(text, now=LOCAL),
    "asound": linux_parts.parse_asound_pcm,
    "smart": lambda text: linux_parts.parse_smart("sda", text),
    "udisks": linux_parts.parse_udisks,
    "pactl": lambda text: linux_parts.parse_pactl(text, text, default_sink="x"),
    "crash names": lambda text: linux_parts.crashes_of([(text, NOW)], now=NOW),
    "battery": lambda text: linux_parts.parse_battery(
        "b", {"type": "Battery", "energy_full": text, "capacity": text, "cycle_count": text}
    ),
    "mountinfo": lambda text: linux_volumes.volumes(
        linux_volumes.parse_mountinfo(text), home="/home/a", fstab=linux_volumes.parse_fstab(text)
    ),
    "os-release": linux_describe.parse_os_release,
    "lspci": linux_describe.parse_graphics,
    "iw": lambda text: linux_describe.parse_iw_link("w", f"Connected to x\n{text}"),
    "packages": lambda text: [
        linux_describe.parse_packages(tool, text) for tool in ("dpkg-query", "rpm", "pacman", "apk", "flatpak", "snap")
    ],
    "mount": darwin_parts.parse_mount,
    "diskutil": darwin_parts.parse_disk_health,
    "ioreg": darwin_parts.parse_battery,
    "pmset": darwin_parts.parse_speed_limit,
    "install.log": darwin_parts.parse_install_log,
    "log show": darwin_parts.parse_log_show,
    "netsh": win32_parts.parse_netsh_wifi,
    "survey": win32_survey.read,
}
PROFILES = ("SPAudioDataType", "SPDisplaysDataType", "SPHardwareDataType", "SPStorageDataType", "SPAirPortDataType")
PROFILED = (darwin_parts.parse_sound, darwin_parts.parse_displays, darwin_parts.parse_hardware, darwin_parts.parse_wifi)
ANSWERS = (
    "disks", "partitions", "designed", "charged", "cycles", "batteries", "heat", "sound", "screens", "modes", "antivirus",
    "updates", "crashes",
)  # fmt: skip
ANSWERED = (
    win32_parts.parse_disks, win32_parts.parse_batteries, win32_parts.parse_heat, win32_parts.parse_sound,
    win32_parts.parse_displays, win32_parts.parse_antivirus, win32_parts.parse_updates, win32_parts.parse_crashes,
)  # fmt: skip


def smart(told: object) -> None:
    parts = ("smart_status", "ata_smart_attributes", "nvme_smart_health_information_log", "temperature")
    linux_parts.parse_smart("sda", json.dumps(dict.fromkeys(parts, told)))
    linux_parts.parse_smart("sda", json.dumps({"ata_smart_attributes": {"table": told}}))


def udisks(told: object) -> None:
    linux_parts.parse_udisks(json.dumps({"data": told}))
    linux_parts.parse_udisks(json.dumps({"data": [{"/drives/a": told, "/block_devices/b": told}]}))


def pactl(told: object) -> None:
    linux_parts.parse_pactl(json.dumps(told), json.dumps(told), default_sink="x")
    linux_parts.parse_pactl(json.dumps([{"name": "x", "volume": told, "mute": told}]), "[]", default_sink="x")


def ioreg(told: object) -> None:
    names = ("DesignCapacity", "MaxCapacity", "CurrentCapacity", "CycleCount", "DeviceName")
    darwin_parts.parse_battery(plist([dict.fromkeys(names, told)]))


def profile(told: object) -> None:
    for read in PROFILED:
        read(json.dumps(dict.fromkeys(PROFILES, told)))


def windows(told: object) -> None:
    for read in ANSWERED:
        read(dict.fromkeys(ANSWERS, told))
    win32_parts.parse_printers({"printers": told, "jobs": told}, now=NOW)
    win32_parts.parse_bitlocker(told)


TREES = {"smart": smart, "udisks": udisks, "pactl": pactl, "ioreg": ioreg, "profile": profile, "windows": windows}
texts = some.one_of(
    some.text(max_size=80), some.lists(some.sampled_from(LINES_OF) | some.text(max_size=20), max_size=8).map("\n".join)
)
leaves = (
    some.none()
    | some.booleans()
    | some.integers(-3, 300)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(max_size=8)
)
keys = some.sampled_from(
    [
        "id",
        "time",
        "data",
        "name",
        "since",
        "Name",
        "HealthStatus",
        "InstanceName",
        "DesignedCapacity",
        "FullChargedCapacity",
        "PercentPassiveLimit",
        "ThrottleReasons",
        "HighPrecisionTemperature",
        "PrinterState",
        "DeviceID",
        "productState",
        "_name",
        "_items",
        "flags",
        "raw",
        "value",
        "disk",
        "letter",
        "spdisplays_ndrvs",
        "spairport_airport_interfaces",
        "spairport_current_network_information",
        "physical_drive",
        "size_in_bytes",
    ]
)
trees = some.recursive(
    leaves, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def plist(value: object) -> str:
    try:
        return plistlib.dumps(value).decode()
    except (TypeError, OverflowError, ValueError):  # a property list has no null and no control characters
        return ""


@pytest.mark.parametrize("parser", TEXTS)
def test_any_text_is_read(parser):
    @settings(max_examples=60, deadline=None)
    @given(texts)
    def read(text: str) -> None:
        TEXTS[parser](text)

    read()


@pytest.mark.parametrize("parser", TREES)
def test_json_of_any_shape_is_read(parser):
    @settings(max_examples=150, deadline=None)
    @given(trees)
    def read(told: object) -> None:
        TREES[parser](told)

    read()


@given(some.lists(some.text(max_size=600), max_size=80))
@settings(deadline=None)
def test_the_log_is_bounded_whatever_it_holds(lines):
    kept = bounded(tuple(lines))
    assert len(kept) <= LINES
    assert sum(len(line.encode("utf-8", "surrogatepass")) for line in kept) <= BYTES


@given(some.integers(0, 10**18), some.floats(0, 1e9), some.lists(some.text(min_size=1, max_size=5), max_size=9))
def test_numbers_and_lists_become_short_words(count, seconds, parts):
    assert len(size(count)) <= 11
    assert duration(seconds).split()[0].isdigit()
    assert len(listed(parts)) <= 5 * 3 + 20


@given(some.text(max_size=30), some.text(max_size=30))
def test_a_volume_can_be_told_whatever_it_is_called(mount, source):
    assert Volume(mount=mount, source=source, kind="ext4").mount == mount
    assert linux_volumes.unescape(mount.replace("\\", "\\134").replace(" ", "\\040")) == mount
