"""Causes of proxies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.readings import NOT_THROUGH, WEB, direct, literally, visits
from diagnostics.model import Severity, Tier

BEHIND: Final = (
    *("internet.http", "internet.https", "internet.unreachable", "internet.blocked", "internet.https_blocked"),
    *("service.help_desk", "service.company", "quality.bandwidth", "proxy.reach", "proxy.settings"),
)
DEAD: Final = frozenset({"refused", "silent"})


def _rows(evidence: Evidence, *problems: str) -> Iterable[dict[str, Any]]:
    return (row for row in evidence.items("proxy.reach", "proxies") if row.get("problem") in problems)


def _match(row: dict[str, Any], confidence: float) -> Match:
    says = {
        "refused": "refuses the connection",
        "silent": "does not answer",
        "beyond": "answers, but gets no page itself",
    }
    return Match(
        subject=row["proxy"],
        confidence=confidence,
        evidence=("proxy.reach", "proxy.settings"),
        values={
            "host": row["host"],
            "says": says.get(row["problem"], "does not let this computer through"),
            "status": row.get("status", ""),
        },
    )


def required(evidence: Evidence) -> Iterable[Match]:
    """No proxy is set, no page comes the direct way, and this network has a proxy that brings them.

    One that is only guessed counts when the direct way is refused: networks that want a proxy say no, and broken ones are silent.
    """
    found = visits(evidence, WEB)
    if not found or not all(direct(one) and one["outcome"] in NOT_THROUGH | {"name"} for one in found):
        return
    announced, guessed = (evidence.measure("proxy.discovery", name, []) for name in ("announced", "guessed"))
    refused = any(
        one["outcome"] in {"refused", "reset"} or (one["outcome"] == "unreachable" and _told(one)) for one in found
    )
    shown = ("proxy.discovery", "internet.http", "internet.https")
    if announced:
        yield Match(subject=announced[0], confidence=0.95, evidence=shown, explains=_unknown(evidence))
    elif guessed and refused:
        yield Match(subject=guessed[0], confidence=0.88, evidence=shown, explains=_unknown(evidence))


def _told(visit: dict[str, Any]) -> bool:
    return any(one.get("offender") for one in visit.get("attempts", ()))


def _unknown(evidence: Evidence) -> tuple[str, ...]:
    """Public names that only the proxy must know."""
    return tuple(f"dns.*:{literally(one['host'])}" for one in visits(evidence, WEB) if one["outcome"] == "name")


def unreachable(evidence: Evidence) -> Iterable[Match]:
    """A proxy is set and dead (or gets no page itself), and the direct way is not known to work."""
    if evidence.measure("proxy.reach", "direct_works") is not True:
        for row in _rows(evidence, *DEAD):
            yield _match(row, 0.94)
        for row in _rows(evidence, "beyond", "denied"):
            yield _match(row, 0.75)


def stale(evidence: Evidence) -> Iterable[Match]:
    """A proxy is set and dead, while the direct way works."""
    if evidence.measure("proxy.reach", "direct_works") is True:
        for row in _rows(evidence, *DEAD, "beyond", "denied"):
            yield _match(row, 0.95)


def unresolvable(evidence: Evidence) -> Iterable[Match]:
    """The proxy's name is not known, although names are looked up."""
    if not evidence.failed("dns.resolvers"):
        for row in _rows(evidence, "name"):
            yield _match(row, 0.95)


def auth_required(evidence: Evidence) -> Iterable[Match]:
    """407."""
    for row in _rows(evidence, "auth"):
        yield _match(row, 0.97)


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="proxy.required",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="Web pages need a proxy here, and none is set",
        explanation="This network lets no page through directly. It has a proxy, {subject}, which this computer "
        "does not use.",
        advice="Set the proxy to automatic in the proxy settings, or enter {subject}. IT can confirm the address.",
        holds=required,
        explains=(*BEHIND, "internet.*", "path.*", "clock.*", "quality.internet", "gateway.not_forwarding"),
        articles=("proxy-settings",),
        fixes=("settings.proxy",),
    ),
    Cause(
        id="proxy.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The proxy does not work",
        explanation="Web pages go through the proxy {subject}, and it {says}. Without it no page comes.",
        advice="Wait a minute and check again. If it stays like this, tell IT that the proxy {subject} is down.",
        holds=unreachable,
        explains=BEHIND,
        articles=("proxy-settings",),
        fixes=("proxy.reset", "settings.proxy"),
    ),
    Cause(
        id="proxy.unresolvable",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="The proxy's name is not known",
        explanation="Web pages are to go through the proxy {subject}, but the name {host} does not exist here.",
        advice="Away from the company's network this is normal: switch the proxy off, or connect the VPN. Otherwise "
        "check its spelling.",
        holds=unresolvable,
        explains=(*BEHIND, "proxy.stale", "internet.families"),
        articles=("proxy-settings",),
        fixes=("proxy.reset", "settings.proxy"),
    ),
    Cause(
        id="proxy.auth_required",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="The proxy wants you to sign in",
        explanation="The proxy {subject} lets nothing through without a user name and a password (407), and none or "
        "a wrong one is stored.",
        advice="Open a browser: it asks for the name and password. If it does not, or they are refused, ask IT.",
        holds=auth_required,
        explains=BEHIND,
        articles=("proxy-settings", "password-reset"),
        fixes=("settings.proxy",),
    ),
    Cause(
        id="proxy.stale",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="A proxy is set that is no longer there",
        explanation="Web pages are to go through the proxy {subject}, which {says}. Without it, pages would come.",
        advice="Switch the proxy off in the proxy settings. It is often left over from another network.",
        holds=stale,
        explains=BEHIND,
        articles=("proxy-settings",),
        fixes=("proxy.reset", "settings.proxy"),
    ),
)
