"""A computer that is only pretended: commands answer from a table, files are those of a temporary home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from client.fixes.execute import Fixes
from client.fixes.machine import Completed, Policy, Privileged, Process
from diagnostics.model import Finding, Report, Status

HOUR_NS = 3600 * 10**9


class Pretended:
    """Stands in for `client.fixes.machine.Machine`. `answers` maps the beginning of a command to its output or an error."""

    def __init__(self, home: Path, platform: str = "linux", **environment: str) -> None:
        self.platform = platform
        self.home = home
        self.root = home.parent / "root"
        self.uid = home.stat().st_uid
        self.environment: Mapping[str, str] = environment
        self.answers: dict[tuple[str, ...], str | Completed | Exception | Callable[[], Completed]] = {}
        self.installed: set[str] = set()
        self.files: dict[str, str] = {}
        self.running: set[str] = set()
        self.ran: list[tuple[str, ...]] = []
        self.started: list[tuple[str, ...]] = []
        self.opened: list[str] = []
        self.bin = (0, 0)
        self.ahead_ns = 2 * HOUR_NS  # what a test has just written is two hours old
        self.state = home.parent / "undo"
        self.policy = Policy()
        self.helper: Privileged | None = None
        self.alive: list[Process] = []
        self.thrown: list[str] = []

    def now_ns(self) -> int:
        return time.time_ns() + self.ahead_ns

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.installed else None

    async def run(self, argv: Sequence[str], *, deadline_s: float) -> Completed:  # noqa: ARG002 -- nothing here takes time
        words = (argv[0].rsplit("/", 1)[-1], *argv[1:])
        self.ran.append(words)
        for begin, answer in self.answers.items():
            if words[: len(begin)] == begin:
                if isinstance(answer, Exception):
                    raise answer
                if isinstance(answer, str):
                    return Completed(code=0, out=answer)
                return answer if isinstance(answer, Completed) else answer()
        return Completed(code=0)

    async def run_apart(self, argv, *, environment, folder, handle, deadline_s) -> Completed:  # noqa: ARG002
        return await self.run(argv, deadline_s=deadline_s)

    def processes(self, watch_s: float) -> tuple[Process, ...]:  # noqa: ARG002 -- nothing here takes time
        return tuple(self.alive)

    def signal(self, process: Process, *, force: bool) -> bool:
        if process not in self.alive:
            return False
        if force or "deaf" not in process.name:
            self.alive.remove(process)
        return True

    def throw_away(self, path: str) -> None:
        self.thrown.append(path)

    async def start(self, argv: Sequence[str]) -> None:
        self.started.append(tuple(argv))

    def open_address(self, address: str) -> None:
        self.opened.append(address)

    def read(self, path: str) -> str | None:
        return self.files.get(path)

    def exists(self, path: str) -> bool:
        return path in self.files

    def programs(self) -> frozenset[str]:
        return frozenset(self.running)

    def bin_contents(self) -> tuple[int, int]:
        return self.bin

    def empty_bin(self) -> None:
        self.bin = (0, 0)


@pytest.fixture
def pretended() -> type[Pretended]:
    return Pretended


@pytest.fixture
def machine(tmp_path: Path) -> Pretended:
    return Pretended(tmp_path / "home")


@pytest.fixture
def report() -> Callable[..., Report]:
    """report("disk.space", "failed", ...): a report with these findings, made just now."""

    def make(*pairs: tuple[str, str], started_at: str = "") -> Report:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        findings = tuple(
            Finding(check=check, area=check.split(".")[0], status=Status(status), summary=f"{check} is {status}.")
            for check, status in pairs
        )
        return Report(
            tool="deskside test", started_at=started_at or now, duration_ms=1, platform="linux", findings=findings
        )

    return make


RESOLVED = "/run/systemd/resolve/stub-resolv.conf"


class Desk:
    """Fixes over a pretended computer whose checks answer what the test says."""

    def __init__(self, machine, folder: Path, report) -> None:
        self.machine, self.folder, self.report = machine, folder, report
        self.asked: list[tuple[str, ...]] = []
        self.before = report(("dns.resolvers", "failed"), ("internet.https", "failed"), ("disk.space", "ok"))
        self.after = report(("dns.resolvers", "ok"), ("internet.https", "ok"))
        self.fixes = self.make()
        machine.files[RESOLVED] = ""
        machine.installed.add("resolvectl")

    def make(self, *, allowed=("*",)) -> Fixes:
        return Fixes(
            folder=self.folder, allowed=allowed, check=self.check, last_report=lambda: self.before, machine=self.machine
        )

    async def check(self, ids):
        self.asked.append(tuple(ids))
        if isinstance(self.after, Exception):
            raise self.after
        return self.after

    def plan(self, id="dns.flush_cache"):
        return asyncio.run(self.fixes.plan(id))

    def run(self, plan, **more):
        return asyncio.run(self.fixes.run(plan, **more))

    def turn_wifi_off(self) -> None:
        """Wi-Fi is off, and this user may switch it on."""
        self.machine.installed.add("nmcli")
        self.machine.answers["nmcli", "--terse", "--fields", "RUNNING,NETWORKING,WIFI-HW,WIFI", "general"] = (
            "running:enabled:enabled:disabled\n"
        )
        names = ("network-control", "enable-disable-wifi")
        self.machine.answers["nmcli", "--terse", "general", "permissions"] = "".join(
            f"org.freedesktop.NetworkManager.{n}:yes\n" for n in names
        )
        self.machine.answers["nmcli", "--terse", "--fields", "DEVICE,TYPE,STATE", "device"] = (
            "wlp3s0:wifi:unavailable\n"
        )


@pytest.fixture
def desk(machine, tmp_path, report) -> Desk:
    return Desk(machine, tmp_path / "state", report)
