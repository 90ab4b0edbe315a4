"""The facts of a report as rows that a person can read. Pure; knows no widgets.

A fact without a label of its own is shown under the words of its key, so that what IT adds later is seen too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QLocale

from client.ui.words import KILO, size
from diagnostics.model import Report

MANY: Final = 12  # entries of a list that are shown; the rest is counted
LABELS: Final[dict[str, object]] = {
    "os.host_name": QT_TRANSLATE_NOOP("Facts", "Name"),
    "hardware.vendor": QT_TRANSLATE_NOOP("Facts", "Maker"),
    "hardware.model": QT_TRANSLATE_NOOP("Facts", "Model"),
    "hardware.serial": QT_TRANSLATE_NOOP("Facts", "Serial number"),
    "hardware.asset_tag": QT_TRANSLATE_NOOP("Facts", "Inventory number"),
    "hardware.processor": QT_TRANSLATE_NOOP("Facts", "Processor"),
    "hardware.processors": QT_TRANSLATE_NOOP("Facts", "Processor cores"),
    "hardware.memory_bytes": QT_TRANSLATE_NOOP("Facts", "Memory"),
    "hardware.disks": QT_TRANSLATE_NOOP("Facts", "Disks"),
    "hardware.graphics": QT_TRANSLATE_NOOP("Facts", "Graphics"),
    "hardware.firmware": QT_TRANSLATE_NOOP("Facts", "Firmware"),
    "os.name": QT_TRANSLATE_NOOP("Facts", "System"),
    "os.version": QT_TRANSLATE_NOOP("Facts", "Version"),
    "os.build": QT_TRANSLATE_NOOP("Facts", "Build"),
    "os.kernel": QT_TRANSLATE_NOOP("Facts", "Kernel"),
    "os.architecture": QT_TRANSLATE_NOOP("Facts", "Architecture"),
    "os.language": QT_TRANSLATE_NOOP("Facts", "Language"),
    "os.time_zone": QT_TRANSLATE_NOOP("Facts", "Time zone"),
    "os.desktop": QT_TRANSLATE_NOOP("Facts", "Desktop"),
    "os.runs_in": QT_TRANSLATE_NOOP("Facts", "Runs in"),
    "os.joined_to": QT_TRANSLATE_NOOP("Facts", "Belongs to"),
    "os.user": QT_TRANSLATE_NOOP("Facts", "Account"),
    "os.home": QT_TRANSLATE_NOOP("Facts", "Home folder"),
    "os.started_s": QT_TRANSLATE_NOOP("Facts", "Running for"),
    "interfaces.adapters": QT_TRANSLATE_NOOP("Facts", "Adapters"),
    "interfaces.hardware_addresses": QT_TRANSLATE_NOOP("Facts", "Hardware addresses"),
    "interfaces.routes": QT_TRANSLATE_NOOP("Facts", "Routes"),
    "interfaces.resolvers": QT_TRANSLATE_NOOP("Facts", "Name servers"),
    "interfaces.wifi": QT_TRANSLATE_NOOP("Facts", "Wi-Fi"),
    "interfaces.vpn": QT_TRANSLATE_NOOP("Facts", "VPN"),
    "software.count": QT_TRANSLATE_NOOP("Facts", "Installed programs"),
    "software.list": QT_TRANSLATE_NOOP("Facts", "Programs"),
    "logs.errors": QT_TRANSLATE_NOOP("Facts", "Last errors of the system"),
}
GROUPS: Final[tuple[tuple[str, str, object], ...]] = (  # first part of the key, icon, title
    ("hardware", "computer", QT_TRANSLATE_NOOP("Facts", "This computer")),
    ("os", "settings", QT_TRANSLATE_NOOP("Facts", "System")),
    ("interfaces", "wifi", QT_TRANSLATE_NOOP("Facts", "Network")),
    ("software", "box", QT_TRANSLATE_NOOP("Facts", "Programs")),
    ("logs", "list", QT_TRANSLATE_NOOP("Facts", "Log")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Facts that belong together: rows of a label and a value."""

    id: str
    title: str
    icon: str
    rows: tuple[tuple[str, str], ...]


def groups(report: Report) -> tuple[Group, ...]:
    """The report's facts, the known ones first and in a fixed order; empty ones are left out."""
    order = {key: number for number, key in enumerate(LABELS)}
    made: dict[str, list[tuple[str, str]]] = {}
    for key in sorted(report.facts, key=lambda key: (order.get(key, len(order)), key)):
        words = value(key, report.facts[key])
        if words:
            group = "hardware" if key == "os.host_name" else key.partition(".")[0]
            made.setdefault(group, []).append((label(key), words))
    known = {name: (icon, QCoreApplication.translate("Facts", str(title))) for name, icon, title in GROUPS}
    names = [name for name in known if name in made] + [name for name in made if name not in known]
    return tuple(
        Group(
            id=name,
            title=known.get(name, ("", _plain(name)))[1],
            icon=known.get(name, ("info", ""))[0],
            rows=tuple(made[name]),
        )
        for name in names
    )


def text(report: Report) -> str:
    """All groups as plain text, to be copied into a message."""
    parts = []
    for group in groups(report):
        rows = "\n".join(f"{name}: {words}" for name, words in group.rows)
        parts.append(f"{group.title}\n{rows}")
    return "\n\n".join(parts)


def label(key: str) -> str:
    """What the fact is called."""
    known = LABELS.get(key)
    return QCoreApplication.translate("Facts", str(known)) if known else _plain(key.partition(".")[2] or key)


def value(key: str, given: Any) -> str:
    """A fact's value in words; "" where there is nothing to say."""
    if given is None or given in ("", [], {}):
        return ""
    if isinstance(given, bool):
        return QCoreApplication.translate("Facts", "yes") if given else QCoreApplication.translate("Facts", "no")
    if isinstance(given, int | float):
        return _number(key, given)
    if isinstance(given, Mapping):
        return _entries(
            [f"{_plain(str(name))} {words}" for name, one in given.items() if (words := value(str(name), one))]
        )
    if isinstance(given, list | tuple):
        return _entries([words for one in given if (words := _item(key, one))])
    return str(given)


def _item(key: str, one: Any) -> str:
    """One entry of a list; a table without its names where the values speak for themselves."""
    if isinstance(one, Mapping):
        parts = []
        for name, inner in one.items():
            if isinstance(inner, bool) or name == "mtu":
                continue
            words = value(str(name), inner).replace("\n", ", ")
            if words:
                parts.append(words)
        return " · ".join(parts)
    return value(key, one)


def _entries(lines: list[str]) -> str:
    rest = len(lines) - MANY
    if rest > 0:
        lines = [*lines[:MANY], QCoreApplication.translate("Facts", "and %n more", "", rest)]
    return "\n".join(lines)


def _number(key: str, number: float) -> str:
    if key.endswith("bytes"):
        return size(number)
    if key.endswith("_s"):
        return duration(number)
    whole = float(number).is_integer() and abs(number) < KILO * KILO
    return QLocale().toString(int(number)) if whole else QLocale().toString(float(number), "g", 6)


def duration(seconds: float) -> str:
    """A time span in its two largest units: "3 days 4 h"."""
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return QCoreApplication.translate("Facts", "{days} d {hours} h").format(days=days, hours=hours)
    if hours:
        return QCoreApplication.translate("Facts", "{hours} h {minutes} min").format(hours=hours, minutes=rest)
    return QCoreApplication.translate("Facts", "{minutes} min").format(minutes=rest)


def _plain(name: str) -> str:
    words = name.replace("_", " ").replace(".", " ")
    return words[:1].upper() + words[1:]
