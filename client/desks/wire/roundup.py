"""The answers of Roundup 2, REST version 1."""
# ruff: noqa: D101 -- each is what Roundup calls it

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec

Item = TypeVar("Item")
Number = Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,17}\Z")]  # it will stand in an address


class Answer(msgspec.Struct, Generic[Item], frozen=True):
    data: Item


class Collection(msgspec.Struct, Generic[Item], frozen=True):
    collection: tuple[Item, ...]


class Made(msgspec.Struct, frozen=True):
    id: Number


class Poe(msgspec.Struct, frozen=True):
    link: str


class User(msgspec.Struct, frozen=True):
    id: Number
    username: str
    realname: str | None = ""
    address: str | None = ""


class Linked(msgspec.Struct, frozen=True):
    id: Number
    username: str | None = ""  # of people, where more was asked for


class Issue(msgspec.Struct, frozen=True):
    """Of the list, and of one issue as `attributes`."""

    title: str | None = ""
    id: str = ""  # in the list only
    status: str | None = msgspec.field(name="status.name", default="")
    creation: str = ""
    activity: str = ""
    creator: Linked | None = None
    messages: tuple[Linked, ...] = ()


class One(msgspec.Struct, frozen=True):
    id: Number
    attributes: Issue
    etag: str = msgspec.field(name="@etag", default="")


class Message(msgspec.Struct, frozen=True):
    id: Number
    content: str | None = ""
    type: str | None = ""
    author: Linked | None = None
    realname: str | None = msgspec.field(name="author.realname", default="")
    creation: str = ""
    files: tuple[Linked, ...] = ()


class File(msgspec.Struct, frozen=True):
    id: Number
    name: str | None = ""


def moment(text: str) -> datetime | None:
    """A time as Roundup writes it, "2026-01-31.09:00:00", which is UTC."""
    try:
        return datetime.strptime(text.partition("+")[0][:19], "%Y-%m-%d.%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
