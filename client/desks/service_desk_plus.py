"""ManageEngine ServiceDesk Plus, API v3, on premises and in the cloud.

    create   POST /api/v3/requests, a form whose field `input_data` is JSON
    attach   PUT  /api/v3/requests/{id}/upload, multipart `input_file`, one file a request
    reply    POST /api/v3/requests/{id}/notes, shown to the requester, after its files
    read     GET  /api/v3/requests?input_data={list_info}, /api/v3/requests/{id}, /api/v3/requests/{id}/notes
    dedupe   our key stands in the description; own requests are looked through, newest first

The secret is "ADDRESS:KEY": the employee's e-mail address, which is the requester, and a key of ServiceDesk Plus or a Zoho OAuth
token. A technician's key sees everybody's requests and writes in everybody's name, so opening refuses unless `desk.personal_key`
says that everyone signs in with one of their own; all others are for the employee API. In the cloud `desk.url` ends with the
portal: https://sdpondemand.manageengine.com/app/itdesk.

`desk.queue` is the name of a group, `desk.request_type` that of a request type, `desk.fields` names additional fields
("cause=udf_sline_1201"). What technicians answer by e-mail is not among the notes and reaches the employee by e-mail. Files belong
to the request and are told with the first message. No search of solutions is documented for requesters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self
from urllib.parse import urlencode

import msgspec

from client.desks.base import Act
from client.desks.looking import At, Page, all_of, look_through
from client.desks.texts import (
    MAX_LINE,
    checked,
    field_rules,
    html_of,
    not_yours,
    one_line,
    own_fields,
    proper_secret,
    routed,
    signed,
    text_of,
    with_ref,
    without_ref,
)
from client.desks.web import NOT_THEIRS, OK, WebDesk, addressed, file_body, naming, theirs
from client.desks.wire import service_desk_plus as wire
from client.errors import SettingsFault
from client.model import Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Answer, Line
    from client.desks.web import Shape

REQUESTS: Final = "/requests"
MADE: Final = frozenset({200, 201})
PAGE: Final = 100
MAX_SUBJECT: Final = 250
ACCEPT: Final = {"Accept": "application/vnd.manageengine.sdp.v3+json"}
DONE: Final = frozenset(
    {"resolved", "closed", "cancelled", "canceled", "rejected"}
)  # those that a company adds are open
NUMBER: Final = re.compile(r"[1-9][0-9]{0,19}")
ZOHO: Final = re.compile(r"1[0-9]{3}\.[0-9a-f]+\.[0-9a-f]+")
ELSEWHERE: Final = "The help desk shows this message on its own pages only."


class ServiceDeskPlusDesk(WebDesk):
    """A ServiceDesk Plus.

    Args:
        line: the way to it, signed in.
        secret: "ADDRESS:KEY".
        group: name of the group for new requests, empty for what the desk's own rules say.
        request_type: name of their type, likewise.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "service_desk_plus"
    api: ClassVar[str] = "/api/v3"
    wants: ClassVar[tuple[str, ...]] = ("queue", "request_type", "fields", "personal_key")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text", attach="after_creation", dedupe="search", comments=True, own_list=True, status=True
    )

    def __init__(
        self, line: Line, *, secret: str | None, group: str, request_type: str, fields: tuple[str, ...]
    ) -> None:
        super().__init__(line)
        self._secret = secret
        self._group = group
        self._type = request_type
        self._fields = fields

    @classmethod
    def open(
        cls,
        url: str,
        *,
        network: NetworkSettings,
        secret: str | None,
        version: str,
        queue: str = "",
        request_type: str = "",
        fields: tuple[str, ...] = (),
        personal_key: bool = False,
    ) -> Self:
        """See `Desk.open`. The secret is "ADDRESS:KEY".

        Raises:
            SettingsFault: nobody has said that each employee has a key of their own.
        """
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not personal_key:
            message = (
                "A technician's key of ServiceDesk Plus opens everybody's requests, so it may not be on every computer."
            )
            hint = (
                'Offer the employee API in front of it (desk.kind = "employee"), or set desk.personal_key = true where everyone'
                " signs in with a key of their own."
            )
            raise SettingsFault(message, problems=(f"desk.personal_key: {message} {hint}",), hint=hint)
        field_rules(fields)
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=signed(_sign_in))
        return cls(line, secret=secret, group=queue, request_type=request_type, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the request; its files come after it. See `Desk.create`."""
        fields = own_fields(self._fields, payload)
        request = {
            "subject": one_line(payload.subject, MAX_SUBJECT),
            "description": html_of(with_ref(payload)),
            "requester": {"email_id": self._address()},
            **{
                name: {"name": value}
                for name, value in {
                    "group": routed(payload, "queue", self._group),
                    "request_type": routed(payload, "request_type", self._type),
                    "category": routed(payload, "category", ""),
                    "priority": routed(payload, "priority", ""),
                }.items()
                if value
            },
            **({"udf_fields": fields} if fields else {}),
        }
        found = await self._send("POST", REQUESTS, {"request": request}, expect=MADE)
        return self._created(self._parse(found, wire.One, act=Act.WRITE).request)

    async def find(self, key: str) -> Created | None:
        """The employee's request with our key in its description."""

        async def look(one: wire.Request) -> Created | None:
            whole = await self._whole(str(one.id))
            return self._created(whole, attached=whole.names) if key in text_of(whole.description or "") else None

        return await look_through(self._own, look, made=lambda one: one.made)

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        """Adds one file."""
        kind, body = file_body("input_file", attachment)
        with naming((attachment,)):
            found = await self._line.ask(
                "PUT",
                f"{self.api}{REQUESTS}/{checked(ticket.id, NUMBER)}/upload",
                act=Act.WRITE,
                expect=MADE,
                headers={**ACCEPT, "Content-Type": kind},
                content=body,
            )
        self._parse(found, wire.Uploaded, act=Act.WRITE)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own requests, newest first."""
        own, _ = await all_of(self._own)
        return tuple(self._told(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said in notes for the requester, oldest first; the first message is the request's description with all files."""
        request, address = await self._mine(ticket_id), self._address()
        first = Comment(
            id=str(request.id),
            author=one_line((request.requester and request.requester.name) or address),
            from_agent=False,
            text=without_ref(text_of(request.description or "")),
            created_at=request.made,
            attachments=tuple(one_line(name) for name in request.names),
        )
        notes = [await self._note(str(request.id), one) for one in await self._notes(str(request.id))]
        return Conversation(ticket=self._told(request), comments=(first, *(_comment(one, address) for one in notes)))

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply: its files first, and of them those that an earlier attempt has not brought there."""
        request = await self._mine(ticket_id)
        there = {(one.name, one.bytes) for one in request.attachments or ()}
        for one in payload.attachments:
            if (one.name, len(one.data)) not in there:
                await self.attach(self._created(request), one)
        note = {"description": html_of(payload.body), "show_to_requester": True, "notify_technician": True}
        path = f"{REQUESTS}/{request.id}/notes"
        found = await self._send("POST", path, {"note": note}, expect=MADE | NOT_THEIRS)
        self._parse(theirs(found), wire.OneNote, act=Act.WRITE)

    async def whoami(self) -> Identity:
        """Whether the key is accepted; the address is as the employee has written it."""
        address = self._address()
        await self._own(At(1, 0))
        return Identity(name=address, email=address)

    def _address(self) -> str:
        return addressed(proper_secret(self._secret))[0]

    async def _own(self, at: At) -> Page[wire.Request]:
        address = self._address()
        wanted = {
            "row_count": PAGE,
            "start_index": at.start + 1,
            "sort_field": "created_time",
            "sort_order": "desc",
            "search_criteria": [{"field": "requester.email_id", "condition": "is", "value": address}],
        }
        found = await self._ask(REQUESTS, {"list_info": wanted})
        some = self._parse(found, wire.Requests, act=Act.READ)
        # A technician's key is shown everybody's where a version does not know the criterion.
        own = [one for one in some.requests if one.requester and one.requester.has(address)]
        return Page(own, not some.list_info.has_more_rows or not some.requests, len(some.requests), found.at)

    async def _whole(self, number: str) -> wire.Request:
        found = await self._ask(f"{REQUESTS}/{number}", None, expect=OK | NOT_THEIRS)
        return self._parse(theirs(found), wire.One, act=Act.READ).request

    async def _mine(self, ticket_id: str) -> wire.Request:
        request = await self._whole(checked(ticket_id, NUMBER))
        if not (request.requester and request.requester.has(self._address())):
            raise not_yours()
        return request

    async def _notes(self, number: str) -> list[wire.Note]:
        async def page(at: At) -> Page[wire.Note]:
            wanted = {"row_count": PAGE, "start_index": at.start + 1, "sort_field": "added_time", "sort_order": "asc"}
            some = self._parse(
                await self._ask(f"{REQUESTS}/{number}/notes", {"list_info": wanted}), wire.Notes, act=Act.READ
            )
            shown = [one for one in some.notes if one.show_to_requester]
            return Page(shown, not some.list_info.has_more_rows or not some.notes, len(some.notes))

        notes, _ = await all_of(page)
        return notes

    async def _note(self, number: str, one: wire.Note) -> wire.Note:
        """The note with its text, which lists leave out."""
        if one.description is not None:
            return one
        found = await self._ask(f"{REQUESTS}/{number}/notes/{one.id}", None)
        return self._parse(found, wire.OneNote, act=Act.READ).note

    async def _ask(self, path: str, wanted: dict[str, Any] | None, *, expect: frozenset[int] = OK) -> Answer:
        params = {"input_data": msgspec.json.encode(wanted).decode()} if wanted else None
        return await self._get(path, params, expect=expect, headers=ACCEPT)

    async def _send(self, method: str, path: str, data: dict[str, Any], *, expect: frozenset[int]) -> Answer:
        form = urlencode({"input_data": msgspec.json.encode(data).decode()}).encode()
        headers = {**ACCEPT, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._line.ask(
            method, self.api + path, act=Act.WRITE, expect=expect, headers=headers, content=form
        )

    def _parse(self, found: Answer, shape: type[Shape], *, act: Act) -> Shape:
        """As `Line.parse`; a refusal may come with any status."""
        if self._line.parse(found, wire.Said, act=act).failed:
            from client.desks.translate import no_answer  # noqa: PLC0415 -- brings httpx, which is here by now

            secret = self._secret or ""
            raise no_answer(400, found.headers, found.body, host=self._line.host, act=act, secret=secret)
        return self._line.parse(found, shape, act=act)

    def _told(self, one: wire.Request) -> Ticket:
        made = self._created(one)
        status = one.status.name if one.status else ""
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.subject or "", MAX_LINE),
            status=one_line(status),
            is_open=status.lower() not in DONE,
            created_at=one.made,
            updated_at=one.changed,
        )

    def _created(self, one: wire.Request, *, attached: tuple[str, ...] = ()) -> Created:
        page = f"{self._line.base}/WorkOrder.do?woMode=viewWO&woID={one.id}"
        return Created(id=str(one.id), ref=one_line(str(one.display_id or one.id)), url=page, attached=attached)


def _sign_in(secret: str) -> dict[str, str]:
    _, key = addressed(secret)
    return {"Authorization": f"Zoho-oauthtoken {key}"} if ZOHO.fullmatch(key) else {"authtoken": key}


def _comment(one: wire.Note, address: str) -> Comment:
    mine = one.added_by is not None and one.added_by.has(address)
    return Comment(
        id=str(one.id),
        author=one_line((one.added_by and one.added_by.name) or "Help desk"),
        from_agent=not mine,
        text=text_of(one.description) if one.description is not None else ELSEWHERE,
        created_at=one.made,
    )
