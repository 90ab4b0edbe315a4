"""A small HTTP server on loopback that the fakes of help desks are made of: one `answer` for every request, one lock around it.

    class FakeDesk(SmallServer):
        def answer(self, asked: Asked) -> Reply: ...

    with FakeDesk() as desk:
        ... talk to desk.url ...

A fake raises `Refusal` for what its desk refuses. An error of the fake itself answers 500 and is raised again at the end.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Part:
    """A part of a multipart body; `filename` is as it stood in the header, None where it is no file."""

    name: str
    filename: str | None
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Asked:
    """A request; header names in lower case, `target` is path and query as they came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str

    def json(self) -> Any:
        """The JSON body; None where the content type is another or it is no JSON."""
        if self.headers.get("content-type", "").split(";")[0].strip() != "application/json":
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def parts(self) -> list[Part]:
        """The parts of a multipart body; none where the content type is another."""
        kind = self.headers.get("content-type", "")
        boundary = re.fullmatch(r"multipart/form-data; *boundary=\"?([^\"]+)\"?", kind)
        if not boundary:
            return []
        mark = b"--" + boundary[1].encode()
        found = []
        for chunk in self.body.split(mark)[1:-1]:
            head, _, data = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            headers = BytesParser(policy=HTTP).parsebytes(head + b"\r\n\r\n", headersonly=True)
            shown = re.search(rb'filename="((?:[^"\\]|\\.)*)"', head)
            name = re.search(rb'[ ;]name="([^"]*)"', head)
            found.append(
                Part(
                    name=name[1].decode() if name else "",
                    filename=shown[1].decode() if shown else None,
                    media_type=headers.get_content_type() if "content-type" in headers else "",
                    data=data.removesuffix(b"\r\n"),
                )
            )
        return found


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is sent as JSON, bytes as they are."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """What the desk refuses."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status, body)
        self.reply = Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class SmallServer:
    """See the module's text. `next_replies` are given, in order, to the next requests whatever they ask.

    `breaks` are numbers of requests (the first is 1) whose line breaks before any answer, each with whether what it asks for
    is done all the same.
    """

    def __init__(self) -> None:
        self.breaks: dict[int, bool] = {}
        self.asked: list[Asked] = []
        self.next_replies: list[Reply] = []
        self.lock = threading.RLock()
        self._broken: list[Exception] = []

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def counts(self, asked: Asked) -> bool:  # noqa: ARG002 -- for those that count only some
        """Whether a request is one of `asked`, and may break."""
        return True

    def __enter__(self) -> Self:
        outer = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes; the second would wait 40 ms for the first
            timeout = 30

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                asked = Asked(self.command, parts.path, query, headers, body, self.path)
                broken = outer.breaks.get(len(outer.asked) + 1) if outer.counts(asked) else None
                reply = outer.reply_to(asked, do=broken is not False)
                if broken is not None:
                    self.close_connection = True
                    return
                raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                raw = b"" if reply.body is None else raw
                self.send_response(reply.status)
                for name, value in {
                    "Content-Type": "application/json; charset=utf-8",
                    **reply.headers,
                    "Content-Length": str(len(raw)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Exchange, f"do_{method}", Exchange.handle_one)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        if self._broken:
            raise self._broken[0]

    def reply_to(self, asked: Asked, *, do: bool) -> Reply:
        with self.lock:
            if self.counts(asked):
                self.asked.append(asked)
            if not do:
                return Reply(500)
            if self.next_replies:
                return self.next_replies.pop(0)
            try:
                return self.answer(asked)
            except Refusal as refusal:
                return refusal.reply
            except Exception as error:  # noqa: BLE001 -- raised again when the server ends
                self._broken.append(error)
                return Reply(500, {"error": "the fake is broken"})


def unknown(found: Any, allowed: Collection[str]) -> list[str]:
    """Members of an object that are not allowed; all of them where it is no object."""
    return sorted(set(found) - set(allowed)) if isinstance(found, dict) else ["no object"]
