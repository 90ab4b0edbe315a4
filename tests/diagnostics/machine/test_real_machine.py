"""The whole program with /proc and /sys telling of a fault: files bound over the kernel's own in a mount namespace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.netlab, pytest.mark.usefixtures("root")]

AREAS = "memory,battery,system,updates,printing,devices,security"
HOG = "while True: pass"
BEGIN = """
    set -eu
    mount -t tmpfs tmpfs /mnt
    over() { mkdir -p "/mnt$1"; mount --bind "/mnt$1" "$1"; }
    tell() { mkdir -p "$(dirname "$1")"; printf '%s\\n' "$2" > "$1"; }
"""


@pytest.fixture
def report(tmp_path):
    """Runs shell lines in a mount namespace, then the checks of the machine's areas in it, and gives the report."""

    def run(lines: str, areas: str = AREAS) -> dict:
        script = f"{textwrap.dedent(BEGIN)}\n{textwrap.dedent(lines)}\ncd {Path(__file__).parents[3]}\n"
        script += f"{sys.executable} -m diagnostics --json --only {areas} > {tmp_path}/report.json || test $? = 1\n"
        ended = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads((tmp_path / "report.json").read_text())

    return run


BATTERY = """
    over /sys/class/power_supply; b=/sys/class/power_supply/BAT0
    tell $b/type Battery; tell $b/present 1; tell $b/status Discharging; tell $b/capacity 80; tell $b/cycle_count 900
    tell $b/energy_full_design 50000000; tell $b/energy_full {full}
"""
HEAT = """
    over /sys/class/thermal; z=/sys/class/thermal/thermal_zone0
    tell $z/type x86_pkg_temp; tell $z/temp {now}; tell $z/trip_point_0_type critical; tell $z/trip_point_0_temp 100000
"""
MEMORY = """
    sed 's/^MemAvailable:.*/MemAvailable: 200000 kB/' /proc/meminfo > /mnt/meminfo; mount --bind /mnt/meminfo /proc/meminfo
"""
DPKG = """
    sed '0,/^Status: install ok installed/s//Status: install ok half-configured/' /var/lib/dpkg/status > /mnt/status
    mount --bind /mnt/status /var/lib/dpkg/status
"""
FAULTS = {
    "battery.worn": BATTERY.format(full=20000000),
    "system.overheating": HEAT.format(now=101000),
    "memory.exhausted": MEMORY,
    "system.restart_pending": "over /run; tell /run/reboot-required restart; tell /run/reboot-required.pkgs libc6",
    "updates.failing": DPKG,
}
HEALTHY = {
    "a good battery": BATTERY.format(full=47000000),
    "a warm machine": HEAT.format(now=90000),
    "a mouse with a battery": BATTERY.format(full=20000000) + "tell $b/scope Device",
    "nothing at all": "over /sys/class/power_supply; over /sys/class/thermal; over /run",
}


@pytest.mark.parametrize("cause", FAULTS)
def test_a_fault_of_the_machine_is_named(report, cause):
    told = report(FAULTS[cause])
    assert [one["cause"] for one in told["diagnosis"]] == [cause]
    assert told["duration_ms"] < 10_000


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_machine_raises_no_alarm(report, name):
    told = report(HEALTHY[name])
    assert told["diagnosis"] == []
    assert {one["status"] for one in told["findings"]} <= {"ok", "unknown", "warning"}


@pytest.fixture
def busy():
    """Twice as many busy programs as there are processors, for as long as the test takes."""
    hogs = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(2 * (os.cpu_count() or 1))]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


def test_a_busy_processor_is_named_with_what_keeps_it_busy(report, busy):
    waiting = (
        "some avg10=60.00 avg60=20.00 avg300=5.00 total=1"  # what the kernel says once they have run for ten seconds
    )
    told = report(f"tell /mnt/cpu '{waiting}'; mount --bind /mnt/cpu /proc/pressure/cpu", areas="processor")
    assert [one["cause"] for one in told["diagnosis"]] == ["processor.saturated"]
    assert "python" in told["diagnosis"][0]["explanation"]
