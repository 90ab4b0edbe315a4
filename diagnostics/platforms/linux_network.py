"""Linux: adapters, addresses, routes and neighbours from `ip -j` (iproute2), name servers from resolv.conf. Parsers are pure.

Where iproute2 is missing, psutil and /proc tell the part that matters.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from diagnostics.platforms.network import (
    REAL_NAMES,
    VPN_NAMES,
    Adapter,
    Address,
    Kind,
    Neighbour,
    NetworkState,
    Resolvers,
    Route,
    is_address,
)

if TYPE_CHECKING:
    from diagnostics.probe import Probe

STUB: Final = ("127.0.0.53", "127.0.0.54")  # systemd-resolved
UPSTREAM_FILE: Final = "/run/systemd/resolve/resolv.conf"  # what systemd-resolved asks itself
TUNNELS: Final = frozenset({"tun", "wireguard", "ppp", "gre", "ipip", "vti", "xfrm", "ovpn", "l2tp", "ip6gre"})
PROGRAMS_OWN: Final = frozenset(
    {
        "bridge",
        "dummy",
        "ifb",
        "vxlan",
        "sit",
        "ip6tnl",
        "tunl",
        "gretap",
        "erspan",
        "vcan",
        "nlmon",
        "macvtap",
        "geneve",
    }
)
REJECTING: Final = frozenset({"blackhole", "unreachable", "prohibit", "throw"})
OTHER_TABLES: Final = frozenset({"local", "broadcast", "multicast", "anycast"})
RTF_UP, RTF_GATEWAY = 0x1, 0x2  # linux/route.h


async def read_state(probe: Probe) -> NetworkState:
    """Adapters, addresses, routes and neighbours now."""
    shown = await asyncio.gather(
        probe.run(("ip", "-d", "-j", "addr", "show")),
        probe.run(("ip", "-4", "-j", "route", "show", "table", "all")),
        probe.run(("ip", "-6", "-j", "route", "show", "table", "all")),
        probe.run(("ip", "-j", "neigh", "show")),
        probe.read_text_or("/proc/net/wireless"),
    )
    addresses, routes4, routes6, neighbours, wireless = shown
    if not addresses.fine:
        return await _without_iproute(probe, wireless)
    wifi = set(parse_wireless(wireless)) | set(await _wifi_names(probe))
    routes = (*parse_routes(routes4.out, v4=True), *parse_routes(routes6.out, v4=False))
    return NetworkState(
        adapters=promote(parse_adapters(addresses.out, wifi=wifi), routes),
        routes=routes,
        neighbours=parse_neighbours(neighbours.out),
    )


async def read_neighbours(probe: Probe) -> tuple[Neighbour, ...]:
    """Who has answered on the cable until now."""
    ran = await probe.run(("ip", "-j", "neigh", "show"))
    return parse_neighbours(ran.out) if ran.fine else parse_arp(await probe.read_text_or("/proc/net/arp"))


async def read_resolvers(probe: Probe) -> Resolvers:
    """The name servers of /etc/resolv.conf; behind systemd-resolved's stub those that it asks."""
    told = parse_resolv_conf(await probe.read_text_or("/etc/resolv.conf"))
    stub = next((one for one in told.servers if one in STUB), None)
    if stub is None:
        return told
    upstream = parse_resolv_conf(await probe.read_text_or(UPSTREAM_FILE))
    others = tuple(one for one in told.servers if one not in STUB)
    return Resolvers(servers=(upstream.servers or (stub,)) + others, search=told.search or upstream.search, stub=stub)


async def _wifi_names(probe: Probe) -> tuple[str, ...]:
    names = await probe.listdir("/sys/class/net")
    found = await asyncio.gather(*(probe.exists(f"/sys/class/net/{name}/wireless") for name in names))
    return tuple(name for name, there in zip(names, found, strict=True) if there)


def _loads(text: str) -> list[dict[str, Any]]:
    try:
        got = json.loads(text or "[]")
    except ValueError:
        return []
    return [one for one in got if isinstance(one, dict) and one] if isinstance(got, list) else []


def parse_adapters(text: str, *, wifi: Iterable[str] = ()) -> tuple[Adapter, ...]:
    """The adapters in the output of `ip -d -j addr show`. `wifi` names those that are wireless."""
    wireless = frozenset(wifi)
    found = []
    for one in _loads(text):
        flags = frozenset(one.get("flags", ()))
        up = "UP" in flags
        kind = kind_of(
            one.get("ifname", ""),
            info=str(one.get("linkinfo", {}).get("info_kind", "")),
            link_type=str(one.get("link_type", "")),
            wifi=one.get("ifname") in wireless,
            bridged="master" in one,
        )
        found.append(
            Adapter(
                name=one.get("ifname", ""),
                kind=kind,
                up=up,
                carrier=("LOWER_UP" in flags and "NO-CARRIER" not in flags and one.get("operstate") != "DORMANT")
                if up
                else None,
                addresses=tuple(
                    Address(
                        ip=address["local"],
                        prefix=int(address.get("prefixlen", 32)),
                        dynamic=bool(address.get("dynamic")),
                        tentative=bool(address.get("tentative") or address.get("dadfailed")),
                    )
                    for address in one.get("addr_info", ())
                    if "local" in address
                ),
                mtu=int(one.get("mtu", 0)),
                mac=str(one.get("address", "")),
                master=str(one.get("master", "")),
            )
        )
    return tuple(found)


def kind_of(name: str, *, info: str, link_type: str, wifi: bool, bridged: bool) -> Kind:
    """What an adapter is. A name that systems give to real adapters counts more than what it is made of: a container's `eth0` is a
    virtual cable and its way out all the same. The loose end of such a cable in a bridge is a container's, and nobody's way out.
    """
    if link_type == "loopback" or name == "lo":
        return Kind.LOOPBACK
    if name.startswith(VPN_NAMES) or info in TUNNELS or link_type in {"none", "ppp"}:
        return Kind.WIRED if name.startswith(REAL_NAMES) else Kind.VPN
    if info in PROGRAMS_OWN or (info == "veth" and bridged):
        return Kind.VIRTUAL
    if wifi or name.startswith("wl"):
        return Kind.WIFI
    return Kind.MOBILE if name.startswith("ww") else Kind.WIRED


def promote(adapters: tuple[Adapter, ...], routes: tuple[Route, ...]) -> tuple[Adapter, ...]:
    """A bridge or bond with a default route is the way out (its port carries no address of its own)."""
    import msgspec  # noqa: PLC0415 -- one function's tool

    leads_out = {route.device for route in routes if route.is_default and not route.rejects}
    return tuple(
        msgspec.structs.replace(one, kind=Kind.WIRED) if one.kind is Kind.VIRTUAL and one.name in leads_out else one
        for one in adapters
    )


def parse_routes(text: str, *, v4: bool) -> tuple[Route, ...]:
    """The unicast and rejecting routes in the output of `ip -j route show table all`, local ones left out."""
    found = []
    for one in _loads(text):
        if one.get("table") == "local" or one.get("type") in OTHER_TABLES or one.get("type") == "local":
            continue
        destination = str(one.get("dst", ""))
        if destination == "default":
            destination = "0.0.0.0/0" if v4 else "::/0"
        elif "/" not in destination:
            destination += "/32" if v4 else "/128"
        hops = one.get("nexthops") or [one]
        for hop in hops:
            flags = (*one.get("flags", ()), *hop.get("flags", ()))
            via = hop.get("gateway") or (hop.get("via") or {}).get("host")
            found.append(
                Route(
                    destination=destination,
                    device=str(hop.get("dev", "")),
                    gateway=via,
                    metric=int(one.get("metric", 0)),
                    dead="linkdown" in flags or "dead" in flags,
                    rejects=one.get("type") in REJECTING,
                )
            )
    return tuple(found)


def parse_neighbours(text: str) -> tuple[Neighbour, ...]:
    """The hosts in the output of `ip -j neigh show`."""
    return tuple(
        Neighbour(
            address=str(one.get("dst", "")),
            device=str(one.get("dev", "")),
            mac=str(one.get("lladdr", "")),
            state=str((one.get("state") or [""])[0]),
        )
        for one in _loads(text)
    )


def parse_wireless(text: str) -> tuple[str, ...]:
    """The names of Wi-Fi adapters in /proc/net/wireless."""
    return tuple(line.partition(":")[0].strip() for line in text.splitlines()[2:] if ":" in line)


def parse_resolv_conf(text: str) -> Resolvers:
    """Name servers and search domains of a resolv.conf; glibc reads the first three servers and the last search line."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    for line in text.splitlines():
        words = line.split("#", 1)[0].split(";", 1)[0].split()
        if len(words) >= 2 and words[0] == "nameserver" and is_address(words[1].partition("%")[0]):  # noqa: PLR2004 -- key, value
            servers.append(words[1])
        elif len(words) >= 2 and words[0] in {"search", "domain"}:  # noqa: PLR2004 -- as above
            search = tuple(word.rstrip(".") for word in words[1:] if word != ".")
    return Resolvers(servers=tuple(dict.fromkeys(servers))[:3], search=search)


def parse_hosts(text: str) -> dict[str, tuple[str, ...]]:
    """The names that a hosts file knows, in lower case, with their addresses."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if words and is_address(words[0].partition("%")[0]):
            for name in words[1:]:
                found[name.lower()] = (*found.get(name.lower(), ()), words[0])
    return found


def parse_proc_routes(text: str) -> tuple[Route, ...]:
    """The IPv4 routes in /proc/net/route."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or not int(words[3], 16) & RTF_UP:  # noqa: PLR2004 -- the file's columns
            continue
        destination, gateway, mask = (_hex_address(words[index]) for index in (1, 2, 7))
        prefix = sum(int(part).bit_count() for part in mask.split("."))
        found.append(
            Route(
                destination=f"{destination}/{prefix}",
                device=words[0],
                gateway=gateway if int(words[3], 16) & RTF_GATEWAY else None,
                metric=int(words[6]),
            )
        )
    return tuple(found)


def _hex_address(text: str) -> str:
    return socket.inet_ntoa(struct.pack("<I", int(text, 16)))


def parse_arp(text: str) -> tuple[Neighbour, ...]:
    """The hosts in /proc/net/arp."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) >= 6:  # noqa: PLR2004 -- the file's columns
            known = int(words[2], 16) & 0x2
            found.append(
                Neighbour(
                    address=words[0],
                    device=words[5],
                    mac=words[3] if known else "",
                    state="REACHABLE" if known else "INCOMPLETE",
                )
            )
    return tuple(found)


async def _without_iproute(probe: Probe, wireless: str) -> NetworkState:
    from diagnostics.platforms.psutil_network import read_adapters  # noqa: PLC0415 -- brings psutil, only needed here

    routes = parse_proc_routes(await probe.read_text_or("/proc/net/route"))
    wifi = set(parse_wireless(wireless)) | set(await _wifi_names(probe))
    adapters = await probe.in_thread(
        lambda: read_adapters(lambda name: kind_of(name, info="", link_type="", wifi=name in wifi, bridged=False))
    )
    return NetworkState(
        adapters=adapters, routes=routes, neighbours=parse_arp(await probe.read_text_or("/proc/net/arp"))
    )
