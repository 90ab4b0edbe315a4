"""The embedded help desk's process: `python -m client.demo.server --folder DIR [--port N]`.

Listens on loopback only. Prints one line of JSON on stdout when it is ready (addresses, the agent's password, the employee's
token) and ends when its stdin closes or on SIGTERM. Everything it keeps is in DIR: database, files, secrets (mode 0600).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets as chance
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

HOST = "127.0.0.1"
GENEROUS_RATE = 1200  # requests a minute and employee: a person cannot reach it, a loop that has gone wrong can


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the desk until its parent goes away.

    Returns:
        0 when asked to end, 2 for wrong usage, 3 if it cannot start (one sentence on stderr).
    """
    parser = argparse.ArgumentParser(prog="python -m client.demo.server", description="Deskside's embedded help desk.")
    parser.add_argument("--folder", type=Path, required=True, help="where it keeps everything; made if missing")
    parser.add_argument("--port", type=port_number, default=0, help="on loopback; 0: the last one, or any free one")
    parser.add_argument("--rate", type=float, default=GENEROUS_RATE, help="requests a minute and employee; 0: no limit")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        lock = claim(given.folder)
    except OSError as error:
        return sorry(f"The folder {given.folder} cannot be used: {error.strerror or error}.")
    if lock is None:
        return sorry(f"Another help desk is running in {given.folder}.")
    try:
        return serve(given.folder.resolve(), port=given.port, rate=given.rate)
    except OSError as error:
        return sorry(f"The help desk cannot start: {error.strerror or error}.")
    finally:
        lock.close()


def port_number(text: str) -> int:
    """A TCP port, 0 for any.

    Raises:
        ValueError: it is none.
    """
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 -- what TCP has
        raise ValueError(text)
    return port


def sorry(sentence: str) -> int:
    """One sentence on stderr, and the exit code for a failed start."""
    print(sentence, file=sys.stderr)  # noqa: T201 -- a process's own voice
    return 3


def claim(folder: Path) -> IO[bytes] | None:
    """Takes the folder for this process; the operating system gives it back when the process ends, however it ends.

    Returns:
        The open lock, None if another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("files", "uploads"):
        (folder / name).mkdir(exist_ok=True, mode=0o700)
    lock = (folder / "lock").open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 -- exists on Windows only

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 -- exists elsewhere only

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def serve(folder: Path, *, port: int, rate: float) -> int:
    """Starts Django on a socket and serves until stdin closes or SIGTERM comes."""
    import django  # noqa: PLC0415 -- `--help` and a folder that is taken answer without it
    from django.conf import settings  # noqa: PLC0415 -- as above

    from client.demo.serving import Server  # noqa: PLC0415 -- as above
    from client.demo.settings import make_settings  # noqa: PLC0415 -- as above

    kept = recall(folder)
    try:
        server = Server((HOST, port or kept.port))
    except OSError:
        if port:
            raise
        server = Server((HOST, 0))
    url = f"http://{HOST}:{server.server_port}"
    settings.configure(**make_settings(folder, secret_key=kept.secret_key, base_url=url))
    django.setup()

    from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: PLC0415 -- needs django.setup()
    from django.core.management import call_command  # noqa: PLC0415 -- as above
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 -- as above
    from django.db import DatabaseError  # noqa: PLC0415 -- as above

    from client.demo import seed  # noqa: PLC0415 -- as above
    from client.demo.gate import Rate  # noqa: PLC0415 -- as above

    settings.DESKSIDE_RATE = Rate(rate)
    try:
        call_command("migrate", interactive=False, verbosity=0)
        seed.seed(agent_password=kept.agent_password, tokens=kept.tokens)
    except DatabaseError as error:
        raise OSError(f"its database in {folder} cannot be used ({error}); remove the folder to begin again") from error
    remember(folder, msgspec.structs.replace(kept, port=server.server_port))
    server.set_app(StaticFilesHandler(get_wsgi_application()))

    def end(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()  # shutdown waits for the loop, which a signal has interrupted

    stdin = sys.stdin.fileno()

    def wait_for_parent() -> None:
        # Not sys.stdin: a thread that sits in its buffer makes the interpreter abort when it ends for another reason.
        with contextlib.suppress(OSError):
            while os.read(stdin, 4096):
                pass
        end()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    threading.Thread(target=wait_for_parent, daemon=True).start()
    ready = {
        "url": url,
        "api": f"{url}/api/employee/v1",
        "agent_url": f"{url}/tickets/",
        "agent_user": seed.AGENT,
        "agent_password": kept.agent_password,
        "token": kept.tokens[0],
        "employee": " ".join(seed.EMPLOYEES[0][1:3]),
        "colleague": " ".join(seed.EMPLOYEES[1][1:3]),
        "colleague_token": kept.tokens[1],
        "pid": os.getpid(),
    }
    print(json.dumps(ready), flush=True)  # noqa: T201 -- the contract with the launcher
    server.serve_forever(poll_interval=0.5)
    server.server_close()
    return 0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder's `desk.json` holds, readable by its owner only: the same secrets and, where it is free, the same port."""

    secret_key: str
    agent_password: str
    tokens: tuple[str, str]
    port: int = 0


def recall(folder: Path) -> Kept:
    """The desk's secrets, made at the first start.

    Raises:
        OSError: the file cannot be read or makes no sense.
    """
    try:
        return msgspec.json.decode((folder / "desk.json").read_bytes(), type=Kept)
    except FileNotFoundError:
        made = Kept(
            secret_key=chance.token_urlsafe(48),
            agent_password=chance.token_urlsafe(12),
            tokens=(chance.token_urlsafe(24), chance.token_urlsafe(24)),
        )
        remember(folder, made)
        return made
    except msgspec.DecodeError as error:
        raise OSError(f"{folder / 'desk.json'} is damaged; remove the folder to begin again") from error


def remember(folder: Path, kept: Kept) -> None:
    """Replaces the file in one step, so that a crash leaves the old one or the new one."""
    new = folder / "desk.json.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(msgspec.json.encode(kept))
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(folder / "desk.json")


if __name__ == "__main__":
    sys.exit(main())
