"""The employee API (resources/api/employee-api.yaml): served by the embedded desk, and by gateways in front of other desks.

The ticket's files go along in the creating request; the ticket's key is its `Idempotency-Key`, so sending again can never make a
second one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import msgspec

from client.desks.base import Act, Desk
from client.desks.texts import FIELDS, MAX_LINE, one_line, web_link
from client.errors import NotFound, TooLarge
from client.model import Announcement, Article, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Answer, Line

API_PATH = "/api/employee/v1"
MAX_PAGES = 10  # of 100 tickets each: more than anyone looks at, and an end for a list that has none
MAX_FILES_BYTES = 25 * 1024 * 1024  # of one message together, as the API says
OK = frozenset({200})
MADE = frozenset({200, 201})  # 200: it was there already
SEVERITIES = frozenset({"", "low", "medium", "high", "critical"})
TIERS = frozenset({"", "L1", "L2", "L3"})
TICKET_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Ticket(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]  # it will stand in an address
    ref: str
    subject: str
    status: str
    open: bool
    url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    key: str | None = None


class _Stored(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Created(msgspec.Struct, frozen=True):
    ticket: _Ticket
    attachments: tuple[_Stored, ...] = ()


class _List(msgspec.Struct, frozen=True):
    tickets: tuple[_Ticket, ...]
    next_before: str | None = None


class _File(msgspec.Struct, frozen=True):
    name: str


class _Comment(msgspec.Struct, frozen=True):
    id: str
    author: str
    from_agent: bool
    text: str
    created_at: datetime | None = None
    attachments: tuple[_File, ...] = ()


class _Detail(msgspec.Struct, frozen=True):
    ticket: _Ticket
    comments: tuple[_Comment, ...]


class _Said(msgspec.Struct, frozen=True):
    comment: _Comment
    attachments: tuple[_Stored, ...] = ()


class _Article(msgspec.Struct, frozen=True):
    id: str
    title: str
    summary: str
    body: str
    updated_at: datetime | None = None


class _Found(msgspec.Struct, frozen=True):
    articles: tuple[_Article, ...]


class _Told(msgspec.Struct, frozen=True):
    announcements: Annotated[tuple[Announcement, ...], msgspec.Meta(max_length=100)]


class _Me(msgspec.Struct, frozen=True):
    name: str
    email: str = ""


class EmployeeDesk(Desk):
    """A desk that speaks the employee API.

    Args:
        line: the way to it, signed in.
    """

    kind: ClassVar[str] = "employee"
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="markdown",
        attach="same_request",
        dedupe="key",
        comments=True,
        own_list=True,
        status=True,
        articles=True,
        announcements=True,
        closing=True,
        max_file_bytes=MAX_FILES_BYTES,
    )

    def __init__(self, line: Line) -> None:
        self._line = line

    def __repr__(self) -> str:
        return f"EmployeeDesk({self._line!r})"

    @classmethod
    def open(cls, url: str, *, network: NetworkSettings, secret: str | None, version: str) -> Self:
        """See `Desk.open`. The address may be the desk's, or the API's own, ending with /api/employee/v1."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        base = url.strip().rstrip("/")
        base = base if base.endswith(API_PATH) else base + API_PATH
        return cls(Line(base, network=network, version=version, secret=secret))

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket with its files, or finds the one that this key has made. See `Desk.create`."""
        fields = {name: one_line(payload.fields.get(name, "")) for name in FIELDS}
        fields["severity"] = fields["severity"] if fields["severity"] in SEVERITIES else ""
        fields["tier"] = fields["tier"] if fields["tier"] in TIERS else ""
        part = {"subject": payload.subject, "body": payload.body, "fields": {k: v for k, v in fields.items() if v}}
        found = await self._post("/tickets", "ticket", part, payload)
        made = self._line.parse(found, _Created, act=Act.KEYED)
        return _created(made.ticket, attached=_confirmed(payload, made.attachments))

    async def find(self, key: str) -> Created | None:
        """The ticket that this key has made. The desk keeps key and ticket in one transaction, so its word is final."""
        found = self._line.parse(await self._get("/tickets", {"key": key}), _List, act=Act.READ)
        if not found.tickets:
            return None
        # A ticket is stored together with its files, or not at all.
        detail = await self._detail(found.tickets[0].id)
        attached = tuple(one.name for one in detail.comments[0].attachments) if detail.comments else ()
        return _created(detail.ticket, attached=attached)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's tickets, newest first, at most `MAX_PAGES` pages of them."""
        all_of_them: list[Ticket] = []
        params: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self._line.parse(await self._get("/tickets", params), _List, act=Act.READ)
            all_of_them += [_ticket(one) for one in page.tickets]
            if page.next_before is None:
                break
            params = {"before": page.next_before}
        return tuple(all_of_them)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first; the first message is the ticket's own text."""
        detail = await self._detail(ticket_id)
        return Conversation(
            ticket=_ticket(detail.ticket),
            comments=tuple(
                Comment(
                    id=one.id,
                    author=one_line(one.author),
                    from_agent=one.from_agent,
                    text=one.text,
                    created_at=one.created_at,
                    attachments=tuple(file.name for file in one.attachments),
                )
                for one in detail.comments
            ),
        )

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files, once per key."""
        path = f"/tickets/{_checked(ticket_id)}/comments"
        found = await self._post(path, "comment", {"body": payload.body}, payload)
        self._line.parse(found, _Said, act=Act.KEYED)

    async def set_open(self, ticket_id: str, *, wanted: bool) -> None:
        """Closes a ticket or opens it again; one that is so already stays so."""
        path = f"/tickets/{_checked(ticket_id)}/{'reopen' if wanted else 'close'}"
        self._line.parse(await self._line.ask("POST", path, act=Act.KEYED, expect=OK), _Ticket, act=Act.KEYED)

    async def articles(self, words: str) -> tuple[Article, ...]:
        """The desk's own articles for these words, best first; their `source` is the desk's host."""
        if not words.strip():
            return ()
        found = self._line.parse(await self._get("/kb", {"q": one_line(words.strip())}), _Found, act=Act.READ)
        return tuple(
            Article(
                id=f"desk-{one.id}",
                title=one.title,
                summary=one.summary,
                body=one.body,
                reviewed_on=one.updated_at.date().isoformat() if one.updated_at else "",
                source=self._line.host,
            )
            for one in found.articles
        )

    async def announcements(self) -> tuple[Announcement, ...]:
        """What IT tells everybody; nothing where the desk has an older API, which knows no announcements."""
        try:
            found = await self._get("/announcements", {})
        except NotFound:
            return ()
        return self._line.parse(found, _Told, act=Act.READ).announcements

    async def whoami(self) -> Identity:
        """Whose token it is."""
        me = self._line.parse(await self._get("/me", {}), _Me, act=Act.READ)
        return Identity(name=me.name, email=me.email)

    async def close(self) -> None:
        """Lets go of connections."""
        await self._line.close()

    async def _detail(self, ticket_id: str) -> _Detail:
        return self._line.parse(await self._get(f"/tickets/{_checked(ticket_id)}", {}), _Detail, act=Act.READ)

    async def _get(self, path: str, params: dict[str, str]) -> Answer:
        return await self._line.ask("GET", path, act=Act.READ, expect=OK, params=params)

    async def _post(self, path: str, name: str, part: Mapping[str, object], payload: Payload) -> Answer:
        """Sends the JSON part and the files under the payload's key."""
        largest = max(payload.attachments, key=lambda one: len(one.data)).name if payload.attachments else ""
        if sum(len(one.data) for one in payload.attachments) > MAX_FILES_BYTES:
            raise _too_large(largest)
        # A multipart header cannot carry every character of a file's name; JSON can.
        text = msgspec.json.encode({**part, "file_names": [one.name for one in payload.attachments]})
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            (name, (None, text, "application/json")),
            *(("files", (one.name, one.data, one.media_type)) for one in payload.attachments),
        ]
        try:
            return await self._line.ask(
                "POST", path, act=Act.KEYED, expect=MADE, headers={"Idempotency-Key": payload.key}, files=parts
            )
        except TooLarge as fault:
            if fault.name or not largest:
                raise
            raise _too_large(largest, words=fault.words) from fault  # it refused before it had read the names


def _too_large(name: str, *, words: str = "") -> TooLarge:
    """Names the file that is worth leaving out."""
    return TooLarge(f"The files are too large for the help desk; the largest is {name}.", name=name, words=words)


def _checked(ticket_id: str) -> str:
    """A ticket's id that can stand in an address.

    Raises:
        NotFound: no ticket has such an id.
    """
    if not TICKET_ID.fullmatch(ticket_id):
        raise NotFound("The help desk has no ticket with this number.")
    return ticket_id


def _ticket(one: _Ticket) -> Ticket:
    return Ticket(
        id=one.id,
        ref=one_line(one.ref),
        subject=one_line(one.subject, MAX_LINE),
        status=one_line(one.status),
        is_open=one.open,
        url=web_link(one.url),
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


def _created(one: _Ticket, *, attached: tuple[str, ...]) -> Created:
    return Created(id=one.id, ref=one_line(one.ref), url=web_link(one.url), attached=attached)


def _confirmed(payload: Payload, stored: tuple[_Stored, ...]) -> tuple[str, ...]:
    """The names of our files that the desk has byte for byte: it reads them back from its disk and says their SHA-256."""
    there = [one.sha256 for one in stored]
    names: list[str] = []
    for one in payload.attachments:
        mark = hashlib.sha256(one.data).hexdigest()
        if mark in there:
            there.remove(mark)
            names.append(one.name)
    return tuple(names)
