"""osTicket's adapter against a fake that behaves as osTicket 1.18 was seen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import Desk
from client.desks.texts import without_ref
from client.errors import DeskRefused, OutcomeUnknown, SettingsFault, SignInNeeded
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_osticket import HTML, FakeOsTicket
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=deskside_cause", "device=deskside_device")
ROBIN = "robin@example.com:KEY0123456789AAAA"


def opened(
    url: str, secret: str | None, *, topic: str = "", fields: tuple[str, ...] = FIELDS, personal_key: bool = True
) -> Desk:
    settings = SimpleNamespace(kind="osticket", url=url, request_type=topic, fields=fields, personal_key=personal_key)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class OsTicketBench:
    server: FakeOsTicket
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(ROBIN)

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with("kim@example.com:KEY0123456789BBBB")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.server.tickets[ticket_id]
        assert "Deskside ref: " in ticket["body"].splitlines()[-1]
        return Seen(
            subject=ticket["subject"],
            body=without_ref(ticket["body"]),
            files=tuple(ticket["files"]),
            fields={name: value for name, value in ticket.items() if name.startswith("deskside_")},
            texts="",
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        raise AssertionError(f"nobody asks osTicket for answers: {ticket_id}, {text}, {public}")

    def count(self, key: str) -> int:
        return sum(key in one["body"] for one in self.server.tickets.values())


@pytest.fixture
def server() -> Iterator[FakeOsTicket]:
    with FakeOsTicket() as server:
        yield server


class TestOsTicketDesk(DeskContract):
    @pytest.fixture
    def bench(self, server: FakeOsTicket) -> Bench:
        return OsTicketBench(server)

    def test_the_agent_gets_every_file_byte_for_byte(self, bench: Bench) -> None:
        sent = payload(*(one for one in FILES if one.data))
        made = self.create(bench, sent)
        assert bench.seen(made.id).files == tuple((one.name, one.data) for one in sent.attachments)
        assert made.attached == tuple(one.name for one in sent.attachments)

    def test_what_osticket_drops_is_not_told_as_attached(self, bench: Bench, server: FakeOsTicket) -> None:
        twice = [Attachment(name=f"{name}.txt", media_type="text/plain; charset=utf-8", data=b"x") for name in "ab"]
        made = self.create(bench, payload(*twice, FILES[4]))
        assert made.attached == ("a.txt",)
        assert bench.seen(made.id).files == (("a.txt", b"x"),)
        assert server.notes == []

    def test_the_ticket_is_the_employees_and_has_a_topic(self, server: FakeOsTicket) -> None:
        desk = opened(server.url, ROBIN, topic="12")
        made = self.run(desk.create(payload(subject="Line one\nline two")))
        self.run(desk.close())
        ticket = server.tickets[made.id]
        assert (ticket["email"], ticket["name"], ticket["topicId"]) == ("robin@example.com", "robin", "12")
        assert ticket["subject"] == "Line one line two"

    def test_a_field_that_is_missing_is_a_refusal_in_its_words(self, bench: Bench, server: FakeOsTicket) -> None:
        with pytest.raises(DeskRefused, match="Issue Summary is a required field") as caught:
            self.create(bench, payload(subject=""))
        assert type(caught.value) is DeskRefused
        server.full = True
        with pytest.raises(DeskRefused, match="maximum open tickets"):
            self.create(bench, payload())
        assert not server.tickets

    def test_a_fault_after_the_ticket_was_made_is_no_refusal(self, bench: Bench, server: FakeOsTicket) -> None:
        server.stray = True
        with pytest.raises(OutcomeUnknown):
            self.create(bench, payload())

    def test_a_key_of_another_address_says_so(self, server: FakeOsTicket) -> None:
        desk = opened(server.url, "robin@example.com:KEY0123456789CCCC")
        with pytest.raises(SignInNeeded, match="network address") as caught:
            self.run(desk.whoami())
        self.run(desk.close())
        assert "one address only" in caught.value.hint

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(400, b"<html><center>400 Bad Request</center></html>", HTML),
            Reply(400, {"error": "bad"}),
            Reply(201, b"291374", HTML),
        ],
    )
    def test_another_servers_answer_proves_no_key(self, bench: Bench, server: FakeOsTicket, reply: Reply) -> None:
        server.next_replies = [reply]
        with pytest.raises(DeskRefused):
            self.run(bench.desk.whoami())

    @pytest.mark.parametrize("number", [b"", b"ok", b"12 34", b"<b>291374</b>", b"1" * 40, b"291374\n2"])
    def test_only_a_ticket_number_is_one(self, bench: Bench, server: FakeOsTicket, number: bytes) -> None:
        server.next_replies = [Reply(201, number, HTML)]
        with pytest.raises(OutcomeUnknown):
            self.create(bench, payload())


def test_a_key_that_is_not_said_to_be_personal_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsFault, match="everybody's name") as caught:
        opened("https://help.example.com", ROBIN, personal_key=False)
    assert "employee API" in caught.value.hint
    assert "desk.personal_key" in caught.value.problems[0]


def test_a_topic_is_a_number_and_a_field_a_rule() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.request_type"):
        opened("https://help.example.com", ROBIN, topic="IT")
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", ROBIN, fields=("colour=x",))


class TestOsTicketDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, f"robin@example.com:{secret}")
