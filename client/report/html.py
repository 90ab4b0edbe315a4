"""The report as one page, and the ticket's body as HTML. Jinja2 escapes everything; the page asks for nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec

from client.model import FixOutcome
from client.report.summary import BAD, RESULTS, STATUSES, Story, evidence, moment, one_line
from client.report.values import label, rows, words
from diagnostics.model import Finding, Report, Status

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "resources" / "templates"
AREAS: Final = {
    "link": "Cable and Wi-Fi",
    "address": "Network address",
    "route": "Way out of the network",
    "gateway": "Router",
    "internet": "Internet",
    "dns": "Names (DNS)",
    "hosts": "Hosts file",
    "vpn": "VPN",
    "internal": "Company network",
    "proxy": "Proxy",
    "quality": "Quality of the line",
    "path": "Path",
    "ipv6": "IPv6",
    "tls": "Certificates",
    "clock": "Clock",
    "service": "Company services",
    "disk": "Disks",
    "memory": "Memory",
    "processor": "Processor",
    "battery": "Battery",
    "system": "System",
    "updates": "Updates",
    "printing": "Printing",
    "devices": "Devices",
    "security": "Security",
    "account": "Account",
}
GROUPS: Final = {"os": "System", "hardware": "Computer", "interfaces": "Network", "facts": "Not found out"}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A finding for the page: its status and word for it, its sentence, its numbers as (label, words)."""

    check: str
    status: str
    status_words: str
    summary: str
    numbers: tuple[tuple[str, str], ...]


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one area, and how many of them are not fine."""

    title: str
    findings: tuple[Shown, ...]
    bad: int
    open_questions: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A fix: what it was, how it ended, and each check before and after."""

    title: str
    result: str
    result_words: str
    words: str
    turned: tuple[tuple[str, Shown, Shown], ...]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one kind as rows."""

    title: str
    rows: tuple[tuple[str, str], ...]


def page(
    *,
    story: Story,
    report: Report | None,
    tried: tuple[FixOutcome, ...],
    changed: tuple[str, ...],
    facts: Mapping[str, Any],
    who: Mapping[str, str],
    subject: str,
) -> str:
    """The whole report as one HTML page.

    Args:
        story: the ticket as an agent reads it.
        report: what was found, without what is left out; None when nothing was checked.
        tried: the fixes, oldest first.
        changed: what differs from when it last worked.
        facts: the facts that go along (of the report, without what is left out).
        who: `client`, `device`, `platform`.
        subject: the ticket's subject; empty for a report.
    """
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            story=story,
            headline=story.headline.removeprefix("Cause: "),
            report=report,
            causes=report.diagnosis if report else (),
            when=moment(report.started_at) if report else "",
            took=f"{report.duration_ms / 1000:.1f} s" if report else "",
            evidence=[shown(one) for one in evidence(report)] if report else [],
            tried=[_tried(one) for one in tried],
            changed=[one_line(one) for one in changed],
            areas=areas(report.findings) if report else [],
            counts=_counts(report.findings) if report else {},
            groups=groups(facts),
            software=_software(facts),
            logs=[str(line) for line in facts.get("logs.errors") or ()],
            redactions=report.redactions if report else 0,
            who=who,
            subject=subject,
        )
    )


def fragment(story: Story) -> str:
    """The ticket's body as HTML: the same model as the text, with no styles of its own, for desks that want HTML."""
    return _environment().get_template("body.html.j2").render(story=story).strip()


def areas(findings: tuple[Finding, ...]) -> list[Area]:
    """The findings by area, areas with something wrong first, otherwise in the order of the run."""
    by_area: dict[str, list[Finding]] = {}
    for one in findings:
        by_area.setdefault(one.area, []).append(one)
    found = [
        Area(
            title=AREAS.get(area, area.replace("_", " ").capitalize()),
            findings=tuple(shown(one) for one in members),
            bad=sum(one.status in BAD for one in members),
            open_questions=sum(one.status in {Status.UNKNOWN, Status.SKIPPED} for one in members),
        )
        for area, members in by_area.items()
    ]
    return sorted(found, key=lambda area: (area.bad == 0, area.open_questions == 0))


def groups(facts: Mapping[str, Any]) -> list[Group]:
    """The facts by kind, without software and logs, which have places of their own."""
    by_group: dict[str, list[tuple[str, str]]] = {}
    for key, value in facts.items():
        group, _, name = key.partition(".")
        if group not in {"software", "logs"}:
            by_group.setdefault(group, []).extend(rows(name or group, value))
    return [
        Group(title=GROUPS.get(group, label(group).capitalize()), rows=tuple(found))
        for group, found in by_group.items()
    ]


def shown(finding: Finding) -> Shown:
    """A finding as the page shows it."""
    plain = sorted(finding.measures.items(), key=lambda item: isinstance(item[1], list | Mapping))
    numbers = [
        (label(name), "\n".join(words(name, one) for one in value))
        if isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
        else (label(name), words(name, value))
        for name, value in plain
    ]
    return Shown(
        check=finding.check,
        status=finding.status.value,
        status_words=STATUSES[finding.status],
        summary=one_line(finding.summary),
        numbers=tuple(numbers),
    )


def _tried(outcome: FixOutcome) -> Tried:
    after = {one.check: one for one in outcome.after}
    return Tried(
        title=one_line(outcome.title),
        result=outcome.result.value,
        result_words=RESULTS[outcome.result],
        words=one_line(outcome.words),
        turned=tuple((one.check, shown(one), shown(after[one.check])) for one in outcome.before if one.check in after),
    )


def _counts(findings: tuple[Finding, ...]) -> dict[str, int]:
    counts = {word: sum(one.status is status for one in findings) for status, word in STATUSES.items()}
    return {word: count for word, count in counts.items() if count}


def _software(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = facts.get("software.list")
    if isinstance(found, Mapping):
        return [(str(name), "" if version is None else str(version)) for name, version in found.items()]
    return [(words("software", one), "") for one in found] if isinstance(found, list) else []


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
