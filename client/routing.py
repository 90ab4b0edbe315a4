"""IT's rules from what was found to where a ticket goes: `desk.routing` of the settings. Pure; imports nothing of the project.

    "dns.*, vpn.* -> queue=Network; priority=2"
    "disk.*, tier=L1, platform=win* -> queue=Hardware; category=Storage; desk:cf_site=Berlin"
    "* -> queue=IT"

Before the arrow stands what must hold, parted by commas: causes with wildcards (one of them must fit; without any, all do; `none`
is a ticket without a cause), and NAME=PATTERN for subject, severity, tier, platform or device (`|` between alternatives). After it
stands what is set, parted by semicolons: queue, request_type, category, priority, tier, severity in the help desk's own words, and
`desk:FIELD` for a field of the help desk. Of several rules that fit, the first one that names a field decides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

ASKED: Final = ("subject", "severity", "tier", "platform", "device")
SET: Final = ("queue", "request_type", "category", "priority", "tier", "severity")
OWN: Final = "desk:"  # what stands before the name of a field of the help desk
NO_CAUSE: Final = "none"
KNOWN: Final = {"severity": ("low", "medium", "high", "critical"), "tier": ("L1", "L2", "L3")}
LONGEST: Final = 200  # characters of a value


class Rule(NamedTuple):
    """One rule: `causes` and `asked` must hold, then `values` are set."""

    causes: tuple[str, ...]
    asked: tuple[tuple[str, tuple[str, ...]], ...]
    values: tuple[tuple[str, str], ...]


class BadRule(Exception):
    """The rule cannot be used; the text says why in a few words."""


def parse(text: str) -> Rule:
    """Reads a rule.

    Raises:
        BadRule: it is none.
    """
    when, arrow, then = text.partition("->")
    if not arrow:
        raise BadRule("it has no ->")
    causes, asked = [], []
    for part in _parts(when, ","):
        name, is_asked, patterns = (one.strip() for one in part.partition("="))
        if not is_asked:
            causes.append(name)
        elif name in ASKED and patterns:
            asked.append((name, tuple(one.strip().casefold() for one in patterns.split("|"))))
        else:
            raise BadRule(f"{part!r} before the arrow is none of: a cause, {', '.join(f'{one}=' for one in ASKED)}")
    values = []
    for part in _parts(then, ";"):
        name, _, value = (one.strip() for one in part.partition("="))
        own = name.removeprefix(OWN) if name.startswith(OWN) else ""
        if not (name in SET or own) or not value or len(value) > LONGEST or not value.isprintable():
            raise BadRule(f"{part!r} after the arrow sets none of: {', '.join(SET)}, {OWN}FIELD")
        if name in KNOWN and value not in KNOWN[name]:
            raise BadRule(f"{name} is one of {', '.join(KNOWN[name])}, not {value!r}")
        values.append((name, value))
    if not values:
        raise BadRule("nothing stands after the arrow")
    return Rule(tuple(causes), tuple(asked), tuple(values))


def route(rules: Sequence[str], fields: Mapping[str, str]) -> dict[str, str]:
    """What the rules set for a ticket with these fields. A rule that cannot be used is passed over: the settings name it."""
    found: dict[str, str] = {}
    for text in rules:
        try:
            rule = parse(text)
        except BadRule:
            continue
        if _fits(rule, fields):
            for name, value in rule.values:
                found.setdefault(name, value)
    return found


def _fits(rule: Rule, fields: Mapping[str, str]) -> bool:
    cause = fields.get("cause") or NO_CAUSE
    if rule.causes and not any(fnmatchcase(cause, pattern) for pattern in rule.causes):
        return False
    return all(
        any(fnmatchcase(fields.get(name, "").casefold(), pattern) for pattern in patterns)
        for name, patterns in rule.asked
    )


def _parts(text: str, by: str) -> list[str]:
    return [part.strip() for part in text.split(by) if part.strip()]
