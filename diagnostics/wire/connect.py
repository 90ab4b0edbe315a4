"""One TCP connection to one address, and what exactly became of it. Who sent an ICMP error is kept where the system tells."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
import sys
import time
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

# Linux's numbers (linux/in.h, linux/in6.h, linux/errqueue.h); Python's socket module does not name them all.
IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25
MSG_ERRQUEUE: Final = 0x2000
SO_BINDTODEVICE: Final = 25
ERROR_FORMAT: Final = "IBBBBII"  # struct sock_extended_err: errno, origin, type, code, pad, info, data
ORIGIN_LOCAL: Final = 1


class Reach(StrEnum):
    """What became of a connection."""

    CONNECTED = "connected"
    REFUSED = "refused"  # somebody said no: a closed port, or a filter that rejects
    SILENT = "silent"  # nothing came back in time
    UNREACHABLE = "unreachable"  # a router, or this computer after asking in vain who has the address, said: no way
    NO_ROUTE = "no_route"  # this computer has no route for it
    NOT_PERMITTED = "not_permitted"  # this computer's own filter forbade it
    RESET = "reset"
    ERROR = "error"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of connecting to one address. `offender` is who sent the ICMP error behind it, with its `icmp` type and code."""

    address: str
    port: int
    reach: Reach
    connect_ms: float | None = None
    offender: str | None = None
    icmp: tuple[int, int] | None = None
    detail: str = ""


class Complaint(NamedTuple):
    """An ICMP error from a socket's error queue."""

    offender: str
    type: int
    code: int
    errno: int
    local: bool


REACH_BY_ERRNO: Final = {
    errno.ECONNREFUSED: Reach.REFUSED,
    errno.ECONNRESET: Reach.RESET,
    errno.EPIPE: Reach.RESET,
    errno.ECONNABORTED: Reach.RESET,
    errno.ETIMEDOUT: Reach.SILENT,
    errno.EHOSTUNREACH: Reach.UNREACHABLE,
    errno.EHOSTDOWN: Reach.UNREACHABLE,
    errno.ENETUNREACH: Reach.NO_ROUTE,
    errno.ENETDOWN: Reach.NO_ROUTE,
    errno.EADDRNOTAVAIL: Reach.NO_ROUTE,
    errno.EAFNOSUPPORT: Reach.NO_ROUTE,
    errno.EINVAL: Reach.NO_ROUTE,
    errno.EPERM: Reach.NOT_PERMITTED,
    errno.EACCES: Reach.NOT_PERMITTED,
}


def family_of(address: str) -> socket.AddressFamily:
    """AF_INET6 for an address with a colon, AF_INET otherwise."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def open_socket(address: str, kind: socket.SocketKind, *, device: str = "", protocol: int = 0) -> socket.socket:
    """A non-blocking socket for the address's family that keeps ICMP errors, bound to `device` where given (Linux).

    Raises:
        OSError: the system has no such family or device.
    """
    family = family_of(address)
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if sys.platform == "linux":
            if family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            if device:
                sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode() + b"\0")
    except OSError:
        sock.close()
        raise
    return sock


def complaints(sock: socket.socket) -> tuple[Complaint, ...]:
    """The ICMP errors that a socket has kept, oldest first. Empty where the system keeps none."""
    found: list[Complaint] = []
    if sys.platform != "linux":
        return ()
    while True:
        try:
            _, ancillary, _, _ = sock.recvmsg(1, 1024, MSG_ERRQUEUE)
        except OSError:
            return tuple(found)
        for level, kind, raw in ancillary:
            if (level, kind) not in {(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)}:
                continue
            number, origin, icmp_type, code, *_ = struct.unpack_from(ERROR_FORMAT, raw)
            found.append(
                Complaint(
                    _offender(raw[struct.calcsize(ERROR_FORMAT) :]),
                    icmp_type,
                    code,
                    number,
                    local=origin == ORIGIN_LOCAL,
                )
            )
        if not ancillary:
            return tuple(found)


def _offender(raw: bytes) -> str:
    """The address in a struct sockaddr, "" when it is of neither family."""
    family = struct.unpack_from("H", raw)[0] if len(raw) >= 2 else 0  # noqa: PLR2004 -- sizes of the C structures
    if family == socket.AF_INET and len(raw) >= 8:  # noqa: PLR2004
        return socket.inet_ntop(socket.AF_INET, raw[4:8])
    if family == socket.AF_INET6 and len(raw) >= 24:  # noqa: PLR2004
        return socket.inet_ntop(socket.AF_INET6, raw[8:24])
    return ""


def reach_of(error: OSError) -> Reach:
    """What an operating system's error says about the way to a host."""
    if isinstance(error, TimeoutError):
        return Reach.SILENT
    if sys.platform == "win32":
        winerror = getattr(error, "winerror", 0) or 0
        number = {
            10061: errno.ECONNREFUSED,
            10060: errno.ETIMEDOUT,
            10065: errno.EHOSTUNREACH,
            10051: errno.ENETUNREACH,
        }
        number |= {10054: errno.ECONNRESET, 10013: errno.EACCES, 1225: errno.ECONNREFUSED, 1231: errno.ENETUNREACH}
        number |= {1232: errno.EHOSTUNREACH, 121: errno.ETIMEDOUT}
        return REACH_BY_ERRNO.get(number.get(winerror, error.errno or 0), Reach.ERROR)
    return REACH_BY_ERRNO.get(error.errno or 0, Reach.ERROR)


async def open_connection(
    address: str,
    port: int,
    *,
    within: float,
    device: str = "",
    segment_bytes: int = 0,
) -> tuple[Attempt, socket.socket | None]:
    """Connects to an address; gives what became of it, and the connected non-blocking socket when it is `CONNECTED`.

    Args:
        segment_bytes: both sides send nothing larger than this at once (where the system lets us ask for that).
    """
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    try:
        sock = open_socket(address, socket.SOCK_STREAM, device=device)
    except OSError as error:
        return Attempt(address=address, port=port, reach=Reach.NO_ROUTE, detail=_name(error)), None
    if segment_bytes and hasattr(socket, "TCP_MAXSEG"):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment_bytes)
    try:
        async with asyncio.timeout(within):
            await loop.sock_connect(sock, (address, port))
    except OSError as error:  # TimeoutError is one
        who = complaints(sock)
        sock.close()
        took = None if isinstance(error, TimeoutError) else _since(began)
        reach = reach_of(error)
        if reach is Reach.NO_ROUTE and who and not who[-1].local:
            reach = Reach.UNREACHABLE  # the same number, but said by a router and not by this computer
        return Attempt(
            address=address,
            port=port,
            reach=reach,
            connect_ms=took,
            offender=who[-1].offender or None if who else None,
            icmp=(who[-1].type, who[-1].code) if who else None,
            detail=_name(error),
        ), None
    except BaseException:
        sock.close()
        raise
    return Attempt(address=address, port=port, reach=Reach.CONNECTED, connect_ms=_since(began)), sock


async def connect_once(address: str, port: int, *, within: float, device: str = "") -> Attempt:
    """As `open_connection`, closing the connection at once."""
    attempt, sock = await open_connection(address, port, within=within, device=device)
    if sock is not None:
        sock.close()
    return attempt


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _name(error: OSError) -> str:
    return (
        "ETIMEDOUT" if isinstance(error, TimeoutError) else errno.errorcode.get(error.errno or 0, type(error).__name__)
    )
