"""The named pipe of the privileged helper on Windows, from the employee's side. Imported on Windows only."""

from __future__ import annotations

import ctypes
import time
from ctypes import byref, c_void_p
from typing import Any, Final

PIPE: Final = r"\\.\pipe\io.github.deskside.helper"
ACCESS: Final = 0x120183  # read and write data and attributes, read control, wait: what the helper grants, and no more
OPEN_EXISTING: Final = 3
IDENTIFY_ONLY: Final = 0x110000  # SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: nobody acts in our name through it
ALL_BUSY: Final = 231
KERNEL_OBJECT, OWNER = 6, 1
OWNERS: Final = {"S-1-5-18", "S-1-5-32-544"}  # the system, the administrators
POLL_S: Final = 0.02
BUFFER: Final = 16384


def exists() -> bool:
    """Whether somebody serves the pipe; uses none of its places."""
    kernel = _library("kernel32")
    return bool(kernel.WaitNamedPipeW(PIPE, 1)) or _last_error() == 121  # noqa: PLR2004 -- ERROR_SEM_TIMEOUT: all are busy


def ask(line: bytes, limit_s: float) -> bytes:
    """Sends one line and gives what comes back. Blocks.

    Raises:
        OSError: there is no helper, or whoever serves the pipe is not the system.
        TimeoutError: it did not answer in time.
    """
    kernel, ends = _library("kernel32"), time.monotonic() + limit_s
    kernel.CreateFileW.restype = c_void_p
    while (found := kernel.CreateFileW(PIPE, ACCESS, 0, None, OPEN_EXISTING, IDENTIFY_ONLY, None)) == c_void_p(
        -1
    ).value:
        if _last_error() != ALL_BUSY:
            raise _error()
        if time.monotonic() > ends:
            raise TimeoutError("the helper is busy")
        time.sleep(POLL_S)
    pipe = c_void_p(found)
    try:
        _check_owner(pipe)
        count, said = ctypes.c_uint32(), b""
        if not kernel.WriteFile(pipe, line, len(line), byref(count), None):
            raise _error()
        buffer = ctypes.create_string_buffer(BUFFER)
        while not said.endswith(b"\n"):
            if not kernel.PeekNamedPipe(pipe, None, 0, None, byref(count), None):
                raise _error()
            if count.value == 0:
                if time.monotonic() > ends:
                    raise TimeoutError("the helper did not answer")
                time.sleep(POLL_S)
            elif not kernel.ReadFile(pipe, buffer, BUFFER, byref(count), None):
                raise _error()
            else:
                said += buffer.raw[: count.value]
        return said
    finally:
        kernel.CloseHandle(pipe)


def _check_owner(pipe: c_void_p) -> None:
    """Whoever made the pipe must be the system or an administrator: others could have taken its name."""
    security, owner, descriptor, text = _library("advapi32"), c_void_p(), c_void_p(), ctypes.c_wchar_p()
    code = security.GetSecurityInfo(pipe, KERNEL_OBJECT, OWNER, byref(owner), None, None, None, byref(descriptor))
    if code or not security.ConvertSidToStringSidW(owner, byref(text)):
        raise OSError(code, "the owner of the helper's pipe cannot be told")
    try:
        if text.value not in OWNERS:
            raise PermissionError("the helper's pipe was not made by the system")
    finally:
        _library("kernel32").LocalFree(text)
        _library("kernel32").LocalFree(descriptor)


def _library(name: str) -> Any:
    return ctypes.WinDLL(name, use_last_error=True)  # type: ignore[attr-defined]


def _last_error() -> int:
    return int(ctypes.get_last_error())  # type: ignore[attr-defined]


def _error() -> OSError:
    error: OSError = ctypes.WinError(_last_error())  # type: ignore[attr-defined]
    return error
