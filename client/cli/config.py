"""`deskside config`: every effective setting with its origin, what is wrong with the files, and the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from client.app import App
from client.cli.session import Session
from client.cli.show import put, put_json, put_table, say
from client.desks import open_desk
from client.errors import SettingsFault, UsageError
from client.settings.generate import example as example_file
from client.settings.generate import policy_files
from client.settings.layers import Loaded, Origin
from client.settings.schema import KEYS, json_schema

WRONG = 2


@click.group("config")
def command() -> None:
    """Show and check the settings."""


@command.command("show")
@click.argument("names", metavar="[KEY]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(session: Session, names: tuple[str, ...], *, as_json: bool) -> int:
    """Show every setting that counts, where it comes from, and whether IT has locked it. With KEY only those, or a whole table."""
    loaded = session.app.settings
    chosen = _choose(loaded, names)
    notes = (*loaded.notes, session.app.how_it_searches())
    if as_json:
        put_json(
            {
                "settings": {name: _entry(loaded.value(name), loaded.origin(name)) for name in chosen},
                "sources": loaded.sources,
                "problems": loaded.problems,
                "notes": notes,
            }
        )
        return 0
    rows = [(name, _text(loaded.value(name)), _origin(loaded.origin(name))) for name in chosen]
    put_table(rows, heads=("key", "value", "from"))
    for note in notes:
        say(note)
    return 0


@command.command("validate")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def validate(session: Session, file: Path | None, *, as_json: bool) -> int:
    """Check every settings file, or FILE as the user's; exit code 2 when one has a mistake. All of them are told at once."""
    if file is not None:
        session.settings_file = file
    app = session.load()
    loaded = app.settings
    problems = (*loaded.problems, *_of_the_desk(app))
    if as_json:
        put_json({"ok": not problems, "problems": problems, "notes": loaded.notes, "sources": loaded.sources})
        return WRONG if problems else 0
    for problem in problems:
        put(problem, "bad")
    for note in loaded.notes:
        put(note, "dim")
    if not problems and loaded.sources:
        put("The settings have no mistake.", "good")
    elif not problems:
        put("There are no settings files; the built-in values count.", "good")
    for source in loaded.sources:
        say(f"Read: {source}")
    return WRONG if problems else 0


@command.command("example")
def example() -> int:
    """Print a settings file with every key and its built-in value, to start from."""
    put(example_file().rstrip())
    return 0


@command.command("templates")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write to."
)
def templates(output: Path) -> int:
    """Write the templates for device management: Group Policy and Intune, a macOS profile, a form for Jamf, a file for Linux."""
    for name, content in policy_files().items():
        file = output / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
        put(str(file))
    return 0


@command.command("schema")
def schema() -> int:
    """Print the JSON Schema of the settings: every key, its type, its default, and who may set it."""
    put_json(json_schema())
    return 0


def _of_the_desk(app: App) -> tuple[str, ...]:
    """What only the help desk's adapter knows: whether there is one of this kind, and what it needs to be opened."""
    desk = app.settings.values.desk
    if not desk.kind:
        return ("desk.url is set, but not desk.kind, so there is no help desk.",) if desk.url else ()
    if not desk.url:
        return ("desk.kind is set, but not desk.url, so there is no help desk.",)
    try:
        open_desk(desk, network=app.settings.values.network, secret=None, version="")
    except SettingsFault as fault:
        return fault.problems or (fault.message,)
    return ()


def _choose(loaded: Loaded, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return tuple(KEYS)
    chosen: list[str] = []
    for name in names:
        table = [key for key in KEYS if key.partition(".")[0] == name]
        if not table:
            loaded.origin(name)  # says which key is nearest
        chosen += table or [name]
    return tuple(dict.fromkeys(chosen))


def _entry(value: Any, origin: Origin) -> dict[str, Any]:
    return {"value": value, "origin": origin.layer.value, "file": origin.file, "locked": origin.locked}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()


def _origin(origin: Origin) -> str:
    where = f" ({origin.file})" if origin.file else ""
    return f"{origin.layer.value}{where}{', locked' if origin.locked and origin.layer.value != 'policy locked' else ''}"
