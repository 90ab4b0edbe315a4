"""`deskside login`, `whoami` and `logout` with the company account: real processes, a real provider, a browser that follows it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client.cli import login
from tests.servers import oidc_server
from tests.servers.oidc_server import OidcServer, TokenDesk, walk

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcServer]:
    with OidcServer() as running:
        yield running


@pytest.fixture
def signing(
    process: Run, provider: OidcServer, keyring_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Runs words where the company signs in with its account; a browser is there, and Robin sits in front of it."""
    browser = tmp_path / "bin" / "xdg-open"
    browser.parent.mkdir()
    browser.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{oidc_server.__file__}" "$1" robin\n')
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{browser.parent}:{os.environ['PATH']}")
    with TokenDesk(provider) as desk:
        file = tmp_path / "config" / "deskside" / "settings.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f'[desk]\nkind = "employee"\nurl = "{desk.url}"\n'
            f'[sign_in]\nmethod = "oidc"\nissuer = "{provider.issuer}"\nclient_id = "deskside"\nprompt = "consent"\n'
        )
        yield lambda *words, **more: process(*words, **({"DISPLAY": ":99"} | more))


def test_signing_in_in_the_browser_being_known_and_signing_out(signing: Run, keyring_file: Path) -> None:
    said = signing("login", "--json")
    assert said.code == 0, said.err
    assert said.json == {"identity": {"name": "Robin Berg", "email": "robin@example.com"}, "account": "default"}
    assert "Sign in in the browser that opens." in said.err
    assert signing("whoami").out == "Robin Berg <robin@example.com>\n"
    listed = signing("whoami", "--accounts", "--json").json["accounts"]
    assert [(one["name"], one["active"]) for one in listed] == [("default", True)]
    said = signing("logout")
    assert (said.code, said.out, said.err) == (0, "You are signed out.\n", "")
    assert "token" not in keyring_file.read_text()
    assert signing("whoami").code == 3


def test_accounts_are_chosen_by_their_names(signing: Run) -> None:
    assert signing("login").code == 0
    assert signing("login", "--account", "work").code == 0
    said = signing("login", "--use", "--account", "default")
    assert (said.code, said.out) == (0, "The account default is used now.\n")
    assert signing("login", "--use", "--account", "nobody").code == 2
    assert signing("logout", "--all").code == 0
    assert signing("whoami", "--accounts", "--json").json == {"accounts": []}


def test_without_a_browser_a_code_is_shown(signing: Run, tmp_path: Path) -> None:
    """The code goes to standard error while it waits; whoever reads it enters it elsewhere."""
    environment = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(_entering(signing, environment)))
    thread.start()
    thread.join(60)
    code, out, err = said[0]
    assert code == 0, err
    assert "enter this code:" in err
    assert "Only enter it if you have started this sign-in yourself." in err
    assert out == "You are signed in as Robin Berg.\n"


def _entering(signing: Run, environment: dict[str, str]) -> tuple[int, str, str]:

    running = subprocess.Popen(
        [sys.executable, "-P", "-m", "client", "login"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert running.stderr is not None
    err = ""
    for line in running.stderr:
        err += line
        if line.startswith("Or open "):
            walk(line.removeprefix("Or open ").strip(), "robin")
    assert running.stdout is not None
    out = running.stdout.read()
    code = running.wait(30)
    running.stdout.close()
    running.stderr.close()
    return code, out, err


def test_a_token_is_not_taken_where_the_company_signs_in(signing: Run) -> None:
    said = signing("login", "--token-stdin", stdin="some-token\n")
    assert said.code == 2
    assert "with the company account, not with a token" in said.err


def test_a_code_is_not_offered_where_there_is_a_token(process: Run, tmp_path: Path) -> None:
    file = tmp_path / "config" / "deskside" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[desk]\nkind = "employee"\nurl = "https://help.example.com"\n')
    said = process("login", "--code")
    assert said.code == 2
    assert "no sign-in with a code" in said.err


@pytest.mark.parametrize(
    ("platform", "environment", "there"),
    [
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
        ("win32", {}, True),
    ],
)
def test_a_browser_is_expected_where_a_person_can_see_one(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], there: object
) -> None:
    monkeypatch.setattr(login.sys, "platform", platform)
    monkeypatch.setattr(login.os, "environ", environment)
    assert login._has_browser() is there
