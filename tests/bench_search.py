"""How well and how fast articles are found: `python tests/bench_search.py` (or `make bench`). Prints a table; exit code 1 below a
bar.

The questions (tests/client/knowledge/questions.tsv) were written after the articles and the weights, and are not tuned to. Times
are of this machine; the bars are those of the figures alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "tests" / "client" / "knowledge" / "questions.tsv"
BARS = {"top-1": 0.90, "top-3": 0.97, "kept": 0.92}
MIB = 1024 * 1024


@dataclass(frozen=True)
class Figures:
    """Shares of 1; `ms` for each question, one after the other; `rss_mib` of the child that understands meaning."""

    shares: dict[str, float]
    first_ms: float
    ms: list[float]
    rss_mib: float


def read(file: Path = QUESTIONS) -> list[tuple[str, frozenset[str], str]]:
    """(question, the articles that answer it, its kind)."""
    with file.open(newline="") as source:
        rows = csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            (
                row["query"],
                frozenset(filter(None, row["topics"].split("|"))),
                row["origin"].partition("(")[2].rstrip(")"),
            )
            for row in rows
        ]


def shares(rows: Sequence[tuple[str, frozenset[str], str]], answers: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Top-1, top-3 and kept of what can be answered; refused of what cannot, by kind."""
    found: dict[str, list[bool]] = {}
    for (_, wanted, kind), answer in zip(rows, answers, strict=True):
        ids = [hit["article"] for hit in answer["results"]]
        if wanted:
            found.setdefault("top-1", []).append(bool(wanted & set(ids[:1])))
            found.setdefault("top-3", []).append(bool(wanted & set(ids[:3])))
            found.setdefault("kept", []).append(not answer["nothing_fits"])
        else:
            found.setdefault(f"refused, {kind}", []).append(answer["nothing_fits"])
    return {name: sum(one) / len(one) for name, one in found.items()}


def measure(program: Sequence[str], rows: Sequence[tuple[str, frozenset[str], str]]) -> Figures:
    """Asks one question after the other, as somebody who waits for each answer."""
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            [*program, "search", "--json", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HOME": home, "XDG_CACHE_HOME": f"{home}/cache"},
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        answers, took = [], []
        for question, _, _ in rows:
            began = time.perf_counter()
            child.stdin.write(question + "\n")
            child.stdin.flush()
            answers.append(json.loads(child.stdout.readline()))
            took.append((time.perf_counter() - began) * 1000)
        rss = psutil.Process(child.pid).memory_info().rss / MIB
        child.stdin.close()
    return Figures(shares=shares(rows, answers), first_ms=took[0], ms=took[1:], rss_mib=rss)


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    options = parser.parse_args()
    rows = read(options.questions)
    found = measure([sys.executable, "-P", "-m", "client"], rows)
    lines = [f"{len(rows)} questions"]
    for name, share in found.shares.items():
        bar = BARS.get(name)
        lines.append(f"{name:24}{share:6.3f}{'' if bar is None else f'   bar {bar:.2f}'}")
    lines += [
        f"{'first answer':24}{found.first_ms:6.0f} ms (the child starts, and its index is made)",
        f"{'an answer, median':24}{statistics.median(found.ms):6.1f} ms",
        f"{'an answer, slowest':24}{max(found.ms):6.1f} ms",
        f"{'memory of the child':24}{found.rss_mib:6.0f} MiB (it ends after use; the tray holds none of it)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(found.shares[name] >= bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
