"""Numbers and JSON values in words that a person reads. Pure; knows the units that names carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from diagnostics.words import duration, size

DEEPEST: Final = 8
LARGEST: Final = 10**18
EXACT_BELOW: Final = 10_000
SELF_EVIDENT: Final = frozenset(
    {"mount", "interface", "server", "address", "name", "host", "url", "adapter", "model", "state", "kind", "program"}
)
# What tells of a thing in a list what is wrong with it; its other measures are for the report.
TELLING: Final = frozenset(
    {"state", "problem", "verdict", "outcome", "rcode", "reach", "status", "proxy_status", "ms", "median_ms", "loss_percent",
     "free_bytes", "free_percent", "inodes_free_percent", "total_bytes"}
)  # fmt: skip


def _bytes(value: float) -> str:
    """A size; a small one exactly, because it is one that people compare (the MTU)."""
    return size(value) if value >= EXACT_BELOW else f"{value:,.0f} bytes"


UNITS: Final = (
    ("_ms", lambda value: f"{value:,.0f} ms"),
    ("_percent", lambda value: f"{round(value, 1):g} %"),
    ("_bytes", _bytes),
    ("bytes", _bytes),
    ("percent", lambda value: f"{round(value, 1):g} %"),
    ("_kbit_per_s", lambda value: f"{value:,.0f} kbit/s"),
    ("_mbit_per_s", lambda value: f"{value:g} Mbit/s"),
    ("_celsius", lambda value: f"{value:g} \u00b0C"),
    ("_minutes", lambda value: duration(value * 60)),
    ("_hours", lambda value: duration(value * 3600)),
    ("_days", lambda value: f"{value:g} day{'' if value == 1 else 's'}"),
    ("_s", duration),
)


def label(name: str) -> str:
    """A key as words, without its unit: "answer_ms" is "answer", "free_bytes" is "free"."""
    for unit, _ in UNITS:
        if name.endswith(unit) and len(name) > len(unit):
            name = name.removesuffix(unit)
            break
    return " ".join(name.replace("_", " ").replace(".", " ").split()) or " ".join(name.split())


def words(name: str, value: Any) -> str:
    """A value as words, in the unit that its key names.

    Lists are joined with commas, objects as "key value" pairs; what is deeper than `DEEPEST` is left out.
    """
    return _words(name, value, 0)


def _words(name: str, value: Any, depth: int) -> str:
    match value:
        case None:
            said = "none"
        case bool():
            said = "yes" if value else "no"
        case int() | float():
            said = _number(name, value)
        case str():
            said = " ".join(value.split()) or "empty"
        case _ if depth >= DEEPEST:
            said = "\u2026"
        case Mapping():
            said = ", ".join(_pair(str(key), one, depth) for key, one in value.items() if not _empty(one)) or "none"
        case list() | tuple():
            between = "; " if any(isinstance(one, Mapping) for one in value) else ", "
            said = between.join(_words(name, one, depth + 1) for one in value) or "none"
        case _:
            said = str(value)
    return said


def _pair(key: str, value: Any, depth: int) -> str:
    """A key with its value; what a thing is called and how it is speak for themselves."""
    said = _words(key, value, depth + 1)
    return (
        said
        if (key in SELF_EVIDENT and isinstance(value, str)) or key in {"bytes", "percent"}
        else f"{label(key)} {said}"
    )


def _number(name: str, value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 -- this is how a number is not one
        return "none"
    if abs(value) >= LARGEST:
        return "very large"
    for unit, say in UNITS:
        if name.endswith(unit):
            return say(value) if value >= 0 else f"-{say(-value)}"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def rows(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A fact as rows of a table: (label, words). An object gives a row for each of its keys, a list of objects one for each."""
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield str(key) if _is_name(str(key)) else label(str(key)), words(str(key), one)
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield (label(name) if number == 0 else ""), words(name, one)
    else:
        yield label(name), words(name, value)


def measures(values: Mapping[str, Any], *, most: int) -> str:
    """The numbers of a check as one line: "answer none, servers tried 2"; at most so many, lists of objects last.

    Of a list of objects only those that say of themselves that they are not well are shown, each by its name and what is wrong; the
    rest, and plain yes and no, are for the report.
    """
    shown: list[str] = []
    ordered = sorted(values.items(), key=lambda item: isinstance(item[1], list | tuple | Mapping))
    for name, value in ordered:
        if len(shown) == most:
            break
        if isinstance(value, bool) or (_empty(value) and not name.endswith(tuple(unit for unit, _ in UNITS))):
            continue
        if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            unwell = [_briefly(one) for one in value if isinstance(one, Mapping) and _is_unwell(one)]
            shown += dict.fromkeys(unwell[: min(2, most - len(shown))])
            continue
        shown.append(f"{label(name)} {words(name, value)}")
    return ", ".join(shown)


def _is_unwell(row: Mapping[str, Any]) -> bool:
    fine = {"state": "ok", "outcome": "answered", "rcode": "NOERROR"}
    marked = any(row.get(key) not in (good, None, "") for key, good in fine.items())
    return marked or any(bool(row.get(key)) for key in ("problem", "verdict", "suspicious"))


def _briefly(row: Mapping[str, Any]) -> str:
    """A thing by its name, and once each what is wrong with it: "10.0.0.53: silent"."""
    name = next((key for key in row if key in SELF_EVIDENT and key != "state"), None)
    said = [
        value.replace("_", " ")
        if isinstance(value, str)
        else words("_ms", value)
        if key == "ms"
        else _pair(key, value, 0)
        for key, value in row.items()
        if key != name and key in TELLING and not _empty(value) and not isinstance(value, bool)
    ]
    told = ", ".join(dict.fromkeys(" ".join(one.split()) for one in said))
    return f"{words(name, row[name])}: {told}" if name is not None else told


def _is_name(key: str) -> bool:
    """A key that is a thing's own name ("eth0", "LibreOffice 7") and not one of ours ("total_bytes")."""
    return not (key.islower() and key.replace("_", "").isalpha())


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())
