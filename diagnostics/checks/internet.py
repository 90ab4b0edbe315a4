"""Beyond the router: does the line carry anything, do web pages come, on both ports and both families."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from diagnostics.model import Outcome, Status
from diagnostics.network.doors import doors
from diagnostics.network.view import Target, resolve, state, targets
from diagnostics.network.visits import visit_target
from diagnostics.platforms.network import is_address
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Attempt, Reach
from diagnostics.wire.echo import Echoes
from diagnostics.wire.request import host_port

LINE_WAIT_S: Final = 1.2  # one resent packet on a slow line
KNOCK_S: Final = 2.2  # a first packet lost once is sent again after 1 s
HOPS: Final = 4  # this router, the provider's, and two more: enough to see where it ends
FAR_HOSTS: Final = 4  # places tried at once: enough that one dead host proves nothing, few enough to be light
TIME_EXCEEDED: Final = 11  # ICMP type: a router on the way said that the packet had gone far enough
DNS_PORT: Final = 53
NO_CONTENT: Final = 204


def public_targets(context: Context) -> tuple[Target, ...]:
    """The places on the Internet: the connectivity URL and the public ones."""
    return tuple(one for one in targets(context) if one.role in {"connectivity", "public"})


@check(
    "internet.line",
    words="Looking beyond the router",
    needs=("route.default",),
    after=("dns.resolvers", "route.gateway"),
    deadline_s=7.0,
)
async def line(context: Context) -> Outcome:
    """Does anything beyond the router answer at all: a resolver, a ping, a connection, a router further on?

    It is unknown where there is nothing beyond the router to ask.
    """
    now = await state(context)
    told = context.measure("dns.resolvers", "servers", [])
    rows = told if isinstance(told, list) else []
    wanted: dict[str, int] = {}
    outside: set[str] = set()  # addresses on the Internet, as against those of the company
    for target in targets(context):
        for address in (await resolve(context, target.host)).addresses[:2]:
            wanted.setdefault(address, target.port)
            outside |= {address} if target.role in {"connectivity", "public"} else set()
    for row in rows:
        if not row["near"] and not row["is_gateway"]:
            wanted.setdefault(row["server"], DNS_PORT)
            outside |= set() if row["private"] else {row["server"]}
    proxies = (await doors(context)).proxies
    for proxy in proxies:
        host, port = host_port(proxy)
        wanted |= dict.fromkeys((await resolve(context, host)).addresses[:1], port)
    far = {one: port for one, port in wanted.items() if not now.near(one) and ":" not in one}
    outside_first = sorted(far, key=lambda one: one not in outside)
    chosen = dict.fromkeys([*outside_first[: FAR_HOSTS - 1], *list(far)[-1:]])
    if not chosen:
        return Outcome(
            status=Status.OK,
            summary="There is nothing beyond the router to ask in the settings.",
            measures={"alive": None},
        )
    heard_dns = [row["server"] for row in rows if row["server"] in far and (row["answered"] or _refused_itself(row))]
    looked = await _knock_everywhere(context, {one: far[one] for one in chosen}, heard_dns, outside)
    measures: dict[str, Any] = {**looked, "resolvers_beyond": heard_dns}
    gateway = context.measure("route.gateway", "gateway") or next((one.gateway for one in now.defaults()), None)
    beyond_hop = [
        hop["sender"]
        for hop in looked["hops"]
        if hop["distance"] > 1 and hop["icmp"][0] == TIME_EXCEEDED and hop["sender"] not in {None, gateway}
    ]
    at_the_end = [hop["sender"] for hop in looked["hops"] if hop["sender"] in far]
    heard = list(dict.fromkeys([*heard_dns, *looked["answered"], *at_the_end]))
    measures |= {
        "heard": heard,
        "alive": bool(heard),
        "outside_asked": [one for one in looked["asked"] if one in outside],
        "outside_heard": [one for one in heard if one in outside],
        "hop_beyond": beyond_hop[0] if beyond_hop else None,
    }
    if heard:
        return Outcome(status=Status.OK, summary="The line beyond the router carries data.", measures=measures)
    if proxies:  # where everything goes through a proxy, nothing else need answer
        return Outcome(
            status=Status.OK, summary="Nothing beyond the router answers directly; a proxy is set.", measures=measures
        )
    return Outcome(status=Status.FAILED, summary="Nothing beyond the router answers.", measures=measures)


def _refused_itself(row: dict[str, Any]) -> bool:
    """A name server's host that says "nobody listens here" is there."""
    return row["reach"] == str(Reach.REFUSED) and row["offender"] in {None, row["server"]}


def _spoke(attempt: Attempt) -> bool:
    """A connection was taken; or a name server, which need not listen here, refused it itself."""
    refused = (
        attempt.reach is Reach.REFUSED and attempt.port == DNS_PORT and attempt.offender in {None, attempt.address}
    )
    return attempt.reach is Reach.CONNECTED or refused


async def _knock_everywhere(
    context: Context, far: dict[str, int], heard: list[str], outside: set[str]
) -> dict[str, Any]:
    """Tries every place at once and stops when one on the Internet (or, with none of those, any) has answered."""
    probe = context.probe
    walking = asyncio.create_task(probe.walk(next(iter(far)), hops=HOPS, wait=LINE_WAIT_S))
    pings = {one: asyncio.create_task(probe.echo(one, count=2, interval=0.3, wait=LINE_WAIT_S)) for one in far}
    knocks = {one: asyncio.create_task(probe.connect(one, port, within=KNOCK_S)) for one, port in far.items()}
    everything: set[asyncio.Task[Any]] = {walking, *pings.values(), *knocks.values()}
    answered: list[str] = []
    enough = set(far) & outside or set(far)
    waiting = everything
    while waiting and not enough & {*answered, *heard}:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            result = task.result()
            if isinstance(result, Echoes):
                answered += [result.address] if result.received else []
            elif not isinstance(result, tuple) and _spoke(result):
                answered.append(result.address)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    attempts = [one.result() for one in knocks.values() if one.done() and not one.cancelled()]
    hops = walking.result() if walking.done() and not walking.cancelled() else ()
    return {
        "asked": list(far),
        "answered": list(dict.fromkeys(answered)),
        "hops": [{"distance": one.distance, "sender": one.sender, "icmp": list(one.icmp or (0, 0))} for one in hops],
        "connections": [
            {
                "address": one.address,
                "port": one.port,
                "reach": str(one.reach),
                "offender": one.offender,
                "icmp": list(one.icmp or ()),
            }
            for one in attempts
        ],
        "forbidden": any(one.reach is Reach.NOT_PERMITTED for one in attempts),
    }


AFTER_MEASURING: Final = (
    "quality.local",
    "quality.internet",
    "internet.line",
)  # what loads the line waits for what measures it


@check("internet.http", words="Opening the test page", needs=("dns.resolvers",), after=AFTER_MEASURING, deadline_s=9.5)
async def http(context: Context) -> Outcome:
    """The connectivity URL must answer 204 and nothing else; anything else that answers in its place is somebody in between."""
    target = next((one for one in targets(context) if one.role == "connectivity"), None)
    if target is None:
        return Outcome(
            status=Status.OK, summary="No test page is named in the settings.", measures={"looked": False, "visits": []}
        )
    found = await visit_target(context, target)
    alone = not context.targets.network.public_urls  # otherwise the public pages tell about the other port
    other = await _other_door(context, [found]) if alone else {}
    moved = urlsplit(found.get("location", "")).hostname
    between = bool(
        found["outcome"] == "answered"
        and found["status"] != NO_CONTENT
        and (
            found["status"] == 511 or found.get("sign_in") or (moved and moved != target.host)  # noqa: PLR2004 -- RFC 6585: sign in first
        )
    )
    measures = {"looked": True, "visits": [found], "in_between": between, **other}
    if found["outcome"] == "answered" and found["status"] == NO_CONTENT:
        return Outcome(status=Status.OK, summary="The test page comes as it should.", measures=measures)
    if found["outcome"] == "answered":
        words = f"The test page answers {found['status']} instead of {NO_CONTENT}."
        return Outcome(status=Status.FAILED if between else Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.FAILED, summary=f"The test page does not open: {in_words(found)}.", measures=measures)


@check(
    "internet.https", words="Opening public web pages", needs=("dns.resolvers",), after=AFTER_MEASURING, deadline_s=9.5
)
async def https(context: Context) -> Outcome:
    """Fails when none of the public pages opens, warns when some do not."""
    wanted = [one for one in targets(context) if one.role == "public"]
    if not wanted:
        return Outcome(
            status=Status.OK,
            summary="No public page is named in the settings.",
            measures={"looked": False, "visits": []},
        )
    found = await asyncio.gather(*(visit_target(context, one) for one in wanted))
    alone = not context.targets.network.connectivity_url  # otherwise the test page tells about the other port
    other = await _other_door(context, found) if alone else {}
    bad = [one for one in found if one["outcome"] not in {"answered", "stalled"}]
    measures = {"looked": True, "visits": found, **other}
    if not bad:
        return Outcome(status=Status.OK, summary="Public web pages open.", measures=measures)
    words = f"{bad[0]['host']} does not open: {in_words(bad[0])}."
    return Outcome(status=Status.FAILED if len(bad) == len(found) else Status.WARNING, summary=words, measures=measures)


DOORS: Final = {443: 80, 80: 443}
NOT_THROUGH: Final = frozenset({"silent", "refused", "unreachable", "reset", "not_permitted"})


async def _other_door(context: Context, visits: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """When nothing connects to one web port, whether the same hosts take connections on the other one."""
    shut = [
        one
        for one in visits
        if one["outcome"] in NOT_THROUGH and not one.get("at_proxy") and one.get("attempts") and one["port"] in DOORS
    ]
    if not shut or len(shut) < len(visits):
        return {}
    tried = await asyncio.gather(
        *(context.probe.connect(one["attempts"][0]["address"], DOORS[one["port"]], within=KNOCK_S) for one in shut[:2])
    )
    return {"other_port": [{"host": one.address, "port": one.port, "reach": str(one.reach)} for one in tried]}


OUTCOME_WORDS: Final = {
    "name": "its name is not known",
    "refused": "the connection is refused",
    "silent": "nothing comes back",
    "unreachable": "there is no way to it",
    "no_route": "this computer knows no way to it",
    "not_permitted": "this computer forbids the connection",
    "reset": "the connection is cut",
    "error": "the connection fails",
    "certificate": "its certificate is not accepted",
    "tls": "no secure connection can be made",
    "tls_silent": "the secure connection never comes about",
    "proxy": "the proxy refuses",
    "no_answer": "it takes the connection and never answers",
    "closed": "it hangs up without an answer",
    "garbled": "its answer makes no sense",
    "stalled": "its answer stops midway",
    "answered": "it answers",
}


def in_words(found: dict[str, Any]) -> str:
    """A visit's outcome for a sentence."""
    words = OUTCOME_WORDS.get(found["outcome"], "it fails")
    return f"at the proxy, {words}" if found.get("at_proxy") and found["outcome"] != "proxy" else words


@check(
    "internet.families",
    words="Comparing IPv4 and IPv6",
    needs=("dns.resolvers",),
    after=("dns.names", *AFTER_MEASURING),
    deadline_s=6.0,
)
async def families(context: Context) -> Outcome:
    """Connects to the same hosts by IPv4 and by IPv6. Warns when IPv6 is set up and leads nowhere while IPv4 works."""
    now = await state(context)
    used = bool(now.defaults(v4=False)) and any(one.ipv6 for one in now.adapters if one.works)
    pairs: list[tuple[str, str, int]] = []
    for target in targets(context):
        addresses = (await resolve(context, target.host)).addresses
        six, four = (
            next((one for one in addresses if ":" in one), ""),
            next((one for one in addresses if ":" not in one), ""),
        )
        if six and not is_address(target.host):
            pairs.append((six, four, target.port))
    pairs = list(dict.fromkeys(pairs))[:FAR_HOSTS]
    if not used or not pairs:
        why = "IPv6 is not used here." if not used else "Nothing in the settings has an IPv6 address."
        return Outcome(status=Status.OK, summary=why, measures={"ipv6_used": used, "hosts": []})
    six_found, four_found = await asyncio.gather(
        asyncio.gather(*(context.probe.connect(six, port, within=KNOCK_S) for six, _, port in pairs)),
        asyncio.gather(*(context.probe.connect(four, port, within=KNOCK_S) for _, four, port in pairs if four)),
    )
    hosts = [
        {"address": one.address, "reach": str(one.reach), "connect_ms": one.connect_ms}
        for one in (*six_found, *four_found)
    ]
    six_works = any(
        one.reach is Reach.CONNECTED or (one.reach is Reach.REFUSED and one.offender in {None, one.address})
        for one in six_found
    )
    four_works = any(one.reach is Reach.CONNECTED for one in four_found)
    gateway = next((one.gateway for one in now.defaults(v4=False)), None)
    measures = {"ipv6_used": True, "ipv6_works": six_works, "ipv4_works": four_works, "hosts": hosts, "gateway": gateway,
                "adapter": next((one.device for one in now.defaults(v4=False)), None)}  # fmt: skip
    if not six_works and four_works:
        return Outcome(
            status=Status.WARNING, summary="IPv6 is set up but leads nowhere; IPv4 works.", measures=measures
        )
    return Outcome(
        status=Status.OK, summary="IPv6 works." if six_works else "Neither IPv4 nor IPv6 connects.", measures=measures
    )
