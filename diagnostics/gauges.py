"""The part of the seam that reads the machine itself: programs, processor, memory, disks, the Windows registry.

`Gauges` is what `diagnostics.probe.Probe` inherits; a test replaces it together with the rest. Must not judge.
"""

from __future__ import annotations

import contextlib
import getpass
import importlib
import os
import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

WRITE_BYTES: Final = 4096  # one block: what every small save costs at least
LEAST_WRITES: Final = 3  # a middle value needs three; one slow write may be an accident
BULK_BYTES: Final = 512 * 1024  # long enough to see a thin line to the disk, short enough for a full one
BULK_WRITES: Final = 2

T = TypeVar("T")
Hive = Literal["machine", "user"]  # HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One running program: its name (never its arguments: they hold secrets), memory, and processor time used so far."""

    pid: int
    name: str
    rss_bytes: int = 0
    cpu_s: float = 0.0


class CpuTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds all processors together have spent since boot, and how many of these they had nothing to do."""

    total_s: float
    idle_s: float


class MemoryNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Main memory and swap in bytes."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int


class DiskTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that each small write and each small read took, and the throughput of a larger write (None: not measured)."""

    write_s: tuple[float, ...]
    read_s: tuple[float, ...] = ()
    bulk_bytes_per_s: float | None = None


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One mounted disk; `options` are words with commas: "rw,fixed", "ro,cdrom"."""

    device: str
    mount: str
    kind: str
    options: str = ""


class Gauges:
    """Readings of this machine. `in_thread` comes from the probe."""

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Runs a blocking call elsewhere."""
        raise NotImplementedError

    async def processes(self) -> tuple[Process, ...]:
        """Every running program that this user may see, but this one."""
        return await self.in_thread(_processes)

    async def cpu_times(self) -> CpuTimes:
        """How the processors have spent their time so far."""
        return await self.in_thread(_cpu_times)

    def own_cpu_s(self) -> float:
        """Processor seconds that this process and its ended children have used so far."""
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def architecture(self) -> str:
        """What programs are built for here: "x86_64", "arm64"."""
        return platform.machine()

    async def host_name(self) -> str:
        """What this computer is called."""
        return platform.node()

    async def user_name(self) -> str:
        """The account that this runs as; empty where it has no name."""
        return await self.in_thread(_user_name)

    def cores(self) -> int:
        """How many processors the system sees."""
        return os.cpu_count() or 1

    async def load_average(self) -> float | None:
        """Programs that ran or waited for a processor over the last minute; None where the system does not count them."""
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else None

    async def uptime_s(self) -> float:
        """Seconds since the system was started, sleep included where the system counts it."""
        return await self.in_thread(_uptime_s)

    async def memory_numbers(self) -> MemoryNumbers:
        """Main memory and swap."""
        return await self.in_thread(_memory_numbers)

    async def may_write(self, folder: str) -> bool:
        """Whether this user may make files in a folder."""
        return await self.in_thread(lambda: os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK))  # noqa: PTH112 -- text in

    async def time_disk(self, folder: str, *, count: int, budget_s: float, large: bool = True) -> DiskTimes:
        """How long small writes, small reads and a larger write take in a folder, until they are really on (or from) the disk.

        The file has no name where the system can do that, and is gone in any case. Three small writes are made however long
        they take (bound it from outside), everything else only while it fits into `budget_s`; the larger write, half a
        megabyte, only if `large`.

        Raises:
            OSError: the volume does not take it.
        """
        return await self.in_thread(lambda: _time_disk(folder, count, budget_s, large=large))

    async def realpath(self, path: str) -> str:
        """A path with every link followed."""
        return await self.in_thread(lambda: os.path.realpath(path))

    async def modified(self, path: str) -> datetime | None:
        """When a file was last changed, UTC; None where there is none."""

        def stamp() -> datetime | None:
            try:
                return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
            except (OSError, ValueError, OverflowError):
                return None

        return await self.in_thread(stamp)

    async def read_bytes(self, path: str, *, limit_bytes: int = 4_000_000) -> bytes:
        """The bytes of a file, at most `limit_bytes`.

        Raises:
            OSError: there is none, or it may not be read.
        """

        def read() -> bytes:
            with Path(path).open("rb") as file:
                return file.read(limit_bytes)

        return await self.in_thread(read)

    async def read_tail(self, path: str, *, limit_bytes: int) -> str:
        """The last `limit_bytes` of a text file, from a line's beginning.

        Raises:
            OSError: there is none, or it may not be read.
        """

        def read() -> str:
            with Path(path).open("rb") as file:
                length = file.seek(0, os.SEEK_END)
                file.seek(max(0, length - limit_bytes))
                text = file.read(limit_bytes).decode("utf-8", "replace")
                return text if length <= limit_bytes else text.partition("\n")[2]

        return await self.in_thread(read)

    async def partitions(self) -> tuple[Partition, ...]:
        """The mounted disks as psutil sees them (Windows, where no table of mounts can be read)."""
        return await self.in_thread(_partitions)

    async def registry(self, key: str, *, hive: Hive = "machine") -> dict[str, Any] | None:
        """The values of a key of the Windows registry; None where there is no such key (or no registry)."""
        return await self.in_thread(lambda: _registry_values(key, hive))

    async def registry_tree(self, key: str, *, hive: Hive = "machine") -> dict[str, dict[str, Any]]:
        """The values of every key directly below a key of the registry, by name; empty where there is no such key."""
        return await self.in_thread(
            lambda: {name: _registry_values(rf"{key}\{name}", hive) or {} for name in _registry_keys(key, hive)}
        )


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number without a name
        return ""


def _processes() -> tuple[Process, ...]:
    import psutil  # noqa: PLC0415 -- 15 ms that only a check run pays

    found = []
    for one in psutil.process_iter():
        if one.pid == os.getpid():
            continue
        # One that has ended meanwhile, is somebody else's, or that the system will not tell about, costs only itself.
        with contextlib.suppress(psutil.Error, OSError):
            with one.oneshot():
                name, memory, times = one.name(), 0, 0.0
                with contextlib.suppress(psutil.Error, OSError):
                    memory, spent = one.memory_info().rss, one.cpu_times()
                    times = spent.user + spent.system
            found.append(Process(pid=one.pid, name=name or "?", rss_bytes=memory, cpu_s=times))
    return tuple(found)


def _cpu_times() -> CpuTimes:
    import psutil  # noqa: PLC0415 -- as above

    now = psutil.cpu_times()
    # On Linux a guest's time is part of the user's already, and waiting for a disk is having nothing to compute.
    total = sum(now) - getattr(now, "guest", 0.0) - getattr(now, "guest_nice", 0.0)
    return CpuTimes(total_s=total, idle_s=now.idle + getattr(now, "iowait", 0.0))


def _partitions() -> tuple[Partition, ...]:
    import psutil  # noqa: PLC0415 -- as above

    return tuple(
        Partition(device=one.device, mount=one.mountpoint, kind=one.fstype, options=one.opts)
        for one in psutil.disk_partitions(all=False)
    )


def _uptime_s() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux: not moved by setting the clock, unlike the time of boot
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    import psutil  # noqa: PLC0415 -- as above

    return time.time() - psutil.boot_time()


def _memory_numbers() -> MemoryNumbers:
    import psutil  # noqa: PLC0415 -- as above

    memory = psutil.virtual_memory()
    total, free = 0, 0
    with contextlib.suppress(OSError, RuntimeError):  # Windows with its performance counters switched off
        swap = psutil.swap_memory()
        total, free = swap.total, swap.free
    return MemoryNumbers(
        total_bytes=memory.total, available_bytes=memory.available, swap_total_bytes=total, swap_free_bytes=free
    )


def _time_disk(folder: str, count: int, budget_s: float, *, large: bool) -> DiskTimes:
    file = _nameless(folder)
    try:
        writes: list[float] = []
        while len(writes) < count and (len(writes) < LEAST_WRITES or sum(writes) < budget_s):
            writes.append(_timed(partial(_write, file, WRITE_BYTES, at=len(writes) * WRITE_BYTES)))
        if sum(writes) >= budget_s:
            return DiskTimes(write_s=tuple(writes))
        reads = [_timed(partial(_read, file, at=number * WRITE_BYTES)) for number in range(len(writes))]
        bulk: list[float] = []
        with contextlib.suppress(OSError):  # too little space for the larger write: what was measured stands
            for number in range(BULK_WRITES if large else 0):
                if sum(writes) + sum(reads) + sum(bulk) < budget_s:
                    bulk.append(_timed(partial(_write, file, BULK_BYTES, at=number * BULK_BYTES)))
        return DiskTimes(
            write_s=tuple(writes), read_s=tuple(reads), bulk_bytes_per_s=BULK_BYTES / min(bulk) if bulk else None
        )
    finally:
        os.close(file)


def _timed(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _write(file: int, length: int, *, at: int) -> None:
    os.lseek(file, at, os.SEEK_SET)
    os.write(file, os.urandom(length))
    os.fsync(file)


def _read(file: int, *, at: int) -> None:
    """Reads one block; where the system can be told to forget what it has in memory, the disk has to answer."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    os.lseek(file, at, os.SEEK_SET)
    os.read(file, WRITE_BYTES)


def _nameless(folder: str) -> int:
    """A file without a name, so that nothing stays behind, not even after a crash; elsewhere one that is removed at once."""
    if hasattr(os, "O_TMPFILE"):
        with contextlib.suppress(OSError):  # file systems that cannot do it answer EOPNOTSUPP, EISDIR or EINVAL
            return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    if hasattr(os, "O_TEMPORARY"):
        name = os.path.join(folder, f".deskside-{os.getpid()}-{time.monotonic_ns()}.tmp")  # noqa: PTH118 -- text in, text out
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TEMPORARY | getattr(os, "O_BINARY", 0))
    file, name = tempfile.mkstemp(prefix=".deskside-", dir=folder)
    os.unlink(name)  # noqa: PTH108 -- text in
    return file


def _winreg() -> Any:
    """The module that reads the registry, None where there is none: it exists on Windows only."""
    try:
        return importlib.import_module("winreg")
    except ImportError:
        return None


def _open_key(winreg: Any, key: str, hive: Hive) -> Any:
    root = winreg.HKEY_CURRENT_USER if hive == "user" else winreg.HKEY_LOCAL_MACHINE
    return winreg.OpenKey(root, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)


def _registry_values(key: str, hive: Hive) -> dict[str, Any] | None:
    winreg = _winreg()
    if winreg is None:
        return None
    values: dict[str, Any] = {}
    try:
        with _open_key(winreg, key, hive) as handle:
            for index in range(winreg.QueryInfoKey(handle)[1]):
                name, value, _ = winreg.EnumValue(handle, index)
                values[name] = value
    except OSError:
        return None
    return values


def _registry_keys(key: str, hive: Hive) -> tuple[str, ...]:
    winreg = _winreg()
    if winreg is None:
        return ()
    try:
        with _open_key(winreg, key, hive) as handle:
            return tuple(winreg.EnumKey(handle, index) for index in range(winreg.QueryInfoKey(handle)[0]))
    except OSError:
        return ()
