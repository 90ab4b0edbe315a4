"""One place that settings come from, read as it is: a TOML file, a registry key or a property list. Judges nothing.

Reading never raises for what is in a file: a source that cannot be used says so in `problem`. Files are foreign: bounded,
regular, and decoded strictly.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import msgspec

LIMIT_BYTES: Final = 256 * 1024  # the largest real settings are a few KiB; beyond this it is some other file


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one file (or registry key) says. `table` is shaped like TOML, and empty where `problem` says why it cannot be used.

    `texts_only` sources write numbers and switches as text or 0 and 1 (the registry does); the merge then reads them leniently.
    """

    file: str
    table: dict[str, Any] = {}
    problem: str = ""
    texts_only: bool = False


class Unusable(Exception):
    """This file cannot be read as settings; the text is the end of a sentence that starts with the file's name."""


def read_toml(path: Path, *, owner: int | None = None) -> Source | None:
    """Reads one TOML file; None when there is none.

    Args:
        owner: when given, the file must belong to this user id and be writable by nobody else.
    """
    try:
        content = read_bytes(path, owner=owner)
        return None if content is None else Source(file=str(path), table=_parse(content))
    except Unusable as error:
        return Source(file=str(path), problem=str(error))


def read_bytes(path: Path, *, owner: int | None = None) -> bytes | None:
    """The bytes of a regular file of bounded size, None when there is none. Never waits (a pipe is refused, not read).

    Raises:
        Unusable: it is something else, too large, not readable, or not only its owner's.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unusable("is not a file")
            if owner is not None:
                check_owner(about, owner=owner)
            content = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise Unusable("is a folder, not a file") from error
    except PermissionError as error:
        raise Unusable("may not be read by this user") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise Unusable(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(content) > LIMIT_BYTES:
        raise Unusable(f"is larger than {LIMIT_BYTES // 1024} KiB, so it is not a settings file")
    return content


def check_owner(about: os.stat_result, *, owner: int) -> None:
    """Refuses what somebody else could have written.

    Raises:
        Unusable: it does not belong to `owner`, or others may write to it.
    """
    if about.st_uid != owner:
        raise Unusable("does not belong to the administrator")
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unusable("may be changed by others than the administrator")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # opening a pipe for reading would wait for a writer


def _parse(content: bytes) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 -- most computers have no settings file at all, and the tray starts faster without

    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # editors on Windows like to write a byte order mark
    except UnicodeDecodeError as error:
        raise Unusable("is not a text file (UTF-8)") from error
    except tomllib.TOMLDecodeError as error:
        raise Unusable(f"is not valid TOML: {_printable(str(error))}") from error
    except RecursionError as error:
        raise Unusable("is not valid TOML: it is nested too deeply") from error


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:200]
