"""Causes of the machine itself: volumes, memory, processor, battery, system, updates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from diagnostics.causes.cause import Cause, Evidence, Match
from diagnostics.model import Severity, Tier
from diagnostics.platforms.volumes import place
from diagnostics.words import listed, size

OWN: Final = frozenset({"system", "home"})  # the volumes that programs cannot do without
_TIDY: Final = (
    "Delete or move what you no longer need, and empty the trash. Deskside can clear temporary files for you."
)
# By the role of a volume: what its lack of space means, and what an employee can do about it.
EFFECTS: Final = {
    "scarce": "Programs cannot save, and updates cannot be installed",
    "system": "Programs may soon be unable to save, and updates may fail",
    "home": "Programs may soon be unable to save",
    "boot": "Updates of the system cannot be installed",
    "scratch": "Programs that need it for temporary files may fail",
    "data": "Nothing more can be saved there",
}
ADVICE: Final = {
    "system": _TIDY,
    "home": _TIDY,
    "boot": "Please tell your IT department: old versions of the system have to be removed there.",
    "scratch": "Copy what you need from there, then restart the computer: that empties it.",
    "data": "Delete or move what you no longer need there.",
}
OTHER_FIXES: Final[dict[str, tuple[str, ...]]] = {
    "boot": (),
    "scratch": (),
}  # clearing the own folders does not help these
LASTING_LOAD: Final = 2.0  # programs for each processor, over a minute
NEARLY_NOTHING_BYTES: Final = 200_000_000  # below this programs begin to lose what they should save


def _volumes(evidence: Evidence, check: str, state: str) -> Iterator[dict[str, Any]]:
    """Volumes in a state. A check that ended early proves nothing; one that is unknown for another volume still proves this one."""
    return (row for row in evidence.items(check, "volumes") if row.get("state") == state and row.get("mount"))


def _place(row: dict[str, Any]) -> str:
    return place(str(row["mount"]), str(row.get("role") or ""))


def full(evidence: Evidence) -> Iterable[Match]:
    """One match for each volume without space, or on which nothing more can be saved although its numbers show space."""
    for row in _volumes(evidence, "disk.space", "full"):
        own = row.get("role") in OWN
        scarce = own and row["free_bytes"] < NEARLY_NOTHING_BYTES
        yield Match(
            subject=row["mount"],
            confidence=0.97,
            evidence=("disk.space",),
            values={
                "place": _place(row),
                "left": f"{size(row['free_bytes'])} left on",
                "numbers": f"{size(row['free_bytes'])} of {size(row['total_bytes'])} are left ({row['free_percent']:.0f} %)",
                "effect": EFFECTS["scarce"] if scarce else EFFECTS.get(str(row.get("role")), EFFECTS["data"]),
                "advice": ADVICE.get(str(row.get("role")), ADVICE["data"]),
            },
            # Whatever cannot write its files on the system's own disk fails for this reason.
            explains=("updates.*", "system.services", "system.crashes") if own or row.get("role") == "boot" else (),
            severity=Severity.HIGH if scarce else Severity.MEDIUM,
            fixes=None if own else OTHER_FIXES.get(str(row.get("role")), ("settings.storage",)),
        )
    for row in _volumes(evidence, "disk.latency", "no_room"):
        own = row.get("role") in OWN
        quota = row.get("error") == "EDQUOT"
        yield Match(
            subject=row["mount"],
            confidence=0.9,
            evidence=("disk.latency",),
            values={
                "place": _place(row),
                "left": "nothing more can be saved on",
                "numbers": "Your share of it is used up"
                if quota
                else "It refuses new files, although it shows free space",
                "effect": "Programs cannot save",
                "advice": ADVICE.get(str(row.get("role")), ADVICE["data"]),
            },
            severity=Severity.HIGH if own else Severity.MEDIUM,
            fixes=None if own else OTHER_FIXES.get(str(row.get("role")), ("settings.storage",)),
        )


def inodes_exhausted(evidence: Evidence) -> Iterable[Match]:
    """One match for each volume on which no more files can be made."""
    for row in _volumes(evidence, "disk.inodes", "exhausted"):
        yield Match(
            subject=row["mount"],
            confidence=0.96,
            evidence=("disk.inodes",),
            values={"left": f"{row['inodes_free']:,}", "total": f"{row['inodes_total']:,}", "place": _place(row)},
            explains=("updates.*", "system.services", "system.crashes") if row.get("role") in OWN else (),
        )


def read_only(evidence: Evidence) -> Iterable[Match]:
    """One match for each volume that takes no files though it should."""
    refused = {row["mount"]: "error" for row in _volumes(evidence, "disk.latency", "broken")}
    stuck = {row["mount"]: str(row.get("because")) for row in _volumes(evidence, "disk.writable", "read_only")}
    roles = {row["mount"]: row.get("role") for row in evidence.items("disk.writable", "volumes") if row.get("mount")}
    for mount, because in {**refused, **stuck}.items():
        error = because == "error"
        # What the file system counted is the same event; a verdict of the disk itself is the deeper cause and stays.
        own_words = [row for row in evidence.items("disk.health", "disks") if row.get("mount") == mount]
        yield Match(
            subject=mount,
            confidence=0.96 if error else 0.8,
            evidence=tuple(
                check
                for check, there in (("disk.writable", mount in stuck), ("disk.latency", mount in refused))
                if there
            ),
            values={
                "place": place(mount, str(roles.get(mount) or "")),
                "why": "The system stopped writing there after an error, to protect your files"
                if error
                else "It was opened for reading only, and nothing says that this is meant",
            },
            explains=(
                *((f"disk.failing:{mount}",) if own_words and error else ()),
                *(("updates.*", "system.services") if roles.get(mount) in OWN else ()),
            ),
            severity=Severity.HIGH if roles.get(mount) in OWN else Severity.MEDIUM,
        )


def failing(evidence: Evidence) -> Iterable[Match]:
    """One match for each disk that reports faults; its volumes' troubles are its consequences."""
    on_disk: dict[str, list[str]] = {}
    for row in evidence.items("disk.writable", "volumes"):
        if row.get("disk") and row.get("mount"):
            on_disk.setdefault(row["disk"], []).append(row["mount"])
    for row in evidence.items("disk.health", "disks"):
        if row.get("state") != "failing":
            continue
        counted = "file_system_errors" in row
        mounts = on_disk.get(row.get("disk", ""), [])
        yield Match(
            subject=row.get("mount") or (mounts[0] if mounts else row.get("disk")),
            confidence=0.75 if counted else 0.97,
            evidence=("disk.health",),
            values={"why": row.get("why") or "it reports faults", "disk": row.get("disk", "")},
            explains=tuple(f"{cause}:{mount}" for cause in ("disk.read_only", "disk.slow") for mount in mounts)
            if not counted
            else (),
            severity=Severity.MEDIUM if counted else Severity.CRITICAL,
        )


def slow(evidence: Evidence) -> Iterable[Match]:
    """One match for each volume that writes too slowly."""
    for row in _volumes(evidence, "disk.latency", "slow"):
        how = str(row.get("how_slow") or "very long for one small file")
        yield Match(
            subject=row["mount"], confidence=0.85, evidence=("disk.latency",), values={"how": how, "place": _place(row)}
        )


def memory_exhausted(evidence: Evidence) -> Iterable[Match]:
    """Hardly any memory left, or everything waits for it."""
    if evidence.failed("memory.available"):
        who = [f"{row['program']} ({size(row['bytes'])})" for row in evidence.items("memory.available", "largest")]
        yield Match(
            confidence=0.92,
            evidence=("memory.available",),
            values={
                "left": size(evidence.number("memory.available", "available_bytes") or 0),
                "total": size(evidence.number("memory.available", "total_bytes") or 0),
                "who": f" Most of it is used by {listed(who)}." if who else "",
            },
        )


def processor_saturated(evidence: Evidence) -> Iterable[Match]:
    """Nothing left of the processor."""
    if evidence.failed("processor.use"):
        who = [f"{row['program']} ({row['percent']:.0f} %)" for row in evidence.items("processor.use", "busiest")]
        load, cores = evidence.number("processor.use", "load_1_min"), evidence.number("processor.use", "cores")
        # Computers are busy at times, and it passes: it is worth more than a line only when it has lasted.
        lasting = load is not None and cores is not None and load >= LASTING_LOAD * cores
        yield Match(
            confidence=0.85,
            severity=Severity.MEDIUM if lasting else None,
            evidence=("processor.use",),
            values={
                "used": f"{evidence.number('processor.use', 'used_percent') or 0:.0f}",
                "who": f" Most of it goes to {listed(who)}." if who else "",
            },
        )


def battery_worn(evidence: Evidence) -> Iterable[Match]:
    """One match for each battery that has lost much of its capacity."""
    for row in evidence.items("battery.health", "batteries"):
        if row.get("state") == "worn":
            cycles = f" It has been charged {row['cycles']} times." if row.get("cycles") else ""
            yield Match(
                subject=row.get("name"),
                confidence=0.9,
                evidence=("battery.health",),
                values={"left": row["health_percent"], "cycles": cycles},
            )


def restart_pending(evidence: Evidence) -> Iterable[Match]:
    """The system asks for a restart."""
    if evidence.failed("system.restart"):
        reasons = [str(one) for one in evidence.measure("system.restart", "reasons") or ()]
        yield Match(confidence=0.95, evidence=("system.restart",), values={"why": listed(reasons) or "updates need it"})


def overheating(evidence: Evidence) -> Iterable[Match]:
    """A sensor at its limit, or a processor slowed down for heat."""
    if not evidence.failed("system.temperature"):
        return
    for row in evidence.items("system.temperature", "sensors"):
        if row.get("state") == "hot":
            yield Match(
                confidence=0.9,
                evidence=("system.temperature",),
                values={
                    "how": f"It has slowed itself down by {row['slowed_percent']} % to cool"
                    if row.get("slowed_percent")
                    else f"It measures {row['now_celsius']:.0f} °C, and its limit is {row['critical_celsius']:.0f} °C"
                },
            )
            return  # one hot machine, however many sensors say so


def updates_failing(evidence: Evidence) -> Iterable[Match]:
    """The last installation of updates failed."""
    if evidence.failed("updates.install"):
        failed = [str(one) for one in evidence.measure("updates.install", "failed") or ()]
        code, why = evidence.measure("updates.install", "code"), evidence.measure("updates.install", "why")
        details = "; ".join(str(one) for one in (why, f"code {code}" if code else None) if one)
        yield Match(
            confidence=0.85,
            evidence=("updates.install",),
            values={"what": listed(failed) or "an update", "details": f" ({details})" if details else ""},
        )


CAUSES: Final[tuple[Cause, ...]] = (
    Cause(
        id="disk.failing",
        severity=Severity.CRITICAL,
        tier=Tier.L3,
        title="The disk {disk} reports faults",
        explanation="A disk of this computer is not well: {why}. Files on it may get lost.",
        advice="Copy important files to another place now, and tell your IT department today. Do not wait for it to get better.",
        holds=failing,
        articles=("deleted-file-recovery", "slow-file-open"),
    ),
    Cause(
        id="disk.read_only",
        severity=Severity.HIGH,
        tier=Tier.L2,
        title="Nothing can be saved on {place}",
        explanation="{why}. What is there can be read, but not changed.",
        advice="Save open work in another place, then restart the computer once. If it stays like this, tell your IT department.",
        holds=read_only,
        articles=("usb-drive", "file-share"),
    ),
    Cause(
        id="disk.full",
        severity=Severity.MEDIUM,
        tier=Tier.L1,
        title="The disk is full: {left} {place}",
        explanation="{numbers}. {effect}.",
        advice="{advice}",
        holds=full,
        articles=("disk-full", "updates-failing"),
        fixes=("disk.free_space", "disk.empty_trash", "files.find_large", "settings.storage"),
    ),
    Cause(
        id="disk.inodes_exhausted",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="No new files fit on {place}",
        explanation="There is space left, but the disk can hold only a fixed number of files, and {left} of {total} are left.",
        advice="Delete folders with very many small files, such as caches. If you do not know which, ask your IT department.",
        holds=inodes_exhausted,
        articles=("disk-full",),
        fixes=("disk.free_space", "disk.empty_trash"),
    ),
    Cause(
        id="disk.slow",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="Saving and opening are very slow on {place}",
        explanation="It took very long there: {how}. A hundredth of a second and many MB per second are normal.",
        advice="Let large copies and backups finish, then check again. If it stays slow, tell your IT department.",
        holds=slow,
        articles=("slow-file-open", "slow-computer"),
    ),
    Cause(
        id="memory.exhausted",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="The memory is used up",
        explanation="Only {left} of {total} can still be used, so everything gets slow and programs may close.{who}",
        advice="Save your work, then close programs and browser tabs that you do not need. A restart clears the memory completely.",
        holds=memory_exhausted,
        explains=("processor.saturated", "processor.use", "disk.slow", "disk.latency"),
        articles=("memory-full", "slow-computer"),
        fixes=("programs.restart",),
    ),
    Cause(
        id="system.overheating",
        severity=Severity.HIGH,
        tier=Tier.L1,
        title="The computer is too hot",
        explanation="{how}. It works slower to protect itself, and may switch itself off.",
        advice="Put it on a hard, flat surface, keep its air slots free and close heavy programs. If it stays hot, tell IT.",
        holds=overheating,
        explains=("processor.saturated", "processor.use"),
        articles=("overheating-fan", "slow-computer"),
        fixes=("settings.power",),
    ),
    Cause(
        id="processor.saturated",
        severity=Severity.LOW,
        tier=Tier.L1,
        title="The processor is fully busy",
        explanation="{used} % of the computing power is in use, so everything else has to wait.{who}",
        advice="Let it finish if you know what it is doing; otherwise close that program and open it again.",
        holds=processor_saturated,
        articles=("slow-computer",),
        fixes=("programs.restart", "settings.updates"),
    ),
    Cause(
        id="updates.failing",
        severity=Severity.MEDIUM,
        tier=Tier.L2,
        title="Updates cannot be installed",
        explanation="The last try to install {what} failed{details}. Until this is solved, known faults stay open.",
        advice="Restart the computer and let it update once more. If it fails again, tell your IT department.",
        holds=updates_failing,
        articles=("updates-failing",),
        fixes=("updates.install", "settings.updates"),
    ),
    Cause(
        id="system.restart_pending",
        severity=Severity.LOW,
        tier=Tier.L1,
        title="The computer needs a restart",
        explanation="A restart is waiting, because {why}. Until then some programs may not work as they should.",
        advice="Save your work and restart the computer when it suits you.",
        holds=restart_pending,
        articles=("restart-pending",),
        fixes=("system.restart", "settings.power"),
    ),
    Cause(
        id="battery.worn",
        severity=Severity.LOW,
        tier=Tier.L2,
        title="The battery is worn out",
        explanation="The battery holds only {left} % of what it held when it was new.{cycles} It runs empty quickly.",
        advice="Keep the charger with you, and ask your IT department for a new battery.",
        holds=battery_worn,
        articles=("battery-charging",),
        fixes=("settings.power",),
    ),
)
