"""Runs the tray's errands (send what is due, ask for answers and announcements, look after articles) in a child of the program.

The network and the keyring are 28 MiB that a resting tray does without; the child takes them along when it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from PySide6.QtCore import QObject, QProcess, QTimer, Slot

from client.model import Announcement, Comment, OutboxEntry, Ticket

DEADLINE_MS: Final = 10 * 60 * 1000  # a large file over a thin line; whatever takes longer hangs
SHOWN: Final = 2000  # characters of what a child said before it failed, for the log

log = logging.getLogger(__name__)
Errand = Literal["deliver", "resume", "news", "articles", "announcements"]


class Delivered:
    """The outbox entries whose state has changed."""

    def __init__(self, entries: tuple[OutboxEntry, ...]) -> None:
        self.entries = entries


class News:
    """Answers that were not there before, and whether any ticket is still open."""

    def __init__(self, answers: tuple[tuple[Ticket, Comment], ...], *, is_open: bool) -> None:
        self.answers = answers
        self.is_open = is_open


class LookedAfter:
    """The articles were looked after; whoever shows some reads them anew."""


class Announced:
    """IT's announcements were asked for. `ended`: what the employee waited for and is over."""

    def __init__(self, ended: tuple[Announcement, ...]) -> None:
        self.ended = ended


Brought = Delivered | News | LookedAfter | Announced


class _Said(msgspec.Struct):
    """What `deskside errand` prints."""

    entries: tuple[OutboxEntry, ...] = ()
    news: tuple[tuple[Ticket, Comment], ...] = ()
    open: bool = False
    ended: tuple[Announcement, ...] = ()


class Run(QObject):
    """One errand on its way. Ends by calling `on_end` once, with None when it failed.

    Args:
        program: the command that starts Deskside.
        errand: which one.
        on_end: a method that takes what it brought.
    """

    def __init__(
        self,
        program: tuple[str, ...],
        errand: Errand,
        on_end: Callable[[Brought | None], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._on_end = on_end
        self._errand = errand
        self._ended = False
        self._process = QProcess(self)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._not_started)
        self._deadline = QTimer(self)
        self._deadline.setSingleShot(True)
        self._deadline.timeout.connect(self._process.kill)
        self._deadline.start(DEADLINE_MS)
        self._process.start(program[0], [*program[1:], "errand", errand])

    def stop(self) -> None:
        """Ends the child; what it was sending is sent again later, once. Nothing is called any more."""
        self._ended = True
        self._process.kill()
        self._process.waitForFinished(1000)

    @Slot(int)
    def _finished(self, code: int) -> None:
        said = bytes(self._process.readAllStandardOutput().data())
        if code != 0:
            words = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            log.info("the errand %s ended with %s: %s", self._errand, code, words[:SHOWN])
        self._end(_read(self._errand, said) if code == 0 else None)

    @Slot()
    def _not_started(self) -> None:
        if self._process.error() == QProcess.ProcessError.FailedToStart:
            log.warning("the errand %s could not be started: %s", self._errand, self._process.errorString())
            self._end(None)

    def _end(self, result: Brought | None) -> None:
        self._deadline.stop()
        if not self._ended:
            self._ended = True
            self._on_end(result)
        self.deleteLater()


def _read(errand: Errand, said: bytes) -> Brought | None:
    try:
        result = msgspec.json.decode(said, type=_Said)
    except msgspec.MsgspecError:
        log.warning("the errand %s said something else than it should", errand)
        return None
    if errand == "articles":
        return LookedAfter()
    if errand == "announcements":
        return Announced(result.ended)
    return Delivered(result.entries) if errand in {"deliver", "resume"} else News(result.news, is_open=result.open)
