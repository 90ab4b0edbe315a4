"""What is asked for in a visit, and what became of it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from diagnostics.wire.connect import Attempt

CONNECT_S: Final = 3.6  # a lost first packet is sent again after 1 and 3 s; the kernel asks 3 s long who has an address
TLS_S: Final = 4.0  # a busy server needs one; a hole that swallows large packets never lets it end
ANSWER_S: Final = 6.0  # must be longer than what is called slow (3 s), and leave the run within 10 s
BODY_LIMIT_BYTES: Final = 65_536  # enough to know a sign-in page


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask for. `addresses` are the host's (or the proxy's, where `proxy` is set), best first.

    Args:
        url: http or https.
        proxy: "http://[user:password@]host:port", "" for the direct way.
        ca_file: an authority to trust as well.
        pad_bytes: makes the request larger by a header of this size, to see whether large packets pass.
        segment_bytes: both sides send nothing larger at once, to see whether that makes the difference; 0 for the usual size.
        body_limit_bytes: reads no more than this. body_s: reads no longer than this; both end a visit well.
        keep_page: the visit carries the text of the answer.
    """

    url: str
    addresses: tuple[str, ...]
    proxy: str = ""
    ca_file: str = ""
    device: str = ""
    pad_bytes: int = 0
    segment_bytes: int = 0
    connect_s: float = CONNECT_S
    tls_s: float = TLS_S
    answer_s: float = ANSWER_S
    body_s: float = ANSWER_S
    body_limit_bytes: int = BODY_LIMIT_BYTES
    keep_page: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate a server showed. `problem`: None when accepted, else "expired", "not_yet", "wrong_host" or "untrusted"."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: str
    not_after: str
    problem: str | None = None
    self_signed: bool = False
    root: str = ""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request.

    `outcome` is "answered", "name" (no address), a `Reach` ("refused", "silent", ...), "certificate", "tls" (handshake refused),
    "tls_silent", "proxy" (the proxy said `proxy_status`), "no_answer", "closed", "garbled" or "stalled" (the body stopped midway).
    `page` is only kept where asked for. `at_proxy` says that a connection outcome is about the proxy and not about the target.
    """

    url: str
    host: str
    port: int
    outcome: str
    via: str = "direct"
    at_proxy: bool = False
    attempts: tuple[Attempt, ...] = ()
    address: str | None = None
    status: int | None = None
    proxy_status: int | None = None
    location: str = ""
    date: str = ""
    age_s: int = 0
    server: str = ""
    body_bytes: int = 0
    sign_in: bool = False
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    body_ms: float | None = None
    total_ms: float | None = None
    certificate: Shown | None = None
    detail: str = ""
    page: str = ""

    @property
    def answered(self) -> bool:
        """An HTTP answer came, whatever it says."""
        return self.outcome in {"answered", "stalled"}


def host_port(url: str) -> tuple[str, int]:
    """Host and port of an http(s) URL.

    Raises:
        ValueError: it names none.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
