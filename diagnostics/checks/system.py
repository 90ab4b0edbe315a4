"""The system as a whole: heat, time since the last restart, a restart it waits for, services that failed, programs that crash."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.platforms.parts import Temperature
from diagnostics.registry import Context, check
from diagnostics.words import duration, listed

NEAR_CRITICAL_C: Final = 2.0  # processors run close to their limit on purpose, and shut down just above it
LOOK_AGAIN_S: Final = 0.5  # one hot reading is a spike
SENSIBLE_C: Final = (45.0, 130.0)  # critical limits outside of this are placeholders of the firmware
SLOWED_PERCENT: Final = 20  # slowed down by a fifth: people notice
MANY_CRASHES: Final = 3


def too_hot(sensor: Temperature) -> bool:
    """Whether a sensor is at the limit where the machine protects itself, or the machine has already slowed down for heat."""
    if sensor.slowed_percent is not None and sensor.slowed_percent >= SLOWED_PERCENT:
        return True
    if sensor.celsius is None or sensor.critical is None:
        return False
    low, high = SENSIBLE_C
    return low <= sensor.critical <= high and sensor.critical - NEAR_CRITICAL_C <= sensor.celsius < high + 20


@check("system.temperature", words="Looking whether the computer is too hot")
async def temperature(ctx: Context) -> Outcome:
    """Every sensor with a limit, read twice when one is hot."""
    machine = machine_of(ctx.probe)
    sensors = await machine.temperatures(ctx.probe)
    if not sensors:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell how warm it is.")
    hot = {one.name for one in sensors if too_hot(one)}
    if hot:
        await ctx.probe.sleep(LOOK_AGAIN_S)
        sensors = await machine.temperatures(ctx.probe) or ()
        hot &= {one.name for one in sensors if too_hot(one)}
    rows: list[dict[str, Any]] = [
        {
            "sensor": one.name,
            "state": "hot" if one.name in hot else "ok",
            "now_celsius": one.celsius,
            "critical_celsius": one.critical,
            "slowed_percent": one.slowed_percent,
        }
        for one in sensors
    ]
    if worst := next((row for row in rows if row["state"] == "hot"), None):
        words = (
            f"The computer slows down because it is too hot (by {worst['slowed_percent']} %)."
            if worst["slowed_percent"]
            else f"The computer is too hot: {worst['now_celsius']:.0f} °C, and its limit is {worst['critical_celsius']:.0f} °C."
        )
        return Outcome(status=Status.FAILED, summary=words, measures={"sensors": rows})
    warmest = max((one.celsius for one in sensors if one.celsius is not None), default=None)
    words = (
        "The computer is not too hot." if warmest is None else f"The computer is not too hot: {warmest:.0f} °C at most."
    )
    return Outcome(status=Status.OK, summary=words, measures={"sensors": rows})


@check("system.uptime", words="Looking when the computer was last restarted")
async def uptime(ctx: Context) -> Outcome:
    """Time since boot. Long is worth a word, never a cause: servers run for years."""
    up = await ctx.probe.uptime_s()
    if up < 0:
        return Outcome(status=Status.UNKNOWN, summary="The clock does not fit the time of the last restart.")
    measures = {"uptime_s": round(up), "uptime_days": int(up // 86400)}
    if up > ctx.targets.thresholds.uptime_days * 86400:
        words = f"The computer has been running for {duration(up)}; a restart often helps."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary=f"The computer was restarted {duration(up)} ago.", measures=measures)


@check("system.restart", words="Looking whether a restart is waiting")
async def restart(ctx: Context) -> Outcome:
    """Whether the system itself asks for a restart, and why."""
    reasons = await machine_of(ctx.probe).restart_reasons(ctx.probe)
    if reasons is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell whether it needs a restart.")
    measures = {"state": "pending" if reasons else "ok", "reasons": list(reasons)}
    if reasons:
        return Outcome(
            status=Status.FAILED, summary=f"The computer waits for a restart: {listed(reasons)}.", measures=measures
        )
    return Outcome(status=Status.OK, summary="No restart is waiting.", measures=measures)


@check("system.services", words="Looking whether system services have failed")
async def services(ctx: Context) -> Outcome:
    """Services of the system that should run and do not. A hint for agents; many machines live well with one."""
    failed = await machine_of(ctx.probe).failed_services(ctx.probe)
    if failed is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell about its system services.")
    measures = {"failed": list(failed)}
    if failed:
        noun = "service has" if len(failed) == 1 else "services have"
        words = f"{len(failed)} system {noun} stopped with an error: {listed(failed)}."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    return Outcome(status=Status.OK, summary="All system services run.", measures=measures)


@check("system.crashes", words="Looking for programs that crashed lately")
async def crashes(ctx: Context) -> Outcome:
    """Programs that crashed within seven days."""
    found = await machine_of(ctx.probe).crashes(ctx.probe)
    if found is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell which programs crashed.")
    measures = {"crashes": [{"program": one.program, "times": one.times, "last": one.last or None} for one in found]}
    if often := [one for one in found if one.times >= MANY_CRASHES]:
        parts = [f"{one.program} ({one.times} times)" for one in often]
        return Outcome(status=Status.WARNING, summary=f"Crashed often this week: {listed(parts)}.", measures=measures)
    if found:
        names = listed([one.program for one in found])
        return Outcome(status=Status.OK, summary=f"Crashed this week, but not often: {names}.", measures=measures)
    return Outcome(status=Status.OK, summary="No program crashed this week.", measures=measures)
