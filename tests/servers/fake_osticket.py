"""An osTicket 1.18 as its API was seen to behave: text/html for everything, and files dropped without a word to the sender."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from tests.servers.small_server import Asked, Refusal, Reply, SmallServer

FIELDS = {"deskside_cause", "deskside_device"}
MAX_FILE_BYTES = 1024 * 1024
HTML = {"Content-Type": "text/html; charset=UTF-8"}


def said(status: int, words: str) -> Reply:
    return Reply(status, words.encode(), HTML)


class No(Refusal):
    """osTicket's refusals are plain text that calls itself HTML."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.reply = said(status, words)


class FakeOsTicket(SmallServer):
    """Two computers with keys. Fields that its form does not have are dropped, as are empty files and large ones (`notes`).

    `stray`: it makes the ticket, and fails afterwards.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys = {"KEY0123456789AAAA", "KEY0123456789BBBB"}
        self.tickets: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self.full = self.stray = False

    def answer(self, asked: Asked) -> Reply:
        if (asked.method, asked.path) != ("POST", "/api/tickets.json"):
            raise No(400, "URL not supported")
        if asked.headers.get("x-api-key") not in self.keys:
            raise No(401, "Valid API key required")
        try:
            sent = json.loads(asked.body)
        except ValueError:
            raise No(400, "Syntax error, malformed JSON") from None
        if not sent or not isinstance(sent, (dict, list)):
            raise No(400, "No errors")
        files = self._files(sent.get("attachments", []))
        wrong = {}
        if not sent.get("name") or not re.fullmatch(r"[^@\s]+@[^@\s]+", sent.get("email", "")):
            wrong["user"] = "Incomplete client information"
        if not sent.get("subject"):
            wrong["20"] = "Issue Summary is a required field"
        if self.full:
            wrong = {"err": "You've reached the maximum open tickets allowed."}
        if wrong:
            raise No(500, "Unable to create new ticket :" + "\n".join(f"{name}\n{why}" for name, why in wrong.items()))
        number = str(291374 + len(self.tickets))
        body, kind = self._data(sent["message"], "iso-8859-1")
        assert kind == "text/plain"
        self.tickets[number] = {**sent, "body": body.decode(), "files": files}
        if self.stray:
            raise No(500, "Unable to create new ticket :unknown error")
        return said(201, number)

    def _files(self, sent: list[dict[str, str]]) -> list[tuple[str, bytes]]:
        kept: dict[bytes, str] = {}
        for one in sent:
            ((name, data),) = one.items()
            content, _ = self._data(data, "")
            if not content:
                self.notes.append(f"{name}: Unable to save file")
            elif len(content) > MAX_FILE_BYTES:
                self.notes.append(f"{name}: File size is too large")
            else:
                kept[content] = name  # one file of the same content, with the last name
        return [(name, content) for content, name in kept.items()]

    @staticmethod
    def _data(text: str, charset: str) -> tuple[bytes, str]:
        """As it reads RFC 2397: nothing is unescaped, and only a single parameter is understood."""
        if not text.startswith("data:"):
            return text.encode(), "text/plain"
        meta, _, content = text.removeprefix("data:").partition(",")
        kind, _, parameter = meta.partition(";")
        data = content.encode()
        if parameter.split("=")[0] == "base64":
            data = base64.b64decode(content, validate=True)
        elif parameter.startswith("charset="):
            charset = parameter.partition("=")[2]
        return (data.decode(charset).encode() if charset else data), kind or "text/plain"
