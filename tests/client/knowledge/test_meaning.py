"""The sentence model: word pieces as BERT cuts them, and sentences that mean the same lie close together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.knowledge.meaning import LONGEST, WIDTH, Model, Tokenizer

MODEL = Path(__file__).parents[3] / "resources/model/all-minilm-l6-v2.int8"
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "print", "##er", "##s", "cafe", "jam", "'", "!", "日", "本")
TOKENIZER = Tokenizer(PIECES)


def pieces(text: str) -> list[str]:
    return [PIECES[id] for id in TOKENIZER.encode(text)][1:-1]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Printers", ["print", "##er", "##s"]),
        ("Café!", ["cafe", "!"]),
        ("printer's jam", ["print", "##er", "'", "[UNK]", "jam"]),
        ("日本", ["日", "本"]),
        ("", []),
        ("\u200bjam\0", ["jam"]),
        ("p" * 101, ["[UNK]"]),
    ],
)
def test_words_are_cut_as_bert_cuts_them(text: str, cut: list[str]) -> None:
    assert pieces(text) == cut


@given(st.text(max_size=2000))
def test_no_text_is_too_odd_or_too_long(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert 2 <= len(ids) <= LONGEST
    assert (ids[0], ids[-1]) == (2, 3)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(MODEL)


def test_what_means_the_same_lies_close(model: Model) -> None:
    slow, sluggish, dinner = model.embed(["my laptop is so slow", "the computer is sluggish", "pasta for dinner"])
    assert slow @ sluggish > 0.6
    assert slow @ dinner < 0.3


def test_a_sentence_has_the_same_vector_alone_and_among_longer_ones(model: Model) -> None:
    alone = model.embed(["no sound"])[0]
    among = model.embed(
        ["no sound", "there has been no sound from the speakers of my docking station since this morning"]
    )[0]
    assert alone.shape == (WIDTH,)
    assert np.allclose(alone, among, atol=1e-5)
    assert np.isclose(np.linalg.norm(alone), 1, atol=1e-5)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"\xff" * 64)
    with pytest.raises(ValueError, match="not a model file"):
        Model(tmp_path / "broken")
