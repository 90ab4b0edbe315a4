"""Search by meaning: nearer in sense comes first, what is not ours is refused, and vectors are learnt once."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.knowledge.library import Library
from client.knowledge.likeness import VECTORS_FILE, Likeness, digest, read_vectors, write_vectors
from client.knowledge.search import Search

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "resources/model"
OURS = ROOT / "resources/articles"


def library(folder: Path) -> Library:
    return Library((folder,), language="en", platform="linux")


@pytest.fixture(scope="module")
def ours() -> Search:
    articles = library(OURS)
    return Search(articles, folder=None, ranker=Likeness(articles, model=MODEL, folder=None))


# None of these shares a telling word with the article's title.
@pytest.mark.parametrize(
    ("asked", "article"),
    [
        ("my notebook sounds like a plane taking off", "overheating-fan"),
        ("nobody in the call can hear what i say", "microphone"),
        ("left my laptop on the train", "lost-device"),
        ("two finger scrolling stopped", "touchpad"),
        ("could i get visio please", "software-install"),
        ("it wants a 48 digit number before windows", "disk-encryption-key"),
        ("mail from the ceo asking for gift cards", "phishing-report"),
    ],
)
def test_other_words_find_the_same_article(ours: Search, asked: str, article: str) -> None:
    answer = ours.find(asked)
    assert article in [hit.article for hit in answer.results[:3]]
    assert not answer.nothing_fits


@pytest.mark.parametrize(
    "asked",
    [
        "how do i make a pivot table",
        "my badge does not open the door",
        "salary in the payroll portal is wrong",
        "fax machine",
    ],
)
def test_what_no_article_answers_is_said_to_be_so(ours: Search, asked: str) -> None:
    assert ours.find(asked).nothing_fits


@pytest.mark.parametrize("asked", ["?", "🙂" * 500, "\0", "a" * 20_000, "wifi\nwifi"])
def test_no_question_is_too_odd(ours: Search, asked: str) -> None:
    assert len(ours.find(asked).results) <= 8


ARTICLE = """+++
id = "{id}"
title = "{title}"
summary = "{title}, said once more."
words = ["{words}"]
reviewed_on = 2026-01-01
language = "en"
+++
Text.
"""


def write_article(folder: Path, id: str, title: str, words: str) -> None:
    (folder / "en").mkdir(parents=True, exist_ok=True)
    (folder / "en" / f"{id}.md").write_text(ARTICLE.format(id=id, title=title, words=words))


def test_new_articles_are_learnt_and_kept(tmp_path: Path) -> None:
    write_article(tmp_path, "espresso", "The espresso machine drips", "coffee tastes of nothing")
    articles = library(tmp_path)
    ranked = Likeness(articles, model=MODEL, folder=tmp_path / "cache").rank("my cappuccino is watery")
    assert ranked.scores["espresso"] > 0.2
    assert digest("coffee tastes of nothing") in read_vectors(tmp_path / "cache" / VECTORS_FILE)


def test_a_change_of_articles_is_noticed(tmp_path: Path) -> None:
    write_article(tmp_path, "one", "First", "first thing")
    likeness = Likeness(library(tmp_path), model=MODEL, folder=None)
    assert set(likeness.rank("x").scores) == {"one"}
    write_article(tmp_path, "two", "Second", "second thing")
    assert set(likeness.rank("x").scores) == {"one", "two"}


def test_a_broken_vectors_file_is_made_again(tmp_path: Path) -> None:
    write_article(tmp_path, "one", "First", "first thing")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / VECTORS_FILE).write_bytes(b"no vectors")
    assert Likeness(library(tmp_path), model=MODEL, folder=cache).rank("first").scores
    assert digest("first thing") in read_vectors(cache / VECTORS_FILE)


def test_a_cache_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    write_article(tmp_path, "one", "First", "first thing")
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert Likeness(library(tmp_path), model=MODEL, folder=tmp_path / "cache").rank("first").scores


def test_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    kept = {digest(str(number)): _vector(number) for number in range(3)}
    write_vectors(tmp_path / "f" / "v", kept)
    found = read_vectors(tmp_path / "f" / "v")
    assert found.keys() == kept.keys()
    assert all((found[key] == kept[key]).all() for key in kept)
    assert [one.name for one in (tmp_path / "f").iterdir()] == ["v"]


def _vector(number: int):
    import numpy as np

    return np.full(384, number / 4, np.float16)


def test_the_vectors_of_our_articles_came_with_the_model() -> None:
    known = read_vectors(MODEL / VECTORS_FILE)
    missing = [phrase for one in library(OURS).every() for phrase in one.words if digest(phrase) not in known]
    assert not missing, "run installers/model.py resources/model"
