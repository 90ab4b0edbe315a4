"""Jira Service Management (Cloud and Data Center), spoken to as a customer through /rest/servicedeskapi.

    create   POST request {serviceDeskId, requestTypeId, requestFieldValues}
    attach   POST servicedesk/{id}/attachTemporaryFile, then POST request/{key}/attachment, one file after the other
    reply    POST request/{key}/comment, or with files POST request/{key}/attachment with the words as its comment
    read     GET  request?requestOwnership=OWNED_REQUESTS, request/{key}, its comment and attachment lists
    dedupe   our key stands in the description; `searchTerm` looks into summaries only, so the own requests are looked through

`desk.queue` is the number of the service desk, `desk.request_type` that of the request type, `desk.fields` names custom fields
("cause=customfield_10042"), which the request type must show. The secret is "e-mail:API token" (Cloud) or an access token.
Articles come as an excerpt with a link: Jira gives their text as a page to embed only. Agents are who is not the reporter.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from client.desks.base import Act
from client.desks.looking import EVERY, At, Page, all_of, look_through
from client.desks.texts import (
    DIGITS,
    MAX_LINE,
    basic,
    checked,
    field_rules,
    missing,
    one_line,
    own_fields,
    routed,
    signed,
    text_of,
    web_link,
    with_ref,
    without_ref,
)
from client.desks.web import NOT_THEIRS, OK, WebDesk, file_body, naming, theirs
from client.desks.wire import jira as wire
from client.model import Article, Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

Item = TypeVar("Item")

API = "/rest/servicedeskapi"
MADE = frozenset({200, 201})
LIMIT = "50"
MAX_PAGES = 20  # of 50: more than anyone looks at
EXPERIMENTAL = {"X-ExperimentalApi": "opt-in"}  # older servers refuse files and articles without it
FILE = {"X-Atlassian-Token": "no-check", **EXPERIMENTAL}
DONE = frozenset({"done", "resolved", "closed", "canceled", "cancelled", "declined"})  # where no category is told
KEY = re.compile(r"[A-Z][A-Z0-9_]{1,30}-[1-9][0-9]{0,9}|[1-9][0-9]{0,17}")


class JiraDesk(WebDesk):
    """A service desk of Jira.

    Args:
        line: the way to it, signed in.
        service_desk: its number.
        request_type: number of the type of new requests.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "jira_service_management"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("queue", "request_type", "fields")
    capabilities: ClassVar[Capabilities] = Capabilities(
        attach="after_creation", dedupe="search", comments=True, own_list=True, rating=True, status=True, articles=True
    )

    def __init__(self, line: Line, *, service_desk: str, request_type: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._service_desk = service_desk
        self._request_type = request_type
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
    ) -> Self:
        """See `Desk.open`. The secret is "e-mail:API token", or an access token alone."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not (queue.isascii() and queue.isdecimal()):
            raise missing("desk.queue", "Jira needs the number of the service desk.")
        if not (request_type.isascii() and request_type.isdecimal()):
            raise missing("desk.request_type", "Jira needs the number of the request type.")
        field_rules(fields)
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=signed(_sign_in))
        return cls(line, service_desk=queue, request_type=request_type, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the request; its files come after it. See `Desk.create`."""
        values = {"summary": payload.subject, "description": with_ref(payload), **own_fields(self._fields, payload)}
        request = {
            "serviceDeskId": self._service_desk,
            "requestTypeId": routed(payload, "request_type", self._request_type, DIGITS),
            "requestFieldValues": values,
        }
        found = await self._line.ask("POST", f"{API}/request", act=Act.WRITE, expect=MADE, json=request)
        return _created(self._line.parse(found, wire.Request, act=Act.WRITE))

    async def find(self, key: str) -> Created | None:
        """The employee's request with our key in its description."""

        async def look(one: wire.Request) -> Created | None:
            mine = key in one.value("description")
            return _created(one, attached=tuple(await self._files(one.issue_key))) if mine else None

        return await look_through(self._own, look, looks=EVERY, most=MAX_PAGES)

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        """Adds one file, for everybody in the request to see."""
        await self._attach(checked(ticket.id, KEY), (attachment,), {})

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own requests in this service desk, newest first, at most `MAX_PAGES` pages of them."""
        own, _ = await all_of(self._own, most=MAX_PAGES)
        own.sort(key=lambda one: one.created_date.epoch_millis if one.created_date else 0, reverse=True)
        return tuple(_ticket(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said in public, oldest first; the first message is the request's description with its files."""
        key = checked(ticket_id, KEY)
        request = await self._read_theirs(f"/request/{key}", wire.Request)
        said = [_comment(one, me=request.reporter) for one in await self._comments(key)]
        told = [one for one in said if one.text or one.from_agent]  # a file alone belongs to the description
        left = Counter(await self._files(key)) - Counter(name for one in told for name in one.attachments)
        first = Comment(
            id=request.issue_key,
            author=one_line(request.reporter.display_name),
            from_agent=False,
            text=without_ref(request.value("description")),
            created_at=_moment(request.created_date),
            attachments=tuple(one_line(name) for name in left.elements()),
        )
        return Conversation(ticket=_ticket(request), comments=(first, *told))

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files."""
        key = checked(ticket_id, KEY)
        if payload.attachments:
            await self._attach(key, payload.attachments, {"additionalComment": {"body": payload.body}})
            return
        said = {"body": payload.body, "public": True}
        path, expect = f"{API}/request/{key}/comment", MADE | NOT_THEIRS
        found = await self._line.ask("POST", path, act=Act.WRITE, expect=expect, json=said)
        self._line.parse(theirs(found), wire.Comment, act=Act.WRITE)

    async def rate(self, ticket_id: str, *, good: bool, words: str = "") -> None:
        """Rates a request: 5 of 5, or 1."""
        path = f"{API}/request/{checked(ticket_id, KEY)}/feedback"
        rating = {"type": "csat", "rating": 5 if good else 1, **({"comment": {"body": words}} if words else {})}
        expect = OK | MADE | NOT_THEIRS
        theirs(await self._line.ask("POST", path, act=Act.KEYED, expect=expect, headers=EXPERIMENTAL, json=rating))

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles for these words, best first; their text is an excerpt."""
        if not words.strip():
            return ()
        path, params = f"/servicedesk/{self._service_desk}/knowledgebase/article", {"query": one_line(words.strip())}
        found = await self._get(path, {**params, "highlight": "false", "limit": LIMIT}, headers=EXPERIMENTAL)
        return tuple(
            Article(
                id=f"desk-{place}",
                title=one_line(one.title, MAX_LINE),
                summary=text_of(one.excerpt),
                body=text_of(one.excerpt),
                source=self._line.host,
            )
            for place, one in enumerate(self._line.parse(found, wire.Paged[wire.Article], act=Act.READ).values)
        )

    async def whoami(self) -> Identity:
        """Whose sign-in it is."""
        found = await self._line.ask("GET", "/rest/api/2/myself", act=Act.READ, expect=OK)
        me = self._line.parse(found, wire.Person, act=Act.READ)
        return Identity(name=one_line(me.display_name or me.name), email=one_line(me.email_address or ""))

    async def _attach(self, key: str, files: tuple[Attachment, ...], beside: dict[str, Any]) -> None:
        ids = [await self._upload(one) for one in files]
        body = {"temporaryAttachmentIds": ids, "public": True, **beside}
        path, expect = f"{API}/request/{key}/attachment", MADE | NOT_THEIRS
        found = await self._line.ask("POST", path, act=Act.WRITE, expect=expect, headers=EXPERIMENTAL, json=body)
        self._line.parse(theirs(found), wire.Attached, act=Act.WRITE)

    async def _upload(self, file: Attachment) -> str:
        # Nothing is made of it until it is referred to, so a broken line here changes nothing.
        kind, body = file_body("file", file)
        with naming((file,)):
            found = await self._line.ask(
                "POST",
                f"{API}/servicedesk/{self._service_desk}/attachTemporaryFile",
                act=Act.READ,
                expect=MADE,
                headers={**FILE, "Content-Type": kind},
                content=body,
            )
        made = self._line.parse(found, wire.Uploaded, act=Act.READ).temporary_attachments
        return made[0].temporary_attachment_id if made else ""

    async def _own(self, at: At) -> Page[wire.Request]:
        params = {"requestOwnership": "OWNED_REQUESTS", "requestStatus": "ALL_REQUESTS"}
        return await self._page(
            "/request", wire.Paged[wire.Request], {**params, "serviceDeskId": self._service_desk}, at
        )

    async def _comments(self, key: str) -> list[wire.Comment]:
        path, params = f"/request/{key}/comment", {"public": "true", "internal": "false", "expand": "attachment"}
        said, _ = await all_of(partial(self._page, path, wire.Paged[wire.Comment], params), most=MAX_PAGES)
        return [one for one in said if one.public]

    async def _files(self, key: str) -> list[str]:
        ask = partial(self._page, f"/request/{key}/attachment", wire.Paged[wire.File], {})
        found, _ = await all_of(ask, most=MAX_PAGES)
        return [one.filename for one in found]

    async def _page(self, path: str, shape: type[wire.Paged[Item]], params: dict[str, str], at: At) -> Page[Item]:
        found = await self._read(path, shape, {**params, "start": str(at.start), "limit": LIMIT})
        return Page(found.values, last=found.is_last_page or not found.values)


def _sign_in(secret: str) -> dict[str, str]:
    user, colon, token = secret.partition(":")
    return basic(user, token) if colon else {"Authorization": f"Bearer {secret}"}


def _moment(date: wire.Date | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(date.epoch_millis / 1000, UTC) if date else None
    except (OverflowError, ValueError, OSError):
        return None


def _comment(one: wire.Comment, *, me: wire.Person) -> Comment:
    """A comment without the references to its files, which Jira writes into the text: "[^name] _(12 kB)_", "!name|thumbnail!"."""
    text = one.body
    for file in one.attachments.values:
        name = re.escape(file.filename)
        text = re.sub(rf"\s*(\[\^{name}\]|!{name}(\|[^!\n]*)?!)(\s*_\([^()\n]*\)_)?", "", text)
    mine = (one.author.account_id, one.author.name) == (me.account_id, me.name)
    return Comment(
        id=one.id,
        author=one_line(one.author.display_name),
        from_agent=not mine,
        text=text if one.attachments.values == () else text.strip(),
        created_at=_moment(one.created),
        attachments=tuple(one_line(file.filename) for file in one.attachments.values),
    )


def _ticket(one: wire.Request) -> Ticket:
    status, made = one.current_status, _created(one)
    return Ticket(
        id=made.id,
        ref=made.ref,
        url=made.url,
        subject=one_line(one.value("summary"), MAX_LINE),
        status=one_line(status.status),
        is_open=(status.status_category != "DONE" if status.status_category else status.status.lower() not in DONE),
        created_at=_moment(one.created_date),
        updated_at=_moment(status.status_date),
    )


def _created(one: wire.Request, *, attached: tuple[str, ...] = ()) -> Created:
    return Created(id=checked(one.issue_key, KEY), ref=one.issue_key, url=web_link(one.links.web), attached=attached)
