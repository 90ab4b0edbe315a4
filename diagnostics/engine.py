"""One whole run: checks, facts, reasoner, report. What the command line, the child process and the tests start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from diagnostics import __version__
from diagnostics.causes.catalogue import CATALOGUE
from diagnostics.causes.cause import Evidence
from diagnostics.causes.reasoner import reason
from diagnostics.facts import collect
from diagnostics.model import Diagnosed, Diagnosis, Done, Event, Finding, Report
from diagnostics.probe import Probe
from diagnostics.registry import load
from diagnostics.runner import RUN_DEADLINE_S, run, select
from diagnostics.targets import Targets

TOOL: Final = f"deskside {__version__}"
FACTS_S: Final = 3.0  # after the checks have ended: what is not known by then is left out
NOTHING_WRONG, SOMETHING_WRONG, USAGE, FAILED = 0, 1, 2, 3

log = logging.getLogger(__name__)
Listener = Callable[[Event], None]


class UsageFault(Exception):
    """What was asked for makes no sense. `hint` says what would."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def ignore(_: Event) -> None:
    """Hears an event and does nothing."""


async def examine(
    targets: Targets,
    *,
    only: frozenset[str] = frozenset(),
    listen: Listener = ignore,
    probe: Probe | None = None,
    deadline_s: float = RUN_DEADLINE_S,
) -> Report:
    """Runs the checks (those of the areas or ids in `only`, or all) and gives the report; `listen` hears every event, `Done` last.

    Raises:
        UsageFault: `only` names neither an area nor a check.
    """
    began, started_at = time.monotonic(), datetime.now(UTC)
    checks = load()
    known = {one.area for one in checks} | {one.id for one in checks}
    if strange := sorted(only - known):
        areas = ", ".join(sorted({one.area for one in checks}))
        raise UsageFault(f"There is no area or check called {strange[0]}.", hint=f"The areas are: {areas}.")
    machine = probe or Probe()
    facts: asyncio.Task[Mapping[str, Any]] | None = None if only else asyncio.create_task(_facts(machine))
    findings = await run(select(checks, only), probe=machine, targets=targets, listen=listen, deadline_s=deadline_s)
    collected = await _in_time(facts) if facts is not None else {}
    report = conclude(
        findings,
        targets=targets,
        facts=collected,
        platform=machine.platform,
        started_at=started_at,
        took_s=time.monotonic() - began,
    )
    listen(Diagnosed(diagnosis=report.diagnosis))
    listen(Done(report=report))
    return report


async def _facts(probe: Probe) -> Mapping[str, Any]:
    try:
        return await collect(probe)
    except Exception:  # the boundary of the facts: a report without them is still a report
        log.exception("the facts could not be collected")
        return {}


async def _in_time(facts: asyncio.Task[Mapping[str, Any]]) -> Mapping[str, Any]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FACTS_S):
            return await facts
    return {}


def conclude(
    findings: Iterable[Finding],
    *,
    targets: Targets,
    facts: Mapping[str, Any],
    platform: str,
    started_at: datetime,
    took_s: float,
) -> Report:
    """Judges what was found and makes the report. `started_at` is UTC, `took_s` seconds."""
    everything = tuple(findings)
    evidence = Evidence(
        findings={one.check: one for one in everything}, targets=targets, facts=facts, platform=platform
    )
    diagnosis: tuple[Diagnosis, ...] = reason(evidence, CATALOGUE)
    return Report(
        tool=TOOL,
        started_at=started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_ms=round(took_s * 1000),
        platform=platform,
        diagnosis=diagnosis,
        findings=everything,
        facts=dict(facts),
    )


def read_targets(path: Path) -> Targets:
    """The targets in a settings file of the shape of DESIGN 4.4; keys that are not the checks' business are ignored.

    Raises:
        UsageFault: it cannot be read, or a value has the wrong type; the message names the key.
    """
    import tomllib  # noqa: PLC0415 -- only the stand-alone program reads files

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageFault(
            f"The settings file {path} cannot be read: {error.strerror}.", hint="Check its name."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageFault(f"The settings file {path} is not valid TOML: {error}.", hint="Correct that line.") from error
    desk = raw.get("desk") if isinstance(raw.get("desk"), dict) else {}
    wanted: dict[str, Any] = {key: raw[key] for key in ("network", "services", "thresholds") if key in raw}
    return as_targets({**wanted, "desk_url": (desk or {}).get("url", "")})


def as_targets(raw: Mapping[str, Any]) -> Targets:
    """Targets from plain values.

    Raises:
        UsageFault: a value has the wrong type; the message names the key.
    """
    try:
        return msgspec.convert(raw, Targets)
    except msgspec.ValidationError as error:
        raise UsageFault(f"The settings do not fit: {error}.", hint="Correct that value.") from error


def print_event(event: Event) -> None:
    """Writes an event as one line of JSON on stdout, at once."""
    sys.stdout.buffer.write(msgspec.json.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def run_events(targets: Targets, only: frozenset[str] = frozenset()) -> int:
    """Runs the checks and prints every event as a line of JSON; gives the exit code. Call `leave` with it.

    Raises:
        UsageFault: as `examine`.
    """
    report = asyncio.run(examine(targets, only=only, listen=print_event))
    return SOMETHING_WRONG if report.diagnosis else NOTHING_WRONG


def run_report(targets: Targets, only: frozenset[str] = frozenset(), listen: Listener = ignore) -> Report:
    """Runs the checks and gives the report, for a program of its own.

    Raises:
        UsageFault: as `examine`.
    """
    return asyncio.run(examine(targets, only=only, listen=listen))


def leave(code: int) -> None:
    """Ends the process now: threads that hang in a native call do not keep it."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
