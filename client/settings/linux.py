"""Policies on Linux: TOML files in folders that only root can write to.

The places are fixed. XDG_CONFIG_DIRS would be the custom for system-wide settings, but the user sets it, and so could swap
the policy for one of their own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from client.settings.source import Source, Unusable, check_owner, read_toml

ALSO: Final = Path("/etc/xdg/deskside/policy.d")  # where packages and older tools put system-wide settings
ROOT: Final = 0


def read(folder: Path, *, also: tuple[Path, ...] = (ALSO,), owner: int = ROOT) -> tuple[Source, ...]:
    """Every *.toml of `also` and then of `folder`, each sorted by name; what comes later wins over what came before.

    Args:
        owner: the user id that folders and files must belong to. Nobody else may be able to write to them.
    """
    return tuple(source for place in (*also, folder) for source in _read_folder(place, owner=owner))


def _read_folder(folder: Path, *, owner: int) -> tuple[Source, ...]:
    try:
        about = os.stat(folder)  # noqa: PTH116 -- one call instead of three
        check_owner(about, owner=owner)
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml") and not name.startswith("."))  # noqa: PTH208
    except FileNotFoundError:
        return ()
    except NotADirectoryError:
        return (Source(file=str(folder), problem="is not a folder"),)
    except Unusable as error:
        return (Source(file=str(folder), problem=str(error)),)
    except OSError as error:
        return (Source(file=str(folder), problem=f"cannot be read ({error.strerror})"),)
    sources = (read_toml(folder / name, owner=owner) for name in names)
    return tuple(source for source in sources if source is not None)
