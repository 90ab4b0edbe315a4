"""Freshservice, spoken to with the API key of an employee who is an agent.

    create   POST /api/v2/tickets, multipart with attachments[], in the name of the key's owner
    reply    POST /api/v2/tickets/{id}/notes, public and incoming: /reply would send the words to the employee instead
    read     GET  /api/v2/tickets?email=, /api/v2/tickets/{id}, /api/v2/tickets/{id}/conversations; private notes are left out here
    dedupe   our key stands in the description; no search is documented for it, so own tickets are looked through, newest first

Only agents have keys, and a key sees and writes everybody's tickets. On every machine it would be a shared key of the whole desk,
so opening refuses unless `desk.personal_key` says that everyone signs in with a key of their own; all others are for the employee
API. `desk.queue` is the number of a group, `desk.fields` names custom fields ("cause=deskside_cause"). Copies of the documentation
differ on how large a ticket's files may be (15 or 20 MB together), so none is promised. Who wrote an answer is told as a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self

from client.desks.base import Act
from client.desks.looking import Ask, At, Page, all_of, look_through
from client.desks.texts import (
    MAX_LINE,
    basic,
    checked,
    field_rules,
    html_of,
    missing,
    not_yours,
    one_line,
    own_fields,
    routed,
    signed,
    text_of,
    with_ref,
    without_ref,
)
from client.desks.web import WebDesk, naming
from client.desks.wire import freshservice as wire
from client.errors import SettingsFault
from client.model import Article, Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Answer, Line

API = "/api/v2"
MADE = frozenset({201})
PER_PAGE = 100
TALK_PAGE = 30  # messages; the most that is given at once
ALWAYS = "2000-01-01T00:00:00Z"  # without a time, only tickets of the last 30 days are listed
PRIORITIES = {"low": "1", "medium": "2", "high": "3", "critical": "4"}
STATUSES = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed"}  # a company may add more
DONE = frozenset({4, 5})
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
PRIORITY = re.compile(r"[1-4]")


class FreshserviceDesk(WebDesk):
    """A Freshservice.

    Args:
        line: the way to it, signed in.
        group: number of the group for new tickets, empty for what the desk's own rules say.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "freshservice"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("queue", "fields", "personal_key")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="html", attach="same_request", dedupe="search", comments=True, own_list=True, status=True, articles=True
    )

    def __init__(self, line: Line, *, group: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._group = group
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
        fields: tuple[str, ...] = (),
        personal_key: bool = False,
    ) -> Self:
        """See `Desk.open`. The secret is an API key.

        Raises:
            SettingsFault: nobody has said that each employee has a key of their own.
        """
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not personal_key:
            message = "Freshservice knows keys of agents only, and such a key on every computer would open the whole help desk."
            hint = (
                'Offer the employee API in front of it (desk.kind = "employee"), or set desk.personal_key = true where everyone'
                " signs in with a key of their own."
            )
            raise SettingsFault(message, problems=(f"desk.personal_key: {message} {hint}",), hint=hint)
        if queue and not NUMBER.fullmatch(queue):
            raise missing("desk.queue", "Freshservice needs the number of a group here.")
        field_rules(fields)
        sign_in = signed(lambda key: basic(key, "X"))
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=sign_in)
        return cls(line, group=queue, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket with its files, in the name of whose key it is. See `Desk.create`."""
        me = await self._me()
        values = {
            "requester_id": str(me.id),
            "subject": payload.subject,
            "description": html_of(with_ref(payload)),
            "status": "2",
            "priority": routed(payload, "priority", PRIORITIES.get(payload.fields.get("severity", ""), "1"), PRIORITY),
            **({"group_id": group} if (group := routed(payload, "queue", self._group, NUMBER)) else {}),
            **({"category": category} if (category := routed(payload, "category", "")) else {}),
            **{f"custom_fields[{name}]": value for name, value in own_fields(self._fields, payload).items()},
        }
        found = await self._post("/tickets", values, payload.attachments)
        return self._created(self._line.parse(found, wire.One, act=Act.WRITE).ticket)

    async def find(self, key: str) -> Created | None:
        """The employee's ticket with our key in its description."""

        async def look(one: wire.Ticket) -> Created | None:
            ticket = await self._ticket(str(one.id))
            return self._created(ticket) if key in (ticket.description or "") else None

        return await look_through(self._own(await self._me()), look, made=lambda one: one.created_at)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own tickets, newest first, the first 1,000 of them."""
        own, _ = await all_of(self._own(await self._me()))
        return tuple(self._told(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first, without private notes; the first message is the ticket's own text."""
        ticket, me = await self._mine(ticket_id)

        async def ask(at: At) -> Page[wire.Message]:
            params = {"page": str(at.page), "per_page": str(TALK_PAGE)}
            more = (await self._read(f"/tickets/{ticket.id}/conversations", wire.Talk, params)).conversations
            return Page(more, last=len(more) < TALK_PAGE)

        said, _ = await all_of(ask)
        first = wire.Message(
            id=ticket.id,
            user_id=ticket.requester_id,
            body=html_of(without_ref(text_of(ticket.description or ""))),
            private=False,
            created_at=ticket.created_at,
            attachments=ticket.attachments,
        )
        comments = tuple(_comment(one, me) for one in (first, *said) if not one.private)
        return Conversation(ticket=self._told(ticket), comments=comments)

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files; only to a ticket of their own, although the key could write to any."""
        ticket, _ = await self._mine(ticket_id)
        values = {
            "body": html_of(payload.body),
            "private": "false",
            "incoming": "true",
            "user_id": str(ticket.requester_id),
        }
        found = await self._post(f"/tickets/{ticket.id}/notes", values, payload.attachments)
        self._line.parse(found, wire.Said, act=Act.WRITE)

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles that the employee may read for these words, best first."""
        if not words.strip():
            return ()
        params = {"search_term": one_line(words.strip()), "user_email": (await self._me()).email}
        found = await self._read("/solutions/articles/search", wire.Found, params)
        return tuple(
            Article(
                id=f"desk-{one.id}",
                title=one_line(one.title, MAX_LINE),
                summary=one_line(text_of(one.description or "")),
                body=text_of(one.description or ""),
                reviewed_on=one.updated_at.date().isoformat() if one.updated_at else "",
                source=self._line.host,
            )
            for one in found.articles
        )

    async def whoami(self) -> Identity:
        """Whose key it is."""
        me = await self._me()
        return Identity(name=_name(me), email=one_line(me.email))

    async def _me(self) -> wire.Agent:
        return (await self._read("/agents/me", wire.Me)).agent

    def _own(self, me: wire.Agent) -> Ask[wire.Ticket]:
        async def ask(at: At) -> Page[wire.Ticket]:
            params = {"email": me.email, "updated_since": ALWAYS, "page": str(at.page), "per_page": str(PER_PAGE)}
            found = await self._get("/tickets", {**params, "order_type": "desc"})
            some = self._line.parse(found, wire.List, act=Act.READ).tickets
            own = sorted((one for one in some if one.requester_id == me.id), key=lambda one: -one.id)
            return Page(own, last=len(some) < PER_PAGE, now=found.at)

        return ask

    async def _mine(self, ticket_id: str) -> tuple[wire.Ticket, wire.Agent]:
        ticket = await self._ticket(checked(ticket_id, NUMBER))
        me = await self._me()
        if ticket.requester_id != me.id:
            raise not_yours()
        return ticket, me

    async def _ticket(self, number: str) -> wire.Ticket:
        return (await self._read_theirs(f"/tickets/{number}", wire.One)).ticket

    async def _post(self, path: str, values: dict[str, str], files: tuple[Attachment, ...]) -> Answer:
        # Ruby's Rack takes %-escapes out of file names, so what looks like one must be escaped itself.
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            *((name, (None, value.encode(), "text/plain; charset=utf-8")) for name, value in values.items()),
            *(("attachments[]", (one.name.replace("%", "%25"), one.data, one.media_type)) for one in files),
        ]
        with naming(files):
            return await self._line.ask("POST", API + path, act=Act.WRITE, expect=MADE, files=parts)

    def _told(self, one: wire.Ticket) -> Ticket:
        made = self._created(one)
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.subject or "", MAX_LINE),
            status=STATUSES.get(one.status, f"Status {one.status}"),
            is_open=one.status not in DONE,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )

    def _created(self, one: wire.Ticket) -> Created:
        page = f"{self._line.base}/support/tickets/{one.id}"
        return Created(id=str(one.id), ref=str(one.id), url=page, attached=tuple(file.name for file in one.attachments))


def _name(me: wire.Agent) -> str:
    return one_line(f"{me.first_name or ''} {me.last_name or ''}".strip() or me.email)


def _comment(one: wire.Message, me: wire.Agent) -> Comment:
    mine = one.user_id == me.id
    return Comment(
        id=str(one.id),
        author=_name(me) if mine else "Help desk",
        from_agent=not mine,
        text=text_of(one.body or ""),
        created_at=one.created_at,
        attachments=tuple(one_line(file.name) for file in one.attachments),
    )
