"""Moves files and folders aside, and back: what a program makes again by itself, or a start-up item that shall rest.

Moving is one rename within one folder, so a process killed at any moment leaves the old name or the new one, whole. Nothing is ever
copied or removed, except what a program has made anew since then, when the old one comes back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from client.errors import ActionFault
from client.fixes.tree import Identity, Pinned

MARK: Final = ".deskside-"  # between a name and the time it was moved aside


def identity(path: Path, *, uid: int, inside: Path) -> Identity | None:
    """Which file or folder this is; None unless it is real (no link on the way below `inside`) and this user's own.

    Args:
        inside: a folder that is trusted as it is, such as the home.
    """
    try:
        parts = path.relative_to(inside).parts
    except ValueError:
        return None
    here, status = inside, None
    for part in parts:
        if part in {"..", "."}:
            return None
        here = here / part
        try:
            status = os.lstat(here)
        except (OSError, ValueError):
            return None
        if stat.S_ISLNK(status.st_mode) or (os.name != "nt" and status.st_uid != uid):
            return None
    if status is None or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return None
    return status.st_dev, status.st_ino


def place_for(path: Path, stamp_s: int) -> Path:
    """Where something goes when it is moved aside at that time (seconds since 1970): beside itself."""
    return path.with_name(f"{path.name}{MARK}{stamp_s}")


def put_aside(item: Pinned, place: Path, *, uid: int, inside: Path) -> None:
    """Moves it, if it still is the same.

    Raises:
        ActionFault: it has changed since, or the place is taken.
        OSError: the system refused.
    """
    path = Path(item.name)
    if identity(path, uid=uid, inside=inside) != item.identity or os.path.lexists(place):
        raise ActionFault(f"“{path.name}” has changed since you looked at it.", hint="Look at the plan again.")
    path.rename(place)


def put_back(path: Path, place: Path, *, uid: int, inside: Path) -> bool:
    """Moves it back, over what was made anew; False where there is nothing to move back (it never went, or is back already).

    Raises:
        ActionFault: it is not what was moved aside.
        OSError: the system refused.
    """
    if not os.path.lexists(place):
        return False
    if place.parent != path.parent or not place.name.startswith(path.name + MARK):
        raise ActionFault("This was not moved aside by Deskside.")
    if identity(place, uid=uid, inside=inside) is None:
        raise ActionFault(f"What was kept of “{path.name}” has changed.", hint="Ask your IT department.")
    if place.is_dir() and os.path.lexists(path):
        spare = place.with_name(place.name + "-new")
        path.rename(spare)
        place.rename(path)
        with contextlib.suppress(OSError):
            shutil.rmtree(spare)
    else:
        os.replace(place, path)  # noqa: PTH105 -- the atomic one, by its name
    return True


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Puts a small file there, whole: a process killed at any moment leaves the old content or the new.

    Raises:
        OSError: the disk did not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f"{path.name}{MARK}part")
    handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(spare, path)  # noqa: PTH105 -- the atomic one, by its name
