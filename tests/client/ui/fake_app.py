"""An app for tests and screenshots: the methods of `client.app.App` that the window uses, with data like a company's.

    app = FakeApp.filled()     a computer with a problem, tickets, drafts, articles
    app = FakeApp.empty()      a fresh installation: nothing checked, nothing written
    app = FakeApp.failing()    every question to the desk, the disk or the checks ends in an error of `client.errors`

Every coroutine first awaits `app.pause_s` seconds (0: one turn of the loop), so that a test can look at what is shown meanwhile.
It is long because it is one thing: every method of `App` that the window uses. Its data is in `fake_data`.

`app.said` lists the calls that changed something: ("send", preview), ("drop", "id") ...
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
from fake_data import (
    ARTICLES,
    CABLE,
    COMMENTS,
    DISK,
    DNS,
    FACTS,
    FIXES,
    HEALTHY,
    NOW,
    OUTAGE,
    OUTBOX,
    OUTCOME,
    PLANS,
    TICKETS,
    UPKEEP,
    finding,
    report,
)
from PySide6.QtCore import QObject

from client.bulletin import Asked
from client.errors import ActionFault, DesksideBug, DesksideError, DeskUnreachable, NotFound, StorageFault, UsageError
from client.knowledge.announcements import known
from client.knowledge.learning import Event as LearntEvent
from client.model import (
    Announcement,
    Answer,
    Article,
    Attachment,
    Capabilities,
    Comment,
    Conversation,
    Created,
    Draft,
    Earlier,
    FixOutcome,
    FixPlan,
    FixResult,
    Hit,
    Identity,
    OutboxEntry,
    Payload,
    Preview,
    Section,
    SendState,
    State,
    Step,
    Ticket,
)
from client.platform.paths import Paths
from client.report.reply import addition, covered
from client.settings.layers import Loaded
from client.settings.schema import Brand, Desk, Settings
from client.signin.device import Code
from client.ui.bridge import Bridge
from client.ui.courier import StartErrand
from client.ui.errands import Announced, Delivered, News
from diagnostics.model import (
    Diagnosed,
    Diagnosis,
    Done,
    Event,
    Found,
    Progress,
    Report,
    Started,
    Status,
)

__all__ = [  # the data too, for those who import both
    "ARTICLES",
    "CABLE",
    "COMMENTS",
    "DISK",
    "DNS",
    "FACTS",
    "FIXES",
    "HEALTHY",
    "NOW",
    "OUTAGE",
    "OUTBOX",
    "OUTCOME",
    "PLANS",
    "TICKETS",
    "UPKEEP",
    "FakeApp",
    "fake_errands",
    "finding",
    "report",
]


class FakeErrand(QObject):
    """An errand without a child: the app's own coroutine, through the bridge."""

    def __init__(self, app: FakeApp, bridge: Bridge, errand: str, on_end: Callable[..., None], parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self._on_end = on_end
        errands = {
            "deliver": app.deliver,
            "resume": app.network_returned,
            "news": app.news,
            "announcements": app.bulletin.refresh,
        }
        work = errands[errand]()
        on_result = {"news": self._news, "announcements": self._announce}.get(errand, self._deliver)
        self._call = bridge.submit(work, owner=self, on_result=on_result, on_error=self._failed)

    def stop(self) -> None:
        self._call.cancel()

    def _deliver(self, entries: tuple[OutboxEntry, ...]) -> None:
        self._on_end(Delivered(entries))

    def _news(self, news: tuple[tuple[Ticket, Comment], ...]) -> None:
        self._on_end(News(news, is_open=self._app.has_open_tickets()))

    def _announce(self, asked: Asked) -> None:
        self._on_end(Announced(asked.ended))

    def _failed(self, _error: DesksideError) -> None:
        self._on_end(None)


def fake_errands(app: FakeApp, bridge: Bridge) -> StartErrand:
    """What a `Courier` starts in tests."""
    return lambda errand, on_end, parent: FakeErrand(app, bridge, errand, on_end, parent)


class FakeCorrespondence:
    """Closing tickets and opening them again."""

    def __init__(self, app: FakeApp) -> None:
        self._app = app

    async def set_open(self, ticket_id: str, *, wanted: bool) -> Conversation:
        self._app._desk()
        self._app.said.append(("set_open", (ticket_id, wanted)))
        status = "Reopened" if wanted else "Closed"
        self._app.tickets_here = tuple(
            msgspec.structs.replace(one, is_open=wanted, status=status) if one.id == ticket_id else one
            for one in self._app.tickets_here
        )
        return await self._app.conversation(ticket_id)

    async def rate(self, ticket_id: str, *, good: bool, words: str = "") -> None:
        self._app._desk()
        self._app.said.append(("rate", (ticket_id, good, words)))


class FakeWriting:
    """Replies, and whether the same cause was reported before; `before` says so."""

    def __init__(self, app: FakeApp) -> None:
        self._app = app
        self.before: Earlier | None = None

    async def covered(self, words: str) -> tuple[str, int]:
        return covered(words)

    async def earlier(self, payload: Payload) -> Earlier | None:
        del payload
        await self._app._pause()
        return self.before

    async def addition(self, preview: Preview) -> Preview:
        return addition(preview)

    async def add(self, ticket_id: str, preview: Preview) -> OutboxEntry:
        self._app._storage()
        self._app.said.append(("add", (ticket_id, preview)))
        entry = OutboxEntry(
            id=preview.payload.key, kind="reply", state=SendState.WAITING, subject="", created_at=datetime.now(UTC)
        )
        self._app.entries = (entry, *self._app.entries)
        return entry


class FakeBulletin:
    """What IT announces; `here` counts, `sources` may be empty."""

    def __init__(self, app: FakeApp) -> None:
        self._app = app
        self.here: tuple[Announcement, ...] = ()
        self.sources: tuple[str, ...] = ()
        self.waiting: set[str] = set()
        self.away: set[str] = set()
        self.ended: tuple[Announcement, ...] = ()

    def current(self, *, put_away: bool = False) -> tuple[Announcement, ...]:
        return tuple(one for one in self.here if put_away or one.id not in self.away)

    def known(self, cause: Diagnosis) -> Announcement | None:
        return known(self.here, cause)

    def watched(self) -> frozenset[str]:
        return frozenset(self.waiting)

    async def refresh(self, *, always: bool = True) -> Asked:
        del always
        return Asked(self.ended, ())

    async def watch(self, id: str, *, wanted: bool = True) -> None:
        self._app._storage()
        self.waiting = self.waiting | {id} if wanted else self.waiting - {id}

    async def put_away(self, id: str) -> None:
        self._app._storage()
        self.away.add(id)


class FakeLearning:
    """What helped: a list."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []

    def article(self, id: str, *, helped: bool) -> None:
        self.noted.append((id, "yes" if helped else "no"))

    def found_nothing(self, words: str) -> None:
        self.noted.append((words, "nothing_fits"))

    def events(self) -> tuple[LearntEvent, ...]:
        return tuple(
            LearntEvent(at=NOW, kind="search" if outcome == "nothing_fits" else "article", about=about, outcome=outcome)
            for about, outcome in self.noted
        )

    def forget(self) -> None:
        self.noted.clear()


class FakeApp:
    """See the module. `report` is what the last check found, `next_report` what the next check will find."""

    def __init__(self, folder: Path | None = None) -> None:
        base = folder or Path("/nonexistent/deskside")
        names = ("config", "data", "state", "cache", "log", "policy")
        self.paths = Paths(**{name: base / name for name in names}, resources=Path(__file__).parents[3] / "resources")
        self.settings = Loaded(
            values=Settings(
                desk=Desk(kind="demo", url="https://help.example.com"),
                brand=Brand(name="", phone="+44 20 7946 0000", email="it@example.com", hours="Mon to Fri, 8 to 18"),
            )
        )
        self.capabilities = Capabilities(
            body="markdown",
            attach="same_request",
            dedupe="key",
            comments=True,
            own_list=True,
            status=True,
            articles=True,
            closing=True,
            rating=True,
            max_file_bytes=10_000_000,
        )
        self.program = ("deskside",)
        self.pause_s = 0.0
        self.notice_here = ""
        self.error: DesksideError | None = None  # what every question to the desk ends in
        self.check_error: DesksideError | None = None
        self.storage_error: DesksideError | None = None
        self.report: Report | None = None
        self.next_report: Report | None = None
        self.articles_here: tuple[Article, ...] = ARTICLES
        self.tickets_here: tuple[Ticket, ...] = ()
        self.comments: dict[str, tuple[Comment, ...]] = {}
        self.entries: tuple[OutboxEntry, ...] = ()
        self.drafts_here: dict[str, Draft] = {}
        self.outcomes: tuple[FixOutcome, ...] = ()
        self.fix_result = FixResult.HELPED
        self.signed_in = True
        self.by_company_account = False
        self.person: Identity | DesksideError | None = None  # what comes of signing in with the company account
        self.bulletin = FakeBulletin(self)
        self.writing = FakeWriting(self)
        self.correspondence = FakeCorrespondence(self)
        self.guidance = SimpleNamespace(learning=FakeLearning(), shares_counts=False)
        self.desk_articles_here: tuple[Article, ...] = ()
        self.news_here: tuple[tuple[Ticket, Comment], ...] = ()
        self.said: list[tuple[str, object]] = []
        self.checking = False
        self.closed = False

    # --- the three situations

    @classmethod
    def empty(cls, folder: Path | None = None) -> FakeApp:
        """A fresh installation."""
        return cls(folder)

    @classmethod
    def filled(cls, folder: Path | None = None) -> FakeApp:
        """A computer with problems, tickets, a draft and an outbox that holds something in every state."""
        app = cls(folder)
        app.report = report(DNS, DISK)
        app.tickets_here = TICKETS
        app.comments = {"412": COMMENTS, "398": COMMENTS[:1], "371": COMMENTS}
        app.entries = OUTBOX
        app.outcomes = (OUTCOME,)
        draft = Draft(
            id="d1", created_at=NOW, subject=DNS.title, words="Nothing opens", report=app.report, tried=(OUTCOME,)
        )
        app.drafts_here = {"d1": draft}
        return app

    @classmethod
    def healthy(cls, folder: Path | None = None) -> FakeApp:
        """A computer on which nothing is wrong."""
        app = cls(folder)
        app.report = report()
        return app

    @classmethod
    def failing(cls, folder: Path | None = None) -> FakeApp:
        """Offline, the desk out of reach, the disk full, the check broken."""
        app = cls(folder)
        app.report = report(CABLE)
        app.tickets_here = TICKETS
        app.entries = OUTBOX[:1]
        app.error = DeskUnreachable("The help desk cannot be reached from here.")
        app.check_error = DesksideBug("The check could not be carried out.")
        app.storage_error = StorageFault("There is no room left to save it.")
        app.articles_here = ()
        return app

    # --- checks

    async def check(
        self, *, only: frozenset[str] = frozenset(), listen: Callable[[Event], None] | None = None
    ) -> Report:
        self.checking = True
        try:
            found = self.next_report or self.report or report()
            tell = listen or (lambda _: None)
            tell(Started(checks=tuple(one.check for one in found.findings)))
            for one in found.findings:
                tell(Progress(check=one.check, area=one.area, words=f"Looking at {one.area}"))
                await self._pause()
                tell(Found(finding=one))
            if self.check_error is not None:
                raise self.check_error
            tell(Diagnosed(diagnosis=found.diagnosis))
            tell(Done(report=found))
        finally:
            self.checking = False
        if not only:
            self.report = msgspec.structs.replace(found, started_at=datetime.now(UTC).isoformat())
            return self.report
        return found

    def last_report(self) -> Report | None:
        return self.report

    def state(self) -> State:
        return State.CHECKING if self.checking else self.judged()

    def judged(self) -> State:
        if self.report is None:
            return State.UNKNOWN
        if not self.report.diagnosis:
            return State.FINE
        offline = ("link.", "address.", "route.", "gateway.", "internet.")
        return State.OFFLINE if self.report.diagnosis[0].cause.startswith(offline) else State.PROBLEM

    # --- knowledge

    async def search(self, words: str, *, limit: int = 8) -> Answer:
        await self._pause()
        wanted = words.lower().split()
        if not wanted:
            causes = {one.cause for one in self.report.diagnosis} if self.report else set()
            found = [one for one in self.articles_here if causes & set(one.causes)]
        else:
            found = [
                one
                for one in self.articles_here
                if any(word in f"{one.title} {one.summary}".lower() for word in wanted)
            ]
        hits = tuple(Hit(article=one.id, score=0.9, title=one.title, summary=one.summary) for one in found[:limit])
        return Answer(results=hits, nothing_fits=not hits)

    def article(self, article_id: str) -> Article | None:
        return next((one for one in self.articles_here if one.id == article_id), None)

    def articles(self) -> tuple[Article, ...]:
        return tuple(sorted(self.articles_here, key=lambda one: one.title))

    async def desk_articles(self, words: str) -> tuple[Article, ...]:
        await self._pause()
        self.said.append(("desk_articles", words))
        return self.desk_articles_here

    def next_refresh(self) -> float | None:
        return None

    # --- fixes

    def fixes(self) -> tuple[tuple[str, str, str], ...]:
        return FIXES

    async def plan(self, fix: str) -> FixPlan:
        await self._pause()
        if fix in PLANS:
            return PLANS[fix]
        for id, title, summary in FIXES:
            if id == fix:
                return FixPlan(fix=id, title=title, summary=summary, steps=(Step(action="open_settings", words=title),))
        raise UsageError(f"There is no fix called {fix}.")

    async def fix(self, plan: FixPlan, *, progress: Callable[[str], None] | None = None) -> FixOutcome:
        self.said.append(("fix", plan))
        for step in plan.steps:
            if progress is not None:
                progress(step.words)
            await self._pause()
        if self.fix_result is FixResult.FAILED:
            raise ActionFault(
                "A file was in use and could not be deleted.", hint="Close your programs, then try again."
            )
        helped = self.fix_result is FixResult.HELPED
        before = tuple(finding(id, Status.FAILED, "Only 1.8 GB are free.", free_percent=0.4) for id in plan.checks)
        after = tuple(
            finding(
                id, Status.OK if helped else Status.FAILED, "4.2 GB are free." if helped else "Only 1.8 GB are free."
            )
            for id in plan.checks
        )
        outcome = FixOutcome(
            id=str(uuid.uuid4()),
            fix=plan.fix,
            title=plan.title,
            result=self.fix_result,
            words="2.4 GB were freed." if helped else "It was carried out, but nothing has changed.",
            started_at=datetime.now(UTC),
            took_ms=2300,
            before=before,
            after=after,
            can_undo=bool(plan.undo),
        )
        self.outcomes = (outcome, *self.outcomes)
        return outcome

    async def undo(self, outcome_id: str) -> FixOutcome:
        await self._pause()
        self.said.append(("undo", outcome_id))
        for one in self.outcomes:
            if one.id == outcome_id:
                return msgspec.structs.replace(
                    one, result=FixResult.UNDONE, words="It is as it was before.", can_undo=False
                )
        raise ActionFault("This can no longer be undone.")

    def journal(self) -> tuple[FixOutcome, ...]:
        return self.outcomes

    # --- writing a ticket

    def new_draft(self, *, words: str = "", report: Report | None = None, tried: tuple[FixOutcome, ...] = ()) -> Draft:
        subject = report.diagnosis[0].title if report and report.diagnosis else ""
        return Draft(
            id=str(uuid.uuid4()), created_at=datetime.now(UTC), subject=subject, words=words, report=report, tried=tried
        )

    async def save_draft(self, draft: Draft) -> None:
        await self._pause()
        self._storage()
        self.said.append(("save_draft", draft))
        self.drafts_here[draft.id] = draft

    async def drafts(self) -> tuple[Draft, ...]:
        await self._pause()
        return tuple(reversed(self.drafts_here.values()))

    async def discard_draft(self, draft_id: str) -> None:
        await self._pause()
        self.said.append(("discard_draft", draft_id))
        self.drafts_here.pop(draft_id, None)

    async def preview(self, draft: Draft) -> Preview:
        await self._pause()
        texts = (
            ("words", "What you wrote", draft.words or "(nothing)", True),
            ("diagnosis", "What the check found", "The name server does not answer (dns.unreachable, 97 % sure)", True),
            ("tried", "What was tried", "Forget old names: no change", False),
            ("facts", "This computer", "Debian GNU/Linux 12 on a Latitude 5440", False),
            ("findings", "All checks", "dns.resolvers: failed, answer_ms: none\nlink.state: ok", False),
        )
        sections = tuple(
            Section(id=id, title=title, text=text, required=required, included=required or id not in draft.left_out)
            for id, title, text, required in texts
        )
        body = "\n\n".join(f"{one.title}\n{one.text}" for one in sections if one.included)
        made = (
            Attachment(name="report.json", media_type="application/json", data=b'{"schema": 1}'),
            Attachment(name="report.html", media_type="text/html", data=b"<!doctype html><title>Report</title>"),
            Attachment(name="summary.txt", media_type="text/plain", data=body.encode()),
        )
        payload = Payload(
            key=draft.id,
            subject=draft.subject or "A problem with this computer",
            body=body,
            fields={"cause": "dns.unreachable", "severity": "high", "tier": "L2", "device": "lt-0417"},
            attachments=made + draft.attachments,
        )
        exposed = tuple(one.name for one in draft.attachments if b"password" in one.data)
        return Preview(payload=payload, sections=sections, redactions=3, exposed=exposed)

    async def send(self, preview: Preview) -> OutboxEntry:
        await self._pause()
        self._storage()
        self.said.append(("send", preview))
        entry = OutboxEntry(
            id=preview.payload.key,
            kind="ticket",
            state=SendState.WAITING,
            subject=preview.payload.subject,
            created_at=datetime.now(UTC),
        )
        self.entries = (entry, *self.entries)
        self.drafts_here.pop(preview.payload.key, None)
        return entry

    async def reply(self, ticket_id: str, words: str, attachments: tuple[Attachment, ...] = ()) -> OutboxEntry:
        await self._pause()
        self._storage()
        self.said.append(("reply", (ticket_id, words, attachments)))
        entry = OutboxEntry(
            id=str(uuid.uuid4()), kind="reply", state=SendState.WAITING, subject=ticket_id, created_at=datetime.now(UTC)
        )
        self.entries = (entry, *self.entries)
        return entry

    # --- sending

    async def outbox(self) -> tuple[OutboxEntry, ...]:
        await self._pause()
        return self.entries

    async def payload(self, entry_id: str) -> Payload:
        await self._pause()
        entry = self._entry(entry_id)
        return Payload(
            key=entry.id, subject=entry.subject, body=f"{entry.subject}\n\nNothing opens since this morning."
        )

    async def retry(self, entry_id: str) -> None:
        await self._pause()
        entry = self._entry(entry_id)
        self.said.append(("retry", entry_id))
        self._put(msgspec.structs.replace(entry, state=SendState.WAITING, next_attempt_at=datetime.now(UTC)))

    async def leave_out(self, entry_id: str, names: tuple[str, ...]) -> None:
        await self._pause()
        entry = self._entry(entry_id)
        self.said.append(("leave_out", (entry_id, names)))
        self._put(msgspec.structs.replace(entry, state=SendState.WAITING, refused_files=(), last_error=""))

    async def drop(self, entry_id: str) -> None:
        await self._pause()
        self._entry(entry_id)
        self.said.append(("drop", entry_id))
        self.entries = tuple(one for one in self.entries if one.id != entry_id)

    async def deliver(self) -> tuple[OutboxEntry, ...]:
        await self._pause()
        self.said.append(("deliver", None))
        if self.error is not None:
            return ()
        sent = []
        for one in self.entries:
            if one.state is SendState.WAITING:
                now = msgspec.structs.replace(
                    one, state=SendState.SENT, ticket=Created(id="413", ref="IT-413"), sent_at=datetime.now(UTC)
                )
                self._put(now)
                sent.append(now)
        return tuple(sent)

    async def network_returned(self) -> tuple[OutboxEntry, ...]:
        self.said.append(("network_returned", None))
        return await self.deliver()

    async def notice(self, *, read: bool = False) -> str:
        await self._pause()
        words = self.notice_here
        if read:
            self.said.append(("notice", words))
            self.notice_here = ""
        return words

    def next_delivery(self) -> float | None:
        return 0.0 if any(one.state is SendState.WAITING for one in self.entries) else None

    def has_open_tickets(self) -> bool:
        return any(one.is_open for one in self.tickets_here)

    def listed_s(self) -> float | None:
        return 60.0 if self.tickets_here else None

    # --- what the help desk says

    async def tickets(self, *, refresh: bool = True) -> tuple[Ticket, ...]:
        await self._pause()
        if refresh:
            self._desk()
        return self.tickets_here

    async def conversation(self, ticket_id: str, *, refresh: bool = True) -> Conversation:
        await self._pause()
        if refresh:
            self._desk()
        for one in self.tickets_here:
            if one.id == ticket_id:
                return Conversation(ticket=one, comments=self.comments.get(ticket_id, ()))
        raise NotFound("This ticket does not exist any more.")

    async def news(self) -> tuple[tuple[Ticket, Comment], ...]:
        await self._pause()
        self._desk()
        found, self.news_here = self.news_here, ()
        return found

    @property
    def accounts(self) -> FakeApp:
        """One object serves for both."""
        return self

    async def sign_in(self, secret: str, *, keep: bool = True) -> Identity:
        await self._pause()
        self._desk()
        self.said.append(("sign_in" if keep else "sign_in_for_now", secret))
        self.signed_in = True
        return await self.whoami()

    async def sign_in_by_browser(self, open_page: Callable[[str], None]) -> Identity:
        self.said.append(("sign_in_by_browser", None))
        return await self._company(lambda: open_page("https://login.example.com/authorize?x=1"))

    async def sign_in_by_code(self, show: Callable[[Code], None]) -> Identity:
        self.said.append(("sign_in_by_code", None))
        return await self._company(lambda: show(Code(code="WDJB-MJHT", page="https://login.example.com/device")))

    async def _company(self, begin: Callable[[], None]) -> Identity:
        await asyncio.to_thread(begin)
        while self.person is None:  # noqa: ASYNC110 -- a person takes their time, and tests set what comes of it
            await asyncio.sleep(0.01)
        if isinstance(self.person, DesksideError):
            raise self.person
        self.signed_in, self.error = True, None
        return await self.whoami()

    async def sign_out(self) -> bool:
        await self._pause()
        self.said.append(("sign_out", None))
        self.signed_in = False
        return True

    async def forget_desk(self) -> None:
        await self._pause()
        self.said.append(("sign_in_changed", None))

    async def whoami(self) -> Identity:
        await self._pause()
        self._desk()
        return Identity(name="Alex Morgan", email="alex.morgan@example.com")

    async def close(self) -> None:
        self.closed = True

    # --- inside

    async def _pause(self) -> None:
        await asyncio.sleep(self.pause_s)

    def _desk(self) -> None:
        if self.error is not None:
            raise self.error

    def _storage(self) -> None:
        if self.storage_error is not None:
            raise self.storage_error

    def _entry(self, entry_id: str) -> OutboxEntry:
        for one in self.entries:
            if one.id == entry_id:
                return one
        raise UsageError("There is no such message.")

    def _put(self, entry: OutboxEntry) -> None:
        self.entries = tuple(entry if one.id == entry.id else one for one in self.entries)
