"""Announcements: what counts, what fits a problem found here, what is told when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client.errors import StorageFault
from client.knowledge.announcements import FILE, Announcements, Heard, fits, known
from client.model import Announcement
from diagnostics.model import Diagnosis, Severity

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def cause(id: str = "vpn.down", subject: str | None = None) -> Diagnosis:
    return Diagnosis(
        cause=id, subject=subject, severity=Severity.HIGH, confidence=0.9, title="t", explanation="e", advice="a"
    )


def told(id: str = "1", **more: object) -> Announcement:
    return Announcement(**{"id": id, "title": "The VPN is down", "kind": "outage", "causes": ("vpn.*",), **more})


def heard(*announcements: Announcement, at: datetime = NOW) -> Heard:
    return Heard(at=at, announcements=announcements)


@pytest.mark.parametrize(
    ("more", "id", "subject", "right"),
    [
        ({}, "vpn.down", None, True),
        ({}, "dns.unreachable", None, False),
        ({"causes": ("vpn.down",)}, "vpn.slow", None, False),
        ({"causes": (), "subjects": ()}, "vpn.down", None, False),
        ({"subjects": ("vpn.example.com",)}, "vpn.down", "vpn.example.com:443", True),
        ({"subjects": ("https://VPN.example.com/login",)}, "vpn.down", "vpn.example.com", True),
        ({"subjects": ("other.example.com",)}, "vpn.down", "vpn.example.com", False),
        ({"subjects": ("example.com",)}, "vpn.down", "vpn.example.com", False),
        ({"subjects": ("vpn.example.com",)}, "vpn.down", None, False),
        ({"causes": (), "subjects": ("Single sign-on",)}, "service.down", "single sign-on", True),
        ({"causes": (), "subjects": ("[::1",)}, "service.down", "[::1", True),
        ({"causes": (), "subjects": ("[fe80::1]:443", "")}, "service.down", "x [y", False),
    ],
)
def test_a_problem_is_known_when_cause_and_subject_fit(
    more: dict[str, object], id: str, subject: str | None, right: object
) -> None:
    assert fits(told(**more), cause(id, subject)) is right


def test_the_first_that_fits_explains_a_problem() -> None:
    announcements = (told("1", causes=("dns.*",)), told("2"), told("3"))
    assert known(announcements, cause()) == announcements[1]
    assert known(announcements, cause("disk.full")) is None


def test_what_counts_is_what_has_begun_and_is_not_over(tmp_path: Path) -> None:
    kept = Announcements(tmp_path)
    kept.keep(
        "desk",
        heard(
            told("now", begins_at=NOW - HOUR),
            told("late outage", ends_at=NOW - HOUR),
            told("over", over=True),
            told("to come", begins_at=NOW + HOUR),
            told("done", kind="maintenance", ends_at=NOW - HOUR),
            told("notice", kind="notice", begins_at=NOW - HOUR / 2),
        ),
    )
    assert [one.id for one in kept.current(NOW)] == ["now", "late outage", "notice"]
    assert [one.id for one in kept.current(NOW + 1.5 * HOUR)] == ["to come", "now", "late outage", "notice"]


def test_what_nobody_has_confirmed_for_a_day_does_not_count(tmp_path: Path) -> None:
    kept = Announcements(tmp_path)
    kept.keep("desk", heard(told()))
    assert kept.current(NOW + 23 * HOUR)
    assert not kept.current(NOW + 25 * HOUR)


@pytest.mark.parametrize("end", [heard(told(over=True)), heard()], ids=["said to be over", "not named any more"])
def test_who_waits_is_told_once_that_it_is_over(tmp_path: Path, end: Heard) -> None:
    kept = Announcements(tmp_path)
    kept.keep("desk", heard(told(), told("2")))
    kept.watch("1")
    assert kept.keep("desk", heard(told(), told("2"))) == ()
    assert kept.watched() == {"1"}
    assert [one.id for one in kept.keep("desk", end)] == ["1"]
    assert kept.keep("desk", heard()) == ()
    assert kept.watched() == frozenset()


def test_one_source_says_nothing_about_what_another_has_told(tmp_path: Path) -> None:
    kept = Announcements(tmp_path)
    kept.keep("desk", heard(told("desk-1")))
    kept.watch("desk-1")
    assert kept.keep("feed", heard(told("feed-1"))) == ()
    assert kept.watched() == {"desk-1"}
    kept.forget(["feed"])
    assert [one.id for one in kept.current(NOW)] == ["desk-1"]


def test_what_was_put_away_is_not_shown_and_still_explains(tmp_path: Path) -> None:
    kept = Announcements(tmp_path)
    kept.keep("desk", heard(told()))
    kept.put_away("1")
    assert kept.current(NOW) == ()
    assert [one.id for one in kept.current(NOW, put_away=True)] == ["1"]


def test_whoever_waits_no_more_is_not_told(tmp_path: Path) -> None:
    kept = Announcements(tmp_path)
    kept.keep("desk", heard(told()))
    kept.watch("1")
    kept.watch("1", wanted=False)
    assert kept.keep("desk", heard()) == ()


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b'{"heard": {"desk": {"at": "never"}}}'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    kept = Announcements(tmp_path)
    assert kept.current(NOW) == ()
    kept.keep("desk", heard(told()))
    assert kept.current(NOW)


def test_a_disk_that_takes_nothing_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFault, match="What IT announced could not be kept"):
        Announcements(tmp_path / "file" / "state").watch("1")
