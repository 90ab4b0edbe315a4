"""Speaks to the privileged helper of this computer, where IT has installed it. Imports nothing of it: only the channel is shared.

Linux: the system bus. macOS: a socket that launchd keeps. Windows: a named pipe. Every request runs in a thread of its own that
nobody has to wait for, because an installation of updates may take hours and a person may be asked for a password before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from client.errors import ActionFault

BUS_NAME: Final = "io.github.deskside.Helper1"
BUS_PATH: Final = "/io/github/deskside/Helper1"
INSTALLED: Final = (
    f"/usr/share/dbus-1/system-services/{BUS_NAME}.service",
    f"/usr/local/share/dbus-1/system-services/{BUS_NAME}.service",
)
SOCKET: Final = "/var/run/io.github.deskside.helper.sock"
LIST_S: Final = 5.0  # it is started by the question, which takes some 200 ms
ASKED_AGAIN_S: Final = 60.0  # IT may have changed what is allowed
PASSWORD_S: Final = 180.0  # a person looks for a password before the work begins
ADMINISTRATOR: Final = "Ask your IT department. Nothing was changed."
HINTS: Final = {
    "failed": "Ask your IT department; tell them when you tried.",
    "busy": "Wait a little, then try again.",
    "too-often": "Wait a little, then try again.",
}
LOST: Final = "the helper ended before it answered"


class PrivilegedHelper:
    """The helper of this computer; as `client.fixes.machine.Privileged` wants it.

    Args:
        patience_s: how long `offers` waits for the helper's answer when it is asked for the first time: short where a window
            would stand still meanwhile. The answer is there when it is asked again.
    """

    def __init__(self, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._offers: frozenset[str] = frozenset()
        self._asked_at = float("-inf")
        self._answered = threading.Event()

    def offers(self) -> frozenset[str]:
        """The ids of what it does here; empty where it is not installed or has not answered (yet)."""
        if not is_installed():
            return frozenset()
        with self._lock:
            due = time.monotonic() - self._asked_at > ASKED_AGAIN_S
            if due:
                self._asked_at = time.monotonic()
        if due:
            threading.Thread(target=self._ask_offers, name="deskside-helper-list", daemon=True).start()
        self._answered.wait(self._patience_s)
        return self._offers

    async def call(self, id: str, parameters: Mapping[str, str], *, deadline_s: float) -> str:
        """Has it done; a person may be asked for a password first. Whoever is cancelled only stops waiting.

        Args:
            deadline_s: how long the work itself may take.

        Returns:
            What was done, in a sentence.

        Raises:
            ActionFault: it refused, or it did not work.
            OSError: it is not installed, or cannot be reached.
            TimeoutError: it did not answer in time.
        """
        answer = await _in_thread({"ask": "run", "id": id, "parameters": dict(parameters)}, deadline_s + PASSWORD_S)
        words = str(answer.get("words", ""))[:400]
        if answer.get("ok") is True:
            return words
        raise ActionFault(
            words or "The helper did not do it.", hint=HINTS.get(str(answer.get("reason")), ADMINISTRATOR)
        )

    def _ask_offers(self) -> None:
        try:
            ids = _ask({"ask": "list"}, LIST_S).get("ids")
        except OSError:
            ids = None
        self._offers = frozenset(str(one) for one in ids) if isinstance(ids, list) else frozenset()
        self._answered.set()


def is_installed() -> bool:
    """Whether there is a helper to ask. Looks at one file and starts nothing."""
    if sys.platform == "win32":
        from client.platform import helper_pipe  # noqa: PLC0415 -- Windows only

        return helper_pipe.exists()
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            return os.stat(SOCKET).st_uid == 0  # noqa: PTH116 -- one call
        return False
    return any(os.path.exists(place) for place in INSTALLED)  # noqa: PTH110 -- one call


async def _in_thread(request: dict[str, Any], limit_s: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[dict[str, Any]] = loop.create_future()

    def finish(answer: dict[str, Any] | None, error: BaseException | None) -> None:
        if not done.done():
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(answer or {})

    def work() -> None:
        answer, error = None, None
        try:
            answer = _ask(request, limit_s)
        except OSError as fault:  # TimeoutError among them
            error = fault
        with contextlib.suppress(RuntimeError):  # nobody waits any more, and the loop is closed
            loop.call_soon_threadsafe(finish, answer, error)

    threading.Thread(target=work, name="deskside-helper-call", daemon=True).start()
    return await done


def _ask(request: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """One question and its answer. Blocks.

    Raises:
        OSError: the helper cannot be reached, or answered something else.
        TimeoutError: it did not answer in time.
    """
    line = json.dumps(request).encode() + b"\n"
    if sys.platform == "win32":
        from client.platform import helper_pipe  # noqa: PLC0415 -- Windows only

        return _answer(helper_pipe.ask(line, limit_s))
    if sys.platform == "darwin":
        return _answer(_ask_socket(line, limit_s))
    return _ask_bus(request, limit_s)


def _answer(said: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(said)
    except ValueError as error:
        raise OSError(LOST) from error
    if not isinstance(answer, dict):
        raise OSError(LOST)
    return answer


def _ask_socket(line: bytes, limit_s: float) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(limit_s)
        connection.connect(SOCKET)
        connection.sendall(line)
        said = b""
        while more := connection.recv(65536):
            said += more
    return said


def _ask_bus(request: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """Over the system bus, which lets only root have the helper's name."""
    import jeepney  # type: ignore[import-untyped]  # noqa: PLC0415 -- not needed at rest
    import jeepney.io.blocking  # type: ignore[import-untyped]  # noqa: PLC0415 -- as above
    import jeepney.wrappers  # type: ignore[import-untyped]  # noqa: PLC0415 -- as above

    helper = jeepney.DBusAddress(BUS_PATH, bus_name=BUS_NAME, interface=BUS_NAME)
    if request["ask"] == "list":
        call = jeepney.new_method_call(helper, "List")
    else:
        call = jeepney.new_method_call(helper, "Run", "sa{ss}", (request["id"], request["parameters"]))
    try:
        with jeepney.io.blocking.open_dbus_connection("SYSTEM") as bus:
            body = jeepney.wrappers.unwrap_msg(bus.send_and_get_reply(call, timeout=limit_s))
    except (OSError, EOFError):
        raise
    except Exception as error:  # jeepney raises what it likes: no bus, another answer, an error of the bus
        raise OSError(f"the helper was not reached: {type(error).__name__} {error}") from error
    if request["ask"] == "list":
        return {"ids": list(body[0])}
    return dict(zip(("ok", "reason", "words"), body, strict=True))
