"""The answers of Zendesk."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

from datetime import datetime

import msgspec


class Request(msgspec.Struct, frozen=True):
    id: int
    subject: str | None
    status: str
    requester_id: int
    description: str | None = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class One(msgspec.Struct, frozen=True):
    request: Request


class List(msgspec.Struct, frozen=True):
    requests: tuple[Request, ...]
    next_page: str | None = None


class File(msgspec.Struct, frozen=True):
    file_name: str


class Upload(msgspec.Struct, frozen=True):
    token: str


class Uploaded(msgspec.Struct, frozen=True):
    upload: Upload


class Comment(msgspec.Struct, frozen=True):
    id: int
    author_id: int
    body: str = ""
    public: bool = True
    created_at: datetime | None = None
    attachments: tuple[File, ...] = ()


class Author(msgspec.Struct, frozen=True):
    id: int
    name: str = ""
    agent: bool = False


class Comments(msgspec.Struct, frozen=True):
    comments: tuple[Comment, ...]
    users: tuple[Author, ...] = ()
    next_page: str | None = None


class Person(msgspec.Struct, frozen=True):
    id: int | None
    name: str = ""
    email: str | None = ""


class Me(msgspec.Struct, frozen=True):
    user: Person


class Article(msgspec.Struct, frozen=True):
    id: int
    title: str
    body: str | None = ""
    snippet: str | None = ""
    updated_at: datetime | None = None


class Found(msgspec.Struct, frozen=True):
    results: tuple[Article, ...]
