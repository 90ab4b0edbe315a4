"""The help desks that `torture.py` kills clients of: how a client reaches one, how it is killed, and what is there in the end.

The real ones stand behind bad weather (weather.py) and a cable that is pulled (cable.py); those that are a file behind neither.
"""

# ruff: noqa: S311 -- dice, not secrets

from __future__ import annotations

import contextlib
import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import httpx
from paper_desk import PaperDesk
from torture_way import way

from client.demo.launch import start
from client.desks.employee import EmployeeDesk
from client.model import Attachment, Payload

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")


def payload_of(key: str) -> Payload:
    """The ticket or reply with this key: everything follows from the key, so that whoever checks it can make it again."""
    dice = random.Random(key)
    kinds = (("photo.png", "image/png"), ("Bericht \u00fc 1.txt", "text/plain"), ("data.json", "application/json"))
    files = tuple(
        Attachment(name=name, media_type=kind, data=_data(dice, kind))
        for name, kind in dice.sample(kinds, dice.randint(0, 3))
    )
    body = f"Cause: a test\n\nIt does not print. {dice.random()}\n\nDeskside ref: {key}"
    return Payload(key=key, subject=f"Torture {key}", body=body, fields={"cause": "dns.unreachable"}, attachments=files)


def _data(dice: random.Random, kind: str) -> bytes:
    """Text is text: some desks look into it and write it anew."""
    size = dice.choice([0, 2, 700, 20_000, 150_000])
    return dice.randbytes(size) if kind.startswith("image/") else dice.randbytes(size).hex().encode()[:size]


@dataclass
class Found:
    """What a desk has: tickets and replies by their key (and how often), and what is not as it was sent."""

    tickets: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    doubled_files: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def add(self, subject: str, texts: list[str], files: list[bytes]) -> None:
        """A ticket as its agent sees it: its text and its replies' in order, and the files of all of them in any."""
        key = subject.removeprefix("Torture ")
        self.tickets[key] += 1
        replies = [text.rpartition("Deskside ref: ")[2].strip() for text in texts[1:]]
        self.replies.update(replies)
        sent = Counter(digest(one.data) for each in (key, *replies) for one in payload_of(each).attachments)
        same_text = bool(texts) and texts[0].replace("\r\n", "\n").strip() == payload_of(key).body.strip()
        if not same_text or Counter(digest(one) for one in files) != sent:
            self.changed.append(key)


class Employee:
    """The embedded help desk behind the employee API, with bad weather in between."""

    undecided = False  # it knows keys: nothing may stay unsure
    life_s = 0.5  # a client's longest
    calm = 0.5  # share of requests that nothing happens to
    waiting = 20  # messages; nobody writes more while nothing goes, and in the end all have to be sent

    def __init__(self, folder: Path, *, seed: str, calm: float) -> None:
        self._folder = folder
        self.desk = start(folder, rate=0)
        self._stack = contextlib.ExitStack()
        self.cable = self._stack.enter_context(way(self.desk.port, seed=seed, calm=calm))
        self._url = f"http://127.0.0.1:{self.cable.port}"

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

    def found(self, _: dict[str, str]) -> Found:
        """Looks at the desk from both sides: the employee API for texts, and the agent's page for bodies and files."""
        found, tickets = Found(), {}
        with httpx.Client(headers={"Authorization": f"Bearer {self.desk.token}"}, trust_env=False, timeout=60) as api:
            before: str | None = None
            while True:
                query = {"before": before} if before else {}
                page = api.get(f"{self.desk.api}/tickets", params=query).raise_for_status().json()
                tickets |= {one["id"]: one["subject"] for one in page["tickets"]}
                before = page.get("next_before")
                if not before:
                    break
            said = {
                id: api.get(f"{self.desk.api}/tickets/{id}").raise_for_status().json()["comments"] for id in tickets
            }
        with self.desk.agent() as seat:
            for id, subject in tickets.items():
                there = seat.ticket(id)  # its page shows the files of a ticket's replies too
                texts = [there.body, *(one["text"] for one in said[id][1:])]
                found.add(subject, texts, [one.data for one in there.attachments])
        return found


class Paper:
    """A desk that is a file, of a kind that no server of ours is. No network leads to it."""

    cable = None
    life_s = 0.5
    waiting = 20

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


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
