"""Request Tracker's adapter against a real Request Tracker 5."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import Desk
from client.desks.texts import without_ref
from client.errors import DeskRefused, SettingsFault
from client.model import Attachment
from tests.contract.desk_contract import Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.request_tracker import RequestTracker

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=Deskside Cause", "device=Deskside Device")


def opened(url: str, secret: str | None, *, queue: str = "General", fields: tuple[str, ...] = FIELDS) -> Desk:
    settings = SimpleNamespace(kind="request_tracker", url=url, queue=queue, fields=fields)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class RequestTrackerBench:
    server: RequestTracker
    refused_file: Attachment | None = None
    way: str = ""  # another address that leads there

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(self.server.tokens["robin"])

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(self.server.tokens["kim"])

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.way or self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.server.as_root("GET", f"/ticket/{ticket_id}").json()
        said = self._items(f"/ticket/{ticket_id}/history", "Type,Creator")
        kinds = {one["id"]: one["Type"] for one in said}
        first, texts, files = [], [], []
        for part in self._items(f"/ticket/{ticket_id}/attachments", "Filename,ContentType,TransactionId"):
            kind = kinds.get(part["TransactionId"])
            if kind not in {"Create", "Correspond", "Comment"} or part["ContentType"].startswith("multipart/"):
                continue
            content = self.server.as_root("GET", f"/attachment/{part['id']}").json().get("Content") or ""
            data = base64.b64decode(content)
            if part["Filename"]:
                files.append((part["Filename"], data))
            else:
                (first if kind == "Create" else texts).append(data.decode())
        return Seen(
            subject=ticket["Subject"],
            body=without_ref(first[0]),
            files=tuple(files),
            fields={one["name"]: one["values"][0] for one in ticket["CustomFields"] if one["values"]},
            texts="\n".join(texts),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        how = "correspond" if public else "comment"
        sent = {"Content": text, "ContentType": "text/plain"}
        self.server.as_root("POST", f"/ticket/{ticket_id}/{how}", json=sent)

    def count(self, key: str) -> int:
        query = {"query": f"'CF.{{Deskside Ref}}' = '{key}'"}
        return int(self.server.as_root("GET", "/tickets", params=query).json()["total"])

    def _items(self, path: str, fields: str) -> list[dict[str, str]]:
        found = self.server.as_root("GET", path, params={"fields": fields, "per_page": "100"}).json()["items"]
        return sorted(found, key=lambda one: int(one["id"]))


class TestRequestTrackerDesk(DeskContract):
    @pytest.fixture
    def bench(self, request_tracker: RequestTracker) -> Bench:
        return RequestTrackerBench(request_tracker)

    def test_tickets_of_other_keys_are_not_opened(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        made, opened_ones = self.create(bench, payload()).id, []

        async def files(number: str) -> list:
            opened_ones.append(number)
            return []

        monkeypatch.setattr(bench.desk, "_files", files)
        assert self.run(bench.desk.find(payload().key)) is None
        assert made not in opened_ones

    def test_a_ticket_without_the_custom_field_is_found_by_its_text(
        self, bench: Bench, request_tracker: RequestTracker
    ) -> None:
        sent = payload()
        made = self.create(bench, sent)
        cleared = {"CustomFields": {"Deskside Ref": ""}}
        request_tracker.as_root("PUT", f"/ticket/{made.id}", json=cleared)
        assert bench.count(sent.key) == 0
        assert self.run(bench.desk.find(sent.key)).id == made.id

    def test_a_resolved_ticket_is_not_open(self, bench: Bench, request_tracker: RequestTracker) -> None:
        made = self.create(bench, payload())
        request_tracker.as_root("PUT", f"/ticket/{made.id}", json={"Status": "resolved"})
        ticket = next(one for one in self.run(bench.desk.tickets()) if one.id == made.id)
        assert (ticket.status, ticket.is_open) == ("resolved", False)

    def test_an_unknown_queue_is_refused(self, request_tracker: RequestTracker) -> None:
        desk = opened(request_tracker.url, request_tracker.tokens["robin"], queue="Nobody")
        with pytest.raises(DeskRefused):
            self.run(desk.create(payload()))
        self.run(desk.close())

    def test_a_key_that_is_a_query_finds_nothing(self, bench: Bench) -> None:
        self.create(bench, payload())
        assert self.run(bench.desk.find("x' OR id > '0")) is None


def test_without_a_queue_it_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened("https://help.example.com", "t", queue="")


class TestRequestTrackerDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, secret)
