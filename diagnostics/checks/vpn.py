"""VPN tunnels: which are there, and are they up."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.network.view import state
from diagnostics.platforms.network import Kind
from diagnostics.registry import Context, check

NMCLI_S: Final = 1.5  # asks a service over the system bus, which may be gone


@check("vpn.tunnels", words="Looking at VPN connections")
async def tunnels(context: Context) -> Outcome:
    """Never fails: whether a VPN that is down matters is for the reasoner to say."""
    now = await state(context)
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "up": one.works and bool(one.addresses),
            "routes": [
                route.destination
                for route in now.routes
                if route.device == one.name and not route.is_default and route.is_v4
            ],
        }
        for one in now.adapters
        if one.kind is Kind.VPN
    ]
    profiles = await _profiles(context)
    down = [one["name"] for one in rows if not one["up"]] + [name for name, active in profiles if not active]
    measures = {"tunnels": rows, "down": down, "up": [one["name"] for one in rows if one["up"]]}
    if not rows and not profiles:
        return Outcome(status=Status.OK, summary="There is no VPN connection on this computer.", measures=measures)
    words = f"The VPN connection {down[0]} is not up." if down else f"The VPN connection {rows[0]['name']} is up."
    return Outcome(status=Status.OK, summary=words, measures=measures)


async def _profiles(context: Context) -> list[tuple[str, bool]]:
    if context.probe.platform != "linux" or context.probe.find_program("nmcli") is None:
        return []
    ran = await context.probe.run(("nmcli", "-t", "-f", "TYPE,ACTIVE,NAME", "connection", "show"), NMCLI_S)
    return parse_nmcli(ran.out) if ran.fine else []


def parse_nmcli(text: str) -> list[tuple[str, bool]]:
    """Name and activity of the VPN connections in `nmcli -t -f TYPE,ACTIVE,NAME connection show`."""
    found = []
    for line in text.splitlines():
        kind, _, rest = line.partition(":")
        active, _, name = rest.partition(":")
        if kind in {"vpn", "wireguard"} and name:
            found.append((name.replace("\\:", ":"), active == "yes"))
    return found
