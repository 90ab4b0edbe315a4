"""Replies to a ticket: through the same gate as the ticket itself. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from client.model import Attachment, Payload, Preview
from client.receipt import without_ref
from client.report.compose import own_files
from client.report.redact import Redactor

AGAIN: Final = "The same problem is there again, or still."


def covered(words: str) -> tuple[str, int]:
    """The words without secrets, and how many places were covered; words without secrets stay as they are."""
    gate = Redactor()
    return gate.written(words), gate.count


def reply(key: str, words: str, attachments: tuple[Attachment, ...]) -> Payload:
    """A reply as it is sent: the words without secrets, and the files as they were chosen, under whole names."""
    return Payload(key=key, subject="", body=covered(words)[0], attachments=own_files(attachments))


def addition(preview: Preview) -> Preview:
    """A ticket that becomes a reply: the same text, files and redaction, without what only a new ticket has.

    Args:
        preview: of the ticket; its key stays, so that the draft goes with it.
    """
    payload = preview.payload
    body = f"{AGAIN}\n\n{without_ref(payload.body)}"
    return msgspec.structs.replace(
        preview, payload=Payload(key=payload.key, subject="", body=body, attachments=payload.attachments)
    )
