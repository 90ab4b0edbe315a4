"""A Windows registry for tests: nested dictionaries behind the part of winreg that is used."""

from __future__ import annotations

from typing import Any, Self


class FakeKey:
    def __init__(self, values: dict[str, Any], keys: dict[str, Any]) -> None:
        self.values, self.keys = list(values.items()), list(keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class FakeRegistry:
    """A registry as nested dictionaries: a dictionary is a key, everything else a value. Names know no case."""

    HKEY_LOCAL_MACHINE, KEY_READ, KEY_WOW64_64KEY = object(), 0x20019, 0x100

    def __init__(self, policy: dict[str, Any] | None, *, fault: OSError | None = None) -> None:
        self.tree = {"software": {"policies": {"deskside": policy} if policy is not None else {}}}
        self.fault = fault
        self.access = 0

    def OpenKey(self, key: object, sub_key: str, _reserved: int = 0, access: int = 0) -> FakeKey:  # noqa: N802
        assert key is self.HKEY_LOCAL_MACHINE
        self.access = access
        if self.fault:
            raise self.fault
        here: Any = self.tree
        for name in sub_key.split("\\"):
            found = [value for known, value in here.items() if known.lower() == name.lower()]
            if not found:
                raise FileNotFoundError(2, "no such key")
            here = found[0]
        keys = {name: value for name, value in here.items() if isinstance(value, dict)}
        return FakeKey({name: value for name, value in here.items() if name not in keys}, keys)

    def EnumKey(self, key: FakeKey, index: int) -> str:  # noqa: N802
        if index >= len(key.keys):
            raise OSError(259, "no more")
        return key.keys[index]

    def EnumValue(self, key: FakeKey, index: int) -> tuple[str, Any, int]:  # noqa: N802
        if index >= len(key.values):
            raise OSError(259, "no more")
        return (*key.values[index], 1)
