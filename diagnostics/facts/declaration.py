"""The register of facts: a key, how private it is, and the function that finds it.

A fact module registers on import; `diagnostics.facts` imports them all. Must not judge: what a fact means is a check's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from diagnostics.model import Privacy
from diagnostics.probe import Probe

# Facts accompany a report: nobody waits for them longer than for the checks. Windows and macOS are asked through programs
# of theirs that need seconds (PowerShell, system_profiler), and so are their checks.
DEADLINE_S: Final = {"linux": 1.5}
SLOW_DEADLINE_S: Final = 4.0
MISSING: Final = "facts.missing"  # names the facts that were not found in time
NOTHING: Final[tuple[Any, ...]] = (None, "", (), [], {})

log = logging.getLogger(__name__)
FactFunction = Callable[[Probe], Awaitable[Any]]


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One fact: its key ("hardware.serial"), its privacy class, and what finds it."""

    key: str
    privacy: Privacy
    find: FactFunction


class FactError(Exception):
    """A fact is declared wrongly, or asked for by a key that does not exist: a fault of the program."""


_facts: dict[str, Declared] = {}  # filled at import, read afterwards


def fact(key: str, *, privacy: Privacy) -> Callable[[FactFunction], FactFunction]:
    """Registers an async function of the probe as the fact `key` ("area.noun"). It gives a JSON value, None where there is none.

    Raises:
        FactError: the key is taken or not of the form "area.noun".
    """

    def register(function: FactFunction) -> FactFunction:
        area, dot, noun = key.partition(".")
        if not (area and dot and noun):
            raise FactError(f"{key!r} is not of the form area.noun")
        if key in _facts:
            raise FactError(f"the fact {key} is declared twice")
        _facts[key] = Declared(key=key, privacy=privacy, find=function)
        return function

    return register


def declared() -> tuple[Declared, ...]:
    """Every fact, in the order of the modules."""
    return tuple(_facts.values())


def privacy_of(key: str) -> Privacy:
    """How private a fact is. What nobody has declared counts as personal: the redaction must err on that side."""
    if key == MISSING:
        return Privacy.PUBLIC
    known = _facts.get(key)
    return Privacy.PERSONAL if known is None else known.privacy


async def collect(probe: Probe, *, deadline_s: float | None = None) -> dict[str, Any]:
    """Every fact that could be found, by key; all are looked for at once.

    A fact that does not exist here (no asset tag) is left out. One that took longer than `deadline_s` seconds (by default
    what the platform needs), or failed, is named in `facts.missing`: "not found out" and "there is none" are different
    things to an agent.
    """
    limit_s = DEADLINE_S.get(probe.platform, SLOW_DEADLINE_S) if deadline_s is None else deadline_s

    async def one(what: Declared) -> tuple[str, Any]:
        try:
            async with asyncio.timeout(limit_s):
                return what.key, await what.find(probe)
        except TimeoutError:
            return what.key, MISSING
        except OSError:
            return what.key, MISSING
        except Exception:  # the boundary of a fact: whatever it does wrong, the report goes on
            log.exception("the fact %s crashed", what.key)
            return what.key, MISSING

    found = await asyncio.gather(*(one(what) for what in declared()))
    facts = {key: value for key, value in found if value is not MISSING and value not in NOTHING}
    if missing := [key for key, value in found if value is MISSING]:
        facts[MISSING] = missing
    return facts
