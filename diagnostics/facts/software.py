"""Facts about what is installed."""

from __future__ import annotations

from typing import Final

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.machine import describer_of
from diagnostics.platforms.parts import Package
from diagnostics.probe import Probe

MOST: Final = 2000  # a report stays readable and small; the count says how many there are


async def _software(probe: Probe) -> tuple[Package, ...]:
    """What is installed.

    Raises:
        OSError: this cannot be told here.
    """
    found = await probe.once("facts.software", lambda: describer_of(probe).software(probe))
    if found is None:
        raise OSError("this system has no list of programs that Deskside can read")
    return found


@fact("software.list", privacy=Privacy.PUBLIC)
async def names(probe: Probe) -> dict[str, str]:
    """Installed programs and their versions, by name, at most 2,000 of them."""
    ordered = sorted(await _software(probe), key=lambda one: one.name.casefold())
    return {one.name: one.version for one in ordered[:MOST]}


@fact("software.count", privacy=Privacy.PUBLIC)
async def count(probe: Probe) -> int:
    """How many programs are installed."""
    return len(await _software(probe))
