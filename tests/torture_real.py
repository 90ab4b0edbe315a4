"""Real help desks of other people for `torture.py`: Request Tracker 5 and Roundup, and what their agents see in the end."""

from __future__ import annotations

import base64
import contextlib
import quopri
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from torture_desks import NETWORK, Found
from torture_way import way

from client.desks import open_desk
from client.desks.base import Desk
from tests.servers.request_tracker import RequestTracker
from tests.servers.roundup import Roundup

PARTS = (
    "SELECT a.Filename, a.ContentType, a.ContentEncoding, a.Content"
    " FROM Attachments a JOIN Transactions t ON a.TransactionId = t.id"
    " WHERE t.ObjectType = 'RT::Ticket' AND t.ObjectId = ? AND t.Type IN ('Create', 'Correspond') ORDER BY a.id"
)


class Real:
    """A real server behind a cable and bad weather."""

    undecided = False  # it is searched for keys: nothing may stay unsure
    life_s = 1.5  # these desks are slower than ours; a client should get somewhere before it is killed
    calm = 0.9  # and one message takes several requests
    waiting = 6

    def __init__(self, server: Any, *, seed: str, calm: float) -> None:
        self.server = server.__enter__()
        self._way = way(server.port, seed=seed, calm=calm)
        self.cable = self._way.__enter__()

    def open(self, _: str) -> Desk:
        """The desk as a client sees it."""
        return self._desk(f"http://127.0.0.1:{self.cable.port}")

    def open_calm(self) -> Desk:
        """The desk without weather and cable."""
        return self._desk(f"http://127.0.0.1:{self.server.port}")

    def kill(self) -> None:
        self.server.kill()

    def restart(self) -> None:
        self.server.restart()

    def close(self) -> None:
        self._way.__exit__(None, None, None)
        self.server.__exit__()

    def _desk(self, origin: str) -> Desk:
        raise NotImplementedError


class TrackerScene(Real):
    """Request Tracker, whose database is read: its agents see no more."""

    def __init__(self, folder: Path, *, seed: str, calm: float) -> None:
        folder.mkdir(parents=True)
        super().__init__(RequestTracker(folder), seed=seed, calm=calm)

    def _desk(self, origin: str) -> Desk:
        settings = SimpleNamespace(
            kind="request_tracker", url=origin, queue="General", fields=("cause=Deskside Cause",)
        )
        return open_desk(settings, network=NETWORK, secret=self.server.tokens["robin"], version="0")

    def found(self, _: dict[str, str]) -> Found:
        found = Found()
        with contextlib.closing(sqlite3.connect(self.server.folder / "rt.sqlite3")) as connection:
            tickets = connection.execute("SELECT id, Subject FROM Tickets WHERE Type = 'ticket'").fetchall()
            for number, subject in tickets:
                texts, files = [], []
                for name, kind, encoding, content in connection.execute(PARTS, (number,)):
                    data = _decoded(content, encoding)
                    if name:
                        files.append(b"" if data == b"\n" else data)  # as an empty one is sent
                    elif not kind.startswith("multipart/"):
                        texts.append(data.decode())
                found.add(subject, texts, files)
        return found


def _decoded(content: str | bytes | None, encoding: str | None) -> bytes:
    data = content.encode() if isinstance(content, str) else content or b""
    match encoding:
        case "base64":
            return base64.b64decode(data)
        case "quoted-printable":
            return quopri.decodestring(data)
    return data


class RoundupScene(Real):
    """Roundup, asked as its agents ask."""

    def __init__(self, folder: Path, *, seed: str, calm: float) -> None:
        del folder  # it has one of its own, which the user nobody may write to
        super().__init__(Roundup(), seed=seed, calm=calm)

    def _desk(self, origin: str) -> Desk:
        settings = SimpleNamespace(kind="roundup", url=origin + urlsplit(self.server.url).path, fields=("cause=cause",))
        return open_desk(settings, network=NETWORK, secret=self.server.secrets["robin"], version="0")

    def found(self, _: dict[str, str]) -> Found:
        found, ask = Found(), self.server.as_agent
        for one in ask("GET", "/issue", params={"@page_size": "100000"})["collection"]:
            issue = ask("GET", f"/issue/{one['id']}")["attributes"]
            messages = sorted(int(each["id"]) for each in issue["messages"])
            texts = [ask("GET", f"/msg/{each}", params={"@verbose": "3"})["attributes"]["content"] for each in messages]
            files = [self.server.ask_as_agent("GET", f"/file{each['id']}/content").content for each in issue["files"]]
            # It keeps no empty file, so one is sent with a line end in it.
            found.add(issue["title"], texts, [b"" if data == b"\n" else data for data in files])
        return found
