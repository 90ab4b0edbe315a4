"""Removes a lab whose owner died without a goodbye.

`python guard.py MARK FOLDER` lives in a session of its own and waits for the end of its standard input, which comes when the owner
has closed it or is gone, however it went. What still carries the mark is removed then: processes, namespaces, their /etc/netns.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

NAMESPACES, SETTINGS = Path("/run/netns"), Path("/etc/netns")


class Guard:
    """Watches over one lab from a process of its own, from now until `done`."""

    def __init__(self, mark: str, folder: Path) -> None:
        argv = [sys.executable, str(Path(__file__).resolve()), mark, str(folder)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True)

    def done(self) -> None:
        """The lab needs no watching any more. Removes what is left of it, and returns when it is gone."""
        self._process.communicate()


def remove(mark: str) -> None:
    """Ends what runs in the namespaces with this mark, and removes them."""
    for place in NAMESPACES.glob(f"{mark}-*"):
        inside = subprocess.run(["ip", "netns", "pids", place.name], capture_output=True, text=True, check=False).stdout
        for pid in inside.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", place.name], check=False)
    for place in SETTINGS.glob(f"{mark}-*"):
        shutil.rmtree(place, ignore_errors=True)


def main() -> None:
    """Waits for the owner's end, then removes."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it ends by itself as soon as its owner does
    mark, folder = sys.argv[1:]
    sys.stdin.buffer.read()
    remove(mark)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
