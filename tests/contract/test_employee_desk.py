"""The employee API's adapter against the real embedded help desk."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.demo.agent import AgentSeat
from client.demo.launch import DemoDesk
from client.desks import open_desk
from client.desks.base import Desk
from client.model import Attachment
from tests.contract.desk_contract import Bench, DeskContract, Seen
from tests.contract.lying_contract import LyingContract

NETWORK = SimpleNamespace(proxy="system", no_proxy=(), ca_file="")


@dataclass
class DemoBench:
    server: DemoDesk
    seat: AgentSeat
    refused_file: Attachment | None = field(
        default=Attachment(name="setup.exe", media_type="application/octet-stream", data=b"MZ")
    )

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(self.server.token)

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(self.server.colleague_token)

    def desk_with(self, secret: str | None) -> Desk:
        return open_desk(
            SimpleNamespace(kind="demo", url=self.server.url), network=NETWORK, secret=secret, version="0.1.0"
        )

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.seat.ticket(ticket_id)
        return Seen(
            subject=ticket.title,
            body=ticket.body,
            files=tuple((one.name, one.data) for one in ticket.attachments),
            fields=ticket.fields,
            texts=ticket.text,
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.seat.reply(ticket_id, text, public=public)

    def count(self, key: str) -> int:
        return len(self.seat.tickets(key=key))


@pytest.fixture(scope="session")
def seat(demo_desk: DemoDesk):
    with demo_desk.agent() as seat:
        yield seat


class TestEmployeeDesk(DeskContract):
    @pytest.fixture
    def bench(self, demo_desk: DemoDesk, seat: AgentSeat) -> Bench:
        return DemoBench(demo_desk, seat)


class TestEmployeeDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return open_desk(SimpleNamespace(kind="employee", url=url), network=NETWORK, secret=secret, version="0.1.0")
