"""A small HTTP server for loopback: a thread per connection, whole bodies, bounded reading of what is refused."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from django.core.servers.basehttp import ServerHandler, ThreadedWSGIServer, WSGIRequestHandler

IDLE_S = 65  # a kept connection that says nothing is closed; a little more than what clients and proxies wait
DRAIN_BYTES = 64 * 1024 * 1024  # a refused body is read this far, so that its sender gets to see the refusal
CHUNK_BYTES = 64 * 1024


class Server(ThreadedWSGIServer):
    """Threads end with the process: what they had not committed has not happened."""

    request_queue_size = 64

    def __init__(self, address: tuple[str, int]) -> None:
        # Windows would let a second program take the same port.
        super().__init__(address, RequestLine, allow_reuse_address=os.name != "nt")


class WholeBody:
    """A body that is as long as it was announced, or an error: Django's parser would take half a file for the whole one."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes of the body.

        Raises:
            ConnectionError: the sender went away in the middle.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        return self._count(self._stream.read(wanted), wanted)

    def readline(self, size: int = -1) -> bytes:
        """A line of the body; raises as `read` does."""
        line = self._stream.readline(self._left if size < 0 else min(size, self._left))
        return self._count(line, 1 if self._left else 0)

    def _count(self, got: bytes, at_least: int) -> bytes:
        self._left -= len(got)
        if len(got) < at_least:
            raise ConnectionError("the body broke off")
        return got


class Exchange(ServerHandler):
    """One request and its answer."""

    def close(self) -> None:
        """Reads what is left of the body in small pieces and not without end, then finishes."""
        left = DRAIN_BYTES
        try:
            while left > 0 and (chunk := self.get_stdin().read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
        except OSError:
            left = 0
        if left <= 0:
            self.request_handler.close_connection = True
        # The parent would read everything that is left in one piece.
        super(ServerHandler, self).close()


class RequestLine(WSGIRequestHandler):
    """Reads requests off one connection."""

    timeout = IDLE_S

    def handle_one_request(self) -> None:
        """One request; without a usable length of its body it is refused, or the rest would be read as the next request."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if len(self.raw_requestline) > 65536:  # noqa: PLR2004 -- the line's limit in http.server
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
                return
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
        except TimeoutError:
            self.close_connection = True
            return
        lengths = self.headers.get_all("Content-Length") or ["0"]
        if self.headers.get("Transfer-Encoding"):
            self.refuse(411, "Length Required")
            return
        if len({*lengths}) > 1 or not (lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 16):  # noqa: PLR2004 -- petabytes
            self.refuse(400, "Bad Request")
            return
        body = WholeBody(self.rfile, int(lengths[0]))
        exchange = Exchange(body, self.wfile, self.get_stderr(), self.get_environ())
        exchange.request_handler = self
        exchange.run(self.server.get_app())

    def refuse(self, status: int, reason: str) -> None:
        """Answers without asking the application, and closes."""
        self.close_connection = True
        body = b'{"title":"Request not understood","status":%d,"detail":"%s","hint":"Send a Content-Length."}' % (
            status,
            reason.encode(),
        )
        self.wfile.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status, reason.encode(), len(body), body)
        )

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses carry keys and search words, and faults are logged where they happen."""
