"""One DNS question to one resolver. dnspython writes and reads the messages; the socket is ours: its errors are evidence."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from typing import Final, NamedTuple

import msgspec

from diagnostics.wire.connect import Reach, complaints, open_connection, open_socket, reach_of

RESEND_AFTER_S: Final = 1.0  # a packet may get lost; glibc waits 5 s, which an employee does not
UDP_LIMIT: Final = 1232  # the size that passes everywhere without fragments (DNS flag day 2020)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolver said. `reach` is `CONNECTED` when it said anything; then `rcode` is its word ("NOERROR", "NXDOMAIN", ...).

    `ms` is the time from the first question to the answer, `server_ms` from the question that was answered (packets get lost, and
    that is not the server's slowness); `sent` how many times it had to be asked.
    """

    server: str
    name: str
    kind: str
    reach: Reach
    rcode: str | None = None
    addresses: tuple[str, ...] = ()
    alias: str | None = None
    ms: float | None = None
    server_ms: float | None = None
    sent: int = 1
    offender: str | None = None
    icmp: tuple[int, int] | None = None

    @property
    def answered(self) -> bool:
        """It said something."""
        return self.rcode is not None


async def ask(
    server: str,
    name: str,
    kind: str = "A",
    *,
    within: float,
    port: int = 53,
    device: str = "",
) -> Answer:
    """Asks `server` (an address) for `name`; repeats the question each second until `within` seconds are over. Never raises."""
    import dns.exception  # noqa: PLC0415 -- 60 ms that a run without network never pays
    import dns.flags  # noqa: PLC0415
    import dns.message  # noqa: PLC0415

    try:
        query = dns.message.make_query(name, kind, use_edns=0, payload=UDP_LIMIT)
    except (dns.exception.DNSException, ValueError, UnicodeError):
        return Answer(server=server, name=name, kind=kind, reach=Reach.ERROR, rcode="BADNAME")
    began = time.perf_counter()
    got = await _udp(server, port, query.to_wire(), within=within, device=device)
    raw, sent = got.raw, got.sent
    if raw is None:
        return Answer(
            server=server, name=name, kind=kind, reach=got.reach, sent=sent, offender=got.offender, icmp=got.icmp
        )
    reply = _parse(raw)
    if reply is not None and reply.flags & dns.flags.TC:
        left = within - (time.perf_counter() - began)
        full = await _tcp(server, port, query.to_wire(), within=max(left, 0.5), device=device)
        reply = (_parse(full) if full else None) or reply
    ms = round((time.perf_counter() - began) * 1000, 1)
    if reply is None:
        return Answer(server=server, name=name, kind=kind, reach=Reach.CONNECTED, rcode="FORMERR", ms=ms, sent=sent)
    return _answer(server, name, kind, reply, ms=ms, got=got)


def _parse(raw: bytes):  # type: ignore[no-untyped-def] # noqa: ANN202 -- dns.message is imported late
    import dns.exception  # noqa: PLC0415 -- as in ask
    import dns.message  # noqa: PLC0415

    try:
        return dns.message.from_wire(raw, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None


def _answer(server: str, name: str, kind: str, reply, *, ms: float, got: _Got) -> Answer:  # type: ignore[no-untyped-def] # noqa: ANN001
    import dns.rcode  # noqa: PLC0415 -- as in ask
    import dns.rdatatype  # noqa: PLC0415

    addresses, alias = [], None
    for group in reply.answer:
        for record in group:
            if record.rdtype in {dns.rdatatype.A, dns.rdatatype.AAAA}:
                addresses.append(record.address)
            elif record.rdtype in {dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR}:
                alias = record.target.to_text(omit_final_dot=True)
    return Answer(
        server=server,
        name=name,
        kind=kind,
        reach=Reach.CONNECTED,
        rcode=dns.rcode.to_text(reply.rcode()),
        addresses=tuple(addresses),
        alias=alias,
        ms=ms,
        server_ms=got.server_ms,
        sent=got.sent,
    )


class _Got(NamedTuple):
    """What came of asking by UDP: the reply, or why there is none."""

    raw: bytes | None
    reach: Reach
    sent: int
    offender: str | None = None
    server_ms: float | None = None
    icmp: tuple[int, int] | None = None


async def _udp(server: str, port: int, wire: bytes, *, within: float, device: str) -> _Got:
    loop = asyncio.get_running_loop()
    try:
        sock = open_socket(server, socket.SOCK_DGRAM, device=device)
    except OSError:
        return _Got(None, Reach.NO_ROUTE, 0)
    ends = loop.time() + within
    asked: dict[bytes, float] = {}  # each time under another number, so that the answer tells which one it belongs to
    with contextlib.closing(sock):
        try:
            sock.connect(
                (server, port)
            )  # connected: ICMP errors come back as errors, strangers' packets do not come at all
            while (left := ends - loop.time()) > 0:
                number = secrets.token_bytes(2)
                asked[number] = loop.time()
                await loop.sock_sendall(sock, number + wire[2:])
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(RESEND_AFTER_S, left)):
                        while True:
                            raw = await loop.sock_recv(sock, 65535)
                            if raw[:2] in asked and len(raw) >= 12:  # noqa: PLR2004 -- the size of a DNS header
                                took = round((loop.time() - asked[raw[:2]]) * 1000, 1)
                                return _Got(raw, Reach.CONNECTED, len(asked), None, took)
        except OSError as error:
            who = complaints(sock)
            reach = reach_of(error)
            if reach is Reach.NO_ROUTE and who and not who[-1].local:
                reach = Reach.UNREACHABLE
            icmp = (who[-1].type, who[-1].code) if who else None
            return _Got(None, reach, max(len(asked), 1), (who[-1].offender or None) if who else None, None, icmp)
    return _Got(None, Reach.SILENT, len(asked))


async def _tcp(server: str, port: int, wire: bytes, *, within: float, device: str) -> bytes | None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within):
            _, sock = await open_connection(server, port, within=within, device=device)
            if sock is None:
                return None
            with contextlib.closing(sock):
                await loop.sock_sendall(sock, struct.pack("!H", len(wire)) + wire)
                raw = b""
                while len(raw) < 2 or len(raw) < 2 + struct.unpack("!H", raw[:2])[0]:  # noqa: PLR2004 -- the length comes first
                    more = await loop.sock_recv(sock, 65535)
                    if not more:
                        return None
                    raw += more
                return raw[2:]
    except OSError:
        return None
