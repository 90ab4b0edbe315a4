"""Numbers and lists in the words of a sentence. Pure functions; imports nothing of the project."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_STEP = 1000


def size(count: float) -> str:
    """Bytes the way file managers and disk makers say them: "812 MB", "1.4 GB"; powers of 1000."""
    value, unit = float(count), 0
    while value >= _STEP - 0.5 and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    digits = 1 if unit >= 3 and value < 100 else 0  # noqa: PLR2004 -- a tenth matters from GB on, while the number is short
    return "nothing" if value == 0 else f"{value:.{digits}f} {_UNITS[unit]}"


def listed(parts: Sequence[str], *, most: int = 3) -> str:
    """Parts as a sentence lists them: "a", "a and b", "a, b and c", "a, b, c and 4 more"."""
    shown = list(parts[:most])
    if len(parts) > most:
        return f"{', '.join(shown)} and {len(parts) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def duration(seconds: float) -> str:
    """A time span in its largest unit: "40 seconds", "5 minutes", "1 hour", "31 days"."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count = max(0, round(seconds))
    return f"{count} second{'' if count == 1 else 's'}"
