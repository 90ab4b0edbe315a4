"""A real SMTP server with TLS and login on loopback, whose line can break at a chosen command.

with Mailbox(folder) as box:
    box.breaks_at = "RCPT"
    ... talk to smtp://localhost:{box.port}, trusting box.ca_file ...
"""

# ruff: noqa: N802 -- aiosmtpd's names

from __future__ import annotations

import ssl
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORDS = {b"robin@example.com": b"password-of-robin", b"kim@example.com": b"password-of-kim"}
MOST_BYTES = 2_000_000


class AnyPort(Controller):
    """Listens on a free port, and knows it before it knocks there to see whether it is up."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailbox:
    """See the module's text; the methods beside are aiosmtpd's hooks.

    `fault` is the reply to the next message. `breaks_at` is the next command that breaks the line, once: "EHLO", "AUTH", "MAIL",
    "RCPT"; or the end of a message, which was "kept" by then or "lost".
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.fault = ""
        self.breaks_at = ""
        self.messages: list[EmailMessage] = []
        self._server = AnyPort(
            self,
            hostname="127.0.0.1",
            port=0,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=self.check,
            data_size_limit=MOST_BYTES,
        )
        self.port = 0

    def __enter__(self) -> Self:
        self._server.start()
        self.port = self._server.port
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    async def handle_EHLO(self, server: Any, session: Any, _: Any, name: str, said: list[str]) -> list[str]:
        session.host_name = name
        self._break(server, "EHLO")
        return said

    async def handle_MAIL(self, server: Any, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        self._break(server, "MAIL")
        return "250 OK"

    async def handle_RCPT(self, server: Any, _: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        self._break(server, "RCPT")
        return "250 OK"

    async def handle_DATA(self, server: Any, _: Any, envelope: Any) -> str:
        fault, self.fault = self.fault, ""
        if fault:
            return fault
        if not self._break(server, "lost"):
            self.messages.append(message_from_bytes(envelope.content, policy=default))
            self._break(server, "kept")
        return "250 OK"

    def check(self, server: Any, *call: Any) -> AuthResult:
        self._break(server, "AUTH")
        data = call[-1]  # after session, envelope and mechanism
        return AuthResult(success=PASSWORDS.get(data.login) == data.password, handled=False)

    def _break(self, server: Any, stage: str) -> bool:
        if self.breaks_at != stage:
            return False
        self.breaks_at = ""
        server.transport.abort()
        return True
