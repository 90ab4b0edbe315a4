"""The answers of ServiceNow, asked for with `sysparm_display_value=all`: every field as it is kept and as it is shown."""
# ruff: noqa: D101 -- each is what the documentation of the desk calls it

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from client.desks.texts import text_of

HEAD: Final = re.compile(
    r"^\S{6,12} \d{1,2}[:.]\d{2}[:.]\d{2}(?: [AP]M)? - (?P<who>.{1,200}) \((?P<what>[^()\n]{1,60})\)$", re.MULTILINE
)
CODE: Final = re.compile(r"\[code\](.*?)\[/code\]", re.DOTALL)


class Field(msgspec.Struct, frozen=True):
    value: str | None = ""
    display_value: str | None = ""

    @property
    def kept(self) -> str:
        """The value in the database: times in UTC, references as sys_id, empty for journals."""
        return self.value or ""

    @property
    def shown(self) -> str:
        """The value in words."""
        return self.display_value or ""


class Id(msgspec.Struct, frozen=True):
    value: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]  # it will stand in an address

    @property
    def kept(self) -> str:
        """The sys_id."""
        return self.value


class Incident(msgspec.Struct, frozen=True):
    sys_id: Id
    number: Field
    caller_id: Field = Field()
    short_description: Field = Field()
    description: Field = Field()
    correlation_id: Field = Field()
    state: Field = Field()
    active: Field = Field()
    comments: Field = Field()
    sys_created_on: Field = Field()
    sys_updated_on: Field = Field()


class One(msgspec.Struct, frozen=True):
    result: Incident


class Incidents(msgspec.Struct, frozen=True):
    result: tuple[Incident, ...]


class User(msgspec.Struct, frozen=True):
    sys_id: Id
    user_name: Field = Field()
    name: Field = Field()
    email: Field = Field()


class Users(msgspec.Struct, frozen=True):
    result: tuple[User, ...]


class File(msgspec.Struct, frozen=True):
    file_name: str
    table_sys_id: str = ""
    size_bytes: str = ""
    hash: str = ""  # SHA-256 in hexadecimal digits


class Uploaded(msgspec.Struct, frozen=True):
    result: File


class Files(msgspec.Struct, frozen=True):
    result: tuple[File, ...]


class Article(msgspec.Struct, frozen=True):
    id: str
    title: str
    snippet: str = ""


class Articles(msgspec.Struct, frozen=True):
    articles: tuple[Article, ...]


class Found(msgspec.Struct, frozen=True):
    result: Articles


def plain(text: str) -> str:
    """Text as it is shown: what agents format is kept as HTML between [code] and [/code]."""
    return CODE.sub(lambda found: text_of(found[1]), text).strip()


def entries(shown: str) -> list[tuple[str, str]]:
    """Authors and texts of a journal as it is shown, in its order. All its entries have the name of the field behind the author.

    What has no such line, because times are written in another way, is one text of the help desk.
    """
    shown = shown.replace("\r\n", "\n").strip("\n")
    heads = list(HEAD.finditer(shown))
    if not heads:
        return [("Help desk", shown)] if shown.strip() else []
    heads = [one for one in heads if one["what"] == heads[0]["what"]]
    ends = [*(one.start() for one in heads[1:]), len(shown)]
    return [(one["who"], shown[one.end() : end].strip("\n")) for one, end in zip(heads, ends, strict=True)]


def moment(text: str) -> datetime | None:
    """A time as it is kept, in UTC; None where it is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
