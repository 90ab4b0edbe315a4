"""Causes of certificates and the clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.causes.readings import literally
from diagnostics.checks.clock import in_words
from diagnostics.model import Severity, Tier

PUBLIC: Final = frozenset({"public", "connectivity"})
DATES: Final = frozenset({"expired", "not_yet"})


def _shown(evidence: Evidence) -> tuple[dict[str, Any], ...]:
    return evidence.items("tls.certificates", "certificates")


def clock_skew(evidence: Evidence) -> Iterable[Match]:
    """The witnesses agree that this clock is wrong.

    One web server alone is a weak witness unless certificates complain too.
    """
    if not evidence.failed("clock.time"):
        return
    ahead = evidence.number("clock.time", "ahead_s") or 0
    agree = evidence.number("clock.time", "agree") or 0
    complain = any(one.get("problem") in DATES for one in _shown(evidence))
    by_server = any(one.get("kind") == "time server" for one in evidence.items("clock.time", "witnesses"))
    confidence = 0.97 if agree > 1 or by_server else 0.9 if complain else 0.75
    yield Match(confidence=confidence, evidence=("clock.time", "clock.server"), values={"difference": in_words(ahead)})


def _common_root(rows: list[dict[str, Any]]) -> str | None:
    roots = {one.get("root") or one.get("issuer") for one in rows}
    return str(roots.pop()) if len(roots) == 1 else None


def _intercepted_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """The rows of connections that somebody in between opens: every public one is from one unknown issuer."""
    rows = _shown(evidence)
    public = [one for one in rows if one["role"] in PUBLIC]
    untrusted = [one for one in rows if one.get("problem") == "untrusted" and not one.get("self_signed")]
    bad_public = [one for one in untrusted if one["role"] in PUBLIC]
    if public:
        all_bad = len(bad_public) == len(public) and _common_root(bad_public) is not None
        return [one for one in untrusted if one.get("root") == bad_public[0].get("root")] if all_bad else []
    everywhere = len(untrusted) == len(rows) > 1 and len({one["host"] for one in rows}) > 1
    return untrusted if everywhere and _common_root(untrusted) is not None else []


def intercepted(evidence: Evidence) -> Iterable[Match]:
    """Everywhere the same unknown issuer."""
    rows = _intercepted_rows(evidence)
    if rows:
        names = [_subject(one) for one in rows]
        yield Match(
            confidence=0.95 if len({one["host"] for one in rows}) > 1 else 0.82,
            evidence=("tls.certificates",),
            values={
                "issuer": rows[0].get("issuer") or "an unknown issuer",
                "hosts": ", ".join(dict.fromkeys(one["host"] for one in rows)),
            },
            explains=tuple(f"tls.untrusted:{literally(name)}" for name in names),
        )


def _subject(row: dict[str, Any]) -> str:
    return str(row["host"] if row["role"] in PUBLIC else row["name"])


def _each(evidence: Evidence, problems: frozenset[str]) -> Iterable[Match]:
    for one in _shown(evidence):
        if one.get("problem") in problems:
            yield Match(
                subject=_subject(one),
                confidence=0.95,
                evidence=("tls.certificates",),
                values={
                    "host": one["host"],
                    "until": str(one.get("not_after", ""))[:10],
                    "from": str(one.get("not_before", ""))[:10],
                    "issuer": one.get("issuer") or "nobody known",
                    "names": ", ".join(one.get("names", [])[:3]) or one.get("subject", ""),
                    "dates": f"was valid until {str(one.get('not_after', ''))[:10]}"
                    if one["problem"] == "expired"
                    else f"is only valid from {str(one.get('not_before', ''))[:10]} on",
                },
                explains=(f"service.*:{literally(one['name'])}",),
            )


def expired(evidence: Evidence) -> Iterable[Match]:
    """Outside its dates, and this clock is right."""
    return _each(evidence, DATES)


def wrong_host(evidence: Evidence) -> Iterable[Match]:
    """For other names."""
    return _each(evidence, frozenset({"wrong_host"}))


def untrusted(evidence: Evidence) -> Iterable[Match]:
    """From an issuer that this computer does not know."""
    return _each(evidence, frozenset({"untrusted"}))


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="clock.skew",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="This computer's clock is wrong",
        explanation="The clock is {difference}. With a wrong time, secure pages and sign-ins are refused, although "
        "nothing else is wrong.",
        advice="Let the clock be set automatically in the date and time settings, then check again.",
        holds=clock_skew,
        explains=(
            *("tls.expired*", "tls.untrusted*", "tls.intercepted", "tls.certificates"),
            *("internet.https", "service.help_desk", "service.company"),
        ),
        articles=("clock-time-zone", "certificate-warning"),
        fixes=("clock.sync", "settings.date_time"),
    ),
    Cause(
        id="tls.intercepted",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="Somebody opens this computer's secure connections",
        explanation="The certificates of {hosts} all come from the same issuer, {issuer}, which this computer does "
        "not trust. Something in this "
        "network or on this computer reads along.",
        advice="Enter no passwords. In the company's network IT may do this on purpose, and its certificate is "
        "missing here: ask IT. "
        "Elsewhere, leave the network.",
        holds=intercepted,
        explains=("internet.https", "service.help_desk", "service.company", "quality.bandwidth"),
        articles=("certificate-warning",),
        fixes=(),
    ),
    Cause(
        id="tls.expired",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The certificate of {subject} is out of date",
        explanation="The certificate of {host} {dates}, and this computer's clock is right. So programs refuse the "
        "connection.",
        advice="You cannot fix this. Do not click warnings away. Tell IT that the certificate of {host} has to be "
        "renewed.",
        holds=expired,
        explains=("tls.certificates",),
        articles=("certificate-warning",),
        fixes=(),
    ),
    Cause(
        id="tls.wrong_host",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The certificate of {subject} is for another name",
        explanation="{host} shows a certificate for {names}. Either the server is set up wrongly, or it is not the "
        "right one.",
        advice="Do not click warnings away and enter no password. Tell IT what certificate {host} shows.",
        holds=wrong_host,
        explains=("tls.certificates",),
        articles=("certificate-warning",),
        fixes=(),
    ),
    Cause(
        id="tls.untrusted",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="The certificate of {subject} is not trusted",
        explanation="The certificate of {host} was issued by {issuer}, which this computer does not know. Other "
        "places are fine.",
        advice="Do not click warnings away and enter no password. Tell IT: either the server or this computer lacks "
        "a certificate.",
        holds=untrusted,
        explains=("tls.certificates",),
        articles=("certificate-warning",),
        fixes=(),
    ),
)
