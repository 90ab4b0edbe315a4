"""The battery: how much of what it was built for is left. A computer without one is fine."""

from __future__ import annotations

from typing import Any

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check


@check("battery.health", words="Looking at the battery")
async def health(ctx: Context) -> Outcome:
    """Capacity against design, cycles and charge of every battery of the computer."""
    batteries = await machine_of(ctx.probe).batteries(ctx.probe)
    if batteries is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell about its battery.")
    if not batteries:
        return Outcome(status=Status.OK, summary="This computer has no battery.", measures={"batteries": []})
    limit = ctx.targets.thresholds.battery_health_percent
    rows: list[dict[str, Any]] = []
    for one in batteries:
        left = one.health_percent
        rows.append(
            {
                "name": one.name,
                "state": "unknown" if left is None else "worn" if left < limit else "ok",
                "health_percent": left,
                "cycles": one.cycles,
                "charge_percent": None if one.charge_percent is None else round(one.charge_percent),
                "charging": one.state or None,
            }
        )
    measures = {"batteries": rows}
    if worn := [row for row in rows if row["state"] == "worn"]:
        words = f"The battery holds {worn[0]['health_percent']} % of what it held when it was new."
        return Outcome(status=Status.FAILED, summary=words, measures=measures)
    known = [row["health_percent"] for row in rows if row["health_percent"] is not None]
    if not known:
        return Outcome(
            status=Status.UNKNOWN, summary="The battery does not tell how much it can still hold.", measures=measures
        )
    return Outcome(
        status=Status.OK,
        summary=f"The battery holds {min(known)} % of what it held when it was new.",
        measures=measures,
    )
