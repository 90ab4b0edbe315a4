"""`deskside search`: one question, and a stream of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from client.cli.search import LONGEST_QUERY

Run = Callable[..., Any]


def test_the_json_is_the_contract(deskside: Run) -> None:
    said = deskside("search", "the printer prints", "blank pages", "--json")
    assert said.code == 0
    assert said.json.keys() == {"results", "nothing_fits"}
    assert said.json["nothing_fits"] is False
    assert said.json["results"][0]["article"] == "printer"
    assert all(one.keys() == {"article", "score", "title"} for one in said.json["results"])
    scores = [one["score"] for one in said.json["results"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_people_read_titles_and_what_they_are_about(deskside: Run) -> None:
    said = deskside("search", "printer prints blank pages", "--limit", "1")
    assert said.code == 0
    assert said.out.startswith("Printing problems  (printer)\n")
    assert len(said.out.splitlines()) == 2


def test_nothing_fits_is_said(deskside: Run) -> None:
    said = deskside("search", "xyzzy plugh", "--json")
    assert said.code == 0
    assert said.json["nothing_fits"] is True
    assert "deskside ticket create" in deskside("search", "xyzzy plugh").err


@pytest.mark.parametrize("word", ['"', "'; --", "NEAR(", "a* OR b", "\x00", "🙂", "-" * 50, "%s{}"])
def test_any_characters_are_words(deskside: Run, word: str) -> None:
    said = deskside("search", "--json", "--", word)
    assert said.code == 0
    assert "results" in said.json


def test_a_stream_is_answered_line_by_line() -> None:
    command = [sys.executable, "-P", "-m", "client", "search", "-", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stream:
        assert stream.stdin is not None
        assert stream.stdout is not None
        for question in (b"printer\n", b"\n", b"\xff\xfe broken\n", b"x" * (3 * LONGEST_QUERY) + b"\n", b"wifi\r\n"):
            stream.stdin.write(question)
            stream.stdin.flush()
            answer = msgspec.json.decode(stream.stdout.readline())  # before the next question is asked
            assert answer.keys() == {"results", "nothing_fits"}
            if question == b"\n":
                assert answer == {"results": [], "nothing_fits": True}
        stream.stdin.write(b"printer without a line end")
        stream.stdin.close()
        assert msgspec.json.decode(stream.stdout.read())["results"]
    assert stream.returncode == 0
