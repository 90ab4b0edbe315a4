"""Runs checks: in dependency order, at once wherever they can, each with a deadline and all with one.

A check that crashes, hangs or is not permitted is one `unknown` finding; the others go on. A native call that hangs keeps its
thread: that is why a run lives in a process of its own, which `diagnostics.supervise` can end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from diagnostics.model import Event, Finding, Found, Outcome, Progress, Started, Status
from diagnostics.probe import Probe
from diagnostics.registry import Check, Context
from diagnostics.targets import Targets

RUN_DEADLINE_S: Final = 18.0  # an employee waits 20 s at the most; the rest is for starting, judging and printing

log = logging.getLogger(__name__)
Listener = Callable[[Event], None]


def select(checks: Iterable[Check], only: frozenset[str]) -> tuple[Check, ...]:
    """The checks whose area or id is in `only`, and everything that those wait for. An empty `only` selects all."""
    by_id = {check.id: check for check in checks}
    if not only:
        return tuple(by_id.values())
    wanted: set[str] = set()
    todo = [check.id for check in by_id.values() if check.area in only or check.id in only]
    while todo:
        if (id := todo.pop()) not in wanted:
            wanted.add(id)
            todo += [*by_id[id].needs, *by_id[id].after]
    return tuple(check for check in by_id.values() if check.id in wanted)


async def run(
    checks: tuple[Check, ...],
    *,
    probe: Probe,
    targets: Targets,
    listen: Listener,
    deadline_s: float = RUN_DEADLINE_S,
) -> tuple[Finding, ...]:
    """Runs the checks (ordered, their needs among them) and gives one finding each, in the order given.

    Args:
        listen: hears `Started`, then `Progress` and `Found` of each check; called in this thread, must not block.
        deadline_s: after this many seconds everything unfinished is `unknown`.
    """
    listen(Started(checks=tuple(check.id for check in checks)))
    findings: dict[str, Finding] = {}
    ends = asyncio.get_running_loop().time() + deadline_s
    tasks: dict[str, asyncio.Task[None]] = {}

    async def one(check: Check) -> None:
        for id in (*check.needs, *check.after):
            await asyncio.wait([tasks[id]])
        finding = await _run_one(check, probe=probe, targets=targets, findings=findings, listen=listen, ends=ends)
        findings[check.id] = finding
        listen(Found(finding=finding))

    for check in checks:
        tasks[check.id] = asyncio.create_task(one(check), name=check.id)
    for outcome in await asyncio.gather(*tasks.values(), return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    return tuple(findings[check.id] for check in checks)


async def _run_one(
    check: Check, *, probe: Probe, targets: Targets, findings: Mapping[str, Finding], listen: Listener, ends: float
) -> Finding:
    for id in check.needs:
        if findings[id].status in {Status.FAILED, Status.SKIPPED}:
            root = findings[id].skipped_because or id
            words = f"Not looked at, because {findings[root].summary[:1].lower()}{findings[root].summary[1:]}"
            return _finding(check, Outcome(status=Status.SKIPPED, summary=words), skipped_because=root)
    left = ends - asyncio.get_running_loop().time()
    if left <= 0:
        return _finding(check, Outcome(status=Status.UNKNOWN, summary="There was no time left to look."))
    listen(Progress(check=check.id, area=check.area, words=check.words))
    began = time.monotonic()
    try:
        async with asyncio.timeout(min(check.deadline_s, left)):
            outcome = await check.run(Context(probe=probe, targets=targets, findings=findings))
    except TimeoutError:
        outcome = Outcome(status=Status.UNKNOWN, summary="This took too long to find out.")
    except PermissionError:
        outcome = Outcome(status=Status.UNKNOWN, summary="This computer does not allow Deskside to look.")
    except Exception:  # the boundary of a check: whatever it does wrong, the run goes on
        log.exception("the check %s crashed", check.id)
        outcome = Outcome(status=Status.UNKNOWN, summary="Deskside could not find this out.")
    return _finding(check, outcome, took_s=time.monotonic() - began)


def _finding(check: Check, outcome: Outcome, *, took_s: float = 0.0, skipped_because: str | None = None) -> Finding:
    return Finding(
        check=check.id,
        area=check.area,
        status=outcome.status,
        summary=outcome.summary,
        measures=outcome.measures,
        duration_ms=round(took_s * 1000),
        skipped_because=skipped_because,
    )
