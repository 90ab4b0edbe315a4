"""Memory, processor, battery, heat, restart, updates, printers, devices and protection, on machines that a test writes down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from diagnostics.checks.memory import eaters, judge
from diagnostics.checks.processor import shares
from diagnostics.checks.system import too_hot
from diagnostics.gauges import CpuTimes, Process
from diagnostics.model import Status
from diagnostics.platforms.parts import Memory, Temperature
from diagnostics.probe import Ran
from diagnostics.targets import Targets, Thresholds

GIB = 1 << 30
MEMINFO = "MemTotal: {total} kB\nMemAvailable: {available} kB\nSwapTotal: {swap} kB\nSwapFree: {free} kB\n"


def meminfo(total_gib: float, available_gib: float, swap_gib: float = 0, free_gib: float = 0) -> str:
    kib = [round(value * (1 << 20)) for value in (total_gib, available_gib, swap_gib, free_gib)]
    return MEMINFO.format(total=kib[0], available=kib[1], swap=kib[2], free=kib[3])


@pytest.mark.parametrize(
    ("what", "memory", "verdict"),
    [
        ("plenty", Memory(total_bytes=16 * GIB, available_bytes=8 * GIB), "ok"),
        ("hardly any", Memory(total_bytes=16 * GIB, available_bytes=GIB // 4), "exhausted"),
        ("few percent of a large server", Memory(total_bytes=512 * GIB, available_bytes=20 * GIB), "ok"),
        ("few percent of a workstation", Memory(total_bytes=64 * GIB, available_bytes=2 * GIB), "short"),
        ("little, but macOS is content", Memory(total_bytes=8 * GIB, available_bytes=GIB // 4, critical=False), "ok"),
        (
            "the same, and programs wait",
            Memory(total_bytes=512 * GIB, available_bytes=20 * GIB, pressure_some_percent=35.0),
            "exhausted",
        ),
        (
            "the swap is gone, too",
            Memory(total_bytes=64 * GIB, available_bytes=2 * GIB, swap_total_bytes=2 * GIB, swap_free_bytes=1),
            "exhausted",
        ),
        (
            "it swaps instead of working",
            Memory(total_bytes=16 * GIB, available_bytes=2 * GIB, pressure_full_percent=45.0),
            "exhausted",
        ),
        (
            "full swap alone is no fault",
            Memory(total_bytes=16 * GIB, available_bytes=8 * GIB, swap_total_bytes=GIB),
            "ok",
        ),
        (
            "the system says so itself",
            Memory(total_bytes=16 * GIB, available_bytes=8 * GIB, critical=True),
            "exhausted",
        ),
    ],
)
def test_memory_is_used_up_when_hardly_any_is_left_or_somebody_waits(what, memory, verdict):
    assert judge(memory, Thresholds()) == verdict, what


def test_processes_of_one_program_count_together():
    browser = [Process(pid=number, name="firefox", rss_bytes=100) for number in range(5)]
    assert eaters((*browser, Process(pid=9, name="java", rss_bytes=400))) == [
        {"program": "firefox", "bytes": 500, "processes": 5},
        {"program": "java", "bytes": 400, "processes": 1},
    ]


def test_who_takes_the_memory_is_named(machine, look):
    pc = machine()
    pc.files["/proc/meminfo"] = meminfo(16, 0.2)
    pc.running = [(Process(pid=1, name="chrome", rss_bytes=9_000_000_000), Process(pid=2, name="idle"))]
    outcome = look("memory.available", pc)
    assert outcome.status is Status.FAILED
    assert (
        outcome.summary == "The memory is used up: only 215 MB of 17.2 GB can be used. Most is used by chrome (9.0 GB)."
    )


def test_short_memory_is_a_warning(machine, look):
    pc = machine()
    pc.files["/proc/meminfo"] = meminfo(64, 2)
    assert look("memory.available", pc).status is Status.WARNING


def busy(pc, *, idle: float, own: float = 0.0, load: float = 4.0, pressure: str = "") -> None:
    pc.cpu = [CpuTimes(total_s=2.0 * n, idle_s=2.0 * n * idle) for n in range(5)]
    pc.load, pc.own = load, 0.0
    spent = iter(range(100))
    pc.own_cpu_s = lambda: next(spent) * own  # grows with every look
    if pressure:
        pc.files["/proc/pressure/cpu"] = f"some avg10={pressure} avg60=0 avg300=0 total=0\n"


def test_an_idle_processor_is_fine_after_one_short_look(machine, look):
    pc = machine()
    busy(pc, idle=0.97)
    outcome = look("processor.use", pc)
    assert (outcome.status, outcome.summary) == (Status.OK, "The processor has time: 3 % is in use.")
    assert pc.slept == pytest.approx(0.8)


def test_a_processor_that_stays_busy_is_named_with_who_keeps_it_busy(machine, look):
    pc = machine()
    busy(pc, idle=0.0)
    pc.running = [(Process(pid=7, name="backup", cpu_s=10.0),), (Process(pid=7, name="backup", cpu_s=11.5),)]
    outcome = look("processor.use", pc)
    assert outcome.status is Status.FAILED
    assert outcome.summary == "The processor is fully busy (100 %). Most is used by backup (75 %)."


def test_a_busy_processor_that_keeps_nobody_waiting_is_fine_and_said_so(machine, look):
    pc = machine()
    busy(pc, idle=0.0, pressure="3.00")
    outcome = look("processor.use", pc)
    assert outcome.summary == "The processor is busy (100 %), but nothing has to wait for long."
    assert (outcome.status, pc.slept) == (Status.OK, pytest.approx(0.8))


def test_a_short_burst_is_no_alarm(machine, look):
    pc = machine()
    busy(pc, idle=0.0)
    pc.cpu = [
        CpuTimes(total_s=0, idle_s=0),
        CpuTimes(total_s=2, idle_s=0),
        CpuTimes(total_s=2, idle_s=0),
        CpuTimes(total_s=6, idle_s=3),
    ]
    assert look("processor.use", pc).status is Status.OK


def test_what_the_checks_compute_themselves_does_not_count(machine, look):
    pc = machine()
    busy(pc, idle=0.0, own=1.8)
    assert look("processor.use", pc).status is Status.OK


@pytest.mark.parametrize(
    ("load", "pressure", "status"),
    [
        (0.3, "0.00", Status.OK),
        (0.3, "40.00", Status.FAILED),
        (9.0, "8.00", Status.OK),  # many wait, but for a disk
        (3.5, "", Status.FAILED),
        (1.5, "", Status.OK),
    ],
)
def test_a_busy_second_needs_a_second_sign_that_somebody_waits(machine, look, load, pressure, status):
    pc = machine()
    busy(pc, idle=0.0, load=load, pressure=pressure)
    assert look("processor.use", pc).status is status


@pytest.mark.parametrize(("so_far", "status"), [(2.0, Status.OK), (200.0, Status.FAILED)])
def test_where_nobody_counts_who_waits_a_program_must_have_kept_on(machine, look, so_far, status):
    pc = machine("win32")
    busy(pc, idle=0.0)
    pc.load = None
    pc.running = [(Process(pid=7, name="scan", cpu_s=so_far),), (Process(pid=7, name="scan", cpu_s=so_far + 1.5),)]
    assert look("processor.use", pc).status is status


def test_a_process_that_has_just_begun_is_not_blamed_for_time_before_it_was_seen():
    before = (Process(pid=1, name="a", cpu_s=1.0),)
    after = (Process(pid=1, name="a", cpu_s=2.0), Process(pid=2, name="new", cpu_s=50.0))
    assert shares(before, after, span_s=1.0, cores=2) == {"a": 50.0}


def supply(pc, **files: str) -> None:
    for name, text in {"type": "Battery", "present": "1", "status": "Full", "capacity": "90", **files}.items():
        pc.files[f"/sys/class/power_supply/BAT0/{name}"] = text


def test_a_worn_battery_is_named_and_a_computer_without_one_is_fine(machine, look):
    pc = machine()
    assert look("battery.health", pc).status is Status.OK
    supply(pc, energy_full="20", energy_full_design="50", cycle_count="700")
    outcome = look("battery.health", pc)
    assert (outcome.status, outcome.summary) == (
        Status.FAILED,
        "The battery holds 40 % of what it held when it was new.",
    )
    supply(pc, energy_full="45", energy_full_design="50")
    assert look("battery.health", pc).status is Status.OK
    del pc.files["/sys/class/power_supply/BAT0/energy_full_design"]
    assert look("battery.health", pc).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("celsius", "critical", "hot"),
    [
        (60.0, 100.0, False),
        (97.0, 100.0, False),
        (99.0, 100.0, True),
        (104.0, 100.0, True),
        (60.0, 0.1, False),
        (127.0, 20.0, False),
        (50.0, None, False),
    ],
)
def test_a_sensor_is_hot_at_its_own_limit_only(celsius, critical, hot):
    assert too_hot(Temperature(name="x", celsius=celsius, critical=critical)) is hot


def zone(pc, celsius: int, critical: int = 100) -> None:
    here = "/sys/class/thermal/thermal_zone0"
    pc.files |= {
        f"{here}/type": "x86_pkg_temp\n",
        f"{here}/temp": f"{celsius * 1000}\n",
        f"{here}/trip_point_0_type": "critical\n",
        f"{here}/trip_point_0_temp": f"{critical * 1000}\n",
    }


def test_heat_is_told_after_a_second_look(machine, look):
    pc = machine()
    assert look("system.temperature", pc).status is Status.UNKNOWN
    zone(pc, 55)
    assert look("system.temperature", pc).summary == "The computer is not too hot: 55 °C at most."
    zone(pc, 101)
    outcome = look("system.temperature", pc)
    assert (outcome.status, outcome.summary) == (
        Status.FAILED,
        "The computer is too hot: 101 °C, and its limit is 100 °C.",
    )

    async def cool(_seconds: float) -> None:
        zone(pc, 70)

    pc.sleep = cool
    assert look("system.temperature", pc).status is Status.OK


def test_a_hardware_monitor_is_read_like_a_zone(machine, look):
    pc = machine()
    here = "/sys/class/hwmon/hwmon1"
    pc.files |= {
        f"{here}/name": "coretemp",
        f"{here}/temp1_input": "99500",
        f"{here}/temp1_crit": "100000",
        f"{here}/temp1_label": "Package id 0",
    }
    outcome = look("system.temperature", pc)
    assert outcome.status is Status.FAILED
    assert outcome.measures["sensors"][0]["sensor"] == "coretemp Package id 0"


def test_a_long_time_without_restart_is_a_word_and_no_more(machine, look):
    pc = machine()
    pc.up_s = 45 * 86400
    outcome = look("system.uptime", pc)
    assert (outcome.status, outcome.summary) == (
        Status.WARNING,
        "The computer has been running for 45 days; a restart often helps.",
    )
    pc.up_s = 90
    assert look("system.uptime", pc).summary == "The computer was restarted 1 minute ago."


def test_a_restart_is_pending_when_the_system_says_so_and_names_why(machine, look):
    pc = machine()
    assert look("system.restart", pc).status is Status.OK
    pc.files["/run/reboot-required"] = "*** System restart required ***\n"
    pc.files["/run/reboot-required.pkgs"] = "libc6\nlinux-image-6.1.0-30-amd64\nlibc6\n"
    outcome = look("system.restart", pc)
    assert outcome.status is Status.FAILED
    assert outcome.summary == (
        "The computer waits for a restart: updates were installed that need it (libc6, linux-image-6.1.0-30-amd64)."
    )


def kernels(pc, *, running: str, installed: list[str], images: list[str] | None = None, hours: float = 0.5) -> None:
    pc.files["/run/systemd/system/x"] = ""
    pc.files["/proc/sys/kernel/osrelease"] = f"{running}\n"
    for version in installed:
        pc.files[f"/lib/modules/{version}/modules.dep"] = ""
        pc.stamps[f"/lib/modules/{version}/modules.dep"] = pc.hours_ago(hours)
    for version in installed if images is None else images:
        pc.files[f"/boot/vmlinuz-{version}"] = ""


@pytest.mark.parametrize(
    ("what", "facts", "pending"),
    [
        ("only the running one", {"running": "6.1.0-30", "installed": ["6.1.0-30"]}, False),
        ("a newer one since the start", {"running": "6.1.0-9", "installed": ["6.1.0-9", "6.1.0-30"]}, True),
        (
            "a newer one from before the start, chosen not to run",
            {"running": "6.1.0-9", "installed": ["6.1.0-9", "6.1.0-30"], "hours": 9},
            False,
        ),
        ("the running one is gone", {"running": "6.1.0-9", "installed": ["6.1.0-30"]}, True),
        ("a kernel from outside (virtual machine)", {"running": "6.18.44-fc", "installed": [], "images": []}, False),
        ("modules without a kernel", {"running": "6.18.44-fc", "installed": ["6.1.0-30"], "images": []}, False),
    ],
)
def test_a_replaced_kernel_waits_for_a_restart(machine, look, what, facts, pending):
    pc = machine()
    kernels(pc, **facts)
    assert (look("system.restart", pc).status is Status.FAILED) is pending, what


def test_a_container_does_not_judge_its_hosts_kernel(machine, look):
    pc = machine()
    kernels(pc, running="6.1.0-9", installed=["6.1.0-30"])
    pc.files["/.dockerenv"] = ""
    assert look("system.restart", pc).status is Status.OK


def test_failed_services_are_a_hint_and_no_systemd_is_unknown(machine, look):
    pc = machine()
    assert look("system.services", pc).status is Status.UNKNOWN
    pc.programs["systemctl"] = ""
    assert look("system.services", pc).status is Status.OK
    pc.programs["systemctl"] = "cups.service loaded failed failed CUPS Scheduler\n"
    outcome = look("system.services", pc)
    assert (outcome.status, outcome.summary) == (Status.WARNING, "1 system service has stopped with an error: cups.")


def test_a_program_that_crashes_often_is_named(machine, look):
    pc = machine()
    for uid in (1000, 1001):
        name = f"/var/crash/_usr_bin_viewer.{uid}.crash"
        pc.files[name] = ""
        pc.stamps[name] = pc.now() - timedelta(hours=3)
    assert look("system.crashes", pc).status is Status.OK
    stamp = int((pc.now() - timedelta(hours=2)).timestamp() * 1e6)
    for number in range(3):
        pc.files[f"/var/lib/systemd/coredump/core.mail.1000.{'a' * 32}.{number}.{stamp}.zst"] = ""
    outcome = look("system.crashes", pc)
    assert (outcome.status, outcome.summary) == (Status.WARNING, "Crashed often this week: mail (3 times).")


DPKG_BROKEN = "Package: nginx\nStatus: install ok half-configured\n"


def test_an_interrupted_installation_is_told_unless_one_is_running(machine, look):
    pc = machine()
    assert look("updates.install", pc).status is Status.UNKNOWN
    pc.files["/var/lib/dpkg/status"] = "Package: bash\nStatus: install ok installed\n"
    assert look("updates.install", pc).status is Status.OK
    pc.files["/var/lib/dpkg/status"] = DPKG_BROKEN
    outcome = look("updates.install", pc)
    assert (outcome.status, outcome.summary) == (
        Status.FAILED,
        "An update could not be installed: nginx (the installation was interrupted).",
    )
    pc.running = [(Process(pid=5, name="dpkg"),)]
    assert look("updates.install", pc).summary == "Updates are being installed right now."


def test_printers_that_stopped_are_told_and_no_printer_is_fine(machine, look):
    pc = machine()
    assert look("printing.queues", pc).summary == "No printer is set up on this computer."
    pc.programs["lpstat"] = Ran(code=1, err="lpstat: No destinations added.")
    assert look("printing.queues", pc).status is Status.OK
    pc.programs["lpstat"] = Ran(code=1, err="lpstat: Bad file descriptor")
    assert look("printing.queues", pc).status is Status.UNKNOWN
    pc.programs["lpstat"] = "printer Office is idle.  enabled since Sun Mar  1 10:00:00 2026\n"
    assert look("printing.queues", pc).summary == "1 printer is ready."
    pc.programs["lpstat"] = "printer Office disabled since Sun Mar  1 10:00:00 2026 -\n\treason unknown\n"
    outcome = look("printing.queues", pc)
    assert (outcome.status, outcome.summary) == (Status.WARNING, "Printing is stopped on Office.")


def test_a_job_that_waits_for_hours_is_stuck(machine, look):
    pc = machine()
    local = (pc.now() - timedelta(hours=3)).astimezone().strftime("%a %b %e %H:%M:%S %Y")
    pc.programs["lpstat"] = f"printer Office is idle.  enabled since {local}\nOffice-4   anna   1024   {local}\n"
    assert look("printing.queues", pc).summary == "Print jobs are stuck on Office."


def test_sound_and_screens_are_listed_and_a_server_without_them_is_fine(machine, look):
    pc = machine()
    assert look("devices.sound", pc).status is look("devices.displays", pc).status is Status.OK
    pc.files["/proc/asound/pcm"] = "00-00: Analog : Analog : playback 1\n"
    assert look("devices.sound", pc).summary == "Sound works through Analog. No microphone is connected."
    pc.files["/sys/class/drm/card0-HDMI-A-1/status"] = "connected\n"
    pc.files["/sys/class/drm/card0-HDMI-A-1/modes"] = "2560x1440\n1920x1080\n"
    pc.files["/sys/class/drm/card0-DP-1/status"] = "disconnected\n"
    assert look("devices.displays", pc).summary == "1 screen is connected: HDMI-A-1 (2560x1440)."


def test_an_unencrypted_disk_is_worth_a_warning_only_where_it_is_carried_around(machine, look):
    pc = machine()
    pc.files["/proc/self/mountinfo"] = "28 1 8:2 / / rw shared:1 - ext4 /dev/sda2 rw\n"
    assert look("security.encryption", pc).status is Status.UNKNOWN
    pc.links["/sys/dev/block/8:2"] = "../../devices/ata1/block/sda/sda2"
    assert look("security.encryption", pc).status is Status.OK
    supply(pc, energy_full="45", energy_full_design="50")
    assert look("security.encryption", pc).status is Status.WARNING


def test_encryption_is_found_below_other_layers(machine, look):
    pc = machine()
    pc.files["/proc/self/mountinfo"] = "28 1 252:1 / / rw shared:1 - ext4 /dev/mapper/vg-root rw\n"
    pc.links["/sys/dev/block/252:1"] = "../../devices/virtual/block/dm-1"
    pc.links["/sys/class/block/dm-1/slaves/dm-0"] = "../../dm-0"
    pc.links["/sys/class/block/dm-0"] = "../../devices/virtual/block/dm-0"
    pc.files["/sys/class/block/dm-0/dm/uuid"] = "CRYPT-LUKS2-0a1b-luks-0a1b\n"
    assert look("security.encryption", pc).summary == "The disk is encrypted."


def test_the_firewall_is_on_off_or_unknown(machine, look):
    pc = machine()
    assert look("security.firewall", pc).status is Status.UNKNOWN
    pc.programs["nft"] = (
        "table inet filter {\n chain input {\n type filter hook input priority 0; policy drop;\n }\n}\n"
    )
    assert look("security.firewall", pc).summary == "The firewall is on."
    pc.programs["nft"] = ""
    assert (look("security.firewall", pc).status, look("security.firewall", pc).measures["on"]) == (Status.OK, False)
    pc.files["/etc/ufw/ufw.conf"] = "# comment\nENABLED=yes\nLOGLEVEL=low\n"
    assert look("security.firewall", pc).measures == {"on": True, "name": "ufw"}


def test_protection_against_harmful_programs_is_recognised_by_what_runs(machine, look):
    pc = machine()
    assert look("security.antivirus", pc).status is Status.OK
    pc.running = [(Process(pid=1, name="clamd"), Process(pid=2, name="falcon-sensor"))]
    assert look("security.antivirus", pc).summary == "This computer is protected by ClamAV and CrowdStrike Falcon."


def test_a_strict_administrator_gets_what_the_settings_say(machine, look):
    pc = machine()
    supply(pc, energy_full="45", energy_full_design="50")
    strict = Targets(thresholds=Thresholds(battery_health_percent=95))
    assert look("battery.health", pc, targets=strict).status is Status.FAILED
