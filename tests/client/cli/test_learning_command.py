"""`deskside learning`: what was noted, and forgetting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client.knowledge.learning import Learning
from client.platform.paths import find_paths

Run = Callable[..., Any]


def test_nothing_is_said_as_such(deskside: Run) -> None:
    said = deskside("learning")
    assert (said.code, said.out) == (0, "")
    assert "Nothing was noted yet." in said.err


def test_a_search_that_finds_nothing_is_noted_and_shown_and_forgotten(deskside: Run) -> None:
    deskside("search", "xqzzvw", "wqxzv")
    Learning(find_paths().data / "learning.sqlite3").article("printer", helped=True)
    said = deskside("learning", "--json")
    assert [(one["kind"], one["about"]) for one in said.json["events"]] == [
        ("article", "printer"),
        ("search", "xqzzvw wqxzv"),
    ]
    assert said.json["shared"] is False
    assert "It stays on this computer." in deskside("learning").err
    assert deskside("learning", "forget").code == 2
    assert deskside("learning", "forget", "--yes").code == 0
    assert deskside("learning", "--json").json["events"] == []
