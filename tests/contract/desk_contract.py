"""What every help desk adapter must keep, whatever help desk is behind it. A test of an adapter subclasses `DeskContract`:

    class TestMyDesk(DeskContract):
        @pytest.fixture
        def bench(self, my_server) -> Bench:
            return MyBench(my_server)

`Bench` gives the adapter and a look from the agent's side, which must not go through the adapter. Where an adapter's
`capabilities` say that it cannot do a thing, the contract is that it says so (`CannotDo`); nothing is skipped.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from client.desks.base import CannotDo, Desk
from client.errors import DeskRefused, NotFound, SignInNeeded, TooLarge
from client.model import Attachment, Created, Payload

BODY = """The name server does not answer

Cause: dns.unreachable (10.0.0.53), sure to 97 %
- Evidence: 2 of 2 name servers were silent for 1.5 s
- Tried: flush the DNS cache (no change)

Changed since it last worked: the name server, from 10.0.0.1 to 10.0.0.53
Umlauts äöü, 日本, a < b & c > d, "quotes", {{ braces }}, 100 %, #1, back\\slash
Environment: Linux 6.1, wired, 16 GB"""


@dataclass(frozen=True)
class Seen:
    """A ticket from the agent's side. `files` are (name, content) in the order sent; `texts` what was said after the body."""

    subject: str
    body: str
    files: tuple[tuple[str, bytes], ...]
    fields: dict[str, str]
    texts: str


class Bench(Protocol):
    """An adapter under test and the other side of its help desk."""

    @property
    def desk(self) -> Desk:
        """The adapter, signed in as an employee."""

    @property
    def colleague(self) -> Desk:
        """The adapter, signed in as another employee."""

    def desk_with(self, secret: str | None) -> Desk:
        """The adapter with this secret."""

    def seen(self, ticket_id: str) -> Seen:
        """The ticket from the agent's side."""

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        """The agent writes an answer, or an internal note."""

    def count(self, key: str) -> int:
        """How many tickets the agent's side has for this key."""

    @property
    def refused_file(self) -> Attachment | None:
        """A file of a kind that this desk does not take, None if it takes all."""


def payload(
    *attachments: Attachment, key: str = "", subject: str = "The name server does not answer", body: str = BODY
) -> Payload:
    return Payload(
        key=key or str(uuid.uuid4()),
        subject=subject,
        body=body,
        body_html="<p>The name server does not answer</p>",
        fields={
            "cause": "dns.unreachable",
            "subject": "10.0.0.53",
            "severity": "high",
            "tier": "L2",
            "device": "pc-0815",
            "client": "deskside 0.1.0",
            "version": "0.1.0",
        },
        attachments=attachments,
    )


FILES = (
    Attachment(name="report.json", media_type="application/json", data=b'{"schema": 1}'),
    Attachment(name="summary.txt", media_type="text/plain", data="kurz & gut: äöü\r\n".encode()),
    Attachment(name="report.html", media_type="text/html", data=b"<!doctype html><title>r</title><script>no</script>"),
    Attachment(name="Bildschirm föto 1.png", media_type="image/png", data=bytes(range(256)) * 300),
    Attachment(name="empty.log", media_type="text/plain", data=b""),
    Attachment(name="log.gz", media_type="application/gzip", data=b"\x1f\x8b\x08\x00not really gzip"),
)


class DeskContract:
    """See the module's text. `empty` is what the desk keeps of an empty file."""

    empty: bytes = b""
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def one_loop(self, bench: Bench) -> Iterator[None]:
        """`self.run` runs a coroutine; all of a test in one loop, and every connection is closed in it."""
        with asyncio.Runner() as runner:
            self.run = runner.run
            yield
            for desk in (bench.desk, bench.colleague):
                runner.run(desk.close())

    def create(self, bench: Bench, sent: Payload) -> Created:
        """Creates and attaches, as the outbox does."""

        async def whole() -> Created:
            made = await bench.desk.create(sent)
            if bench.desk.capabilities.attach == "after_creation":
                for one in sent.attachments:
                    await bench.desk.attach(made, one)
            return made

        return self.run(whole())

    # --- who

    def test_says_whose_sign_in_it_is(self, bench: Bench) -> None:
        assert self.run(bench.desk.whoami()).name
        assert self.run(bench.colleague.whoami()) != self.run(bench.desk.whoami())

    @pytest.mark.parametrize("secret", [None, "", "wrong-" + "x" * 30, "with space", "ümlaut", "line\r\nInjected: yes"])
    def test_a_missing_or_wrong_secret_asks_to_sign_in_and_is_never_shown(
        self, bench: Bench, secret: str | None
    ) -> None:
        desk = bench.desk_with(secret)
        with pytest.raises(SignInNeeded) as caught:
            self.run(desk.whoami())
        with pytest.raises(SignInNeeded):
            self.run(desk.create(payload()))
        self.run(desk.close())
        if secret:
            assert secret not in f"{caught.value!r} {caught.value} {caught.value.hint} {caught.value.words} {desk!r}"

    # --- create

    def test_the_agent_gets_the_ticket_as_it_was_written(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        seen = bench.seen(made.id)
        assert made.id
        assert made.ref
        assert seen.subject == "The name server does not answer"
        assert seen.body == BODY

    def test_the_agent_gets_every_file_byte_for_byte(self, bench: Bench) -> None:
        if bench.desk.capabilities.attach == "none":
            with pytest.raises(CannotDo):
                self.run(bench.desk.attach(Created(id="1", ref="1"), FILES[0]))
            return
        made = self.create(bench, payload(*FILES))
        assert bench.seen(made.id).files == tuple((one.name, one.data or self.empty) for one in FILES)
        if bench.desk.capabilities.attach == "same_request":
            assert made.attached == tuple(one.name for one in FILES)

    def test_two_files_of_one_name_are_both_there(self, bench: Bench) -> None:
        if bench.desk.capabilities.attach == "none":
            return
        twice = tuple(Attachment(name="a.txt", media_type="text/plain", data=data) for data in (b"one", b"two"))
        made = self.create(bench, payload(*twice))
        assert bench.seen(made.id).files == (("a.txt", b"one"), ("a.txt", b"two"))

    def test_awkward_file_names_arrive_as_they_are(self, bench: Bench) -> None:
        if bench.desk.capabilities.attach == "none":
            return
        names = ('say "hi".txt', "100%22.txt", "a&amp;b.txt", "semi;colon.txt", "new'quote.txt", "日本.txt")
        sent = payload(*(Attachment(name=name, media_type="text/plain", data=name.encode()) for name in names))
        made = self.create(bench, sent)
        assert tuple(name for name, _ in bench.seen(made.id).files) == names

    def test_what_agents_route_by_is_in_fields_of_the_ticket(self, bench: Bench) -> None:
        sent = payload()
        fields = bench.seen(self.create(bench, sent).id).fields
        assert "dns.unreachable" in fields.values()
        assert "pc-0815" in fields.values()

    # --- once

    def test_sending_again_makes_no_second_ticket(self, bench: Bench) -> None:
        sent = payload(FILES[0])
        first = self.create(bench, sent)
        if bench.desk.capabilities.dedupe == "key":
            assert self.create(bench, sent) == first
        elif bench.desk.capabilities.dedupe == "search":
            found = self.run(bench.desk.find(sent.key))
            assert found is not None
            assert found.id == first.id
        else:
            with pytest.raises(CannotDo):
                self.run(bench.desk.find(sent.key))
            return
        assert bench.count(sent.key) == 1

    def test_six_at_once_make_one_ticket(self, bench: Bench) -> None:
        if bench.desk.capabilities.dedupe != "key":
            return
        sent = payload(FILES[0])

        async def six() -> list[Created]:
            return await asyncio.gather(*(bench.desk.create(sent) for _ in range(6)))

        assert len({one.id for one in self.run(six())}) == 1
        assert bench.count(sent.key) == 1

    def test_a_key_finds_its_ticket_and_nothing_else(self, bench: Bench) -> None:
        if bench.desk.capabilities.dedupe == "none":
            return
        sent = payload(FILES[0])
        assert self.run(bench.desk.find(sent.key)) is None
        made = self.create(bench, sent)
        found = self.run(bench.desk.find(sent.key))
        assert found is not None
        assert (found.id, found.ref) == (made.id, made.ref)
        assert self.run(bench.desk.find(str(uuid.uuid4()))) is None
        assert self.run(bench.colleague.find(sent.key)) is None

    def test_a_key_is_not_reused_for_another_text(self, bench: Bench) -> None:
        if bench.desk.capabilities.dedupe != "key":
            return
        sent = payload()
        self.create(bench, sent)
        with pytest.raises(DeskRefused):
            self.run(bench.desk.create(payload(key=sent.key, body="Something else")))
        assert bench.count(sent.key) == 1

    # --- my tickets

    def test_my_tickets_are_mine_newest_first(self, bench: Bench) -> None:
        if not bench.desk.capabilities.own_list:
            with pytest.raises(CannotDo):
                self.run(bench.desk.tickets())
            return
        older, newer = self.create(bench, payload()), self.create(bench, payload(subject="A second one"))
        mine = self.run(bench.desk.tickets())
        ids = [one.id for one in mine]
        assert ids.index(newer.id) < ids.index(older.id)
        ticket = next(one for one in mine if one.id == newer.id)
        assert (ticket.subject, ticket.ref, ticket.is_open) == ("A second one", newer.ref, True)
        assert ticket.status
        assert newer.id not in [one.id for one in self.run(bench.colleague.tickets())]

    def test_an_answer_is_told_and_an_internal_note_is_not(self, bench: Bench) -> None:
        if not bench.desk.capabilities.comments:
            with pytest.raises(CannotDo):
                self.run(bench.desk.conversation("1"))
            return
        made = self.create(bench, payload(FILES[1]))
        bench.answer(made.id, "Is the cable in?\n\nPlease look.", public=True)
        bench.answer(made.id, "He always forgets the cable.", public=False)
        talk = self.run(bench.desk.conversation(made.id))
        assert talk.ticket.id == made.id
        assert talk.comments[0].text == BODY
        assert not talk.comments[0].from_agent
        assert talk.comments[0].attachments == ("summary.txt",)
        assert talk.comments[-1].text == "Is the cable in?\n\nPlease look."
        assert talk.comments[-1].from_agent
        assert talk.comments[-1].author
        assert "forgets" not in str(talk)

    def test_a_reply_reaches_the_agent_once_and_renames_nothing(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        reply = payload(FILES[3], body="The cable is in. {{ ticket.queue }} {% now 'Y' %}")
        if not bench.desk.capabilities.comments:
            with pytest.raises(CannotDo):
                self.run(bench.desk.comment(made.id, reply))
            return
        self.run(bench.desk.comment(made.id, reply))
        if bench.desk.capabilities.dedupe == "key":
            self.run(bench.desk.comment(made.id, reply))
        talk = self.run(bench.desk.conversation(made.id))
        assert [(one.text, one.attachments) for one in talk.comments[1:]] == [(reply.body, (FILES[3].name,))]
        seen = bench.seen(made.id)
        assert seen.subject == "The name server does not answer"
        assert seen.texts.count(reply.body) == 1
        assert seen.files == ((FILES[3].name, FILES[3].data),)

    def test_closing_and_opening_again(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        if not bench.desk.capabilities.closing:
            with pytest.raises(CannotDo):
                self.run(bench.desk.set_open(made.id, wanted=False))
            return
        for wanted in (False, False, True, True):
            self.run(bench.desk.set_open(made.id, wanted=wanted))
            assert self.run(bench.desk.conversation(made.id)).ticket.is_open is wanted
        with pytest.raises(NotFound):
            self.run(bench.colleague.set_open(made.id, wanted=False))
        with pytest.raises(NotFound):
            self.run(bench.desk.set_open("../me", wanted=False))

    def test_rating_a_ticket_that_is_done(self, bench: Bench) -> None:
        made = self.create(bench, payload())
        if not bench.desk.capabilities.rating:
            with pytest.raises(CannotDo):
                self.run(bench.desk.rate(made.id, good=True))
            return
        bench.finish(made.id)
        self.run(bench.desk.rate(made.id, good=False, words="It is still slow."))
        assert bench.rated(made.id) == (False, "It is still slow.")
        self.run(bench.desk.rate(made.id, good=True))
        assert bench.rated(made.id) == (True, "")
        with pytest.raises(NotFound):
            self.run(bench.colleague.rate(made.id, good=False))
        with pytest.raises(NotFound):
            self.run(bench.desk.rate("../me", good=False))

    def test_a_colleague_cannot_read_or_answer_my_ticket(self, bench: Bench) -> None:
        if not bench.desk.capabilities.comments:
            return
        made = self.create(bench, payload())
        with pytest.raises(NotFound):
            self.run(bench.colleague.conversation(made.id))
        with pytest.raises(NotFound):
            self.run(bench.colleague.comment(made.id, payload(body="Let me in")))
        assert "Let me in" not in bench.seen(made.id).texts

    @pytest.mark.parametrize(
        "ticket_id", ["999999999", "0", "", "..", "../me", "1/comments", "1?x=1", "x" * 200, "1\r\nX: y", "%2e%2e"]
    )
    def test_a_ticket_that_does_not_exist_is_not_found(self, bench: Bench, ticket_id: str) -> None:
        if not bench.desk.capabilities.comments:
            return
        with pytest.raises(NotFound):
            self.run(bench.desk.conversation(ticket_id))
        with pytest.raises(NotFound):
            self.run(bench.desk.comment(ticket_id, payload(body="Hello?")))

    # --- no

    def test_a_file_that_the_desk_does_not_take_is_named(self, bench: Bench) -> None:
        if bench.refused_file is None:
            return
        sent = payload(FILES[0], bench.refused_file)
        with pytest.raises(DeskRefused) as caught:
            self.run(bench.desk.create(sent))
        assert bench.refused_file.name in str(caught.value)
        assert caught.value.words
        assert bench.count(sent.key) == 0

    def test_what_is_too_large_is_refused_and_named(self, bench: Bench) -> None:
        most = bench.desk.capabilities.max_file_bytes
        if most is None:
            return
        for size in (most + 1, most * 2):
            sent = payload(FILES[0], Attachment(name="huge.zip", media_type="application/zip", data=bytes(size)))
            with pytest.raises(TooLarge) as caught:
                self.run(bench.desk.create(sent))
            assert caught.value.name == "huge.zip"
            assert bench.count(sent.key) == 0

    def test_the_largest_file_that_is_promised_is_taken(self, bench: Bench) -> None:
        most = bench.desk.capabilities.max_file_bytes
        if most is None:
            return
        made = self.create(bench, payload(Attachment(name="large.zip", media_type="application/zip", data=bytes(most))))
        assert [(name, len(data)) for name, data in bench.seen(made.id).files] == [("large.zip", most)]

    # --- articles, and the end

    def test_articles_are_found_by_words(self, bench: Bench) -> None:
        if not bench.desk.capabilities.articles:
            with pytest.raises(CannotDo):
                self.run(bench.desk.articles("computer"))
            return
        found = self.run(bench.desk.articles("order a new computer"))
        assert found[0].title
        assert found[0].body
        assert found[0].source not in {"", "deskside"}
        assert self.run(bench.desk.articles("  ")) == ()
        assert self.run(bench.desk.articles("xyzzy " * 100)) == ()

    def test_announcements_are_told_or_it_says_that_there_are_none(self, bench: Bench) -> None:
        if not bench.desk.capabilities.announcements:
            with pytest.raises(CannotDo):
                self.run(bench.desk.announcements())
            return
        for one in self.run(bench.desk.announcements()):
            assert one.id
            assert one.title

    def test_closing_twice_is_fine_and_it_can_be_used_again(self, bench: Bench) -> None:
        async def twice() -> None:
            await bench.desk.whoami()
            await bench.desk.close()
            await bench.desk.close()
            await bench.desk.whoami()
            await bench.desk.close()

        self.run(twice())
