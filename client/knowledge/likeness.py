"""How near each article comes to what a question means. Loads the model, so it belongs in a process that ends after use.

An article is as near as the mean of two likenesses: of its title and summary, and of the best of the phrases people use.
Beside the articles stands a list of what no article answers (`not-covered.txt`): the nearer a question is to one of those, the
nearer it must be to an article before the search says that something fits.

Vectors are made once and kept by a digest of their text: ours come with the model, others are learnt a few at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from client.knowledge.library import Library
from client.knowledge.meaning import WIDTH, Array, Model
from client.knowledge.search import Ranked
from client.model import Article

MODEL_FILE: Final = "all-minilm-l6-v2.int8"
VECTORS_FILE: Final = "articles.vectors"
DIGEST_BYTES: Final = 16
RECORD: Final = np.dtype([("digest", np.uint8, DIGEST_BYTES), ("vector", np.float16, WIDTH)])
LEARNT_AT_ONCE: Final = 200  # texts: a second of waiting at the most for new articles, then the next question goes on

LEARNS_FOR_S: Final = 60.0  # some 10,000 texts: two thousand articles' phrases

log = logging.getLogger(__name__)


class Likeness:
    """The ranker by meaning. Not thread-safe: the search asks it under its own lock.

    Args:
        library: the articles.
        model: the folder with the model's file and the vectors that came with it.
        folder: the cache folder, for vectors learnt here; None: they are forgotten.

    Raises:
        OSError: the model cannot be read.
        ValueError: it is not a model.
    """

    def __init__(self, library: Library, *, model: Path, folder: Path | None) -> None:
        self._library = library
        self._model = Model(model / MODEL_FILE)
        self._folder = folder
        self._vectors = read_vectors(model / VECTORS_FILE)
        if folder is not None:
            self._vectors |= read_vectors(folder / VECTORS_FILE)
        self._stamp: object = None
        self._ids: tuple[str, ...] = ()
        self._articles = np.zeros(0, np.intp)
        self._wholes = self._phrases = self._elsewhere = np.zeros((0, WIDTH), np.float32)

    def learn_all(self, *, within_s: float = LEARNS_FOR_S) -> None:
        """Makes and keeps every missing vector, as far as the time reaches; the searches do the rest."""
        until = time.monotonic() + within_s
        self._refresh()
        while self._stamp is None and time.monotonic() < until:
            self._refresh()

    def rank(self, words: str) -> Ranked:
        """How near each article comes to the words, 0 to 1, and how near the nearest thing that no article answers."""
        self._refresh()
        (asked,) = self._model.embed([words])
        best = np.zeros(len(self._ids), np.float32)
        np.maximum.at(best, self._articles, self._phrases @ asked)
        scores = (self._wholes @ asked + best) / 2
        elsewhere = float((self._elsewhere @ asked).max(initial=0.0))
        return Ranked(
            scores={id: max(0.0, float(score)) for id, score in zip(self._ids, scores, strict=True)},
            elsewhere=elsewhere,
        )

    def _refresh(self) -> None:
        stamp = self._library.stamp()
        if stamp == self._stamp:
            return
        articles = self._library.all()
        foreign = self._library.not_covered()
        complete = self._learn([*foreign, *(text for one in articles for text in texts(one))])
        known = [one for one in articles if all(digest(text) in self._vectors for text in texts(one))]
        self._ids = tuple(one.id for one in known)
        self._wholes = self._rows(texts(one)[0] for one in known)
        self._phrases = self._rows(text for one in known for text in texts(one)[1:])
        self._articles = np.array([place for place, one in enumerate(known) for _ in texts(one)[1:]], np.intp)
        self._elsewhere = self._rows(text for text in foreign if digest(text) in self._vectors)
        self._stamp = stamp if complete else None

    def _rows(self, chosen: Iterable[str]) -> Array:
        rows = [self._vectors[digest(text)] for text in chosen]
        return np.asarray(rows, np.float32) if rows else np.zeros((0, WIDTH), np.float32)

    def _learn(self, wanted: Sequence[str]) -> bool:
        """Makes some of the missing vectors and keeps them; says whether that was all."""
        missing = list(dict.fromkeys(text for text in wanted if digest(text) not in self._vectors))
        learnt = missing[:LEARNT_AT_ONCE]
        if learnt:
            made = self._model.embed(learnt)
            self._vectors.update({digest(text): row.astype(np.float16) for text, row in zip(learnt, made, strict=True)})
            if self._folder is not None:
                try:
                    write_vectors(
                        self._folder / VECTORS_FILE,
                        {digest(text): self._vectors[digest(text)] for text in wanted if digest(text) in self._vectors},
                    )
                except OSError as error:
                    log.info("what the articles mean is not kept: %s", error)
        return len(learnt) == len(missing)


def texts(article: Article) -> tuple[str, ...]:
    """What an article is compared by: title with summary, then each phrase on its own."""
    return (f"{article.title}. {article.summary}", article.title, article.summary, *article.words)


def read_vectors(path: Path) -> dict[bytes, np.ndarray]:
    """Vectors by the digest of their text; empty for a file that is missing or not whole."""
    try:
        records = np.frombuffer(path.read_bytes(), RECORD)
    except (OSError, ValueError):
        return {}
    return {record["digest"].tobytes(): record["vector"] for record in records}


def write_vectors(path: Path, vectors: dict[bytes, np.ndarray]) -> None:
    """Replaces the file as a whole.

    Raises:
        OSError: the disk did not take it.
    """
    records = np.zeros(len(vectors), RECORD)
    for place, (digest, vector) in enumerate(sorted(vectors.items())):
        records[place] = (np.frombuffer(digest, np.uint8), vector)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(records.tobytes())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def digest(text: str) -> bytes:
    """What a text's vector is kept under."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()
