"""The answers of Zammad."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

from datetime import datetime

import msgspec


class Ticket(msgspec.Struct, frozen=True):
    id: int
    number: str
    title: str
    customer_id: int
    state: str = ""  # with expand=true only
    created_at: datetime | None = None
    updated_at: datetime | None = None


class File(msgspec.Struct, frozen=True):
    filename: str


class Article(msgspec.Struct, frozen=True):
    id: int
    body: str
    content_type: str = "text/plain"
    internal: bool = False
    sender: str = ""
    author: str | None = msgspec.field(name="from", default=None)
    created_at: datetime | None = None
    attachments: tuple[File, ...] = ()


class Me(msgspec.Struct, frozen=True):
    id: int
    firstname: str | None = ""
    lastname: str | None = ""
    login: str = ""
    email: str | None = ""
