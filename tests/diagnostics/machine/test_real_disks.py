"""Faults of real file systems, made in the kernel: small volumes in a mount namespace, and the whole program run on them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.netlab, pytest.mark.usefixtures("root")]

BLKIO = Path(
    "/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device"
)  # cgroup v1; `io.max` of v2 does not throttle the root group
CHECK = f"{sys.executable} -m diagnostics --json --only disk"
ORDINARY = f"setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all {CHECK}"
LAB = "/mnt"  # in a namespace of its own: a small memory file system that holds images and mount points
BEGIN = """
    set -eu
    mount -t tmpfs -o mode=755 tmpfs /mnt
    cd /mnt
    make() { dd if=/dev/zero of=$1.img bs=1M count=${2:-16} status=none; mkfs.ext4 -q ${3:-} $1.img
      mkdir -p $1; mount -o loop $1.img $1; chmod 777 $1; }
    fill() { dd if=/dev/zero of="$1/fill" bs=64k status=none 2>said || grep -q "No space left" said; }
    device() { cat /sys/class/block/$(basename $(findmnt -no SOURCE /mnt/$1))/dev; }
"""


@pytest.fixture
def lab(tmp_path):
    """Runs shell lines in a mount namespace that ends with them, then the checks, and gives the report."""

    def run(lines: str, *, check: str = CHECK, after: str = "true") -> dict:
        script = f"{textwrap.dedent(BEGIN)}\n{lines}\ncd {Path(__file__).parents[3]}\n"
        script += f"{check} > {tmp_path}/report.json || test $? = 1\n{after}\n"
        ended = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads((tmp_path / "report.json").read_text())

    run.at = tmp_path
    return run


def causes(report: dict) -> list[tuple[str, str]]:
    return [(one["cause"], str(one["subject"])) for one in report["diagnosis"]]


FULL = "make a; fill a"
INODES = 'make a 16 "-N 32"; for n in $(seq 40); do touch a/$n 2>/dev/null || true; done'
STOPPED = "make a 16 '-e remount-ro'; echo 1 > /sys/fs/ext4/$(basename $(findmnt -no SOURCE a))/trigger_fs_error"
FAULTS = {
    "full": (FULL, [("disk.full", "/mnt/a")]),
    "full, in memory": ("mkdir a; mount -t tmpfs -o size=4m tmpfs a; fill a", [("disk.full", "/mnt/a")]),
    "nearly full": ("make a 64; head -c 50M /dev/zero > a/big", [("disk.full", "/mnt/a")]),
    "no more files": (INODES, [("disk.inodes_exhausted", "/mnt/a")]),
    "no more files, in memory": (
        "mkdir a; mount -t tmpfs -o size=4m,nr_inodes=8 tmpfs a; for n in $(seq 9); do touch a/$n 2>/dev/null || true; done",
        [("disk.inodes_exhausted", "/mnt/a")],
    ),
    "remounted read-only": ("make a; mount -o remount,ro a", [("disk.read_only", "/mnt/a")]),
    "mounted read-only": ("make a; umount a; mount -o loop,ro a.img a", [("disk.read_only", "/mnt/a")]),
    "read-only, in memory": ("mkdir a; mount -t tmpfs -o ro,size=4m tmpfs a", [("disk.read_only", "/mnt/a")]),
    "stopped by the kernel": (STOPPED, [("disk.read_only", "/mnt/a")]),
    "a name with a blank": (
        'make a; mkdir "My Disk"; mount --bind a "My Disk"; umount a; fill "My Disk"',
        [("disk.full", "/mnt/My Disk")],
    ),
    "two at once": (f"{FULL}; make b; mount -o remount,ro b", [("disk.full", "/mnt/a"), ("disk.read_only", "/mnt/b")]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_volume_is_named_with_the_volume(lab, name):
    setup, expected = FAULTS[name]
    report = lab(setup)
    assert sorted(causes(report)) == expected
    assert report["duration_ms"] < 10_000


HEALTHY = {
    "small and half full": "make a 32; head -c 12M /dev/zero > a/big",
    "a marker of four kilobytes": "mkdir a; mount -t tmpfs -o ro,size=4k none a",
    "only this view is read-only": "make a; mkdir b; mount --bind a b; mount -o remount,bind,ro b",
    "a folder shown read-only": "make a; mkdir a/sub b; mount --bind a/sub b; mount -o remount,bind,ro b",
    "layers of a container": (
        "mkdir -p low t m; mount -t tmpfs tmpfs t; mkdir t/up t/work; "
        "mount -t overlay overlay -o lowerdir=low,upperdir=t/up,workdir=t/work,ro m"
    ),
    "a full volume hidden under another one": f"{FULL}; mount -t tmpfs -o size=4m tmpfs a",
    "an empty one with few files": "make a 16 '-N 64'",
}


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("check", [CHECK, ORDINARY], ids=["as root", "as an ordinary user"])
def test_a_healthy_volume_raises_no_alarm(lab, name, check):
    report = lab(HEALTHY[name], check=check)
    assert causes(report) == []
    assert {one["status"] for one in report["findings"]} <= {"ok", "unknown"}


@pytest.mark.parametrize("setup", [FULL, INODES, STOPPED], ids=["full", "no more files", "stopped"])
def test_an_ordinary_user_sees_the_same(lab, setup):
    assert causes(lab(setup, check=ORDINARY)) == causes(lab(setup)) != []


def test_nothing_stays_behind_on_a_volume(lab):
    report = lab("make a", after=f"ls -A /mnt/a > {lab.at}/left")
    assert report["diagnosis"] == []
    assert (lab.at / "left").read_text().split() == ["lost+found"]


@pytest.mark.parametrize("per_second", [1, 8])
def test_a_slow_disk_is_named(lab, per_second):
    if not BLKIO.exists():
        pytest.skip("this kernel offers no control group that can slow a disk down")
    report = lab(f'make a; echo "$(device a) {per_second}" > {BLKIO}', after=f'echo "$(device a) 0" > {BLKIO}')
    assert causes(report) == [("disk.slow", "/mnt/a")]
    assert report["duration_ms"] < 10_000


SUPERVISED = """
import asyncio, sys, msgspec
from diagnostics.supervise import supervise
from diagnostics.targets import Targets
command = (sys.executable, "-m", "diagnostics", "--events")
report = asyncio.run(supervise(command, targets=Targets(), only=frozenset({"disk"})))
sys.stdout.buffer.write(msgspec.json.encode(report))
"""


def test_a_disk_that_hangs_for_good_holds_nobody(lab):
    """A frozen file system keeps whoever writes in a call that not even SIGKILL ends, as a dying disk does."""
    (lab.at / "supervised.py").write_text(SUPERVISED)
    check = f"PYTHONPATH=. {sys.executable} {lab.at}/supervised.py"
    report = lab("make a; fsfreeze -f a", check=check, after="fsfreeze -u /mnt/a")
    assert causes(report) == [("disk.slow", "/mnt/a")]
    assert report["duration_ms"] < 10_000


SILENT = """
import ctypes, os, sys
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(sys.argv[1].encode(), b"/mnt/silent", sys.argv[2].encode(), 0, options.encode()):
    sys.exit(os.strerror(ctypes.get_errno()))
os.system(sys.argv[3])
"""


@pytest.mark.parametrize(("source", "kind"), [("nas:/export", "fuse.sshfs"), ("box", "fuse")])
@pytest.mark.parametrize("other", ["true", FULL], ids=["alone", "beside a full disk"])
def test_a_volume_that_never_answers_is_unknown_and_hides_nothing(lab, source, kind, other):
    """A file system in user space whose server is silent hangs whoever asks, as a share does whose server is gone."""
    (lab.at / "silent.py").write_text(SILENT)
    check = f"{sys.executable} {lab.at}/silent.py {source} {kind} '{CHECK}'"
    report = lab(f"mkdir silent; {other}", check=check)
    assert causes(report) == ([] if other == "true" else [("disk.full", "/mnt/a")])
    states = {
        row["mount"]: row["state"]
        for one in report["findings"]
        for row in one["measures"].get("volumes", ())
        if one["check"] == "disk.space"
    }
    assert states["/mnt/silent"] == "unknown"
    assert states["/"] == "ok"
    assert report["duration_ms"] < 3_500
