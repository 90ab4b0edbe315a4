"""Payloads and drafts as bytes for the database: canonical JSON beside the bytes of their files, each known by its hash.

A payload is serialised once, when it is added; what is sent later is read back from these bytes and checked against the hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from client.model import Attachment, Draft, Payload


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the JSON mentions it: its name, type, size in bytes and the hash of its bytes."""

    name: str
    media_type: str
    size: int
    sha256: str


class PayloadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A payload without its bytes. The order of fields is the order in the canonical JSON."""

    key: str
    reply_to: str | None
    subject: str
    body: str
    body_html: str
    fields: dict[str, str]
    attachments: tuple[FileRecord, ...]


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A payload in its final form: the JSON, its hash (the receipt), and the files' records and bytes by hash."""

    body: bytes
    sha256: str
    files: tuple[FileRecord, ...]
    blobs: dict[str, bytes]


def pack(payload: Payload, *, reply_to: str | None) -> Packed:
    """Serialises a payload; the same payload always gives the same bytes."""
    files, blobs = _files(payload.attachments)
    record = PayloadRecord(
        key=payload.key,
        reply_to=reply_to,
        subject=payload.subject,
        body=payload.body,
        body_html=payload.body_html,
        fields=payload.fields,
        attachments=files,
    )
    body = msgspec.json.encode(record, order="deterministic")
    return Packed(body=body, sha256=hashlib.sha256(body).hexdigest(), files=files, blobs=blobs)


def unpack(body: bytes, sha256: str, blobs: Mapping[str, bytes]) -> Payload:
    """The payload again, byte for byte.

    Raises:
        ValueError: the bytes are not what was packed: the disk has changed them.
    """
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ValueError("the payload does not match its hash")
    record = msgspec.json.decode(body, type=PayloadRecord)
    files = []
    for one in record.attachments:
        data = blobs.get(one.sha256)
        if data is None or hashlib.sha256(data).hexdigest() != one.sha256:
            raise ValueError("a file does not match its hash")
        files.append(Attachment(name=one.name, media_type=one.media_type, data=data))
    return Payload(
        key=record.key,
        subject=record.subject,
        body=record.body,
        body_html=record.body_html,
        fields=record.fields,
        attachments=tuple(files),
    )


def pack_draft(draft: Draft) -> Packed:
    """Serialises a draft the same way."""
    files, blobs = _files(draft.attachments)
    body = msgspec.json.encode(msgspec.structs.replace(draft, attachments=()), order="deterministic")
    return Packed(body=body, sha256=hashlib.sha256(body).hexdigest(), files=files, blobs=blobs)


def unpack_draft(body: bytes, attachments: tuple[Attachment, ...]) -> Draft:
    """The draft again.

    Raises:
        ValueError: it was written in a form that this version does not read.
    """
    return msgspec.structs.replace(msgspec.json.decode(body, type=Draft), attachments=attachments)


def _files(attachments: tuple[Attachment, ...]) -> tuple[tuple[FileRecord, ...], dict[str, bytes]]:
    records, blobs = [], {}
    for one in attachments:
        sha256 = hashlib.sha256(one.data).hexdigest()
        records.append(FileRecord(name=one.name, media_type=one.media_type, size=len(one.data), sha256=sha256))
        blobs[sha256] = one.data
    return tuple(records), blobs
