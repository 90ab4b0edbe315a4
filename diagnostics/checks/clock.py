"""Is this computer's clock right? A time server is the first witness, the Date header of answers the second."""

from __future__ import annotations

import asyncio
import statistics
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from diagnostics.checks.tls import VISITING
from diagnostics.model import Outcome, Status
from diagnostics.network.view import resolve, usable_addresses
from diagnostics.registry import Context, check

SNTP_S: Final = 2.2  # one resent packet
DEFAULT_PORT: Final = 123
CACHED_S: Final = 60  # an answer that old was not made for us: its Date tells when it was made


@check("clock.server", words="Asking the time server", needs=("dns.resolvers",), deadline_s=7.0)
async def server(context: Context) -> Outcome:
    """Asks the time server of the settings. A silent one is no fault of this computer's clock."""
    name = context.targets.network.time_server
    if not name:
        return Outcome(
            status=Status.OK,
            summary="No time server is named in the settings.",
            measures={"looked": False, "ahead_s": None},
        )
    host, colon, port = name.partition(":") if name.count(":") == 1 else (name, "", "")
    resolved = await resolve(context, host)
    addresses = await usable_addresses(context, resolved.addresses)
    if not addresses:
        return Outcome(
            status=Status.UNKNOWN, summary=f"The time server {host} is not known.", measures={"ahead_s": None}
        )
    asked = await asyncio.gather(
        *(
            context.probe.ask_time(one, within=SNTP_S, port=int(port) if colon and port.isdigit() else DEFAULT_PORT)
            for one in addresses[:2]
        )
    )
    ahead = next((one for one in asked if one is not None), None)
    if ahead is None:
        return Outcome(
            status=Status.UNKNOWN, summary=f"The time server {host} does not answer.", measures={"ahead_s": None}
        )
    return Outcome(
        status=Status.OK, summary="The time server answers.", measures={"ahead_s": round(ahead, 1), "server": host}
    )


def ahead_of(date: str, *, seen_at: datetime, age_s: int = 0) -> float | None:
    """Seconds that a clock showing `seen_at` is ahead of a Date header, None when it cannot be read or comes from a cache."""
    if age_s > CACHED_S:
        return None
    try:
        told = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return (seen_at - (told if told.tzinfo else told.replace(tzinfo=UTC))).total_seconds() - age_s


@check("clock.time", words="Comparing this computer's clock", after=("clock.server", *VISITING))
async def clock(context: Context) -> Outcome:
    """Fails when the witnesses agree that this clock is wrong by more than the threshold."""
    witnesses: list[dict[str, Any]] = []
    if isinstance(ahead := context.measure("clock.server", "ahead_s"), int | float):
        witnesses.append({"who": context.measure("clock.server", "server"), "ahead_s": ahead, "kind": "time server"})
    now = context.probe.now()
    hosts: set[str] = set()
    for id in VISITING:
        finding = context.findings.get(id)
        for one in finding.measures.get("visits", []) if finding else []:
            said = ahead_of(one.get("date", ""), seen_at=now, age_s=one.get("age_s") or 0)
            if said is not None and one["host"] not in hosts:
                hosts.add(one["host"])
                witnesses.append({"who": one["host"], "ahead_s": round(said), "kind": "web server"})
    if not witnesses:
        return Outcome(
            status=Status.OK,
            summary="Nobody was there to compare the clock with.",
            measures={"witnesses": [], "ahead_s": None},
        )
    limit = context.targets.thresholds.clock_skew_s
    middle = statistics.median(one["ahead_s"] for one in witnesses)
    agree = [one for one in witnesses if abs(one["ahead_s"] - middle) <= limit]
    measures = {"witnesses": witnesses, "ahead_s": round(middle), "agree": len(agree)}
    if abs(middle) <= limit or len(agree) * 2 <= len(witnesses):
        return Outcome(status=Status.OK, summary="This computer's clock is right.", measures=measures)
    return Outcome(status=Status.FAILED, summary=f"This computer's clock is {in_words(middle)}.", measures=measures)


def in_words(ahead_s: float) -> str:
    """A difference for a sentence: "3 hours ahead", "12 minutes behind"."""
    seconds = abs(ahead_s)
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit} {'ahead' if ahead_s > 0 else 'behind'}"
    return f"{round(seconds)} seconds {'ahead' if ahead_s > 0 else 'behind'}"
