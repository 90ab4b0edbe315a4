"""A help desk that is one file: every ticket, file and reply is a line that is appended at once or not at all.

For killing clients quickly and for the kinds of help desk that no server of ours is: those that are searched for a key, and those
that know nothing of keys. It is strict (a file needs a ticket) and unreliable (the dice decide before and after each step).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from client.errors import DeskBroken, DeskFault, DeskUnreachable, NotFound, OutcomeUnknown, TooBusy
from client.model import Attachment, Capabilities, Comment, Conversation, Created, Payload, Ticket


class PaperDesk:
    """One client's view of the file.

    Args:
        path: the file.
        dedupe: what the desk promises.
        attach: how files get there.
        dice: decides on faults; None: the desk is well.
    """

    def __init__(
        self,
        path: Path,
        *,
        dedupe: Literal["search", "none"],
        attach: Literal["same_request", "after_creation"],
        dice: random.Random | None = None,
    ) -> None:
        self.capabilities = Capabilities(attach=attach, dedupe=dedupe, comments=True, own_list=True)
        self._path = path
        self._dice = dice

    async def create(self, payload: Payload) -> Created:
        self._before()
        number = os.urandom(6).hex()
        files = payload.attachments if self.capabilities.attach == "same_request" else ()
        self._write(
            {"what": "ticket", "ticket": number, "key": payload.key, "body": payload.body},
            *({"what": "file", "ticket": number, "name": one.name, "sha256": digest(one.data)} for one in files),
        )
        self._after()
        return Created(id=number, ref=number, attached=tuple(one.name for one in files))

    async def find(self, key: str) -> Created | None:
        self._before()
        if self.capabilities.dedupe == "none":
            raise DeskFault("This help desk cannot be asked.")
        lines = list(self.lines())
        for one in lines:
            if one["what"] == "ticket" and one["key"] == key:
                names = tuple(
                    line["name"] for line in lines if line["what"] == "file" and line["ticket"] == one["ticket"]
                )
                return Created(id=one["ticket"], ref=one["ticket"], attached=names)
        return None

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        self._before()
        if ticket.id not in {one["ticket"] for one in self.lines()}:
            raise NotFound("There is no such ticket.")
        self._write({"what": "file", "ticket": ticket.id, "name": attachment.name, "sha256": digest(attachment.data)})
        self._after()

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        self._before()
        self._write({"what": "reply", "ticket": ticket_id, "key": payload.key, "body": payload.body})
        self._after()

    async def conversation(self, ticket_id: str) -> Conversation:
        self._before()
        said = [one for one in self.lines() if one["what"] == "reply" and one["ticket"] == ticket_id]
        return Conversation(
            ticket=Ticket(id=ticket_id, ref=ticket_id, subject="s", status="open", is_open=True),
            comments=tuple(
                Comment(id=str(place), author="me", from_agent=False, text=one["body"])
                for place, one in enumerate(said)
            ),
        )

    async def close(self) -> None:
        pass

    def lines(self) -> Iterator[dict[str, Any]]:
        """What is written, oldest first."""
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)

    def doubled(self) -> list[str]:
        """What is there twice: tickets and replies by their key, files by their ticket."""
        seen = Counter((one["what"], one.get("key") or f"{one['ticket']} {one['name']}") for one in self.lines())
        return [f"{what} {which}" for (what, which), count in seen.items() if count > 1]

    def _write(self, *lines: dict[str, str]) -> None:
        text = "".join(f"{json.dumps(one)}\n" for one in lines)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, text.encode())  # one call: a kill comes before it or after it
        finally:
            os.close(file)

    def _before(self) -> None:
        roll = 1.0 if self._dice is None else self._dice.random()
        if roll < 0.08:
            raise DeskUnreachable("The help desk does not answer.")
        if roll < 0.13:
            raise TooBusy("The help desk is busy.", retry_after_s=1.0)
        if roll < 0.17:
            raise OutcomeUnknown("The line broke.")

    def _after(self) -> None:
        roll = 1.0 if self._dice is None else self._dice.random()
        if roll < 0.15:
            raise OutcomeUnknown("The line broke.")
        if roll < 0.25:
            raise DeskBroken("The help desk has a fault.")


def digest(data: bytes) -> str:
    """The hash by which files are compared."""
    return hashlib.sha256(data).hexdigest()
