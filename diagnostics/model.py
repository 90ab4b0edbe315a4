"""What the checks, the reasoner and their readers hand to each other. Imports nothing of the project.

Every type is frozen and goes to JSON as it is (msgspec). The JSON of `Report` and its ids are a public contract: a change
needs a new `SCHEMA` and a line in CHANGELOG.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import msgspec

SCHEMA: Final = 1


class Status(StrEnum):
    """What one check saw. `UNKNOWN` (timed out, not permitted, crashed) is neither a failure nor fine."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """What the screen does with a cause: low is listed, medium turns the icon, high says so, critical interrupts."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Tier(StrEnum):
    """Who can usually solve it: the first line or the employee, an administrator, the specialists of the system."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


class Privacy(StrEnum):
    """How much a fact tells about a person; the redaction decides by it what leaves the machine."""

    PUBLIC = "public"  # says nothing about who: versions, sizes
    DEVICE = "device"  # identifies the device: serial, MAC, host name
    NETWORK = "network"  # identifies the place: addresses, network names
    PERSONAL = "personal"  # identifies the person: account, home folder


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a check function returns: a status, one plain sentence, and the numbers (units in their names)."""

    status: Status
    summary: str
    measures: dict[str, Any] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check's outcome in one run. `skipped_because` names the check whose failure made this one pointless."""

    check: str
    area: str
    status: Status
    summary: str
    measures: dict[str, Any] = {}
    duration_ms: int = 0
    skipped_because: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing collected without judging it: a dotted key, a JSON value and its privacy class."""

    key: str
    value: Any
    privacy: Privacy


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that was found to hold, with its words filled in.

    `confidence` is 0 to 1. `evidence` names the checks that show it; `explains` the checks and causes that are its consequences.
    """

    cause: str
    subject: str | None = None
    severity: Severity
    confidence: float
    title: str
    explanation: str
    advice: str
    evidence: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    tier: Tier = Tier.L1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, as `deskside check --json` prints it. `started_at` is UTC (RFC 3339). Most likely cause first."""

    schema: int = SCHEMA
    tool: str
    started_at: str
    duration_ms: int
    platform: str
    diagnosis: tuple[Diagnosis, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: dict[str, Any] = {}
    redactions: int = 0


class Started(msgspec.Struct, frozen=True, kw_only=True, tag="started", tag_field="event"):
    """The run has begun; these checks will report, in no particular order."""

    checks: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field="event"):
    """A check has begun; `words` says in plain words what is being looked at."""

    check: str
    area: str
    words: str


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="finding", tag_field="event"):
    """A check has ended."""

    finding: Finding


class Diagnosed(msgspec.Struct, frozen=True, kw_only=True, tag="diagnosis", tag_field="event"):
    """The reasoner has spoken; `diagnosis` as in the report."""

    diagnosis: tuple[Diagnosis, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done", tag_field="event"):
    """The run has ended; nothing follows."""

    report: Report


Event = Started | Progress | Found | Diagnosed | Done
