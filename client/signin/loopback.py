"""The browser's way back to this program (RFC 8252, section 7.3): one page, for one answer, on this computer's own address.

The server lives as long as one sign-in. It takes the first navigation to its address and shows afterwards, in the same browser
window, how the sign-in ended. Everything else that knocks gets a plain refusal and changes nothing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import html
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from client.errors import SignInFault
from client.signin.errors import FOR_IT

MAX_HEAD: Final = 16 * 1024  # a code and a state are some hundred bytes; a browser's headers some kB
HEAD_S: Final = 10.0  # browsers open connections in advance and say nothing on them
VERDICT_S: Final = 60.0  # how long the browser waits while the code is redeemed
CLOSE_S: Final = 2.0
STYLE: Final = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem}"
    "h1{font-size:1.5rem}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = (
    "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
)


class Verdict(NamedTuple):
    """What the browser shows in the end: one line, and a sentence."""

    title: str
    words: str


OVER: Final = Verdict("This sign-in is over", "You can close this window.")
DONE: Final = Verdict("You are signed in", "You can close this window.")
NOT_HERE: Final = Verdict("Nothing to see here", "This page belongs to Deskside, which is signing somebody in.")


class Loopback:
    """Waits for the browser. Use it in an `async with` block; how the block ends is what the browser is told.

    Args:
        redirect: the address without a port, such as http://127.0.0.1/deskside.
        ports: which ports may be used; empty: any free one.
    """

    def __init__(self, redirect: str, ports: Sequence[str] = ()) -> None:
        parts = urlsplit(redirect)
        self._host = parts.hostname or ""
        self._path = parts.path or "/"
        self._bare = not parts.path
        self._ports = [int(one) for one in ports] or [0]
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._query: asyncio.Future[dict[str, str]] = loop.create_future()
        self._verdict: asyncio.Future[Verdict] = loop.create_future()
        for port in self._ports:
            try:
                # 127.0.0.1 for "localhost" too: browsers try both, and only the number is certain to be this computer.
                self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=MAX_HEAD)
            except OSError:
                continue
            self._port = self._server.sockets[0].getsockname()[1]
            return self
        raise SignInFault(
            "The browser could not find back to Deskside, because another program uses its place on this computer.",
            hint="Close other programs that are signing in, then start again.",
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._verdict.done():
            self._verdict.set_result(_verdict(error))
        if self._server is not None:
            self._server.close()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=CLOSE_S if self._query.done() else 0)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        self._query.cancel()

    @property
    def uri(self) -> str:
        """The address that the browser shall come back to."""
        return f"http://{self._host}:{self._port}{'' if self._bare else self._path}"

    async def query(self) -> dict[str, str]:
        """What the browser brought: each parameter once.

        Raises:
            SignInFault: a parameter came twice.
        """
        return await asyncio.shield(self._query)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- asyncio starts this in one
        self._open.add(task)
        try:
            status, verdict = await self._answer(reader)
            page = (
                f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Deskside</title><style>{STYLE}</style>'
                f"<h1>{html.escape(verdict.title)}</h1><p>{html.escape(verdict.words)}</p></html>"
            ).encode()
            writer.write(f"HTTP/1.1 {status}\r\n{HEADERS}Content-Length: {len(page)}\r\n\r\n".encode() + page)
            await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # it said nothing, too much, or went away
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, Verdict]:
        async with asyncio.timeout(HEAD_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        words = line.split(" ")
        target = urlsplit(words[1]) if len(words) == 3 else None  # noqa: PLR2004 -- method, address, version
        if target is None or words[0] != "GET":
            return "405 Method Not Allowed", NOT_HERE
        # Another name that leads here (DNS rebinding), or a script of a page: only a person's own navigation counts.
        if (
            headers.get("host") != f"{self._host}:{self._port}"
            or headers.get("sec-fetch-mode", "navigate") != "navigate"
        ):
            return "403 Forbidden", NOT_HERE
        if target.path != self._path:
            return "404 Not Found", NOT_HERE
        if self._query.done():
            return "410 Gone", OVER
        try:
            pairs = parse_qsl(target.query, keep_blank_values=True, strict_parsing=True, max_num_fields=50)
        except ValueError:
            return "400 Bad Request", NOT_HERE
        if len({name for name, _ in pairs}) == len(pairs):
            self._query.set_result(dict(pairs))
        else:
            self._query.set_exception(SignInFault("The browser's answer says two things at once.", hint=FOR_IT))
        async with asyncio.timeout(VERDICT_S):
            return "200 OK", await asyncio.shield(self._verdict)


def _verdict(error: BaseException | None) -> Verdict:
    if error is None:
        return DONE
    if isinstance(error, SignInFault):
        return Verdict(error.title, f"{error.message} Go back to Deskside; you can close this window.")
    if isinstance(error, asyncio.CancelledError):
        return Verdict("Signing in was cancelled", "You can close this window.")
    return Verdict(SignInFault.title, "Go back to Deskside, which says why; you can close this window.")
