"""Do large packets pass? A hole for them lets small pages and small certificates through and swallows the rest."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from diagnostics.checks.internet import AFTER_MEASURING
from diagnostics.model import Outcome, Status
from diagnostics.network.view import Target, resolve, state, targets, usable_addresses
from diagnostics.network.visits import visit_target
from diagnostics.registry import Context, check

HEADERS_BYTES: Final = {True: 28, False: 48}  # IP and ICMP headers, IPv4 and IPv6
USUAL_MTU_BYTES: Final = 1500
SMALL_BYTES: Final = 500  # passes everywhere (576 is the least that IPv4 demands)
PING_WAIT_S: Final = 0.7  # after the small ones have answered, large ones are not much slower
SWALLOWED: Final = frozenset(
    {"no_answer", "tls_silent", "stalled"}
)  # connected, then silence where full packets travel
SLOW_MS: Final = 1500  # a second request to a page that slow would hold up the run
PINGS: Final = 3
PAD_BYTES: Final = 4000  # a request of three full packets
SIZES_BYTES: Final = (1472, 1400, 1300, 1200, 1000)  # where the hole begins, roughly


@check("path.mtu", words="Sending large packets", needs=("dns.resolvers",), after=AFTER_MEASURING, deadline_s=9.0)
async def mtu(context: Context) -> Outcome:
    """Pings of full size and a request of full size, to the places beyond. Fails when small ones pass and full ones vanish."""
    now = await state(context)
    if any(lossy(context, check) for check in ("quality.local", "quality.internet")):
        return Outcome(
            status=Status.UNKNOWN,
            summary="On a line that loses packets, large ones tell nothing.",
            measures={"hosts": []},
        )
    rows = await asyncio.gather(*(_one(context, target) for target in _places(context)))
    bad = [row for row in rows if row["hole"]]
    adapters = [one.mtu for one in now.adapters if one.works and one.real and one.mtu]
    measures: dict[str, Any] = {"hosts": rows, "adapter_mtu_bytes": min(adapters, default=None)}
    if bad:
        words = f"Large packets to {bad[0]['host']} vanish; small ones arrive."
        return Outcome(status=Status.FAILED, summary=words, measures=measures)
    if any(row["large"] for row in rows):
        return Outcome(status=Status.OK, summary="Large packets pass.", measures=measures)
    return Outcome(status=Status.OK, summary="It could not be seen whether large packets pass.", measures=measures)


def lossy(context: Context, check: str) -> bool:
    """Whether a stretch was found to lose packets."""
    finding = context.findings.get(check)
    lost = finding.measures.get("loss_percent") if finding is not None and finding.status is Status.WARNING else 0
    return bool(lost and lost >= context.targets.thresholds.loss_percent)


def _places(context: Context) -> list[Target]:
    """One place on the Internet and one in the company: the holes of VPNs are only on the way to the company."""
    found = [one for one in targets(context) if one.url]
    public = [one for one in found if one.role in {"connectivity", "public"}]
    company = [one for one in found if one.role in {"desk", "service"}]
    return [*public[:2], *company[:2]]


async def _one(context: Context, target: Target) -> dict[str, Any]:
    row: dict[str, Any] = {
        "host": target.host,
        "role": target.role,
        "hole": False,
        "large": None,
        "largest_bytes": None,
    }
    addresses = await usable_addresses(context, (await resolve(context, target.host)).addresses)
    now = await state(context)
    address = next((one for one in addresses if not now.own(one)), None)
    if address is None:
        return row
    row["address"] = address
    size = await _full_size(context, address)
    small = await context.probe.echo(address, count=PINGS, interval=0.02, wait=PING_WAIT_S, size=SMALL_BYTES)
    if small.received:
        large = await context.probe.echo(address, count=PINGS, interval=0.02, wait=PING_WAIT_S, size=size)
        row |= {"small": True, "large": bool(large.received), "by": "ping"}
        if large.received:
            row["largest_bytes"] = size
            return row
    plain = await visit_target(context, target)
    if plain["outcome"] not in {"answered", *SWALLOWED} or (plain.get("first_byte_ms") or 0) > SLOW_MS:
        return row
    whole = plain if plain["outcome"] in SWALLOWED else await visit_target(context, target, pad_bytes=PAD_BYTES)
    row |= {"request": whole["outcome"], "by": row.get("by", "request")}
    if whole["outcome"] == "answered":
        return {**row, "large": True}
    if whole["outcome"] in SWALLOWED:
        # The same again in small pieces: if that comes through, it was the size; otherwise the server hangs.
        pad = 0 if whole is plain else PAD_BYTES
        pieces = await visit_target(context, target, pad_bytes=pad, segment_bytes=SMALL_BYTES)
        row |= {"pieces": pieces["outcome"], "hole": pieces["outcome"] == "answered"}
    if row["hole"] and row.get("small"):
        row["largest_bytes"] = await _largest(context, address)
    return row


async def _full_size(context: Context, address: str) -> int:
    """The payload of the largest ping that this computer's adapter for this address takes."""
    now = await state(context)
    route = now.route_to(address)
    adapter = now.adapter(route.device) if route else None
    limit = min(adapter.mtu if adapter and adapter.mtu else USUAL_MTU_BYTES, USUAL_MTU_BYTES)
    return limit - HEADERS_BYTES[":" not in address]


async def _largest(context: Context, address: str) -> int | None:
    tried = await asyncio.gather(
        *(context.probe.echo(address, count=2, interval=0.02, wait=PING_WAIT_S, size=size) for size in SIZES_BYTES)
    )
    return next(
        (
            size + HEADERS_BYTES[":" not in address]
            for size, one in zip(SIZES_BYTES, tried, strict=True)
            if one.received
        ),
        None,
    )
