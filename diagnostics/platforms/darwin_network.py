"""macOS: adapters, addresses, routes, neighbours and name servers from the system's own tools, which speak English only.

Parsers are pure.
`ifconfig`, `netstat -rn`, `arp -an`, `ndp -an`, `scutil --dns`, `scutil --nwi`, `networksetup`, `ipconfig`: all there on every Mac.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from diagnostics.platforms.linux_network import parse_resolv_conf, promote
from diagnostics.platforms.network import (
    Adapter,
    Address,
    Kind,
    Neighbour,
    NetworkState,
    Resolvers,
    Route,
    is_address,
)
from diagnostics.platforms.psutil_network import prefix_of

if TYPE_CHECKING:
    from diagnostics.probe import Probe

TUNNELS: Final = ("utun", "ipsec", "ppp", "tun", "tap", "wg")
IPHONES: Final = ("iphone", "ipad", "wwan", "modem")  # in a port's name: the way out is a mobile network
INSIDE: Final = ("thunderbolt ", "bluetooth")  # "Thunderbolt 1", "Thunderbolt Bridge": cables between computers
SCOPED_METRIC: Final = 1000  # a default route of one adapter only: used when nothing better is there
NEIGHBOUR_STATES: Final = {
    "R": "REACHABLE",
    "S": "STALE",
    "D": "DELAY",
    "P": "PROBE",
    "I": "INCOMPLETE",
    "W": "FAILED",
    "N": "",
}


async def read_state(probe: Probe) -> NetworkState:
    """Adapters, addresses, routes and neighbours now."""
    shown, table, ports, order, neighbours = await asyncio.gather(
        probe.run(("ifconfig",)),
        probe.run(("netstat", "-rn")),
        probe.run(("networksetup", "-listallhardwareports")),
        probe.run(("scutil", "--nwi")),
        read_neighbours(probe),
    )
    if not shown.fine:
        raise OSError(shown.err or "ifconfig does not answer")
    named = parse_ports(ports.out)
    seen = parse_ifconfig(shown.out, ports=named)
    powered = await asyncio.gather(*(_with_power(probe, one) for one in seen))
    adapters = await asyncio.gather(*(_with_origin(probe, one) for one in powered))
    routes = parse_routes(table.out, order=parse_order(order.out))
    return NetworkState(adapters=promote(tuple(adapters), routes), routes=routes, neighbours=neighbours)


async def read_neighbours(probe: Probe) -> tuple[Neighbour, ...]:
    """Who has answered on the cable until now."""
    four, six = await asyncio.gather(probe.run(("arp", "-an")), probe.run(("ndp", "-an")))
    return (*parse_arp(four.out), *parse_ndp(six.out))


async def read_resolvers(probe: Probe) -> Resolvers:
    """The name servers that every program asks, from `scutil --dns`; from resolv.conf where that tells none."""
    told = parse_dns((await probe.run(("scutil", "--dns"))).out)
    return told if told.servers else parse_resolv_conf(await probe.read_text_or("/etc/resolv.conf"))


async def _with_power(probe: Probe, one: Adapter) -> Adapter:
    """Wi-Fi that is switched off may still be "up" for ifconfig."""
    if one.kind is not Kind.WIFI or one.carrier:
        return one
    ran = await probe.run(("networksetup", "-getairportpower", one.name))
    off = ran.fine and ran.out.rstrip().endswith(": Off")
    return msgspec.structs.replace(one, up=False, carrier=None) if off else one


async def _with_origin(probe: Probe, one: Adapter) -> Adapter:
    """Asks who gave the IPv4 address: with a DHCP server's name it is dynamic, without one somebody typed it in."""
    if not one.real or not one.works or not [at for at in one.ipv4 if not at.link_local]:
        return one
    ran = await probe.run(("ipconfig", "getoption", one.name, "server_identifier"))
    if ran.code not in {0, 1}:
        return one
    dynamic = ran.fine and is_address(ran.out.strip())
    addresses = [
        msgspec.structs.replace(at, dynamic=dynamic) if at.is_v4 and not at.link_local else at for at in one.addresses
    ]
    return msgspec.structs.replace(one, addresses=tuple(addresses))


def parse_ports(text: str) -> dict[str, str]:
    """The name of each device's port in `networksetup -listallhardwareports`: {"en0": "Wi-Fi"}."""
    return {device: port for port, device in re.findall(r"^Hardware Port: (.+)\nDevice: (\S+)", text, re.MULTILINE)}


def parse_order(text: str) -> tuple[str, ...]:
    """The adapters in the order in which macOS prefers them, from the last line of `scutil --nwi`."""
    at = re.search(r"^Network interfaces:(.*)$", text, re.MULTILINE)
    return tuple(at[1].split()) if at else ()


def parse_ifconfig(text: str, *, ports: Mapping[str, str]) -> tuple[Adapter, ...]:
    """The adapters in the output of `ifconfig`. `ports` gives the port's name of each device, empty where that is not known."""
    blocks = re.split(r"^(?=\S+: flags=)", text, flags=re.MULTILINE)
    return tuple(one for block in blocks if (one := _adapter(block, ports)) is not None)


def _adapter(block: str, ports: Mapping[str, str]) -> Adapter | None:
    head = re.match(r"(\S+): flags=[0-9a-f]+<([^>]*)>(?:.* mtu (\d+))?", block)
    if head is None:
        return None
    name, flags = head[1], frozenset(head[2].split(","))
    addresses = tuple(one for line in block.splitlines() if (one := _address(line.split())) is not None)
    status = re.search(r"^\s+status: (.+)$", block, re.MULTILINE)
    ether = re.search(r"^\s+ether (\S+)", block, re.MULTILINE)
    up = "UP" in flags
    return Adapter(
        name=name,
        kind=kind_of(name, port=ports.get(name, ""), addresses=addresses, listed=not ports or name in ports),
        up=up,
        carrier=(status[1] == "active" if status else "RUNNING" in flags) if up else None,
        addresses=addresses,
        mtu=int(head[3] or 0),
        mac=ether[1] if ether else "",
        label=ports.get(name, ""),
    )


def _address(words: list[str]) -> Address | None:
    """An `inet` or `inet6` line; a tunnel's other end ("-->") is not this computer's."""
    if len(words) < 2 or words[0] not in {"inet", "inet6"} or not is_address(words[1].partition("%")[0]):  # noqa: PLR2004 -- key, value
        return None
    rest = dict(itertools.pairwise(words))
    if words[0] == "inet":
        return Address(ip=words[1], prefix=prefix_of(rest.get("netmask"), v4=True))
    return Address(
        ip=words[1].partition("%")[0],
        prefix=int(rest.get("prefixlen", "64")),
        dynamic=True if "autoconf" in words or "dynamic" in words else None,
        tentative="tentative" in words or "duplicated" in words,
    )


def kind_of(name: str, *, port: str, addresses: tuple[Address, ...], listed: bool) -> Kind:
    """What an adapter is, by macOS' fixed device names and the port's name.

    macOS keeps tunnels for its own services (utun0 and more) that have nothing but a link-local address: they are no VPN. `en`
    devices that `networksetup` does not list lead to chips inside the computer.
    """
    words = port.lower()
    if name.startswith("lo"):
        return Kind.LOOPBACK
    if name.startswith(TUNNELS):
        used = any(not one.link_local for one in addresses)
        return Kind.VPN if used or not name.startswith("utun") else Kind.VIRTUAL
    if name.startswith("pdp_ip") or any(word in words for word in IPHONES):
        return Kind.MOBILE
    if not name.startswith("en") or not listed:
        return Kind.VIRTUAL
    if words in {"wi-fi", "airport"}:
        return Kind.WIFI
    inside = words.startswith(INSIDE) and "ethernet" not in words
    return Kind.VIRTUAL if inside else Kind.WIRED


def parse_routes(text: str, *, order: tuple[str, ...]) -> tuple[Route, ...]:
    """The routes in `netstat -rn`, of newer and older macOS (which count references). Remembered hosts and groups are left out.

    A route with the flag I is for programs that chose its adapter: it counts as a second way, in the system's `order`, and
    not at all on a tunnel, where macOS' own services put such routes.
    """
    found, v4, column = [], True, 3
    for line in text.splitlines():
        words = line.split()
        if not words or line.startswith("Routing"):
            continue
        if words[0] in {"Internet:", "Internet6:"}:
            v4 = words[0] == "Internet:"
        elif words[0] == "Destination":
            column = words.index("Netif") if "Netif" in words else column
        elif len(words) > column and (route := _route(words, column, v4=v4, order=order)) is not None:
            found.append(route)
    return tuple(found)


def _route(words: list[str], column: int, *, v4: bool, order: tuple[str, ...]) -> Route | None:
    to, gateway, flags, device = words[0], words[1], words[2], words[column]
    if set(flags) & {"L", "W", "m"} or device.startswith("lo") or "U" not in flags:
        return None
    try:
        destination = ipaddress.ip_network(destination_of(to, v4=v4), strict=False)
    except ValueError:
        return None
    scoped = "I" in flags
    default = destination.prefixlen == 0
    if _everybody(str(destination.network_address)) or (scoped and default and device.startswith(TUNNELS)):
        return None
    rank = order.index(device) if device in order else len(order)
    via = gateway.partition("%")[0]
    return Route(
        destination=str(destination),
        device=device,
        gateway=via if "G" in flags and is_address(via) and via != "fe80::" else None,
        metric=SCOPED_METRIC + rank if scoped else 0,
        rejects=bool(set(flags) & {"R", "B"}),
    )


def destination_of(text: str, *, v4: bool) -> str:
    """The short writing of netstat in full: "default", "10" (10.0.0.0/8), "192.168.1" (/24), "128.0/1", "fe80::%en0/64"."""
    if text == "default":
        return "0.0.0.0/0" if v4 else "::/0"
    host, slash, prefix = text.partition("/")
    if not v4:
        return f"{host.partition('%')[0]}/{prefix.partition('%')[0] if slash else 128}"
    octets = host.split(".")
    return f"{'.'.join([*octets, '0', '0', '0'][:4])}/{prefix if slash else 8 * len(octets)}"


def parse_arp(text: str) -> tuple[Neighbour, ...]:
    """The hosts in `arp -an`: "? (192.0.2.1) at 0:1b:2c:3:4:5 on en0 ifscope [ethernet]".

    Left out: groups, broadcasts, and this computer's own entries ("permanent").
    """
    found = []
    for address, mac, device, rest in re.findall(r"\(([\d.]+)\) at (\S+) on (\S+)(.*)", text):
        known = _mac(mac)
        mine = "permanent" in rest.split()
        if is_address(address) and not _everybody(address) and known != "ff:ff:ff:ff:ff:ff" and not mine:
            found.append(
                Neighbour(address=address, device=device, mac=known, state="REACHABLE" if known else "INCOMPLETE")
            )
    return tuple(found)


def parse_ndp(text: str) -> tuple[Neighbour, ...]:
    """The hosts in `ndp -an`; this computer's own entries ("permanent") are left out."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        address = words[0].partition("%")[0] if words else ""
        if len(words) >= 5 and is_address(address) and words[3] != "permanent" and not _everybody(address):  # noqa: PLR2004 -- the columns
            state = NEIGHBOUR_STATES.get(words[4], "")
            found.append(Neighbour(address=address, device=words[2], mac=_mac(words[1]), state=state))
    return tuple(found)


def _everybody(ip: str) -> bool:
    return ipaddress.ip_address(ip).is_multicast or ip == "255.255.255.255"


def _mac(text: str) -> str:
    """A hardware address with its noughts ("0:1b:2c:3:4:5" is short), "" for "(incomplete)"."""
    parts = text.split(":")
    return ":".join(one.zfill(2) for one in parts) if len(parts) == 6 else ""  # noqa: PLR2004 -- Ethernet's


def parse_dns(text: str) -> Resolvers:
    """The general name servers in `scutil --dns`: not those of one domain only, not those of one adapter only, not mDNS."""
    general = text.partition("DNS configuration (for scoped queries)")[0]
    servers: list[str] = []
    search: list[str] = []
    for block in re.split(r"^resolver #\d+$", general, flags=re.MULTILINE)[1:]:
        if re.search(r"^\s+(domain\s+:|options\s+:.*mdns)", block, re.MULTILINE):
            continue
        servers += [
            one
            for one in re.findall(r"^\s+nameserver\[\d+\] : (\S+)", block, re.MULTILINE)
            if is_address(one.partition("%")[0])
        ]
        search += [one.rstrip(".") for one in re.findall(r"^\s+search domain\[\d+\] : (\S+)", block, re.MULTILINE)]
    return Resolvers(servers=tuple(dict.fromkeys(servers)), search=tuple(dict.fromkeys(search)))
