"""What Windows tells about the machine is read as it is meant, in any language of the system."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from diagnostics.gauges import Partition
from diagnostics.model import Status
from diagnostics.platforms import win32_parts as parse
from diagnostics.platforms.win32_machine import CBS, FIREWALL, FIREWALL_POLICY, NAMES, UNINSTALL, UPDATE
from diagnostics.platforms.win32_survey import CHECKS, FACTS, read, rows
from diagnostics.probe import Ran

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DRIVES = (
    Partition(device="C:\\", mount="C:\\", kind="NTFS", options="rw,fixed"),
    Partition(device="D:\\", mount="D:\\", kind="NTFS", options="rw,fixed"),
    Partition(device="E:\\", mount="E:\\", kind="CDFS", options="ro,cdrom"),
    Partition(device="F:\\", mount="F:\\", kind="exFAT", options="rw,removable"),
    Partition(device="G:\\", mount="G:\\", kind="", options="removable"),
    Partition(device="C:\\mount\\data\\", mount="C:\\mount\\data\\", kind="NTFS", options="rw,fixed"),
)


def test_drives_are_volumes_and_a_cd_or_an_empty_slot_is_none():
    found = {one.mount: one for one in parse.volumes(DRIVES, system_drive="C:", home="D:\\Users\\anna")}
    assert set(found) == {"C:\\", "D:\\", "F:\\", "C:\\mount\\data\\"}
    assert [found[name].role for name in ("C:\\", "D:\\", "F:\\", "C:\\mount\\data\\")] == [
        "system",
        "home",
        "data",
        "data",
    ]
    assert found["F:\\"].removable
    assert {one.read_only_because for one in found.values()} == {""}


def test_a_fixed_drive_that_refuses_writing_is_a_fault_and_a_card_with_a_switch_is_not():
    drives = (
        Partition(device="D:\\", mount="D:\\", kind="NTFS", options="ro,fixed"),
        Partition(device="F:\\", mount="F:\\", kind="exFAT", options="ro,removable"),
    )
    assert [one.read_only_because for one in parse.volumes(drives, system_drive="C:", home="")] == ["mounted", ""]


def test_powershell_writes_a_list_of_one_as_that_one_and_may_begin_with_a_mark():
    told = read('\ufeff{"disks":{"FriendlyName":"A"},"empty":[],"text":"x"}\r\n')
    assert rows(told, "disks") == [{"FriendlyName": "A"}]
    assert rows(told, "empty") == []
    assert rows(told, "text") is rows(told, "missing") is None
    assert read('Die Benennung "powershell" wurde nicht erkannt') == read("[1]") == read("") == {}


def test_the_scripts_are_fixed_and_ask_every_question_alone():
    for script in (CHECKS, FACTS):
        assert "SilentlyContinue" in script
        assert "ConvertTo-Json" in script
        assert script.count("{") == script.count("}")
        assert script.count("(") == script.count(")")
        assert "Invoke-Expression" not in script


def test_disks_give_their_verdict_as_numbers():
    told = {
        "disks": [
            {"FriendlyName": "Samsung SSD 980", "DeviceId": "0", "HealthStatus": 0},
            {"FriendlyName": "WDC WD10", "DeviceId": "1", "HealthStatus": 2},
            {"FriendlyName": "USB", "DeviceId": "2", "HealthStatus": 5},
        ],
        "partitions": [{"letter": "C", "disk": "0"}, {"letter": "D", "disk": "1"}],
    }
    found = parse.parse_disks(told)
    assert [(one.disk, one.mount, one.state) for one in found] == [
        ("Samsung SSD 980", "C:\\", "ok"),
        ("WDC WD10", "D:\\", "failing"),
        ("USB", "", "unknown"),
    ]
    assert parse.parse_disks({}) == ()


def test_a_battery_is_matched_with_its_capacities():
    told = {
        "batteries": [{"Name": "DELL 0FDRT", "EstimatedChargeRemaining": 64, "BatteryStatus": 1}],
        "designed": [{"InstanceName": "ACPI\\PNP0C0A\\1_0", "DesignedCapacity": 60000}],
        "charged": [{"InstanceName": "ACPI\\PNP0C0A\\1_0", "FullChargedCapacity": 27000}],
        "cycles": [{"InstanceName": "ACPI\\PNP0C0A\\1_0", "CycleCount": 512}],
    }
    (battery,) = parse.parse_batteries(told)
    assert (battery.health_percent, battery.cycles, battery.charge_percent, battery.state) == (
        45,
        512,
        64,
        "discharging",
    )
    (guarded,) = parse.parse_batteries(
        {"batteries": told["batteries"]}
    )  # the capacities need rights that this user lacks
    assert guarded.health_percent is None
    assert parse.parse_batteries({"batteries": []}) == ()
    assert parse.parse_batteries({}) is None


@pytest.mark.parametrize(
    ("zone", "slowed"),
    [
        ({"HighPrecisionTemperature": 3232, "PercentPassiveLimit": 100, "ThrottleReasons": 0}, 0),
        ({"HighPrecisionTemperature": 3700, "PercentPassiveLimit": 45, "ThrottleReasons": 1}, 55),
        ({"HighPrecisionTemperature": 3232, "PercentPassiveLimit": 0, "ThrottleReasons": 0}, 0),
        ({}, 0),
    ],
)
def test_a_limit_counts_only_with_a_reason(zone, slowed):
    (found,) = parse.parse_heat({"heat": [{"Name": "\\_TZ.THRM", **zone}]})
    assert found.slowed_percent == slowed
    assert parse.parse_heat({"heat": []}) is parse.parse_heat({}) is None


def event(kind: int, *data: str, time: str = "2026-03-01T10:00:00Z") -> dict:
    return {"id": kind, "time": time, "data": list(data)}


GERMAN = "2026-02 Kumulatives Update für Windows 11 Version 23H2 (KB5034765)"


@pytest.mark.parametrize(
    ("what", "events", "failed"),
    [
        ("nothing happened", [], ()),
        ("one failure, Windows will try again", [event(20, "-2145124329", GERMAN, "guid-1", "200")], ()),
        ("it fails again and again", [event(20, "-2145124329", GERMAN, "guid-1", "200")] * 2, (GERMAN,)),
        (
            "it was installed in the end",
            [event(19, GERMAN, "guid-1", "200"), *[event(20, "-2145124329", GERMAN, "guid-1", "200")] * 3],
            (),
        ),
        (
            "it failed again after another version of it was installed",
            [*[event(20, "0x80070643", "KB1", "guid-2")] * 2, event(19, "KB0", "guid-1")],
            ("KB1",),
        ),
    ],
)
def test_an_update_fails_when_it_failed_twice_and_was_not_installed_since(what, events, failed):
    state = parse.parse_updates({"updates": events})
    assert state is not None
    assert state.failed == failed, what


def test_an_error_code_is_written_as_it_is_searched_for():
    state = parse.parse_updates({"updates": [event(20, "-2145124329", GERMAN, "g", "200")] * 2})
    assert state is not None
    assert state.code == "0x80240017"
    assert parse.hexadecimal("0x80070643") == "0x80070643"
    assert parse.hexadecimal("?") == "?"


def test_printers_are_judged_by_bits_and_jobs_by_their_printer():
    told = {
        "printers": [
            {"Name": "Büro, 2. Stock", "PrinterState": 0x10, "WorkOffline": False, "Default": True},
            {"Name": "Zuhause", "PrinterState": 0, "WorkOffline": True, "Default": False},
            {"Name": "Microsoft Print to PDF", "PrinterState": 0, "WorkOffline": False, "Default": False},
            {"Name": "Pause", "PrinterState": 1},
        ],
        "jobs": [
            {"name": "Büro, 2. Stock, 12", "since": "2026-03-02T08:00:00Z"},
            {"name": "Zuhause, 3", "since": "2026-03-02T08:59:00Z"},
        ],
    }
    found = {one.name: one for one in parse.parse_printers(told, now=NOW)}
    assert (found["Büro, 2. Stock"].state, found["Büro, 2. Stock"].reason, found["Büro, 2. Stock"].oldest_job_s) == (
        "stopped",
        "no paper",
        3600.0,
    )
    assert (found["Zuhause"].state, found["Zuhause"].jobs) == ("offline", 1)
    assert (found["Microsoft Print to PDF"].state, found["Pause"].state) == ("idle", "stopped")
    assert parse.parse_printers({}, now=NOW) is None


def test_sound_endpoints_play_or_record():
    told = {
        "sound": [
            {"Name": "Lautsprecher (Realtek)", "DeviceID": "SWD\\MMDEVAPI\\{0.0.0.00000000}.{aa}"},
            {"Name": "Mikrofon (Realtek)", "DeviceID": "SWD\\MMDEVAPI\\{0.0.1.00000000}.{bb}"},
        ]
    }
    sound = parse.parse_sound(told)
    assert sound is not None
    assert (sound.outputs, sound.inputs) == (("Lautsprecher (Realtek)",), ("Mikrofon (Realtek)",))


def test_one_screen_has_the_size_of_the_only_card():
    assert parse.parse_displays({"screens": "DELL U2720Q", "modes": "3840x2160"})[0].size == "3840x2160"
    assert [one.size for one in parse.parse_displays({"screens": ["A", ""], "modes": ["3840x2160"]})] == ["", ""]
    assert parse.parse_displays({}) is None


@pytest.mark.parametrize(
    ("value", "on"), [(1, True), (2, False), (3, True), (5, False), (0, False), (6, True), (9, None)]
)
def test_encryption_is_a_number(value, on):
    told = parse.parse_bitlocker(value)
    assert told is not None
    assert told.on is on


@pytest.mark.parametrize("value", [None, "1", True])
def test_encryption_that_was_not_told_is_unknown(value):
    assert parse.parse_bitlocker(value) is None


@pytest.mark.parametrize(
    ("state", "on", "fresh"),
    [(397568, True, True), (393472, False, True), (397584, True, False), (266240, True, True), (None, None, None)],
)
def test_the_state_of_a_protection_is_in_its_digits(state, on, fresh):
    (one,) = parse.parse_antivirus({"antivirus": {"displayName": "Windows Defender", "productState": state}})
    assert (one.on, one.up_to_date) == (on, fresh)


def test_crashes_are_counted_by_program():
    events = [
        event(1000, "OUTLOOK.EXE", time="2026-03-01T12:00:00Z"),
        event(1000, "OUTLOOK.EXE"),
        event(1000, "EXCEL.EXE"),
        {"data": []},
    ]
    found = parse.parse_crashes({"crashes": events})
    assert (found[0].program, found[0].times, found[0].last) == ("OUTLOOK.EXE", 2, "2026-03-01T12:00:00Z")
    assert parse.parse_crashes({}) is None


def test_the_firewall_is_on_when_every_profile_is():
    on, off = {"EnableFirewall": 1}, {"EnableFirewall": 0}
    assert parse.firewall_of({"a": on, "b": on}).on is True
    assert parse.firewall_of({"a": on, "b": off}).on is False
    assert parse.firewall_of({"a": None}) is None


def test_windows_11_is_called_by_its_name():
    registry = {"ProductName": "Windows 10 Pro", "CurrentBuild": "22631", "UBR": 3737, "DisplayVersion": "23H2"}
    assert parse.windows_name(registry) == ("Windows 11 Pro", "23H2", "22631.3737")
    assert parse.windows_name({"ProductName": "Windows 10 Pro", "CurrentBuild": "19045"}) == (
        "Windows 10 Pro",
        "",
        "19045",
    )
    assert parse.windows_name({}) == ("Windows", "", "")


def test_the_core_has_the_version_that_programs_see():
    new = {"CurrentMajorVersionNumber": 10, "CurrentMinorVersionNumber": 0, "CurrentVersion": "6.3"}
    assert parse.kernel_version(new, build="22631.3737") == "10.0.22631.3737"
    assert parse.kernel_version({"CurrentVersion": "6.1"}, build="7601") == "6.1.7601"
    assert parse.kernel_version({}, build="") == ""


def test_programs_are_listed_without_updates_and_parts():
    tree = {
        "{1}": {"DisplayName": "7-Zip 24.08", "DisplayVersion": "24.08"},
        "{2}": {"DisplayName": "Driver", "SystemComponent": 1},
        "{3}": {"DisplayName": "Update for 7-Zip", "ParentKeyName": "7-Zip"},
        "{4}": {"UninstallString": "x"},
        "{5}": {"DisplayName": "Security Update", "ReleaseType": "Update"},
    }
    assert [(one.name, one.version) for one in parse.parse_programs(tree)] == [("7-Zip 24.08", "24.08")]


NETSH = {
    "en": """
There is 1 interface on the system:

    Name                   : Wi-Fi
    Description            : Intel(R) Wi-Fi 6 AX201 160MHz
    GUID                   : 0a1b
    Physical address       : aa:bb:cc:dd:ee:ff
    State                  : connected
    SSID                   : Office: 2nd floor
    BSSID                  : 11:22:33:44:55:66
    Band                   : 5 GHz
    Signal                 : 84%
    Profile                : Office
""",
    "de": """
Es ist 1 Schnittstelle auf dem System vorhanden:

    Name                   : WLAN
    Beschreibung           : Intel(R) Wi-Fi 6 AX201 160MHz
    Status                 : Verbunden
    SSID                   : Office: 2nd floor
    BSSID                  : 11:22:33:44:55:66
    Band                   : 5 GHz
    Signal                 : 84%
""",
    "fr": """
Il existe 1 interface sur le système :

    Nom                    : Wi-Fi
    Description            : Intel(R) Wi-Fi 6 AX201 160MHz
    État                   : connecté
    SSID                   : Office: 2nd floor
    BSSID                  : 11:22:33:44:55:66
    Bande                  : 5 GHz
    Signal                 : 84 %
""",
}


@pytest.mark.parametrize("language", NETSH)
def test_the_wireless_network_is_read_in_any_language(language):
    (wifi,) = parse.parse_netsh_wifi(NETSH[language])
    assert (wifi.network, wifi.signal_percent, wifi.band) == ("Office: 2nd floor", 84, "5 GHz")
    assert wifi.adapter in {"Wi-Fi", "WLAN"}


def test_no_wireless_network_is_none():
    assert parse.parse_netsh_wifi("The Wireless AutoConfig Service (wlansvc) is not running.") == ()
    assert parse.parse_netsh_wifi(NETSH["en"].replace("    SSID ", "    None ")) == ()


@pytest.fixture
def pc(machine):
    here = machine(
        "win32", SYSTEMDRIVE="C:", USERPROFILE="C:\\Users\\anna", TEMP="C:\\Users\\anna\\AppData\\Local\\Temp"
    )
    here.parts = DRIVES[:1]
    here.writable = {"C:\\Users\\anna\\AppData\\Local\\Temp"}
    return here


def test_every_check_says_something_where_powershell_is_forbidden(pc, look):
    for check in (
        "disk.health",
        "battery.health",
        "updates.install",
        "printing.queues",
        "devices.sound",
        "security.encryption",
    ):
        assert look(check, pc).status is Status.UNKNOWN, check
    assert (
        look("disk.space", pc).status
        is look("disk.latency", pc).status
        is look("system.restart", pc).status
        is Status.OK
    )


def test_powershell_is_started_once_for_all_checks(pc, look):
    pc.programs["powershell.exe"] = json.dumps({"batteries": [], "printers": [], "sound": [], "updates": []})
    import asyncio

    from diagnostics.platforms.win32_machine import WindowsMachine

    async def ask_all() -> None:
        here = WindowsMachine()
        await asyncio.gather(here.batteries(pc), here.printers(pc), here.sound(pc), here.updates(pc))

    asyncio.run(ask_all())
    assert len(pc.asked) == 1


@pytest.mark.parametrize(
    ("key", "values", "reason"),
    [
        (UPDATE, {}, "an update was installed that needs it"),
        (CBS, {}, "parts of Windows were changed"),
    ],
)
def test_windows_own_marks_say_that_a_restart_is_pending(pc, look, key, values, reason):
    pc.keys[key] = values
    outcome = look("system.restart", pc)
    assert (outcome.status, outcome.summary) == (Status.FAILED, f"The computer waits for a restart: {reason}.")


def test_a_new_name_waits_for_a_restart(pc, look):
    pc.keys[rf"{NAMES}\ActiveComputerName"] = {"ComputerName": "PC-1"}
    pc.keys[rf"{NAMES}\ComputerName"] = {"ComputerName": "pc-1"}
    assert look("system.restart", pc).status is Status.OK
    pc.keys[rf"{NAMES}\ComputerName"] = {"ComputerName": "PC-2"}
    assert "the computer was given a new name" in look("system.restart", pc).summary


def test_group_policy_decides_about_the_firewall(pc, look):
    for profile in ("DomainProfile", "StandardProfile", "PublicProfile"):
        pc.keys[rf"{FIREWALL}\{profile}"] = {"EnableFirewall": 1}
    assert look("security.firewall", pc).status is Status.OK
    pc.keys[rf"{FIREWALL_POLICY}\PrivateProfile"] = {"EnableFirewall": 0}
    outcome = look("security.firewall", pc)
    assert (outcome.status, outcome.summary) == (Status.WARNING, "The firewall is off.")


def test_a_failed_program_start_is_unknown_and_no_crash(pc, look):
    pc.programs["powershell.exe"] = Ran(code=None, timed_out=True, out='{"printers": [')
    assert look("printing.queues", pc).status is Status.UNKNOWN


def test_software_comes_from_the_registry_of_computer_and_user(pc):
    import asyncio

    from diagnostics.platforms.win32_machine import WindowsDescriber

    assert asyncio.run(WindowsDescriber().software(pc)) is None
    pc.keys[rf"{UNINSTALL[0]}\7-Zip"] = {"DisplayName": "7-Zip", "DisplayVersion": "24"}
    pc.keys[rf"user:{UNINSTALL[0]}\Zoom"] = {"DisplayName": "Zoom", "DisplayVersion": "6"}
    assert [one.name for one in asyncio.run(WindowsDescriber().software(pc))] == ["7-Zip", "Zoom"]


def test_what_the_registry_knows_is_not_lost_for_a_slow_powershell(pc, monkeypatch):
    import asyncio

    from diagnostics.platforms import win32_machine

    async def never(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(win32_machine, "survey", never)
    monkeypatch.setattr(win32_machine, "PATIENCE_S", 0.02)
    pc.keys[win32_machine.BIOS] = {
        "SystemManufacturer": "Dell Inc.",
        "SystemProductName": "Latitude 5440",
        "SystemFamily": "",
    }
    hardware = asyncio.run(win32_machine.WindowsDescriber().hardware(pc))
    assert (hardware.vendor, hardware.model, hardware.serial) == ("Dell Inc.", "Latitude 5440", "")
