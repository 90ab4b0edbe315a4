"""What time a time server says it is (SNTP, RFC 4330)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from typing import Final

from diagnostics.wire.connect import open_socket

NTP_EPOCH_OFFSET_S: Final = 2_208_988_800  # from 1900-01-01 to 1970-01-01
RESEND_AFTER_S: Final = 1.0  # a packet may get lost
REQUEST: Final = bytes([0b00_100_011]) + bytes(47)  # leap 0, version 4, client
SERVER_MODES: Final = frozenset({4, 5})


def offset_of(reply: bytes, *, sent_at: float, received_at: float) -> float | None:
    """Seconds that the local clock is ahead of the server's; None when the reply says nothing (too short, not synchronised).

    Args:
        sent_at, received_at: local wall clock (Unix seconds) around the exchange.
    """
    if len(reply) < 48 or reply[0] & 0b111 not in SERVER_MODES or reply[1] == 0:  # noqa: PLR2004 -- the size of the packet
        return None
    received, received_fraction, transmitted, transmitted_fraction = struct.unpack("!IIII", reply[32:48])
    if transmitted == 0:
        return None
    server_in: float = received - NTP_EPOCH_OFFSET_S + received_fraction / 2**32
    server_out: float = transmitted - NTP_EPOCH_OFFSET_S + transmitted_fraction / 2**32
    return ((sent_at - server_in) + (received_at - server_out)) / 2


async def ask_time(address: str, *, within: float, port: int = 123) -> float | None:
    """Asks a time server (an address); seconds that this clock is ahead, None when it does not answer. Never raises."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + within
    try:
        with contextlib.closing(open_socket(address, socket.SOCK_DGRAM)) as sock:
            sock.connect((address, port))
            while (left := ends - loop.time()) > 0:
                sent_at = time.time()
                await loop.sock_sendall(sock, REQUEST)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(RESEND_AFTER_S, left)):
                        reply = await loop.sock_recv(sock, 512)
                        return offset_of(reply, sent_at=sent_at, received_at=time.time())
    except OSError:
        return None
    return None
