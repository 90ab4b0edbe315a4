"""Whichever request to whichever desk breaks, before or after it was carried out: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client.desks.base import Desk
from client.model import OutboxEntry, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox
from tests.contract.desk_contract import FILES, payload
from tests.contract.test_freshservice_desk import FreshserviceBench
from tests.contract.test_jira_desk import JiraBench
from tests.contract.test_zammad_desk import ZammadBench
from tests.contract.test_zendesk_desk import ZendeskBench
from tests.servers.fake_freshservice import FakeFreshservice
from tests.servers.fake_jira import FakeJira
from tests.servers.fake_zammad import FakeZammad
from tests.servers.fake_zendesk import FakeZendesk
from tests.servers.small_server import SmallServer

DESKS: dict[str, tuple[Callable[[], SmallServer], Callable[[Any], Any]]] = {
    "freshservice": (FakeFreshservice, FreshserviceBench),
    "jira": (FakeJira, JiraBench),
    "zammad": (FakeZammad, ZammadBench),
    "zendesk": (FakeZendesk, ZendeskBench),
}
SENT = FILES[:2]
MOST = 40  # requests that one ticket takes at most


class Post:
    """An outbox that delivers to a desk; time passes only between attempts."""

    def __init__(self, folder: Path, bench: Any) -> None:
        self.bench = bench
        self.now = 1_800_000_000.0
        self.outbox = Outbox(folder / "outbox.sqlite3", clock=lambda: self.now)

    def run_until_done(self) -> OutboxEntry:
        """Attempts until nothing waits any more; each in a loop of its own, as after a restart."""
        for _ in range(8):
            asyncio.run(self._attempt())
            self.now += 7200
            newest = max(self.outbox.entries(), key=lambda one: one.created_at)
            if newest.state not in {SendState.WAITING, SendState.CREATED}:
                return newest
        raise AssertionError(f"it waits without end: {newest.last_error}")

    async def _attempt(self) -> None:
        desk = self.bench.desk

        async def opened() -> Desk:
            return desk

        try:
            await Delivery(
                self.outbox, open_desk=opened, roll=lambda: 0.5, settle_s=0.0, clock=lambda: self.now
            ).run_due()
        finally:
            await desk.close()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Callable[[Any], Post]]:
    made: list[Post] = []

    def make(bench: Any) -> Post:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Post(folder, bench))
        return made[-1]

    yield make
    for one in made:
        one.outbox.close()


@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("name", DESKS)
def test_whichever_request_breaks_one_ticket_arrives_with_each_file_once(
    post: Callable[[Any], Post], name: str, *, done: bool
) -> None:
    make_server, make_bench = DESKS[name]
    for number in itertools.count(1):
        with make_server() as server:
            bench = make_bench(server)
            one = post(bench)
            server.breaks = {number: done}
            sent = payload(*SENT)
            one.outbox.add(sent)
            entry = one.run_until_done()
            assert entry.state is SendState.SENT, f"request {number}: {entry.last_error}"
            assert bench.count(sent.key) == 1, f"request {number}"
            assert entry.ticket is not None
            assert sorted(bench.seen(entry.ticket.id).files) == sorted((file.name, file.data) for file in SENT)
            if len(server.asked) < number:
                return  # every request of an undisturbed delivery has been broken once
            assert number < MOST


@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("name", DESKS)
def test_whichever_request_breaks_one_reply_arrives(post: Callable[[Any], Post], name: str, *, done: bool) -> None:
    make_server, make_bench = DESKS[name]
    for number in itertools.count(1):
        with make_server() as server:
            bench = make_bench(server)
            one = post(bench)
            one.outbox.add(payload())
            ticket = one.run_until_done().ticket
            assert ticket is not None
            before = len(server.asked)
            server.breaks = {before + number: done}
            one.outbox.add(payload(SENT[1], body="The cable is in"), reply_to=ticket.id)
            entry = one.run_until_done()
            assert entry.state is SendState.SENT, f"request {number}: {entry.last_error}"
            assert bench.seen(ticket.id).texts.count("The cable is in") == 1, f"request {number}"
            if len(server.asked) < before + number:
                return
            assert number < MOST
