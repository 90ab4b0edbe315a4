"""Measures and removes what lies in one folder, and cannot be led out of it.

Where the system has the calls (Linux, macOS), every step is relative to an open folder and follows no link, so swapping a
folder for a link while this runs leads nowhere: what is removed lay inside the folder when its own folder was opened. One
folder is open at a time, so depth costs no file handles; the way back up is checked to be the way that was taken. Other file
systems, other people's files, sockets, pipes and devices are left alone. On Windows the same walk goes by path and
skips reparse points.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

BLOCK: Final = 512  # the unit of st_blocks, whatever the file system's own (stat(2))
BY_HANDLE: Final = {os.open, os.stat, os.unlink, os.rmdir} <= os.supports_dir_fd
OPEN_FOLDER: Final = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

Identity = tuple[int, int]  # device and inode: the same folder, however it is called by now


class Pinned(msgspec.Struct, frozen=True, array_like=True):
    """Something in a plan: its name, and which file or folder it was when it was measured, as "device:inode".

    Text, because a file's number has 128 bits on some Windows volumes, and JSON keeps 64.
    """

    name: str
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,40}:[0-9]{1,40}$")]

    @property
    def identity(self) -> Identity:
        """The pin as numbers."""
        device, _, inode = self.pin.partition(":")
        return int(device), int(inode)


def pinned(name: str, identity: Identity) -> Pinned:
    """A name with its pin."""
    return Pinned(name, f"{identity[0]}:{identity[1]}")


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What is (or would be) gone: its files, the bytes the disk gets back; and how many entries are left and stay.

    `newest_ns` is the last time anything in there was made, changed or read.
    """

    bytes: int = 0
    files: int = 0
    left: int = 0
    newest_ns: int = 0
    stopped: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What may go: files of `uid` that were neither made nor changed after `until_ns`."""

    uid: int
    until_ns: int


def identify(path: Path, *, uid: int) -> Identity | None:
    """Which folder this is; None unless it is a real one (no link) of this user."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISDIR(status.st_mode) or _is_reparse_point(status) or not _is_ours(status, uid):
        return None
    return status.st_dev, status.st_ino


def sweep(
    path: Path,
    *,
    identity: Identity,
    rule: Rule,
    remove: bool,
    names: Mapping[str, Identity] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Swept:
    """Counts or removes what is in a folder; the folder itself stays.

    Args:
        path: the folder; nothing happens unless it still is `identity`.
        rule: what may go.
        remove: False only counts, by the same rule.
        names: only these entries of the folder, each only if it still is the same; None: everything in it.
        stop: asked at every entry; once it is true, the rest stays.

    Raises:
        OSError: the folder cannot be opened, or is another one by now.
    """
    walk: _Walk = (
        _HandleWalk(rule, remove=remove, stop=stop) if BY_HANDLE else _PathWalk(rule, remove=remove, stop=stop)
    )
    return walk.sweep(path, identity, names)


class _Walk:
    """What both ways of walking share: the judgement of one entry, and the sums."""

    def __init__(self, rule: Rule, *, remove: bool, stop: Callable[[], bool]) -> None:
        self.rule, self.remove, self.stop = rule, remove, stop
        self.bytes = self.files = self.left = self.newest_ns = 0
        self.links: dict[Identity, int] = {}

    def sweep(self, path: Path, identity: Identity, names: Mapping[str, Identity] | None) -> Swept:
        raise NotImplementedError

    def may_go(self, status: os.stat_result) -> bool:
        """Judges a file or link. A second name of a file that we have just unlinked was not changed by anybody else."""
        self.newest_ns = max(self.newest_ns, status.st_mtime_ns, status.st_ctime_ns, status.st_atime_ns)
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        known = (status.st_dev, status.st_ino) in self.links
        plain = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
        return plain and _is_ours(status, self.rule.uid) and (known or changed <= self.rule.until_ns)

    def count(self, status: os.stat_result, links: int) -> None:
        """Counts a file that goes. Its bytes come back only with its last name (`links`: how many it had at first)."""
        self.files += 1
        size = getattr(status, "st_blocks", None)
        size = status.st_size if size is None else size * BLOCK
        if links > 1:
            identity = (status.st_dev, status.st_ino)
            self.links[identity] = self.links.get(identity, links) - 1
            if self.links[identity]:
                return
        self.bytes += size

    def result(self, *, stopped: bool) -> Swept:
        return Swept(bytes=self.bytes, files=self.files, left=self.left, newest_ns=self.newest_ns, stopped=stopped)


class _Level(msgspec.Struct):
    """A folder on the way down: its name in the one above, which it is, and what is still to be looked at."""

    name: str
    identity: Identity
    pending: list[str]


class _HandleWalk(_Walk):
    """Relative to open folders."""

    def sweep(self, path: Path, identity: Identity, names: Mapping[str, Identity] | None) -> Swept:
        self.here = os.open(path, OPEN_FOLDER)
        try:
            status = os.fstat(self.here)
            if (status.st_dev, status.st_ino) != identity:
                raise OSError(f"{path} is another folder than before")
            self.mount = _mount_id(self.here)
            self.device = status.st_dev
            pending = _names_in(self.here) if names is None else list(names)
            self.levels = [_Level("", identity, pending)]
            return self.result(stopped=self._walk(names))
        finally:
            os.close(self.here)

    def _walk(self, names: Mapping[str, Identity] | None) -> bool:
        """True when it was stopped, or when the tree was moved under our feet, before everything was seen."""
        while True:
            level = self.levels[-1]
            if self.stop():
                self.left += 1
                return True
            if level.pending:
                name = level.pending.pop()
                expected = names.get(name) if names is not None and len(self.levels) == 1 else None
                self._entry(name, expected)
            elif len(self.levels) == 1:
                return False
            elif not self._leave():
                self.left += 1
                return True

    def _entry(self, name: str, expected: Identity | None) -> None:
        try:
            status = os.stat(name, dir_fd=self.here, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError:
            self.left += 1
            return
        if expected is not None and (status.st_dev, status.st_ino) != expected:
            self.left += 1
        elif stat.S_ISDIR(status.st_mode):
            if not self._enter(name, status):
                self.left += 1
        elif self.may_go(status) and self._unlink(name):
            self.count(status, status.st_nlink)
        else:
            self.left += 1

    def _enter(self, name: str, status: os.stat_result) -> bool:
        if status.st_dev != self.device or not _is_ours(status, self.rule.uid):
            return False
        try:
            folder = os.open(name, OPEN_FOLDER, dir_fd=self.here)
        except OSError:
            return False
        opened = os.fstat(folder)
        identity = (opened.st_dev, opened.st_ino)
        try:
            same = identity == (status.st_dev, status.st_ino) and _mount_id(folder) == self.mount
            pending = _names_in(folder) if same else []
        except OSError:
            same = False
        if not same:
            os.close(folder)
            return False
        os.close(self.here)
        self.here = folder
        self.levels.append(_Level(name, identity, pending))
        return True

    def _leave(self) -> bool:
        """Back to the folder above, which must be the one we came from; then the empty folder goes."""
        level = self.levels.pop()
        above = os.open("..", OPEN_FOLDER, dir_fd=self.here)
        status = os.fstat(above)
        os.close(self.here)
        self.here = above
        if (status.st_dev, status.st_ino) != self.levels[-1].identity:
            return False
        if self.remove:
            try:
                now = os.stat(level.name, dir_fd=above, follow_symlinks=False)
                if (now.st_dev, now.st_ino) == level.identity:
                    self._writable(lambda: os.rmdir(level.name, dir_fd=above))
            except OSError:  # not empty: something in it stays, and has been counted
                pass
        return True

    def _unlink(self, name: str) -> bool:
        if not self.remove:
            return True
        try:
            self._writable(lambda: os.unlink(name, dir_fd=self.here))
        except OSError:
            return False
        return True

    def _writable(self, act: Callable[[], None]) -> None:
        """Does it; in a read-only folder of ours (package caches have them) once more after making that writable."""
        try:
            act()
        except PermissionError:
            status = os.fstat(self.here)
            if len(self.levels) == 1 or status.st_uid != self.rule.uid or status.st_mode & stat.S_IWUSR:
                raise
            os.fchmod(self.here, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
            act()


class _PathWalk(_Walk):
    """By path, for systems without relative calls (Windows).

    A folder swapped for a junction in the instant between look and act would be followed; only this user could do that, in
    folders of their own.
    """

    def sweep(self, path: Path, identity: Identity, names: Mapping[str, Identity] | None) -> Swept:
        if identify(path, uid=self.rule.uid) != identity:
            raise OSError(f"{path} is another folder than before")
        self.device = identity[0]
        todo: list[tuple[Path, bool]] = [(path / name, False) for name in (_names_in(path) if names is None else names)]
        while todo:
            if self.stop():
                self.left += 1
                return self.result(stopped=True)
            entry, emptied = todo.pop()
            if emptied:
                if self.remove:
                    with contextlib.suppress(OSError):
                        entry.rmdir()
            else:
                todo += self._entry(
                    entry, names.get(entry.name) if names is not None and entry.parent == path else None
                )
        return self.result(stopped=False)

    def _entry(self, entry: Path, expected: Identity | None) -> list[tuple[Path, bool]]:
        try:
            status = os.lstat(entry)
        except FileNotFoundError:
            return []
        except OSError:
            self.left += 1
            return []
        other = expected is not None and (status.st_dev, status.st_ino) != expected
        if other or (_is_reparse_point(status) and not stat.S_ISLNK(status.st_mode)):
            self.left += 1
        elif stat.S_ISDIR(status.st_mode):
            if status.st_dev == self.device and _is_ours(status, self.rule.uid):
                try:
                    return [(entry, True), *((entry / name, False) for name in _names_in(entry))]
                except OSError:
                    pass
            self.left += 1
        elif self.may_go(status) and self._unlink(entry):
            self.count(status, status.st_nlink)
        else:
            self.left += 1
        return []

    def _unlink(self, entry: Path) -> bool:
        if not self.remove:
            return True
        try:
            entry.unlink()
        except PermissionError:
            return self._unlink_read_only(entry)
        except OSError:
            return False
        return True

    def _unlink_read_only(self, entry: Path) -> bool:
        """Windows keeps files that a program has open, and refuses those marked read-only; only the mark can be helped."""
        try:
            status = os.lstat(entry)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & stat.S_IWUSR:
                return False
            entry.chmod(stat.S_IWUSR | stat.S_IRUSR)
            entry.unlink()
        except OSError:
            return False
        return True


def _names_in(folder: Path | int) -> list[str]:
    return os.listdir(folder)  # noqa: PTH208 -- names are wanted, and of an open folder


def _is_ours(status: os.stat_result, uid: int) -> bool:
    return sys.platform == "win32" or status.st_uid == uid


def _is_reparse_point(status: os.stat_result) -> bool:
    return bool(getattr(status, "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_REPARSE_POINT)


def _mount_id(folder: int) -> str | None:
    """Which mount an open folder is on (proc(5)): a bind mount has its parent's device, but not its mount. None: unknown."""
    try:
        with open(f"/proc/self/fdinfo/{folder}") as file:  # noqa: PTH123 -- proc
            return next((line.split()[1] for line in file if line.startswith("mnt_id:")), None)
    except OSError:
        return None
