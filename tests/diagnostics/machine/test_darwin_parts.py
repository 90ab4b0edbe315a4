"""What macOS writes about the machine is read as it is meant."""

from __future__ import annotations

import json
import plistlib
from datetime import UTC, datetime

import pytest

from diagnostics.platforms import darwin_parts as parse

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MOUNT = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s6 on /System/Volumes/VM (apfs, local, noexec, journaled, noatime, nobrowse)
/dev/disk3s2 on /System/Volumes/Preboot (apfs, local, journaled, nobrowse)
/dev/disk3s4 on /System/Volumes/Update (apfs, local, journaled, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//anna@files.example.com/Team%20Share on /Volumes/Team Share (smbfs, nodev, nosuid, mounted by anna)
/dev/disk5s1 on /Volumes/Installer 2.1 (hfs, local, nodev, nosuid, read-only, noowners, quarantine, mounted by anna)
/dev/disk6s1 on /Volumes/STICK (msdos, local, nodev, nosuid, noowners, noatime, fskit)
"""


def test_the_sealed_system_and_its_data_are_one_volume_that_can_be_written():
    found = {one.mount: one for one in parse.parse_mount(MOUNT)}
    assert set(found) == {"/", "/Volumes/Team Share", "/Volumes/Installer 2.1", "/Volumes/STICK"}
    assert (found["/"].read_only, found["/"].source, found["/"].disk, found["/"].role) == (
        False,
        "/dev/disk3s5",
        "disk3",
        "system",
    )
    assert {one.read_only_because for one in found.values()} == {""}
    assert found["/Volumes/Team Share"].remote
    assert found["/Volumes/STICK"].removable


def test_data_that_cannot_be_written_is_a_fault():
    broken = MOUNT.replace(
        "(apfs, local, journaled, nobrowse, protect, root data)", "(apfs, local, read-only, nobrowse)"
    )
    assert parse.parse_mount(broken)[0].read_only_because == "error"


def test_an_older_mac_has_one_volume():
    assert [one.mount for one in parse.parse_mount("/dev/disk1s1 on / (hfs, local, journaled)\n")] == ["/"]
    assert parse.parse_mount("nonsense\n") == ()


def disk(status: str) -> str:
    return plistlib.dumps({"DeviceIdentifier": "disk3s1s1", "SMARTStatus": status, "FreeSpace": 1}).decode()


@pytest.mark.parametrize(
    ("status", "state"), [("Verified", "ok"), ("Failing", "failing"), ("Not Supported", "unknown")]
)
def test_the_disk_gives_its_verdict(status, state):
    told = parse.parse_disk_health(disk(status))
    assert told is not None
    assert told.state == state


@pytest.mark.parametrize("text", ["", "Could not find disk: /", "<plist/>", plistlib.dumps([]).decode()])
def test_no_verdict_is_no_disk(text):
    assert parse.parse_disk_health(text) is None


def ioreg(**changes) -> str:
    told = {
        "BatteryInstalled": True, "DesignCapacity": 4382, "AppleRawMaxCapacity": 2500, "MaxCapacity": 100, "CurrentCapacity": 81,
        "CycleCount": 640, "IsCharging": False, "FullyCharged": False, "ExternalConnected": False, "DeviceName": "bq20z451",
    }  # fmt: skip
    return plistlib.dumps([{**told, **changes}]).decode()


def test_a_battery_of_an_apple_processor_tells_percent_and_capacity_apart():
    (battery,) = parse.parse_battery(ioreg())
    assert (battery.health_percent, battery.charge_percent, battery.cycles, battery.state) == (
        57,
        81.0,
        640,
        "discharging",
    )


def test_a_battery_of_an_intel_mac_tells_milliamperes():
    (battery,) = parse.parse_battery(
        ioreg(AppleRawMaxCapacity=0, MaxCapacity=4000, CurrentCapacity=2000, IsCharging=True)
    )
    assert (battery.health_percent, battery.charge_percent, battery.state) == (91, 50.0, "charging")


def test_a_percentage_is_never_taken_for_a_capacity():
    (battery,) = parse.parse_battery(ioreg(AppleRawMaxCapacity=0))
    assert battery.health_percent is None


def test_a_mac_without_a_battery_has_none():
    assert parse.parse_battery("") == ()
    assert parse.parse_battery(ioreg(BatteryInstalled=False)) == ()


@pytest.mark.parametrize(
    ("text", "slowed"),
    [
        ("Note: No thermal warning level has been recorded\nNote: No performance warning level has been recorded\n", 0),
        ("2026-03-02 09:00:00 +0100 CPU Power notify\n\tCPU_Scheduler_Limit \t= 100\n\tCPU_Speed_Limit \t= 62\n", 38),
        ("CPU_Speed_Limit = 100", 0),
        ("", None),
    ],
)
def test_slowing_down_for_heat_is_told_in_percent(text, slowed):
    assert parse.parse_speed_limit(text) == slowed


FAILED = (
    "2026-03-01 22:10:01+01 macbook softwareupdated[390]: SUOSUInstallOperation: Install failed: Error Domain=SUMacControllerError"
    ' Code=7723 "[SUMacControllerErrorInsufficientSpace=7723]" UserInfo={NSLocalizedDescription=Not enough free space}\n'
)
DONE = "2026-03-01 23:00:00+01 macbook softwareupdated[390]: Install succeeded for MSU_UPDATE_23F79\n"


def test_the_last_update_counts():
    state = parse.parse_install_log(FAILED)
    assert state.failed == ("the last update of macOS",)
    assert (state.why, state.since) == ("Not enough free space", "2026-03-01 22:10:01+01")
    assert parse.parse_install_log(FAILED + DONE).failed == ()
    assert parse.parse_install_log("").failed == ()


def test_sound_and_screens_come_from_the_profile():
    devices = [
        {"_name": "Lautsprecher", "coreaudio_device_output": 2},
        {"_name": "Mikrofon", "coreaudio_device_input": 1},
    ]
    sound = parse.parse_sound(json.dumps({"SPAudioDataType": [{"_items": devices}]}))
    assert (sound.outputs, sound.inputs) == (("Lautsprecher",), ("Mikrofon",))
    screen = {"_name": "Color LCD", "_spdisplays_pixels": "2560 x 1664"}
    told = json.dumps({"SPDisplaysDataType": [{"sppci_model": "Apple M2", "spdisplays_ndrvs": [screen]}]})
    assert [(one.name, one.size) for one in parse.parse_displays(told)] == [("Color LCD", "2560x1664")]
    assert parse.parse_displays("") == ()


def test_reports_of_crashes_are_counted_and_other_reports_are_not():
    names = [
        "Mail-2026-03-01-101010.ips",
        "Mail-2026-03-01-111111.ips",
        "Word_2026-02-28-101010_macbook.crash",
        "mds_stores-2026-03-01-101010.cpu_resource.diag",
    ]
    found = parse.parse_crashes([(name, datetime(2026, 3, 1, tzinfo=UTC)) for name in names], now=NOW)
    assert [(one.program, one.times) for one in found] == [("Mail", 2), ("Word", 1)]
    assert parse.parse_crashes([(names[0], datetime(2026, 1, 1, tzinfo=UTC)), (names[1], None)], now=NOW) == ()


def test_the_machine_is_described():
    told = {
        "SPHardwareDataType": [
            {
                "machine_name": "MacBook Air",
                "machine_model": "Mac14,2",
                "serial_number": "X1",
                "chip_type": "Apple M2",
                "boot_rom_version": "10151.121.1",
            }
        ],
        "SPStorageDataType": [
            {"size_in_bytes": 494384795648, "physical_drive": {"device_name": "APPLE SSD AP0512Z"}},
            {"size_in_bytes": 1, "physical_drive": {"device_name": "APPLE SSD AP0512Z"}},
        ],
        "SPDisplaysDataType": [{"sppci_model": "Apple M2"}],
    }
    hardware = parse.parse_hardware(json.dumps(told))
    assert (hardware.model, hardware.serial, hardware.processor) == ("MacBook Air Mac14,2", "X1", "Apple M2")
    assert hardware.disks == (("APPLE SSD AP0512Z", 494384795648),)
    assert parse.parse_hardware("").vendor == "Apple"


def test_wireless_is_told_without_a_name_that_macos_hides():
    now = {
        "_name": "<redacted>",
        "spairport_network_channel": "48 (5GHz, 80MHz)",
        "spairport_signal_noise": "-58 dBm / -92 dBm",
        "spairport_network_rate": 867,
    }
    cards = [
        {"_name": "en0", "spairport_current_network_information": now},
        {"_name": "awdl0", "spairport_current_network_information": {}},
    ]
    told = {"SPAirPortDataType": [{"spairport_airport_interfaces": cards}]}
    (wifi,) = parse.parse_wifi(json.dumps(told))
    assert (wifi.adapter, wifi.network, wifi.band, wifi.signal_percent, wifi.rate_mbit_per_s) == (
        "en0",
        "",
        "5 GHz",
        84,
        867.0,
    )


def test_lines_of_the_log_are_short():
    line = json.dumps(
        {"timestamp": "2026-03-02 09:00:00.123456+0100", "processImagePath": "/usr/libexec/x", "eventMessage": "a\n b"}
    )
    assert parse.parse_log_show(f"{line}\nnot json\n[]\n") == ("2026-03-02 09:00:00 x: a b",)
