"""The log: one file of bounded size that only its user can read, shared by every process of Deskside. Never a secret in it.

Each record opens, appends and closes, so that tray, command line and check run write into one file and none keeps a full disk, a
removed folder or a rotated file open. Deskside writes a few lines an hour; a faster log would be the wrong thing to optimise.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Final

from client.errors import StorageFault
from client.platform.paths import ensure_folder

FILE_NAME: Final = "deskside.log"
LIMIT_BYTES: Final = 512 * 1024  # with one older file kept: 1 MiB at the most
LONGEST_RECORD: Final = 16 * 1024
# What libraries log below this level holds addresses and headers of the help desk.
_TALKATIVE: Final = ("httpx", "httpcore", "asyncio", "keyring", "hpack", "urllib3", "dns")


class LogFile(logging.Handler):
    """Appends to `path`; at `LIMIT_BYTES` the file becomes `path`.1, over the one before."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record; a disk that does not take it loses the record and nothing else."""
        try:
            text = mask(self.format(record)[: 2 * LONGEST_RECORD])[:LONGEST_RECORD]  # a secret may lie where it is cut
        except Exception:  # noqa: BLE001 -- a message with wrong arguments must not end what it was to describe
            self.handleError(record)
            return
        try:
            self._append(f"{text}\n".encode(errors="backslashreplace"))
        except OSError:
            return  # there is no place left to say so

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        file = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(file).st_size
            os.write(file, line)
        finally:
            os.close(file)
        if (
            size + len(line) > LIMIT_BYTES and self.path.stat().st_size > LIMIT_BYTES
        ):  # another process may have been first
            self.path.replace(self.path.with_name(f"{FILE_NAME}.1"))


def start_logging(folder: Path, *, level: str = "") -> None:
    """Sends this process's log to the file in `folder` from now on, and nothing to the screen.

    Without a folder that can be written to there is no log, and the program runs all the same.

    Args:
        level: how much is written; empty: as before, or "info". Calling again changes it.
    """
    root = logging.getLogger()
    if level or not any(isinstance(one, LogFile) for one in root.handlers):
        root.setLevel((level or "info").upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    if any(isinstance(one, LogFile) for one in root.handlers):
        return
    logging.raiseExceptions = False  # a broken record is lost; a traceback on an employee's screen helps nobody
    sys.excepthook = _log_crash
    try:
        root.addHandler(LogFile(ensure_folder(folder) / FILE_NAME))
    except StorageFault:
        root.addHandler(logging.NullHandler())  # otherwise warnings would go to standard error


def mask(text: str) -> str:
    """The text without secrets. The second line of defence: nobody should log one in the first place."""
    from client.confidential import without_secrets  # noqa: PLC0415 -- its patterns come with the first record

    return without_secrets(text)[0]


def _log_crash(kind: type[BaseException], error: BaseException, _trace: object) -> None:
    logging.getLogger("deskside").critical("ended by %s", kind.__name__, exc_info=error)
