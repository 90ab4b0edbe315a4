"""Carries out a plan as it was shown, and lets the checks say whether it helped.

The order: the plan is judged again, what failed is noted, each step is written down and then done, exactly the checks of the
plan are run again, and the difference is the result. The action's own word proves nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from client.errors import ActionFault, DesksideBug, DesksideError, StorageFault, UsageError
from client.fixes.actions import ACTIONS, ask_helper
from client.fixes.catalogue import BY_ID, FIXES, Fix, nearest
from client.fixes.it_scripts import PREFIX, Script, load
from client.fixes.journal import Ended, Journal, Record, Stepped, Undone, begun
from client.fixes.machine import Local, Machine
from client.fixes.plan import Planned, Say, narrowed
from client.model import FixOutcome, FixPlan, FixResult
from diagnostics.model import Finding, Report, Status

PLAN_S: Final = 60.0  # measuring a large home; its own limit is shorter
PLAN_LIVES_S: Final = 3600.0  # what somebody agreed to an hour ago is not what they agree to now
PLANS_KEPT: Final = 32
SETTLE_STEP_S: Final = 3.0  # between two looks while an effect may still show
REPORT_LIVES: Final = timedelta(minutes=10)  # an older report does not say how things are before the fix
FAILING: Final = frozenset({Status.FAILED, Status.WARNING})
SAID_NOTHING: Final = frozenset({Status.UNKNOWN, Status.SKIPPED})
LOOK_AGAIN: Final = "Look at the plan again, then decide."

Check = Callable[[tuple[str, ...]], Awaitable[Report]]
log = logging.getLogger(__name__)


class Fixes:
    """The fixes of this computer.

    Args:
        folder: where the journal is kept.
        allowed: ids or patterns ("disk.*", "*") that IT lets employees use; nothing else is offered or done.
        check: runs the checks of these ids or areas and gives their report.
        last_report: the last full report, None when there is none.
        machine: this computer, or a stand-in; by default this one without policy and helper.
    """

    def __init__(
        self,
        *,
        folder: Path,
        allowed: tuple[str, ...],
        check: Check,
        last_report: Callable[[], Report | None],
        machine: Machine | None = None,
    ) -> None:
        self._allowed = allowed
        self._check = check
        self._last_report = last_report
        self._machine: Machine = machine or Local(state=folder / "fixes")
        self._journal = Journal(folder)
        self._issued: list[tuple[float, FixPlan]] = []
        self._busy = False

    def list(self) -> tuple[tuple[str, str, str], ...]:
        """Every fix that may be offered on this platform: (id, title, summary).

        What only the privileged helper does is offered where there is one.
        """
        offers = self._offers()
        return tuple(
            (fix.id, fix.title, fix.summary)
            for fix in (*FIXES, *self._scripts().values())
            if not self._forbidden(fix) and (fix.actions or fix.privileged in offers)
        )

    async def plan(self, id: str) -> FixPlan:
        """What the fix would do here and now; changes nothing. A fix that cannot be done says why in `refused`.

        Raises:
            UsageError: there is no such fix.
        """
        fix = self._fix(id)
        if refused := self._forbidden(fix):
            return _plan(fix, Planned(refused=refused), checks=())
        planned: list[Planned] = []
        try:
            async with asyncio.timeout(PLAN_S):
                for action, option in fix.actions:
                    planned.append(await ACTIONS[action].plan(option, self._machine))
        except (OSError, TimeoutError) as error:
            log.info("planning %s failed: %s", id, error)
            planned = [Planned(refused="Deskside could not find out what this would do here, so it offers nothing.")]
        if fix.privileged and (not fix.actions or any(one.refused for one in planned)):
            planned = [ask_helper.offer(fix.privileged, self._offers(), planned)]
        plan = _plan(fix, *planned, checks=await self._checks(fix))
        if not plan.refused:
            self._issue(plan)
        return plan

    async def run(self, plan: FixPlan, *, progress: Say = lambda _: None) -> FixOutcome:
        """Carries out a plan that this object has made, or `narrowed` to what was chosen, and the employee has agreed to.

        Args:
            progress: hears a sentence as each step begins, and on the way.

        Raises:
            ActionFault: the plan is refused, or another fix is running; nothing was changed.
            StorageFault: what is about to be done cannot be written down; nothing was changed.
        """
        fix = self._must_accept(plan)
        if self._busy:
            raise ActionFault("Another fix is still running.", hint="Wait until it has ended, then try again.")
        self._busy = True
        try:
            return await self._run(fix, plan, progress)
        finally:
            self._busy = False

    async def undo(self, outcome_id: str) -> FixOutcome:
        """Puts back what a fix has changed.

        Raises:
            UsageError: no fix has this id.
            ActionFault: it cannot be undone (any more), or that did not work.
        """
        record = await asyncio.to_thread(self._record, outcome_id)
        if not record.undo:
            raise ActionFault("This cannot be undone.", hint="Ask your IT department if something is missing now.")
        began, clock = datetime.now(UTC), time.monotonic()
        words = []
        try:
            async with asyncio.timeout(self._fix(record.outcome.fix).deadline_s):
                for name, state in reversed(record.undo):
                    undo = ACTIONS[name].undo if name in ACTIONS else None
                    if undo is None:
                        raise ActionFault("This version of Deskside cannot undo it.")
                    words.append(await undo(state, self._machine))
        except (OSError, TimeoutError) as error:
            raise ActionFault("It could not be undone: this computer did not answer as expected.") from error
        outcome = FixOutcome(
            id=str(uuid.uuid4()),
            fix=record.outcome.fix,
            title=record.outcome.title,
            result=FixResult.UNDONE,
            words=" ".join(words),
            started_at=began,
            took_ms=_ms(clock),
        )
        await asyncio.to_thread(self._journal.write, Undone(id=outcome_id), Ended(outcome=outcome))
        return outcome

    def journal(self) -> tuple[FixOutcome, ...]:
        """The fixes tried on this computer, newest first. Reads a file."""
        return tuple(record.outcome for record in self._journal.records())

    def script_problems(self) -> tuple[str, ...]:
        """A sentence for each script of IT that cannot be used. Reads files."""
        return self._load_scripts()[1]

    # --- which fix

    def _fix(self, id: str) -> Fix:
        if fix := BY_ID.get(id) or (self._scripts().get(id) if id.startswith(PREFIX) else None):
            return fix
        near = nearest(id)
        raise UsageError(
            f"There is no fix {id!r}.",
            hint=f"Did you mean {near}?" if near else "`deskside fix list` shows every fix there is.",
        )

    def _scripts(self) -> dict[str, Fix]:
        """IT's scripts as fixes, by id."""
        found = {}
        for name, script in self._load_scripts()[0].items():
            manifest = script.manifest
            found[f"{PREFIX}{name}"] = Fix(
                id=f"{PREFIX}{name}",
                title=manifest.title,
                summary=manifest.summary,
                actions=(("run_script", name),),
                checks=manifest.checks,
                platforms=(self._machine.platform,),
                deadline_s=manifest.deadline_s + 30.0,
            )
        return found

    def _load_scripts(self) -> tuple[dict[str, Script], tuple[str, ...]]:
        machine = self._machine
        return load(machine.policy.scripts, platform=machine.platform, root=machine.root)

    # --- judging a plan

    def _forbidden(self, fix: Fix) -> str:
        if self._machine.platform not in fix.platforms:
            return "This fix does not exist for this operating system."
        if not any(fnmatchcase(fix.id, pattern) for pattern in self._allowed):
            return "Your IT department does not offer this fix on this computer."
        return ""

    def _must_accept(self, plan: FixPlan) -> Fix:
        """The fix of a plan that this object has made, that still holds, and that says nothing an action would not say."""
        fix = self._fix(plan.fix)
        if refused := plan.refused or self._forbidden(fix):
            raise ActionFault(refused, hint="Nothing was changed.")
        if not any(
            _is_of(plan, issued) for made_at, issued in self._issued if time.monotonic() - made_at <= PLAN_LIVES_S
        ):
            raise ActionFault("This plan is not one that Deskside has just made.", hint=LOOK_AGAIN)
        options = {**dict(fix.actions), **({ask_helper.NAME: fix.privileged} if fix.privileged else {})}
        for step in plan.steps:
            if step.action not in options or step.action not in ACTIONS:
                raise ActionFault("This plan holds a step that does not belong to this fix.", hint=LOOK_AGAIN)
            if problem := ACTIONS[step.action].accepts(step, options[step.action], self._machine):
                raise ActionFault(problem, hint=LOOK_AGAIN)
        return fix

    def _issue(self, plan: FixPlan) -> None:
        self._issued = [*self._issued[1 - PLANS_KEPT :], (time.monotonic(), plan)]

    def _offers(self) -> frozenset[str]:
        return self._machine.helper.offers() if self._machine.helper else frozenset()

    async def _checks(self, fix: Fix) -> tuple[str, ...]:
        """What failed among what the fix is about, and what could not be looked at because of that.

        Where nothing is known to fail: the areas it is about (a check of the catalogue may not exist on this system).
        """
        report = await asyncio.to_thread(self._last_report)
        concerned = [one for one in (report.findings if report else ()) if _concerns(fix, one)]
        failing = {one.check for one in concerned if one.status in FAILING}
        if not failing:
            return tuple(dict.fromkeys(one.split(".")[0] for one in fix.checks))
        return tuple(one.check for one in concerned if one.check in failing or one.skipped_because in failing)

    # --- carrying it out

    async def _run(self, fix: Fix, plan: FixPlan, progress: Say) -> FixOutcome:
        id, began, clock = str(uuid.uuid4()), datetime.now(UTC), time.monotonic()
        before = await self._before(plan, progress)
        line = begun(id=id, fix=fix.id, title=fix.title, steps=tuple(step.words for step in plan.steps), now=began)
        # A full disk must not keep us from freeing it; everything else waits for the journal.
        await asyncio.to_thread(self._journal.write, line, must=not fix.frees_disk)
        done: list[str] = []
        fault = ""
        can_undo = False
        after: tuple[Finding, ...] = ()
        result, words = FixResult.CANCELLED, "You stopped it."
        try:
            try:
                async with asyncio.timeout(fix.deadline_s):
                    for step in plan.steps:
                        progress(step.words)
                        action = ACTIONS[step.action]
                        undo = action.undo_of(step)
                        entry = Stepped(id=id, action=step.action, words=step.words, undo=undo)
                        await asyncio.to_thread(self._journal.write, entry, must=bool(undo))
                        can_undo = can_undo or bool(undo)
                        try:
                            done.append(await action.execute(step, self._machine, progress))
                        except ActionFault as error:
                            fault = f"{error.message} {error.hint}"
                            if not fix.carries_on:
                                break
            except TimeoutError:
                fault = "It took too long and was stopped."
            except StorageFault as error:  # a step that could not be undone after a crash is not begun
                fault = error.message
            except OSError as error:
                log.warning("%s failed: %s", fix.id, error)
                fault = "This computer did not let Deskside do it."
            if plan.checks and (done or not fault):
                progress("Checking whether it helped.")
            after = await self._settled(fix, plan, before) if plan.checks else ()
            result, words = judge(before, after, done=tuple(done), fault=fault)
        except asyncio.CancelledError:
            words = " ".join((*done, "You stopped it before it was finished."))
            raise
        except Exception as error:
            result, words = FixResult.FAILED, " ".join((*done, "Deskside made a mistake while doing this."))
            raise DesksideBug(f"The fix {fix.id} ended in a way that it should not.") from error
        finally:
            outcome = FixOutcome(
                id=id,
                fix=fix.id,
                title=fix.title,
                result=result,
                words=words,
                started_at=began,
                took_ms=_ms(clock),
                before=before,
                after=after,
                can_undo=can_undo,
            )
            self._journal.write(
                Ended(outcome=outcome)
            )  # in this thread: a cancelled task gets no other; one line takes milliseconds
        return outcome

    async def _before(self, plan: FixPlan, progress: Say) -> tuple[Finding, ...]:
        """What the plan's checks say now, from the last report when that is new enough."""
        if not plan.checks:
            return ()
        report = await asyncio.to_thread(self._last_report)
        if report is not None and _age(report) <= REPORT_LIVES:
            found = _of(report, plan, self._fix(plan.fix))
            if found:
                return found
        progress("Looking at how things are before the fix.")
        return await self._after(plan)

    async def _settled(self, fix: Fix, plan: FixPlan, before: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """What the checks say afterwards; while something still fails, again until the effect has had time to show."""
        ends = time.monotonic() + fix.settles_s
        after = await self._after(plan)
        while after and judge(before, after, done=(), fault="")[0] is FixResult.NO_CHANGE and time.monotonic() < ends:
            await asyncio.sleep(SETTLE_STEP_S)
            after = await self._after(plan)
        return after

    async def _after(self, plan: FixPlan) -> tuple[Finding, ...]:
        try:
            return _of(await self._check(plan.checks), plan, self._fix(plan.fix))
        except DesksideError as error:
            log.warning("the checks of %s could not be run: %s", plan.fix, error)
            return ()

    def _record(self, outcome_id: str) -> Record:
        for record in self._journal.records():
            if record.outcome.id == outcome_id:
                return record
        raise UsageError(f"There is no fix {outcome_id!r} in the journal.", hint="`deskside fix history` lists them.")


def judge(
    before: tuple[Finding, ...], after: tuple[Finding, ...], *, done: tuple[str, ...], fault: str
) -> tuple[FixResult, str]:
    """The result of a fix and its words: what was done, and what the checks say to it.

    Helped is only what failed before and is fine now, all of it, without a new failure where nothing could be seen before. A
    check that could not say anything proves nothing.
    """
    now = {one.check: one for one in after}
    failing = [one for one in before if one.status in FAILING]
    fine = [one for one in failing if one.check in now and now[one.check].status == Status.OK]
    silent = [one for one in failing if one.check not in now or now[one.check].status in SAID_NOTHING]
    still = [now[one.check] for one in failing if one.check in now and now[one.check].status in FAILING]
    milder = any(
        one.status == Status.FAILED and now[one.check].status == Status.WARNING for one in failing if one.check in now
    )
    known = {one.check for one in failing}
    fresh = [one for one in after if one.status in FAILING and one.check not in known]
    said = (*done, fault) if fault else done
    if failing and len(fine) == len(failing) and not fresh:
        return FixResult.HELPED, " ".join((*said, "Checked again:", *_summaries(now[one.check] for one in fine)))
    if fault and not fine:
        return FixResult.FAILED, " ".join(said)
    if still or (fine and fresh):
        better = "Better, but not solved:" if fine or milder else "It did not help:"
        return FixResult.NO_CHANGE, " ".join((*said, better, *_summaries((*still, *fresh))))
    if silent:
        return FixResult.DONE, " ".join((*said, "Whether it helped could not be checked."))
    if fresh:
        return FixResult.NO_CHANGE, " ".join((*said, "There is a problem now:", *_summaries(fresh)))
    return FixResult.DONE, " ".join(said)


def _summaries(findings: Iterable[Finding]) -> Iterable[str]:
    return dict.fromkeys(one.summary for one in findings)


def _plan(fix: Fix, *planned: Planned, checks: tuple[str, ...]) -> FixPlan:
    refused = next((one.refused for one in planned if one.refused), "")
    gains = [one.gain_bytes for one in planned if one.gain_bytes is not None]
    return FixPlan(
        fix=fix.id,
        title=fix.title,
        summary=fix.summary,
        steps=() if refused else tuple(step for one in planned for step in one.steps),
        checks=() if refused else checks,
        refused=refused,
        undo=" ".join(one.undo for one in planned if one.undo),
        gain_bytes=sum(gains) if gains and not refused else None,
        choice=planned[0].choice if len(planned) == 1 else "all",
    )


def _concerns(fix: Fix, finding: Finding) -> bool:
    return finding.check in fix.checks or finding.area in fix.checks


def _of(report: Report, plan: FixPlan, fix: Fix) -> tuple[Finding, ...]:
    """The findings of a plan's checks; of a whole area only those that its fix is about."""
    return tuple(
        one for one in report.findings if (one.check in plan.checks or one.area in plan.checks) and _concerns(fix, one)
    )


def _age(report: Report) -> timedelta:
    """How old a report is; very, where it does not say or lies in the future."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(report.started_at)
    except (ValueError, TypeError):
        return timedelta.max
    return age if age >= timedelta(0) else timedelta.max


def _is_of(plan: FixPlan, issued: FixPlan) -> bool:
    """Whether a plan is the issued one, or what an employee has chosen of it."""
    try:
        return plan == narrowed(issued, {number for number, step in enumerate(issued.steps) if step in plan.steps})
    except UsageError:
        return False


def _ms(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
