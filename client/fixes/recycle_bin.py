"""The Windows recycle bin, through the shell's own functions (shellapi.h). Import it on Windows only."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

QUIET: Final = (
    0x1 | 0x2 | 0x4
)  # SHERB_NOCONFIRMATION, NOPROGRESSUI, NOSOUND: the employee has already agreed in our window
DELETE: Final = 3  # FO_DELETE
TO_BIN: Final = 0x40 | 0x10 | 0x4 | 0x400 | 0x4000  # FOF_ALLOWUNDO, NOCONFIRMATION, SILENT, NOERRORUI, WANTNUKEWARNING
EMPTY: Final = -2147418113  # E_UNEXPECTED: what SHEmptyRecycleBinW says of a bin that is empty already


class _Info(ctypes.Structure):
    """SHQUERYRBINFO; its packing is 8 on 64-bit Windows and 1 on 32-bit, which natural alignment gives on 64-bit."""

    _fields_ = (("size", ctypes.c_uint32), ("bytes", ctypes.c_int64), ("items", ctypes.c_int64))


class _Operation(ctypes.Structure):
    """SHFILEOPSTRUCTW on 64-bit Windows; `names` ends with two zeros, of which ctypes writes the second."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("what", ctypes.c_uint32),
        ("names", ctypes.c_wchar_p),
        ("to", ctypes.c_wchar_p),
        ("flags", ctypes.c_uint16),
        ("broken_off", ctypes.c_int32),
        ("mappings", ctypes.c_void_p),
        ("title", ctypes.c_wchar_p),
    )


def contents() -> tuple[int, int]:
    """How many things all drives' bins hold, and their bytes.

    Raises:
        OSError: the shell cannot say.
    """
    info = _Info(size=ctypes.sizeof(_Info))
    if sys.platform == "win32":
        _must(ctypes.windll.shell32.SHQueryRecycleBinW(None, ctypes.byref(info)))
        return info.items, info.bytes
    raise OSError("there is no recycle bin on this system")


def empty() -> None:
    """Empties the bin of every drive.

    Raises:
        OSError: the shell refused.
    """
    if sys.platform == "win32":
        result = ctypes.windll.shell32.SHEmptyRecycleBinW(None, None, QUIET)
        if result != EMPTY:
            _must(result)
    else:
        raise OSError("there is no recycle bin on this system")


def throw_away(path: str) -> None:
    """Moves a file into the bin of its drive; one that does not fit stays where it is.

    Raises:
        OSError: the shell refused.
    """
    if sys.platform == "win32":
        operation = _Operation(what=DELETE, names=f"{path}\0", flags=TO_BIN)
        if ctypes.windll.shell32.SHFileOperationW(ctypes.byref(operation)) or operation.broken_off:
            raise OSError(f"{path} was not moved into the recycle bin")
    else:
        raise OSError("there is no recycle bin on this system")


def _must(result: int) -> None:
    if result < 0:
        raise OSError(f"the shell answered 0x{result & 0xFFFFFFFF:08X}")
