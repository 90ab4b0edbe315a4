"""Causes of the routes, the gateway and the line beyond it, and of what stands in between: filters and sign-in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.readings import (
    BEYOND_GATEWAY,
    BEYOND_LINE,
    BEYOND_LINK,
    COMPANY,
    NOT_THROUGH,
    WEB,
    anything_arrives,
    direct,
    literally,
    outside_heard,
    secure,
    visits,
)
from diagnostics.model import Severity, Tier

NO_WAY: Final = frozenset(
    {0, 1, 6, 7}
)  # ICMP codes: network or host unreachable or unknown; a router that has lost its own way
HTTPS_PORT: Final = 443
OK_STATUS: Final = 200
UNREACHABLE, TIME_EXCEEDED = 3, 11  # ICMP types
ONLY_BEYOND: Final = (  # a service that refuses or answers was reached, whatever the Internet does
    *(one for one in BEYOND_LINE if one not in {"internet.*", "service.*"}),
    *("service.help_desk", "service.company", "service.unreachable*"),
)


def no_default(evidence: Evidence) -> Iterable[Match]:
    """No default route of either family."""
    if evidence.failed("route.default"):
        yield Match(subject=evidence.measure("address.ipv4", "adapter"), confidence=0.97, evidence=("route.default",))


def wrong_metric(evidence: Evidence) -> Iterable[Match]:
    """Nothing answers through the preferred way, and something does through another one."""
    if anything_arrives(evidence):
        return
    preferred = evidence.measure("route.others", "preferred", {}) or {}
    others = evidence.items("route.others", "others")
    live = next((one for one in others if one.get("leads_out")), None)
    confidence = 0.96
    if live is None and evidence.failed("route.gateway") and evidence.measure("internet.line", "alive") is None:
        live, confidence = next((one for one in others if one.get("router_answers")), None), 0.8
    if live is not None:
        values = {"gateway": preferred.get("gateway"), "live": live["adapter"], "live_gateway": live["gateway"]}
        yield Match(
            subject=preferred.get("adapter"),
            confidence=confidence,
            evidence=("route.others", "internet.line"),
            values=values,
        )


def _nothing_beyond(evidence: Evidence) -> bool:
    """Nothing beyond the router showed life, and something was asked."""
    return evidence.measure("internet.line", "alive") is False and not anything_arrives(evidence)


def gateway_unreachable(evidence: Evidence) -> Iterable[Match]:
    """Nobody has the router's address on the cable; or it is there, says nothing at all, and nothing gets past it.

    A router that drops pings is common, so silence alone proves nothing while anything gets through.
    """
    values = {"gateway": evidence.measure("route.gateway", "gateway")}
    if evidence.failed("route.gateway") and not anything_arrives(evidence):
        yield Match(subject=values["gateway"], confidence=0.94, evidence=("route.gateway",), values=values)
    elif (
        values["gateway"]
        and evidence.measure("route.gateway", "answers") is False
        and not evidence.measure("route.gateway", "forbidden")
        and (
            _nothing_beyond(evidence)
            or (evidence.measure("internet.line", "alive") is None and evidence.failed("dns.resolvers"))
        )
        and not _line_says(evidence)
        and not evidence.measure("internet.line", "hop_beyond")
    ):
        yield Match(
            subject=values["gateway"], confidence=0.8, evidence=("route.gateway", "internet.line"), values=values
        )


def _line_says(evidence: Evidence) -> str:
    """What the router itself said about the places beyond: "no_way" (its own line is dead), "refuses", or "" for "
    "nothing.
    """
    gateway = evidence.measure("route.gateway", "gateway")
    errors = [
        tuple(one.get("icmp") or ())
        for one in evidence.items("internet.line", "connections")
        if one.get("offender") == gateway
    ]
    errors += [
        tuple(one.get("icmp") or ()) for one in evidence.items("internet.line", "hops") if one.get("sender") == gateway
    ]
    names = [
        tuple(one.get("icmp") or ())
        for one in evidence.items("dns.resolvers", "servers")
        if one.get("offender") == gateway
    ]
    errors += [
        one for one in names if one[1:] and one[1] in NO_WAY
    ]  # a filter for names alone says nothing about the line
    codes = [one[1] for one in errors if len(one) == 2 and one[0] == UNREACHABLE]  # noqa: PLR2004 -- type and code
    if not codes:
        return ""
    return "no_way" if any(code in NO_WAY for code in codes) else "refuses"


def _forwards(evidence: Evidence) -> bool | None:
    """Whether the router takes packets for others at all: it then complains about one that may go only one step.

    None when nobody looked.
    """
    hops = evidence.items("internet.line", "hops")
    first = next((one for one in hops if one.get("distance") == 1), None)
    if first is None:
        return None
    return bool(first.get("sender")) and tuple(first.get("icmp", ()))[:1] == (TIME_EXCEEDED,)


def _asks_only_resolvers(evidence: Evidence) -> bool:
    servers = {one["server"] for one in evidence.items("dns.resolvers", "servers")}
    return set(evidence.measure("internet.line", "asked", [])) <= servers


def not_forwarding(evidence: Evidence) -> Iterable[Match]:
    """The router answers, nothing beyond it does, and it does not behave like one that forwards."""
    if not _nothing_beyond(evidence) or not evidence.measure("route.gateway", "answers"):
        return
    said, forwards = _line_says(evidence), _forwards(evidence)
    values = {"gateway": evidence.measure("route.gateway", "gateway")}
    shown = ("route.gateway", "internet.line")
    inside_too = set(evidence.measure("internet.line", "asked", [])) - set(
        evidence.measure("internet.line", "outside_asked", [])
    )
    if said == "refuses":
        yield Match(subject=values["gateway"], confidence=0.88, evidence=shown, values=values)
    elif said == "" and forwards is False:
        yield Match(subject=values["gateway"], confidence=0.9, evidence=shown, values=values)
    elif said == "" and forwards and not evidence.measure("internet.line", "hop_beyond") and inside_too:
        yield Match(subject=values["gateway"], confidence=0.65, evidence=shown, values=values)


def internet_unreachable(evidence: Evidence) -> Iterable[Match]:
    """The router answers (or something behind it does), and nothing on the Internet does."""
    gateway_fine = evidence.measure("route.gateway", "answers") or evidence.measure("route.gateway", "on_cable")
    shown = ("internet.line", "route.gateway")
    if not gateway_fine or anything_arrives_outside(evidence) or evidence.bad("firewall.local"):
        return
    said = _line_says(evidence)
    if _nothing_beyond(evidence):
        hop = evidence.measure("internet.line", "hop_beyond")
        if hop and _asks_only_resolvers(evidence) and said != "no_way":
            return  # the line carries packets further on; only the name servers are silent
        confidence = 0.94 if said == "no_way" or hop else 0.6
        yield Match(confidence=confidence, evidence=shown, values={"where": "beyond the router"})
    elif outside_heard(evidence) is False and not _all_refused(evidence) and visits(evidence, WEB):
        yield Match(
            confidence=0.85,
            evidence=shown,
            values={"where": "on the Internet, though the company's own network is reached"},
        )


def anything_arrives_outside(evidence: Evidence) -> bool:
    """Any web visit reached something that spoke, by whatever way."""
    return any(
        one["outcome"] in {"answered", "stalled", "certificate", "tls"} or one.get("proxy_status")
        for one in visits(evidence, WEB)
    )


def _all_refused(evidence: Evidence) -> bool:
    """Every web visit was refused: somebody is there and says no."""
    found = [one for one in visits(evidence, WEB) if direct(one)]
    return bool(found) and all(one["outcome"] in {"refused", "reset"} or _prohibited(one) for one in found)


def _prohibited(visit: dict[str, Any]) -> bool:
    """An ICMP error that a filter sends: port unreachable, or one of the "prohibited" codes."""
    errors = [tuple(one.get("icmp") or ()) for one in visit.get("attempts", ())]
    return any(len(one) == 2 and one[0] == UNREACHABLE and one[1] not in NO_WAY for one in errors)  # noqa: PLR2004 -- type and code


def _shut(found: list[dict[str, Any]]) -> bool:
    return (
        bool(found)
        and all(one["outcome"] in NOT_THROUGH | {"name"} and direct(one) for one in found)
        and any(one["outcome"] in NOT_THROUGH for one in found)
    )


def _other_port(evidence: Evidence, check: str) -> list[str]:
    return [str(one["reach"]) for one in evidence.items(check, "other_port")]


def blocked(evidence: Evidence) -> Iterable[Match]:
    """The line is alive, but no web port connects, neither 80 nor 443."""
    found = list(visits(evidence, WEB))
    if not _shut(found):
        return
    plain, safe = [one for one in found if not secure(one)], [one for one in found if secure(one)]
    ports = (
        _other_port(evidence, "internet.http")
        if not safe
        else _other_port(evidence, "internet.https")
        if not plain
        else []
    )
    if (not plain or not safe) and ("connected" in ports or not ports):
        return
    if outside_heard(evidence) or _all_refused(evidence):
        sure = 0.92 if outside_heard(evidence) else 0.82
        follows = tuple(f"service.*:{literally(one['name'])}" for one in visits(evidence, COMPANY) if one.get("url"))
        shown = ("internet.http", "internet.https", "internet.line")
        yield Match(confidence=sure, evidence=shown, values={"ports": "80 and 443"}, explains=follows)


def https_blocked(evidence: Evidence) -> Iterable[Match]:
    """Pages come over port 80, and none over port 443: no connection, or it dies as soon as it becomes secure."""
    found = list(visits(evidence, WEB))
    plain, safe = [one for one in found if not secure(one)], [one for one in found if secure(one)]
    dying = NOT_THROUGH | {"tls", "tls_silent", "closed"}
    if not safe or not all(one["outcome"] in dying and direct(one) for one in safe):
        return
    plain_fine = any(one["outcome"] == "answered" for one in plain)
    if not plain_fine and (plain or "connected" not in _other_port(evidence, "internet.https")):
        return
    others = [one for one in visits(evidence, COMPANY) if secure(one) and one["outcome"] != "name" and direct(one)]
    confidence = 0.92 if len(safe) > 1 or any(one["outcome"] in dying for one in others) else 0.8
    follows = tuple(f"service.*:{literally(one['name'])}" for one in visits(evidence, COMPANY) if secure(one))
    yield Match(confidence=confidence, evidence=("internet.https", "internet.http"), explains=follows)


def captive_portal(evidence: Evidence) -> Iterable[Match]:
    """Somebody else answers in place of the test page, with a way to sign in; or every host shows one wrong certificate."""
    if any(one["outcome"] in {"answered", "stalled"} and secure(one) for one in visits(evidence, WEB)):
        return
    test = next((one for one in visits(evidence, ("internet.http",)) if not secure(one)), None)
    if test and evidence.measure("internet.http", "in_between"):
        yield Match(
            subject=test["host"] if not test.get("location") else None,
            confidence=0.97 if test.get("status") == 511 else 0.94,  # noqa: PLR2004 -- RFC 6585: sign in first
            evidence=("internet.http",),
            values={"page": test.get("location") or test["url"]},
        )
        return
    others = [one for one in visits(evidence, WEB) if secure(one)]
    shown = {(one.get("certificate") or {}).get("subject") for one in others if one["outcome"] == "certificate"}
    problems = {(one.get("certificate") or {}).get("problem") for one in others}
    odd = (
        test is not None and test["outcome"] == "answered" and test.get("status") in {200, 301, 302, 303, 307, 308, 403}
    )
    if (
        odd
        and not evidence.measure("dns.names", "hijacked")
        and (others and all(one["outcome"] != "answered" for one in others))
    ):
        yield Match(
            confidence=0.75, evidence=("internet.http", "internet.https"), values={"page": test["url"] if test else ""}
        )
    elif (
        test is not None
        and not others
        and test.get("status") == OK_STATUS
        and test.get("body_bytes")
        and not evidence.measure("dns.names", "hijacked")
    ):
        yield Match(confidence=0.7, evidence=("internet.http",), values={"page": test["url"]})
    elif test is None and len(others) > 1 and len(shown) == 1 and problems == {"wrong_host"}:
        yield Match(
            confidence=0.75,
            evidence=("internet.https", "tls.certificates"),
            values={"page": "any page that begins with http://"},
        )


def own_firewall(evidence: Evidence) -> Iterable[Match]:
    """This computer itself drops or rejects what it should send or receive."""
    if not evidence.failed("firewall.local"):
        return
    signs = evidence.measure("firewall.local", "signs", [])
    sure = {"not_permitted": 0.96, "rejected_here": 0.95, "could_not_send": 0.9, "dropped_on_arrival": 0.78}
    confidence = max((sure.get(one, 0.0) for one in signs), default=0.0) + (0.03 if "rules" in signs else 0.0)
    places = [f"{one['host']}:{one['port']}" for one in evidence.items("firewall.local", "places")]
    places += [f"{one['server']}:53" for one in evidence.items("firewall.local", "servers")]
    yield Match(confidence=confidence, evidence=("firewall.local",), values={"places": ", ".join(places[:3])})


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="route.no_default",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer does not know the way out of its network",
        explanation="It has an address on {subject}, but no router (default gateway) is set. It reaches its "
        "neighbours and nothing else.",
        advice="Disconnect and connect again. If the address is set by hand, set the router too, or let the network "
        "set both.",
        holds=no_default,
        explains=(*BEYOND_GATEWAY, "gateway.*", "route.*", "quality.*"),
        articles=("no-internet",),
        fixes=("network.reconnect", "settings.network"),
    ),
    Cause(
        id="route.wrong_metric",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer uses a dead network although another one works",
        explanation="It sends everything through {subject} (router {gateway}), which leads nowhere. {live} (router "
        "{live_gateway}) works, "
        "but is only its second choice.",
        advice="Disconnect {subject} for now. IT can change which network comes first.",
        holds=wrong_metric,
        explains=(*BEYOND_GATEWAY, "gateway.*", "quality.*", "firewall.*", "address.wrong_subnet"),
        articles=("no-internet", "docking-station", "vpn-connect"),
        fixes=("settings.network",),
    ),
    Cause(
        id="gateway.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The router does not answer",
        explanation="This computer is connected and has an address, but its router {gateway} does not answer. "
        "Nothing gets out of this network.",
        advice="If others here are cut off too, the router is down: restart it if it is yours, otherwise tell IT. "
        "If not, reconnect.",
        holds=gateway_unreachable,
        explains=(*BEYOND_GATEWAY, "gateway.not_forwarding", "quality.*"),
        articles=("no-internet",),
        fixes=("network.reconnect",),
    ),
    Cause(
        id="gateway.not_forwarding",
        severity=Severity.HIGH,
        tier=Tier.L3,
        title="The router answers but lets nothing through",
        explanation="The router {gateway} is there, but forwards nothing: neither the Internet nor the company "
        "beyond it can be reached.",
        advice="Tell IT that the router {gateway} does not forward. If it is your own, restart it.",
        holds=not_forwarding,
        explains=(*BEYOND_GATEWAY, "quality.*"),
        articles=("no-internet",),
        fixes=(),
    ),
    Cause(
        id="internet.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The Internet line is down",
        explanation="This computer and its router are fine, but nothing answers {where}. The line between this "
        "place and the Internet is dead.",
        advice="You cannot fix this from here. Others in this place have the same. At home, restart the router; in "
        "the office, tell IT.",
        holds=internet_unreachable,
        explains=(
            *ONLY_BEYOND,
            "internet.line",
            "internet.http",
            "internet.https",
            "internet.families",
            "internet.blocked",
        ),
        articles=("no-internet",),
        fixes=(),
    ),
    Cause(
        id="internet.captive_portal",
        severity=Severity.MEDIUM,
        tier=Tier.L1,
        title="This network wants you to sign in first",
        explanation="Instead of the page that was asked for, the network's own sign-in page came. Until you have "
        "signed in, nothing else works.",
        advice="Open a browser and go to {page}. Sign in or accept the terms there, then check again.",
        holds=captive_portal,
        explains=(*BEYOND_LINE, "internet.*"),
        articles=("captive-portal",),
        fixes=("settings.network",),
    ),
    Cause(
        id="internet.blocked",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This network blocks web pages",
        explanation="The line works, but connections to the web (ports {ports}) do not get through. Something in "
        "this network filters them.",
        advice="Try another network. If this is the company's network, tell IT that web pages are blocked.",
        holds=blocked,
        explains=(
            "internet.*",
            "service.help_desk",
            "service.company",
            "tls.*",
            "clock.*",
            "quality.bandwidth",
            "path.*",
            "proxy.discovery",
        ),
        articles=("no-internet", "proxy-settings"),
        fixes=(),
    ),
    Cause(
        id="internet.https_blocked",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This network blocks secure web pages",
        explanation="Ordinary pages (port 80) come, but secure ones (https, port 443) do not get through. Nearly "
        "every site needs those.",
        advice="Try another network. If this is the company's network, tell IT that port 443 is blocked.",
        holds=https_blocked,
        explains=(
            *("internet.https", "internet.families", "service.help_desk", "service.company"),
            *("tls.*", "quality.bandwidth", "path.mtu", "internal.unreachable"),
        ),
        articles=("no-internet", "certificate-warning"),
        fixes=(),
    ),
    Cause(
        id="firewall.local",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="This computer's own firewall blocks the network",
        explanation="The network is fine, but this computer's own firewall keeps back what goes to {places}.",
        advice="If you have changed the firewall or installed a security program lately, undo that. Otherwise ask "
        "IT: it needs their rights.",
        holds=own_firewall,
        explains=(*BEYOND_LINK,),
        articles=("no-internet",),
        fixes=("settings.security",),
    ),
)
