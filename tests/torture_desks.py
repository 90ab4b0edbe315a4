"""The help desks that `torture.py` kills clients of: how a client reaches one, how it is killed, and what is there in the end."""

# ruff: noqa: S311 -- dice, not secrets

from __future__ import annotations

import contextlib
import hashlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import httpx
from paper_desk import PaperDesk

from client.demo.launch import DemoDesk, start
from client.desks.employee import EmployeeDesk
from client.model import Attachment, Payload

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")


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


@dataclass
class Found:
    """What a desk has: tickets and replies by their key (and how often), and what is not as it was sent."""

    tickets: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    doubled_files: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


class Employee:
    """The embedded help desk behind the employee API, with bad weather in between."""

    undecided = False  # it knows keys: nothing may stay unsure

    def __init__(self, folder: Path, *, seed: str, calm: float) -> None:
        self._folder = folder
        self.desk = start(folder, rate=0)
        self._stack = contextlib.ExitStack()
        self._url = self._stack.enter_context(weather(self.desk, seed=seed, calm=calm))

    def open(self, _: str) -> EmployeeDesk:
        """The desk as a client sees it."""
        return EmployeeDesk.open(self._url, network=NETWORK, secret=self.desk.token, version="0")

    def open_calm(self) -> EmployeeDesk:
        """The desk without weather."""
        return EmployeeDesk.open(self.desk.url, network=NETWORK, secret=self.desk.token, version="0")

    def kill(self) -> None:
        self.desk.kill()

    def restart(self) -> None:
        self.desk = start(self._folder, port=self.desk.port, rate=0)

    def close(self) -> None:
        self._stack.close()
        self.desk.stop()

    def found(self, replies: dict[str, str]) -> Found:
        """Looks at the desk from both sides: the employee API, and the agent's page for bodies and files."""
        found, ids = Found(), {}
        with httpx.Client(headers={"Authorization": f"Bearer {self.desk.token}"}, trust_env=False, timeout=60) as api:
            before: str | None = None
            while True:
                query = {"before": before} if before else {}
                page = api.get(f"{self.desk.api}/tickets", params=query).raise_for_status().json()
                for one in page["tickets"]:
                    key = one["subject"].removeprefix("Torture ")
                    found.tickets[key] += 1
                    ids[key] = one["id"]
                before = page.get("next_before")
                if not before:
                    break
            for to in set(replies.values()):
                for one in api.get(f"{self.desk.api}/tickets/{to}").raise_for_status().json()["comments"][1:]:
                    found.replies[one["text"].rpartition("Deskside ref: ")[2].strip()] += 1
        with self.desk.agent() as seat:
            for key, id in ids.items():
                there, sent = seat.ticket(id), payload_of(key)
                # The page shows the files of a ticket's replies too.
                keys = [key, *(reply for reply, to in replies.items() if to == id and reply in found.replies)]
                files = Counter(digest(one.data) for each in keys for one in payload_of(each).attachments)
                same_files = Counter(digest(one.data) for one in there.attachments) == files
                if there.body.replace("\r\n", "\n").strip() != sent.body.strip() or not same_files:
                    found.changed.append(key)
        return found


class Paper:
    """A desk that is a file, of a kind that no server of ours is."""

    def __init__(self, folder: Path, *, dedupe: str, attach: str) -> None:
        folder.mkdir(parents=True)
        self._path, self._dedupe, self._attach = folder / "desk.jsonl", dedupe, attach
        self.undecided = dedupe == "none"

    def open(self, seed: str) -> PaperDesk:
        return PaperDesk(self._path, dedupe=self._dedupe, attach=self._attach, dice=random.Random(f"desk {seed}"))

    def open_calm(self) -> PaperDesk:
        return PaperDesk(self._path, dedupe=self._dedupe, attach=self._attach)

    def kill(self) -> None:
        """A file cannot be killed."""

    def restart(self) -> None:
        """Nor started."""

    def close(self) -> None:
        """Nor stopped."""

    def found(self, _: dict[str, str]) -> Found:
        desk, found = self.open_calm(), Found()
        keys, files = {}, {}
        for one in desk.lines():
            match one["what"]:
                case "ticket":
                    found.tickets[one["key"]] += 1
                    keys[one["ticket"]] = one["key"]
                    if one["body"] != payload_of(one["key"]).body:
                        found.changed.append(one["key"])
                case "reply":
                    found.replies[one["key"]] += 1
                case "file":
                    files.setdefault(keys[one["ticket"]], Counter())[one["name"], one["sha256"]] += 1
        for key in found.tickets:
            sent = Counter((one.name, digest(one.data)) for one in payload_of(key).attachments)
            there = files.get(key, Counter())
            if there - sent:
                found.doubled_files.append(key)
            if sent - there:
                found.changed.append(key)
        return found


def open_scene(kind: str, folder: Path, *, seed: str, calm: float) -> Employee | Paper:
    """A help desk by its name: "employee", "search", "search-files" (files after the ticket), "none", "none-files"."""
    if kind == "employee":
        return Employee(folder, seed=seed, calm=calm)
    dedupe, _, files = kind.partition("-")
    return Paper(folder, dedupe=dedupe, attach="after_creation" if files else "same_request")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def weather(desk: DemoDesk, *, seed: str, calm: float) -> Iterator[str]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("weather.py")),
        "--to",
        f"127.0.0.1:{desk.port}",
        "--seed",
        seed,
    ]
    process = subprocess.Popen(
        [*command, "--calm", str(calm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
