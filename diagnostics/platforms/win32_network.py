"""Windows: adapters, addresses, routes, neighbours and name servers from IP Helper's tables.

What a row means is said by pure functions. IP Helper knows no language; nothing here reads a translated word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from diagnostics.platforms import win32_ip_helper as helper
from diagnostics.platforms.linux_network import promote
from diagnostics.platforms.network import Adapter, Address, Kind, Neighbour, NetworkState, Resolvers, Route

if TYPE_CHECKING:
    from diagnostics.probe import Probe

PARAMETERS: Final = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
POLICY: Final = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"
PPP, LOOPBACK, PROPRIETARY, WIFI, TUNNEL, MOBILE = 23, 24, 53, 71, 131, (243, 244)  # IANA's ifType
BLUETOOTH: Final = 10  # NdisPhysicalMediumBluetooth: a phone or a mouse, and nobody's way out until it has a route
OWN_TUNNELS: Final = frozenset({11, 13, 14, 15})  # 6to4, ISATAP, Teredo, IP-HTTPS: Windows' own, there on every machine
UP, UNKNOWN, NOT_PRESENT = 1, 4, 6  # IF_OPER_STATUS
SWITCHED_ON, CONNECTED = 1, 1  # NET_IF_ADMIN_STATUS, NET_IF_MEDIA_CONNECT_STATE
UNTOLD, FROM_NETWORK = 0, frozenset({3, 4})  # NL_PREFIX_ORIGIN: other; DHCP, router advertisement
DOUBTFUL: Final = frozenset({1, 2})  # NL_DAD_STATE: tentative, duplicate
BY_ITSELF: Final = 2  # MIB_IPPROTO_LOCAL: the stack made the route from an address
STATES: Final = ("FAILED", "INCOMPLETE", "PROBE", "DELAY", "STALE", "REACHABLE", "PERMANENT")  # NL_NEIGHBOR_STATE
NOBODY: Final = ipaddress.ip_network(
    "fec0::/10"
)  # what Windows shows when no IPv6 name server is set; it asks nobody there
VPN_WORDS: Final = (
    "vpn",
    "wireguard",
    "wintun",
    "tap-",
    "anyconnect",
    "cisco secure client",
    "fortinet",
    "pangp",
    "globalprotect",
    "juniper",
    "pulse secure",
    "tailscale",
    "zerotier",
    "nordlynx",
    "zscaler",
    "netextender",
    "sonicwall",
    "f5 networks",
    "netskope",
    "cloudflare warp",
)


async def read_state(probe: Probe) -> NetworkState:
    """Adapters, addresses, routes and neighbours now."""
    return state_of(await probe.in_thread(helper.read_tables))


async def read_neighbours(probe: Probe) -> tuple[Neighbour, ...]:
    """Who has answered on the cable until now."""
    return state_of(await probe.in_thread(helper.read_tables)).neighbours


async def read_resolvers(probe: Probe) -> Resolvers:
    """The name servers of every connected adapter, the preferred adapter's first, and the endings that are tried."""
    settings = await probe.in_thread(helper.read_settings)
    return resolvers_of(
        settings, parameters=await probe.registry(PARAMETERS) or {}, policy=await probe.registry(POLICY) or {}
    )


def state_of(tables: helper.Tables) -> NetworkState:
    """The network in IP Helper's tables. Names are those that Windows shows ("Wi-Fi", "Ethernet 2")."""
    settings = {one.index: one for one in tables.settings}
    shown = [one for one in tables.interfaces if is_adapter(one, listed=one.index in settings)]
    names = {one.index: one.name or one.description for one in shown}
    adapters = tuple(adapter_of(one, settings.get(one.index)) for one in shown)
    loopback = {one.name for one in adapters if one.kind is Kind.LOOPBACK}
    own = {address.ip for one in adapters for address in one.addresses}
    routes = tuple(
        route_of(one, names[one.index], settings.get(one.index))
        for one in tables.routes
        if one.index in names and names[one.index] not in loopback and _leads_somewhere(one, own)
    )
    neighbours = tuple(
        neighbour_of(one, names[one.index])
        for one in tables.neighbours
        if one.index in names and names[one.index] not in loopback and not _everybody(one.address)
    )
    return NetworkState(adapters=promote(adapters, routes), routes=routes, neighbours=neighbours)


def is_adapter(one: helper.Interface, *, listed: bool) -> bool:
    """Whether a row is an adapter that people know of. Windows has dozens of others: filters, miniports, devices pulled out.

    `listed`: GetAdaptersAddresses knows it, as it does every adapter that is switched on and carries IP.
    """
    if one.filters or (one.oper == NOT_PRESENT and one.admin == SWITCHED_ON):
        return False
    return listed or (one.hardware and one.connector)


def kind_of(one: helper.Interface) -> Kind:
    """What an adapter is, by IANA's type and, for what programs add, by the makers' names, which nobody translates."""
    words = f"{one.name} {one.description}".lower()
    if one.type == LOOPBACK:
        return Kind.LOOPBACK
    if one.type == TUNNEL and one.tunnel in OWN_TUNNELS:
        return Kind.VIRTUAL
    if one.type in {PPP, PROPRIETARY, TUNNEL} or (not one.hardware and any(word in words for word in VPN_WORDS)):
        return Kind.VPN
    if one.type in MOBILE:
        return Kind.MOBILE
    if not one.hardware or one.medium == BLUETOOTH:
        return Kind.VIRTUAL
    return Kind.WIFI if one.type == WIFI else Kind.WIRED


def adapter_of(one: helper.Interface, settings: helper.Settings | None) -> Adapter:
    """An adapter with its addresses. One that is switched off tells nothing about its cable."""
    up = one.admin == SWITCHED_ON
    connected = one.oper == UP or (one.oper == UNKNOWN and one.connected == CONNECTED)
    return Adapter(
        name=one.name or one.description,
        kind=kind_of(one),
        up=up,
        carrier=connected if up else None,
        addresses=tuple(address_of(at) for at in settings.addresses) if settings else (),
        mtu=one.mtu if one.mtu < 1 << 31 else 0,  # loopback says "as large as you like"
        mac=one.mac,
        label=one.description,
    )


def address_of(one: helper.Unicast) -> Address:
    """An address; DHCP and router advertisements make it dynamic, "other" origins are not known."""
    dynamic = None if one.origin == UNTOLD else one.origin in FROM_NETWORK
    return Address(ip=one.ip, prefix=one.prefix, dynamic=dynamic, tentative=one.dad in DOUBTFUL)


def route_of(one: helper.Forward, device: str, settings: helper.Settings | None) -> Route:
    """A route. Windows prefers by the sum of the route's and the adapter's metric."""
    own = (settings.metric6 if ":" in one.destination else settings.metric4) if settings else 0
    return Route(
        destination=f"{one.destination}/{one.prefix}",
        device=device,
        gateway=one.gateway or None,
        metric=one.metric + own,
    )


def neighbour_of(one: helper.Neighbour, device: str) -> Neighbour:
    """A host on the cable, its state as Linux names it."""
    state = STATES[one.state] if one.state < len(STATES) else ""
    return Neighbour(address=one.address, device=device, mac=one.mac, state=state)


def _leads_somewhere(one: helper.Forward, own: set[str]) -> bool:
    """Not one of the routes that the stack makes for its own addresses, broadcasts and groups."""
    whole = one.prefix == (128 if ":" in one.destination else 32)
    made = whole and not one.gateway and (one.destination in own or one.protocol == BY_ITSELF)
    return not made and not _everybody(one.destination)


def _everybody(ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    return address.is_multicast or ip == "255.255.255.255"


def resolvers_of(
    settings: tuple[helper.Settings, ...], *, parameters: Mapping[str, Any], policy: Mapping[str, Any]
) -> Resolvers:
    """Name servers and endings. The list of the administrators' policy goes before the list in the settings, and either before
    the computer's domain and the endings that came with the addresses.
    """
    live = sorted((one for one in settings if one.oper == UP), key=lambda one: one.metric4 or one.metric6)
    servers = [at for one in live for at in one.servers if not _nobody(at)]
    listed = str(policy.get("SearchList") or parameters.get("SearchList") or "")
    endings = listed.replace(" ", ",").split(",") if listed.strip() else []
    if not endings:
        domain = str(parameters.get("Domain") or parameters.get("NV Domain") or "")
        endings = [domain, *(one.suffix for one in live)]
    search = tuple(dict.fromkeys(one.strip().strip(".").lower() for one in endings if one.strip().strip(".")))
    return Resolvers(servers=tuple(dict.fromkeys(servers)), search=search)


def _nobody(server: str) -> bool:
    address = ipaddress.ip_address(server.partition("%")[0])
    return address.version == NOBODY.version and address in NOBODY
