"""What every run found, kept on this computer: causes and numbers of the last 90 days in one small SQLite file.

Older runs thin out (one an hour after two weeks, one a day after six), but a run in which the causes changed always stays, so
that "since when?" keeps its answer. A broken file is set aside and a new one begun: history is a help, never a reason to stop.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from client.errors import NewerData, StorageFault
from diagnostics.model import Report

KEPT: Final = timedelta(days=90)
HOURLY_AFTER: Final = timedelta(days=14)
DAILY_AFTER: Final = timedelta(days=42)
LARGEST_BYTES: Final = 20_000_000
MOST_NUMBERS: Final = 300  # of one run; a machine with a hundred volumes must not fill the file
BUSY_S: Final = 5.0  # the tray and the command line may write at once
VERSION: Final = 1
# What names an entry of a list among the measures, the first that is there.
NAMES: Final = ("mount", "interface", "server", "address", "name", "host", "url")

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, duration_ms INTEGER NOT NULL, causes TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS run_at ON run (at);
CREATE TABLE IF NOT EXISTS name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS number (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, name INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (run, name)
) WITHOUT ROWID;
"""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the past: when (UTC), what it named ("cause" or "cause subject", most likely first)."""

    at: datetime
    duration_ms: int
    causes: tuple[str, ...]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One number of one run."""

    at: datetime
    value: float


class History:
    """The file. Thread-safe through a connection a call; calls block for milliseconds.

    Args:
        path: made when first written to, readable by this user only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, report: Report) -> None:
        """Keeps a run's causes and numbers, and thins out what is old.

        Raises:
            StorageFault: the disk did not take it.
        """
        at = datetime.fromisoformat(report.started_at).timestamp()
        causes = [" ".join(filter(None, (one.cause, one.subject))) for one in report.diagnosis]
        with self._open() as base:
            run = base.execute(
                "INSERT INTO run (at, duration_ms, causes) VALUES (?, ?, ?)",
                (at, report.duration_ms, json.dumps(causes)),
            ).lastrowid
            for name, value in list(_all_numbers(report))[:MOST_NUMBERS]:
                base.execute("INSERT OR IGNORE INTO name (name) VALUES (?)", (name,))
                base.execute(
                    "INSERT OR REPLACE INTO number SELECT ?, id, ? FROM name WHERE name = ?", (run, value, name)
                )
            _thin_out(base, at)

    def runs(self, *, days: float = 90) -> tuple[Run, ...]:
        """The runs of the last days, newest first.

        Raises:
            StorageFault: the file cannot be read.
        """
        with self._open() as base:
            rows = base.execute(
                "SELECT at, duration_ms, causes FROM run WHERE at >= ? ORDER BY at DESC", (time.time() - days * 86400,)
            ).fetchall()
        return tuple(
            Run(at=datetime.fromtimestamp(at, UTC), duration_ms=took, causes=tuple(json.loads(causes)))
            for at, took, causes in rows
        )

    def names(self) -> tuple[str, ...]:
        """Every number that was ever kept, such as "disk.space /home free_percent"."""
        with self._open() as base:
            return tuple(name for (name,) in base.execute("SELECT name FROM name ORDER BY name"))

    def series(self, name: str, *, days: float = 90) -> tuple[Point, ...]:
        """A number over the last days, oldest first; empty for an unknown name.

        Raises:
            StorageFault: the file cannot be read.
        """
        with self._open() as base:
            rows = base.execute(
                "SELECT at, value FROM number JOIN run ON run.id = number.run JOIN name ON name.id = number.name"
                " WHERE name.name = ? AND at >= ? ORDER BY at",
                (name, time.time() - days * 86400),
            ).fetchall()
        return tuple(Point(at=datetime.fromtimestamp(at, UTC), value=value) for at, value in rows)

    def since(self, cause: str) -> datetime | None:
        """When the cause ("cause subject") was first named without a break until now; None when the last run did not name it."""
        first = None
        for run in self.runs():
            if cause not in run.causes:
                break
            first = run.at
        return first

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            base = self._connected()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise StorageFault(f"The history of checks cannot be opened ({error}).") from error
            self._path.replace(self._path.with_name(f"{self._path.name}.broken-{time.time_ns()}"))
            base = self._connected()
        except OSError as error:
            raise StorageFault(f"The history of checks cannot be opened ({error.strerror}).") from error
        try:
            with base:
                yield base
        except sqlite3.Error as error:
            raise StorageFault(f"The history of checks cannot be used ({error}).") from error
        finally:
            base.close()

    def _connected(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        base = sqlite3.connect(self._path, timeout=BUSY_S)
        try:
            _prepare(base)
        except BaseException:
            base.close()
            raise
        return base


def _prepare(base: sqlite3.Connection) -> None:
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerData("The history of checks was written by a newer Deskside.")
    base.execute("PRAGMA foreign_keys = ON")
    if version < VERSION:
        base.execute("PRAGMA auto_vacuum = FULL")
        base.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def _all_numbers(report: Report) -> Iterator[tuple[str, float]]:
    for finding in report.findings:
        yield from _numbers(finding.check, finding.measures)


def _numbers(prefix: str, measures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every number below `measures` with its way there; truth values and the texts that name things are none."""
    for key, value in measures.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield f"{prefix} {key}", float(value)
        elif isinstance(value, Mapping):
            yield from _numbers(f"{prefix} {key}", value)
        elif isinstance(value, list | tuple):
            for entry in value:
                if isinstance(entry, Mapping) and (name := next((entry[one] for one in NAMES if entry.get(one)), None)):
                    yield from _numbers(f"{prefix} {name}", entry)


def _thin_out(base: sqlite3.Connection, now: float) -> None:
    base.execute("DELETE FROM run WHERE at < ?", (now - KEPT.total_seconds(),))
    for after, window in ((HOURLY_AFTER, 3600), (DAILY_AFTER, 86400)):
        base.execute(
            """
            DELETE FROM run WHERE id IN (
                SELECT id FROM (
                    SELECT id, causes, CAST(at / :window AS INTEGER) AS slot,
                           lag(causes) OVER (ORDER BY at) AS before,
                           lag(CAST(at / :window AS INTEGER)) OVER (ORDER BY at) AS slot_before
                    FROM run WHERE at < :old)
                WHERE slot = slot_before AND causes = before)
            """,
            {"window": window, "old": now - after.total_seconds()},
        )
    (pages,), (size,) = base.execute("PRAGMA page_count").fetchone(), base.execute("PRAGMA page_size").fetchone()
    if pages * size > LARGEST_BYTES:
        base.execute(
            "DELETE FROM run WHERE id IN (SELECT id FROM run ORDER BY at LIMIT (SELECT count(*) / 5 FROM run))"
        )
