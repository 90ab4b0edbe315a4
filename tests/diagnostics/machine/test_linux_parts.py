"""What Linux writes about the machine is read as it is meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from diagnostics.platforms import linux_parts as parse
from diagnostics.platforms.parts import Printer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MEMINFO = """\
MemTotal:       16305532 kB
MemFree:          512340 kB
MemAvailable:     641236 kB
Buffers:           10512 kB
Cached:           812340 kB
SwapCached:        20112 kB
SwapTotal:       2097148 kB
SwapFree:          10240 kB
HugePages_Total:       0
Hugepagesize:       2048 kB
"""


def test_memory_is_read_in_bytes():
    memory = parse.parse_meminfo(MEMINFO)
    assert memory.total_bytes == 16305532 * 1024
    assert memory.available_bytes == 641236 * 1024
    assert (memory.swap_total_bytes, memory.swap_free_bytes) == (2097148 * 1024, 10240 * 1024)


def test_the_cache_of_zfs_counts_as_available_but_never_beyond_the_total():
    arc = parse.parse_arcstats(
        "13 1 0x01 147 39984 8 9\nname                            type data\nc_min 4 1000000\nsize 4 9000000\n"
    )
    assert arc == 8000000
    assert parse.parse_meminfo(MEMINFO, arc_bytes=arc).available_bytes == 641236 * 1024 + arc
    assert parse.parse_meminfo(MEMINFO, arc_bytes=1 << 60).available_bytes == 16305532 * 1024


def test_an_old_kernel_without_available_memory_is_guessed_from_what_is_free_and_cached():
    old = "".join(line for line in MEMINFO.splitlines(keepends=True) if not line.startswith("MemAvailable"))
    assert parse.parse_meminfo(old).available_bytes == (512340 + 812340 + 10512) * 1024


def test_pressure_has_two_numbers_and_may_be_missing():
    text = "some avg10=12.34 avg60=1.60 avg300=0.70 total=8866788\nfull avg10=3.00 avg60=0.00 avg300=0.00 total=0\n"
    assert parse.parse_pressure(text) == (12.34, 3.0)
    assert parse.parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n") == (0.0, None)
    assert parse.parse_pressure("") == (None, None)


BATTERY = {
    "type": "Battery\n", "present": "1\n", "status": "Discharging\n", "capacity": "81\n", "cycle_count": "412\n",
    "energy_full": "28120000\n", "energy_full_design": "57000000\n",
}  # fmt: skip


def test_a_battery_tells_what_is_left_of_it():
    battery = parse.parse_battery("BAT0", BATTERY)
    assert battery is not None
    assert (battery.health_percent, battery.cycles, battery.charge_percent, battery.state) == (
        49,
        412,
        81,
        "discharging",
    )


@pytest.mark.parametrize(
    "changes",
    [{"type": "Mains"}, {"type": "UPS"}, {"type": "USB"}, {"scope": "Device\n"}, {"present": "0\n"}],
)
def test_chargers_mice_and_empty_bays_are_no_battery(changes):
    assert parse.parse_battery("X", {**BATTERY, **changes}) is None


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({"energy_full_design": "0\n"}, None),
        ({"energy_full": ""}, None),
        ({"energy_full": "60000000"}, 100),
        ({"energy_full_design": "", "energy_full": "", "charge_full": "2500000", "charge_full_design": "5000000"}, 50),
        ({"energy_full_design": "nonsense"}, None),
    ],
)
def test_what_a_battery_does_not_know_stays_unknown(changes, health):
    battery = parse.parse_battery("BAT0", {**BATTERY, **changes})
    assert battery is not None
    assert battery.health_percent == health


@pytest.mark.parametrize("told", ["inf", "-Infinity", "nan", "1e999"])
def test_a_battery_that_tells_no_number_has_no_cycles(told):
    battery = parse.parse_battery("BAT0", {**BATTERY, "cycle_count": told})
    assert battery is not None
    assert battery.cycles is None


def test_cycles_that_are_not_counted_are_unknown():
    battery = parse.parse_battery("BAT0", {**BATTERY, "cycle_count": "0\n"})
    assert battery is not None
    assert battery.cycles is None


def test_failed_units_are_names():
    text = "cups.service loaded failed failed CUPS Scheduler\nhome-anna.mount loaded failed failed /home/anna\n\n"
    assert parse.parse_failed_units(text) == ("cups", "home-anna.mount")
    assert parse.parse_failed_units("* cups.service loaded failed failed CUPS Scheduler\n") == ("cups",)
    assert parse.parse_failed_units("") == ()


def test_unit_results_count_only_for_units_that_exist():
    there = "Id=apt-daily-upgrade.service\nLoadState=loaded\nResult=exit-code\n"
    text = f"{there}\nId=dnf-automatic.service\nLoadState=not-found\nResult=success\n"
    assert parse.parse_unit_results(text) == (("apt-daily-upgrade", "exit-code"),)
    assert parse.parse_unit_results("") == ()


STATUS = """\
Package: bash
Status: install ok installed
Priority: required
Description: the status line
 Status: install ok half-configured is not at the start of a stanza

Package: linux-image-6.1.0-30-amd64
Status: install ok half-configured
Architecture: amd64

Package: nginx
Status: install reinstreq half-installed

Package: old
Status: deinstall ok config-files

Package: libfoo
Status: install ok triggers-pending
"""


def test_packages_that_were_begun_and_not_finished_are_found():
    assert parse.half_done_packages(STATUS) == ("linux-image-6.1.0-30-amd64", "nginx")
    assert parse.half_done_packages("") == ()


HISTORY_FAILED = """\

Start-Date: 2026-02-27  06:20:11
Commandline: /usr/bin/unattended-upgrade
Upgrade: bash:amd64 (5.2.15-2+b7, 5.2.15-2+b8)
End-Date: 2026-02-27  06:20:30

Start-Date: 2026-03-01  06:33:02
Commandline: /usr/bin/unattended-upgrade
Upgrade: linux-image-amd64:amd64 (6.1.128-1, 6.1.129-1)
Error: Sub-process /usr/bin/dpkg returned an error code (1)
End-Date: 2026-03-01  06:33:40
"""


def test_only_the_last_installation_counts():
    assert parse.last_apt_error(HISTORY_FAILED) == (
        "2026-03-01 06:33:02",
        "Sub-process /usr/bin/dpkg returned an error code (1)",
    )
    later = (
        HISTORY_FAILED
        + "\nStart-Date: 2026-03-01  09:00:00\nCommandline: apt-get -f install\nEnd-Date: 2026-03-01  09:00:05\n"
    )
    assert parse.last_apt_error(later) is None
    assert parse.last_apt_error("") is None


UNATTENDED = """\
2026-02-28 06:25:10,002 INFO Starting unattended upgrades script
2026-02-28 06:25:12,100 ERROR Cache has broken packages, exiting
2026-03-01 06:25:10,002 INFO Starting unattended upgrades script
2026-03-01 06:25:10,003 INFO Allowed origins are: origin=Debian,codename=bookworm
{last}
"""


def test_only_the_last_automatic_run_counts():
    assert (
        parse.last_unattended_errors(UNATTENDED.format(last="2026-03-01 06:25:20,000 INFO All upgrades installed"))
        == ()
    )
    broken = UNATTENDED.format(last="2026-03-01 06:25:20,000 ERROR Installing the upgrades failed!")
    assert parse.last_unattended_errors(broken) == ("Installing the upgrades failed!",)


def test_the_surest_sign_of_a_failed_update_is_told_first():
    good = {"packages": "", "history": "", "log": "", "units": [("apt-daily-upgrade", "success")]}
    assert parse.update_failure(**good).failed == ()
    everything = {
        "packages": STATUS,
        "history": HISTORY_FAILED,
        "log": "",
        "units": [("apt-daily-upgrade", "exit-code")],
    }
    assert parse.update_failure(**everything).failed == ("linux-image-6.1.0-30-amd64", "nginx")
    assert parse.update_failure(**{**everything, "packages": ""}).since == "2026-03-01 06:33:02"
    assert parse.update_failure(**{**everything, "packages": "", "history": ""}).failed == ("apt-daily-upgrade",)


LPSTAT = """\
system default destination: Office
printer Office disabled since Mon Mar  2 08:10:00 2026 -
	Unplugged or turned off
printer Label is idle.  enabled since Sun Mar  1 10:00:00 2026
printer Big-Printer now printing Big-Printer-7.  enabled since Mon Mar  2 08:59:00 2026
	Waiting for printer to become available.
Office-12               anna             10240   Mon Mar  2 08:30:00 2026
Office-13               anna              2048   Mon Mar  2 08:40:00 2026
Big-Printer-7           ben               2048   Mon Mar  2 08:59:30 2026
"""


def test_queues_have_states_reasons_and_waiting_jobs():
    assert parse.parse_lpstat(LPSTAT, now=datetime(2026, 3, 2, 9, 0)) == (  # noqa: DTZ001 -- lpstat tells local time without a zone
        Printer(
            name="Office",
            state="stopped",
            reason="Unplugged or turned off",
            jobs=2,
            oldest_job_s=1800.0,
            is_default=True,
        ),
        Printer(name="Label", state="idle"),
        Printer(
            name="Big-Printer",
            state="printing",
            reason="Waiting for printer to become available.",
            jobs=1,
            oldest_job_s=30.0,
        ),
    )
    assert parse.parse_lpstat("no system default destination\n", now=datetime(2026, 3, 2)) == ()  # noqa: DTZ001 -- as above


SINKS = json.dumps(
    [
        {
            "index": 1,
            "name": "alsa_output.hdmi",
            "description": "HDMI",
            "mute": False,
            "volume": {"front-left": {"value_percent": "40%"}},
        },
        {
            "index": 2,
            "name": "alsa_output.pci",
            "description": "Speakers",
            "mute": True,
            "volume": {"front-left": {"value_percent": "40%"}},
        },
    ]
)
SOURCES = json.dumps(
    [
        {"name": "alsa_output.pci.monitor", "description": "Monitor of Speakers", "monitor_source": "alsa_output.pci"},
        {"name": "alsa_input.pci", "description": "Microphone", "monitor_source": ""},
    ]
)


def test_sound_has_outputs_inputs_and_the_chosen_one_may_be_muted():
    sound = parse.parse_pactl(SINKS, SOURCES, default_sink="alsa_output.pci")
    assert (sound.outputs, sound.inputs, sound.muted) == (("HDMI", "Speakers"), ("Microphone",), True)
    assert parse.parse_pactl(SINKS, SOURCES, default_sink="alsa_output.hdmi").muted is False
    silent = SINKS.replace("40%", "0%").replace("true", "false")
    assert parse.parse_pactl(silent, "[]", default_sink="alsa_output.hdmi").muted is True
    assert parse.parse_pactl('[{"name": "auto_null"}]', "not json", default_sink="auto_null").outputs == ()


def test_without_a_sound_server_the_kernel_names_the_cards():
    text = "00-00: ALC295 Analog : ALC295 Analog : playback 1 : capture 1\n01-03: HDMI 0 : HDMI 0 : playback 1\n"
    sound = parse.parse_asound_pcm(text)
    assert (sound.outputs, sound.inputs) == (("ALC295 Analog", "HDMI 0"), ("ALC295 Analog",))
    assert parse.parse_asound_pcm("") == parse.parse_asound_pcm("garbage")


def test_crashes_are_counted_by_program_within_a_week():
    recent, old = int(NOW.timestamp() - 3600) * 1_000_000, int(NOW.timestamp() - 30 * 86400) * 1_000_000
    boot = "0123456789abcdef0123456789abcdef"
    files = [
        (f"core.firefox.1000.{boot}.4242.{recent}.zst", None),
        (f"core.firefox.1000.{boot}.4243.{recent + 5_000_000}.zst", None),
        (f"core.old.1000.{boot}.1.{old}.zst", None),
        ("_usr_bin_gnome-shell.1000.crash", NOW),
        ("_usr_bin_gone.1000.crash", None),
        ("README", NOW),
    ]
    found = parse.crashes_of(files, now=NOW)
    assert [(one.program, one.times) for one in found] == [("firefox", 2), ("gnome-shell", 1)]
    assert found[0].last == "2026-03-02T08:00:05Z"


def test_versions_are_ordered_as_people_do():
    mixed = ["6.8.0-51-generic", "6.12.0", "6.1.0-13-amd64", "6.1.0-9-amd64"]
    assert sorted(mixed, key=parse.natural) == ["6.1.0-9-amd64", "6.1.0-13-amd64", "6.8.0-51-generic", "6.12.0"]


def smart(**changes) -> str:
    told = {
        "device": {"name": "/dev/sda"},
        "smart_status": {"passed": True},
        "ata_smart_attributes": {
            "table": [
                {
                    "id": 5,
                    "name": "Reallocated_Sector_Ct",
                    "flags": {"prefailure": True},
                    "when_failed": "",
                    "raw": {"value": 3},
                },
                {
                    "id": 190,
                    "name": "Airflow_Temperature_Cel",
                    "flags": {"prefailure": False},
                    "when_failed": "past",
                    "raw": {"value": 40},
                },
                {
                    "id": 197,
                    "name": "Current_Pending_Sector",
                    "flags": {"prefailure": False},
                    "when_failed": "",
                    "raw": {"value": 0},
                },
            ]
        },
        "temperature": {"current": 34},
        "power_on_time": {"hours": 20111},
    }
    return json.dumps({**told, **changes})


def test_a_healthy_disk_is_well_and_its_numbers_are_kept():
    told = parse.parse_smart("sda", smart())
    assert (told.state, told.why) == ("ok", "")
    assert told.numbers["reallocated_sectors"] == 3
    assert told.numbers["power_on_hours"] == 20111


def attribute(number: int, *, raw: int = 0, when: str = "", prefailure: bool = False) -> dict:
    return {
        "table": [
            {
                "id": number,
                "name": f"A{number}",
                "flags": {"prefailure": prefailure},
                "when_failed": when,
                "raw": {"value": raw},
            }
        ]
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"smart_status": {"passed": False}}, "expects to fail"),
        ({"ata_smart_attributes": attribute(5, when="now", prefailure=True)}, "failed value (A5)"),
        ({"ata_smart_attributes": attribute(197, raw=48)}, "48 places"),
        ({"ata_smart_attributes": attribute(198, raw=12)}, "12 places"),
        ({"nvme_smart_health_information_log": {"critical_warning": 4}}, "no longer reliable"),
        ({"nvme_smart_health_information_log": {"critical_warning": 1}}, "no longer reliable"),
    ],
)
def test_a_disk_that_reports_faults_is_failing(changes, why):
    told = parse.parse_smart("sda", smart(**changes))
    assert told.state == "failing"
    assert why in told.why


@pytest.mark.parametrize(
    "changes",
    [
        {"nvme_smart_health_information_log": {"critical_warning": 2, "percentage_used": 3}},  # warm, not broken
        {"ata_smart_attributes": attribute(197, raw=2)},
        {"ata_smart_attributes": attribute(198, raw=21474836481)},  # several numbers packed into one
        {"ata_smart_attributes": attribute(190, when="now")},  # was too warm
    ],
)
def test_small_signs_are_no_alarm(changes):
    assert parse.parse_smart("sda", smart(**changes)).state == "ok"


@pytest.mark.parametrize("text", ["", "Permission denied", "[]", "null", '{"smartctl": {"exit_status": 2}}'])
def test_a_disk_that_may_not_be_asked_is_unknown(text):
    assert parse.parse_smart("sda", text).state == "unknown"


def udisks(**ata) -> str:
    drive = "/org/freedesktop/UDisks2/drives/WDC_1"
    face = {
        name: {"type": "b", "data": value}
        for name, value in {"SmartEnabled": True, "SmartUpdated": 1772000000, **ata}.items()
    }
    block = {"org.freedesktop.UDisks2.Block": {"Drive": {"type": "o", "data": drive}}}
    partition = {**block, "org.freedesktop.UDisks2.Partition": {}}
    nvme = "/org/freedesktop/UDisks2/drives/NVME_2"
    warning = {
        "SmartUpdated": {"type": "t", "data": 1},
        "SmartCriticalWarning": {"type": "as", "data": ["temperature"]},
    }
    objects = {
        drive: {"org.freedesktop.UDisks2.Drive.Ata": face},
        nvme: {"org.freedesktop.UDisks2.NVMe.Controller": warning},
        "/org/freedesktop/UDisks2/block_devices/sda1": partition,
        "/org/freedesktop/UDisks2/block_devices/sda": block,
    }
    return json.dumps({"type": "a{oa{sa{sv}}}", "data": [objects]})


def test_an_ordinary_user_hears_the_verdict_through_udisks():
    fine = parse.parse_udisks(udisks(SmartFailing=False, SmartNumBadSectors=0))
    assert [(one.disk, one.state) for one in fine] == [("sda", "ok"), ("NVME_2", "ok")]
    assert parse.parse_udisks(udisks(SmartFailing=True))[0].state == "failing"
    assert parse.parse_udisks(udisks(SmartEnabled=False))[0].disk == "NVME_2"
    assert parse.parse_udisks("Call failed: The name is not activatable") == ()
