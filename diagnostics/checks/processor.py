"""The processor: is it busy all the time, and with what. A short sample that is repeated when it looks bad."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.gauges import CpuTimes, Process
from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.registry import Context, check
from diagnostics.words import listed

SAMPLE_S: Final = 0.8  # long enough to mean something, short enough to end beside the other checks
CONFIRM_S: Final = 1.6  # opening a program keeps everything busy for a second: look again before saying anything
# The checks themselves compute while they sample. What counts is what the others take, and that nothing is left over.
OTHERS_PERCENT: Final = 70.0
# Being busy for a moment is what a processor is for. Somebody must have waited a quarter of the last ten seconds (pressure,
# PSI); where the system does not count that, more programs than processors must have been waiting for a minute.
WAITING_PERCENT: Final = 25.0
CROWDED_LOAD: Final = 1.5
CULPRIT_PERCENT: Final = 30.0
CULPRIT_S: Final = 10.0  # processor seconds since it was started
EATERS: Final = 3
WORTH_NAMING_PERCENT: Final = 10.0


def used_percent(before: CpuTimes, after: CpuTimes) -> float:
    """How busy all processors were between two readings, 0 to 100."""
    total = after.total_s - before.total_s
    return 0.0 if total <= 0 else max(0.0, min(100.0, 100.0 * (1 - (after.idle_s - before.idle_s) / total)))


def shares(before: tuple[Process, ...], after: tuple[Process, ...], *, span_s: float, cores: int) -> dict[str, float]:
    """Percent of all processors that each program took between two readings; processes are matched by number and name."""
    was = {(one.pid, one.name): one.cpu_s for one in before}
    sums: dict[str, float] = {}
    for one in after:
        spent = one.cpu_s - was.get((one.pid, one.name), one.cpu_s)
        if spent > 0:
            sums[one.name] = sums.get(one.name, 0.0) + spent
    scale = 100.0 / max(span_s * max(cores, 1), 1e-6)
    return {name: min(100.0, spent * scale) for name, spent in sums.items()}


@check("processor.use", words="Looking at how busy the processor is", deadline_s=6.0)
async def use(ctx: Context) -> Outcome:
    """Use over a short sample, without this run itself; the programs that take most when there is nothing left."""
    busy = await _sample(ctx, SAMPLE_S)
    load, cores = await ctx.probe.load_average(), ctx.probe.cores()
    pressure = await machine_of(ctx.probe).processor_pressure(ctx.probe)
    crowded = load is None or load >= CROWDED_LOAD * cores
    waited = crowded if pressure is None else pressure >= WAITING_PERCENT
    if waited and _saturated(ctx, busy):
        busy = await _sample(ctx, CONFIRM_S, who=True)
    saturated = waited and _saturated(ctx, busy)
    if (
        load is None and pressure is None
    ):  # Windows counts neither: only a program that has kept on for a while is a sign
        saturated = saturated and any(
            one["percent"] >= CULPRIT_PERCENT and one["so_far_s"] >= CULPRIT_S for one in busy["who"]
        )
    measures: dict[str, Any] = {
        "state": "saturated" if saturated else "ok",
        "used_percent": round(busy["used"], 1),
        "others_percent": round(busy["others"], 1),
        "load_1_min": None if load is None else round(load, 2),
        "cores": cores,
        "pressure_percent": pressure,
    }
    if not saturated:
        words = f"The processor has time: {busy['others']:.0f} % is in use."
        if busy["others"] >= OTHERS_PERCENT:
            words = f"The processor is busy ({busy['others']:.0f} %), but nothing has to wait for long."
        return Outcome(status=Status.OK, summary=words, measures=measures)
    measures["busiest"] = busy["who"]
    names = [f"{one['program']} ({one['percent']:.0f} %)" for one in busy["who"]]
    who = f" Most is used by {listed(names)}." if names else ""
    return Outcome(
        status=Status.FAILED, summary=f"The processor is fully busy ({busy['used']:.0f} %).{who}", measures=measures
    )


def _saturated(ctx: Context, busy: dict[str, Any]) -> bool:
    return bool(busy["used"] >= ctx.targets.thresholds.processor_used_percent and busy["others"] >= OTHERS_PERCENT)


async def _sample(ctx: Context, span_s: float, *, who: bool = False) -> dict[str, Any]:
    """Use in percent over `span_s` seconds: `used` by all, `others` without this run; `who` takes most, if asked for."""
    probe = ctx.probe
    before, own_before = await probe.cpu_times(), probe.own_cpu_s()
    processes = await probe.processes() if who else ()
    await probe.sleep(span_s)
    after, own = await probe.cpu_times(), probe.own_cpu_s() - own_before
    total = after.total_s - before.total_s
    used = used_percent(before, after)
    others = max(0.0, used - (100.0 * own / total if total > 0 else 0.0))
    top: list[dict[str, Any]] = []
    if who:
        took_s = (
            total / probe.cores() if total > 0 else span_s
        )  # on a busy machine a sleep lasts longer than it was told
        now = await probe.processes()
        ranked = shares(processes, now, span_s=took_s, cores=probe.cores())
        top = [
            {
                "program": name,
                "percent": round(percent, 1),
                "so_far_s": round(sum(one.cpu_s for one in now if one.name == name)),
            }
            for name, percent in sorted(ranked.items(), key=lambda item: item[1], reverse=True)[:EATERS]
            if percent >= WORTH_NAMING_PERCENT
        ]
    return {"used": used, "others": others, "who": top}
