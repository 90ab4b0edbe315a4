"""What every adapter must keep when the server lies or breaks. A test of an adapter subclasses `LyingContract`:

    class TestMyDeskAmongLies(LyingContract):
        def desk_at(self, url: str, secret: str) -> Desk:
            return open_desk(...)

It asks for no particular error where adapters may differ (one uploads first, another asks for a list): it asks that every lie
ends in a `DeskFault` with a sentence, that nothing is claimed, repeated or carried to another host, and that the secret stays one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from client.desks import http
from client.desks.base import Desk
from client.errors import DeskFault, DeskUnreachable
from client.model import Attachment, Created, Payload
from tests import faulty_server as lies
from tests.faulty_server import FaultyServer

SECRET = "s3cr3t-that-stays-one"
SENT = Payload(
    key="0b8a2c1e-6c1d-4b7e-9f59-52c1d2a4e7aa",
    subject="It does not work",
    body="Nothing works",
    attachments=(Attachment(name="a.txt", media_type="text/plain", data=b"x" * 200_000),),
)
LIES = {
    "500": lies.status(500),
    "502 as a web page": lies.raw(502, b"<html>Bad gateway</html>", Content_Type="text/html"),
    "503 with a time": lies.status(503, Retry_After="5"),
    "429 with a date": lies.status(429, Retry_After="Sat, 31 Jan 2026 09:02:00 GMT"),
    "401": lies.problem(401, f"{SECRET} is wrong"),
    "403": lies.problem(403, f"<b>{SECRET}</b> may not"),
    "404": lies.problem(404, "No such thing"),
    "409": lies.problem(409, "Taken"),
    "413": lies.problem(413, "Too much"),
    "422": lies.problem(422, "A queue is missing" * 100),
    "a reset after reading": lies.reset_after_reading(),
    "a reset while reading": lies.reset_while_reading(),
    "an end without an answer": lies.close_after_reading(),
    "half an answer": lies.break_in_answer(),
    "no HTTP": lies.not_http(),
    "an endless body": lies.endless_body(),
    "a gzip bomb": lies.gzip_bomb(),
    "a gzip bomb as 201": lies.gzip_bomb(201),
    "a sign-in page": lies.login_page(),
    "a sign-in page as 201": lies.login_page(201),
    "an empty 200": lies.status(200),
    "an empty 201": lies.status(201),
    "a list for an object": lies.json_answer(200, []),
    "null": lies.json_answer(201, None),
    "deep JSON": lies.raw(200, b'{"a":' * 100_000, Content_Type="application/json"),
    "304 unasked": lies.status(304),
}


class LyingContract:
    """See the module's text. `ticket_id` is one that the desk could have."""

    ticket_id = "7"

    def desk_at(self, url: str, secret: str) -> Desk:
        """The adapter for a desk at this address."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Iterator[FaultyServer]:
        with FaultyServer() as server:
            yield server

    def fault(self, url: str, ask: Callable[[Desk], Coroutine[Any, Any, Any]]) -> DeskFault:
        async def whole() -> None:
            desk = self.desk_at(url, SECRET)
            try:
                await ask(desk)
            finally:
                await desk.close()

        with pytest.raises(DeskFault) as caught:
            asyncio.run(whole())
        fault = caught.value
        shown = f"{fault!r} {fault.message} {fault.hint} {getattr(fault, 'words', '')}"
        assert fault.message
        assert fault.hint
        assert SECRET not in shown
        assert "Traceback" not in shown
        assert len(shown) < 2500
        return fault

    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
    def test_no_lie_makes_a_ticket(self, server: FaultyServer, lie: lies.Act) -> None:
        server.script(lie)
        self.fault(server.url, lambda desk: desk.create(SENT))
        assert server.connections == 1, "an adapter repeats nothing"

    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
    def test_no_lie_proves_a_sign_in(self, server: FaultyServer, lie: lies.Act) -> None:
        server.script(lie)
        self.fault(server.url, lambda desk: desk.whoami())

    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
    def test_no_lie_passes_for_a_reply_or_a_list(self, server: FaultyServer, lie: lies.Act) -> None:
        server.script(lie)
        self.fault(server.url, lambda desk: desk.comment(self.ticket_id, SENT))
        self.fault(server.url, lambda desk: desk.tickets())
        self.fault(server.url, lambda desk: desk.conversation(self.ticket_id))

    @pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
    def test_no_lie_says_that_a_ticket_is_not_there(self, server: FaultyServer, lie: lies.Act) -> None:
        server.script(lie)
        self.fault(server.url, lambda desk: desk.find(SENT.key))

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_nothing_is_carried_to_another_host(self, server: FaultyServer, code: int) -> None:
        with FaultyServer() as thief:
            server.script(lies.redirect(f"{thief.url}/somewhere", code))
            self.fault(server.url, lambda desk: desk.create(SENT))
            self.fault(server.url, lambda desk: desk.whoami())
            assert thief.connections == 0

    def test_where_nobody_listens_nothing_was_received(self) -> None:
        with FaultyServer() as server:
            url = server.url
        assert type(self.fault(url, lambda desk: desk.create(SENT))) is DeskUnreachable

    @pytest.mark.parametrize(
        "lie", [lies.silence(), lies.slow_drip(), lies.slow_head()], ids=["silence", "drip", "head"]
    )
    def test_nothing_is_waited_for_without_end(
        self, server: FaultyServer, lie: lies.Act, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "READ_S", 0.2)
        monkeypatch.setattr(http, "ANSWER_S", 0.5)
        monkeypatch.setattr(http, "SLOWEST_BYTES_PER_S", 10**9)
        server.script(lie)
        self.fault(server.url, lambda desk: desk.create(SENT))

    def test_a_ticket_that_is_being_sent_can_be_called_off(self, server: FaultyServer) -> None:
        server.script(lies.silence())

        async def call_off() -> Created:
            desk = self.desk_at(server.url, SECRET)
            sending = asyncio.create_task(desk.create(SENT))
            await asyncio.to_thread(server.wait_for, 1)
            sending.cancel()
            try:
                return await sending
            finally:
                await desk.close()

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(call_off())
