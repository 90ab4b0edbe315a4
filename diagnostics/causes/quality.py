"""Causes of lines that work, but badly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.model import Severity, Tier

HEAVY_PERCENT: Final = 12.0  # from here on connections fail by loss alone often enough to look like other faults
HEAVY_TAKES: Final = (
    *(
        "service.unreachable*",
        "service.timeout*",
        "service.error*",
        "internet.blocked",
        "internet.https_blocked",
        "internal.unreachable",
    ),
    *("dns.resolver_down*", "dns.unreachable*", "dns.servfail*", "ipv6.broken", "path.mtu*", "gateway.*", "clock.*"),
)
SLOWED: Final = ("service.slow*", "dns.slow*", "quality.bandwidth")


def _adapter(evidence: Evidence) -> str | None:
    found = evidence.measure("route.gateway", "adapter") or evidence.measure("address.ipv4", "adapter")
    return str(found) if found else None


def _loss(evidence: Evidence, check: str) -> float:
    return evidence.number(check, "loss_percent") or 0.0


def loss_local(evidence: Evidence) -> Iterable[Match]:
    """Packets get lost up to the router, and those that go beyond get lost too.

    A router that only ignores some pings loses nothing.
    """
    loss, limit = _loss(evidence, "quality.local"), evidence.targets.thresholds.loss_percent
    beyond = evidence.number("quality.internet", "loss_percent")
    if loss < limit or (beyond is not None and beyond < limit / 2):
        return
    yield _lossy(evidence, "quality.local", loss, subject=_adapter(evidence), sure=0.93 if beyond is not None else 0.85)


def loss_internet(evidence: Evidence) -> Iterable[Match]:
    """Packets get lost beyond the router, clearly more than up to it; connections say the same."""
    loss, limit = _loss(evidence, "quality.internet"), evidence.targets.thresholds.loss_percent
    local = _loss(evidence, "quality.local")
    if loss < limit or evidence.measure("quality.internet", "confirmed") is False or local >= max(limit, loss / 2):
        return
    yield _lossy(evidence, "quality.internet", loss, subject=None, sure=0.92)


def _lossy(evidence: Evidence, check: str, loss: float, *, subject: str | None, sure: float) -> Match:
    return Match(
        subject=subject,
        confidence=sure,
        evidence=(check,),
        values={"loss": f"{loss:.0f}", "sent": evidence.measure(check, "sent")},
        explains=HEAVY_TAKES if loss >= HEAVY_PERCENT else (),
    )


def latency_local(evidence: Evidence) -> Iterable[Match]:
    """The router answers late, and what lies beyond is not faster.

    A router that is slow with pings delays nothing else.
    """
    local, limit = evidence.number("quality.local", "median_ms"), evidence.targets.thresholds.latency_local_ms
    beyond = evidence.number("quality.internet", "median_ms")
    if local is None or local <= limit or (beyond is not None and beyond < local * 0.7):
        return
    yield Match(
        subject=_adapter(evidence),
        confidence=0.92 if beyond is not None else 0.85,
        evidence=("quality.local",),
        values={"ms": f"{local:.0f}"},
    )


def latency_internet(evidence: Evidence) -> Iterable[Match]:
    """What is beyond answers late, and the way to the router is not the reason."""
    far, limit = evidence.number("quality.internet", "median_ms"), evidence.targets.thresholds.latency_internet_ms
    local = evidence.number("quality.local", "median_ms") or 0.0
    if far is not None and far - local > limit:
        yield Match(
            confidence=0.92, evidence=("quality.internet",), values={"ms": f"{far:.0f}", "local": f"{local:.0f}"}
        )


def bandwidth(evidence: Evidence) -> Iterable[Match]:
    """The small download was slower than the threshold."""
    rate, limit = evidence.number("quality.bandwidth", "kbit_per_s"), evidence.targets.thresholds.bandwidth_kbit_per_s
    if rate is not None and rate < limit:
        yield Match(confidence=0.9, evidence=("quality.bandwidth",), values={"rate": f"{rate:.0f}", "limit": limit})


def mtu(evidence: Evidence) -> Iterable[Match]:
    """Small packets arrive, full ones vanish."""
    rows = evidence.items("path.mtu", "hosts")
    holes = [one for one in rows if one.get("hole")]
    if not holes or not evidence.failed("path.mtu"):
        return
    seen: list[dict[str, Any]] = [one for one in rows if one.get("large") is True]
    yield Match(
        subject=holes[0]["host"] if seen else None,
        confidence=0.94 if any(one.get("small") for one in holes) else 0.85,
        evidence=("path.mtu",),
        values={"host": holes[0]["host"], "size": holes[0].get("largest_bytes") or "a smaller size"},
    )


def ipv6(evidence: Evidence) -> Iterable[Match]:
    """IPv6 is set up and leads nowhere, IPv4 to the same hosts works."""
    works6, works4 = (
        evidence.measure("internet.families", "ipv6_works"),
        evidence.measure("internet.families", "ipv4_works"),
    )
    if evidence.measure("internet.families", "ipv6_used") and works6 is False and works4 is True:
        yield Match(
            subject=evidence.measure("internet.families", "adapter"), confidence=0.92, evidence=("internet.families",)
        )


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="quality.loss_local",
        severity=Severity.MEDIUM,
        tier=Tier.L1,
        title="The connection to the router loses data",
        explanation="{loss} % of {sent} test packets got lost between this computer and its router. Calls stutter, "
        "pages hang.",
        advice="On Wi-Fi, go nearer to the access point or use a cable. On cable, try another one or another socket.",
        holds=loss_local,
        explains=(*SLOWED, "quality.*internet", "quality.bandwidth"),
        articles=("slow-internet", "wifi-connect"),
        fixes=("network.reconnect",),
    ),
    Cause(
        id="quality.latency_local",
        severity=Severity.MEDIUM,
        tier=Tier.L1,
        title="The connection to the router is slow",
        explanation="The router answers only after {ms} ms; a few would be normal. Everything works, but late.",
        advice="On Wi-Fi, go nearer to the access point or use a cable. Pause large downloads and backups.",
        holds=latency_local,
        explains=(*SLOWED, "quality.latency_internet"),
        articles=("slow-internet", "wifi-connect"),
        fixes=("network.reconnect",),
    ),
    Cause(
        id="quality.loss_internet",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="The Internet line loses data",
        explanation="{loss} % of {sent} test packets got lost beyond the router. The way up to the router is fine.",
        advice="You cannot fix this from here. Calls work better without video. If it stays like this, tell IT or "
        "the provider.",
        holds=loss_internet,
        explains=SLOWED,
        articles=("slow-internet",),
        fixes=(),
    ),
    Cause(
        id="quality.latency_internet",
        severity=Severity.LOW,
        tier=Tier.L2,
        title="The Internet line is slow to answer",
        explanation="An answer from the Internet takes {ms} ms, and only {local} ms of that up to the router. It "
        "works, but late.",
        advice="Nothing is broken. Pause large downloads. If it stays like this, tell IT or the provider.",
        holds=latency_internet,
        explains=SLOWED,
        articles=("slow-internet",),
        fixes=(),
    ),
    Cause(
        id="quality.bandwidth",
        severity=Severity.LOW,
        tier=Tier.L2,
        title="The line is thin",
        explanation="The line carries {rate} kbit/s at the moment; {limit} would be needed to work well. It is "
        "slow, not broken.",
        advice="Pause large downloads, backups and video. If it stays like this with nobody else on the line, tell "
        "IT or the provider.",
        holds=bandwidth,
        explains=("service.slow*",),
        articles=("slow-internet",),
        fixes=(),
    ),
    Cause(
        id="path.mtu",
        severity=Severity.HIGH,
        tier=Tier.L3,
        title="Large packets do not get through",
        explanation="Small packets to {host} arrive, full-sized ones vanish without a word. Pages begin to load and "
        "hang, files stop midway.",
        advice="If you use a VPN, disconnect and connect it again. Otherwise tell IT: packets above {size} bytes "
        "are lost (MTU).",
        holds=mtu,
        explains=(
            "internet.https",
            "internet.https_blocked",
            "service.*",
            "internal.*",
            "tls.*",
            "quality.bandwidth",
            "internet.http",
        ),
        articles=("vpn-connect", "slow-internet"),
        fixes=(),
    ),
    Cause(
        id="ipv6.broken",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="IPv6 is set up but does not work",
        explanation="This computer has an IPv6 address, but nothing answers over IPv6. Some programs wait for it "
        "before they use IPv4.",
        advice="Reconnect. If pages still open with a delay, tell IT that IPv6 leads nowhere in this network.",
        holds=ipv6,
        explains=("service.slow*", "internet.families"),
        articles=("slow-internet",),
        fixes=("network.reconnect",),
    ),
)
