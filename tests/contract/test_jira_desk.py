"""Jira Service Management's adapter against a strict fake that speaks the documented shapes, of Cloud and of Data Center."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import Desk
from client.desks.texts import without_ref
from client.errors import DeskRefused, SettingsFault, SignInNeeded, TooBusy, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_jira import FakeJira
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=customfield_10001", "device=customfield_10002")


def opened(
    url: str, secret: str | None, *, queue: str = "4", request_type: str = "17", fields: tuple[str, ...] = FIELDS
) -> Desk:
    settings = SimpleNamespace(
        kind="jira_service_management", url=url, queue=queue, request_type=request_type, fields=fields
    )
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class JiraBench:
    server: FakeJira
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(next(iter(self.server.people)))

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(list(self.server.people)[1])

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        values = self.server.requests[ticket_id]["values"]
        said = [one for one in self.server.comments if one["key"] == ticket_id]
        assert "Deskside ref: " in values["description"].splitlines()[-1]
        return Seen(
            subject=values["summary"],
            body=without_ref(values["description"]),
            files=tuple(file for one in said for file in one["files"]),
            fields={name: value for name, value in values.items() if name.startswith("custom")},
            texts="\n".join(one["body"] for one in said),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(ticket_id, text, public=public)

    def finish(self, ticket_id: str) -> None:
        self.server.requests[ticket_id] |= {"status": "Resolved", "category": "DONE"}

    def rated(self, ticket_id: str) -> tuple[bool, str]:
        feedback = self.server.requests[ticket_id]["feedback"]
        return feedback["rating"] == 5, feedback.get("comment", {}).get("body", "")

    def count(self, key: str) -> int:
        return sum(key in one["values"]["description"] for one in self.server.requests.values())


@pytest.fixture(params=[False, True], ids=["cloud", "data center"])
def jira(request: pytest.FixtureRequest) -> Iterator[FakeJira]:
    with FakeJira(data_center=request.param) as server:
        yield server


class TestJiraDesk(DeskContract):
    @pytest.fixture
    def bench(self, jira: FakeJira) -> Bench:
        return JiraBench(jira)

    def test_what_an_earlier_attempt_has_attached_is_found_with_the_ticket(self, bench: Bench) -> None:
        sent = payload(FILES[0], FILES[3])
        self.create(bench, sent)
        assert self.run(bench.desk.find(sent.key)).attached == (FILES[0].name, FILES[3].name)

    def test_files_of_the_ticket_belong_to_its_text_and_make_no_message_of_their_own(self, bench: Bench) -> None:
        made = self.create(bench, payload(FILES[0], FILES[3]))
        self.run(bench.desk.comment(made.id, payload(FILES[1], body="And this")))
        talk = self.run(bench.desk.conversation(made.id))
        assert [one.attachments for one in talk.comments] == [(FILES[0].name, FILES[3].name), (FILES[1].name,)]

    def test_a_done_request_is_not_open(self, bench: Bench, jira: FakeJira) -> None:
        made = self.create(bench, payload())
        jira.requests[made.id] |= {"status": "Resolved", "category": "DONE"}
        ticket = self.run(bench.desk.tickets())[0]
        assert (ticket.status, ticket.is_open) == ("Resolved", False)

    def test_more_than_a_page_of_requests_is_listed(self, bench: Bench) -> None:
        made = [self.create(bench, payload()).id for _ in range(51)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]

    def test_a_field_that_the_type_does_not_show_is_named(self, jira: FakeJira) -> None:
        desk = opened(jira.url, next(iter(jira.people)), fields=("cause=customfield_7",))
        with pytest.raises(DeskRefused, match=r"customfield_7: Field cannot be set"):
            self.run(desk.create(payload()))
        self.run(desk.close())

    def test_a_limit_says_how_long_to_wait(self, bench: Bench, jira: FakeJira) -> None:
        jira.next_replies = [Reply(429, None, {"Retry-After": "17", "X-RateLimit-Reset": "2026-01-31T09:00Z"})]
        with pytest.raises(TooBusy) as caught:
            self.create(bench, payload())
        assert caught.value.retry_after_s == 17

    def test_a_file_that_is_too_large_is_named(self, bench: Bench, jira: FakeJira) -> None:
        made = self.create(bench, payload())
        jira.next_replies = [Reply(413, {"errorMessage": "Too large"})]
        with pytest.raises(TooLarge) as caught:
            self.run(bench.desk.attach(made, FILES[3]))
        assert caught.value.name == FILES[3].name

    def test_a_token_that_the_desk_repeats_is_not_shown(self, bench: Bench, jira: FakeJira) -> None:
        desk = bench.desk_with("robin@example.com:t0k3n-of-robin")
        jira.next_replies = [Reply(401, {"errorMessage": "t0k3n-of-robin is no token"})]
        with pytest.raises(SignInNeeded) as caught:
            self.run(desk.whoami())
        self.run(desk.close())
        assert caught.value.words == "… is no token"


@pytest.mark.parametrize(
    ("key", "wrong"), [("queue", ""), ("queue", "IT"), ("request_type", ""), ("request_type", "²")]
)
def test_service_desk_and_type_must_be_numbers(key: str, wrong: str) -> None:
    with pytest.raises(SettingsFault, match=rf"desk\.{key}"):
        opened("https://help.example.com", "t", **{key: wrong})


class TestJiraDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, secret)
