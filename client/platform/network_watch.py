"""Tells when this computer's network has changed in a way that may have opened a way out. Knows no Qt, asks nobody, sends nothing.

The operating system says it by itself, through a descriptor that the window's event loop watches: a routing socket on Linux and
macOS, a socket pair on Windows, whose callback writes into it. At rest there is no timer and no wake-up.

It is the routes that are listened for. Whatever brings a network back (a cable, Wi-Fi, DHCP, a VPN) ends in a route, and an address
brings its own one; the lifetimes of IPv6 addresses, which some routers renew every few seconds, do not.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, Protocol

log = logging.getLogger(__name__)


class NetworkWatch(Protocol):
    """A watch that is open."""

    @property
    def fileno(self) -> int:
        """Readable when something has changed; call `changed` then."""

    def changed(self) -> bool:
        """Takes what was said since the last call, without waiting: whether something may lead out that did not before."""

    def close(self) -> None:
        """Ends it. May be called twice."""


def open_watch() -> NetworkWatch | None:
    """A watch, or None where this system has none or does not let us: waiting messages then go by their timers alone."""
    kinds: dict[str, Callable[[], NetworkWatch]] = {"linux": LinuxWatch, "darwin": MacWatch, "win32": WindowsWatch}
    kind = kinds.get(sys.platform)
    try:
        return None if kind is None else kind()
    except (OSError, AttributeError, ValueError) as error:
        log.info("the network cannot be watched: %s", error)
    return None


class _SocketWatch:
    """What both routing sockets share: messages are read until there are no more."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        line.setblocking(False)

    @property
    def fileno(self) -> int:
        """See `NetworkWatch`."""
        return self._line.fileno()

    def changed(self) -> bool:
        """See `NetworkWatch`."""
        found = False
        while True:
            try:
                said = self._line.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # closed, or the system is in trouble: the timers go on
                    return found
                found = True  # so much has changed that something was dropped
            else:
                if not said:
                    return found
                found = found or self._matters(said)

    def close(self) -> None:
        """See `NetworkWatch`."""
        self._line.close()

    def _matters(self, said: bytes) -> bool:
        raise NotImplementedError


MESSAGE_BYTES: Final = 65_536

# --- Linux: rtnetlink(7). Numbers from linux/rtnetlink.h, linux/if_link.h, linux/filter.h.

RTMGRP_LINK, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE = 0x1, 0x40, 0x400
RTM_NEWLINK, RTM_NEWROUTE = 16, 24
IFF_RUNNING: Final = 0x40
IFLA_WIRELESS: Final = 11
SO_ATTACH_FILTER: Final = 26
_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, sender
_LINK: Final = struct.Struct("=BxHiII")  # ifinfomsg: family, kind, index, flags, change
_ATTRIBUTE: Final = _HEADER.size + _LINK.size + 2  # the type of a link's first attribute


class LinuxWatch(_SocketWatch):
    """Listens to the kernel: routes that are added, links that run again."""

    def __init__(self) -> None:
        line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            _let_pass_only_what_matters(line)
            line.bind((0, RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))
        except BaseException:
            line.close()
            raise
        super().__init__(line)

    def _matters(self, said: bytes) -> bool:
        """The same as the kernel's filter, which not every kernel has."""
        while len(said) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(said)
            if kind == RTM_NEWROUTE or (kind == RTM_NEWLINK and _runs(said)):
                return True
            if length < _HEADER.size:
                return False
            said = said[(length + 3) & ~3 :]
        return False


def _runs(message: bytes) -> bool:
    """Whether a link runs. What Wi-Fi drivers say after each scan comes as a link too, with an attribute of its own."""
    if len(message) < _ATTRIBUTE + 2:
        return False
    *_, flags, _ = _LINK.unpack_from(message, _HEADER.size)
    (attribute,) = struct.unpack_from("=H", message, _ATTRIBUTE)
    return bool(flags & IFF_RUNNING) and attribute != IFLA_WIRELESS


def _let_pass_only_what_matters(line: socket.socket) -> None:
    """Has the kernel drop everything else, so that a scan of the Wi-Fi or a lost route wakes nobody."""
    # Classic BPF reads in network order what netlink writes in the computer's own.
    wireless, link, route = (socket.htons(one) for one in (IFLA_WIRELESS, RTM_NEWLINK, RTM_NEWROUTE))
    load_half, load_word, equal, has, give = 0x28, 0x20, 0x15, 0x45, 0x06
    steps = (
        (load_half, 0, 0, 4),  # nlmsg_type
        (equal, 5, 0, route),  # -> keep
        (equal, 0, 5, link),  # -> drop
        (load_word, 0, 0, _HEADER.size + 8),  # ifi_flags
        (has, 0, 3, socket.htonl(IFF_RUNNING)),  # -> drop
        (load_half, 0, 0, _ATTRIBUTE),
        (equal, 1, 0, wireless),  # -> drop
        (give, 0, 0, 0xFFFFFFFF),
        (give, 0, 0, 0),
    )
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    with contextlib.suppress(OSError):  # we look at each message in any case
        line.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(steps), ctypes.addressof(program)))


# --- macOS: route(4). Numbers from net/route.h.

PF_ROUTE: Final = 17
RTM_ADD, RTM_NEWADDR, RTM_IFINFO = 0x1, 0xC, 0xE
RTF_GATEWAY, RTF_HOST = 0x2, 0x4
_ROUTE: Final = struct.Struct("=HBBHxxi")  # rt_msghdr: length, version, type, index, flags


class MacWatch(_SocketWatch):
    """Listens to the routing socket: ways through a gateway that are added, addresses, interfaces that change."""

    def __init__(self) -> None:
        super().__init__(socket.socket(getattr(socket, "AF_ROUTE", PF_ROUTE), socket.SOCK_RAW, 0))

    def _matters(self, said: bytes) -> bool:
        while len(said) >= 4:  # noqa: PLR2004 -- length, version and type
            length, kind = struct.unpack_from("=HxB", said)
            if kind in {RTM_NEWADDR, RTM_IFINFO}:
                return True
            if kind == RTM_ADD and len(said) >= _ROUTE.size:
                flags = _ROUTE.unpack_from(said)[-1]
                if flags & RTF_GATEWAY and not flags & RTF_HOST:  # not the neighbours that ARP finds
                    return True
            if not length:
                return False
            said = said[length:]
        return False


# --- Windows: NotifyRouteChange2 (iphlpapi), documented since Windows Vista.

AF_UNSPEC: Final = 0
MIB_DELETE_INSTANCE: Final = 2


class WindowsWatch(_SocketWatch):
    """Has Windows call when a route was added or changed; the call, in a thread of its own, writes one byte into a socket."""

    def __init__(self) -> None:
        line, self._bell = socket.socketpair()
        self._handle = ctypes.c_void_p()
        try:
            self._bell.setblocking(False)
            library = ctypes.WinDLL("iphlpapi")  # type: ignore[attr-defined,unused-ignore]  # exists on Windows only
            kind = ctypes.WINFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)  # type: ignore[attr-defined,unused-ignore]  # as above
            self._called = kind(self._ring)  # lives as long as it may be called
            self._cancel = library.CancelMibChangeNotify2
            self._cancel.argtypes = [ctypes.c_void_p]
            asked = library.NotifyRouteChange2(
                ctypes.c_ushort(AF_UNSPEC), self._called, None, ctypes.c_ubyte(0), ctypes.byref(self._handle)
            )
            if asked != 0:
                raise OSError(asked, "NotifyRouteChange2 refused")  # noqa: TRY301 -- one way out for every failure
        except BaseException:
            line.close()
            self._bell.close()
            raise
        super().__init__(line)

    def close(self) -> None:
        """See `NetworkWatch`. Waits for a call that is under way; nothing is called after that."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        if handle.value:
            self._cancel(handle)
        super().close()
        self._bell.close()

    def _ring(self, _context: object, _row: object, kind: int) -> None:
        if kind != MIB_DELETE_INSTANCE:
            with contextlib.suppress(OSError):  # full of bells that nobody has heard yet
                self._bell.send(b"!")

    def _matters(self, said: bytes) -> bool:
        return bool(said)
