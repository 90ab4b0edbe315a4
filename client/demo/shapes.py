"""The employee API's messages: what comes in is validated strictly, what goes out has exactly these members.

The same rules stand in resources/api/employee-api.yaml; a test compares the two with the running server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

# One line of text with something to read in it.
LINE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
# Text of several lines: no control characters but tab and line ends, and something to read in it.
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
# A field's value; may be empty.
VALUE = r"^[^\x00-\x1f\x7f]*$"

Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINE)]
Body = Annotated[str, msgspec.Meta(min_length=1, max_length=65_536, pattern=TEXT)]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
FileNames = Annotated[tuple[FileName, ...], msgspec.Meta(max_length=20)]
Value = Annotated[str, msgspec.Meta(max_length=200, pattern=VALUE)]


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What agents route and filter by. `subject` names what the cause is about: an interface, a server, a volume."""

    cause: Value = ""
    subject: Value = ""
    severity: Literal["", "low", "medium", "high", "critical"] = ""
    tier: Literal["", "L1", "L2", "L3"] = ""
    device: Value = ""
    client: Value = ""
    version: Value = ""
    platform: Value = ""


class NewTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON part of `POST tickets`. `body` is plain text that reads well as Markdown.

    `file_names` are the names of the `files` parts, in their order: a multipart header cannot carry every character of a name.
    """

    subject: Subject
    body: Body
    fields: Fields = Fields()
    file_names: FileNames | None = None


class NewComment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON part of `POST tickets/{id}/comments`; members as in `NewTicket`."""

    body: Body
    file_names: FileNames | None = None


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the desk has on its disk: `sha256` was read back from there."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a conversation."""

    name: str
    media_type: str
    size_bytes: int


class TicketEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of the list. `status` is for people, `open` for programs; `key` is the `Idempotency-Key` it was made with."""

    id: str
    ref: str
    subject: str
    status: str
    open: bool
    url: str
    created_at: datetime
    updated_at: datetime
    key: str | None


class CommentEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation."""

    id: str
    author: str
    from_agent: bool
    text: str
    created_at: datetime
    attachments: tuple[FileEntry, ...] = ()


class CreatedTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `POST tickets`: the ticket and every file of it, in the order sent."""

    ticket: TicketEntry
    attachments: tuple[StoredFile, ...]


class CreatedComment(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `POST tickets/{id}/comments`."""

    comment: CommentEntry
    attachments: tuple[StoredFile, ...]


class TicketList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of tickets, newest first; `next_before` is the `before` of the next page, null on the last."""

    tickets: tuple[TicketEntry, ...]
    next_before: str | None


class TicketDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with what was said, oldest first, without agents' internal notes."""

    ticket: TicketEntry
    comments: tuple[CommentEntry, ...]


class KbArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An article of the desk; `body` is Markdown."""

    id: str
    title: str
    summary: str
    body: str
    updated_at: datetime


class KbAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a search in the desk's articles found, best first."""

    articles: tuple[KbArticle, ...]


class AnnouncementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What IT tells everybody. `causes` are Deskside's ids, `subjects` what it is about."""

    id: str
    title: str
    text: str
    kind: Literal["outage", "maintenance", "notice"]
    causes: tuple[str, ...]
    subjects: tuple[str, ...]
    begins_at: datetime
    ends_at: datetime | None
    over: bool


class AnnouncementList(msgspec.Struct, frozen=True, kw_only=True):
    """What is told now, and what was over in the last two days; newest first."""

    announcements: tuple[AnnouncementEntry, ...]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose token it is."""

    name: str
    email: str
