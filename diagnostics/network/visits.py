"""Visits to the places of the settings, the way this computer's programs would go, and how they are written down."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from diagnostics.network.doors import doors
from diagnostics.network.view import Resolved, Target, resolve, usable_addresses
from diagnostics.registry import Context
from diagnostics.wire.connect import Attempt, Reach
from diagnostics.wire.request import CONNECT_S, Request, Visit, host_port

AGAIN_S: Final = 3.0  # twice what a place may take that is asked a second time


async def visit_target(
    context: Context, target: Target, *, direct: bool = False, pad_bytes: int = 0, segment_bytes: int = 0
) -> dict[str, Any]:
    """Visits a target as programs here would: through the proxy in effect, or `direct` around it. Once per run and way.

    Gives a plain JSON object: the fields of `Visit` that carry evidence, `role`, `name`, `source` (of the addresses) and `rcode`.
    """
    proxy = "" if direct or not target.url else (await doors(context)).door_for(target.url)
    key = ("visit", target.url, target.host, target.port, proxy, pad_bytes, segment_bytes)
    found = await context.probe.once(key, lambda: _visit(context, target, proxy, pad_bytes, segment_bytes))
    return {**found, "role": target.role, "name": target.name}


async def _visit(context: Context, target: Target, proxy: str, pad_bytes: int, segment_bytes: int) -> dict[str, Any]:
    resolved = await resolve(context, host_port(proxy)[0] if proxy else target.host)
    addresses = await usable_addresses(context, resolved.addresses)
    if target.url:
        request = Request(
            url=target.url,
            addresses=addresses,
            proxy=proxy,
            ca_file=context.targets.network.ca_file,
            pad_bytes=pad_bytes,
            segment_bytes=segment_bytes,
        )
        if pad_bytes or segment_bytes:  # a second look at a place that has answered in good time before
            request = msgspec.structs.replace(request, tls_s=AGAIN_S, answer_s=AGAIN_S)
        return told(await context.probe.visit(request), resolved)
    return told(await _knock(context, target, addresses), resolved)


async def _knock(context: Context, target: Target, addresses: tuple[str, ...]) -> Visit:
    """A service that is only an address: connecting is all that can be asked of it."""
    if not addresses:
        return Visit(url="", host=target.host, port=target.port, outcome="name")
    attempts = await asyncio.gather(*(context.probe.connect(one, target.port, within=CONNECT_S) for one in addresses))
    good = next((one for one in attempts if one.reach is Reach.CONNECTED), None)
    worst = min(attempts, key=lambda one: list(Reach).index(one.reach))
    return Visit(
        url="",
        host=target.host,
        port=target.port,
        outcome="answered" if good else str(worst.reach),
        attempts=tuple(attempts),
        address=good.address if good else None,
        connect_ms=good.connect_ms if good else None,
        total_ms=good.connect_ms if good else None,
    )


def told(visit: Visit, resolved: Resolved) -> dict[str, Any]:
    """A visit as measures."""
    found: dict[str, Any] = msgspec.to_builtins(visit)
    found["attempts"] = [_attempt(one) for one in visit.attempts]
    found |= {"source": resolved.source, "rcode": resolved.rcode, "addresses": list(resolved.addresses)}
    return {key: value for key, value in found.items() if value not in ("", None) or key in {"status", "address"}}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    found: dict[str, Any] = {"address": attempt.address, "reach": str(attempt.reach), "connect_ms": attempt.connect_ms}
    if attempt.offender:
        found |= {"offender": attempt.offender, "icmp": list(attempt.icmp or ())}
    return found
