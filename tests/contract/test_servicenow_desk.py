"""ServiceNow's adapter against a strict fake that speaks the documented shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks import servicenow as adapter
from client.desks.base import CannotDo, Desk
from client.desks.texts import without_ref
from client.desks.wire.servicenow import entries
from client.errors import DeskBroken, DeskRefused, NotFound, OutcomeUnknown, SettingsFault, TooBusy
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.contract.lying_contract import LyingContract
from tests.servers.fake_servicenow import FakeServiceNow
from tests.servers.small_server import Reply

NETWORK = SimpleNamespace(proxy="none", no_proxy=(), ca_file="")
FIELDS = ("cause=u_cause", "device=u_device")
PASSWORD = "Geheim-0123456789"


def opened(url: str, secret: str | None, *, queue: str = "", fields: tuple[str, ...] = FIELDS) -> Desk:
    settings = SimpleNamespace(kind="servicenow", url=url, queue=queue, fields=fields)
    return open_desk(settings, network=NETWORK, secret=secret, version="0.1.0")


@dataclass
class ServiceNowBench:
    server: FakeServiceNow
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(f"robin:{PASSWORD}")

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with(f"kim:{PASSWORD}")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.server.url, secret)

    def seen(self, ticket_id: str) -> Seen:
        incident = self.server.incidents[ticket_id]
        assert "Deskside ref: " in incident["description"].splitlines()[-1]
        return Seen(
            subject=incident["short_description"],
            body=without_ref(incident["description"]),
            files=tuple(
                (one["file_name"], one["data"]) for one in self.server.files if one["table_sys_id"] == ticket_id
            ),
            fields={name: value for name, value in incident.items() if name.startswith("u_")},
            texts="\n".join(text for _, _, text in incident["journal"]),
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        self.server.agent_says(ticket_id, text, public=public)

    def count(self, key: str) -> int:
        return sum(key in one["description"] for one in self.server.incidents.values())


@pytest.fixture
def server() -> Iterator[FakeServiceNow]:
    with FakeServiceNow() as server:
        yield server


class TestServiceNowDesk(DeskContract):
    @pytest.fixture
    def bench(self, server: FakeServiceNow) -> Bench:
        return ServiceNowBench(server)

    def test_the_agent_gets_every_file_byte_for_byte(self, bench: Bench) -> None:
        files = tuple(one for one in FILES if one.data)
        made = self.create(bench, payload(*files))
        assert bench.seen(made.id).files == tuple((one.name, one.data) for one in files)

    def test_an_empty_file_is_refused_in_its_words(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        with pytest.raises(DeskRefused, match="empty file"):
            self.run(bench.desk.attach(made, FILES[4]))

    def test_a_reply_reaches_the_agent_once_and_renames_nothing(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        reply = payload(
            FILES[3], body="The cable is in. {{ ticket.queue }} {% now 'Y' %}\n\n2026-01-31 is fine - (yes)"
        )
        self.run(bench.desk.comment(made.id, reply))
        talk = self.run(bench.desk.conversation(made.id))
        assert [one.text for one in talk.comments[1:]] == [reply.body]
        assert not talk.comments[1].from_agent
        assert talk.comments[0].attachments == (FILES[3].name,)  # of the ticket, not of a message
        seen = bench.seen(made.id)
        assert seen.subject == "The name server does not answer"
        assert seen.texts == reply.body
        assert seen.files == ((FILES[3].name, FILES[3].data),)

    def test_a_reply_that_is_sent_again_brings_no_file_twice(self, bench: Bench, server: FakeServiceNow) -> None:
        made = self.create(bench, payload())
        reply = payload(FILES[0], FILES[3], body="It works again")
        server.breaks = {len(server.asked) + 6: False}  # two questions, the list, two files, and then the words
        with pytest.raises(OutcomeUnknown):
            self.run(bench.desk.comment(made.id, reply))
        assert bench.seen(made.id).texts == ""
        self.run(bench.desk.comment(made.id, reply))
        assert [name for name, _ in bench.seen(made.id).files] == [FILES[0].name, FILES[3].name]

    def test_where_the_key_has_no_column_it_is_found_in_the_text(self, bench: Bench, server: FakeServiceNow) -> None:
        server.no_correlation = True
        sent = payload()
        made = self.create(bench, sent)
        assert self.run(bench.desk.find(sent.key)).id == made.id

    def test_where_the_text_is_cut_the_key_has_its_column(self, bench: Bench, server: FakeServiceNow) -> None:
        sent = payload(body="x" * 4100)
        made = self.create(bench, sent)
        assert sent.key not in server.incidents[made.id]["description"]
        assert self.run(bench.desk.find(sent.key)).id == made.id

    def test_an_answer_to_another_question_is_not_believed(self, bench: Bench, server: FakeServiceNow) -> None:
        sent = payload()
        self.create(bench, payload())
        matches = server._matches
        server._matches = lambda row, query, me: "correlation" in query or matches(row, query, me)
        with pytest.raises(CannotDo):
            self.run(bench.desk.find(sent.key))

    def test_where_scripts_are_left_out_it_does_not_guess_who_we_are(
        self, bench: Bench, server: FakeServiceNow
    ) -> None:
        server.no_scripts = True
        with pytest.raises(DeskBroken, match="who you are"):
            self.run(bench.desk.whoami())

    def test_an_employee_who_sees_everybodys_tickets_has_only_their_own(
        self, bench: Bench, server: FakeServiceNow
    ) -> None:
        made = self.create(bench, payload())
        server.agents = True
        assert made.id not in [one.id for one in self.run(bench.colleague.tickets())]
        with pytest.raises(NotFound):
            self.run(bench.colleague.conversation(made.id))
        with pytest.raises(NotFound):
            self.run(bench.colleague.comment(made.id, payload(body="Let me in")))

    def test_an_oauth_token_is_a_sign_in(self, server: FakeServiceNow) -> None:
        desk = opened(server.url, "oauth-token-of-robin-0123456789")
        assert self.run(desk.whoami()).email == "robin@example.com"
        self.run(desk.close())

    def test_the_severity_is_the_urgency_and_the_group_the_queue(self, server: FakeServiceNow) -> None:
        desk = opened(server.url, f"robin:{PASSWORD}", queue="c" * 32)
        made = self.run(desk.create(payload(subject="Long " * 50)))
        self.run(desk.close())
        incident = server.incidents[made.id]
        assert (incident["urgency"], incident["assignment_group"]) == ("1", "c" * 32)
        assert incident["correlation_display"] == "Deskside"

    def test_a_resolved_ticket_is_not_open_and_times_are_told(self, bench: Bench, server: FakeServiceNow) -> None:
        made = self.create(bench, payload())
        server.incidents[made.id]["state"] = "6"
        ticket = self.run(bench.desk.tickets())[0]
        assert (ticket.status, ticket.is_open, str(ticket.created_at)) == (
            "Resolved",
            False,
            "2026-01-31 09:00:00+00:00",
        )

    def test_an_answer_in_html_is_told_as_text(self, bench: Bench, server: FakeServiceNow) -> None:
        made = self.create(bench, payload())
        server.agent_says(made.id, "[code]<p>Is it <b>in</b>?</p><p>Look.</p>[/code]", public=True)
        assert self.run(bench.desk.conversation(made.id)).comments[-1].text == "Is it in?\n\nLook."

    def test_more_than_a_page_of_tickets_is_listed(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapter, "PAGE", 3)
        made = [self.run(bench.desk.create(payload())).id for _ in range(7)]
        assert [one.id for one in self.run(bench.desk.tickets())] == made[::-1]

    def test_without_the_plugin_there_are_no_articles(self, bench: Bench, server: FakeServiceNow) -> None:
        server.no_articles = True
        assert self.run(bench.desk.articles("order a new computer")) == ()

    def test_a_limit_says_how_long_to_wait(self, bench: Bench, server: FakeServiceNow) -> None:
        error = {"error": {"message": "Rate limit exceeded", "detail": ""}, "status": "failure"}
        server.next_replies = [Reply(429, error, {"Retry-After": "120", "X-RateLimit-Reset": "1769853600"})]
        with pytest.raises(TooBusy) as caught:
            self.run(bench.desk.create(payload()))
        assert caught.value.retry_after_s == 120


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("", []),
        ("no head at all\n", [("Help desk", "no head at all")]),  # rather with a wrong author than not
        (
            (
                "19-Aug-2026 14:22:35 - Ada (ext) Agent (Additional comments)\nTwo\n\nlines\n\n"
                "31/01/2026 9:00:00 AM - Robin (Additional comments)\r\nOne\r\n\r\n"
            ),
            [("Ada (ext) Agent", "Two\n\nlines"), ("Robin", "One")],
        ),
        (
            "2026-01-31 10:00:00 - Ada (Zusätzliche Kommentare)\nSee\n2026-01-30 10:00:00 - the log (line 3)\n\n",
            [("Ada", "See\n2026-01-30 10:00:00 - the log (line 3)")],
        ),
    ],
)
def test_a_journal_is_read_as_it_is_shown(shown: str, told: list[tuple[str, str]]) -> None:
    assert entries(shown) == told


def test_a_group_is_a_sys_id_and_a_field_a_rule() -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened("https://help.example.com", "t", queue="IT")
    with pytest.raises(SettingsFault, match=r"desk\.fields"):
        opened("https://help.example.com", "t", fields=("colour=x",))


class TestServiceNowDeskAmongLies(LyingContract):
    ticket_id = "7" * 32

    def desk_at(self, url: str, secret: str) -> Desk:
        return opened(url, f"robin:{secret}")
