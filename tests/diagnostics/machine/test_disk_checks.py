"""The disk checks on machines that a test writes down: space, files, read-only, slow, failing, silent."""

from __future__ import annotations

import asyncio
import errno

import pytest

from diagnostics.checks.disk import is_slow, judge_space
from diagnostics.gauges import DiskTimes
from diagnostics.model import Finding, Status
from diagnostics.platforms.volumes import Role, Volume
from diagnostics.probe import Ran, Space
from diagnostics.targets import Targets, Thresholds

MOUNTS = """\
28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
29 28 8:3 / /home rw,relatime shared:2 - ext4 /dev/sda3 rw
30 28 8:17 / /data rw,relatime shared:3 - ext4 /dev/sdb1 rw
31 28 0:50 / /mnt/nas rw,relatime shared:4 - nfs4 nas:/export rw
"""
GB = 10**9


def space(free: int, total: int, *, inodes: int = 1000, left: int = 900) -> Space:
    return Space(total, free, inodes, left, read_only=False, used_bytes=total - free)


@pytest.fixture
def pc(machine):
    here = machine()
    here.files["/proc/self/mountinfo"] = MOUNTS
    here.files["/srv/site"] = ""
    here.writable = {"/home/anna", "/srv", "/data", "/mnt/nas"}
    return here


@pytest.mark.parametrize(
    ("what", "role", "free", "total", "verdict"),
    [
        ("plenty", Role.SYSTEM, 100 * GB, 256 * GB, "ok"),
        ("a tenth of a percent", Role.SYSTEM, GB // 4, 256 * GB, "full"),
        ("below the bytes that updates need", Role.SYSTEM, int(1.9 * GB), 30 * GB, "full"),
        ("getting short", Role.HOME, 9 * GB, 128 * GB, "low"),
        ("four percent of a very large disk are plenty", Role.HOME, 80 * GB, 2000 * GB, "ok"),
        ("a small healthy virtual machine", Role.SYSTEM, int(1.5 * GB), 4 * GB, "ok"),
        ("a small healthy volume", Role.DATA, 60_000_000, 100_000_000, "ok"),
        ("a small full volume", Role.DATA, 1_000_000, 100_000_000, "full"),
        ("nothing left at all", Role.SCRATCH, 0, 4_000_000, "full"),
        ("bytes do not count for data", Role.DATA, int(1.9 * GB), 30 * GB, "ok"),
    ],
)
def test_space_is_judged_by_percent_everywhere_and_by_bytes_where_people_live(what, role, free, total, verdict):
    volume = Volume(mount="/x", source="/dev/x", kind="ext4", role=role)
    assert judge_space(volume, space(free, total), Thresholds()) == verdict, what


def test_what_is_kept_back_for_the_system_is_not_free():
    volume = Volume(mount="/x", source="/dev/x", kind="ext4")
    reserved = Space(100_000_000, 0, 0, 0, read_only=False, used_bytes=95_000_000)
    assert judge_space(volume, reserved, Thresholds()) == "full"


def test_a_full_volume_is_named_with_its_numbers(pc, look):
    pc.spaces["/data"] = space(0, 16_000_000)
    outcome = look("disk.space", pc)
    assert outcome.status is Status.FAILED
    assert outcome.summary == "There is hardly any space left on /data (nothing of 16 MB free)."
    states = {row["mount"]: row["state"] for row in outcome.measures["volumes"]}
    assert states == {"/": "ok", "/home": "ok", "/data": "full", "/mnt/nas": "ok"}


def test_a_share_that_hangs_is_unknown_and_hides_nothing(pc, look, monkeypatch):
    monkeypatch.setattr("diagnostics.checks.disk.ANSWER_S", 0.02)
    pc.spaces["/mnt/nas"] = None
    outcome = look("disk.space", pc)
    assert (outcome.status, outcome.summary) == (
        Status.UNKNOWN,
        "No answer came from /mnt/nas; the other disks are fine.",
    )
    pc.spaces["/data"] = space(0, 16_000_000)
    assert look("disk.space", pc).status is Status.FAILED


def test_a_volume_that_answers_with_an_error_is_unknown_and_one_that_is_out_of_reach_is_not_ours(pc, look):
    pc.spaces["/data"] = OSError(errno.EIO, "no")
    assert look("disk.space", pc).status is Status.UNKNOWN
    pc.spaces["/data"] = PermissionError(errno.EACCES, "no")
    outcome = look("disk.space", pc)
    assert outcome.status is Status.OK
    assert [row["mount"] for row in outcome.measures["volumes"]] == ["/", "/home", "/mnt/nas"]


def test_files_run_out_although_there_is_space(pc, look):
    pc.spaces["/data"] = space(50 * GB, 100 * GB, inodes=128, left=0)
    outcome = look("disk.inodes", pc)
    assert outcome.status is Status.FAILED
    assert outcome.summary == "Hardly any new files fit on /data (0 of 128 left), although there is space."


@pytest.mark.parametrize("inodes", [0, 10])
def test_a_full_volume_and_one_without_a_fixed_number_of_files_are_no_shortage_of_files(pc, look, inodes):
    pc.spaces["/data"] = space(0, 100 * GB, inodes=inodes, left=0)
    assert look("disk.inodes", pc).status is Status.OK


def test_a_volume_that_the_kernel_stopped_is_named(pc, look):
    pc.files["/proc/self/mountinfo"] = MOUNTS.replace("/dev/sdb1 rw", "/dev/sdb1 ro,errors=remount-ro")
    outcome = look("disk.writable", pc)
    assert (outcome.status, outcome.summary) == (Status.FAILED, "Nothing can be saved on /data.")
    assert [row["because"] for row in outcome.measures["volumes"]] == [None, None, "error", None]


@pytest.mark.parametrize(
    ("what", "times", "slow"),
    [
        ("a fast disk", DiskTimes(write_s=(0.001,) * 5, read_s=(0.0001,) * 5, bulk_bytes_per_s=3e8), False),
        ("one stall is an accident", DiskTimes(write_s=(1.8, 0.002, 0.002), read_s=()), False),
        ("a busy spinning disk", DiskTimes(write_s=(0.09, 0.12, 0.1), read_s=(0.02,) * 3, bulk_bytes_per_s=9e6), False),
        ("every write stalls", DiskTimes(write_s=(0.5, 0.6, 0.5)), True),
        ("every read stalls", DiskTimes(write_s=(0.002,) * 3, read_s=(0.9, 0.8, 0.9)), True),
        ("a thin line", DiskTimes(write_s=(0.002,) * 3, read_s=(0.001,) * 3, bulk_bytes_per_s=3e5), True),
    ],
)
def test_a_disk_is_slow_when_most_of_it_is(what, times, slow):
    assert is_slow(times) is slow, what


def test_a_slow_disk_is_named_with_the_number_that_shows_it(pc, look):
    pc.disks["/data"] = DiskTimes(write_s=(0.5, 0.6, 0.55))
    outcome = look("disk.latency", pc)
    assert outcome.status is Status.FAILED
    assert outcome.summary == "Saving and opening take very long on /data (0.6 s for one small file)."
    pc.disks["/data"] = DiskTimes(write_s=(0.002,) * 3, bulk_bytes_per_s=300_000)
    assert "(300 KB per second)" in look("disk.latency", pc).summary


def test_a_write_that_does_not_end_is_slow(pc, look, monkeypatch):
    monkeypatch.setattr("diagnostics.checks.disk.WRITE_PATIENCE_S", 0.02)
    pc.disks["/data"] = None
    outcome = look("disk.latency", pc)
    assert outcome.status is Status.FAILED
    assert [row["state"] for row in outcome.measures["volumes"]] == ["ok", "ok", "slow"]


def test_nothing_is_written_to_shares_sticks_and_silent_or_read_only_volumes(pc, look):
    pc.files["/proc/self/mountinfo"] = MOUNTS.replace("/data rw,relatime", "/data ro,relatime").replace(
        "sdb1 rw", "sdb1 ro"
    )
    finding = Finding(
        check="disk.space",
        area="disk",
        status=Status.UNKNOWN,
        summary="",
        measures={"volumes": [{"mount": "/home", "state": "unknown"}]},
    )
    outcome = look("disk.latency", pc, findings={"disk.space": finding})
    assert [row["mount"] for row in outcome.measures["volumes"]] == ["/"]


def test_a_stick_is_known_by_its_disk(pc, look):
    pc.links["/sys/dev/block/8:17"] = "../../devices/pci0000:00/usb1/1-2/host6/block/sdb/sdb1"
    assert [row["mount"] for row in look("disk.latency", pc).measures["volumes"]] == ["/", "/home"]


def seen(check: str, **rows: str) -> dict[str, Finding]:
    volumes = [{"mount": f"/{name}", "state": state} for name, state in rows.items()]
    return {check: Finding(check=check, area="disk", status=Status.FAILED, summary="", measures={"volumes": volumes})}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.EIO, "Saving fails on /data."),
        (errno.EROFS, "Saving fails on /data."),
        (errno.EDQUOT, "Nothing more can be saved on /data, although space is left."),
        (errno.ENOSPC, "Nothing more can be saved on /data, although space is left."),
    ],
)
def test_a_disk_that_refuses_a_small_file_is_told(pc, look, error, words):
    pc.disks["/data"] = OSError(error, "no")
    outcome = look("disk.latency", pc)
    assert (outcome.status, outcome.summary) == (Status.FAILED, words)


@pytest.mark.parametrize("known", [seen("disk.space", data="full"), seen("disk.inodes", data="exhausted")])
def test_what_is_full_is_judged_once_and_gets_no_large_write(pc, look, known):
    pc.disks["/data"] = OSError(errno.ENOSPC, "No space left on device")
    assert look("disk.latency", pc, findings=known).status is Status.OK
    assert pc.large == {"/srv": True, "/home/anna": True, "/data": False}


def test_a_file_that_this_user_may_not_make_is_no_fault(pc, look):
    pc.disks["/data"] = PermissionError(errno.EACCES, "no")
    assert look("disk.latency", pc).status is Status.OK


def test_a_volume_whose_folders_do_not_answer_is_slow_and_holds_nobody(pc, look, monkeypatch):
    monkeypatch.setattr("diagnostics.checks.disk.WRITE_PATIENCE_S", 0.02)
    known = pc.may_write

    async def hangs(folder: str) -> bool:
        return await known(folder) if folder != "/data" else await asyncio.Event().wait()

    pc.may_write = hangs
    assert [row["state"] for row in look("disk.latency", pc).measures["volumes"]] == ["ok", "ok", "slow"]


def test_where_this_user_may_write_is_found_below_the_top_of_a_volume(pc, look):
    pc.writable = {"/data/anna"}
    pc.files["/data/anna/letter.txt"] = pc.files["/data/lost+found/x"] = ""
    pc.disks["/data/anna"] = DiskTimes(write_s=(1.0, 1.0, 1.0))
    outcome = look("disk.latency", pc)
    assert [(row["mount"], row["state"]) for row in outcome.measures["volumes"]] == [("/data", "slow")]


def test_without_a_place_to_write_speed_is_unknown(pc, look):
    pc.writable = set()
    assert look("disk.latency", pc).status is Status.UNKNOWN


def test_health_is_unknown_where_nothing_tells_and_fine_where_all_is_well(pc, look):
    assert look("disk.health", pc).status is Status.UNKNOWN
    pc.files["/sys/block/sda/size"] = "1"
    pc.programs["smartctl"] = '{"smart_status": {"passed": true}}'
    assert look("disk.health", pc).status is Status.OK
    pc.programs["smartctl"] = Ran(code=8, out='{"smart_status": {"passed": false}}')
    outcome = look("disk.health", pc)
    assert (outcome.status, outcome.summary) == (
        Status.FAILED,
        "A disk reports faults (sda: the disk itself expects to fail).",
    )


def test_errors_that_a_file_system_has_counted_are_told_with_its_volume(pc, look):
    pc.files["/sys/fs/ext4/sdb1/errors_count"] = "3\n"
    outcome = look("disk.health", pc)
    assert outcome.summary == "A disk reports faults (/data: its file system has counted 3 errors)."


def test_a_mirror_without_one_of_its_disks_is_told(pc, look):
    pc.files["/sys/block/md0/md/degraded"] = "1\n"
    assert "md0: it runs without 1 of its disks" in look("disk.health", pc).summary


def test_thresholds_come_from_the_settings(pc, look):
    pc.spaces["/data"] = space(20_000_000, 100_000_000)
    strict = Targets(thresholds=Thresholds(disk_free_percent=30))
    assert look("disk.space", pc, targets=strict).status is Status.FAILED
