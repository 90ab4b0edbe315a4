"""Kills the client, and the help desk, at random moments, through bad weather, and counts what was lost and what was doubled.

    python tests/torture.py --kills 1000 [--seed 7] [--desk-kills 10]

Each client is a process of its own that does what the tray does: saves drafts, puts tickets and replies into the real outbox and
sends them with the real delivery and adapter to the real embedded help desk. It says on a pipe what it has done; what it said
before it was killed must be true afterwards. Time runs sixty times faster for the outbox, so that waits are short.

Prints one JSON object; exit code 0 when nothing was lost, doubled or changed. The seed repeats the dice, not the scheduler.
"""

# ruff: noqa: E402, S311, T201 -- a script: it finds the project before it imports it, throws dice, and prints what it found

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import logging
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx

from client.demo.launch import DemoDesk, start
from client.desks.employee import EmployeeDesk
from client.model import Attachment, Draft, Payload, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox

FASTER = 60.0
LONGEST_LIFE_S = 0.5
SETTLE_S = 240.0
NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")


class Clock:
    """Seconds since 1970 that pass faster from `began` on."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self) -> float:
        return self._began + (time.time() - self._began) * FASTER


def payload_of(key: str) -> Payload:
    """The ticket or reply with this key: everything follows from the key, so that whoever checks it can make it again."""
    dice = random.Random(key)
    kinds = (("photo.png", "image/png"), ("Bericht \u00fc 1.txt", "text/plain"), ("data.json", "application/json"))
    files = tuple(
        Attachment(name=name, media_type=kind, data=dice.randbytes(dice.choice([0, 1, 700, 20_000, 150_000])))
        for name, kind in dice.sample(kinds, dice.randint(0, 3))
    )
    body = f"Cause: a test\n\nIt does not print. {dice.random()}\n\nDeskside ref: {key}"
    return Payload(key=key, subject=f"Torture {key}", body=body, fields={"cause": "dns.unreachable"}, attachments=files)


# --- the client that is killed


async def live(*, folder: Path, url: str, token: str, seed: str, say: Any, clock: Clock) -> None:
    """Does what a tray does, until it is killed."""
    dice = random.Random(seed)
    outbox = Outbox(folder / "outbox.sqlite3", clock=clock)
    desk = EmployeeDesk.open(url, network=NETWORK, secret=token, version="0")

    async def open_desk() -> EmployeeDesk:
        return desk

    delivery = Delivery(outbox, open_desk=open_desk, roll=dice.random, clock=clock)
    while True:
        if dice.random() < 0.4:
            key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
            payload = payload_of(key)
            for turn in range(dice.randint(1, 3)):
                draft = Draft(id=key, created_at=datetime.now(UTC), words=f"{turn}", attachments=payload.attachments)
                await asyncio.to_thread(outbox.save_draft, draft)
                say("draft", key, turn)
            say("adding", key)
            await asyncio.to_thread(outbox.add, payload)
            say("added", key)
        sent = [one.ticket.id for one in await asyncio.to_thread(outbox.entries) if one.ticket and one.kind == "ticket"]
        if sent and dice.random() < 0.25:
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
    def __init__(self, *, folder: Path, desk: DemoDesk, url: str, seed: str) -> None:
        self.folder, self.desk, self.url, self.seed = folder, desk, url, seed
        self.dice = random.Random(seed)
        self.said = Said()
        self.clock = Clock(time.time())
        self.kills = self.desk_kills = 0

    def round(self, *, kill_desk: bool) -> None:
        """One or two clients at once (a tray and a command line); all are killed, the desk too when it is its turn."""
        clients = [self._fork(f"{self.seed}-{self.kills}-{place}") for place in range(self.dice.choice([1, 1, 1, 2]))]
        if kill_desk:
            time.sleep(self.dice.random() * LONGEST_LIFE_S)
            self.desk.kill()
            self.desk_kills += 1
        for pid, _ in clients:
            time.sleep(self.dice.random() * LONGEST_LIFE_S / len(clients))
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        for pid, pipe in clients:
            os.waitpid(pid, 0)
            with os.fdopen(pipe, encoding="utf-8") as file:
                self.said.hear(file.read())

    def _fork(self, seed: str) -> tuple[int, int]:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            be_a_client(write, folder=self.folder, url=self.url, token=self.desk.token, seed=seed, clock=self.clock)
        os.close(write)
        return pid, read

    def settle(self) -> list[str]:
        """Sends what is left, in fair weather and with nobody killed; gives the entries that did not get there."""
        outbox = Outbox(self.folder / "outbox.sqlite3", clock=self.clock)

        async def send() -> None:
            desk = EmployeeDesk.open(self.desk.url, network=NETWORK, secret=self.desk.token, version="0")

            async def open_desk() -> EmployeeDesk:
                return desk

            ends = time.monotonic() + SETTLE_S
            while time.monotonic() < ends and outbox.seconds_until_due() is not None:
                await Delivery(outbox, open_desk=open_desk, clock=self.clock).run_due()
                await asyncio.sleep(0.02)
            await desk.close()

        asyncio.run(send())
        left = [
            f"{one.id}: {one.state.value}: {one.last_error}"
            for one in outbox.entries()
            if one.state is not SendState.SENT
        ]
        self.sent_at_last = {one.id for one in outbox.entries() if one.state is SendState.SENT}
        self.drafts_at_last = {one.id: int(one.words) for one in outbox.drafts()}
        outbox.close()
        return left


def judge(killer: Killer, left: list[str]) -> dict[str, Any]:
    """Looks at the desk from both sides, and compares with what was said."""
    said, desk = killer.said, killer.desk
    tickets: dict[str, list[str]] = {}
    before: str | None = None
    with httpx.Client(headers={"Authorization": f"Bearer {desk.token}"}, trust_env=False, timeout=60) as api:
        while True:
            page = api.get(f"{desk.api}/tickets", params={"before": before} if before else {}).raise_for_status().json()
            for one in page["tickets"]:
                tickets.setdefault(one["subject"].removeprefix("Torture "), []).append(one["id"])
            before = page.get("next_before")
            if not before:
                break
        replies: Counter[str] = Counter()
        for to in set(said.replies.values()):
            for one in api.get(f"{desk.api}/tickets/{to}").raise_for_status().json()["comments"][1:]:
                replies[one["text"].rpartition("Deskside ref: ")[2].strip()] += 1
    promised = said.added | said.sent
    lost = sorted(promised - set(tickets) - set(replies))
    lost += [f"draft {key}" for key, turn in said.drafts.items() if draft_lost(key, turn, killer, tickets)]
    doubled = [key for key, ids in tickets.items() if len(ids) > 1] + [
        key for key, count in replies.items() if count > 1
    ]
    unknown = sorted(set(tickets) - said.adding)
    return {
        "lost": lost,
        "doubled": doubled,
        "changed": changed(desk, tickets, said.replies, frozenset(replies)),
        "unknown": unknown,
        "claimed": sorted(said.sent - set(tickets) - set(replies)),
        "not_sent": left,
        "crashed": said.crashes,
        "tickets": len(tickets),
        "replies": len(replies),
    }


def draft_lost(key: str, turn: int, killer: Killer, tickets: dict[str, list[str]]) -> bool:
    """A draft that was said to be saved is still there, at least as new, or has become a ticket."""
    return key not in tickets and killer.drafts_at_last.get(key, -1) < turn


def changed(
    desk: DemoDesk, tickets: dict[str, list[str]], replies: dict[str, str], arrived: frozenset[str]
) -> list[str]:
    """Tickets whose body or files are not byte for byte what was put into the outbox, read at the agent's page.

    The page shows the files of a ticket's replies too.
    """
    wrong = []
    with desk.agent() as seat:
        for key, (id, *_) in tickets.items():
            there, sent = seat.ticket(id), payload_of(key)
            keys = [key, *(reply for reply, to in replies.items() if to == id and reply in arrived)]
            files = Counter(digest(one.data) for each in keys for one in payload_of(each).attachments)
            same_files = Counter(digest(one.data) for one in there.attachments) == files
            if there.body.replace("\r\n", "\n").strip() != sent.body.strip() or not same_files:
                wrong.append(key)
    return wrong


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def weather(desk: DemoDesk, *, seed: str, calm: float) -> Any:
    command = [sys.executable, str(ROOT / "tests" / "weather.py"), "--to", f"127.0.0.1:{desk.port}", "--seed", seed]
    process = subprocess.Popen(
        [*command, "--calm", str(calm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--desk-kills", type=int, default=None, help="default: one for every hundred kills")
    parser.add_argument("--calm", type=float, default=0.5, help="share of requests that nothing happens to")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    print(f"seed {given.seed}", file=sys.stderr, flush=True)
    desk_kills = given.kills // 100 if given.desk_kills is None else given.desk_kills
    with contextlib.ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-")))
        desk = start(folder / "desk", rate=0)
        url = stack.enter_context(weather(desk, seed=given.seed, calm=given.calm))
        killer = Killer(folder=folder / "data", desk=desk, url=url, seed=given.seed)
        try:
            while killer.kills < given.kills:
                due = (killer.desk_kills + 1) * given.kills / (desk_kills + 1)
                if killer.desk_kills < desk_kills and killer.kills >= due:
                    killer.round(kill_desk=True)
                    killer.round(kill_desk=False)  # nobody at home
                    killer.desk = desk = start(folder / "desk", port=desk.port, rate=0)
                else:
                    killer.round(kill_desk=False)
            result = judge(killer, killer.settle())
        finally:
            desk.stop()
    bad = [name for name in ("lost", "doubled", "changed", "unknown", "claimed", "not_sent", "crashed") if result[name]]
    result |= {
        "ok": not bad,
        "kills": killer.kills,
        "desk_kills": killer.desk_kills,
        "killed_during": dict(killer.said.killed_during.most_common()),
        "seed": given.seed,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(result, indent=1))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
