"""A fix from plan to proof: only what was shown runs, and the checks say whether it helped."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from client.errors import ActionFault, DesksideBug, UsageError
from client.fixes import execute as execute_module
from client.fixes.catalogue import FIXES
from client.fixes.execute import judge
from client.fixes.machine import Completed
from client.model import FixResult, Step
from diagnostics.model import Finding, Status

# --- planning


def test_the_list_holds_what_is_allowed_here(desk):
    assert len(desk.fixes.list()) == len([fix for fix in FIXES if fix.actions and "linux" in fix.platforms])
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
    desk.turn_wifi_off()
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
