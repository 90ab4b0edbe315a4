"""Windows' IP Helper (iphlpapi.dll): its tables of adapters, addresses, routes and neighbours, and its pings for ordinary users.

The only place with C structures of the network. Field names and sizes are those of netioapi.h, iptypes.h and ipexport.h; every
width is written out, so that their layout can be proved on any system. Must not judge what a row means: see `win32_network`.
"""

from __future__ import annotations

import ctypes
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import msgspec

U8, U16, U32, U64, POINTER = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
AF_INET, AF_INET6 = 2, 23  # Windows' numbers (ws2def.h)
NO_DATA: Final = frozenset(
    {1, 2, 50, 232, 1168}
)  # no such function, no such file, not supported, no data, not found: an empty table
BUFFER_OVERFLOW: Final = 111
ADAPTER_FLAGS: Final = 0x2 | 0x4 | 0x80  # GetAdaptersAddresses: no anycast, no multicast, with gateways
FIRST_GUESS_BYTES: Final = 16_384  # Microsoft's advice is 15 KB; a busy machine asks for more and is given it
TRIES: Final = 3  # an adapter may appear between asking for the size and asking for the table
MAC_BYTES: Final = 32
IP_FLAG_DF: Final = 0x2  # IP_OPTION_INFORMATION: do not fragment
IP_PACKET_TOO_BIG: Final = 11_009  # ipexport.h
REPLY_ROOM_BYTES: Final = (
    256  # ICMP_ECHO_REPLY or ICMPV6_ECHO_REPLY, an ICMP error, and the status block that Icmp6SendEcho2 adds
)


class _SockAddr(ctypes.Structure):  # SOCKADDR_INET, 28 bytes
    _fields_ = (("family", U16), ("port", U16), ("v4_or_flow", U8 * 4), ("v6", U8 * 16), ("scope", U32))


class _IfRow(ctypes.Structure):  # MIB_IF_ROW2, 1352 bytes
    _fields_ = (
        ("luid", U64),
        ("index", U32),
        ("guid", U8 * 16),
        ("alias", U16 * 257),
        ("description", U16 * 257),
        ("mac_length", U32),
        ("mac", U8 * MAC_BYTES),
        ("permanent_mac", U8 * MAC_BYTES),
        ("mtu", U32),
        ("type", U32),
        ("tunnel", U32),
        ("media", U32),
        ("medium", U32),
        ("access", U32),
        ("direction", U32),
        ("flags", U8),
        ("oper", U32),
        ("admin", U32),
        ("connected", U32),
        ("network", U8 * 16),
        ("connection", U32),
        ("counters", U64 * 20),
    )


class _RouteRow(ctypes.Structure):  # MIB_IPFORWARD_ROW2, 104 bytes
    _fields_ = (
        ("luid", U64),
        ("index", U32),
        ("destination", _SockAddr),
        ("prefix", U8),
        ("gateway", _SockAddr),
        ("site", U8),
        ("valid", U32),
        ("preferred", U32),
        ("metric", U32),
        ("protocol", U32),
        ("marks", U8 * 4),
        ("age", U32),
        ("origin", U32),
    )


class _NeighbourRow(ctypes.Structure):  # MIB_IPNET_ROW2, 88 bytes
    _fields_ = (
        ("address", _SockAddr),
        ("index", U32),
        ("luid", U64),
        ("mac", U8 * MAC_BYTES),
        ("mac_length", U32),
        ("state", U32),
        ("flags", U8),
        ("seen", U32),
    )


class _Listed(ctypes.Structure):  # what IP_ADAPTER_UNICAST_ADDRESS and IP_ADAPTER_DNS_SERVER_ADDRESS begin with
    _fields_ = (("length", U32), ("flags", U32), ("next", POINTER), ("address", POINTER), ("address_length", U32))


class _Unicast(ctypes.Structure):  # IP_ADAPTER_UNICAST_ADDRESS_LH, 64 bytes where pointers have 8
    _fields_ = (
        ("head", _Listed),
        ("prefix_origin", U32),
        ("suffix_origin", U32),
        ("dad", U32),
        ("lifetimes", U32 * 3),
        ("prefix", U8),
    )


class _Adapter(ctypes.Structure):  # the part of IP_ADAPTER_ADDRESSES_LH that is read
    _fields_ = (
        ("length", U32),
        ("index", U32),
        ("next", POINTER),
        ("adapter_name", POINTER),
        ("unicast", POINTER),
        ("anycast", POINTER),
        ("multicast", POINTER),
        ("dns", POINTER),
        ("suffix", POINTER),
        ("description", POINTER),
        ("friendly_name", POINTER),
        ("mac", U8 * 8),
        ("mac_length", U32),
        ("flags", U32),
        ("mtu", U32),
        ("type", U32),
        ("oper", U32),
        ("index6", U32),
        ("zones", U32 * 16),
        ("prefixes", POINTER),
        ("speeds", U64 * 2),
        ("wins", POINTER),
        ("gateways", POINTER),
        ("metric4", U32),
        ("metric6", U32),
    )


class _Options(ctypes.Structure):  # IP_OPTION_INFORMATION, 16 bytes where pointers have 8
    _fields_ = (("hops", U8), ("service", U8), ("flags", U8), ("size", U8), ("data", POINTER))


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A row of GetIfTable2: `type` IANA's ifType; `oper`, `admin`, `connected`, `tunnel`, `medium` in Windows' numbers."""

    index: int
    name: str
    description: str = ""
    type: int = 6
    tunnel: int = 0
    medium: int = 0
    hardware: bool = False
    filters: bool = False
    connector: bool = False
    oper: int = 1
    admin: int = 1
    connected: int = 1
    mtu: int = 0
    mac: str = ""


class Unicast(msgspec.Struct, frozen=True, kw_only=True):
    """An address of an adapter: where its prefix is from (NL_PREFIX_ORIGIN) and whether it is usable (NL_DAD_STATE)."""

    ip: str
    prefix: int
    origin: int = 0
    dad: int = 4


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What GetAdaptersAddresses tells of an adapter: addresses, name servers in their order, metrics of the adapter itself."""

    index: int
    name: str = ""
    oper: int = 1
    addresses: tuple[Unicast, ...] = ()
    servers: tuple[str, ...] = ()
    suffix: str = ""
    metric4: int = 0
    metric6: int = 0


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """A row of GetIpForwardTable2; `gateway` is "" (all zeros in Windows) when the destination is on the cable."""

    index: int
    destination: str
    prefix: int
    gateway: str = ""
    metric: int = 0
    protocol: int = 0


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A row of GetIpNetTable2; `state` is NL_NEIGHBOR_STATE."""

    index: int
    address: str
    mac: str = ""
    state: int = 5


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment."""

    interfaces: tuple[Interface, ...] = ()
    settings: tuple[Settings, ...] = ()
    routes: tuple[Forward, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


def _helper() -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL("iphlpapi", use_last_error=True)
    raise OSError("IP Helper exists on Windows only")


def read_tables() -> Tables:
    """All four tables. Blocking, quick.

    Raises:
        OSError: this is not Windows, or it refuses.
    """
    return Tables(
        interfaces=tuple(interface_of(one) for one in _table(_helper().GetIfTable2, _IfRow)),
        settings=read_settings(),
        routes=tuple(
            one for row in _table(partial(_helper().GetIpForwardTable2, 0), _RouteRow) if (one := route_of(row))
        ),
        neighbours=read_neighbours(),
    )


def read_neighbours() -> tuple[Neighbour, ...]:
    """The hosts on the cable. Raises OSError as `read_tables`."""
    rows = []
    for family in (AF_INET, AF_INET6):  # asked apart: where one family is not offered, the other one still is
        rows += _table(partial(_helper().GetIpNetTable2, family), _NeighbourRow)
    return tuple(one for row in rows if (one := neighbour_of(row)))


def read_settings() -> tuple[Settings, ...]:
    """Addresses and name servers of every adapter that is switched on. Raises OSError as `read_tables`."""
    size = U32(FIRST_GUESS_BYTES)
    for _ in range(TRIES):
        room = ctypes.create_string_buffer(size.value)
        code = _helper().GetAdaptersAddresses(0, ADAPTER_FLAGS, None, room, ctypes.byref(size))
        if code == 0:
            return tuple(settings_of(one) for one in _chain(ctypes.addressof(room), _Adapter))
        if code != BUFFER_OVERFLOW:
            break
    if code in NO_DATA:
        return ()
    raise OSError(f"GetAdaptersAddresses gives {code}")


def _table(call: Callable[[Any], int], row: type[Any]) -> list[Any]:
    """Copies of the rows of a MIB table: a count (padded to 8 bytes), then the rows, in memory that Windows wants back."""
    at = POINTER()
    code = call(ctypes.byref(at))
    if code in NO_DATA or (code == 0 and not at.value):
        return []
    if code:
        raise OSError(f"IP Helper gives {code} for a table of {row.__name__}")
    try:
        count = U32.from_address(at.value or 0).value
        return [row.from_buffer_copy(one) for one in (row * count).from_address((at.value or 0) + 8)]
    finally:
        _helper().FreeMibTable(at)


def _chain(address: int | None, kind: type[Any]) -> Iterator[Any]:
    while address:
        one = kind.from_address(address)
        yield one
        address = one.head.next if kind is _Unicast else one.next


def _text(units: Any) -> str:
    return bytes(units).decode("utf-16-le", "replace").partition("\0")[0]


def _wide(address: int | None) -> str:
    return ctypes.wstring_at(address) if address else ""


def _mac(raw: Any, length: int) -> str:
    found = bytes(raw)[:length]
    return ":".join(f"{one:02x}" for one in found) if any(found) else ""


def address_of(sock: _SockAddr, *, zoned: bool = False) -> str:
    """The address in a SOCKADDR_INET, "" for neither family; `zoned` keeps a link-local one's adapter ("fe80::1%7")."""
    if sock.family == AF_INET:
        return socket.inet_ntop(socket.AF_INET, bytes(sock.v4_or_flow))
    if sock.family != AF_INET6:
        return ""
    ip = socket.inet_ntop(socket.AF_INET6, bytes(sock.v6))
    return f"{ip}%{sock.scope}" if zoned and sock.scope and ip.startswith("fe80:") else ip


def _pointed(address: int | None, length: int, *, zoned: bool = False) -> str:
    """As `address_of` for a SOCKET_ADDRESS; an IPv4 one is only 16 bytes long, so no more than `length` is read."""
    raw = ctypes.string_at(address, length) if address else b""
    return address_of(_SockAddr.from_buffer_copy(raw.ljust(ctypes.sizeof(_SockAddr), b"\0")[:28]), zoned=zoned)


def interface_of(row: _IfRow) -> Interface:
    """A row in words."""
    return Interface(
        index=row.index,
        name=_text(row.alias),
        description=_text(row.description),
        type=row.type,
        tunnel=row.tunnel,
        medium=row.medium,
        hardware=bool(row.flags & 1),
        filters=bool(row.flags & 2),
        connector=bool(row.flags & 4),
        oper=row.oper,
        admin=row.admin,
        connected=row.connected,
        mtu=row.mtu,
        mac=_mac(row.mac, row.mac_length),
    )


def route_of(row: _RouteRow) -> Forward | None:
    """A row in words, None when it is of neither family."""
    destination, gateway = address_of(row.destination), address_of(row.gateway)
    if not destination:
        return None
    return Forward(
        index=row.index,
        destination=destination,
        prefix=row.prefix,
        gateway="" if gateway in {"0.0.0.0", "::"} else gateway,  # noqa: S104 -- compared, not bound
        metric=row.metric,
        protocol=row.protocol,
    )


def neighbour_of(row: _NeighbourRow) -> Neighbour | None:
    """A row in words, None when it is of neither family."""
    address = address_of(row.address)
    if not address:
        return None
    return Neighbour(index=row.index, address=address, mac=_mac(row.mac, row.mac_length), state=row.state)


def settings_of(one: _Adapter) -> Settings:
    """An adapter's settings, following its lists of addresses and name servers."""
    unicast = [
        Unicast(
            ip=_pointed(at.head.address, at.head.address_length),
            prefix=at.prefix,
            origin=at.prefix_origin,
            dad=at.dad,
        )
        for at in _chain(one.unicast, _Unicast)
    ]
    servers = [_pointed(at.address, at.address_length, zoned=True) for at in _chain(one.dns, _Listed)]
    return Settings(
        index=one.index or one.index6,
        name=_wide(one.friendly_name),
        oper=one.oper,
        addresses=tuple(at for at in unicast if at.ip),
        servers=tuple(at for at in servers if at),
        suffix=_wide(one.suffix),
        metric4=one.metric4,
        metric6=one.metric6,
    )


def ping(address: str, *, size: int, wait_s: float, whole: bool) -> int | None:
    """One ping by the system's own service, which needs no rights. Blocking, at most `wait_s` seconds.

    Args:
        size: bytes of payload. whole: the packet must not be cut into pieces.

    Returns:
        0 when the host answered, a status of ipexport.h when something else did, None for silence.

    Raises:
        OSError: it cannot be asked.
    """
    helper = _helper()
    v6 = ":" in address
    for name in ("IcmpCreateFile", "Icmp6CreateFile"):
        getattr(helper, name).restype = POINTER
    handle = helper.Icmp6CreateFile() if v6 else helper.IcmpCreateFile()
    if handle in {None, POINTER(-1).value}:
        raise OSError("this system does not let anybody ping")
    room = ctypes.create_string_buffer(REPLY_ROOM_BYTES + size)
    options = _Options(hops=128, flags=IP_FLAG_DF if whole else 0)
    tail = (bytes(size), U16(size), ctypes.byref(options), room, U32(len(room)), U32(round(wait_s * 1000)))
    try:
        if v6:
            source = _SockAddr(family=AF_INET6)
            target = _SockAddr(family=AF_INET6, v6=(U8 * 16)(*socket.inet_pton(socket.AF_INET6, address)))
            count = helper.Icmp6SendEcho2(
                POINTER(handle), None, None, None, ctypes.byref(source), ctypes.byref(target), *tail
            )
            at = 28  # ICMPV6_ECHO_REPLY begins with the 26 bytes of an address
        else:
            packed = U32(int.from_bytes(socket.inet_pton(socket.AF_INET, address), "little"))
            count = helper.IcmpSendEcho(POINTER(handle), packed, *tail)
            at = 4  # ICMP_ECHO_REPLY begins with an address
        return U32.from_buffer(room, at).value if count else _refusal()
    finally:
        helper.IcmpCloseHandle(POINTER(handle))


def _refusal() -> int | None:
    if sys.platform == "win32" and ctypes.get_last_error() == IP_PACKET_TOO_BIG:
        return IP_PACKET_TOO_BIG
    return None
