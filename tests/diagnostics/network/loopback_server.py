"""A small server on loopback that says what a test wants, and a visit to it."""

import asyncio
import contextlib
import datetime as dt
import socket

from diagnostics.wire.request import Request
from diagnostics.wire.visit import visit

HERE = "127.0.0.1"
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


def closed_port():
    with socket.socket() as sock:
        sock.bind((HERE, 0))
        return sock.getsockname()[1]


@contextlib.asynccontextmanager
async def serving(handle, *, context=None):
    async def guarded(reader, writer):
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, HERE, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def says(reply, *, then_wait=False):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        if then_wait:
            await reader.read()

    return handle


def go(handle, *, scheme="http", context=None, **request):
    """Visits a server with this handler; gives the visit."""

    async def work():
        async with serving(handle, context=context) as port:
            url = request.pop("url", f"{scheme}://localhost:{port}/page")
            proxy = f"http://{HERE}:{port}" if request.pop("by_proxy", False) else ""
            given = {
                "url": url,
                "addresses": (HERE,),
                "proxy": proxy,
                "connect_s": 1.0,
                "tls_s": 0.5,
                "answer_s": 0.5,
                "body_s": 0.5,
            }
            return await visit(Request(**{**given, **request}))

    return asyncio.run(work())
