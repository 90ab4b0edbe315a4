"""The answers of Freshservice."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

from datetime import datetime

import msgspec


class File(msgspec.Struct, frozen=True):
    name: str


class Ticket(msgspec.Struct, frozen=True):
    id: int
    subject: str | None
    status: int
    requester_id: int
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    attachments: tuple[File, ...] = ()


class One(msgspec.Struct, frozen=True):
    ticket: Ticket


class List(msgspec.Struct, frozen=True):
    tickets: tuple[Ticket, ...]


class Message(msgspec.Struct, frozen=True):
    id: int
    user_id: int
    body: str | None = ""
    private: bool = True
    created_at: datetime | None = None
    attachments: tuple[File, ...] = ()


class Said(msgspec.Struct, frozen=True):
    conversation: Message


class Talk(msgspec.Struct, frozen=True):
    conversations: tuple[Message, ...]


class Agent(msgspec.Struct, frozen=True):
    id: int
    email: str
    first_name: str | None = ""
    last_name: str | None = ""


class Me(msgspec.Struct, frozen=True):
    agent: Agent


class Article(msgspec.Struct, frozen=True):
    id: int
    title: str
    description: str | None = ""
    updated_at: datetime | None = None


class Found(msgspec.Struct, frozen=True):
    articles: tuple[Article, ...]
