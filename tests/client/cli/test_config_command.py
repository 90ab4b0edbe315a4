"""`deskside config`: origins, mistakes and the schema, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from client.knowledge.shelf import Shelf
from client.settings.generate import policy_files

Run = Callable[..., Any]

GOOD = """
[desk]
kind = "demo"
url = "https://help.example.com"
[[services]]
name = "Files"
address = "files.example.com:445"
"""
BAD = """
[desk]
kind = "dmo"
url = "ftp://x"
[client]
trai = true
log_level = "loud"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "config" / "deskside" / "settings.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


def test_every_value_is_shown_with_its_origin(deskside: Run, settings: Callable[[str], Path]) -> None:
    from client.settings.schema import KEYS

    file = settings(GOOD)
    said = deskside("config", "show", "--json")
    shown = said.json["settings"]
    assert said.code == 0
    assert shown.keys() == KEYS.keys()
    assert shown["desk.kind"] == {"value": "demo", "origin": "user", "file": str(file), "locked": False}
    assert shown["client.language"] == {"value": "", "origin": "built-in", "file": "", "locked": False}
    assert shown["services"]["value"] == [{"name": "Files", "url": "", "address": "files.example.com:445"}]
    assert said.json["sources"] == [str(file)]
    assert said.json["problems"] == []


def test_away_from_a_terminal_it_is_one_line_a_key_parted_by_tabs(
    deskside: Run, settings: Callable[[str], Path]
) -> None:
    file = settings(GOOD)
    lines = deskside("config", "show", "desk.kind", "desk.url", "client.tray").out.splitlines()
    assert lines == [
        f"desk.kind\tdemo\tuser ({file})",
        f"desk.url\thttps://help.example.com\tuser ({file})",
        "client.tray\ttrue\tbuilt-in",
    ]


def test_a_named_file_replaces_the_users(deskside: Run, settings: Callable[[str], Path], tmp_path: Path) -> None:
    settings(GOOD)
    other = tmp_path / "other.toml"
    other.write_text('[brand]\nname = "Other"')
    shown = deskside("--settings", other, "config", "show", "--json").json["settings"]
    assert (shown["brand.name"]["value"], shown["desk.kind"]["value"]) == ("Other", "")


def test_good_settings_are_valid(deskside: Run, settings: Callable[[str], Path]) -> None:
    settings(GOOD)
    assert deskside("config", "validate").code == 0
    assert deskside("config", "validate", "--json").json["ok"] is True


def test_all_mistakes_are_told_at_once_with_exit_code_2(deskside: Run, settings: Callable[[str], Path]) -> None:
    file = settings(BAD)
    said = deskside("config", "validate")
    assert said.code == 2
    assert len(said.out.splitlines()) == 4
    assert "Did you mean client.tray?" in said.out
    assert deskside("config", "validate", file, "--json").json["ok"] is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[desk]\nkind = "dmo"\nurl = "https://x.example"', "Did you mean 'demo'?"),
        ('[desk]\nkind = "zammad"\nurl = "https://x.example"', "desk.queue is not set"),
        ('[desk]\nkind = "freshservice"\nurl = "https://x.example"', 'desk.kind = "employee"'),
        ('[desk]\nkind = "zendesk"\nurl = "https://x.example"\nfields = ["color=1"]', "'color=1'"),
        ('[desk]\nkind = "demo"', "desk.kind is set, but not desk.url"),
        ('[desk]\nurl = "https://x.example"', "desk.url is set, but not desk.kind"),
        ('[desk]\nkind = "demo"\nurl = "http://x.example"', "https:// (http:// only on this computer)"),
        ("[", "is not valid TOML"),
    ],
)
def test_what_only_the_whole_shows_is_a_mistake_too(
    deskside: Run, settings: Callable[[str], Path], text: str, sentence: str
) -> None:
    settings(text)
    said = deskside("config", "validate")
    assert said.code == 2
    assert sentence in said.out


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.1:8080/x", "http://[::1]:80"])
def test_on_this_computer_http_will_do(deskside: Run, settings: Callable[[str], Path], url: str) -> None:
    settings(f'[desk]\nkind = "demo"\nurl = "{url}"')
    assert deskside("config", "validate").code == 0


def test_mistakes_stop_no_other_command_and_are_mentioned(deskside: Run, settings: Callable[[str], Path]) -> None:
    settings(BAD)
    said = deskside("fix", "list", "--json")
    assert said.code == 0
    assert said.json["fixes"]
    assert said.err == "The settings have 3 mistakes; Deskside goes on without. See: deskside config validate\n"


def test_the_templates_are_written(deskside: Run, tmp_path: Path) -> None:
    said = deskside("config", "templates", "-o", str(tmp_path / "new" / "templates"))
    assert said.code == 0
    written = {
        str(one.relative_to(tmp_path / "new" / "templates")): one.read_bytes()
        for one in map(Path, said.out.splitlines())
    }
    assert written == policy_files()


def test_templates_that_cannot_be_written_are_one_sentence(deskside: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = deskside("config", "templates", "-o", str(tmp_path / "file" / "templates"))
    assert (said.code, "cannot be written: Not a directory." in said.err) == (2, True)


def test_the_schema_is_printed(deskside: Run) -> None:
    schema = deskside("config", "schema").json
    assert schema["$defs"]["Desk"]["properties"]["url"]["x-set-by"] == "machine"


LOCKED = r"""
mkdir -p /etc/deskside/policy.d
printf '[desk]\nkind = "demo"\nurl = "https://help.example.com"\n' > /etc/deskside/policy.d/it.toml
exec "$@"
"""


@pytest.mark.netlab
def test_it_locks_the_desk_of_a_real_process(settings: Callable[[str], Path], process: Run) -> None:
    import subprocess
    import sys

    import msgspec

    settings('[desk]\nkind = "demo"\nurl = "https://evil.example.com"')
    script = "mount -t tmpfs none /etc &&" + LOCKED
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-P", "-m", "client", "config"]
    shown = msgspec.json.decode(subprocess.run([*command, "show", "--json"], capture_output=True, check=True).stdout)
    assert shown["settings"]["desk.url"] == {
        "value": "https://help.example.com",
        "origin": "policy locked",
        "file": "/etc/deskside/policy.d/it.toml",
        "locked": True,
    }
    done = subprocess.run([*command, "validate"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "desk.url does not count, because your IT department has decided it." in done.stdout


def test_show_says_how_articles_are_searched(deskside: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "by meaning and by words" in deskside("config", "show").err
    monkeypatch.setattr("client.guidance.Shelf", partial(_without_model, tmp_path / "none"))
    assert "by words alone: the model is not installed" in deskside("config", "show", "--json").json["notes"][-1]


def _without_model(nowhere: Path, /, **rest: Any) -> Shelf:
    return Shelf(**{**rest, "model": nowhere})
