"""A run in a child: what it says is heard, and its crash, its silence and its nonsense cost as little as possible."""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import pytest

from diagnostics.model import Done, Found, Report, Started, Status
from diagnostics.supervise import RunFailed, supervise
from diagnostics.targets import Network, Targets

SAYS = """
import json, os, sys, time
def say(event): print(json.dumps(event), flush=True)
def found(check, status, **measures):
    area = check.split(".")[0]
    found = {"check": check, "area": area, "status": status, "summary": "S", "measures": measures}
    say({"event": "finding", "finding": found})
targets = json.load(sys.stdin)
say({"event": "started", "checks": ["dns.resolvers", "disk.space", "service.company"]})
found("disk.space", "ok")
"""
DEAD = 'found("dns.resolvers", "failed", problem="silent", servers=[{"server": "10.0.0.53", "answered": False}])\n'


def go(script, *, deadline_s=10.0, only=frozenset(), targets=None):
    events = []
    report = asyncio.run(
        supervise(
            (sys.executable, "-c", script),
            targets=targets or Targets(),
            only=only,
            listen=events.append,
            deadline_s=deadline_s,
        )
    )
    return report, events


def test_the_real_child_is_heard_to_the_end():
    events = []
    report = asyncio.run(
        supervise(
            (sys.executable, "-m", "diagnostics", "--events"),
            targets=Targets(),
            only=frozenset({"vpn"}),
            listen=events.append,
        )
    )
    assert [one.check for one in report.findings] == ["vpn.tunnels"]
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Done)


def test_a_child_that_dies_midway_leaves_the_rest_unknown_and_the_causes_judged():
    report, events = go(SAYS + DEAD + "os._exit(9)")
    status = {one.check: one.status for one in report.findings}
    assert status == {"dns.resolvers": Status.FAILED, "disk.space": Status.OK, "service.company": Status.UNKNOWN}
    assert [one.cause for one in report.diagnosis] == ["dns.unreachable"]
    assert isinstance(events[-1], Done)


def test_a_child_that_crashes_in_native_code_is_survived():
    report, _ = go(SAYS + DEAD + "os.kill(os.getpid(), 11)")
    assert report.diagnosis[0].subject == "10.0.0.53"


def test_a_child_that_hangs_is_ended_at_the_deadline_with_its_own_children():
    script = (
        SAYS
        + DEAD
        + "import subprocess\np = subprocess.Popen(['sleep', '600'])\nprint(p.pid, file=sys.stderr, flush=True)\n"
    )
    script += "say({'event': 'progress', 'check': str(p.pid), 'area': 'x', 'words': 'w'})\ntime.sleep(600)"
    began = time.monotonic()
    report, events = go(script, deadline_s=1.5)
    assert time.monotonic() - began < 10
    assert {one.check for one in report.findings if one.status is Status.UNKNOWN} == {"service.company"}
    pid = int(next(one.check for one in events if type(one).__name__ == "Progress"))
    state = "Z"
    for _ in range(100):  # the kernel ends it in its own time
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except OSError:
            state = "Z"
        if state == "Z":
            break
        time.sleep(0.05)
    assert state == "Z"


def test_lines_that_are_no_events_are_passed_over():
    report, events = go(SAYS + "print('library chatter')\nprint('{}')\nprint('{\"event\": \"unheard\"}')\n" + DEAD)
    assert {one.finding.check for one in events if isinstance(one, Found)} == {"disk.space", "dns.resolvers"}
    assert report.findings


def test_a_child_that_closes_its_pipes_and_lives_on_is_ended():
    began = time.monotonic()
    go(SAYS + "os.close(1)\nos.close(2)\ntime.sleep(600)", deadline_s=5)
    assert time.monotonic() - began < 5


def test_a_child_that_never_begins_is_a_failed_run_with_its_last_words():
    with pytest.raises(RunFailed) as caught:
        go("import sys; sys.exit('no such settings')")
    assert "no such settings" in caught.value.said


def test_a_program_that_is_not_there_is_a_failed_run():
    with pytest.raises(RunFailed, match="could not be started"):
        asyncio.run(supervise(("/nowhere/deskside",), targets=Targets()))


def test_a_silent_child_that_never_begins_ends_at_the_deadline():
    with pytest.raises(RunFailed):
        go("import time; time.sleep(600)", deadline_s=0.3)


def test_targets_and_areas_reach_the_child():
    script = (
        SAYS
        + "say({'event': 'progress', 'check': targets['network']['proxy'], 'area': ','.join(sys.argv[1:]), 'words': ''})\n"
    )
    _, events = go(script, targets=Targets(network=Network(proxy="none")), only=frozenset({"dns", "disk"}))
    told = next(one for one in events if type(one).__name__ == "Progress")
    assert (told.check, told.area) == ("none", "--targets,-,--only,disk,dns")


def test_a_report_of_many_megabytes_arrives_whole():
    report = Report(tool="t", started_at="s", duration_ms=1, platform="linux", facts={"software": ["x" * 100] * 50_000})
    assert len(msgspec.json.encode(Done(report=report))) > 5_000_000
    script = SAYS + "facts = {'software': ['x' * 100] * 50000}\n"
    script += "report = {'tool': 't', 'started_at': 's', 'duration_ms': 1, 'platform': 'linux', 'facts': facts}\n"
    script += "say({'event': 'done', 'report': report})"
    found, _ = go(script)
    assert found == report


def test_a_cancelled_run_takes_its_child_along():
    async def start_and_cancel():
        begun = asyncio.Event()
        argv = (sys.executable, "-c", SAYS + "time.sleep(600)")
        task = asyncio.create_task(supervise(argv, targets=Targets(), listen=lambda _: begun.set()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(start_and_cancel())
    assert time.monotonic() - began < 10
