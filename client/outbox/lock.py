"""A lock between processes that dies with its holder. Imports nothing of the project.

The operating system gives the lock back when the process ends, however it ends: there is no expiry to guess, no process number
that somebody else may have by now, and nothing to clean up after a crash. The file itself stays; it is empty and means nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FileLock:
    """One holder's view of the lock at `path`. Two exclude each other, within one process too. Not for sharing by threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Takes the lock if nobody has it, without waiting; True when this object holds it now.

        Args:
            shared: beside others who share it (on Windows this is not needed and gives True without a lock: files that are
                open there cannot be renamed).

        Raises:
            OSError: the file cannot be opened.
        """
        if sys.platform == "win32" and shared:
            return True
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            self.give()
            return False
        return True

    def give(self) -> None:
        """Gives the lock back; nothing happens when it is not held."""
        file, self._file = self._file, None
        if file is not None:
            if sys.platform == "win32":
                with contextlib.suppress(OSError):  # it was not held; closing the file is what counts
                    msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.give()
