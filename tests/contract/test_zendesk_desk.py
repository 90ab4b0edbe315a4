"""Zendesk's adapter against a strict fake that speaks the documented shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk, zendesk
from client.desks.base import Desk
from client.desks.texts import without_ref
from client.errors import DeskRefused, OutcomeUnknown, SettingsFault, SignInNeeded, TooBusy, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_zendesk import FIELDS, FakeZendesk
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")


def opened(
    url: str,
    secret: str | None,
    *,
    request_type: str = "",
    fields: tuple[str, ...] = ("cause=360001", "device=360002", "tier=360003"),
) -> Desk:
    settings = SimpleNamespace(kind="zendesk", url=url, request_type=request_type, fields=fields)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class ZendeskBench:
    server: FakeZendesk
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with("oauth-robin")

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with("oauth-kim")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        request = self.server.requests[int(ticket_id)]
        first, *rest = [one for one in self.server.comments if one["request"] == int(ticket_id)]
        assert "Deskside ref: " in first["body"].splitlines()[-1]
        return Seen(
            subject=request["subject"],
            body=without_ref(first["body"]),
            files=tuple(file for one in (first, *rest) for file in one["files"]),
            fields={FIELDS[one["id"]]: one["value"] for one in request["custom_fields"]},
            texts="\n".join(one["body"] for one in rest),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(int(ticket_id), text, public=public)

    def finish(self, ticket_id: str) -> None:
        self.server.requests[int(ticket_id)]["status"] = "solved"

    def rated(self, ticket_id: str) -> tuple[bool, str]:
        rating = self.server.requests[int(ticket_id)]["satisfaction_rating"]
        return rating["score"] == "good", rating.get("comment", "")

    def count(self, key: str) -> int:
        return sum(key in one["body"] for one in self.server.comments)


@pytest.fixture
def server() -> Iterator[FakeZendesk]:
    with FakeZendesk() as server:
        yield server


class TestZendeskDesk(DeskContract):
    @pytest.fixture
    def bench(self, server: FakeZendesk) -> Bench:
        return ZendeskBench(server)

    def test_files_are_uploaded_again_when_their_tokens_have_expired(
        self, bench: Bench, server: FakeZendesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times = iter([0.0, 7200.0])  # the lid was closed in between

        def now() -> float:
            if len(server.uploads) == 1:
                server.now = 7200.0
            return next(times)

        monkeypatch.setattr(zendesk, "time", now)
        made = self.create(bench, payload(FILES[0]))
        assert bench.seen(made.id).files == ((FILES[0].name, FILES[0].data),)
        assert made.attached == (FILES[0].name,)
        assert [one.path for one in server.asked].count("/api/v2/uploads") == 2

    def test_a_file_that_was_dropped_in_silence_is_not_claimed(self, bench: Bench, server: FakeZendesk) -> None:
        server.loses = {FILES[1].name}
        made = self.create(bench, payload(FILES[0], FILES[1]))
        assert made.attached == (FILES[0].name,)

    def test_where_the_files_cannot_be_asked_for_nothing_is_claimed(self, bench: Bench, server: FakeZendesk) -> None:
        sent = payload(FILES[0])
        answers = server.answer
        server.answer = lambda asked: Reply(500) if asked.path.endswith("/comments") else answers(asked)  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown, match="which files"):
            self.create(bench, sent)
        server.answer = answers  # type: ignore[method-assign]
        assert self.run(bench.desk.find(sent.key)).attached == (FILES[0].name,)

    def test_a_key_that_was_used_with_other_uploads_means_that_the_ticket_is_there(
        self, bench: Bench, server: FakeZendesk
    ) -> None:
        server.knows_keys = True
        sent = payload(FILES[0])
        made = self.create(bench, sent)
        with pytest.raises(OutcomeUnknown, match="seen this ticket before"):
            self.create(bench, sent)
        assert self.run(bench.desk.find(sent.key)).id == made.id
        assert bench.count(sent.key) == 1

    def test_every_ticket_carries_its_key_as_a_header(self, bench: Bench, server: FakeZendesk) -> None:
        sent = payload()
        self.create(bench, sent)
        assert [one.headers.get("idempotency-key") for one in server.asked if one.method == "POST"] == [sent.key]

    @pytest.mark.parametrize("name", ["Retry-After", "ratelimit-reset"])
    def test_a_limit_of_the_account_says_how_long_to_wait(self, bench: Bench, server: FakeZendesk, name: str) -> None:
        server.next_replies = [Reply(429, {"error": "APIRateLimitExceeded"}, {name: "93"})]
        with pytest.raises(TooBusy) as caught:
            self.create(bench, payload())
        assert caught.value.retry_after_s == 93

    def test_an_upload_that_is_too_large_is_named(self, bench: Bench, server: FakeZendesk) -> None:
        server.next_replies = [Reply(413, {"error": "AttachmentTooLarge", "description": "Too large"})]
        with pytest.raises(TooLarge) as caught:
            self.create(bench, payload(FILES[3]))
        assert caught.value.name == FILES[3].name
        assert not server.requests

    def test_a_closed_request_says_so_in_the_desks_words(self, bench: Bench, server: FakeZendesk) -> None:
        made = self.create(bench, payload())
        server.requests[int(made.id)]["status"] = "closed"
        assert not self.run(bench.desk.tickets())[0].is_open
        with pytest.raises(DeskRefused, match="closed prevents ticket update"):
            self.run(bench.desk.comment(made.id, payload(body="Again")))

    def test_more_than_a_page_of_requests_is_listed(self, bench: Bench) -> None:
        made = [self.create(bench, payload()).id for _ in range(101)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]

    @pytest.mark.parametrize("secret", ["robin@example.com/token:abcdef0123456789", "robin@example.com:password"])
    def test_a_key_of_the_whole_desk_is_refused_before_it_is_sent(
        self, bench: Bench, server: FakeZendesk, secret: str
    ) -> None:
        desk = bench.desk_with(secret)
        with pytest.raises(SignInNeeded, match="whole help desk") as caught:
            self.run(desk.whoami())
        assert "employee API" in caught.value.hint
        assert secret.partition(":")[2] not in f"{caught.value!r} {caught.value.hint}"
        assert not server.asked
        self.run(desk.close())

    def test_a_stranger_is_not_signed_in(self, bench: Bench, server: FakeZendesk) -> None:
        server.next_replies = [Reply(200, {"user": {"id": None, "name": "Anonymous user"}})]
        with pytest.raises(SignInNeeded):
            self.run(bench.desk.whoami())


def test_what_must_be_a_number_is_checked_at_opening() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.request_type"):
        opened("https://help.example.com", "t", request_type="incident")
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", "t", fields=("cause=Cause",))


class TestZendeskDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, secret)
