"""The company's services of the settings, and the help desk."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from diagnostics.checks.internet import AFTER_MEASURING, in_words
from diagnostics.model import Outcome, Status
from diagnostics.network.view import targets
from diagnostics.network.visits import visit_target
from diagnostics.registry import Context, check

FIRST_BAD_STATUS: Final = 400
ASKS_WHO: Final = frozenset({401, 403, 405, 429})  # a service that lives and wants to know who asks, or how
NOTHING_TO_DO: Final = Outcome(
    status=Status.OK, summary="No service is named in the settings.", measures={"looked": False, "visits": []}
)


def verdict(found: dict[str, Any], *, slow_ms: int) -> str:
    """What is wrong with a service by its visit: "" for nothing, otherwise "error", "slow" or the visit's outcome."""
    if found["outcome"] != "answered":
        return str(found["outcome"])
    status = found.get("status")
    if status is not None and status >= FIRST_BAD_STATUS and status not in ASKS_WHO:
        return "error"
    return "slow" if (found.get("first_byte_ms") or found.get("connect_ms") or 0) > slow_ms else ""


async def _look(context: Context, role: str) -> Outcome:
    wanted = [one for one in targets(context) if one.role == role]
    if not wanted:
        return NOTHING_TO_DO
    found = await asyncio.gather(*(visit_target(context, one) for one in wanted))
    slow_ms = context.targets.thresholds.service_slow_ms
    visits = [{**one, "verdict": verdict(one, slow_ms=slow_ms)} for one in found]
    measures = {"looked": True, "visits": visits}
    bad = [one for one in visits if one["verdict"] not in {"", "slow", "stalled"}]
    if bad:
        more = f" ({len(bad)} of {len(visits)} services)" if len(bad) > 1 else ""
        return Outcome(status=Status.FAILED, summary=f"{bad[0]['name']}: {_words(bad[0])}{more}.", measures=measures)
    if late := [one for one in visits if one["verdict"]]:
        return Outcome(status=Status.WARNING, summary=f"{late[0]['name']}: {_words(late[0])}.", measures=measures)
    words = f"{visits[0]['name']} answers." if len(visits) == 1 else f"All {len(visits)} services answer."
    return Outcome(status=Status.OK, summary=words, measures=measures)


def _words(found: dict[str, Any]) -> str:
    if found["verdict"] == "error":
        return f"it answers with the error {found['status']}"
    if found["verdict"] == "slow":
        return f"it takes {(found.get('first_byte_ms') or found.get('connect_ms') or 0) / 1000:.1f} s to answer"
    return in_words(found)


@check(
    "service.help_desk", words="Asking the help desk", needs=("dns.resolvers",), after=AFTER_MEASURING, deadline_s=9.5
)
async def help_desk(context: Context) -> Outcome:
    """The help desk's own address."""
    return await _look(context, "desk")


@check(
    "service.company",
    words="Asking the company's services",
    needs=("route.default",),
    after=("dns.resolvers", *AFTER_MEASURING),
    deadline_s=9.5,
)
async def company(context: Context) -> Outcome:
    """Every service of the settings, at once. Those named by address are asked even when no name can be looked up."""
    return await _look(context, "service")
