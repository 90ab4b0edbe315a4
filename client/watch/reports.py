"""The last report of this user on this computer, and the last healthy one of each network, each in a file of its own.

The icon asks for the last one often, so an unchanged file is not read again. A file that cannot be read is set aside: a report
is found again with one click, so it is never a reason to stop.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from client.errors import StorageFault
from diagnostics.model import SCHEMA, Report

LAST: Final = "last_report.json"
HEALTHY: Final = "last_healthy_report.json"
REPLACE_TRIES: Final = 10
REPLACE_PAUSE_S: Final = 0.02
NETWORK: Final = "healthy_network_"
MOST_NETWORKS: Final = 12  # office, home, the trains and hotels of a month
LARGEST_BYTES: Final = 32 << 20  # a report has some hundred KB; anything like this is not one

log = logging.getLogger(__name__)


class Reports:
    """Keeps reports. Its methods may be called from any thread.

    Args:
        folder: made when first written to, readable by this user only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[tuple[int, int, int], Report | None]] = {}

    def keep(self, report: Report) -> None:
        """Makes a full report the last one; when nothing is wrong, the last healthy one too.

        Raises:
            StorageFault: the disk did not take it; the report before is still there.
        """
        data = msgspec.json.encode(report)
        with self._lock:
            self._write(LAST, data)
            if not report.diagnosis:
                self._write(HEALTHY, data)
                if (network := network_of(report)) is not None:
                    self._write(network, data)
                    self._forget_old_networks()

    def last(self) -> Report | None:
        """The last full report, None before the first check or when its file was broken."""
        return self._read(LAST)

    def last_healthy(self, like: Report | None = None) -> Report | None:
        """The last report in which nothing was wrong: what "since it last worked" is compared with.

        Args:
            like: prefers the last one in this report's network, for what differs between office and home is no change.
        """
        network = network_of(like) if like is not None else None
        same = self._read(network) if network is not None else None
        return same or self._read(HEALTHY)

    def _forget_old_networks(self) -> None:
        with contextlib.suppress(OSError):
            known = sorted(self._folder.glob(f"{NETWORK}*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in known[:-MOST_NETWORKS]:
                path.unlink()

    def _read(self, name: str) -> Report | None:
        path = self._folder / name
        with self._lock:
            try:
                found = path.stat()
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                if (seen := self._seen.get(name)) and seen[0] == stamp:
                    return seen[1]
                report = _decode(path, found.st_size)
            except FileNotFoundError:
                return None
            except OSError:
                log.warning("%s cannot be read", path, exc_info=True)
                return None
            except ValueError as error:
                self._set_aside(path, error)
                return None
            self._seen[name] = (stamp, report)
            return report

    def _write(self, name: str, data: bytes) -> None:
        """Replaces a file whole: whoever reads meanwhile sees the old one or the new one."""
        path = self._folder / name
        new = path.with_name(f"{name}.{os.getpid()}-{threading.get_ident()}.new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _replace(new, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise StorageFault("The disk is full, so the report could not be kept.") from error
            raise StorageFault(
                "The report could not be kept on this computer.",
                hint=f"Tell your IT department that {self._folder} cannot be written.",
            ) from error

    def _set_aside(self, path: Path, error: Exception) -> None:
        aside = path.with_name(f"{path.stem}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{path.suffix}")
        log.warning("%s is damaged (%s) and was set aside as %s", path.name, error, aside.name)
        with contextlib.suppress(OSError):
            path.replace(aside)


def network_of(report: Report) -> str | None:
    """The name of the file for the report's network, known by its router: its MAC, or its address where that is hidden."""
    router = next((one.measures for one in report.findings if one.check == "route.gateway"), {})
    mark = router.get("mac") or router.get("gateway")
    return f"{NETWORK}{hashlib.sha256(str(mark).encode()).hexdigest()[:16]}.json" if mark else None


def _replace(new: Path, path: Path) -> None:
    """Puts the new file in the old one's place. On Windows that fails while somebody reads the old one, for milliseconds."""
    for _ in range(REPLACE_TRIES if sys.platform == "win32" else 0):
        try:
            new.replace(path)
        except PermissionError:
            time.sleep(REPLACE_PAUSE_S)
        else:
            return
    new.replace(path)


def _decode(path: Path, size: int) -> Report | None:
    """The report in a file; None when a newer Deskside has written it (it is left alone then).

    Raises:
        ValueError: it is damaged.
    """
    if size > LARGEST_BYTES:
        raise ValueError("it is far too large")
    data = path.read_bytes()
    try:
        return msgspec.json.decode(data, type=Report)
    except msgspec.ValidationError:
        written = msgspec.json.decode(data)
        if isinstance(written, dict) and isinstance(written.get("schema"), int) and written["schema"] > SCHEMA:
            return None
        raise
