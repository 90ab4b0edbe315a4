"""Sentences that the icon, its menu and the window share, so that they always say the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale

from client.ui.places import is_it_me

if TYPE_CHECKING:
    from diagnostics.model import Report

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86400
WEEK_DAYS: Final = 7
KILO: Final = 1000


def headline(state: str, report: Report | None) -> str:
    """The one sentence about this computer.

    Args:
        state: a value of `client.model.State`.
        report: the last full report.
    """
    if state == "checking":
        return QCoreApplication.translate("Words", "Looking at this computer")
    if state == "fine":
        return QCoreApplication.translate("Words", "Everything looks fine")
    if report is not None and report.diagnosis and state in {"problem", "offline"}:
        return is_it_me(report.diagnosis[0])
    return QCoreApplication.translate("Words", "This computer has not been checked yet")


def ago(when: datetime, now: datetime | None = None) -> str:
    """How long ago, in the words of everyday life: "5 minutes ago"."""
    passed = ((now or datetime.now(UTC)) - when).total_seconds()
    if passed < MINUTE_S:
        return QCoreApplication.translate("Words", "just now")
    if passed < HOUR_S:
        return QCoreApplication.translate("Words", "%n min ago", "", int(passed // MINUTE_S))
    if passed < DAY_S:
        return QCoreApplication.translate("Words", "%n h ago", "", int(passed // HOUR_S))
    if passed < 2 * DAY_S:
        return QCoreApplication.translate("Words", "yesterday")
    return QCoreApplication.translate("Words", "%n days ago", "", int(passed // DAY_S))


def day(when: datetime, now: datetime | None = None) -> str:
    """The day of a moment as one says it in a sentence: "today", "on Monday", "on 3 May 2026"."""
    here, today = when.astimezone(), (now or datetime.now(UTC)).astimezone()
    days = (today.date() - here.date()).days
    if days <= 0:
        return QCoreApplication.translate("Words", "today")
    if days == 1:
        return QCoreApplication.translate("Words", "yesterday")
    if days < WEEK_DAYS:
        name = QLocale().dayName(here.isoweekday(), QLocale.FormatType.LongFormat)
    else:
        name = QLocale().toString(QDate(here.year, here.month, here.day), QLocale.FormatType.LongFormat)
    return QCoreApplication.translate("Words", "on {day}").format(day=name)


def checked(report: Report | None) -> str:
    """When the last check was, "" before the first."""
    if report is None:
        return ""
    return QCoreApplication.translate("Words", "Checked {when}").format(
        when=ago(datetime.fromisoformat(report.started_at))
    )


def moment(when: datetime) -> str:
    """Date and time of day as the system writes them."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(when.timestamp())), QLocale.FormatType.ShortFormat)


def size(count: float) -> str:
    """A number of bytes as people read it: "1.2 GB" (powers of 1000, as shops and file managers count)."""
    number = float(count)
    units = ["TB", "GB", "MB", "kB", "bytes"]
    unit = units.pop()
    while abs(number) >= KILO and units:
        number /= KILO
        unit = units.pop()
    digits = 0 if unit == "bytes" or number >= 100 else 1  # noqa: PLR2004 -- three figures are enough
    return f"{QLocale().toString(number, 'f', digits)} {unit}"


def without_marks(text: str) -> str:
    """Markdown as a notification can show it: its words on one line, without the marks around them."""
    text = re.sub(r"!?\[([^\]\n]*)\]\([^)\n]*\)", r"\1", text)  # links and pictures: their words
    text = re.sub(r"^\s{0,3}(#{1,6}|>|[-*+]|\d+[.)])\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"(\*\*|__|`+|~~)(?=\S)(.+?)(?<=\S)\1", r"\2", text, flags=re.DOTALL)
    return " ".join(text.split())
