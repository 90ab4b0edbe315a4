"""A static HTTPS server on loopback with a certificate of its own authority: files with an ETag, and every way to answer badly.

    with StaticServer(folder) as server:
        server.files["/it.pack"] = b"..."
        ... fetch server.url + "/it.pack", trusting server.ca_file ...

`posted` are the bodies that were handed over, with their headers; `asked` the paths, in order, with their headers.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import trustme

Answer = Callable[["Exchange"], None]


class Exchange(BaseHTTPRequestHandler):
    """One request. `answers` of the server may take its place."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    outer: StaticServer

    def do_GET(self) -> None:
        self.outer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if (odd := self.outer.answers.get(self.path)) is not None:
            odd(self)
            return
        content = self.outer.files.get(self.path)
        if content is None:
            self.give(404, b"not here")
            return
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if etag in self.headers.get("If-None-Match", ""):
            self.give(304, b"", ETag=etag)
        else:
            self.give(200, content, ETag=etag)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.outer.posted.append((body, {name.lower(): value for name, value in self.headers.items()}))
        self.give(self.outer.post_status, b"")

    def give(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away in the middle are what some tests are about."""


class StaticServer:
    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.posted: list[tuple[bytes, Mapping[str, str]]] = []
        self.post_status = 204
        authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)

    def __enter__(self) -> Self:
        handler = type("OwnExchange", (Exchange,), {"outer": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.socket = self._context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
