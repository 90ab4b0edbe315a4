"""What can still be read of a damaged outbox comes along into the new one. Reads row by row: one bad page costs what is on it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

UNSENT: Final = ("waiting", "created", "unsure", "refused")


def rescue(damaged: Path, into: sqlite3.Connection, *, now: float) -> str:
    """Copies drafts and unsent entries whose bytes are still what they were; runs in the caller's transaction.

    An entry that comes along may have been under way: the desk is asked before it is sent again.

    Args:
        damaged: the file that was set aside; opened for reading only.
        into: the new database.
        now: seconds since 1970.

    Returns:
        A sentence for the employee that says what was saved.
    """
    drafts = tickets = 0
    address = f"{damaged.resolve().as_uri()}?mode=ro"
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(address, uri=True, isolation_level=None)) as old,
    ):
        old.row_factory = sqlite3.Row
        old.text_factory = lambda data: data.decode("utf-8", "replace")
        blobs = {row["sha256"]: row["data"] for row in _rows(old, "blob") if _sound(row)}
        own = [row["id"] for row in _rows(old, "own_ticket")]
        into.executemany("INSERT OR IGNORE INTO own_ticket VALUES (?)", [(id,) for id in own])
        for row in _rows(old, "receipt"):
            _copy(into, "receipt", row, "", [], blobs)
        files = list(_rows(old, "draft_file"))
        for row in _rows(old, "draft"):
            mine = [file for file in files if file["draft"] == row["id"] and file["sha256"] in blobs]
            drafts += _copy(into, "draft", row, "draft_file", mine, blobs)
        files = list(_rows(old, "entry_file"))
        for row in _rows(old, "entry"):
            mine = [file for file in files if file["entry"] == row["id"]]
            whole = isinstance(row["payload"], bytes) and hashlib.sha256(row["payload"]).hexdigest() == row["sha256"]
            if row["state"] not in UNSENT or not whole or any(file["sha256"] not in blobs for file in mine):
                continue
            done = _copy(into, "entry", row, "entry_file", mine, blobs)
            if done and row["state"] in {"waiting", "created"}:
                into.execute(
                    "UPDATE entry SET active = 0, unclear_since = coalesce(unclear_since, ?) WHERE id = ?",
                    (now, row["id"]),
                )
            tickets += done
    if not drafts and not tickets:
        return "Nothing in it could be read any more; a new one was made."
    return (
        f"What could still be read came along into a new one: {_count(tickets, 'message')}, {_count(drafts, 'draft')}."
    )


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[sqlite3.Row]:
    """Every readable row of a table, whichever others cannot be read."""
    numbers: list[int] = []
    with contextlib.suppress(sqlite3.Error):
        for row in connection.execute(f"SELECT rowid FROM {table}"):  # noqa: S608 -- a name from this module
            numbers.append(row[0])  # noqa: PERF401 -- keeps what came before the bad page
    for number in numbers:
        try:
            row = connection.execute(f"SELECT * FROM {table} WHERE rowid = ?", (number,)).fetchone()  # noqa: S608 -- as above
        except sqlite3.Error:
            log.warning("a row of %s could not be read", table)
            continue
        if row is not None:
            yield row


def _sound(row: sqlite3.Row) -> bool:
    return isinstance(row["data"], bytes) and hashlib.sha256(row["data"]).hexdigest() == row["sha256"]


def _copy(
    into: sqlite3.Connection,
    table: str,
    row: sqlite3.Row,
    file_table: str,
    files: list[sqlite3.Row],
    blobs: dict[str, bytes],
) -> int:
    into.execute("SAVEPOINT one")
    try:
        for file in files:
            into.execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (file["sha256"], blobs[file["sha256"]]))
        for name, one in ((table, row), *((file_table, file) for file in files)):
            columns = ", ".join(one.keys())
            marks = ", ".join("?" * len(one.keys()))
            into.execute(f"INSERT INTO {name} ({columns}) VALUES ({marks})", tuple(one))  # noqa: S608 -- names of our own schema
    except sqlite3.Error:
        log.warning("a row of %s could not be brought over", table)
        into.execute("ROLLBACK TO one")
        return 0
    else:
        return 1
    finally:
        into.execute("RELEASE one")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
