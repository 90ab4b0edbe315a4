"""`deskside articles keygen|pack|sign|verify`: the way of whoever writes IT's articles, from an empty folder to a signed pack."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
ARTICLE = """+++
id = "parking-app"
title = "The parking app does not let me in"
summary = "Sign in again with your company account."
words = ["parking", "garage"]
causes = []
fixes = [{fixes}]
platforms = []
language = "en"
audience = "everyone"
reviewed_on = 2026-03-02
+++
Sign out, and in again.
"""


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    (folder / "en").mkdir(parents=True)
    (folder / "pack.toml").write_text('id = "example-it"\ntitle = "Example Ltd IT"\n')
    (folder / "en" / "parking-app.md").write_text(ARTICLE.format(fixes='"browser.clear_cache"'))
    return folder


def keys(deskside: Run, file: Path) -> str:
    said = deskside("articles", "keygen", file)
    assert said.code == 0, said.err
    return str(said.out).strip()


def test_a_pack_is_made_signed_and_verified(deskside: Run, articles: Path, tmp_path: Path) -> None:
    key, target = tmp_path / "it.key", tmp_path / "it.pack"
    public = keys(deskside, key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert public not in key.read_text(), "the file holds the private half"
    made = deskside("articles", "pack", articles, "-o", target, "--version", "7")
    assert (made.code, "1 article, version 7" in made.out) == (0, True), made
    unsigned = deskside("articles", "verify", target, "--json")
    assert (unsigned.code, unsigned.json["ok"]) == (1, False)
    assert deskside("articles", "sign", target, "--key", key).code == 0
    good = deskside("articles", "verify", target, "--key", public, "--json")
    assert (good.code, good.json["ok"], good.json["pack"]["version"]) == (0, True, 7)


def test_a_pack_of_another_key_is_not_taken(deskside: Run, articles: Path, tmp_path: Path) -> None:
    target = tmp_path / "it.pack"
    keys(deskside, tmp_path / "ours.key")
    stranger = keys(deskside, tmp_path / "theirs.key")
    assert deskside("articles", "pack", articles, "-o", target, "--key", tmp_path / "ours.key").code == 0
    said = deskside("articles", "verify", target, "--key", stranger, "--json")
    assert (said.code, said.json["ok"]) == (1, False)
    assert said.json["reason"]


def test_a_changed_pack_is_not_taken(deskside: Run, articles: Path, tmp_path: Path) -> None:
    target = tmp_path / "it.pack"
    public = keys(deskside, tmp_path / "it.key")
    assert deskside("articles", "pack", articles, "-o", target, "--key", tmp_path / "it.key").code == 0
    target.write_bytes(target.read_bytes().replace(b"Sign out, and in again.", b"Send us your password."))
    said = deskside("articles", "verify", target, "--key", public)
    assert said.code == 1
    assert "Traceback" not in said.out + said.err


def test_a_key_is_never_overwritten(deskside: Run, tmp_path: Path) -> None:
    key = tmp_path / "it.key"
    keys(deskside, key)
    before = key.read_bytes()
    said = deskside("articles", "keygen", key)
    assert (said.code, key.read_bytes()) == (2, before)
    assert "is there already" in said.err


def test_a_pack_with_an_unknown_fix_is_not_made(deskside: Run, articles: Path, tmp_path: Path) -> None:
    (articles / "en" / "parking-app.md").write_text(ARTICLE.format(fixes='"rm.everything"'))
    said = deskside("articles", "pack", articles, "-o", tmp_path / "it.pack")
    assert said.code not in {0, 70}
    assert "rm.everything" in said.out + said.err
    assert not (tmp_path / "it.pack").exists()


def test_a_folder_without_its_title_says_what_to_write(deskside: Run, articles: Path, tmp_path: Path) -> None:
    (articles / "pack.toml").unlink()
    said = deskside("articles", "pack", articles, "-o", tmp_path / "it.pack")
    assert said.code == 2
    assert 'title = "Example Ltd IT"' in said.err


def test_what_is_no_public_key_is_said(deskside: Run, articles: Path, tmp_path: Path) -> None:
    said = deskside("articles", "verify", tmp_path / "it.pack", "--key", "hunter2")
    assert (said.code, "is no public key" in said.err) == (2, True)
