"""Facts about what is installed."""

from __future__ import annotations

from typing import Final, cast

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.machine import describer_of
from diagnostics.platforms.parts import Package
from diagnostics.probe import Probe

MOST: Final = 2000  # a report stays readable and small; the count says how many there are


async def _software(probe: Probe) -> tuple[Package, ...] | None:
    return cast(
        "tuple[Package, ...] | None", await probe.once("facts.software", lambda: describer_of(probe).software(probe))
    )


@fact("software.list", privacy=Privacy.PUBLIC)
async def names(probe: Probe) -> dict[str, str] | None:
    """Installed programs and their versions, by name, at most 2,000 of them."""
    found = await _software(probe)
    if found is None:
        return None
    ordered = sorted(found, key=lambda one: one.name.casefold())
    return {one.name: one.version for one in ordered[:MOST]}


@fact("software.count", privacy=Privacy.PUBLIC)
async def count(probe: Probe) -> int | None:
    """How many programs are installed."""
    found = await _software(probe)
    return None if found is None else len(found)
