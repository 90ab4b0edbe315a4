"""The adapters: is there one, is it switched on, is it connected."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.network.view import state
from diagnostics.platforms.network import Adapter, Kind
from diagnostics.registry import Context, check

WORDS: Final = {
    Kind.WIRED: "network cable",
    Kind.WIFI: "Wi-Fi",
    Kind.MOBILE: "mobile network",
    Kind.VPN: "VPN",
    Kind.VIRTUAL: "internal",
}


def as_measure(adapter: Adapter) -> dict[str, Any]:
    """An adapter as the findings carry it."""
    return {
        "name": adapter.name,
        "kind": str(adapter.kind),
        "up": adapter.up,
        "carrier": adapter.carrier,
        "ipv4": [f"{one.ip}/{one.prefix}" for one in adapter.ipv4],
        "ipv6": [f"{one.ip}/{one.prefix}" for one in adapter.ipv6],
        "mtu_bytes": adapter.mtu,
    }


def expected(adapters: tuple[Adapter, ...]) -> tuple[Adapter, ...]:
    """The adapters that could be the way out, the likeliest first.

    One with an address was in use; a switched-off one was somebody's decision; an unplugged one without an address is a spare.
    """
    real = [one for one in adapters if one.real]
    return tuple(
        sorted(
            real,
            key=lambda one: (
                not one.works,
                not [a for a in one.ipv4 if not a.link_local],
                one.up,
                one.kind is Kind.MOBILE,
            ),
        )
    )


@check("link.adapters", words="Looking at the network adapters")
async def adapters(context: Context) -> Outcome:
    """Fails when no adapter is connected, or the one that carries the way out is not."""
    now = await state(context)
    measures: dict[str, Any] = {"adapters": [as_measure(one) for one in now.adapters if one.kind is not Kind.LOOPBACK]}
    likely = expected(now.adapters)
    if not likely:
        through_vpn = [one for one in now.adapters if one.kind is Kind.VPN and one.works and now.defaults()]
        if through_vpn:
            return Outcome(status=Status.OK, summary="The network is reached through a tunnel.", measures=measures)
        return Outcome(
            status=Status.FAILED,
            summary="This computer has no network adapter.",
            measures={**measures, "problem": "none"},
        )
    live_ways = [route for v4 in (True, False) for route in now.defaults(v4=v4) if not route.dead]
    ways_work = [route for route in live_ways if (at := now.adapter(route.device)) is not None and at.works]
    first = likely[0]
    if not ways_work:
        # An adapter that has an address but is dead was the way out, even when another one happens to be connected.
        was = next((one for one in likely if not one.works and [a for a in one.ipv4 if not a.link_local]), None)
        if was is not None and not (first.works and first.name in {route.device for route in now.defaults()}):
            first = was
    measures |= {"adapter": first.name, "kind": str(first.kind)}
    what = WORDS[first.kind]
    if not first.up:
        return Outcome(
            status=Status.FAILED,
            summary=f"The adapter {first.name} ({what}) is switched off.",
            measures={**measures, "problem": "disabled"},
        )
    if first.carrier is False:
        return Outcome(
            status=Status.FAILED,
            summary=f"The adapter {first.name} ({what}) is not connected.",
            measures={**measures, "problem": "no_carrier"},
        )
    return Outcome(status=Status.OK, summary=f"The adapter {first.name} ({what}) is connected.", measures=measures)
