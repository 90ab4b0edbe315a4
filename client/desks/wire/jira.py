"""The answers of Jira Service Management."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Paged(msgspec.Struct, Generic[Item], frozen=True, rename="camel"):
    values: tuple[Item, ...]
    is_last_page: bool = True


class Date(msgspec.Struct, frozen=True, rename="camel"):
    epoch_millis: int


class Status(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    status_category: str = ""
    status_date: Date | None = None


class Person(msgspec.Struct, frozen=True, rename="camel"):
    display_name: str = ""
    email_address: str | None = ""
    account_id: str = ""  # Cloud
    name: str = ""  # Data Center


class Field(msgspec.Struct, frozen=True, rename="camel"):
    field_id: str
    value: object = ""


class Links(msgspec.Struct, frozen=True):
    web: str = ""


class Request(msgspec.Struct, frozen=True, rename="camel"):
    issue_key: str
    current_status: Status
    reporter: Person
    request_field_values: tuple[Field, ...] = ()
    created_date: Date | None = None
    links: Links = msgspec.field(name="_links", default=Links())

    def value(self, field: str) -> str:
        """The value of a field as text, empty where it has none."""
        return next((str(one.value) for one in self.request_field_values if one.field_id == field), "")


class File(msgspec.Struct, frozen=True):
    filename: str


class Comment(msgspec.Struct, frozen=True):
    id: str
    body: str
    author: Person = Person()
    public: bool = True
    created: Date | None = None
    attachments: Paged[File] = Paged(values=())


class Temporary(msgspec.Struct, frozen=True, rename="camel"):
    temporary_attachment_id: str


class Uploaded(msgspec.Struct, frozen=True, rename="camel"):
    temporary_attachments: tuple[Temporary, ...]


class Attached(msgspec.Struct, frozen=True):
    attachments: Paged[File]


class Article(msgspec.Struct, frozen=True):
    title: str
    excerpt: str = ""
