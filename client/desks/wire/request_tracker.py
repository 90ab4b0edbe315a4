"""The answers of Request Tracker 5, REST 2."""
# ruff: noqa: D101 -- each is what Request Tracker calls it

from __future__ import annotations

from datetime import datetime

import msgspec

Number = int | str  # the same number is one or the other, depending on the page


class Made(msgspec.Struct, frozen=True):
    id: Number


class User(msgspec.Struct, frozen=True):
    Name: str
    RealName: str | None = ""
    EmailAddress: str | None = ""


class Ticket(msgspec.Struct, frozen=True):
    id: Number
    Subject: str
    Status: str
    Created: datetime | None = None
    LastUpdated: datetime | None = None
    CustomFields: object = ()  # only where a list is asked for them; empty ones come in another shape

    def values(self, name: str) -> list[str]:
        """What a custom field holds."""
        fields = self.CustomFields if isinstance(self.CustomFields, list) else []
        held = [one.get("values") for one in fields if isinstance(one, dict) and one.get("name") == name]
        return [str(value) for values in held if isinstance(values, list) for value in values if value]


class Tickets(msgspec.Struct, frozen=True):
    items: tuple[Ticket, ...]


class Named(msgspec.Struct, frozen=True):
    id: Number


class Transaction(msgspec.Struct, frozen=True):
    id: Number
    Type: str
    Creator: Named
    Created: datetime | None = None


class Transactions(msgspec.Struct, frozen=True):
    items: tuple[Transaction, ...]


class Attachment(msgspec.Struct, frozen=True):
    id: Number
    TransactionId: Number
    ContentType: str = ""
    Filename: str | None = ""


class Attachments(msgspec.Struct, frozen=True):
    items: tuple[Attachment, ...]


class Content(msgspec.Struct, frozen=True):
    Content: str = ""  # base64 of UTF-8, with line ends in it


class Values(msgspec.Struct, frozen=True):
    values: tuple[str | None, ...] = ()


class Article(msgspec.Struct, frozen=True):
    id: Number
    Name: str
    Summary: str | None = ""
    LastUpdated: datetime | None = None
    CustomFields: tuple[Values, ...] | str = ()


class Articles(msgspec.Struct, frozen=True):
    items: tuple[Article, ...]
