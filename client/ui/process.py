"""The process around the window: how it is told to end, what Qt says, how its memory goes back. Imported before the icon."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QMessageLogContext, QObject, QSocketNotifier, QtMsgType, Slot

ANEW: Final = "DESKSIDE_ANEW"  # in the environment of a start that only gives memory back


def can_start_anew(words: Sequence[str]) -> bool:
    """Whether this process may replace itself: where a process can, and only when it is the tray and nothing else.

    Args:
        words: the command line without the program's name. `deskside demo` holds a help desk that would end with it.
    """
    rest = list(words)
    if rest and rest[0].startswith("--settings"):
        del rest[: 1 if "=" in rest[0] else 2]
    return sys.platform != "win32" and (not rest or rest[0] == "open")


def start_anew() -> None:
    """Replaces this process by a fresh one of the same command; returns only where that is not possible."""
    os.environ[ANEW] = "1"
    try:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 -- our own command line, no shell
    except OSError as error:
        logging.getLogger(__name__).warning("could not start anew: %s", error)


def qt_said(kind: QtMsgType, context: QMessageLogContext, words: str) -> None:
    """What Qt has to say goes into the log: on standard error nobody reads it, and a missing portal is no fault."""
    del context
    levels = {QtMsgType.QtWarningMsg: logging.INFO, QtMsgType.QtCriticalMsg: logging.WARNING}
    logging.getLogger("qt").log(levels.get(kind, logging.DEBUG), "%s", words)
    if kind == QtMsgType.QtFatalMsg:
        print(words, file=sys.stderr, flush=True)  # noqa: T201 -- the last words before Qt aborts


class Signals(QObject):
    """Ends the program in good order when the session or an administrator says so (SIGTERM, SIGINT)."""

    def __init__(self, end: Callable[[], None]) -> None:
        super().__init__()
        self._end_program = end
        self._ends: tuple[int, int] | None = None
        if sys.platform == "win32":
            return  # the session's end arrives as a Qt event there
        self._ends = os.pipe()
        for side in self._ends:
            os.set_blocking(side, False)
        self._before = signal.set_wakeup_fd(self._ends[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._notifier = QSocketNotifier(self._ends[0], QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._end)

    @Slot()
    def _end(self) -> None:
        if self._ends is not None:
            os.read(self._ends[0], 64)
        self._end_program()

    def close(self) -> None:
        """Gives the signals back."""
        if self._ends is not None:
            self._notifier.setEnabled(False)
            signal.set_wakeup_fd(self._before)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            for end in self._ends:
                os.close(end)
            self._ends = None
