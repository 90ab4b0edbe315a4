"""Sentence vectors: all-MiniLM-L6-v2 with numpy alone, its weights in eight bits. Belongs in a process that ends after use.

The file is a safetensors container (an eight-byte length, a JSON header, raw arrays): every matrix as int8 rows with one
float32 scale each, vectors as float32. `installers/model.py` makes it from the published weights. The architecture is BERT's
(Devlin et al. 2018, arXiv:1810.04805), pooled by the mean of the tokens as the model's authors do.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

# Read by numpy's BLAS when it is loaded. Matrices this small only get slower by a second thread, and far slower on a busy computer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LAYERS: Final = 6
HEADS: Final = 12
WIDTH: Final = 384
LONGEST: Final = 256  # tokens; the model was trained on no more
LONGEST_WORD: Final = 100  # characters; BERT's own limit for a word that can be in the vocabulary
EPSILON: Final = 1e-12
BATCH: Final = 16  # sentences at once: larger batches pad more than they save


class Tokenizer:
    """BERT's uncased word pieces: lower case, no accents, punctuation apart, longest piece first.

    Args:
        vocabulary: every piece, its place its id; pieces inside a word begin with "##".
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {piece: place for place, piece in enumerate(vocabulary)}
        self._start, self._end, self._unknown = (self._ids[name] for name in ("[CLS]", "[SEP]", "[UNK]"))

    def encode(self, text: str) -> list[int]:
        """The ids of the text between start and end marks, at most `LONGEST` of them."""
        ids = [id for word in _words(text) for id in self._pieces(word)]
        return [self._start, *ids[: LONGEST - 2], self._end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        begin = 0
        while begin < len(word):
            mark = "##" if begin else ""
            end = next((end for end in range(len(word), begin, -1) if mark + word[begin:end] in self._ids), 0)
            if not end:
                return [self._unknown]
            found.append(self._ids[mark + word[begin:end]])
            begin = end
        return found


class Model:
    """The loaded model. Loading takes some 50 ms, a sentence some 5 ms on one core.

    Args:
        path: the file made by `installers/model.py`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not such a file.
    """

    def __init__(self, path: Path) -> None:
        data = np.memmap(path, dtype=np.uint8, mode="r")
        size = int.from_bytes(data[:8].tobytes(), "little")
        if not 0 < size < len(data):
            raise ValueError(f"{path.name} is not a model file")
        header = json.loads(data[8 : 8 + size].tobytes())
        arrays: dict[str, NDArray[np.generic]] = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            kind = {"I8": np.int8, "F32": np.float32, "U8": np.uint8}[entry["dtype"]]
            arrays[name] = np.frombuffer(data[begin:end], dtype=kind).reshape(entry["shape"])
        self.tokenizer = Tokenizer(bytes(arrays.pop("vocabulary").tobytes()).decode().split("\n"))
        self._words = arrays["embeddings.word_embeddings.weight"]
        self._word_scales = arrays["embeddings.word_embeddings.weight.scale"]
        # The words' table stays as it is on disk; of the rest every number is used for every sentence.
        self._arrays = {
            name: _dequantised(array, arrays.get(f"{name}.scale"))
            for name, array in arrays.items()
            if not name.endswith(".scale") and "word_embeddings" not in name
        }

    def embed(self, texts: Iterable[str]) -> Array:
        """One row of 384 numbers for each text, of length 1: the product of two rows is their likeness, -1 to 1."""
        sentences = [self.tokenizer.encode(text) for text in texts]
        result = np.zeros((len(sentences), WIDTH), np.float32)
        by_length = sorted(range(len(sentences)), key=lambda place: len(sentences[place]))
        for begin in range(0, len(by_length), BATCH):
            places = by_length[begin : begin + BATCH]
            result[places] = self._forward([sentences[place] for place in places])
        return result

    def _forward(self, sentences: list[list[int]]) -> Array:
        length = max(map(len, sentences))
        ids = np.zeros((len(sentences), length), np.int64)
        mask = np.zeros((len(sentences), length), np.float32)
        for row, sentence in enumerate(sentences):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 1
        embedded = self._words[ids].astype(np.float32) * self._word_scales[ids].astype(np.float32)[..., None]
        embedded += self._arrays["embeddings.position_embeddings.weight"][:length]
        embedded += self._arrays["embeddings.token_type_embeddings.weight"][0]
        hidden = self._normalised(embedded, "embeddings.LayerNorm")
        hidden_from = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(LAYERS):
            hidden = self._layer(hidden, hidden_from, f"encoder.layer.{layer}")
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        length_of_each: Array = np.linalg.norm(pooled, axis=1, keepdims=True).astype(np.float32)
        return np.asarray(pooled / np.maximum(length_of_each, 1e-9), np.float32)

    def _layer(self, hidden: Array, hidden_from: Array, name: str) -> Array:
        rows, length, _ = hidden.shape

        def heads(part: str) -> Array:
            made = self._linear(hidden, f"{name}.attention.self.{part}")
            return made.reshape(rows, length, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        weights = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH // HEADS)) + hidden_from
        weights = np.exp(weights - weights.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        seen = (weights @ value).transpose(0, 2, 1, 3).reshape(rows, length, WIDTH)
        attended = self._normalised(
            self._linear(seen, f"{name}.attention.output.dense") + hidden, f"{name}.attention.output.LayerNorm"
        )
        wide = _gelu(self._linear(attended, f"{name}.intermediate.dense"))
        return self._normalised(self._linear(wide, f"{name}.output.dense") + attended, f"{name}.output.LayerNorm")

    def _linear(self, values: Array, name: str) -> Array:
        made: Array = values @ self._arrays[f"{name}.weight"].T + self._arrays[f"{name}.bias"]
        return made

    def _normalised(self, values: Array, name: str) -> Array:
        centred = values - values.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)
        made: Array = scaled * self._arrays[f"{name}.weight"] + self._arrays[f"{name}.bias"]
        return made


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.lower())
    apart: list[str] = []
    for letter in plain:
        kind = unicodedata.category(letter)
        if kind == "Mn" or letter in "\0\ufffd" or (kind[0] == "C" and letter not in "\t\n\r"):
            continue
        alone = _is_punctuation(letter, kind) or "\u4e00" <= letter <= "\u9fff" or "\u3400" <= letter <= "\u4dbf"
        apart.append(f" {letter} " if alone else letter)
    return "".join(apart).split()


def _is_punctuation(letter: str, kind: str) -> bool:
    return kind[0] == "P" or (
        letter.isascii() and letter.isprintable() and not letter.isalnum() and not letter.isspace()
    )


def _dequantised(array: NDArray[np.generic], scale: NDArray[np.generic] | None) -> Array:
    if scale is None:
        return array.astype(np.float32)
    made: Array = array.astype(np.float32) * scale.astype(np.float32)[:, None]
    return made


def _gelu(values: Array) -> Array:
    """The error-function GELU; erf by Abramowitz and Stegun 7.1.26 (error below 1.5e-7), as numpy has none."""
    scaled = np.abs(values) * np.float32(0.7071067811865476)
    step = 1 / (1 + np.float32(0.3275911) * scaled)
    series = step * (
        np.float32(0.254829592)
        + step
        * (
            np.float32(-0.284496736)
            + step * (np.float32(1.421413741) + step * (np.float32(-1.453152027) + step * np.float32(1.061405429)))
        )
    )
    error = np.sign(values) * (1 - series * np.exp(-scaled * scaled))
    made: Array = values * np.float32(0.5) * (1 + error)
    return made
