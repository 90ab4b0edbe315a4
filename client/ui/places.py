"""Where a cause or a check lies on the way from this computer to a company service. Light: the icon's menu uses it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

if TYPE_CHECKING:
    from diagnostics.model import Diagnosis

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
PLACES: Final[dict[str, object]] = {
    "computer": QT_TRANSLATE_NOOP("Places", "On this computer"),
    "network": QT_TRANSLATE_NOOP("Places", "Between this computer and the network"),
    "router": QT_TRANSLATE_NOOP("Places", "In the network here"),
    "internet": QT_TRANSLATE_NOOP("Places", "On the way to the internet"),
    "company": QT_TRANSLATE_NOOP("Places", "In the company network"),
    "service": QT_TRANSLATE_NOOP("Places", "At the service itself"),
}
HEADLINES: Final[dict[str, object]] = {
    "computer": QT_TRANSLATE_NOOP("Places", "The problem is on this computer"),
    "network": QT_TRANSLATE_NOOP("Places", "This computer has no way into the network"),
    "router": QT_TRANSLATE_NOOP("Places", "The problem is in the network here"),
    "internet": QT_TRANSLATE_NOOP("Places", "The problem is on the way to the internet"),
    "company": QT_TRANSLATE_NOOP("Places", "The problem is in the company network"),
    "service": QT_TRANSLATE_NOOP("Places", "The problem is at a company service"),
}


def station(id: str) -> str:
    """The station that a check or a cause belongs to."""
    return EXCEPTIONS.get(id) or AREAS.get(id.partition(".")[0], "computer")


def place(cause: Diagnosis) -> str:
    """Where the cause lies, in a few words."""
    return QCoreApplication.translate("Places", str(PLACES[station(cause.cause)]))


def is_it_me(cause: Diagnosis) -> str:
    """Where the cause lies, as a sentence: is it me, is it them?"""
    return QCoreApplication.translate("Places", str(HEADLINES[station(cause.cause)]))
