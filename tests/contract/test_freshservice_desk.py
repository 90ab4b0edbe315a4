"""Freshservice's adapter against a strict fake that speaks the documented shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import CannotDo, Desk
from client.desks.looking import LOOKS
from client.desks.texts import text_of, without_ref
from client.errors import DeskRefused, SettingsFault, TooBusy, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_freshservice import LONG_AGO, FakeFreshservice
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=deskside_cause", "device=deskside_device")


def opened(
    url: str, secret: str | None, *, queue: str = "", fields: tuple[str, ...] = FIELDS, personal_key: bool = True
) -> Desk:
    settings = SimpleNamespace(kind="freshservice", url=url, queue=queue, fields=fields, personal_key=personal_key)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class FreshserviceBench:
    server: FakeFreshservice
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with("key-robin-0123456789")

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with("key-kim-0123456789")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.server.tickets[int(ticket_id)]
        said = [one for one in self.server.messages if one["ticket"] == int(ticket_id)]
        body = text_of(ticket["description"])
        assert "Deskside ref: " in body.splitlines()[-1]
        return Seen(
            subject=ticket["subject"],
            body=without_ref(body),
            files=tuple(file for one in (ticket, *said) for file in one["files"]),
            fields=ticket["custom_fields"],
            texts="\n".join(text_of(one["body"]) for one in said),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(int(ticket_id), text, public=public)

    def count(self, key: str) -> int:
        return sum(key in one["description"] for one in self.server.tickets.values())


@pytest.fixture
def server() -> Iterator[FakeFreshservice]:
    with FakeFreshservice() as server:
        yield server


class TestFreshserviceDesk(DeskContract):
    @pytest.fixture
    def bench(self, server: FakeFreshservice) -> Bench:
        return FreshserviceBench(server)

    def test_a_reply_comes_from_the_employee_and_not_from_the_desk(
        self, bench: Bench, server: FakeFreshservice
    ) -> None:
        made = self.create(bench, payload())
        self.run(bench.desk.comment(made.id, payload(body="It works again")))
        note = server.messages[-1]
        assert (note["user_id"], note["incoming"], note["private"]) == (21, True, False)

    def test_the_severity_is_the_priority_and_the_group_the_queue(self, server: FakeFreshservice) -> None:
        desk = opened(server.url, "key-robin-0123456789", queue="77")
        made = self.run(desk.create(payload()))
        self.run(desk.close())
        ticket = server.tickets[int(made.id)]
        assert (ticket["priority"], ticket["group_id"], ticket["requester_id"]) == (3, 77, 21)

    def test_old_tickets_are_listed_too(self, bench: Bench, server: FakeFreshservice) -> None:
        made = self.create(bench, payload())
        server.tickets[int(made.id)] |= {"created_at": LONG_AGO, "status": 5}
        ticket = self.run(bench.desk.tickets())[0]
        assert (ticket.id, ticket.status, ticket.is_open) == (made.id, "Closed", False)

    def test_more_than_a_page_is_read(self, bench: Bench, server: FakeFreshservice) -> None:
        made = [self.create(bench, payload()).id for _ in range(101)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]
        for number in range(31):
            server.agent_says(1, f"Answer {number}", public=True)
        assert self.run(bench.desk.conversation("1")).comments[-1].text == "Answer 30"

    def test_a_ticket_is_found_behind_many_newer_ones(self, bench: Bench) -> None:
        sent = payload()
        made = self.create(bench, sent)
        for _ in range(25):
            self.create(bench, payload())
        assert self.run(bench.desk.find(sent.key)).id == made.id

    def test_among_too_many_tickets_no_is_not_said(self, bench: Bench, server: FakeFreshservice) -> None:
        for _ in range(LOOKS + 1):
            self.create(bench, payload())
        with pytest.raises(CannotDo):
            self.run(bench.desk.find(payload().key))
        for ticket in list(server.tickets.values())[:10]:
            ticket["created_at"] = LONG_AGO
        assert self.run(bench.desk.find(payload().key)) is None, "those can be no unfinished message's"

    def test_a_field_that_is_not_there_is_named(self, server: FakeFreshservice) -> None:
        desk = opened(server.url, "key-robin-0123456789", fields=("cause=other",))
        with pytest.raises(DeskRefused, match=r"custom_fields\[other\]: Unexpected/invalid field"):
            self.run(desk.create(payload()))
        self.run(desk.close())

    def test_a_limit_of_the_account_says_how_long_to_wait(self, bench: Bench, server: FakeFreshservice) -> None:
        server.next_replies = [Reply(429, {"message": "You have exceeded the limit"}, {"Retry-After": "44"})]
        with pytest.raises(TooBusy) as caught:
            self.create(bench, payload())
        assert caught.value.retry_after_s == 44

    def test_what_is_too_large_together_names_the_largest(self, bench: Bench, server: FakeFreshservice) -> None:
        me = Reply(200, {"agent": {"id": 21, "email": "robin@example.com"}})
        server.next_replies = [me, Reply(413, {"description": "Too large"})]
        with pytest.raises(TooLarge) as caught:
            self.create(bench, payload(*FILES))
        assert caught.value.name == FILES[3].name
        assert not server.tickets


def test_a_key_that_is_not_said_to_be_personal_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsFault, match="whole help desk") as caught:
        opened("https://help.example.com", "key", personal_key=False)
    assert "employee API" in caught.value.hint
    assert "desk.personal_key" in caught.value.problems[0]


def test_a_group_is_a_number() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened("https://help.example.com", "key", queue="IT")


class TestFreshserviceDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, secret)
