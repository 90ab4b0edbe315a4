"""The report as one file, read back, and compared with another."""

from __future__ import annotations

import io
import json
import stat
import zipfile

import msgspec
import pytest

from client.errors import StorageFault, UsageError
from client.report import build
from client.report.compose import HTML, JSON, SUMMARY
from client.report.diff import Change, changes, diff, told
from diagnostics.model import Finding, Report, Status


def test_the_file_holds_page_data_and_summary_after_redaction(report, who, tmp_path):
    target = build.write(report, tmp_path / "report.zip", who)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [HTML, JSON, SUMMARY]
        data = {name: archive.read(name).decode() for name in archive.namelist()}
        assert archive.getinfo(JSON).date_time == (2026, 1, 31, 9, 0, 0)
    for text in data.values():
        for secret in ("PF3XK9QZ", "geheim-123", "9c:b6:d0:12:34:56", "anna.berg"):
            assert secret not in text
    assert "ticket" not in json.loads(data[JSON])
    assert data[SUMMARY].startswith("Cause: The name server does not answer")
    assert "Deskside ref" not in data[SUMMARY]


def test_the_same_report_gives_the_same_bytes(report, who, tmp_path):
    one, two = (build.write(report, tmp_path / name, who).read_bytes() for name in ("a.zip", "b.zip"))
    assert one == two


def test_a_name_without_an_ending_gets_one_and_a_file_is_replaced(report, who, tmp_path):
    target = build.write(report, tmp_path / "mine", who)
    assert target == tmp_path / "mine.zip"
    target.write_text("older")
    assert build.write(report, target, who).read_bytes()[:2] == b"PK"


def test_it_is_read_back(report, who, tmp_path):
    target = build.write(report, tmp_path / "report.zip", who)
    found = build.read(target)
    assert [one.cause for one in found.diagnosis] == ["dns.unreachable", "disk.full"]
    plain = tmp_path / "check.json"
    plain.write_bytes(msgspec.json.encode(report))
    assert build.read(plain) == report


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(JSON, b" " * (build.LARGEST_BYTES + 10))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"PK\x03\x04" + bytes(40), b"hello", b"{}", b'{"schema": 1}', b"[]", b"\xff\xfe", bomb()],
    ids=["empty", "two letters", "broken zip", "text", "object", "part", "list", "binary", "bomb"],
)
def test_what_is_no_report_is_said_in_a_sentence(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="is not a report of Deskside"):
        build.read(path)


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        build.read(tmp_path / "nothing.zip")
    with pytest.raises(UsageError, match="cannot be read: is a directory"):
        build.read(tmp_path)


def test_links_folders_and_missing_places_are_refused(report, who, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    link = tmp_path / "link.zip"
    link.symlink_to(victim)
    (tmp_path / "folder.zip").mkdir()
    for target, words in (
        (link, "is a link"),
        (tmp_path / "no" / "x.zip", "There is no folder"),
        (tmp_path / "folder", "is not a file"),
    ):
        with pytest.raises(UsageError, match=words):
            build.write(report, target, who)
    assert victim.read_text() == "precious"


def test_a_full_disk_leaves_the_old_file_and_nothing_half(report, who, tmp_path, monkeypatch):
    target = tmp_path / "report.zip"
    target.write_text("older")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFault, match=r"The disk is full, so report\.zip could not be written"):
        build.write(report, target, who)
    assert target.read_text() == "older"
    assert [one.name for one in tmp_path.iterdir() if one.name != "home"] == ["report.zip"]


# --- comparing


def test_a_report_does_not_differ_from_itself(report):
    assert diff(report, report) == ()
    assert (
        told(report, report)
        == "From 2026-01-31 09:00 UTC to 2026-01-31 09:00 UTC: nothing that means anything has changed.\n"
    )


def test_numbers_and_restless_facts_are_no_difference(report):
    later = msgspec.structs.replace(
        report,
        findings=tuple(msgspec.structs.replace(one, measures={}, duration_ms=9) for one in report.findings),
        facts={**report.facts, "os.started_s": 5, "logs.errors": ["other"]},
    )
    assert diff(report, later) == ()


def test_what_changed_is_said_in_sentences(report):
    adapters = [
        {**report.facts["interfaces.adapters"][0], "addresses": ["10.0.0.9/24"]},
        report.facts["interfaces.adapters"][1],
    ]
    old = msgspec.structs.replace(
        report,
        started_at="2026-01-30T09:00:00Z",
        diagnosis=report.diagnosis[1:],
        findings=tuple(
            msgspec.structs.replace(one, status=Status.OK) if one.check == "dns.resolvers" else one
            for one in report.findings
        ),
        facts={
            **report.facts,
            "interfaces.resolvers": {"servers": ["10.0.0.2"], "search": ["corp.example.com"]},
            "interfaces.adapters": list(reversed(adapters)),
            "software.list": {"Firefox": "127.0", "Old": "1"},
            "os.joined_to": "CORP",
        },
    )
    assert told(old, report) == (
        "From 2026-01-30 09:00 UTC to 2026-01-31 09:00 UTC:\n"
        " - New: The name server does not answer \u2013 10.0.0.53 (dns.unreachable, high severity, 97 % sure, for L2)\n"
        " - dns.resolvers was fine, now failed: The name server 10.0.0.53 did not answer within 1.5 seconds.\n"
        " * Adapters wlan0 addresses: was 10.0.0.9/24, now 10.0.0.7/24, fe80::9eb6:d0ff:fe12:3456/64.\n"
        " * Resolvers servers: was 10.0.0.2, now 10.0.0.53, 10.0.0.54.\n"
        " * Joined to: gone (was CORP).\n"
        " * Installed: LibreOffice 7.4.7, <b>Odd</b> 1.\n"
        " * Removed: Old 1.\n"
        " * Updated: Firefox 127.0 \u2192 128.5.0.\n"
    )
    assert changes(old, report)[0].startswith("Adapters wlan0 addresses: was")
    back = diff(report, old)
    assert [one.better for one in back if one.kind in {"cause", "check"}] == [True, True]


def test_unknown_is_neither_better_nor_worse(report):
    def with_status(status: Status) -> Report:
        one = Finding(check="a.b", area="a", status=status, summary="s")
        return msgspec.structs.replace(report, findings=(one,), diagnosis=(), facts={})

    def better(was: Status, now: Status) -> bool | None:
        (change,) = diff(with_status(was), with_status(now))
        return change.better

    assert better(Status.OK, Status.UNKNOWN) is None
    assert better(Status.UNKNOWN, Status.OK) is False or better(Status.UNKNOWN, Status.OK) is None
    assert better(Status.FAILED, Status.OK) is True
    assert better(Status.UNKNOWN, Status.FAILED) is False


def test_a_thousand_updates_are_one_sentence(report):
    old = msgspec.structs.replace(report, facts={"software.list": {f"p{number}": "1" for number in range(1000)}})
    new = msgspec.structs.replace(report, facts={"software.list": {f"p{number}": "2" for number in range(1000)}})
    (change,) = diff(old, new)
    assert isinstance(change, Change)
    assert change.words.endswith("p11 1 \u2192 2 and 988 more.")


def test_software_that_was_not_collected_was_not_removed(report):
    without = msgspec.structs.replace(
        report, facts={key: one for key, one in report.facts.items() if key != "software.list"}
    )
    assert diff(report, without) == ()
