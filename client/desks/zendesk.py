"""Zendesk, spoken to as an end user through its Requests API, with an OAuth access token of their own.

    create   each file first: POST /api/v2/uploads?filename=, a token that lasts 60 minutes; then POST /api/v2/requests
    reply    PUT  /api/v2/requests/{id}
    read     GET  /api/v2/requests, /api/v2/requests/{id}/comments; end users are shown public comments only
    dedupe   our key stands in the text; the list has each request's text, so no search index has to catch up

`Idempotency-Key` is documented for creating tickets, not for requests: it is sent, and not relied upon. `desk.fields` names custom
fields by number ("cause=360001"), which end users must be allowed to edit. `desk.request_type` is the number of a form.

An API token of Zendesk ("name/token:...") can speak as anybody of the company, so it is refused: it is no employee's own.
"""

from __future__ import annotations

import re
from time import time
from typing import TYPE_CHECKING, Any, ClassVar, Self

from client.desks.base import Act
from client.desks.looking import EVERY, At, Page, all_of, look_through
from client.desks.texts import (
    MAX_LINE,
    checked,
    field_rules,
    one_line,
    own_fields,
    routed,
    signed,
    text_of,
    web_link,
    with_ref,
    without_ref,
)
from client.desks.web import NOT_THEIRS, OK, WebDesk, naming, theirs
from client.desks.wire import zendesk as wire
from client.errors import DeskFault, DeskRefused, OutcomeUnknown, SettingsFault, SignInNeeded
from client.model import Article, Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

API = "/api/v2"
MADE = frozenset({201})
PER_PAGE = "100"
UPLOAD_LASTS_S = 3000.0  # Zendesk says 60 minutes; a closed lid between upload and request can last that long
DONE = frozenset({"solved", "closed"})
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
PRIORITY = re.compile(r"low|normal|high|urgent")


def _bearer(secret: str) -> dict[str, str]:
    if "/token" in secret or ":" in secret:
        raise SignInNeeded(
            "This is a key of the whole help desk, which does not belong on an employee's computer.",
            hint="Sign in with an OAuth access token of your own, or ask IT to offer the employee API in front of the desk.",
        )
    return {"Authorization": f"Bearer {secret}"}


class ZendeskDesk(WebDesk):
    """A Zendesk.

    Args:
        line: the way to it, signed in.
        form: number of the ticket form, empty for the default.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "zendesk"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("request_type", "fields")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text",
        attach="upload_first",
        dedupe="search",
        comments=True,
        own_list=True,
        rating=True,
        status=True,
        articles=True,
    )

    def __init__(self, line: Line, *, form: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._form = form
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
    ) -> Self:
        """See `Desk.open`. The secret is an OAuth access token of the employee."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        numbers = {
            "desk.request_type": request_type,
            **{f"desk.fields: {k}": v for k, v in field_rules(fields).items()},
        }
        wrong = [
            f"{name} must be a number of Zendesk's."
            for name, one in numbers.items()
            if one and not NUMBER.fullmatch(one)
        ]
        if wrong:
            raise SettingsFault(
                wrong[0], problems=tuple(wrong), hint="Zendesk shows it in the address of the form or field."
            )
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=signed(_bearer))
        return cls(line, form=request_type, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Uploads the files, creates the request, and asks which files it has. See `Desk.create`."""
        values = [{"id": int(field), "value": value} for field, value in own_fields(self._fields, payload).items()]
        number = routed(payload, "request_type", self._form, NUMBER)
        form: dict[str, Any] = {"ticket_form_id": int(number)} if number else {}
        if priority := routed(payload, "priority", "", PRIORITY):
            form["priority"] = priority
        comment = {"body": with_ref(payload), "uploads": await self._uploads(payload.attachments)}
        request = {"subject": payload.subject, "comment": comment, "custom_fields": values, **form}
        try:
            found = await self._line.ask(
                "POST",
                f"{API}/requests",
                act=Act.WRITE,
                expect=MADE,
                headers={"Idempotency-Key": payload.key},
                json={"request": request},
            )
        except DeskRefused as fault:
            if "idempotency key" in fault.words.lower():  # it was sent before with other upload tokens, so it is there
                raise OutcomeUnknown("The help desk has seen this ticket before.") from fault
            raise
        made = self._line.parse(found, wire.One, act=Act.WRITE).request
        try:
            return self._created(made, attached=await self._attached(made.id) if payload.attachments else ())
        except DeskFault as fault:
            raise OutcomeUnknown("The help desk has made the ticket, but did not say which files it has.") from fault

    async def find(self, key: str) -> Created | None:
        """The employee's request with our key in its text."""

        async def look(one: wire.Request) -> Created | None:
            mine = key in (one.description or "")
            return self._created(one, attached=await self._attached(one.id)) if mine else None

        return await look_through(self._own, look, looks=EVERY)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's requests, newest first, the first 1,000 of them."""
        own, _ = await all_of(self._own)
        return tuple(self._ticket(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said in public, oldest first; the first message is the request's own text."""
        number = checked(ticket_id, NUMBER)
        request = (await self._read_theirs(f"/requests/{number}", wire.One)).request
        comments, people = await self._comments(request.id)
        return Conversation(
            ticket=self._ticket(request),
            comments=tuple(
                Comment(
                    id=str(one.id),
                    author=one_line(people[one.author_id].name if one.author_id in people else ""),
                    from_agent=people[one.author_id].agent
                    if one.author_id in people
                    else one.author_id != request.requester_id,
                    text=without_ref(one.body) if place == 0 else one.body,
                    created_at=one.created_at,
                    attachments=tuple(one_line(file.file_name) for file in one.attachments),
                )
                for place, one in enumerate(comments)
            ),
        )

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files."""
        path = f"{API}/requests/{checked(ticket_id, NUMBER)}"
        comment = {"body": payload.body, "uploads": await self._uploads(payload.attachments)}
        expect, request = OK | NOT_THEIRS, {"request": {"comment": comment}}
        found = await self._line.ask("PUT", path, act=Act.WRITE, expect=expect, json=request)
        self._line.parse(theirs(found), wire.One, act=Act.WRITE)

    async def rate(self, ticket_id: str, *, good: bool, words: str = "") -> None:
        """Rates a ticket that is solved."""
        path = f"{API}/tickets/{checked(ticket_id, NUMBER)}/satisfaction_rating"
        rating = {"score": "good" if good else "bad", **({"comment": words} if words else {})}
        expect = OK | NOT_THEIRS
        theirs(await self._line.ask("POST", path, act=Act.KEYED, expect=expect, json={"satisfaction_rating": rating}))

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles of the help center for these words, best first."""
        if not words.strip():
            return ()
        params = {"query": one_line(words.strip()), "per_page": "25"}
        found = await self._read("/help_center/articles/search", wire.Found, params)
        return tuple(
            Article(
                id=f"desk-{one.id}",
                title=one_line(one.title, MAX_LINE),
                summary=text_of(one.snippet or ""),
                body=text_of(one.body or one.snippet or ""),
                reviewed_on=one.updated_at.date().isoformat() if one.updated_at else "",
                source=self._line.host,
            )
            for one in found.results
        )

    async def whoami(self) -> Identity:
        """Whose token it is; Zendesk answers strangers too, without a number."""
        me = (await self._read("/users/me", wire.Me)).user
        if me.id is None:
            raise SignInNeeded("The help desk does not accept the sign-in (any more).")
        return Identity(name=one_line(me.name), email=one_line(me.email or ""))

    async def _uploads(self, files: tuple[Attachment, ...]) -> list[str]:
        """Tokens for the files, none of them about to expire."""
        began = time()
        tokens = [await self._upload(one) for one in files]
        return tokens if time() - began < UPLOAD_LASTS_S else [await self._upload(one) for one in files]

    async def _upload(self, file: Attachment) -> str:
        # An upload that nobody refers to is forgotten, so a broken line here changes nothing.
        with naming((file,)):
            found = await self._line.ask(
                "POST",
                f"{API}/uploads",
                act=Act.READ,
                expect=MADE,
                params={"filename": file.name},
                headers={"Content-Type": file.media_type},
                content=file.data,
            )
        return self._line.parse(found, wire.Uploaded, act=Act.READ).upload.token

    async def _own(self, at: At) -> Page[wire.Request]:
        params = {"sort_by": "created_at", "sort_order": "desc", "per_page": PER_PAGE, "page": str(at.page)}
        found = await self._read("/requests", wire.List, params)
        return Page(found.requests, last=not found.next_page)

    async def _comments(self, request: int) -> tuple[list[wire.Comment], dict[int, wire.Author]]:
        people: dict[int, wire.Author] = {}

        async def ask(at: At) -> Page[wire.Comment]:
            params = {"per_page": PER_PAGE, "page": str(at.page)}
            found = await self._read(f"/requests/{request}/comments", wire.Comments, params)
            people.update({one.id: one for one in found.users})
            return Page([one for one in found.comments if one.public], last=not found.next_page)

        comments, _ = await all_of(ask)
        return comments, people

    async def _attached(self, request: int) -> tuple[str, ...]:
        comments, _ = await self._comments(request)
        return tuple(file.file_name for file in comments[0].attachments) if comments else ()

    def _ticket(self, one: wire.Request) -> Ticket:
        made = self._created(one)
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.subject or "", MAX_LINE),
            status=one_line(one.status),
            is_open=one.status not in DONE,
            created_at=one.created_at,
            updated_at=one.updated_at,
        )

    def _created(self, one: wire.Request, *, attached: tuple[str, ...] = ()) -> Created:
        return Created(
            id=str(one.id), ref=str(one.id), url=web_link(f"{self._line.base}/hc/requests/{one.id}"), attached=attached
        )
