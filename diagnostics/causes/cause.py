"""What a cause is, and the evidence it is judged by. Imports the model and the targets, nothing that measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from diagnostics.model import Finding, Severity, Status, Tier
from diagnostics.targets import Targets


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One instance of a cause that holds: what it is about, how sure, what shows it, the numbers for its words.

    `explains` adds patterns (as in `Cause.explains`) for this instance alone. `severity` overrides the cause's own.
    `fixes` replaces the cause's own where these cannot help this instance.
    `spare` lists "cause" or "cause:subject" patterns that this instance does not explain although the cause's patterns say so.
    """

    subject: str | None = None
    confidence: float
    evidence: tuple[str, ...]
    values: Mapping[str, object] = {}
    explains: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()
    severity: Severity | None = None
    fixes: tuple[str, ...] | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has found. Measures are plain JSON values, because they may have come through a pipe."""

    findings: Mapping[str, Finding]
    targets: Targets = Targets()
    facts: Mapping[str, Any] = {}
    platform: str = "linux"

    def status(self, check: str) -> Status | None:
        """How a check ended, None when it did not run at all."""
        finding = self.findings.get(check)
        return None if finding is None else finding.status

    def is_status(self, check: str, *statuses: Status) -> bool:
        """Whether a check ended in one of the statuses."""
        return self.status(check) in statuses

    def failed(self, check: str) -> bool:
        """The check failed. Skipped and unknown are not failures."""
        return self.status(check) is Status.FAILED

    def bad(self, check: str) -> bool:
        """The check failed or warned."""
        return self.status(check) in {Status.FAILED, Status.WARNING}

    def measure(self, check: str, name: str, default: Any = None) -> Any:
        """A measure of a check, `default` when it is not there."""
        finding = self.findings.get(check)
        return default if finding is None else finding.measures.get(name, default)

    def number(self, check: str, name: str) -> float | None:
        """A measure that is a number, None otherwise."""
        value = self.measure(check, name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def items(self, check: str, name: str) -> tuple[dict[str, Any], ...]:
        """A measure that is a list of objects, as a tuple; empty otherwise."""
        value = self.measure(check, name)
        return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list | tuple) else ()


Holds = Callable[[Evidence], Iterable[Match]]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be wrong, as data.

    `title`, `explanation` and `advice` are format strings over a match's `values` and `subject` ("{gateway}"). `explains` are
    patterns (`fnmatch`) over check ids and cause ids: what of that is bad is this cause's consequence. `holds` gives one match for
    each instance (each volume, each service). It must be sure of what it claims: a check that was skipped or is unknown proves
    nothing.
    """

    id: str
    severity: Severity
    tier: Tier
    title: str
    explanation: str
    advice: str
    holds: Holds
    explains: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
