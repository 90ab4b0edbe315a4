"""`deskside check`: the public JSON, exit codes, and what people read. The run itself is stood in for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from diagnostics.model import Diagnosed, Diagnosis, Done, Finding, Found, Progress, Report, Severity, Started, Status
from diagnostics.supervise import RunFailed

Run = Callable[..., Any]

DEAD = Diagnosis(
    cause="dns.unreachable",
    subject="192.0.2.53",
    severity=Severity.HIGH,
    confidence=0.97,
    title="The name server does not answer",
    explanation="Names cannot be looked up.\x1b[31m",
    advice="Restart the router.",
    evidence=("dns.resolvers",),
    articles=("dns-name-lookup",),
    fixes=("dns.flush_cache",),
)
FINDINGS = (
    Finding(check="dns.resolvers", area="dns", status=Status.FAILED, summary="No name server answers."),
    Finding(check="disk.space", area="disk", status=Status.OK, summary="There is room."),
    Finding(check="tls.time", area="tls", status=Status.UNKNOWN, summary="This took too long to find out."),
)


def report(*diagnosis: Diagnosis) -> Report:
    return Report(
        tool="deskside 0.1.0",
        started_at="2026-01-31T09:00:00Z",
        duration_ms=1840,
        platform="linux",
        diagnosis=diagnosis,
        findings=FINDINGS,
        facts={"os.name": "Linux"},
    )


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Report | Exception], list[dict[str, Any]]]:
    """Stands in for the child that runs the checks; gives what it was asked."""
    asked: list[dict[str, Any]] = []

    def stand_in(result: Report | Exception) -> list[dict[str, Any]]:
        async def supervise(
            argv: tuple[str, ...], *, targets: Any, only: frozenset[str], listen: Any, **_: Any
        ) -> Report:
            asked.append({"argv": argv, "targets": targets, "only": only})
            if isinstance(result, Exception):
                raise result
            hear = listen or (lambda _: None)
            hear(Started(checks=tuple(one.check for one in FINDINGS)))
            for one in FINDINGS:
                hear(Progress(check=one.check, area=one.area, words=f"Looking at {one.area}"))
                hear(Found(finding=one))
            hear(Diagnosed(diagnosis=result.diagnosis))
            hear(Done(report=result))
            return result

        monkeypatch.setattr("diagnostics.supervise.supervise", supervise)
        return asked

    return stand_in


def test_json_is_the_report_and_nothing_else(deskside: Run, found: Run) -> None:
    found(report(DEAD))
    said = deskside("check", "--json")
    assert said.code == 1
    assert said.err == ""
    assert msgspec.json.decode(said.out, type=Report) == report(DEAD)
    assert said.json.keys() == {
        *("schema", "tool", "started_at", "duration_ms", "platform", "diagnosis", "findings", "facts", "redactions")
    }


def test_a_failed_check_without_a_cause_is_not_called_fine(deskside: Run, found: Run) -> None:
    found(report())
    said = deskside("check")
    assert said.code == 0
    assert "No name server answers." in said.out
    assert "Nothing is wrong" not in said.out


def test_nothing_wrong_is_exit_code_0(deskside: Run, found: Run) -> None:
    found(msgspec.structs.replace(report(), findings=FINDINGS[1:]))
    assert deskside("check", "--json").code == 0
    said = deskside("check")
    assert (said.code, said.out) == (0, "Nothing is wrong.\n")
    assert "2 checks in 1.8 s" in said.err
    assert "Could not be found out: tls.time" in said.err


def test_people_read_the_cause_what_it_means_and_what_to_do(deskside: Run, found: Run) -> None:
    found(report(DEAD))
    said = deskside("check")
    assert said.code == 1
    assert said.out.splitlines() == [
        "! The name server does not answer (192.0.2.53)",
        "   Names cannot be looked up.�[31m",
        "   Restart the router.",
        "   Repair: deskside fix run dns.flush_cache",
        "   Read:   deskside articles show dns-name-lookup",
    ]


def test_events_are_one_object_a_line(deskside: Run, found: Run) -> None:
    found(report(DEAD))
    said = deskside("check", "--events")
    events = [msgspec.json.decode(line)["event"] for line in said.out.splitlines()]
    assert said.code == 1
    assert events == ["started", *["progress", "finding"] * 3, "diagnosis", "done"]


def test_a_run_that_failed_is_exit_code_3(deskside: Run, found: Run) -> None:
    found(RunFailed("The checks could not be started.", said="inner words"))
    said = deskside("check", "--json")
    assert (said.code, said.out) == (3, "")
    assert "inner words" not in said.err


def test_only_what_was_asked_for_is_run_and_not_kept_as_the_last_report(deskside: Run, found: Run) -> None:
    asked = found(report(DEAD))
    deskside("check", "--only", "dns, disk.space")
    assert asked[0]["only"] == {"dns", "disk.space"}
    assert deskside("ticket", "list", "--offline").code == 0
    from client.app import build

    assert build().last_report() is None
    deskside("check")
    assert build().last_report() == report(DEAD)


def test_the_settings_reach_the_run(deskside: Run, found: Run, tmp_path: Any) -> None:
    asked = found(report())
    file = tmp_path / "s.toml"
    file.write_text('[network]\nproxy = "none"\n[[services]]\nname = "A"\naddress = "a.example:1"')
    deskside("--settings", file, "check")
    assert asked[0]["targets"].network.proxy == "none"
    assert asked[0]["targets"].services[0].address == "a.example:1"
    assert asked[0]["argv"][-2:] == ("check", "--events")


def test_a_place_that_keeps_nothing_does_not_cost_the_result(deskside: Run, found: Run, tmp_path: Any) -> None:
    found(report(DEAD))
    (tmp_path / "state").write_text("in the way")
    said = deskside("check", "--json")
    assert (said.code, said.json["diagnosis"][0]["cause"]) == (1, "dns.unreachable")


@pytest.mark.parametrize("before", [(), ("--settings", "/nowhere"), ("--demo-folder", "/nowhere")])
def test_the_child_reads_its_targets_and_needs_no_settings(before: tuple[str, ...]) -> None:
    command = [
        sys.executable,
        "-P",
        "-m",
        "client",
        *before,
        "check",
        "--events",
        "--targets",
        "-",
        "--only",
        "nonsense",
    ]
    done = subprocess.run(command, input=b"{}", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"There is no area or check called nonsense." in done.stderr
    done = subprocess.run(command[:-2], input=b"[]", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"not a JSON object" in done.stderr
