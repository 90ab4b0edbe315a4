"""Files and small documents of IT's own, over HTTPS and without a sign-in: packs of articles, and the counts that IT has asked for.

The same certificates and the same proxy as for the help desk; no redirection is followed, and nothing is read that is larger than
allowed. Imports httpx, so it is imported where something is fetched.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from client.desks.http import CONNECT_S, POOL_S, host_of, is_loopback, proxy_for, trust
from client.errors import EnvironmentFault, SettingsFault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from client.desks import NetworkSettings

SILENCE_S: Final = 20.0  # of a server in the middle of an answer
WITHIN_S: Final = 180.0  # 16 MB over a line of 1 Mbit/s; then the next round tries again
CHUNK_BYTES: Final = 64 * 1024
LARGEST_WORD: Final = 16 * 1024  # of what a server says to a document that it was sent


class Got(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `body` is empty for anything but 200; `etag` is the server's name for this content, empty where it gives none."""

    status: int
    body: bytes = b""
    etag: str = ""


class OutOfReach(EnvironmentFault):
    """The server could not be asked, or its answer has no end."""

    title = "The server of your IT department cannot be reached"
    default_hint = "Deskside tries again by itself."


async def download(url: str, *, network: NetworkSettings, version: str, etag: str, largest: int) -> Got:
    """Asks for a file, and for nothing when it is still the one called `etag`.

    Args:
        url: https, or http on this very computer.
        network: proxy and certificate authorities.
        version: Deskside's, for the User-Agent.
        etag: what the file was called when it was last read; empty: it was never.
        largest: bytes; a larger file is given as `largest` + 1 of its bytes.

    Raises:
        OutOfReach: there was no whole answer.
        SettingsFault: the address, the proxy or the certificate authorities cannot be used.
    """
    headers = {"If-None-Match": etag} if etag else {}
    async with _client(url, network=network, version=version) as client:
        try:
            async with asyncio.timeout(WITHIN_S), client.stream("GET", url, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    return Got(status=response.status_code)
                body = await _bounded(response, largest)
                return Got(status=response.status_code, body=body, etag=response.headers.get("etag", "")[:200])
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise _out_of_reach(url, error) from error


async def upload(url: str, body: bytes, *, network: NetworkSettings, version: str, key: str) -> int:
    """Hands over a JSON document with an `Idempotency-Key`; gives the status of the answer, which is read and let go of.

    Raises:
        OutOfReach: there was no answer.
        SettingsFault: the address, the proxy or the certificate authorities cannot be used.
    """
    headers: Mapping[str, str] = {"Content-Type": "application/json", "Idempotency-Key": key}
    async with _client(url, network=network, version=version) as client:
        try:
            async with (
                asyncio.timeout(WITHIN_S),
                client.stream("POST", url, headers=headers, content=body) as response,
            ):
                await _bounded(response, LARGEST_WORD)
                return response.status_code
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise _out_of_reach(url, error) from error


@contextlib.asynccontextmanager
async def _client(url: str, *, network: NetworkSettings, version: str) -> AsyncIterator[httpx.AsyncClient]:
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise SettingsFault(f"The address {url[:100]!r} cannot be used.") from error
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.host)):
        raise SettingsFault(f"The address {url[:100]!r} must begin with https://.")
    verify = await asyncio.to_thread(trust, address, network.ca_file)
    try:
        client = httpx.AsyncClient(
            # Not compressed: a small answer could otherwise become a large one.
            headers={"User-Agent": f"deskside/{version}", "Accept-Encoding": "identity"},
            verify=verify,
            proxy=proxy_for(address, network),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S, pool=POOL_S),
        )
    except (ValueError, ImportError, httpx.InvalidURL):
        raise SettingsFault(
            "The proxy's address cannot be used.", hint="Correct network.proxy."
        ) from None  # a password
    async with client:
        yield client


async def _bounded(response: httpx.Response, largest: int) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise httpx.DecodingError("a compressed answer, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw(CHUNK_BYTES):
        body += chunk[: largest + 1 - len(body)]
        if len(body) > largest:
            break
    return bytes(body)


def _out_of_reach(url: str, error: Exception) -> OutOfReach:
    why = "it did not answer in time" if isinstance(error, (TimeoutError, httpx.TimeoutException)) else _kind(error)
    return OutOfReach(f"{host_of(url)} could not be asked: {why}.")


def _kind(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        said = str(error)
        return "its certificate is not trusted" if "CERTIFICATE" in said.upper() else "there is no way to it"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused"
    if isinstance(error, httpx.DecodingError):
        return "it sent a compressed answer, which was not asked for"
    return "the answer broke off"
