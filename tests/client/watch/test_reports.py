"""The last report and the last healthy one: kept whole, read cheaply, set aside when broken."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from client.errors import StorageFault
from client.watch.reports import HEALTHY, LAST, MOST_NETWORKS, Reports
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status


def report(*, ms: int = 1, sick: bool = False) -> Report:
    cause = Diagnosis(cause="disk.full", severity=Severity.HIGH, confidence=1.0, title="t", explanation="e", advice="a")
    return Report(
        tool="deskside 0.1.0",
        started_at="2026-01-31T09:00:00Z",
        duration_ms=ms,
        platform="linux",
        diagnosis=(cause,) if sick else (),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "deskside"


def test_there_is_none_before_the_first_check(folder):
    assert Reports(folder).last() is None
    assert not folder.exists()


def test_a_report_is_kept_privately_and_found_by_the_next_start(folder):
    Reports(folder).keep(report())
    assert Reports(folder).last() == report()
    assert stat.S_IMODE((folder / LAST).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(one.name for one in folder.iterdir()) == [HEALTHY, LAST]


def test_only_a_healthy_report_becomes_the_last_healthy_one(folder):
    reports = Reports(folder)
    reports.keep(report(ms=1))
    reports.keep(report(ms=2, sick=True))
    assert reports.last() == report(ms=2, sick=True)
    assert reports.last_healthy() == report(ms=1)


def in_network(router: str, **values: object) -> Report:
    found = Finding(check="route.gateway", area="route", status=Status.OK, summary="", measures={"mac": router})
    return msgspec.structs.replace(report(**values), findings=(found,))


def test_each_network_has_its_own_healthy_report(folder):
    reports = Reports(folder)
    reports.keep(in_network("office", ms=1))
    reports.keep(in_network("home", ms=2))
    assert reports.last_healthy(in_network("office", ms=9)) == in_network("office", ms=1)
    assert reports.last_healthy(in_network("hotel", ms=9)) == in_network("home", ms=2)
    assert reports.last_healthy() == in_network("home", ms=2)


def test_networks_of_long_ago_are_forgotten(folder):
    reports = Reports(folder)
    for number in range(MOST_NETWORKS + 3):
        reports.keep(in_network(f"router {number}", ms=number))
    assert len(list(folder.glob("healthy_network_*"))) == MOST_NETWORKS
    assert reports.last_healthy(in_network("router 14", ms=99)) == in_network("router 14", ms=14)


def test_an_unchanged_file_is_not_read_again(folder, monkeypatch):
    reports = Reports(folder)
    reports.keep(report())
    first = reports.last()

    def read(_: Path) -> bytes:
        raise AssertionError("it was read again")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", read)
        assert reports.last() is first
    Reports(folder).keep(report(ms=7))
    assert reports.last() == report(ms=7)


@pytest.mark.parametrize("data", [b"", b"{broken", b'{"schema": 1}', b"\x00" * 100, b'"text"'])
def test_a_broken_file_is_set_aside_and_not_deleted(folder, data, caplog):
    folder.mkdir(parents=True)
    (folder / LAST).write_bytes(data)
    reports = Reports(folder)
    assert reports.last() is None
    (aside,) = folder.glob("last_report.damaged-*.json")
    assert aside.read_bytes() == data
    reports.keep(report())
    assert reports.last() == report()


def test_a_newer_report_is_left_alone(folder):
    folder.mkdir(parents=True)
    (folder / LAST).write_bytes(b'{"schema": 99, "something": "else"}')
    assert Reports(folder).last() is None
    assert (folder / LAST).exists()


def test_a_folder_that_cannot_be_written_is_said_and_the_old_report_stays(folder, monkeypatch):
    reports = Reports(folder)
    reports.keep(report(ms=1))

    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", denied)
        with pytest.raises(StorageFault, match="could not be kept"):
            reports.keep(report(ms=2))
    assert reports.last() == report(ms=1)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(folder, monkeypatch):
    reports = Reports(folder)
    reports.keep(report(ms=1))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFault, match="disk is full"):
            reports.keep(report(ms=2))
    assert sorted(one.name for one in folder.iterdir()) == [HEALTHY, LAST]
    assert reports.last() == report(ms=1)


def test_a_link_in_its_place_is_replaced_and_not_followed(folder, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder.mkdir(parents=True)
    (folder / LAST).symlink_to(victim)
    Reports(folder).keep(report())
    assert victim.read_text() == "precious"
    assert not (folder / LAST).is_symlink()


def test_readers_see_the_old_or_the_new_report_and_never_a_part(folder):
    reports, faults = Reports(folder), []
    reports.keep(report(ms=0))

    def read() -> None:
        other = Reports(folder)
        for _ in range(300):
            found = other.last()
            if found is None or msgspec.json.encode(found) != msgspec.json.encode(report(ms=found.duration_ms)):
                faults.append(found)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(50):
        reports.keep(report(ms=number))
    for thread in threads:
        thread.join()
    assert faults == []
