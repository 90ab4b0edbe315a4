"""Kills the client, the help desk, both, and the network between them at random moments, and counts what was lost and what doubled.

    python tests/torture.py --kills 1000 [--seed 7] [--desk-kills 20] [--network-kills 250] [--desk request_tracker]

Each client is a process of its own that does what the tray does: saves drafts, puts tickets and replies into the real outbox and
sends them with the real delivery and adapter through a cable and bad weather to a real help desk: the embedded one, Request
Tracker 5 or Roundup (or, without a network, to one that is a file and of another kind: searched for keys, or without any; files
after the ticket). It says on a pipe what it has done; what it said before it was killed must be true afterwards. Time runs sixty
times faster for the outbox, so that waits are short.

Prints one JSON object; exit code 0 when nothing was lost, doubled or changed. The seed repeats the dice, not the scheduler.
"""

# ruff: noqa: E402, S311, T201 -- a script: it finds the project before it imports it, throws dice, and prints what it found

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import secrets
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from torture_desks import Employee, Paper, payload_of
from torture_real import RoundupScene, TrackerScene

from client.model import Draft, OutboxEntry, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox

FASTER = 60.0
SEARCH_SETTLES_S = 2.0  # of the faster time; the desk that is searched here knows a ticket at once
LONGEST_CUT_S = 0.6  # of the network; a client has some more of its life left after it
SETTLE_S = 240.0
UNSENT = frozenset({SendState.WAITING, SendState.SENDING, SendState.CREATED})
REAL = {"employee": Employee, "request_tracker": TrackerScene, "roundup": RoundupScene}
PAPER = ("search", "search-files", "none", "none-files")


class Clock:
    """Seconds since 1970 that pass faster from `began` on."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self) -> float:
        return self._began + (time.time() - self._began) * FASTER


# --- the client that is killed


async def live(*, folder: Path, scene: Any, seed: str, say: Any, clock: Clock) -> None:
    """Does what a tray does, until it is killed."""
    dice = random.Random(seed)
    outbox = Outbox(folder / "outbox.sqlite3", clock=clock)
    desk = scene.open(seed)

    async def open_desk() -> Any:
        return desk

    delivery = Delivery(outbox, open_desk=open_desk, roll=dice.random, clock=clock, settle_s=SEARCH_SETTLES_S)
    while True:
        entries = await asyncio.to_thread(outbox.entries)
        few = sum(one.state in UNSENT for one in entries) < scene.waiting
        if few and dice.random() < 0.4:
            key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
            payload = payload_of(key)
            for turn in range(dice.randint(1, 3)):
                draft = Draft(id=key, created_at=datetime.now(UTC), words=f"{turn}", attachments=payload.attachments)
                await asyncio.to_thread(outbox.save_draft, draft)
                say("draft", key, turn)
            say("adding", key)
            await asyncio.to_thread(outbox.add, payload)
            say("added", key)
        sent = [one.ticket.id for one in entries if one.ticket and one.kind == "ticket"]
        if few and sent and dice.random() < 0.25:
            key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
            ticket = dice.choice(sent)
            say("adding", key, ticket)
            await asyncio.to_thread(outbox.add, payload_of(key), reply_to=ticket)
            say("added", key)
        say("sending")
        for entry in await delivery.run_due():
            if entry.state is SendState.SENT:
                say("sent", entry.id)
        say("idle")
        wait = await asyncio.to_thread(outbox.seconds_until_due)
        await asyncio.sleep(min(0.05, (1.0 if wait is None else wait) / FASTER))


def be_a_client(pipe: int, **more: Any) -> None:
    """Never returns."""

    def say(*words: Any) -> None:
        os.write(pipe, (json.dumps(words) + "\n").encode())

    try:
        asyncio.run(live(say=say, **more))
    except BaseException as error:  # noqa: BLE001 -- a client that ends by itself is a finding of this script
        say("crashed", repr(error))
    finally:
        os._exit(1)


# --- the one who kills


@dataclass
class Said:
    """What clients said before they died."""

    drafts: dict[str, int] = field(default_factory=dict)
    adding: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    replies: dict[str, str] = field(default_factory=dict)  # reply: its ticket
    sent: set[str] = field(default_factory=set)
    crashes: list[str] = field(default_factory=list)
    killed_during: Counter[str] = field(default_factory=Counter)

    def hear(self, text: str) -> None:
        last = "starting"
        for line in text.splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # the pipe's last line may be cut
                last, *rest = json.loads(line)
                self._one(last, rest)
        self.killed_during[last] += 1

    def _one(self, what: str, rest: list[Any]) -> None:
        match what:
            case "draft":
                self.drafts[rest[0]] = rest[1]
            case "adding":
                self.adding.add(rest[0])
                if len(rest) > 1:
                    self.replies[rest[0]] = rest[1]
            case "added":
                self.added.add(rest[0])
            case "sent":
                self.sent.add(rest[0])
            case "crashed":
                self.crashes.append(rest[0])


class Killer:
    """Throws the dice. `kills` are of clients, `desk_kills` of the desk alone, `both` of the desk and all clients in one moment."""

    def __init__(self, *, folder: Path, scene: Any, seed: str) -> None:
        self.folder, self.scene, self.seed = folder, scene, seed
        self.dice = random.Random(seed)
        self.said = Said()
        self.clock = Clock(time.time())
        self.kills = self.desk_kills = self.both = self.network_kills = 0

    def clients(self) -> None:
        """One or two clients at once (a tray and a command line), each killed at a moment of its own."""
        self._end(self._start())

    def desk(self) -> None:
        """The desk alone: clients meet nobody at home, and then a desk that has just got up."""
        running = self._start()
        self._pause()
        self.scene.kill()
        self.desk_kills += 1
        self._pause()
        self.scene.restart()
        self._end(running)

    def desk_and_clients(self) -> None:
        """All of them in one moment; the next clients meet nobody at home."""
        running = self._start()
        self._pause()
        for pid, _ in running:
            os.kill(pid, signal.SIGSTOP)
        self.scene.kill()
        self.both += 1
        self._end(running, at_once=True)
        self.clients()
        self.scene.restart()

    def network(self) -> None:
        """The network, for a moment: cut with a reset, or silent."""
        running = self._start()
        self._pause()
        self.scene.cable.make(self.dice.choice(["cut", "hang"]))
        self.network_kills += 1
        time.sleep(self.dice.random() * LONGEST_CUT_S)
        if self.dice.random() < 0.5:
            self._end(running)
            self.scene.cable.make("join")
        else:
            self.scene.cable.make("join")
            self._end(running)

    def _start(self) -> list[tuple[int, int]]:
        return [self._fork(f"{self.seed}-{self.kills}-{place}") for place in range(self.dice.choice([1, 1, 1, 2]))]

    def _pause(self) -> None:
        time.sleep(self.dice.random() * self.scene.life_s)

    def _end(self, running: list[tuple[int, int]], *, at_once: bool = False) -> None:
        for pid, _ in running:
            if not at_once:
                time.sleep(self.dice.random() * self.scene.life_s / len(running))
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        for pid, pipe in running:
            os.waitpid(pid, 0)
            with os.fdopen(pipe, encoding="utf-8") as file:
                self.said.hear(file.read())

    def _fork(self, seed: str) -> tuple[int, int]:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            be_a_client(write, folder=self.folder, scene=self.scene, seed=seed, clock=self.clock)
        os.close(write)
        return pid, read

    def settle(self) -> Last:
        """Sends what is left, in fair weather and with nobody killed."""
        outbox = Outbox(self.folder / "outbox.sqlite3", clock=self.clock)

        async def send() -> None:
            desk = self.scene.open_calm()

            async def open_desk() -> Any:
                return desk

            ends = time.monotonic() + SETTLE_S
            while time.monotonic() < ends and outbox.seconds_until_due() is not None:
                await Delivery(outbox, open_desk=open_desk, clock=self.clock, settle_s=SEARCH_SETTLES_S).run_due()
                await asyncio.sleep(0.02)
            await desk.close()

        asyncio.run(send())
        last = Last(entries=outbox.entries(), drafts={one.id: int(one.words) for one in outbox.drafts()})
        outbox.close()
        return last


@dataclass
class Last:
    """What the outbox holds in the end."""

    entries: tuple[OutboxEntry, ...]
    drafts: dict[str, int]


def judge(killer: Killer, last: Last) -> dict[str, Any]:
    """Compares what was said with what the desk has and what the outbox says in the end."""
    said, found = killer.said, killer.scene.found(killer.said.replies)
    there = set(found.tickets) | set(found.replies)
    # Where the desk cannot be asked, a message may stay with the employee, who was told so.
    waiting = {one.id for one in last.entries if one.state is SendState.UNSURE} if killer.scene.undecided else set()
    kept = there | {one.id for one in last.entries}
    lost = sorted((said.added | said.sent) - (there | waiting))
    lost += [f"draft {key}" for key, turn in said.drafts.items() if key not in kept and last.drafts.get(key, -1) < turn]
    doubled = [key for key, count in (found.tickets + found.replies).items() if count > 1] + found.doubled_files
    unsent = [one for one in last.entries if one.state is not SendState.SENT and one.id not in waiting]
    return {
        "lost": lost,
        "doubled": doubled,
        "changed": sorted(set(found.changed) - waiting),
        "unknown": sorted(there - said.adding),
        "claimed": sorted((said.sent | {one.id for one in last.entries if one.state is SendState.SENT}) - there),
        "not_sent": [f"{one.id}: {one.state.value}: {one.last_error}" for one in unsent],
        "crashed": said.crashes,
        "tickets": len(found.tickets),
        "replies": len(found.replies),
        "for_a_person": len(waiting),
    }


def rounds(killer: Killer, *, kills: int, desk_kills: int, network_kills: int) -> None:
    """Kills at least that many clients, and the desk and the network as often as said, evenly in between."""

    def desk() -> None:
        killer.desk() if killer.desk_kills <= killer.both else killer.desk_and_clients()

    while killer.kills < kills:
        share = killer.kills / kills
        if killer.desk_kills + killer.both < desk_kills * share:
            desk()
        elif killer.network_kills < network_kills * share:
            killer.network()
        else:
            killer.clients()
    while killer.desk_kills + killer.both < desk_kills:
        desk()
    while killer.network_kills < network_kills:
        killer.network()


def open_scene(kind: str, folder: Path, *, seed: str, calm: float | None) -> Any:
    """A help desk by its name, in its usual weather if none is given."""
    if kind in REAL:
        return REAL[kind](folder, seed=seed, calm=REAL[kind].calm if calm is None else calm)
    dedupe, _, files = kind.partition("-")
    return Paper(folder, dedupe=dedupe, attach="after_creation" if files else "same_request")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="of clients")
    parser.add_argument("--desk", choices=[*REAL, *PAPER], default="employee")
    parser.add_argument(
        "--desk-kills", type=int, default=None, help="of the desk, alone or with clients; default: kills / 50"
    )
    parser.add_argument("--network-kills", type=int, default=None, help="default: kills / 4, where there is a network")
    parser.add_argument("--calm", type=float, default=None, help="share of requests that nothing happens to")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    print(f"seed {given.seed}", file=sys.stderr, flush=True)
    desk_kills = given.kills // 50 if given.desk_kills is None else given.desk_kills
    network_kills = given.kills // 4 if given.network_kills is None else given.network_kills
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        scene = open_scene(given.desk, folder / "desk", seed=given.seed, calm=given.calm)
        stack.callback(scene.close)
        killer = Killer(folder=folder / "data", scene=scene, seed=given.seed)
        rounds(killer, kills=given.kills, desk_kills=desk_kills, network_kills=network_kills if scene.cable else 0)
        result = judge(killer, killer.settle())
    bad = [name for name in ("lost", "doubled", "changed", "unknown", "claimed", "not_sent", "crashed") if result[name]]
    result |= {
        "ok": not bad,
        "desk": given.desk,
        "kills": killer.kills,
        "desk_kills": killer.desk_kills,
        "both_kills": killer.both,
        "network_kills": killer.network_kills,
        "killed_during": dict(killer.said.killed_during.most_common()),
        "seed": given.seed,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(result, indent=1))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
