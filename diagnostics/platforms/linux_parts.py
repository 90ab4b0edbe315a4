"""What Linux writes about the machine, read: pure functions over the text of /proc, /sys and of the system's own tools.

Formats: proc(5), Documentation/accounting/psi.rst, Documentation/ABI/testing/sysfs-class-power, lpstat(1), dpkg(1), smartctl(8).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from diagnostics.platforms.parts import Battery, Crash, DiskHealth, Memory, Printer, Sound, UpdateState
from diagnostics.platforms.shape import dig, items, mapping, mappings, text, whole

HALF_DONE: Final = frozenset({"half-installed", "half-configured", "unpacked"})
MANY_SECTORS: Final = 10  # single unreadable sectors come and go over a disk's life
BEYOND_HEAT: Final = 0b1101  # NVMe: spare blocks used up, unreliable, gone read-only; bit 1 is only heat
PACKED: Final = 1_000_000  # raw values above are several numbers packed into one, in the maker's own way
_STANZA = re.compile(r"^Package: (\S+)\nStatus: \S+ \S+ (\S+)$", re.MULTILINE)


def parse_meminfo(text: str, *, arc_bytes: int = 0) -> Memory:
    """Memory from /proc/meminfo (which says kB and means KiB). `arc_bytes` is cache of ZFS, which Linux counts as taken."""
    numbers = {name: int(value) * 1024 for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    # Kernels before 3.14 have no MemAvailable; what they call free and cached comes close enough.
    guess = numbers.get("MemFree", 0) + numbers.get("Cached", 0) + numbers.get("Buffers", 0)
    total = numbers.get("MemTotal", 0)
    return Memory(
        total_bytes=total,
        available_bytes=min(total, numbers.get("MemAvailable", guess) + arc_bytes),
        swap_total_bytes=numbers.get("SwapTotal", 0),
        swap_free_bytes=numbers.get("SwapFree", 0),
    )


def parse_arcstats(text: str) -> int:
    """Bytes of the ZFS cache that it gives back when programs need them: its size above its minimum."""
    numbers = {name: int(value) for name, value in re.findall(r"^(\w+)\s+\d+\s+(\d+)$", text, re.MULTILINE)}
    return max(0, numbers.get("size", 0) - numbers.get("c_min", 0))


def parse_pressure(text: str) -> tuple[float | None, float | None]:
    """(some, full) in percent of the last ten seconds from a file of /proc/pressure; None where the line is missing."""
    found = {kind: float(value) for kind, value in re.findall(r"^(some|full) avg10=([\d.]+)", text, re.MULTILINE)}
    return found.get("some"), found.get("full")


def parse_battery(name: str, files: dict[str, str]) -> Battery | None:
    """A battery from the files of its folder in /sys/class/power_supply; None for a charger, a mouse or an empty bay."""
    kind, scope = files.get("type", "").strip(), files.get("scope", "").strip()
    if kind != "Battery" or scope == "Device" or files.get("present", "1").strip() == "0":
        return None

    def number(*names: str) -> float:
        for one in names:
            try:
                found = float(files[one].strip())
            except (KeyError, ValueError):
                continue
            if isfinite(found):
                return found
        return 0.0

    energy = number("energy_full_design") > 0
    cycles = int(number("cycle_count"))
    return Battery(
        name=name,
        full=number("energy_full") if energy else number("charge_full"),
        design=number("energy_full_design") if energy else number("charge_full_design"),
        charge_percent=number("capacity") if "capacity" in files else None,
        state=files.get("status", "").strip().lower(),
        cycles=cycles if cycles > 0 else None,  # firmware that does not count says 0
    )


def parse_failed_units(text: str) -> tuple[str, ...]:
    """Names from `systemctl list-units --state=failed --plain --no-legend`, without the word "service"."""
    # Older versions put a mark in front of what has failed.
    names = [next((word for word in line.split() if "." in word), "") for line in text.splitlines()]
    return tuple(name.removesuffix(".service") for name in names if name)


def parse_unit_results(text: str) -> tuple[tuple[str, str], ...]:
    """(unit, result) of every loaded unit from `systemctl show -p Id,LoadState,Result`; "success" is the good one."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in block.splitlines())
        if fields.get("LoadState") == "loaded" and fields.get("Id"):
            found.append((fields["Id"].removesuffix(".service"), fields.get("Result", "")))
    return tuple(found)


def half_done_packages(status: str) -> tuple[str, ...]:
    """Packages that dpkg began and could not finish, from /var/lib/dpkg/status."""
    return tuple(name for name, state in _STANZA.findall(status) if state in HALF_DONE)


def last_apt_error(history: str) -> tuple[str, str] | None:
    """(start, error) when the last thing that apt did failed, from /var/log/apt/history.log; None when it went well."""
    blocks = [block for block in re.split(r"\n\s*\n", history.strip()) if block.startswith("Start-Date:")]
    if not blocks:
        return None
    fields = dict(line.partition(": ")[::2] for line in blocks[-1].splitlines())
    error = fields.get("Error", "").strip()
    return (" ".join(fields["Start-Date"].split()), error) if error else None


def last_unattended_errors(log: str) -> tuple[str, ...]:
    """The errors of the last run in unattended-upgrades.log, oldest first; empty when it went well."""
    lines = log.splitlines()
    starts = [index for index, line in enumerate(lines) if "Starting unattended upgrades script" in line]
    last = lines[starts[-1] :] if starts else lines
    return tuple(match[1].strip() for line in last if (match := re.match(r"^[\d-]+ [\d:,]+ ERROR (.+)$", line)))


def update_failure(*, packages: str, history: str, log: str, units: Iterable[tuple[str, str]]) -> UpdateState:
    """What went wrong with the last updates, the surest sign first; a state without failures when nothing did.

    Args:
        packages: /var/lib/dpkg/status. history: apt's. log: of unattended-upgrades. units: what `parse_unit_results` gave.
    """
    if half := half_done_packages(packages):
        return UpdateState(failed=half, why="the installation was interrupted")
    if errors := last_unattended_errors(log):
        return UpdateState(failed=("automatic updates",), why=errors[-1][:200])
    if error := last_apt_error(history):
        return UpdateState(failed=("the last package",), why=error[1][:200], since=error[0])
    failed = tuple(unit for unit, result in units if result not in {"success", ""})
    return UpdateState(failed=failed, why="the update service ended with an error") if failed else UpdateState()


def parse_lpstat(text: str, *, now: datetime) -> tuple[Printer, ...]:
    """Queues and their jobs from `lpstat -d -p -o` in the C locale.

    Args:
        now: local time without a zone, as lpstat writes the times of jobs.
    """
    default, found = "", {}
    reasons: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        if line.startswith("system default destination: "):
            default = line.rpartition(": ")[2].strip()
        elif match := re.match(r"^printer (\S+) (is idle|now printing|disabled)", line):
            current = match[1]
            found[current] = {"is idle": "idle", "now printing": "printing", "disabled": "stopped"}[match[2]]
        elif line[:1] in {"\t", " "} and current and line.strip() and current not in reasons:
            reasons[current] = line.strip()
        else:
            current = ""
    jobs: dict[str, list[float]] = {name: [] for name in found}
    for line in text.splitlines():
        if (match := re.match(r"^(\S+)-(\d+)\s+\S+\s+\d+\s+(\S.*)$", line)) and match[1] in jobs:
            jobs[match[1]].append(_age(match[3], now))
    return tuple(
        Printer(
            name=name,
            state=state,
            reason="" if reasons.get(name, "").startswith("reason unknown") else reasons.get(name, ""),
            jobs=len(jobs[name]),
            oldest_job_s=max(jobs[name], default=None),
            is_default=name == default,
        )
        for name, state in found.items()
    )


def _age(stamp: str, now: datetime) -> float:
    for form in ("%a %b %d %H:%M:%S %Y", "%a %d %b %Y %I:%M:%S %p %Z", "%a %d %b %Y %H:%M:%S %Z"):
        try:
            return max(0.0, (now - datetime.strptime(stamp, form).replace(tzinfo=None)).total_seconds())  # noqa: DTZ007 -- local on both sides
        except ValueError:
            continue
    return 0.0


def parse_pactl(sinks: str, sources: str, *, default_sink: str) -> Sound:
    """Sound devices from `pactl --format=json list sinks` and `... list sources`; monitors of outputs are no microphones."""
    outputs, muted = [], None
    for one in _json_list(sinks):
        if one.get("name") == "auto_null":  # what the sound server offers when there is nothing
            continue
        outputs.append(str(one.get("description") or one.get("name") or "?"))
        if one.get("name") == default_sink:
            levels = [text(dig(channel, "value_percent")) for channel in mapping(one.get("volume")).values()]
            muted = one.get("mute") is True or (bool(levels) and all(level == "0%" for level in levels))
    inputs = [
        str(one.get("description") or one.get("name") or "?")
        for one in _json_list(sources)
        if not one.get("monitor_source") and not str(one.get("name", "")).endswith(".monitor")
    ]
    return Sound(outputs=tuple(outputs), inputs=tuple(inputs), muted=muted)


def parse_asound_pcm(text: str) -> Sound:
    """Sound devices from /proc/asound/pcm, where no sound server can be asked."""
    outputs, inputs = [], []
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(":")]
        if len(fields) > 2:  # noqa: PLR2004 -- number, id, name, then what it can
            outputs += [fields[2] or fields[1]] if any(field.startswith("playback") for field in fields[3:]) else []
            inputs += [fields[2] or fields[1]] if any(field.startswith("capture") for field in fields[3:]) else []
    return Sound(outputs=tuple(outputs), inputs=tuple(inputs))


def crashes_of(names: Iterable[tuple[str, datetime | None]], *, now: datetime, days: int = 7) -> tuple[Crash, ...]:
    """Crashed programs from the file names of /var/crash (apport) and /var/lib/systemd/coredump, the most frequent first.

    Args:
        names: each file's name and when it was changed; the names of systemd's files carry their own time.
    """
    times: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    for name, changed in names:
        when = changed
        if match := re.match(r"^core\.(.+)\.\d+\.[0-9a-f]{32}\.\d+\.(\d{13,})(?:\.\w+)?$", name):
            program, when = match[1], datetime.fromtimestamp(int(match[2]) / 1e6, UTC)
        elif match := re.match(r"^(_.+)\.\d+\.crash$", name):
            program = match[1].rpartition("_")[2]
        else:
            continue
        if when is None or not timedelta(0) <= now - when <= timedelta(days=days):
            continue
        times[program] += 1
        last[program] = max(when, last.get(program, when))
    return tuple(
        Crash(program=program, times=count, last=last[program].strftime("%Y-%m-%dT%H:%M:%SZ"))
        for program, count in times.most_common(20)
    )


def natural(version: str) -> tuple[tuple[int, int | str], ...]:
    """A key that sorts version numbers as people do: 6.1.0-9 before 6.1.0-13."""
    return tuple((1, int(part)) if part.isdigit() else (0, part) for part in re.findall(r"\d+|[a-z]+", version.lower()))


def parse_smart(disk: str, told_text: str) -> DiskHealth:
    """One disk's verdict from `smartctl --json`: its own, attributes that have failed, unreadable sectors, wear."""
    try:
        told = mapping(json.loads(told_text))
    except ValueError:
        return DiskHealth(disk=disk, state="unknown")
    passed = dig(told, "smart_status", "passed")
    nvme = mapping(told.get("nvme_smart_health_information_log"))
    attributes = {whole(one.get("id")): one for one in mappings(dig(told, "ata_smart_attributes", "table"))}
    pending, unreadable = _raw(attributes, 197), _raw(attributes, 198)
    numbers = {
        "reallocated_sectors": _raw(attributes, 5),
        "pending_sectors": pending,
        "unreadable_sectors": unreadable,
        "media_errors": whole(nvme.get("media_errors")),
        "wear_percent": whole(nvme.get("percentage_used")),
        "temperature_celsius": whole(dig(told, "temperature", "current")),
        "power_on_hours": whole(dig(told, "power_on_time", "hours")),
    }
    failed_now = [
        text(one.get("name"), "?")
        for one in attributes.values()
        if one.get("when_failed") == "now" and dig(one, "flags", "prefailure") is True
    ]
    lost = max(pending or 0, unreadable or 0)
    why = ""
    if passed is False:
        why = "the disk itself expects to fail"
    elif failed_now:
        why = f"the disk reports a failed value ({failed_now[0]})"
    elif (whole(nvme.get("critical_warning")) or 0) & BEYOND_HEAT:
        why = "the disk reports that it is no longer reliable"
    elif lost >= MANY_SECTORS:
        why = f"{lost} places of the disk can no longer be read"
    state = "failing" if why else "ok" if passed is True else "unknown"
    return DiskHealth(
        disk=disk, state=state, why=why, numbers={name: value for name, value in numbers.items() if value is not None}
    )


def parse_udisks(told_text: str) -> tuple[DiskHealth, ...]:
    """Every disk's verdict from udisks' GetManagedObjects as `busctl --json=short` prints it: SMART for ordinary users."""
    try:
        objects = mapping(next(iter(items(mapping(json.loads(told_text)).get("data"))), None))
    except ValueError:
        return ()
    drives = {path: mapping(faces) for path, faces in objects.items() if "/drives/" in path}
    names: dict[str, str] = {}
    for path, faces in objects.items():
        drive = text(_value(dig(faces, "org.freedesktop.UDisks2.Block"), "Drive"))
        if drive in drives and "org.freedesktop.UDisks2.Partition" not in mapping(faces):
            names.setdefault(drive, path.rpartition("/")[2])
    found = []
    for path, faces in drives.items():
        disk = names.get(path, path.rpartition("/")[2])
        ata, nvme = faces.get("org.freedesktop.UDisks2.Drive.Ata"), faces.get("org.freedesktop.UDisks2.NVMe.Controller")
        if _value(ata, "SmartEnabled") and _value(ata, "SmartUpdated"):
            failing, bad = bool(_value(ata, "SmartFailing")), whole(_value(ata, "SmartNumBadSectors"))
            numbers = {"bad_sectors": bad} if bad is not None and bad >= 0 else {}
            why = "the disk itself expects to fail" if failing else ""
            found.append(DiskHealth(disk=disk, state="failing" if failing else "ok", why=why, numbers=numbers))
        elif _value(nvme, "SmartUpdated"):
            worries = [one for one in items(_value(nvme, "SmartCriticalWarning")) if one != "temperature"]
            why = "the disk reports that it is no longer reliable" if worries else ""
            found.append(DiskHealth(disk=disk, state="failing" if worries else "ok", why=why))
    return tuple(found)


def _value(face: object, name: str) -> Any:
    return dig(face, name, "data")


def _raw(attributes: dict[int | None, Any], attribute: int) -> int | None:
    value = whole(dig(attributes.get(attribute), "raw", "value"))
    return value if value is not None and value < PACKED else None


def _json_list(told_text: str) -> list[dict[str, Any]]:
    try:
        return mappings(json.loads(told_text or "[]"))
    except ValueError:
        return []
