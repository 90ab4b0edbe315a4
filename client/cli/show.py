"""What commands print. Foreign text (a help desk's, a file's) reaches the terminal without control characters.

Data goes to standard output, everything that only accompanies it (progress, questions, notes) to standard error. Colours and
tables appear on a terminal only; elsewhere the same words come as plain lines.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console

Look = Literal["", "title", "good", "bad", "warn", "dim"]
_STYLES: dict[Look, dict[str, Any]] = {
    "": {},
    "title": {"bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "dim": {"dim": True},
}
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def clean(text: str) -> str:
    """The text as a terminal may have it: line breaks and tabs stay, escape sequences and other controls do not."""
    return "".join(c if c.isprintable() or c in "\n\t" else _harmless(c) for c in text.replace("\r\n", "\n"))


def _harmless(character: str) -> str:
    match unicodedata.category(character):
        case "Zs":  # the unusual spaces
            return " "
        case "Cf":  # marks without width, among them those that turn the direction of writing
            return ""
        case _:
            return "�"


def put(text: str = "", look: Look = "") -> None:
    """Prints a line of the answer."""
    click.echo(_styled(text, look))


def say(text: str = "", look: Look = "dim") -> None:
    """Prints a line beside the answer, on standard error."""
    click.echo(_styled(text, look), err=True)


def _styled(text: str, look: Look) -> str:
    """With colour for a terminal (click takes it off elsewhere), unless its owner wants none (no-color.org)."""
    plain = not look or not text or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return clean(text) if plain else click.style(clean(text), **_STYLES[look])


def put_json(value: Any) -> None:
    """Prints one JSON object, UTF-8 whatever the terminal speaks, and hands it on at once."""
    click.echo(msgspec.json.encode(value) + b"\n", nl=False)
    if sys.stdout is not None:  # whoever starts us may have closed it
        sys.stdout.flush()


def put_table(rows: Iterable[Sequence[str]], *, heads: Sequence[str]) -> None:
    """Prints rows in columns. On a terminal long cells wrap; elsewhere nothing is cut and columns are parted by a tab."""
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    if not to_terminal():
        for row in cells:
            click.echo("\t".join(cell.replace("\t", " ") for cell in row))
        return
    from rich.table import Table  # noqa: PLC0415 -- 40 ms that only a table on a terminal pays
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    _console().print(table)


def put_paragraph(text: str, *, indent: int = 0) -> None:
    """Prints running text, wrapped to the terminal's width there and as it is elsewhere."""
    margin = " " * indent
    if not to_terminal():
        put("\n".join(margin + line if line else "" for line in text.splitlines()))
        return
    width = min(shutil.get_terminal_size().columns, 100)
    for line in clean(text).splitlines() or [""]:
        click.echo(click.wrap_text(line, width, initial_indent=margin, subsequent_indent=margin) if line else "")


def put_markdown(text: str) -> None:
    """Prints Markdown: laid out on a terminal, as it is elsewhere."""
    if not to_terminal():
        put(text)
        return
    from rich.markdown import Markdown  # noqa: PLC0415 -- as above

    _console().print(Markdown(clean(text), hyperlinks=False))


def when(moment: datetime | None) -> str:
    """A moment in this computer's time, to the minute; empty for None."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def size(count: int | None) -> str:
    """A number of bytes in words: "1.2 GB"."""
    if count is None:
        return ""
    number, unit = float(count), 0
    while number >= 999.5 and unit < len(UNITS) - 1:  # noqa: PLR2004 -- would be rounded to four digits
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {UNITS[unit]}" if unit == 0 or number >= 10 else f"{number:.1f} {UNITS[unit]}"  # noqa: PLR2004


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 file", "2 files"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def to_terminal() -> bool:
    """Whether the answer goes to a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def on_terminal() -> bool:
    """Whether a person can be asked: both what they type and what they read is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()


def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415 -- as above

    return Console(highlight=False, markup=False, emoji=False)
