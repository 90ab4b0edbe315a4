"""The addresses on the connected adapters, IPv4 and IPv6 apart."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.network.view import resolvers, state
from diagnostics.platforms.chosen_network import network_module
from diagnostics.platforms.network import Address, NetworkState
from diagnostics.registry import Context, check

USUAL_PREFIX: Final = (
    22  # offices cut their networks into /24 to /22; a wider one is rare enough to look at its far hosts
)


def in_use(now: NetworkState) -> tuple[str, ...]:
    """The adapters that carry the preferred way out, or else every connected real one."""
    ways = [route.device for v4 in (True, False) for route in now.defaults(v4=v4)]
    named = [name for name in dict.fromkeys(ways) if (at := now.adapter(name)) is not None and at.works]
    return tuple(named) or tuple(one.name for one in now.adapters if one.real and one.works)


@check("address.ipv4", words="Looking at this computer's address", needs=("link.adapters",))
async def ipv4(context: Context) -> Outcome:
    """Fails when no connected adapter has an IPv4 address of a network, and IPv6 does not lead out either."""
    now = await state(context)
    names = in_use(now)
    found = [(name, one) for name in names if (at := now.adapter(name)) is not None for one in at.ipv4]
    good = [(name, one) for name, one in found if not one.link_local]
    measures: dict[str, Any] = {
        "adapter": next((name for name, _ in (*good, *found)), names[0] if names else ""),
        "addresses": [f"{one.ip}/{one.prefix}" for _, one in found],
    }
    if good:
        name, one = good[0]
        measures |= {"address": one.ip, "prefix": one.prefix, "dynamic": one.dynamic, **_gateway(now, name, one)}
        if measures.get("gateway_far"):
            words = f"The router {measures['gateway']} is not in this computer's network {one.network}."
            return Outcome(status=Status.WARNING, summary=words, measures=measures)
        return Outcome(status=Status.OK, summary=f"This computer's address is {one.ip} on {name}.", measures=measures)
    if now.defaults(v4=False) and any(at.ipv6 for name in names if (at := now.adapter(name)) is not None):
        return Outcome(
            status=Status.OK, summary="This network uses IPv6 only.", measures={**measures, "only_ipv6": True}
        )
    if found:
        words = f"{found[0][0]} got no address from the network and gave itself {found[0][1].ip}."
        return Outcome(
            status=Status.FAILED,
            summary=words,
            measures={**measures, "problem": "self_assigned", "address": found[0][1].ip},
        )
    words = f"{measures['adapter']} is connected but has no address."
    return Outcome(status=Status.FAILED, summary=words, measures={**measures, "problem": "missing"})


def _gateway(now: NetworkState, name: str, address: Address) -> dict[str, Any]:
    """The router of the adapter, and whether it lies outside every network that this computer is in."""
    gateway = next((route.gateway for route in now.defaults() if route.device == name and route.gateway), None)
    if gateway is None or ":" in gateway:
        return {}
    adapter = now.adapter(name)
    networks = [one.network for one in (adapter.ipv4 if adapter else (address,))]
    far = not any(ipaddress.ip_address(gateway) in network for network in networks)
    whole = address.prefix >= 31  # noqa: PLR2004 -- point to point: the router is never inside  (RFC 3021)
    return {"gateway": gateway, "gateway_far": far and not whole}


@check("address.ipv6", words="Looking at this computer's IPv6 address", needs=("link.adapters",))
async def ipv6(context: Context) -> Outcome:
    """Never fails: many networks have no IPv6, and need none."""
    now = await state(context)
    found = [(at.name, one) for name in in_use(now) if (at := now.adapter(name)) is not None for one in at.ipv6]
    way = next((route.gateway for route in now.defaults(v4=False)), None)
    measures: dict[str, Any] = {
        "addresses": [f"{one.ip}/{one.prefix}" for _, one in found],
        "gateway": way,
        "used": bool(found and way),
    }
    if found and way:
        return Outcome(
            status=Status.OK, summary=f"This computer's IPv6 address is {found[0][1].ip}.", measures=measures
        )
    return Outcome(status=Status.OK, summary="This network does not use IPv6.", measures=measures)


ALL_ROUTERS, ALL_NODES = "ff02::2", "ff02::1"  # RFC 4291: everybody on the cable who forwards, everybody
LIFE_S: Final = 1.2  # neighbours answer in milliseconds; Linux spreads nothing
LISTEN_S: Final = 2.0  # an idle office repeats a question about some neighbour every second or so


@check("address.foreign", words="Looking for other computers on this cable", after=("route.gateway",), deadline_s=6.0)
async def foreign(context: Context) -> Outcome:
    """Only when nobody has the router's address: is the cable dead, or is this computer's address of another network?

    IPv6 neighbours answer without any address being set up; where the system lets us listen to the cable (administrators), the
    IPv4 addresses that others ask for tell which network this really is.
    """
    now = await state(context)
    measures: dict[str, Any] = {"looked": False, "routers": [], "neighbours": [], "seen": []}
    adapter = now.adapter(str(context.measure("route.gateway", "adapter", "")))
    if adapter is None or context.findings["route.gateway"].status is not Status.FAILED:
        return Outcome(status=Status.OK, summary="The router is where this computer looks for it.", measures=measures)
    routers, nodes, heard = await asyncio.gather(
        context.probe.echo_all(ALL_ROUTERS, adapter.name, wait=LIFE_S),
        context.probe.echo_all(ALL_NODES, adapter.name, wait=LIFE_S),
        context.probe.overhear(adapter.name, _guesses(now, (await resolvers(context)).servers), wait=LISTEN_S),
    )
    known = await network_module(context.probe.platform).read_neighbours(context.probe)
    own = {one.ip for one in adapter.addresses}
    networks = [one.network for one in adapter.ipv4]
    strangers = [one for one in heard if not any(ipaddress.ip_address(one) in network for network in networks)]
    measures = {
        "looked": True,
        "adapter": adapter.name,
        "address": next((one.ip for one in adapter.ipv4), None),
        "dynamic": next((one.dynamic for one in adapter.ipv4), None),
        "routers": [one for one in routers if one not in own],
        "neighbours": [one for one in nodes if one not in own],
        "near": [one.address for one in known if one.alive and one.device == adapter.name and ":" not in one.address],
        "seen": strangers,
    }
    if strangers:
        words = f"Others on this cable use addresses like {strangers[0]}, not those of this computer's network."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    words = (
        "Other computers on this cable answer."
        if measures["neighbours"]
        else "No other computer on this cable answers."
    )
    return Outcome(status=Status.OK, summary=words, measures=measures)


USUAL_ROUTERS: Final = ("192.168.0.1", "192.168.1.1", "192.168.178.1", "10.0.0.1", "10.1.1.1", "172.16.0.1")


def _guesses(now: NetworkState, servers: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses to ask the cable for: where routers usually are, the name servers and their networks' first and last addresses."""
    found: list[str] = [*USUAL_ROUTERS, *(one for one in servers if ":" not in one)]
    for place in (*(route.destination for route in now.routes), *(f"{one}/24" for one in servers)):
        network = ipaddress.ip_network(place.partition("%")[0], strict=False)
        if network.version == 4 and 16 <= network.prefixlen < 31:  # noqa: PLR2004 -- networks of a usual size
            found += [str(network.network_address + 1), str(network.broadcast_address - 1)]
    found += [f"192.168.{number}.1" for number in range(256)]
    found += [f"10.{number}.0.1" for number in range(256)] + [f"10.0.{number}.1" for number in range(256)]
    found += [f"172.{number}.0.1" for number in range(16, 32)]
    return tuple(dict.fromkeys(found))
