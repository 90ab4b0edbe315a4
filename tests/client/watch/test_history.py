"""The history of checks: what a run found comes back, thins out with age, and survives a broken file."""

from __future__ import annotations

import sqlite3
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client.errors import NewerData, StorageFault
from client.watch.history import LARGEST_BYTES, MOST_NUMBERS, History
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "state" / "history.sqlite3")


def report(at: datetime = NOW, *causes: str, **measures: object) -> Report:
    named = [cause.partition(" ") for cause in causes]
    return Report(
        tool="deskside",
        started_at=at.isoformat().replace("+00:00", "Z"),
        duration_ms=900,
        platform="linux",
        diagnosis=tuple(
            Diagnosis(
                cause=id,
                subject=subject or None,
                severity=Severity.HIGH,
                confidence=1,
                title=id,
                explanation="",
                advice="",
            )
            for id, _, subject in named
        ),
        findings=(Finding(check="disk.space", area="disk", status=Status.OK, summary="Fine.", measures=measures),),
    )


def test_a_run_comes_back_with_its_causes_and_numbers(history: History) -> None:
    volumes = [{"mount": "/", "free_percent": 12, "read_only": False}, {"mount": "/home", "free_percent": 40}]
    history.record(report(NOW, "disk.full /home", "dns.slow", volumes=volumes, answer_ms=7.5, note="text"))
    (run,) = history.runs()
    assert (run.at, run.duration_ms, run.causes) == (NOW, 900, ("disk.full /home", "dns.slow"))
    assert history.names() == ("disk.space / free_percent", "disk.space /home free_percent", "disk.space answer_ms")
    assert [point.value for point in history.series("disk.space /home free_percent")] == [40]
    assert history.series("no such number") == ()


def test_since_when_is_the_first_run_of_an_unbroken_row(history: History) -> None:
    for hours, causes in (
        (5, ["dns.slow"]),
        (4, []),
        (3, ["dns.slow"]),
        (2, ["dns.slow", "disk.full /"]),
        (1, ["dns.slow"]),
    ):
        history.record(report(NOW - timedelta(hours=hours), *causes))
    assert history.since("dns.slow") == NOW - timedelta(hours=3)
    assert history.since("disk.full /") is None


def test_old_runs_thin_out_but_a_change_stays(history: History) -> None:
    day = (NOW - timedelta(days=60)).replace(hour=0, minute=0)
    for minute in range(0, 240, 10):
        history.record(report(day + timedelta(minutes=minute), *(["dns.slow"] if minute == 120 else [])))
    history.record(report(NOW - timedelta(days=91)))
    history.record(report(NOW))
    kept = [run.at for run in reversed(history.runs(days=120))]
    assert kept == [day, day + timedelta(minutes=120), day + timedelta(minutes=130), NOW]


def test_the_file_is_private_and_a_run_is_bounded(history: History, tmp_path: Path) -> None:
    history.record(report(NOW, **{f"n{number}": number for number in range(MOST_NUMBERS + 50)}))
    path = tmp_path / "state" / "history.sqlite3"
    assert sys.platform == "win32" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(history.names()) == MOST_NUMBERS


def test_ninety_days_of_checks_every_ten_minutes_stay_below_the_limit(history: History, tmp_path: Path) -> None:
    # Written as the file holds them, for recording 13,000 runs one by one would take a minute.
    history.record(report(NOW - timedelta(days=90), **{f"n{number}": number for number in range(100)}))
    path = tmp_path / "state" / "history.sqlite3"
    with sqlite3.connect(path) as base:
        for step in range(1, 90 * 144):
            run = base.execute(
                "INSERT INTO run (at, duration_ms, causes) VALUES (?, 900, '[]')", (NOW.timestamp() - step * 600,)
            )
            base.executemany("INSERT INTO number VALUES (?, ?, 1.5)", [(run.lastrowid, name) for name in range(1, 101)])
    base.close()
    for step in range(6):
        history.record(report(NOW + timedelta(seconds=step)))
    assert path.stat().st_size < LARGEST_BYTES * 1.05
    assert len(history.runs(days=7)) > 200


def test_a_broken_file_is_set_aside_and_kept(history: History, tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"this is not a database, but it may be somebody's data" * 100)
    history.record(report())
    assert len(history.runs()) == 1
    assert [one.read_bytes()[:4] for one in path.parent.glob("*.broken-*")] == [b"this"]


def test_a_newer_file_is_left_alone(history: History, tmp_path: Path) -> None:
    history.record(report())
    with sqlite3.connect(tmp_path / "state" / "history.sqlite3") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(NewerData):
        history.record(report())


def test_a_link_in_its_place_is_not_followed(history: History, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "state" / "history.sqlite3").symlink_to(tmp_path / "victim")
    with pytest.raises(StorageFault):
        history.record(report())
    assert (tmp_path / "victim").read_text() == "precious"
