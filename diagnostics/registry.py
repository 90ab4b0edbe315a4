"""The register of checks: data plus a function, declared where the check is written.

A check module registers on import; `load()` imports them all, so that duplicate ids, unknown needs and cycles are errors at
once and not in front of an employee.
"""

from __future__ import annotations

import graphlib
import importlib
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from diagnostics.model import Finding, Outcome
from diagnostics.targets import Targets

if TYPE_CHECKING:
    from diagnostics.probe import Probe

EVERY_PLATFORM: Final = ("linux", "darwin", "win32")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a check may use: the machine through `probe`, the settings, and the findings of what it needs or comes after."""

    probe: Probe
    targets: Targets
    findings: Mapping[str, Finding]

    def measure(self, check: str, name: str, default: object = None) -> object:
        """A number that an earlier check has found, or `default` when it did not run or did not find it."""
        finding = self.findings.get(check)
        return default if finding is None else finding.measures.get(name, default)


CheckFunction = Callable[[Context], Awaitable[Outcome]]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check. It is skipped when something it `needs` failed; it waits for what it comes `after`, however that ended."""

    id: str
    area: str
    words: str
    run: CheckFunction
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    deadline_s: float = 5.0
    platforms: tuple[str, ...] = EVERY_PLATFORM


class RegistryError(Exception):
    """A check is declared wrongly: this is a fault of the program."""


_checks: dict[str, Check] = {}  # filled at import, read afterwards


def check(
    id: str,
    *,
    words: str,
    needs: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    deadline_s: float = 5.0,
    platforms: tuple[str, ...] = EVERY_PLATFORM,
) -> Callable[[CheckFunction], CheckFunction]:
    """Registers an async function as the check `id` ("area.noun"). `words` is what the employee reads while it runs.

    Raises:
        RegistryError: the id is taken or not of the form "area.noun".
    """

    def register(function: CheckFunction) -> CheckFunction:
        area, dot, noun = id.partition(".")
        if not (area and dot and noun):
            raise RegistryError(f"{id!r} is not of the form area.noun")
        if id in _checks:
            raise RegistryError(f"the check {id} is declared twice")
        _checks[id] = Check(
            id=id,
            area=area,
            words=words,
            run=function,
            needs=needs,
            after=after,
            deadline_s=deadline_s,
            platforms=platforms,
        )
        return function

    return register


def ordered(checks: Mapping[str, Check]) -> tuple[Check, ...]:
    """The checks in an order in which each comes after what it waits for.

    Raises:
        RegistryError: one waits for a check that does not exist, or they wait for each other.
    """
    for one in checks.values():
        for other in (*one.needs, *one.after):
            if other not in checks:
                raise RegistryError(f"{one.id} waits for {other}, which does not exist")
    try:
        order = graphlib.TopologicalSorter({one.id: (*one.needs, *one.after) for one in checks.values()}).static_order()
        return tuple(checks[id] for id in order)
    except graphlib.CycleError as error:
        raise RegistryError(f"checks wait for each other: {' -> '.join(error.args[1])}") from error


def load() -> tuple[Check, ...]:
    """Imports every module of `diagnostics.checks` and gives the checks of this platform in dependency order.

    Raises:
        RegistryError: as `ordered`.
    """
    package = importlib.import_module("diagnostics.checks")
    for module in pkgutil.iter_modules(package.__path__, "diagnostics.checks."):
        importlib.import_module(module.name)
    everything = ordered(_checks)
    here = {one.id for one in everything if sys.platform in one.platforms}
    return tuple(
        msgspec.structs.replace(
            one,
            needs=tuple(id for id in one.needs if id in here),
            after=tuple(id for id in one.after if id in here),
        )
        for one in everything
        if one.id in here
    )
