"""How long to wait before the next attempt: pure functions, no clock and no dice of their own. Imports nothing of the project.

Exponential with full jitter: the wait is drawn evenly from nothing up to a ceiling that doubles with each failure. When a desk
comes back after an hour, ten thousand clients that waited for it are spread over the whole ceiling instead of arriving together.
"""

from __future__ import annotations

from typing import Final

FIRST_CEILING_S: Final = 10.0  # a short break of the line is over before anybody looks at the screen again
LAST_CEILING_S: Final = 1800.0  # half an hour: a ticket written before lunch is there after lunch
LEAST_S: Final = 1.0  # never at once: a desk that refuses quickly must not be asked in a loop
LONGEST_ASKED_S: Final = 86_400.0  # a desk that asks for more than a day has most likely sent a wrong number
SPREAD_OF_ASKED: Final = (
    0.1  # everybody was told the same second: come after it, each at another moment, at least a tenth later
)
LAST_SPREAD_S: Final = 600.0  # ten minutes: what nobody minds on top of what the desk asked for


def wait_s(failures: int, *, roll: float) -> float:
    """Seconds to wait after that many failures in a row.

    Args:
        failures: 1 after the first failure; anything below counts as 1.
        roll: a random number, 0 <= roll < 1.

    Returns:
        At least `LEAST_S`, at most `LAST_CEILING_S`.
    """
    return max(LEAST_S, _ceiling_s(failures, last=LAST_CEILING_S) * roll)


def wait_asked_s(asked_s: float | None, *, failures: int, roll: float) -> float:
    """Seconds to wait when the desk has asked for a pause (Retry-After): never less than it asked.

    How much longer is drawn evenly up to a ceiling that doubles with each failure. A desk that can serve a few at a time tells all
    others the same seconds; coming back together a little later, they would be told so again (docs/storm.md).

    Args:
        asked_s: what it asked for; None or not a sensible number: as `wait_s`.
        failures: as `wait_s`.
        roll: as `wait_s`.

    Returns:
        What it asked, and up to a tenth of it or `LAST_SPREAD_S` more, whichever is longer.
    """
    if asked_s is None or not 0 <= asked_s < float("inf"):
        return wait_s(failures, roll=roll)
    asked = min(asked_s, LONGEST_ASKED_S)
    spread = max(asked * SPREAD_OF_ASKED, _ceiling_s(failures, last=LAST_SPREAD_S))
    return max(LEAST_S, asked + spread * roll)


def _ceiling_s(failures: int, *, last: float) -> float:
    doublings = min(max(failures, 1) - 1, 32)  # beyond that the last one rules anyway; keeps the power small
    return min(last, FIRST_CEILING_S * 2.0**doublings)
