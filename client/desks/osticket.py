"""osTicket 1.18, which takes new tickets through its API and tells nothing: no list, no search, no replies.

    create   POST /api/tickets.json {name, email, subject, message, attachments}, text and files as `data:` addresses

The answer is the bare number as text/html. What it refuses it answers with 500 and plain words; with 201 it may still have
dropped a file that is too large or of a kind it does not take (its agents see a note that says so). Nobody can ask for a ticket,
so `dedupe` is "none": after an unclear answer the employee decides.

A key of osTicket belongs to the network address of one computer, names nobody, and sends tickets in everybody's name. On every
computer it would be a shared key, so opening refuses unless `desk.personal_key` says that each computer has an address and a key of
its own; all others are for the employee API. The secret is "ADDRESS:KEY": the employee's e-mail address, under which osTicket finds
or makes the person, and the key. `desk.request_type` is the number of a help topic, `desk.fields` names fields of osTicket's ticket
form ("cause=deskside_cause"); osTicket drops those that it does not have.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from client.desks.base import Act
from client.desks.texts import (
    DIGITS,
    field_rules,
    missing,
    one_line,
    own_fields,
    proper_secret,
    routed,
    signed,
    with_ref,
)
from client.desks.web import WebDesk, addressed, too_large
from client.errors import SettingsFault, SignInNeeded
from client.model import Attachment, Capabilities, Created, Identity, Payload

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Answer, Line

TICKETS: Final = "/api/tickets.json"
MADE: Final = 201
MALFORMED: Final = 400  # what an accepted key is told when it sends no ticket
ANSWERS: Final = frozenset({MADE, MALFORMED, 500})
# A new osTicket drops larger files and tells only its agents. A company may have raised that, but osTicket cannot be asked.
MAX_FILE_BYTES: Final = 1024 * 1024
NUMBER: Final = re.compile(r"(?=.*[0-9])[A-Za-z0-9._#/-]{1,32}")
REFUSED: Final = "Unable to create new ticket :"
FULL: Final = "You've reached the maximum open tickets allowed."


class OsTicketDesk(WebDesk):
    """An osTicket.

    Args:
        line: the way to it.
        secret: "ADDRESS:KEY".
        topic: number of the help topic, empty for osTicket's own choice.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "osticket"
    wants: ClassVar[tuple[str, ...]] = ("request_type", "fields", "personal_key")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text", attach="same_request", max_file_bytes=MAX_FILE_BYTES
    )

    def __init__(self, line: Line, *, secret: str | None, topic: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._secret = secret
        self._topic = topic
        self._fields = fields

    @classmethod
    def open(
        cls,
        url: str,
        *,
        network: NetworkSettings,
        secret: str | None,
        version: str,
        request_type: str = "",
        fields: tuple[str, ...] = (),
        personal_key: bool = False,
    ) -> Self:
        """See `Desk.open`. The secret is "ADDRESS:KEY".

        Raises:
            SettingsFault: nobody has said that each computer has a key of its own.
        """
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not personal_key:
            message = (
                "A key of osTicket sends tickets in everybody's name, so the same one may not be on every computer."
            )
            hint = (
                'Offer the employee API in front of it (desk.kind = "employee"), or set desk.personal_key = true where each'
                " computer has a fixed network address and a key of its own."
            )
            raise SettingsFault(message, problems=(f"desk.personal_key: {message} {hint}",), hint=hint)
        if request_type and not (request_type.isascii() and request_type.isdecimal()):
            raise missing("desk.request_type", "osTicket needs the number of a help topic here.")
        field_rules(fields)
        sign_in = signed(lambda secret: {"X-API-Key": addressed(secret)[1]})
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=sign_in)
        return cls(line, secret=secret, topic=request_type, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket with its files. See `Desk.create`.

        Raises:
            TooLarge: a file is larger than osTicket keeps by itself.
        """
        from client.desks.translate import no_answer, not_the_desk  # noqa: PLC0415 -- brings httpx

        address, _ = self._who()
        for one in payload.attachments:
            if len(one.data) > MAX_FILE_BYTES:
                raise too_large((one,))
        # It keeps no empty file, and of files with the same content one. What is left out is not told as attached.
        files = {one.data: one for one in reversed(payload.attachments) if one.data}
        kept = [one for one in payload.attachments if files.get(one.data) is one]
        ticket: dict[str, Any] = {
            **own_fields(self._fields, payload),
            "name": address.partition("@")[0],
            "email": address,
            "subject": one_line(payload.subject, 200),
            "message": f"data:text/plain;charset=utf-8,{with_ref(payload)}",
            "attachments": [_file(one) for one in kept],
            **({"topicId": topic} if (topic := routed(payload, "request_type", self._topic, DIGITS)) else {}),
            **({"priority": priority} if (priority := routed(payload, "priority", "", DIGITS)) else {}),
        }
        found = await self._post(ticket, act=Act.WRITE)
        number = _said(found)
        if found.status != MADE:
            words = _refusal(number)
            # 500 without such words: a fault, which may come after the ticket was made. 400 is about what was sent.
            status = MALFORMED if words or found.status == MALFORMED else found.status
            body = (words or number).encode()
            raise no_answer(status, {}, body, host=self._line.host, act=Act.WRITE, secret=self._secret or "")
        if not NUMBER.fullmatch(number):
            raise not_the_desk("The help desk answered without the number of a ticket.", act=Act.WRITE, yes=True)
        return Created(
            id=number,
            ref=number,
            url=f"{self._line.base}/view.php",  # asks for address and number
            attached=tuple(one.name for one in kept),
        )

    async def whoami(self) -> Identity:
        """Whether osTicket accepts the key: it looks at the key first and at what is sent second, and an empty ticket is none.

        Its system log notes this as a warning.
        """
        from client.desks.translate import not_the_desk  # noqa: PLC0415 -- brings httpx

        address, _ = self._who()
        found = await self._post({}, act=Act.READ)
        if found.status != MALFORMED or not _said(found):
            raise not_the_desk("Something else than osTicket answered.", act=Act.READ)
        return Identity(name=address.partition("@")[0], email=address)

    async def _post(self, ticket: dict[str, Any], *, act: Act) -> Answer:
        signed_in = bool(self._secret)
        try:
            return await self._line.ask("POST", TICKETS, act=act, expect=ANSWERS, json=ticket)
        except SignInNeeded as fault:
            if not signed_in:
                raise
            raise SignInNeeded(
                "The help desk does not accept this key from this computer's present network address.",
                hint="A key of osTicket is good for one address only. Sign in again, or tell your IT department.",
                words=fault.words,
            ) from fault

    def _who(self) -> tuple[str, str]:
        return addressed(proper_secret(self._secret))


def _file(one: Attachment) -> dict[str, str]:
    # osTicket reads nothing but ";base64" behind the media type: with a parameter before it, it keeps the letters of base64.
    kind = one.media_type.partition(";")[0].strip()
    return {one.name: f"data:{kind};base64,{b64encode(one.data).decode()}"}


def _said(found: Answer) -> str:
    """What osTicket says, which it calls HTML and which is plain text; empty for whatever else has answered."""
    words = found.body.decode("utf-8", "replace").strip()
    plain = found.headers.get("content-type", "").startswith("text/html") and "<" not in words
    return words if plain and len(words) <= 2000 else ""  # noqa: PLR2004 -- more than a form with all its fields missing


def _refusal(words: str) -> str:
    """What osTicket did not accept, of "Unable to create new ticket :" and then names and words in turn, a line each.

    Empty where this cannot be known, such as "unknown error", which may come after the ticket was made.
    """
    if not words.startswith(REFUSED):
        return ""
    lines = words.removeprefix(REFUSED).split("\n")
    told = dict(zip(lines[::2], lines[1::2], strict=False))
    sure = all(name == "user" or name.isdecimal() or (name == "err" and why == FULL) for name, why in told.items())
    return "; ".join(told.values()) if sure else ""
