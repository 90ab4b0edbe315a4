"""The machine's network and the addresses of names, found out once a run and shared by the checks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from diagnostics.platforms.chosen_network import network_module
from diagnostics.platforms.linux_network import parse_hosts
from diagnostics.platforms.network import NetworkState, Resolvers, is_address
from diagnostics.registry import Context
from diagnostics.wire.lookup import Answer

LOOKUP_S: Final = 4.5  # must be longer than what is called slow (1 s), and leave the run within 10 s
SYSTEM_LOOKUP_S: Final = 2.0  # the second opinion of getaddrinfo, which knows no time-out of its own
FAST_ENOUGH: Final = ("NOERROR", "NXDOMAIN")
LOOPBACK: Final = ("127.0.0.1", "::1")
HOSTS_FILES: Final = {"win32": r"C:\Windows\System32\drivers\etc\hosts"}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One place of the settings that a run looks at. `role`: "connectivity", "public", "desk", "service" or "bandwidth"."""

    role: str
    name: str
    host: str
    port: int
    url: str = ""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A name's addresses. `source`: "literal", "hosts", "dns", "system" or "" when there are none.

    `rcode` is the word that decided ("NXDOMAIN"), `answers` what each resolver said (A and AAAA).
    """

    name: str
    addresses: tuple[str, ...] = ()
    source: str = ""
    rcode: str = ""
    answers: tuple[Answer, ...] = ()


async def state(context: Context) -> NetworkState:
    """Adapters, addresses, routes and neighbours at the start of the run."""
    probe = context.probe
    return await probe.once("network state", lambda: network_module(probe.platform).read_state(probe))


async def resolvers(context: Context) -> Resolvers:
    """The name servers that this computer asks."""
    probe = context.probe
    return await probe.once("resolvers", lambda: network_module(probe.platform).read_resolvers(probe))


async def hosts(context: Context) -> dict[str, tuple[str, ...]]:
    """The names of the hosts file."""
    probe = context.probe

    async def read() -> dict[str, tuple[str, ...]]:
        return parse_hosts(await probe.read_text_or(HOSTS_FILES.get(probe.platform, "/etc/hosts")))

    return await probe.once("hosts file", read)


def targets(context: Context) -> tuple[Target, ...]:
    """Every place of the settings with a host, in their order. What cannot be read as a URL or address is left out."""
    network = context.targets.network
    found = [_from_url("connectivity", "connectivity", network.connectivity_url)]
    found += [_from_url("public", url, url) for url in network.public_urls]
    found.append(_from_url("desk", "Help desk", context.targets.desk_url))
    for service in context.targets.services:
        found.append(_from_url("service", service.name, service.url) or _from_address(service.name, service.address))
    return tuple(one for one in found if one is not None)


def _from_url(role: str, name: str, url: str) -> Target | None:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return Target(role=role, name=name, host=parts.hostname, port=port, url=url)


def _from_address(name: str, address: str) -> Target | None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004 -- the range of ports
        return None
    return Target(role="service", name=name, host=host.strip("[]"), port=int(port))


async def resolve(context: Context, name: str) -> Resolved:
    """A name's addresses, in the order in which this computer would use them (hosts file, then each resolver in turn)."""
    return await context.probe.once(("name", name.lower()), lambda: _resolve(context, name.rstrip(".").lower()))


async def _resolve(context: Context, name: str) -> Resolved:
    if is_address(name):
        return Resolved(name=name, addresses=(name,), source="literal")
    known = (await hosts(context)).get(name) or (LOOPBACK if name == "localhost" or name.endswith(".localhost") else ())
    if known:
        return Resolved(name=name, addresses=known, source="hosts")
    found = Resolved(name=name)
    servers = await live_servers(context)
    for candidate in await _candidates(context, name) if servers else ():
        found = await look_up(context, candidate, servers)
        if found.addresses:
            return found
    system = await context.probe.system_lookup(name, within=SYSTEM_LOOKUP_S) if found.answers else ()
    return msgspec.structs.replace(found, addresses=system, source="system") if system else found


async def _candidates(context: Context, name: str) -> tuple[str, ...]:
    search = (await resolvers(context)).search
    longer = tuple(f"{name}.{domain}" for domain in search)
    return (name, *longer) if "." in name else (*longer, name)


async def live_servers(context: Context) -> tuple[str, ...]:
    """The resolvers that `dns.resolvers` has heard from; all of them when it has not looked."""
    finding = context.findings.get("dns.resolvers")
    if finding is None or "servers" not in finding.measures:
        return (await resolvers(context)).servers
    live = tuple(one["server"] for one in finding.measures["servers"] if one["answered"])
    stub = (await resolvers(context)).stub
    return (
        live if stub is None or not live or stub in live else (stub, *live)
    )  # the stub knows which server knows which names


async def look_up(context: Context, name: str, servers: tuple[str, ...], *, device: str = "") -> Resolved:
    """Asks every server for the name's A and AAAA at once and decides as a C library does: the first server's word counts."""
    asked = await asyncio.gather(
        *(
            context.probe.ask(server, name, kind, within=LOOKUP_S, device=device)
            for server in servers
            for kind in ("A", "AAAA")
        )
    )
    rcode = ""
    for index in range(0, len(asked), 2):
        pair = asked[index : index + 2]
        addresses = tuple(address for answer in pair if answer.rcode == "NOERROR" for address in answer.addresses)
        if addresses:
            return Resolved(name=name, addresses=addresses, source="dns", rcode="NOERROR", answers=tuple(asked))
        word = word_of(pair)
        rcode = word or rcode
        if word in FAST_ENOUGH:
            break
    return Resolved(name=name, rcode=rcode, answers=tuple(asked))


def word_of(answers: Sequence[Answer]) -> str:
    """What one server's answers to A and AAAA say together, "" when nothing can be told from them.

    "There is no AAAA" says nothing of the name while the answer to A was lost on the way.
    """
    words = [answer.rcode for answer in answers if answer.rcode]
    half = len(words) < len(answers) and set(words) == {"NOERROR"}
    return words[0] if words and not half else ""


async def usable_addresses(context: Context, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that this computer has a way for, IPv4 first; all of them when it has a way for none."""
    now = await state(context)
    has = {True: bool(now.defaults(v4=True)), False: bool(now.defaults(v4=False))}
    good = [one for one in addresses if has[":" not in one] or now.near(one) or now.own(one)]
    return tuple(sorted(good or addresses, key=lambda one: ":" in one))
