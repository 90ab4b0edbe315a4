"""A mailbox of the help desk, reached by SMTP: smtp://host:587 with STARTTLS, or smtps://host:465.

`desk.queue` is the mailbox. The secret is "ADDRESS:PASSWORD"; where the server offers no login, the address alone. Only loopback
is spoken to without encryption. The Message-ID is made of our key; nobody can be asked for it, so `dedupe` is "none". When the
line breaks after the server was given the message, the outcome is unknown; before, nothing was received.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from typing import TYPE_CHECKING, ClassVar, Final, Self
from urllib.parse import urlsplit

from client.desks.base import Desk
from client.desks.texts import FIELDS, missing, one_line, proper_secret, routed
from client.errors import (
    DeskFault,
    DeskRefused,
    DeskUnreachable,
    OutcomeUnknown,
    SettingsFault,
    SignInNeeded,
    TooBusy,
    TooLarge,
)
from client.model import Capabilities, Created, Identity, Payload

if TYPE_CHECKING:
    from client.desks import NetworkSettings

REPLY_S = 60.0  # silence of the server; some look for viruses before they answer
WHOLE_S = 120.0  # the whole exchange, against replies that drip
SLOWEST_BYTES_PER_S = 16_000  # of a large message, which extends WHOLE_S
PORTS: Final = {"smtp": 587, "smtps": 465}
GO_ON: Final = 354
ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,200}")
KEY: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
WIRE: Final = SMTP.clone(cte_type="7bit")


class EmailDesk(Desk):
    """A mailbox.

    Args:
        url: the server's address.
        to: the help desk's mailbox.
        network: certificate authorities.
        secret: "ADDRESS:PASSWORD".
    """

    kind: ClassVar[str] = "email"
    wants: ClassVar[tuple[str, ...]] = ("queue",)
    capabilities: ClassVar[Capabilities] = Capabilities(body="text", attach="same_request")

    def __init__(self, url: str, *, to: str, network: NetworkSettings, secret: str | None) -> None:
        try:
            parts = urlsplit(url.strip())
            self._host, self._port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            raise _bad_address() from None
        if parts.scheme not in PORTS or not self._host or parts.username or parts.path.strip("/") or parts.query:
            raise _bad_address()
        self._tls = parts.scheme == "smtps"
        self._to = to
        self._ca_file = network.ca_file
        self._secret = secret

    def __repr__(self) -> str:
        return f"EmailDesk(host={self._host!r})"

    @classmethod
    def open(cls, url: str, *, network: NetworkSettings, secret: str | None, version: str, queue: str = "") -> Self:
        """See `Desk.open`. `queue` is the help desk's mailbox."""
        del version  # nothing in a message needs it beside the payload's own fields
        if not ADDRESS.fullmatch(queue):
            raise missing("desk.queue", "for e-mail it must be the help desk's address, such as help@example.com.")
        return cls(url, to=queue, network=network, secret=secret)

    async def create(self, payload: Payload) -> Created:
        """Sends the message. `Created.id` is its Message-ID. See `Desk.create`."""
        sender, _ = self._who()
        message = _message(payload, sender=sender, to=routed(payload, "queue", self._to, ADDRESS))
        talk = _Talk(self, message.as_bytes(policy=WIRE), payload)
        await self._whole(talk)
        return Created(
            id=str(message["Message-ID"]), ref=payload.key, attached=tuple(one.name for one in payload.attachments)
        )

    async def whoami(self) -> Identity:
        """Signs in and says whose address it is."""
        sender, _ = self._who()
        await self._whole(_Talk(self, b"", None))
        return Identity(name=sender, email=sender)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _who(self) -> tuple[str, str]:
        address, _, password = proper_secret(self._secret).partition(":")
        if not ADDRESS.fullmatch(address):
            raise SignInNeeded(
                "The sign-in that is kept on this computer cannot be right.", hint="It is ADDRESS:PASSWORD."
            )
        return address, password

    async def _whole(self, talk: _Talk) -> None:
        """The exchange in a thread, with an end: the socket is taken away from it when time is over or nobody waits any more."""
        task = asyncio.create_task(asyncio.to_thread(talk.run))
        done = False
        try:
            async with asyncio.timeout(WHOLE_S + len(talk.data) / SLOWEST_BYTES_PER_S):
                await asyncio.shield(task)
            done = True
        except TimeoutError:
            done = task.done()
            raise talk.broken() from None
        finally:
            if not done:
                talk.cut()
                task.add_done_callback(lambda one: one.cancelled() or one.exception())


class _Talk:
    """One exchange with the server; `data` empty: signing in only. Runs in a thread."""

    def __init__(self, desk: EmailDesk, data: bytes, payload: Payload | None) -> None:
        self.data = data
        self._desk = desk
        self._files = payload.attachments if payload else ()
        self._client: smtplib.SMTP | None = None
        self._given = False  # the server may have the whole message

    def run(self) -> None:
        try:
            self._run()
        except DeskFault:
            raise
        except smtplib.SMTPResponseException as error:
            raise self._refused(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self.broken(certificate=getattr(error, "verify_message", "")) from None
        finally:
            self.cut()

    def cut(self) -> None:
        if self._client:
            self._client.close()

    def broken(self, *, certificate: str = "") -> DeskFault:
        host = self._desk._host  # noqa: SLF001 -- of this module
        if self._given:
            return OutcomeUnknown(f"{host} took the message, but did not answer.")
        if certificate:
            return DeskUnreachable(f"The certificate of {host} is not trusted by this computer ({certificate}).")
        return DeskUnreachable(f"The mail server {host} cannot be reached, or the connection broke before sending.")

    def _run(self) -> None:
        import httpx  # noqa: PLC0415 -- not needed to know what a desk can do

        from client.desks.http import CONNECT_S, is_loopback, trust  # noqa: PLC0415 -- as above

        desk = self._desk
        address, password = desk._who()  # noqa: SLF001 -- of this module
        host, port = desk._host, desk._port  # noqa: SLF001 -- as above
        context = trust(httpx.URL(scheme="https", host=host), desk._ca_file)  # noqa: SLF001 -- as above
        if desk._tls:  # noqa: SLF001 -- as above
            client: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=CONNECT_S, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=CONNECT_S)
        self._client = client
        if client.sock:
            client.sock.settimeout(REPLY_S)
        client.ehlo_or_helo_if_needed()
        if not desk._tls:  # noqa: SLF001 -- as above
            if client.has_extn("starttls"):
                client.starttls(context=context)
                client.ehlo()
            elif not is_loopback(host):
                raise DeskUnreachable(f"The mail server {host} offers no encryption.", hint="Tell your IT department.")
        if client.has_extn("auth"):
            self._sign_in(client, address, password)
        if not self.data:
            _expect(client.noop())
            return
        most = client.esmtp_features.get("size", "")
        if most.isdecimal() and 0 < int(most) < len(self.data):
            raise self._too_large()
        _expect(client.mail(address))
        _expect(client.rcpt(desk._to))  # noqa: SLF001 -- as above
        _expect(client.docmd("DATA"), GO_ON)
        self._given = True  # from the first byte on: whether the last one arrived cannot be known
        client.send(re.sub(rb"(?m)^\.", b"..", self.data) + b".\r\n")
        code, words = client.getreply()
        self._given = code == -1
        _expect((code, words))

    def _sign_in(self, client: smtplib.SMTP, address: str, password: str) -> None:
        if not password:
            raise SignInNeeded("The mail server asks for a password.")
        try:
            client.login(address, password)
        except smtplib.SMTPAuthenticationError as error:  # its words may repeat what was sent, so they are not shown
            if 400 <= error.smtp_code < 500:  # noqa: PLR2004 -- SMTP's own classes of codes
                raise TooBusy("The mail server asks to wait a little.") from None
            raise SignInNeeded("The mail server does not accept the sign-in (any more).") from None

    def _refused(self, code: int, said: bytes | str) -> DeskFault:
        from client.desks.translate import plain  # noqa: PLC0415 -- brings httpx

        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        words = plain(text, secret=self._desk._secret or "")  # noqa: SLF001 -- of this module
        match code:
            case 530 | 534 | 535 | 538:
                return SignInNeeded("The mail server does not accept the sign-in (any more).")
            case 552:
                return self._too_large(words)
        if 400 <= code < 500:  # noqa: PLR2004 -- SMTP's own classes of codes
            return TooBusy("The mail server asks to wait a little.", words=words)
        if 500 <= code < 600:  # noqa: PLR2004 -- as above
            return DeskRefused(f"The mail server did not accept it: {words}", words=words)
        return self.broken()

    def _too_large(self, words: str = "") -> TooLarge:
        name = max(self._files, key=lambda one: len(one.data)).name if self._files else ""
        return TooLarge(f"This is too large for the mail server; the largest file is {name}.", name=name, words=words)


def _expect(answer: tuple[int, bytes], wanted: int = 0) -> None:
    code, words = answer
    if not (code == wanted or (not wanted and 200 <= code < 300)):  # noqa: PLR2004 -- SMTP's own classes of codes
        raise smtplib.SMTPResponseException(code, words)


def _message(payload: Payload, *, sender: str, to: str) -> EmailMessage:
    """The message: text with its HTML rendering, then the files. No header holds more than one line."""
    if not KEY.fullmatch(payload.key):
        raise DeskRefused("This ticket has no proper key.")
    message = EmailMessage(policy=WIRE)
    message["From"], message["To"] = sender, to
    message["Subject"] = one_line(payload.subject)
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{payload.key}@{sender.rpartition('@')[2]}>"
    message["X-Deskside-Ref"] = payload.key
    for name in (*FIELDS, "category", "priority"):
        if value := one_line(payload.fields.get(name, "")).strip():
            message[f"X-Deskside-{name.title()}"] = value
    message.set_content(payload.body, cte="base64")
    if payload.body_html:
        message.add_alternative(payload.body_html, subtype="html", cte="base64")
    for one in payload.attachments:
        kind, _, sub = one.media_type.partition("/")
        message.add_attachment(one.data, maintype=kind, subtype=sub, filename=one_line(one.name), cte="base64")
    return message


def _bad_address() -> SettingsFault:
    message = (
        "The mail server's address cannot be used: it must be smtp://host or smtps://host, with a port if need be."
    )
    return SettingsFault(
        message, problems=(f"desk.url: {message}",), hint="Set desk.url to smtp://mail.example.com:587."
    )
