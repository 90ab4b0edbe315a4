"""Opens an address or a file with the program the desktop has for it. No Qt: the window may use its own way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import Final

from client.errors import DisplayFault, UsageError

_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})  # nothing that runs or mounts something


def open_url(url: str) -> None:
    """Shows a web page, or starts a mail or a call.

    Raises:
        UsageError: the address is none of these.
        DisplayFault: there is nothing to show it with.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in _SCHEMES or not url.isprintable() or " " in url:
        raise UsageError("Deskside opens web pages, mail and telephone numbers only.", hint="Ask IT about this link.")
    _open(url)


def open_path(path: Path) -> None:
    """Shows a folder, or a file with the program meant for it. Programs and scripts are shown in their folder, never started.

    Raises:
        UsageError: it does not exist.
        DisplayFault: there is nothing to show it with.
    """
    path = path.absolute()
    if not path.exists():
        raise UsageError(f"{path} is not there.", hint="It may have been moved or removed.")
    _open(str(path.parent if path.is_file() and _runs(path) else path))


def _runs(path: Path) -> bool:
    if sys.platform == "win32":  # where every file counts as executable
        endings = os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WSF;.MSC").lower().split(";")
        return path.suffix.lower() in {*endings, ".lnk", ".url", ".ps1", ".msi", ".scr", ".hta", ".reg"}
    return os.access(path, os.X_OK) or path.suffix.lower() == ".desktop"


def _open(target: str) -> None:
    if sys.platform == "win32":
        os.startfile(target)  # noqa: S606 -- the scheme or file kind was checked above
        return
    command = "open" if sys.platform == "darwin" else "xdg-open"
    program = shutil.which(command)
    if program is None:
        raise DisplayFault("This computer has no program to show that with.", hint=f"Open it yourself: {target}")
    process = subprocess.Popen(
        [program, target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Some openers live as long as the window they open, so nobody waits for them; but somebody must take note of their end.
    threading.Thread(target=process.wait, name="deskside-opener", daemon=True).start()
