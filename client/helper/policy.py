"""What the administrator allows: `fixes.privileged` of the machine's policies. The user's settings are never looked at.

A policy never falls open: a file or folder that somebody else could have written, that is a link or that cannot be read, means
that nothing is allowed. Everything is opened step by step from the root and judged by the open file, so that nothing can be
swapped in between.
"""

from __future__ import annotations

import os
import plistlib
import stat
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, Final

FOLDERS: Final = ("/etc/xdg/deskside/policy.d", "/etc/deskside/policy.d")  # the latter wins
MANAGED: Final = "/Library/Managed Preferences"
PLIST: Final = "io.github.deskside.plist"
REGISTRY: Final = r"Software\Policies\Deskside\{}fixes"
LIMIT_BYTES: Final = 256 * 1024
_SAFE: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class Untrusted(Exception):
    """A policy cannot be trusted or read; the text says which and why, for the log."""


def allowed() -> tuple[str, ...] | None:
    """The patterns of ids that IT allows; None where no policy says anything.

    Raises:
        Untrusted: a policy cannot be trusted or read.
    """
    found: tuple[str, ...] | None = None
    tables = tuple(_tables())
    parts = [(name, table.get("defaults")) for name, table in tables] + list(
        tables
    )  # what is locked comes last, and wins
    for name, part in parts:
        fixes = part.get("fixes") if isinstance(part, dict) else None
        value = fixes.get("privileged") if isinstance(fixes, dict) else None
        if value is not None:
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise Untrusted(f"{name}: fixes.privileged is not a list of ids")
            found = tuple(value)
    return found


def names(patterns: tuple[str, ...] | None, id: str) -> bool:
    """Whether one of the patterns ("dns.*", "*") names the action; where no policy says anything, every one is."""
    return patterns is None or any(fnmatchcase(id, pattern) for pattern in patterns)


def _tables() -> Iterator[tuple[str, dict[str, Any]]]:
    if sys.platform == "win32":
        yield from _registry()
    elif sys.platform == "darwin":
        yield from _files(MANAGED, lambda name: name == PLIST, plistlib.loads)
    else:
        for folder in FOLDERS:
            yield from _files(
                folder, lambda name: name.endswith(".toml"), lambda data: tomllib.loads(data.decode("utf-8-sig"))
            )


def _files(folder: str, wanted: Any, parse: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    with _opened(folder) as top:
        names = sorted(os.listdir(top)) if top is not None else []  # noqa: PTH208 -- of an open folder
        for name in names:
            if top is not None and wanted(name) and not name.startswith("."):
                path, data = f"{folder}/{name}", _read(top, name, f"{folder}/{name}")
                try:
                    table = parse(data)
                except Exception as error:  # tomllib and plistlib raise a dozen kinds
                    raise Untrusted(f"{path}: cannot be read ({type(error).__name__})") from error
                yield path, table if isinstance(table, dict) else {}


@contextmanager
def _opened(folder: str) -> Iterator[int | None]:
    """The folder, opened from the root down without following a link; None where there is none."""
    current = os.open("/", _SAFE)
    try:
        for part in folder.strip("/").split("/"):
            try:
                deeper = os.open(part, _SAFE | os.O_DIRECTORY, dir_fd=current)
            except FileNotFoundError:
                yield None
                return
            except OSError as error:
                raise Untrusted(f"{folder}: {part} is a link, or no folder ({error.strerror})") from error
            os.close(current)
            current = deeper
            _check(os.fstat(current), f"{folder}: {part}")
        yield current
    finally:
        os.close(current)


def _read(folder: int, name: str, path: str) -> bytes:
    try:
        file = os.open(name, _SAFE, dir_fd=folder)
    except OSError as error:
        raise Untrusted(f"{path}: is a link, or cannot be read ({error.strerror})") from error
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
            raise Untrusted(f"{path}: is not a file of its own")
        _check(about, path)
        data = os.read(file, LIMIT_BYTES + 1)
    finally:
        os.close(file)
    if len(data) > LIMIT_BYTES:
        raise Untrusted(f"{path}: is too large")
    return data


def _check(about: os.stat_result, what: str) -> None:
    if about.st_uid != 0 or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Untrusted(f"{what}: others than the administrator could have written it")


def _registry() -> Iterator[tuple[str, dict[str, Any]]]:
    """HKEY_LOCAL_MACHINE, which users cannot write to: a REG_MULTI_SZ, or a list box's key with one value for each entry."""
    yield from ()  # elsewhere there is none
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 -- exists on Windows only

        for part in ("defaults\\", ""):
            key, access = REGISTRY.format(part), winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            value: Any = None
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key, 0, access) as fixes:
                    value = winreg.QueryValueEx(fixes, "privileged")[0]
            except FileNotFoundError:
                try:
                    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{key}\privileged", 0, access) as box:
                        value = [winreg.EnumValue(box, n)[1] for n in range(winreg.QueryInfoKey(box)[1])]
                except FileNotFoundError:
                    continue
            except OSError as error:
                raise Untrusted(f"{key}: cannot be read ({error.strerror})") from error
            yield key, {"fixes": {"privileged": value}}
