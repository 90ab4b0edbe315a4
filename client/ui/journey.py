"""Where on the way from this computer to a company service it breaks: the report as six stations. Pure; knows no widgets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from client.ui.places import station
from diagnostics.model import Diagnosis, Finding, Report, Status

Health = Literal["fine", "problem", "behind", "unknown"]

NAMES: Final[dict[str, object]] = {
    "computer": QT_TRANSLATE_NOOP("Journey", "Computer"),
    "network": QT_TRANSLATE_NOOP("Journey", "Network"),
    "router": QT_TRANSLATE_NOOP("Journey", "Router"),
    "internet": QT_TRANSLATE_NOOP("Journey", "Internet"),
    "company": QT_TRANSLATE_NOOP("Journey", "Company"),
    "service": QT_TRANSLATE_NOOP("Journey", "Services"),
}
HEALTH: Final[dict[Health, object]] = {
    "fine": QT_TRANSLATE_NOOP("Journey", "{name}: fine"),
    "problem": QT_TRANSLATE_NOOP("Journey", "{name}: here is the problem"),
    "behind": QT_TRANSLATE_NOOP("Journey", "{name}: cannot be told, it lies behind the problem"),
    "unknown": QT_TRANSLATE_NOOP("Journey", "{name}: not looked at"),
}
ICONS: Final = {
    "computer": "computer",
    "network": "wifi",
    "router": "router",
    "internet": "globe",
    "company": "building",
    "service": "server",
}
ALWAYS: Final = frozenset({"computer", "network", "router", "internet"})
SEEN: Final = frozenset({Status.OK, Status.WARNING, Status.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One station on the way. `health`: "behind" means that something before it is broken, so nobody can say."""

    name: str
    icon: str
    health: Health


def journey(
    findings: Iterable[Finding], causes: tuple[Diagnosis, ...] = (), *, whole: bool = False
) -> tuple[tuple[Link, ...], str]:
    """The stations with their health, and the same in a sentence.

    Company and services are left out where nothing has looked at them: a home office without a company is whole without.

    Args:
        findings: what was found so far.
        causes: what the reasoner says, where it has spoken.
        whole: keeps every station, looked at or not.
    """
    statuses: dict[str, set[Status]] = {name: set() for name in NAMES}
    for one in findings:
        statuses[station(one.check)].add(one.status)
    broken = {station(cause.cause) for cause in causes}
    links: list[Link] = []
    cut = False
    for name in NAMES:
        seen = statuses[name]
        if not (whole or name in ALWAYS or name in broken or seen & SEEN or (cut and seen)):
            continue
        health = _health(name, seen, broken=broken, cut=cut)
        cut = cut or (health == "problem" and name != "computer")
        links.append(Link(name=_translate(NAMES[name]), icon=ICONS[name], health=health))
    return tuple(links), _sentence(links)


def of_report(report: Report) -> tuple[tuple[Link, ...], str]:
    """The stations of a whole report."""
    return journey(report.findings, report.diagnosis)


def _health(name: str, seen: set[Status], *, broken: set[str], cut: bool) -> Health:
    if name in broken:
        return "problem"
    if cut and seen != {Status.OK}:
        return "behind"
    return "fine" if seen & SEEN else "unknown"


def _sentence(links: list[Link]) -> str:
    return "; ".join(_translate(HEALTH[link.health]).format(name=link.name) for link in links)


def _translate(text: object) -> str:
    return QCoreApplication.translate("Journey", str(text))
