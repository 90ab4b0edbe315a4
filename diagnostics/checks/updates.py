"""Updates of the system: were they installed lately, or do they fail."""

from __future__ import annotations

from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check
from diagnostics.words import listed


@check("updates.install", words="Looking whether updates could be installed")
async def install(ctx: Context) -> Outcome:
    """The last results of installing updates. While an installation runs, nothing is judged."""
    state = await machine_of(ctx.probe).updates(ctx.probe)
    if state is None:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell how its last updates went.")
    measures = {
        "state": "busy" if state.busy else "failing" if state.failed else "ok",
        "failed": list(state.failed),
        "why": state.why or None,
        "code": state.code or None,
        "last_failure": state.since,
        "last_success": state.last_success,
        "pending": state.pending,
    }
    if state.busy:
        return Outcome(status=Status.OK, summary="Updates are being installed right now.", measures=measures)
    if state.failed:
        why = f" ({state.why})" if state.why else ""
        return Outcome(
            status=Status.FAILED,
            summary=f"An update could not be installed: {listed(state.failed)}{why}.",
            measures=measures,
        )
    return Outcome(status=Status.OK, summary="No update has failed lately.", measures=measures)
