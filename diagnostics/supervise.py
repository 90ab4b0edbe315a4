"""Starts a run in a child process, listens to it, and ends it at its deadline. What was found until then is judged all the same."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from diagnostics.engine import conclude
from diagnostics.model import Diagnosed, Done, Event, Finding, Found, Report, Started, Status
from diagnostics.targets import Targets

DEADLINE_S: Final = 20.0  # as long as an employee waits at the most; the child's own deadline is shorter
LINE_LIMIT_BYTES: Final = 64 * 1024 * 1024  # the last line is the whole report, with lists of software and logs
TAIL_BYTES: Final = 2000  # of what the child said on stderr, for the log

Listener = Callable[[Event], None]


class RunFailed(Exception):
    """The child found out nothing at all. `said` is the end of its stderr."""

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said


async def supervise(
    argv: Sequence[str],
    *,
    targets: Targets,
    only: frozenset[str] = frozenset(),
    listen: Listener | None = None,
    deadline_s: float = DEADLINE_S,
) -> Report:
    """Runs `argv` (a command that prints events and takes `--targets -` and `--only`) and gives its report.

    A child that dies, hangs or talks nonsense costs the checks that it had not finished: they are `unknown`, and the causes are
    judged by the others. `listen` hears every event, then `Diagnosed` and `Done`, on this loop's thread.

    Raises:
        RunFailed: the child could not be started, or ended before the first check began.
    """
    hear = listen or (lambda _: None)
    began, started_at = time.monotonic(), datetime.now(UTC)
    words = [*argv, "--targets", "-"]
    if only:
        words += ["--only", ",".join(sorted(only))]
    try:
        child = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT_BYTES,
            start_new_session=sys.platform != "win32",  # so that its own children end with it
        )
    except OSError as error:
        raise RunFailed(f"The checks could not be started: {error}.") from error
    heard = _Heard(hear)
    complaints = asyncio.create_task(_tail(child))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await _converse(child, targets, heard)
    finally:
        _end(child)
        with contextlib.suppress(TimeoutError):  # one that is stuck in a dead disk ends when the disk lets go of it
            async with asyncio.timeout(1.0):
                await child.wait()
        with contextlib.suppress(TimeoutError):  # a grandchild may still hold the pipe
            async with asyncio.timeout(0.5):
                await asyncio.shield(complaints)
    if heard.report is not None:
        return heard.report
    if heard.started is None:
        said = complaints.result() if complaints.done() and not complaints.cancelled() else ""
        raise RunFailed("The checks ended before they began.", said=said)
    complaints.cancel()
    report = conclude(
        heard.everything(),
        targets=targets,
        facts={},
        platform=sys.platform,
        started_at=started_at,
        took_s=time.monotonic() - began,
    )
    hear(Diagnosed(diagnosis=report.diagnosis))
    hear(Done(report=report))
    return report


class _Heard:
    """What the child has said so far."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._findings: dict[str, Finding] = {}
        self.started: Started | None = None
        self.report: Report | None = None

    def line(self, raw: bytes) -> None:
        """Takes one line; what is no event is not for us (a library that prints)."""
        try:
            event = msgspec.json.decode(raw, type=Event)
        except (msgspec.ValidationError, msgspec.DecodeError):
            return
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, Found):
            self._findings[event.finding.check] = event.finding
        elif isinstance(event, Done):
            self.report = event.report
        self._listen(event)

    def everything(self) -> tuple[Finding, ...]:
        """The findings in the order announced; the unfinished ones are unknown."""
        checks = self.started.checks if self.started else ()
        return tuple(
            self._findings.get(id)
            or Finding(
                check=id, area=id.partition(".")[0], status=Status.UNKNOWN, summary="This took too long to find out."
            )
            for id in checks
        )


async def _converse(child: asyncio.subprocess.Process, targets: Targets, heard: _Heard) -> None:
    if child.stdin is None or child.stdout is None:
        return
    with contextlib.suppress(OSError):  # it died before it listened: its silence says so
        child.stdin.write(msgspec.json.encode(targets))
        await child.stdin.drain()
        child.stdin.close()
    while heard.report is None:
        try:
            raw = await child.stdout.readline()
        except ValueError:  # longer than the limit: what is left of it is no line of ours
            continue
        if not raw:
            return
        heard.line(raw)


async def _tail(child: asyncio.subprocess.Process) -> str:
    said = b""
    while child.stderr is not None and (more := await child.stderr.read(65_536)):
        said = (said + more)[-TAIL_BYTES:]
    return said.decode("utf-8", "replace")


def _end(child: asyncio.subprocess.Process) -> None:
    """Ends the child and, where there are process groups, its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            if child.returncode is None:
                child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
