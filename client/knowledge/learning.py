"""What helped and what did not, kept on this computer for 90 days: answers to "did this help?", searches that found nothing, fixes,
tickets that were written. The employee can see all of it, and have it forgotten.

What IT may learn of it (`counts`) are numbers: how often which article helped. Nobody's words, names or times of day are in it.
A broken file is begun anew: learning is a help, never a reason to stop.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

log = logging.getLogger(__name__)
DAY_S: Final = 86400.0
KEPT_S: Final = 90 * DAY_S
MOST: Final = 5000  # entries; somebody who searches all day reaches some hundred
LONGEST: Final = 200  # characters of what was searched for
BUSY_S: Final = 5.0
SAME_S: Final = 3600.0  # the same search without a result within an hour is one
T = TypeVar("T")
Kind = Literal["article", "fix", "search", "ticket"]

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_at ON event (at);
CREATE TABLE IF NOT EXISTS told (one INTEGER PRIMARY KEY CHECK (one = 1), until REAL NOT NULL);
"""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `about` is an article, a fix, a cause, or what was searched for; `outcome` a word ("yes")."""

    at: datetime
    kind: Kind
    about: str
    outcome: str


class Learning:
    """The file. Thread-safe through a connection a call; calls block for milliseconds and raise nothing.

    Args:
        path: made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def article(self, id: str, *, helped: bool) -> None:
        """The answer to "did this help?" of an article."""
        self._note("article", id, "yes" if helped else "no")

    def fix(self, id: str, result: str) -> None:
        """What became of a fix ("helped", "no_change" ...)."""
        self._note("fix", id, result)

    def found_nothing(self, words: str) -> None:
        """A search that no article fits, once within an hour."""
        about = " ".join(words.encode(errors="replace").decode().split())[:LONGEST]  # a terminal may bring broken bytes
        if about:
            self._note("search", about, "nothing_fits", once_within_s=SAME_S)

    def ticket(self, cause: str) -> None:
        """A ticket that was written; `cause` is empty where none was found."""
        self._note("ticket", cause, "written")

    def events(self) -> tuple[Event, ...]:
        """Everything, newest first."""

        def read(base: sqlite3.Connection) -> tuple[Event, ...]:
            rows = base.execute("SELECT at, kind, about, outcome FROM event ORDER BY at DESC, id DESC")
            return tuple(Event(at=datetime.fromtimestamp(at, UTC), kind=k, about=a, outcome=o) for at, k, a, o in rows)

        return self._do(read, otherwise=()) if self._path.exists() else ()

    def forget(self) -> None:
        """Forgets everything."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            for ending in ("-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def counts(self, *, now: float | None = None) -> tuple[dict[str, Any], float]:
        """The numbers of the days that are over and were not told yet, and until when they reach (seconds since 1970).

        Empty where there is nothing to tell.
        """
        until = (now or time.time()) // DAY_S * DAY_S  # whole days, so that no hour can be told

        def read(base: sqlite3.Connection) -> dict[str, Any]:
            row = base.execute("SELECT until FROM told").fetchone()
            since = row[0] if row else 0.0
            rows = base.execute(
                "SELECT kind, about, outcome FROM event WHERE at >= ? AND at < ?", (since, until)
            ).fetchall()
            return shape(rows, since=since, until=until) if rows else {}

        return (self._do(read, otherwise={}) if self._path.exists() else {}), until

    def told(self, until: float) -> None:
        """Notes that the counts until then have arrived."""
        self._do(lambda base: base.execute("INSERT OR REPLACE INTO told VALUES (1, ?)", (until,)), otherwise=None)

    def _note(self, kind: Kind, about: str, outcome: str, *, once_within_s: float = 0.0) -> None:
        now = time.time()

        def write(base: sqlite3.Connection) -> None:
            same = "SELECT 1 FROM event WHERE kind = ? AND about = ? AND at > ?"
            if once_within_s and base.execute(same, (kind, about, now - once_within_s)).fetchone():
                return
            base.execute(
                "INSERT INTO event (at, kind, about, outcome) VALUES (?, ?, ?, ?)", (now, kind, about, outcome)
            )
            base.execute("DELETE FROM event WHERE at < ?", (now - KEPT_S,))
            base.execute("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", (MOST,))

        self._do(write, otherwise=None)

    def _do(self, work: Callable[[sqlite3.Connection], T], *, otherwise: T) -> T:
        """Works in a transaction. Whatever is wrong with the file or the disk is only logged."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_S)) as base:
                self._path.chmod(0o600)
                base.executescript(SCHEMA)
                with base:
                    return work(base)
        except sqlite3.OperationalError as error:  # busy, full, read-only
            log.info("what helped is not kept: %s", error)
        except sqlite3.DatabaseError as error:  # no database at all
            log.warning("what helped was damaged, and is begun anew: %s", error)
            self.forget()
        except OSError as error:
            log.info("what helped is not kept: %s", error)
        return otherwise


def shape(rows: list[tuple[str, str, str]], *, since: float, until: float) -> dict[str, Any]:
    """The counts as IT gets them (docs/learning.md). What was searched for is a number only."""
    by_kind: dict[str, dict[str, Counter[str]]] = {"article": {}, "fix": {}, "ticket": {}}
    nothing = 0
    for kind, about, outcome in rows:
        if kind == "search":
            nothing += 1
        elif kind in by_kind:
            by_kind[kind].setdefault(about, Counter())[outcome] += 1
    first = datetime.fromtimestamp(since, UTC).date().isoformat() if since else None
    return {
        "schema": 1,
        "from": first,
        "until": datetime.fromtimestamp(until, UTC).date().isoformat(),
        "articles": {id: dict(outcomes) for id, outcomes in sorted(by_kind["article"].items())},
        "fixes": {id: dict(outcomes) for id, outcomes in sorted(by_kind["fix"].items())},
        "searches": {"nothing_fits": nothing},
        "tickets": {cause: outcomes["written"] for cause, outcomes in sorted(by_kind["ticket"].items())},
    }
