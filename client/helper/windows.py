"""The channel on Windows: a service with a named pipe that people at this computer may open, and nobody from the network.

Who the caller is comes from its token, taken by impersonation for as long as it takes to read it. The pipe's rights leave out
FILE_CREATE_PIPE_INSTANCE, so nobody else can answer in our name.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from ctypes import byref, c_int, c_void_p, c_wchar_p, sizeof
from typing import Any, Final

from client.helper.gate import Caller, Gate
from client.helper.local import LONGEST_LINE, MOST_AT_ONCE, READ_S, answer
from client.helper.run import environment, system_folder

PIPE: Final = r"\\.\pipe\io.github.deskside.helper"
SERVICE: Final = "DesksideHelper"
# Nobody from the network; all to the system and administrators; read and write, not "create instance", to people signed in here.
RIGHTS: Final = "O:SYG:SYD:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x120183;;;IU)"
DUPLEX, FIRST_INSTANCE, REJECT_REMOTE = 0x3, 0x80000, 0x8
BUFFER: Final = 16384
POLL_S: Final = 0.02
PIPE_CONNECTED: Final = 535
TOKEN_QUERY, TOKEN_USER, TOKEN_SESSION = 0x8, 1, 12
ADMINISTRATORS, CONNECT_STATE, ACTIVE, OWN_PROCESS = 26, 8, 0, 0x10
STOPPED, RUNNING, ACCEPTS_STOP, CONTROL_STOP, CONTROL_SHUTDOWN = 1, 4, 0x5, 1, 5
DWORD = ctypes.c_uint32


class _Attributes(ctypes.Structure):
    _fields_ = (("length", DWORD), ("descriptor", c_void_p), ("inherit", c_int))


class _Status(ctypes.Structure):
    _fields_ = tuple((name, DWORD) for name in ("type", "state", "accepts", "code", "own_code", "point", "hint"))


def main(words: list[str]) -> int:
    """`--service` for Windows' services, `--run` to watch it in a console. 2: started wrongly, 3: it cannot serve."""
    if words not in (["--service"], ["--run"]) or not sys.flags.isolated:
        sys.stderr.write("deskside-helper is started by Windows: python -I -P -m client.helper --service\n")
        return 2
    os.environ.clear()
    os.environ.update(environment())
    os.chdir(system_folder())
    if words == ["--service"]:
        return _Service().dispatch()
    try:
        asyncio.run(serve(lambda line: sys.stderr.write(f"{line}\n"), stop=asyncio.Event()))
    except OSError as error:
        sys.stderr.write(f"deskside-helper cannot serve: {error}\n")
    return 3


async def serve(log: Callable[[str], object], *, stop: asyncio.Event) -> None:
    """Serves until `stop` is set.

    Raises:
        OSError: the pipe cannot be made, or somebody else has it.
    """
    folder, exists = system_folder(), os.path.exists
    gate = Gate(log, find=lambda name: path if exists(path := rf"{folder}\{name}") else None, exists=exists)
    loop = asyncio.get_running_loop()
    first = _pipe(FIRST_INSTANCE)
    for number in range(MOST_AT_ONCE):
        pipe = _pipe(0) if number else first
        threading.Thread(target=_serve_pipe, args=(pipe, gate, loop), daemon=True, name=f"pipe-{number}").start()
    log("ready")
    await stop.wait()


def _serve_pipe(pipe: int, gate: Gate, loop: asyncio.AbstractEventLoop) -> None:
    """Serves one instance of the pipe, one caller after the other."""
    kernel = _library("kernel32")
    while True:
        if kernel.ConnectNamedPipe(c_void_p(pipe), None) or _last_error() == PIPE_CONNECTED:
            try:
                line = _read(pipe)
                caller, here, admin = _who(pipe)
                asking = answer(gate, caller, line, sits_here=here, is_admin=admin)
                said = asyncio.run_coroutine_threadsafe(asking, loop).result()
                kernel.WriteFile(c_void_p(pipe), said, len(said), byref(DWORD()), None)  # the buffer takes all of it
                _wait_until_gone(pipe)
            except OSError as error:
                gate.log(f"a connection was closed: {error!r}"[:200])
            except Exception as error:  # noqa: BLE001 -- a mistake of ours must not take the pipe away
                gate.log(f"mistake: {error!r}"[:400])
        else:
            time.sleep(POLL_S)  # gone before it was connected
        kernel.DisconnectNamedPipe(c_void_p(pipe))


def _pipe(more: int) -> int:
    attributes = _Attributes(sizeof(_Attributes), None, 0)
    convert = _library("advapi32").ConvertStringSecurityDescriptorToSecurityDescriptorW
    _must(convert(RIGHTS, 1, byref(attributes, _Attributes.descriptor.offset), None))
    create = _library("kernel32").CreateNamedPipeW
    create.restype = c_void_p
    pipe = create(PIPE, DUPLEX | more, REJECT_REMOTE, MOST_AT_ONCE, BUFFER, BUFFER, 0, byref(attributes))
    _must(pipe not in {None, c_void_p(-1).value})
    return int(pipe)


def _read(pipe: int) -> bytes:
    """One line. A caller that says nothing, or too much, is let go."""
    kernel, line, ends = _library("kernel32"), b"", time.monotonic() + READ_S
    buffer, waiting, got = ctypes.create_string_buffer(LONGEST_LINE), DWORD(), DWORD()
    while not line.endswith(b"\n") and len(line) <= LONGEST_LINE:
        if time.monotonic() > ends:
            raise OSError("too slow")
        _must(kernel.PeekNamedPipe(c_void_p(pipe), None, 0, None, byref(waiting), None))
        if waiting.value:
            _must(kernel.ReadFile(c_void_p(pipe), buffer, LONGEST_LINE, byref(got), None))
            line += buffer.raw[: got.value]
        else:
            time.sleep(POLL_S)
    return line


def _wait_until_gone(pipe: int) -> None:
    """Disconnecting would throw away what the caller has not read yet."""
    ends, peek = time.monotonic() + READ_S, _library("kernel32").PeekNamedPipe
    while time.monotonic() < ends and peek(c_void_p(pipe), None, 0, None, byref(DWORD()), None):
        time.sleep(POLL_S)


def _who(pipe: int) -> tuple[Caller, bool, bool]:
    """The caller; whether it sits at this computer; whether it is an administrator (with its full rights)."""
    kernel, security = _library("kernel32"), _library("advapi32")
    token, admin, process, session = c_void_p(), c_int(), DWORD(), DWORD()
    _must(security.ImpersonateNamedPipeClient(c_void_p(pipe)))
    try:
        kernel.GetCurrentThread.restype = c_void_p
        _must(security.OpenThreadToken(c_void_p(kernel.GetCurrentThread()), TOKEN_QUERY, 1, byref(token)))
    finally:
        if not security.RevertToSelf():
            os._exit(3)  # going on as somebody else is worse than ending
    try:
        needed, text, group = DWORD(), c_wchar_p(), ctypes.create_string_buffer(68)
        about = ctypes.create_string_buffer(256)
        _must(security.GetTokenInformation(token, TOKEN_USER, about, 256, byref(needed)))
        _must(security.ConvertSidToStringSidW(c_void_p.from_buffer(about), byref(text)))
        user = str(text.value)
        kernel.LocalFree(text)
        _must(security.GetTokenInformation(token, TOKEN_SESSION, byref(session), 4, byref(needed)))
        _must(security.CreateWellKnownSid(ADMINISTRATORS, None, group, byref(DWORD(68))))
        _must(security.CheckTokenMembership(token, group, byref(admin)))
    finally:
        kernel.CloseHandle(token)
    # For the log alone: a process id can be another's by now.
    kernel.GetNamedPipeClientProcessId(c_void_p(pipe), byref(process))
    return Caller(user, process.value, f"session={session.value}"), _is_active(session.value), bool(admin.value)


def _is_active(session: int) -> bool:
    """Whether somebody works in this session, at the console or from afar."""
    if session == _library("kernel32").WTSGetActiveConsoleSessionId():
        return True
    terminal, state, size = _library("wtsapi32"), ctypes.POINTER(c_int)(), DWORD()
    if not terminal.WTSQuerySessionInformationW(None, session, CONNECT_STATE, byref(state), byref(size)):
        return False
    found = state[0]
    terminal.WTSFreeMemory(state)
    return bool(found == ACTIVE)


class _Service:
    """What Windows' services talk to."""

    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event

    def __init__(self) -> None:
        self._handle = c_void_p()
        make = ctypes.WINFUNCTYPE  # type: ignore[attr-defined]
        self._main = make(None, DWORD, c_void_p)(self._begin)
        self._control = make(DWORD, DWORD, DWORD, c_void_p, c_void_p)(self._told)
        source = _library("advapi32").RegisterEventSourceW
        source.restype = c_void_p
        self._log_source = c_void_p(source(None, SERVICE))

    def dispatch(self) -> int:
        """Gives this thread to Windows until the service has ended; 3 when Windows did not start us."""
        table = (c_void_p * 4)(ctypes.cast(c_wchar_p(SERVICE), c_void_p), ctypes.cast(self._main, c_void_p))
        return 0 if _library("advapi32").StartServiceCtrlDispatcherW(table) else 3

    def _begin(self, _count: int, _words: Any) -> None:
        register = _library("advapi32").RegisterServiceCtrlHandlerExW
        register.restype = c_void_p
        self._handle = c_void_p(register(SERVICE, self._control, None))
        code = 0
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._log(f"cannot serve: {error!r}"[:400])
            code = 3
        self._say(STOPPED, code)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._say(RUNNING)
        await serve(self._log, stop=self._stop)

    def _told(self, control: int, _kind: int, _data: Any, _context: Any) -> int:
        if control in {CONTROL_STOP, CONTROL_SHUTDOWN}:
            self._loop.call_soon_threadsafe(self._stop.set)
        return 0

    def _say(self, state: int, code: int = 0) -> None:
        status = _Status(OWN_PROCESS, state, ACCEPTS_STOP if state == RUNNING else 0, code, 0, 0, 0)
        _library("advapi32").SetServiceStatus(self._handle, byref(status))

    def _log(self, line: str) -> None:
        words = (c_wchar_p * 1)(line)
        _library("advapi32").ReportEventW(self._log_source, 4, 0, 1, None, 1, 0, words, None)


def _library(name: str) -> Any:
    return ctypes.WinDLL(name, use_last_error=True)  # type: ignore[attr-defined]


def _last_error() -> int:
    return int(ctypes.get_last_error())  # type: ignore[attr-defined]


def _must(worked: Any) -> None:
    if not worked:
        raise ctypes.WinError(_last_error())  # type: ignore[attr-defined]
