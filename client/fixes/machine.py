"""The seam to this computer: what an action may use of it. A test puts another one in its place and nothing is touched.

Files inside the employee's own folders are the exception: `client.fixes.tree` works on the real ones, and tests give it a
folder of their own through `home` and `environment`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

LONGEST_OUTPUT: Final = 256 * 1024  # bytes kept of what a command prints; none of ours prints more than some KB
END_PATIENCE_S: Final = 2.0  # between asking a command to end and making it
START_WATCH_S: Final = 0.7  # a program that cannot start says so within this time
SYSTEM_PATH: Final = "/usr/bin:/usr/sbin:/bin:/sbin:/usr/local/bin"
SMALL_FILE: Final = 1024 * 1024


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended. `code` is negative when a signal ended it."""

    code: int
    out: str = ""
    err: str = ""


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A mounted file system: where, and of what type ("ext4")."""

    path: Path
    kind: str


class Machine(Protocol):
    """What actions may use. `platform` is `sys.platform`, `uid` 0 on Windows, `root` the top of the system's own folders."""

    platform: str
    environment: Mapping[str, str]
    home: Path
    root: Path
    uid: int

    def now_ns(self) -> int:
        """Nanoseconds since 1970, the clock that file times are made with."""

    def which(self, name: str) -> str | None:
        """Where a program is, the system's own folders first; None where it is not."""

    async def run(self, argv: Sequence[str], *, deadline_s: float) -> Completed:
        """Runs a command without a shell and without input; its words are English.

        Raises:
            OSError: it could not be started.
            TimeoutError: it did not end in time and was ended.
        """

    async def start(self, argv: Sequence[str]) -> None:
        """Starts a program that outlives us, such as a settings window.

        Raises:
            OSError: it could not be started, or ended at once with a fault.
        """

    def open_address(self, address: str) -> None:
        """Opens an address such as "ms-settings:sound" with the program the system has for it (Windows).

        Raises:
            OSError: there is none.
        """

    def read(self, path: str) -> str | None:
        """A small text file of the system; None where there is none or it cannot be read."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file, folder or socket."""

    def programs(self) -> frozenset[str]:
        """The names of everything that runs, in small letters, without ".exe"."""

    def bin_contents(self) -> tuple[int, int]:
        """How many things the Windows recycle bin holds, and their bytes.

        Raises:
            OSError: it cannot be asked.
        """

    def empty_bin(self) -> None:
        """Empties the Windows recycle bin of every drive.

        Raises:
            OSError: it did not work.
        """


class Local:
    """The real thing. Takes the environment and home of this process."""

    def __init__(self) -> None:
        self.platform = sys.platform
        self.environment: Mapping[str, str] = dict(os.environ)
        self.home = Path.home()
        self.root = Path(self.home.anchor)
        self.uid = 0 if sys.platform == "win32" else os.getuid()

    def now_ns(self) -> int:
        """As `Machine` says."""
        return time.time_ns()

    def which(self, name: str) -> str | None:
        """As `Machine` says."""
        if self.platform == "win32":
            system = Path(self.environment.get("SYSTEMROOT", r"C:\Windows"), "System32")
            return shutil.which(name, path=str(system)) or shutil.which(name)
        return shutil.which(name, path=SYSTEM_PATH) or shutil.which(name, path=self.environment.get("PATH"))

    async def run(self, argv: Sequence[str], *, deadline_s: float) -> Completed:
        """As `Machine` says."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**self.environment, "LC_ALL": "C", "LANGUAGE": "C"},
        )
        try:
            async with asyncio.timeout(deadline_s):
                out, err = await process.communicate()
        finally:
            await _end(process)
        return Completed(code=process.returncode or 0, out=_text(out), err=_text(err))

    async def start(self, argv: Sequence[str]) -> None:
        """As `Machine` says."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=self.platform != "win32",
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_WATCH_S):
                if await process.wait():
                    raise OSError(f"{argv[0]} ended at once with code {process.returncode}")

    def open_address(self, address: str) -> None:
        """As `Machine` says."""
        if sys.platform == "win32":
            os.startfile(address)  # noqa: S606 -- the address is one of our own table
        else:
            raise OSError("only Windows opens addresses this way")

    def read(self, path: str) -> str | None:
        """As `Machine` says."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123 -- also for /proc, whose files have no size
                return file.read(SMALL_FILE).decode("utf-8", "surrogateescape")
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """As `Machine` says."""
        return Path(path).exists()

    def programs(self) -> frozenset[str]:
        """As `Machine` says."""
        import psutil  # noqa: PLC0415 -- not needed at rest

        names: set[str] = set()
        for process in psutil.process_iter():
            # A process that has ended, or that Windows lets nobody ask, is no program of ours to wait for.
            with contextlib.suppress(psutil.Error, OSError):
                names.add(process.name().lower().removesuffix(".exe"))
        return frozenset(names)

    def bin_contents(self) -> tuple[int, int]:
        """As `Machine` says."""
        from client.fixes import recycle_bin  # noqa: PLC0415 -- Windows only

        return recycle_bin.contents()

    def empty_bin(self) -> None:
        """As `Machine` says."""
        from client.fixes import recycle_bin  # noqa: PLC0415 -- Windows only

        recycle_bin.empty()


def mounts(machine: Machine) -> tuple[Mount, ...]:
    """Every mounted file system of a Linux machine, in the order they were mounted; empty elsewhere."""
    found = []
    for line in (machine.read("/proc/self/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(" "), right.split(" ")
        if len(fields) > 4 and kinds[0]:  # noqa: PLR2004 -- the mount point is the fifth field (proc(5))
            found.append(Mount(path=Path(_unescape(fields[4])), kind=kinds[0]))
    return tuple(found)


def _unescape(field: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(code, character)
    return field


def _text(data: bytes) -> str:
    return data[:LONGEST_OUTPUT].decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends a command that is still running, whatever stopped us from waiting for it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    waiting = asyncio.ensure_future(process.wait())
    await asyncio.wait([waiting], timeout=END_PATIENCE_S)
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await waiting
