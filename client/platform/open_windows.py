"""Which windows can be seen on the screen now, whose they are and where: so that those which IT lists are not in a picture.

X11 and Windows tell any program. Wayland tells nobody but the desktop itself, and macOS only whom the person has allowed to
record the screen: there nothing is known, and what is not known is said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple


class OpenWindow(NamedTuple):
    """One window with its frame. Places are in the screen's own pixels, not in scaled ones.

    `title` is what stands in its frame; `names` are its program's: the class on X11, the file without .exe on Windows.
    """

    title: str
    names: tuple[str, ...]
    left: int
    top: int
    width: int
    height: int


def open_windows(*, x11: bool) -> tuple[OpenWindow, ...] | None:
    """The windows that can be seen, also those behind others; None where this cannot be found out. Blocks for milliseconds.

    Args:
        x11: whether the program's own windows are on an X server.
    """
    if sys.platform == "win32":
        from client.platform.open_windows_win32 import look as look_win32  # noqa: PLC0415 -- what it loads is there on Windows only

        return look_win32()
    if x11:
        from client.platform.open_windows_x11 import look as look_x11  # noqa: PLC0415 -- loads the X library

        return look_x11()
    return None


def listed(patterns: Sequence[str], windows: Iterable[OpenWindow]) -> tuple[OpenWindow, ...]:
    """The windows whose title or program fits one of the patterns ("KeePassXC", "*Payroll*"), in capital letters or small ones."""
    wanted = [pattern.casefold() for pattern in patterns]
    return tuple(
        window
        for window in windows
        if any(fnmatchcase(name.casefold(), pattern) for name in (window.title, *window.names) for pattern in wanted)
    )
