"""Facts from the system's log. Lines of a log may hold anything, so they count as personal."""

from __future__ import annotations

from typing import Final

from diagnostics.facts.declaration import fact
from diagnostics.model import Privacy
from diagnostics.platforms.machine import describer_of
from diagnostics.probe import Probe

LINES: Final = 50
LINE_LENGTH: Final = 400
BYTES: Final = 12_000


def bounded(lines: tuple[str, ...]) -> list[str]:
    """The newest lines that fit: at most 50 of 400 letters, 12,000 bytes together; the same line in a row once."""
    kept: list[str] = []
    room = BYTES
    for line in reversed(lines):
        short = line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 1]}…"
        if kept and kept[-1] == short:
            continue
        room -= len(short.encode())
        if room < 0 or len(kept) == LINES:
            break
        kept.append(short)
    return kept[::-1]


@fact("logs.errors", privacy=Privacy.PERSONAL)
async def errors(probe: Probe) -> list[str]:
    """The last errors that the system wrote down, oldest first.

    Raises:
        PermissionError: this user may not read it.
    """
    lines = await describer_of(probe).log_errors(probe, lines=LINES)
    if lines is None:
        raise PermissionError("the system's log may not be read")
    return bounded(lines)
