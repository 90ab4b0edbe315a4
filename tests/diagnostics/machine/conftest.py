"""A machine made of a dictionary: files, programs and numbers that a test writes down, behind the real seam's methods."""

# ruff: noqa: ARG002, ASYNC109 -- the methods take what the real ones take

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from diagnostics.gauges import CpuTimes, DiskTimes, MemoryNumbers
from diagnostics.model import Outcome
from diagnostics.probe import Probe, Ran, Space
from diagnostics.registry import Context, load
from diagnostics.targets import Targets

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeMachine(Probe):
    """A machine on which only what is given exists; asking it costs no time, and `sleep` only counts."""

    def __init__(self, platform: str = "linux", **environment: str) -> None:
        super().__init__(environment={"HOME": "/home/anna", **environment})
        self._platform = platform
        self.files: dict[str, str] = {}
        self.raw: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.stamps: dict[str, datetime] = {}
        self.programs: dict[str, Ran | str] = {}
        self.spaces: dict[str, Space | OSError | None] = {}
        self.disks: dict[str, DiskTimes | OSError | None] = {}
        self.writable: set[str] = set()
        self.large: dict[str, bool] = {}
        self.running: list[tuple] = [()]
        self.cpu = [CpuTimes(total_s=0, idle_s=0), CpuTimes(total_s=2, idle_s=2)]
        self.own = 0.0
        self.load: float | None = 0.1
        self.up_s = 3600.0
        self.memory = MemoryNumbers(
            total_bytes=16 << 30, available_bytes=8 << 30, swap_total_bytes=0, swap_free_bytes=0
        )
        self.keys: dict[str, dict[str, object]] = {}
        self.parts: tuple = ()
        self.asked: list[tuple[str, ...]] = []
        self.slept = 0.0

    @property
    def platform(self) -> str:
        return self._platform

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds

    async def run(self, argv, timeout: float = 4.0) -> Ran:
        self.asked.append(tuple(argv))
        for words in (" ".join(argv), argv[0].rpartition("/")[2]):
            if words in self.programs:
                answer = self.programs[words]
                return Ran(code=0, out=answer) if isinstance(answer, str) else answer
        return Ran(code=None, missing=True)

    def find_program(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if any(key.split()[0] == name for key in self.programs) else None

    async def read_text(self, path, *, limit_bytes: int = 0) -> str:
        if str(path) not in self.files:
            raise FileNotFoundError(str(path))
        return self.files[str(path)]

    async def read_bytes(self, path: str, *, limit_bytes: int = 0) -> bytes:
        if path not in self.raw:
            raise FileNotFoundError(path)
        return self.raw[path]

    async def read_tail(self, path: str, *, limit_bytes: int) -> str:
        return await self.read_text(path)

    async def exists(self, path) -> bool:
        return any(
            known == str(path) or known.startswith(f"{path}/") for known in (*self.files, *self.links, *self.stamps)
        )

    async def listdir(self, path) -> tuple[str, ...]:
        start = f"{path}".rstrip("/") + "/"
        known = (*self.files, *self.links, *self.stamps)
        return tuple(sorted({one[len(start) :].partition("/")[0] for one in known if one.startswith(start)}))

    async def readlink(self, path) -> str:
        return self.links.get(str(path), "")

    async def realpath(self, path: str) -> str:
        return self.links.get(path, path)

    async def modified(self, path: str) -> datetime | None:
        return self.stamps.get(path)

    async def space(self, path) -> Space:
        answer = self.spaces.get(str(path), Space(100 << 30, 50 << 30, 1000, 900, read_only=False, used_bytes=50 << 30))
        if answer is None:
            await asyncio.Event().wait()  # a mount that hangs
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def may_write(self, folder: str) -> bool:
        return folder in self.writable

    async def time_disk(self, folder: str, *, count: int, budget_s: float, large: bool = True) -> DiskTimes:
        self.large[folder] = large
        answer = self.disks.get(folder, DiskTimes(write_s=(0.002, 0.003, 0.002)))
        if answer is None:
            await asyncio.Event().wait()  # a disk that hangs
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def processes(self) -> tuple:
        return self.running.pop(0) if len(self.running) > 1 else self.running[0]

    async def cpu_times(self) -> CpuTimes:
        return self.cpu.pop(0) if len(self.cpu) > 1 else self.cpu[0]

    def own_cpu_s(self) -> float:
        return self.own

    def cores(self) -> int:
        return 2

    async def load_average(self) -> float | None:
        return self.load

    async def uptime_s(self) -> float:
        return self.up_s

    async def memory_numbers(self) -> MemoryNumbers:
        return self.memory

    async def partitions(self) -> tuple:
        return self.parts

    async def registry(self, key: str, *, hive: str = "machine"):
        return self.keys.get(key)

    async def registry_tree(self, key: str, *, hive: str = "machine"):
        start = f"{key}\\" if hive == "machine" else f"user:{key}\\"
        return {name[len(start) :]: values for name, values in self.keys.items() if name.startswith(start)}

    def hours_ago(self, hours: float) -> datetime:
        return NOW - timedelta(hours=hours)


@pytest.fixture
def machine() -> Callable[..., FakeMachine]:
    """Makes a machine: `machine()`, `machine("win32", SYSTEMDRIVE="C:")`."""
    return FakeMachine


@pytest.fixture
def look() -> Callable[..., Outcome]:
    """Runs one check by its id on a machine, as the runner does, without its deadline."""

    def run(check: str, on: FakeMachine, *, findings=None, targets: Targets | None = None) -> Outcome:
        by_id = {one.id: one for one in load()}
        context = Context(probe=on, targets=targets or Targets(), findings=findings or {})
        outcome = asyncio.run(by_id[check].run(context))
        assert msgspec.json.decode(msgspec.json.encode(outcome))["summary"].endswith(".")  # it goes through a pipe
        return outcome

    return run


@pytest.fixture
def root() -> None:
    """Ends the test where it cannot make real file systems."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root to mount file systems")
