"""What the channels without a judge of their own (macOS, Windows) share: one line of JSON in, one out, and who may do what there.

A request is `{"ask": "list" | "plan" | "run", "id": "...", "parameters": {...}}`; the answer is that of `client.helper.gate`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Final

from client.helper.actions import Action
from client.helper.gate import Caller, Gate, Verdict

LONGEST_LINE: Final = 4096  # bytes
READ_S: Final = 5.0  # a caller has its line ready
IDLE_S: Final = 60.0
MOST_AT_ONCE: Final = 16  # connections: of one user, on Windows of all
SOCKET: Final = "Listener"  # its name in the launchd property list
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 0x001, 0x002  # sys/un.h of macOS
_XUCRED: Final = struct.Struct("=IIh2x16I")  # sys/ucred.h: version, uid, number of groups, groups


async def answer(gate: Gate, caller: Caller, line: bytes, *, sits_here: bool, is_admin: bool) -> bytes:
    """The answer to one line, itself one line.

    Whoever sits at the computer may do what is light or what a policy names; an administrator may do anything. Nobody else may.
    """

    async def judge(id: str, action: Action, _person: bool) -> Verdict:  # noqa: FBT001 -- the shape that Gate calls
        return "yes" if is_admin or (sits_here and (action.light or gate.named(id))) else "no"

    try:
        said: Any = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        said = None
    request = said if isinstance(said, dict) else {}
    result = await gate.answer(caller, request.get("ask"), request.get("id"), request.get("parameters", {}), judge)
    return json.dumps(result).encode() + b"\n"


def peer(connection: Any) -> tuple[int, int]:
    """The user and the process at the other end of a Unix socket, as the kernel says.

    Raises:
        OSError: it does not say.
    """
    if sys.platform == "darwin":
        raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size)
        version, user = _XUCRED.unpack(raw)[:2]
        if version != 0:
            raise OSError("the kernel's answer has another form")
        return user, struct.unpack("=i", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, 4))[0]
    process, user, _ = struct.unpack("=iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user, process


def console_user() -> int:
    """The user id of whoever sits at a Mac; 0 when nobody does."""
    return os.stat("/dev/console").st_uid  # noqa: PTH116 -- one call


class UnixSocket:
    """Serves a listening Unix socket until nobody has asked for a while."""

    def __init__(
        self, gate: Gate, listener: socket.socket, *, at_console: Callable[[], int], idle_s: float = IDLE_S
    ) -> None:
        self._gate, self._listener, self._at_console, self._idle_s = gate, listener, at_console, idle_s
        self._open: list[int] = []  # the users of the open connections
        self._asked = 0

    async def serve(self) -> None:
        """Returns when it was idle; the socket is launchd's and stays."""
        async with await asyncio.start_unix_server(self._one, sock=self._listener, limit=LONGEST_LINE):
            seen = -1
            while seen != self._asked or self._open:
                seen = self._asked
                await asyncio.sleep(self._idle_s)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asked += 1
        try:
            user, process = peer(writer.get_extra_info("socket"))
        except OSError:
            user, process = -1, 0  # gone already; whoever it was may do nothing
        self._open.append(user)
        try:
            if self._open.count(user) <= MOST_AT_ONCE:
                async with asyncio.timeout(READ_S):
                    line = await reader.readline()
                here, admin = user == self._at_console(), user == 0
                writer.write(await answer(self._gate, Caller(str(user), process), line, sits_here=here, is_admin=admin))
                await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:  # gone, too slow, or a line without an end
            self._gate.log(f"a connection of user={user} was closed: {type(error).__name__}")
        finally:
            self._open.remove(user)
            writer.close()


def launchd_socket() -> socket.socket:
    """The listening socket that launchd keeps for us (launch_activate_socket(3)).

    Raises:
        OSError: we were not started by launchd.
    """
    import ctypes  # noqa: PLC0415 -- macOS only

    system = ctypes.CDLL("/usr/lib/libSystem.dylib")
    found, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_size_t()
    code = system.launch_activate_socket(SOCKET.encode(), ctypes.byref(found), ctypes.byref(count))
    if code or count.value != 1:
        raise OSError(code, "launchd has no socket for us")
    listener = socket.socket(fileno=found[0])
    system.free(found)
    return listener
