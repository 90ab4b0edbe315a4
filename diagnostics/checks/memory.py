"""Main memory: is there enough left, and who takes it."""

from __future__ import annotations

from typing import Any, Final

from diagnostics.gauges import Process
from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.platforms.parts import Memory
from diagnostics.registry import Context, check
from diagnostics.targets import Thresholds
from diagnostics.words import listed, size

# A few percent of a large memory are still gigabytes: with this much available and nobody waiting, nothing is wrong.
ROOMY_BYTES: Final = 1_000_000_000
SHORT_BYTES: Final = 4_000_000_000  # the next program may need that much: worth a word
WAITING_PERCENT: Final = 10.0  # pressure (PSI) from which on people feel it: programs stall a tenth of the time
THRASHING_PERCENT: Final = 20.0  # everything at once waits for memory: the machine swaps instead of working
SWAP_FULL_PERCENT: Final = 10.0
EATERS: Final = 3


def judge(memory: Memory, thresholds: Thresholds) -> str:
    """`exhausted`, `short` or `ok`. Little available memory alone is no fault: somebody must wait for it, or hardly any be left."""
    percent = 100 * memory.available_bytes / memory.total_bytes
    some, everybody = memory.pressure_some_percent or 0.0, memory.pressure_full_percent or 0.0
    swap_gone = (
        memory.swap_total_bytes > 0 and 100 * memory.swap_free_bytes / memory.swap_total_bytes < SWAP_FULL_PERCENT
    )
    if memory.critical is not None:  # the system knows better than its numbers, where it says so
        return "exhausted" if memory.critical else "ok"
    if percent < thresholds.memory_available_percent:
        if memory.available_bytes < ROOMY_BYTES or some >= WAITING_PERCENT or swap_gone:
            return "exhausted"
        return "short" if memory.available_bytes < SHORT_BYTES else "ok"
    if everybody >= THRASHING_PERCENT and percent < 4 * thresholds.memory_available_percent:
        return "exhausted"
    return "ok"


def eaters(processes: tuple[Process, ...], *, most: int = EATERS) -> list[dict[str, Any]]:
    """Programs by the memory of all their processes, largest first: a browser is one program with thirty processes."""
    sums: dict[str, list[int]] = {}
    for one in processes:
        sums.setdefault(one.name, []).append(one.rss_bytes)
    ranked = sorted(sums.items(), key=lambda item: sum(item[1]), reverse=True)
    return [
        {"program": name, "bytes": sum(sizes), "processes": len(sizes)} for name, sizes in ranked[:most] if sum(sizes)
    ]


@check("memory.available", words="Looking at how much memory is free")
async def available(ctx: Context) -> Outcome:
    """Available memory, pressure, and the programs that take most."""
    memory = await machine_of(ctx.probe).memory(ctx.probe)
    if memory.total_bytes <= 0:
        return Outcome(status=Status.UNKNOWN, summary="This computer does not tell how much memory it has.")
    state = judge(memory, ctx.targets.thresholds)
    measures: dict[str, Any] = {
        "state": state,
        "total_bytes": memory.total_bytes,
        "available_bytes": memory.available_bytes,
        "available_percent": round(100 * memory.available_bytes / memory.total_bytes, 1),
        "swap_total_bytes": memory.swap_total_bytes,
        "swap_free_bytes": memory.swap_free_bytes,
        "pressure_some_percent": memory.pressure_some_percent,
        "pressure_full_percent": memory.pressure_full_percent,
    }
    left = f"{size(memory.available_bytes)} of {size(memory.total_bytes)}"
    if state == "ok":
        return Outcome(status=Status.OK, summary=f"There is enough memory: {left} can be used.", measures=measures)
    top = eaters(await ctx.probe.processes())
    measures["largest"] = top
    names = [f"{one['program']} ({size(one['bytes'])})" for one in top]
    who = f" Most is used by {listed(names)}." if names else ""
    if state == "short":
        return Outcome(
            status=Status.WARNING, summary=f"Memory is getting short: {left} can be used.{who}", measures=measures
        )
    return Outcome(
        status=Status.FAILED, summary=f"The memory is used up: only {left} can be used.{who}", measures=measures
    )
