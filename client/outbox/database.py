"""The outbox's file: opened privately, written durably, refused when newer, set aside when broken. Knows no tickets.

What a commit has returned for survives a crash and a power cut: write-ahead log, `synchronous=FULL`, and the folder itself
synced when the file is new. Two connections, one to write and one to read, so that a glance at the queue never waits for a
slow disk; each has a lock, because the callers are threads.

A damaged file is renamed, never deleted, and only when nobody else has it open: SQLite removes a log by its name when the last
user leaves, and would take the new file's log along. Whoever has the file open shares a lock that says so.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from client.errors import NewerData, StorageFault
from client.outbox.lock import FileLock
from client.outbox.salvage import rescue

APPLICATION_ID: Final = 0x44534B31  # "DSK1": tells our file from somebody else's database
BUSY_S: Final = 10.0  # another process commits within milliseconds; ten seconds are a disk in trouble
CACHE_KIB: Final = 256  # the tray is small; our rows are few
QUICK_CHECK_BYTES: Final = 32 << 20  # reading more than this at every start would be felt
# Version 1, and what each later version adds to the one before; a new file takes all steps, an old one those that it lacks.
SCHEMA_FOLDER: Final = Path(__file__).parent
SCHEMAS: Final = ("schema.sql", "schema_2.sql")
VERSION: Final = len(SCHEMAS)
PARTS: Final = ("", "-wal", "-shm")

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Broken(Exception):
    """The file is not a sound database of ours."""


class Database:
    """One SQLite file, for all threads of this process. Opens when first used; a failed opening is tried again by the next call.

    Args:
        path: the database; its folder is made and kept private to this user.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._presence = FileLock(path.with_name(path.name + "-open"))
        self._writing = threading.RLock()
        self._reading = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._inode = 0
        self._replaced = 0

    def write(self, work: Work[T]) -> T:
        """Runs `work` in one transaction; returns its result after the commit reached the disk. On any error nothing has changed.

        Raises:
            StorageFault: the disk did not take it.
        """
        return self._run(work, self._write)

    def read(self, work: Work[T]) -> T:
        """Runs `work` on one consistent state.

        Raises:
            StorageFault: the file cannot be read.
        """
        return self._run(work, self._read)

    def forget_deleted(self) -> None:
        """Takes what was deleted out of the log and the free pages too; as far as it goes now, without failing."""
        with self._writing, contextlib.suppress(sqlite3.Error):
            if self._writer is not None:
                self._writer.execute("PRAGMA incremental_vacuum").fetchall()
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Lets go of the file; a later call opens it again."""
        with self._writing, self._reading:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None
            self._presence.give()

    # --- running

    def _run(self, work: Work[T], how: Callable[[Work[T]], T]) -> T:
        replaced = self._replaced
        try:
            try:
                return how(work)
            except (Broken, sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _is_broken(error):
                    raise
                self._set_aside(error, replaced=replaced)
                return how(work)
        except (Broken, sqlite3.Error, OSError) as error:
            raise self._fault(error) from error
        except (ValueError, TypeError, OverflowError) as error:  # a sound file with a value in it that cannot be
            log.exception("a value in the outbox cannot be read")
            raise self._fault(Broken(str(error))) from error

    def _write(self, work: Work[T]) -> T:
        with self._writing:
            self._still_ours()
            connection = self._writer = self._writer or self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

    def _read(self, work: Work[T]) -> T:
        if self._writer is None:
            with self._writing:
                self._writer = self._writer or self._open()
        with self._reading:
            connection = self._reader = self._reader or self._connect()
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _still_ours(self) -> None:
        """Writing into a file that somebody has moved away would be a promise nobody can keep."""
        if self._writer is None:
            return
        try:
            now = self.path.stat().st_ino
        except FileNotFoundError:
            self.close()
            return
        if now != self._inode:
            raise StorageFault(
                "The file with your tickets was replaced while Deskside was running.",
                hint="Quit Deskside and start it again.",
            )

    # --- opening

    def _open(self) -> sqlite3.Connection:
        self._prepare_folder()
        if not self._presence.take(shared=True):
            raise StorageFault(
                "Another Deskside is repairing the file with your tickets.", hint="Wait a moment, then try again."
            )
        self._prepare_file()
        connection = self._connect()
        try:
            self._prepare_schema(connection)
        except BaseException:
            connection.close()
            raise
        self._inode = self.path.stat().st_ino
        return connection

    def _prepare_folder(self) -> None:
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            return  # the profile's access list already keeps others out
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise StorageFault(
                "The folder for Deskside's files belongs to somebody else.",
                hint=f"Start Deskside as the owner of {folder}, without administrator rights.",
            )
        if found.st_mode & 0o077:
            folder.chmod(0o700)

    def _prepare_file(self) -> None:
        if self.path.is_symlink():
            raise StorageFault(
                "The file with your tickets is a link to another place, which Deskside does not follow.",
                hint=f"Remove the link {self.path}, then try again.",
            )
        # Made here and not by SQLite, so that it is private from its first moment; SQLite gives its log the same mode. It is
        # never opened by us again: closing it would take away the locks that SQLite holds on it.
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if sys.platform != "win32" and self.path.stat().st_mode & 0o077:
                for part in PARTS:
                    with contextlib.suppress(FileNotFoundError):
                        self.path.with_name(self.path.name + part).chmod(0o600)
        else:
            _sync_folder(self.path.parent)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.text_factory = lambda data: data.decode(
                "utf-8", "replace"
            )  # a damaged letter is not the end of it
            for pragma in (f"cache_size=-{CACHE_KIB}", "foreign_keys=ON", "secure_delete=ON", "trusted_schema=OFF"):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_schema(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NewerData("Your tickets were saved by a newer Deskside than this one.")
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        if version == 0 and tables == 0:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._into_wal(connection)
            self._upgrade(connection)
            _sync_folder(self.path.parent)
        elif owner != APPLICATION_ID or version == 0:
            raise Broken("it is not a database of Deskside")
        else:
            self._into_wal(connection)
            if version < VERSION:
                self._upgrade(connection)
        if self.path.stat().st_size <= QUICK_CHECK_BYTES:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise Broken(str(verdict))

    @staticmethod
    def _into_wal(connection: sqlite3.Connection) -> None:
        connection.execute(
            "PRAGMA journal_mode=WAL"
        ).fetchone()  # where it cannot be, SQLite keeps its older journal: slower, as safe
        connection.execute("PRAGMA synchronous=FULL")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync=ON")  # there fsync alone leaves the data in the drive's cache

    @staticmethod
    def _upgrade(connection: sqlite3.Connection) -> None:
        """Takes the steps to today's version, all or none of them."""
        connection.execute("BEGIN EXCLUSIVE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for name in SCHEMAS[version:]:  # another process may have been faster
                for statement in statements(SCHEMA_FOLDER.joinpath(name).read_text(encoding="utf-8")):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={max(version, VERSION)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    # --- a damaged file

    def _set_aside(self, error: Exception, *, replaced: int) -> None:
        """Renames the damaged file, makes a new one, and brings over what can still be read of it.

        Args:
            error: what showed the damage.
            replaced: how often the file had been replaced when that was seen; another thread may have been faster.

        Raises:
            StorageFault: another process has the file open.
        """
        with self._writing, self._reading:
            if self._replaced != replaced:
                return
            self.close()
            busy = StorageFault(
                "The file with your tickets is damaged, and another Deskside has it open.",
                hint="Quit Deskside everywhere on this computer, then start it again; it repairs the file by itself.",
            )
            if not self._presence.take():
                raise busy from error
            try:
                aside = self._rename()
            except PermissionError as denied:
                raise busy from denied
            finally:
                self._presence.give()
            self._replaced += 1
            if aside is None:
                return
            log.warning("the outbox was damaged (%s) and was set aside as %s", error, aside.name)
            self._writer = self._open()
            found = self._write(lambda connection: rescue(aside, connection, now=self._clock()))
            words = f"The file with your tickets was damaged. {found} The damaged file is kept as {aside.name} in {aside.parent}."
            self._write(lambda connection: connection.execute("INSERT INTO notice VALUES (?)", (words,)))

    def _rename(self) -> Path | None:
        """Moves the file and its log out of the way; None when there is no file any more."""
        stamp = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
        for again in range(1, 1000):
            name = f"{self.path.stem}.damaged-{stamp}{f'-{again}' if again > 1 else ''}{self.path.suffix}"
            aside = self.path.with_name(name)
            if not aside.exists():
                break
        for part in PARTS[1:]:  # the log first: without its database it is harmless, the other way round it is not
            with contextlib.suppress(FileNotFoundError):
                self.path.with_name(self.path.name + part).rename(aside.with_name(aside.name + part))
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return None
        _sync_folder(self.path.parent)
        return aside

    # --- words

    def _fault(self, error: Exception) -> StorageFault:
        """One true sentence for what SQLite or the operating system said."""
        folder = self.path.parent
        code = getattr(error, "sqlite_errorcode", None)
        number = error.errno if isinstance(error, OSError) else None
        primary = code & 0xFF if isinstance(code, int) else None
        if primary == sqlite3.SQLITE_FULL or number in {errno.ENOSPC, errno.EDQUOT} or self._no_space(primary):
            return StorageFault("The disk is full, so this could not be saved.")
        if number == errno.EFBIG:
            return StorageFault("The file with your tickets may not grow any more, so this could not be saved.")
        if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return StorageFault(
                "Another program is using the file with your tickets and did not let go of it.",
                hint="Wait a moment, then try again.",
            )
        denied = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
        if primary in denied or number in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return StorageFault(
                "Deskside may not write into its own folder, so this could not be saved.",
                hint=f"Tell your IT department that {folder} cannot be written. Nothing that was saved before is lost.",
            )
        if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or isinstance(error, Broken):
            return StorageFault(
                "The file with your tickets is damaged and could not be replaced.",
                hint=f"Tell your IT department: {self.path}.",
            )
        return StorageFault(
            "The disk reported an error, so this could not be saved.",
            hint="Restart the computer, then try again. Nothing that was saved before is lost.",
        )

    def _no_space(self, primary: int | None) -> bool:
        """Whether an input/output error was in truth a full disk: SQLite says only the former when its log cannot grow."""
        if primary != sqlite3.SQLITE_IOERR or sys.platform == "win32":
            return False
        with contextlib.suppress(OSError):
            return os.statvfs(self.path.parent).f_bavail == 0
        return False


def statements(script: str) -> list[str]:
    """The statements of an SQL script, comments left in them."""
    found, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        code = line.split("--", 1)[0].rstrip()
        if code.endswith(";") and sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found


def _is_broken(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # SQLite quotes what it has found in a damaged schema, and that need not be text.
    return isinstance(error, Broken | UnicodeDecodeError) or (
        isinstance(code, int) and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    )


def _sync_folder(folder: Path) -> None:
    """Makes a new name in the folder survive a power cut, where the system can (not on Windows)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
