"""GLPI's adapter against a strict fake that speaks the shapes of its high-level API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import glpi as adapter
from client.desks import open_desk
from client.desks.base import CannotDo, Desk
from client.desks.texts import text_of, without_ref
from client.errors import DeskRefused, NotFound, SettingsFault, SignInNeeded
from client.model import Attachment
from tests.contract.desk_contract import BODY, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_glpi import CLIENT, FakeGlpi
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
ROBIN, KIM = "robin:robin-password-1", "kim:kim-password-1"


def opened(url: str, secret: str | None, *, queue: str = "", oauth_client: str = CLIENT) -> Desk:
    settings = SimpleNamespace(kind="glpi", url=url, queue=queue, oauth_client=oauth_client)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class GlpiBench:
    server: FakeGlpi
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(ROBIN)

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(KIM)

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        ticket = self.server.tickets[int(ticket_id)]
        body = text_of(ticket["content"])
        assert "Deskside ref: " in body.splitlines()[-1]
        said = [one for one in self.server.said if one["ticket"] == int(ticket_id)]
        return Seen(
            subject=ticket["name"],
            body=without_ref(body),
            files=(),
            fields={},
            texts="\n".join(text_of(one["content"]) for one in said),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(int(ticket_id), text, public=public)

    def count(self, key: str) -> int:
        return sum(key in one["content"] for one in self.server.tickets.values())


@pytest.fixture
def glpi() -> Iterator[FakeGlpi]:
    with FakeGlpi() as server:
        yield server


class TestGlpiDesk(DeskContract):
    @pytest.fixture
    def bench(self, glpi: FakeGlpi) -> Bench:
        return GlpiBench(glpi)

    def test_what_agents_route_by_is_in_fields_of_the_ticket(self, bench: Bench) -> None:
        """Its API has no fields of the company's own, so it stands in the text, and the severity is the urgency."""
        made = self.create(bench, payload())
        assert "dns.unreachable" in bench.seen(made.id).body
        assert bench.server.tickets[int(made.id)]["urgency"] == 4

    def test_an_answer_is_told_and_an_internal_note_is_not(self, bench: Bench, glpi: FakeGlpi) -> None:
        made = self.create(bench, payload())
        bench.answer(made.id, "Is the cable in?\n\nPlease look.", public=True)
        bench.answer(made.id, "He always forgets the cable.", public=False)
        glpi.documents.append((int(made.id), "plan.pdf"))
        glpi.solve(int(made.id), "<p>It was the cable.</p>")
        talk = self.run(bench.desk.conversation(made.id))
        assert (talk.comments[0].text, talk.comments[0].from_agent) == (BODY, False)
        assert talk.comments[0].attachments == ("plan.pdf",)
        assert [one.text for one in talk.comments[1:]] == ["Is the cable in?\n\nPlease look.", "It was the cable."]
        assert all(one.from_agent and one.author == "ada" for one in talk.comments[1:])
        assert (talk.ticket.status, talk.ticket.is_open) == ("Solved", False)

    def test_a_reply_reaches_the_agent_once_and_renames_nothing(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        self.run(bench.desk.comment(made.id, payload(body="The cable is in.\n\n<b>Really</b> {{ x }}")))
        talk = self.run(bench.desk.conversation(made.id))
        assert [(one.text, one.from_agent) for one in talk.comments[1:]] == [
            ("The cable is in.\n\n<b>Really</b> {{ x }}", False)
        ]
        assert bench.seen(made.id).subject == "The name server does not answer"

    def test_a_follow_up_that_was_saved_and_answered_with_404_can_be_seen(self, bench: Bench, glpi: FakeGlpi) -> None:
        made = self.create(bench, payload())
        glpi.says_404 = True
        with pytest.raises(NotFound):
            self.run(bench.desk.comment(made.id, payload(body="It works")))
        assert [one.text for one in self.run(bench.desk.conversation(made.id)).comments[1:]] == ["It works"]

    def test_one_token_serves_until_it_ends_or_is_forgotten(self, bench: Bench, glpi: FakeGlpi) -> None:
        self.run(bench.desk.tickets())
        self.run(bench.desk.tickets())
        assert glpi.signed_in == 1
        glpi.forget()
        self.create(bench, payload())
        assert (glpi.signed_in, len(glpi.tickets)) == (2, 1)
        bench.desk._until = 0.0  # an hour later
        self.run(bench.desk.tickets())
        assert glpi.signed_in == 3

    def test_more_than_a_page_is_read(self, bench: Bench, glpi: FakeGlpi, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapter, "PAGE", 3)
        made = [self.create(bench, payload()).id for _ in range(7)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]
        glpi.page = 2
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]

    def test_a_filter_that_is_ignored_finds_nobody_elses_ticket(
        self, bench: Bench, glpi: FakeGlpi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FakeGlpi, "_fits", lambda *_: True)
        self.create(bench, payload())
        sent = payload()
        assert self.run(bench.desk.find(sent.key)) is None
        made = self.create(bench, sent)
        assert self.run(bench.desk.find(sent.key)).id == made.id
        glpi.page = 1
        with pytest.raises(CannotDo):
            self.run(bench.desk.find(payload().key))

    def test_a_version_that_does_not_say_who_wrote_what_is_named(self, bench: Bench, glpi: FakeGlpi) -> None:
        made = self.create(bench, payload())
        bench.answer(made.id, "Hello", public=True)
        glpi.old = True
        with pytest.raises(CannotDo, match=r"11\.0\.6"):
            self.run(bench.desk.conversation(made.id))

    def test_articles_that_only_agents_may_read_are_not_found(self, bench: Bench, glpi: FakeGlpi) -> None:
        assert [one.title for one in self.run(bench.desk.articles("order a computer"))] == [
            "How to order a new computer"
        ]
        glpi.version = 2.1
        assert self.run(bench.desk.articles("order a computer")) == ()

    def test_the_category_is_named(self, glpi: FakeGlpi) -> None:
        desk = opened(glpi.url, ROBIN, queue="12")
        made = self.run(desk.create(payload()))
        self.run(desk.close())
        assert glpi.tickets[int(made.id)]["category"] == {"id": 12}

    def test_a_wrong_client_is_not_the_employees_fault(self, glpi: FakeGlpi) -> None:
        desk = opened(glpi.url, ROBIN, oauth_client="0123abcd:wrong-client")
        with pytest.raises(SignInNeeded, match="invalid_client") as caught:
            self.run(desk.whoami())
        self.run(desk.close())
        assert "IT department" in caught.value.hint
        assert "wrong-client" not in f"{caught.value!r}{caught.value.hint}"

    def test_what_is_refused_is_said_in_its_words(self, bench: Bench, glpi: FakeGlpi) -> None:
        self.run(bench.desk.tickets())
        said = {
            "status": "ERROR_INVALID_PARAMETER",
            "title": "Invalid input parameters",
            "detail": {"urgency": [{"message": "Out of range"}]},
        }
        glpi.next_replies = [Reply(400, said)]
        with pytest.raises(DeskRefused, match="Invalid input parameters"):
            self.run(bench.desk.create(payload()))


@pytest.mark.parametrize(
    ("queue", "client", "key"), [("Network", CLIENT, "desk.queue"), ("", "", "desk.oauth_client"), ("", "a", "oauth")]
)
def test_what_is_missing_in_the_settings_is_named(queue: str, client: str, key: str) -> None:
    with pytest.raises(SettingsFault, match=key):
        opened("https://glpi.example.com", ROBIN, queue=queue, oauth_client=client)


def test_a_slow_sign_in_is_not_shared_with_another_loop(glpi: FakeGlpi) -> None:
    desk = opened(glpi.url, ROBIN)

    async def twice() -> None:
        await asyncio.gather(desk.tickets(), desk.whoami())
        await desk.close()

    asyncio.run(twice())
    asyncio.run(twice())
    assert glpi.signed_in in {1, 2}


class TestGlpiDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, f"robin:{secret}")
