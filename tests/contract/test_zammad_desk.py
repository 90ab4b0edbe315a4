"""Zammad's adapter against a strict fake that speaks the documented shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks import zammad as adapter
from client.desks.base import CannotDo, Desk
from client.desks.texts import without_ref
from client.errors import DeskRefused, SettingsFault
from client.model import Attachment
from tests.contract.desk_contract import Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_zammad import FakeZammad

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=deskside_cause", "device=deskside_device")


def opened(url: str, secret: str | None, *, queue: str = "IT", fields: tuple[str, ...] = FIELDS) -> Desk:
    settings = SimpleNamespace(kind="zammad", url=url, queue=queue, fields=fields)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class ZammadBench:
    server: FakeZammad
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with("token-robin")

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with("token-kim")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.server.tickets[int(ticket_id)]
        first, *rest = [one for one in self.server.articles if one["ticket_id"] == int(ticket_id)]
        assert "Deskside ref: " in first["body"].splitlines()[-1]
        return Seen(
            subject=ticket["title"],
            body=without_ref(first["body"]),
            files=tuple(file for one in (first, *rest) for file in one["files"]),
            fields={key: value for key, value in ticket.items() if key.startswith("deskside_")},
            texts="\n".join(one["body"] for one in rest),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(int(ticket_id), text, public=public)

    def count(self, key: str) -> int:
        return sum(key in one["body"] for one in self.server.articles)


@pytest.fixture
def zammad() -> Iterator[FakeZammad]:
    with FakeZammad() as server:
        yield server


class TestZammadDesk(DeskContract):
    @pytest.fixture
    def bench(self, zammad: FakeZammad) -> Bench:
        return ZammadBench(zammad)

    def test_a_ticket_that_the_search_does_not_know_yet_is_found(self, bench: Bench, zammad: FakeZammad) -> None:
        zammad.index_lags = True
        sent = payload(subject="Sent, and the line broke")
        made = self.create(bench, sent)
        assert self.run(bench.desk.find(sent.key)).id == made.id

    def test_where_not_every_ticket_can_be_looked_through_it_does_not_say_no(
        self, bench: Bench, zammad: FakeZammad, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(adapter, "MAX_PAGES", 1)
        monkeypatch.setattr(adapter, "PAGE", 2)
        zammad.index_lags = True
        sent = [payload() for _ in range(3)]
        made = [self.create(bench, one) for one in sent]
        assert self.run(bench.desk.find(sent[0].key)).id == made[0].id
        with pytest.raises(CannotDo):
            self.run(bench.desk.find(sent[2].key))

    def test_tickets_of_the_organisation_are_not_mine(self, bench: Bench, zammad: FakeZammad) -> None:
        zammad.colleagues_share = True
        sent = payload()
        made = self.create(bench, sent)
        assert self.run(bench.colleague.find(sent.key)) is None
        assert made.id not in [one.id for one in self.run(bench.colleague.tickets())]

    def test_a_closed_ticket_is_not_open(self, bench: Bench, zammad: FakeZammad) -> None:
        made = self.create(bench, payload())
        zammad.close_ticket(int(made.id))
        ticket = self.run(bench.desk.tickets())[0]
        assert (ticket.status, ticket.is_open) == ("closed", False)

    def test_an_answer_in_html_is_told_as_text(self, bench: Bench, zammad: FakeZammad) -> None:
        made = self.create(bench, payload())
        zammad.agent_says_html(int(made.id), "<p>Is it <b>in</b>?</p><p>Look.</p><script>x</script>")
        assert self.run(bench.desk.conversation(made.id)).comments[-1].text == "Is it in?\n\nLook."

    def test_more_than_a_page_of_tickets_is_listed(self, bench: Bench) -> None:
        made = [self.create(bench, payload()).id for _ in range(101)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]

    def test_a_group_that_is_not_there_is_said_in_the_desks_words(self, zammad: FakeZammad) -> None:
        async def create() -> None:
            desk = opened(zammad.url, "token-robin", queue="Nobody")
            try:
                await desk.create(payload())
            finally:
                await desk.close()

        with pytest.raises(DeskRefused, match="This group is unknown"):
            asyncio.run(create())


def test_without_a_group_it_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened("https://help.example.com", "t", queue="")
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", "t", fields=("colour=x",))


class TestZammadDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, secret)
