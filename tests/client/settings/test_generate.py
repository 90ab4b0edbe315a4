"""What administrators read is made from the declaration, and is what the program takes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from client.settings.generate import example, reference
from client.settings.layers import Loaded
from client.settings.schema import KEYS, Settings

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(), (
        "python -c 'from client.settings.generate import reference; print(reference(), end=\"\")' > docs/settings.md"
    )


def test_the_page_names_every_key() -> None:
    text = reference()
    assert all(f"`{name.rpartition('.')[2]}`" in text for name in KEYS if name != "services")


def test_the_example_as_it_is_changes_nothing(merge: Callable[..., Loaded]) -> None:
    loaded = merge(example())
    assert (loaded.values, loaded.problems) == (Settings(), ())


def test_the_example_with_everything_taken_in_is_valid(merge: Callable[..., Loaded]) -> None:
    text = re.sub(r"(?m)^# (\w+ = |\[\[)", r"\1", example())
    assert {
        f"{table}.{key}" for table, keys in tomllib.loads(text).items() if table != "services" for key in keys
    } == KEYS.keys() - {"services"}
    loaded = merge(text)
    assert loaded.problems == ()
    assert [one.name for one in loaded.values.services] == ["Single sign-on", "File server"]
