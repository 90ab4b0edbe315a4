"""The adapter of ServiceDesk Plus against a strict fake that speaks the documented shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks import service_desk_plus as adapter
from client.desks.base import Desk
from client.desks.texts import text_of, without_ref
from client.errors import DeskRefused, NotFound, OutcomeUnknown, SettingsFault
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_service_desk_plus import NOW_S, FakeServiceDeskPlus

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=udf_sline_1", "device=udf_sline_2")
ROBIN = "robin@example.com:KEY-ROBIN-0123456789"
KIM = "Kim@Example.com:KEY-KIM-0123456789"


def opened(
    url: str,
    secret: str | None,
    *,
    queue: str = "",
    request_type: str = "",
    fields: tuple[str, ...] = FIELDS,
    personal_key: bool = True,
) -> Desk:
    settings = SimpleNamespace(
        kind="service_desk_plus",
        url=url,
        queue=queue,
        request_type=request_type,
        fields=fields,
        personal_key=personal_key,
    )
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class ServiceDeskPlusBench:
    server: FakeServiceDeskPlus
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
        request = self.server.requests[int(ticket_id)]
        body = text_of(request["description"])
        assert "Deskside ref: " in body.splitlines()[-1]
        notes = [one for one in self.server.notes if one["request"] == int(ticket_id)]
        return Seen(
            subject=request["subject"],
            body=without_ref(body),
            files=tuple(request["files"]),
            fields=request["udf_fields"],
            texts="\n".join(text_of(one["text"]) for one in notes),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(int(ticket_id), text, public=public)

    def count(self, key: str) -> int:
        return sum(key in one["description"] for one in self.server.requests.values())


@pytest.fixture
def server() -> Iterator[FakeServiceDeskPlus]:
    with FakeServiceDeskPlus() as server:
        yield server


class TestServiceDeskPlusDesk(DeskContract):
    @pytest.fixture
    def bench(self, server: FakeServiceDeskPlus) -> Bench:
        return ServiceDeskPlusBench(server)

    def test_a_reply_reaches_the_agent_once_and_renames_nothing(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        reply = payload(FILES[3], body="The cable is in. {{ ticket.queue }}\n\n<b>Really</b>")
        self.run(bench.desk.comment(made.id, reply))
        talk = self.run(bench.desk.conversation(made.id))
        assert [(one.text, one.from_agent) for one in talk.comments[1:]] == [(reply.body, False)]
        assert talk.comments[0].attachments == (FILES[3].name,)  # of the ticket, not of a message
        seen = bench.seen(made.id)
        assert seen.subject == "The name server does not answer"
        assert seen.texts == reply.body
        assert seen.files == ((FILES[3].name, FILES[3].data),)

    def test_a_reply_that_is_sent_again_brings_no_file_twice(self, bench: Bench, server: FakeServiceDeskPlus) -> None:
        made = self.create(bench, payload())
        reply = payload(FILES[0], FILES[3], body="It works again")
        server.breaks = {len(server.asked) + 4: False}  # a question, two files, and then the words
        with pytest.raises(OutcomeUnknown):
            self.run(bench.desk.comment(made.id, reply))
        self.run(bench.desk.comment(made.id, reply))
        assert [name for name, _ in bench.seen(made.id).files] == [FILES[0].name, FILES[3].name]
        assert bench.seen(made.id).texts == "It works again"

    def test_where_lists_are_not_narrowed_down_only_own_requests_count(
        self, bench: Bench, server: FakeServiceDeskPlus
    ) -> None:
        server.knows_criteria = False
        sent = payload()
        made = self.create(bench, sent)
        assert made.id not in [one.id for one in self.run(bench.colleague.tickets())]
        assert self.run(bench.colleague.find(sent.key)) is None
        with pytest.raises(NotFound):
            self.run(bench.colleague.conversation(made.id))

    def test_notes_that_are_listed_with_their_text_are_not_asked_for_again(
        self, bench: Bench, server: FakeServiceDeskPlus
    ) -> None:
        server.tells_texts = True
        made = self.create(bench, payload())
        bench.answer(made.id, "Is it in?", public=True)
        before = len(server.asked)
        assert self.run(bench.desk.conversation(made.id)).comments[-1].text == "Is it in?"
        assert len(server.asked) - before == 2

    def test_more_than_a_page_is_read(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapter, "PAGE", 3)
        made = [self.run(bench.desk.create(payload())).id for _ in range(7)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]
        for number in range(4):
            bench.answer(made[0], f"Answer {number}", public=True)
        assert self.run(bench.desk.conversation(made[0])).comments[-1].text == "Answer 3"

    def test_a_closed_request_is_not_open_and_has_its_number_and_times(
        self, bench: Bench, server: FakeServiceDeskPlus
    ) -> None:
        made = self.create(bench, payload())
        server.requests[int(made.id)]["status"] = "Closed"
        ticket = self.run(bench.desk.tickets())[0]
        assert (ticket.status, ticket.is_open, ticket.ref) == ("Closed", False, "1")
        assert ticket.created_at.timestamp() == NOW_S

    def test_group_and_type_are_named(self, server: FakeServiceDeskPlus) -> None:
        desk = opened(server.url, ROBIN, queue="Network", request_type="Incident")
        made = self.run(desk.create(payload(subject="One\nline " + "long " * 60)))
        self.run(desk.close())
        request = server.requests[int(made.id)]
        assert (request["group"], request["request_type"]) == ({"name": "Network"}, {"name": "Incident"})

    @pytest.mark.parametrize("says_200", [True, False])
    def test_what_is_refused_is_named_whatever_the_status(self, server: FakeServiceDeskPlus, *, says_200: bool) -> None:
        server.says_200 = says_200
        desk = opened(server.url, ROBIN, fields=("cause=udf_other",))
        with pytest.raises(DeskRefused, match=r"udf_fields\.udf_other: Unknown field") as caught:
            self.run(desk.create(payload()))
        self.run(desk.close())
        assert type(caught.value) is DeskRefused

    def test_a_zoho_token_is_a_sign_in(self, server: FakeServiceDeskPlus) -> None:
        desk = opened(server.url, "robin@example.com:1000.0123456789abcdef.0123456789abcdef")
        assert self.run(desk.whoami()).email == "robin@example.com"
        self.run(desk.close())


def test_a_key_that_is_not_said_to_be_personal_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsFault, match="everybody's requests") as caught:
        opened("https://help.example.com", ROBIN, personal_key=False)
    assert "employee API" in caught.value.hint
    assert "desk.personal_key" in caught.value.problems[0]


def test_a_field_is_a_rule() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", ROBIN, fields=("colour=x",))


class TestServiceDeskPlusDeskAmongLies(LyingContract):
    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, f"robin@example.com:{secret}")
