"""The Windows registry through `reg.exe`: what it prints, and the words that put a value back. Nothing here runs anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

TYPES: Final = ("REG_SZ", "REG_EXPAND_SZ", "REG_DWORD", "REG_BINARY", "REG_MULTI_SZ", "REG_QWORD")
ROW: Final = re.compile(r"^ {4}(?P<name>.*?) {4}(?P<type>REG_[A-Z_]+)(?: {4}(?P<data>.*))?$")


class Value(msgspec.Struct, frozen=True, array_like=True):
    """One value: its type ("REG_SZ") and its data as `reg.exe` writes them."""

    type: str
    data: str


def parsed(output: str) -> dict[str, Value]:
    """The values in the output of `reg query KEY`, by name, without those of subkeys and without the unnamed one.

    The layout is the same in every language: four blanks, the name, four blanks, the type, four blanks, the data.
    """
    found: dict[str, Value] = {}
    keys = 0
    for line in output.splitlines():
        if line.startswith("HKEY_"):
            keys += 1
            continue
        match = ROW.match(line.rstrip("\r")) if keys == 1 else None
        # "(Default)", whatever the language calls it, is no value of ours.
        if match and match["type"] in TYPES and not match["name"].startswith("("):
            found[match["name"]] = Value(match["type"], match["data"] or "")
    return found


def setting(key: str, name: str, value: Value) -> tuple[str, ...]:
    """The words after `reg` that set a value."""
    return ("add", key, "/v", name, "/t", value.type, "/d", value.data, "/f")


def deleting(key: str, name: str) -> tuple[str, ...]:
    """The words after `reg` that delete a value."""
    return ("delete", key, "/v", name, "/f")


def restoring(
    key: str, names: Iterable[str], before: Mapping[str, Value], now: Mapping[str, Value]
) -> tuple[tuple[str, ...], ...]:
    """The commands after `reg` that make these values what they were."""
    words: list[tuple[str, ...]] = []
    for name in names:
        if name in before and before[name] != now.get(name):
            words.append(setting(key, name, before[name]))
        elif name not in before and name in now:
            words.append(deleting(key, name))
    return tuple(words)
