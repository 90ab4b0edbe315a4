"""A signed webhook: one address of a company's own that takes tickets as JSON. The format is in docs/webhook.md.

Everything is a POST of {"event": ...} to `desk.url`, signed with a key that belongs to one employee. The secret is "NAME:KEY".
The receiver makes one ticket of one key, however often it comes, and says which files it has by their SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

import msgspec

from client.desks.base import Act, Desk
from client.desks.texts import one_line, proper_secret, signed, web_link
from client.errors import DeskBroken, OutcomeUnknown, SignInNeeded, TooLarge
from client.model import Capabilities, Created, Identity, Payload

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

Shape = TypeVar("Shape")

MADE = frozenset({200, 201})  # 200: it was there already
OK = frozenset({200})
MAX_FILES_BYTES = 10 * 1024 * 1024  # of one ticket together; docs/webhook.md asks receivers to take as much


class _File(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Ticket(msgspec.Struct, frozen=True):
    id: str
    key: str
    ref: str = ""
    url: str = ""
    attachments: tuple[_File, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    ticket: _Ticket | None  # must be said: an answer without it answers another question


class _Me(msgspec.Struct, frozen=True):
    name: str
    email: str = ""


def _user(secret: str) -> dict[str, str]:
    name, _, key = secret.partition(":")
    if not (name and key):
        raise SignInNeeded("The sign-in that is kept on this computer cannot be right.", hint="It is NAME:KEY.")
    return {"Deskside-Key-Name": name}


class WebhookDesk(Desk):
    """A receiver of signed tickets.

    Args:
        line: the way to it.
        secret: "NAME:KEY".
        clock: seconds since 1970.
    """

    kind: ClassVar[str] = "webhook"
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text", attach="same_request", dedupe="key", max_file_bytes=MAX_FILES_BYTES
    )

    def __init__(self, line: Line, *, secret: str | None, clock: Callable[[], float] = time.time) -> None:
        self._line = line
        self._secret = secret
        self._clock = clock

    def __repr__(self) -> str:
        return f"WebhookDesk({self._line!r})"

    @classmethod
    def open(cls, url: str, *, network: NetworkSettings, secret: str | None, version: str) -> Self:
        """See `Desk.open`. The address is the receiver's own, path included."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        line = Line(url, network=network, version=version, secret=secret, sign_in=signed(_user))
        return cls(line, secret=secret)

    async def create(self, payload: Payload) -> Created:
        """Sends the ticket with its files, once or again. See `Desk.create`."""
        largest = max(payload.attachments, key=lambda one: len(one.data)).name if payload.attachments else ""
        if sum(len(one.data) for one in payload.attachments) > MAX_FILES_BYTES:
            raise _too_large(largest)
        ticket = {
            "event": "ticket.create",
            "key": payload.key,
            "subject": payload.subject,
            "body": payload.body,
            "body_html": payload.body_html,
            "fields": payload.fields,
            "attachments": [
                {
                    "name": one.name,
                    "media_type": one.media_type,
                    "sha256": hashlib.sha256(one.data).hexdigest(),
                    "data": b64encode(one.data).decode(),
                }
                for one in payload.attachments
            ],
        }
        try:
            made = await self._post(ticket, _Ticket, act=Act.KEYED, expect=MADE, key=payload.key)
        except TooLarge as fault:
            if fault.name or not largest:
                raise
            raise _too_large(largest, words=fault.words) from fault
        if made.key != payload.key or not made.id:
            raise OutcomeUnknown("The help desk's answer is about another ticket.")
        there = [one.sha256 for one in made.attachments]
        attached = []
        for one in payload.attachments:
            mark = hashlib.sha256(one.data).hexdigest()
            if mark in there:
                there.remove(mark)
                attached.append(one.name)
        return _created(made, attached=tuple(attached))

    async def find(self, key: str) -> Created | None:
        """The ticket that this key has made."""
        found = await self._post({"event": "ticket.find", "key": key}, _Found, act=Act.READ, expect=OK)
        if found.ticket is None:
            return None
        if found.ticket.key != key or not found.ticket.id:
            raise DeskBroken("The help desk's answer is about another ticket.")
        return _created(found.ticket, attached=tuple(one_line(one.name) for one in found.ticket.attachments))

    async def whoami(self) -> Identity:
        """Whose key it is."""
        me = await self._post({"event": "whoami"}, _Me, act=Act.READ, expect=OK)
        return Identity(name=one_line(me.name), email=one_line(me.email))

    async def close(self) -> None:
        """Lets go of connections."""
        await self._line.close()

    async def _post(
        self, message: Mapping[str, object], shape: type[Shape], *, act: Act, expect: frozenset[int], key: str = ""
    ) -> Shape:
        body = msgspec.json.encode(message)
        moment = str(int(self._clock()))
        secret = proper_secret(self._secret).partition(":")[2]
        headers = {
            "Content-Type": "application/json",
            "Deskside-Timestamp": moment,
            "Deskside-Signature": f"v1={signature(secret, moment, body)}",
            **({"Idempotency-Key": key} if key else {}),
        }
        found = await self._line.ask("POST", "", act=act, expect=expect, headers=headers, content=body)
        return self._line.parse(found, shape, act=act)


def signature(key: str, moment: str, body: bytes) -> str:
    """HMAC-SHA256 over the moment, a full stop and the body as it is sent, in hexadecimal digits."""
    return hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def _too_large(name: str, *, words: str = "") -> TooLarge:
    return TooLarge(f"The files are too large for the help desk; the largest is {name}.", name=name, words=words)


def _created(one: _Ticket, *, attached: tuple[str, ...]) -> Created:
    return Created(id=one.id, ref=one_line(one.ref or one.id), url=web_link(one.url), attached=attached)
