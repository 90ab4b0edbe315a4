"""One HTTP(S) request over one connection: every phase timed and named, the certificate kept even when it is refused.

httpx hides what is evidence here (which address failed how, how long each phase took, the certificate that was not accepted), so
the sockets are ours; h11 writes and reads HTTP. Certificates are always verified: when one is refused a second handshake
without verification fetches it as evidence, and nothing is ever sent over that one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import socket
import ssl
import time
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from diagnostics.wire.certificate import Certificate, CertificateError, read
from diagnostics.wire.connect import Attempt, Reach, open_connection
from diagnostics.wire.request import BODY_LIMIT_BYTES, Request, Shown, Visit, host_port

STAGGER_S: Final = 0.25  # RFC 8305: the next address is tried when the last has not answered in this time
AGENT: Final = "deskside-check"
SIGN_IN_WORDS: Final = (
    *("<form", 'http-equiv="refresh"', "http-equiv='refresh'", "window.location", "wispaccess"),
    *("sign in", "log in", "login", "portal", "hotspot"),
)


class _Failed(Exception):
    """Carries an outcome through the phases; never leaves this module."""

    def __init__(self, outcome: str, **found: Any) -> None:
        super().__init__(outcome)
        self.outcome, self.found = outcome, found


@functools.lru_cache(maxsize=4)
def _context(ca_file: str, *, verify: bool) -> ssl.SSLContext:
    if not verify:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # only to see the certificate; nothing is sent over it
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        return blind
    import truststore  # noqa: PLC0415 -- only runs that meet TLS need it

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        with contextlib.suppress(
            OSError, ssl.SSLError
        ):  # settings validation tells about a bad file; here it is simply not trusted
            context.load_verify_locations(ca_file)
    return context


async def race(
    addresses: tuple[str, ...],
    port: int,
    *,
    within: float,
    device: str = "",
    segment_bytes: int = 0,
) -> tuple[tuple[Attempt, ...], socket.socket | None]:
    """Connects to the first address that answers, each next one starting 250 ms after the one before (RFC 8305).

    Gives the attempts that have ended, the connected one last, and its socket.
    """
    if not addresses:
        return (), None
    ended: list[Attempt] = []
    winner: asyncio.Future[socket.socket | None] = asyncio.get_running_loop().create_future()
    tasks: list[asyncio.Task[None]] = []

    async def one(address: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before], timeout=STAGGER_S)
        if winner.done():
            return
        attempt, sock = await open_connection(address, port, within=within, device=device, segment_bytes=segment_bytes)
        ended.append(attempt)
        if sock is None:
            return
        if winner.done():
            ended.pop()
            sock.close()
        else:
            winner.set_result(sock)

    try:
        for address in addresses:
            tasks.append(asyncio.create_task(one(address, tasks[-1] if tasks else None)))
        everyone = asyncio.ensure_future(asyncio.wait(tasks))
        both: list[asyncio.Future[Any]] = [winner, everyone]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if winner.done():
            return tuple(ended), winner.result()
        return tuple(ended), None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def visit(request: Request) -> Visit:
    """Makes the request; never raises for what the network or the server does."""
    host, port = host_port(request.url)
    found: dict[str, Any] = {"url": request.url, "host": host, "port": port, "via": request.proxy or "direct"}
    if request.proxy:
        found["via"] = "http://{}:{}".format(*host_port(request.proxy))  # without the password
    began = time.perf_counter()
    try:
        await _visit(request, host, port, found)
        outcome = found.pop("outcome", "answered")
    except _Failed as failed:
        outcome = failed.outcome
        found |= failed.found
    found["total_ms"] = _since(began)
    return Visit(outcome=outcome, **found)


async def _visit(request: Request, host: str, port: int, found: dict[str, Any]) -> None:
    secure = urlsplit(request.url).scheme == "https"
    reader, writer = await _open(request, port, found)
    try:
        if request.proxy and secure:
            await _tunnel(request, host, port, reader, writer)
        if secure:
            began = time.perf_counter()
            try:
                await _handshake(writer, host, request.tls_s, _context(request.ca_file, verify=True))
            except ssl.SSLCertVerificationError as error:
                raise _Failed(
                    "certificate", certificate=await _look_at(request, host, port, error), detail=_words(error)
                ) from error
            found["tls_ms"] = _since(began)
            found["certificate"] = _shown(writer, None, host)
        await _exchange(request, host, port, reader, writer, found)
    finally:
        writer.transport.abort()  # evidence is in; nobody waits for a polite end


async def _open(
    request: Request, port: int, found: dict[str, Any]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not request.addresses:
        raise _Failed("name", at_proxy=bool(request.proxy))
    door = host_port(request.proxy)[1] if request.proxy else port
    attempts, sock = await race(
        request.addresses, door, within=request.connect_s, device=request.device, segment_bytes=request.segment_bytes
    )
    found["attempts"] = attempts
    if sock is None:
        raise _Failed(str(_telling(attempts)), at_proxy=bool(request.proxy))
    found["address"], found["connect_ms"] = attempts[-1].address, attempts[-1].connect_ms
    return await asyncio.open_connection(sock=sock)


def _telling(attempts: tuple[Attempt, ...]) -> Reach:
    """The outcome that says most: an address this machine has no route for (IPv6 on an IPv4-only one) hides nothing."""
    order = (
        Reach.NOT_PERMITTED,
        Reach.REFUSED,
        Reach.RESET,
        Reach.SILENT,
        Reach.UNREACHABLE,
        Reach.ERROR,
        Reach.NO_ROUTE,
    )
    seen = {attempt.reach for attempt in attempts}
    return next((reach for reach in order if reach in seen), Reach.NO_ROUTE)


async def _tunnel(
    request: Request, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", f"User-Agent: {AGENT}"]
    if authorization := _authorization(request.proxy):
        lines.append(f"Proxy-Authorization: {authorization}")
    try:
        async with asyncio.timeout(request.answer_s):
            writer.write("\r\n".join([*lines, "", ""]).encode())
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError as error:
        raise _Failed("no_answer", at_proxy=True) from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise _Failed("closed", at_proxy=True) from error
    except asyncio.LimitOverrunError as error:
        raise _Failed("garbled", at_proxy=True) from error
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():  # noqa: PLR2004 -- version and status
        raise _Failed("garbled", at_proxy=True)
    if not 200 <= int(words[1]) < 300:  # noqa: PLR2004 -- RFC 9110: any 2xx opens the tunnel
        raise _Failed("proxy", at_proxy=True, proxy_status=int(words[1]))


def _authorization(proxy: str) -> str:
    parts = urlsplit(proxy)
    if not parts.username:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


async def _handshake(writer: asyncio.StreamWriter, host: str, seconds: float, context: ssl.SSLContext) -> None:
    try:
        async with asyncio.timeout(seconds):
            await writer.start_tls(context, server_hostname=host, ssl_handshake_timeout=seconds)
    except ssl.SSLCertVerificationError:
        raise
    except TimeoutError as error:
        raise _Failed("tls_silent") from error
    except ssl.SSLError as error:
        raise _Failed("tls", detail=_words(error)) from error
    except OSError as error:
        if "SSL handshake is taking" in str(error):
            raise _Failed("tls_silent") from error
        raise _Failed("tls", detail=type(error).__name__) from error


async def _look_at(request: Request, host: str, port: int, error: ssl.SSLCertVerificationError) -> Shown | None:
    """The certificate that was refused, fetched by a second handshake; None when it could not be had."""
    try:
        reader, writer = await _open(request, port, {})
        try:
            if request.proxy:
                await _tunnel(request, host, port, reader, writer)
            await _handshake(writer, host, request.tls_s, _context("", verify=False))
            return _shown(writer, error, host)
        finally:
            writer.transport.abort()
    except (_Failed, ssl.SSLError):
        return None


def _shown(writer: asyncio.StreamWriter, error: ssl.SSLCertVerificationError | None, host: str) -> Shown | None:
    tls = writer.get_extra_info("ssl_object")
    try:
        certificate = read(tls.getpeercert(binary_form=True) or b"")
    except CertificateError:
        return None
    issuers = _chain(tls)
    return Shown(
        subject=certificate.subject,
        issuer=certificate.issuer,
        names=certificate.names,
        not_before=certificate.not_before.isoformat(),
        not_after=certificate.not_after.isoformat(),
        problem=None if error is None else problem_of(certificate, host, code=error.verify_code, now=time.time()),
        self_signed=certificate.issuer == certificate.subject and len(issuers) < 2,  # noqa: PLR2004 -- alone in its chain
        root=issuers[-1].issuer if issuers else certificate.issuer,
    )


def problem_of(certificate: Certificate, host: str, *, code: int, now: float) -> str:
    """Why a certificate was refused. OpenSSL names one reason (10: expired, 9: not yet valid, 62 and 64: another name); other
    systems' verifiers name none, so its dates and names are looked at too. `now` is the local clock, Unix seconds.
    """
    if code == 10 or certificate.not_after.timestamp() < now:  # noqa: PLR2004 -- X509_V_ERR_CERT_HAS_EXPIRED
        return "expired"
    if code == 9 or certificate.not_before.timestamp() > now:  # noqa: PLR2004 -- X509_V_ERR_CERT_NOT_YET_VALID
        return "not_yet"
    if code in {62, 64}:
        return "wrong_host"
    if code in {18, 19, 20, 21}:  # self-signed, or an issuer that is not known
        return "untrusted"
    return "untrusted" if certificate.covers(host) else "wrong_host"


def _chain(tls: Any) -> list[Certificate]:
    found = []
    try:
        for one in tls._sslobj.get_unverified_chain() or ():  # noqa: SLF001 -- public as SSLObject.get_unverified_chain from 3.13 on
            raw = one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes())
            found.append(read(raw))
    except (AttributeError, CertificateError, ValueError):
        return found
    return found


async def _exchange(
    request: Request,
    host: str,
    port: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    found: dict[str, Any],
) -> None:
    import h11  # noqa: PLC0415 -- 15 ms that a run without network never pays

    parts = urlsplit(request.url)
    plain_proxy = request.proxy and parts.scheme == "http"
    target = request.url if plain_proxy else (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = port == (443 if parts.scheme == "https" else 80)
    name = f"[{host}]" if ":" in host else host
    headers = [
        ("Host", name if default else f"{name}:{port}"),
        ("User-Agent", AGENT),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    headers.append(("Cache-Control", "no-cache"))
    if plain_proxy and (authorization := _authorization(request.proxy)):
        headers.append(("Proxy-Authorization", authorization))
    if request.pad_bytes:
        headers.append(("X-Deskside-Size", "x" * request.pad_bytes))
    connection = h11.Connection(h11.CLIENT)
    began = time.perf_counter()
    try:
        sent = connection.send(h11.Request(method="GET", target=target, headers=headers)) or b""
        writer.write(sent + (connection.send(h11.EndOfMessage()) or b""))
        async with asyncio.timeout(request.answer_s):
            response = await _next(connection, reader)
            while isinstance(response, h11.InformationalResponse):
                response = await _next(connection, reader)
    except TimeoutError as error:
        raise _Failed("no_answer") from error
    except h11.ProtocolError as error:
        raise _Failed("garbled" if reader.at_eof() is False else "closed", detail=str(error)) from error
    except OSError as error:
        raise _Failed("closed", detail=type(error).__name__) from error
    if not isinstance(response, h11.Response):
        raise _Failed("closed")
    found["first_byte_ms"], found["status"] = _since(began), response.status_code
    told = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers}
    found["location"], found["date"], found["server"] = (
        told.get("location", ""),
        told.get("date", ""),
        told.get("server", ""),
    )
    found["age_s"] = int(told["age"]) if told.get("age", "").isdigit() else 0
    if plain_proxy and response.status_code == 407:  # noqa: PLR2004 -- Proxy Authentication Required
        raise _Failed("proxy", at_proxy=True, proxy_status=407)
    await _body(request, connection, reader, found)


async def _body(request: Request, connection: Any, reader: asyncio.StreamReader, found: dict[str, Any]) -> None:
    import h11  # noqa: PLC0415 -- as above

    began = last = time.perf_counter()
    size, start = 0, b""
    silent_s = min(request.body_s, 3.0)  # a line that carries anything at all carries something within this
    try:
        while size < request.body_limit_bytes and time.perf_counter() - began < request.body_s:
            async with asyncio.timeout(silent_s):
                event = await _next(connection, reader)
            if not isinstance(event, h11.Data):
                break
            size += len(event.data)
            last = time.perf_counter()
            if len(start) < BODY_LIMIT_BYTES:
                start += bytes(event.data)
    except TimeoutError:
        found["outcome"] = "stalled"
    except (h11.ProtocolError, OSError) as error:
        found["detail"] = type(error).__name__  # the head came: that is an answer
    found["body_bytes"], found["body_ms"] = size, round((last - began) * 1000, 1)
    found["sign_in"] = asks_to_sign_in(start)
    if request.keep_page:
        found["page"] = start.decode("utf-8", "replace")


async def _next(connection: Any, reader: asyncio.StreamReader) -> Any:
    import h11  # noqa: PLC0415 -- as above

    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(65_536))
    return event


def asks_to_sign_in(page: bytes) -> bool:
    """Whether a page looks like the sign-in page of a guest network."""
    text = page[:BODY_LIMIT_BYTES].decode("utf-8", "replace").lower()
    page_like = "<html" in text or "<form" in text or "<meta" in text
    return page_like and any(word in text for word in SIGN_IN_WORDS)


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _words(error: ssl.SSLError) -> str:
    return str(getattr(error, "verify_message", "") or error.reason or error)
