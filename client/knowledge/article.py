"""An article's file: TOML between two `+++` lines, then Markdown. Reads the bytes into a typed `Article`; never touches a disk.

What the Markdown may hold is judged by `client.knowledge.validate`, which every reader of articles goes through.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from typing import Annotated, Final

import msgspec

from client.model import Article

FENCE: Final = "+++"
ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_ID: Final = 64
DOTTED: Final = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
PLATFORMS: Final = ("windows", "macos", "linux")

Dotted = Annotated[str, msgspec.Meta(pattern=DOTTED, max_length=64)]
Phrase = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class BadArticle(Exception):
    """The file is not an article. `problems` has one sentence each, all at once.

    Args:
        problems: what is wrong, at least one.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FrontMatter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The TOML part. `audience` is "everyone", "administrators" or a group that IT has named; the search shows it to all."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    words: Annotated[tuple[Phrase, ...], msgspec.Meta(max_length=200)] = ()
    causes: Annotated[tuple[Dotted, ...], msgspec.Meta(max_length=40)] = ()
    fixes: Annotated[tuple[Dotted, ...], msgspec.Meta(max_length=20)] = ()
    platforms: Annotated[tuple[str, ...], msgspec.Meta(max_length=3)] = ()
    audience: Annotated[str, msgspec.Meta(max_length=60)] = "everyone"
    reviewed_on: date
    language: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$")]


def read_article(data: bytes, *, name: str, source: str = "deskside") -> tuple[Article, int]:
    """Reads a file's bytes. Gives the article and the number of the line its body begins on (first line: 1).

    Args:
        data: the whole file, UTF-8.
        name: the file's name without its ending; the id must be the same.
        source: who wrote it, for the reader.

    Raises:
        BadArticle: it cannot be read, or the front matter is wrong.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadArticle((f"The file is not UTF-8 text (byte {error.start}).",)) from error
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise BadArticle((f"The first line must be {FENCE}.",))
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise BadArticle((f"The front matter has no closing {FENCE} line.",))
    front = _front_matter("\n".join(lines[1:end]))
    problems = list(_contradictions(front, name))
    body = "\n".join(lines[end + 1 :]).strip("\n")
    if not body.strip():
        problems.append("The article has no text.")
    if problems:
        raise BadArticle(tuple(problems))
    first = end + 2 + next(number for number, line in enumerate(lines[end + 1 :]) if line)
    article = Article(
        id=front.id,
        title=front.title,
        summary=front.summary,
        body=body + "\n",
        words=front.words,
        causes=front.causes,
        fixes=front.fixes,
        platforms=front.platforms,
        language=front.language,
        reviewed_on=front.reviewed_on.isoformat(),
        source=source,
    )
    return article, first


def _front_matter(text: str) -> FrontMatter:
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadArticle((f"The front matter is not valid TOML: {error}.",)) from error
    try:
        return msgspec.convert(raw, FrontMatter)
    except msgspec.ValidationError as error:
        raise BadArticle((f"The front matter is wrong: {error}.",)) from error


def _contradictions(front: FrontMatter, name: str) -> tuple[str, ...]:
    found = []
    if not ID.fullmatch(front.id):
        found.append(f"The id {front.id!r} must be small letters and digits, with single hyphens between them.")
    if front.id != name:
        found.append(f"The id is {front.id!r}, but the file is called {name!r}.")
    found += [
        f"The platform {one!r} is not one of {', '.join(PLATFORMS)}." for one in front.platforms if one not in PLATFORMS
    ]
    found += [f"The {what} must be on one line." for what in ("title", "summary") if "\n" in getattr(front, what)]
    return tuple(found)
