"""The one HTTP client of the help desk adapters: certificates, proxy, time limits and bounded answers, the same for all.

It follows no redirection, repeats nothing, and hands out answers that are already read, decompressed and limited. Imports httpx, so
adapters import it where they first need it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import urllib.request
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from client.desks.base import Act
from client.desks.translate import bad_address, broken_line, moment, no_answer, not_the_desk
from client.errors import SettingsFault, SignInNeeded

if TYPE_CHECKING:
    from client.desks import NetworkSettings

Shape = TypeVar("Shape")
Query = Mapping[str, str | list[str]]  # a list: the same name several times
Files = Sequence[tuple[str, tuple[str | None, bytes, str]]]

CONNECT_S = 10.0  # two retransmissions of a lost SYN (1 s + 2 s) and a slow TLS handshake over a phone
WRITE_S = 30.0  # one piece of 64 kB on the thinnest line that is still a line
READ_S = 60.0  # silence while the desk scans and stores 25 MB of files
POOL_S = 5.0  # one employee asks few things at once; a longer queue is a mistake of ours
ANSWER_S = 120.0  # the whole exchange, against answers that drip without ever being silent for READ_S
SLOWEST_BYTES_PER_S = 16_000  # of a large body, which extends ANSWER_S
KEEP_S = 20.0  # an idle connection is closed before most servers would: a closed one looks like a lost request
MAX_CONNECTIONS = 4
MAX_ANSWER_BYTES = 5 * 1024 * 1024  # decompressed; a list of 100 tickets has 40 kB
MAX_KNOWN = 32  # answers kept in memory with their ETag: a poll that finds nothing new costs the desk next to nothing
MAX_KEPT_BYTES = 256 * 1024  # of one answer that is kept beyond this process
CHUNK_BYTES = 64 * 1024


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete answer: `body` is decompressed and at most `MAX_ANSWER_BYTES` long; `headers` has lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def at(self) -> datetime | None:
        """When it was given, by the desk's own clock; None where the desk does not say."""
        return moment(self.headers.get("date", ""))


class Line:
    """The way to one help desk. Opens connections when first used, one set per running loop.

    Args:
        base: the API's address, without a slash at the end; https, or http on this very computer only.
        network: proxy and certificate authorities.
        version: Deskside's, for the User-Agent.
        secret: the employee's token or password; never shown, and taken out of whatever the desk says. None: asking raises
            `SignInNeeded`.
        sign_in: makes the headers that carry the secret.

    Raises:
        SettingsFault: the address cannot be used.
    """

    def __init__(
        self,
        base: str,
        *,
        network: NetworkSettings,
        version: str,
        secret: str | None,
        sign_in: Callable[[str | None], dict[str, str]] | None = None,
    ) -> None:
        self.base = check_address(base)
        self.host = self.base.host
        self._network = network
        self._secret = secret or ""
        self._sign_in = sign_in or bearer
        self._known: OrderedDict[str, tuple[str, Answer]] = OrderedDict()
        self._headers = {
            "User-Agent": f"deskside/{version}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._trust: ssl.SSLContext | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: dict[str | None, httpx.AsyncClient] = {}  # by proxy

    def __repr__(self) -> str:
        return f"Line(host={self.host!r})"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        act: Act,
        expect: frozenset[int],
        params: Query | None = None,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        content: bytes | None = None,
        json: object = None,
    ) -> Answer:
        """One exchange.

        Args:
            method: GET or POST and so on.
            path: begins with a slash; appended to the base.
            act: what is being done, for the meaning of a failure.
            expect: the statuses that the caller understands; any other is raised.
            params: the query.
            headers: beside those of the line.
            files: the parts of a multipart body: (part, (file name or None, content, media type)).
            content: a body as it is; its `Content-Type` is among the headers.
            json: a body that is sent as JSON; None for none.

        Raises:
            DeskFault: see `client.desks.translate`.
        """
        sent = {**self._sign_in(self._secret), **(headers or {})}
        if json is not None:
            content = msgspec.json.encode(json)
            sent["Content-Type"] = "application/json"
        url = self.base.copy_with(path=self.base.path.rstrip("/") + path, params=params or None)
        known = self._known.get(str(url)) if method == "GET" else None
        if known:
            sent["If-None-Match"] = known[0]
        client = await self._ready()
        size = sum(len(one) for _, (_, one, _) in files) if files else len(content or b"")
        try:
            async with asyncio.timeout(ANSWER_S + size / SLOWEST_BYTES_PER_S):
                async with client.stream(
                    method, url, headers=sent, files=list(files) if files else None, content=content
                ) as response:
                    found = await self._read(response, act)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError) as error:
            raise broken_line(error, host=self.host, act=act) from _silent(error)
        if known and found.status == httpx.codes.NOT_MODIFIED:
            return known[1]
        if found.status not in expect:
            raise no_answer(
                found.status, found.headers, found.body, host=self.host, act=act, secret=self._secret
            ) from None
        if method == "GET" and (etag := found.headers.get("etag")):
            self._known[str(url)] = (etag, found)
            self._known.move_to_end(str(url))
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        return found

    def sign_in_with(self, secret: str) -> None:
        """Uses another secret from now on: the token that an earlier one was exchanged for."""
        self._secret = secret

    def recall(self, answers: Mapping[str, tuple[str, bytes]]) -> None:
        """Takes answers from before, by their addresses: each its ETag and its body. They are asked for with it from now on."""
        for url, (etag, body) in list(answers.items())[-MAX_KNOWN:]:
            if url not in self._known:
                self._known[url] = (etag, Answer(status=200, headers={"etag": etag}, body=body))

    def answers(self) -> dict[str, tuple[str, bytes]]:
        """The answers that came with an ETag, as `recall` takes them; large ones and those that are more than their body aside."""
        return {
            url: (etag, found.body)
            for url, (etag, found) in self._known.items()
            if len(found.body) <= MAX_KEPT_BYTES and "link" not in found.headers
        }

    def parse(self, found: Answer, shape: type[Shape], *, act: Act) -> Shape:
        """The answer's JSON as a typed value; members we do not know are ignored.

        Raises:
            DeskFault: it is a web page, no JSON, or JSON of another shape.
        """
        made = found.status == httpx.codes.CREATED
        if "html" in found.headers.get("content-type", ""):
            raise not_the_desk(
                "A web page answered in place of the help desk; perhaps the network or the desk asks for a sign-in.",
                act=act,
                yes=made,
            )
        try:
            return msgspec.json.decode(found.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise not_the_desk("The help desk's answer cannot be understood.", act=act, yes=made) from error

    async def _read(self, response: httpx.Response, act: Act) -> Answer:
        """Reads the body in pieces and never more than we keep, whatever it would unpack to."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding in {"gzip", "x-gzip", "deflate"}:
            unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        elif encoding in {"", "identity"}:
            unpack = None
        else:
            raise not_the_desk("The help desk's answer is packed in a way we did not ask for.", act=act)
        body = bytearray()
        try:
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                room = MAX_ANSWER_BYTES + 1 - len(body)
                body += unpack.decompress(chunk, room) if unpack else chunk[:room]
                if len(body) > MAX_ANSWER_BYTES:
                    raise not_the_desk("The help desk's answer has no end.", act=act)
        except zlib.error as error:
            raise not_the_desk("The help desk's answer is damaged.", act=act) from error
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
        )

    async def _ready(self) -> httpx.AsyncClient:
        """The client for the loop that runs now and the proxy that is set now: a notebook changes networks while we run."""
        if self._trust is None:
            self._trust = await asyncio.to_thread(trust, self.base, self._network.ca_file)  # reads files
        # No await from here on: of several requests at once, each would otherwise make a client of its own.
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._clients = loop, {}
        proxy = proxy_for(self.base, self._network)
        if proxy not in self._clients:
            try:
                self._clients[proxy] = httpx.AsyncClient(
                    headers=self._headers,
                    verify=self._trust,
                    proxy=proxy,
                    trust_env=False,  # what counts of the environment is read in `proxy_for`
                    follow_redirects=False,
                    timeout=httpx.Timeout(connect=CONNECT_S, read=READ_S, write=WRITE_S, pool=POOL_S),
                    limits=httpx.Limits(
                        max_connections=MAX_CONNECTIONS,
                        max_keepalive_connections=MAX_CONNECTIONS,
                        keepalive_expiry=KEEP_S,
                    ),
                )
            except (ValueError, ImportError, httpx.InvalidURL):
                raise SettingsFault(
                    "The proxy's address cannot be used.",
                    problems=("network.proxy: it must be an address such as http://proxy.example.com:8080.",),
                    hint="Correct network.proxy, or set it to none.",
                ) from None  # the address may hold a password
        return self._clients[proxy]

    async def close(self) -> None:
        """Lets go of connections; a later request opens new ones."""
        clients, self._clients = self._clients, {}
        if self._loop is asyncio.get_running_loop():
            for client in clients.values():
                await client.aclose()


def bearer(secret: str | None) -> dict[str, str]:
    """The header that carries a token.

    Raises:
        SignInNeeded: there is no token, or it cannot be one.
    """
    if not secret:
        raise SignInNeeded("Nobody is signed in to the help desk on this computer.")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise SignInNeeded("The token that is kept on this computer cannot be right.")
    return {"Authorization": f"Bearer {secret}"}


def check_address(base: str) -> httpx.URL:
    """The desk's address, if a secret may be sent to it.

    Raises:
        SettingsFault: it is no address, has a user and password in it, or is neither https nor on this computer.
    """
    try:
        url = httpx.URL(base.strip().rstrip("/"))
    except (httpx.InvalidURL, ValueError, TypeError):
        raise bad_address(base, "it is not an address.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise bad_address(base, "it must begin with https:// and name a host.")
    if url.userinfo or url.query or url.fragment:
        raise bad_address(base, "it must not hold a user, a password, a query or a fragment.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise bad_address(
            base, "it begins with http://, so anyone on the way could read your sign-in; it must be https://."
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether this name can only mean this very computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trust(url: httpx.URL, ca_file: str) -> ssl.SSLContext:
    """The certificate authorities of the operating system, and those of `ca_file` beside them. Nothing can switch this off.

    Raises:
        SettingsFault: `ca_file` cannot be read or holds no certificate.
    """
    if url.scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and made in no time
    import truststore  # noqa: PLC0415 -- loads the system's certificate interface

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError, ValueError) as error:
            message = f"The file of certificate authorities {ca_file} cannot be used."
            raise SettingsFault(
                message, problems=(f"network.ca_file: {message}",), hint="It must be a readable file in PEM format."
            ) from error
    return context


def proxy_for(url: httpx.URL, network: NetworkSettings) -> str | None:
    """The proxy for this address now, None for the direct way.

    "system" is what the environment or the operating system's settings say. This computer itself is never reached through one.
    """
    host = url.host
    if network.proxy == "none" or is_loopback(host) or _excepted(host, network.no_proxy):
        return None
    if network.proxy != "system":
        return network.proxy
    if urllib.request.proxy_bypass(host):
        return None
    known: dict[str, Any] = urllib.request.getproxies()
    found = known.get(url.scheme) or known.get("all")
    if not found:
        return None
    return str(found) if "://" in str(found) else f"http://{found}"


def _excepted(host: str, no_proxy: Sequence[str]) -> bool:
    """Whether a host is one that is reached directly: by its name, its domain (`.example.com`), its address or its network."""
    host = host.lower().rstrip(".")
    for one in no_proxy:
        rule = one.strip().lower().rstrip(".")
        if rule == "*" or (rule and (host == rule.lstrip(".") or host.endswith(f".{rule.lstrip('.')}"))):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False):
                return True
        except ValueError:
            continue
    return False


def host_of(url: str) -> str:
    """The host of an address, for a sentence; empty where there is none."""
    return urlsplit(url).hostname or ""


def _silent(error: BaseException) -> BaseException:
    """The cause as it goes into the log: httpx keeps the request with its headers on the exception, so that is let go of."""
    if isinstance(error, httpx.RequestError):
        error._request = None  # noqa: SLF001 -- the token is in it; httpx has no public way to clear it
    return error
