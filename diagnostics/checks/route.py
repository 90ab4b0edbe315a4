"""The way out: default routes, the router, and whether another way would be better."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.network.view import Target, resolvers, state, targets
from diagnostics.platforms.chosen_network import network_module
from diagnostics.platforms.network import Neighbour, Route, is_address
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Attempt, Reach
from diagnostics.wire.echo import Echoes

GATEWAY_PINGS: Final = 3  # one may be lost
GATEWAY_WAIT_S: Final = 1.0  # a router on the same cable answers in milliseconds, a busy Wi-Fi in some hundred
NEIGHBOUR_WAIT_S: Final = 3.2  # the kernel asks three times, a second apart, before it gives up on a host on the cable
GATEWAY_PORTS: Final = (53, 80, 443)  # a router says something, if only "closed", on at least one of them
SECOND_WAY_S: Final = 2.0  # a live second way answers within one resent packet
NEAR_PROBES: Final = 4  # far hosts that a wrong mask makes look near


@check("route.default", words="Looking for the way out of this network", needs=("address.ipv4",))
async def default(context: Context) -> Outcome:
    """Fails when there is no default route of either family."""
    now = await state(context)
    found = [*now.defaults(v4=True), *now.defaults(v4=False)]
    measures: dict[str, Any] = {
        "routes": [
            {"gateway": one.gateway, "adapter": one.device, "metric": one.metric, "ipv4": one.is_v4} for one in found
        ]
    }
    if not found:
        halves = [
            one for one in now.routes if one.destination in {"0.0.0.0/1", "128.0.0.0/1"} and not one.rejects
        ]  # how VPNs do it
        if len(halves) == 2:  # noqa: PLR2004 -- both halves of everything
            return Outcome(status=Status.OK, summary="A VPN carries everything.", measures=measures)
        return Outcome(
            status=Status.FAILED, summary="This computer does not know any way out of its network.", measures=measures
        )
    first = found[0]
    measures |= {"gateway": first.gateway, "adapter": first.device}
    through = f"the router {first.gateway}" if first.gateway else first.device
    return Outcome(status=Status.OK, summary=f"The way out is {through}.", measures=measures)


@check("route.gateway", words="Asking the router", needs=("route.default",))
async def gateway(context: Context) -> Outcome:
    """Judges the preferred router by everything that shows life: its answer on the cable, a ping, any answer to a connection.

    A router that answers on the cable but to nothing else is a warning: many drop pings. Fails when nobody has its address.
    """
    now = await state(context)
    ways = now.defaults() or now.defaults(v4=False)
    if not ways or ways[0].gateway is None:
        return Outcome(
            status=Status.OK, summary="There is no router to ask: the way out is a tunnel.", measures={"gateway": None}
        )
    evidence = await _ask_router(context, ways[0].gateway, "")
    measures = {"gateway": ways[0].gateway, "adapter": ways[0].device, **evidence}
    if evidence["answers"]:
        return Outcome(status=Status.OK, summary=f"The router {ways[0].gateway} answers.", measures=measures)
    if evidence["on_cable"]:
        words = f"The router {ways[0].gateway} is there, but answers neither pings nor connections."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    if evidence["on_cable"] is None:
        words = f"The router {ways[0].gateway} answers neither pings nor connections."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.FAILED, summary=f"The router {ways[0].gateway} does not answer.", measures=measures)


async def _ask_router(context: Context, address: str, device: str) -> dict[str, Any]:
    """What shows that a router lives. `on_cable` is None where the system does not tell."""
    probe = context.probe
    ping = asyncio.create_task(
        probe.echo(address, count=GATEWAY_PINGS, interval=0.05, wait=GATEWAY_WAIT_S, device=device)
    )
    doors = [
        asyncio.create_task(probe.connect(address, port, within=GATEWAY_WAIT_S, device=device))
        for port in GATEWAY_PORTS
    ]
    try:
        answers = await _first_sign(ping, doors)
        echoes = ping.result() if ping.done() else None
        knocks = [one.result() for one in doors if one.done()]
    finally:
        for task in (ping, *doors):
            task.cancel()
        await asyncio.gather(ping, *doors, return_exceptions=True)
    known = await _settled(context, address, patient=not answers)
    on_cable = None if known is None else known.heard_lately
    own_filter = any(one.reach is Reach.NOT_PERMITTED for one in knocks) or bool(
        echoes and echoes.blocked == echoes.sent > 0
    )
    return {
        "answers": answers,
        "on_cable": True if answers else on_cable,
        "mac": known.mac if known else "",
        "ping_ms": echoes.median_ms if echoes else None,
        "ping_allowed": echoes.allowed if echoes else True,
        "tcp": [{"port": one.port, "reach": str(one.reach)} for one in knocks],
        "forbidden": own_filter,
    }


def _said_something(address: str, attempt: Attempt) -> bool:
    return attempt.reach in {Reach.CONNECTED, Reach.REFUSED, Reach.RESET} and attempt.offender in {None, address}


async def _first_sign(ping: asyncio.Task[Echoes], doors: list[asyncio.Task[Attempt]]) -> bool:
    """True as soon as anything answered, False when everything has ended without."""
    waiting: set[asyncio.Task[Any]] = {ping, *doors}
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            result = task.result()
            if result.received if isinstance(result, Echoes) else _said_something(result.address, result):
                return True
    return False


async def _settled(context: Context, address: str, *, patient: bool) -> Neighbour | None:
    """What the kernel knows of a host on the cable; when `patient`, once it has made up its mind."""
    probe = context.probe
    module = network_module(probe.platform)
    ends = probe.monotonic() + NEIGHBOUR_WAIT_S - GATEWAY_WAIT_S
    while True:
        known = next((one for one in await module.read_neighbours(probe) if one.address == address), None)
        undecided = known is not None and known.state in {"INCOMPLETE", "DELAY", "PROBE"}
        if not patient or not undecided or probe.monotonic() > ends:
            return known
        await probe.sleep(0.2)


@check("route.others", words="Looking for a better way out", after=("route.gateway", "internet.line"), deadline_s=6.0)
async def others(context: Context) -> Outcome:
    """When the preferred way leads nowhere: does another default route lead out? Linux lets us bind to an adapter to see."""
    now = await state(context)
    ways = now.defaults()
    measures: dict[str, Any] = {"others": []}
    preferred = ways[0] if ways else None
    spare = [
        one for one in ways[1:] if preferred and (one.device, one.gateway) != (preferred.device, preferred.gateway)
    ]
    if not spare or preferred is None:
        return Outcome(
            status=Status.OK,
            summary="There is one way out." if ways else "There is no other way out.",
            measures=measures,
        )
    measures["preferred"] = {"adapter": preferred.device, "gateway": preferred.gateway, "metric": preferred.metric}
    if context.measure("internet.line", "alive") is True:
        return Outcome(status=Status.OK, summary="The preferred way out works.", measures=measures)
    looked = await asyncio.gather(*(_try_way(context, one) for one in spare))
    measures["others"] = looked
    if live := [one for one in looked if one["leads_out"]]:
        words = f"{preferred.device} leads nowhere, but {live[0]['adapter']} would."
        return Outcome(status=Status.FAILED, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary="No other way out works either.", measures=measures)


async def _try_way(context: Context, way: Route) -> dict[str, Any]:
    """Whether anything beyond answers when the way is used: a resolver, a place with a known address, or at least its router."""
    probe = context.probe
    servers = [
        one
        for one in (await resolvers(context)).servers
        if ":" not in one and not ipaddress.ip_address(one).is_loopback
    ]
    places = _literal(targets(context))
    name = next((one.host for one in targets(context) if not is_address(one.host)), ".")
    kind = "A" if name != "." else "NS"
    answers, knocks, router = await asyncio.gather(
        asyncio.gather(*(probe.ask(one, name, kind, within=SECOND_WAY_S, device=way.device) for one in servers)),
        asyncio.gather(*(probe.connect(one.host, one.port, within=SECOND_WAY_S, device=way.device) for one in places)),
        _ask_router(context, way.gateway, way.device) if way.gateway else asyncio.sleep(0, result={}),
    )
    addresses = [address for answer in answers for address in answer.addresses][:2]
    ports = {one.host: one.port for one in targets(context)}
    beyond = await asyncio.gather(
        *(probe.connect(one, ports.get(name, 80), within=SECOND_WAY_S, device=way.device) for one in addresses)
    )
    near = {one for one in servers if (await state(context)).near(one)} | {way.gateway}
    heard = [one.server for one in answers if one.answered and one.server not in near]
    heard += [one.address for one in (*knocks, *beyond) if one.reach is Reach.CONNECTED]
    return {
        "adapter": way.device,
        "gateway": way.gateway,
        "metric": way.metric,
        "leads_out": bool(heard),
        "router_answers": bool(router.get("answers")),
        "heard": heard,
    }


def _literal(places: tuple[Target, ...]) -> list[Target]:
    return [one for one in places if is_address(one.host) and ":" not in one.host]


@check(
    "route.near",
    words="Looking at hosts on this network",
    needs=("route.default",),
    after=("dns.resolvers", "dns.names"),
    deadline_s=6.0,
)
async def near(context: Context) -> Outcome:
    """Do the places that this computer takes for near ones answer on the cable? With a wrong mask none of them does."""
    now = await state(context)
    wanted: dict[str, int] = dict.fromkeys((await resolvers(context)).servers, 53)
    for place in context.findings["dns.names"].measures.get("names", []) if "dns.names" in context.findings else []:
        wanted |= {address: place.get("port", 443) for address in place["addresses"]}
    wanted |= {one.host: one.port for one in _literal(targets(context))}
    gateways = {route.gateway for route in now.defaults()}
    ours = [one for one in wanted if ":" not in one and now.near(one) and not now.own(one) and one not in gateways][
        :NEAR_PROBES
    ]
    if not ours:
        return Outcome(
            status=Status.OK, summary="Nothing of what is looked at is on this network.", measures={"hosts": []}
        )
    attempts = await asyncio.gather(
        *(context.probe.connect(one, wanted[one], within=NEIGHBOUR_WAIT_S + 0.3) for one in ours)
    )
    known = {one.address: one for one in await network_module(context.probe.platform).read_neighbours(context.probe)}
    hosts = [
        {
            "address": one.address,
            "on_cable": (at := known.get(one.address)) is not None and at.alive,
            "reach": str(one.reach),
        }
        for one in attempts
    ]
    alive_far = [
        one.address for one in known.values() if one.alive and ":" not in one.address and one.address not in gateways
    ]
    dead = [one["address"] for one in hosts if not one["on_cable"] and one["reach"] in {"unreachable", "silent"}]
    measures = {"hosts": hosts, "dead": dead, "alive_neighbours": alive_far}
    if dead:
        words = f"{dead[0]} should be on this network by this computer's settings, but nobody answers there."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary="The hosts on this network answer.", measures=measures)
