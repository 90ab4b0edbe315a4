"""The answers of ServiceDesk Plus, API v3."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

Id = (
    Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,19}\Z")] | Annotated[int, msgspec.Meta(ge=1)]
)  # it will stand in an address


class Status(msgspec.Struct, frozen=True):
    name: str = ""


class Person(msgspec.Struct, frozen=True):
    name: str | None = ""
    email_id: str | None = ""

    def has(self, address: str) -> bool:
        """Whether this is the person with that address."""
        return (self.email_id or "").lower() == address.lower()


class Time(msgspec.Struct, frozen=True):
    value: str | int = ""  # milliseconds since 1970

    @property
    def moment(self) -> datetime | None:
        """The moment; None where it is none."""
        try:
            return datetime.fromtimestamp(int(self.value) / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None


class Size(msgspec.Struct, frozen=True):
    value: str | int = ""


class File(msgspec.Struct, frozen=True):
    name: str
    size: Size | str | int | None = None

    @property
    def bytes(self) -> int:
        """The size; -1 where it is not told as a number."""
        told = self.size.value if isinstance(self.size, Size) else self.size
        return int(told) if told is not None and str(told).isdecimal() else -1


class Request(msgspec.Struct, frozen=True):
    id: Id
    display_id: str | int | None = None
    subject: str | None = ""
    description: str | None = ""
    requester: Person | None = None
    status: Status | None = None
    created_time: Time | None = None
    last_updated_time: Time | None = None
    attachments: tuple[File, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(one.name for one in self.attachments or ())

    @property
    def made(self) -> datetime | None:
        """When it was made."""
        return self.created_time.moment if self.created_time else None

    @property
    def changed(self) -> datetime | None:
        """When it was changed last."""
        return self.last_updated_time.moment if self.last_updated_time else None


class One(msgspec.Struct, frozen=True):
    request: Request


class Info(msgspec.Struct, frozen=True):
    has_more_rows: bool = False


class Requests(msgspec.Struct, frozen=True):
    requests: tuple[Request, ...]
    list_info: Info = Info()


class Note(msgspec.Struct, frozen=True):
    id: Id
    description: str | None = None  # lists leave it out
    show_to_requester: bool = False
    added_by: Person | None = None
    added_time: Time | None = None

    @property
    def made(self) -> datetime | None:
        """When it was written."""
        return self.added_time.moment if self.added_time else None


class OneNote(msgspec.Struct, frozen=True):
    note: Note


class Notes(msgspec.Struct, frozen=True):
    notes: tuple[Note, ...]
    list_info: Info = Info()


class Uploaded(msgspec.Struct, frozen=True):
    attachment: File


class Outcome(msgspec.Struct, frozen=True):
    status: str = ""


class Said(msgspec.Struct, frozen=True):
    response_status: Outcome | tuple[Outcome, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it is a refusal, whatever the HTTP status is."""
        told = self.response_status if isinstance(self.response_status, tuple) else (self.response_status,)
        return any(one.status.lower() == "failed" for one in told)
