"""The signed webhook against a receiver that verifies every signature."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import CannotDo, Desk
from client.desks.webhook import signature
from client.errors import OutcomeUnknown, SignInNeeded
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.small_server import Reply
from tests.servers.webhook_receiver import KEYS, WebhookReceiver

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")


def opened(url: str, secret: str | None) -> Desk:
    return open_desk(SimpleNamespace(kind="webhook", url=url), network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class WebhookBench:
    server: WebhookReceiver
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(f"robin:{KEYS['robin']}")

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(f"kim:{KEYS['kim']}")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(f"{self.server.url}/hook", secret)

    def seen(self, ticket_id: str) -> Seen:
        one = self.server.tickets[int(ticket_id) - 1]
        return Seen(subject=one["subject"], body=one["body"], files=tuple(one["files"]), fields=one["fields"], texts="")

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        raise AssertionError(f"it has no answers, so {text!r} for {ticket_id} cannot be one ({public=})")

    def count(self, key: str) -> int:
        return sum(one["key"] == key for one in self.server.tickets)


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as server:
        yield server


class TestWebhookDesk(DeskContract):
    @pytest.fixture
    def bench(self, receiver: WebhookReceiver) -> Bench:
        return WebhookBench(receiver)

    def test_the_key_itself_never_leaves(self, bench: Bench, receiver: WebhookReceiver) -> None:
        self.create(bench, payload(FILES[0]))
        assert KEYS["robin"] not in str(receiver.asked)

    @pytest.mark.parametrize("away_s", [-301, 301])
    def test_a_clock_that_is_wrong_asks_to_sign_in(self, bench: Bench, away_s: int) -> None:
        now = bench.desk._clock()
        bench.desk._clock = lambda: now + away_s
        with pytest.raises(SignInNeeded):
            self.run(bench.desk.whoami())

    def test_an_answer_about_another_ticket_claims_nothing(self, bench: Bench, receiver: WebhookReceiver) -> None:
        receiver.next_replies = [Reply(201, {"id": "1", "key": "another"})]
        with pytest.raises(OutcomeUnknown):
            self.run(bench.desk.create(payload()))

    def test_a_file_that_is_not_named_is_not_claimed(self, bench: Bench, receiver: WebhookReceiver) -> None:
        sent = payload(FILES[0])
        receiver.next_replies = [Reply(201, {"id": "1", "key": sent.key})]
        assert self.run(bench.desk.create(sent)).attached == ()


def test_the_signature_is_as_documented() -> None:
    # printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    assert signature("key", "1700000000", b"{}") == "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"


def test_a_secret_without_a_name_asks_to_sign_in() -> None:
    with pytest.raises(SignInNeeded):
        asyncio.run(opened("https://help.example.com/hook", "key-alone").whoami())


class TestWebhookDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(f"{url}/hook", f"robin:{secret}")

    def test_no_lie_passes_for_a_reply_or_a_list(self) -> None:
        """It has neither, and asks nobody."""
        desk = self.desk_at("http://127.0.0.1:9", "key")
        for asked in (desk.comment("7", payload()), desk.tickets(), desk.conversation("7")):
            with pytest.raises(CannotDo):
                asyncio.run(asked)
