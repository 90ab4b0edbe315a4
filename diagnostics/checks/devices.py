"""What people hear, speak and look with: sound devices and screens. A machine without them (a server) is fine."""

from __future__ import annotations

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check
from diagnostics.words import listed


@check("devices.sound", words="Looking at loudspeakers and microphones")
async def sound(ctx: Context) -> Outcome:
    """Outputs and inputs for sound, and whether the chosen output is muted."""
    found = await machine_of(ctx.probe).sound(ctx.probe)
    if found is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell about its sound devices.")
    measures = {"outputs": list(found.outputs), "inputs": list(found.inputs), "muted": found.muted}
    if not found.outputs and not found.inputs:
        return Outcome(status=Status.OK, summary="This computer has no sound devices.", measures=measures)
    if found.muted:
        return Outcome(status=Status.OK, summary="The sound is switched off (muted).", measures=measures)
    lacking = [name for name, there in (("loudspeaker", found.outputs), ("microphone", found.inputs)) if not there]
    words = (
        f"Sound works through {listed(found.outputs)}."
        if found.outputs
        else f"A microphone is there: {listed(found.inputs)}."
    )
    if lacking:
        words += f" No {lacking[0]} is connected."
    return Outcome(status=Status.OK, summary=words, measures=measures)


@check("devices.displays", words="Looking at the screens")
async def displays(ctx: Context) -> Outcome:
    """The screens that are connected."""
    found = await machine_of(ctx.probe).displays(ctx.probe)
    if found is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell about its screens.")
    measures = {"displays": [{"name": one.name, "size": one.size or None} for one in found]}
    if not found:
        return Outcome(status=Status.OK, summary="No screen is connected.", measures=measures)
    parts = [f"{one.name} ({one.size})" if one.size else one.name for one in found]
    noun = "screen is" if len(found) == 1 else "screens are"
    return Outcome(status=Status.OK, summary=f"{len(found)} {noun} connected: {listed(parts)}.", measures=measures)
