"""The runner and the register: order, skipping, deadlines, crashes; and what is declared wrongly."""

import asyncio
import logging

import pytest

from diagnostics import registry
from diagnostics.model import Found, Outcome, Progress, Started, Status
from diagnostics.probe import Probe
from diagnostics.registry import Check, RegistryError, load, ordered
from diagnostics.runner import run, select
from diagnostics.targets import Targets

FINE = Outcome(status=Status.OK, summary="Fine.")
BROKEN = Outcome(status=Status.FAILED, summary="The cable is out.")


def check(id, function=None, *, gives=FINE, **more):
    async def give(_):
        return gives

    return Check(id=id, area=id.partition(".")[0], words=f"Looking at {id}", run=function or give, **more)


def go(*checks, deadline_s=5.0):
    events = []
    findings = asyncio.run(run(checks, probe=Probe(), targets=Targets(), listen=events.append, deadline_s=deadline_s))
    return {one.check: one for one in findings}, events


def test_every_check_gives_one_finding_and_its_events():
    findings, events = go(check("a.a"), check("b.b"))
    assert set(findings) == {"a.a", "b.b"}
    assert events[0] == Started(checks=("a.a", "b.b"))
    assert {one.check for one in events if isinstance(one, Progress)} == {"a.a", "b.b"}
    assert [one.finding.check for one in events if isinstance(one, Found)].count("a.a") == 1


def test_what_needs_a_failed_check_is_skipped_and_names_the_root():
    findings, _ = go(check("a.a", gives=BROKEN), check("b.b", needs=("a.a",)), check("c.c", needs=("b.b",)))
    assert findings["c.c"].status is Status.SKIPPED
    assert findings["c.c"].skipped_because == "a.a"
    assert findings["c.c"].summary == "Not looked at, because the cable is out."


@pytest.mark.parametrize("status", [Status.OK, Status.WARNING, Status.UNKNOWN])
def test_only_a_failure_skips(status):
    findings, _ = go(check("a.a", gives=Outcome(status=status, summary="")), check("b.b", needs=("a.a",)))
    assert findings["b.b"].status is Status.OK


def test_what_comes_after_a_failed_check_still_runs_and_sees_it():
    seen = {}

    async def look(context):
        seen["status"] = context.findings["a.a"].status
        return FINE

    findings, _ = go(check("a.a", gives=BROKEN), check("b.b", look, after=("a.a",)))
    assert findings["b.b"].status is Status.OK
    assert seen == {"status": Status.FAILED}


def test_what_can_run_at_once_does():
    met, everybody = [], asyncio.Event()

    async def meet(_):
        met.append(1)
        if len(met) == 3:
            everybody.set()
        await everybody.wait()
        return FINE

    findings, _ = go(*(check(f"a.{number}", meet) for number in range(3)))
    assert all(one.status is Status.OK for one in findings.values())


def test_a_check_that_hangs_is_unknown_and_the_others_go_on():
    async def hang(_):
        await asyncio.Event().wait()

    findings, _ = go(check("a.a", hang, deadline_s=0.05), check("b.b"))
    assert findings["a.a"].status is Status.UNKNOWN
    assert findings["b.b"].status is Status.OK


def test_a_blocking_call_that_hangs_does_not_hold_the_others():
    import threading

    gate = threading.Event()

    async def hang(context):
        await context.probe.in_thread(gate.wait)

    findings, _ = go(check("a.a", hang, deadline_s=0.05), check("b.b"))
    gate.set()
    assert (findings["a.a"].status, findings["b.b"].status) == (Status.UNKNOWN, Status.OK)


def test_a_check_that_crashes_is_unknown(caplog):
    async def crash(_):
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        findings, _ = go(check("a.a", crash))
    assert findings["a.a"].status is Status.UNKNOWN
    assert "a.a crashed" in caplog.text


def test_what_is_not_permitted_is_unknown():
    async def forbidden(_):
        raise PermissionError

    findings, _ = go(check("a.a", forbidden))
    assert "does not allow" in findings["a.a"].summary


def test_the_run_ends_at_its_deadline_and_what_never_began_is_unknown():
    async def hang(_):
        await asyncio.Event().wait()

    findings, _ = go(check("a.a", hang, deadline_s=9.0), check("b.b", after=("a.a",)), deadline_s=0.05)
    assert {one.status for one in findings.values()} == {Status.UNKNOWN}


def test_only_takes_along_what_it_waits_for():
    checks = (check("a.a"), check("b.b", needs=("a.a",)), check("c.c", after=("b.b",)), check("d.d"))
    assert [one.id for one in select(checks, frozenset({"c"}))] == ["a.a", "b.b", "c.c"]
    assert [one.id for one in select(checks, frozenset({"b.b"}))] == ["a.a", "b.b"]
    assert select(checks, frozenset()) == checks


def test_checks_are_ordered_by_what_they_wait_for():
    checks = {one.id: one for one in (check("b.b", after=("a.a",)), check("a.a"))}
    assert [one.id for one in ordered(checks)] == ["a.a", "b.b"]


def test_waiting_for_each_other_is_an_error():
    checks = {one.id: one for one in (check("a.a", after=("b.b",)), check("b.b", needs=("a.a",)))}
    with pytest.raises(RegistryError, match="wait for each other"):
        ordered(checks)


def test_waiting_for_nobody_is_an_error():
    with pytest.raises(RegistryError, match="does not exist"):
        ordered({"a.a": check("a.a", needs=("x.x",))})


def test_a_second_check_of_the_same_id_is_an_error(monkeypatch):
    monkeypatch.setattr(registry, "_checks", {})
    registry.check("a.a", words="")(None)
    with pytest.raises(RegistryError, match="twice"):
        registry.check("a.a", words="")(None)


def test_an_id_needs_an_area_and_a_noun():
    with pytest.raises(RegistryError, match=r"area\.noun"):
        registry.check("alone", words="")(None)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_platform_has_its_checks_in_order(platform, monkeypatch):
    monkeypatch.setattr(registry.sys, "platform", platform)
    found = [one.id for one in load()]
    for one in load():
        assert all(found.index(other) < found.index(one.id) for other in (*one.needs, *one.after))
    assert "dns.resolvers" in found
    assert all(one.words and one.words[0].isupper() for one in load())
