"""One Deskside per user and session: a second start hands its wish to the first and ends. Knows no Qt.

A lock file says who is first; the operating system releases it when the process ends, however it ends. A local socket
carries one line from the second to the first, which watches the socket with its own event loop: no thread, no polling. On
Linux and macOS it is a Unix socket that only this user can open. On Windows, where Python has none, it is a port on the
loopback address, and a file that only this user can read holds its number and a password.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from client.errors import StorageFault, UsageError
from client.platform.paths import ensure_folder

LONGEST_LINE: Final = 200  # bytes; the longest wish is an article's id
WAIT_S: Final = 2.0  # the first instance may be busy painting, but it does answer
_RECEIVE_S: Final = 0.5  # a sender has its line ready; whoever only holds the line open must not hold up the window
_SOCKET_PATH_LIMIT: Final = 100  # sun_path takes 104 bytes on macOS, 108 on Linux
_ANSWER: Final = b"ok\n"
SIGN_IN: Final = "sign-in"  # what another process says to the first instance after it has signed in or out


class SingleInstance:
    """The claim to be the only one. Claim once, then either serve the others' wishes or hand over one's own.

    Args:
        folder: a folder of this user's, for the lock and the socket.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._listener: socket.socket | None = None
        self._password = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def claim(self) -> bool:
        """Whether we are the first. If so the socket is open, whatever a crashed predecessor left behind.

        Raises:
            StorageFault: the folder cannot be written to.
        """
        ensure_folder(self._folder)
        try:
            lock = os.open(self._folder / "instance.lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise StorageFault(
                f"Deskside may not write to its folder {self._folder}.", hint="Allow writing there."
            ) from error
        if not _lock(lock):
            os.close(lock)
            return False
        self._lock = lock
        self._listen()
        return True

    @property
    def fileno(self) -> int:
        """The listening socket, for the event loop to watch; call `receive` when it is readable. -1: there is none."""
        return -1 if self._listener is None else self._listener.fileno()

    def receive(self) -> str | None:
        """What another start wishes for: one line without its end. None when it said nothing that can be used."""
        if self._listener is None:
            return None
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it has gone away again
            return None
        with connection:
            try:
                line = _read_line(connection, limit=LONGEST_LINE + len(self._password) + 1, deadline_s=_RECEIVE_S)
                if self._password:
                    given, _, line = line.partition(b" ")
                    if not _same(given, self._password):
                        return None
                text = line.decode("utf-8").strip()
                connection.sendall(_ANSWER)
            except (OSError, UnicodeDecodeError):
                return None
        return text if text and text.isprintable() else None

    def send(self, line: str) -> bool:
        """Hands a wish to the first instance. True when it has taken it; False when it did not answer.

        Raises:
            UsageError: the line is too long or not one line.
        """
        words = line.encode()
        if len(words) > LONGEST_LINE or not line.isprintable():
            raise UsageError("That cannot be handed to the running Deskside.")
        with contextlib.suppress(OSError, ValueError), self._connect() as connection:
            password = f"{self._read_port()[1]} ".encode() if sys.platform == "win32" else b""
            connection.sendall(password + words + b"\n")
            return _read_line(connection, limit=len(_ANSWER), deadline_s=WAIT_S) == _ANSWER.strip()
        return False

    def close(self) -> None:
        """Gives the claim up and takes the socket away. May be called twice."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            with contextlib.suppress(OSError):
                (self._port_file if sys.platform == "win32" else self._socket_path).unlink()
        if self._lock is not None:
            os.close(self._lock)  # releases the lock; the file stays, since removing it would let two claim it
            self._lock = None

    @property
    def _socket_path(self) -> Path:
        return self._folder / "instance.socket"

    @property
    def _port_file(self) -> Path:
        return self._folder / "instance.port"

    def _listen(self) -> None:
        """Opens the socket. Whoever cannot is still the only one: others then cannot open its window, and that is all."""
        try:
            self._listener = self._listen_on_port() if sys.platform == "win32" else self._listen_on_path()
        except OSError:
            self._listener = None

    def _listen_on_path(self) -> socket.socket:
        with contextlib.suppress(FileNotFoundError):
            self._socket_path.unlink()  # we hold the lock, so it is a dead one's
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(0o177)
            try:
                listener.bind(_short(self._socket_path))
            finally:
                os.umask(before)
            listener.listen(8)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener

    def _listen_on_port(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0), backlog=8)
        listener.setblocking(False)
        self._password = os.urandom(16).hex().encode()
        fresh = self._port_file.with_suffix(".new")
        fresh.write_text(f"{listener.getsockname()[1]} {self._password.decode()}", encoding="ascii")
        fresh.replace(self._port_file)
        return listener

    def _read_port(self) -> tuple[int, str]:
        port, _, password = self._port_file.read_text(encoding="ascii").partition(" ")
        return int(port), password

    def _connect(self) -> socket.socket:
        if sys.platform == "win32":
            return socket.create_connection(("127.0.0.1", self._read_port()[0]), timeout=WAIT_S)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(WAIT_S)
        try:
            connection.connect(_short(self._socket_path))
        except OSError:
            connection.close()
            raise
        return connection


def instance_folder(state: Path) -> Path:
    """Where the lock and the socket go: the session's runtime folder where there is one, else the user's state folder.

    The runtime folder is the session's own, is emptied at log-out and lies on this machine even when the home is a network
    share, on which locks are not to be trusted. It is used only when it is this user's alone, as its specification demands.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if sys.platform == "linux" and Path(runtime).is_absolute():
        with contextlib.suppress(OSError):
            about = Path(runtime).stat()
            if about.st_uid == os.getuid() and not about.st_mode & 0o077 and os.access(runtime, os.W_OK):
                return Path(runtime) / "deskside"
    return state


def _same(given: bytes, password: bytes) -> bool:
    import hmac  # noqa: PLC0415 -- Windows only, and the others start faster without

    return hmac.compare_digest(given, password)


def _lock(file: int) -> bool:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 -- exists on Windows only

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415 -- exists everywhere else

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: better two instances than none
        return True
    return True


def _short(path: Path) -> str:
    """The path as a socket's address takes it: relative to the current folder when it is too long.

    Raises:
        OSError: it is too long either way.
    """
    candidates = (str(path), os.path.relpath(path))
    for one in candidates:
        if len(os.fsencode(one)) <= _SOCKET_PATH_LIMIT:
            return one
    raise OSError("the path is too long for a socket")


def _read_line(connection: socket.socket, *, limit: int, deadline_s: float) -> bytes:
    """One line without its end, at most `limit` bytes, all of it within `deadline_s` even when it comes byte by byte.

    Raises:
        OSError: it is longer, was cut off, or took too long.
    """
    line = b""
    ends = time.monotonic() + deadline_s
    while not line.endswith(b"\n"):
        left = ends - time.monotonic()
        if len(line) > limit or left <= 0:
            raise OSError("the line is too long, or too slow")
        connection.settimeout(left)
        more = connection.recv(limit + 1)
        if not more:
            raise OSError("the line was cut off")
        line += more
    return line[:-1]
