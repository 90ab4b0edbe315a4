"""A fix from plan to proof: only what was shown runs, and the checks say whether it helped."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from client.errors import ActionFault, DesksideBug, DesksideError, StorageFault, UsageError
from client.fixes import execute as execute_module
from client.fixes.actions import ACTIONS
from client.fixes.execute import Fixes, judge
from client.fixes.journal import FILE, Begun, Ended, Journal, Stepped
from client.fixes.machine import Completed
from client.model import FixOutcome, FixResult, Step
from diagnostics.model import Finding, Status

RESOLVED = "/run/systemd/resolve/stub-resolv.conf"


class Desk:
    """Fixes over a pretended computer whose checks answer what the test says."""

    def __init__(self, machine, folder: Path, report) -> None:
        self.machine, self.folder, self.report = machine, folder, report
        self.asked: list[tuple[str, ...]] = []
        self.before = report(("dns.resolvers", "failed"), ("internet.https", "failed"), ("disk.space", "ok"))
        self.after = report(("dns.resolvers", "ok"), ("internet.https", "ok"))
        self.fixes = self.make()
        machine.files[RESOLVED] = ""
        machine.installed.add("resolvectl")

    def make(self, *, allowed=("*",)) -> Fixes:
        return Fixes(
            folder=self.folder, allowed=allowed, check=self.check, last_report=lambda: self.before, machine=self.machine
        )

    async def check(self, ids):
        self.asked.append(tuple(ids))
        if isinstance(self.after, Exception):
            raise self.after
        return self.after

    def plan(self, id="dns.flush_cache"):
        return asyncio.run(self.fixes.plan(id))

    def run(self, plan, **more):
        return asyncio.run(self.fixes.run(plan, **more))


@pytest.fixture
def desk(machine, tmp_path, report) -> Desk:
    return Desk(machine, tmp_path / "state", report)


# --- planning


def test_the_list_holds_what_is_allowed_here(desk):
    assert len(desk.fixes.list()) == 14
    assert [id for id, _, _ in desk.make(allowed=("disk.*",)).list()] == ["disk.free_space", "disk.empty_trash"]
    assert desk.make(allowed=()).list() == ()


def test_a_plan_names_exactly_the_checks_that_failed_of_what_it_is_about(desk):
    plan = desk.plan()
    assert plan.checks == ("dns.resolvers", "internet.https")
    assert plan.refused == ""
    assert plan.undo.startswith("Not needed")
    assert desk.machine.ran == []


def test_what_could_not_be_seen_because_of_a_failure_is_looked_at_too(desk):
    hidden = [
        Finding(
            check="internet.http", area="internet", status=Status.SKIPPED, summary="x", skipped_because="dns.resolvers"
        ),
        Finding(
            check="internet.line", area="internet", status=Status.SKIPPED, summary="x", skipped_because="link.adapters"
        ),
    ]
    desk.before = msgspec.structs.replace(desk.before, findings=(*desk.before.findings, *hidden))
    assert desk.plan().checks == ("dns.resolvers", "internet.https", "internet.http")


def test_without_a_failure_the_plan_looks_at_everything_it_is_about(desk):
    desk.before = None
    assert desk.plan().checks == ("dns", "internet", "service")


def test_an_unknown_fix_has_a_hint(desk):
    with pytest.raises(UsageError) as caught:
        desk.plan("dns.flush_cash")
    assert "dns.flush_cache" in caught.value.hint


def test_a_forbidden_fix_is_refused_in_words(desk):
    fixes = desk.make(allowed=("settings.*",))
    plan = asyncio.run(fixes.plan("dns.flush_cache"))
    assert "IT department" in plan.refused
    with pytest.raises(ActionFault, match="IT department"):
        asyncio.run(fixes.run(plan))


def test_a_computer_that_does_not_answer_is_a_refusal_and_no_error(desk):
    desk.machine.installed.add("nmcli")
    desk.machine.answers["nmcli",] = TimeoutError()
    assert "could not find out" in desk.plan("network.reconnect").refused


# --- running, and proof


def test_a_fix_that_helps_is_proved_by_the_checks_that_failed(desk):
    said = []
    outcome = desk.run(desk.plan(), progress=said.append)
    assert outcome.result is FixResult.HELPED
    assert desk.asked == [("dns.resolvers", "internet.https")]
    assert [one.status for one in outcome.before] == [Status.FAILED, Status.FAILED]
    assert [one.status for one in outcome.after] == [Status.OK, Status.OK]
    assert outcome.words.startswith("The remembered names are cleared. Checked again: dns.resolvers is ok.")
    assert said[-1] == "Checking whether it helped."
    assert desk.machine.ran == [("resolvectl", "flush-caches")]
    assert desk.fixes.journal() == (outcome,)


@pytest.mark.parametrize("before", [None, "old", "future", "unreadable"])
def test_without_a_recent_report_the_state_before_is_looked_at_first(desk, before):
    times = {"old": -3600, "future": 3600}
    if before is None:
        desk.before = None
    else:
        when = datetime.now(UTC) + timedelta(seconds=times.get(before, 0))
        stamp = "last week" if before == "unreadable" else when.isoformat()
        desk.before = desk.report(("dns.resolvers", "failed"), started_at=stamp)
    desk.after = desk.report(("dns.resolvers", "failed"))
    outcome = desk.run(desk.plan())
    assert len(desk.asked) == 2
    assert outcome.result is FixResult.NO_CHANGE


def test_checks_that_cannot_be_run_prove_nothing(desk):
    desk.after = DesksideBug("the run failed")
    outcome = desk.run(desk.plan())
    assert outcome.result is FixResult.DONE
    assert "could not be checked" in outcome.words


def test_a_step_that_fails_keeps_no_other_connection_from_coming_back(desk):
    turned_off(desk)
    first, second = ("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f" + end for end in "01")
    desk.machine.answers["nmcli", "--terse", "--fields", "UUID,TYPE,NAME,STATE", "connection", "show", "--active"] = (
        f"{first}:ethernet:Spare:activated\n{second}:wifi:Office:activated\n"
    )
    desk.machine.answers["nmcli", "--wait", "45", "connection", "up", "uuid", first] = Completed(code=4)
    outcome = desk.run(desk.plan("network.reconnect"))
    assert desk.machine.ran[-1][-1] == second
    assert "did not come back" in outcome.words
    assert outcome.result is FixResult.HELPED  # the checks say so


def test_a_settings_page_is_done_without_checks(desk):
    desk.machine.environment = {"DISPLAY": ":0"}
    desk.machine.installed.add("gnome-control-center")
    outcome = desk.run(desk.plan("settings.sound"))
    assert outcome.result is FixResult.DONE
    assert desk.asked == []


def test_a_failing_action_is_failed_unless_the_checks_are_fine(desk):
    plan = desk.plan()
    desk.machine.answers["resolvectl",] = Completed(code=1)
    desk.after = desk.before
    assert desk.run(plan).result is FixResult.FAILED
    desk.after = desk.report(("dns.resolvers", "ok"), ("internet.https", "ok"))
    outcome = desk.run(desk.plan())
    assert outcome.result is FixResult.HELPED
    assert "did not let us" in outcome.words


def test_an_effect_that_takes_a_moment_is_waited_for_and_no_longer(desk, monkeypatch):
    monkeypatch.setattr(execute_module, "SETTLE_STEP_S", 0.0)
    fix = execute_module.BY_ID["dns.flush_cache"]
    answers = [desk.report(("dns.resolvers", "failed"), ("internet.https", "failed"))] * 2
    answers.append(desk.report(("dns.resolvers", "ok"), ("internet.https", "ok")))

    async def check(ids):
        desk.asked.append(ids)
        return answers[min(len(desk.asked), 3) - 1]

    desk.check = check
    desk.fixes = desk.make()
    monkeypatch.setitem(execute_module.BY_ID, fix.id, msgspec.structs.replace(fix, settles_s=30.0))
    assert desk.run(desk.plan()).result is FixResult.HELPED
    assert len(desk.asked) == 3
    desk.asked.clear()
    monkeypatch.setitem(execute_module.BY_ID, fix.id, fix)
    assert desk.run(desk.plan()).result is FixResult.NO_CHANGE
    assert len(desk.asked) == 1


@pytest.mark.parametrize("error", [OSError("no such program"), TimeoutError()])
def test_faults_of_the_machine_become_words(desk, error):
    plan = desk.plan()
    desk.machine.answers["resolvectl",] = error
    desk.after = desk.before
    outcome = desk.run(plan)
    assert outcome.result is FixResult.FAILED
    assert "Errno" not in outcome.words


def test_a_mistake_of_ours_is_told_as_one_and_kept(desk):
    plan = desk.plan()
    desk.machine.answers["resolvectl",] = KeyError("x")
    with pytest.raises(DesksideBug):
        desk.run(plan)
    assert desk.fixes.journal()[0].result is FixResult.FAILED


def finding(check, status):
    return Finding(check=check, area=check.split(".")[0], status=Status(status), summary=f"{check} {status}.")


@pytest.mark.parametrize(
    ("before", "after", "fault", "result", "words"),
    [
        ({"a.x": "failed"}, {"a.x": "ok"}, "", FixResult.HELPED, "a.x ok."),
        ({"a.x": "warning"}, {"a.x": "ok"}, "", FixResult.HELPED, "a.x ok."),
        ({"a.x": "failed"}, {"a.x": "failed"}, "", FixResult.NO_CHANGE, "did not help"),
        ({"a.x": "failed"}, {"a.x": "warning"}, "", FixResult.NO_CHANGE, "Better, but not solved"),
        (
            {"a.x": "failed", "a.y": "failed"},
            {"a.x": "ok", "a.y": "failed"},
            "",
            FixResult.NO_CHANGE,
            "Better, but not solved: a.y failed.",
        ),
        ({"a.x": "failed"}, {"a.x": "unknown"}, "", FixResult.DONE, "could not be checked"),
        ({"a.x": "failed"}, {"a.x": "skipped"}, "", FixResult.DONE, "could not be checked"),
        (
            {"a.x": "failed", "a.y": "failed"},
            {"a.x": "ok", "a.y": "unknown"},
            "",
            FixResult.DONE,
            "could not be checked",
        ),
        ({"a.x": "failed"}, {}, "", FixResult.DONE, "could not be checked"),
        ({"a.x": "ok"}, {"a.x": "ok"}, "", FixResult.DONE, "Done."),
        ({"a.x": "unknown"}, {"a.x": "ok"}, "", FixResult.DONE, "Done."),
        ({"a.x": "ok"}, {"a.x": "failed"}, "", FixResult.NO_CHANGE, "There is a problem now"),
        ({}, {}, "", FixResult.DONE, "Done."),
        ({"a.x": "failed"}, {"a.x": "failed"}, "It broke.", FixResult.FAILED, "It broke."),
        ({}, {}, "It broke.", FixResult.FAILED, "It broke."),
        ({"a.x": "failed", "a.y": "skipped"}, {"a.x": "ok", "a.y": "ok"}, "", FixResult.HELPED, "a.x ok."),
        (
            {"a.x": "failed", "a.y": "skipped"},
            {"a.x": "ok", "a.y": "failed"},
            "",
            FixResult.NO_CHANGE,
            "not solved: a.y failed.",
        ),
        (
            {"a.x": "failed", "a.y": "failed"},
            {"a.x": "ok", "a.y": "failed"},
            "It broke.",
            FixResult.NO_CHANGE,
            "It broke. Better",
        ),
        ({"a.x": "failed"}, {"a.x": "ok"}, "It broke.", FixResult.HELPED, "It broke."),
    ],
)
def test_the_checks_judge(before, after, fault, result, words):
    def findings(pairs):
        return tuple(finding(check, status) for check, status in pairs.items())

    judged, said = judge(findings(before), findings(after), done=("Done.",), fault=fault)
    assert judged is result
    assert words in said


# --- only what was shown


def test_a_tampered_plan_is_refused_and_nothing_runs(desk):
    plan = desk.plan()
    (step,) = plan.steps
    replace = msgspec.structs.replace
    for other in (
        replace(plan, steps=(replace(step, words="Nothing at all."),)),
        replace(plan, steps=(replace(step, details=()),)),
        replace(plan, steps=(replace(step, parameters={"cache": "nscd"}),)),
        replace(plan, steps=(step, step)),
        replace(plan, steps=()),
        replace(plan, checks=()),
        replace(plan, summary="Harmless."),
        replace(plan, fix="disk.empty_trash"),
        replace(plan, undo="Everything comes back."),
        replace(plan, steps=(Step(action="clear_caches", parameters=step.parameters, words=step.words),)),
    ):
        with pytest.raises(ActionFault, match="not one that Deskside has just made"):
            desk.run(other)
    assert desk.machine.ran == []
    assert desk.fixes.journal() == ()
    assert desk.run(plan).result is FixResult.HELPED


def test_a_plan_of_another_process_or_of_an_hour_ago_is_refused(desk, monkeypatch):
    plan = desk.plan()
    with pytest.raises(ActionFault, match="just made"):
        asyncio.run(desk.make().run(plan))
    monkeypatch.setattr(execute_module, "PLAN_LIVES_S", -1.0)
    with pytest.raises(ActionFault, match="just made"):
        desk.run(plan)


def test_an_issued_plan_whose_step_no_longer_fits_is_refused(desk, monkeypatch):
    """The second fence, behind the first: even a plan that counts as ours is judged step by step."""
    plan = desk.plan()
    forged = msgspec.structs.replace(
        plan, steps=(msgspec.structs.replace(plan.steps[0], parameters={"cache": "windows"}),)
    )
    foreign = msgspec.structs.replace(plan, steps=(Step(action="empty_trash", words="x"),))
    unknown = msgspec.structs.replace(
        plan, steps=(Step(action="shell", parameters={"command": "rm -rf ~"}, words="x"),)
    )
    for bad, words in ((forged, "no cache"), (foreign, "does not belong"), (unknown, "does not belong")):
        desk.fixes._issue(bad)
        with pytest.raises(ActionFault, match=words):
            desk.run(bad)
    assert desk.machine.ran == []


def test_a_refused_plan_cannot_be_run(desk):
    desk.machine.files.clear()
    plan = desk.plan()
    with pytest.raises(ActionFault, match="does not remember names"):
        desk.run(plan)


def test_one_fix_at_a_time(desk):
    async def both():
        plan = await desk.fixes.plan("dns.flush_cache")
        first = asyncio.ensure_future(desk.fixes.run(plan))
        await asyncio.sleep(0)
        with pytest.raises(ActionFault, match="still running"):
            await desk.fixes.run(plan)
        return await first

    assert asyncio.run(both()).result is FixResult.HELPED


# --- stopping


class Slow:
    """Makes the command wait until the test lets it go on, and says when it has begun."""

    def __init__(self, machine) -> None:
        self.begun = asyncio.Event()
        self.ended = False
        real = machine.run

        async def run(argv, *, deadline_s):
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended = True
            return await real(argv, deadline_s=deadline_s)

        machine.run = run


def test_a_cancelled_fix_is_in_the_journal_as_such(desk):
    async def stop():
        slow = Slow(desk.machine)
        task = asyncio.ensure_future(desk.fixes.run(await desk.fixes.plan("dns.flush_cache")))
        await slow.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return slow

    assert asyncio.run(stop()).ended
    (outcome,) = desk.fixes.journal()
    assert outcome.result is FixResult.CANCELLED
    assert "You stopped it" in outcome.words


def test_a_fix_that_takes_too_long_is_stopped(desk, monkeypatch):
    fix = msgspec.structs.replace(execute_module.BY_ID["dns.flush_cache"], deadline_s=0.05)
    monkeypatch.setitem(execute_module.BY_ID, "dns.flush_cache", fix)
    desk.after = desk.before

    async def run():
        slow = Slow(desk.machine)
        return slow, await desk.fixes.run(await desk.fixes.plan("dns.flush_cache"))

    slow, outcome = asyncio.run(run())
    assert slow.ended
    assert outcome.result is FixResult.FAILED
    assert "took too long" in outcome.words


def test_cancelling_stops_the_removal_of_files(desk):
    """The thread that removes is asked to stop and waited for: nothing goes after the fix has ended."""
    cache = desk.machine.home / ".cache/someapp"
    cache.mkdir(parents=True)
    for number in range(3000):
        (cache / f"f{number}").write_bytes(b"x" * 1000)

    def count():
        return sum(1 for _ in cache.iterdir())

    async def stop():
        plan = await desk.fixes.plan("disk.free_space")
        task = asyncio.ensure_future(desk.fixes.run(plan))
        while count() > 2900:  # noqa: ASYNC110 -- the disk sends no event
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return count()

    left = asyncio.run(stop())
    assert 0 < left == count()


# --- undo


def turned_off(desk):
    desk.machine.installed.add("nmcli")
    desk.machine.answers["nmcli", "--terse", "--fields", "RUNNING,NETWORKING,WIFI-HW,WIFI", "general"] = (
        "running:enabled:enabled:disabled\n"
    )
    names = ("network-control", "enable-disable-wifi")
    desk.machine.answers["nmcli", "--terse", "general", "permissions"] = "".join(
        f"org.freedesktop.NetworkManager.{n}:yes\n" for n in names
    )
    desk.machine.answers["nmcli", "--terse", "--fields", "DEVICE,TYPE,STATE", "device"] = "wlp3s0:wifi:unavailable\n"


def test_what_was_changed_is_put_back_once(desk):
    turned_off(desk)
    outcome = desk.run(desk.plan("network.reconnect"))
    assert outcome.can_undo
    assert desk.fixes.journal()[0].can_undo
    undone = asyncio.run(desk.make().undo(outcome.id))  # a later process can, too
    assert undone.result is FixResult.UNDONE
    assert desk.machine.ran[-1] == ("nmcli", "radio", "wifi", "off")
    results = [(one.result, one.can_undo) for one in desk.fixes.journal()]
    assert results == [(FixResult.UNDONE, False), (outcome.result, False)]
    with pytest.raises(ActionFault, match="cannot be undone"):
        asyncio.run(desk.fixes.undo(outcome.id))


def test_what_cannot_be_undone_says_so(desk):
    outcome = desk.run(desk.plan())
    assert not outcome.can_undo
    with pytest.raises(ActionFault, match="cannot be undone"):
        asyncio.run(desk.fixes.undo(outcome.id))
    with pytest.raises(UsageError):
        asyncio.run(desk.fixes.undo("nonsense"))


def test_an_undo_that_fails_can_be_tried_again(desk):
    turned_off(desk)
    outcome = desk.run(desk.plan("network.reconnect"))
    desk.machine.answers["nmcli", "radio"] = Completed(code=1)
    with pytest.raises(DesksideError):
        asyncio.run(desk.fixes.undo(outcome.id))
    del desk.machine.answers["nmcli", "radio"]
    assert asyncio.run(desk.fixes.undo(outcome.id)).result is FixResult.UNDONE


def test_every_action_that_keeps_an_undo_state_can_use_it():
    for action in ACTIONS.values():
        if action.undo is None:
            assert action.undo_of(Step(action=action.name, parameters={"how": "wifi_on"}, words="x")) == {}


# --- the journal


def outcome(id, *, at=0):
    when = datetime(2026, 1, 31, 9, tzinfo=UTC) + timedelta(seconds=at)
    return FixOutcome(id=id, fix="dns.flush_cache", title="t", result=FixResult.DONE, words="w", started_at=when)


def test_a_torn_line_costs_only_itself(tmp_path):
    journal = Journal(tmp_path)
    journal.write(Ended(outcome=outcome("one")))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"event":"ended","outcome":{"id":"torn"')
    journal.write(Ended(outcome=outcome("two", at=1)))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'\n\xff\xfe{]\n[]\n{"event":"of a newer version"}\n')
    assert [one.outcome.id for one in journal.records()] == ["two", "one"]


def test_cut_anywhere_the_journal_can_be_read_and_goes_on(tmp_path):
    journal = Journal(tmp_path)
    for number in range(3):
        journal.write(Ended(outcome=outcome(f"o{number}", at=number)))
    data = (tmp_path / FILE).read_bytes()
    for end in range(len(data) + 1):
        (tmp_path / FILE).write_bytes(data[:end])
        Journal(tmp_path).write(Ended(outcome=outcome("next", at=9)))
        ids = [one.outcome.id for one in Journal(tmp_path).records()]
        assert ids[0] == "next"
        assert ids[1:] == [f"o{number}" for number in reversed(range(len(ids) - 1))]


def test_a_process_that_is_gone_leaves_a_fix_without_end_and_that_is_told(tmp_path):
    journal = Journal(tmp_path)
    line = Begun(
        id="x",
        fix="disk.free_space",
        title="t",
        started_at=datetime.now(UTC),
        steps=("One.", "Two."),
        process=2**22 - 1,
        process_started=1.0,
    )
    journal.write(line, Stepped(id="x", action="clear_caches", words="One.", undo={"k": "v"}))
    (record,) = journal.records()
    assert record.outcome.result is FixResult.FAILED
    assert "It was at: One." in record.outcome.words
    assert record.outcome.can_undo


def test_a_fix_of_a_process_that_still_runs_is_not_told_as_failed(tmp_path):
    import psutil

    me = psutil.Process()
    line = Begun(
        id="x",
        fix="f",
        title="t",
        started_at=datetime.now(UTC),
        steps=(),
        process=me.pid,
        process_started=me.create_time(),
    )
    Journal(tmp_path).write(line)
    assert Journal(tmp_path).records() == ()


def test_a_long_journal_is_shortened_and_keeps_the_newest(tmp_path, monkeypatch):
    monkeypatch.setattr("client.fixes.journal.LARGEST", 20_000)
    monkeypatch.setattr("client.fixes.journal.KEPT", 10)
    journal = Journal(tmp_path)
    for number in range(200):
        journal.write(Ended(outcome=outcome(f"o{number}", at=number)))
    assert (tmp_path / FILE).stat().st_size < 25_000
    ids = [one.outcome.id for one in journal.records()]
    assert ids[:10] == [f"o{number}" for number in range(199, 189, -1)]
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [FILE]


def test_a_journal_nobody_may_write_stops_a_fix_that_needs_it_and_no_fix_of_a_full_disk(desk):
    desk.folder.write_text("a file where the folder should be")
    plan = desk.plan()
    with pytest.raises(StorageFault, match="did nothing"):
        desk.run(plan)
    assert desk.machine.ran == []
    cache = desk.machine.home / ".cache/someapp"
    cache.mkdir(parents=True)
    (cache / "data").write_bytes(b"x" * 2_000_000)
    outcome = desk.run(desk.plan("disk.free_space"))
    assert not (cache / "data").exists()
    assert desk.fixes.journal()[0].id == outcome.id  # kept in memory until the disk takes it
    desk.folder.unlink()
    desk.run(desk.plan())
    assert len(desk.make().journal()) == 2


def test_the_journal_is_private(desk):
    desk.run(desk.plan())
    assert (desk.folder / FILE).stat().st_mode & 0o777 == 0o600


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from client.fixes.execute import Fixes
from client.fixes.machine import Local
from diagnostics.model import Report

machine = Local()
machine.home, machine.environment, machine.root = Path(sys.argv[1]), {}, Path(sys.argv[1])
machine.programs = lambda: frozenset()
real = machine.now_ns
machine.now_ns = lambda: real() + 2 * 3600 * 10**9

async def check(ids):
    return Report(tool="t", started_at="2026-01-31T09:00:00Z", duration_ms=1, platform="linux")

async def main():
    fixes = Fixes(folder=Path(sys.argv[2]), allowed=("*",), check=check, last_report=lambda: None, machine=machine)
    plan = await fixes.plan("disk.free_space")
    assert not plan.refused, plan.refused
    steps = iter(range(9))
    def progress(words):
        if words.startswith("Clearing") and next(steps) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    await fixes.run(plan, progress=progress)

asyncio.run(main())
"""


def test_killed_in_the_middle_the_journal_says_where_it_was(tmp_path):
    home = tmp_path / "home"
    for name in ("aaa", "bbb", "pip"):
        (home / ".cache" / name).mkdir(parents=True)
        (home / ".cache" / name / "data").write_bytes(b"x" * 2_000_000)
    root = Path(execute_module.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), str(tmp_path / "state")],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == -9, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "state" / FILE).read_bytes().split(b"\n") if line]
    assert [line["event"] for line in lines] == ["begun", "step"]
    (record,) = Journal(tmp_path / "state").records()
    assert record.outcome.result is FixResult.FAILED
    assert "was ended before this was finished. It was at: Remove what programs have stored" in record.outcome.words
    assert sum((home / ".cache" / name / "data").exists() for name in ("aaa", "bbb", "pip")) == 2
