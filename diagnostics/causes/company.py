"""Causes of the company's services and of the way to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.names import internal_zone
from diagnostics.causes.readings import COMPANY, direct, outside_heard, visits, web_works
from diagnostics.model import Severity, Tier
from diagnostics.platforms.network import is_address, is_private

CHECKS: Final = {"desk": "service.help_desk", "service": "service.company"}
SERVER_FAULT: Final = 500
DOWN_AT_PROXY, TIMED_OUT_AT_PROXY = 502, 504


VERDICTS: Final = {
    **dict.fromkeys(("refused", "reset"), "down"),
    **dict.fromkeys(("silent", "unreachable", "no_route"), "unreachable"),
    **dict.fromkeys(("no_answer", "tls_silent", "stalled"), "timeout"),
    **dict.fromkeys(("error", "closed", "garbled", "tls"), "error"),
    "slow": "slow",
}


def _verdict(visit: dict[str, Any]) -> str:
    """Which of the service causes a visit speaks for: "down", "unreachable", "error", "timeout", "slow" or ""."""
    if not direct(visit) and (status := visit.get("proxy_status")):
        return {DOWN_AT_PROXY: "down", TIMED_OUT_AT_PROXY: "unreachable"}.get(
            status, "error" if status >= SERVER_FAULT else ""
        )
    if visit.get("at_proxy"):
        return ""
    refusers = {one.get("offender") for one in visit.get("attempts", ())} - {None}
    found = VERDICTS.get(visit.get("verdict", ""), "")
    on_the_way = refusers - set(visit.get("addresses", ()))  # who refused was a router, not the host
    return "unreachable" if found == "down" and on_the_way else found


def _each(evidence: Evidence, wanted: str) -> Iterable[Match]:
    for one in visits(evidence, COMPANY):
        if _verdict(one) == wanted:
            late = (one.get("first_byte_ms") or one.get("connect_ms") or 0) / 1000
            yield Match(
                subject=one["name"],
                confidence=0.93
                if one["outcome"] != "answered" or wanted == "slow" or (one.get("status") or 0) >= SERVER_FAULT
                else 0.7,
                evidence=(CHECKS[one["role"]],),
                values={
                    "place": f"{one['host']}:{one['port']}",
                    "status": one.get("status") or "an error",
                    "seconds": f"{late:.1f}",
                    "said": f"answers with the error {one['status']}"
                    if one.get("status")
                    else "hangs up without a sensible answer",
                },
            )


def down(evidence: Evidence) -> Iterable[Match]:
    """The host is there and refuses the connection."""
    return _each(evidence, "down")


def unreachable(evidence: Evidence) -> Iterable[Match]:
    """Nothing comes back from the host."""
    return _each(evidence, "unreachable")


def error(evidence: Evidence) -> Iterable[Match]:
    """It answers, but with an error."""
    return _each(evidence, "error")


def timeout(evidence: Evidence) -> Iterable[Match]:
    """It takes the connection and never answers."""
    return _each(evidence, "timeout")


def slow(evidence: Evidence) -> Iterable[Match]:
    """It answers later than the threshold."""
    return _each(evidence, "slow")


def _all_silent(evidence: Evidence) -> list[dict[str, Any]]:
    """Every company visit, when there are at least two and not one shows life; nothing otherwise."""
    found = [one for one in visits(evidence, COMPANY) if one["outcome"] != "name" and direct(one)]
    return found if len(found) > 1 and all(_verdict(one) == "unreachable" for one in found) else []


def _fine_outside(evidence: Evidence) -> bool:
    return web_works(evidence) or outside_heard(evidence) is True


def vpn_down(evidence: Evidence) -> Iterable[Match]:
    """The internal network is not reached and something speaks for a VPN.

    That is one that is down, or an internal address (a service's, a name server's) that is sent out to the Internet. Names alone
    do not prove it.
    """
    names = list(internal_zone(evidence))
    silent = _all_silent(evidence)
    literal = [one for one in visits(evidence, COMPANY) if is_address(one["host"]) and is_private(one["host"])]
    lost = [one for one in literal if _verdict(one) == "unreachable"]
    reached = any(is_private(one.get("address") or "0.0.0.0") for one in visits(evidence, COMPANY))  # noqa: S104 -- stands for none
    dead = [
        one
        for one in evidence.items("dns.resolvers", "servers")
        if not one["answered"] and one["private"] and not one["near"]
    ]
    down_ones, up = evidence.measure("vpn.tunnels", "down", []), evidence.measure("vpn.tunnels", "up", [])
    if reached or not _fine_outside(evidence) or not (names or silent):
        return
    if down_ones and not up:
        confidence = 0.93
    elif names and (lost or dead) and not up:
        confidence = 0.9
    else:
        return
    yield Match(
        subject=down_ones[0] if down_ones else None,
        confidence=confidence,
        evidence=("vpn.tunnels", "dns.names", "service.company"),
        values={"what": names[0].values["names"] if names else ", ".join(one["name"] for one in silent[:3])},
    )


def internal_unreachable(evidence: Evidence) -> Iterable[Match]:
    """Every company host is silent, the Internet is not."""
    silent = _all_silent(evidence)
    if silent and _fine_outside(evidence):
        names = ", ".join(one["name"] for one in silent[:3])
        yield Match(confidence=0.93, evidence=tuple({CHECKS[one["role"]] for one in silent}), values={"names": names})


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="vpn.down",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="The VPN to the company is not connected",
        explanation="The Internet works, but nothing of the company's internal network is reached ({what}). From "
        "outside it needs the VPN.",
        advice="Connect the VPN and check again. If it does not connect, see the article or ask IT.",
        holds=vpn_down,
        explains=("dns.internal_zone*", "internal.unreachable", "service.*", "dns.name_missing*", "dns.resolver_down*"),
        articles=("vpn-connect",),
        fixes=("settings.network",),
    ),
    Cause(
        id="internal.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The company's network cannot be reached",
        explanation="The Internet works, but none of the company's places answers ({names}). The way to the company "
        "is cut, not one service.",
        advice="If you use a VPN, disconnect and connect it again. Otherwise tell IT that the company's network "
        "cannot be reached from here.",
        holds=internal_unreachable,
        explains=("service.*", "path.*"),
        articles=("vpn-connect", "no-internet"),
        fixes=(),
    ),
    Cause(
        id="service.down",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="{subject} is not running",
        explanation="The server {place} is there, but it refuses the connection: the service on it is not running. "
        "Your computer is fine.",
        advice="Wait some minutes and try again. If nobody has announced it, tell IT that {subject} is down.",
        holds=down,
        articles=(),
        fixes=(),
    ),
    Cause(
        id="service.unreachable",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="{subject} does not answer",
        explanation="Nothing comes back from {place}. The rest of the network works, so the server is off or "
        "something in between is blocked.",
        advice="Wait some minutes and try again. If nobody has announced it, tell IT that {subject} does not answer.",
        holds=unreachable,
        articles=(),
        fixes=(),
    ),
    Cause(
        id="service.error",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="{subject} answers with an error",
        explanation="{place} can be reached, but {said}. The fault is in the service, not in your computer.",
        advice="Wait some minutes and try again. If it stays like this, tell IT what {subject} says.",
        holds=error,
        articles=(),
        fixes=(),
    ),
    Cause(
        id="service.timeout",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="{subject} takes the connection and never answers",
        explanation="{place} accepts the connection, but no answer comes. The service hangs. Your computer is fine.",
        advice="Wait some minutes and try again. If it stays like this, tell IT that {subject} hangs.",
        holds=timeout,
        articles=(),
        fixes=(),
    ),
    Cause(
        id="service.slow",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="{subject} is slow",
        explanation="{place} takes {seconds} s to answer. It works, but you wait. Your computer and the line are "
        "not the reason.",
        advice="You can go on working. If it stays slow, tell IT.",
        holds=slow,
        articles=("slow-internet",),
        fixes=(),
    ),
)
