"""Every volume of this machine: space, files, read-only when it should not be, slow to write, about to fail.

The measures of each check hold `volumes`, one object per volume with its `mount` and a `state`; the causes read these. A
volume that does not answer (a network share that hangs) is unknown by itself and stops nothing else.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from typing import Any, Final

from diagnostics.gauges import BULK_BYTES, DiskTimes
from diagnostics.model import Outcome, Status
from diagnostics.platforms.machine import machine_of
from diagnostics.platforms.volumes import Role, Volume, free_percent, inodes_free_percent, place
from diagnostics.probe import Space
from diagnostics.registry import Context, check
from diagnostics.targets import Thresholds
from diagnostics.words import listed, size

ANSWER_S: Final = 1.0  # a healthy volume answers in microseconds; a share that needs longer is not usable anyway
# On a large volume a few percent are plenty: above this many times the byte threshold, a low percentage is no problem.
PLENTY: Final = 10
# The byte threshold is meant for the disk of a computer, not for a small virtual machine: it counts from this size on.
BYTES_COUNT_FROM: Final = 10
# A disk flushes 4 KiB in 0.1 to 50 ms, a busy spinning one in some 100 ms. From here on saving a document is felt as a stall.
SLOW_MS: Final = 200
SLOW_BYTES_PER_S: Final = 1_000_000  # a USB stick of 2005 is faster
WRITES: Final = 5
WRITE_BUDGET_S: Final = 0.6  # enough for a verdict, and over when the other checks are
# What a disk that takes no file says: broken or gone read-only since; over quota, or out of room in a way that its numbers hide.
REFUSALS: Final = {errno.EIO: "broken", errno.EROFS: "broken", errno.ENOSPC: "no_room", errno.EDQUOT: "no_room"}
WRITE_PATIENCE_S: Final = 5.0  # three writes that take this long are a verdict of their own


def judge_space(volume: Volume, space: Space, thresholds: Thresholds) -> str:
    """`full`, `low` or `ok`. A percentage counts on every volume, bytes only where the system or the employee's files live."""
    free, percent = space.free_bytes, free_percent(space)
    if percent < thresholds.disk_free_percent and free < PLENTY * thresholds.disk_free_bytes:
        return "full"
    own = volume.role in {Role.SYSTEM, Role.HOME}
    large = space.total_bytes >= BYTES_COUNT_FROM * thresholds.disk_free_bytes
    if own and large and free < thresholds.disk_free_bytes:
        return "full"
    if own and percent < 2 * thresholds.disk_free_percent and free < PLENTY // 2 * thresholds.disk_free_bytes:
        return "low"
    return "ok"


async def _spaces(ctx: Context) -> list[tuple[Volume, Space | None]]:
    """Every volume that this user can reach with its space, None for one that does not answer."""

    async def one(volume: Volume) -> tuple[Volume, Space | None] | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                return volume, await ctx.probe.space(volume.mount)
        except PermissionError:
            return None  # inside somebody else's folder: nothing of this user can be there
        except (OSError, TimeoutError):
            return volume, None

    found = await asyncio.gather(*(one(volume) for volume in await machine_of(ctx.probe).volumes(ctx.probe)))
    return [row for row in found if row is not None]


@check("disk.space", words="Looking at the free space of every disk")
async def space(ctx: Context) -> Outcome:
    """Free space of every volume."""
    rows: list[dict[str, Any]] = []
    for volume, found in await _spaces(ctx):
        row: dict[str, Any] = {"mount": volume.mount, "role": volume.role.value, "kind": volume.kind}
        if found is None:
            rows.append({**row, "state": "unknown"})
        elif found.total_bytes > 0:
            rows.append(
                {
                    **row,
                    "state": judge_space(volume, found, ctx.targets.thresholds),
                    "total_bytes": found.total_bytes,
                    "free_bytes": found.free_bytes,
                    "free_percent": round(free_percent(found), 1),
                }
            )
    full, low = _in(rows, "full"), _in(rows, "low")
    if full:
        parts = [f"{_place(row)} ({size(row['free_bytes'])} of {size(row['total_bytes'])} free)" for row in full]
        return _outcome(Status.FAILED, f"There is hardly any space left on {listed(parts)}.", rows)
    if low:
        parts = [f"{_place(row)} ({size(row['free_bytes'])} of {size(row['total_bytes'])} free)" for row in low]
        return _outcome(Status.WARNING, f"Space is getting short on {listed(parts)}.", rows)
    own = next(
        (row for row in rows if row["role"] == "home"), next((row for row in rows if row["role"] == "system"), None)
    )
    words = "There is enough free space."
    if own is not None and own["state"] == "ok":
        words = f"There is enough free space: {size(own['free_bytes'])} on {_place(own)}."
    return _fine(words, rows)


@check("disk.inodes", words="Counting how many more files fit on every disk", platforms=("linux", "darwin"))
async def inodes(ctx: Context) -> Outcome:
    """Files that can still be made on every volume that has a fixed number of them."""
    rows: list[dict[str, Any]] = []
    for volume, found in await _spaces(ctx):
        if found is None:
            rows.append({"mount": volume.mount, "role": volume.role.value, "state": "unknown"})
        elif found.inodes_total > 0:
            few = inodes_free_percent(found) < ctx.targets.thresholds.inodes_free_percent
            # Where the number of files follows the free space (xfs, zfs), running out of both is running out of space.
            crowded = few and judge_space(volume, found, ctx.targets.thresholds) != "full"
            rows.append(
                {
                    "mount": volume.mount,
                    "role": volume.role.value,
                    "state": "exhausted" if crowded else "ok",
                    "inodes_total": found.inodes_total,
                    "inodes_free": found.inodes_free,
                    "inodes_free_percent": round(inodes_free_percent(found), 1),
                }
            )
    if gone := _in(rows, "exhausted"):
        parts = [f"{_place(row)} ({row['inodes_free']:,} of {row['inodes_total']:,} left)" for row in gone]
        return _outcome(Status.FAILED, f"Hardly any new files fit on {listed(parts)}, although there is space.", rows)
    return _fine("New files can be made on every disk.", rows)


@check("disk.writable", words="Looking whether every disk takes new files")
async def writable(ctx: Context) -> Outcome:
    """Volumes that are read-only though nothing says that they should be."""
    rows: list[dict[str, Any]] = [
        {
            "mount": volume.mount,
            "state": "read_only" if volume.read_only_because else "ok",
            "role": volume.role.value,
            "disk": volume.disk or None,
            "because": volume.read_only_because or None,
        }
        for volume in await machine_of(ctx.probe).volumes(ctx.probe)
    ]
    if stuck := _in(rows, "read_only"):
        return _outcome(Status.FAILED, f"Nothing can be saved on {listed([_place(row) for row in stuck])}.", rows)
    return _fine("Every disk takes new files.", rows)


@check("disk.latency", words="Measuring how fast the disks are", after=("disk.space", "disk.inodes"), deadline_s=8.0)
async def latency(ctx: Context) -> Outcome:
    """How long small writes and reads and a larger write take on each volume that belongs to this machine."""
    known = {row.get("mount"): row.get("state") for row in _rows(ctx.measure("disk.space", "volumes"))}
    crowded = {
        row.get("mount") for row in _rows(ctx.measure("disk.inodes", "volumes")) if row.get("state") == "exhausted"
    }
    crowded |= {mount for mount, state in known.items() if state == "full"}
    volumes = [
        volume
        for volume in await machine_of(ctx.probe).volumes(ctx.probe)
        if not (volume.remote or volume.removable or volume.read_only or known.get(volume.mount) == "unknown")
    ]
    timed = await asyncio.gather(*(_time_volume(ctx, volume, crowded=volume.mount in crowded) for volume in volumes))
    rows = [row for row in timed if row is not None]
    rows = [{**row, "how_slow": _took(row)} if row["state"] == "slow" else row for row in rows]
    if slow := _in(rows, "slow"):
        parts = [f"{_place(row)} ({row['how_slow']})" for row in slow]
        return _outcome(Status.FAILED, f"Saving and opening take very long on {listed(parts)}.", rows)
    if refused := _in(rows, "no_room"):
        parts = [_place(row) for row in refused]
        return _outcome(Status.FAILED, f"Nothing more can be saved on {listed(parts)}, although space is left.", rows)
    if broken := _in(rows, "broken"):
        return _outcome(Status.FAILED, f"Saving fails on {listed([_place(row) for row in broken])}.", rows)
    if not rows:
        return Outcome(status=Status.UNKNOWN, summary="There is no disk that Deskside may write to.")
    return _fine("The disks are fast enough.", rows)


def _took(row: dict[str, Any]) -> str:
    """How slow, in the number that shows it: "0.5 s for one small file", "300 KB per second"."""
    write_ms, read_ms, large_ms = row.get("write_ms"), row.get("read_ms"), row.get("large_write_ms")
    if write_ms is None:
        return f"more than {WRITE_PATIENCE_S:.0f} s for one small file"
    if max(write_ms, read_ms or 0.0) > SLOW_MS:
        return f"{max(write_ms, read_ms or 0.0) / 1000:.1f} s for one small file"
    return f"{size(BULK_BYTES / (large_ms or 1.0) * 1000)} per second"


async def _time_volume(ctx: Context, volume: Volume, *, crowded: bool) -> dict[str, Any] | None:
    """A row for a volume, None where this user may not write on it.

    Args:
        crowded: there is no room left on it: that is judged already, and nothing large may be written.
    """
    row: dict[str, Any] = {"mount": volume.mount, "role": volume.role.value, "write_ms": None, "writes": 0}
    try:
        async with asyncio.timeout(WRITE_PATIENCE_S):
            folder = await machine_of(ctx.probe).folder_to_write(ctx.probe, volume)
            if folder is None:
                return None
            times = await ctx.probe.time_disk(folder, count=WRITES, budget_s=WRITE_BUDGET_S, large=not crowded)
    except TimeoutError:
        return {**row, "state": "slow"}
    except OSError as error:
        state = REFUSALS.get(error.errno or 0)
        if state is None or (crowded and state == "no_room"):
            return None  # not permitted, or judged already
        return {**row, "state": state, "error": errno.errorcode.get(error.errno or 0)}
    write_ms, read_ms, bulk = middle_ms(times.write_s), middle_ms(times.read_s), times.bulk_bytes_per_s
    return {
        **row,
        "state": "slow" if is_slow(times) else "ok",
        "write_ms": write_ms,
        "read_ms": read_ms,
        "large_write_ms": None if bulk is None else round(BULK_BYTES / bulk * 1000, 1),
        "writes": len(times.write_s),
    }


def middle_ms(seconds: Sequence[float]) -> float | None:
    """The middle value in milliseconds, None when there is none."""
    return round(sorted(seconds)[len(seconds) // 2] * 1000, 1) if seconds else None


def is_slow(times: DiskTimes) -> bool:
    """Whether people notice: most small writes or reads take very long, or hardly anything passes."""
    small = max(middle_ms(times.write_s) or 0.0, middle_ms(times.read_s) or 0.0)
    return small > SLOW_MS or (times.bulk_bytes_per_s is not None and times.bulk_bytes_per_s < SLOW_BYTES_PER_S)


@check("disk.health", words="Asking the disks whether they are well", deadline_s=4.0)
async def health(ctx: Context) -> Outcome:
    """What disks and file systems say about themselves: SMART, error counters, mirrors that lost a disk."""
    states = await machine_of(ctx.probe).disk_health(ctx.probe)
    rows = [{"disk": one.disk, "mount": one.mount, "state": one.state, "why": one.why, **one.numbers} for one in states]
    if failing := _in(rows, "failing"):
        parts = [f"{row['mount'] or row['disk']}: {row['why']}" for row in failing]
        return Outcome(
            status=Status.FAILED, summary=f"A disk reports faults ({'; '.join(parts)}).", measures={"disks": rows}
        )
    if rows and all(row["state"] == "ok" for row in rows):
        return Outcome(status=Status.OK, summary="The disks say that they are well.", measures={"disks": rows})
    return Outcome(
        status=Status.UNKNOWN,
        summary="This computer does not tell how healthy its disks are.",
        measures={"disks": rows},
    )


def _place(row: dict[str, Any]) -> str:
    return place(row["mount"], row.get("role", ""))


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _in(rows: list[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["state"] == state]


def _outcome(status: Status, words: str, rows: list[dict[str, Any]]) -> Outcome:
    return Outcome(status=status, summary=words, measures={"volumes": rows})


def _fine(words: str, rows: list[dict[str, Any]]) -> Outcome:
    """Fine, unless a volume did not answer: that is unknown, and said."""
    if silent := _in(rows, "unknown"):
        names = listed([_place(row) for row in silent])
        return _outcome(Status.UNKNOWN, f"No answer came from {names}; the other disks are fine.", rows)
    return _outcome(Status.OK, words, rows)
