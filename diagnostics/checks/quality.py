"""How well the line carries: loss and delay up to the router and beyond it, measured before anything loads it; throughput last."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from diagnostics.model import Outcome, Status
from diagnostics.network.view import Target, resolve, state, targets, usable_addresses
from diagnostics.registry import Context, check
from diagnostics.wire.connect import Attempt, Reach
from diagnostics.wire.request import Request, host_port

FIRST_COUNT: Final = 40  # of 10 % loss at least one shows with 98 %
LAST_WAIT_S: Final = 0.25  # for the last answers, beside three times what an answer usually takes
MORE_COUNT: Final = 60  # only when one was lost: then the share must be counted well enough
INTERVAL_S: Final = 0.02  # 40 in 0.8 s; a line of 64 kbit/s still carries them
WAIT_S: Final = 1.0  # an answer later than this is as good as lost
FEW_WAIT_S: Final = 0.35  # for the last answers when none has come at all: the path drops pings
ROUTER_PORT: Final = 80  # open or closed, a router that speaks at all says so
KNOCK_COUNT: Final = 20  # connections, where pings are dropped
RESENT_MS: Final = 900.0  # a connection that took longer lost its first packet: the kernel sends it again after 1 s
BANDWIDTH_S: Final = 2.5  # a thin line shows within this; a good one is done long before
BANDWIDTH_BYTES: Final = 3_000_000
ENOUGH_BYTES: Final = 30_000  # fewer say nothing about throughput


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Delay and loss of one stretch. `by`: "ping" or "connect"; None when it could not be measured."""

    by: str | None = None
    sent: int = 0
    lost: int = 0
    median_ms: float | None = None
    worst_ms: float | None = None
    connect_loss_percent: float | None = None

    @property
    def loss_percent(self) -> float | None:
        """Lost ones of those sent."""
        return round(100 * self.lost / self.sent, 1) if self.sent else None


async def measure(context: Context, address: str, port: int) -> Measured:
    """Pings an address, more often when something got lost; where pings are dropped, connects to `port` instead."""
    probe = context.probe
    first = await probe.echo(address, count=3, interval=0.05, wait=FEW_WAIT_S)
    if not first.received:  # far away, or really dropped: look at both at once
        first, connected = await asyncio.gather(
            probe.echo(address, count=4, interval=0.1, wait=WAIT_S), _by_connecting(context, address, port)
        )
        if not first.received:
            return connected
    wait = min(WAIT_S, LAST_WAIT_S + 3 * (first.median_ms or 0) / 1000)
    echoes = await probe.echo(address, count=FIRST_COUNT, interval=INTERVAL_S, wait=wait)
    sent, times = echoes.sent, echoes.times_ms
    if echoes.received < echoes.sent:
        more, connected = await asyncio.gather(  # some hosts answer only a part of the pings; connections do not lie
            probe.echo(address, count=MORE_COUNT, interval=INTERVAL_S, wait=wait),
            _by_connecting(context, address, port),
        )
        found = _measured("ping", sent + more.sent, (*times, *more.times_ms))
        return msgspec.structs.replace(found, connect_loss_percent=connected.loss_percent)
    return _measured("ping", sent, times)


async def _by_connecting(context: Context, address: str, port: int) -> Measured:
    async def later(number: int) -> Attempt:
        await context.probe.sleep(number * INTERVAL_S * 2)
        return await context.probe.connect(address, port, within=WAIT_S)

    attempts = await asyncio.gather(*(later(number) for number in range(KNOCK_COUNT)))
    spoke = [
        one
        for one in attempts
        if one.reach in {Reach.CONNECTED, Reach.REFUSED, Reach.RESET} and one.offender in {None, address}
    ]
    if not spoke:
        return Measured()
    return _measured(
        "connect",
        len(attempts),
        tuple(one.connect_ms for one in spoke if (one.connect_ms or RESENT_MS) < RESENT_MS and one.connect_ms),
    )


def _measured(by: str, sent: int, times: tuple[float, ...]) -> Measured:
    ordered = sorted(times)
    return Measured(
        by=by,
        sent=sent,
        lost=sent - len(times),
        median_ms=ordered[len(ordered) // 2] if ordered else None,
        worst_ms=ordered[-1] if ordered else None,
    )


def _as_measures(found: Measured, address: str) -> dict[str, Any]:
    return {
        "address": address,
        "by": found.by,
        "sent": found.sent,
        "lost": found.lost,
        "loss_percent": found.loss_percent,
        "median_ms": found.median_ms,
        "worst_ms": found.worst_ms,
    }


def _judge(found: Measured, where: str, address: str, *, limit_ms: int, limit_percent: int) -> Outcome:
    measures = _as_measures(found, address)
    if found.by is None:
        return Outcome(
            status=Status.OK,
            summary=f"Nobody answers pings on the way {where}, so it was not measured.",
            measures=measures,
        )
    if (found.loss_percent or 0) >= limit_percent:
        words = f"{found.loss_percent:g} % of the packets {where} get lost."
        return Outcome(status=Status.WARNING, summary=words, measures=measures)
    if (found.median_ms or 0) > limit_ms:
        return Outcome(
            status=Status.WARNING, summary=f"The way {where} takes {found.median_ms:.0f} ms.", measures=measures
        )
    return Outcome(status=Status.OK, summary=f"The way {where} takes {found.median_ms:.1f} ms.", measures=measures)


@check("quality.local", words="Measuring the way to the router", needs=("route.default",), deadline_s=7.0)
async def local(context: Context) -> Outcome:
    """Delay and loss up to the router."""
    now = await state(context)
    gateway = next((one.gateway for one in (*now.defaults(), *now.defaults(v4=False)) if one.gateway), None)
    if gateway is None:
        return Outcome(status=Status.OK, summary="There is no router to measure to.", measures={"by": None})
    limits = context.targets.thresholds
    found = await measure(context, gateway, ROUTER_PORT)
    return _judge(found, "to the router", gateway, limit_ms=limits.latency_local_ms, limit_percent=limits.loss_percent)


def far_target(context: Context) -> Target | None:
    """The place that stands for the Internet: the connectivity URL, else a public page."""
    return next((one for role in ("connectivity", "public") for one in targets(context) if one.role == role), None)


@check(
    "quality.internet",
    words="Measuring the way beyond the router",
    needs=("dns.resolvers",),
    after=("route.gateway",),
    deadline_s=8.0,
)
async def internet(context: Context) -> Outcome:
    """Delay and loss to the place that stands for the Internet."""
    target = far_target(context)
    if target is None:
        return Outcome(
            status=Status.OK,
            summary="No public place is named in the settings.",
            measures={"by": None, "looked": False},
        )
    now = await state(context)
    addresses = await usable_addresses(context, (await resolve(context, target.host)).addresses)
    address = next((one for one in addresses if not now.own(one)), None)
    if address is None:
        return Outcome(status=Status.OK, summary="The public place has no address.", measures={"by": None})
    limits = context.targets.thresholds
    found = await measure(context, address, target.port)
    outcome = _judge(
        found, "beyond the router", address, limit_ms=limits.latency_internet_ms, limit_percent=limits.loss_percent
    )
    if found.by != "ping" or (found.loss_percent or 0) < limits.loss_percent:
        return outcome
    confirmed = found.connect_loss_percent is None or found.connect_loss_percent >= limits.loss_percent / 2
    status = Status.WARNING if confirmed else Status.OK
    words = outcome.summary if confirmed else "Some pings get no answer, but connections do."
    measures = {**outcome.measures, "connect_loss_percent": found.connect_loss_percent, "confirmed": confirmed}
    return Outcome(status=status, summary=words, measures=measures)


def _pointless(context: Context) -> str:
    """Why a download would only measure what is already known, "" when it would not."""
    visits = [one for id in ("internet.http", "internet.https") for one in _visits(context, id)]
    if visits and not any(one["outcome"] == "answered" for one in visits):
        return "no page comes"
    for id, why in (
        ("quality.local", "the line is lossy or late"),
        ("quality.internet", "the line is lossy or late"),
        ("path.mtu", "large packets are lost"),
    ):
        if (finding := context.findings.get(id)) is not None and finding.status in {Status.WARNING, Status.FAILED}:
            return why
    return ""


def _visits(context: Context, id: str) -> list[dict[str, Any]]:
    finding = context.findings.get(id)
    return list(finding.measures.get("visits", [])) if finding else []


@check(
    "quality.bandwidth",
    words="Measuring the throughput",
    needs=("dns.resolvers",),
    after=("internet.http", "internet.https", "service.help_desk", "service.company", "path.mtu", "internet.families"),
    deadline_s=8.0,
)
async def bandwidth(context: Context) -> Outcome:
    """A small download, last of all, so that it disturbs nothing."""
    from diagnostics.network.doors import doors  # noqa: PLC0415 -- only where a download is wanted

    url = context.targets.network.bandwidth_url
    if not url:
        return Outcome(
            status=Status.OK, summary="The throughput was not measured.", measures={"looked": False, "kbit_per_s": None}
        )
    if why := _pointless(context):
        return Outcome(
            status=Status.UNKNOWN, summary=f"The throughput was not measured: {why}.", measures={"kbit_per_s": None}
        )
    proxy = (await doors(context)).door_for(url)
    host = host_port(proxy or url)[0]
    addresses = await usable_addresses(context, (await resolve(context, host)).addresses)
    request = Request(
        url=url,
        addresses=addresses,
        proxy=proxy,
        ca_file=context.targets.network.ca_file,
        body_limit_bytes=BANDWIDTH_BYTES,
        body_s=BANDWIDTH_S,
    )
    got = await context.probe.visit(request)
    measures: dict[str, Any] = {
        "looked": True,
        "outcome": got.outcome,
        "bytes": got.body_bytes,
        "body_ms": got.body_ms,
        "kbit_per_s": None,
    }
    if got.status != 200 or not got.body_ms or (got.body_bytes < ENOUGH_BYTES and got.body_ms < BANDWIDTH_S * 500):  # noqa: PLR2004 -- OK; half the time
        return Outcome(status=Status.UNKNOWN, summary="The throughput could not be measured.", measures=measures)
    rate = round(got.body_bytes * 8 / got.body_ms)
    measures["kbit_per_s"] = rate
    if rate < context.targets.thresholds.bandwidth_kbit_per_s:
        return Outcome(status=Status.WARNING, summary=f"The line carries only {rate} kbit/s.", measures=measures)
    return Outcome(status=Status.OK, summary=f"The line carries {rate / 1000:.1f} Mbit/s.", measures=measures)
