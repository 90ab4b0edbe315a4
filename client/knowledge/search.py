"""Finds articles for what an employee types. Knows words; meaning is added as a `Ranker` where the model is present.

The score of an article is what its words say (BM25 over its fields, and over each of the phrases people call it by), plus what
the last check found. Whether anything fits at all is judged by how much of the question the best article covers.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from client.knowledge.index import build, open_index
from client.knowledge.library import Library
from client.knowledge.wording import Question, completions, corrections, question
from client.model import Answer, Hit

WEIGHTS: Final = (8.0, 4.0, 2.0, 0.5)  # title, words, summary, steps
# What people call it, phrase by phrase: the question is compared with each on its own, so a short phrase that is met whole
# counts more than the same words strewn over an article. The best few count, each a little less than the one before: many
# phrases about one thing mean that the article is about it.
PHRASE_WORTH: Final = 2.0
PHRASE_WEIGHTS: Final = tuple(0.75**place for place in range(7))
HALF: Final = 16.0  # the sum that is worth half of the full score
TYPO_WORTH: Final = 0.8
UNFINISHED_WORTH: Final = 0.7
# Something fits when the best article's score and the share of the question (by rarity) that its title, words and summary cover
# come to this together. Set on a hundred questions that an article answers and ninety that none does: it keeps 94 % of the
# first and refuses 85 % of the others. Words alone do not do better; a ranker by meaning would.
FITS: Final = 0.93
SCORE_WORTH: Final = 1.0
CAUSE_WORTH: Final = 0.15  # the first cause; the next ones half as much each
LOOK_AGAIN_S: Final = 2.0  # how soon a changed article is noticed while somebody types
MEANING_WORTH: Final = 0.7
# With a judge of meaning: from the best article's score half of the likeness to what no article answers is taken away. Set on 137
# questions that an article answers and 46 that none does: keeps 96 % of the first and refuses 98 % of the others.
ELSEWHERE_WORTH: Final = 0.5
FITS_BY_MEANING: Final = 0.25


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """How well each article (by id) fits, 0 to 1, an unknown one left out; and how well the nearest thing that is not ours."""

    scores: Mapping[str, float]
    elsewhere: float = 0.0


class Ranker(Protocol):
    """Another judge of what fits, such as one by meaning."""

    def rank(self, words: str) -> Ranked:
        """Judges any text. Must not raise."""


class _Found(msgspec.Struct, frozen=True):
    score: float
    cover: float


class Search:
    """Search over a library. Thread-safe; the index is opened by the first question.

    Args:
        library: the articles.
        folder: the cache folder, where the index is kept; None: in memory only.
        ranker: judges beside the words; None: words alone.
    """

    def __init__(self, library: Library, *, folder: Path | None, ranker: Ranker | None = None) -> None:
        self._library = library
        self._folder = folder
        self._ranker = ranker
        self._lock = threading.Lock()
        self._index: sqlite3.Connection | None = None
        self._vocabulary: dict[str, list[str]] = {}
        self._count = 0
        self._stamp: object = None
        self._looked_at = -math.inf

    def find(self, words: str, *, causes: tuple[str, ...] = (), limit: int = 8) -> Answer:
        """The articles that fit best, at most `limit`; any text is a valid question.

        Args:
            words: what was typed; the last word may be unfinished. Empty: the articles of the causes.
            causes: what the last check found, the most likely first.
        """
        asked = question(words)
        with self._lock:
            try:
                return self._find(words, asked, causes, limit)
            except sqlite3.Error:  # a kept index that passed its digest and still fails: made by another SQLite
                self._use(build(self._library.all()))
                return self._find(words, asked, causes, limit)

    def _find(self, words: str, asked: Question, causes: tuple[str, ...], limit: int) -> Answer:
        index = self._fresh_index()
        boosts = _boosts(index, causes)
        if not asked.words:
            scores = {article: 0.3 + boost for article, boost in boosts.items()}
            return _answer(index, scores, limit=limit, nothing_fits=not scores)
        found = self._by_words(index, asked)
        scores = {article: one.score for article, one in found.items()}
        best = max(found.values(), key=lambda one: one.score, default=_Found(0.0, 0.0))
        fits = SCORE_WORTH * best.score + best.cover >= FITS
        if self._ranker is not None:
            meant = self._ranker.rank(words)
            ids = dict(index.execute("SELECT article, id FROM about"))
            scores = {
                article: MEANING_WORTH * meant.scores.get(id, 0.0) + (1 - MEANING_WORTH) * scores.get(article, 0.0)
                for article, id in ids.items()
                if id in meant.scores or article in scores
            }
            fits = max(scores.values(), default=0.0) - ELSEWHERE_WORTH * meant.elsewhere >= FITS_BY_MEANING
        scores = {article: min(1.0, score + boosts.get(article, 0.0)) for article, score in scores.items()}
        return _answer(index, scores, limit=limit, nothing_fits=not fits)

    def _by_words(self, index: sqlite3.Connection, asked: Question) -> dict[int, _Found]:
        sums: dict[int, float] = {}
        covered: dict[int, float] = {}
        whole = 0.0
        known: list[str] = []
        for place, word in enumerate(asked.words):
            words, worth = self._meant(index, word, unfinished=asked.typing and place == len(asked.words) - 1)
            matches = _match(index, _either(words))
            rarity = math.log(1 + (self._count - len(matches) + 0.5) / (len(matches) + 0.5))
            whole += rarity
            known += words
            for article, score in matches.items():
                sums[article] = sums.get(article, 0.0) + worth * score
            for article in _match(index, _either(words, columns="title words summary")):
                covered[article] = covered.get(article, 0.0) + worth * rarity
        for article, score in _phrases(index, _either(known)).items():
            sums[article] = sums.get(article, 0.0) + PHRASE_WORTH * score
        return {
            article: _Found(score / (score + HALF), covered.get(article, 0.0) / whole)
            for article, score in sums.items()
            if score > 0
        }

    def _meant(self, index: sqlite3.Connection, word: str, *, unfinished: bool) -> tuple[Sequence[str], float]:
        """The words of the articles that one of the question stands for, and how much they count: a guess counts less."""
        if _match(index, _either([word])):
            return [word], 1.0
        bucket = self._vocabulary.get(word[0], [])
        if unfinished and len(word) > 1 and (longer := completions(word, bucket)):
            return longer, UNFINISHED_WORTH
        return corrections(word, [*bucket, *self._vocabulary.get(word[1:2], ())]), TYPO_WORTH

    def _fresh_index(self) -> sqlite3.Connection:
        """The index of the articles as they are now, looked at again every few seconds at most."""
        now = time.monotonic()
        if self._index is None or now - self._looked_at > LOOK_AGAIN_S:
            stamp = self._library.stamp()
            if self._index is None or stamp != self._stamp:
                self._use(open_index(self._library, folder=self._folder))
                self._stamp = stamp
            self._looked_at = now
        if self._index is None:
            raise AssertionError("an index was just opened")
        return self._index

    def _use(self, index: sqlite3.Connection) -> None:
        if self._index is not None:
            self._index.close()
        self._index = index
        self._vocabulary = {}
        for (word,) in index.execute("SELECT word FROM word ORDER BY word"):
            self._vocabulary.setdefault(word[0], []).append(word)
        (self._count,) = index.execute("SELECT count(*) FROM about").fetchone()


def _either(words: Iterable[str], *, columns: str = "") -> str:
    """A full-text expression for any of the words; empty for none. They come from `WORD`, so nothing needs escaping."""
    expression = " OR ".join(f'"{word}"' for word in words)
    return f"{{{columns}}} : ({expression})" if columns and expression else expression


def _match(index: sqlite3.Connection, expression: str) -> dict[int, float]:
    """Scores by article, larger is better; empty for an empty expression."""
    if not expression:
        return {}
    rank = "-bm25(body, {}, {}, {}, {})".format(*WEIGHTS)
    return dict(index.execute(f"SELECT rowid, {rank} FROM body WHERE body MATCH ?", (expression,)))  # noqa: S608 -- constants


def _phrases(index: sqlite3.Connection, expression: str) -> dict[int, float]:
    """How near each article's phrases come to the words of the expression."""
    if not expression:
        return {}
    found: dict[int, list[float]] = {}
    for article, score in index.execute(
        "SELECT article, -bm25(phrase) FROM phrase WHERE phrase MATCH ?", (expression,)
    ):
        found.setdefault(article, []).append(score)
    return {
        article: sum(
            weight * score for weight, score in zip(PHRASE_WEIGHTS, sorted(scores, reverse=True), strict=False)
        )
        / sum(PHRASE_WEIGHTS[:2])
        for article, scores in found.items()
    }


def _boosts(index: sqlite3.Connection, causes: tuple[str, ...]) -> dict[int, float]:
    """What the found causes add to their articles; an article names the cause that it is most about first."""
    boosts: dict[int, float] = {}
    for place, cause in enumerate(causes[:8]):
        for article, behind in index.execute("SELECT article, place FROM cause WHERE cause = ?", (cause,)):
            boosts[article] = max(boosts.get(article, 0.0), CAUSE_WORTH / 2**place - 0.001 * behind)
    return boosts


def _answer(index: sqlite3.Connection, scores: Mapping[int, float], *, limit: int, nothing_fits: bool) -> Answer:
    best = sorted(scores.items(), key=lambda one: (-one[1], one[0]))[: max(0, limit)]
    about = {
        article: index.execute("SELECT id, title, summary FROM about WHERE article = ?", (article,)).fetchone()
        for article, _ in best
    }
    return Answer(
        results=tuple(
            Hit(article=about[article][0], score=round(score, 4), title=about[article][1], summary=about[article][2])
            for article, score in best
        ),
        nothing_fits=nothing_fits,
    )
