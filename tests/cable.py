"""A cable between a client and a help desk that can be pulled: it passes bytes on and knows nothing of what they mean.

    python tests/cable.py --to 127.0.0.1:8000

prints its port and obeys the lines of its standard input until that ends:

    cut     every connection is reset, and so is every new one
    hang    nothing is passed on any more, and nobody is told: as when a computer leaves the reach of its wireless network
    join    all is well again; connections that hung go on
"""

# ruff: noqa: T201 -- a script that prints its port

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Literal, Self

State = Literal["cut", "hang", "join"]


class Cable:
    """A running cable, seen from whoever pulls it: `with Cable(8000) as cable: ... cable.port ... cable.make("cut")`."""

    def __init__(self, to_port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), "--to", f"127.0.0.1:{to_port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._process.stdout.readline())

    def make(self, state: State) -> None:
        """Pulls it, or puts it back."""
        self._process.stdin.write(f"{state}\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Wire:
    """The cable itself."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._state: State = "join"
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()  # the loop keeps no task alive whose line is silent

    async def obey(self, commands: asyncio.StreamReader) -> None:
        """Until the input ends."""
        while line := (await commands.readline()).decode().strip():
            self._state = line
            if line == "hang":
                self._flows.clear()
                continue
            if line == "cut":
                for one in list(self._open):
                    reset(one)
            self._flows.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        await self._flows.wait()
        if self._state == "cut":
            reset(writer)
            self._serving.discard(asyncio.current_task())
            return
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._to)
            self._open |= {writer, far_writer}
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
            self._open -= {writer, far_writer}
            far_writer.close()
        writer.close()
        self._serving.discard(asyncio.current_task())

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection so that the other side sees "connection reset by peer"."""
    with contextlib.suppress(OSError):
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True)
    host, _, port = parser.parse_args().to.rpartition(":")
    wire = Wire(host, int(port))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    await wire.obey(commands)


if __name__ == "__main__":
    asyncio.run(main())
