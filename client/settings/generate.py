"""Writes what administrators use from the one declaration of the keys: a reference page, an example to start from, templates."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from client.settings.admx import adml, admx, english, words_from
from client.settings.profile import jamf_schema, mobileconfig
from client.settings.schema import KEYS, Key, Settings
from client.settings.values import expected

ABOUT: Final = """\
# Settings

Written from the declaration of the keys (`client/settings/schema.py`); `deskside config schema` prints the same as JSON Schema,
`deskside config example` a file to start from, `deskside config templates -o FOLDER` what device management takes: ADMX and ADML
for Group Policy and Intune (English, German), a macOS configuration profile, a form for Jamf Pro.

With nothing configured, Deskside checks, searches, repairs and writes tickets; only sending needs a help desk.

## Where they come from

Weakest first: built-in, policy default, user, policy locked. `deskside config show` prints every value with its origin,
`deskside config validate` every mistake at once, with the nearest right key. `deskside --settings FILE` replaces the user's
file, never a policy.

| | user | policy |
|---|---|---|
| Linux | `~/.config/deskside/settings.toml` | `/etc/xdg/deskside/policy.d/*.toml`, then `/etc/deskside/policy.d/*.toml` |
| macOS | `~/Library/Application Support/deskside/settings.toml` | a configuration profile for `io.github.deskside` |
| Windows | `%LOCALAPPDATA%\\deskside\\settings.toml` | `HKLM\\Software\\Policies\\Deskside`, a key for each table |

In a policy, values are locked; those in its `[defaults]` table (`[defaults.client]`, a key `Defaults` in the registry) are
defaults, which the user may change. Files are read in the order of their names, and the later one wins. On Linux, folder
and files must belong to root and be writable by nobody else.

In the registry a switch is 0 or 1, a list is a multi-string value or a key with one value for each entry, and in the key
`Services` each value's name is the service's name and its text the URL, or "host:port".

## What a mistake does

A wrong value falls back to the layer below it, and is shown in the window and by `deskside config validate` (exit code 2).
Nothing stops the program, but a file named with `--settings` must be there and be TOML.

A policy never falls open. Keys for the machine (below) decide where tickets go, what may be changed and whom to trust. As soon
as a policy sets one of them, as a default too, none of the same table is taken from the user. `[desk]` and `[sign_in]` count as
one table here: a sign-in that is meant for one help desk must not go to another. A locked value that is wrong stays locked, at
the policy's default or the built-in value. And while a policy file cannot be read or trusted, no key for the machine is taken
from the user at all. So a mistake can leave a computer without a help desk, and its tickets wait; it cannot send them elsewhere.

## Keys
"""


def reference() -> str:
    """The page docs/settings.md."""
    lines = [ABOUT]
    for table, about, keys in _tables():
        lines += [f"### [{table}]" if table != "services" else "### [[services]]", "", about, ""]
        lines += ["| key | type | built-in | set by | |", "|---|---|---|---|---|"]
        lines += [_row(key) for key in keys]
        lines.append("")
    return "\n".join(lines)


def example() -> str:
    """A settings file with every key, all of them commented out with their built-in values."""
    lines = ["# Settings of Deskside. Take the # away from what you want to change.", ""]
    for table, about, keys in _tables():
        if table == "services":
            lines += [
                f"# {about}",
                "# [[services]]",
                '# name = "Single sign-on"',
                '# url = "https://sso.example.com/health"',
            ]
            lines += ["# [[services]]", '# name = "File server"', '# address = "files.example.com:445"', ""]
            continue
        lines += [f"# {about}", f"[{table}]"]
        for key in keys:
            lines += [f"# {key.description}", f"# {key.name.partition('.')[2]} = {_toml(key.default)}"]
        lines.append("")
    return "\n".join(lines)


def _tables() -> Iterator[tuple[str, str, list[Key]]]:
    hints = typing.get_type_hints(Settings)
    for table in hints:
        keys = [key for key in KEYS.values() if key.table == table]
        about = KEYS[table].description if table in KEYS else (hints[table].__doc__ or "").split("\n")[0]
        yield table, about, keys


def _row(key: Key) -> str:
    name = key.name.partition(".")[2] or "name, url, address"
    kind = "a list of tables" if key.name == "services" else expected(key)
    return f"| `{name}` | {kind} | `{_toml(key.default)}` | {key.set_by} | {key.description} |"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # for texts, numbers, switches and lists of texts TOML and JSON agree


def policy_files() -> dict[str, bytes]:
    """What goes into resources/policy, and to administrators by `deskside config templates`: file by relative path."""
    german = (Path(__file__).parents[2] / "resources" / "policy" / "words-de.toml").read_text(encoding="utf-8")
    return {
        "windows/deskside.admx": admx(),
        "windows/en-US/deskside.adml": adml(english()),
        "windows/de-DE/deskside.adml": adml(words_from(german)),
        "macos/deskside.mobileconfig": mobileconfig(),
        "macos/deskside-jamf.json": jamf_schema(),
        "linux/deskside.toml": example().encode(),
    }


def write_all(root: Path) -> tuple[Path, ...]:
    """Writes docs/settings.md and resources/policy anew in a checkout, and gives the files: python -m client.settings.generate."""
    wanted = {"docs/settings.md": reference().encode()}
    wanted |= {f"resources/policy/{name}": content for name, content in policy_files().items()}
    for name, content in wanted.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tuple(root / name for name in wanted)


if __name__ == "__main__":
    write_all(Path(__file__).parents[2])
