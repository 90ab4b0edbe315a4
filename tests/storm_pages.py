"""What `storm.py` found, as a page and as a picture that is readable in light and in dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storm import Course

BIN_S = 15  # of the picture: the busiest second of every fifteen
FROM_MIN, UNTIL_MIN = -60, 45
LEFT, RIGHT = 64, 732
TOP, MIDDLE = (100, 270), (334, 450)  # the two panels, from and until
MOST_PER_S = 1000
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 768 500" width="768" height="500" role="img"'
    ' aria-label="{words}" font-family="system-ui, sans-serif" font-size="13">'
)
STYLE = """
.paper { fill: #ffffff } .ink { fill: #24292f } .soft { fill: #656d76 } .grid { stroke: #d8dee4 } .axis { stroke: #afb8c1 }
.calm { stroke: #1f6feb; fill: none } .rough { stroke: #bc6a2c; fill: none } .desk { stroke: #656d76; stroke-dasharray: 5 4 }
.calm-ink { fill: #1f6feb } .rough-ink { fill: #a3561f }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #8d96a0 } .grid { stroke: #21262d } .axis { stroke: #484f58 }
  .calm { stroke: #58a6ff } .rough { stroke: #d18a54 } .desk { stroke: #8d96a0 }
  .calm-ink { fill: #58a6ff } .rough-ink { fill: #d18a54 }
}
"""


def page(made: dict[str, Course]) -> str:
    """The figures in words and as a table (Markdown)."""
    figures = {name: one.figures() for name, one in made.items()}
    calm, rough, wake = figures["jitter"], figures["no_jitter"], figures["wake"]
    rows = "\n".join(
        f"| {one.name} | {one.peak_per_s:,} | {one.half_min} | {one.most_min} | {one.all_min} | {one.requests_per_ticket}"
        f" | {one.refused:,} | {one.delivered:,} |"
        for one in figures.values()
    )
    return f"""# When the help desk comes back

{calm.delivered:,} computers, a ticket waiting on each, all written in the first minute of an outage; after an hour the help desk
is back. It serves 20 requests a second and answers the rest with 429 and `Retry-After: 30`. What comes then decides whether it
stays up.

![Arrivals per second and delivered tickets over time, with and without jitter](storm.svg)

| | requests in the worst second | half delivered (min) | 99 % (min) | all (min) | requests for each ticket | refused | delivered |
|---|---|---|---|---|---|---|---|
{rows}

Minutes and requests count from the moment the desk is back. No ticket is lost, in no case.

- **With jitter** the desk sees at most {calm.peak_per_s} requests in a second instead of {rough.peak_per_s}, and refuses
  {calm.refused:,} instead of {rough.refused:,}. Every wait is drawn evenly from nothing up to a ceiling that doubles from ten
  seconds to half an hour, so after an hour the clients are spread over the whole of that half hour.
- **What the desk asks for is kept** and lengthened by a random time, whose ceiling doubles with each failure from ten seconds to
  ten minutes. Whoever comes back just thirty seconds later, together with everybody else, is refused again.
- **When the network of all comes back in one second**, all ask in that second ({wake.peak_per_s:,} requests), because whoever
  waits should not wait longer than needed. The refused ones spread as above; the last ticket is there after {wake.all_min} minutes.

`make storm` computes this anew in virtual time: the waits are the client's own functions (`client/outbox/backoff.py`), and a test
holds the model to the real outbox, and this page to the figures.
"""


def picture(made: dict[str, Course]) -> str:
    """Arrivals per second above, delivered tickets below, with and without jitter (SVG)."""
    calm, rough = made["jitter"], made["no_jitter"]
    parts = [
        HEAD.format(words=escape("Arrivals per second and delivered tickets over time, with and without jitter")),
        f"<style>{STYLE}</style>",
        '<rect class="paper" width="768" height="500" rx="8"/>',
        _words(24, 32, f"{calm.clients:,} tickets wait for a help desk that is away for an hour", "ink", size=16),
        _words(24, 56, "with jitter, as Deskside does it", "calm-ink"),
        _words(236, 56, "without jitter", "rough-ink"),
        _words(24, TOP[0] - 14, "requests in the busiest second of every fifteen", "soft"),
        _words(24, MIDDLE[0] - 12, "delivered", "soft"),
    ]
    for value in (1, 10, 100, 1000):
        parts += _line(LEFT, _per_s(value), RIGHT, _per_s(value), "grid")
        parts.append(_words(LEFT - 8, _per_s(value) + 4, f"{value:,}", "soft", anchor="end"))
    for share in (0.0, 0.5, 1.0):
        parts += _line(LEFT, _share(share), RIGHT, _share(share), "grid")
        parts.append(_words(LEFT - 8, _share(share) + 4, f"{share:.0%}", "soft", anchor="end"))
    for minute in range(FROM_MIN, UNTIL_MIN + 1, 15):
        at = _minute(minute)
        parts += _line(at, MIDDLE[1], at, MIDDLE[1] + 5, "axis")
        parts.append(_words(at, MIDDLE[1] + 20, "back" if minute == 0 else f"{minute:+d} min", "soft", anchor="middle"))
    parts += _line(_minute(0), TOP[0], _minute(0), MIDDLE[1], "axis")
    parts += _line(_minute(0), _per_s(20), RIGHT, _per_s(20), "desk")
    parts.append(_words(RIGHT, _per_s(20) - 6, "what the desk serves: 20", "soft", anchor="end"))
    parts.append(_path(_spikes(rough), "rough", width=1.2))
    parts.append(_path(_curve(_busiest(calm), _per_s), "calm", width=1.8))
    parts.append(_path(_curve(_delivered(rough), _share), "rough", width=1.8))
    parts.append(_path(_curve(_delivered(calm), _share), "calm", width=1.8))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _minute(minute: float) -> float:
    return LEFT + (minute - FROM_MIN) / (UNTIL_MIN - FROM_MIN) * (RIGHT - LEFT)


def _per_s(count: float) -> float:
    """The place of a number of requests: every step is ten times as many; nothing is at the bottom."""
    height = math.log10(max(count, 0.5) / 0.5) / math.log10(MOST_PER_S / 0.5)
    return TOP[1] - height * (TOP[1] - TOP[0])


def _share(share: float) -> float:
    return MIDDLE[1] - share * (MIDDLE[1] - MIDDLE[0])


def _busiest(course: Course) -> list[tuple[float, float]]:
    """Minute and requests in its busiest second, for every bin of the picture."""
    bins = range(FROM_MIN * 60, UNTIL_MIN * 60, BIN_S)
    return [(start / 60, max(course.asked[start + second] for second in range(BIN_S))) for start in bins]


def _delivered(course: Course) -> list[tuple[float, float]]:
    found, done = [], 0
    for start in range(FROM_MIN * 60, UNTIL_MIN * 60, BIN_S):
        done += sum(course.sent[start + second] for second in range(BIN_S))
        found.append(((start + BIN_S) / 60, done / course.clients))
    return found


def _curve(points: Iterable[tuple[float, float]], place: Callable[[float], float]) -> str:
    return "M" + " L".join(f"{_minute(minute):.1f} {place(value):.1f}" for minute, value in points)


def _spikes(course: Course) -> str:
    return " ".join(f"M{_minute(one):.1f} {TOP[1]}V{_per_s(count):.1f}" for one, count in _busiest(course) if count)


def _path(data: str, name: str, *, width: float) -> str:
    return f'<path class="{name}" stroke-width="{width}" stroke-linejoin="round" d="{data}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> list[str]:
    return [f'<path class="{name}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>']


def _words(x: float, y: float, words: str, name: str, *, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
    )
