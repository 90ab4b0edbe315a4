"""Causes of name servers and names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.readings import ARRIVED, about_host, visits, zone_of
from diagnostics.model import Severity, Status, Tier
from diagnostics.platforms.network import is_private

NEEDS_NAMES: Final = (
    *(
        "dns.*",
        "internet.http",
        "internet.https",
        "internet.families",
        "service.help_desk",
        "service.company",
        "clock.server",
    ),
    *("quality.internet", "path.mtu", "proxy.unresolvable", "proxy.reach", "proxy.stale", "hosts.file", "vpn.down"),
)
HOME_PREFIX: Final = 16  # a company's servers of one domain are rarely spread further
BROKEN: Final = frozenset({"REFUSED", "SERVFAIL", "NOTIMP", "FORMERR", "NOTAUTH"})  # no answer to the question
UNKNOWN_NAME: Final = frozenset({"NXDOMAIN", "NOERROR"})  # no such name, or one without an address


def _resolvers(evidence: Evidence, problem: str, confidence: float) -> Iterable[Match]:
    """The resolvers' check has this problem; the first server is the subject."""
    if evidence.measure("dns.resolvers", "problem") != problem or not evidence.bad("dns.resolvers"):
        return
    rows = evidence.items("dns.resolvers", "servers")
    first = rows[0]["server"] if rows else None
    names = [row["server"] for row in rows]
    yield Match(
        subject=first,
        confidence=confidence,
        evidence=("dns.resolvers",),
        values={
            "servers": " and ".join(names),
            "does": "does" if len(names) < 2 else "do",  # noqa: PLR2004 -- grammar
            "seconds": f"{(evidence.number('dns.resolvers', 'answer_ms') or 0) / 1000:.1f}",
        },
    )


def not_configured(evidence: Evidence) -> Iterable[Match]:
    """No server is set."""
    return _resolvers(evidence, "none", 0.97)


def unreachable(evidence: Evidence) -> Iterable[Match]:
    """None of them answers."""
    return _resolvers(evidence, "silent", 0.93)


def refused(evidence: Evidence) -> Iterable[Match]:
    """They refuse every question, or one name is refused."""
    yield from _resolvers(evidence, "refused", 0.96)
    yield from _one_name(evidence, "REFUSED")


def servfail(evidence: Evidence) -> Iterable[Match]:
    """They fail at every question, or at one name."""
    for word in ("servfail", "notimp", "formerr", "notauth"):
        yield from _resolvers(evidence, word, 0.95)
    yield from _one_name(evidence, "SERVFAIL")


def _one_name(evidence: Evidence, rcode: str) -> Iterable[Match]:
    rows = evidence.items("dns.names", "names")
    zone = _internal_zone_dead(evidence)
    for row in rows:
        if (
            not row["addresses"]
            and row["rcode"] == rcode
            and row["name"] not in zone
            and _goes_direct(evidence, row["name"])
        ):
            yield Match(
                subject=row["name"],
                confidence=0.85,
                evidence=("dns.names",),
                values={"servers": " and ".join(one["server"] for one in row["servers"]), "does": "does"},
                explains=about_host(evidence, row["name"]),
            )


def slow(evidence: Evidence) -> Iterable[Match]:
    """The server that answers takes longer than the threshold."""
    if evidence.measure("dns.resolvers", "problem") != "slow":
        return
    row = next((one for one in evidence.items("dns.resolvers", "servers") if one["answered"]), None)
    if row:
        seconds = f"{(row.get('server_ms') or row.get('ms') or 0) / 1000:.1f}"
        yield Match(subject=row["server"], confidence=0.92, evidence=("dns.resolvers",), values={"seconds": seconds})


def resolver_down(evidence: Evidence) -> Iterable[Match]:
    """One of several is silent, or refuses or fails at every question, while another one works."""
    rows = evidence.items("dns.resolvers", "servers")
    live = next((one["server"] for one in rows if one["answered"] and one["rcode"] not in BROKEN), None)
    if live is None:
        return
    for row in rows:
        broken = row["answered"] and row["rcode"] in BROKEN and _knows_nothing(evidence, row["server"])
        if broken or not row["answered"]:
            does = f"answers every question with {row['rcode']}" if broken else "does not answer"
            values = {"live": live, "does": does}
            yield Match(subject=row["server"], confidence=0.9, evidence=("dns.resolvers",), values=values)


def _knows_nothing(evidence: Evidence, server: str) -> bool:
    """It has not one sensible answer for any name of the settings. One that knows only the internal names is well."""
    rows = evidence.items("dns.names", "names")
    said = [one["rcode"] for row in rows for one in row["servers"] if one["server"] == server]
    return bool(said) and all(rcode in BROKEN for rcode in said)


def hijacked(evidence: Evidence) -> Iterable[Match]:
    """A name that cannot exist has an address, and every name has that same one."""
    if not evidence.failed("dns.names") or not evidence.measure("dns.names", "hijacked"):
        return
    server = next((one["server"] for one in evidence.items("dns.resolvers", "servers") if one["answered"]), None)
    values = {"address": evidence.measure("dns.names", "hijack_address")}
    portal = (
        ("internet.captive_portal*",) if evidence.measure("internet.http", "in_between") else ()
    )  # then that is why
    names = evidence.measure("dns.names", "hijacked")
    follows = tuple(pattern for name in names for pattern in about_host(evidence, name))
    yield Match(subject=server, confidence=0.95, evidence=("dns.names",), values=values, spare=portal, explains=follows)


def wrong_answer(evidence: Evidence) -> Iterable[Match]:
    """An address that cannot be; servers that disagree, the one in use leading nowhere; or another known host's address."""
    if evidence.measure("dns.names", "hijacked"):
        return
    rows = evidence.items("dns.names", "names")
    for row in rows:
        found = [one for one in visits(evidence) if one["host"] == row["name"]]
        if row["source"] != "dns" or any(one["outcome"] == "answered" for one in found):
            continue
        reason, confidence = _why_wrong(evidence, row, rows, found)
        if confidence:
            yield Match(
                subject=row["name"],
                confidence=confidence,
                evidence=("dns.names",),
                values={"address": row["addresses"][0], "reason": reason},
                explains=about_host(evidence, row["name"]),
            )


def _why_wrong(
    evidence: Evidence, row: dict[str, Any], rows: Iterable[dict[str, Any]], failing: list[dict[str, Any]]
) -> tuple[str, float]:
    """Why a name's address cannot be right, and how sure; ("", 0.0) when nothing speaks against it. `failing` are its visits."""
    if row["suspicious"]:
        return "which can never be right", 0.95
    if not failing:
        return "", 0.0
    ours = {evidence.measure("route.gateway", "gateway"), evidence.measure("address.ipv4", "address")}
    other = _same_address(row, rows) if any(one["outcome"] == "certificate" for one in failing) else ""
    reasons = (
        (bool(row["disagree"]), 0.9, f"while another name server says {', '.join(row['disagree'][:1])}"),
        (row["addresses"][0] in ours, 0.9, "which is this network's router or this computer itself"),
        (bool(other), 0.86, f"which is the address of {other}"),
        (_private_stranger(evidence, row), 0.8, "which only means something inside one network"),
        (bool(home := _home_of_others(evidence, row, rows)), 0.8, f"while its neighbours by name are in {home}"),
    )
    return next(((words, sure) for holds, sure, words in reasons if holds), ("", 0.0))


def _same_address(row: dict[str, Any], rows: Iterable[dict[str, Any]]) -> str:
    """Another name with the same address under another domain, "" when there is none."""
    for other in rows:
        same = set(other["addresses"]) & set(row["addresses"])
        if other["name"] != row["name"] and same and zone_of(other["name"]) != zone_of(row["name"]):
            return str(other["name"])
    return ""


def _home_of_others(evidence: Evidence, row: dict[str, Any], rows: Iterable[dict[str, Any]]) -> str:
    """The one network in which every other name of the same domain lives and works, when this name's address is far from it."""
    answering = {one["host"] for one in visits(evidence) if one["outcome"] == "answered"}
    same = [
        one
        for one in rows
        if one["name"] != row["name"] and zone_of(one["name"]) == zone_of(row["name"]) and one["name"] in answering
    ]
    addresses = [address for one in same for address in one["addresses"] if ":" not in address]
    homes = {str(ipaddress.ip_network(f"{one}/{HOME_PREFIX}", strict=False)) for one in addresses if is_private(one)}
    if len(same) < 2 or len(homes) != 1 or not all(is_private(one) for one in addresses):  # noqa: PLR2004 -- one alone shows no habit
        return ""
    home = homes.pop()
    return (
        ""
        if any(":" in one or ipaddress.ip_address(one) in ipaddress.ip_network(home) for one in row["addresses"])
        else home
    )


def _private_stranger(evidence: Evidence, row: dict[str, Any]) -> bool:
    """A public page's name with a private address, while other public pages have public ones."""
    public = {one["host"] for one in visits(evidence, ("internet.http", "internet.https"))}
    if row["name"] not in public or not all(is_private(one) for one in row["addresses"]):
        return False
    others = [one for one in evidence.items("dns.names", "names") if one["name"] in public - {row["name"]}]
    return any(not is_private(address) for one in others for address in one["addresses"])


def _goes_direct(evidence: Evidence, host: str) -> bool:
    """Whether this computer itself must know the name: with a proxy, only the proxy must."""
    found = [one for one in visits(evidence) if one["host"] == host]
    return not found or any(one.get("via", "direct") == "direct" for one in found)


def _internal_names(evidence: Evidence) -> list[dict[str, Any]]:
    """The rows of names that only exist inside: those of the settings, and services of the same domains."""
    rows = evidence.items("dns.names", "names")
    zones = {zone_of(one) for one in evidence.targets.network.internal_names}
    return [row for row in rows if row["internal"] or zone_of(row["name"]) in zones]


def _internal_zone_dead(evidence: Evidence) -> set[str]:
    """The internal names when every one of them fails while other names are known, otherwise nothing."""
    inside = _internal_names(evidence)
    if not inside or any(row["addresses"] for row in inside):
        return set()
    names = {row["name"] for row in inside}
    others = [row for row in evidence.items("dns.names", "names") if row["name"] not in names]
    return names if not others or any(row["addresses"] for row in others) else set()


def internal_zone(evidence: Evidence) -> Iterable[Match]:
    """Every internal name fails, public ones are known. Whether a VPN that is down explains it, `vpn.down` says."""
    dead = _internal_zone_dead(evidence)
    if dead:
        zone = zone_of(min(dead, key=len))
        rcodes = sorted({row["rcode"] or "no answer" for row in _internal_names(evidence)})
        yield Match(
            subject=zone,
            confidence=0.88,
            evidence=("dns.names",),
            values={"names": ", ".join(sorted(dead)[:3]), "said": " and ".join(rcodes)},
            explains=tuple(pattern for name in dead for pattern in about_host(evidence, name)),
        )


def name_missing(evidence: Evidence) -> Iterable[Match]:
    """The name servers work and know other names, but not this one."""
    rows = evidence.items("dns.names", "names")
    zone = _internal_zone_dead(evidence)
    known = any(row["addresses"] for row in rows)
    for row in rows:
        gone = not row["addresses"] and row["rcode"] in UNKNOWN_NAME and row["name"] not in zone
        if gone and _goes_direct(evidence, row["name"]):
            yield Match(
                subject=row["name"],
                confidence=0.92 if known else 0.6,
                evidence=("dns.names",),
                explains=about_host(evidence, row["name"]),
            )


def override(evidence: Evidence) -> Iterable[Match]:
    """The hosts file sends a name elsewhere than the name servers do, and what is there does not work."""
    for row in evidence.items("hosts.file", "names"):
        found = [one for one in visits(evidence) if one["host"].lower() == row["name"].lower()]
        if not row["differs"] or any(
            one["outcome"] == "answered" and one.get("verdict") in {None, "", "slow"} for one in found
        ):
            continue
        if not found and not row["dns"]:
            continue
        yield Match(
            subject=row["name"],
            confidence=0.96 if row["dns"] else 0.8,
            evidence=("hosts.file",),
            values={"here": row["here"][0], "there": row["dns"][0] if row["dns"] else "nothing"},
            explains=(*about_host(evidence, row["name"]), *_only_web(evidence, row["name"])),
        )


def _only_web(evidence: Evidence, host: str) -> tuple[str, ...]:
    """When the name is that of the only page looked at, what its failure looks like is explained too."""
    bad = {
        one["host"]
        for one in visits(evidence, ("internet.http", "internet.https"))
        if one["outcome"] not in ARRIVED - {"certificate"}
    }
    return (
        ("internet.*", "proxy.required")
        if bad == {host} and evidence.status("internet.line") is not Status.FAILED
        else ()
    )


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="dns.not_configured",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="No name server is set on this computer",
        explanation="Names like www.example.com cannot be looked up, because this computer has no name server to "
        "ask. "
        "The connection itself may be fine.",
        advice="Disconnect and connect again, so that the network hands out its settings. If name servers are set "
        "by hand, set them.",
        holds=not_configured,
        explains=NEEDS_NAMES,
        articles=("dns-name-lookup",),
        fixes=("network.reconnect", "settings.network"),
    ),
    Cause(
        id="dns.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The name server does not answer",
        explanation="{servers} {does} not answer, so names like www.example.com cannot be looked up. The connection "
        "itself may be fine.",
        advice="Wait a minute and check again. If it stays like this, tell IT that the name server {subject} does "
        "not answer.",
        holds=unreachable,
        explains=NEEDS_NAMES,
        articles=("dns-name-lookup",),
        fixes=("dns.flush_cache", "network.reconnect"),
    ),
    Cause(
        id="dns.refused",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The name server refuses this computer's questions",
        explanation="The name server {servers} answers, but refuses to look up names for this computer (REFUSED).",
        advice="If name servers are set by hand, let the network set them. Otherwise tell IT: the server must allow "
        "this network.",
        holds=refused,
        explains=NEEDS_NAMES,
        articles=("dns-name-lookup",),
        fixes=("settings.network", "network.reconnect"),
    ),
    Cause(
        id="dns.servfail",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The name server cannot look up names",
        explanation="The name server {servers} answers, but only that it failed (SERVFAIL). The fault is in it or "
        "behind it.",
        advice="Wait a few minutes and check again. If it stays like this, tell IT that {subject} answers with "
        "SERVFAIL.",
        holds=servfail,
        explains=NEEDS_NAMES,
        articles=("dns-name-lookup",),
        fixes=("dns.flush_cache",),
    ),
    Cause(
        id="dns.slow",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="Looking up names is slow",
        explanation="The name server {subject} takes {seconds} s for an answer. Every new page and program waits "
        "that long before it starts.",
        advice="Nothing is broken. If it stays slow, tell IT that the name server {subject} answers late.",
        holds=slow,
        explains=("service.slow", "internet.families"),
        articles=("slow-internet", "dns-name-lookup"),
        fixes=("dns.flush_cache",),
    ),
    Cause(
        id="dns.resolver_down",
        severity=Severity.LOW,
        tier=Tier.L2,
        title="One of the name servers does not work",
        explanation="{subject} {does}, but {live} works. Pages still open, some of them after a wait of some seconds.",
        advice="You can go on working. Tell IT that the name server {subject} {does}.",
        holds=resolver_down,
        explains=("service.slow",),
        articles=("dns-name-lookup", "slow-internet"),
        fixes=(),
    ),
    Cause(
        id="dns.hijacked",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The name server gives one address for every name",
        explanation="Whatever is asked, the name server {subject} answers {address}, even for names that do not "
        "exist. So every page leads "
        "to the same place.",
        advice="Do not enter passwords now. Leave this network if it is not your company's, and tell IT.",
        holds=hijacked,
        explains=(
            *("dns.wrong_answer*", "internet.*", "internal.*", "tls.*", "quality.*", "path.*", "proxy.*", "clock.*"),
            *("service.help_desk", "service.company", "ipv6.broken"),
        ),
        articles=("dns-name-lookup", "captive-portal"),
        fixes=("dns.flush_cache", "settings.network"),
    ),
    Cause(
        id="dns.wrong_answer",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The name {subject} leads to a wrong address",
        explanation="The name server says that {subject} is at {address}, {reason}. So it cannot be reached.",
        advice="Other places work. Tell IT that {subject} has a wrong address in the name server.",
        holds=wrong_answer,
        articles=("dns-name-lookup",),
        fixes=("dns.flush_cache",),
    ),
    Cause(
        id="dns.internal_zone",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The company's internal names are not known",
        explanation="Public names are looked up, but none of the internal ones ({names}): the name server says {said}.",
        advice="If you are not in the office, connect the VPN. If you are, tell IT that the names of {subject} "
        "cannot be looked up.",
        holds=internal_zone,
        explains=("internal.unreachable", "dns.name_missing:*", "service.help_desk"),
        articles=("dns-name-lookup", "vpn-connect"),
        fixes=("dns.flush_cache",),
    ),
    Cause(
        id="dns.name_missing",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="The name {subject} does not exist",
        explanation="The name servers work, but they do not know {subject}. Either it was removed, or it is spelled "
        "wrongly in the settings.",
        advice="Everything else works. Tell IT that the name {subject} is not known.",
        holds=name_missing,
        articles=("dns-name-lookup",),
        fixes=("dns.flush_cache",),
    ),
    Cause(
        id="hosts.override",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer's own list of names overrides {subject}",
        explanation="The hosts file on this computer sends {subject} to {here}. The name server says {there}. What "
        "is at {here} does not work.",
        advice="Ask IT to remove the line with {subject} from the hosts file. It is often left over from a test.",
        holds=override,
        articles=("dns-name-lookup",),
        fixes=(),
    ),
)
