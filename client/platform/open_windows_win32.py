"""Windows of a Windows desktop, by EnumWindows. What belongs to a program that may not be asked has a title but no name."""

from __future__ import annotations

import ctypes
from pathlib import PureWindowsPath
from typing import Any, Final

from client.platform.open_windows import OpenWindow

LONGEST: Final = 1024  # characters of a title or of a program's path
MAY_ASK_LITTLE: Final = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION


class _Rect(ctypes.Structure):
    _fields_ = (("left", ctypes.c_long), ("top", ctypes.c_long), ("right", ctypes.c_long), ("bottom", ctypes.c_long))


def look() -> tuple[OpenWindow, ...] | None:
    """The windows that can be seen; None where the system does not say."""
    libraries: Any = ctypes.__dict__["WinDLL"]  # not known to type checkers of other systems
    user, kernel = libraries("user32", use_last_error=True), libraries("kernel32", use_last_error=True)
    user.GetWindowTextW.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_int)
    for name in ("IsWindowVisible", "IsIconic"):
        getattr(user, name).argtypes = (ctypes.c_void_p,)
    user.GetWindowRect.argtypes = (ctypes.c_void_p, ctypes.POINTER(_Rect))
    user.GetWindowThreadProcessId.argtypes = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_ulong))
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.QueryFullProcessImageNameW.argtypes = (
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_wchar_p,
        ctypes.POINTER(ctypes.c_ulong),
    )
    kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
    found: list[OpenWindow] = []

    def take(window: int, _: int) -> int:
        rect = _Rect()
        if (
            user.IsWindowVisible(window)
            and not user.IsIconic(window)
            and user.GetWindowRect(window, ctypes.byref(rect))
        ):
            title = ctypes.create_unicode_buffer(LONGEST)
            user.GetWindowTextW(window, title, LONGEST)
            names = _program(user, kernel, window)
            wide, high = rect.right - rect.left, rect.bottom - rect.top
            found.append(OpenWindow(title.value, names, rect.left, rect.top, wide, high))
        return 1

    callback = ctypes.__dict__["WINFUNCTYPE"](ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    return tuple(found) if user.EnumWindows(callback(take), 0) else None


def _program(user: Any, kernel: Any, window: int) -> tuple[str, ...]:
    number = ctypes.c_ulong()
    user.GetWindowThreadProcessId(window, ctypes.byref(number))
    process = kernel.OpenProcess(MAY_ASK_LITTLE, 0, number)
    if not process:
        return ()
    try:
        path, size = ctypes.create_unicode_buffer(LONGEST), ctypes.c_ulong(LONGEST)
        if not kernel.QueryFullProcessImageNameW(process, 0, path, ctypes.byref(size)):
            return ()
    finally:
        kernel.CloseHandle(process)
    return (PureWindowsPath(path.value).stem,)
