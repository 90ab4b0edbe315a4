"""What was tried on this computer, one JSON object a line, on the disk before anything else is said.

A run leaves a line when it begins, one before each step and one when it ends. A run without an end was cut off: a killed
process cannot write, so its absence is the record. A torn last line is skipped and never glued to the next one.

The journal must not stand in the way of freeing a full disk: what cannot be written is kept and written with the next line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from client.errors import StorageFault
from client.model import FixOutcome, FixResult

FILE: Final = "fixes.jsonl"
LARGEST: Final = 1024 * 1024  # bytes; some 500 fixes
KEPT: Final = 200  # outcomes that survive when the file has grown larger

log = logging.getLogger(__name__)


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun", tag_field="event"):
    """A fix has begun. `process` and `process_started` (seconds since 1970) tell whether it may still be running."""

    id: str
    fix: str
    title: str
    started_at: datetime
    steps: tuple[str, ...]
    process: int
    process_started: float


class Stepped(msgspec.Struct, frozen=True, kw_only=True, tag="step", tag_field="event"):
    """A step is about to be done; `undo` is what putting it back needs."""

    id: str
    action: str
    words: str
    undo: dict[str, str] = {}


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended", tag_field="event"):
    """A fix has ended."""

    outcome: FixOutcome


class Undone(msgspec.Struct, frozen=True, kw_only=True, tag="undone", tag_field="event"):
    """What the fix `id` had changed was put back."""

    id: str


Line = Begun | Stepped | Ended | Undone


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One fix with everything known of it. `undo` is what its actions need, in the order they were done."""

    outcome: FixOutcome
    undo: tuple[tuple[str, dict[str, str]], ...] = ()


class Journal:
    """The journal in a folder.

    Args:
        folder: where the file is, or will be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._unwritten: list[Line] = []

    def write(self, *lines: Line, must: bool = False) -> None:
        """Puts the lines on the disk; with what an earlier call could not write.

        Args:
            must: a disk that does not take them is an error, and nothing is kept for later.

        Raises:
            StorageFault: only with `must`.
        """
        todo = [*self._unwritten, *lines]
        # The first newline ends a line that a killed process has left torn; empty lines are nothing.
        data = b"".join(b"\n" + msgspec.json.encode(line) + b"\n" for line in todo)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            try:
                _write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            if must:
                raise StorageFault(
                    "Deskside could not write down what it is about to do, so it did nothing."
                ) from error
            log.warning("the journal of fixes is written later: %s", error)
            self._unwritten = todo
            return
        self._unwritten = []
        self._shorten()

    def records(self) -> tuple[Record, ...]:
        """Every fix, newest first; one that runs right now is left out."""
        begun: dict[str, Begun] = {}
        steps: dict[str, list[Stepped]] = {}
        ended: dict[str, FixOutcome] = {}
        undone: set[str] = set()
        for line in (*self._lines(), *self._unwritten):
            if isinstance(line, Begun):
                begun[line.id] = line
            elif isinstance(line, Stepped):
                steps.setdefault(line.id, []).append(line)
            elif isinstance(line, Ended):
                ended[line.outcome.id] = line.outcome
            else:
                undone.add(line.id)
        found = []
        for id in dict.fromkeys((*begun, *ended)):
            undo = () if id in undone else tuple((one.action, one.undo) for one in steps.get(id, ()) if one.undo)
            outcome = ended.get(id) or _cut_off(begun[id], steps.get(id, ()))
            if outcome is not None:
                found.append(Record(outcome=msgspec.structs.replace(outcome, can_undo=bool(undo)), undo=undo))
        return tuple(sorted(found, key=lambda one: one.outcome.started_at, reverse=True))

    def _lines(self) -> Iterable[Line]:
        decoder = msgspec.json.Decoder(Line)
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("the journal of fixes cannot be read: %s", error)
            return
        for raw in data.split(b"\n"):
            if raw:
                with contextlib.suppress(msgspec.DecodeError):  # torn, or written by a newer Deskside
                    yield decoder.decode(raw)

    def _shorten(self) -> None:
        """Keeps the newest outcomes of a file that has grown; a crash leaves the old file or the new one, whole."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_size <= LARGEST:
                return
            keep = {one.outcome.id for one in self.records()[:KEPT]}
            ended = {line.outcome.id for line in self._lines() if isinstance(line, Ended)}
            lines = [line for line in self._lines() if (id := _id(line)) in keep or id not in ended]
            handle, spare = tempfile.mkstemp(prefix=f"{FILE}.", dir=self._path.parent)
            with os.fdopen(handle, "wb") as file:
                file.writelines(msgspec.json.encode(line) + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            os.replace(spare, self._path)  # noqa: PTH105 -- the atomic one, by its name


def begun(*, id: str, fix: str, title: str, steps: tuple[str, ...], now: datetime) -> Begun:
    """The line with which this process begins a fix."""
    import psutil  # noqa: PLC0415 -- not needed at rest

    me = psutil.Process()
    return Begun(
        id=id, fix=fix, title=title, started_at=now, steps=steps, process=me.pid, process_started=me.create_time()
    )


def _cut_off(line: Begun, steps: Iterable[Stepped]) -> FixOutcome | None:
    """The outcome of a fix whose end was never written; None while its process still runs."""
    import psutil  # noqa: PLC0415 -- as above

    with contextlib.suppress(psutil.Error):
        if abs(psutil.Process(line.process).create_time() - line.process_started) < 1:
            return None
    done = [one.words for one in steps]
    words = "This was interrupted: Deskside was ended before it was finished."
    words += f" It was at: {done[-1]}" if done else " Nothing had been done yet."
    return FixOutcome(
        id=line.id,
        fix=line.fix,
        title=line.title,
        result=FixResult.INTERRUPTED,
        words=words,
        started_at=line.started_at.astimezone(UTC),
    )


def _id(line: Line) -> str:
    return line.outcome.id if isinstance(line, Ended) else line.id


def _write_all(handle: int, data: bytes) -> None:
    """One write where the system takes it whole, so that two processes' lines do not mix."""
    while data:
        data = data[os.write(handle, data) :]
