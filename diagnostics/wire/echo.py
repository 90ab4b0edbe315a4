"""Pings and hops without raw sockets: ICMP datagram sockets where allowed, Windows' own service, the system's `ping` otherwise.
Hops by the error queue.

On Linux net.ipv4.ping_group_range says who may ping; a process that may open raw sockets uses one. An answer is evidence that
something is there; silence proves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from diagnostics.wire.connect import complaints, family_of, open_socket

IP_MTU_DISCOVER: Final = 10
IPV6_MTU_DISCOVER: Final = 23
PMTUDISC_PROBE: Final = 3  # set "don't fragment", ignore what the kernel believes about the path
UNICAST_HOPS: Final = {socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL), socket.AF_INET6: (socket.IPPROTO_IPV6, 16)}
ECHO_REQUEST: Final = {socket.AF_INET: 8, socket.AF_INET6: 128}
ECHO_REPLY: Final = {socket.AF_INET: 0, socket.AF_INET6: 129}
WALK_PORT: Final = 33434  # traceroute's first port: nothing listens there
PING_INTERVAL_S: Final = 0.2  # the ping program refuses ordinary users a shorter one

ORDINARY_BYTES: Final = (
    56  # what ping sends unless told; more is asked about the path's size and must not be fragmented
)

Run = Callable[..., Awaitable[Any]]


class Echoes(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to pings. `allowed` is False when this system did not let us ping at all: then nothing was seen.

    `blocked` is how many could not even be sent because this computer's own filter forbade it.
    """

    address: str
    allowed: bool
    sent: int = 0
    times_ms: tuple[float, ...] = ()
    blocked: int = 0
    too_big: bool = False

    @property
    def received(self) -> int:
        """How many were answered."""
        return len(self.times_ms)

    @property
    def median_ms(self) -> float | None:
        """The middle one of the times, None without any."""
        return sorted(self.times_ms)[len(self.times_ms) // 2] if self.times_ms else None

    @property
    def loss_percent(self) -> float | None:
        """Unanswered ones of those sent, None when none was sent."""
        return round(100 * (self.sent - self.received) / self.sent, 1) if self.sent else None


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for a packet that may go `distance` steps: from whom, ICMP type and code. `sender` is None for silence."""

    distance: int
    sender: str | None = None
    icmp: tuple[int, int] | None = None
    ms: float | None = None


def _echo_socket(address: str, device: str) -> tuple[socket.socket, bool] | None:
    """A socket that may ping, and whether it is (or behaves as) a raw one; None when neither kind is allowed."""
    protocol = socket.IPPROTO_ICMP if family_of(address) == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with contextlib.suppress(OSError):
            return open_socket(address, kind, device=device, protocol=protocol), hands_over_all(sys.platform, kind)
    return None


def hands_over_all(platform: str, kind: socket.SocketKind) -> bool:
    """Whether an ICMP socket gives the IPv4 header too, and everybody's replies: raw ones do, and macOS' datagram ones."""
    return kind == socket.SOCK_RAW or platform == "darwin"


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _request(family: int, number: int, size: int, mark: int) -> bytes:
    body = bytes(size)
    head = struct.pack("!BBHHH", ECHO_REQUEST[socket.AddressFamily(family)], 0, 0, mark, number)
    return head[:2] + struct.pack("!H", checksum(head + body)) + head[4:] + body


def _reply_number(raw: bytes, family: int, *, mark: int | None) -> int | None:
    """The sequence number of an echo reply to us; a raw IPv4 socket hands over the IP header too, and everybody's replies."""
    if mark is not None and family == socket.AF_INET and raw:
        raw = raw[(raw[0] & 0x0F) * 4 :]
    if len(raw) < 8 or raw[0] != ECHO_REPLY[socket.AddressFamily(family)]:  # noqa: PLR2004 -- the size of the header
        return None
    got_mark, number = struct.unpack("!HH", raw[4:8])
    return number if mark is None or got_mark == mark else None


class _Pinger:
    """One socket's pings: what was sent when, and what came back after how long."""

    def __init__(self, sock: socket.socket, address: str, *, count: int, size: int, raw: bool) -> None:
        self._sock, self._address, self._count, self._size = sock, address, count, size
        self._family = family_of(address)
        self._mark = id(sock) >> 4 & 0xFFFF
        self._raw = raw
        self._sent_at: dict[int, float] = {}
        self.times: dict[int, float] = {}
        self.blocked = 0
        self.too_big = False
        self.everything = asyncio.Event()

    def forbid_fragments(self) -> None:
        v4 = self._family == socket.AF_INET
        option = (socket.IPPROTO_IP, IP_MTU_DISCOVER) if v4 else (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)
        with contextlib.suppress(OSError):
            self._sock.setsockopt(*option, PMTUDISC_PROBE)

    def send(self, number: int) -> None:
        self._sent_at[number] = time.perf_counter()
        try:
            self._sock.sendto(_request(self._family, number, self._size, self._mark), (self._address, 0))
        except PermissionError:
            self.blocked += 1
        except OSError as error:
            complaints(self._sock)
            self.too_big = self.too_big or error.errno == errno.EMSGSIZE

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data, (sender, *_) = await loop.sock_recvfrom(self._sock, 65535)
            except OSError:
                complaints(self._sock)  # an ICMP error about one of ours: emptied, or it would be reported again
                await asyncio.sleep(0.01)
                continue
            number = _reply_number(data, self._family, mark=self._mark if self._raw else None)
            ours = str(sender).partition("%")[0] == self._address.partition("%")[0]
            if ours and number in self._sent_at and number not in self.times:
                self.times[number] = round((time.perf_counter() - self._sent_at[number]) * 1000, 2)
                if len(self.times) == self._count:
                    self.everything.set()


async def echo(address: str, *, count: int, interval: float, wait: float, size: int, device: str, run: Run) -> Echoes:
    """Sends `count` pings `interval` seconds apart and listens `wait` seconds after the last. Never raises."""
    if sys.platform == "win32":
        return await _echo_by_service(address, count=count, interval=interval, wait=wait, size=size)
    opened = _echo_socket(address, device)
    if opened is None:
        return await _echo_by_program(address, count=count, interval=interval, wait=wait, size=size, run=run)
    sock, raw = opened
    with contextlib.closing(sock):
        pinger = _Pinger(sock, address, count=count, size=size, raw=raw)
        if size > ORDINARY_BYTES and sys.platform == "linux":
            pinger.forbid_fragments()
        listener = asyncio.create_task(pinger.listen())
        try:
            for number in range(count):
                pinger.send(number)
                if number + 1 < count:
                    await asyncio.sleep(interval)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await pinger.everything.wait()
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener
    return Echoes(
        address=address,
        allowed=True,
        sent=count,
        times_ms=tuple(pinger.times.values()),
        blocked=pinger.blocked,
        too_big=pinger.too_big,
    )


async def _echo_by_service(address: str, *, count: int, interval: float, wait: float, size: int) -> Echoes:
    """Windows keeps ICMP sockets for administrators and pings for everybody: each ping waits in a thread of its own."""
    from diagnostics.platforms.win32_ip_helper import IP_PACKET_TOO_BIG, ping  # noqa: PLC0415 -- only there

    loop = asyncio.get_running_loop()

    def one() -> tuple[int | None, float]:
        began = time.perf_counter()
        said = ping(address, size=size, wait_s=wait, whole=size > ORDINARY_BYTES)
        return said, round((time.perf_counter() - began) * 1000, 2)

    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="ping")
    try:
        waiting = []
        for number in range(count):
            waiting.append(loop.run_in_executor(pool, one))
            if number + 1 < count:
                await asyncio.sleep(interval)
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    said = [each for each in ended if not isinstance(each, BaseException)]
    if not said:
        return Echoes(address=address, allowed=False)
    return Echoes(
        address=address,
        allowed=True,
        sent=len(said),
        times_ms=tuple(ms for status, ms in said if status == 0),
        too_big=any(status == IP_PACKET_TOO_BIG for status, _ in said),
    )


def ping_arguments(
    platform: str, address: str, *, count: int, interval: float, wait: float, size: int
) -> tuple[str, ...]:
    """The arguments of the system's `ping` (after the program's name)."""
    if platform == "win32":
        big = ("-f",) if size > ORDINARY_BYTES and ":" not in address else ()
        return ("-n", str(count), "-w", str(round(wait * 1000)), "-l", str(size), *big, address)
    step = f"{max(interval, PING_INTERVAL_S):g}"
    if platform == "darwin":
        return ("-n", "-c", str(count), "-i", step, "-W", str(round(wait * 1000)), "-s", str(size), "-D", address)
    return (
        "-n",
        "-c",
        str(count),
        "-i",
        step,
        "-W",
        f"{wait:g}",
        "-s",
        str(size),
        "-M",
        "do" if size > ORDINARY_BYTES else "dont",
        address,
    )


def ping_times(output: str) -> tuple[float, ...]:
    """The times (ms) in what `ping` printed, in whatever language: "time=0.4 ms", "Zeit<1ms", "temps=12,3 ms"."""
    return tuple(
        float(one.replace(",", "."))
        for one in re.findall(r"\w[=<]\s?(\d+(?:[.,]\d+)?)\s?ms\b.*(?:TTL|ttl|hlim|$)", output, re.MULTILINE)
        if one
    ) or tuple(float(one.replace(",", ".")) for one in re.findall(r"[=<](\d+(?:[.,]\d+)?)\s?ms", output))


async def _echo_by_program(address: str, *, count: int, interval: float, wait: float, size: int, run: Run) -> Echoes:
    few = min(count, 5)  # a slow program: enough to see a delay or a great loss, not to count a small one
    arguments = ping_arguments(sys.platform, address, count=few, interval=interval, wait=wait, size=size)
    program = "ping6" if sys.platform == "darwin" and ":" in address else "ping"
    ran = await run((program, *arguments), timeout=few * max(interval, PING_INTERVAL_S) + wait + 1)
    if ran.missing or "permitted" in ran.err:
        return Echoes(address=address, allowed=False)
    return Echoes(address=address, allowed=True, sent=few, times_ms=ping_times(ran.out)[:few])


async def walk(address: str, *, hops: int, wait: float) -> tuple[Hop, ...]:
    """Sends one small UDP packet for each distance 1 to `hops` and reads who complains. Ends early when the last one answered.

    Empty where the system keeps no error queue (everything but Linux) or nothing could be sent.
    """
    if sys.platform != "linux":
        return ()
    socks: dict[int, socket.socket] = {}
    found: dict[int, Hop] = {}
    family = family_of(address)
    began = time.perf_counter()
    try:
        for distance in range(1, hops + 1):
            with contextlib.suppress(OSError):
                sock = open_socket(address, socket.SOCK_DGRAM)
                socks[distance] = sock
                level, option = UNICAST_HOPS[socket.AddressFamily(family)]
                sock.setsockopt(level, option, distance)
                sock.sendto(b"deskside", (address, WALK_PORT + distance))
        while time.perf_counter() - began < wait and len(found) < len(socks):
            await asyncio.sleep(0.02)
            for distance, sock in socks.items():
                if distance not in found and (who := complaints(sock)):
                    ms = round((time.perf_counter() - began) * 1000, 1)
                    found[distance] = Hop(
                        distance=distance, sender=who[0].offender or None, icmp=(who[0].type, who[0].code), ms=ms
                    )
            if any(hop.sender == address for hop in found.values()) and min(
                distance for distance, hop in found.items() if hop.sender == address
            ) <= len(found):
                break
    finally:
        for sock in socks.values():
            sock.close()
    return tuple(found.get(distance, Hop(distance=distance)) for distance in socks)


async def echo_all(group: str, device: str, *, wait: float) -> tuple[str, ...]:
    """Pings an IPv6 group on one adapter's cable; gives who answered within `wait` seconds. Empty where pinging is not allowed."""
    opened = _echo_socket(group, "")
    if opened is None:
        return ()
    sock, _ = opened
    loop = asyncio.get_running_loop()
    found: dict[str, None] = {}
    with contextlib.closing(sock), contextlib.suppress(OSError):
        index = socket.if_nametoindex(device)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        for number in range(2):
            sock.sendto(_request(socket.AF_INET6, number, ORDINARY_BYTES, id(sock) >> 4 & 0xFFFF), (group, 0, 0, index))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait / 2):
                    while True:
                        data, (sender, *_) = await loop.sock_recvfrom(sock, 65535)
                        if data and data[0] == ECHO_REPLY[socket.AF_INET6]:
                            found[str(sender).partition("%")[0]] = None
    return tuple(found)


ARP_PAUSE_S: Final = 0.002  # 500 a second at the most: a trickle on any cable
ETHERNET_ARP: Final = 0x0806
ARP_HEAD: Final = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)  # Ethernet, IPv4, their lengths, a request


async def overhear(device: str, guesses: tuple[str, ...], *, wait: float) -> tuple[str, ...]:
    """Who uses which IPv4 address on an adapter's cable, by ARP: asks for the `guesses` and listens `wait` seconds.

    Only Linux lets administrators do this; for everybody else it is empty.
    """
    if sys.platform != "linux":
        return ()
    loop = asyncio.get_running_loop()
    found: dict[str, None] = {}
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERNET_ARP))
    except OSError:
        return ()
    with contextlib.closing(sock), contextlib.suppress(OSError):
        sock.setblocking(False)
        sock.bind((device, ETHERNET_ARP))
        own = sock.getsockname()[4]
        for guess in guesses:  # "who has" without an address of one's own (RFC 5227): nobody's tables change by it
            request = ARP_HEAD + own + bytes(4) + bytes(6) + socket.inet_aton(guess)
            with contextlib.suppress(BlockingIOError):  # the adapter is busy: the next ones may get out
                sock.send(b"\xff" * 6 + own + struct.pack("!H", ETHERNET_ARP) + request)
            await asyncio.sleep(ARP_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while True:
                    frame = await loop.sock_recv(sock, 2048)
                    if len(frame) >= 42 and frame[22:28] != own and frame[28:32] != bytes(4):  # noqa: PLR2004 -- an ARP frame
                        found[socket.inet_ntoa(frame[28:32])] = None
    return tuple(found)
