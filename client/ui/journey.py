"""Where on the way from this computer to a company service it breaks: the report as six stations. Pure; knows no widgets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from client.ui.widgets.chain import Health, Link
from diagnostics.model import Diagnosis, Finding, Status

if TYPE_CHECKING:
    from diagnostics.model import Report

NAMES: Final[dict[str, object]] = {
    "computer": QT_TRANSLATE_NOOP("Journey", "This computer"),
    "network": QT_TRANSLATE_NOOP("Journey", "Network"),
    "router": QT_TRANSLATE_NOOP("Journey", "Router"),
    "internet": QT_TRANSLATE_NOOP("Journey", "Internet"),
    "company": QT_TRANSLATE_NOOP("Journey", "Company"),
    "service": QT_TRANSLATE_NOOP("Journey", "Services"),
}
ICONS: Final = {
    "computer": "computer",
    "network": "wifi",
    "router": "router",
    "internet": "globe",
    "company": "building",
    "service": "server",
}
AREAS: Final = {  # which station a check or a cause belongs to, by the first part of its id; whatever is not here is the computer
    "link": "network",
    "address": "network",
    "route": "router",
    "gateway": "router",
    "quality": "router",
    "internet": "internet",
    "dns": "internet",
    "path": "internet",
    "ipv6": "internet",
    "proxy": "company",
    "vpn": "company",
    "internal": "company",
    "tls": "company",
    "service": "service",
}
EXCEPTIONS: Final = {  # causes that lie elsewhere than their first word says
    "quality.latency_internet": "internet",
    "quality.loss_internet": "internet",
    "quality.bandwidth": "internet",
    "dns.internal_zone": "company",
    "tls.expired": "service",
    "tls.wrong_host": "service",
    "proxy.stale": "computer",
}
ALWAYS: Final = frozenset({"computer", "network", "router", "internet"})
PLACES: Final[dict[str, object]] = {
    "computer": QT_TRANSLATE_NOOP("Journey", "On this computer"),
    "network": QT_TRANSLATE_NOOP("Journey", "Between this computer and the network"),
    "router": QT_TRANSLATE_NOOP("Journey", "In the network here"),
    "internet": QT_TRANSLATE_NOOP("Journey", "On the way to the internet"),
    "company": QT_TRANSLATE_NOOP("Journey", "In the company network"),
    "service": QT_TRANSLATE_NOOP("Journey", "At the service itself"),
}


def _translate(text: object) -> str:
    return QCoreApplication.translate("Journey", str(text))


def station(id: str) -> str:
    """The station that a check or a cause belongs to."""
    return EXCEPTIONS.get(id) or AREAS.get(id.partition(".")[0], "computer")


def place(cause: Diagnosis) -> str:
    """Where the cause lies, in a few words: is it me, is it them?"""
    return _translate(PLACES[station(cause.cause)])


def journey(findings: Iterable[Finding], causes: tuple[Diagnosis, ...] = ()) -> tuple[tuple[Link, ...], str]:
    """The stations with their health, and the same in a sentence. Stations that nobody has looked at are left out, or unknown."""
    seen: dict[str, set[Status]] = {name: set() for name in NAMES}
    for one in findings:
        seen[station(one.check)].add(one.status)
    broken = {station(cause.cause) for cause in causes}
    links: list[Link] = []
    cut = False
    for name in NAMES:
        statuses = seen[name]
        if (
            name not in ALWAYS
            and name not in broken
            and not statuses - {Status.SKIPPED, Status.UNKNOWN}
            and not (cut and statuses)
        ):
            continue
        health = _health(name, statuses, broken=broken, cut=cut)
        cut = cut or (health == "problem" and name != "computer")
        links.append(Link(name=_translate(NAMES[name]), icon=ICONS[name], health=health))
    return tuple(links), _sentence(links)


def of_report(report: Report) -> tuple[tuple[Link, ...], str]:
    """The stations of a whole report."""
    return journey(report.findings, report.diagnosis)


def _health(name: str, statuses: set[Status], *, broken: set[str], cut: bool) -> Health:
    if name in broken:
        return "problem"
    if cut and statuses != {Status.OK}:
        return "behind"
    if statuses & {Status.OK, Status.WARNING}:
        return "fine"
    return "unknown"


def _sentence(links: list[Link]) -> str:
    words = {
        "fine": _translate("{name}: fine"),
        "problem": _translate("{name}: here is the problem"),
        "behind": _translate("{name}: cannot be told, it lies behind the problem"),
        "unknown": _translate("{name}: not looked at"),
    }
    return "; ".join(words[link.health].format(name=link.name) for link in links)
