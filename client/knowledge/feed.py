"""IT's announcements as one signed file that any web server can hand out. Touches no disk.

    ed25519:KEY SIGNATURE        one line for each key that has signed what follows the empty line

    {"schema": 1, "kind": "deskside.announcements", "issued_at": "2026-03-02T09:00:00Z", "announcements": [...]}

The signatures are over every byte after the empty line and are checked before anything in it is believed. A feed that was issued
before the one that is known is refused, so that nobody can bring back what is over.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from client.knowledge.signing import Signer, is_right, read_signatures
from client.model import Announcement

LARGEST_FEED: Final = 1024 * 1024  # bytes
MOST_SIGNATURES: Final = 8
MOST: Final = 200
_PARTING: Final = b"\n\n"


class BadFeed(Exception):
    """The feed is refused; the text is a sentence."""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    schema: Literal[1] = 1
    kind: Literal["deskside.announcements"] = "deskside.announcements"
    issued_at: Annotated[datetime, msgspec.Meta(tz=True)]
    announcements: Annotated[tuple[Announcement, ...], msgspec.Meta(max_length=MOST)] = ()


def draft(content: bytes, *, now: datetime) -> bytes:
    """What is to be signed, from a file that IT writes: a JSON list of announcements, or an object with it. Issued `now`.

    Raises:
        BadFeed: it is not that.
    """
    try:
        found = msgspec.json.decode(content)
        told = found.get("announcements") if isinstance(found, dict) else found
        feed = Feed(issued_at=now, announcements=msgspec.convert(told, tuple[Announcement, ...]))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFeed(f"It is no list of announcements: {error}.") from error
    if len({one.id for one in feed.announcements}) != len(feed.announcements):
        raise BadFeed("Two announcements have the same id.")
    if len(feed.announcements) > MOST:
        raise BadFeed(f"There are more than {MOST} announcements.")
    return msgspec.json.format(msgspec.json.encode(feed), indent=1) + b"\n"


def signed(content: bytes, *signers: Signer) -> bytes:
    """The feed with its signatures, as servers hand it out.

    Args:
        content: what `draft` gave.
    """
    lines = "\n".join(signer.sign(content).line() for signer in signers)
    return lines.encode() + _PARTING + content


def read(content: bytes, *, trusted: Collection[str]) -> Feed:
    """The feed in a file, if one of the trusted keys has signed it.

    Raises:
        BadFeed: it is not signed by them, or no feed.
    """
    if len(content) > LARGEST_FEED:
        raise BadFeed("The file is too large for announcements.")
    head, _, body = content.partition(_PARTING)
    try:
        signatures = read_signatures(head.decode("ascii"), most=MOST_SIGNATURES)
    except ValueError as error:
        raise BadFeed("The file is not signed as announcements are.") from error
    if not any(one.key in trusted and is_right(one, body) for one in signatures):
        raise BadFeed("Nobody who is trusted here has signed the announcements.")
    try:
        return msgspec.json.decode(body, type=Feed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadFeed("The announcements are signed, but not of a kind that this version of Deskside knows.") from error
