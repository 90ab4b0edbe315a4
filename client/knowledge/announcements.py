"""What IT has announced, as this computer knows it: kept for when there is no network, matched with what failed here.

One small file holds what each source said last, what the employee waits for the end of, and what they have put away. Whatever was
not confirmed for a day does not count any more: an outage that nobody can ask about must not excuse every problem for ever.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from client.errors import StorageFault
from client.model import Announcement
from diagnostics.model import Diagnosis

FILE: Final = "announcements.json"
LARGEST: Final = 4 * 1024 * 1024
COUNTS_FOR: Final = timedelta(hours=24)
MOST_PUT_AWAY: Final = 500

log = logging.getLogger(__name__)


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What one source said last. `issued_at` and `etag` are a feed's."""

    at: datetime
    announcements: tuple[Announcement, ...] = ()
    issued_at: datetime | None = None
    etag: str = ""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = 1
    heard: dict[str, Heard] = {}
    watched: tuple[str, ...] = ()
    put_away: tuple[str, ...] = ()


class Announcements:
    """The announcements of this user on this computer. Every method reads or writes a small file.

    Args:
        folder: where the file is.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def heard(self, source: str) -> Heard | None:
        """What the source said last, however long ago."""
        return self._read().heard.get(source)

    def current(self, now: datetime, *, put_away: bool = False) -> tuple[Announcement, ...]:
        """What counts now: outages first, then the newest. What was put away is left out unless wanted."""
        kept = self._read()
        found = [one for one in _counting(kept, now) if put_away or one.id not in kept.put_away]
        return tuple(sorted(found, key=lambda one: (one.kind != "outage", -_moment(one.begins_at))))

    def watched(self) -> frozenset[str]:
        """What the employee wants to be told the end of."""
        return frozenset(self._read().watched)

    def keep(self, source: str, heard: Heard) -> tuple[Announcement, ...]:
        """Keeps what a source said, and gives what the employee has waited for and is now over; each is given once.

        Raises:
            StorageFault: the disk did not take it.
        """
        kept = self._read()
        before = kept.heard.get(source)
        all_heard = {**kept.heard, source: heard}
        open_now = {one.id for known in all_heard.values() for one in known.announcements if not is_over(one, heard.at)}
        known = {one.id: one for one in (*(before.announcements if before else ()), *heard.announcements)}
        ended = tuple(known[id] for id in kept.watched if id in known and id not in open_now)
        gone = {one.id for one in ended}
        self._write(
            msgspec.structs.replace(
                kept, heard=all_heard, watched=tuple(one for one in kept.watched if one not in gone)
            )
        )
        return ended

    def forget(self, sources: Iterable[str]) -> None:
        """Lets go of sources that the settings do not name any more.

        Raises:
            StorageFault: the disk did not take it.
        """
        kept, gone = self._read(), set(sources)
        if gone & kept.heard.keys():
            left = {source: heard for source, heard in kept.heard.items() if source not in gone}
            self._write(msgspec.structs.replace(kept, heard=left))

    def sources(self) -> frozenset[str]:
        """The sources of which something is kept."""
        return frozenset(self._read().heard)

    def watch(self, id: str, *, wanted: bool = True) -> None:
        """Remembers that the employee wants to be told when it is over, or not any more.

        Raises:
            StorageFault: the disk did not take it.
        """
        kept = self._read()
        others = tuple(one for one in kept.watched if one != id)
        self._write(msgspec.structs.replace(kept, watched=(*others, id) if wanted else others))

    def put_away(self, id: str) -> None:
        """Does not show it again.

        Raises:
            StorageFault: the disk did not take it.
        """
        kept = self._read()
        others = tuple(one for one in kept.put_away if one != id)[-MOST_PUT_AWAY:]
        self._write(msgspec.structs.replace(kept, put_away=(*others, id)))

    def _read(self) -> _Kept:
        """What is kept; nothing where the file is missing or was damaged: the sources say it again."""
        with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError), self._file.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=_Kept)
        return _Kept()

    def _write(self, kept: _Kept) -> None:
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(prefix=".announcements-", dir=self._file.parent)
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(msgspec.json.encode(kept))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageFault(f"What IT announced could not be kept: {error.strerror}.") from error


def is_over(one: Announcement, now: datetime) -> bool:
    """Whether it is over. An outage lasts until IT says so, whatever was expected."""
    return one.over or (one.kind != "outage" and one.ends_at is not None and one.ends_at <= now)


def fits(one: Announcement, cause: Diagnosis) -> bool:
    """Whether a problem that was found here is what was announced."""
    if not one.causes and not one.subjects:
        return False
    by_cause = not one.causes or any(fnmatchcase(cause.cause, pattern) for pattern in one.causes)
    about = _names(cause.subject or "")
    return by_cause and (not one.subjects or any(about & _names(subject) for subject in one.subjects))


def known(announcements: Iterable[Announcement], cause: Diagnosis) -> Announcement | None:
    """The first announcement that explains this problem."""
    return next((one for one in announcements if fits(one, cause)), None)


def _names(subject: str) -> frozenset[str]:
    """What a subject may be called: as it is written, and the host in it."""
    text = subject.strip().casefold()
    if not text:
        return frozenset()
    host = urlsplit(text if "://" in text else f"//{text}").hostname if _is_plain(text) else None
    return frozenset({text, host} if host else {text})


def _is_plain(text: str) -> bool:
    return " " not in text and "[" not in text and "]" not in text


def _counting(kept: _Kept, now: datetime) -> Iterable[Announcement]:
    for heard in kept.heard.values():
        if now - heard.at < COUNTS_FOR:
            for one in heard.announcements:
                if not is_over(one, now) and (one.begins_at is None or one.begins_at <= now):
                    yield one


def _moment(time: datetime | None) -> float:
    return (time or datetime.fromtimestamp(0, UTC)).timestamp()
