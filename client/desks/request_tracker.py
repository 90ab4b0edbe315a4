"""Request Tracker 5 through REST 2, spoken to as an employee without privileges, with an authentication token of their own.

    create   POST /REST/2.0/ticket, files base64 in it: a multipart part cannot be an empty file there
    reply    POST /ticket/{id}/correspond; /comment would be an internal note
    read     GET  /tickets, /ticket/{id}/history, /ticket/{id}/attachments, /attachment/{id}
    dedupe   our key is the custom field "Deskside Ref", and stands in the text for queues that lack the field

`desk.queue` is the queue, `desk.fields` names its custom fields ("cause=Deskside Cause"). Employees need the rights SeeQueue,
CreateTicket, on the custom fields SeeCustomField, SetInitialCustomField and ModifyCustomField, as requestors ShowTicket and
ReplyToTicket, and for articles SeeClass and ShowArticle. A token's second part is the number of its owner.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from client.desks.base import Act
from client.desks.looking import Ask, At, Page, all_of, look_through
from client.desks.texts import (
    DIGITS,
    MAX_LINE,
    checked,
    field_rules,
    missing,
    one_line,
    own_fields,
    routed,
    signed,
    text_of,
    with_ref,
    without_ref,
)
from client.desks.web import OK, WebDesk, naming
from client.desks.wire import request_tracker as wire
from client.errors import DeskBroken, DeskFault, OutcomeUnknown
from client.model import Article, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

Items = TypeVar("Items", wire.Tickets, wire.Transactions, wire.Attachments)

API = "/REST/2.0"
REF_FIELD = "Deskside Ref"
MADE = frozenset({201})
PAGE = 100  # the most that a list gives at once
TICKET_ID = re.compile(r"[1-9][0-9]{0,17}")
KEY = re.compile(r"[A-Za-z0-9-]{8,64}")  # it stands in a query
TOKEN = re.compile(r"[0-9]+-([0-9]+)-[0-9a-f]+")
DONE = frozenset({"resolved", "rejected", "deleted"})  # those that come with it; what a company adds counts as open
PUBLIC = frozenset({"Create", "Correspond"})


class RequestTrackerDesk(WebDesk):
    """A Request Tracker.

    Args:
        line: the way to it, signed in.
        owner: number of the token's owner, empty where the token does not say it.
        queue: where new tickets go.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "request_tracker"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("queue", "fields")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text",
        attach="same_request",
        dedupe="search",
        comments=True,
        own_list=True,
        status=True,
        articles=True,
    )

    def __init__(self, line: Line, *, owner: str, queue: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._owner = owner
        self._queue = queue
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
    ) -> Self:
        """See `Desk.open`. The secret is an authentication token."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not queue:
            raise missing("desk.queue", "Request Tracker needs to know which queue gets the tickets.")
        field_rules(fields)
        sign_in = signed(lambda token: {"Authorization": f"token {token}"})
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=sign_in)
        owner = TOKEN.fullmatch(secret or "")
        return cls(line, owner=owner[1] if owner else "", queue=queue, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket with its files, and asks which of them it has. See `Desk.create`."""
        me = await self._me()
        ticket = {
            "Queue": routed(payload, "queue", self._queue),
            **({"Priority": int(priority)} if (priority := routed(payload, "priority", "", DIGITS)) else {}),
            "Requestor": me.EmailAddress or me.Name,
            "Subject": payload.subject,
            "CustomFields": {**own_fields(self._fields, payload), REF_FIELD: payload.key},
            **_message(with_ref(payload), payload),
        }
        with naming(payload.attachments):
            found = await self._line.ask("POST", f"{API}/ticket", act=Act.WRITE, expect=MADE, json=ticket)
        number = str(self._line.parse(found, wire.Made, act=Act.WRITE).id)
        if not TICKET_ID.fullmatch(number):
            raise OutcomeUnknown("The help desk did not say the ticket's number.")
        try:
            return self._created(number, attached=await self._attached(number) if payload.attachments else ())
        except DeskFault as fault:
            raise OutcomeUnknown("The help desk has made the ticket, but did not say which files it has.") from fault

    async def find(self, key: str) -> Created | None:
        """The employee's ticket with our key: in its custom field, else in the text of one of the newest that have none there."""
        if not KEY.fullmatch(key):
            return None
        hits, _ = await all_of(self._own(f" AND 'CF.{{{REF_FIELD}}}' = '{key}'"))
        if hits:
            number = str(hits[-1].id)
            return self._created(number, attached=await self._attached(number))

        async def look(one: wire.Ticket) -> Created | None:
            number = str(one.id)
            files = [file for file in await self._files(number) if "text/plain" in file.ContentType]
            if files and key in await self._text(files[0]):
                return self._created(number, attached=await self._attached(number))
            return None

        own = self._own(fields="CustomFields")

        async def without(at: At) -> Page[wire.Ticket]:
            page = await own(at)
            left = [
                one for one in page.items if not one.values(REF_FIELD)
            ]  # a ticket of another key need not be opened
            return page._replace(items=left, read=len(page.items))

        return await look_through(without, look, made=lambda one: one.Created)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's tickets, newest first, the first 1,000 of them."""
        own, _ = await all_of(self._own())
        return tuple(self._ticket(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first: the ticket's own text and the public correspondence."""
        ticket = await self._theirs(ticket_id)
        me = await self._me()
        said, _ = await all_of(
            self._pages(f"/ticket/{ticket.id}/history", {"fields": "Type,Creator,Created"}, wire.Transactions)
        )
        files = await self._files(str(ticket.id))
        comments = []
        for one in sorted((one for one in said if one.Type in PUBLIC), key=lambda one: int(one.id)):
            parts = [file for file in files if str(file.TransactionId) == str(one.id)]
            texts = [part for part in parts if not part.Filename and part.ContentType.startswith("text/")]
            plain = [part for part in texts if part.ContentType.startswith("text/plain")]
            text = await self._text((plain or texts)[0]) if texts else ""
            comments.append(
                Comment(
                    id=str(one.id),
                    author=one_line(str(one.Creator.id)),
                    from_agent=str(one.Creator.id) != me.Name,
                    text=without_ref(text) if one.Type == "Create" else text,
                    created_at=one.Created,
                    attachments=_names(parts),
                )
            )
        return Conversation(ticket=self._ticket(ticket), comments=tuple(comments))

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files. Somebody else's ticket would be refused as "400", so it is asked for."""
        ticket = await self._theirs(ticket_id)
        path = f"{API}/ticket/{ticket.id}/correspond"
        with naming(payload.attachments):
            found = await self._line.ask("POST", path, act=Act.WRITE, expect=MADE, json=_message(payload.body, payload))
        self._line.parse(found, tuple[str, ...], act=Act.WRITE)

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles with any of these words in their name or summary, those with the most of them first."""
        terms = list(dict.fromkeys(word for word in re.findall(r"\w{3,40}", words.lower())))[:8]
        if not terms:
            return ()
        query = [{"field": field, "operator": "LIKE", "value": term} for term in terms for field in ("Name", "Summary")]
        found = await self._line.ask(
            "POST",
            f"{API}/articles",
            act=Act.READ,
            expect=OK,
            params={"fields": "Name,Summary,LastUpdated,CustomFields", "per_page": "20"},
            json=[{**one, "entry_aggregator": "OR"} for one in query],
        )
        hits = self._line.parse(found, wire.Articles, act=Act.READ).items

        def fits(one: wire.Article) -> int:
            return sum(term in f"{one.Name} {one.Summary}".lower() for term in terms)

        made = [self._article(one) for one in sorted(hits, key=fits, reverse=True) if fits(one)]
        return tuple(one for one in made if one.body)

    async def whoami(self) -> Identity:
        """Whose token it is."""
        me = await self._me()
        return Identity(name=one_line(me.RealName or me.Name), email=one_line(me.EmailAddress or ""))

    async def _me(self) -> wire.User:
        found = await self._get(f"/user/{self._owner}" if self._owner else "/rt")
        if not self._owner:
            raise DeskBroken("The help desk does not say whose sign-in this is.")
        return self._line.parse(found, wire.User, act=Act.READ)

    def _own(self, more: str = "", *, fields: str = "") -> Ask[wire.Ticket]:
        params = {
            "query": f"Requestor.id = '__CurrentUser__'{more}",
            "fields": ",".join(filter(None, ("Subject,Status,Created,LastUpdated", fields))),
            "orderby": "id",
            "order": "DESC",
        }
        return self._pages("/tickets", params, wire.Tickets)

    def _pages(self, path: str, params: dict[str, str], shape: type[Items]) -> Ask[Any]:
        """Pages may be short where something is not ours to see, so only an empty one is the end."""

        async def ask(at: At) -> Page[Any]:
            found = await self._get(path, {**params, "per_page": str(PAGE), "page": str(at.page)})
            items = self._line.parse(found, shape, act=Act.READ).items
            return Page(items, last=not items, now=found.at)

        return ask

    async def _files(self, number: str) -> list[wire.Attachment]:
        params = {"fields": "Filename,ContentType,TransactionId"}
        found, _ = await all_of(self._pages(f"/ticket/{number}/attachments", params, wire.Attachments))
        return sorted(found, key=lambda one: int(one.id))

    async def _attached(self, number: str) -> tuple[str, ...]:
        files = await self._files(number)
        return _names([one for one in files if one.TransactionId == files[0].TransactionId])

    async def _text(self, part: wire.Attachment) -> str:
        found = await self._read(f"/attachment/{part.id}", wire.Content)
        try:
            text = b64decode(found.Content).decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
        except ValueError as error:
            raise DeskBroken("The help desk's answer cannot be understood.") from error
        return text_of(text) if "html" in part.ContentType else text

    async def _theirs(self, ticket_id: str) -> wire.Ticket:
        return await self._read_theirs(f"/ticket/{checked(ticket_id, TICKET_ID)}", wire.Ticket)

    def _ticket(self, one: wire.Ticket) -> Ticket:
        made = self._created(str(one.id))
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.Subject, MAX_LINE),
            status=one_line(one.Status),
            is_open=one.Status.lower() not in DONE,
            created_at=one.Created,
            updated_at=one.LastUpdated,
        )

    def _created(self, number: str, *, attached: tuple[str, ...] = ()) -> Created:
        page = f"{self._line.base}/SelfService/Display.html?id={number}"
        return Created(id=number, ref=f"#{number}", url=page, attached=attached)

    def _article(self, one: wire.Article) -> Article:
        fields = one.CustomFields if isinstance(one.CustomFields, tuple) else ()
        values = [value for field in fields for value in field.values if value]
        return Article(
            id=f"desk-{one.id}",
            title=one_line(one.Name, MAX_LINE),
            summary=one.Summary or "",
            body="\n\n".join(text_of(value) if "</" in value else value for value in values) or one.Summary or "",
            reviewed_on=one.LastUpdated.date().isoformat() if one.LastUpdated else "",
            source=self._line.host,
        )


def _message(text: str, payload: Payload) -> dict[str, Any]:
    """A text and files. Content that is falsy to Perl would be refused, so an empty file is sent as a line end."""
    files = [
        {
            # It takes the characters of a name for bytes (and fails above 255), then reads those bytes as UTF-8.
            "FileName": one.name.encode().decode("latin-1"),
            "FileType": one.media_type,
            "FileContent": b64encode(one.data).decode() or "\n",
        }
        for one in payload.attachments
    ]
    return {"Content": text, "ContentType": "text/plain", **({"Attachments": files} if files else {})}


def _names(parts: list[wire.Attachment]) -> tuple[str, ...]:
    return tuple(one_line(one.Filename) for one in parts if one.Filename)
