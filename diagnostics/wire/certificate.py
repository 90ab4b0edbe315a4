"""Reads the few fields of an X.509 certificate that are evidence: whose, from whom, for which names, from when to when.

A small DER reader (ITU-T X.690, RFC 5280), because the standard library reads certificates only after they were verified, and the
interesting ones are those that were not. It decides nothing about trust.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

COMMON_NAME: Final = bytes.fromhex("550403")
ORGANISATION: Final = bytes.fromhex("55040a")
ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
SEQUENCE, UTC_TIME, BMP_STRING, BOOLEAN = 0x30, 0x17, 0x1E, 0x01
VERSION_TAG, EXTENSIONS_TAG, DNS_TAG, IP_TAG = 0xA0, 0xA3, 0x82, 0x87
PIVOT_YEAR: Final = 50  # RFC 5280 4.1.2.5.1: two-digit years below are of this century


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What one certificate says. Dates are UTC. `names` are host names and addresses it is for."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    def covers(self, host: str) -> bool:
        """Whether it is for this host: an exact name or address, or a wildcard in place of the first label."""
        wanted = host.rstrip(".").lower()
        for name in self.names:
            name = name.rstrip(".").lower()  # noqa: PLW2901 -- the same name, in the form that compares
            if name == wanted:
                return True
            if name.startswith("*.") and wanted.partition(".")[2] == name[2:] and wanted.partition(".")[0]:
                return True
        return False


class CertificateError(ValueError):
    """These bytes are no certificate."""


def read(der: bytes) -> Certificate:
    """Reads a certificate in DER.

    Raises:
        CertificateError: it is none, or it is cut off.
    """
    try:
        outer = next(_items(der))[1]
        parts = list(_items(next(_items(outer))[1]))
        if parts[0][0] == VERSION_TAG:
            parts = parts[1:]
        _, _, issuer, validity, subject, _, *rest = parts  # serial, algorithm, issuer, validity, subject, key
        before, after = (_time(tag, raw) for tag, raw in _items(validity[1]))
        names: tuple[str, ...] = ()
        for tag, raw in rest:
            if tag == EXTENSIONS_TAG:
                names = tuple(_alternative_names(next(_items(raw))[1]))
        common = _name(subject[1], COMMON_NAME)
        return Certificate(
            subject=common or _name(subject[1], ORGANISATION),
            issuer=_name(issuer[1], COMMON_NAME) or _name(issuer[1], ORGANISATION),
            names=names or ((common,) if common else ()),
            not_before=before,
            not_after=after,
        )
    except (IndexError, ValueError, StopIteration, RuntimeError) as error:
        raise CertificateError(f"not a certificate: {error}") from error


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The (tag, content) pairs in a run of DER values."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data):
            raise CertificateError("it is cut off")
        yield tag, data[at : at + length]
        at += length


def _name(raw: bytes, wanted: bytes) -> str:
    for _, group in _items(raw):
        for _, pair in _items(group):
            (_, kind), (tag, value) = _items(pair)
            if kind == wanted:
                return value.decode("utf-16-be" if tag == BMP_STRING else "utf-8", "replace")
    return ""


def _time(tag: int, raw: bytes) -> datetime:
    text = raw.decode("ascii")
    if tag == UTC_TIME:
        text = ("20" if int(text[:2]) < PIVOT_YEAR else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _alternative_names(raw: bytes) -> Iterator[str]:
    for _, extension in _items(raw):
        parts = [part for part in _items(extension) if part[0] != BOOLEAN]
        if len(parts) == 2 and parts[0][1] == ALTERNATIVE_NAMES:  # noqa: PLR2004 -- an id and a value
            for tag, value in _items(next(_items(parts[1][1]))[1]):
                if tag == DNS_TAG:
                    yield value.decode("ascii", "replace")
                elif tag == IP_TAG:
                    yield str(ipaddress.ip_address(value))
