"""A help desk that lies and breaks: a real TCP server on loopback that answers each request as its script says.

    with FaultyServer() as server:
        server.script(status(500), reset_after_reading(), json_answer(201, {...}))
        ... talk to server.url ...
        assert server.requests[0].path == "/api/employee/v1/tickets"

Each request takes the next answer of the script; the last one stays. It uses no HTTP library on purpose: what it sends is
exactly what is written here. The fixture `faulty_server` is in tests/contract/conftest.py; other tests make their own with the
`with` statement above.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

CREATED = {
    "ticket": {
        "id": "7",
        "ref": "IT-7",
        "subject": "s",
        "status": "Open",
        "open": True,
        "url": "http://127.0.0.1/tickets/7/",
        "created_at": "2026-01-31T09:00:00Z",
        "updated_at": "2026-01-31T09:00:00Z",
        "key": "a-key-of-ours",
    },
    "attachments": [],
}
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"


@dataclass(frozen=True)
class Heard:
    """A request as it came, headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Exchange:
    """One connection with the request that was read from it (`heard` is None where the act did not want to read it)."""

    connection: socket.socket
    stopping: threading.Event
    heard: Heard | None = None

    def send(self, raw: bytes) -> None:
        self.connection.sendall(raw)

    def send_and_close(self, raw: bytes) -> None:
        self.send(raw)
        self.connection.close()

    def reset(self) -> None:
        """Ends the connection with RST, so that the other side sees "connection reset by peer"."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@dataclass(frozen=True)
class Act:
    """What happens to one request: its body is read completely, only in part (`read_bytes`), or not at all (0)."""

    do: Callable[[Exchange], None]
    read_bytes: int | None = None


def answer(code: int, body: bytes = b"", **headers: str) -> bytes:
    lines = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {code} X\r\n{head}\r\n".encode() + body


def raw(code: int, body: bytes = b"", **headers: str) -> Act:
    """Exactly this answer; `Content_Type="text/html"` sets that header."""
    return Act(lambda exchange: exchange.send(answer(code, body, **headers)))


def json_answer(code: int, body: Any, **headers: str) -> Act:
    return raw(code, json.dumps(body).encode(), Content_Type="application/json", **headers)


def problem(code: int, detail: str, **headers: str) -> Act:
    body = {"title": "No", "status": code, "detail": detail, "hint": "Do it differently."}
    return raw(code, json.dumps(body).encode(), Content_Type="application/problem+json", **headers)


def status(code: int, **headers: str) -> Act:
    """An empty answer with this status, such as `status(500)` or `status(429, Retry_After="30")`."""
    return raw(code, **headers)


def created(**changes: Any) -> Act:
    """What the employee API answers to a new ticket."""
    return json_answer(201, {**CREATED, **changes})


def login_page(code: int = 200) -> Act:
    return raw(code, LOGIN_PAGE, Content_Type="text/html; charset=utf-8")


def bare_number(code: int = 201) -> Act:
    """What osTicket does: 201 with the number as text."""
    return raw(code, b"482913", Content_Type="text/html; charset=utf-8")


def redirect(to: str, code: int = 302) -> Act:
    return raw(code, Location=to)


def reset_after_reading() -> Act:
    """The whole request is read (and may have been carried out), then the line breaks."""
    return Act(lambda exchange: exchange.reset())


def reset_while_reading(read_bytes: int = 1000) -> Act:
    """The line breaks while the body is still on its way."""
    return Act(lambda exchange: exchange.reset(), read_bytes=read_bytes)


def close_after_reading() -> Act:
    """The connection ends in an orderly way, without an answer."""
    return Act(lambda exchange: exchange.connection.close())


def break_in_answer() -> Act:
    """Half an answer, then the end."""
    return Act(lambda exchange: exchange.send_and_close(answer(201, json.dumps(CREATED).encode())[:-40]))


def not_http() -> Act:
    return Act(lambda exchange: exchange.send_and_close(b"220 mail.example.com ESMTP\r\n"))


def refuse_early(code: int, detail: str) -> Act:
    """Says no before it has read the body, and then lets the body go by, so that the refusal is not lost in a reset."""

    def refuse(exchange: Exchange) -> None:
        problem(code, detail, Connection="close").do(exchange)
        while exchange.connection.recv(65536):
            pass

    return Act(refuse, read_bytes=0)


def silence() -> Act:
    """Reads, and never answers."""

    def wait(exchange: Exchange) -> None:
        exchange.stopping.wait()

    return Act(wait)


def slow_drip(pause_s: float = 0.02) -> Act:
    """One byte at a time, never silent for long, never done."""

    def drip(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
        while not exchange.stopping.wait(pause_s):
            exchange.send(b" ")

    return Act(drip)


def slow_head(pause_s: float = 0.02) -> Act:
    """Headers that never end, a byte at a time."""

    def drip(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 201 Created\r\nX-Long: ")
        while not exchange.stopping.wait(pause_s):
            exchange.send(b"a")

    return Act(drip)


def endless_body(code: int = 200) -> Act:
    """Chunks without end, as fast as they are taken."""

    def pour(exchange: Exchange) -> None:
        exchange.send(
            f"HTTP/1.1 {code} OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        while not exchange.stopping.is_set():
            exchange.send(chunk)

    return Act(pour)


def gzip_bomb(code: int = 200, unpacked_bytes: int = 200 * 1024 * 1024) -> Act:
    """A small body that unpacks to a very large one."""
    packed = gzip.compress(b" " * unpacked_bytes, 9)
    return raw(code, packed, Content_Type="application/json", Content_Encoding="gzip")


@dataclass
class FaultyServer:
    """See the module's text. `requests` are those that were read, in order; `connections` counts all."""

    requests: list[Heard] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._acts: list[Act] = [status(500)]
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # Closing alone does not wake a thread that sits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in [self._accepting, *self._threads]:
            thread.join(5)

    def script(self, *acts: Act) -> None:
        """What happens to the next requests, in order; the last one stays."""
        assert acts
        with self._lock:
            self._acts = list(acts)

    def wait_for(self, count: int, wait_s: float = 10) -> None:
        """Until this many requests were read completely."""
        until = time.monotonic() + wait_s
        while len(self.requests) < count:
            assert time.monotonic() < until, f"{len(self.requests)} requests came, {count} were expected"
            time.sleep(0.005)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._open.add(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while not self._stopping.is_set() and self._one(connection):
                pass
        except OSError:
            pass  # the other side went away, which many of these tests want
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _one(self, connection: socket.socket) -> bool:
        """One request and what happens to it; False when the connection is done."""
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return False
            head += more
            if head[:1] == b"\x16":  # a TLS handshake; a plain web server says so and hangs up
                connection.sendall(answer(400, b"plain HTTP only", Connection="close"))
                return False
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        with self._lock:
            act = self._acts[0] if len(self._acts) == 1 else self._acts.pop(0)
        length = int(headers.get("content-length", "0"))
        wanted = length if act.read_bytes is None else min(act.read_bytes, length)
        while len(body) < wanted:
            more = connection.recv(65536)
            if not more:
                return False
            body += more
        exchange = Exchange(connection, self._stopping)
        if len(body) >= length:
            exchange.heard = Heard(method, path, headers, body)
            self.requests.append(exchange.heard)
        act.do(exchange)
        return connection.fileno() >= 0 and len(body) >= length
