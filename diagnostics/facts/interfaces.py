"""Facts about the network as it is set up: adapters, routes, name servers, Wi-Fi, tunnels. The checks judge it."""

from __future__ import annotations

from typing import Any, cast

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.chosen_network import network_module
from diagnostics.platforms.machine import describer_of
from diagnostics.platforms.network import Kind, NetworkState, Resolvers
from diagnostics.probe import Probe

MOST_ROUTES = 100  # a machine full of containers has thousands


async def _state(probe: Probe) -> NetworkState:
    return cast(
        "NetworkState", await probe.once("facts.network", lambda: network_module(probe.platform).read_state(probe))
    )


async def _resolvers(probe: Probe) -> Resolvers:
    return cast(
        "Resolvers", await probe.once("facts.resolvers", lambda: network_module(probe.platform).read_resolvers(probe))
    )


@fact("interfaces.adapters", privacy=Privacy.NETWORK)
async def adapters(probe: Probe) -> list[dict[str, Any]]:
    """Every network adapter with its addresses ("192.0.2.7/24")."""
    return [
        {
            "name": one.name,
            "label": one.label or None,
            "kind": one.kind.value,
            "up": one.up,
            "connected": one.carrier,
            "mtu": one.mtu or None,
            "addresses": [f"{address.ip}/{address.prefix}" for address in one.addresses],
        }
        for one in (await _state(probe)).adapters
        if one.kind is not Kind.LOOPBACK
    ]


@fact("interfaces.hardware_addresses", privacy=Privacy.DEVICE)
async def hardware_addresses(probe: Probe) -> dict[str, str]:
    """The hardware address (MAC) of every adapter that has one."""
    return {one.name: one.mac for one in (await _state(probe)).adapters if one.mac and one.kind is not Kind.LOOPBACK}


@fact("interfaces.routes", privacy=Privacy.NETWORK)
async def routes(probe: Probe) -> list[dict[str, Any]]:
    """The routes, the default ones first."""
    found = sorted((await _state(probe)).routes, key=lambda one: (not one.is_default, one.metric))
    return [
        {"to": one.destination, "through": one.gateway, "adapter": one.device, "metric": one.metric}
        for one in found[:MOST_ROUTES]
    ]


@fact("interfaces.resolvers", privacy=Privacy.NETWORK)
async def resolvers(probe: Probe) -> dict[str, Any] | None:
    """The name servers and the names that are tried as endings."""
    found = await _resolvers(probe)
    if not found.servers and not found.search:
        return None
    return {"servers": list(found.servers), "search": list(found.search)}


@fact("interfaces.wifi", privacy=Privacy.NETWORK)
async def wifi(probe: Probe) -> list[dict[str, Any]]:
    """The wireless networks that this computer is on."""
    return [
        {
            "adapter": one.adapter,
            "network": one.network or None,
            "signal_percent": one.signal_percent,
            "band": one.band or None,
            "rate_mbit_per_s": one.rate_mbit_per_s,
        }
        for one in await describer_of(probe).wifi(probe)
    ]


@fact("interfaces.vpn", privacy=Privacy.NETWORK)
async def vpn(probe: Probe) -> list[dict[str, Any]]:
    """The tunnels (VPN) that exist, and whether they are up."""
    return [
        {"name": one.name, "label": one.label or None, "up": one.works}
        for one in (await _state(probe)).adapters
        if one.kind is Kind.VPN
    ]
