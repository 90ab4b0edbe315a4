"""What an agent reads first, as one model: every rendering (body, HTML body, summary.txt, report.html) is made from it.

The order is an agent's: the cause in one line, what shows it, what was tried and whether it helped, what changed, what the
employee says, which computer. Nothing here redacts; it is given what may leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from client.model import FixOutcome, FixResult
from client.receipt import LABEL
from client.report.values import measures
from diagnostics.model import Diagnosis, Finding, Report, Status

LONGEST_BODY: Final = 25  # lines: what an agent's screen shows without scrolling
FIXED_LINES: Final = 7  # cause, ref, environment, and the empty lines that make it read as Markdown
MOST_POINTS: Final = 11
MOST_QUOTED: Final = LONGEST_BODY - FIXED_LINES - MOST_POINTS - 1
MEASURES_IN_BODY: Final = 4

RESULTS: Final = {
    FixResult.HELPED: "helped",
    FixResult.NO_CHANGE: "did not help",
    FixResult.DONE: "done, nothing to check it by",
    FixResult.FAILED: "could not be carried out",
    FixResult.CANCELLED: "stopped by the employee",
    FixResult.INTERRUPTED: "cut off before it was finished",
    FixResult.UNDONE: "undone",
}
STATUSES: Final = {
    Status.OK: "fine",
    Status.WARNING: "warning",
    Status.FAILED: "failed",
    Status.SKIPPED: "not looked at",
    Status.UNKNOWN: "not known",
}
BAD: Final = (Status.FAILED, Status.WARNING)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket as an agent reads it. Every text is one line, except `words`.

    `points` are (label, text): "Seen", "Follows", "Also found", "Tried", "Last well", "Changed".
    `trimmed` says whether points were left out.
    """

    key: str
    headline: str
    points: tuple[tuple[str, str], ...] = ()
    words: str = ""
    environment: str = ""
    attached: tuple[str, ...] = ()


def tell(
    *,
    key: str,
    report: Report | None,
    words: str,
    tried: tuple[FixOutcome, ...],
    changed: tuple[str, ...],
    worked: str = "",
    environment: str,
    attached: tuple[str, ...] = (),
    with_diagnosis: bool = True,
    with_evidence: bool = True,
) -> Story:
    """Puts the story together.

    Args:
        key: the ticket's key; empty for a report that is no ticket.
        report: what the check found, None when none was run.
        words: what the employee wrote.
        tried: the fixes, oldest first.
        changed: what differs from when it last worked, a sentence each.
        worked: when that was (`last_well`), empty where it is not known.
        environment: which computer, in one line.
        attached: names of files that go along.
        with_diagnosis: False when the employee leaves it out.
        with_evidence: as above.
    """
    points: list[tuple[str, str]] = []
    if report is not None:
        points += _seen(report, with_diagnosis=with_diagnosis) if with_evidence else []
        points += _others(report) if with_diagnosis else []
    points += [("Tried", tried_line(one)) for one in tried]
    points += [("Last well", worked)] if worked else []
    points += [("Changed", one_line(one)) for one in changed]
    return Story(
        key=key,
        headline=_headline(report, with_diagnosis=with_diagnosis),
        points=tuple(points),
        words=words.strip(),
        environment=environment,
        attached=attached,
    )


def _headline(report: Report | None, *, with_diagnosis: bool) -> str:
    if report is None:
        return "Cause: not looked for; no check was run on this computer."
    if not with_diagnosis:
        return "Cause: the employee prefers not to send the diagnosis."
    if not report.diagnosis:
        unknown = sum(one.status is Status.UNKNOWN for one in report.findings)
        more = f", {unknown} could not be found out" if unknown else ""
        return f"Cause: none found; {len(report.findings)} checks see nothing that explains it{more}."
    return f"Cause: {cause_line(report.diagnosis[0])}"


def cause_line(cause: Diagnosis) -> str:
    """A cause in one line: "The name server does not answer - 10.0.0.53 (dns.unreachable, high severity, 97 % sure, for L2)"."""
    title = one_line(cause.title).rstrip(".")
    subject = f" \u2013 {one_line(cause.subject)}" if cause.subject and cause.subject not in cause.title else ""
    sure = f"{round(cause.confidence * 100)} % sure"
    return f"{title}{subject} ({cause.cause}, {cause.severity.value} severity, {sure}, for {cause.tier.value})"


def finding_line(finding: Finding, *, most: int = MEASURES_IN_BODY) -> str:
    """A finding with its numbers in one line."""
    numbers = measures(finding.measures, most=most)
    summary = one_line(finding.summary)
    return f"{finding.check} {STATUSES[finding.status]}: {summary}{f' ({numbers})' if numbers else ''}"


def tried_line(outcome: FixOutcome) -> str:
    """A fix with its proof in one line."""
    proof = "; ".join(_turned(outcome))
    words = one_line(outcome.words)
    said = f" {words}" if words else ""
    return f"{one_line(outcome.title)}: {RESULTS[outcome.result]}.{said}{f' [{proof}]' if proof else ''}"


def _turned(outcome: FixOutcome) -> list[str]:
    after = {one.check: one for one in outcome.after}
    return [
        f"{one.check} {STATUSES[one.status]} \u2192 {STATUSES[after[one.check].status]}"
        for one in outcome.before
        if one.check in after
    ]


def evidence(report: Report) -> list[Finding]:
    """The findings that show the first cause, then whatever else is wrong; without a cause all that is wrong."""
    by_id = {one.check: one for one in report.findings}
    first = report.diagnosis[0] if report.diagnosis else None
    shown = [by_id[id] for id in (first.evidence if first else ()) if id in by_id]
    explained = set(first.explains) if first else set()
    rest = [one for one in report.findings if one.status in BAD and one not in shown and one.check not in explained]
    return shown + rest


def _seen(report: Report, *, with_diagnosis: bool) -> list[tuple[str, str]]:
    found = evidence(report) if with_diagnosis else [one for one in report.findings if one.status in BAD]
    return [("Seen", finding_line(one)) for one in found]


def _others(report: Report) -> list[tuple[str, str]]:
    points = []
    if report.diagnosis and (explained := report.diagnosis[0].explains):
        points.append(("Follows", ", ".join(explained)))
    points += [("Also found", cause_line(one)) for one in report.diagnosis[1:]]
    return points


def last_well(healthy: Report, *, changed: bool) -> str:
    """When the last check found nothing wrong: "2026-01-30 16:05 UTC; since then nothing that is watched has changed"."""
    return f"{moment(healthy.started_at)}{'' if changed else '; since then nothing that is watched has changed'}"


def changes_told(worked: str, changed: tuple[str, ...]) -> tuple[str, ...]:
    """When it last worked, and what differs from then, a line each."""
    return (f"Last well: {worked}", *changed) if worked else changed


def one_line(text: str | None) -> str:
    """The text without line breaks or double spaces."""
    return " ".join((text or "").split())


def environment(*, who: Mapping[str, str], report: Report | None, device: str, facts: Mapping[str, Any]) -> str:
    """Which computer, in one line: name, system, model, network address, client, when it was checked."""
    system = str(facts.get("os.name") or "")
    if (version := str(facts.get("os.version") or "")) not in system:
        system = f"{system} {version}".strip()
    if kernel := facts.get("os.kernel"):
        system = f"{system} ({kernel})" if system else str(kernel)
    model = " ".join(str(facts[key]) for key in ("hardware.vendor", "hardware.model") if facts.get(key))
    parts = [device, system or who.get("platform", ""), model, _network(facts), who.get("client", "").capitalize()]
    if report is not None:
        parts.append(f"checked {moment(report.started_at)} in {report.duration_ms / 1000:.1f} s")
    return one_line(", ".join(part for part in parts if part))


def _network(facts: Mapping[str, Any]) -> str:
    """The addresses of the adapters in use; an agent would ask for them."""
    adapters = facts.get("interfaces.adapters")
    if not isinstance(adapters, list):
        return ""
    shown = []
    for one in adapters:
        if isinstance(one, Mapping) and one.get("connected") and one.get("addresses"):
            addresses = [str(address) for address in one["addresses"] if not str(address).lower().startswith("fe80")]
            if addresses:
                shown.append(f"{' '.join(addresses[:2])} on {one.get('name')}")
    return ", ".join(shown[:2])


def moment(started_at: str) -> str:
    """An RFC 3339 time as people write it, in UTC; as it was when it is none."""
    try:
        return f"{datetime.fromisoformat(started_at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return one_line(started_at)


# --- as text


def body(story: Story) -> str:
    """The ticket's body: plain text of at most 25 lines that also reads as Markdown."""
    quoted = _quote(story.words)
    room = MOST_POINTS + (MOST_QUOTED + 1 - len(quoted))
    points = _fit(story.points, room)
    blocks = [[story.headline], [f"- {label}: {text}" for label, text in points], quoted]
    blocks += [[f"Environment: {story.environment}"] if story.environment else []]
    blocks += [[f"{LABEL}{story.key}"] if story.key else []]  # the hash joins it once everything is known
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _quote(words: str) -> list[str]:
    """The employee's words as a quotation. Too many lines are joined, never cut: they may be all that the agent gets."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    if not lines:
        return []
    if len(lines) > MOST_QUOTED:
        lines = [*lines[: MOST_QUOTED - 1], " / ".join(lines[MOST_QUOTED - 1 :])]
    return ["> The employee writes:  ", *(f"> {line}  " for line in lines[:-1]), f"> {lines[-1]}"]


def _fit(points: tuple[tuple[str, str], ...], room: int) -> tuple[tuple[str, str], ...]:
    """As many points as fit. Of each kind the first stays longest; what is left out is counted."""
    if len(points) <= room:
        return points
    kept = list(points)
    left_out = 0
    while len(kept) > room - 1:
        counts = {label: sum(one == label for one, _ in kept) for label, _ in kept}
        fullest = max(counts, key=lambda label: counts[label])
        last = max(place for place, (label, _) in enumerate(kept) if label == fullest)
        del kept[last]
        left_out += 1
    return (*kept, ("More", f"{left_out} more point{'' if left_out == 1 else 's'} in the attached summary.txt"))


def summary(story: Story, *, causes: tuple[Diagnosis, ...]) -> str:
    """summary.txt: everything that the body had no room for, still plain text."""
    lines = [story.headline, ""]
    for number, one in enumerate(causes):
        lines += [cause_line(one)] if number else []
        lines += [f"  {one_line(one.explanation)}", f"  What to do: {one_line(one.advice)}", ""]
    for label in dict.fromkeys(label for label, _ in story.points):
        if label != "Also found":
            lines += [f"{label}:", *(f"  - {text}" for one, text in story.points if one == label), ""]
    if story.words:
        lines += ["The employee writes:", *(f"  {line}".rstrip() for line in story.words.splitlines()), ""]
    if story.environment:
        lines += [f"Environment: {story.environment}"]
    if story.attached:
        lines += [f"Attached: {', '.join(story.attached)}"]
    if story.key:
        lines += [f"{LABEL}{story.key}"]
    return "\n".join(lines).rstrip() + "\n"
