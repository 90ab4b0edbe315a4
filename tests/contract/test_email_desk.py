"""The e-mail adapter against a real SMTP server with TLS and login."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import pytest

from client.desks import open_desk
from client.desks.base import Desk
from client.errors import DeskRefused, DeskUnreachable, OutcomeUnknown, SettingsFault, SignInNeeded, TooBusy, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload
from tests.servers.mailbox import Mailbox

ROBIN = "robin@example.com:password-of-robin"


def opened(port: int, secret: str | None, *, queue: str = "help@example.com", ca_file: str = "") -> Desk:
    network = SimpleNamespace(proxy="none", no_proxy=(), ca_file=ca_file)
    settings = SimpleNamespace(kind="email", url=f"smtp://localhost:{port}", queue=queue)
    return open_desk(settings, network=network, secret=secret, version="0.1.0")


@dataclass
class EmailBench:
    box: Mailbox
    refused_file: Attachment | None = None

    @cached_property
    def desk(self) -> Desk:
        return self.desk_with(ROBIN)

    @cached_property
    def colleague(self) -> Desk:
        return self.desk_with("kim@example.com:password-of-kim")

    def desk_with(self, secret: str | None) -> Desk:
        return opened(self.box.port, secret, ca_file=self.box.ca_file)

    def seen(self, ticket_id: str) -> Seen:
        one = next(one for one in self.box.messages if one["Message-ID"] == ticket_id)
        return Seen(
            subject=one["Subject"],
            body=one.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n"),
            files=tuple((part.get_filename(), part.get_payload(decode=True)) for part in one.iter_attachments()),
            fields={name: value for name, value in one.items() if name.startswith("X-Deskside-")},
            texts="",
        )

    def answer(self, ticket_id: str, text: str, *, public: bool) -> None:
        raise AssertionError(f"it has no answers, so {text!r} for {ticket_id} cannot be one ({public=})")

    def count(self, key: str) -> int:
        return sum(one["X-Deskside-Ref"] == key for one in self.box.messages)


class TestEmailDesk(DeskContract):
    @pytest.fixture
    def bench(self, mailbox: Mailbox) -> Bench:
        return EmailBench(mailbox)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("reset", OutcomeUnknown),
            ("451 4.7.1 Greylisted", TooBusy),
            ("554 5.7.1 No such <b>mail</b> here", DeskRefused),
            ("552 5.3.4 Too big", TooLarge),
        ],
    )
    def test_what_the_server_answers_to_a_message(
        self, bench: Bench, mailbox: Mailbox, fault: str, kind: type[Exception]
    ) -> None:
        if fault == "reset":
            mailbox.breaks_at = "lost"
        else:
            mailbox.fault = fault
        with pytest.raises(kind) as caught:
            self.run(bench.desk.create(payload(FILES[0])))
        assert type(caught.value) is kind
        assert "password-of-robin" not in f"{caught.value!r}"
        assert mailbox.messages == []

    def test_what_is_larger_than_the_server_takes_is_named_and_not_sent(self, bench: Bench, mailbox: Mailbox) -> None:
        huge = Attachment(name="huge.zip", media_type="application/zip", data=bytes(2_000_000))
        with pytest.raises(TooLarge) as caught:
            self.run(bench.desk.create(payload(FILES[0], huge)))
        assert caught.value.name == "huge.zip"
        assert mailbox.messages == []

    def test_no_header_can_be_added(self, bench: Bench, mailbox: Mailbox) -> None:
        self.create(bench, payload(subject="Hello\r\nBcc: thief@example.com\r\n\r\nText"))
        assert mailbox.messages[0]["Bcc"] is None
        assert "thief" in mailbox.messages[0]["Subject"]

    def test_lines_that_begin_with_a_full_stop_arrive(self, bench: Bench) -> None:
        made = self.create(bench, payload(body="one\n.\n..two"))
        assert bench.seen(made.id).body == "one\n.\n..two"

    def test_a_wrong_password_asks_to_sign_in(self, mailbox: Mailbox) -> None:
        with pytest.raises(SignInNeeded) as caught:
            self.run(
                opened(mailbox.port, "robin@example.com:wrong-password", ca_file=mailbox.ca_file).create(payload())
            )
        assert "wrong-password" not in f"{caught.value!r}{caught.value.words}"

    def test_a_certificate_that_nobody_vouches_for_is_said(self, mailbox: Mailbox) -> None:
        with pytest.raises(DeskUnreachable, match="not trusted"):
            self.run(opened(mailbox.port, ROBIN).create(payload()))
        assert mailbox.messages == []


def test_where_nobody_listens_nothing_was_sent() -> None:
    with pytest.raises(DeskUnreachable):
        asyncio.run(opened(1, ROBIN).create(payload()))


@pytest.mark.parametrize("queue", ["", "help", "help@example.com\r\nBcc: x@example.com"])
def test_a_mailbox_that_is_no_address_is_a_mistake_in_the_settings(queue: str) -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened(25, ROBIN, queue=queue)
