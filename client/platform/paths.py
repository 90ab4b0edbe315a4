"""Where this user's files are. Imports nothing of the project but the errors.

Finding is free of side effects; `Paths.ensure` creates. The policy folder is a fixed place that only an administrator can
write to, and follows no environment variable, because those belong to the user.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

from platformdirs import PlatformDirs

from client.errors import StorageFault

FOLDER_MODE: Final = 0o700  # what is in there is nobody else's business on a shared computer

_POLICY: Final = {
    "linux": "/etc/deskside/policy.d",
    "darwin": "/Library/Managed Preferences",
    "win32": r"C:\ProgramData\Deskside\policy.d",  # unused: on Windows policy is in the registry
}


class Paths(
    NamedTuple
):  # not a msgspec type: a second start, and the first until its icon is shown, do without msgspec
    """The folders of one user on one computer; none need exist yet.

    `config` holds settings.toml; `data` what must not be lost (outbox, drafts, journal); `state` what can be found out again;
    `cache` what may be deleted at any time; `log` the log; `resources` the program's own files; `policy` what IT has decided.
    """

    config: Path
    data: Path
    state: Path
    cache: Path
    log: Path
    resources: Path
    policy: Path

    @property
    def settings_file(self) -> Path:
        """The user's own settings."""
        return self.config / "settings.toml"

    def ensure(self) -> None:
        """Creates the user's folders where they are missing, readable by this user alone.

        Raises:
            StorageFault: one cannot be created or written to; names it.
        """
        for folder in (self.config, self.data, self.state, self.cache, self.log):
            ensure_folder(folder)


def ensure_folder(folder: Path) -> Path:
    """Creates one folder (and its parents) with mode 0700 where it is missing, and gives it back.

    Raises:
        StorageFault: it cannot be created, is not a folder, or cannot be written to.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StorageFault(
            f"Deskside keeps its files in {folder}, but there is a file of that name.",
            hint="Rename that file, then try again.",
        ) from error
    except OSError as error:
        raise StorageFault(
            f"Deskside could not create its folder {folder}: {_reason(error)}.",
            hint="Free some disk space or allow writing there, then try again.",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageFault(
            f"Deskside may not write to its folder {folder}.",
            hint="Allow writing there, then try again. Checks work all the same.",
        )
    return folder


def find_paths() -> Paths:
    """The folders as the operating system wants them (XDG on Linux, Library on macOS, AppData on Windows)."""
    dirs = PlatformDirs("deskside", appauthor=False)
    return Paths(
        config=Path(dirs.user_config_dir),
        data=Path(dirs.user_data_dir),
        state=Path(dirs.user_state_dir),
        cache=Path(dirs.user_cache_dir),
        log=Path(dirs.user_log_dir),
        resources=find_resources(),
        policy=Path(_POLICY.get(sys.platform, _POLICY["linux"])),
    )


def find_resources() -> Path:
    """The program's own files: beside the packages, in a checkout as in an installation."""
    return Path(__file__).resolve().parents[2] / "resources"


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
