"""From findings to causes: the machine's faults are named with their subject, in words, and folded under what explains them."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.fixes.catalogue import BY_ID
from diagnostics.causes.cause import Evidence
from diagnostics.causes.machine import CAUSES
from diagnostics.causes.reasoner import reason
from diagnostics.model import Finding, Severity, Status

GB = 10**9
PUBLIC = {
    "disk.full", "disk.inodes_exhausted", "disk.read_only", "disk.failing", "disk.slow", "memory.exhausted",
    "processor.saturated", "battery.worn", "system.restart_pending", "system.overheating", "updates.failing",
}  # fmt: skip
FIXES = set(BY_ID)


def finding(check: str, status: Status = Status.FAILED, **measures) -> Finding:
    return Finding(check=check, area=check.partition(".")[0], status=status, summary="", measures=measures)


def diagnose(*findings: Finding):
    return reason(Evidence(findings={one.check: one for one in findings}), CAUSES)


def full(mount: str, *, role: str = "data", free: int = 0, total: int = 16_000_000) -> Finding:
    row = {"mount": mount, "role": role, "state": "full", "free_bytes": free, "total_bytes": total, "free_percent": 0.0}
    return finding("disk.space", volumes=[{"mount": "/", "role": "system", "state": "ok"}, row])


EVERY = {
    "disk.full": full("/data"),
    "disk.inodes_exhausted": finding(
        "disk.inodes",
        volumes=[{"mount": "/data", "role": "data", "state": "exhausted", "inodes_total": 128, "inodes_free": 0}],
    ),
    "disk.read_only": finding(
        "disk.writable",
        volumes=[{"mount": "/data", "role": "data", "state": "read_only", "because": "mounted", "disk": "sdb"}],
    ),
    "disk.failing": finding(
        "disk.health",
        disks=[{"disk": "sda", "mount": "", "state": "failing", "why": "the disk itself expects to fail"}],
    ),
    "disk.slow": finding(
        "disk.latency",
        volumes=[{"mount": "/data", "state": "slow", "write_ms": 600.0, "how_slow": "0.6 s for one small file"}],
    ),
    "memory.exhausted": finding(
        "memory.available",
        available_bytes=GB // 4,
        total_bytes=16 * GB,
        largest=[{"program": "chrome", "bytes": 9 * GB}],
    ),
    "processor.saturated": finding(
        "processor.use", used_percent=99.6, busiest=[{"program": "backup", "percent": 94.0}]
    ),
    "battery.worn": finding(
        "battery.health", batteries=[{"name": "BAT0", "state": "worn", "health_percent": 41, "cycles": 700}]
    ),
    "system.restart_pending": finding("system.restart", reasons=["updates were installed that need it (libc6)"]),
    "system.overheating": finding(
        "system.temperature",
        sensors=[
            {"sensor": "cpu", "state": "hot", "now_celsius": 101.0, "critical_celsius": 100.0, "slowed_percent": None}
        ],
    ),
    "updates.failing": finding(
        "updates.install", failed=["nginx"], why="the installation was interrupted", code=None, last_failure=None
    ),
}
SUBJECTS = {
    "disk.full": "/data", "disk.inodes_exhausted": "/data", "disk.read_only": "/data", "disk.failing": "sda",
    "disk.slow": "/data", "battery.worn": "BAT0",
}  # fmt: skip


def test_every_cause_of_the_machine_that_is_public_exists_once():
    assert [one.id for one in CAUSES].count("disk.full") == 1
    assert {one.id for one in CAUSES} == PUBLIC == set(EVERY)


@pytest.mark.parametrize("cause", EVERY)
def test_each_cause_is_named_alone_with_its_subject_and_every_number_filled_in(cause):
    found = diagnose(EVERY[cause])
    assert [(one.cause, one.subject) for one in found] == [(cause, SUBJECTS.get(cause))]
    words = f"{found[0].title} {found[0].explanation} {found[0].advice}"
    assert "?" not in words
    assert "{" not in words
    assert "None" not in words
    for sentence in (found[0].title, found[0].explanation, found[0].advice):
        assert sentence[0].isupper() or sentence[0] in "/0123456789"
    assert found[0].explanation.endswith(".")
    assert found[0].advice.endswith(".")


@pytest.mark.parametrize("cause", EVERY)
@pytest.mark.parametrize("status", [Status.OK, Status.UNKNOWN, Status.SKIPPED])
def test_what_was_not_seen_is_no_cause(cause, status):
    nothing = Finding(check=EVERY[cause].check, area="x", status=status, summary="")
    assert diagnose(nothing) == ()
    assert diagnose() == ()


@pytest.mark.parametrize("cause", CAUSES, ids=lambda one: one.id)
def test_articles_and_fixes_exist(cause):
    topics = Path(__file__).parents[3] / "resources" / "articles" / "en"
    assert all((topics / f"{article}.md").is_file() for article in cause.articles), cause.articles
    assert cause.articles
    assert set(cause.fixes) <= FIXES


def test_a_volume_that_hangs_does_not_hide_a_full_one():
    mixed = full("/data")
    rows = [*mixed.measures["volumes"], {"mount": "/mnt/nas", "role": "data", "state": "unknown"}]
    assert [one.subject for one in diagnose(finding("disk.space", volumes=rows))] == ["/data"]


def test_two_full_volumes_are_two_causes():
    rows = [
        {"mount": mount, "role": "data", "state": "full", "free_bytes": 0, "total_bytes": GB, "free_percent": 0.0}
        for mount in ("/a", "/b")
    ]
    assert [one.subject for one in diagnose(finding("disk.space", volumes=rows))] == ["/a", "/b"]


def test_the_own_disk_without_space_is_severe_and_explains_updates_that_fail():
    found = diagnose(full("/", role="system", free=50_000_000, total=256 * GB), EVERY["updates.failing"])
    assert [(one.cause, one.severity) for one in found] == [("disk.full", Severity.HIGH)]
    assert "updates.failing" in found[0].explains
    other = diagnose(full("/data"), EVERY["updates.failing"])
    assert {one.cause for one in other} == {"disk.full", "updates.failing"}


STOPPED = finding(
    "disk.writable",
    volumes=[{"mount": "/data", "role": "data", "state": "read_only", "because": "error", "disk": "sdb"}],
)


def test_a_file_system_that_stopped_is_read_only_and_its_own_count_is_the_same_story():
    counted = finding(
        "disk.health",
        disks=[
            {
                "disk": "sdb1",
                "mount": "/data",
                "state": "failing",
                "why": "it has counted 1 error",
                "file_system_errors": 1,
            }
        ],
    )
    found = diagnose(STOPPED, counted)
    assert [(one.cause, one.subject, one.explains) for one in found] == [("disk.read_only", "/data", ("disk.failing",))]


def test_a_disk_that_expects_to_fail_explains_what_its_volumes_suffer():
    dying = finding(
        "disk.health",
        disks=[{"disk": "sdb", "mount": "", "state": "failing", "why": "the disk itself expects to fail"}],
    )
    found = diagnose(STOPPED, EVERY["disk.slow"], dying)
    assert [one.cause for one in found] == ["disk.failing"]
    assert set(found[0].explains) == {"disk.read_only", "disk.slow"}
    elsewhere = finding(
        "disk.health",
        disks=[{"disk": "sdc", "mount": "", "state": "failing", "why": "the disk itself expects to fail"}],
    )
    assert {one.cause for one in diagnose(STOPPED, elsewhere)} == {"disk.failing", "disk.read_only"}


def test_a_disk_that_refuses_every_write_is_read_only_for_whoever_works_on_it():
    found = diagnose(
        finding("disk.latency", volumes=[{"mount": "/data", "state": "broken", "write_ms": None, "error": "EIO"}])
    )
    assert [(one.cause, one.subject, one.evidence) for one in found] == [("disk.read_only", "/data", ("disk.latency",))]


@pytest.mark.parametrize("deeper", ["memory.exhausted", "system.overheating"])
def test_a_busy_processor_is_a_consequence_of_swapping_and_of_heat(deeper):
    found = diagnose(EVERY[deeper], EVERY["processor.saturated"])
    assert [one.cause for one in found] == [deeper]
    assert "processor.saturated" in found[0].explains


def test_a_busy_processor_is_a_line_and_more_only_when_it_lasts():
    measures = {"used_percent": 100.0, "cores": 2, "busiest": []}
    assert diagnose(finding("processor.use", load_1_min=2.1, **measures))[0].severity is Severity.LOW
    assert diagnose(finding("processor.use", load_1_min=9.0, **measures))[0].severity is Severity.MEDIUM


def test_independent_faults_are_both_named_the_severe_one_first():
    found = diagnose(EVERY["battery.worn"], EVERY["memory.exhausted"], EVERY["disk.full"])
    assert [one.cause for one in found] == ["memory.exhausted", "disk.full", "battery.worn"]


@pytest.mark.parametrize(
    ("error", "words"), [("EDQUOT", "Your share of it is used up."), ("ENOSPC", "It refuses new files")]
)
def test_a_disk_that_takes_nothing_more_is_full_whatever_its_numbers_say(error, words):
    row = {"mount": "/home", "role": "home", "state": "no_room", "write_ms": None, "error": error}
    (found,) = diagnose(finding("disk.latency", volumes=[row]))
    assert (found.cause, found.subject, found.evidence) == ("disk.full", "/home", ("disk.latency",))
    assert found.title == "The disk is full: nothing more can be saved on the disk with your files (/home)"
    assert words in found.explanation


def test_clearing_the_own_folders_is_offered_only_where_it_helps():
    assert diagnose(full("/data"))[0].fixes == ("settings.storage",)
    assert "disk.free_space" in diagnose(full("/", role="system"))[0].fixes


@pytest.mark.parametrize(
    ("mount", "role", "words"),
    [
        ("/", "system", "this computer's own disk"),
        ("C:\\", "system", "this computer's own disk"),
        ("D:\\", "data", "drive D:"),
        ("/data", "data", "/data"),
    ],
)
def test_a_volume_is_called_what_an_employee_calls_it(mount, role, words):
    (found,) = diagnose(full(mount, role=role))
    assert (found.subject, found.title) == (mount, f"The disk is full: nothing left on {words}")


@pytest.mark.parametrize(
    ("mount", "role", "effect", "advice", "fixes"),
    [
        ("/boot", "boot", "Updates of the system cannot be installed.", "tell your IT department", ()),
        ("/scratch", "scratch", "Programs that need it for temporary files may fail.", "restart the computer", ()),
        ("/data", "data", "Nothing more can be saved there.", "no longer need there", ("settings.storage",)),
    ],
)
def test_what_an_employee_is_told_to_do_fits_the_volume(mount, role, effect, advice, fixes):
    (found,) = diagnose(full(mount, role=role))
    assert found.explanation.endswith(effect)
    assert advice in found.advice
    assert found.fixes == fixes
