"""Disks and volumes of a Linux machine: which there are, where this user may write on them, what they say about their health."""

from __future__ import annotations

import asyncio
import re
from typing import Final, cast

from diagnostics.platforms import linux_parts as parse
from diagnostics.platforms.linux_volumes import Disk, Mount, holding, parse_fstab, parse_mountinfo
from diagnostics.platforms.linux_volumes import volumes as pick
from diagnostics.platforms.parts import DiskHealth, Protection
from diagnostics.platforms.volumes import Role, Volume
from diagnostics.probe import Probe

NO_DISKS: Final = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "zd")
SMART_TIMEOUT_S: Final = 2.5
FOLDERS_TO_TRY: Final = 20  # folders below a volume's top that are tried for a place to write
LAYERS: Final = 5  # encryption on a volume group on a mirror on a partition


async def volumes(probe: Probe) -> tuple[Volume, ...]:
    """The volumes that can hold an employee's files; looked up once per run."""
    return cast("tuple[Volume, ...]", await probe.once("linux.volumes", lambda: _volumes(probe)))


async def _mounts(probe: Probe) -> tuple[Mount, ...]:
    async def read() -> tuple[Mount, ...]:
        return parse_mountinfo(await probe.read_text("/proc/self/mountinfo"))

    return cast("tuple[Mount, ...]", await probe.once("linux.mounts", read))


async def _volumes(probe: Probe) -> tuple[Volume, ...]:
    mounts, fstab, image_based = await asyncio.gather(
        _mounts(probe), probe.read_text_or("/etc/fstab"), probe.exists("/run/ostree-booted")
    )
    wanted = {
        one.device: one.source for one in mounts if one.source.startswith("/dev/") or not one.device.startswith("0:")
    }
    disks = await asyncio.gather(*(_disk(probe, device, source) for device, source in wanted.items()))
    return pick(
        mounts,
        home=_home(probe),
        fstab=parse_fstab(fstab),
        disks=dict(zip(wanted, disks, strict=True)),
        image_based=image_based,
    )


def _home(probe: Probe) -> str:
    return probe.environment.get("HOME", "").rstrip("/") or "/"


async def _disk(probe: Probe, device: str, source: str) -> Disk:
    """The disk that carries a device: a partition's whole disk, through the layers of encryption and volume groups."""
    path = await _block_path(probe, device, source)
    for _ in range(LAYERS):
        whole = path.partition("/block/")[2].partition("/")[0]
        if not whole:
            return Disk()
        below = await probe.listdir(f"/sys/class/block/{whole}/slaves")
        if not below:
            removable, protected = await asyncio.gather(
                probe.read_text_or(f"/sys/class/block/{whole}/removable"),
                probe.read_text_or(f"/sys/class/block/{whole}/ro"),
            )
            return Disk(
                name=whole,
                removable=removable.strip() == "1" or "/usb" in path,
                write_protected=protected.strip() == "1",
            )
        path = await probe.readlink(f"/sys/class/block/{below[0]}")
    return Disk()


async def _block_path(probe: Probe, device: str, source: str) -> str:
    """Where the kernel keeps a block device, "../../devices/.../block/sda/sda1"; empty when it is none."""
    if path := await probe.readlink(f"/sys/dev/block/{device}"):
        return path
    if not source.startswith("/dev/"):
        return ""
    name = (await probe.realpath(source)).rpartition("/")[2]  # btrfs has a device number of its own
    return await probe.readlink(f"/sys/class/block/{name}")


async def folder_to_write(probe: Probe, volume: Volume) -> str | None:
    """A folder on the volume in which this user may make a file for a moment, None where there is none."""
    points = [one.point for one in await _mounts(probe)]
    candidates = [_home(probe), "/var/tmp", "/tmp"] if volume.role in {Role.SYSTEM, Role.HOME} else []  # noqa: S108 -- only a nameless file is made
    candidates.append(volume.mount)
    for folder in candidates:
        if holding(folder, points) == volume.mount and await probe.may_write(folder):
            return folder
    for name in (await probe.listdir(volume.mount))[:FOLDERS_TO_TRY]:
        folder = f"{volume.mount.rstrip('/')}/{name}"
        if folder not in points and await probe.may_write(folder):
            return folder
    return None


async def disk_health(probe: Probe) -> tuple[DiskHealth, ...]:
    """SMART where it may be read, error counters of file systems, mirrors that lost a disk."""
    told = await asyncio.gather(_smart(probe), _file_systems(probe), _mirrors(probe))
    return tuple(one for group in told for one in group)


async def _smart(probe: Probe) -> tuple[DiskHealth, ...]:
    disks = [name for name in await probe.listdir("/sys/block") if not name.startswith(NO_DISKS)]
    if probe.find_program("smartctl") is not None:
        ran = await asyncio.gather(
            *(
                probe.run(
                    ["smartctl", "--json=c", "-n", "standby", "-i", "-H", "-A", f"/dev/{disk}"], timeout=SMART_TIMEOUT_S
                )
                for disk in disks
            )
        )
        told = tuple(parse.parse_smart(disk, one.out) for disk, one in zip(disks, ran, strict=True))
        if any(one.state != "unknown" for one in told):
            return told
    if probe.find_program("busctl") is not None:
        # udisks reads SMART with the rights of the system and tells every user the verdict.
        argv = ["busctl", "--json=short", "--timeout=2", "call", "org.freedesktop.UDisks2", "/org/freedesktop/UDisks2"]
        ran_once = await probe.run(
            [*argv, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"], timeout=SMART_TIMEOUT_S
        )
        if ran_once.fine:
            return parse.parse_udisks(ran_once.out)
    return ()


async def _file_systems(probe: Probe) -> tuple[DiskHealth, ...]:
    """Errors that the file systems have counted themselves, for the volumes that are mounted."""
    by_source: dict[str, str] = {}
    for volume in await volumes(probe):
        if volume.source.startswith("/dev/"):
            by_source.setdefault((await probe.realpath(volume.source)).rpartition("/")[2], volume.mount)
    found = []
    for name, mount in by_source.items():
        count = await _number(probe, f"/sys/fs/ext4/{name}/errors_count")
        if count:
            why = f"its file system has counted {count} {'error' if count == 1 else 'errors'}"
            found.append(
                DiskHealth(disk=name, mount=mount, state="failing", why=why, numbers={"file_system_errors": count})
            )
    for name in await probe.listdir("/sys/fs/btrfs"):
        for device in await probe.listdir(f"/sys/fs/btrfs/{name}/devinfo"):
            stats = await probe.read_text_or(f"/sys/fs/btrfs/{name}/devinfo/{device}/error_stats")
            count = sum(
                int(value) for value in re.findall(r"^(?:write|read|corruption)_errs (\d+)$", stats, re.MULTILINE)
            )
            on = [one for one in await probe.listdir(f"/sys/fs/btrfs/{name}/devices") if one in by_source]
            if count and on:
                why = f"its file system has counted {count} {'error' if count == 1 else 'errors'}"
                numbers = {"file_system_errors": count}
                found.append(DiskHealth(disk=on[0], mount=by_source[on[0]], state="failing", why=why, numbers=numbers))
    return tuple(found)


async def _mirrors(probe: Probe) -> tuple[DiskHealth, ...]:
    found = []
    for name in await probe.listdir("/sys/block"):
        if name.startswith("md") and (lost := await _number(probe, f"/sys/block/{name}/md/degraded")):
            why = f"it runs without {lost} of its disks"
            found.append(DiskHealth(disk=name, state="failing", why=why, numbers={"missing_disks": lost}))
    return tuple(found)


async def _number(probe: Probe, path: str) -> int:
    text = (await probe.read_text_or(path)).strip()
    return int(text) if text.isdigit() else 0


async def encryption(probe: Probe) -> Protection | None:
    """Whether any layer under the employee's files is encrypted; None where the files lie on no disk of this machine."""
    mounts = {one.point: one for one in await _mounts(probe)}
    mount = mounts.get(holding(_home(probe), mounts))
    path = await _block_path(probe, mount.device, mount.source) if mount else ""
    if not path or path.rpartition("/")[2].startswith(("loop", "zram")):
        return None
    for _ in range(LAYERS):
        name = path.rpartition("/")[2]
        if (await probe.read_text_or(f"/sys/class/block/{name}/dm/uuid")).startswith("CRYPT-"):
            return Protection(name="LUKS", on=True)
        below = await probe.listdir(f"/sys/class/block/{name}/slaves")
        if not below:
            return Protection(name="", on=False)
        path = await probe.readlink(f"/sys/class/block/{below[0]}")
    return None
