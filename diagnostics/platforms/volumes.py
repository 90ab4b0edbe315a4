"""What a volume is to the disk checks, on every operating system. Pure types and rules; reads nothing."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from diagnostics.probe import Space


class Role(StrEnum):
    """What a volume is for; decides how strictly its free space is judged."""

    SYSTEM = "system"  # holds the operating system
    HOME = "home"  # holds the employee's own files
    BOOT = "boot"  # holds what starts the system; small, and nothing for an employee to tidy
    DATA = "data"  # anything else with files on it
    SCRATCH = "scratch"  # temporary: forgotten at shutdown


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    r"""One mounted file system that can hold an employee's files.

    `mount` is where it is seen ("/home", "C:\"), `source` the device or share behind it, `disk` the whole disk that carries it
    ("sda"; empty: none or not known). `read_only` says that nothing can be written; `read_only_because` is "error" (the
    system stopped writing to protect the files), "mounted" (somebody mounted it so, and nothing says that this is meant) or
    empty (it can be written, or is meant to be read-only). `remote` volumes live on another computer and may hang;
    `removable` ones are slow by nature.
    """

    mount: str
    source: str
    kind: str
    role: Role = Role.DATA
    disk: str = ""
    read_only: bool = False
    read_only_because: str = ""
    remote: bool = False
    removable: bool = False


def place(mount: str, role: str) -> str:
    """What an employee calls a volume: "this computer's own disk", "drive D:", else where it is mounted."""
    if role == Role.SYSTEM:
        return "this computer's own disk"
    if role == Role.HOME and mount.startswith("/"):
        return f"the disk with your files ({mount})"
    if role == Role.BOOT:
        return f"the start-up disk ({mount})"
    if len(mount) == 3 and mount[1:] == ":\\":  # noqa: PLR2004 -- a letter, a colon, a backslash
        return f"drive {mount[:2]}"
    return mount


def free_percent(space: Space) -> float:
    """Free space in percent of what this user could use: what is kept back for the system does not count."""
    usable = space.used_bytes + space.free_bytes
    return 100.0 if usable <= 0 else 100.0 * space.free_bytes / usable


def inodes_free_percent(space: Space) -> float:
    """Files that can still be made, in percent; 100 where the file system has no fixed number."""
    return 100.0 if space.inodes_total <= 0 else 100.0 * space.inodes_free / space.inodes_total
