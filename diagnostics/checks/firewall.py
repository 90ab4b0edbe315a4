"""This computer's own packet filter. Ordinary users may not read its rules; what it does to packets shows all the same."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

from diagnostics.checks.internet import AFTER_MEASURING
from diagnostics.model import Outcome, Status
from diagnostics.network.view import resolve, resolvers, state, targets
from diagnostics.network.visits import visit_target
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Reach

FORBIDDEN_CODES: Final = frozenset(
    {3, 9, 10, 13}
)  # ICMP "port unreachable" and "prohibited": a filter speaking, not a missing route
UNREACHABLE: Final = 3
PATIENCE_S: Final = 1.5  # what has not connected by then is looked at
PROBE_S: Final = 1.6  # the kernel sends the first packet again after 1 s; that it could not is counted
LEAST_LOST: Final = 2  # each place sends its answer again after a second; a stray broadcast comes alone
PLACES: Final = 4
RULES_S: Final = 2.0
NOT_THROUGH: Final = frozenset({"silent", "refused", "unreachable", "not_permitted", "no_route"})


@check(
    "firewall.local",
    words="Looking at this computer's own firewall",
    needs=("route.default",),
    after=("route.gateway", "dns.resolvers", *AFTER_MEASURING),
    platforms=("linux",),
    deadline_s=9.5,
)
async def own_filter(context: Context) -> Outcome:
    """Only when something did not get through: does this computer itself drop or reject it?

    Signs that any user can see: "not permitted" from the kernel; an ICMP refusal sent by this computer's own address; packets
    that could not be sent again (TcpExt TCPRetransFail); packets that came in and were delivered to nobody (Ip InReceives
    against InDelivers).
    """
    places = await _blocked_places(context)
    told = await resolvers(context)
    servers = [one for one in told.servers if one not in await _heard(context)]
    measures: dict[str, Any] = {"looked": bool(places or servers), "signs": []}
    if not places and not servers:
        return Outcome(status=Status.OK, summary="Everything gets out of this computer.", measures=measures)
    before = await _counters(context)
    attempts, answers, rules = await asyncio.gather(
        asyncio.gather(*(context.probe.connect(host, port, within=PROBE_S) for host, port in places)),
        asyncio.gather(*(context.probe.ask(one, ".", "NS", within=PROBE_S) for one in servers)),
        _rules(context),
    )
    after = await _counters(context)
    now = await state(context)
    signs: list[str] = []
    reaches = {one.reach for one in attempts} | {one.reach for one in answers}
    if Reach.NOT_PERMITTED in reaches:
        signs.append("not_permitted")
    own = [
        one
        for one in attempts
        if one.offender
        and now.own(one.offender)
        and one.icmp
        and one.icmp[0] == UNREACHABLE
        and one.icmp[1] in FORBIDDEN_CODES
    ]
    if own or any(one.offender and now.own(one.offender) and one.reach is Reach.REFUSED for one in answers):
        signs.append("rejected_here")
    grown = {name: after[name] - before[name] for name in before if name in after}
    if grown.get("TCPRetransFail", 0) > 0:
        signs.append("could_not_send")
    lost_inside = grown.get("InReceives", 0) - grown.get("InDelivers", 0) - grown.get("Discarded", 0)
    silent = sum(one.reach is Reach.SILENT for one in attempts) + sum(one.reach is Reach.SILENT for one in answers)
    if silent and lost_inside >= max(LEAST_LOST, silent):
        signs.append("dropped_on_arrival")
    if rules:
        signs.append("rules")
    measures |= {
        "signs": signs,
        "rules": rules,
        "places": [{"host": one.address, "port": one.port, "reach": str(one.reach)} for one in attempts],
        "servers": [{"server": one.server, "reach": str(one.reach)} for one in answers],
        "lost_inside": lost_inside,
    }
    if set(signs) - {"rules"}:
        return Outcome(
            status=Status.FAILED, summary="This computer's own firewall keeps packets back.", measures=measures
        )
    return Outcome(
        status=Status.OK, summary="This computer's own firewall does not seem to be in the way.", measures=measures
    )


async def _heard(context: Context) -> set[str]:
    told = context.measure("dns.resolvers", "servers", [])
    return {one["server"] for one in told if one["answered"]} if isinstance(told, list) else set()


async def _blocked_places(context: Context) -> list[tuple[str, int]]:
    """Addresses and ports that do not connect. The visits tell; one that takes long is looked at while it still hangs."""
    wanted = targets(context)
    visiting = {one: asyncio.ensure_future(visit_target(context, one)) for one in wanted}
    if visiting:
        await asyncio.wait(visiting.values(), timeout=PATIENCE_S)
    found: dict[tuple[str, int], None] = {}
    for target, visit in visiting.items():
        if not visit.done():
            for address in (await resolve(context, target.host)).addresses:
                found[address, target.port] = None
        elif visit.result()["outcome"] in NOT_THROUGH and not visit.result().get("at_proxy"):
            for one in visit.result().get("attempts", []):
                if one["reach"] in NOT_THROUGH:
                    found[one["address"], target.port] = None
    line = context.findings.get("internet.line")
    if not found and line is not None and line.measures.get("alive") is False:
        found |= {
            (one["address"], one["port"]): None
            for one in line.measures.get("connections", [])
            if one["reach"] in NOT_THROUGH
        }
    return [(address, port) for address, port in found if ":" not in address][:PLACES]


async def _counters(context: Context) -> dict[str, int]:
    snmp, netstat = await asyncio.gather(
        context.probe.read_text_or("/proc/net/snmp"), context.probe.read_text_or("/proc/net/netstat")
    )
    ip, tcp = parse_counters(snmp, "Ip"), parse_counters(netstat, "TcpExt")
    discarded = sum(
        ip.get(name, 0) for name in ("InHdrErrors", "InAddrErrors", "InUnknownProtos", "InDiscards", "ForwDatagrams")
    )
    discarded += tcp.get("IPReversePathFilter", 0)  # others' packets that came in by the wrong adapter
    return {
        "InReceives": ip.get("InReceives", 0),
        "InDelivers": ip.get("InDelivers", 0),
        "Discarded": discarded,
        "TCPRetransFail": tcp.get("TCPRetransFail", 0),
    }


def parse_counters(text: str, group: str) -> dict[str, int]:
    """The numbers of one group ("Ip", "TcpExt") in /proc/net/snmp or /proc/net/netstat: a line of names, then one of values."""
    lines = [line.partition(":")[2].split() for line in text.splitlines() if line.startswith(f"{group}:")]
    return {name: int(value) for name, value in zip(*lines[:2], strict=False)} if len(lines) >= 2 else {}  # noqa: PLR2004 -- as said


async def _rules(context: Context) -> list[str]:
    """The rules that drop or reject what leaves or enters this computer, where they may be read (administrators only)."""
    nft, legacy = await asyncio.gather(
        context.probe.run(("nft", "list", "ruleset"), RULES_S), context.probe.run(("iptables-save",), RULES_S)
    )
    return list(dict.fromkeys([*parse_nft(nft.out), *parse_iptables(legacy.out)]))[:10]


def parse_nft(text: str) -> list[str]:
    """Dropping and rejecting rules and policies of the input and output chains in `nft list ruleset`."""
    found, hook = [], ""
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("chain "):
            hook = ""
        if at := re.search(r"hook (input|output) ", words):
            hook = at[1]
            if "policy drop" in words:
                found.append(f"{hook}: policy drop")
        elif hook and re.search(r"\b(drop|reject)\b", words):
            found.append(f"{hook}: {words}")
    return found


def parse_iptables(text: str) -> list[str]:
    """Dropping and rejecting rules and policies of INPUT and OUTPUT in `iptables-save`."""
    found = [
        f"{line.split()[0][1:].lower()}: policy drop"
        for line in text.splitlines()
        if re.match(r":(INPUT|OUTPUT) DROP", line)
    ]
    found += [
        f"{line.split()[1].lower()}: {' '.join(line.split()[2:])}"
        for line in text.splitlines()
        if re.match(r"-A (INPUT|OUTPUT) .*-j (DROP|REJECT)", line)
    ]
    return found
