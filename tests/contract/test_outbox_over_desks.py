"""Whichever request to whichever desk breaks, before or after it was carried out: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from client.desks.base import Desk
from client.model import OutboxEntry, SendState
from client.outbox.delivery import Delivery
from client.outbox.store import Outbox
from tests.contract.desk_contract import FILES, payload
from tests.contract.test_email_desk import EmailBench
from tests.contract.test_freshservice_desk import FreshserviceBench
from tests.contract.test_glpi_desk import GlpiBench
from tests.contract.test_jira_desk import JiraBench
from tests.contract.test_request_tracker_desk import RequestTrackerBench
from tests.contract.test_roundup_desk import RoundupBench
from tests.contract.test_service_desk_plus_desk import ServiceDeskPlusBench
from tests.contract.test_servicenow_desk import ServiceNowBench
from tests.contract.test_webhook_desk import WebhookBench
from tests.contract.test_zammad_desk import ZammadBench
from tests.contract.test_zendesk_desk import ZendeskBench
from tests.servers.breaking_line import BreakingLine
from tests.servers.fake_freshservice import FakeFreshservice
from tests.servers.fake_glpi import FakeGlpi
from tests.servers.fake_jira import FakeJira
from tests.servers.fake_service_desk_plus import FakeServiceDeskPlus
from tests.servers.fake_servicenow import FakeServiceNow
from tests.servers.fake_zammad import FakeZammad
from tests.servers.fake_zendesk import FakeZendesk
from tests.servers.mailbox import Mailbox
from tests.servers.small_server import SmallServer
from tests.servers.webhook_receiver import WebhookReceiver

Scene = Callable[[pytest.FixtureRequest], AbstractContextManager[tuple[SmallServer, Any]]]


def a_fake(make_server: Callable[[], SmallServer], make_bench: Callable[[Any], Any]) -> Scene:
    @contextmanager
    def scene(_: pytest.FixtureRequest) -> Iterator[tuple[SmallServer, Any]]:
        with make_server() as server:
            yield server, make_bench(server)

    return scene


def a_real(fixture: str, make_bench: Callable[..., Any]) -> Scene:
    """The real help desk, behind a line that can be broken."""

    @contextmanager
    def scene(request: pytest.FixtureRequest) -> Iterator[tuple[SmallServer, Any]]:
        server = request.getfixturevalue(fixture)
        parts = urlsplit(server.url)
        with BreakingLine(f"{parts.scheme}://{parts.netloc}") as line:
            yield line, make_bench(server, way=line.url)

    return scene


REAL = {"request_tracker", "roundup"}
TICKETS_ONLY = {"webhook": a_fake(WebhookReceiver, WebhookBench)}
CONVERSATIONS = {
    "freshservice": a_fake(FakeFreshservice, FreshserviceBench),
    "glpi": a_fake(FakeGlpi, GlpiBench),
    "jira": a_fake(FakeJira, JiraBench),
    "request_tracker": a_real("request_tracker", RequestTrackerBench),
    "service_desk_plus": a_fake(FakeServiceDeskPlus, ServiceDeskPlusBench),
    "roundup": a_real("roundup", RoundupBench),
    "servicenow": a_fake(FakeServiceNow, ServiceNowBench),
    "zammad": a_fake(FakeZammad, ZammadBench),
    "zendesk": a_fake(FakeZendesk, ZendeskBench),
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


def over(scenes: dict[str, Scene]) -> pytest.MarkDecorator:
    """Each desk, with requests that break after and before they were carried out."""
    cases = [
        pytest.param(scene, done, id=f"{name}-{'after' if done else 'before'}")
        for name, scene in scenes.items()
        for done in (True, False)
        if done or name not in REAL  # they take seconds, and what never arrived is no other than at a fake
    ]
    return pytest.mark.parametrize(("scene", "done"), cases)


@over(CONVERSATIONS | TICKETS_ONLY)
def test_whichever_request_breaks_one_ticket_arrives_with_each_file_once(
    post: Callable[[Any], Post], request: pytest.FixtureRequest, scene: Scene, *, done: bool
) -> None:
    for number in itertools.count(1):
        with scene(request) as (server, bench):
            one = post(bench)
            server.breaks = {number: done}
            sent = payload(*SENT)
            one.outbox.add(sent)
            entry = one.run_until_done()
            assert entry.state is SendState.SENT, f"request {number}: {entry.last_error}"
            assert bench.count(sent.key) == 1, f"request {number}"
            assert entry.ticket is not None
            kept = () if bench.desk.capabilities.attach == "none" else SENT
            assert sorted(bench.seen(entry.ticket.id).files) == sorted((file.name, file.data) for file in kept)
            if len(server.asked) <= number + (not done):
                return  # nothing came after it, but for its repetition: every request has been broken once
            assert number < MOST


@over(CONVERSATIONS)
def test_whichever_request_breaks_one_reply_arrives(
    post: Callable[[Any], Post], request: pytest.FixtureRequest, scene: Scene, *, done: bool
) -> None:
    for number in itertools.count(1):
        with scene(request) as (server, bench):
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
            if len(server.asked) <= before + number + (not done):
                return
            assert number < MOST


@pytest.mark.parametrize("stage", ["EHLO", "AUTH", "MAIL", "RCPT"])
def test_a_message_whose_line_breaks_before_it_was_given_is_sent_again(
    post: Callable[[Any], Post], mailbox: Mailbox, stage: str
) -> None:
    mailbox.breaks_at = stage
    one, sent = post(EmailBench(mailbox)), payload(*SENT)
    one.outbox.add(sent)
    entry = one.run_until_done()
    assert (entry.state, entry.attempts) == (SendState.SENT, 2)
    assert EmailBench(mailbox).count(sent.key) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_message_whose_line_breaks_after_it_was_given_is_left_to_the_employee(
    post: Callable[[Any], Post], mailbox: Mailbox, *, kept: bool
) -> None:
    mailbox.breaks_at = "kept" if kept else "lost"
    bench = EmailBench(mailbox)
    one, sent = post(bench), payload(*SENT)
    one.outbox.add(sent)
    entry = one.run_until_done()
    assert entry.state is SendState.UNSURE
    assert "may have arrived" in entry.last_error
    assert bench.count(sent.key) == int(kept), "nothing is sent again unasked"
    if not kept:
        one.outbox.retry(entry.id)
        assert one.run_until_done().state is SendState.SENT
        assert bench.count(sent.key) == 1
