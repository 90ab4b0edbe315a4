"""Printers and their queues. No printer is fine."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check
from diagnostics.words import listed

STUCK_S: Final = 15 * 60  # a large job prints for minutes; nobody waits a quarter of an hour for it willingly


@check("printing.queues", words="Looking at the printers")
async def queues(ctx: Context) -> Outcome:
    """Queues that are stopped while something waits in them, and jobs that have waited too long."""
    printers = await machine_of(ctx.probe).printers(ctx.probe)
    if printers is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell about its printers.")
    rows: list[dict[str, Any]] = []
    for one in printers:
        waits = one.jobs > 0 and one.oldest_job_s is not None and one.oldest_job_s > STUCK_S
        # A printer at the office is offline for whoever works at home: that matters only when something waits for it.
        stopped = one.state == "stopped" or (one.state == "offline" and one.jobs > 0)
        rows.append(
            {
                "printer": one.name,
                "state": "stopped" if stopped else "stuck" if waits else "ok",
                "reason": one.reason or None,
                "jobs": one.jobs,
                "oldest_job_s": None if one.oldest_job_s is None else round(one.oldest_job_s),
                "default": one.is_default,
            }
        )
    measures = {"printers": rows}
    if not rows:
        return Outcome(status=Status.OK, summary="No printer is set up on this computer.", measures=measures)
    if stopped_rows := [row for row in rows if row["state"] == "stopped"]:
        names = listed([row["printer"] for row in stopped_rows])
        return Outcome(status=Status.WARNING, summary=f"Printing is stopped on {names}.", measures=measures)
    if stuck := [row for row in rows if row["state"] == "stuck"]:
        names = listed([row["printer"] for row in stuck])
        return Outcome(status=Status.WARNING, summary=f"Print jobs are stuck on {names}.", measures=measures)
    noun = "printer is" if len(rows) == 1 else "printers are"
    return Outcome(status=Status.OK, summary=f"{len(rows)} {noun} ready.", measures=measures)
