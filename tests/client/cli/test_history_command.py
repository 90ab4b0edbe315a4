"""`deskside history` tells what earlier checks found, and since when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from client.platform.paths import find_paths
from client.watch.history import History
from diagnostics.model import Diagnosis, Finding, Report, Severity, Status

NOW = datetime.now(UTC).replace(microsecond=0)


def report(hours: int, *causes: str) -> Report:
    return Report(
        tool="deskside",
        started_at=(NOW - timedelta(hours=hours)).isoformat(),
        duration_ms=900,
        platform="linux",
        diagnosis=tuple(
            Diagnosis(cause=one, severity=Severity.HIGH, confidence=1, title="", explanation="", advice="")
            for one in causes
        ),
        findings=(
            Finding(
                check="dns.resolvers", area="dns", status=Status.OK, summary="", measures={"answer_ms": 10 + hours}
            ),
        ),
    )


@pytest.fixture
def past(fence) -> None:
    history = History(find_paths().state / "history.sqlite3")
    for hours, causes in ((4, ()), (3, ("dns.slow",)), (2, ("dns.slow",)), (1, ())):
        history.record(report(hours, *causes))


def test_checks_in_a_row_that_found_the_same_are_one_line(past, deskside) -> None:
    lines = [line.split("\t")[2:] for line in deskside("history").out.splitlines()]
    assert lines == [["1", "nothing wrong"], ["2", "dns.slow"], ["1", "nothing wrong"]]


def test_json_has_every_run(past, deskside) -> None:
    assert [run["causes"] for run in deskside("history", "--json").json["runs"]] == [[], ["dns.slow"], ["dns.slow"], []]


def test_a_number_over_time(past, deskside) -> None:
    assert deskside("history", "--numbers").out == "dns.resolvers answer_ms\n"
    points = deskside("history", "--number", "dns.resolvers answer_ms", "--json").json["points"]
    assert [point["value"] for point in points] == [14, 13, 12, 11]


def test_an_unknown_number_is_one_sentence(past, deskside) -> None:
    said = deskside("history", "--number", "nothing")
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert "--numbers" in said.err


def test_without_a_past_it_says_how_to_begin_one(deskside) -> None:
    said = deskside("history")
    assert (said.code, said.out) == (0, "")
    assert "deskside check" in said.err
