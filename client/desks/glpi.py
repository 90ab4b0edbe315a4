"""GLPI 11 through its high-level API (version 2, OAuth 2), spoken to as an employee.

    create   POST /Assistance/Ticket {name, content, external_id}
    reply    POST /Assistance/Ticket/{id}/Timeline/Followup
    read     GET  /Assistance/Ticket, /Assistance/Ticket/{id}, its Timeline, /Knowledgebase/Article (API 2.2 and newer)
    dedupe   our key is `external_id`, asked for with an RSQL filter, and stands in the text

GLPI 11.0.7 was seen to answer 404 to follow-ups that it had saved; the outbox looks for a refused one before it counts as refused.
The high-level API takes no files yet, and no fields of the company's own: what is found stands in the text. Who wrote what is told
from 11.0.6 on; older versions are refused as conversations.

The secret is "NAME:PASSWORD", exchanged for tokens that last an hour with the client that `desk.oauth_client` names
("IDENTIFIER:SECRET", grant "Password", scopes "api" and "user"); the client opens nothing without a person's password.
`desk.queue` is the number of an ITIL category.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self
from urllib.parse import urlencode

import msgspec

from client.desks.base import Act, CannotDo
from client.desks.looking import At, Page, all_of
from client.desks.texts import (
    MAX_LINE,
    checked,
    html_of,
    missing,
    not_yours,
    one_line,
    proper_secret,
    text_of,
    with_ref,
    without_ref,
)
from client.desks.web import NOT_THEIRS, OK, WebDesk, theirs
from client.desks.wire import glpi as wire
from client.errors import NotFound, SignInNeeded
from client.model import Article, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Answer, Line

API: Final = "/api.php/v2"
TOKEN: Final = "/api.php/token"  # noqa: S105 -- an address
SCOPES: Final = "api user"  # without "user", GLPI does not say whose token it is
MADE: Final = frozenset({201})
LISTED: Final = frozenset({200, 206})  # 206: there is more
PAGE: Final = 100
EARLY_S: Final = 60.0  # a token is not used in its last minute
CLOSED: Final = frozenset({5, 6})  # solved, closed
URGENCIES: Final = {"low": 2, "medium": 3, "high": 4, "critical": 5}
NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
KEY: Final = re.compile(r"[A-Za-z0-9-]{8,64}")  # it stands in a filter
WORD: Final = re.compile(r"[^\W_]{3,40}")  # likewise
MOST_WORDS: Final = 6
CLIENT_FAULTS: Final = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"})
CLIENT: Final = re.compile(r"[!-9;-~]+:[!-~]+")


class GlpiDesk(WebDesk):
    """A GLPI.

    Args:
        door: the way to where tokens are given; carries no sign-in.
        line: the way to the API; gets the token as its secret.
        client: "IDENTIFIER:SECRET".
        secret: "NAME:PASSWORD".
        category: of new tickets, empty for what GLPI's rules say.
        clock: seconds that never jump.
    """

    kind: ClassVar[str] = "glpi"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("queue", "oauth_client")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="html", attach="none", dedupe="search", comments=True, own_list=True, status=True, articles=True
    )

    def __init__(
        self,
        door: Line,
        line: Line,
        *,
        client: str,
        secret: str | None,
        category: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(line)
        self._door = door
        self._client = client
        self._secret = secret
        self._category = category
        self._clock = clock
        self._until = 0.0  # on this clock: the token's end; 0 for none yet
        self._user: wire.User | None = None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        network: NetworkSettings,
        secret: str | None,
        version: str,
        queue: str = "",
        oauth_client: str = "",
    ) -> Self:
        """See `Desk.open`. The secret is "NAME:PASSWORD"."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if queue and not NUMBER.fullmatch(queue):
            raise missing("desk.queue", "GLPI needs the number of an ITIL category here.")
        if not CLIENT.fullmatch(oauth_client):
            raise missing("desk.oauth_client", "GLPI needs an OAuth client, written IDENTIFIER:SECRET.")
        base = url.strip().rstrip("/")
        door = Line(base, network=network, version=version, secret=secret, sign_in=lambda _: {})
        line = Line(base, network=network, version=version, secret=None)
        return cls(door, line, client=oauth_client, secret=secret, category=queue)

    async def create(self, payload: Payload) -> Created:
        """Creates the ticket, for whom the sign-in is. See `Desk.create`."""
        ticket = {
            "name": one_line(payload.subject, 250),
            "content": html_of(with_ref(payload)),
            "external_id": payload.key,
            "type": 1,
            **({"category": {"id": int(self._category)}} if self._category else {}),
            **({"urgency": level} if (level := URGENCIES.get(payload.fields.get("severity", ""))) else {}),
        }
        found = await self._post("/Assistance/Ticket", ticket, expect=MADE)
        return self._created(self._line.parse(found, wire.Made, act=Act.WRITE).id)

    async def find(self, key: str) -> Created | None:
        """The employee's ticket with our key as its external id or in its text."""
        if not KEY.fullmatch(key):
            raise CannotDo("GLPI cannot be asked for such a key.")
        me = await self._me()
        params = {"filter": f"external_id=='{key}',content=like='*{key}*'", "limit": str(PAGE), "sort": "id:asc"}
        hits, whole = await self._listed("/Assistance/Ticket", tuple[wire.Ticket, ...], params)
        for one in hits:  # looked at again: what GLPI does not know in a filter, it leaves out
            askers = [member for member in one.team or () if member.requests]
            ours = not askers or any(member.is_user(me.id) for member in askers)
            if ours and (one.external_id == key or key in (one.content or "")):
                return self._created(one.id)
        if not whole:
            raise CannotDo("The help desk shows you more tickets than can be looked through.")
        return None

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own tickets, newest first; not those that they only watch."""
        me = await self._me()

        async def ask(at: At) -> Page[wire.Ticket]:
            params = {"start": str(at.start), "limit": str(PAGE), "sort": "id:desc"}
            some, last = await self._listed("/Assistance/Ticket", tuple[wire.Ticket, ...], params)
            return Page([one for one in some if _is_of(one, me)], last or not some, len(some))

        own, _ = await all_of(ask)
        return tuple(self._told(one) for one in sorted(own, key=lambda one: -one.id))

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first, without private follow-ups; the first message is the ticket's own text."""
        ticket, me = await self._mine(ticket_id)
        found = await self._asked(f"/Assistance/Ticket/{ticket.id}/Timeline", expect=OK | NOT_THEIRS)
        entries = self._line.parse(theirs(found), tuple[wire.Entry, ...], act=Act.READ)
        names: list[str] = []
        said: list[wire.Said] = []
        for entry in entries:
            if entry.type in {"Followup", "Solution"}:
                one = self._item(entry, wire.Said)
                if one.user is msgspec.UNSET:
                    raise CannotDo("This GLPI does not say who wrote what; its version must be 11.0.6 or newer.")
                said += [] if one.is_private else [one]
            elif entry.type == "Document":
                document = self._item(entry, wire.Document)
                names += [one_line(name) for name in (document.filename or document.name,) if name]
        first = Comment(
            id=str(ticket.id),
            author=_name(me),
            from_agent=False,
            text=without_ref(text_of(ticket.content or "")),
            created_at=ticket.date_creation,
            attachments=tuple(names),
        )
        said.sort(key=lambda one: (one.date_creation.timestamp() if one.date_creation else 0.0, one.id))
        return Conversation(ticket=self._told(ticket), comments=(first, *(_comment(one, me) for one in said)))

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply."""
        ticket, _ = await self._mine(ticket_id)
        said = {"content": html_of(payload.body), "is_private": False}
        path = f"/Assistance/Ticket/{ticket.id}/Timeline/Followup"
        found = await self._post(path, said, expect=MADE | NOT_THEIRS)
        self._line.parse(theirs(found), wire.Made, act=Act.WRITE)

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles of GLPI's public questions and answers with these words, those with most of them first."""
        wanted = list(dict.fromkeys(word.lower() for word in WORD.findall(words)))[:MOST_WORDS]
        if not wanted:
            return ()
        any_of = ",".join(f"{part}=ilike='*{word}*'" for word in wanted for part in ("name", "content"))
        params = {"filter": f"is_faq==1;({any_of})", "limit": "20"}
        try:
            hits, _ = await self._listed("/Knowledgebase/Article", tuple[wire.Article, ...], params)
        except NotFound:  # an API older than 2.2
            return ()
        found = [
            Article(
                id=f"desk-{one.id}",
                title=one_line(one.name or "", MAX_LINE),
                summary=one_line(text_of(one.description or one.content or "")),
                body=text_of(one.content or ""),
                reviewed_on=one.date_mod.date().isoformat() if one.date_mod else "",
                source=self._line.host,
            )
            for one in hits
        ]
        scores = {one.id: sum(word in f"{one.title} {one.body}".lower() for word in wanted) for one in found}
        return tuple(sorted((one for one in found if scores[one.id]), key=lambda one: -scores[one.id]))

    async def whoami(self) -> Identity:
        """Whose sign-in it is."""
        self._user = None
        me = await self._me()
        mails = sorted(me.emails or (), key=lambda one: not one.is_default)
        return Identity(name=_name(me), email=one_line((mails[0].email or "") if mails else ""))

    async def close(self) -> None:
        """Lets go of connections."""
        await self._door.close()
        await self._line.close()

    # --- the way there

    async def _me(self) -> wire.User:
        if self._user is None:
            found = await self._asked("/Administration/User/Me")
            self._user = self._line.parse(found, wire.User, act=Act.READ)
        return self._user

    async def _mine(self, ticket_id: str) -> tuple[wire.Ticket, wire.User]:
        path = f"/Assistance/Ticket/{checked(ticket_id, NUMBER)}"
        found = await self._asked(path, expect=OK | NOT_THEIRS)
        ticket, me = self._line.parse(theirs(found), wire.Ticket, act=Act.READ), await self._me()
        if not _is_of(ticket, me):
            raise not_yours()
        return ticket, me

    async def _listed(self, path: str, shape: type[Any], params: dict[str, str]) -> tuple[Any, bool]:
        """A part of a list, and whether nothing comes after it."""
        found = await self._asked(path, expect=LISTED, params=params)
        return self._line.parse(found, shape, act=Act.READ), found.status == min(LISTED)

    async def _asked(self, path: str, *, expect: frozenset[int] = OK, params: dict[str, str] | None = None) -> Answer:
        return await self._with_token(lambda: self._get(path, params, expect=expect))

    async def _post(self, path: str, body: object, *, expect: frozenset[int]) -> Answer:
        return await self._with_token(
            lambda: self._line.ask("POST", API + path, act=Act.WRITE, expect=expect, json=body)
        )

    async def _with_token(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Asks with a token; once more with a new one where GLPI has forgotten the one from before (and so has done nothing)."""
        kept = self._clock() < self._until
        if not kept:
            await self._sign_in()
        try:
            return await ask()
        except SignInNeeded:
            self._until = 0.0
            if not kept:
                raise
        await self._sign_in()
        return await ask()

    async def _sign_in(self) -> None:
        name, _, password = proper_secret(self._secret).partition(":")
        if not name or not password:
            raise SignInNeeded(
                "The sign-in that is kept on this computer cannot be right.", hint="It is NAME:PASSWORD."
            )
        identifier, _, client_secret = self._client.partition(":")
        form = {
            "grant_type": "password",
            "client_id": identifier,
            "client_secret": client_secret,
            "username": name,
            "password": password,
            "scope": SCOPES,
        }
        found = await self._door.ask(
            "POST",
            TOKEN,
            act=Act.READ,
            expect=OK | {400, 401},
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )
        if found.status not in OK:
            raise self._not_let_in(found)
        token = self._door.parse(found, wire.Token, act=Act.READ)
        self._line.sign_in_with(token.access_token)
        self._until = self._clock() + max(0.0, token.expires_in - EARLY_S)

    def _not_let_in(self, found: Answer) -> SignInNeeded:
        """OAuth 2 says which of the two was wrong (RFC 6749, 5.2); where it does not, it was the person's."""
        try:
            said = msgspec.json.decode(found.body, type=wire.Refused).error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = ""
        if said in CLIENT_FAULTS:
            hint = "Tell your IT department: desk.oauth_client needs the grant Password and the scopes api and user."
            return SignInNeeded(f"GLPI does not accept Deskside's own OAuth client ({said}).", hint=hint)
        return SignInNeeded("The help desk does not accept the sign-in (any more).")

    def _item(self, entry: wire.Entry, shape: type[Any]) -> Any:
        from client.desks.translate import not_the_desk  # noqa: PLC0415 -- brings httpx, which is here by now

        try:
            return msgspec.json.decode(entry.item, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise not_the_desk("The help desk's answer cannot be understood.", act=Act.READ) from error

    def _told(self, one: wire.Ticket) -> Ticket:
        made = self._created(one.id)
        status = one.status
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.name or "", MAX_LINE),
            status=one_line((status and status.name) or "Open"),
            is_open=status is None or status.id not in CLOSED,
            created_at=one.date_creation,
            updated_at=one.date_mod,
        )

    def _created(self, number: int) -> Created:
        page = f"{self._line.base}/front/ticket.form.php?id={number}"
        return Created(id=str(number), ref=str(number), url=page)


def _is_of(ticket: wire.Ticket, me: wire.User) -> bool:
    return any(one.requests and one.is_user(me.id) for one in ticket.team or ())


def _name(me: wire.User) -> str:
    return one_line(f"{me.firstname or ''} {me.realname or ''}".strip() or me.username or f"User {me.id}")


def _comment(one: wire.Said, me: wire.User) -> Comment:
    user = one.user if isinstance(one.user, wire.Person) else None
    mine = user is not None and user.id == me.id
    return Comment(
        id=str(one.id),
        author=_name(me) if mine else one_line((user and user.name) or "Help desk"),
        from_agent=not mine,
        text=text_of(one.content or ""),
        created_at=one.date_creation,
    )
