"""The seam to the machine. Checks and facts see files, programs, clocks, disks and the network through a `Probe` and nothing else.

A test replaces the whole machine by one object. Everything here is bounded from outside: a program is killed at its timeout, a
blocking call runs in a thread of its own that the run does not wait for. Must not judge: what a number means is a check's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from diagnostics.gauges import Gauges
from diagnostics.wire.connect import Attempt, connect_once
from diagnostics.wire.echo import Echoes, Hop, echo, echo_all, overhear, walk
from diagnostics.wire.lookup import Answer, ask
from diagnostics.wire.request import Request, Visit
from diagnostics.wire.sntp import ask_time
from diagnostics.wire.visit import visit

RUN_TIMEOUT_S: Final = 4.0  # a system's own tool that has not answered by then hangs; a check's own deadline is 5 s
TEXT_LIMIT_BYTES: Final = (
    4_000_000  # the longest file or output worth reading: logs are cut by their readers before that
)
QUIET_LOCALE: Final = {
    "LC_ALL": "C",
    "LANG": "C",
    "LANGUAGE": "C",
}  # so that parsers meet one language where the tool obeys

T = TypeVar("T")


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a program ended. `code` is None when it could not be started or was killed at its timeout; `missing` tells which."""

    code: int | None
    out: str = ""
    err: str = ""
    missing: bool = False
    timed_out: bool = False

    @property
    def fine(self) -> bool:
        """It ended by itself with code 0."""
        return self.code == 0


class Space(NamedTuple):
    """A volume's numbers, as statvfs gives them. `inodes_total` is 0 where the file system has no fixed number of them."""

    total_bytes: int
    free_bytes: int  # what an ordinary user may still write
    inodes_total: int
    inodes_free: int
    read_only: bool
    used_bytes: int = 0  # what is kept back for the system is neither used nor free


class Probe(Gauges):
    """The real machine. One per run: what it has looked up once (a name's addresses) it remembers for the run.

    Args:
        environment: the environment variables that count, os.environ where not given.
    """

    def __init__(self, *, environment: Mapping[str, str] | None = None) -> None:
        self.environment: Mapping[str, str] = dict(os.environ if environment is None else environment)
        self._memory: dict[object, asyncio.Future[Any]] = {}

    # --- this program's surroundings

    @property
    def platform(self) -> str:
        """`sys.platform`: "linux", "darwin" or "win32"."""
        return sys.platform

    def is_root(self) -> bool:
        """Whether this process may do everything (on Windows: never claimed)."""
        return hasattr(os, "geteuid") and os.geteuid() == 0

    def now(self) -> datetime:
        """The wall clock of this computer, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    async def once(self, key: object, make: Callable[[], Awaitable[T]]) -> T:
        """What the coroutine function `make` gives, made once per run for each `key`; everyone else waits for the same one.

        The work is a task of its own: one impatient caller that is cancelled does not spoil it for the others.
        """
        if key not in self._memory:
            self._memory[key] = asyncio.ensure_future(make())
        kept: asyncio.Future[T] = self._memory[key]
        return await asyncio.shield(kept)

    # --- programs

    async def run(self, argv: Sequence[str], timeout: float = RUN_TIMEOUT_S) -> Ran:  # noqa: ASYNC109 -- the program is killed, not the task
        """Runs a program with fixed arguments (no shell), in the C locale, without input; kills it after `timeout` seconds.

        Never raises for what the program does: a missing program is `missing`, a hanging one `timed_out`.
        """
        return await self.in_thread(lambda: _run(tuple(argv), timeout, dict(self.environment)))

    def find_program(self, name: str) -> str | None:
        """A program's full path on the search path or in the administrators' folders; None when it is not installed."""
        return shutil.which(
            name, path=os.pathsep.join((self.environment.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
        )

    async def in_thread(self, function: Callable[[], T]) -> T:
        """The result of a blocking call, made in a daemon thread of its own: one that hangs costs nothing but its thread."""
        return await in_daemon_thread(function)

    # --- files and disks

    async def read_text(self, path: str | Path, *, limit_bytes: int = TEXT_LIMIT_BYTES) -> str:
        """The text of a file, at most `limit_bytes` of it; bytes that are not UTF-8 become replacement characters.

        Raises:
            OSError: there is none, or it may not be read.
        """

        def read() -> str:
            with Path(path).open("rb") as file:
                return file.read(limit_bytes).decode("utf-8", "replace")

        return await self.in_thread(read)

    async def read_text_or(self, path: str | Path, default: str = "") -> str:
        """As `read_text`, but `default` where it cannot be read."""
        try:
            return await self.read_text(path)
        except OSError:
            return default

    async def exists(self, path: str | Path) -> bool:
        """Whether something is there."""
        return await self.in_thread(lambda: os.path.lexists(path))

    async def listdir(self, path: str | Path) -> tuple[str, ...]:
        """The names in a folder, sorted; empty where it is missing or may not be read."""

        def names() -> tuple[str, ...]:
            try:
                return tuple(sorted(os.listdir(path)))  # noqa: PTH208 -- names are wanted, not paths
            except OSError:
                return ()

        return await self.in_thread(names)

    async def readlink(self, path: str | Path) -> str:
        """Where a link points, "" when it is none."""

        def target() -> str:
            try:
                return os.readlink(path)  # noqa: PTH115 -- text is wanted, not a path
            except OSError:
                return ""

        return await self.in_thread(target)

    async def space(self, path: str | Path) -> Space:
        """A volume's size, free space and inodes. A dead network mount hangs here: bound it with a timeout.

        Raises:
            OSError: it cannot be asked.
        """
        return await self.in_thread(lambda: _space(str(path)))

    # --- the network

    async def connect(
        self,
        address: str,
        port: int,
        *,
        within: float,
        device: str = "",
    ) -> Attempt:
        """One TCP connection to one address (never a name), closed again. Never raises.

        Args:
            within: seconds.
            device: only through this network interface (Linux), to see what a route that is not preferred would do.
        """
        return await connect_once(address, port, within=within, device=device)

    async def ask(
        self,
        server: str,
        name: str,
        kind: str = "A",
        *,
        within: float,
        port: int = 53,
        device: str = "",
    ) -> Answer:
        """One DNS question to one resolver, asked again when a packet may have been lost. Never raises."""
        return await ask(server, name, kind, within=within, port=port, device=device)

    async def visit(self, request: Request) -> Visit:
        """One HTTP(S) request over one connection, its phases timed apart, its certificate kept as evidence. Never raises."""
        return await visit(request)

    async def echo(
        self, address: str, *, count: int, interval: float, wait: float, size: int = 56, device: str = ""
    ) -> Echoes:
        """Pings an address as far as this system lets an ordinary user; `allowed` is False where it does not. Never raises.

        Args:
            interval: seconds between two. wait: seconds for the last answer.
            size: bytes of payload; the packet is 28 (IPv6: 48) bytes longer and must not be fragmented.
        """
        return await echo(address, count=count, interval=interval, wait=wait, size=size, device=device, run=self.run)

    async def echo_all(self, group: str, device: str, *, wait: float) -> tuple[str, ...]:
        """Who answers a ping to an IPv6 group on one adapter's cable. Empty where pinging is not allowed. Never raises."""
        return await echo_all(group, device, wait=wait)

    async def overhear(self, device: str, guesses: tuple[str, ...], *, wait: float) -> tuple[str, ...]:
        """Which IPv4 addresses others on an adapter's cable use (Linux, administrators only; else empty). Never raises."""
        return await overhear(device, guesses, wait=wait)

    async def walk(self, address: str, *, hops: int, wait: float) -> tuple[Hop, ...]:
        """Who answers for packets that may go 1, 2, ... `hops` steps towards an address (Linux; elsewhere empty). Never raises."""
        return await walk(address, hops=hops, wait=wait)

    async def ask_time(self, server: str, *, within: float, port: int = 123) -> float | None:
        """How many seconds this computer's clock is ahead of an SNTP server's, None when it does not answer."""
        return await ask_time(server, within=within, port=port)

    async def system_lookup(self, name: str, *, within: float) -> tuple[str, ...]:
        """A name's addresses as the operating system sees them; empty when it does not know within `within` seconds."""
        import socket  # noqa: PLC0415 -- only this fallback needs it

        def look() -> tuple[str, ...]:
            try:
                return tuple(
                    dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
                )
            except (OSError, UnicodeError):
                return ()

        try:
            async with asyncio.timeout(within):
                return await self.in_thread(look)
        except TimeoutError:
            return ()


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """Runs a blocking function in a daemon thread of its own. A pool would fill up with calls that hang; this cannot."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # without an error it is a T

    def work() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = function()
        except BaseException as raised:  # noqa: BLE001 -- carried over to the waiting task, whatever it is
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, daemon=True, name="probe").start()
    return await future


def _run(argv: tuple[str, ...], timeout: float, environment: dict[str, str]) -> Ran:
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows: no console flashes up
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**environment, **QUIET_LOCALE},
            creationflags=flags,
        )
    except subprocess.TimeoutExpired as late:
        return Ran(code=None, out=_text(late.stdout), err=_text(late.stderr), timed_out=True)
    except OSError as error:
        return Ran(code=None, err=str(error), missing=isinstance(error, FileNotFoundError))
    return Ran(code=done.returncode, out=_text(done.stdout), err=_text(done.stderr))


def _text(raw: bytes | None) -> str:
    return (raw or b"")[:TEXT_LIMIT_BYTES].decode("utf-8", "replace")


def _space(path: str) -> Space:
    if sys.platform == "win32":
        usage = shutil.disk_usage(path)
        return Space(usage.total, usage.free, 0, 0, read_only=False, used_bytes=usage.used)
    got = os.statvfs(path)
    return Space(
        total_bytes=got.f_blocks * got.f_frsize,
        free_bytes=got.f_bavail * got.f_frsize,
        inodes_total=got.f_files,
        inodes_free=got.f_favail,
        read_only=bool(got.f_flag & os.ST_RDONLY),
        used_bytes=(got.f_blocks - got.f_bfree) * got.f_frsize,
    )
