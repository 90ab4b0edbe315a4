"""Whether there is a display to show a window on. Qt ends the whole process when there is none, so it is asked before."""

from __future__ import annotations

import os
import re
import socket
import sys
from typing import Final

from client.errors import DisplayFault

_LOCAL: Final = re.compile(r"(?:unix)?:([0-9]+)(?:\.[0-9]+)?")
_WAIT_S: Final = 1.0


def need_display() -> None:
    """Does nothing where a window can be shown.

    Raises:
        DisplayFault: the session has no display, or it does not answer.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "") not in {"", "xcb"}:
        return
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise DisplayFault("Deskside could not find a screen to show its window on.")
    local = _LOCAL.fullmatch(display)
    if local is not None and not _answers(local[1]):
        raise DisplayFault(f"The screen that Deskside was told to use ({display}) does not answer.")


def _answers(number: str) -> bool:
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 -- where X servers listen, by their own convention
    for address in (path, f"\0{path}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_WAIT_S)
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False
