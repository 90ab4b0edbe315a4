"""Zammad, spoken to as a customer with an access token of their own (permission `ticket.customer`).

    create   POST /api/v1/tickets {title, group, article}, files base64 in the article
    reply    POST /api/v1/ticket_articles
    read     GET  /api/v1/tickets, /api/v1/ticket_articles/by_ticket/{id}; internal articles are not shown to customers
    dedupe   our key stands in the text. The search index lags behind, so the newest own tickets are looked through as well.

`desk.queue` is the group, `desk.fields` names attributes that were added to tickets ("cause=deskside_cause"); Zammad drops those
that it does not have. Its documented API has no search of articles for customers, and names no largest file.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, ClassVar, Self

from client.desks.base import Act, CannotDo
from client.desks.looking import MAX_PAGES, At, Page, all_of
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
from client.desks.web import NOT_THEIRS, WebDesk, naming, theirs
from client.desks.wire import zammad as wire
from client.model import Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

API = "/api/v1"
MADE = frozenset({201})
PAGE = 100  # the most that the list gives at once
LOOKS = 10  # newest tickets that are looked into for our key: those that the search may not know yet
TICKET_ID = re.compile(r"[1-9][0-9]{0,17}")
DONE = frozenset({"closed", "merged", "removed"})  # states that come with it; those that a company adds count as open


class ZammadDesk(WebDesk):
    """A Zammad.

    Args:
        line: the way to it, signed in.
        group: where new tickets go.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "zammad"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("queue", "fields")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text", attach="same_request", dedupe="search", comments=True, own_list=True, status=True
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
    ) -> Self:
        """See `Desk.open`. The secret is an access token."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if not queue:
            raise missing("desk.queue", "Zammad needs to know which group gets the tickets.")
        field_rules(fields)
        sign_in = signed(lambda token: {"Authorization": f"Token token={token}"})
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=sign_in)
        return cls(line, group=queue, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket with its files. See `Desk.create`."""
        where = routed(payload, "queue", self._group)
        group: dict[str, Any] = {"group_id": int(where)} if where.isdecimal() else {"group": where}
        if priority := routed(payload, "priority", "", DIGITS):
            group["priority_id"] = int(priority)
        article = _article(with_ref(payload), payload)
        ticket = {"title": payload.subject, **group, "article": article, **own_fields(self._fields, payload)}
        with naming(payload.attachments):
            found = await self._line.ask("POST", f"{API}/tickets", act=Act.WRITE, expect=MADE, json=ticket)
        made = self._line.parse(found, wire.Ticket, act=Act.WRITE)
        # One transaction: the ticket is there with all of its files, or not at all.
        return self._created(made, attached=tuple(one.name for one in payload.attachments))

    async def find(self, key: str) -> Created | None:
        """The employee's ticket with our key in its text: by the search, then by looking into the newest."""
        me = await self._me()
        params = {"query": f'"{key}"', "limit": "20", "expand": "true"}
        hits = await self._read("/tickets/search", tuple[wire.Ticket, ...], params)
        own, whole = await self._own(me)
        newest = sorted(own, key=lambda one: -one.id)[:LOOKS]
        for one in dict.fromkeys([*(hit for hit in hits if hit.customer_id == me.id), *newest]):
            articles = await self._articles(str(one.id))
            if articles and key in articles[0].body:
                return self._created(one, attached=tuple(file.filename for file in articles[0].attachments))
        if not whole:  # "no" would be a guess, and a second ticket its price
            raise CannotDo("The help desk shows you more tickets than can be looked through.")
        return None

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own tickets, newest first; of the first 1,000, for Zammad lists the oldest first."""
        own, _ = await self._own(await self._me())
        return tuple(self._ticket(one) for one in sorted(own, key=lambda one: -one.id))

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first, without internal notes."""
        number = checked(ticket_id, TICKET_ID)
        ticket = await self._read_theirs(f"/tickets/{number}", wire.Ticket, {"expand": "true"})
        shown = [one for one in await self._articles(number) if not one.internal]
        return Conversation(
            ticket=self._ticket(ticket),
            comments=tuple(_comment(one, first=place == 0) for place, one in enumerate(shown)),
        )

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files."""
        number = checked(ticket_id, TICKET_ID)
        article = {"ticket_id": int(number), **_article(payload.body, payload)}
        expect = MADE | NOT_THEIRS
        with naming(payload.attachments):
            found = await self._line.ask("POST", f"{API}/ticket_articles", act=Act.WRITE, expect=expect, json=article)
        self._line.parse(theirs(found), wire.Article, act=Act.WRITE)

    async def whoami(self) -> Identity:
        """Whose token it is."""
        me = await self._me()
        name = f"{me.firstname or ''} {me.lastname or ''}".strip() or me.login
        return Identity(name=one_line(name), email=one_line(me.email or ""))

    async def _me(self) -> wire.Me:
        return await self._read("/users/me", wire.Me)

    async def _own(self, me: wire.Me) -> tuple[list[wire.Ticket], bool]:
        """Own tickets, oldest first, and whether these are all; customers may be shown those of their whole organisation too."""

        async def ask(at: At) -> Page[wire.Ticket]:
            params = {"expand": "true", "page": str(at.page), "per_page": str(PAGE)}
            found = await self._read("/tickets", tuple[wire.Ticket, ...], params)
            return Page([one for one in found if one.customer_id == me.id], last=len(found) < PAGE)

        return await all_of(ask, most=MAX_PAGES)

    async def _articles(self, ticket_id: str) -> list[wire.Article]:
        found = await self._read_theirs(f"/ticket_articles/by_ticket/{ticket_id}", tuple[wire.Article, ...])
        return sorted(found, key=lambda one: one.id)

    def _ticket(self, one: wire.Ticket) -> Ticket:
        made = self._created(one)
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.title, MAX_LINE),
            status=one_line(one.state),
            is_open=one.state.lower() not in DONE,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )

    def _created(self, one: wire.Ticket, *, attached: tuple[str, ...] = ()) -> Created:
        page = f"{self._line.base}/#ticket/zoom/{one.id}"
        return Created(id=str(one.id), ref=one_line(one.number), url=page, attached=attached)


def _article(body: str, payload: Payload) -> dict[str, Any]:
    return {
        "body": body,
        "content_type": "text/plain",
        "type": "web",
        "internal": False,
        "attachments": [
            {"filename": one.name, "data": b64encode(one.data).decode(), "mime-type": one.media_type}
            for one in payload.attachments
        ],
    }


def _comment(one: wire.Article, *, first: bool) -> Comment:
    text = text_of(one.body) if "html" in one.content_type else one.body
    return Comment(
        id=str(one.id),
        author=one_line(one.author or ""),
        from_agent=one.sender != "Customer",
        text=without_ref(text) if first else text,
        created_at=one.created_at,
        attachments=tuple(one_line(file.filename) for file in one.attachments),
    )
