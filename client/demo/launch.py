"""Starts the embedded help desk as a child process and looks at it from the agent's side. Imports nothing of Django."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

import client
from client.demo.agent import AgentSeat, AgentTicket
from client.errors import EnvironmentFault, UsageError

START_S = 30.0  # the first start makes some 60 tables, about 3 s on an idle computer
STOP_S = 5.0  # it ends within its poll of half a second; after this it is killed
LOG_NAME = "server.log"
LOG_LINES = 6


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The line that the server prints when it is ready."""

    url: str
    api: str
    agent_url: str
    agent_user: str
    agent_password: str
    token: str
    employee: str
    colleague: str
    colleague_token: str
    pid: int

    def __repr__(self) -> str:
        return f"Ready(url={self.url!r}, secrets hidden)"


class DemoDesk:
    """A running help desk; leaving the `with` block stops it. Made by `start`.

    Attributes:
        url: what belongs into the setting `desk.url`.
        api: the employee API's address.
        agent_url, agent_user, agent_password: the agent's page and who may enter it.
        token, employee: an employee's token and name.
        colleague_token, colleague: another employee's.
        folder: where it keeps everything.
        pid: its process, for tests that kill it.
    """

    def __init__(self, process: subprocess.Popen[bytes], ready: Ready, folder: Path) -> None:
        self._process = process
        self.folder = folder
        self.url = ready.url
        self.api = ready.api
        self.agent_url = ready.agent_url
        self.agent_user = ready.agent_user
        self.agent_password = ready.agent_password
        self.token = ready.token
        self.employee = ready.employee
        self.colleague = ready.colleague
        self.colleague_token = ready.colleague_token
        self.pid = ready.pid

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.url.rpartition(":")[2])

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def agent(self) -> AgentSeat:
        """A seat at the agent's page, signed in. Close it, or use it in a `with` block.

        Raises:
            EnvironmentFault: the page does not answer or does not let the agent in.
        """
        return AgentSeat(self.url, user=self.agent_user, password=self.agent_password)

    def agent_ticket(self, ticket_id: str) -> AgentTicket:
        """A ticket as the agent sees it, its files downloaded."""
        with self.agent() as seat:
            return seat.ticket(ticket_id)

    def agent_reply(self, ticket_id: str, text: str, *, close: bool = False) -> None:
        """Answers the employee as the agent would, in the page's own form.

        Args:
            ticket_id: the ticket's id.
            text: what the agent writes.
            close: also sets the status to resolved.
        """
        with self.agent() as seat:
            seat.reply(ticket_id, text, status="resolved" if close else "")

    def kill(self) -> None:
        """Ends the process as a power cut would: at once, with no chance to tidy up."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def stop(self) -> None:
        """Ends the process and waits for it. Stopping twice is fine."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unwritten bytes of a dead reader
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: Path, *, port: int = 0, rate: float | None = None, wait_s: float = START_S) -> DemoDesk:
    """Starts the embedded help desk and waits until it is ready.

    Args:
        folder: where it keeps everything; a second start finds its tickets, tokens and passwords again.
        port: on loopback; 0: the last one, or any free one.
        rate: requests a minute and employee, None for the generous default, 0 for no limit.
        wait_s: how long it may take.

    Raises:
        UsageError: the optional part of Deskside that brings the help desk is not installed.
        EnvironmentFault: it did not come up; the hint has the last lines of its log.
    """
    if importlib.util.find_spec("helpdesk") is None or importlib.util.find_spec("django") is None:
        raise UsageError(
            "The demonstration help desk is not installed with this Deskside.",
            hint='Install it with: pip install "deskside[demo]"',
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Appended to: the log may be the one of a desk that already runs there.
        log = os.fdopen(os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        began = log.seek(0, os.SEEK_END)
    except OSError as error:
        raise EnvironmentFault(
            f"The demonstration help desk cannot keep its files in {folder}: {error.strerror or error}.",
            hint="Choose another folder, or make room.",
        ) from error
    command = [sys.executable, "-m", "client.demo.server", "--folder", str(folder), "--port", str(port)]
    if rate is not None:
        command += ["--rate", str(rate)]
    with log:
        # stdin stays open as long as we live: its end is what tells the child that its parent has died.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=_environment()
        )
    line = _first_line(process, wait_s)
    try:
        ready = msgspec.json.decode(line, type=Ready)
    except msgspec.DecodeError as error:
        slow = process.poll() is None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        raise EnvironmentFault(
            f"The demonstration help desk did not start within {wait_s:.0f} seconds."
            if slow
            else "The demonstration help desk could not start.",
            hint=f"Its last words: {_last_words(folder, since=began)}",
        ) from error
    return DemoDesk(process, ready, folder)


def _environment() -> dict[str, str]:
    """The parent's environment, with this very copy of the client first on the path and nothing of other Django sites."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "HELPDESK_"))}
    root = str(Path(client.__file__).resolve().parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [kept.get("PYTHONPATH", "")])])
    return kept


def _first_line(process: subprocess.Popen[bytes], wait_s: float) -> bytes:
    """The child's first line of stdout, empty if it ended or took too long."""
    found: list[bytes] = []

    def read() -> None:
        if process.stdout is not None:
            found.append(process.stdout.readline())

    # A pipe cannot be waited for with a time limit on Windows; a thread can.
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(wait_s)
    if not found and process.poll() is None:
        return b""
    reader.join(1.0)
    if not (found and found[0]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)  # so that "ended" and "too slow" can be told apart
    return found[0] if found else b""


def _last_words(folder: Path, *, since: int) -> str:
    """The end of what the child has written to its log since that place, in bytes."""
    try:
        lines = (folder / LOG_NAME).read_bytes()[since:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return " / ".join(lines[-LOG_LINES:]) or "nothing."
