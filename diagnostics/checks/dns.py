"""Name servers, each on its own, and the names of the settings."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.network.doors import doors
from diagnostics.network.view import (
    LOOKUP_S,
    Resolved,
    live_servers,
    look_up,
    resolve,
    resolvers,
    state,
    targets,
    word_of,
)
from diagnostics.platforms.network import is_address, is_private
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Reach
from diagnostics.wire.lookup import Answer

OTHERS_S: Final = 2.3  # asked three times by then; names are looked up at the live one meanwhile
GLIBC_DEFAULT: Final = "127.0.0.1"  # what a C library asks when no server is set
BROKEN: Final = frozenset({"REFUSED", "SERVFAIL", "NOTIMP", "FORMERR", "NOTAUTH"})
TRIES: Final = 3  # names asked before a server is called broken: one broken zone must not condemn it
RESERVED: Final = ipaddress.ip_network("240.0.0.0/4")
SOME_NAME: Final = "."  # asked for its NS when the settings name nothing: every resolver knows the root


def names_to_ask(context: Context) -> tuple[str, ...]:
    """The distinct host names of the settings, public ones first, then internal ones."""
    order = {"connectivity": 0, "public": 1, "service": 2, "desk": 3}
    found = [one.host for one in sorted(targets(context), key=lambda one: order[one.role]) if not is_address(one.host)]
    return tuple(dict.fromkeys((*found, *context.targets.network.internal_names)))


@check("dns.resolvers", words="Asking each name server", needs=("route.default",), deadline_s=9.0)
async def servers(context: Context) -> Outcome:
    """Fails when none is set or none answers sensibly; warns when one of several is dead or answers come late."""
    told = await resolvers(context)
    asked = told.servers or (GLIBC_DEFAULT,)
    names = names_to_ask(context)
    looked = await _ask_all(context, asked, names)
    if told.stub and told.stub not in asked and not (stub := await _ask(context, told.stub, names)).answered:
        looked, asked = (
            [stub],
            (told.stub,),
        )  # programs here ask only this one, whatever the servers behind it would say
    now = await state(context)
    gateways = {route.gateway for v4 in (True, False) for route in now.defaults(v4=v4)}
    rows: list[dict[str, Any]] = [
        {
            "server": one.server,
            "answered": one.answered,
            "rcode": one.rcode,
            "reach": str(one.reach),
            "ms": one.ms,
            "server_ms": one.server_ms,
            "sent": one.sent,
            "offender": one.offender,
            "icmp": list(one.icmp or ()),
            "near": now.near(one.server.partition("%")[0]) or now.own(one.server.partition("%")[0]),
            "is_gateway": one.server in gateways,
            "private": is_private(one.server.partition("%")[0]),
        }
        for one in looked
    ]
    heard = [one for one in looked if one.answered]
    measures: dict[str, Any] = {
        "servers": rows,
        "servers_tried": len(asked),
        "search": list(told.search),
        "answer_ms": min((one.ms for one in heard if one.ms is not None), default=None),
    }
    if not told.servers and not heard:
        words = "No name server is set on this computer."
        return Outcome(status=Status.FAILED, summary=words, measures={**measures, "problem": "none", "servers": []})
    return _judge(context, looked, measures)


def _judge(context: Context, looked: list[Answer], measures: dict[str, Any]) -> Outcome:
    heard = [one for one in looked if one.answered]
    sensible = [one for one in heard if one.rcode not in BROKEN]
    dead = [one.server for one in looked if not one.answered]
    if not heard:
        words = f"The name server {dead[0]} does not answer." if len(dead) == 1 else "None of the name servers answers."
        return Outcome(status=Status.FAILED, summary=words, measures={**measures, "problem": "silent"})
    if not sensible:
        words = f"The name server {heard[0].server} answers every question with {heard[0].rcode}."
        return Outcome(
            status=Status.FAILED, summary=words, measures={**measures, "problem": str(heard[0].rcode).lower()}
        )
    slow_ms = context.targets.thresholds.dns_slow_ms
    if (sensible[0].server_ms or 0) > slow_ms:
        words = f"The name server {sensible[0].server} takes {(sensible[0].server_ms or 0) / 1000:.1f} s to answer."
        return Outcome(status=Status.WARNING, summary=words, measures={**measures, "problem": "slow"})
    if dead:
        words = f"The name server {dead[0]} does not answer; another one does."
        return Outcome(status=Status.WARNING, summary=words, measures={**measures, "problem": "one_dead"})
    if useless := [one for one in heard if one.rcode in BROKEN]:
        # It may know the internal names alone, and be well; the cause looks at those.
        words = f"The name server {useless[0].server} answers {useless[0].rcode}; another one knows more."
        return Outcome(status=Status.OK, summary=words, measures=measures)
    words = "The name server answers." if len(heard) == 1 else f"All {len(heard)} name servers answer."
    return Outcome(status=Status.OK, summary=words, measures=measures)


async def _ask_all(context: Context, servers: tuple[str, ...], names: tuple[str, ...]) -> list[Answer]:
    """What each server says. When one has answered sensibly, the others get `OTHERS_S` in all, not the time for the last resort."""
    asking = {server: asyncio.create_task(_ask(context, server, names)) for server in servers}
    began = context.probe.monotonic()
    waiting: set[asyncio.Task[Answer]] = set(asking.values())
    left: float | None = None
    while waiting and (left is None or left > 0):
        done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if any(one.result().answered and one.result().rcode not in BROKEN for one in done) or left is not None:
            left = OTHERS_S - (context.probe.monotonic() - began)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    silent = {
        server: Answer(server=server, name=names[0] if names else SOME_NAME, kind="A", reach=Reach.SILENT)
        for server in servers
    }
    return [silent[server] if task.cancelled() else task.result() for server, task in asking.items()]


async def _ask(context: Context, server: str, names: tuple[str, ...]) -> Answer:
    """The first sensible answer of a server to one of a few names, otherwise its last one.

    One question at a time: a host limits how many ICMP errors it sends, so parallel questions
    to a closed port would look like silence.
    """
    questions = [(name, "A") for name in names[:TRIES]] or [(SOME_NAME, "NS")]
    answer = None
    for name, kind in questions:
        answer = await context.probe.ask(server, name, kind, within=LOOKUP_S)
        if not answer.answered or answer.rcode not in BROKEN:
            return answer
    if answer is None or not names:  # a server that does not want to tell about the root may know names all the same
        answer = await context.probe.ask(server, SOME_NAME, "NS", within=LOOKUP_S)
        return answer if not answer.answered else Answer(**{**_fields(answer), "rcode": "NOERROR"})
    return answer


def _fields(answer: Answer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in Answer.__struct_fields__}


@check("dns.names", words="Looking up names", needs=("dns.resolvers",), deadline_s=8.0)
async def names(context: Context) -> Outcome:
    """Looks up every name of the settings at every live resolver, and a name that cannot exist."""
    wanted = names_to_ask(context)
    ports = {one.host: one.port for one in targets(context)}
    proxied = (await doors(context)).proxies
    made_up = f"deskside-{secrets.token_hex(8)}"
    live = await live_servers(context)
    results, invented = await asyncio.gather(
        asyncio.gather(*(resolve(context, one) for one in wanted)),
        asyncio.gather(*(look_up(context, f"{made_up}.{end}", live[:1]) for end in ("invalid", "com"))),
    )
    rows = [_row(context, one, ports.get(one.name, 443)) for one in results]
    strangers = [set(one.addresses) for one in invented if one.addresses]
    hijack = strangers[0] if len(strangers) == len(invented) and strangers[0] == strangers[-1] else set()
    same = [row["name"] for row in rows if row["source"] == "dns" and hijack and set(row["addresses"]) <= hijack]
    measures: dict[str, Any] = {"names": rows, "hijack_address": min(hijack) if hijack else None, "hijacked": same}
    missing = [row["name"] for row in rows if not row["addresses"]]
    if same and len(same) == len([row for row in rows if row["source"] == "dns"]):
        words = f"Every name leads to the same address, {min(hijack)}."
        return Outcome(status=Status.FAILED, summary=words, measures=measures)
    if missing and not (proxied and all(_goes_by_proxy(row, context) for row in rows if not row["addresses"])):
        words = f"The name {missing[0]} is not known." if len(missing) == 1 else f"{len(missing)} names are not known."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    if odd := [row["name"] for row in rows if row["suspicious"]]:
        return Outcome(
            status=Status.WARNING,
            summary=f"The name {odd[0]} leads to an address that cannot be right.",
            measures=measures,
        )
    words = "Every name is known." if rows else "There is no name to look up in the settings."
    return Outcome(status=Status.OK, summary=words, measures=measures)


def _goes_by_proxy(row: dict[str, Any], context: Context) -> bool:
    return row["name"] not in context.targets.network.internal_names


def _row(context: Context, found: Resolved, port: int) -> dict[str, Any]:
    by_server: dict[str, dict[str, Any]] = {}
    for server in dict.fromkeys(answer.server for answer in found.answers):
        said = [answer for answer in found.answers if answer.server == server]
        addresses = list(dict.fromkeys(address for answer in said for address in answer.addresses))
        by_server[server] = {"rcode": "NOERROR" if addresses else word_of(said) or None, "addresses": addresses}
    first = next((row for row in by_server.values() if row["addresses"]), None)
    others = [
        row
        for row in by_server.values()
        if row["addresses"] and first and not set(row["addresses"]) & set(first["addresses"])
    ]
    bogus = [one for one in found.addresses if found.source == "dns" and _cannot_be(one)]
    return {
        "name": found.name,
        "port": port,
        "addresses": list(found.addresses),
        "source": found.source,
        "rcode": found.rcode,
        "internal": found.name in context.targets.network.internal_names,
        "servers": [{"server": server, **row} for server, row in by_server.items()],
        "suspicious": "impossible" if bogus else "",
        "disagree": sorted({address for row in others for address in row["addresses"]}),
        "ms": max((one.ms for one in found.answers if one.ms is not None), default=None),
    }


def _cannot_be(address: str) -> bool:
    """An address that no name server should give for a host elsewhere: this computer itself, nobody, everybody."""
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip.is_link_local or ip in RESERVED
