"""Protection of this computer: encryption of the disk, firewall, protection against harmful programs.

What a company demands is the company's policy, so nothing here names a cause; agents read it, and employees are told plainly.
"""

from __future__ import annotations

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check
from diagnostics.words import listed


@check("security.encryption", words="Looking whether the disk is encrypted")
async def encryption(ctx: Context) -> Outcome:
    """Whether the disk with the employee's files is encrypted; worth a warning only on a computer that is carried around."""
    machine = machine_of(ctx.probe)
    found = await machine.encryption(ctx.probe)
    if found is None or found.on is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell whether its disk is encrypted.")
    measures = {"encrypted": found.on, "by": found.name or None}
    if found.on:
        return Outcome(status=Status.OK, summary="The disk is encrypted.", measures=measures)
    if await machine.batteries(ctx.probe):
        words = "The disk is not encrypted: whoever finds this computer can read it."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary="The disk is not encrypted.", measures=measures)


@check("security.firewall", words="Looking at the firewall")
async def firewall(ctx: Context) -> Outcome:
    """Whether this computer's own firewall is on."""
    found = await machine_of(ctx.probe).firewall(ctx.probe)
    if found is None or found.on is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell whether its firewall is on.")
    measures = {"on": found.on, "name": found.name or None}
    if found.on:
        return Outcome(status=Status.OK, summary="The firewall is on.", measures=measures)
    # A Linux machine comes without one and is often meant to; elsewhere the system ships one that is on.
    status = Status.OK if ctx.probe.platform == "linux" else Status.WARNING
    return Outcome(status=status, summary="The firewall is off.", measures=measures)


@check("security.antivirus", words="Looking at the protection against harmful programs")
async def antivirus(ctx: Context) -> Outcome:
    """What protects against harmful programs, whether it runs and is up to date."""
    found = await machine_of(ctx.probe).antivirus(ctx.probe)
    if found is None:
        return Outcome(
            status=Status.UNKNOWN, summary="This computer does not tell how it is protected against harmful programs."
        )
    measures = {"products": [{"name": one.name, "on": one.on, "up_to_date": one.up_to_date} for one in found]}
    if not found:
        words = "No program against harmful programs was found."
        return Outcome(
            status=Status.OK if ctx.probe.platform == "linux" else Status.WARNING, summary=words, measures=measures
        )
    active = [one for one in found if one.on]
    if not active:
        if all(one.on is None for one in found):
            return Outcome(
                status=Status.UNKNOWN, summary=f"{listed([one.name for one in found])} is installed.", measures=measures
            )
        return Outcome(
            status=Status.WARNING, summary=f"{listed([one.name for one in found])} is switched off.", measures=measures
        )
    if all(one.up_to_date is False for one in active):
        return Outcome(status=Status.WARNING, summary=f"{active[0].name} is out of date.", measures=measures)
    return Outcome(
        status=Status.OK,
        summary=f"This computer is protected by {listed([one.name for one in active])}.",
        measures=measures,
    )
