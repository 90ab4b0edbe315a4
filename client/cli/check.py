"""`deskside check`: what is wrong with this computer, for people, as JSON, or as events while it is found out."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from client.cli.root import nearest
from client.cli.session import Session
from client.cli.show import clean, count, put, put_json, put_paragraph, say
from client.errors import UsageError
from diagnostics.model import Diagnosis, Event, Found, Progress, Report, Severity, Started, Status

if TYPE_CHECKING:
    from client.model import Announcement

NOT_WELL: Final = 1
_MARKS: Final = {Severity.CRITICAL: "!!", Severity.HIGH: "! ", Severity.MEDIUM: "* ", Severity.LOW: "- "}


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--only", default="", metavar="AREA,..", help="Only these areas or checks, and what they need.")
@click.option("--events", is_flag=True, help="Print one JSON object a line as things are found out.")
@click.pass_obj
def command(session: Session, *, as_json: bool, only: str, events: bool) -> int:
    """See what is wrong with this computer, and why. Nothing is changed and nothing leaves the computer.

    Exit codes: 0 nothing wrong, 1 at least one cause found, 2 wrong use, 3 the check itself failed.
    """
    if as_json and events:
        raise UsageError("--json and --events exclude each other.", hint="Choose one of them.")
    chosen = frozenset(one.strip() for one in only.split(",") if one.strip())
    if only and not chosen:
        raise UsageError("--only names nothing.", hint="For example: deskside check --only dns,internet")
    _known(chosen)
    line = _ProgressLine()
    try:
        report = session.run(lambda app: app.check(only=chosen, listen=put_json if events else line.hear))
    finally:
        line.clear()
    if as_json:
        put_json(report)
    elif not events:
        print_report(report, known=session.app.bulletin.known)
    return NOT_WELL if report.diagnosis else 0


def print_report(report: Report, *, known: Callable[[Diagnosis], Announcement | None] = lambda _: None) -> None:
    """For people: every cause with what it means and what to do, then one line on what was looked at.

    Args:
        report: the run.
        known: the announcement of IT that explains a cause.
    """
    failed = [one for one in report.findings if one.status is Status.FAILED]
    if not report.diagnosis and failed:
        put("No known cause explains it, but something is not right:", "warn")
        for one in failed:
            put_paragraph(one.summary, indent=3)
    elif not report.diagnosis:
        put("Nothing is wrong.", "good")
    for number, cause in enumerate(report.diagnosis):
        if number:
            put()
        _print_cause(cause)
        if (announced := known(cause)) is not None:
            put(f"   IT knows about this: {clean(announced.title)}. You need not report it.", "good")
    states = Counter(one.status for one in report.findings)
    seconds = report.duration_ms / 1000
    looked = f"{count(len(report.findings), 'check')} in {seconds:.1f} s"
    unknown = [one for one in report.findings if one.status is Status.UNKNOWN]
    if states[Status.WARNING]:
        looked += f", {count(states[Status.WARNING], 'warning')}"
    say(f"{looked}.")
    for finding in unknown:
        say(f"Could not be found out: {finding.check} ({finding.summary})")


def _print_cause(one: Diagnosis) -> None:
    subject = f" ({one.subject})" if one.subject and one.subject not in one.title else ""
    put(
        f"{_MARKS[one.severity]}{one.title}{subject}",
        "bad" if one.severity in {Severity.CRITICAL, Severity.HIGH} else "warn",
    )
    put_paragraph(one.explanation, indent=3)
    put_paragraph(one.advice, indent=3)
    for fix in one.fixes:
        put(f"   Repair: deskside fix run {fix}", "dim")
    for article in one.articles:
        put(f"   Read:   deskside articles show {article}", "dim")


def _known(chosen: frozenset[str]) -> None:
    if not chosen:
        return
    from diagnostics.registry import load  # noqa: PLC0415 -- imports every check, which only this needs in this process

    checks = load()
    known = sorted({one.area for one in checks} | {one.id for one in checks})
    for name in sorted(chosen - set(known)):
        areas = ", ".join(sorted({one.area for one in checks}))
        raise UsageError(
            f"There is no area or check {clean(name)!r}.{nearest(name, known)}", hint=f"The areas are: {areas}."
        )


class _ProgressLine:
    """One line on a terminal's standard error that says what is being looked at. Nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._total = 0
        self._done = 0

    def hear(self, event: Event) -> None:
        """Shows an event."""
        if isinstance(event, Started):
            self._total = len(event.checks)
        elif isinstance(event, Found):
            self._done += 1
        elif isinstance(event, Progress) and self._shown:
            width = max(shutil.get_terminal_size().columns - 1, 10)
            self._write(f"\r\x1b[K{clean(f'{self._done}/{self._total}  {event.words} ...')[:width]}")

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown and self._total:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
