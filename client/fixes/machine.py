"""The seam to this computer: what an action may use of it. A test puts another one in its place and nothing is touched.

Files inside the employee's own folders are the exception: `client.fixes.tree` works on the real ones, and tests give it a
folder of their own through `home` and `environment`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
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
CHUNK: Final = 64 * 1024


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended. `code` is negative when a signal ended it."""

    code: int
    out: str = ""
    err: str = ""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Something that runs.

    Attributes:
        pid, started: together they are one process; `started` in seconds since 1970.
        uid: whose it is; on Windows 0 for this user's and -1 for others'.
        argv: how it was started; empty where nobody tells.
        cpu_percent: of one processor core, over the time it was watched.
        memory_bytes: what it holds alone.
        stuck: why it is thought to hang, in words; empty where it is not.
    """

    pid: int
    started: float
    parent: int
    uid: int
    name: str
    argv: tuple[str, ...]
    folder: str
    cpu_percent: float
    memory_bytes: int
    stuck: str = ""


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A mounted file system: where, and of what type ("ext4")."""

    path: Path
    kind: str


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What IT has set that actions go by. Only what is locked for everybody belongs here.

    Attributes:
        proxy: "system", "none" or an address, as `network.proxy`.
        no_proxy: hosts that are reached directly.
        file_servers: hosts of the company's file services.
        scripts: the folder with IT's own scripts; empty: there are none.
    """

    proxy: str = "system"
    no_proxy: tuple[str, ...] = ()
    file_servers: tuple[str, ...] = ()
    scripts: str = ""


class Privileged(Protocol):
    """The small helper that does what only an administrator may, where IT has installed it."""

    def offers(self) -> frozenset[str]:
        """The ids of what it does ("clock.sync"); empty where it is not installed or does not answer. Cheap."""

    async def call(self, id: str, parameters: Mapping[str, str], *, deadline_s: float) -> str:
        """Has it done, and gives what was done in a sentence.

        Raises:
            ActionFault: it refused, or it did not work; the message is for the employee.
            OSError: it cannot be reached.
            TimeoutError: it did not answer in time.
        """


class Machine(Protocol):
    """What actions may use.

    `platform` is `sys.platform`, `uid` 0 on Windows, `root` the top of the system's own folders, `state` a folder of Deskside's
    own that outlives it, `helper` None where it is not installed.
    """

    platform: str
    environment: Mapping[str, str]
    home: Path
    root: Path
    state: Path
    uid: int
    policy: Policy
    helper: Privileged | None

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

    async def run_apart(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, handle: int | None, deadline_s: float
    ) -> Completed:
        """Runs a command that knows nothing of ours, and that takes everything it has started along when it ends.

        Args:
            environment: all the variables it gets.
            folder: where it starts.
            handle: an open file that it inherits under the same number; None: none.

        Raises:
            OSError, TimeoutError: as `run`.
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

    def processes(self, watch_s: float) -> tuple[Process, ...]:
        """What runs, watched for some seconds to see what it uses."""

    def signal(self, process: Process, *, force: bool) -> bool:
        """Asks a process to end, or makes it; False when it has ended already, or is another one by now.

        Raises:
            OSError: this user may not.
        """

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

    def throw_away(self, path: str) -> None:
        """Moves a file into the Windows recycle bin.

        Raises:
            OSError: it did not work.
        """


class Local:
    """The real thing. Takes the environment and home of this process.

    Args:
        state: a folder of Deskside's own for what an undo needs.
        policy: what IT has set.
        helper: the privileged helper, where it is installed.
    """

    def __init__(
        self, *, state: Path | None = None, policy: Policy | None = None, helper: Privileged | None = None
    ) -> None:
        self.policy = policy or Policy()
        self.helper = helper
        self.platform = sys.platform
        self.environment: Mapping[str, str] = dict(os.environ)
        self.home = Path.home()
        self.root = Path(self.home.anchor)
        self.state = state or self.home / ".deskside"
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

    async def run_apart(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: str, handle: int | None, deadline_s: float
    ) -> Completed:
        """As `Machine` says."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            pass_fds=() if handle is None else (handle,),
            start_new_session=self.platform != "win32",
        )
        try:
            async with asyncio.timeout(deadline_s):
                out, err, _ = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr), process.wait())
        finally:
            if self.platform != "win32":
                _end_family(process.pid)
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

    def processes(self, watch_s: float) -> tuple[Process, ...]:
        """As `Machine` says."""
        from client.fixes import process  # noqa: PLC0415 -- brings psutil, which is not needed at rest

        return process.watched(watch_s)

    def signal(self, process: Process, *, force: bool) -> bool:
        """As `Machine` says."""
        from client.fixes.process import signal  # noqa: PLC0415 -- as above

        return signal(process, force=force)

    def bin_contents(self) -> tuple[int, int]:
        """As `Machine` says."""
        from client.fixes import recycle_bin  # noqa: PLC0415 -- Windows only

        return recycle_bin.contents()

    def empty_bin(self) -> None:
        """As `Machine` says."""
        from client.fixes import recycle_bin  # noqa: PLC0415 -- Windows only

        recycle_bin.empty()

    def throw_away(self, path: str) -> None:
        """As `Machine` says."""
        from client.fixes import recycle_bin  # noqa: PLC0415 -- Windows only

        recycle_bin.throw_away(path)


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


async def _bounded(stream: asyncio.StreamReader | None) -> bytes:
    """The beginning of what a stream brings; the rest is read and forgotten, so that a talkative program does not hang."""
    kept = b""
    while stream is not None and (chunk := await stream.read(CHUNK)):
        kept += chunk[: max(0, LONGEST_OUTPUT - len(kept))]
    return kept


def _end_family(leader: int) -> None:
    """Makes everything end that a command has started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


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
