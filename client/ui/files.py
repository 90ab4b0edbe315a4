"""Files that an employee adds to a ticket: read once, checked, and named so that none hides another. Imports no widgets.

Functions here block; the window runs them through the bridge.
"""

from __future__ import annotations

import mimetypes
import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication

from client.model import Attachment
from client.ui.words import size

LARGEST: Final = 50 * 1000 * 1000  # bytes; beyond this the outbox is no place to keep a file, whatever the desk takes
LONGEST_NAME: Final = 120  # characters; help desks cut or refuse longer ones
OURS: Final = ("report.json", "report.html", "summary.txt")  # the ticket's own files
EDGES: Final = re.compile(r"^[\s.]+|[\s.]+$")  # hidden on some systems, cut off by others


def translate(text: str) -> str:
    """A string of the context "Files"."""
    return QCoreApplication.translate("Files", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What became of the files that were asked for: those that were read, and a sentence for each that was not."""

    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()


def gather(paths: tuple[Path, ...], have: tuple[Attachment, ...], limit: int | None) -> Gathered:
    """Reads files to be sent along. Nothing is left out silently.

    Args:
        paths: what the employee chose or dropped.
        have: what is attached already; names are kept apart from these and from the ticket's own files.
        limit: the largest file the help desk takes, in bytes; None where it does not say.
    """
    taken = [one.name for one in have]
    read: list[Attachment] = []
    problems: list[str] = []
    for path in paths:
        try:
            data = read_file(path, limit)
        except Unfit as unfit:
            problems.append(str(unfit))
            continue
        if any(one.data == data and one.name.casefold() == clean_name(path.name).casefold() for one in (*have, *read)):
            continue  # the same file once more
        name = free_name(clean_name(path.name), taken)
        taken.append(name)
        read.append(Attachment(name=name, media_type=media_type(name, data), data=data))
    return Gathered(attachments=tuple(read), problems=tuple(problems))


class Unfit(Exception):
    """A file cannot be sent along; the text is a sentence that says why and what to do."""


def read_file(path: Path, limit: int | None) -> bytes:
    """The bytes of a regular file.

    Raises:
        Unfit: it is a folder, no file at all, too large, or cannot be read.
    """
    name = path.name or str(path)
    most = min(limit or LARGEST, LARGEST)
    too_large = Unfit(
        translate(
            "“{name}” is larger than {limit}, the most that can be sent. Make it smaller, or send a part of it."
        ).format(name=name, limit=size(most))
    )
    try:
        # Opened without waiting and judged by the open file: a pipe must not hang us, and a name may change hands meanwhile.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except IsADirectoryError:
        raise Unfit(_folder(name)) from None
    except OSError as error:
        if path.is_dir():  # Windows says "permission denied" for folders
            raise Unfit(_folder(name)) from None
        raise Unfit(_unreadable(name, error)) from error
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise Unfit(_folder(name))
        if not stat.S_ISREG(found.st_mode):
            raise Unfit(translate("“{name}” is not a file that can be sent.").format(name=name))
        if found.st_size > most:
            raise too_large
        with os.fdopen(os.dup(handle), "rb") as file:
            data = file.read(most + 1)  # it may be growing
    except OSError as error:
        raise Unfit(_unreadable(name, error)) from error
    finally:
        os.close(handle)
    if len(data) > most:
        raise too_large
    return data


def _folder(name: str) -> str:
    return translate("“{name}” is a folder. Open it and choose the files, or pack it into one file first.").format(
        name=name
    )


def _unreadable(name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return translate("“{name}” is not there any more.").format(name=name)
    if isinstance(error, PermissionError):
        return translate("“{name}” may not be read by you. Copy it to a folder of yours, or ask its owner.").format(
            name=name
        )
    return translate("“{name}” could not be read from the disk.").format(name=name)


def clean_name(name: str) -> str:
    """A name that every system takes: no folders, no control characters, not too long."""
    kept = "".join(
        "_" if one in '/\\:*?"<>|' or unicodedata.category(one).startswith("C") else one
        for one in unicodedata.normalize("NFC", name)
    )
    kept = EDGES.sub("", kept)
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME and dot and len(ending) < LONGEST_NAME // 4:
        kept = stem[: LONGEST_NAME - len(ending) - 1] + dot + ending
    return EDGES.sub("", kept[:LONGEST_NAME]) or "file"


def free_name(name: str, taken: list[str]) -> str:
    """The name, or the name with a number where another file has it already."""
    used = {one.casefold() for one in (*taken, *OURS)}
    if name.casefold() not in used:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    number = 2
    while (other := f"{stem} ({number}){dot}{ending}").casefold() in used:
        number += 1
    return other


def media_type(name: str, data: bytes) -> str:
    """The media type by the name's ending; plain text where the bytes are text and the ending says nothing."""
    guessed = mimetypes.guess_type(name, strict=False)[0]
    if guessed:
        return guessed
    return "text/plain" if data and as_text(data) is not None else "application/octet-stream"


def as_text(data: bytes) -> str | None:
    """The bytes as text where they are UTF-8 text, None for everything else."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
