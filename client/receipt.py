"""The receipt of a message to the help desk: one hash over what the preview showed, and what is needed to prove it later.

The canonical form is JSON without spaces, in UTF-8, with its keys in this order: {"subject", "body", "files": [{"name",
"media_type", "sha256"}]}. `body` is the text without its reference line, the last one, which carries the hash itself; `files` are
in the order in which they are sent. So anybody who has the ticket can compute it again. Pure; imports the model alone.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Final

import msgspec

from client.model import FileMark, Payload, Receipt

LABEL: Final = "Deskside ref: "
# With and without the hash: tickets of before carry the key alone. Desks break long lines and replace the dot in their own ways.
REF: Final = re.compile(
    r"\s*^Deskside ref: [A-Za-z0-9-]{8,64}(?:\W{1,12}sha256\W{1,3}(?P<sha256>[0-9a-f]{64}))?\s*\Z", re.MULTILINE
)


class _File(msgspec.Struct, frozen=True):
    name: str
    media_type: str
    sha256: str


class _Form(msgspec.Struct, frozen=True):
    subject: str
    body: str
    files: tuple[_File, ...]


def fingerprint(payload: Payload) -> str:
    """The hash of the canonical form, 64 hexadecimal digits; the same with and without the hash in the payload's last line."""
    files = tuple(_File(one.name, one.media_type, one.sha256) for one in marks(payload))
    form = _Form(subject=payload.subject, body=without_ref(payload.body), files=files)
    return digest(msgspec.json.encode(form))


def sealed(payload: Payload) -> Payload:
    """The payload whose reference line carries the hash; unchanged where it has no such line (a reply)."""
    line = f"{LABEL}{payload.key}"
    bare = REF.sub("", payload.body)
    if bare == payload.body:
        return payload
    seal = f"{line} \u00b7 sha256 {fingerprint(payload)}"
    html = re.sub(rf"{re.escape(line)}(?: \u00b7 sha256 [0-9a-f]{{64}})?", seal, payload.body_html)
    return msgspec.structs.replace(payload, body=f"{bare}\n\n{seal}", body_html=html)


def without_ref(text: str) -> str:
    """A ticket's text without its reference line."""
    return REF.sub("", text)


def hash_in(text: str) -> str:
    """The hash that a ticket's reference line carries, empty where it carries none."""
    found = REF.search(text)
    return (found["sha256"] or "") if found else ""


def marks(payload: Payload) -> tuple[FileMark, ...]:
    """What a receipt remembers of the files: never a byte of them."""
    return tuple(
        FileMark(
            name=one.name,
            media_type=one.media_type,
            size_bytes=len(one.data),
            sha256=hashlib.sha256(one.data).hexdigest(),
        )
        for one in payload.attachments
    )


def receipt_of(payload: Payload, *, reply_to: str | None, whole: str, at: datetime) -> Receipt:
    """The receipt of a payload that is about to be kept.

    Args:
        payload: as the preview has shown it.
        reply_to: the desk's id of the ticket that it answers; None for a new ticket.
        whole: the hash of everything that is kept to be sent, the desk's fields included.
        at: when it was agreed to.
    """
    body = without_ref(payload.body)
    return Receipt(
        key=payload.key,
        kind="ticket" if reply_to is None else "reply",
        sha256=fingerprint(payload),
        whole_sha256=whole,
        subject_sha256=digest(payload.subject.encode()),
        body_sha256=digest(body.encode()),
        letters_sha256=digest(essence(body).encode()),
        files=marks(payload),
        ticket=reply_to or "",
        cause=payload.fields.get("cause", ""),
        about_sha256=digest(payload.fields.get("subject", "").encode()),
        created_at=at,
    )


def essence(text: str) -> str:
    """Letters and digits alone: what survives the Markdown, HTML and white space of any desk."""
    return "".join(char for char in text.casefold() if char.isalnum()) or "".join(text.split())


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
