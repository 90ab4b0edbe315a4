"""A computer's network as the checks see it, the same on every operating system."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Final

import msgspec

VPN_NAMES: Final = (
    "tun",
    "wg",
    "vpn",
    "ppp",
    "utun",
    "tailscale",
    "ipsec",
    "gpd",
    "cscotun",
    "zt",
    "nordlynx",
    "proton",
    "xfrm",
    "ovpn",
)
REAL_NAMES: Final = ("eth", "en", "wl", "ww", "usb", "em", "lan", "wan")


class Kind(StrEnum):
    """What an adapter is. `VIRTUAL` ones belong to programs (containers, machines in machines) and are nobody's way out."""

    WIRED = "wired"
    WIFI = "wifi"
    MOBILE = "mobile"
    VPN = "vpn"
    VIRTUAL = "virtual"
    LOOPBACK = "loopback"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An address on an adapter. `dynamic`: from DHCP or router advertisement; None where the system does not tell."""

    ip: str
    prefix: int
    dynamic: bool | None = None
    tentative: bool = False

    @property
    def is_v4(self) -> bool:
        """IPv4."""
        return ":" not in self.ip

    @property
    def link_local(self) -> bool:
        """169.254/16 or fe80::/10: made up by this computer, good for nothing beyond the cable."""
        return ipaddress.ip_address(self.ip).is_link_local

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The network that this computer takes for near."""
        return ipaddress.ip_network(f"{self.ip}/{self.prefix}", strict=False)


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """One network adapter. `up` is switched on; `carrier` is a cable in, or associated; None where nobody can know (it is off)."""

    name: str
    kind: Kind
    up: bool
    carrier: bool | None
    addresses: tuple[Address, ...] = ()
    mtu: int = 0
    mac: str = ""
    master: str = ""
    label: str = ""

    @property
    def real(self) -> bool:
        """A way out of this computer: cable, Wi-Fi or mobile."""
        return self.kind in {Kind.WIRED, Kind.WIFI, Kind.MOBILE}

    @property
    def works(self) -> bool:
        """Switched on and connected."""
        return self.up and self.carrier is not False

    @property
    def ipv4(self) -> tuple[Address, ...]:
        """Its IPv4 addresses."""
        return tuple(one for one in self.addresses if one.is_v4)

    @property
    def ipv6(self) -> tuple[Address, ...]:
        """Its IPv6 addresses that reach further than the cable."""
        return tuple(one for one in self.addresses if not one.is_v4 and not one.link_local)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route. `destination` is a network in CIDR form ("0.0.0.0/0" is the default). `dead`: its adapter has no carrier."""

    destination: str
    device: str
    gateway: str | None = None
    metric: int = 0
    dead: bool = False
    rejects: bool = False

    @property
    def is_default(self) -> bool:
        """Where everything goes that nothing else knows."""
        return self.destination in {"0.0.0.0/0", "::/0"}

    @property
    def is_v4(self) -> bool:
        """IPv4."""
        return ":" not in self.destination


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What this computer knows of a host on the same cable. `state` in upper case, as Linux names them."""

    address: str
    device: str
    mac: str = ""
    state: str = ""

    @property
    def dead(self) -> bool:
        """It was asked for and did not answer."""
        return self.state in {"FAILED", "INCOMPLETE"}

    @property
    def heard_lately(self) -> bool | None:
        """It has answered within the last half minute, or has just failed to; None when that is longer ago."""
        return False if self.dead else True if self.state in {"REACHABLE", "PERMANENT", "NOARP"} else None

    @property
    def alive(self) -> bool:
        """It has answered."""
        return bool(self.mac) and not self.dead


class Resolvers(msgspec.Struct, frozen=True, kw_only=True):
    """The name servers that this computer asks, in its order; `stub` is a local one in front of them."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    stub: str | None = None


class NetworkState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment."""

    adapters: tuple[Adapter, ...] = ()
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()

    def adapter(self, name: str) -> Adapter | None:
        """The adapter of this name."""
        return next((one for one in self.adapters if one.name == name), None)

    def defaults(self, *, v4: bool = True) -> tuple[Route, ...]:
        """The default routes of a family that lead somewhere, the preferred one first."""
        found = [one for one in self.routes if one.is_default and one.is_v4 is v4 and not one.rejects]
        return tuple(sorted(found, key=lambda one: one.metric))

    def route_to(self, ip: str) -> Route | None:
        """The route that a packet to this address takes: the longest network, then the smallest metric."""
        target = ipaddress.ip_address(ip)
        best: tuple[int, int] | None = None
        chosen = None
        for route in self.routes:
            network = ipaddress.ip_network(route.destination, strict=False)
            if network.version != target.version or target not in network:
                continue
            rank = (network.prefixlen, -route.metric)
            if best is None or rank > best:
                best, chosen = rank, route
        return chosen

    def near(self, ip: str) -> bool:
        """Whether this computer takes the address for one on the same cable (or its own)."""
        if any(one.ip == ip for adapter in self.adapters for one in adapter.addresses):
            return True
        route = self.route_to(ip)
        return route is not None and route.gateway is None and not route.rejects and not route.is_default

    def own(self, ip: str) -> bool:
        """Whether the address is this computer's own."""
        return ipaddress.ip_address(ip).is_loopback or any(
            one.ip == ip for adapter in self.adapters for one in adapter.addresses
        )

    def neighbour(self, ip: str) -> Neighbour | None:
        """What is known of a host on the cable."""
        return next((one for one in self.neighbours if one.address == ip), None)


def is_private(ip: str) -> bool:
    """An address of the kind that only means something inside one network (RFC 1918, RFC 4193, RFC 6598)."""
    address = ipaddress.ip_address(ip)
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    return any(
        address in ipaddress.ip_network(one) for one in private if ipaddress.ip_network(one).version == address.version
    )


def is_address(text: str) -> bool:
    """Whether a text is an IP address and not a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
