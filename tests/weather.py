"""Bad weather between a client and a help desk: a proxy on loopback that loses, breaks and delays what passes through it.

    python tests/weather.py --to 127.0.0.1:8000 --seed 7 [--calm 0.5]

prints its port and runs until its standard input ends. Each request meets one fate, most of them a bad one for the client: it
never reaches the desk, or it does and the answer is lost, broken or replaced.
"""

# ruff: noqa: S311, T201 -- a script that throws dice and prints its port

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import socket
import struct
import sys

FATES = (
    ("lost", 2),  # reset before the desk has seen it
    ("busy", 2),  # 429 with Retry-After, not passed on
    ("away", 1),  # 503, not passed on
    ("silenced", 4),  # the desk has done it, the line is reset
    ("failed", 3),  # the desk has done it, the client hears 500
    ("cut", 2),  # the desk has done it, half an answer arrives
    ("login", 1),  # the desk has done it, a login page arrives
    ("late", 2),  # passed on after a moment
)
ANSWERS = {
    "busy": b"HTTP/1.1 429 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "away": b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
    "failed": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    "login": b"HTTP/1.1 200 X\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<form>Please log in</form>",
}

# What a request says about the address that it was sent to must be the desk's own.
ADDRESS = re.compile(rb"^(origin: http://|referer: http://|host: )[^/\s]+", re.IGNORECASE | re.MULTILINE)


class Lost(Exception):
    """The line is gone."""


class Weather:
    def __init__(self, *, to: tuple[str, int], seed: str, calm: float) -> None:
        self._to = to
        self._dice = random.Random(seed)
        self._calm = calm
        self._serving: set[asyncio.Task[None] | None] = set()  # the loop keeps no task alive whose line is silent

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        with contextlib.suppress(OSError, Lost, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                await self._one(reader, writer)
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        self._serving.discard(asyncio.current_task())

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, body = await message(reader)
        fate = "calm"
        if self._dice.random() >= self._calm:
            fate = self._dice.choices([name for name, _ in FATES], [weight for _, weight in FATES])[0]
        if fate == "lost":
            raise Lost
        if fate == "late":
            await asyncio.sleep(self._dice.random() * 0.1)
        if fate in {"busy", "away"}:
            writer.write(ANSWERS[fate])
            await writer.drain()
            return
        answer = await self._pass_on(head, body)
        if fate == "silenced":
            raise Lost
        if fate == "cut":
            writer.write(answer[: max(1, len(answer) // 2)])
            await writer.drain()
            raise Lost
        writer.write(ANSWERS.get(fate, answer))
        await writer.drain()

    async def _pass_on(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._to)
        try:
            here = f"{self._to[0]}:{self._to[1]}".encode()
            writer.write(ADDRESS.sub(lambda found: found[1] + here, head) + body)
            await writer.drain()
            answer_head, answer_body = await message(reader)
            return answer_head + answer_body
        finally:
            writer.close()


async def message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One HTTP message: its head with the empty line, and its body (by Content-Length or chunks)."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    if headers.get(b"transfer-encoding") == b"chunked":
        body = b""
        while True:
            size_line = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size_line, 16) + 2)
            body += size_line + chunk
            if size_line.strip() == b"0":
                return head, body
    return head, await reader.readexactly(int(headers.get(b"content-length", b"0")))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--calm", type=float, default=0.4)
    given = parser.parse_args()
    host, _, port = given.to.rpartition(":")
    weather = Weather(to=(host, int(port)), seed=given.seed, calm=given.calm)
    server = await asyncio.start_server(weather.serve, "127.0.0.1", 0, limit=1 << 24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
