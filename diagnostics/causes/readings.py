"""What the rules of several areas read from the evidence in the same way."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.causes.cause import Evidence

VISITING: Final = ("internet.http", "internet.https", "service.help_desk", "service.company")
WEB: Final = ("internet.http", "internet.https")
COMPANY: Final = ("service.help_desk", "service.company")
NO_CONTENT: Final = 204
NOT_THROUGH: Final = frozenset({"silent", "refused", "unreachable", "no_route", "reset", "not_permitted", "error"})
ARRIVED: Final = frozenset({"answered", "stalled", "certificate", "tls"})  # something at the other end spoke

# What hangs on the way out of this computer: everything that a broken lower layer takes with it.
BEYOND_LINE: Final = (
    *("dns.*", "internet.*", "proxy.*", "service.*", "internal.*", "vpn.*", "tls.*", "clock.*", "hosts.*"),
    *("quality.*internet", "quality.bandwidth", "path.*", "ipv6.*"),
)
BEYOND_GATEWAY: Final = (*BEYOND_LINE, "route.near", "route.others")
BEYOND_LINK: Final = (*BEYOND_GATEWAY, "quality.*", "gateway.*", "route.*", "address.*", "firewall.*")


def visits(evidence: Evidence, checks: tuple[str, ...] = VISITING) -> tuple[dict[str, Any], ...]:
    """The visits of the checks."""
    return tuple(one for check in checks for one in evidence.items(check, "visits"))


def secure(visit: dict[str, Any]) -> bool:
    """An https visit."""
    return str(visit.get("url", "")).startswith("https:")


def direct(visit: dict[str, Any]) -> bool:
    """A visit without a proxy."""
    return bool(visit.get("via", "direct") == "direct")


def web_works(evidence: Evidence) -> bool:
    """A page on the Internet came and was what it should be: 204, or https with an accepted certificate."""
    return any(
        one["outcome"] in {"answered", "stalled"} and bool(one.get("status") == NO_CONTENT or secure(one))
        for one in visits(evidence, WEB)
    )


def anything_arrives(evidence: Evidence) -> bool:
    """Any visit at all reached something that spoke."""
    return any(one["outcome"] in ARRIVED or one.get("proxy_status") for one in visits(evidence))


def line_alive(evidence: Evidence) -> bool | None:
    """Whether anything beyond the router answered; None when there was nothing to ask or nobody looked."""
    if any(one["outcome"] in ARRIVED for one in visits(evidence, WEB)):
        return True
    alive = evidence.measure("internet.line", "alive")
    return alive if isinstance(alive, bool) else None


def outside_heard(evidence: Evidence) -> bool | None:
    """Whether anything on the Internet (not of the company) showed life; None when nothing there was asked."""
    if any(one["outcome"] in ARRIVED for one in visits(evidence, WEB)):
        return True
    if not evidence.measure("internet.line", "outside_asked"):
        return None
    return bool(evidence.measure("internet.line", "outside_heard"))


def literally(text: str | None) -> str:
    """A text as a pattern that matches only itself."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in text or "")


def about_host(evidence: Evidence, host: str) -> tuple[str, ...]:
    """Patterns for every cause of the company's services, certificates and names that is about this host."""
    names = {one["name"] for one in visits(evidence) if one["host"] == host} | {host}
    return tuple(f"{area}.*:{literally(name)}" for name in names for area in ("service", "tls", "dns"))


def zone_of(name: str) -> str:
    """The domain of a host name: what follows its first label."""
    return name.partition(".")[2] or name
