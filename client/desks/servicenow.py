"""ServiceNow, spoken to as the employee who calls, through its Table API.

    create   POST /api/now/table/incident; our key is its correlation_id and stands in the description
    attach   POST /api/now/attachment/file?file_name=, the bytes as they are, one file a request
    reply    PATCH /api/now/table/incident/{sys_id} {comments}, after its files
    read     GET  /api/now/table/incident?sysparm_query=caller_id=javascript:gs.getUserID(), /api/now/attachment
    dedupe   asked for by correlation_id or description, among the employee's own

A query that ServiceNow cannot read in part is answered as if that part were not there, so every row is looked at before it is
believed. `desk.queue` is the sys_id of an assignment group, `desk.fields` names columns ("cause=u_cause"). The secret is
"USER:PASSWORD", or an OAuth token alone.

The entries of a conversation are open to agents only (sys_journal_field), so it is read from the incident's `comments` as they are
shown: newest first, each behind a line with its time, in the time zone of the employee's profile, and its author. That zone is not
told, so messages have no time here. Files belong to the incident and not to a message; they are told with the first.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, ClassVar, Final, Self

from client.desks.base import Act, CannotDo
from client.desks.looking import At, Page, all_of
from client.desks.texts import (
    MAX_LINE,
    basic,
    checked,
    field_rules,
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
from client.desks.web import NOT_THEIRS, OK, WebDesk, naming, theirs
from client.desks.wire import servicenow as wire
from client.errors import DeskBroken
from client.model import Article, Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line

INCIDENT: Final = "/api/now/table/incident"
FILES: Final = "/api/now/attachment"
ARTICLES: Final = "/api/sn_km_api/knowledge/articles"
MADE: Final = frozenset({201})
NO_ARTICLES: Final = frozenset({400, 403, 404})  # the plugin is not there, or not for employees
PAGE: Final = 100
MINE: Final = "caller_id=javascript:gs.getUserID()"
BOTH: Final = {"sysparm_display_value": "all", "sysparm_exclude_reference_link": "true"}
SHOWN: Final = "sys_id,number,caller_id,short_description,state,active,sys_created_on,sys_updated_on"
URGENCIES: Final = {"critical": "1", "high": "1", "medium": "2", "low": "3"}
DONE: Final = frozenset({"6", "7", "8"})  # resolved, closed, cancelled; those that a company adds count as open
MAX_SUBJECT: Final = 160  # of short_description, which is cut without a word
SYS_ID: Final = re.compile(r"[0-9a-f]{32}")
URGENCY: Final = re.compile(r"[1-3]")
KEY: Final = re.compile(r"[A-Za-z0-9-]{8,64}")


class ServiceNowDesk(WebDesk):
    """A ServiceNow.

    Args:
        line: the way to it, signed in.
        group: sys_id of the assignment group, empty for what ServiceNow's own rules say.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "servicenow"
    wants: ClassVar[tuple[str, ...]] = ("queue", "fields")
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text",
        attach="after_creation",
        dedupe="search",
        comments=True,
        own_list=True,
        status=True,
        articles=True,
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
        """See `Desk.open`. The secret is "USER:PASSWORD", or an OAuth token."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        if queue and not SYS_ID.fullmatch(queue):
            raise missing("desk.queue", "ServiceNow needs the sys_id of an assignment group here.")
        field_rules(fields)
        line = Line(url.strip().rstrip("/"), network=network, version=version, secret=secret, sign_in=signed(_sign_in))
        return cls(line, group=queue, fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Creates the incident; its files come after it. See `Desk.create`."""
        incident = {
            **own_fields(self._fields, payload),
            "caller_id": (await self._me()).sys_id.kept,
            "short_description": one_line(payload.subject, MAX_SUBJECT),
            "description": with_ref(payload),
            "correlation_id": payload.key,
            "correlation_display": "Deskside",
            "urgency": routed(payload, "priority", URGENCIES.get(payload.fields.get("severity", ""), "3"), URGENCY),
            **({"assignment_group": group} if (group := routed(payload, "queue", self._group, SYS_ID)) else {}),
            **({"category": category} if (category := routed(payload, "category", "")) else {}),
        }
        params = {**BOTH, "sysparm_fields": SHOWN}
        found = await self._line.ask("POST", INCIDENT, act=Act.WRITE, expect=MADE, params=params, json=incident)
        return self._created(self._line.parse(found, wire.One, act=Act.WRITE).result)

    async def find(self, key: str) -> Created | None:
        """The employee's incident with our key."""
        key, me = checked(key, KEY), await self._me()
        params = {
            **BOTH,
            "sysparm_query": f"{MINE}^correlation_id={key}^ORdescriptionLIKE{key}",
            "sysparm_fields": f"{SHOWN},correlation_id,description",
            "sysparm_limit": "10",
        }
        rows = (await self._read(INCIDENT, wire.Incidents, params)).result
        for one in rows:
            if one.caller_id.kept == me.sys_id.kept and key in {one.correlation_id.kept, _ref(one, key)}:
                return self._created(one, attached=tuple(file.file_name for file in await self._files(one)))
        if rows:  # it has answered another question, so "no" would be a guess
            raise CannotDo("The help desk cannot be asked for a ticket by its key.")
        return None

    async def attach(self, ticket: Created, attachment: Attachment) -> None:
        """Adds one file, for everybody who sees the incident."""
        params = {
            "table_name": "incident",
            "table_sys_id": checked(ticket.id, SYS_ID),
            "file_name": one_line(attachment.name),
        }
        with naming((attachment,)):
            found = await self._line.ask(
                "POST",
                f"{FILES}/file",
                act=Act.WRITE,
                expect=MADE,
                params=params,
                headers={"Content-Type": attachment.media_type},
                content=attachment.data,
            )
        self._line.parse(found, wire.Uploaded, act=Act.WRITE)

    async def tickets(self) -> tuple[Ticket, ...]:
        """The employee's own incidents, newest first."""
        me = await self._me()

        async def page(at: At) -> Page[wire.Incident]:
            query = f"{MINE}^ORDERBYDESCsys_created_on"
            params = {**BOTH, "sysparm_query": query, "sysparm_fields": SHOWN, "sysparm_limit": str(PAGE)}
            rows = (await self._read(INCIDENT, wire.Incidents, params | {"sysparm_offset": str(at.start)})).result
            return Page([one for one in rows if one.caller_id.kept == me.sys_id.kept], len(rows) < PAGE, len(rows))

        own, _ = await all_of(page)
        return tuple(self._told(one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first, without work notes; the first message is the incident's description with all files."""
        incident, me = await self._mine(ticket_id)
        first = Comment(
            id=incident.sys_id.kept,
            author=one_line(me.name.shown),
            from_agent=False,
            text=without_ref(wire.plain(incident.description.kept)),
            created_at=wire.moment(incident.sys_created_on.kept),
            attachments=tuple(one_line(file.file_name) for file in await self._files(incident)),
        )
        said = wire.entries(incident.comments.shown)
        comments = [
            Comment(id=str(place), author=one_line(who), from_agent=who != me.name.shown, text=wire.plain(text))
            for place, (who, text) in enumerate(reversed(said), 1)
        ]
        return Conversation(ticket=self._told(incident), comments=(first, *comments))

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply: its files first, and of them those that an earlier attempt has not brought there."""
        incident, _ = await self._mine(ticket_id)
        there = await self._files(incident) if payload.attachments else ()
        for one in payload.attachments:
            mark = hashlib.sha256(one.data).hexdigest()
            if not any((file.file_name, file.hash) == (one.name, mark) for file in there):
                await self.attach(self._created(incident), one)
        path, expect = f"{INCIDENT}/{incident.sys_id.kept}", OK | NOT_THEIRS
        params, said = {**BOTH, "sysparm_fields": SHOWN}, {"comments": payload.body}
        found = await self._line.ask("PATCH", path, act=Act.WRITE, expect=expect, params=params, json=said)
        self._line.parse(theirs(found), wire.One, act=Act.WRITE)

    async def articles(self, words: str) -> tuple[Article, ...]:
        """Articles for these words, best first, as excerpts; none where ServiceNow has no interface for them."""
        if not words.strip():
            return ()
        params = {"query": one_line(words.strip()), "limit": "10"}
        found = await self._get(ARTICLES, params, expect=OK | NO_ARTICLES)
        if found.status in NO_ARTICLES:
            return ()
        return tuple(
            Article(
                id=f"desk-{place}",
                title=one_line(one.title, MAX_LINE),
                summary=one_line(text_of(one.snippet)),
                body=text_of(one.snippet),
                source=self._line.host,
            )
            for place, one in enumerate(self._line.parse(found, wire.Found, act=Act.READ).result.articles)
        )

    async def whoami(self) -> Identity:
        """Whose sign-in it is."""
        me = await self._me()
        return Identity(name=one_line(me.name.shown or me.user_name.shown), email=one_line(me.email.shown))

    async def _me(self) -> wire.User:
        query = "sys_id=javascript:gs.getUserID()"
        params = {**BOTH, "sysparm_query": query, "sysparm_fields": "sys_id,user_name,name,email", "sysparm_limit": "2"}
        rows = (await self._read("/api/now/table/sys_user", wire.Users, params)).result
        if len(rows) != 1:  # the part of the query that names us was left out, or our own record is hidden from us
            raise DeskBroken("The help desk does not say who you are.")
        return rows[0]

    async def _mine(self, ticket_id: str) -> tuple[wire.Incident, wire.User]:
        params = {**BOTH, "sysparm_fields": f"{SHOWN},description,comments"}
        incident = (await self._read_theirs(f"{INCIDENT}/{checked(ticket_id, SYS_ID)}", wire.One, params)).result
        me = await self._me()
        if incident.caller_id.kept != me.sys_id.kept:
            raise not_yours()
        return incident, me

    async def _files(self, incident: wire.Incident) -> tuple[wire.File, ...]:
        number = incident.sys_id.kept
        query = f"table_name=incident^table_sys_id={number}^ORDERBYsys_created_on"
        rows = (await self._read(FILES, wire.Files, {"sysparm_query": query, "sysparm_limit": str(PAGE)})).result
        return tuple(one for one in rows if one.table_sys_id == number)

    def _told(self, one: wire.Incident) -> Ticket:
        made = self._created(one)
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.short_description.kept, MAX_LINE),
            status=one_line(one.state.shown),
            is_open=one.state.kept not in DONE and one.active.kept != "false",
            created_at=wire.moment(one.sys_created_on.kept),
            updated_at=wire.moment(one.sys_updated_on.kept),
        )

    def _created(self, one: wire.Incident, *, attached: tuple[str, ...] = ()) -> Created:
        number = one.sys_id.kept
        page = f"{self._line.base}/sp?id=ticket&table=incident&sys_id={number}"
        return Created(id=number, ref=one_line(one.number.kept), url=page, attached=attached)


def _sign_in(secret: str) -> dict[str, str]:
    user, colon, password = secret.partition(":")
    return basic(user, password) if colon else {"Authorization": f"Bearer {secret}"}


def _ref(one: wire.Incident, key: str) -> str:
    """The key, if it stands in the description."""
    return key if key in one.description.kept else ""
