"""A storm on paper: ten thousand clients wait for a help desk that comes back after an hour.

    python tests/storm.py [--clients 10000] [--seed 7] [--write docs]

Time is virtual, the waits are those of `client.outbox.backoff`, asked as `client.outbox.attempt` asks (a test holds this model to
the real outbox). The desk serves so many requests a second and refuses the rest with 429 and `Retry-After`. Prints the figures as
JSON; with `--write`, writes storm.md and storm.svg into that folder.
"""

# ruff: noqa: E402, S311, T201 -- a script: it finds the project before it imports it, throws dice, and prints what it found

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from storm_pages import page, picture

from client.outbox.attempt import CIRCUIT_OPENS_AT
from client.outbox.backoff import wait_asked_s, wait_s

CLIENTS = 10_000
WRITTEN_WITHIN_S = 60.0  # everybody writes in the first minute: the worst that an outage does to people
AWAY_S = 3600.0
PER_S = 20  # requests that the desk serves a second
RETRY_AFTER_S = 30.0
SEED = 7
ALWAYS_LATEST = math.nextafter(1.0, 0.0)  # a die that always shows the same: the back-off without jitter


@dataclass(slots=True)
class Client:
    """What one outbox with one ticket knows of the desk, and when it asks again."""

    failures: int = 0
    attempts: int = 0

    def unreachable(self, roll: Callable[[], float]) -> float:
        """Seconds to wait after no connection could be made."""
        self.failures += 1
        self.attempts += 1
        return wait_s(self.failures, roll=roll())

    def busy(self, retry_after_s: float | None, roll: Callable[[], float]) -> float:
        """Seconds to wait after 429."""
        self.failures += 1
        self.attempts += 1
        return wait_asked_s(retry_after_s, failures=self.failures, roll=roll())

    def broken(self, roll: Callable[[], float]) -> float:
        """Seconds to wait after 500: the message's own, and the desk's where it has failed several times in a row."""
        self.failures += 1
        self.attempts += 1
        own = wait_s(self.attempts, roll=roll())
        if self.failures < CIRCUIT_OPENS_AT:
            return own
        return max(own, wait_s(self.failures - CIRCUIT_OPENS_AT + 1, roll=roll()))

    def woken(self) -> float:
        """Seconds to wait when the network is back: none, and the failures are forgotten."""
        self.failures = 0
        return 0.0


@dataclass
class Course:
    """How a storm went. Seconds count from the moment the desk is back; `asked` and `sent` are per second."""

    name: str
    clients: int
    asked: Counter[int] = field(default_factory=Counter)
    sent: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    last_s: float = 0.0

    def figures(self) -> Figures:
        after = {second: count for second, count in self.asked.items() if second >= 0}
        return Figures(
            name=self.name,
            peak_per_s=max(after.values()),
            half_min=self._within(0.5),
            most_min=self._within(0.99),
            all_min=round(self.last_s / 60, 1),
            requests_per_ticket=round(sum(after.values()) / self.clients, 2),
            refused=self.refused,
            delivered=sum(self.sent.values()),
        )

    def _within(self, share: float) -> float:
        done = 0
        for second in sorted(self.sent):
            done += self.sent[second]
            if done >= share * self.clients:
                return round(second / 60, 1)
        return math.inf


@dataclass(frozen=True)
class Figures:
    """The key figures: requests in the worst second, minutes until half, 99 % and all were delivered, and what it cost."""

    name: str
    peak_per_s: int
    half_min: float
    most_min: float
    all_min: float
    requests_per_ticket: float
    refused: int
    delivered: int


def storm(
    name: str,
    *,
    clients: int = CLIENTS,
    seed: int = SEED,
    jitter: bool = True,
    wake: bool = False,
    fails: str = "unreachable",
    per_s: int = PER_S,
) -> Course:
    """One storm. Without jitter, every wait is the longest that it can be, and what the desk asks for is kept to the second.

    Args:
        name: what it is called in tables.
        clients: how many, with one ticket each.
        seed: of the dice.
        jitter: whether waits are drawn.
        wake: it was the network of all that was away: they hear that it is back, and all ask in that second.
        fails: how the desk is away: "unreachable", or "broken" (it answers 500).
        per_s: requests that the desk serves a second.
    """
    dice = random.Random(seed)
    roll = dice.random if jitter else (lambda: ALWAYS_LATEST)
    asked_roll = dice.random if jitter else (lambda: 0.0)
    course = Course(name, clients)
    people = [Client() for _ in range(clients)]
    events = [(number * WRITTEN_WITHIN_S / clients - AWAY_S, number) for number in range(clients)]
    heapq.heapify(events)
    woken = not wake
    served: Counter[int] = Counter()
    while events:
        if not woken and events[0][0] >= 0:
            woken = True
            events = [(one.woken(), number) for number, one in enumerate(people)]
            heapq.heapify(events)
        now, number = heapq.heappop(events)
        second = math.floor(now)
        course.asked[second] += 1
        client = people[number]
        if now < 0:
            wait = client.unreachable(roll) if fails == "unreachable" else client.broken(roll)
        elif served[second] >= per_s:
            course.refused += 1
            wait = client.busy(RETRY_AFTER_S, asked_roll)
        else:
            served[second] += 1
            course.sent[second] += 1
            course.last_s = now
            continue
        heapq.heappush(events, (now + wait, number))
    return course


def storms(*, clients: int = CLIENTS, seed: int = SEED) -> dict[str, Course]:
    """All of them, by a short name."""
    made = {
        "jitter": storm("as it is", clients=clients, seed=seed),
        "no_jitter": storm("the same without jitter", clients=clients, seed=seed, jitter=False),
        "slow": storm("a desk that serves only 5 a second", clients=clients, seed=seed, per_s=5),
        "broken": storm("a desk that answers 500 for that hour", clients=clients, seed=seed, fails="broken"),
        "wake": storm("the network of all comes back in one second", clients=clients, seed=seed, wake=True),
    }
    assert all(sum(one.sent.values()) == clients for one in made.values())
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, default=None)
    given = parser.parse_args()
    made = storms(clients=given.clients, seed=given.seed)
    print(json.dumps({name: asdict(one.figures()) for name, one in made.items()}, indent=1))
    if given.write:
        (given.write / "storm.md").write_text(page(made), encoding="utf-8")
        (given.write / "storm.svg").write_text(picture(made), encoding="utf-8")


if __name__ == "__main__":
    main()
