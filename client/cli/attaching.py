"""Reads the files that an employee wants to send along."""

from __future__ import annotations

import mimetypes
import os
import stat
from pathlib import Path
from typing import Final

from client.cli.show import clean, size
from client.errors import UsageError
from client.model import Attachment

LARGEST_BYTES: Final = (
    50_000_000  # of all files together: they are kept in the outbox and in memory while they are sent
)


def read_attachments(files: tuple[Path, ...], *, limit_bytes: int | None = None) -> tuple[Attachment, ...]:
    """Every file with its name and kind.

    Args:
        limit_bytes: the most that the help desk takes of one file, None where it does not say.

    Raises:
        UsageError: one is missing, no ordinary file, or too large. Nothing was sent or kept then.
    """
    found: list[Attachment] = []
    left = LARGEST_BYTES
    for path in files:
        data = _read(path, limit=min(left, limit_bytes or left))
        left -= len(data)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found.append(Attachment(name=_free_name(path.name, found), media_type=kind, data=data))
    return tuple(found)


def _read(path: Path, *, limit: int) -> bytes:
    name = clean(str(path))
    try:
        with open(path, "rb", opener=lambda file, flags: os.open(file, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe or device would never end
                raise UsageError(f"{name} is not a file that can be sent.")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{name} cannot be read: {why.lower()}.", hint="Correct its name, or leave it out.") from error
    if len(data) > limit:
        raise UsageError(
            f"{name} is too large: at most {size(limit)} can be sent.", hint="Leave it out, or make it smaller."
        )
    return data


def _free_name(name: str, found: list[Attachment]) -> str:
    """Two files of one name would be one for the help desk, so the second becomes "name-2.txt"."""
    taken = {one.name.casefold() for one in found}
    stem, ending = os.path.splitext(name)  # noqa: PTH122 -- a name, not a path
    number, free = 2, name
    while free.casefold() in taken:
        free, number = f"{stem}-{number}{ending}", number + 1
    return free
