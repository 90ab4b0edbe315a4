"""The one gate for articles: whoever wrote them, they come in through `validate`. Touches no disk.

An article is untrusted text that is shown in a window. It may hold Markdown; it may not hold HTML, pictures, links that open
anything but a web page, a mail or another article, or characters that make text look like other text.
"""

from __future__ import annotations

import html
import re
from typing import Final

import msgspec

from client.knowledge.article import BadArticle, read_article
from client.model import Article

LARGEST_BYTES: Final = 64 * 1024  # ours are some 5 KB; a page nobody reads to its end helps nobody
LONGEST_LINE: Final = 4000
SCHEMES: Final = ("https", "http", "mailto", "tel", "article")

# Deliberately stricter than Markdown: whatever any Markdown reader could take for a tag, picture or link target counts as one,
# in code as well, so that no difference between two readers lets something through.
TAG: Final = re.compile(r"<[A-Za-z/!?]")
PICTURE: Final = re.compile(r"!\s*\[")
TARGET: Final = re.compile(r"\]\s*(?:\(|:(?=\s*\S))\s*<?([^\s)>]*)")
HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"  # controls, bidi marks
)
SCHEME: Final = re.compile(r"([a-z][a-z0-9+.\-]*):")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a file was left out. `line` is None where no single line is to blame."""

    file: str
    words: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.words}"


def validate(
    data: bytes,
    *,
    name: str,
    file: str = "",
    source: str = "deskside",
    known_causes: frozenset[str] | None = None,
    known_fixes: frozenset[str] | None = None,
) -> tuple[Article | None, tuple[Problem, ...]]:
    """Gives the article, or None and every reason why it is not taken.

    Args:
        data: the file's bytes; anything over `LARGEST_BYTES` is refused unread.
        name: the file's name without its ending.
        file: how the problems call the file; by default its name.
        source: who wrote it.
        known_causes: every cause there is; None: not compared.
        known_fixes: every fix there is; None: not compared.
    """
    file = file or f"{name}.md"
    if len(data) > LARGEST_BYTES:
        return None, (Problem(file=file, words=f"The file is larger than {LARGEST_BYTES // 1024} KB."),)
    try:
        article, first = read_article(data, name=name, source=source)
    except BadArticle as error:
        return None, tuple(Problem(file=file, words=words) for words in error.problems)
    problems = [Problem(file=file, words=words) for words in _head_problems(article)]
    problems += [
        Problem(file=file, words=f"There is no {kind} {id!r}.")
        for kind, ids, known in (("cause", article.causes, known_causes), ("fix", article.fixes, known_fixes))
        if known is not None
        for id in ids
        if id not in known
    ]
    problems += [Problem(file=file, line=line + first - 1, words=words) for line, words in _body_problems(article.body)]
    return (None, tuple(problems)) if problems else (article, ())


def _head_problems(article: Article) -> tuple[str, ...]:
    heads = {"title": (article.title,), "summary": (article.summary,), "words": article.words}
    found = [
        f"The {name} holds a hidden or control character."
        for name, texts in heads.items()
        if any(HIDDEN.search(one) or "\t" in one or "\n" in one for one in texts)
    ]
    found += [f"The {name} holds HTML." for name, texts in heads.items() if any(TAG.search(one) for one in texts)]
    return tuple(found)


def _body_problems(body: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []

    def note(position: int, words: str) -> None:
        found.append((body.count("\n", 0, position) + 1, words))

    for match in HIDDEN.finditer(body):
        note(match.start(), f"There is a hidden or control character (U+{ord(match[0]):04X}).")
    for match in TAG.finditer(body):
        note(match.start(), "HTML is not shown; write the text without tags, and a link as [words](https://...).")
    for match in PICTURE.finditer(body):
        note(match.start(), "Pictures are not shown; say it in words.")
    for match in TARGET.finditer(body):
        if words := _target_problem(match[1]):
            note(match.start(), words)
    found += [
        (number, f"The line is longer than {LONGEST_LINE} characters.")
        for number, line in enumerate(body.split("\n"), 1)
        if len(line) > LONGEST_LINE
    ]
    return tuple(sorted(set(found)))


def _target_problem(raw: str) -> str:
    """Judges a link target as the most lenient reader would see it: entities and escapes resolved, blanks gone."""
    target = raw
    for _ in range(3):  # an entity may hide an entity
        target = html.unescape(target)
    target = re.sub(r"[\\\s\x00-\x20]", "", target).lower()
    if target.startswith("#"):
        return ""
    match = SCHEME.match(target)
    if match is None:
        return f"The link {raw[:60]!r} leads nowhere; write a whole address (https://...) or article:ID."
    if match[1] not in SCHEMES:
        return f"Links may not use {match[1]!r}; allowed are {', '.join(SCHEMES)}."
    return ""
