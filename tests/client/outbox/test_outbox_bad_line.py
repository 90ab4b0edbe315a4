"""The real adapter, a server that lies and breaks, and what the outbox says afterwards."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from client.desks.employee import EmployeeDesk
from client.model import OutboxEntry, Payload, SendState
from client.outbox.backoff import FIRST_CEILING_S
from client.outbox.delivery import Delivery

sys.path.insert(0, str(Path(__file__).parents[2]))  # the faulty server is shared with scripts that are no tests

from faulty_server import (
    FaultyServer,
    bare_number,
    break_in_answer,
    close_after_reading,
    created,
    json_answer,
    login_page,
    problem,
    raw,
    redirect,
    reset_after_reading,
    reset_while_reading,
    status,
)

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
EMPTY = json_answer(200, {"tickets": [], "next_before": None})


@pytest.fixture
def server():
    with FaultyServer() as one:
        yield one


@pytest.fixture
def send(outbox, server, clock) -> Callable[[], OutboxEntry]:
    """Sends what is due to the server; gives the one entry there is."""

    def go() -> OutboxEntry:
        async def work() -> None:
            desk = EmployeeDesk.open(server.url, network=NETWORK, secret="a-token-of-ours", version="0")

            async def open_desk() -> EmployeeDesk:
                return desk

            try:
                await Delivery(outbox, open_desk=open_desk, roll=lambda: 0.5, clock=clock).run_due()
            finally:
                await desk.close()

        asyncio.run(work())
        return outbox.entries()[0]

    return go


MAYBE = [
    status(500),
    status(502),
    login_page(),
    bare_number(),
    break_in_answer(),
    close_after_reading(),
    reset_after_reading(),
    json_answer(201, {"ticket": {"id": 7}}),
    raw(201, b"{}", Content_Type="application/json"),
]


@pytest.mark.parametrize("fault", MAYBE)
def test_whatever_came_instead_of_an_answer_the_same_key_goes_again(outbox, server, send, clock, fault):
    server.script(fault, created())
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    entry = send()
    assert entry.state is SendState.WAITING
    assert entry.last_error
    assert entry.ticket is None
    clock.now += 120
    entry = send()
    assert (entry.state, entry.ticket.id) == (SendState.SENT, "7")
    posts = [one for one in server.requests if one.method == "POST"]
    assert {one.headers["idempotency-key"] for one in posts} == {"a-key-of-ours"}


def test_a_line_that_breaks_while_the_ticket_is_on_its_way_is_no_loss(outbox, server, send, clock):
    server.script(reset_while_reading(10), created())
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b" * 500_000))
    assert send().state is SendState.WAITING
    clock.now += 120
    assert send().state is SendState.SENT


@pytest.mark.parametrize(("header", "least"), [("30", 30), ("0", 1)])
def test_a_busy_desk_is_left_alone_as_long_as_it_asks(outbox, server, send, clock, header, least):
    server.script(status(429, Retry_After=header), created())
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    assert send().state is SendState.WAITING
    wait = outbox.seconds_until_due()
    assert least <= wait <= least + FIRST_CEILING_S
    clock.now += wait - 0.5
    send()
    assert len(server.requests) == 1
    clock.now += 1
    assert send().state is SendState.SENT


def test_a_refused_token_asks_to_sign_in_and_everything_is_kept(outbox, server, send, clock):
    server.script(status(401), created())
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    entry = send()
    assert (entry.state, entry.attempts) == (SendState.WAITING, 0)
    assert "sign in" in entry.last_error.lower()
    outbox.resume()
    assert send().state is SendState.SENT


def test_a_refused_ticket_shows_the_desks_words(outbox, server, send):
    server.script(problem(400, "The subject is empty."))
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    entry = send()
    assert entry.state is SendState.REFUSED
    assert "The subject is empty." in entry.last_error


def test_a_redirect_elsewhere_is_never_a_success(outbox, server, send):
    server.script(redirect("http://127.0.0.1:9/elsewhere"))
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    entry = send()
    assert entry.state is not SendState.SENT
    assert entry.last_error


def test_a_desk_that_is_away_is_waited_for(outbox, server, send, clock):
    server.__exit__()
    outbox.add(Payload(key="a-key-of-ours", subject="s", body="b"))
    entry = send()
    assert entry.state is SendState.WAITING
    assert "kept on this computer" in entry.last_error
    assert outbox.seconds_until_due() > 0


def test_an_answer_without_the_files_is_not_believed(outbox, server, send):
    from client.model import Attachment

    server.script(created(), EMPTY)
    outbox.add(
        Payload(
            key="a-key-of-ours", subject="s", body="b", attachments=(Attachment(name="x", media_type="a/b", data=b"1"),)
        )
    )
    entry = send()
    assert entry.state is SendState.REFUSED
    assert "x is missing" in entry.last_error
