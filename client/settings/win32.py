r"""Policies on Windows: HKEY_LOCAL_MACHINE\Software\Policies\Deskside, which Group Policy and Intune write and users cannot.

A table is a key, a settings key a value in it; values are locked, those below the key `defaults` are defaults. Names are
compared without case, as the registry does. A list is a REG_MULTI_SZ, or a key with one value for each entry, as a list box
of Group Policy writes it. In `services` each value's name is the service's and its text the URL, or "host:port".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from client.settings.schema import KEYS
from client.settings.source import Source

ROOT_KEY: Final = r"Software\Policies\Deskside"
_LIMIT: Final = 1000  # entries of one key; more is not a policy


class Registry(Protocol):
    """The part of winreg that is used; tests bring their own."""

    HKEY_LOCAL_MACHINE: Any
    KEY_READ: int
    KEY_WOW64_64KEY: int

    def OpenKey(self, key: Any, sub_key: str, reserved: int = 0, access: int = 0) -> Any:  # noqa: N802 -- winreg's name
        """Opens a key; raises FileNotFoundError when there is none."""

    def EnumKey(self, key: Any, index: int) -> str:  # noqa: N802 -- winreg's name
        """The name of a sub-key; raises OSError after the last."""

    def EnumValue(self, key: Any, index: int) -> tuple[str, Any, int]:  # noqa: N802 -- winreg's name
        """A value's name, data and type; raises OSError after the last."""


def read(registry: Registry) -> tuple[Source, ...]:
    """What the policy key says; nothing when there is no such key."""
    file = rf"HKLM\{ROOT_KEY}"
    try:
        table = _lower(_table(registry, ROOT_KEY))
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (Source(file=file, problem=f"cannot be read ({error.strerror or type(error).__name__})"),)
    defaults = table.pop("defaults", None)
    shaped = _shape(table)
    if isinstance(defaults, dict):
        shaped["defaults"] = _shape(_lower(defaults))
    return (Source(file=file, table=shaped, texts_only=True),)


def _table(registry: Registry, path: str, *, depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # The 64-bit view always: a 32-bit Python would otherwise be shown another place.
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, path, 0, registry.KEY_READ | registry.KEY_WOW64_64KEY) as key:
        found |= {name: data for name, data, _ in _until_the_end(lambda index: registry.EnumValue(key, index))}
        names = list(_until_the_end(lambda index: registry.EnumKey(key, index)))
    if depth < 3:  # noqa: PLR2004 -- defaults, table, list
        for name in names:
            found[name] = _table(registry, rf"{path}\{name}", depth=depth + 1)
    return found


def _until_the_end(get: Any) -> Iterator[Any]:
    for index in range(_LIMIT):
        try:
            yield get(index)
        except OSError:
            return


def _lower(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in table.items()}


def _shape(table: Mapping[str, Any]) -> dict[str, Any]:
    """Turns list keys into lists, as TOML has them."""
    shaped: dict[str, Any] = {}
    for name, value in table.items():
        if name == "services" and isinstance(value, dict):
            shaped[name] = [_service(title, text) for title, text in value.items()]
        elif isinstance(value, dict):
            shaped[name] = {
                inner.lower(): list(item.values())
                if isinstance(item, dict) and f"{name}.{inner.lower()}" in KEYS
                else item
                for inner, item in value.items()
            }
        else:
            shaped[name] = value
    return shaped


def _service(name: str, text: Any) -> dict[str, Any]:
    return {"name": name, "url" if "://" in str(text) else "address": text}
