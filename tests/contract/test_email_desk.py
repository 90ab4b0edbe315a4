"""The e-mail adapter against a real SMTP server with TLS and login."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from client.desks import open_desk
from client.desks.base import Desk
from client.errors import DeskRefused, DeskUnreachable, OutcomeUnknown, SettingsFault, SignInNeeded, TooBusy, TooLarge
from client.model import Attachment
from tests.contract.desk_contract import FILES, Bench, DeskContract, Seen, payload

PASSWORDS = {b"robin@example.com": b"password-of-robin", b"kim@example.com": b"password-of-kim"}
ROBIN = "robin@example.com:password-of-robin"


@dataclass
class Mailbox:
    """An SMTP server's handler; `fault` is the reply to the next message, "reset" breaks the line after it was taken."""

    port: int = 0
    ca_file: str = ""
    fault: str = ""
    messages: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        fault, self.fault = self.fault, ""
        if fault == "reset":
            server.transport.abort()
            return "250 OK"
        if fault:
            return fault
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def check(self, *call: Any) -> AuthResult:
        data = call[-1]  # after server, session, envelope and mechanism
        return AuthResult(success=PASSWORDS.get(data.login) == data.password, handled=False)


class AnyPort(Controller):
    """Listens on a free port, and knows it before it knocks there to see whether it is up."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    authority, box = trustme.CA(), Mailbox()
    box.ca_file = str(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(box.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = AnyPort(
        box,
        hostname="127.0.0.1",
        port=0,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=box.check,
        data_size_limit=2_000_000,
    )
    server.start()
    box.port = server.port
    yield box
    server.stop()


def opened(box: Mailbox, secret: str | None, *, queue: str = "help@example.com", ca: bool = True) -> Desk:
    network = SimpleNamespace(proxy="none", no_proxy=(), ca_file=box.ca_file if ca else "")
    settings = SimpleNamespace(kind="email", url=f"smtp://localhost:{box.port}", queue=queue)
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
        return opened(self.box, secret)

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
            self.run(opened(mailbox, "robin@example.com:wrong-password").create(payload()))
        assert "wrong-password" not in f"{caught.value!r}{caught.value.words}"

    def test_a_certificate_that_nobody_vouches_for_is_said(self, mailbox: Mailbox) -> None:
        with pytest.raises(DeskUnreachable, match="not trusted"):
            self.run(opened(mailbox, ROBIN, ca=False).create(payload()))
        assert mailbox.messages == []


def test_where_nobody_listens_nothing_was_sent() -> None:
    with pytest.raises(DeskUnreachable):
        asyncio.run(opened(Mailbox(port=1), ROBIN).create(payload()))


@pytest.mark.parametrize("queue", ["", "help", "help@example.com\r\nBcc: x@example.com"])
def test_a_mailbox_that_is_no_address_is_a_mistake_in_the_settings(queue: str) -> None:
    with pytest.raises(SettingsFault, match=r"desk\.queue"):
        opened(Mailbox(port=25), ROBIN, queue=queue)
