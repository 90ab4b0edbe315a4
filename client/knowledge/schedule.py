"""When the articles want to be looked after by themselves: newer packs, and counts that IT has asked for. Light: a tray asks it.

The errand that does it touches a file; the tray reads no more than that file's time. Times are spread, so that a whole company's
computers do not ask at once.
"""

from __future__ import annotations

import logging
import os
import random
import time
from pathlib import Path
from typing import Final, Protocol

STAMP: Final = "articles-looked-after"
MINUTE_S: Final = 60.0
COUNTS_EVERY_S: Final = 6 * 3600.0  # the counts of a day go once; a computer that was off at one time is on at another
SOON_S: Final = (10.0, 300.0)  # when it is overdue: a whole company may have started up just now
JITTER: Final = 0.25  # of the interval, on top: nobody asks earlier than said

log = logging.getLogger(__name__)


class Wishes(Protocol):
    """The part of the settings that says what is to be done."""

    @property
    def packs(self) -> tuple[str, ...]:
        """IT's packs."""

    @property
    def refresh_every_min(self) -> int:
        """How often to look for newer ones; 0: not by itself."""

    @property
    def share_counts(self) -> bool:
        """Whether counts go to IT."""

    @property
    def counts_url(self) -> str:
        """Where they go."""


def seconds_until_due(wishes: Wishes, folder: Path) -> float | None:
    """Seconds until something is to be done, None where nothing ever is.

    Args:
        wishes: what is to be done.
        folder: where `looked_after` keeps its file.
    """
    intervals = []
    if wishes.packs and wishes.refresh_every_min:
        intervals.append(wishes.refresh_every_min * MINUTE_S)
    if wishes.share_counts and wishes.counts_url:
        intervals.append(COUNTS_EVERY_S)
    if not intervals:
        return None
    soon = random.uniform(*SOON_S)  # noqa: S311 -- spreading, not secrecy
    try:
        since = max(
            0.0, time.time() - (folder / STAMP).stat().st_mtime
        )  # a clock that was put back stops us for once only
    except OSError:
        return soon
    return max(min(intervals) * random.uniform(1, 1 + JITTER) - since, soon)  # noqa: S311 -- as above


def looked_after(folder: Path) -> None:
    """Notes that it was done now, well or not."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / STAMP).touch(mode=0o600)
        os.utime(folder / STAMP)
    except OSError as error:
        log.info("when the articles were last looked after is not kept: %s", error)
