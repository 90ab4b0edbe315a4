"""Policies on macOS: the property list that a configuration profile becomes, under /Library/Managed Preferences.

The system writes these files from installed profiles and only root can change them. A profile for one user is in a folder of that
user's name and is more particular than the computer's. Values in a profile are locked; a `defaults` dictionary holds defaults.
"""

from __future__ import annotations

import plistlib
from pathlib import Path
from typing import Any, Final

from client.settings.source import Source, Unusable, read_bytes

DOMAIN: Final = "io.github.deskside"
ROOT: Final = 0
_OF_THE_SYSTEM: Final = "Payload"  # keys that the profile itself brings along, such as PayloadUUID


def read(folder: Path, *, user: str = "", owner: int = ROOT) -> tuple[Source, ...]:
    """The computer's property list, and then the one for `user`, which wins.

    Args:
        owner: the user id that the files must belong to. Nobody else may be able to write to them.
    """
    places = [folder / f"{DOMAIN}.plist"]
    if user and "/" not in user:
        places.append(folder / user / f"{DOMAIN}.plist")
    return tuple(source for place in places if (source := _read_file(place, owner=owner)) is not None)


def _read_file(path: Path, *, owner: int) -> Source | None:
    try:
        content = read_bytes(path, owner=owner)
        table = None if content is None else _parse(content)
    except Unusable as error:
        return Source(file=str(path), problem=str(error))
    if table is None:
        return None
    return Source(file=str(path), table={k: v for k, v in table.items() if not str(k).startswith(_OF_THE_SYSTEM)})


def _parse(content: bytes) -> dict[str, Any]:
    try:
        table = plistlib.loads(content)
    except Exception as error:  # plistlib raises a dozen kinds: expat, struct, value, overflow ...
        raise Unusable("is not a property list") from error
    if not isinstance(table, dict):
        raise Unusable("is a property list without keys")
    return table
