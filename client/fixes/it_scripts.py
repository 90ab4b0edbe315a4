"""Scripts of IT, from a folder that only administrators can write to. Each is a fix of its own: "it." and the manifest's name.

    /etc/deskside/scripts/team-drives.toml
        title = "Connect the team's drives"
        summary = "Helps when the drives of your team are missing."
        words = "Connects the drives of your team again."
        run = "team-drives.sh"            # beside it; .sh on Linux and macOS, .ps1 on Windows
        undo = "team-drives-undo.sh"      # where it can be taken back
        checks = ["service"]              # looked at again afterwards: areas or ids of checks
        deadline_s = 60

A script runs as the employee, with nothing of Deskside's environment. Everything on the way to it must belong to the administrator
and be writable by nobody else; whatever is not so is named and not offered.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import tomllib
from pathlib import Path, PurePath
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

PREFIX: Final = "it."
OWNER: Final = 0
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
MOST: Final = 100
LARGEST_MANIFEST: Final = 64 * 1024
ENDINGS: Final = {"linux": ".sh", "darwin": ".sh", "win32": ".ps1"}
SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What IT says of a script. `platforms`: where it is for, empty: everywhere that its ending runs."""

    title: Line
    summary: Line
    words: Line
    run: str
    undo: str = ""
    details: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    checks: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    platforms: tuple[Literal["linux", "macos", "windows"], ...] = ()
    deadline_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A script that may be offered. `stamp` changes when any of its files does."""

    name: str
    manifest: Manifest
    run: Path
    undo: Path | None
    stamp: str


class NotTrusted(Exception):
    """It is not used; the text says why, in a few words after its name."""


def load(folder: str, *, platform: str, root: Path) -> tuple[dict[str, Script], tuple[str, ...]]:
    """The scripts of a folder by name, and a sentence for each that is not used.

    Args:
        folder: as the policy names it; empty: there are none.
        platform: `sys.platform`.
        root: the top of the system's own folders, which is trusted as it is.
    """
    if not folder:
        return {}, ()
    here = Path(folder)
    try:
        _trust(here, root, is_folder=True, platform=platform)
        names = sorted(path.stem for path in here.glob("*.toml"))[:MOST]
    except (NotTrusted, OSError) as error:
        return {}, (f"IT's scripts in {folder} are not used: {_why(error)}.",)
    found, problems = {}, []
    for name in names:
        try:
            script = _read(here, name, platform=platform, root=root)
        except (NotTrusted, OSError, msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"IT's script {name} is not used: {_why(error)}.")
            continue
        if script is not None:
            found[name] = script
    return found, tuple(problems)


def _read(folder: Path, name: str, *, platform: str, root: Path) -> Script | None:
    """One script; None where it is for other systems."""
    if not NAME.fullmatch(name):
        raise NotTrusted("its name may have small letters, digits and - only")
    file = folder / f"{name}.toml"
    stamps = [_trust(file, root, platform=platform)]
    with file.open("rb") as source:
        manifest = msgspec.convert(tomllib.loads(source.read(LARGEST_MANIFEST).decode()), Manifest)
    if manifest.platforms and SYSTEMS.get(platform) not in manifest.platforms:
        return None
    parts = {}
    for what in ("run", "undo"):
        named = getattr(manifest, what)
        if not named:
            continue
        ending = PurePath(named).suffix
        if FILE.fullmatch(named) and not manifest.platforms and ending in {*ENDINGS.values()} - {ENDINGS.get(platform)}:
            return None  # the same folder may serve several systems
        if not FILE.fullmatch(named) or ending != ENDINGS.get(platform):
            raise NotTrusted(f"{what} must name a {ENDINGS.get(platform, '.sh')} file beside it")
        parts[what] = folder / named
        stamps.append(_trust(parts[what], root, platform=platform))
    if "run" not in parts:
        raise NotTrusted("it does not say what to run")
    return Script(name=name, manifest=manifest, run=parts["run"], undo=parts.get("undo"), stamp=" ".join(stamps))


def _trust(path: Path, root: Path, *, platform: str, is_folder: bool = False) -> str:
    """Which file it is and when it was changed, if nobody but the administrator could have written it.

    Raises:
        NotTrusted: somebody could.
        OSError: it is not there.
    """
    if not path.is_absolute() or not path.is_relative_to(root) or ".." in path.parts:
        raise NotTrusted("its path is not a full one")
    here = root
    for part in path.relative_to(root).parts:
        here /= part
        status = here.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise NotTrusted(f"{here} is a link")
        if os.name != "nt" and (status.st_uid != OWNER or status.st_mode & 0o022):
            raise NotTrusted(f"{here} can be written by others than the administrator")
    if not (stat.S_ISDIR(status.st_mode) if is_folder else stat.S_ISREG(status.st_mode)):
        raise NotTrusted(f"{path} is no {'folder' if is_folder else 'file'}")
    if platform == "win32" and is_folder and _may_write(path):
        raise NotTrusted(f"{path} can be written by you")
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"


def _may_write(folder: Path) -> bool:
    """Whether this user can put a file there: the only question about rights that Windows answers the same everywhere."""
    with contextlib.suppress(OSError):
        number, name = tempfile.mkstemp(dir=folder, prefix=".deskside-")
        os.close(number)
        Path(name).unlink()
        return True
    return False


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "it cannot be read").lower()
    return str(error).splitlines()[0][:200].rstrip(".")
