"""Merges the settings: built-in < policy default < user < policy locked. Every value knows where it came from.

Nothing in a file stops the program. A value that cannot be used falls back to the layer below and is named in
`problems`, all at once.

A policy never falls open. Keys marked `set_by` "machine" (where tickets go, what may be changed, whom to trust) are closed
to the user as soon as a policy sets one of their table, as a default too ([desk] and [sign_in] count as one table). A locked
value that is wrong stays locked, at the policy's default or the built-in value. And a policy file that cannot be read or
trusted may have held any of them: then all of them are closed, and what its neighbours say counts. So a mistake in a policy
can leave a computer without a help desk, and tickets wait; it cannot send them elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from client.errors import SettingsFault, UsageError
from client.settings.schema import KEYS, TABLES, TOGETHER, Key, Settings
from client.settings.source import Source, read_toml
from client.settings.values import SERVICE_KEYS, BadValue, read_service, read_value
from diagnostics.targets import Targets

DEFAULTS: Final = "defaults"  # the table of a policy file whose values the user may change
MOST_PROBLEMS: Final = 50  # a file that is not a settings file at all would fill the screen


class Folders(Protocol):
    """Where settings are: the part of `client.platform.paths.Paths` that is used here."""

    @property
    def settings_file(self) -> Path:
        """The user's own settings."""

    @property
    def policy(self) -> Path:
        """The folder of IT's policies."""


class Layer(StrEnum):
    """Where a value came from, weakest first."""

    BUILT_IN = "built-in"
    POLICY_DEFAULT = "policy default"
    USER = "user"
    POLICY_LOCKED = "policy locked"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where one value came from. `file` is empty for built-in values. `locked`: the user's own value does not count."""

    layer: Layer = Layer.BUILT_IN
    file: str = ""
    locked: bool = False


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The merged settings.

    `problems` has one sentence for each mistake in any file, `notes` one for each value that does not count because IT has
    decided it. `sources` are the files that were read.
    """

    values: Settings = Settings()
    origins: Mapping[str, Origin] = {}
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def origin(self, key: str) -> Origin:
        """Where the value of a dotted key ("desk.url") came from.

        Raises:
            UsageError: there is no such key.
        """
        if key not in KEYS:
            raise UsageError(f"There is no settings key {key}.{_nearest(key, KEYS)}")
        return self.origins.get(key, Origin())

    def value(self, key: str) -> Any:
        """The value of a dotted key.

        Raises:
            UsageError: there is no such key.
        """
        self.origin(key)
        found: Any = self.values
        for part in key.split("."):
            found = getattr(found, part)
        return found

    def targets(self) -> Targets:
        """What the checks are given."""
        return self.values.targets()


def load(paths: Folders, *, user_file: Path | None = None, policy: Iterable[Source] | None = None) -> Loaded:
    """Reads every layer and merges them.

    Args:
        paths: where the user's file and the policy folder are.
        user_file: replaces the user's file; it must be there and be TOML.
        policy: replaces the operating system's policies, weakest first.

    Raises:
        SettingsFault: `user_file` cannot be read. Nothing else stops the program.
    """
    policies = tuple(read_policy(paths) if policy is None else policy)
    user = read_toml(user_file or paths.settings_file)
    if user_file is not None and (user is None or user.problem):
        why = user.problem if user else "is not there"
        raise SettingsFault(
            f"The settings file {user_file} {why}.",
            hint="Correct the file or its name.",
            problems=(f"{user_file} {why}.",),
        )
    return _Merge().run(policies, user)


def read_policy(paths: Folders) -> tuple[Source, ...]:
    """What IT has decided for this computer, weakest first."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 -- exists on Windows only

        from client.settings import win32  # noqa: PLC0415 -- its own platform only

        return win32.read(winreg)
    if sys.platform == "darwin":
        import getpass  # noqa: PLC0415 -- its own platform only

        from client.settings import darwin  # noqa: PLC0415 -- its own platform only

        return darwin.read(paths.policy, user=getpass.getuser())
    from client.settings import linux  # noqa: PLC0415 -- its own platform only

    return linux.read(paths.policy)


class _Merge:
    """One merge: collects problems while it reads layer by layer."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []

    def run(self, policies: tuple[Source, ...], user: Source | None) -> Loaded:
        defaults: dict[str, tuple[Any, str]] = {}
        locked: dict[str, tuple[Any, str]] = {}
        barred: dict[str, str] = {}  # locked keys whose value was wrong, and the file
        for source in policies:
            self._usable(source)
            table = dict(source.table)
            below = table.pop(DEFAULTS, {})
            good, bad = self._read(source, table)
            locked |= good
            barred |= bad
            good, bad = self._read(source, below) if isinstance(below, dict) else ({}, {})
            defaults |= good
            barred |= {name: file for name, file in bad.items() if KEYS[name].set_by == "machine"}
        untrusted = any(source.problem for source in policies)
        closed = {KEYS[name].table for name in (*defaults, *locked, *barred) if KEYS[name].set_by == "machine"}
        if closed & TOGETHER:
            closed |= TOGETHER
        own: dict[str, tuple[Any, str]] = {}
        if user is not None and self._usable(user):
            own, _ = self._read(user, user.table)

        values: dict[str, Any] = {}
        origins: dict[str, Origin] = {}
        for key in KEYS.values():
            for_it = key.set_by == "machine" and (untrusted or key.table in closed)
            shut = for_it or key.name in barred or key.name in locked
            layer, (values[key.name], file) = _strongest(key, locked=locked, own={} if shut else own, defaults=defaults)
            origins[key.name] = Origin(layer=layer, file=file, locked=shut)
            if shut and key.name in own and own[key.name][0] != values[key.name]:
                self.notes.append(
                    f"{own[key.name][1]}: {key.name} does not count, because your IT department has decided it."
                )
        read = (*policies, *([user] if user is not None else []))
        return Loaded(
            values=_settings(values),
            origins=origins,
            problems=_bounded(self.problems),
            notes=tuple(self.notes),
            sources=tuple(source.file for source in read),
        )

    def _usable(self, source: Source) -> bool:
        if source.problem:
            self.problems.append(f"{source.file} {source.problem}.")
        return not source.problem

    def _read(self, source: Source, table: Mapping[str, Any]) -> tuple[dict[str, tuple[Any, str]], dict[str, str]]:
        """The good values of one layer of a source, and the keys whose value is wrong."""
        good: dict[str, tuple[Any, str]] = {}
        bad: dict[str, str] = {}
        for name, value in self._flat(source, table):
            key = KEYS[name]
            try:
                if name == "services":
                    good[name] = (self._services(source, value), source.file)
                else:
                    good[name] = (read_value(key, value, lenient=source.texts_only), source.file)
            except BadValue as error:
                self._complain(source, f"{name} {error}.")
                bad[name] = source.file
        return good, bad

    def _flat(self, source: Source, table: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        for outer, content in table.items():
            if outer in KEYS:
                yield outer, content
            elif outer == DEFAULTS:
                self._complain(
                    source, "[defaults] is for the policies of the IT department only; put its keys into their tables."
                )
            elif outer not in TABLES:
                self._complain(source, _unknown(outer, content))
            elif not isinstance(content, dict):
                self._complain(source, f"{outer} must be a table: write [{outer}] and its keys below.")
            else:
                for inner, value in content.items():
                    name = f"{outer}.{inner}"
                    if name in KEYS:
                        yield name, value
                    else:
                        self._complain(source, f"there is no key {_clean(name)}.{_nearest(name, KEYS)}")

    def _services(self, source: Source, items: Any) -> tuple[Any, ...]:
        if not isinstance(items, list):
            raise BadValue("must be a list: write [[services]] above each one")
        found = []
        for number, item in enumerate(items, 1):
            try:
                found.append(read_service(item))
            except BadValue as error:
                self._complain(source, f"service {number} {error}.")
                continue
            for name in item:
                if name not in SERVICE_KEYS:
                    self._complain(source, f"service {number} has no key {_clean(name)}.{_nearest(name, SERVICE_KEYS)}")
        return tuple(found)

    def _complain(self, source: Source, sentence: str) -> None:
        self.problems.append(f"{source.file}: {sentence}")


def _strongest(
    key: Key,
    *,
    locked: dict[str, tuple[Any, str]],
    own: dict[str, tuple[Any, str]],
    defaults: dict[str, tuple[Any, str]],
) -> tuple[Layer, tuple[Any, str]]:
    if key.name in locked:
        return Layer.POLICY_LOCKED, locked[key.name]
    if key.name in own:
        return Layer.USER, own[key.name]
    if key.name in defaults:
        return Layer.POLICY_DEFAULT, defaults[key.name]
    return Layer.BUILT_IN, (key.default, "")


def _settings(values: Mapping[str, Any]) -> Settings:
    tables: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        if field.name in values:
            tables[field.name] = values[field.name]
        else:
            kind = type(field.default)
            inner = {one.name: values[f"{field.name}.{one.name}"] for one in msgspec.structs.fields(kind)}
            tables[field.name] = kind(**inner)
    return Settings(**tables)


def _unknown(outer: str, content: Any) -> str:
    if isinstance(content, (dict, list)):
        return f"there is no table [{_clean(outer)}].{_nearest(outer, {*TABLES, 'services'})}"
    return f"there is no key {_clean(outer)} outside of a table.{_nearest(outer, KEYS)}"


def _nearest(name: str, names: Iterable[str]) -> str:
    """The sentence "Did you mean ...?" after a space, or nothing. A bare key is also looked for inside the tables."""
    import difflib  # noqa: PLC0415 -- only when somebody has made a mistake

    names = list(names)
    name = name[:100]
    last = [full for full in names if full.rpartition(".")[2] == name.rpartition(".")[2]]
    close = last or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        by_last = {full.rpartition(".")[2]: full for full in names}
        close = [by_last[one] for one in difflib.get_close_matches(name.rpartition(".")[2], by_last, n=1, cutoff=0.75)]
    return f" Did you mean {close[0]}?" if close else ""


def _clean(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:80]


def _bounded(problems: list[str]) -> tuple[str, ...]:
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    return (*problems[:MOST_PROBLEMS], f"There are {len(problems) - MOST_PROBLEMS} more problems.")
