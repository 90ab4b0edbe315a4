"""The answers of GLPI 11's high-level API, version 2."""
# ruff: noqa: D101 -- each is what GLPI calls it

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(gt=0)]


class Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 3600.0  # seconds


class Email(msgspec.Struct, frozen=True):
    email: str | None = ""
    is_default: bool | None = False


class User(msgspec.Struct, frozen=True):
    id: Number
    username: str | None = ""
    realname: str | None = ""
    firstname: str | None = ""
    emails: tuple[Email, ...] | None = ()


class Made(msgspec.Struct, frozen=True):
    id: Number


class Status(msgspec.Struct, frozen=True):
    id: int
    name: str | None = ""


class Member(msgspec.Struct, frozen=True):
    """Some versions give type and number, others an address that ends with it."""

    role: int | str | None = None
    type: str | None = ""
    id: int | None = None
    href: str | None = ""

    @property
    def requests(self) -> bool:
        """Whether it is a person for whom the ticket is."""
        person = self.type == "User" or "user.form.php" in (self.href or "")
        return person and self.role in {1, "1", "requester"}

    def is_user(self, number: int) -> bool:
        """Whether it is the user with this number."""
        return self.id == number or (self.href or "").endswith(f"user.form.php?id={number}")


class Ticket(msgspec.Struct, frozen=True):
    id: Number
    name: str | None = ""
    content: str | None = ""
    status: Status | None = None
    external_id: str | None = ""
    date_creation: datetime | None = None
    date_mod: datetime | None = None
    team: tuple[Member, ...] | None = ()


class Person(msgspec.Struct, frozen=True):
    id: int | None = None
    name: str | None = ""


class Said(msgspec.Struct, frozen=True):
    """A follow-up or a solution; versions before 11.0.6 leave out who wrote it."""

    id: Number
    content: str | None = ""
    is_private: bool | None = False
    user: Person | msgspec.UnsetType | None = msgspec.UNSET
    date_creation: datetime | None = None


class Entry(msgspec.Struct, frozen=True):
    """Of a timeline; what `item` is, `type` says."""

    type: str
    item: msgspec.Raw


class Article(msgspec.Struct, frozen=True):
    id: Number
    name: str | None = ""
    content: str | None = ""
    description: str | None = ""
    date_mod: datetime | None = None


class Document(msgspec.Struct, frozen=True):
    """A file of a timeline."""

    name: str | None = ""
    filename: str | None = ""


class Refused(msgspec.Struct, frozen=True):
    """What OAuth 2 says to a sign-in."""

    error: str = ""
