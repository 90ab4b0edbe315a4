"""Roundup 2 through REST, spoken to as a user of the tracker with their name and password.

    create   each file first: POST /rest/data/file; then POST msg with the words; then POST issue/@poe for a link that makes one
             issue at most, and the issue with its message and files through it
    reply    POST msg, then PATCH issue/{id}, which adds it, on the condition that nobody else has changed the issue since
    read     GET  issue?creator=, msg?id=, file?id=; what the tracker does not show to the employee is left out by Roundup
    dedupe   our key is the message's Message-ID, which trackers keep for e-mail; without the right to search for it, it is looked
             for in the texts of own issues

A link that is used a second time is refused without the issue's number, so whoever asks has to look for it. Files and messages
that no issue refers to are shown to nobody. Roundup keeps no empty file, so one is sent with a line end in it.

`desk.url` is the tracker's address, `desk.fields` names properties of issues ("cause=cause"). Employees need Rest Access; Create on
issue, msg and file; View and Edit on their own issues; and, to be found again at once, Search on msg and issue.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit

from client.desks.base import Act
from client.desks.looking import Ask, At, Page, all_of, look_through
from client.desks.texts import (
    MAX_LINE,
    basic,
    checked,
    field_rules,
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
from client.desks.wire import roundup as wire
from client.errors import DeskBroken, DeskRefused, OutcomeUnknown, SettingsFault, SignInNeeded
from client.model import Attachment, Capabilities, Comment, Conversation, Created, Identity, Payload, Ticket

if TYPE_CHECKING:
    from client.desks import NetworkSettings
    from client.desks.http import Line, Query

API = "/rest/data"
MADE = frozenset({201})
CHANGED_SINCE = 412
PAGE = 100
LISTED = "title,status.name,creation,activity"
TOLD = 100  # messages or files that are asked for at once: their numbers stand in the address
TRIES = 3  # somebody else may write into the issue at the same moment
PROPERTY = re.compile(r"(?!(title|messages|files|id)\Z)[A-Za-z_][A-Za-z0-9_]{0,60}")
NUMBER = re.compile(r"[1-9][0-9]{0,17}")
KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
ONE_USE = re.compile(r"/issue/@poe/([A-Za-z0-9_-]{8,200})\Z")
DONE = frozenset({"resolved", "done-cbb", "done", "closed"})  # states that come with it, and common ones


class RoundupDesk(WebDesk):
    """A tracker of Roundup.

    Args:
        line: the way to it, signed in.
        user: whose sign-in it is.
        fields: `desk.fields`.
    """

    kind: ClassVar[str] = "roundup"
    api: ClassVar[str] = API
    wants: ClassVar[tuple[str, ...]] = ("fields",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        body="text", attach="upload_first", dedupe="search", comments=True, own_list=True, status=True
    )

    def __init__(self, line: Line, *, user: str, fields: tuple[str, ...]) -> None:
        super().__init__(line)
        self._user = user
        self._fields = fields

    @classmethod
    def open(
        cls, url: str, *, network: NetworkSettings, secret: str | None, version: str, fields: tuple[str, ...] = ()
    ) -> Self:
        """See `Desk.open`. The secret is "NAME:PASSWORD"."""
        from client.desks.http import Line  # noqa: PLC0415 -- brings httpx, not needed to know what a desk can do

        for field in field_rules(fields).values():
            if not PROPERTY.fullmatch(field):
                message = f"desk.fields names {one_line(field, 80)!r}, which cannot be a property of Roundup's."
                raise SettingsFault(
                    message, problems=(message,), hint="Use the names that stand in the tracker's schema."
                )
        base = url.strip().rstrip("/")
        parts = urlsplit(base)
        # Roundup asks for these three with everything that changes something, against forged requests of web pages.
        same_site = {
            "X-Requested-With": "deskside",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Referer": f"{base}/",
        }
        line = Line(
            base,
            network=network,
            version=version,
            secret=secret,
            sign_in=signed(lambda secret: {**_sign_in(secret), **same_site}),
        )
        return cls(line, user=(secret or "").partition(":")[0], fields=fields)

    async def create(self, payload: Payload) -> Created:
        """Uploads the files and the words, and makes one issue of them. See `Desk.create`."""
        me = await self._me()
        files = await self._upload_all(payload.attachments)
        message = await self._message(me, with_ref(payload), files, payload.key)
        link = await self._line.ask("POST", f"{API}/issue/@poe", act=Act.READ, expect=OK, json={})
        once = ONE_USE.search(self._line.parse(link, wire.Answer[wire.Poe], act=Act.READ).data.link)
        if not once:
            raise DeskBroken("The help desk's answer cannot be understood.")
        issue = {
            **({"priority": priority} if (priority := routed(payload, "priority", "")) else {}),
            **own_fields(self._fields, payload),
            "title": one_line(payload.subject, MAX_LINE),
            "messages": [message],
            **({"files": files} if files else {}),
        }
        path = (
            f"{API}/issue/@poe/{once[1]}"  # of the link only this: it names the address that the desk believes to have
        )
        try:
            found = await self._line.ask("POST", path, act=Act.WRITE, expect=MADE, json=issue)
        except DeskRefused as fault:
            if "POE token" in fault.words:  # something on the way has sent it twice, so it is there
                raise OutcomeUnknown("The help desk has seen this ticket before.") from fault
            raise
        number = self._line.parse(found, wire.Answer[wire.Made], act=Act.WRITE).data.id
        return self._created(number, attached=tuple(one.name for one in payload.attachments))

    async def find(self, key: str) -> Created | None:
        """The employee's issue whose message has our key."""
        if not KEY.fullmatch(key):
            return None
        me = await self._me()
        params = {"messageid:": _message_id(key), "@fields": "id"}
        found = await self._get("/msg", params, expect=OK | {403})
        if found.status == 403:  # noqa: PLR2004 -- no right to search; the right to read is another
            return await self._look_for(key, me)
        messages = self._line.parse(found, wire.Answer[wire.Collection[wire.Made]], act=Act.READ).data.collection
        if not messages:
            return None
        wanted = {"messages": ",".join(one.id for one in messages[:TOLD])}
        hits, _ = await all_of(self._own(me, wanted))
        if not hits:
            return None  # the words arrived, but no issue was made of them
        issue = await self._issue(hits[-1].id, me)
        first = await self._messages(issue.attributes.messages[:1])
        return self._created(issue.id, attached=await self._names(first))

    async def tickets(self) -> tuple[Ticket, ...]:
        """The issues that the employee has made, newest first, the first 1,000 of them."""
        own, _ = await all_of(self._own(await self._me()))
        return tuple(self._ticket(checked(one.id, NUMBER), one) for one in own)

    async def conversation(self, ticket_id: str) -> Conversation:
        """What was said, oldest first, of what the tracker shows to the employee."""
        me = await self._me()
        issue = await self._issue(ticket_id, me)
        messages = await self._messages(issue.attributes.messages)
        names = await self._file_names(messages)
        first = issue.attributes.messages[0].id if issue.attributes.messages else ""
        return Conversation(
            ticket=self._ticket(issue.id, issue.attributes),
            comments=tuple(_comment(one, me, names, first=one.id == first) for one in messages),
        )

    async def comment(self, ticket_id: str, payload: Payload) -> None:
        """Adds the employee's reply with its files."""
        me = await self._me()
        issue = await self._issue(ticket_id, me)
        files = await self._upload_all(payload.attachments)
        message = await self._message(me, payload.body, files, payload.key)
        change = {"@op": "add", "messages": [message], **({"files": files} if files else {})}
        for attempt in range(TRIES):
            found = await self._line.ask(
                "PATCH",
                f"{API}/issue/{issue.id}",
                act=Act.WRITE,
                expect=OK | NOT_THEIRS | ({CHANGED_SINCE} if attempt < TRIES - 1 else frozenset()),
                headers={"If-Match": issue.etag},
                json=change,
            )
            if found.status != CHANGED_SINCE:
                self._line.parse(theirs(found), wire.Answer[wire.Made], act=Act.WRITE)
                return
            issue = await self._issue(ticket_id, me)

    async def whoami(self) -> Identity:
        """Whose sign-in it is."""
        me = await self._me()
        return Identity(name=one_line(me.realname or me.username), email=one_line(me.address or ""))

    async def _me(self) -> wire.User:
        params = {"username:": self._user, "@fields": "username,realname,address"}
        found = await self._read("/user", wire.Answer[wire.Collection[wire.User]], params)
        for one in found.data.collection:
            if one.username == self._user:
                return one
        raise DeskBroken("The help desk does not say whose sign-in this is.")

    async def _upload_all(self, files: tuple[Attachment, ...]) -> list[str]:
        return [await self._upload(one) for one in files]

    async def _upload(self, file: Attachment) -> str:
        # A file that nothing refers to is shown to nobody, so a broken line here changes nothing.
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            ("name", (None, one_line(file.name).encode(), "text/plain; charset=utf-8")),
            ("type", (None, file.media_type.encode(), "text/plain; charset=utf-8")),
            ("content", ("content", file.data or b"\n", "application/octet-stream")),
        ]
        with naming((file,)):
            found = await self._line.ask("POST", f"{API}/file", act=Act.READ, expect=MADE, files=parts)
        return self._line.parse(found, wire.Answer[wire.Made], act=Act.READ).data.id

    async def _message(self, me: wire.User, text: str, files: list[str], key: str) -> str:
        # As a file, it counts only once an issue refers to it.
        message = {
            "content": text,
            "author": me.id,
            "date": ".",  # now, by the desk's clock
            "messageid": _message_id(checked(key, KEY)),
            **({"files": files} if files else {}),
        }
        found = await self._line.ask("POST", f"{API}/msg", act=Act.READ, expect=MADE, json=message)
        return self._line.parse(found, wire.Answer[wire.Made], act=Act.READ).data.id

    def _own(self, me: wire.User, wanted: dict[str, str] | None = None) -> Ask[wire.Issue]:
        async def ask(at: At) -> Page[wire.Issue]:
            page = {"@sort": "-id", "@page_size": str(PAGE), "@page_index": str(at.page), "@fields": LISTED}
            found = await self._get("/issue", {"creator": me.id, **(wanted or {}), **page})
            issues = self._line.parse(found, wire.Answer[wire.Collection[wire.Issue]], act=Act.READ).data.collection
            return Page(issues, last=len(issues) < PAGE, now=found.at)

        return ask

    async def _look_for(self, key: str, me: wire.User) -> Created | None:
        async def look(one: wire.Issue) -> Created | None:
            issue = await self._issue(one.id, me)
            first = await self._messages(issue.attributes.messages[:1])
            mine = any(key in (message.content or "") for message in first)
            return self._created(issue.id, attached=await self._names(first)) if mine else None

        return await look_through(self._own(me), look, made=lambda one: wire.moment(one.creation))

    async def _issue(self, ticket_id: str, me: wire.User) -> wire.One:
        """An issue that the employee has made; a tracker may show them others too."""
        path, fields = f"/issue/{checked(ticket_id, NUMBER)}", f"{LISTED},creator,messages"
        issue = (await self._read_theirs(path, wire.Answer[wire.One], {"@fields": fields})).data
        if issue.attributes.creator is None or issue.attributes.creator.id != me.id:
            raise not_yours()
        return issue

    async def _messages(self, linked: tuple[wire.Linked, ...]) -> list[wire.Message]:
        """Those of these that are shown to the employee, oldest first."""
        params = {"@fields": "content,type,author,author.realname,creation,files", "@verbose": "3"}
        found: list[wire.Message] = []
        for start in range(0, len(linked), TOLD):
            ids = [one.id for one in linked[start : start + TOLD]]
            answer = await self._read("/msg", wire.Answer[wire.Collection[wire.Message]], {**params, "id": ids})
            found += answer.data.collection
        return sorted(found, key=lambda one: int(one.id))

    async def _file_names(self, messages: list[wire.Message]) -> dict[str, str]:
        wanted = [file.id for one in messages for file in one.files]
        names: dict[str, str] = {}
        for start in range(0, len(wanted), TOLD):
            params: Query = {"@fields": "name", "id": wanted[start : start + TOLD]}
            found = await self._read("/file", wire.Answer[wire.Collection[wire.File]], params)
            names |= {one.id: one_line(one.name or "") for one in found.data.collection}
        return names

    async def _names(self, messages: list[wire.Message]) -> tuple[str, ...]:
        names = await self._file_names(messages)
        return tuple(names[file.id] for one in messages for file in one.files if file.id in names)

    def _ticket(self, number: str, one: wire.Issue) -> Ticket:
        made, status = self._created(number), one.status or ""
        return Ticket(
            id=made.id,
            ref=made.ref,
            url=made.url,
            subject=one_line(one.title or "", MAX_LINE),
            status=one_line(status),
            is_open=status.lower() not in DONE,
            created_at=wire.moment(one.creation),
            updated_at=wire.moment(one.activity),
        )

    def _created(self, number: str, *, attached: tuple[str, ...] = ()) -> Created:
        return Created(id=number, ref=f"issue{number}", url=f"{self._line.base}/issue{number}", attached=attached)


def _sign_in(secret: str) -> dict[str, str]:
    user, _, password = secret.partition(":")
    if not (user and password):
        raise SignInNeeded("The sign-in that is kept on this computer cannot be right.", hint="It is NAME:PASSWORD.")
    return basic(user, password)


def _message_id(key: str) -> str:
    return f"<{key}@deskside>"


def _comment(one: wire.Message, me: wire.User, names: dict[str, str], *, first: bool) -> Comment:
    text = text_of(one.content or "") if "html" in (one.type or "") else one.content or ""
    mine = one.author is not None and one.author.id == me.id
    return Comment(
        id=one.id,
        author=one_line(one.realname or (one.author and one.author.username) or ""),
        from_agent=not mine,
        text=without_ref(text) if first else text,
        created_at=wire.moment(one.creation),
        attachments=tuple(names[file.id] for file in one.files if file.id in names),
    )
