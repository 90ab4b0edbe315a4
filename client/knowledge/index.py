"""The full-text index: built from a library, kept in the cache folder as one checked file, opened in memory.

A database that lives in memory needs no lock, holds no file open (Windows could not replace it) and cannot be damaged
while in use. What is kept on disk is only its image, with a digest of the articles it was made of and one of itself: whatever
does not match is built again, silently.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from client.knowledge.library import Library
from client.knowledge.wording import spell, telling, words_of
from client.model import Article

FORMAT: Final = b"deskside articles index 7\n"  # raise the number when tables, tokens or spellings change
FILE: Final = "articles.index"
LARGEST_IMAGE: Final = 256 * 1024 * 1024
SPARE_LIVES_S: Final = 3600.0  # an unfinished file older than this was left by a killed process
SCHEMA: Final = """
CREATE TABLE about (article INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL, summary TEXT NOT NULL);
CREATE TABLE cause (cause TEXT NOT NULL, article INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE TABLE word (word TEXT PRIMARY KEY, articles INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE body USING fts5(
    title, words, summary, steps, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE VIRTUAL TABLE phrase USING fts5(text, article UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2');
"""

log = logging.getLogger(__name__)


def build(articles: Iterable[Article]) -> sqlite3.Connection:
    """A new index in memory."""
    index = sqlite3.connect(":memory:", check_same_thread=False)
    index.executescript(SCHEMA)
    known: Counter[str] = Counter()
    for number, one in enumerate(articles, 1):
        index.execute("INSERT INTO about VALUES (?, ?, ?, ?)", (number, one.id, one.title, one.summary))
        places = enumerate(dict.fromkeys(one.causes))
        index.executemany("INSERT INTO cause VALUES (?, ?, ?)", [(cause, number, place) for place, cause in places])
        spelled = [spell(text) for text in (one.title, " . ".join(one.words), one.summary, one.body)]
        index.execute(
            "INSERT INTO body (rowid, title, words, summary, steps) VALUES (?, ?, ?, ?, ?)", (number, *spelled)
        )
        phrases = dict.fromkeys(telling(phrase) for phrase in (one.title, *one.words))
        index.executemany("INSERT INTO phrase VALUES (?, ?)", [(phrase, number) for phrase in phrases if phrase])
        known.update({word for text in spelled for word in words_of(text)})
    index.executemany("INSERT INTO word VALUES (?, ?)", known.items())
    index.execute("INSERT INTO body (body) VALUES ('optimize')")
    index.execute("INSERT INTO phrase (phrase) VALUES ('optimize')")
    index.commit()
    return index


def open_index(library: Library, *, folder: Path | None) -> sqlite3.Connection:
    """The index of the library's articles: the kept one where it fits, a new one otherwise, which is then kept.

    Args:
        folder: the cache folder; None: nothing is kept. That it cannot be used harms nothing.
    """
    fingerprint = library.fingerprint().encode()
    if folder is not None and (kept := _load(folder / FILE, fingerprint)) is not None:
        return kept
    index = build(library.all())
    if folder is not None:
        try:
            _keep(index, folder, fingerprint)
        except (OSError, sqlite3.Error) as error:
            log.info("the index of the articles is not kept: %s", error)
    return index


def _load(path: Path, fingerprint: bytes) -> sqlite3.Connection | None:
    if not hasattr(sqlite3.Connection, "deserialize"):  # SQLite may be built without it
        return None
    try:
        if path.stat().st_size > LARGEST_IMAGE:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    head, image = data[: len(FORMAT) + 128], data[len(FORMAT) + 128 :]
    if head != FORMAT + fingerprint + hashlib.sha256(image).hexdigest().encode():
        return None
    index = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        index.deserialize(image)
        index.execute("SELECT count(*) FROM body WHERE body MATCH 'a'").fetchone()
    except (sqlite3.Error, OverflowError):
        index.close()
        return None
    return index


def _keep(index: sqlite3.Connection, folder: Path, fingerprint: bytes) -> None:
    if not hasattr(index, "serialize"):
        return
    image = index.serialize()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    handle, spare = tempfile.mkstemp(prefix=f"{FILE}.", suffix=".new", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(FORMAT + fingerprint + hashlib.sha256(image).hexdigest().encode() + image)
        os.replace(spare, folder / FILE)  # noqa: PTH105 -- the atomic one, by its name
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(spare)  # noqa: PTH108 -- as above
        raise


def _sweep(folder: Path) -> None:
    """Takes away what a killed process has left half written."""
    for spare in folder.glob(f"{FILE}.*.new"):
        with contextlib.suppress(OSError):
            if time.time() - spare.stat().st_mtime > SPARE_LIVES_S:
                spare.unlink()
