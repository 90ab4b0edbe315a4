"""The articles on this computer: finds them, lets only valid ones in, and reads them when they are first needed.

A folder of articles holds one folder per language ("en", "de") of Markdown files. A later folder's article replaces an earlier
one's of the same id, in whatever language, so that IT's packs can say how it is done here. A bad file is named in `problems` and
left out; nothing here raises.
"""

from __future__ import annotations

import contextlib
import hashlib
import locale
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from client.knowledge.article import ID, LONGEST_ID
from client.knowledge.validate import LARGEST_BYTES, Problem, validate
from client.model import Article

FALLBACK: Final = "en"
MOST_FILES: Final = 5000  # per folder and language; a pack with more is a mistake or an attack
NOT_COVERED: Final = "not-covered.txt"
MOST_NOT_COVERED: Final = 1000  # lines
PLATFORM_NAMES: Final = {"win32": "windows", "darwin": "macos"}

Stamp = tuple[
    str, int, int, int
]  # path, size, and the two times that no copy can both keep: a change of content changes them


class _Read(msgspec.Struct, frozen=True):
    stamp: Stamp
    article: Article | None
    problems: tuple[Problem, ...]


class Library:
    """The articles for one language and platform. Thread-safe.

    Args:
        folders: where articles are, least important first; a missing one is no problem.
        language: an IETF or POSIX tag ("de", "de-AT", "de_AT.UTF-8"); empty or "system": the operating system's.
        platform: as `sys.platform` says it, or "windows", "macos", "linux".
        sources: what an article's `source` says, by folder; "deskside" where the folder is not named.
        packs: gives more folders with their titles, more important than all others, whenever it is asked: they come and go.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        *,
        language: str,
        platform: str,
        sources: Mapping[Path, str] | None = None,
        packs: Callable[[], Sequence[tuple[Path, str]]] = tuple,
    ) -> None:
        self._own = tuple(folders)
        self._packs = packs
        self._languages = languages(language)
        self._platform = PLATFORM_NAMES.get(platform, platform)
        self._sources = dict(sources or {})
        self._lock = threading.Lock()
        self._read: dict[str, _Read] = {}
        self._found: tuple[tuple[Stamp, ...], tuple[Problem, ...]] = ((), ())

    def get(self, article_id: str) -> Article | None:
        """One article in the best language there is, or None. One for another platform only where there is no other."""
        if len(article_id) > LONGEST_ID or not ID.fullmatch(article_id):
            return None
        elsewhere: Article | None = None
        with self._lock:
            for folder, source in reversed(self._folders()):
                for language in self._languages:
                    found = _look(folder / language / f"{article_id}.md")
                    if isinstance(found, tuple) and (article := self._load(found, language, source).article):
                        if self._is_for_here(article):
                            return article
                        elsewhere = elsewhere or article
        return elsewhere

    def all(self) -> tuple[Article, ...]:
        """Every valid article for this platform, each in the best language there is, by title."""
        return self._every(self._is_for_here)

    def every(self) -> tuple[Article, ...]:
        """As `all`, for whatever platform."""
        return self._every(lambda _: True)

    def _is_for_here(self, article: Article) -> bool:
        return not article.platforms or self._platform in article.platforms

    def _every(self, wanted: Callable[[Article], bool]) -> tuple[Article, ...]:
        with self._lock:
            stamps, _ = self._list()
            best: dict[str, Article] = {}
            for stamp, language, source in stamps:
                article = self._load(stamp, language, source).article
                if article is not None and wanted(article):
                    best.setdefault(article.id, article)
            self._forget({stamp[0] for stamp, _, _ in stamps})
        return tuple(sorted(best.values(), key=lambda one: (one.title.casefold(), one.id)))

    def replaced(self) -> frozenset[str]:
        """The ids of articles that a pack has its own of, in place of ours. Reads files."""
        ours = {one.id for one in Library(self._own, language=self._languages[0], platform=self._platform).all()}
        return frozenset(one.id for one in self.all() if one.id in ours and one.source != "deskside")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every file that was left out, and why. Reads all articles."""
        with self._lock:
            stamps, problems = self._list()
            return problems + tuple(words for one in stamps for words in self._load(*one).problems)

    def stamp(self) -> tuple[Stamp, ...]:
        """What changes whenever an article comes, goes or changes; cheap: looks at the files, reads none."""
        return tuple(stamp for stamp, _, _ in self._list()[0])

    def not_covered(self) -> tuple[str, ...]:
        """Questions that no article answers and that should be told so: the lines of every folder's `not-covered.txt`."""
        lines: list[str] = []
        for language in self._languages:
            for folder, _ in self._folders():
                with contextlib.suppress(OSError, UnicodeDecodeError):
                    path = folder / language / NOT_COVERED
                    if isinstance(_look(path), tuple):
                        lines += _bytes(path).decode().splitlines()
        kept = (line.strip() for line in lines)
        return tuple(dict.fromkeys(line for line in kept if line and not line.startswith("#")))[:MOST_NOT_COVERED]

    def fingerprint(self) -> str:
        """A digest of every article's content, language and platform (64 hexadecimal digits); reads the files."""
        digest = hashlib.sha256("\0".join((*self._languages, self._platform)).encode())
        for stamp, language, _ in self._list()[0]:
            folder, name = Path(stamp[0]).parents[1], Path(stamp[0]).name
            digest.update(f"\0{folder}\0{language}\0{name}\0{stamp[1]}\0".encode(errors="surrogateescape"))
            with contextlib.suppress(OSError):  # gone since it was listed: as if empty, the next look sees it
                digest.update(_bytes(stamp[0]))
        return digest.hexdigest()

    def _folders(self) -> tuple[tuple[Path, str], ...]:
        """Every folder that counts now and who wrote what is in it, the least important first."""
        return (*((folder, self._sources.get(folder, "deskside")) for folder in self._own), *self._packs())

    def _list(self) -> tuple[tuple[tuple[Stamp, str, str], ...], tuple[Problem, ...]]:
        """Every article file with its language and who wrote it, the one that wins first."""
        found: list[tuple[Stamp, str, str]] = []
        problems: list[Problem] = []
        for folder, source in reversed(self._folders()):
            for language in self._languages:
                names, why = _names(folder / language)
                problems += why
                for name in names:
                    path = folder / language / name
                    looked = _look(path)
                    if isinstance(looked, tuple):
                        found.append((looked, language, source))
                    else:
                        problems.append(Problem(file=str(path), words=looked))
        return tuple(found), tuple(problems)

    def _load(self, stamp: Stamp, language: str, source: str) -> _Read:
        known = self._read.get(stamp[0])
        if known is not None and known.stamp == stamp:
            return known
        path = Path(stamp[0])
        try:
            article, problems = validate(_bytes(path), name=path.stem, file=str(path), source=source)
        except OSError as error:
            article, problems = None, (Problem(file=str(path), words=f"The file cannot be read ({error.strerror})."),)
        if article is not None and article.language != language:
            words = f"Its language is {article.language!r}, but it lies in the folder {language!r}."
            article, problems = None, (Problem(file=str(path), words=words),)
        read = self._read[stamp[0]] = _Read(stamp, article, problems)
        return read

    def _forget(self, keep: set[str]) -> None:
        for path in self._read.keys() - keep:
            del self._read[path]


def languages(wish: str) -> tuple[str, ...]:
    """The language folders to look in, best first, English last: "de_AT.UTF-8" gives ("de-at", "de", "en")."""
    tag = system_language() if wish.strip().lower() in {"", "system", "auto"} else wish
    tag = tag.split(".")[0].split("@")[0].replace("_", "-").strip().lower()
    parts = [part for part in tag.split("-") if part.isalnum() and part.isascii()]
    wished = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return tuple(dict.fromkeys([*wished, FALLBACK]))


def system_language() -> str:
    """The language of this user's desktop as a tag, English where the system does not say."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if (value := os.environ.get(name)) and value.split(".")[0] not in {"C", "POSIX"}:
            return value
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 -- only Windows needs it

        return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), FALLBACK)
    return FALLBACK


def _names(folder: Path) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    try:
        names = sorted(
            name for name in (one.name for one in folder.iterdir()) if name.endswith(".md") and not name.startswith(".")
        )
    except FileNotFoundError:
        return (), ()
    except OSError as error:
        return (), (Problem(file=str(folder), words=f"The folder cannot be read ({error.strerror})."),)
    if len(names) > MOST_FILES:
        return (), (Problem(file=str(folder), words=f"The folder holds more than {MOST_FILES} articles."),)
    return tuple(names), ()


def _look(path: Path) -> Stamp | str:
    """The file's stamp, or why it is not read. Never opens it, so that a pipe cannot make anybody wait."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return "The file cannot be read."
    if not stat.S_ISREG(status.st_mode):
        return "This is not a file."
    if status.st_size > LARGEST_BYTES:
        return f"The file is larger than {LARGEST_BYTES // 1024} KB."
    return str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _bytes(path: Path | str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 -- a path as text comes from the stamp
        return file.read(LARGEST_BYTES + 1)
